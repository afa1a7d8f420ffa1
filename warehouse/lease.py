"""The lease of a flow: one run of it at a time, and a token that fences off whoever lost it.

A lease is a small file under <home>/state/leases, changed only under the writer's lock. It is taken over when
its holder is gone (another boot, another process, no process) or has shown no sign of life for two minutes,
as a stopped process does. Every later writing of a holder compares its token first, under the same lock: one
that was replaced while it slept can not write or publish any more.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from warehouse.errors import LeaseHeld, LeaseLost
from warehouse.home import FOLDER_MODE, Home, write_private
from warehouse.lock import Clock, hold_lock

SILENCE = timedelta(minutes=2)
BEAT_SECONDS = 20.0
WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has, or had, a lease. `started` tells a process from a later one with the same number."""

    flow: str
    token: int
    run_id: str
    pid: int
    boot_id: str
    started: str
    since: str
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """What a run holds: the lease's file and the token it was given."""

    path: Path
    token: int
    replaced_run_id: str | None = None

    def check(self) -> None:
        """Compare the token with the file's; to be called under the writer's lock.

        Raises:
            LeaseLost: another run took the lease over.
        """
        holder = _read(self.path)
        if holder is None or holder.token != self.token:
            found = "nobody" if holder is None else f"{holder.run_id} (process {holder.pid})"
            raise LeaseLost(
                f"This run wanted to write; its lease went to {found} while it gave no sign of life. "
                "Nothing of it was written since. There is nothing to do: the other run does the work."
            )

    def beat(self, clock: Clock) -> None:
        """Give a sign of life."""
        write_private(_beat_file(self.path, self.token), clock.now().isoformat())


def acquire(home: Home, flow: str, run_id: str, clock: Clock) -> Fence:
    """Take the lease of a flow.

    Args:
        home: the home.
        flow: what only one run may do at a time.
        run_id: who takes it.
        clock: the real clock.

    Raises:
        LeaseHeld: another run of the flow is alive.
        WriterBusy: the writer's lock is not free within 30 s.
    """
    with hold_lock(replace(home, fence=None), clock, f"lease of {flow}", WAIT_SECONDS):
        path = _path(home, flow)
        held = _read(path)
        if held is not None and not held.is_released and _is_alive(path, held, clock.now()):
            raise LeaseHeld(flow, held.run_id, held.pid, datetime.fromisoformat(held.since))
        token = 1 if held is None else held.token + 1
        holder = Holder(
            flow=flow,
            token=token,
            run_id=run_id,
            pid=os.getpid(),
            boot_id=_boot_id(),
            started=_started(os.getpid()) or "",
            since=clock.now().isoformat(),
        )
        replaced = held.run_id if held is not None and not held.is_released else None
        fence = Fence(path, token, replaced)
        fence.beat(clock)
        write_private(path, json.dumps(asdict(holder)))
        if held is not None:
            _beat_file(path, held.token).unlink(missing_ok=True)
    return fence


def release(home: Home, fence: Fence, clock: Clock) -> None:
    """Give the lease back, unless somebody else has it by now."""
    with hold_lock(replace(home, fence=None), clock, "give a lease back", WAIT_SECONDS):
        holder = _read(fence.path)
        if holder is not None and holder.token == fence.token:
            write_private(fence.path, json.dumps(asdict(replace(holder, is_released=True))))
            _beat_file(fence.path, fence.token).unlink(missing_ok=True)


def _path(home: Home, flow: str) -> Path:
    folder = home.state / "leases"
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in flow)
    return folder / f"{name}.json"


def _beat_file(path: Path, token: int) -> Path:
    return path.with_name(f"{path.stem}.{token}.beat")


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        # A file that says nothing names nobody; the token goes on from the beats beside it.
        tokens = [int(beat.name.split(".")[-2]) for beat in path.parent.glob(f"{path.stem}.*.beat")]
        return Holder("", max(tokens, default=0), "", 0, "", "", "", is_released=True)


def _is_alive(path: Path, holder: Holder, now: datetime) -> bool:
    if holder.boot_id != _boot_id() or _started(holder.pid) != holder.started:
        return False
    try:
        beat = datetime.fromisoformat(_beat_file(path, holder.token).read_text())
    except (FileNotFoundError, ValueError):
        return False
    # A clock that was set back leaves signs of life from the future; they prove nothing either.
    return abs(now - beat) <= SILENCE


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's own ticks; None where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "" if _exists(pid) else None


def _exists(pid: int) -> bool:
    """For systems without /proc: a process of that number lives, if not surely the same."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
