"""`trimtab sandbox serve`: the simulated market by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from flows.options import INSTANT
from sandbox.server import DEFAULT_NOW
from sandbox.server import serve as serve_market


@click.group()
def sandbox() -> None:
    """A simulated market on this machine that speaks real venues' wire formats."""


@sandbox.command()
@click.option("--port", default=8900, show_default=True, help="The port on 127.0.0.1; 0 takes a free one.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another market.")
@click.option("--now", type=INSTANT, help="Freeze the market's time; without it, it runs with the clock.")
@click.option("--limits/--no-limits", default=True, show_default=True, help="Enforce request limits.")
def serve(port: int, seed: int, now: datetime | None, limits: bool) -> int:
    """Serve until Ctrl-C. Use it with `trimtab init --profile sandbox`.

    Example: trimtab sandbox serve --port 8900 --seed 7
    """
    moment = (now or DEFAULT_NOW).astimezone(UTC)
    mode = "wall" if now is None else "fixed"

    def ready(actual: int) -> None:
        frozen = f", its time frozen at {moment:%Y-%m-%d %H:%M} UTC" if now else ""
        click.echo(f"Simulated market on http://127.0.0.1:{actual} (seed {seed}{frozen}). Ctrl-C stops it.")

    serve_market(port=port, seed=seed, clock=mode, now=moment, limits=limits, on_ready=ready)
    return 0
