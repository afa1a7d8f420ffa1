"""`trimtab signals`: what each signal has been worth out of sample."""

from __future__ import annotations

import json

import click
from rich.text import Text

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable
from flows.signal_view import evidence_table
from tasks.views import evidence_of

HORIZONS = (7, 30, 90)


@click.command()
@click.option(
    "--horizon", "horizons", type=click.IntRange(1, 365), multiple=True, help="Days ahead; 7, 30 and 90."
)
@common
def signals(options: Options, horizons: tuple[int, ...]) -> int:
    """Evidence of every signal on the coins of the universe: coefficients, errors, and what is proven.

    All that is shown is judged together: with many tries some look good by chance. A decision judges the
    signals that its portfolio names, at its own horizon.

    Example: trimtab signals --horizon 30
    """
    context = open_context(options.config, options.home, options.as_of, "signals")
    found = evidence_of(context, horizons or HORIZONS)
    if options.json:
        click.echo(json.dumps(jsonable(found), indent=2))
        return 0
    out = console()
    out.print(evidence_table(found) if found else Text("No signals yet: they need a year of daily data."))
    proven = sorted({f"{row['signal']} ({row['horizon_days']} days)" for row in found if row["is_proven"]})
    out.print(Text(f"Proven: {', '.join(proven)}." if proven else "Proven: none. No signal has a view."))
    return 0
