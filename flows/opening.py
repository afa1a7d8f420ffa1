"""How a run begins: settings, the two clocks, its name and its slot."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from flows.safety import hide_secrets
from tasks.channel_routes import channel_problems
from tasks.clock import Clock, RealClock
from tasks.context import Reporter, RunContext, SilentReporter
from tasks.settings import ConfigError, Settings, load_settings


def open_context(
    config: Path | None,
    home: Path | None,
    as_of: datetime | None,
    flow: str,
    *,
    reporter: Reporter | None = None,
    clock: Clock | None = None,
    settings: Settings | None = None,
) -> RunContext:
    """Build the context of one run.

    Args:
        config: the configuration file, or None for the usual place.
        home: replaces the configured home.
        as_of: data time, aware UTC; None means the clock's now.
        flow: the story's name.
        reporter: where progress goes; None is silent.
        clock: the real clock unless a test gives its own.
        settings: already loaded ones, instead of reading the file.

    Raises:
        ConfigError: the configuration is wrong, or a channel could never deliver.
    """
    chosen = clock or RealClock()
    now = chosen.now()
    loaded = settings or load_settings(config, home)
    hide_secrets(loaded)
    problems = channel_problems(loaded, now)
    if problems:
        raise ConfigError("\n".join(f"{loaded.config_path}: {problem}" for problem in problems))
    moment = (as_of or now).astimezone(UTC)
    return RunContext(
        settings=loaded,
        as_of=moment,
        run_id=_run_id(flow, moment, now),
        flow=flow,
        slot=moment.replace(minute=0, second=0, microsecond=0),
        clock=chosen,
        reporter=reporter or SilentReporter(),
    )


def _run_id(flow: str, as_of: datetime, now: datetime) -> str:
    """Unique per run: the same as_of may be run many times, at the same instant by two processes."""
    salt = hashlib.sha256(f"{now.isoformat()} {os.getpid()}".encode()).hexdigest()[:8]
    return f"{flow}-{as_of:%Y%m%dT%H%M%S}-{salt}"
