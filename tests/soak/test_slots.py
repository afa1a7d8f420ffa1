"""200 slots through the command line: `make soak`; TRIMTAB_SOAK_SLOTS and TRIMTAB_SOAK_SEED choose others."""

import os

import pytest

from tests.soak.slots import require_all_well, soak

SLOTS = int(os.environ.get("TRIMTAB_SOAK_SLOTS", "200"))
SEED = int(os.environ.get("TRIMTAB_SOAK_SEED", "1"))


@pytest.mark.soak
def test_two_hundred_slots_under_everything_at_once(tmp_path, capsys):
    told = soak(tmp_path, SLOTS, SEED)
    with capsys.disabled():
        print(f"\n{SLOTS} slots, seed {SEED}: {told.figures}")
    require_all_well(told)
