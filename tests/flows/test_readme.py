"""The README tells the truth: its commands exist and run, and the demo prints what it shows."""

import re
import shlex
import subprocess
import sys

import pytest

from flows.cli import COMMANDS, invoke
from sandbox.server import running_sandbox
from tests.flows.jobs import ROOT, trimtab, write_job

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
LINES = [line[2:] for block in BLOCKS for line in block.splitlines() if line.startswith("$ ")]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def masked(text: str) -> list[str]:
    """Lines without figures, ids and the width of columns."""
    # The identity first: the next line would leave its letters, which change with every input.
    lines = [re.sub(r"R-\d+-core-[0-9a-f]+", "R-ID", line) for line in text.splitlines()]
    lines = [re.sub(r"[-+]?\d[\d,.]*", "#", line) for line in lines]
    return [" ".join(re.sub(r"[─]+", "-", line).split()) for line in lines if line.strip()]


def test_there_are_commands_to_run():
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_every_command_exists(line):
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        assert words[1] in TARGETS
    elif words[0] == "trimtab":
        assert words[1] in COMMANDS
    else:
        assert words[0] in {"export", "cd", "cp", "chmod"}


def test_the_demo_prints_what_the_readme_shows(tmp_path):
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    done = subprocess.run(
        [sys.executable, "-m", "flows", "demo", "--quiet", "--home", str(tmp_path / "demo-home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.replace(str(tmp_path / "demo-home"), "demo-home")
    assert masked(told) == masked(shown[1])


def test_the_questions_of_the_readme_are_answered(tmp_path, capsys):
    with running_sandbox(seed=7) as market:
        config = write_job(tmp_path, market.base_url)
        assert trimtab(config, "run") == 0
    asked = [
        line
        for line in LINES
        if line.startswith(("trimtab sql", "trimtab status", "trimtab show", "trimtab tables"))
    ]
    assert len(asked) >= 4
    for line in asked:
        capsys.readouterr()
        words = shlex.split(line, comments=True)[1:]
        assert invoke([*words, "--config", str(config)]) == 0, line
        assert capsys.readouterr().out.strip(), line


def test_every_command_is_documented():
    pages = "".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    )
    for name in COMMANDS:
        assert f"trimtab {name}" in pages or name == "holdings"


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
