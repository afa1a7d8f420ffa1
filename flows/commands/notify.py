"""`trimtab notify`: deliver what is pending."""

from __future__ import annotations

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import deliver


@click.command()
@click.option("--test", is_flag=True, help="Send a harmless message to every channel.")
@common
def notify(options: Options, test: bool) -> int:
    """Deliver pending alerts to every channel that has not had them.

    Example: trimtab notify --test
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "notify", reporter=reporter)
        told = deliver(run_directly, context, test=test)
    return print_outcome(context, told, options)
