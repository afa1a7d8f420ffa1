"""Deployment `guard-quarter-hourly`: risk alerts that need no optimiser."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.portfolios import chosen_portfolios
from flows.prefect_runner import carried_out, open_scheduled
from flows.stories import keep_guard


@flow(name="guard", persist_result=False)
def guard(
    config: str | None = None,
    home: str | None = None,
    as_of: str | None = None,
    portfolio: str | None = None,
) -> State[Any]:
    """Look at margin, hedges, pegs, funding, incidents, markets and cash; tell what is news.

    It decides nothing and fetches nothing, and speaks also while the allocation is blocked.
    """
    context = open_scheduled("guard", config, home, as_of)
    return carried_out(context, keep_guard, chosen_portfolios(context.settings, portfolio))
