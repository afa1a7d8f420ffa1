"""`trimtab export`: the orders of a recommendation, as a file for one's own execution."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from flows.exit_status import MisuseError
from flows.opening import open_context
from flows.options import Options, common
from flows.paper import cell
from tasks.order_export import as_ccxt, as_csv, by_hand, check_open, is_by_hand
from tasks.told import gather
from warehouse.reader import open_published


@click.command()
@click.argument("recommendation_id", metavar="ID")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["csv", "ccxt"]),
    default="csv",
    show_default=True,
    help="Which form.",
)
@click.option(
    "--type",
    "order_type",
    type=click.Choice(["limit", "market"]),
    default="limit",
    show_default=True,
    help="Limit orders at the worst price that the estimated cost allows, or market orders; ccxt only.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@common
def export(
    options: Options,
    recommendation_id: str,
    shape: str,
    order_type: Literal["limit", "market"],
    output: Path | None,
) -> int:
    """The orders as CSV, or as a JSON array of arguments for ccxt's createOrder. Trimtab places none itself.

    A recommendation that has lapsed or was replaced is refused. What is to be done by hand first (transfers,
    margin, deposits) is told on the error stream.

    Example: trimtab export R-20260630-core-1a2b3c4d --format ccxt -o orders.json
    """
    context = open_context(options.config, options.home, options.as_of, "export")
    with open_published(context.home) as reader:
        whole = gather(reader, recommendation_id)
    if whole is None:
        raise MisuseError(
            f"There is no recommendation {recommendation_id!r}. `trimtab status` lists the newest ones."
        )
    check_open(whole, context.as_of)
    text = as_csv(whole) if shape == "csv" else as_ccxt(whole, order_type)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
    if not options.quiet:
        _tell(whole, shape, output)
    return 0


def _tell(whole: dict[str, object], shape: str, output: Path | None) -> None:
    """Say on the error stream what was written and what it does not hold."""
    trades = whole["trades"]
    if not isinstance(trades, list):
        return
    orders = sum(not is_by_hand(trade) for trade in trades)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    count = len(trades) if shape == "csv" else orders  # pyright: ignore[reportUnknownArgumentType]
    where = f" written to {output}" if output is not None else ""
    note = "SIMULATED data, an exercise. " if whole["is_simulated"] else ""
    click.echo(
        f"{note}{count} {'trades' if shape == 'csv' else 'orders'}{where}; a recommendation, valid until "
        f"{cell(whole['valid_until'])} UTC. Trimtab places no order.",
        err=True,
    )
    for text in by_hand(trades):  # pyright: ignore[reportUnknownArgumentType]
        click.echo(f"By hand: {cell(text)}", err=True)


def _write(output: Path, text: str) -> None:
    """The file appears whole or not at all."""
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    except OSError as error:
        raise click.UsageError(
            f"Wanted to write {output}, found: {error.strerror}. Name a folder that is yours."
        ) from error
