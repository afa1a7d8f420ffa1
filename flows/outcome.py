"""What a run prints when it is over, and the status it ends with."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.text import Text

from flows.options import Options
from flows.paper import console, jsonable
from flows.recommendation_view import show
from flows.stories import Told
from tasks.context import RunContext
from tasks.told import gather
from warehouse.reader import open_published


def print_outcome(context: RunContext, told: Told, options: Options) -> int:
    """Print what the story came to and return its exit status."""
    if options.json:
        click.echo(_json(context, told))
        return told.status
    out = console()
    _print_parts(out, told)
    if told.recommendations:
        with open_published(context.home) as reader:
            for answer in told.recommendations:
                whole = gather(reader, answer.recommendation_id)
                if whole is not None:
                    show(out, whole)
        _print_next(out, told)
    return told.status


def _print_parts(out: Console, told: Told) -> None:
    if told.ingest is not None:
        out.print(Text(told.ingest.sentence))
        for failure in told.ingest.failures:
            out.print(Text(f"  FAILED {failure.sentence}", style="red"))
    if told.validation is not None:
        for sentence in told.validation.sentences:
            out.print(Text(sentence))
        if told.was_asked_for_verdict and told.validation.page:
            out.print(Text(f"As a page: {told.validation.page}", style="dim"))
    if told.notify is not None and told.notify.sentence:
        out.print(Text(told.notify.sentence))


def _print_next(out: Console, told: Told) -> None:
    answer = told.recommendations[0]
    if not answer.is_new:
        out.print(Text("This recommendation was recorded before; nobody was told again.", style="dim"))
    out.print(Text(f"\nWhy, line by line: trimtab explain {answer.recommendation_id}", style="dim"))


def _json(context: RunContext, told: Told) -> str:
    recommendations: list[object] = []
    if told.recommendations:
        with open_published(context.home) as reader:
            recommendations = [
                {**asdict(answer), **(gather(reader, answer.recommendation_id) or {})}
                for answer in told.recommendations
            ]
    whole = {
        "run_id": told.run_id,
        "as_of": told.as_of,
        "exit_status": told.status,
        "ingest": None if told.ingest is None else asdict(told.ingest),
        "validation": None if told.validation is None else asdict(told.validation),
        "notify": None if told.notify is None else asdict(told.notify),
        "recommendations": recommendations,
    }
    return json.dumps(jsonable(whole), indent=2, ensure_ascii=False, default=str)
