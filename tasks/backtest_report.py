"""What stored backtests say together: the table, who beats whom and how surely, and how much was luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.lab.measures import (
    deflated_sharpe,
    difference_interval,
    independent_trials,
    moments,
    overfitting_probability,
)
from warehouse.session import Session

Row = dict[str, Any]
SURE = 0.95  # how likely a higher Sharpe ratio must be before it is called one


@dataclass(frozen=True, slots=True)
class Comparison:
    """The policy beside a plain portfolio: difference of Sharpe ratios, 90 % interval, P(policy higher)."""

    name: str
    difference: float
    low: float
    high: float
    probability: float

    @property
    def verdict(self) -> str:
        """In words: who beats whom."""
        if self.probability >= SURE:
            return "beats it"
        return "is beaten by it" if self.probability <= 1.0 - SURE else "no difference that can be told"


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a study came to.

    Attributes:
        rows: of mart.backtests: the policy as configured, its variations best first, the plain portfolios.
        comparisons: of the policy as configured with each plain portfolio.
        trials: number of policies tried; `independent`: what they amount to, for many are alike.
        best: row of the policy with the highest Sharpe ratio.
        deflated: probability that the best one's Sharpe ratio is above what the best of so many worthless
            trials would show.
        overfitting: probability that the best in sample is below the median out of sample; None for one.
        days: of the policy as configured, the best one and the plain portfolios, by id.
    """

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    trials: int
    independent: float
    best: Row
    deflated: float
    overfitting: float | None
    days: dict[str, list[Row]]

    @property
    def own(self) -> Row:
        """The policy as configured."""
        return self.rows[0]


def report_of(session: Session, ids: Sequence[str], seed: int) -> Report:
    """Put stored backtests side by side."""
    rows = session.rows("backtests_of", ids=list(ids))
    place = {identity: i for i, identity in enumerate(ids)}
    own = next(row for row in rows if not row["is_baseline"] and not row["variation"])
    varied = sorted(
        (row for row in rows if not row["is_baseline"] and row["variation"]),
        key=lambda row: (-row["sharpe"], row["variation"]),
    )
    plain = sorted((row for row in rows if row["is_baseline"]), key=lambda row: place[row["backtest_id"]])
    returns = _returns(session, ids)
    tried = [own, *varied]
    series = returns[[row["backtest_id"] for row in tried]]
    best = max(tried, key=lambda row: (row["sharpe"], not row["variation"]))
    shown = {row["backtest_id"] for row in (own, best, *plain)}
    days: dict[str, list[Row]] = {identity: [] for identity in sorted(shown)}
    for row in session.rows("backtest_days_of", ids=sorted(shown)):
        days[row["backtest_id"]].append(row)
    matrix = series.to_numpy(dtype="float64")
    found = overfitting_probability(matrix) if len(tried) > 1 else float("nan")
    alike = independent_trials(matrix)
    return Report(
        rows=(own, *varied, *plain),
        comparisons=tuple(_compare(returns, own, row, seed) for row in plain),
        trials=len(tried),
        independent=alike,
        best=best,
        deflated=_deflated(matrix, tried.index(best), alike),
        overfitting=None if np.isnan(found) else found,
        days=days,
    )


def _returns(session: Session, ids: Sequence[str]) -> pd.DataFrame:
    """Daily returns, days × backtests; a walk that began later had nothing to win or lose before."""
    tall = session.frame("backtest_returns", ids=list(ids))
    wide = tall.set_index(["as_of_date", "backtest_id"])["simple_return"].unstack()  # noqa: PD010 - a repeated key must raise
    return wide.fillna(0.0)


def _deflated(returns: NDArray[np.float64], best: int, independent: float) -> float:
    daily = [moments(column) for column in returns.T]
    variance = float(np.var([one.sharpe for one in daily], ddof=1)) if len(daily) > 1 else 0.0
    return deflated_sharpe(daily[best], variance, independent)


def _compare(returns: pd.DataFrame, own: Row, other: Row, seed: int) -> Comparison:
    mine, theirs = (returns[row["backtest_id"]].to_numpy(dtype="float64") for row in (own, other))
    low, high, chance = difference_interval(mine, theirs, seed)
    return Comparison(str(other["name"]), own["sharpe"] - other["sharpe"], low, high, chance)
