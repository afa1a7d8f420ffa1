"""The step that keeps score: each recommendation whose horizon is over, against what happened.

Comes in: recommendations that are not on the scoreboard, and returns as of the run. Goes out: rows appended
to mart.scoreboard, never changed again. What lacks a price waits a week for it, then says so for good.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

import pandas as pd

from portfolio.score import Score, incomplete, is_hit, needed, score
from tasks.context import RunContext
from tasks.known_assets import REFERENCE_CURRENCIES
from tasks.record_chain import START, broken_link, recommendation_hash, row_hash
from tasks.settings_portfolio import PortfolioSettings
from tasks.stated_tables import stated_tables
from tasks.then import settings_then
from tasks.version import code_version
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.reader import Reader, open_point_in_time, open_published
from warehouse.session import Session

Row = dict[str, Any]
PATIENCE = timedelta(days=7)
COPIED = (
    "recommendation_id portfolio as_of decision reason_code expected_benefit_bps expected_cost_bps "
    "confidence is_simulated"
).split()


@dataclass(frozen=True)
class ScoreSummary:
    """What one run measured: rows of mart.scoreboard, as appended."""

    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Scoreboard:
    """The whole scoreboard, and what is wrong with it; no sentence: it is as it was written."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...]


def keep_score(context: RunContext) -> ScoreSummary:
    """Measure every recommendation whose horizon is over, and append it to the scoreboard."""
    with open_published(context.home) as reader:
        due = [row for row in reader.rows("unscored", as_of=context.as_of) if _last_day(row) <= context.as_of]
    measured: list[Row] = []
    for (_, portfolio), group in groupby(
        sorted(due, key=lambda row: (row["config_hash"], row["portfolio"], row["as_of"])),
        key=lambda row: (row["config_hash"], row["portfolio"]),
    ):
        rows = list(group)
        then = settings_then(context.settings, rows[0]["toml"])
        stated = stated_tables(then, portfolio)
        with open_point_in_time(context.home, context.as_of, stated=stated) as reader:
            found = (_measured(reader, context, row, then.portfolios[portfolio]) for row in rows)
            measured += [row for row in found if row is not None]
    return ScoreSummary(_append(context, measured) if measured else ())


def read_scoreboard(home: Home) -> Scoreboard:
    """Read the published scoreboard and verify it: the chain, and what the recommendations say today."""
    with open_published(home) as reader:
        rows = reader.rows("scoreboard")
        broken = broken_link(rows)
        problems = [broken] if broken else []
        problems += [
            f"{row['recommendation_id']} no longer says what it said when entry {row['entry']} was written."
            for row in rows
            if _said(reader, row["recommendation_id"]) != row["recommendation_hash"]
        ]
    return Scoreboard(tuple(rows), tuple(problems))


def _append(context: RunContext, measured: Sequence[Row]) -> tuple[Row, ...]:
    """Chain the rows to the end as it stands now; another run may have been faster."""
    rows: list[Row] = []
    with open_master(context.home, context.clock, purpose="keep score") as master, master.transaction():
        known = {row["recommendation_id"] for row in master.rows("unscored", as_of=context.as_of)}
        end = master.rows("scoreboard_end")
        number, before = (end[0]["entry"], end[0]["row_hash"]) if end else (0, START)
        for row in sorted(
            measured, key=lambda row: (row["last_date"], row["as_of"], row["recommendation_id"])
        ):
            if row["recommendation_id"] in known:
                number += 1
                linked = {**row, "entry": number, "previous_hash": before}
                before = row_hash(linked)
                rows.append({**linked, "row_hash": before})
        master.append("mart.scoreboard", rows)
    return tuple(rows)


