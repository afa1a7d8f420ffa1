"""Secrets stay out of what this process says: logs, warnings, tracebacks, and the sentences of a failure."""

from __future__ import annotations

from tasks.channel_routes import channel_secrets
from tasks.redaction import Redactor, install, one_line
from tasks.settings import Settings, venue_secrets


class _Guard:
    """What is hidden in this process; installed once per set of secrets."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self._secrets: frozenset[str] = frozenset()
        self._is_installed = False

    def learn(self, secrets: frozenset[str]) -> None:
        if self._is_installed and secrets <= self._secrets:
            return
        self._secrets |= secrets
        self.redactor = Redactor(self._secrets)
        install(self._secrets)
        self._is_installed = True


_GUARD = _Guard()


def hide_secrets(settings: Settings) -> None:
    """From now on every secret of this configuration is replaced in logs, warnings and failures."""
    _GUARD.learn(frozenset({*channel_secrets(settings), *venue_secrets(settings).values()}))


def safe(text: str) -> str:
    """The text without any secret that is known, or looks like one, and without what steers a terminal."""
    return one_line(_GUARD.redactor.text(text), keep="\n")
