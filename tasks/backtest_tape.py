"""The tape of a backtest: the closes that really came, of coins, of hedged pairs and of deposits.

Comes in: one published snapshot. Goes out: `Tape`, which no decision sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from portfolio.lab.tape import Course, Tape, tape_of
from portfolio.sleeves import capital_per_coin
from tasks.context import RunContext
from tasks.identity import identify
from tasks.known_assets import REFERENCE_CURRENCIES
from tasks.policy import lines_of
from tasks.settings import Settings
from tasks.sleeve_parameters import CONTRACTS, hedge_venues
from warehouse.home import Home
from warehouse.reader import Reader, open_published

DEPOSITS = ("yield", "staking")


def read_tape(context: RunContext, portfolio: str, first: datetime, last: datetime) -> Tape:
    """Read the daily closes of the portfolio's lines, from a week before the first decision to the end.

    Lines of the sleeve options have no course here: no option is priced at its bid, so none is proposed.
    """
    settings = context.settings
    lines = _with_coins(lines_of(settings, portfolio))
    begin, end = (first - timedelta(days=7)).date(), last.date()
    index = pd.date_range(begin, end, freq="D", unit="us")
    with open_published(Home(settings.warehouse.home)) as reader:
        closes = _closes(reader, settings, lines, index)
        courses = _courses(reader, settings, lines, index)
        dated = _dated(reader, settings, lines, index)
        growth = _growth(reader, lines, index)
    if closes is None:
        return tape_of(pd.DataFrame(index=index[:0], columns=list(lines), dtype="float64"))
    for line, course in courses.items():
        closes[line] = capital_per_coin(1.0, course.leverage) * course.coin_usd
        closes.loc[~np.isfinite(course.contract), line] = np.nan
    for line, chain in dated.items():
        priced = np.isfinite([course.contract for course in chain]).any(axis=0)
        coin = closes[f"spot:{line.partition(':')[2]}"]
        closes[line] = (capital_per_coin(1.0, chain[0].leverage) * coin).where(priced)
    for line in growth:
        asset = line.partition(":")[2]
        own = next((x for x in (f"cash:{asset}", f"spot:{asset}") if x in closes), None)
        closes[line] = np.nan if own is None else closes[own]
    coins = [line for line in lines if line.startswith("spot:")]
    newest = closes[coins].dropna(how="all").index.max() if coins else index[-1]
    kept = int((index <= newest).sum())
    cut = {line: _cut(course, kept) for line, course in courses.items()}
    shorter = {line: rates[:kept] for line, rates in growth.items()}
    chains = {line: tuple(_cut(course, kept) for course in chain) for line, chain in dated.items()}
    return tape_of(closes.loc[:newest], cut, shorter, chains)


def _with_coins(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines, and the coins that a hedge leaves behind when its contract is gone."""
    hedged = [line.partition(":")[2] for line in lines if line.partition(":")[0] in CONTRACTS]
    return tuple(dict.fromkeys([*lines, *(f"spot:{asset}" for asset in hedged)]))


def _closes(
    reader: Reader, settings: Settings, lines: Sequence[str], index: pd.DatetimeIndex
) -> pd.DataFrame | None:
    begin, end = index[0].date(), index[-1].date()
    identity = _identity(reader, settings, lines, begin, end)
    tall = reader.frame("backtest_closes", first_date=begin, last_date=end, **identity)
    if tall.empty:
        return None
    tall = tall.astype({"as_of_date": "datetime64[us]"})
    wide = tall.set_index(["as_of_date", "line"])["close_usd"].unstack()  # noqa: PD010 - a repeated key must raise
    wide = wide.reindex(index=index, columns=pd.Index(lines))
    for line in lines:
        if line.partition(":")[2] in REFERENCE_CURRENCIES:
            wide[line] = 1.0
    return wide


