"""The long form of the deliveries in tests/tasks/test_alert_rate.py: `make soak`."""

import os

import pytest

from tests.invariants import require_invariants
from tests.soak.relay import deliver_all

COUNT = int(os.environ.get("TRIMTAB_SOAK_MESSAGES", "1000"))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_each_of_a_thousand_recommendations_arrives_or_ends_with_a_reason(tmp_path, capsys, seed):
    evidence, figures = deliver_all(tmp_path, COUNT, seed)
    with capsys.disabled():
        print(f"\n{COUNT} recommendations, seed {seed}: {figures}")
    require_invariants(evidence)
    assert figures["delivered"] + figures.get("failed", 0) == COUNT
    assert figures["repeats"] <= figures["kills"] + figures["unclear answers"]
