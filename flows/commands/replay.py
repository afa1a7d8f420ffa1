"""`trimtab replay`: decide again from what is stored, and compare."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flows.exit_status import BLOCKED, DONE
from flows.opening import open_context
from flows.options import Options, common
from flows.paper import jsonable
from tasks.replay import replay as decide_again


@click.command()
@click.argument("recommendation_id", metavar="ID")
@common
def replay(options: Options, recommendation_id: str) -> int:
    """Recompute a recommendation from its stored inputs; exit status 0 only if it comes out the same.

    The data are read as they were known then: what was revised or filled since is not seen. Weights must
    agree to 1e-6 and every trade must be the same; else the exit status is 4.

    Example: trimtab replay R-20260630-core-1a2b3c4d
    """
    context = open_context(options.config, options.home, options.as_of, "replay")
    found = decide_again(context, recommendation_id)
    if options.json:
        click.echo(json.dumps(jsonable({**asdict(found), "agrees": found.agrees}), indent=2))
    else:
        word = "agrees" if found.agrees else "DIFFERS"
        click.echo(
            f"{recommendation_id} {word}: {found.weights} weights, the largest difference is "
            f"{found.largest_weight_difference:.1e}; {found.trades} trades."
        )
        for sentence in (*found.differences, *found.notes):
            click.echo(f"  {sentence}")
    return DONE if found.agrees else BLOCKED
