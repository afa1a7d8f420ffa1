"""A process that used the warehouse ends without a word, even with a thread that never ends."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Such a thread keeps the functions that it can reach; those whose annotations were evaluated would keep
# DuckDB's classes, and DuckDB tells the user of each of them at the end ("nanobind: leaked ...").
ENDING = """
import threading
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.rewind import open_rewinder
threading.Thread(target=lambda: (threading.Event().wait(),), daemon=True).start()
"""


def test_nothing_is_said_of_leaks_when_a_process_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
