"""What comes from outside as code: locks, wheels, serialised objects, and telemetry."""

import ast
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from flows.cli import COMMANDS
from flows.serve import LOOPBACK, serve_environment
from tasks.settings import QUIET_LIBRARIES
from tests.tasks.support import small_settings

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bootstrap.lock")
CODE = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^\\]+)? \\$")
LOADERS = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
# What makes an object, or runs a text, from what was read.
UNSAFE = {"load", "loads", "Unpickler", "unsafe_load", "full_load", "read_pickle", "load_module"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_one_version_with_its_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    blocks = [block for block in re.split(r"(?m)^(?=[a-z0-9])", text) if not block.startswith("#")]
    packages = [block for block in blocks if block.strip()]
    assert len(packages) >= 1
    for block in packages:
        first = block.splitlines()[0]
        assert PINNED.match(first), first
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), first
    assert not re.search(r"://|--index-url|--extra-index|--find-links|git\+|\.whl", text)


def test_nothing_is_in_a_lock_that_nobody_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    named = {re.split(r"[<>=!~\[ ;]", line)[0].lower() for line in asked}
    for lock in LOCKS[:2]:
        blocks = re.split(r"(?m)^(?=[a-z0-9])", (ROOT / lock).read_text())
        for block in blocks:
            name = re.split(r"[=\[]", block)[0]
            if not block.strip() or block.startswith("#"):
                continue
            parents = set(re.findall(r"(?m)^    #(?: via|  ) +([a-z0-9._-]+)", block))
            assert name in named or parents - {"trimtab", "-c"}, block
            assert not re.match(r"ccxt[-_.]", name), "a look-alike of ccxt"


def test_every_install_checks_hashes():
    made = (ROOT / "Makefile").read_text()
    installs = [line for line in made.splitlines() if re.search(r"pip (install|sync)", line)]
    assert installs
    assert all("--require-hashes" in line for line in installs), installs


def wheel(folder, body):
    path = folder / "harmless-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("harmless.py", body)
        archive.writestr(
            "harmless-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n"
        )
        archive.writestr(
            "harmless-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("harmless-1.0.dist-info/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_tampered_wheel_is_not_installed(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text(f"harmless==1.0 --hash=sha256:{wheel(tmp_path, 'x = 1')}\n")
    uv = Path(sys.executable).with_name("uv")
    command = [
        *(str(uv), "pip", "install", "--quiet", "--offline", "--no-index", "--no-cache", "--require-hashes"),
        *("--find-links", str(tmp_path), "--target", str(tmp_path / "site"), "-r", str(lock)),
        *("--python", sys.executable),
    ]
    honest = subprocess.run(command, capture_output=True, text=True, check=False)
    assert honest.returncode == 0, honest.stderr
    wheel(tmp_path, "x = 'stolen'")
    tampered = subprocess.run([*command, "--reinstall"], capture_output=True, text=True, check=False)
    assert tampered.returncode != 0
    assert "hash" in tampered.stderr.lower()
    assert "stolen" not in (tmp_path / "site" / "harmless.py").read_text()


def test_no_room_loads_an_object_or_runs_a_text_from_disk():
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            call = node.func
            owner = (
                call.value.id if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) else ""
            )
            name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
            is_loader = owner in LOADERS | {"yaml", "torch", "numpy", "np"} and name in UNSAFE
            is_run = not owner and name in {"eval", "exec", "compile", "__import__"}
            if is_loader or is_run or name == "read_pickle":
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {owner}.{name}")
    assert found == []


def test_prefect_keeps_no_results_and_would_read_them_as_json(tmp_path):
    environment = serve_environment(small_settings("http://127.0.0.1:9", tmp_path), 4207)
    assert environment["PREFECT_RESULTS_DEFAULT_SERIALIZER"] == "json"
    assert environment["PREFECT_RESULTS_PERSIST_BY_DEFAULT"] == "false"


def test_only_the_page_itself_may_call_the_server(tmp_path):
    environment = serve_environment(small_settings("http://127.0.0.1:9", tmp_path), 4207)
    origins = environment["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"].split(",")
    assert origins == ["http://127.0.0.1:4207", "http://localhost:4207"]
    assert environment["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"
    assert LOOPBACK == "127.0.0.1"


def test_telemetry_is_off_before_a_library_that_has_it_is_imported():
    kept = {k: v for k, v in os.environ.items() if k not in QUIET_LIBRARIES}
    code = (
        "import os, sys\n"
        "from flows.cli import invoke\n"
        "assert not {'prefect', 'great_expectations'} & {name.split('.')[0] for name in sys.modules}\n"
        "invoke(['--help'])\n"
        "assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'\n"
        "assert os.environ['PREFECT_SERVER_ANALYTICS_ENABLED'] == 'false'\n"
        "assert os.environ['DO_NOT_TRACK'] == '1'\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=kept, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


def test_there_is_no_bundle_that_could_take_a_secret_along():
    """A command that packs files for somebody else comes with its own allow-list and test, or not at all."""
    assert not [name for name in COMMANDS if re.search(r"bundle|support|dump|collect|archive|report", name)]
