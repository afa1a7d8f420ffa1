"""The step that asks what a portfolio would lose: holdings and proposal through every scenario, stored.

Comes in: the published snapshot as of the run's moment. Goes out: rows of mart.scenario_results, in one
transaction. The arithmetic is in portfolio/lab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from portfolio.book import Book, open_book
from portfolio.guarded import HeldLeg
from portfolio.lab.exposures import Exposure, exposures_of, places_of
from portfolio.lab.garch import monte_carlo
from portfolio.lab.liquidations import (
    Bracket,
    Cluster,
    cascades,
    clusters,
    own_liquidations,
    with_own_distances,
)
from portfolio.lab.stress import EPISODES, Scenario, historical, hypothetical
from portfolio.model import DecisionInputs
from tasks.context import RunContext
from tasks.held_legs import held_legs
from tasks.identity import identify
from tasks.inputs import load_inputs
from tasks.known_assets import REFERENCE_CURRENCIES, STABLECOINS
from tasks.policy import policy_of
from tasks.version import code_version
from warehouse.master import open_master
from warehouse.reader import Reader, open_point_in_time

Row = dict[str, Any]


@dataclass(frozen=True)
class StressSummary:
    """What came of it.

    Attributes:
        rows: of mart.scenario_results, as stored.
        notes: what could not be asked, in sentences.
    """

    portfolio: str
    nav_usd: float | None
    is_simulated: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    inputs: DecisionInputs
    returns: pd.DataFrame
    proposal: Mapping[str, float] | None
    bought_at: Mapping[str, Mapping[str, float]]
    is_simulated: bool
    legs: tuple[HeldLeg, ...]
    found_clusters: tuple[Cluster, ...]


def stress(context: RunContext, portfolio: str, paths: int) -> StressSummary:
    """Send what is held and what is proposed through every scenario, and store the answers.

    Args:
        context: the run.
        portfolio: its name.
        paths: of the Monte Carlo.
    """
    with open_point_in_time(context.home, context.as_of) as reader:
        seen = _see(reader, context, portfolio)
    book = open_book(seen.inputs, policy_of(context.settings, portfolio))
    held = places_of(seen.inputs.positions)
    subjects: dict[str, tuple[Exposure, ...]] = {}
    notes: list[str] = []
    if book.nav_usd is None:
        notes.append("No positions are known: losses are fractions of whatever the proposal is applied to.")
    else:
        own = _exposures(context, portfolio, seen, book.weight, held, book.nav_usd)
        subjects["holdings"] = with_own_distances(own, seen.legs)
    if seen.proposal is None:
        notes.append("There is no recommendation with weights yet: `trimtab run` makes one.")
    else:
        places = {**seen.bought_at, **held}
        subjects["proposal"] = _exposures(context, portfolio, seen, seen.proposal, places, book.nav_usd)
    notes += [
        f"No venue is known of the {subject}: what the failure of one would take is not asked."
        for subject, exposures in subjects.items()
        if not any(x.venues or x.hedged_at for x in exposures)
    ]
    rows = [
        _row(context, portfolio, subject, scenario, book, is_simulated=seen.is_simulated)
        for subject, exposures in subjects.items()
        for scenario in _scenarios(context, portfolio, exposures, seen, paths)
    ]
    if book.nav_usd is not None:
        rows += [
            _row(context, portfolio, "holdings", scenario, book, is_simulated=seen.is_simulated)
            for scenario in own_liquidations(seen.legs, book.nav_usd)
        ]
    with open_master(context.home, context.clock, purpose=f"store the stress of {portfolio}") as master:
        master.append("mart.scenario_results", rows)
    return StressSummary(portfolio, book.nav_usd, seen.is_simulated, tuple(rows), tuple(notes))


def _see(reader: Reader, context: RunContext, portfolio: str) -> _Seen:
    inputs = load_inputs(reader, context, portfolio, (), {}).inputs
    proposal: dict[str, float] | None = None
    bought_at: dict[str, Mapping[str, float]] = {}
    for row in reader.rows("newest_recommendations"):
        if row["portfolio"] != portfolio:
            continue
        key = {"recommendation_id": row["recommendation_id"]}
        weights = reader.rows("weights_of", **key)
        proposal = {f"{w['sleeve']}:{w['asset']}": float(w["target_weight"]) for w in weights} or None
        for trade in reader.rows("trades_of", **key):
            asset = str(trade["symbol"]).partition("/")[0]
            bought_at[f"spot:{asset}"] = {str(trade["venue"]): 1.0}
    lines = {*(proposal or {}), *(p.line for p in inputs.positions)}
    lines |= {one.series for one in inputs.exposed.values()}
    returns = _returns(reader, context, sorted(lines))
    return _Seen(
        inputs,
        returns,
        proposal,
        bought_at,
        bool(reader.snapshot.is_simulated),
        held_legs(reader, portfolio, context.as_of),
        _clusters(reader, context),
    )


def _clusters(reader: Reader, context: RunContext) -> tuple[Cluster, ...]:
    """Where the market's liquidations would be, from open interest that is not older than its own limit."""
    limit = context.settings.gate.freshness["open_interest"]
    asked = {"assets": list(context.settings.universe.assets), "oldest": context.as_of - limit}
    return clusters([Bracket(**row) for row in reader.rows("liquidation_brackets", **asked)])