def _measured(reader: Reader, context: RunContext, row: Row, rules: PortfolioSettings) -> Row | None:
    """The row of one recommendation, but for its place in the chain; None while a price may still come."""
    first, horizon = _first_day(row["as_of"]).date(), rules.rebalance.horizon_days
    last = first + timedelta(days=horizon)
    weights = reader.rows("weights_of", recommendation_id=row["recommendation_id"])
    current, target = (_weights(weights, name) for name in ("current_weight", "target_weight"))
    lines = needed(current, target)
    reference = _reference(reader, row["recommendation_id"])
    returns = _returns(reader, (first, last), needed(current, target, reference))
    missing = incomplete(returns, lines) if current else ("positions",)
    if missing and current and context.as_of < _last_day(row) + PATIENCE:
        return None
    known = bool(reference) and not incomplete(returns, needed(reference))
    cost = row["expected_cost_bps"] or 0.0
    found = None
    if not missing:
        found = score(returns, current, target, reference if known else None, (cost, rules.risk_aversion))
    return {
        **{name: row[name] for name in COPIED},
        "horizon_days": horizon,
        "first_date": first,
        "last_date": last,
        "state": "unmeasurable" if missing else "measured",
        "missing": list(missing),
        **_figures(found, row["decision"], cost),
        "scored_at": context.as_of,
        "code_version": code_version(),
        "recommendation_hash": recommendation_hash(row, weights),
    }


def _figures(found: Score | None, decision: str, cost_bps: float) -> Row:
    names = "hold_return proposed_return reference_return realised_benefit_bps realised_return_bps"
    if found is None:
        return dict.fromkeys([*names.split(), "realised_risk_bps", "is_hit"])
    return {
        "hold_return": found.hold_return,
        "proposed_return": found.proposed_return,
        "reference_return": found.reference_return,
        "realised_benefit_bps": found.benefit_bps,
        "realised_return_bps": found.return_bps,
        "realised_risk_bps": found.risk_bps,
        "is_hit": is_hit(decision, found.benefit_bps, cost_bps),
    }


def _returns(reader: Reader, span: tuple[date, date], lines: Sequence[str]) -> pd.DataFrame:
    """Daily returns over a horizon, one column per line; a day that is not known is NaN."""
    first, last = span
    tall = reader.rows("score_returns", first_date=first, last_date=last, lines=list(lines))
    days = [first + timedelta(days=i + 1) for i in range((last - first).days)]
    columns = {line: dict.fromkeys(days, float("nan")) for line in {row["line"] for row in tall}}
    for row in tall:
        if row["simple_return"] is not None:
            columns[row["line"]][row["as_of_date"]] = row["simple_return"]
    idle = {
        line: dict.fromkeys(days, 0.0) for line in lines if line.partition(":")[2] in REFERENCE_CURRENCIES
    }
    return pd.DataFrame({**columns, **idle}, index=pd.Index(days))


def _reference(session: Session, recommendation_id: str) -> dict[str, float]:
    """The target in force when it was decided; empty where it is not whole."""
    found = {
        f"{row['sleeve']}:{row['asset']}": float(row["numbers"]["reference_weight"])
        for row in session.rows("lines_of", recommendation_id=recommendation_id)
        if (row["numbers"] or {}).get("reference_weight") is not None
    }
    return found if abs(sum(found.values()) - 1.0) < 1e-6 else {}


def _weights(rows: Sequence[Row], name: str) -> dict[str, float]:
    return {f"{row['sleeve']}:{row['asset']}": float(row[name]) for row in rows if row[name] is not None}


def _said(session: Session, recommendation_id: str) -> str:
    found = session.rows("recommendation", recommendation_id=recommendation_id)
    weights = session.rows("weights_of", recommendation_id=recommendation_id)
    return recommendation_hash(found[0], weights) if found else ""


def _last_day(row: Mapping[str, Any]) -> datetime:
    return _first_day(row["as_of"]) + timedelta(days=_horizon(row["toml"], row["portfolio"]))


def _first_day(as_of: datetime) -> datetime:
    """The first daily close at or after a moment: nobody could have traded at an earlier one."""
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    return midnight if midnight == as_of else midnight + timedelta(days=1)


@cache
def _horizon(policy: str, portfolio: str) -> int:
    return int(tomllib.loads(policy)["portfolios"][portfolio]["rebalance"]["horizon_days"])
