"""Where this house stands, and whether its rooms are really its own.

`flows`, `tasks` and `expectations` are also names of public packages. A wrong one would be imported in
silence, so the command's first act and the scheduled self-test look where each room comes from.
"""

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox")


class WrongRoomError(Exception):
    """A room would be imported from somewhere else; the message says from where and what to do."""


def require_own_rooms() -> None:
    """Refuse to go on when a room resolves outside this checkout.

    Raises:
        WrongRoomError: with the room, the place it was found at and the remedy.
    """
    for room in ROOMS:
        spec = find_spec(room)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != ROOT / room:
            raise WrongRoomError(
                f"`{room}` should come from {ROOT / room}, found {found or 'nothing'}. "
                "Uninstall the package of that name, or run `python -m flows` from the checkout."
            )
