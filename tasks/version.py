"""Which code decided: the version, and the commit where the checkout tells it."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent


@cache
def code_version() -> str:
    """The version and, in a git checkout, the commit: "0.1.0+1a2b3c4d5e6f"."""
    commit = _commit(ROOT / ".git")
    return f"{VERSION}+{commit[:12]}" if commit else VERSION


@cache
def lock_hash() -> str:
    """A sha256 of requirements.lock: the libraries that decided."""
    return hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()


def _commit(git: Path) -> str | None:
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head if re.fullmatch(r"[0-9a-f]{40,64}", head) else None
        name = head.removeprefix("ref: ")
        loose = git / name
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(name)}$", packed, re.MULTILINE)
    return match[1] if match else None
