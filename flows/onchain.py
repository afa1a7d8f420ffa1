"""Deployment `onchain-daily`: on-chain metrics, DeFi, macro series and futures positions."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.prefect_runner import carried_out, open_scheduled
from flows.stories import ingest_only

SOURCES = ("coinmetrics", "defillama", "fred", "cftc")


@flow(name="onchain", persist_result=False)
def onchain(config: str | None = None, home: str | None = None, as_of: str | None = None) -> State[Any]:
    """Fetch the daily series: Coin Metrics, DefiLlama, FRED and the CFTC, as far as they are configured.

    A value that its source has revised becomes a new vintage beside the old one. What passes the gate is
    published; nothing is decided and nobody is told.
    """
    context = open_scheduled("onchain", config, home, as_of)
    stated = context.settings.sources
    sources = tuple(name for name in SOURCES if getattr(stated, name) is not None)
    return carried_out(context, ingest_only, sources or SOURCES)
