"""Everything a decision may see, read from one published snapshot as of one instant.

Comes in: a point-in-time reader and the portfolio's configuration. Goes out: `DecisionInputs`. Rules about
age live here, so that the inputs' hash covers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from portfolio.model import (
    DatasetState,
    DecisionInputs,
    Freeze,
    HeldExposure,
    PreviousDecision,
    PriceMark,
    SleeveTerms,
)
from tasks.context import RunContext
from tasks.exits import announced_exits
from tasks.held_positions import held_positions
from tasks.identity import Identity, delisted_lines, identify
from tasks.known_assets import REFERENCE_CURRENCIES
from tasks.markets import instruments, liquidity
from tasks.policy import config_hash, lines_of
from tasks.prices import EXTREME_MOVE, read_prices
from tasks.protocols import protocol_facts
from tasks.sleeve_terms import Known, read_sleeves
from tasks.views import Heard, read_views
from warehouse.reader import Reader

# An allocation from fewer common days than this says more about chance than about the assets.
MIN_OBSERVATIONS = 60
PLAIN = ("spot", "cash")
MARKET_CAP_MAX_AGE = timedelta(days=7)


@dataclass(frozen=True)
class LoadedInputs:
    """The inputs, the evidence behind their views, and positions left out because nothing prices them."""

    inputs: DecisionInputs
    outside: tuple[str, ...]
    newest_data_at: datetime | None
    heard: Heard = field(default_factory=Heard)


def slot_of(as_of: datetime, period_hours: int) -> datetime:
    """as_of floored to the rebalance period, counted from midnight UTC of 1970-01-01."""
    seconds = period_hours * 3600
    return datetime.fromtimestamp(int(as_of.timestamp()) // seconds * seconds, UTC)


def load_inputs(
    reader: Reader,
    context: RunContext,
    portfolio: str,
    datasets: tuple[DatasetState, ...],
    suspects: Mapping[str, Freeze],
) -> LoadedInputs:
    """Read what the decision of one portfolio may see at `context.as_of`.

    Args:
        reader: point in time, as of `context.as_of`.
        context: the run.
        portfolio: its name.
        datasets: each dataset's state by the last check.
        suspects: coins that the last check names; their lines are frozen.
    """
    settings = context.settings
    slot = slot_of(context.as_of, settings.portfolios[portfolio].rebalance.period_hours)
    seen = _see_lines(reader, context, portfolio, suspects)
    held = held_positions(reader, context, portfolio, seen.lines, seen.prices, seen.cash)
    target, since = _target_in_force(reader, context, portfolio)
    heard = read_views(reader, context, portfolio, list(seen.returns.columns))
    terms = {**held.terms, **seen.terms}
    doubted = {line: why for line, why in held.frozen.items() if line not in seen.frozen}
    inputs = DecisionInputs(
        as_of=context.as_of,
        slot=slot,
        portfolio=portfolio,
        returns=seen.returns,
        prices=seen.prices,
        quote_price_usd=seen.cash,
        positions=held.positions,
        instruments=instruments(reader, context, portfolio),
        liquidity=liquidity(reader, context, portfolio),
        market_caps=_market_caps(reader, context),
        target_in_force=target,
        target_since=since,
        last_trade_at=since,
        datasets=datasets,
        terms=terms,
        protocols=protocol_facts(reader, context, portfolio, terms, datasets),
        exits=announced_exits(reader, context, seen.lines, terms),
        views=heard.views,
        frozen=seen.frozen | doubted,
        unlisted={line: why for line, why in seen.unlisted.items() if line not in held.exposed},
        exposed=held.exposed,
        exposed_returns=_beside(reader, context, portfolio, held.exposed, seen.returns),
        extreme_moves=seen.extreme_moves,
        is_simulated=reader.snapshot.is_simulated,
        previous=_previous(reader, portfolio, slot),
        config_hash=config_hash(settings, portfolio),
    )
    newest = max((mark.at for line, mark in seen.prices.items() if line.startswith("spot:")), default=None)
    return LoadedInputs(inputs, held.outside, newest, heard)


@dataclass(frozen=True)
class _SeenLines:
    """What is known of each line of the universe, and what may be done with it."""

    lines: tuple[str, ...]
    returns: pd.DataFrame
    prices: dict[str, PriceMark]
    cash: Mapping[str, float]
    terms: Mapping[str, SleeveTerms]
    frozen: dict[str, Freeze]
    unlisted: dict[str, str]
    extreme_moves: dict[str, float]


def _see_lines(
    reader: Reader, context: RunContext, portfolio: str, suspects: Mapping[str, Freeze]
) -> _SeenLines:
    """Read prices and returns, and sort out the lines that are frozen, unlisted or not what they were."""
    lines = lines_of(context.settings, portfolio)
    identity = _identity(reader, context, portfolio, lines)
    delisted = delisted_lines(reader, context, lines)
    priced = read_prices(reader, context, portfolio)
    # A price that may be another coin's, or of a market that closed, is no price.
    unusable = {*delisted, *(f"spot:{asset}" for asset in identity.questions)}
    prices = {line: mark for line, mark in priced.marks.items() if line not in unusable}
    returns = _returns(reader, context, portfolio, lines, identity)
    plain = [line for line in lines if line.partition(":")[0] in PLAIN]
    frozen, unlisted = _tradability(reader, context, plain, prices, returns)
    doubted = {f"spot:{asset}": why for asset, why in {**suspects, **identity.questions}.items()}
    doubted = {**priced.frozen, **doubted}
    known = Known(prices=prices, cash=priced.cash, frozen=doubted, unlisted=unlisted | delisted)
    sleeves = read_sleeves(reader, context, [line for line in lines if line not in plain], known)
    frozen |= {line: why for line, why in doubted.items() if line in lines} | sleeves.frozen
    unlisted |= sleeves.unlisted | _too_young(sleeves.terms, returns)
    unlisted = {line: why for line, why in unlisted.items() if line not in frozen} | delisted
    out = {*unlisted, *unusable}
    kept = [line for line in lines if line not in out and line in returns.columns]
    return _SeenLines(
        lines=lines,
        returns=returns[kept],
        prices=prices | sleeves.marks,
        cash=priced.cash,
        terms=sleeves.terms,
        frozen={line: why for line, why in frozen.items() if line not in delisted},
        unlisted=unlisted,
        extreme_moves=_extreme_moves(returns, kept) | {x: m for x, m in priced.moves.items() if x in kept},
    )


def _lookback(context: RunContext, portfolio: str) -> dict[str, date]:
    last = context.as_of.date()
    first = last - timedelta(days=context.settings.portfolios[portfolio].lookback_days)
    return {"first_date": first, "last_date": last}


def _identity(reader: Reader, context: RunContext, portfolio: str, lines: Sequence[str]) -> Identity:
    """What each line's ticker stood for during the lookback."""
    coins = set(context.settings.universe.assets)
    assets = sorted({asset for line in lines if (asset := line.partition(":")[2]) in coins})
    breaks = reader.rows("identity_breaks", assets=assets, **_lookback(context, portfolio))
    return identify(lines, context.settings.universe, breaks)


