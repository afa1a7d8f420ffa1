import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tasks.redaction import HIDDEN, Redactor, install

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary0123456789abcdef"
URL = f"slack://{CANARY}/B%2FB0123456789/tok.en+tok@en#alerts"


@pytest.fixture
def installed():
    restore = install([URL, CANARY])
    yield
    restore()


@pytest.mark.parametrize("form", [URL, CANARY, "B/B0123456789", "B%2FB0123456789"])
def test_a_secret_is_hidden_in_every_form(form):
    assert Redactor([URL]).text(f"could not reach {form}!") == f"could not reach {HIDDEN}!"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "https://api.telegram.org/bot123456:AAbb-cc_dd/sendMessage",
            "https://api.telegram.org/bot[secret]/sendMessage",
        ),
        (
            "POST https://hooks.slack.com/services/T0/B0/xyz failed",
            "POST https://hooks.slack.com/services/[secret] failed",
        ),
        ("https://discord.com/api/webhooks/12/ab?wait=1", "https://discord.com/api/webhooks/[secret]"),
        ("GET /x?api_key=abc123&limit=5", "GET /x?api_key=[secret]&limit=5"),
        ("signature=deadbeef", "signature=[secret]"),
        ('{"apiKey": "abc", "n": 1}', '{"apiKey":[secret]", "n": 1}'),
        ("Authorization: Bearer abc.def", "Authorization: [secret]"),
        ("https://user:pass@example.org/x", "https://[secret]@example.org/x"),
        ("nothing to hide at 12:30, 5 tokens", "nothing to hide at 12:30, 5 tokens"),
    ],
)
def test_what_looks_like_a_credential_is_hidden_although_nobody_configured_it(text, left):
    assert Redactor().text(text) == left


def test_hosts_and_short_words_stay_readable():
    text = Redactor(["jsons://example.org/in/abcdefghijk"]).text("example.org refused /in/abcdefghijk")
    assert text == f"example.org refused /in/{HIDDEN}"


def test_no_logger_prints_a_secret_whatever_is_logged(installed, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("any.room", "apprise", "urllib3.connectionpool", "prefect.flow_runs"):
        logger = logging.getLogger(name)
        logger.debug("url %s", URL)
        logger.error("path %(path)s", {"path": f"/x/{CANARY}"})
        try:
            int(URL)
        except ValueError:
            logger.exception("failed")
    assert CANARY not in caplog.text
    assert caplog.text.count("failed") == 4
    assert "ValueError: invalid literal for int() with base 10: '[secret]'" in caplog.text


def test_warnings_are_redacted():
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_args: shown.append(str(message))
        restore = install([CANARY])
        warnings.warn(f"old {CANARY}", stacklevel=1)
        restore()
        warnings.warn("plain", stacklevel=1)
    assert shown == ["old [secret]", "plain"]


def test_the_last_words_of_a_dying_process_are_redacted():
    script = f"from tasks.redaction import install\ninstall([{CANARY!r}])\nraise RuntimeError({CANARY!r})"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "RuntimeError: [secret]" in ended.stderr
    assert CANARY not in ended.stderr.replace(script, "")
