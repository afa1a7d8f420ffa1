"""Which decisions of a backtest would have been told to people, by the rules of a live run.

A proposal is announced unless the last one told has the same orders; a block when it begins or changes its
reason; its end once. Holds are recorded and not sent.
"""

from dataclasses import dataclass

from portfolio.model import Decision


@dataclass(slots=True)
class Announcer:
    """Remembers what was told last."""

    block: str = ""
    told: str = ""

    def alerts(self, decision: Decision) -> tuple[str, ...]:
        """Return the events that this decision would send: blocked, resolved, recommendation."""
        if decision.status == "blocked":
            is_new = decision.reason_code != self.block
            self.block = decision.reason_code
            return ("blocked",) if is_new else ()
        events: list[str] = ["resolved"] if self.block else []
        self.block = ""
        orders = f"{decision.slot.isoformat()} " + " ".join(
            f"{t.venue} {t.market_id} {t.side} {t.quantity.normalize():f}" for t in decision.trades
        )
        if decision.status == "proposed" and orders != self.told:
            self.told = orders
            events.append("recommendation")
        return tuple(events)
