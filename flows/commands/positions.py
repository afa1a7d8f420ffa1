"""`trimtab positions`: what a portfolio holds, imported from a file or shown."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable, money, table
from flows.portfolios import chosen_portfolios
from tasks.cash_flows import import_cash_flows, is_cash_flow_file
from tasks.positions import import_positions
from tasks.publish import publish
from tasks.value import as_published, value_legs


@click.group()
def positions() -> None:
    """Import or show positions. A new file replaces the portfolio's whole statement; old ones are kept."""


@positions.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--portfolio", help="Whose positions these are; needed when there are several portfolios.")
@click.option("--cash-flows", is_flag=True, help="Read deposits and withdrawals: also of a ledger.")
@common
def import_(options: Options, file: Path, portfolio: str | None, *, cash_flows: bool) -> int:
    """Import positions or cash flows from a CSV; docs/positions.md has the columns.

    Positions: asset, venue, quantity (and kind, account, entry_price, margin …), or an export of balances
    from Binance, Kraken or Coinbase. Cash flows: happened_at, kind, asset, quantity. What is known already
    adds nothing; of a file with a mistake nothing is stored.

    Example: trimtab positions import holdings.csv --portfolio core
    """
    context = open_context(options.config, options.home, options.as_of, "positions")
    name, *others = chosen_portfolios(context.settings, portfolio)
    if others:
        raise click.UsageError(f"Wanted --portfolio, one of {name}, {', '.join(others)}; found none. Add it.")
    if cash_flows or is_cash_flow_file(file):
        summary = import_cash_flows(context, name, file)
        what, done = "cash flows", f"{summary.rows_new} new or changed, imported"
    else:
        summary = import_positions(context, name, file)
        what, done = "positions", "imported"
    publish(context)
    word = done if summary.is_new else "already known, nothing added"
    source = f" from {summary.source}" if summary.source else ""
    text = f"{summary.rows} {what} of {summary.portfolio}{source}: {word} (statement {summary.statement_id})."
    facts = summary.__dict__ | {"is_new": summary.is_new}
    click.echo(json.dumps(jsonable(facts)) if options.json else text)
    return 0


@positions.command("fetch")
@click.argument("venue")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option(
    "--i-accept-unverified-key",
    "accept_unverified",
    is_flag=True,
    help="Go on where the venue does not say what the key may do.",
)
@common
def fetch(options: Options, venue: str, output: Path | None, *, accept_unverified: bool) -> int:
    """Read an account's spot balances with a read-only key, as a file for `positions import`.

    The key is TRIMTAB_KEY_<VENUE> and TRIMTAB_SECRET_<VENUE>, in the environment or in .env. The venue is
    asked first what it may do; one that may trade, transfer or withdraw is refused. Only Binance for now.

    Example: trimtab positions fetch binance -o holdings.csv
    """
    from tasks.venue_balances import read_balances  # noqa: PLC0415 - brings the HTTP client: only this pays

    context = open_context(options.config, options.home, options.as_of, "positions")
    found = read_balances(context.settings, venue, context.clock, accept_unverified=accept_unverified)
    for note in found.notes:
        click.echo(note, err=True)
    if output is not None:
        output.write_text(found.text, encoding="utf-8")
        click.echo(f"{found.rows} assets of {venue} written to {output}; nothing was imported.", err=True)
    elif options.json:
        click.echo(json.dumps({"rows": found.rows, "csv": found.text, "notes": found.notes}))
    else:
        click.echo(found.text, nl=False)
    return 0


@positions.command("show")
@click.option("--portfolio", help="Only this portfolio.")
@common
def show(options: Options, portfolio: str | None) -> int:
    """Show the newest statement leg by leg with its line, valued at the newest prices.

    Example: trimtab positions show --portfolio core
    """
    context = open_context(options.config, options.home, options.as_of, "positions")
    context = context if options.as_of else as_published(context)
    names = chosen_portfolios(context.settings, portfolio)
    rows = [row for name in names for row in value_legs(context, name)]
    if options.json:
        click.echo(json.dumps(jsonable(rows), indent=2))
        return 0
    columns = (
        "portfolio",
        "line",
        "kind",
        "venue",
        "quantity",
        "entry",
        "margin",
        "price USD",
        "value USD",
        "as of",
    )
    cells = [
        (
            row["portfolio"],
            f"{row['sleeve']}:{row['asset']}",
            f"{row['kind']} {row['market_id']}".strip(),
            f"{row['venue']} {row['account']}".strip(),
            row["quantity"],
            row["entry_price"],
            row["margin"],
            money(row["price_usd"]),
            money(row["value_usd"]) or "no price",
            row["as_of"],
        )
        for row in rows
    ]
    console().print(table(columns, cells, right=("quantity", "entry", "margin", "price USD", "value USD")))
    return 0


holdings = positions
