"""Deployment `rebalance-daily`: the main job."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import stories
from flows.portfolios import chosen_portfolios
from flows.prefect_runner import carried_out, open_scheduled


@flow(name="rebalance", persist_result=False)
def rebalance(
    config: str | None = None,
    home: str | None = None,
    as_of: str | None = None,
    portfolio: str | None = None,
) -> State[Any]:
    """The main job: fetch what is missing, check it, decide every portfolio, publish, and deliver alerts.

    A run that repeats an earlier one finds its recommendation and tells nobody again. A run that the gate
    blocks ends as `Blocked`, with the reason; `trimtab explain` and the artifacts show every line.
    """
    context = open_scheduled("rebalance", config, home, as_of)
    portfolios = chosen_portfolios(context.settings, portfolio)
    return carried_out(context, stories.rebalance, portfolios)
