"""`trimtab demo`: the whole job on a simulated market, through the very code of a live run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from flows.checkout import ROOT
from flows.exit_status import MisuseError
from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.paper import console
from flows.portfolios import chosen_portfolios
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import rebalance
from sandbox.server import running_sandbox
from tasks.settings import Settings, load_settings

CONFIG = ROOT / "examples" / "sandbox.toml"
HOME = Path("demo-home")


@click.command()
@click.option("--seed", default=7, show_default=True, help="Another seed is another market.")
@common
def demo(options: Options, seed: int) -> int:
    """Start the simulated market on loopback, run the main job against it, and print the recommendation.

    Example: trimtab demo
    """
    home = (options.home or HOME).absolute()
    _clear(home)
    out = console()
    with running_sandbox(seed=seed, limits=False) as market:
        settings = _pointed_at(load_settings(options.config or CONFIG, home), market.base_url)
        with reporting(quiet=options.quiet) as reporter:
            context = open_context(None, None, market.now, "demo", reporter=reporter, settings=settings)
            told = rebalance(run_directly, context, chosen_portfolios(settings, None))
    status = print_outcome(context, told, options)
    if not options.json:
        out.print(Text("\nThe data above are simulated: this machine invented the market.", style="yellow"))
        click.echo(f"Ask its warehouse:  trimtab sql --config {_short(CONFIG)} --home {_short(home)} \\")
        click.echo('                      "select * from mart.recommendation_trades"')
        click.echo("Go live, without a key:  trimtab init my-portfolio && cd my-portfolio && trimtab run")
    return status


def _clear(home: Path) -> None:
    """A demo begins with an empty home; only a home that a simulated market filled is ever removed."""
    if not home.exists() or not any(home.iterdir()):
        return
    stamp = home / "stamp.json"
    if not stamp.is_file() or '"simulated": true' not in stamp.read_text(encoding="utf-8"):
        raise MisuseError(
            f"Wanted an empty folder or an earlier demo's home at {home}, found other files. "
            "Name another folder with --home."
        )
    shutil.rmtree(home)


def _pointed_at(settings: Settings, base_url: str) -> Settings:
    """The same settings with every source at the simulated market's address."""
    sources: dict[str, Any] = {
        name: section.model_copy(update={"base_url": base_url})
        for name, section in settings.sources
        if section is not None
    }
    return settings.model_copy(
        update={
            "venues": tuple(venue.model_copy(update={"base_url": base_url}) for venue in settings.venues),
            "sources": settings.sources.model_copy(update=sources),
        }
    )


def _short(path: Path) -> str:
    """Relative to where the user stands, when that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
