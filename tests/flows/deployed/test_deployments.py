"""prefect.yaml against the flows: what is deployed exists, and what exists is deployed."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROJECT = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS = PROJECT["deployments"]
NAMES = [deployment["name"] for deployment in DEPLOYMENTS]


def decorated_flows() -> set[str]:
    """The dotted name of every function in flows/ that bears @flow, found without importing anything."""
    found = set()
    for path in sorted((ROOT / "flows").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                calls = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
                if any(isinstance(call, ast.Name) and call.id == "flow" for call in calls):
                    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                    found.add(f"{module}.{node.name}")
    return found


def test_every_flow_is_deployed_and_every_deployment_has_its_flow():
    assert {deployment["entrypoint"] for deployment in DEPLOYMENTS} == decorated_flows()
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=NAMES)
def test_an_entrypoint_is_dotted_and_a_flow_that_people_can_read_about(deployment):
    entrypoint = deployment["entrypoint"]
    assert ":" not in entrypoint
    assert "/" not in entrypoint
    module, name = entrypoint.rsplit(".", 1)
    found = getattr(import_module(module), name)
    assert found.name == name
    assert found.persist_result is False
    # steps have the time limits: one around them would take the alarm away from them
    assert found.timeout_seconds is None or name == "selftest"
    assert len(found.description or "") > 60  # shown on Prefect's page
    assert set(found.parameters.properties) <= {"config", "home", "as_of", "portfolio"}  # and never a secret


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=NAMES)
def test_a_deployment_runs_alone_in_the_pool_on_a_utc_schedule(deployment):
    assert deployment["work_pool"]["name"] == "trimtab"
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment["schedules"]
    for schedule in deployment["schedules"]:
        assert schedule["timezone"] == "UTC"


def test_the_code_is_found_where_the_checkout_is():
    assert "{{ checkout.directory }}" in str(PROJECT["pull"])
    assert str(ROOT) not in (ROOT / "prefect.yaml").read_text()


def test_the_command_line_and_serve_do_not_import_prefect():
    code = (
        "import sys, flows.cli, flows.stories, flows.serve, flows.outcome\n"
        "sys.exit(1 if any(name.split('.')[0] == 'prefect' for name in sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