def _returns(reader: Reader, context: RunContext, lines: Sequence[str]) -> pd.DataFrame:
    """All stored daily returns of the lines since the first episode; gaps stay gaps."""
    universe, last = context.settings.universe, context.as_of.date()
    within = {"first_date": min(EPISODES[0].first, universe.history_start), "last_date": last}
    coins = sorted({line.partition(":")[2] for line in lines} & set(universe.assets))
    breaks = reader.rows("identity_breaks", assets=coins, **within)
    identity = identify(lines, universe, breaks)
    tall = reader.frame("decision_returns", **within, **identity.parameters())
    tall = tall.astype({"as_of_date": "datetime64[us]"})
    wide = tall.set_index(["as_of_date", "line"])["simple_return"].unstack().sort_index()  # noqa: PD010 - a repeated key must raise, not be averaged
    for line in lines:
        if line.partition(":")[2] in REFERENCE_CURRENCIES:
            wide[line] = 0.0
    return wide


def _exposures(
    context: RunContext,
    portfolio: str,
    seen: _Seen,
    weights: Mapping[str, float],
    places: Mapping[str, Mapping[str, float]],
    nav_usd: float | None,
) -> tuple[Exposure, ...]:
    policy = policy_of(context.settings, portfolio)
    coins = {*STABLECOINS, *seen.inputs.quote_price_usd}
    beside = (seen.inputs.exposed, nav_usd) if nav_usd else None
    return exposures_of(weights, seen.inputs.terms, places, policy, coins, beside)


def _scenarios(
    context: RunContext, portfolio: str, exposures: Sequence[Exposure], seen: _Seen, paths: int
) -> tuple[Scenario, ...]:
    days, returns = context.settings.portfolios[portfolio].rebalance.horizon_days, seen.returns
    drawn = monte_carlo(exposures, returns, days, paths, context.settings.seed)
    shocks = hypothetical(exposures, returns)
    return (*historical(exposures, returns), *shocks, *cascades(exposures, seen.found_clusters), *drawn)


def _row(
    context: RunContext, portfolio: str, subject: str, found: Scenario, book: Book, *, is_simulated: bool
) -> Row:
    known = found.loss is not None and book.nav_usd is not None
    return {
        "run_id": context.run_id,
        "portfolio": portfolio,
        "as_of": context.as_of,
        "subject": subject,
        "scenario": found.name,
        "kind": found.kind,
        "status": found.status,
        "loss_fraction": found.loss,
        "loss_usd": (found.loss or 0.0) * (book.nav_usd or 0.0) if known else None,
        "covered": min(max(found.covered, 0.0), 1.0),
        "detail": {
            "sentence": found.sentence,
            "by_line": dict(found.by_line),
            "missing": list(found.missing),
            "numbers": dict(found.numbers),
        },
        "is_simulated": is_simulated,
        "code_version": code_version(),
    }
