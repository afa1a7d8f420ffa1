"""`trimtab explain`: why a recommendation says what it says."""

from __future__ import annotations

from pathlib import Path

import click

from flows.exit_status import MisuseError
from flows.options import Options, common
from flows.paper import console
from flows.recommendation_view import as_json
from flows.recommendation_view import explain as print_all
from tasks.clock import RealClock
from tasks.recommendation_page import write_page
from tasks.revised import with_revised_inputs
from tasks.settings import load_settings
from tasks.told import gather
from warehouse.home import Home
from warehouse.reader import open_published


@click.command()
@click.argument("recommendation_id", metavar="ID")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as one self-contained page instead.",
)
@common
def explain(options: Options, recommendation_id: str, html: Path | None) -> int:
    """Inputs, constraints with shadow prices, risk before and after, cost against benefit, a reason per line.

    Each recommendation's page is written when it is recorded: <home>/published/reports/ID.html.

    Example: trimtab explain R-20260630-core-1a2b3c4d
    """
    settings = load_settings(options.config, options.home)
    with open_published(Home(settings.warehouse.home)) as reader:
        whole = gather(reader, recommendation_id)
        if whole is not None:
            whole = with_revised_inputs(reader, whole, settings, options.as_of or RealClock().now())
        newest = reader.rows("newest_recommendations")
    if whole is None:
        known = ", ".join(row["recommendation_id"] for row in newest) or "none"
        raise MisuseError(f"There is no recommendation {recommendation_id!r}. The newest: {known}.")
    if html is not None:
        click.echo(f"Written: {write_page(html, whole)}", err=options.json)
    if options.json:
        click.echo(as_json(whole))
    elif html is None:
        print_all(console(), whole)
    return 0
