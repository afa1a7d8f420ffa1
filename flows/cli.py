"""The command line: which commands there are, and what a failure looks like.

Each command lives in `flows/commands/` and is imported only when it is asked for, so that `--help` and
`status` never wait for the libraries that a run needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

import click

from flows.checkout import require_own_rooms
from flows.exit_status import DEFECT, MISUSE, status_of
from tasks.settings import quiet_libraries
from tasks.version import VERSION

# Command → module in flows/commands and its one line of help.
COMMANDS = {
    "init": ("init", "Write a commented configuration to start from."),
    "check": (
        "check",
        "Check configuration, tables and the feasibility of every portfolio; no network, no data.",
    ),
    "run": ("run", "The whole job once: fetch, check, decide, publish, notify."),
    "ingest": ("ingest", "Fetch what is missing."),
    "backfill": ("ingest", "Fetch a range of the past; no alerts."),
    "validate": ("validate", "Run the gate on what is stored."),
    "recommend": ("recommend", "Decide on what the warehouse holds; fetch nothing."),
    "status": ("status", "Freshness, last runs, holds with reasons, pending recommendations and alerts."),
    "sql": ("sql", "Ask the published warehouse, read-only."),
    "tables": ("tables", "The tables and what each one holds."),
    "show": ("tables", "One table: its columns with meanings and units, and its first rows."),
    "explain": ("explain", "Why a recommendation says what it says."),
    "replay": ("replay", "Decide a recommendation again from what is stored, and compare."),
    "export": ("export", "The orders of a recommendation as CSV or for ccxt; Trimtab places none itself."),
    "backtest": ("backtest", "Try a policy on the past, beside its variations and plain portfolios."),
    "scoreboard": (
        "scoreboard",
        "What recommendations came to, and whether the record is as it was written.",
    ),
    "doctor": (
        "doctor",
        "Sources and channels, clock, licences, limits, disk, home, keys, scheduler: one line each.",
    ),
    "revisions": (
        "revisions",
        "Facts that changed after they were first known, and the recommendations that used them.",
    ),
    "restore": ("restore", "Put the master back from a verified snapshot."),
    "maintain": ("maintain", "Old versions to Parquet, the master compacted; --restore puts them back."),
    "accept": ("lifecycle", "Accept a recommendation: its target is in force from then on."),
    "reject": ("lifecycle", "Reject a recommendation; the target in force stays."),
    "snooze": ("lifecycle", "Keep a recommendation quiet for a while."),
    "retract": ("lifecycle", "Take a wrong recommendation back, wherever it was told."),
    "positions": ("positions", "Import or show what a portfolio holds."),
    "holdings": ("positions", "The same as positions."),
    "nav": ("nav", "Value, drift from the target, and time-weighted performance by sleeve."),
    "stress": ("stress", "What holdings and proposal would lose: past episodes, shocks, Monte Carlo."),
    "sensitivity": ("sensitivity", "Which input of a decision to doubt first; weight bands, beta, macro."),
    "signals": ("signals", "What each signal has been worth out of sample, and which are proven."),
    "notify": ("notify", "Deliver pending alerts; --test sends a harmless message to every channel."),
    "guard": ("guard", "Risk alerts that need no optimiser: margin, hedges, pegs, funding, incidents, cash."),
    "watch": ("watch", "The watchdog: say when data, runs or deliveries are overdue; for cron."),
    "demo": ("demo", "The whole job on a simulated market on this machine."),
    "sandbox": ("simulated", "The simulated market by itself."),
    "docs": ("docs", "Write the generated pages (tables, commands); --check only compares."),
}


class LateGroup(click.Group):
    """A group that imports a command's module when the command is used, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command, or answer None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"flows.commands.{COMMANDS[cmd_name][0]}")
        return getattr(module, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when one is misspelt."""
        import difflib  # noqa: PLC0415 - needed only when something was misspelt

        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "`trimtab --help` lists them."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands from the table above, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(VERSION, prog_name="trimtab")
def cli() -> None:
    """Trimtab keeps a digital-asset portfolio on course: it recommends, it never trades.

    Start with `trimtab demo` (a simulated market on this machine) or `trimtab init` and `trimtab run`.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit status."""
    sys.exit(invoke(arguments))


def invoke(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; failures are told in sentences on stderr."""
    quiet_libraries()
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        require_own_rooms()
        status = cli.main(args=arguments, prog_name="trimtab", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        click.echo(f"{error.format_message()}\nTry `trimtab --help`.", err=True)
        return MISUSE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was stored stays stored; the next run goes on from there.", err=True)
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        if debug:
            raise
        return _tell(error)
    return status if isinstance(status, int) else 0


def _tell(error: Exception) -> int:
    status = status_of(error)
    if status is None:
        text = (
            f"A defect of Trimtab: {type(error).__name__}: {error}\n"
            "Nothing that was stored is lost. Run it again with --debug and report what it prints."
        )
    else:
        text = str(error)
    from flows.safety import safe  # noqa: PLC0415 - only a failure needs it

    click.echo(safe(text), err=True)
    return DEFECT if status is None else status
