"""Deployment `market-hourly`: candles, funding, instruments and order books from the venues."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.prefect_runner import carried_out, open_scheduled
from flows.stories import ingest_only


@flow(name="market", persist_result=False)
def market(config: str | None = None, home: str | None = None, as_of: str | None = None) -> State[Any]:
    """Fetch what the venues have that the warehouse has not: candles, funding, instruments, spreads.

    Only closed candles are taken. What passes the gate is published; nothing is decided and nobody is told.
    The page's artifacts show what was fetched and how fresh every dataset is.
    """
    context = open_scheduled("market", config, home, as_of)
    venues = tuple(venue.id for venue in context.settings.venues)
    return carried_out(context, ingest_only, venues)
