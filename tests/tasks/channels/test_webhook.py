import hashlib
import hmac
from datetime import UTC, datetime

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


def genuine(request, key: str, now: float) -> bool:
    """What docs/alerts.md tells a receiver to do."""
    stamp = request.headers["X-Trimtab-Timestamp"]
    signed = hmac.new(key.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    same = hmac.compare_digest(f"sha256={signed}", request.headers["X-Trimtab-Signature"])
    return same and abs(now - int(stamp)) <= 300


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
    assert genuine(request, "k3y", NOW.timestamp() + 299)
    assert not genuine(request, "k3y", NOW.timestamp() + 301)
    assert not genuine(request, "other", NOW.timestamp())
    request.body = request.body.replace(b"SELL", b"BUY ")
    assert not genuine(request, "k3y", NOW.timestamp())


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
