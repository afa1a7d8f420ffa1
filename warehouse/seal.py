"""Whether the master's file is as its last writer closed it: then its rows need not be counted again.

In: a home whose lock is held. The seal is a small file that names the closed file as the system knows it
and what was acknowledged of it. It is not made durable: without one that fits, every table is counted.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256

from warehouse.home import FILE_MODE, Home
from warehouse.manifest import Manifest


def seal(home: Home, manifest: Manifest) -> None:
    """Remember the master's file, which was just closed, together with what was acknowledged."""
    # A disk that takes no more costs the next opening a count, and nothing else.
    with suppress(OSError):
        fresh = home.state / ".master.seal"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_described(home, manifest))
        fresh.replace(home.state / "master.seal")


def is_sealed(home: Home, manifest: Manifest) -> bool:
    """True where nobody touched the file or changed what was acknowledged since it was closed."""
    try:
        return (home.state / "master.seal").read_text(encoding="utf-8") == _described(home, manifest)
    except (OSError, UnicodeDecodeError):
        return False


def _described(home: Home, manifest: Manifest) -> str:
    found = home.master.stat()
    file = [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
    told = json.dumps([manifest.commit_id, manifest.rows], sort_keys=True)
    return json.dumps({"file": file, "acknowledged": sha256(told.encode()).hexdigest()})
