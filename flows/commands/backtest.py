"""`trimtab backtest`: a portfolio's policy on the past, beside its variations and plain portfolios."""

from __future__ import annotations

import os
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from flows.exit_status import MisuseError
from flows.opening import open_context
from flows.options import INSTANT, Options, common
from flows.paper import console
from flows.portfolios import chosen_portfolios
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import backtest_only

DAILY_RUN = timedelta(hours=3, minutes=31)  # when the daily deployment decides


@click.command()
@click.option("--portfolio", help="Which one; needed where there are several.")
@click.option("--from", "first", type=INSTANT, required=True, help="First decision; a date means 03:31 UTC.")
@click.option("--to", "last", type=INSTANT, help="Look at no close after it (default: now).")
@click.option(
    "--every-hours", type=click.IntRange(1, 8784), help="Hours between decisions (default: the portfolio's)."
)
@click.option(
    "--vary", multiple=True, metavar="KEY=A,B,C", help="Also try these values of a setting; may be repeated."
)
@click.option(
    "--grid",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML with lists under [vary].",
)
@click.option("--fast", is_flag=True, help="Quicker solvers, no stability test of each answer.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes (default: one for each core).")
@click.option(
    "--draws", type=click.IntRange(0, 20_000), help="Bootstrap draws (default 500; 0 for large grids)."
)
@click.option(
    "--capital", type=click.FloatRange(min=1), default=100_000.0, help="Start, where no positions are known."
)
@click.option(
    "--taker-fee", type=click.FloatRange(0, 0.05), default=0.001, help="Where no fee was known then."
)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the tear sheet."
)
@common
def backtest(options: Options, portfolio: str | None, **asked: Any) -> int:  # noqa: ANN401 - click's values
    """Walk a policy through the past: decide on what was known on each date, execute at the next close.

    All costs are paid, and the plain portfolios beside it pay them too. What was walked before is not walked
    again. Example: trimtab backtest --from 2024-01-01 --fast --vary horizon_days=7,30,90
    """
    from flows.backtest_view import as_json, show  # noqa: PLC0415 - imports pandas

    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "backtest", reporter=reporter)
        names = list(chosen_portfolios(context.settings, portfolio))
        if len(names) > 1:
            raise MisuseError(
                f"There are several portfolios: name one of {', '.join(names)} with --portfolio."
            )
        summary = backtest_only(run_directly, context, _request(names[0], context.as_of, asked))
    if options.json:
        click.echo(as_json(summary))
    else:
        show(console(), summary)
    return 0


def _request(name: str, now: datetime, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - the type costs pandas to import
    from tasks.backtest import BacktestRequest  # noqa: PLC0415 - imports pandas
    from tasks.backtest_inputs import Assumed  # noqa: PLC0415 - likewise

    first, last = _usual_hour(asked["first"]), asked["last"] or now
    if first >= last:
        raise MisuseError(f"--from {first:%Y-%m-%d %H:%M} must lie before --to {last:%Y-%m-%d %H:%M}.")
    return BacktestRequest(
        portfolio=name,
        first=first,
        last=min(last, now),
        every_hours=asked["every_hours"],
        vary=_varied(asked["vary"], asked["grid"]),
        is_fast=asked["fast"],
        draws=asked["draws"],
        processes=asked["jobs"] or os.cpu_count() or 1,
        assumed=Assumed(taker_fee=asked["taker_fee"], capital=asked["capital"]),
        page=None if asked["output"] is None else asked["output"] / f"backtest-{name}.html",
    )


def _usual_hour(first: datetime) -> datetime:
    """A date alone means the hour at which the daily deployment decides."""
    is_date = (first.hour, first.minute, first.second) == (0, 0, 0)
    return first + DAILY_RUN if is_date else first


def _varied(typed: tuple[str, ...], grid: Path | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if grid is not None:
        try:
            table = tomllib.loads(grid.read_text(encoding="utf-8")).get("vary")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise MisuseError(f"{grid}: wanted TOML, but: {error}.") from None
        if not isinstance(table, dict) or not all(isinstance(v, list) and v for v in table.values()):
            raise MisuseError(
                f"{grid}: wanted a table [vary] with lists, such as horizon_days = [7, 30, 90]."
            )
        found = {key: tuple(str(value) for value in values) for key, values in table.items()}
    for text in typed:
        key, _, values = text.partition("=")
        parts = tuple(part.strip() for part in values.split(",") if part.strip())
        if not key.strip() or not parts:
            raise MisuseError(f"--vary {text}: wanted a setting and values, such as horizon_days=7,30,90.")
        found[key.strip()] = parts
    return found
