"""A canary in every secret: commands that fail at DEBUG leave it nowhere, and no stranger is called."""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sandbox.server import running_sandbox
from tests.flows.jobs import write_job

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary5f0c9ad2e71b4836"
IN_A_FILE = "canary0b6e44c1d93f7a25"  # the key of a webhook, in .env beside the configuration
# Logging at DEBUG into a file from the first import on, then each command as a user would call it.
DRIVER = """
import json, logging, sys
import requests
logging.basicConfig(level=logging.DEBUG, filename=sys.argv[1])
from flows.cli import invoke
commands = json.loads(sys.argv[2])

def ended(command):
    try:
        return invoke(command)
    except Exception:  # what --debug lets through: a traceback, into the log
        logging.exception("a traceback")
        return 1

print(json.dumps({" ".join(command[:2]): ended(command) for command in commands}))
requests.get("http://control.invalid/seen")  # a call to a stranger would be seen like this one
"""


class Catcher:
    """Answers every request with 500, or as a proxy with 403, and keeps what came."""

    def __init__(self):
        self.lines, self.bodies = [], []
        catcher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                catcher.lines.append(self.requestline)
                catcher.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self.send_error(403 if self.command == "CONNECT" else 500)

            do_GET = do_POST = do_CONNECT = answer  # noqa: N815 - http.server's names

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder, the receiver, the proxy, and what was said, after every command with every secret set."""
    folder = tmp_path_factory.mktemp("canary")
    with running_sandbox(seed=7) as market, Catcher() as sink, Catcher() as proxy:
        hook = '\n[channels.hook]\nkind = "webhook"\nallow_private_hosts = true\n'
        config = write_job(folder, market.base_url, hook)
        at = ["--config", str(config)]
        commands = [
            ["run", *at, "--as-of", market.now.isoformat()],
            ["notify", *at],
            ["notify", "--test", *at],
            ["watch", *at],
            ["doctor", *at],
            ["positions", "fetch", "binance", *at],
            ["status", *at, "--json"],
            ["backfill", "--since", "soon", *at],
            ["guard", *at, "--as-of", market.now.isoformat(), "--debug"],
            ["replay", "R-of-nobody", *at, "--debug"],
            ["restore", "99", *at, "--debug"],
            ["positions", "import", str(folder / "debug.log"), *at, "--debug"],
        ]
        private = folder / ".env"
        private.touch(0o600)
        private.write_text(f"TRIMTAB_CHANNEL_HOOK_KEY=key-{IN_A_FILE}\n")
        secrets = {
            "TRIMTAB_CHANNEL_OPS": f"json://user:{CANARY}@127.0.0.1:{sink.port}/{CANARY}",
            "TRIMTAB_CHANNEL_HOOK": f"http://127.0.0.1:{sink.port}/{CANARY}",
            "TRIMTAB_HEARTBEAT": f"http://127.0.0.1:{sink.port}/beat/{CANARY}",
            "TRIMTAB_KEY_BINANCE": f"public-{CANARY}",
            "TRIMTAB_SECRET_BINANCE": f"private-{CANARY}",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "TRIMTAB_", "GX_"))}
        kept.pop("DO_NOT_TRACK", None)
        outside = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
            f"http://user:{CANARY}@127.0.0.1:{proxy.port}",
        )
        near = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        ended = subprocess.run(
            [sys.executable, "-c", DRIVER, str(folder / "debug.log"), json.dumps(commands)],
            cwd=ROOT, env={**kept, **outside, **near, **secrets},
            capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        yield folder, sink, proxy, ended


def test_the_commands_really_ran_and_really_failed(ran):
    folder, sink, _, ended = ran
    statuses = json.loads(ended.stdout.splitlines()[-1])
    assert statuses["run --config"] == 3, ended.stderr.decode()  # decided, but not delivered
    assert statuses["positions fetch"] == 2
    assert statuses["backfill --since"] == 2
    assert any(line.startswith("POST") for line in sink.lines)
    logged = (folder / "debug.log").read_text()
    assert "DEBUG" in logged
    assert "Traceback" in logged


def test_no_secret_is_in_any_file_log_table_or_word(ran):
    folder, _, _, ended = ran
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".duckdb" for path in files)
    for secret in (CANARY, IN_A_FILE):
        holders = [path.name for path in files if secret.encode() in path.read_bytes()]
        assert holders == ([".env"] if secret == IN_A_FILE else [])
        assert secret not in (ended.stdout + ended.stderr).decode()


def test_no_secret_is_in_what_receivers_get(ran):
    _, sink, _, _ = ran
    assert sink.bodies
    assert not any(secret.encode() in body for secret in (CANARY, IN_A_FILE) for body in sink.bodies)


def test_nobody_is_called_but_who_is_configured(ran):
    _, _, proxy, _ = ran
    assert proxy.lines == ["GET http://control.invalid/seen HTTP/1.1"]
