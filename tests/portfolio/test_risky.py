"""The share that may be invested: by sums alone it is what a linear program says."""

from dataclasses import replace

import numpy as np
import pytest

from portfolio.failure import AllocationFailure
from portfolio.risky import invested_share
from tests.portfolio.problems import group, random_problem

SIZE = 6
CASH = np.arange(SIZE) >= 4


def drawn(seed):
    """Random boxes and rules that count cash alike and the rest alike; some can not be met."""
    rng = np.random.default_rng(seed)
    lower = rng.uniform(0.0, 0.12, SIZE)
    rows = [group("class cash", CASH, rng.uniform(0.0, 0.2), rng.uniform(0.2, 1.0))]
    for cash in (0, 1):  # twice the same: the rest may be so much more than cash
        rows += [group("delta", np.where(CASH, cash, cash + 1), -np.inf, cash + rng.uniform(0.3, 0.9))]
    upper = np.minimum(1.0, lower + rng.uniform(0.0, 0.6, SIZE))
    return replace(random_problem(seed, size=SIZE), cash=CASH, lower=lower, upper=upper, rows=tuple(rows))


def answer(problem):
    try:
        return invested_share(problem)
    except AllocationFailure as failure:
        return failure.reason


def test_sums_alone_say_what_a_linear_program_says():
    kinds = set()
    for seed in range(60):
        plain = drawn(seed)
        # a rule that never binds and tells lines apart takes the other way
        asked = replace(plain, rows=(*plain.rows, group("none", np.arange(SIZE), -np.inf, 1e9)))
        found, program = answer(plain), answer(asked)
        kinds.add(type(found))
        if isinstance(found, float):
            assert found == pytest.approx(program, abs=1e-9)
        else:
            assert found == program
    assert kinds == {float, str}
