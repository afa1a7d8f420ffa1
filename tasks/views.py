"""Signals as views: what they said, what came of it, and what the proven ones say now.

Comes in: a point-in-time reader, so that nothing is seen that was not known by then. Goes out: the evidence
of every signal asked for, and views of those that are proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import pandas as pd

from portfolio.evidence import Evidence, assess, judged, volatilities
from portfolio.views import View, views_of
from tasks.context import RunContext
from tasks.stated_tables import venue_roles
from warehouse.reader import Reader, open_point_in_time

# A weekly report is this old before the next one is out.
MAX_AGE = timedelta(days=10)


@dataclass(frozen=True)
class Heard:
    """The views of one decision, and the evidence of every signal that was asked."""

    views: tuple[View, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Signals:
    """What signals said and what coins did.

    Attributes:
        scores: signal → z-scores, days × "spot:asset", at the first close at which each was known.
        returns: daily simple returns, days × "spot:asset".
        newest: signal → line → newest z-score that is not out of date.
    """

    scores: dict[str, pd.DataFrame]
    returns: pd.DataFrame
    newest: dict[str, dict[str, float]]


def read_views(reader: Reader, context: RunContext, portfolio: str, lines: Sequence[str]) -> Heard:
    """Return the views for the spot lines among `lines`; none unless the portfolio asks for signals."""
    wanted = context.settings.portfolios[portfolio]
    if wanted.expected_returns != "black_litterman" or not wanted.signals:
        return Heard()
    assets = [line.partition(":")[2] for line in lines if line.startswith("spot:")]
    seen = read_signals(reader, wanted.signals, assets, context.as_of)
    evidence = assess(seen.scores, seen.returns, wanted.rebalance.horizon_days)
    if seen.returns.empty:
        return Heard((), evidence)
    daily = volatilities(seen.returns).iloc[-1]
    volatility = {str(line): float(value) for line, value in daily.items()}
    return Heard(views_of(evidence, seen.newest, volatility), evidence)


def evidence_of(context: RunContext, horizons: Sequence[int]) -> list[dict[str, Any]]:
    """The evidence of every signal on the coins of the universe at each horizon, all judged together."""
    stated = {"mart.venue_roles": venue_roles(context.settings)}
    with open_point_in_time(context.home, context.as_of, stated=stated) as reader:
        seen = read_signals(reader, ["all"], context.settings.universe.assets, context.as_of)
    found = [one for days in horizons for one in assess(seen.scores, seen.returns, days)]
    return [_told(one) for one in judged(found)]


def read_signals(reader: Reader, signals: Sequence[str], assets: Sequence[str], as_of: datetime) -> Signals:
    """Read the scores of signals (or of "all") and the returns of coins up to an instant."""
    asked = {"assets": list(assets), "last_date": as_of.date()}
    tall = reader.frame("signal_scores", signals=list(signals), **asked)
    moves = reader.frame("signal_returns", **asked)
    oldest = pd.Timestamp(as_of.date() - MAX_AGE)
    scores: dict[str, pd.DataFrame] = {}
    newest: dict[str, dict[str, float]] = {}
    for name, rows in tall.groupby("signal"):
        scores[str(name)] = _wide(rows, "entry_date", "z_score")
        last = rows.sort_values("as_of_date").groupby("asset").tail(1)
        recent = last[last["as_of_date"] >= oldest]
        pairs = zip(recent["asset"], recent["z_score"], strict=True)
        newest[str(name)] = {f"spot:{asset}": float(z) for asset, z in pairs}
    return Signals(scores, _wide(moves, "as_of_date", "simple_return"), newest)


def view_rows(recommendation_id: str, heard: Heard) -> list[dict[str, Any]]:
    """The rows of mart.decision_views: each view, and each signal that has none."""
    known = {e.signal: _told(e) for e in heard.evidence}
    speaking = {view.signal for view in heard.views}
    views = [
        {
            "recommendation_id": recommendation_id,
            "signal": view.signal,
            "asset": view.line.partition(":")[2],
            "value": view.value,
            "confidence": view.confidence,
            "evidence": known.get(view.signal, {}),
        }
        for view in heard.views
    ]
    silent = [
        {
            "recommendation_id": recommendation_id,
            "signal": name,
            "asset": "",
            "value": None,
            "confidence": 0.0,
            "evidence": figures,
        }
        for name, figures in known.items()
        if name not in speaking
    ]
    return views + silent


def _told(evidence: Evidence) -> dict[str, Any]:
    """The figures of a signal, without those that are not known."""
    figures = asdict(evidence) | {"is_proven": evidence.is_proven}
    return {k: v for k, v in figures.items() if not (isinstance(v, float) and not isfinite(v))}


def _wide(rows: pd.DataFrame, day: str, value: str) -> pd.DataFrame:
    """Days × lines."""
    wide = rows.astype({day: "datetime64[us]"}).set_index([day, "asset"])[value].unstack().sort_index()  # noqa: PD010 - a repeated key must raise, not be averaged
    wide.columns = pd.Index([f"spot:{asset}" for asset in wide.columns])
    return wide