def _courses(
    reader: Reader, settings: Settings, lines: Sequence[str], index: pd.DatetimeIndex
) -> dict[str, Course]:
    """The legs of carries: of each coin the perpetual that its series of returns is built from."""
    coins = [line.partition(":")[2] for line in lines if line.startswith("carry:")]
    venues = list(hedge_venues(settings, "carry"))
    if not coins or not venues:
        return {}
    tall = reader.frame(
        "backtest_carries",
        assets=coins,
        venues=venues,
        first_date=index[0].date(),
        last_date=index[-1].date(),
    )
    found: dict[str, Course] = {}
    for asset, rows in tall.groupby("asset"):
        counts = rows.groupby(["venue", "market_id", "quote"]).size().reset_index(name="days")
        counts["place"] = [venues.index(venue) for venue in counts["venue"]]
        best = counts.sort_values(["place", "days", "market_id"], ascending=[True, False, True]).iloc[0]
        own = rows[(rows["venue"] == best["venue"]) & (rows["market_id"] == best["market_id"])]
        own = own.assign(as_of_date=own["as_of_date"].astype("datetime64[us]")).set_index("as_of_date")
        own = own.reindex(index)
        dollars = own["quote_price_usd"].to_numpy(dtype="float64")
        found[f"carry:{asset}"] = Course(
            coin_usd=own["coin"].to_numpy(dtype="float64") * dollars,
            contract=own["contract"].to_numpy(dtype="float64"),
            funding=own["funding"].to_numpy(dtype="float64"),
            quote=str(best["quote"]),
            quote_usd=dollars,
            leverage=settings.sleeves.carry.leverage,
        )
    return found


def _dated(
    reader: Reader, settings: Settings, lines: Sequence[str], index: pd.DatetimeIndex
) -> dict[str, tuple[Course, ...]]:
    """Every dated contract on each coin of the sleeve basis: the nearest end first, then by venue."""
    coins = [line.partition(":")[2] for line in lines if line.startswith("basis:")]
    venues = list(hedge_venues(settings, "basis"))
    if not coins or not venues:
        return {}
    within = {"first_date": index[0].date(), "last_date": index[-1].date()}
    tall = reader.frame("backtest_contracts", assets=coins, venues=venues, **within)
    rule, found = settings.sleeves.basis, dict[str, list[tuple[tuple[Any, ...], Course]]]()
    for (asset, venue, market), rows in tall.groupby(["asset", "venue", "market_id"]):
        own = rows.assign(as_of_date=rows["as_of_date"].astype("datetime64[us]")).set_index("as_of_date")
        ends = pd.Timestamp(own["expires_at"].iloc[0]).tz_localize("UTC").to_pydatetime()
        quote, own = str(own["quote"].iloc[0]), own.reindex(index)
        course = Course(
            coin_usd=own["coin_usd"].to_numpy(dtype="float64"),
            contract=own["contract"].to_numpy(dtype="float64"),
            funding=np.zeros(len(index)),
            quote=quote,
            quote_usd=own["quote_price_usd"].to_numpy(dtype="float64"),
            leverage=rule.leverage,
            market_id=str(market),
            expires_at=ends,
            roll_days=rule.roll_days,
        )
        place = (ends, venues.index(str(venue)), str(market))
        found.setdefault(f"basis:{asset}", []).append((place, course))
    return {line: tuple(c for _, c in sorted(own, key=lambda x: x[0])) for line, own in found.items()}


def _growth(reader: Reader, lines: Sequence[str], index: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    wanted = [line for line in lines if line.partition(":")[0] in DEPOSITS]
    if not wanted:
        return {}
    tall = reader.frame(
        "backtest_deposits", lines=wanted, first_date=index[0].date(), last_date=index[-1].date()
    )
    tall = tall.astype({"as_of_date": "datetime64[us]"})
    wide = tall.set_index(["as_of_date", "line"])["growth"].unstack()  # noqa: PD010 - a repeated key must raise
    wide = wide.reindex(index=index)
    return {str(line): wide[line].to_numpy(dtype="float64") for line in wide.columns}


def _cut(course: Course, days: int) -> Course:
    """The course up to the end of the tape."""
    return replace(
        course,
        coin_usd=course.coin_usd[:days],
        contract=course.contract[:days],
        funding=course.funding[:days],
        quote_usd=course.quote_usd[:days],
    )


def _identity(
    reader: Reader, settings: Settings, lines: Sequence[str], begin: date, end: date
) -> dict[str, list[str]]:
    assets = [line.partition(":")[2] for line in lines if line.startswith("spot:")]
    breaks = reader.rows("identity_breaks", assets=assets, first_date=begin, last_date=end)
    return identify(lines, settings.universe, breaks).parameters()
