"""`trimtab restore`: the master put back from a verified snapshot."""

from __future__ import annotations

import json

import click

from flows.options import Options, common
from flows.paper import jsonable
from tasks.clock import RealClock
from tasks.settings import load_settings
from warehouse.home import Home
from warehouse.restore import restore as put_back


@click.command()
@click.argument("snapshot", type=click.IntRange(min=1), required=False)
@common
def restore(options: Options, snapshot: int | None) -> int:
    """Put the master back from the newest intact snapshot, or from the one with this number.

    The damaged file is kept beside it under another name. What was fetched after the snapshot is fetched
    again by the next run.

    Example: trimtab restore
    """
    home = Home(load_settings(options.config, options.home).warehouse.home)
    info = put_back(home, RealClock(), snapshot)
    if options.json:
        facts = {"snapshot_id": info.snapshot_id, "as_of": info.as_of, "load_id": info.load_id}
        click.echo(json.dumps(jsonable(facts), indent=2))
        return 0
    kept = sorted(path.name for path in home.root.glob("damaged-*"))
    click.echo(
        f"The master is snapshot {info.snapshot_id} again: data as of {info.as_of:%Y-%m-%d %H:%M} UTC, "
        f"load {info.load_id}."
    )
    if kept:
        click.echo(f"Kept beside it: {', '.join(kept)}. Remove them when nobody wants to look into them.")
    click.echo("Next: trimtab run")
    return 0
