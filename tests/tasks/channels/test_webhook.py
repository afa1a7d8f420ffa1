from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.channels import webhook
from tasks.channels._delivery import Target
from tasks.messages import Message

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = Message("core: sell 10 USD", "SELL 1 BTC", "R-1")


def target(url: str, **changes) -> Target:
    given = {"signing_key": "k3y", "allow_private_hosts": True, "timeout_seconds": 5.0, "now": NOW}
    return Target("desk", url, **{**given, **changes})


def send(sink, **changes):
    url = f"http://127.0.0.1:{sink.port}/in"
    return webhook.send(MESSAGE, target(url, **changes), idempotency_key="A-1")


def documented():
    """The function that docs/alerts.md gives to receivers."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    return names["is_genuine"]


def test_a_receiver_can_tell_genuine_from_forged(sink):
    assert send(sink).status == "sent"
    (request,) = sink.received
    assert request.json == {
        "alert_id": "A-1",
        "title": MESSAGE.title,
        "body": MESSAGE.body,
        "recommendation_id": "R-1",
    }
    assert request.headers["Idempotency-Key"] == "A-1"
    is_genuine, now = documented(), NOW.timestamp()
    assert is_genuine(request.headers, request.body, "k3y", now + 299)
    assert not is_genuine(request.headers, request.body, "k3y", now + 301)
    assert not is_genuine(request.headers, request.body, "other", now)
    assert not is_genuine(request.headers, request.body.replace(b"SELL", b"BUY "), "k3y", now)
    later = request.headers | {"X-Trimtab-Timestamp": str(int(now) + 60)}
    assert not is_genuine(later, request.body, "k3y", now)


def test_without_a_key_nothing_pretends_to_be_signed(sink):
    assert send(sink, signing_key=None).status == "sent"
    assert "X-Trimtab-Signature" not in sink.received[0].headers


@pytest.mark.parametrize(
    ("answer", "status"), [(500, "failed"), ("redirect", "failed"), ("lost", "ambiguous"), (204, "sent")]
)
def test_the_answer_decides(sink, answer, status):
    sink.script, sink.content = [answer], b""
    sink.redirect_to = f"http://127.0.0.1:{sink.port}/elsewhere"
    assert send(sink).status == status
    assert len(sink.received) == 1


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/x", "https://127.0.0.1/x", "https://10.1.2.3/x", "ftp://a/b", "x", ""]
)
def test_unsafe_receivers_are_refused(url):
    problem = webhook.check(target(url, allow_private_hosts=False))
    assert problem is not None
    assert webhook.check(target("https://hooks.example.org/x", allow_private_hosts=False)) is None
