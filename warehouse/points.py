"""Named moments at which a kill is most dangerous; tests stop a process there to prove that nothing is lost.

In production nothing listens and a moment costs one call.
"""

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def reached(point: str) -> None:
    """Tell the listeners, if any, that the process is at this moment."""
    for listener in _listeners:
        listener(point)


def listen(listener: Callable[[str], None]) -> None:
    """Add a listener; for tests."""
    _listeners.append(listener)
