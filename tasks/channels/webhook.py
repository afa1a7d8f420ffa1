"""Posts an alert as signed JSON to a receiver of one's own.

The receiver can tell a repeat (header Idempotency-Key: the alert's id) and a forgery: X-Trimtab-Signature is
the HMAC-SHA256 of "<timestamp>.<body>" under the channel's key, X-Trimtab-Timestamp is in Unix seconds, and
a stamp more than five minutes off is to be refused (docs/alerts.md shows how to verify).
"""

import hashlib
import hmac
import json
from urllib.parse import urlsplit

import requests

from tasks.channels._delivery import Delivery, Problem, Target
from tasks.channels._verdict import judge
from tasks.channels._wire import names_private_host, watched
from tasks.messages import Message
from tasks.redaction import Redactor, quiet_libraries

KIND = "webhook"
NEEDS_SECRET = True


def check(target: Target) -> Problem | None:
    """Say why this URL can not work or must not be used; no network is touched."""
    name = f"TRIMTAB_CHANNEL_{target.channel.upper()}"
    url = urlsplit(target.secret)
    if url.scheme not in {"http", "https"} or not url.hostname:
        return Problem(f"an https URL in {name}", "something else", "Correct it.")
    allow = "Set allow_private_hosts = true for this channel if that receiver is meant."
    if not target.allow_private_hosts and url.scheme != "https":
        return Problem(f"an encrypted URL in {name}", "http://", f"Use https://. {allow}")
    if not target.allow_private_hosts and names_private_host(url.hostname):
        return Problem(f"a public host in {name}", "a loopback or private one", allow)
    return None


def send(message: Message, target: Target, *, idempotency_key: str) -> Delivery:
    """Post once and say honestly how it ended."""
    if not message.body.strip():
        return Delivery("failed", "Not sent: the alert has no text. This is a defect; please report it.")
    problem = check(target)
    if problem:
        return Delivery("failed", f"Not sent: {problem}")
    quiet_libraries()
    content = {"alert_id": idempotency_key, "title": message.title, "body": message.body}
    body = json.dumps({**content, "recommendation_id": message.reference or None}).encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": idempotency_key,
        **_signature(body, target),
    }
    with watched(allow_private_hosts=target.allow_private_hosts) as wire:
        try:
            answer = requests.post(
                target.secret,
                data=body,
                headers=headers,
                timeout=target.timeout_seconds,
                allow_redirects=False,
            )
            accepted = answer.status_code in range(200, 300)
        except requests.RequestException:  # noted on the wire, with what it means
            accepted = False
    delivery = judge(wire, accepted=accepted)
    safe = Redactor([target.secret]).text(delivery.detail)
    return Delivery(delivery.status, safe, delivery.retry_after_seconds)


def signature(key: str, timestamp: int, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of `timestamp`, a dot and `body`."""
    return hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _signature(body: bytes, target: Target) -> dict[str, str]:
    if not target.signing_key or target.now is None:
        return {}
    timestamp = int(target.now.timestamp())
    return {
        "X-Trimtab-Timestamp": str(timestamp),
        "X-Trimtab-Signature": f"sha256={signature(target.signing_key, timestamp, body)}",
    }
