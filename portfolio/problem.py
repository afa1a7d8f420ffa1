"""The declarative allocation problem every optimiser gets, and the verification every answer must pass.

All arrays are in the order of `lines`; weights are fractions of NAV and sum to 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.model import DAYS_PER_YEAR

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

ACTIVE = 1e-6  # a constraint closer than this is binding
TOLERANCE = 1e-6  # an answer further outside than this is refused
UNIT = 1e-9  # weights are whole multiples of this


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """One linear rule, lower ≤ fixed + coefficients · w ≤ upper; `name` as the owner knows it: `class cash`.

    A side without a limit is infinite. Coefficients of 1 and 0 are a bound on the sum of some lines. `fixed`
    is what counts whatever the weights: the exposure of what is held and not allocated.
    """

    name: str
    coefficients: Array
    lower: float = -math.inf
    upper: float = math.inf
    fixed: float = 0.0

    def of(self, weights: Array) -> float:
        """Return what the weights amount to under this rule, with what is fixed."""
        return self.fixed + float(self.coefficients @ weights)

    def sides(self) -> list[tuple[str, Array, float]]:
        """Return the rule as rows a · w ≤ b, each with its key; a side without a limit has none."""
        both = [
            (f"{self.name} upper", self.coefficients, self.upper - self.fixed),
            (f"{self.name} lower", -self.coefficients, self.fixed - self.lower),
        ]
        return [side for side in both if math.isfinite(side[2])]


@dataclass(frozen=True, slots=True)
class Goal:
    """What some objectives aim at: annual volatility, annual return, tail of the expected shortfall."""

    volatility: float = 0.20
    expected_return: float = 0.10
    cvar_level: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """What to allocate under which rules.

    Attributes:
        cash: lines that no method allocates by risk: cash, and fixed lines without estimates (their expected
            return and covariance are 0).
        lower_names: what each lower bound comes from, for the explanation; likewise `upper_names`.
        current: weights now; None where positions are unknown, and then neither costs nor turnover bind.
        cost_rates: one-off cost of trading a line, as a fraction of the traded notional.
        expected: annual expected simple returns. `covariance`: annual.
        target: fixed weights of the objective `policy`. `goal`: of the objectives that have one.
        returns: days × lines, simple daily; for the methods that look at scenarios instead of a covariance.
        pull: annual covariance of each line with what is held and not allocated; None: nothing is. Methods
            that weigh the risk of the whole book count it; those that only balance lines do not.
        fixed_returns: daily, on NAV, of the same; `fixed_variance`: annual, of the same.
        may_hold_all: lines the owner explicitly allowed to be the whole portfolio.
        settlement: position of the cash line that trades settle in; -1 where there is none.
    """

    lines: tuple[str, ...]
    cash: Mask
    lower: Array
    upper: Array
    lower_names: tuple[str, ...]
    upper_names: tuple[str, ...]
    rows: tuple[Linear, ...] = ()
    current: Array | None = None
    max_turnover: float = 1.0
    cost_rates: Array
    expected: Array | None = None
    covariance: Array | None = None
    risk_aversion: float = 3.0
    horizon_days: int = 30
    risk_free_rate: float = 0.0
    target: Array | None = None
    goal: Goal = field(default_factory=Goal)
    returns: Array | None = None
    pull: Array | None = None
    fixed_returns: Array | None = None
    fixed_variance: float = 0.0
    may_hold_all: Mask
    settlement: int = -1

    def fixed(self) -> Mask:
        """Return which lines can not move."""
        return self.upper - self.lower < 1e-12

    def estimates(self) -> tuple[Array, Array]:
        """Return expected returns and covariance.

        Raises:
            AllocationFailure: there are none.
        """
        if self.expected is None or self.covariance is None:
            raise AllocationFailure(
                "no_estimates",
                "Expected returns and a covariance were wanted; there are none.",
                "Use objective 'policy'.",
            )
        return self.expected, self.covariance

    def pulled(self) -> Array:
        """Return `pull`, zeros where there is none."""
        return np.zeros(len(self.lines)) if self.pull is None else self.pull

    def annual_cost_rates(self) -> Array:
        """Cost of trading one unit of weight, spread over the horizon and expressed per year."""
        return self.cost_rates * DAYS_PER_YEAR / self.horizon_days


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """An optimiser's answer: weights, and shadow prices by constraint key where the method has them.

    Keys are `lower:<line>`, `upper:<line>`, `<row name> lower`, `<row name> upper` and `max_turnover`;
    values are the gain of annual utility per unit by which the constraint is relaxed.
    """

    weights: Array
    shadow_prices: Mapping[str, float] = field(default_factory=dict)


def turnover(before: Array, after: Array) -> float:
    """Return ½ Σ|Δweight|."""
    return 0.5 * float(np.abs(after - before).sum())


def verify(problem: Problem, weights: Array) -> None:
    """Refuse an answer that is not what was asked for.

    Raises:
        AllocationFailure: with code `not_verified`.
    """
    found = _fault(problem, weights)
    if found:
        raise AllocationFailure(
            "not_verified",
            f"The answer was checked and refused: {found}",
            "Look at the bounds and the estimates; the next fallback is tried.",
        )


def _fault(problem: Problem, weights: Array) -> str:
    if weights.shape != problem.lower.shape or not np.isfinite(weights).all():
        return "a weight is not a finite number."
    if abs(float(weights.sum()) - 1.0) > TOLERANCE:
        return f"the weights sum to {weights.sum():.9f}, not 1."
    return _bound_fault(problem, weights) or _concentration_fault(problem, weights)


def _bound_fault(problem: Problem, weights: Array) -> str:
    outside = (weights < problem.lower - TOLERANCE) | (weights > problem.upper + TOLERANCE)
    if outside.any():
        i = int(np.argmax(outside))
        bounds = f"[{problem.lower[i]:.6f}, {problem.upper[i]:.6f}]"
        return f"{problem.lines[i]} has {weights[i]:.6f}, outside {bounds}."
    for row in problem.rows:
        total = row.of(weights)
        if not row.lower - TOLERANCE <= total <= row.upper + TOLERANCE:
            return f"{row.name} has {total:.6f}, outside [{row.lower:.6f}, {row.upper:.6f}]."
    if problem.current is not None and turnover(problem.current, weights) > problem.max_turnover + TOLERANCE:
        return f"the turnover is {turnover(problem.current, weights):.6f}, above {problem.max_turnover:.6f}."
    return ""


def _concentration_fault(problem: Problem, weights: Array) -> str:
    alone = (weights > 0.999) & ~problem.cash & ~problem.may_hold_all & (problem.lower < 0.999)
    if alone.any() and int((problem.upper[~problem.cash] > 0.0).sum()) > 1:
        line = problem.lines[int(np.argmax(alone))]
        return f"everything would go into {line}; set weight_bounds to allow it."
    return ""


def tidy(problem: Problem, weights: Array) -> Array:
    """Clip to the bounds, round to whole units, give the residual to lines with room, settlement cash first.

    Rounding happens once, here, so that everything downstream works from the same weights.
    """
    low = np.ceil(np.round(problem.lower / UNIT, 3)).astype(np.int64)
    high = np.maximum(low, np.floor(np.round(problem.upper / UNIT, 3)).astype(np.int64))
    units = np.clip(np.rint(weights / UNIT).astype(np.int64), low, high)
    residual = round(1.0 / UNIT) - int(units.sum())
    room = np.where(residual > 0, high - units, units - low)
    order = sorted(
        range(len(units)), key=lambda i: (i != problem.settlement, -int(room[i]), problem.lines[i])
    )
    for i in order:
        step = int(np.sign(residual)) * min(abs(residual), int(room[i]))
        units[i] += step
        residual -= step
    return units.astype(np.float64) / round(1.0 / UNIT)  # a division rounds once: 0.3 stays 0.3


def bindings(problem: Problem, solution: Solution) -> list[tuple[str | None, float | None]]:
    """Return, per line, the constraint that holds its weight, and its shadow price where known."""
    prices = solution.shadow_prices
    moved = None if problem.current is None else np.abs(solution.weights - problem.current) > ACTIVE
    capped = problem.current is not None and (
        turnover(problem.current, solution.weights) > problem.max_turnover - ACTIVE
    )
    result: list[tuple[str | None, float | None]] = []
    for i, line in enumerate(problem.lines):
        weight = solution.weights[i]
        if weight >= problem.upper[i] - ACTIVE:
            result.append((problem.upper_names[i], prices.get(f"upper:{line}")))
        elif weight <= problem.lower[i] + ACTIVE:
            result.append((problem.lower_names[i], prices.get(f"lower:{line}")))
        elif (row := _binding_row(problem, solution.weights, i)) is not None:
            result.append((row, prices.get(row)))
        elif capped and moved is not None and bool(moved[i]):
            result.append(("max_turnover", prices.get("max_turnover")))
        else:
            result.append((None, None))
    return result


def _binding_row(problem: Problem, weights: Array, i: int) -> str | None:
    for row in problem.rows:
        for key, coefficients, limit in row.sides():
            if coefficients[i] != 0.0 and float(coefficients @ weights) >= limit - ACTIVE:
                return key
    return None
