"""Questions about portfolios whose answers are stored and published: stress and sensitivity."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import click
from rich.console import Console
from rich.text import Text

from flows.opening import open_context
from flows.options import Options
from flows.paper import console, jsonable
from flows.portfolios import chosen_portfolios
from tasks.context import RunContext
from tasks.publish import publish
from tasks.sensitivity import SensitivitySummary
from tasks.stress import StressSummary
from tasks.value import as_published

S = TypeVar("S", StressSummary, SensitivitySummary)


def study(
    options: Options,
    name: str,
    portfolio: str | None,
    ask: Callable[[RunContext, str], S],
    show: Callable[[Console, S], None],
) -> int:
    """Ask of each portfolio at what is published, publish the answers, and show them.

    Args:
        options: what was typed.
        name: of the study, as in `ops.runs`.
        portfolio: only this one; None for all.
        ask: answers for one portfolio and stores what it found.
        show: prints one answer, below its title.
    """
    context = open_context(options.config, options.home, options.as_of, name)
    context = context if options.as_of else as_published(context)
    found = [ask(context, each) for each in chosen_portfolios(context.settings, portfolio)]
    publish(context)
    if options.json:
        click.echo(json.dumps(jsonable([asdict(one) for one in found]), indent=2))
        return 0
    out = console()
    for one in found:
        if one.is_simulated:
            out.print(Text("SIMULATED DATA", style="bold yellow"))
        show(out, one)
    return 0
