"""`trimtab watch`: the watchdog, from outside the scheduler."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flows.exit_status import BLOCKED, OUTSIDE, worst
from flows.opening import open_context
from flows.options import Options, common
from flows.paper import jsonable
from flows.progress import reporting
from tasks.watch import watch as look


@click.command()
@common
def watch(options: Options) -> int:
    """Say when data, runs or deliveries are overdue; exit status 4, and one message per incident.

    Run it every 15 minutes from cron or a systemd timer, apart from the scheduler that it watches. It reads
    the published snapshot only. A channel with events = ["overdue", "resolved"] is its own second path; the
    secret TRIMTAB_HEARTBEAT, a URL, is asked for whenever all is well.

    Example: trimtab watch
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "watch", reporter=reporter)
        found = look(context)
    if options.json:
        click.echo(json.dumps(jsonable(asdict(found)), indent=2, ensure_ascii=False))
    else:
        for one in found.findings:
            click.echo(one.sentence)
        for sentence in found.failed:
            click.echo(f"Not confirmed by {sentence}")
        if not found.findings:
            click.echo("Data, runs and deliveries are on time.")
    return worst(BLOCKED if found.findings else 0, OUTSIDE if found.failed else 0)
