import pytest

from tests.tasks.test_alert_rate import check_random_failures
from tests.tasks.test_notify import sinks, start

__all__ = ["sinks", "start"]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_each_of_a_thousand_alerts_arrives_or_ends_with_a_reason(start, sinks, seed):
    check_random_failures(start("ops", extra="\n[alerts]\nmax_per_hour = 1000\n"), sinks["ops"], 1000, seed)
