"""Turns an interior-point answer into the exact one: solves the optimality conditions on the rules that bind.

An interior-point method stops near the optimum; which rules bind is clear long before the last digit. Given
those, weights and shadow prices are one linear system (the polishing of B. Stellato and others, "OSQP",
Mathematical Programming Computation 12 (2020), section 5.2). The result is kept only where it proves
itself: feasible, every multiplier of the right sign, every trade in its supposed direction; otherwise the
answer stays as it came.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.problem import Problem, Solution

Array = NDArray[np.float64]
Terms = tuple[Array, Array, Array]  # quadratic, linear, cost rates
NEAR = (1e-6, 1e-5)  # an interior-point answer is this close to a rule that binds; tried in order
EXACT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What binds: `side` is −1 at the lower bound, +1 at the upper; `trade` is the sign of the trade."""

    side: Array
    trade: Array
    resting: NDArray[np.bool_]
    rows: list[tuple[str, Array, float]]
    capped: bool


def polish(
    problem: Problem, quadratic: Array, linear: Array, rates: Array | None, found: Solution
) -> Solution:
    """Return the exact solution near an answer of `fast_qp.optimise`, or the answer itself."""
    cost = np.zeros(len(linear)) if rates is None or problem.current is None else rates
    for near in NEAR:
        exact = _polished(problem, (quadratic, linear, cost), found, near)
        if exact is not None:
            return exact
    return found


def _polished(problem: Problem, terms: Terms, found: Solution, near: float) -> Solution | None:
    state = _state(problem, terms[2], found, near)
    weights = found.weights.copy()
    low, high = state.side < 0, state.side > 0
    weights[low], weights[high] = problem.lower[low], problem.upper[high]
    if problem.current is not None:
        weights[state.resting] = problem.current[state.resting]
    solved = _solve(problem, terms, weights, (state.side == 0.0) & ~state.resting, state)
    if solved is None:
        return None
    prices = _prices(problem, terms, solved[0], solved[1], state)
    return None if prices is None else Solution(solved[0], prices)


def _state(problem: Problem, cost: Array, found: Solution, near: float) -> _State:
    weights, size = found.weights, len(found.weights)
    prices = found.shadow_prices
    up = np.array([prices.get(f"upper:{x}", 0.0) for x in problem.lines])
    down = np.array([prices.get(f"lower:{x}", 0.0) for x in problem.lines])
    fixed = problem.fixed()
    side = np.zeros(size)
    side[(problem.upper - weights < near) & (up > problem.upper - weights)] = 1.0
    side[(weights - problem.lower < near) & (down > weights - problem.lower)] = -1.0
    side[fixed] = -1.0
    trade, resting = np.zeros(size), np.zeros(size, dtype=bool)
    capped = False
    if problem.current is not None:
        change = weights - problem.current
        cap = prices.get("max_turnover", 0.0)
        capped = cap > near and problem.max_turnover - 0.5 * float(np.abs(change).sum()) < near
        kinked = (cost > 0.0) | capped
        resting = kinked & (np.abs(change) < near) & (side == 0.0)
        trade = np.where(kinked & (np.abs(change) >= near), np.sign(change), 0.0)
    rows = [
        s
        for rule in problem.rows
        for s in rule.sides()
        if 0.0 <= s[2] - float(s[1] @ weights) + near < 2 * near
        and prices.get(s[0], 0.0) > s[2] - float(s[1] @ weights)
    ]
    return _State(side, trade, resting, rows, capped)


def _solve(
    problem: Problem,
    terms: tuple[Array, Array, Array],
    weights: Array,
    free: NDArray[np.bool_],
    state: _State,
) -> tuple[Array, Array] | None:
    """Solve the equality-constrained problem on the free lines; duals: budget, rows, turnover."""
    quadratic, linear, cost = terms
    count = int(free.sum())
    held = np.where(free, 0.0, weights)
    lhs, rhs = [np.ones(count)], [1.0 - held.sum()]
    for _, row, limit in state.rows:
        lhs.append(row[free])
        rhs.append(limit - float(row @ held))
    if state.capped and problem.current is not None:
        spent = 0.5 * float(np.abs(held - problem.current)[~free].sum())
        lhs.append(0.5 * state.trade[free])
        rhs.append(problem.max_turnover - spent + 0.5 * float(state.trade[free] @ problem.current[free]))
    a, b = np.array(lhs), np.array(rhs)
    gradient = linear[free] + quadratic[free] @ held + cost[free] * state.trade[free]
    kkt = np.block([[quadratic[np.ix_(free, free)], a.T], [a, np.zeros((len(a), len(a)))]])
    try:
        answer: Array = np.asarray(np.linalg.solve(kkt, np.concatenate([-gradient, b])), dtype="float64")
    except np.linalg.LinAlgError:
        return None
    result = weights.copy()
    result[free] = answer[:count]
    close = np.isfinite(answer).all() and float(np.abs(result - weights).max(initial=0.0)) < 1e-3
    return (result, answer[count:]) if close and _feasible(problem, result) else None


def _feasible(problem: Problem, weights: Array) -> bool:
    ok = abs(float(weights.sum()) - 1.0) < EXACT
    ok = ok and bool(((weights > problem.lower - EXACT) & (weights < problem.upper + EXACT)).all())
    ok = ok and all(r.lower - EXACT <= r.of(weights) <= r.upper + EXACT for r in problem.rows)
    if problem.current is not None and problem.max_turnover < 1.0:
        ok = ok and 0.5 * float(np.abs(weights - problem.current).sum()) <= problem.max_turnover + EXACT
    return ok


def _prices(
    problem: Problem, terms: Terms, weights: Array, duals: Array, state: _State
) -> dict[str, float] | None:
    """Return every shadow price, or None where one of them, or a trade, has the wrong sign."""
    quadratic, linear, cost = terms
    of_rows, cap = duals[1 : 1 + len(state.rows)], float(duals[-1]) if state.capped else 0.0
    slope = quadratic @ weights + linear + float(duals[0])
    for (_, row, _), price in zip(state.rows, of_rows, strict=True):
        slope = slope + row * price
    kink = cost + 0.5 * cap if problem.current is not None else cost
    moved = np.zeros(len(weights)) if problem.current is None else weights - problem.current
    # Where a bound is relaxed the line moves on outwards: with its trade, or out of its rest.
    outwards = np.where(np.abs(moved) < EXACT, state.side, np.sign(moved))
    at_bound = np.maximum(0.0, -state.side * slope - state.side * outwards * kink)
    fixed = problem.fixed()
    wrong = (state.side != 0.0) & ~fixed & (-state.side * (slope + outwards * kink) < -EXACT)
    wrong &= ~((np.abs(moved) < EXACT) & (np.abs(slope) <= kink + EXACT))
    wrong |= state.resting & (np.abs(slope) > kink + EXACT)
    wrong |= (state.trade != 0.0) & (state.trade * moved < -EXACT)
    if wrong.any() or (of_rows < -EXACT).any() or cap < -EXACT:
        return None
    prices = {key: 0.0 for rule in problem.rows for key, _, _ in rule.sides()}
    prices |= {s[0]: max(0.0, float(p)) for s, p in zip(state.rows, of_rows, strict=True)}
    for i, line in enumerate(problem.lines):
        if not fixed[i]:
            prices[f"upper:{line}"] = float(at_bound[i]) if state.side[i] > 0 else 0.0
            prices[f"lower:{line}"] = float(at_bound[i]) if state.side[i] < 0 else 0.0
    return prices | {"max_turnover": max(0.0, cap)} if problem.current is not None else prices
