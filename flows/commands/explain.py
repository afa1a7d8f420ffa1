"""`trimtab explain`: why a recommendation says what it says."""

from __future__ import annotations

import click

from flows.exit_status import MisuseError
from flows.options import Options, common
from flows.paper import console
from flows.recommendation_view import as_json, gather
from flows.recommendation_view import explain as print_all
from tasks.settings import load_settings
from warehouse.home import Home
from warehouse.reader import open_published


@click.command()
@click.argument("recommendation_id", metavar="ID")
@common
def explain(options: Options, recommendation_id: str) -> int:
    """Inputs, constraints with shadow prices, risk before and after, cost against benefit, a reason per line.

    Example: trimtab explain R-20260630-core-1a2b3c4d
    """
    settings = load_settings(options.config, options.home)
    with open_published(Home(settings.warehouse.home)) as reader:
        whole = gather(reader, recommendation_id)
        newest = reader.rows("newest_recommendations")
    if whole is None:
        known = ", ".join(row["recommendation_id"] for row in newest) or "none"
        raise MisuseError(f"There is no recommendation {recommendation_id!r}. The newest: {known}.")
    if options.json:
        click.echo(as_json(whole))
    else:
        print_all(console(), whole)
    return 0
