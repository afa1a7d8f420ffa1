"""A recommendation on recorded data comes out the same after its data were filled and revised.

The long form, nine days of six years, is tests/soak/test_replayed_days.py: `make soak`.
"""

from datetime import date
from pathlib import Path

import pytest

from tests.tasks.replayed_days import check, live_through
from tests.tasks.test_ingest_replay import REPLAY, Replay, replay

__all__ = ["replay"]  # the fixture is used by its name
pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not REPLAY.is_dir(), reason=f"the recorded market is not at {REPLAY}"),
]


def test_a_day_of_2020_is_decided_again_exactly_after_gaps_were_filled(
    replay: Replay, tmp_path: Path
) -> None:
    check(live_through(replay, tmp_path, date(2020, 7, 20)))
