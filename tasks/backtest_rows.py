"""A walk as rows of mart.backtests and mart.backtest_days, and the id that the same walk always has."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime
from typing import Any

from portfolio.lab.walkforward import Decided
from tasks.backtest_plan import Job
from tasks.backtest_work import Result, Study

Row = dict[str, Any]
FIGURES = (
    "annual_return volatility sharpe max_drawdown up_capture down_capture turnover_per_year "
    "cost_bps_per_year sharpe_low sharpe_high return_low return_high"
).split()


def backtest_id(portfolio: str, job: Job, study: Study, inputs_hash: str, code_version: str) -> str:
    """The id of one walk: the same rules, dates, inputs, engine and code give the same one."""
    text = json.dumps(
        [
            portfolio, job.name, job.kind, job.variation, job.every_hours, job.config_hash, job.is_baseline,
            [at.isoformat() for at in study.instants[job.every_hours]],
            "fast" if job.is_baseline else study.engine, study.seed, study.draws,
            [repr(p) for p in study.past.start], inputs_hash, code_version,
        ]
    )  # fmt: skip
    return f"B-{portfolio}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def backtest_row(identity: str, portfolio: str, result: Result, study: Study, hashes: tuple[str, str]) -> Row:
    """The row of mart.backtests; `hashes` are of the inputs and of the code."""
    job, found = result.job, result.walk
    decided = found.decisions
    return {
        "backtest_id": identity,
        "portfolio": portfolio,
        "name": job.name,
        "is_baseline": job.is_baseline,
        "variation": job.variation,
        "engine": "fast" if job.is_baseline else study.engine,
        "first_decision_at": study.instants[job.every_hours][0],
        "last_close_at": found.ends[-1],
        "every_hours": job.every_hours,
        "decisions": len(decided),
        "proposals": sum(d.status == "proposed" for d in decided),
        "blocked": sum(d.status == "blocked" for d in decided),
        "alerts": sum(len(d.alerts) for d in decided),
        "missed_orders": found.missed,
        "start_usd": found.start_usd,
        "final_usd": float(found.value_usd[-1]),
        "days_under_water": int(result.figures["days_under_water"]),
        **{name: _finite(result.figures.get(name)) for name in FIGURES},
        "assumptions": [*study.past.assumptions, *_happened(result)],
        "is_simulated": study.past.days[0].is_simulated,
        "config_hash": job.config_hash,
        "inputs_hash": hashes[0],
        "code_version": hashes[1],
        "seed": study.seed,
    }


def _happened(result: Result) -> list[str]:
    """What befell this walk alone, in sentences that begin like one: what is assumed begins small."""
    found: list[str] = []
    if count := result.walk.liquidated:
        hedges = "One hedge was" if count == 1 else f"{count} hedges were"
        found.append(f"{hedges} liquidated at a close: the margin is lost, the coins are kept unhedged")
    if count := result.walk.rolled:
        contracts = "One dated contract was" if count == 1 else f"{count} dated contracts were"
        found.append(f"{contracts} left before the end for the next one, as the sleeve's roll_days say")
    if count := result.walk.delivered:
        contracts = "One dated contract was" if count == 1 else f"{count} dated contracts were"
        found.append(
            f"{contracts} delivered at the coin's close of its last day: the coins are kept unhedged"
        )
    return found


def day_rows(identity: str, result: Result) -> list[Row]:
    """The rows of mart.backtest_days; decisions stand with the close that follows them."""
    found = result.walk
    returns = found.returns()
    decided = _by_close(found.ends, found.decisions)
    rows: list[Row] = []
    for i, end in enumerate(found.ends):
        before = decided.get(i, [])
        last = before[-1] if before else None
        has_news = last is not None or found.turnover[i] > 0.0
        weights = {x: round(float(w), 6) for x, w in zip(found.lines, found.weights[i], strict=True) if w}
        rows.append(
            {
                "backtest_id": identity,
                "as_of_date": end.date(),
                "value_usd": float(found.value_usd[i]),
                "simple_return": float(returns[i]),
                "turnover": float(found.turnover[i]),
                "traded_usd": float(found.traded_usd[i]),
                "cost_usd": float(found.cost_usd[i]),
                "weights": weights if has_news else None,
                "status": last.status if last else None,
                "reason_code": last.reason_code if last else None,
                "recommendation_id": (last.recommendation_id or None) if last else None,
                "alerts": sum(len(d.alerts) for d in before),
            }
        )
    return rows


def _by_close(ends: tuple[datetime, ...], decided: tuple[Decided, ...]) -> dict[int, list[Decided]]:
    found: dict[int, list[Decided]] = {}
    at = 0
    for one in decided:
        while at < len(ends) - 1 and ends[at] <= one.as_of:
            at += 1
        found.setdefault(at, []).append(one)
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
