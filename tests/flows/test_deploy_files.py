"""What lies under deploy/ fits the product: every command, variable and file named there exists."""

import ast
import configparser
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from flows.cli import COMMANDS
from flows.prefect_server import main as prefect_server
from flows.prefect_server import require_safe
from flows.prefect_worker import main as prefect_worker
from flows.serve import main as serve
from flows.serve import serve_environment
from tests.tasks.support import small_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
SECRETS = ("TRIMTAB_CHANNEL", "TRIMTAB_KEY", "TRIMTAB_SECRET", "TRIMTAB_HEARTBEAT", "AUTH_STRING", "PASSWORD")


class Unit(configparser.RawConfigParser):
    optionxform = staticmethod(str)


def lines_of(unit: Path, name: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{name}=")]


def variables(text: str) -> dict[str, str]:
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(row.split("=", 1) for row in rows)


def require_works(words: list[str]) -> None:
    """Fail unless the product has this command and takes these options: `python -m module …`."""
    assert words[0].endswith("python")
    assert words[1] == "-m"
    module, arguments = words[2], words[3:]
    if module == "flows.prefect_setup":  # not imported: Prefect would come along
        tree = ast.parse((ROOT / "flows" / "prefect_setup.py").read_text())
        commands = {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list
        }
        assert set(arguments) <= commands - {"main"}
    elif module == "flows":
        home = import_module(f"flows.commands.{COMMANDS[arguments[0]][0]}")
        getattr(home, arguments[0]).make_context(arguments[0], arguments[1:])
    else:
        ours = {
            "flows.serve": serve,
            "flows.prefect_server": prefect_server,
            "flows.prefect_worker": prefect_worker,
        }
        ours[module].make_context(module, arguments)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_what_there_is_and_keeps_to_itself(unit):
    commands = [
        shlex.split(line)
        for name in ("ExecStartPre", "ExecStart", "ExecStartPost")
        for line in lines_of(unit, name)
    ]
    assert commands
    for words in commands:
        assert words[0] == "/opt/trimtab/.venv/bin/python"
        require_works(words)
    told = {
        name: lines_of(unit, name)
        for name in ("UMask", "NoNewPrivileges", "ProtectSystem", "User", "CapabilityBoundingSet")
    }
    assert told == {
        "UMask": ["0077"],
        "NoNewPrivileges": ["yes"],
        "ProtectSystem": ["strict"],
        "User": ["trimtab"],
        "CapabilityBoundingSet": [""],
    }
    assert "-/etc/trimtab/secrets.env" in lines_of(unit, "EnvironmentFile")
    assert not any(secret in line for secret in SECRETS for line in lines_of(unit, "Environment"))


def test_systemd_itself_finds_nothing_wrong(tmp_path):
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("systemd-analyze is not here; the parser above has read the units")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace("/opt/trimtab/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(
            text.replace("/opt/trimtab", str(ROOT)).replace("User=trimtab", "User=root")
        )
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [verifier, "verify", *units], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_timer_starts_a_unit_that_is_there():
    (timer,) = (DEPLOY / "systemd").glob("*.timer")
    parsed = Unit()
    parsed.read(timer)
    assert parsed["Timer"]["OnCalendar"] == "*:4/15"
    assert timer.with_suffix(".service").is_file()


def test_the_shared_settings_are_those_of_make_serve(tmp_path):
    shared = variables((DEPLOY / "prefect.env").read_text())
    own = serve_environment(small_settings("http://127.0.0.1:9", tmp_path), 4200)
    assert {name: own[name] for name in shared} == shared
    named = (
        "PREFECT_HOME",
        "PREFECT_PROFILES_PATH",
        "PREFECT_API_URL",
    )  # places, told by each way of its own
    ours = ast.parse((ROOT / "flows" / "serve.py").read_text())
    told = {
        node.value
        for node in ast.walk(ours)
        if isinstance(node, ast.Constant) and str(node.value).startswith("PREFECT_")
    }
    assert told - set(named) - {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"} <= shared.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_runs_what_there_is_and_holds_no_secret(name):
    service = SERVICES[name]
    command = service["command"]
    words = command if command[0] == "python" else shlex.split(re.findall(r"(python [^;]+);", command[-1])[0])
    require_works(words)
    assert service["env_file"] == ["prefect.env", "secrets.env"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("environment", {}).keys() <= {"PREFECT_API_URL", "PREFECT_HOME"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    needs = service.get("depends_on", {})
    assert needs.keys() <= SERVICES.keys()
    for other, how in needs.items():
        assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
    places = [volume.split(":")[0] for volume in service.get("volumes", [])]
    assert {place for place in places if not place.startswith(".")} <= COMPOSE["volumes"].keys()


def test_the_server_container_is_safe_by_its_own_rule():
    context = prefect_server.make_context("server", SERVICES["server"]["command"][3:])
    chosen = context.params
    require_safe(
        chosen["host"],
        "operator:long-enough-password",
        behind_tls=chosen["behind_tls"],
        allowed=chosen["allowed"],
    )
    assert SERVICES["worker"]["environment"]["PREFECT_API_URL"] == "http://server:4200/api"
    assert "server" in chosen["allowed"]
    assert {"healthcheck"} <= SERVICES["server"].keys() & SERVICES["worker"].keys() & SERVICES["watch"].keys()


def test_no_secret_is_in_any_file_of_deploy():
    for path in [path for path in DEPLOY.rglob("*") if path.is_file()]:
        for line in path.read_text().splitlines():
            found = re.search(r"(TRIMTAB_(CHANNEL|KEY|SECRET)\w*|\w*AUTH_STRING|\w*PASSWORD)=(\S+)", line)
            assert found is None or found[3].startswith("…"), (path.name, line)


def test_the_image_has_every_room_and_nothing_without_its_hash():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"(?m)^COPY (.+)$", text) for word in line.split()[:-1]]
    assert all((ROOT / word).exists() for word in copied)
    assert {"flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox", "prefect.yaml"} <= set(
        copied
    )
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in installs)
    assert text.rindex("USER trimtab") > text.rindex("RUN ")
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "*.env", ".git"} <= set(ignored)


def test_the_page_names_commands_that_there_are():
    page = (ROOT / "docs" / "deploy.md").read_text()
    assert set(re.findall(r"trimtab ([a-z]+)(?: --quiet|`| N`| by hand| \[N\])", page)) <= COMMANDS.keys()
    for unit in re.findall(r"trimtab[a-z-]*\.(?:service|timer)", page):
        assert (DEPLOY / "systemd" / unit).is_file(), unit
