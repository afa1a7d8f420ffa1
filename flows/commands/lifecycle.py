"""`trimtab accept`, `reject`, `snooze`, `retract`: what people do with a recommendation."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import click

from flows.exit_status import worst
from flows.opening import open_context
from flows.options import INSTANT, Options, common
from flows.paper import jsonable
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import answer
from tasks.lifecycle import Event

F = TypeVar("F", bound=Callable[..., object])
DEFAULT_SNOOZE_HOURS = 24.0


def _who_and_why(command: F) -> F:
    """Add the id, and the options that name a person and a reason."""
    command = click.option("--note", default="", help="Why; kept with the event.")(command)
    command = click.option("--by", "actor", default="", help="Who; else the name of the account.")(command)
    return click.argument("recommendation_id", metavar="ID")(command)


@click.command()
@_who_and_why
@common
def accept(options: Options, recommendation_id: str, actor: str, note: str) -> int:
    """Accept a recommendation. Prices and holdings are looked at again: a stale one is refused.

    Example: trimtab accept R-20260630-core-1a2b3c4d --by maria --note "signed by two"
    """
    return _answer(options, recommendation_id, "accepted", actor, note)


@click.command()
@_who_and_why
@common
def reject(options: Options, recommendation_id: str, actor: str, note: str) -> int:
    """Reject a recommendation; the target in force stays as it was.

    Example: trimtab reject R-20260630-core-1a2b3c4d --note "waiting for the audit"
    """
    return _answer(options, recommendation_id, "rejected", actor, note)


@click.command()
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="How long; 24 unless given.")
@click.option("--until", type=INSTANT, help="Until when, UTC; instead of --hours.")
@_who_and_why
@common
def snooze(
    options: Options,
    recommendation_id: str,
    actor: str,
    note: str,
    hours: float | None,
    until: datetime | None,
) -> int:
    """Keep a portfolio's proposals quiet for a while; a breach of a hard limit is told all the same.

    Example: trimtab snooze R-20260630-core-1a2b3c4d --hours 12
    """
    if hours is not None and until is not None:
        raise click.UsageError("Wanted --hours or --until, found both. Give one.")
    return _answer(
        options, recommendation_id, "snoozed", actor, note, until, hours=hours or DEFAULT_SNOOZE_HOURS
    )


@click.command()
@_who_and_why
@common
def retract(options: Options, recommendation_id: str, actor: str, note: str) -> int:
    """Take a wrong recommendation back: every channel that was told of it is told so at once.

    Example: trimtab retract R-20260630-core-1a2b3c4d --by maria --note "the price feed was wrong"
    """
    return _answer(options, recommendation_id, "retracted", actor, note)


def _answer(
    options: Options,
    recommendation_id: str,
    event: Event,
    actor: str,
    note: str,
    until: datetime | None = None,
    *,
    hours: float = 0.0,
) -> int:
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, event, reporter=reporter)
        if event == "snoozed" and until is None:
            until = context.as_of + timedelta(hours=hours)
        who = actor or getpass.getuser()
        told = answer(run_directly, context, recommendation_id, event, who, note, until)
    assert told.answer is not None
    if options.json:
        click.echo(json.dumps(jsonable({**told.answer.__dict__, "exit_status": told.status}), indent=2))
    else:
        click.echo(told.answer.sentence)
        if told.notify is not None and told.notify.sentence:
            click.echo(told.notify.sentence)
    return worst(told.status)
