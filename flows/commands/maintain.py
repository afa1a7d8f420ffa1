"""`trimtab maintain`: old versions to files, what was kept for some days out, the master compacted."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import jsonable
from flows.progress import reporting
from flows.steps import run_directly
from flows.upkeep import upkeep


@click.command()
@click.option("--restore", is_flag=True, help="Put every archived row back instead.")
@common
def maintain(options: Options, restore: bool) -> int:
    """Move replaced versions and old verdicts to Parquet under <home>/archive, and compact the master.

    How long things stay is in [warehouse]: keep_vintages_days, keep_validations_days, compact_above. Nothing
    is lost: past moments are read together with the files. Received answers (keep_received_days) and the
    pages of old validations and recommendations (keep_pages_days) are removed.

    Example: trimtab maintain
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "maintenance", reporter=reporter)
        done = upkeep(run_directly, context, restore=restore)
    if options.json:
        click.echo(json.dumps(jsonable(asdict(done)), indent=2))
    else:
        click.echo("\n".join(done.sentences))
    return 0
