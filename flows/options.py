"""The options that every command takes, after its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """What was typed: where the configuration and the home are, the run's *now*, and how to answer."""

    config: Path | None = None
    home: Path | None = None
    as_of: datetime | None = None
    json: bool = False
    quiet: bool = False


class Instant(click.ParamType[datetime]):
    """A UTC time such as 2026-06-30T18:20:00Z, or a date, which means its first instant."""

    name = "timestamp"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 - click's signature
        """Parse; a time without a zone is UTC."""
        if isinstance(value, datetime):
            return value
        try:
            parsed = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"wanted a UTC time such as 2026-06-30T18:20:00Z or a date, found {value!r}.", param, ctx
            )
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


INSTANT = Instant()


def common(command: F) -> F:
    """Add the common options; the command receives them as one `Options`."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="The configuration file (or TRIMTAB_CONFIG; else ./trimtab.toml).",
    )
    @click.option(
        "--home",
        type=click.Path(path_type=Path),
        help="Where the data live (or TRIMTAB_HOME; else what the file says).",
    )
    @click.option("--as-of", type=INSTANT, help="The run's *now* for all data, UTC.")
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @click.option("--quiet", is_flag=True, help="No progress.")
    @click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
    @wraps(command)
    def wrapper(
        *args: object,
        config: Path | None,
        home: Path | None,
        as_of: datetime | None,
        as_json: bool,
        quiet: bool,
        debug: bool,
        **kwargs: object,
    ) -> object:
        click.get_current_context().find_root().obj = {"debug": debug}
        options = Options(config=config, home=home, as_of=as_of, json=as_json, quiet=quiet)
        return command(options, *args, **kwargs)

    return wrapper  # type: ignore[return-value]  # the decorators of click keep the function callable