def _returns(
    reader: Reader, context: RunContext, portfolio: str, lines: Sequence[str], identity: Identity
) -> pd.DataFrame:
    """Daily simple returns, one column per line, over the lookback; a reference currency returns nothing."""
    tall = reader.frame("decision_returns", **_lookback(context, portfolio), **identity.parameters())
    if tall.empty:
        return pd.DataFrame(index=pd.DatetimeIndex([], name="as_of_date"))
    tall = tall.astype({"as_of_date": "datetime64[us]"})
    wide = tall.set_index(["as_of_date", "line"])["simple_return"].unstack().sort_index()  # noqa: PD010 - a repeated key must raise, not be averaged
    for line in lines:
        if line.partition(":")[2] in REFERENCE_CURRENCIES:
            wide[line] = 0.0
    wide.columns.name = None
    return wide[[line for line in lines if line in wide.columns]]


def _beside(
    reader: Reader,
    context: RunContext,
    portfolio: str,
    exposed: Mapping[str, HeldExposure],
    returns: pd.DataFrame,
) -> pd.DataFrame:
    """Daily returns of the assets of what is held and not allocated, where no line of the policy has them."""
    lines = sorted({one.series for one in exposed.values()} - {str(x) for x in returns.columns})
    if not lines:
        return pd.DataFrame()
    return _returns(reader, context, portfolio, lines, _identity(reader, context, portfolio, lines))


