"""The step that asks which input of a decision to doubt first, and what the portfolio moves with.

Comes in: the published snapshot as of the run's moment. Goes out: rows of mart.sensitivity, in one
transaction. The arithmetic is in portfolio/lab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pandas as pd

from portfolio.lab.comovement import Link, beta, macro_correlation, weighted
from portfolio.lab.doubt import Answer, Doubt, doubts, weight_bands
from tasks.context import RunContext
from tasks.decision_gate import gate_state
from tasks.inputs import load_inputs
from tasks.policy import policy_of
from tasks.structure import read_structure, structure_rows
from tasks.version import code_version
from warehouse.master import open_master
from warehouse.reader import Reader, open_point_in_time

Row = dict[str, Any]
MARKET = "spot:BTC"


@dataclass(frozen=True)
class SensitivitySummary:
    """What came of it: rows of mart.sensitivity as stored, and what could not be asked, in sentences."""

    portfolio: str
    is_simulated: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def sensitivity(context: RunContext, portfolio: str, draws: int) -> SensitivitySummary:
    """Change each input, resample the history, and measure what the answer moves with; store it all.

    Args:
        context: the run.
        portfolio: its name.
        draws: of the resampled weight bands.
    """
    policy, seed = policy_of(context.settings, portfolio), context.settings.seed
    with open_point_in_time(context.home, context.as_of) as reader:
        state = gate_state(context, portfolio, reader.snapshot)
        longer = _looking_back(context, portfolio, 2 * policy.lookback_days)
        inputs = load_inputs(reader, longer, portfolio, state.datasets, state.suspects).inputs
        macro = _macro(reader, context, policy.lookback_days)
        others = read_structure(reader, context, policy.lookback_days)
        is_simulated = bool(reader.snapshot.is_simulated)
    base, changes = doubts(inputs, policy, seed)
    found: list[Row] = []
    notes: list[str] = []
    if base.weights is None:
        notes.append(f"There is no allocation to doubt: {base.status}, {base.reason_code}.")
    else:
        bands = weight_bands(inputs, policy, seed, draws)
        found = [*(_doubt(x) for x in changes), *_bands(bands, base.weights, draws)]
        seen = inputs.returns
        seen = seen.loc[seen.index > seen.index[-1] - pd.Timedelta(days=policy.lookback_days)]
        found += _links(seen, base, macro)
        found += structure_rows(seen, others, weighted(seen, base.weights), macro)
        if not macro:
            notes.append("No macroeconomic series is stored; [sources.fred] fetches some.")
    same: Row = {"run_id": context.run_id, "portfolio": portfolio, "as_of": context.as_of}
    same |= {"is_simulated": is_simulated, "code_version": code_version()}
    rows = [same | row for row in found]
    with open_master(context.home, context.clock, purpose=f"store the sensitivity of {portfolio}") as master:
        master.append("mart.sensitivity", rows)
    return SensitivitySummary(portfolio, is_simulated, tuple(rows), tuple(notes))


def _looking_back(context: RunContext, portfolio: str, days: int) -> RunContext:
    """The same run with a longer window, so that a longer lookback has something to look at."""
    settings = context.settings
    longer = settings.portfolios[portfolio].model_copy(update={"lookback_days": days})
    portfolios = {**settings.portfolios, portfolio: longer}
    return replace(context, settings=settings.model_copy(update={"portfolios": portfolios}))


def _macro(reader: Reader, context: RunContext, days: int) -> dict[str, pd.Series]:
    tall = reader.frame("macro_levels", first_date=(context.as_of - timedelta(days=days)).date())
    return {
        str(name): pd.Series(rows["value"].to_numpy(dtype="float64"), index=pd.DatetimeIndex(rows["day"]))
        for name, rows in tall.groupby("series_id")
    }


def _doubt(x: Doubt) -> Row:
    return {
        "kind": "doubt",
        "name": f"{x.input} {x.change}",
        "line": x.line,
        "value": x.turnover,
        "low": None,
        "high": None,
        "detail": {
            "moved": dict(x.moved),
            "status": x.answer.status,
            "reason_code": x.answer.reason_code,
            "method": x.answer.method,
            "is_reversed": x.is_reversed,
        },
    }


def _bands(
    bands: Mapping[str, tuple[float, float, float]], weights: Mapping[str, float], draws: int
) -> list[Row]:
    return [
        {
            "kind": "band",
            "name": "resampled weight",
            "line": line,
            "value": middle,
            "low": low,
            "high": high,
            "detail": {"proposed": weights.get(line, 0.0), "draws": draws},
        }
        for line, (low, middle, high) in bands.items()
        if high > 1e-6 or weights.get(line, 0.0) > 1e-6
    ]


def _links(returns: pd.DataFrame, base: Answer, macro: Mapping[str, pd.Series]) -> Sequence[Row]:
    """Beta of the proposed weights and of each line to bitcoin; correlation with each macro series."""
    whole = weighted(returns, base.weights or {})
    rows: list[Row] = []
    if MARKET in returns:
        held = [x for x, w in (base.weights or {}).items() if w > 1e-6 and x in returns and x != MARKET]
        asked = {"": whole, **{x: returns[x] for x in held}}
        rows += [_link("beta", MARKET, line, beta(series, returns[MARKET])) for line, series in asked.items()]
    rows += [_link("macro", name, "", macro_correlation(whole, levels)) for name, levels in macro.items()]
    return [row for row in rows if row["value"] is not None]


def _link(kind: str, name: str, line: str, found: Link | None) -> Row:
    points = 0 if found is None else found.points
    low, high = (None, None) if found is None else (found.low, found.high)
    value = None if found is None else found.value
    return {
        "kind": kind, "name": name, "line": line, "value": value, "low": low, "high": high,
        "detail": {"points": points},
    }  # fmt: skip
