"""The long form of tests/tasks/test_replayed_days.py: nine recorded days, six of them of large moves."""

from datetime import date
from pathlib import Path

import pytest

from tests.tasks.replayed_days import check, live_through
from tests.tasks.test_ingest_replay import REPLAY, Replay, replay
from tests.tasks.test_sleeve_replay import DAYS

__all__ = ["replay"]  # the fixture is used by its name
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not REPLAY.is_dir(), reason=f"the recorded market is not at {REPLAY}"),
]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_nine_days_are_decided_again_exactly(
    replay: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str], day: date
) -> None:
    lived = live_through(replay, tmp_path, day)
    with capsys.disabled():
        told = ", ".join(
            f"{name} {' '.join(lived.verdicts[name])}: {again.weights} weights and {again.trades} trades "
            f"again, largest difference {again.largest_weight_difference:.1e}"
            for name, again in sorted(lived.again.items())
        )
        carry = ", ".join(
            f"{asset} {stored:+.6%} (by hand {summed:+.6%})"
            for asset, (stored, summed) in lived.carry.items()
        )
        print(f"\n{day}: {told}; cash {lived.cash_risk:.1e} of the risk of 80/10/10; carry {carry}")
    check(lived)