def _tradability(
    reader: Reader,
    context: RunContext,
    lines: Sequence[str],
    prices: Mapping[str, PriceMark],
    returns: pd.DataFrame,
) -> tuple[dict[str, Freeze], dict[str, str]]:
    """Which lines may not be traded now, and which can not be held at all, each with its sentence."""
    newest = {row["asset"]: row["price_at"] for row in reader.rows("newest_prices")}
    limit = context.settings.gate.freshness["candles_1d"]
    frozen: dict[str, Freeze] = {}
    unlisted: dict[str, str] = {}
    for line in lines:
        sleeve, _, asset = line.partition(":")
        if sleeve == "cash":
            continue
        seen = newest.get(asset)
        days = int(returns[line].notna().sum()) if line in returns else 0
        if seen is None:
            unlisted[line] = f"no venue has listed {asset} yet"
        elif line not in prices:
            frozen[line] = Freeze(
                "stale_price",
                f"the last price of {asset} is of {seen:%Y-%m-%d %H:%M} UTC, "
                f"older than the limit of {_hours(limit)}",
            )
        elif days < MIN_OBSERVATIONS:
            unlisted[line] = f"{asset} has {days} days of returns, {MIN_OBSERVATIONS} are needed"
    return frozen, unlisted


def _too_young(lines: Iterable[str], returns: pd.DataFrame) -> dict[str, str]:
    """Lines of other sleeves whose series is too short to say anything of their risk."""
    days = {line: int(returns[line].notna().sum()) if line in returns else 0 for line in lines}
    return {
        line: f"{line} has {count} days of returns, {MIN_OBSERVATIONS} are needed"
        for line, count in days.items()
        if count < MIN_OBSERVATIONS
    }


def _hours(limit: timedelta) -> str:
    return f"{limit.total_seconds() / 3600:g} hours"


def _target_in_force(
    reader: Reader, context: RunContext, portfolio: str
) -> tuple[dict[str, float] | None, datetime | None]:
    """The last accepted target; a fixed policy is its own target and needs no acceptance."""
    rows = reader.rows("accepted_target", portfolio=portfolio, as_of=context.as_of)
    since = rows[0]["happened_at"] if rows else None
    fixed = context.settings.portfolios[portfolio]
    if fixed.objective == "policy" and fixed.target_weights is not None:
        return dict(fixed.target_weights), since
    return ({row["line"]: float(row["target_weight"]) for row in rows} or None), since


def _market_caps(reader: Reader, context: RunContext) -> dict[str, float] | None:
    oldest = (context.as_of - MARKET_CAP_MAX_AGE).date()
    rows = reader.rows("decision_market_caps", assets=list(context.settings.universe.assets), oldest=oldest)
    return {row["asset"]: float(row["market_cap_usd"]) for row in rows} or None


def _extreme_moves(returns: pd.DataFrame, lines: Sequence[str]) -> dict[str, float]:
    if returns.empty:
        return {}
    last = returns.iloc[-1]
    return {line: float(last[line]) for line in lines if abs(float(last[line])) > EXTREME_MOVE}


def _previous(reader: Reader, portfolio: str, slot: datetime) -> PreviousDecision | None:
    rows = reader.rows("previous_decision", portfolio=portfolio, slot=slot)
    if not rows:
        return None
    numbers: dict[str, dict[str, Any]] = {row["line"]: row["numbers"] or {} for row in rows}

    def column(name: str) -> dict[str, float]:
        return {line: float(values[name]) for line, values in numbers.items() if values.get(name) is not None}

    return PreviousDecision(
        recommendation_id=rows[0]["recommendation_id"],
        as_of=rows[0]["as_of"],
        target_weights=column("target_weight"),
        prices=column("price_usd"),
        expected_returns=column("expected_return"),
        quantities=column("quantity"),
        volatilities=column("volatility"),
        config_hash=rows[0]["config_hash"],
    )
