"""`trimtab init`: a configuration to start from."""

from __future__ import annotations

from pathlib import Path

import click

from flows.checkout import ROOT
from flows.exit_status import MisuseError
from flows.options import Options, common

EXAMPLES = ROOT / "examples"
PROFILES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.toml")))


@click.command()
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False))
@click.option("--profile", type=click.Choice(PROFILES), help="A ready profile; without it the general one.")
@common
def init(options: Options, folder: Path, profile: str | None) -> int:
    """Write trimtab.toml, .env.example and a sample holdings.csv; existing files are never overwritten.

    Example: trimtab init my-fund --profile treasury
    """
    config = EXAMPLES / f"{profile}.toml" if profile else ROOT / "trimtab.toml"
    sources = {
        folder / "trimtab.toml": config,
        folder / ".env.example": ROOT / ".env.example",
        folder / "holdings.csv": EXAMPLES / "holdings.csv",
    }
    taken = [str(path) for path in sources if path.exists()]
    if taken:
        raise MisuseError(
            f"Wanted to write {', '.join(path.name for path in sources)} in {folder}; "
            f"already there: {', '.join(taken)}. Name another folder, or move them away."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for target, source in sources.items():
        target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        if not options.quiet:
            click.echo(f"{target} written.")
    if not options.quiet:
        click.echo(
            "Next: put your positions into holdings.csv, then `trimtab check` and `trimtab run`. "
            "No key is needed; nothing is ever traded."
        )
    return 0
