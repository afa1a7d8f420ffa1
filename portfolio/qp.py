"""The allocation problem as a quadratic program by another solver, Clarabel, at a tolerance of 1e-10.

Only `fast_qp` asks it, where PIQP gives up; and the tests, to which it is the reference that shares neither
solver nor formulation with what is checked. Some 2 ms for ten lines.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem

Array = NDArray[np.float64]
TIGHT = 1e-10


def solve(problem: Problem, quadratic: Array, linear: Array, cost_rates: Array | None = None) -> Array:
    """Minimise ½ w'Qw + c'w + Σ k|w − current| under the rules of the problem.

    Args:
        problem: rules; its current weights are used only with costs or a turnover cap.
        quadratic: Q, N × N, positive semidefinite.
        linear: c, N.
        cost_rates: k ≥ 0, N.

    Raises:
        AllocationFailure: Clarabel does not call its answer solved.
    """
    import clarabel as library  # noqa: PLC0415 - solvers are imported where used: other commands stay quick
    from scipy import sparse  # noqa: PLC0415 - likewise

    size = len(linear)
    rows, right, equalities = _rules(problem)
    cost = np.zeros(size) if cost_rates is None else cost_rates
    wide = rows.shape[1] == 2 * size
    p = np.zeros((rows.shape[1], rows.shape[1]))
    p[:size, :size] = quadratic
    q = np.concatenate([linear, cost]) if wide else linear
    clarabel: Any = library  # a compiled module without types
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TIGHT
    cones = [clarabel.ZeroConeT(equalities), clarabel.NonnegativeConeT(len(right) - equalities)]
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(p)), q, sparse.csc_matrix(rows), right, cones, settings
    )
    answer = solver.solve()
    if str(answer.status) != "Solved":
        raise AllocationFailure(
            "solver",
            f"A solved problem was wanted; Clarabel ended with {answer.status}.",
            "Relax the bounds or max_turnover.",
        )
    return np.asarray(answer.x[:size], dtype="float64")


def _rules(problem: Problem) -> tuple[Array, Array, int]:
    """Rows A, right-hand side b and number of equalities of A x + s = b, x = (w, |w − current|)."""
    size = len(problem.lines)
    eye = np.eye(size)
    fixed = (
        problem.fixed()
    )  # as equalities, for a box without an interior slows the interior-point method down
    equal, upper = [np.ones((1, size)), eye[fixed]], [eye[~fixed], -eye[~fixed]]
    right_equal = [np.array([1.0]), problem.lower[fixed]]
    right = [problem.upper[~fixed], -problem.lower[~fixed]]
    for _, coefficients, limit in (side for rule in problem.rows for side in rule.sides()):
        upper.append(coefficients[None, :])
        right.append(np.array([limit]))
    a_equal, a_upper = np.vstack(equal), np.vstack(upper)
    if problem.current is not None:
        zeros = np.zeros((len(a_upper), size))
        cap = np.concatenate([np.zeros(size), np.full(size, 0.5)])[None, :]
        a_equal = np.hstack([a_equal, np.zeros((len(a_equal), size))])
        a_upper = np.vstack(
            [np.hstack([a_upper, zeros]), np.hstack([eye, -eye]), np.hstack([-eye, -eye]), cap]
        )
        right += [problem.current, -problem.current, np.array([problem.max_turnover])]
    return np.vstack([a_equal, a_upper]), np.concatenate([*right_equal, *right]), len(a_equal)
