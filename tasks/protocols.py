"""What the warehouse knows of the protocols that a portfolio would deposit with, for its tiers.

Comes in: a point-in-time reader and the terms of its lines. Goes out: value locked and incidents, None where
nothing current is known. Age and audits are the owner's to state; nobody guesses a probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from portfolio.model import DatasetState, ProtocolFacts, SleeveTerms
from tasks.context import RunContext
from warehouse.reader import Reader

MAX_AGE = timedelta(days=7)  # an older figure of what is locked says nothing of today's


def protocol_facts(
    reader: Reader,
    context: RunContext,
    portfolio: str,
    terms: Mapping[str, SleeveTerms],
    datasets: Sequence[DatasetState],
) -> dict[str, ProtocolFacts]:
    """Return protocol → its facts; empty where the portfolio has no tiers, which alone ask for them."""
    protocols = sorted({one.protocol for one in terms.values() if one.protocol})
    if not protocols or not context.settings.portfolios[portfolio].protocol_tiers:
        return {}
    rows = reader.rows("protocol_facts", protocols=protocols, oldest=context.as_of - MAX_AGE)
    # "None was hit" holds only of a list that was read, and lately: an old one knows nothing of last week.
    stale = any(state.dataset == "incidents" and not state.is_fresh for state in datasets)
    return {
        row["protocol"]: ProtocolFacts(
            tvl_usd=row["tvl_usd"],
            incidents=row["incidents"] if row["is_listed"] and not stale else None,
        )
        for row in rows
    }
