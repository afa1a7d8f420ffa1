"""One reading of what the network showed, shared by the channels that use HTTP."""

from tasks.channels._delivery import REJECTED, Delivery
from tasks.channels._wire import Exchange, Wire

# the receiver's own gateway gave up waiting: the receiver may have finished
_IN_DOUBT = (408, 504)
_UNWELCOME = (401, 403)


def judge(wire: Wire, *, accepted: bool, explanation: str = "") -> Delivery:
    """Say how a sending ended, from what the library claims and what went over the wire.

    Args:
        wire: What was noted while it was sent.
        accepted: What the library returned, as a truth value.
        explanation: What the library logged, redacted.
    """
    successes = [exchange for exchange in wire.exchanges if _is_success(exchange)]
    if accepted and (successes or not wire.exchanges):
        status = successes[-1].status if successes else None
        return Delivery("sent", f"HTTP {status}" if status else "accepted")
    if wire.refused:
        return Delivery(
            "failed",
            f"Not sent: {wire.refused}. Set allow_private_hosts = true for this channel if that is meant.",
        )
    if not wire.exchanges:
        return _without_http(wire, explanation)
    if successes and len(successes) == len(wire.exchanges):
        return Delivery(
            "failed", f"Answered HTTP {successes[-1].status} but did not accept it. {explanation}".strip()
        )
    worst = next(exchange for exchange in reversed(wire.exchanges) if not _is_success(exchange))
    if worst.status in _UNWELCOME and not successes:
        return Delivery("failed", f"{REJECTED} (HTTP {worst.status})")
    doubtful = bool(successes) or worst.may_have_arrived or worst.status in _IN_DOUBT
    what = f"HTTP {worst.status}" if worst.status is not None else worst.problem
    return Delivery(
        "ambiguous" if doubtful else "failed",
        f"{what}{': it may have arrived' if doubtful else ''}",
        worst.retry_after_seconds,
    )


def _without_http(wire: Wire, explanation: str) -> Delivery:
    said = explanation or "the service gave no reason"
    if wire.looked_up:
        return Delivery("ambiguous", f"A connection was tried and not confirmed: it may have arrived. {said}")
    return Delivery("failed", f"Not sent: {said}")


def _is_success(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300
