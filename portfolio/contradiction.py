"""Limits of one policy that no portfolio meets together, on today's terms, whatever is held.

A portfolio may be outside its limits and come back step by step; limits that contradict each other are never
reached, and giving one of them up unasked would decide what the owner has to decide. What is frozen,
immovable, small or dear to trade does not count here: only what the owner wrote, and what a unit of a line
has for delta, notional and losses.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.problem import TOLERANCE, Problem

Array = NDArray[np.float64]
MARGINAL = 1e-7


def contradiction(soft: Problem, lower: Array, upper: Array) -> AllocationFailure | None:
    """Return the limits that exclude each other as a failure that names their settings, or None.

    Args:
        soft: the problem; of it the rows are used, without what is held beside the weights.
        lower: the owner's own lower bound of each line, without anything that holds only today.
        upper: likewise.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - solvers are imported where they are used

    size = len(soft.lines)
    own = replace(soft, lower=lower, upper=upper, rows=tuple(replace(row, fixed=0.0) for row in soft.rows))
    sides = limit_sides(own)
    left, right = np.vstack([s[1] for s in sides]), np.array([s[2] for s in sides])
    answer = linprog(
        np.concatenate([np.zeros(size), np.ones(len(sides))]),
        A_ub=np.hstack([left, -np.eye(len(sides))]),
        b_ub=right,
        A_eq=np.concatenate([np.ones(size), np.zeros(len(sides))])[None, :],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * size + [(0.0, None)] * len(sides),
        method="highs",
    )
    if answer.status != 0 or answer.fun <= TOLERANCE:
        return None
    # The multipliers of an infeasible system are its proof: only what they name is in conflict.
    guilty = [side for side, price in zip(sides, answer.ineqlin.marginals, strict=True) if price < -MARGINAL]
    names = " and ".join(_told(name, bound) for name, _, bound in guilty)
    settings = " or ".join(dict.fromkeys(setting_of(name) for name, _, _ in guilty))
    return AllocationFailure(
        "infeasible",
        f"No portfolio obeys {names} together; {answer.fun:.2%} of NAV is between them.",
        f"Relax {settings}.",
    )


def limit_sides(problem: Problem) -> list[tuple[str, Array, float]]:
    """Return every limit as a row a · w ≤ b with its name: upper bounds, lower bounds, rules."""
    eye = np.eye(len(problem.lines))
    return [
        *((f"upper:{x}", eye[i], float(problem.upper[i])) for i, x in enumerate(problem.lines)),
        *((f"lower:{x}", -eye[i], -float(problem.lower[i])) for i, x in enumerate(problem.lines)),
        *(side for rule in problem.rows for side in rule.sides()),
    ]


def setting_of(side: str) -> str:
    """Return the setting that a side of a limit comes from, as the owner wrote it."""
    kind, _, line = side.partition(":")
    if kind in ("upper", "lower"):
        return f'weight_bounds."{line}"'
    name = side.removesuffix(" upper").removesuffix(" lower")
    first, _, rest = name.partition(" ")
    if first in ("class", "net_delta_bounds"):
        return f"{'class_bounds' if first == 'class' else first}.{rest}"
    if first == "scenario":
        return f"scenario_loss_caps.{rest.partition(' ')[0]}"
    return {"limit": "limits", "protocol": "protocol_tiers"}.get(first, first)


def _told(side: str, bound: float) -> str:
    kind, _, line = side.partition(":")
    name = line if kind in ("upper", "lower") else side.removesuffix(" upper").removesuffix(" lower")
    least = kind == "lower" or side.endswith(" lower")
    return f"{name} ({'at least' if least else 'at most'} {abs(bound) if not least else -bound:.1%})"
