"""Tells a monitoring service outside that all is well; its own silence then is the alarm."""

import requests

from tasks.channels._delivery import Delivery
from tasks.channels._verdict import judge
from tasks.channels._wire import watched
from tasks.redaction import Redactor, quiet_libraries


def beat(url: str, *, allow_private_hosts: bool, timeout_seconds: float) -> Delivery:
    """Ask for one URL, and say honestly how it ended; never raises for what happens outside."""
    quiet_libraries()
    with watched(allow_private_hosts=allow_private_hosts) as wire:
        try:
            answer = requests.get(url, timeout=timeout_seconds, allow_redirects=False)
            accepted = answer.status_code in range(200, 300)
        except requests.RequestException:  # noted on the wire, with what it means
            accepted = False
    delivery = judge(wire, accepted=accepted)
    return Delivery(delivery.status, Redactor([url]).text(delivery.detail))
