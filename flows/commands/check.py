"""`trimtab check`: what can be wrong before any data are fetched."""

from __future__ import annotations

import json

import click

from flows.options import Options, common
from flows.safety import hide_secrets
from tasks.channel_routes import channel_problems
from tasks.clock import RealClock
from tasks.policy import lines_of
from tasks.settings import ConfigError, load_settings
from tasks.sleeve_parameters import LACKING, sleeve_assets
from tasks.sources._licences import warnings_of
from warehouse.check import check as check_catalogue


@click.command()
@common
def check(options: Options) -> int:
    """Configuration, SQL catalogue, feasibility of every portfolio's constraints; no network, no data.

    Example: trimtab check --config trimtab.toml
    """
    settings = load_settings(options.config, options.home)
    hide_secrets(settings)
    broken = channel_problems(settings, RealClock().now())
    if broken:
        raise ConfigError("\n".join(f"{settings.config_path}: {problem}" for problem in broken))
    problems = check_catalogue()
    facts = {
        "configuration": str(settings.config_path),
        "portfolios": {name: list(lines_of(settings, name)) for name in settings.portfolios},
        "licences": warnings_of(settings.sources),
        "problems": problems,
    }
    if options.json:
        click.echo(json.dumps(facts, indent=2))
    elif problems:
        click.echo("\n".join(problems), err=True)
    else:
        click.echo(f"{settings.config_path}: in order.")
        for name, portfolio in settings.portfolios.items():
            lines = len(lines_of(settings, name))
            click.echo(
                f"Portfolio {name}: {portfolio.objective} over {lines} lines; its constraints can be met."
            )
            for sleeve in portfolio.sleeves:
                if sleeve in LACKING and not sleeve_assets(settings, sleeve):
                    click.echo(f"  note: the sleeve {sleeve} has no lines: {LACKING[sleeve]}.")
            if "staking" in portfolio.sleeves and "spot" not in portfolio.sleeves:
                click.echo(
                    "  note: what is staked earns its yield and what its coin does, which only a spot line "
                    'estimates: without "spot" in sleeves little or nothing is staked.'
                )
        for sentence in warnings_of(settings.sources):
            click.echo(f"Licence: {sentence}")
        click.echo("SQL catalogue: in order.")
    return 1 if problems else 0
