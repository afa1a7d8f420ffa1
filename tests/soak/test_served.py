"""40 slots at 45 s on a real Prefect server and worker: `make soak`.

TRIMTAB_SOAK_SERVED and TRIMTAB_SOAK_INTERVAL choose another number and interval, TRIMTAB_SOAK_SEED the
faults.
"""

import os

import pytest

from tests.invariants import Evidence, require_invariants
from tests.soak.served import lose_the_database, minutes_without_a_row, serve_slots

SLOTS = int(os.environ.get("TRIMTAB_SOAK_SERVED", "40"))
INTERVAL = int(os.environ.get("TRIMTAB_SOAK_INTERVAL", "45"))
SEED = int(os.environ.get("TRIMTAB_SOAK_SEED", "1"))


@pytest.mark.soak
def test_forty_slots_on_a_server_whose_processes_are_killed(tmp_path, capsys):
    served = serve_slots(tmp_path, SLOTS, INTERVAL, SEED)
    with capsys.disabled():
        print(f"\n{SLOTS} slots at {INTERVAL} s, seed {SEED}: {served.figures}")
    require_invariants(served.evidence)
    assert served.recovered
    assert served.after == []
    assert minutes_without_a_row(served) == []
    kills = sum(served.figures.get(name, 0) for name in ("flow", "worker", "server"))
    in_doubt = sum(one.answer is None for one in served.evidence.sinks["ops"])
    assert served.figures["repeats"] <= kills + in_doubt


@pytest.mark.soak
def test_one_command_brings_the_schedules_back_after_prefects_database_was_locked_and_lost(tmp_path):
    before, after, told, told_again = lose_the_database(tmp_path)
    assert len(before) >= 9
    assert after == before
    assert told_again == 0
    assert told >= 1
    require_invariants(Evidence(tmp_path / "home", tmp_path / "trimtab.toml"))
