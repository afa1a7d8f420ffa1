"""`trimtab doctor`: is everything within reach, one line each."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.text import Text

from flows.exit_status import DONE, OUTSIDE
from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable, table
from flows.safety import safe
from tasks.doctor import FAILED, examine


@click.command()
@common
def doctor(options: Options) -> int:
    """Sources and channels, clock, licences, limits, disk, home, keys, scheduler: one line each.

    Ends with 3 when something that the job needs is out of reach.

    Example: trimtab doctor --json
    """
    context = open_context(options.config, options.home, options.as_of, "doctor")
    found = examine(context)
    status = OUTSIDE if any(one.is_required and one.status == FAILED for one in found) else DONE
    if options.json:
        facts = [jsonable(asdict(one)) for one in found]
        click.echo(safe(json.dumps({"exit_status": status, "findings": facts}, indent=2, ensure_ascii=False)))
        return status
    rows = [(one.status.upper(), one.kind, one.name, safe(one.message)) for one in found]
    out = console()
    out.print(table(("", "what", "name", "finding"), rows))
    if status:
        out.print(Text("\nWhat the job needs is out of reach: see the lines that say FAILED."))
    return status
