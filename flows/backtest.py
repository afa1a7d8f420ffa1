"""Deployment `backtest-weekly`: every portfolio's policy on the year behind it, beside plain portfolios."""

from datetime import timedelta
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.portfolios import chosen_portfolios
from flows.prefect_runner import open_scheduled, run_as_task
from flows.stories import backtest_only
from tasks.backtest import BacktestRequest
from tasks.backtest_page import headline

LOOKED_AT = timedelta(days=365)


@flow(name="backtest", persist_result=False)
def backtest(
    config: str | None = None,
    home: str | None = None,
    as_of: str | None = None,
    portfolio: str | None = None,
) -> State[Any]:
    """Walk every portfolio's policy through the last 365 days with the production decision.

    Nothing is recommended and nobody is told; mart.backtests and the tear sheet beside the published snapshot
    hold what came of it.
    """
    context = open_scheduled("backtest", config, home, as_of)
    told: list[str] = []
    for name in chosen_portfolios(context.settings, portfolio):
        first = context.slot - LOOKED_AT
        request = BacktestRequest(portfolio=name, first=first, last=context.as_of)
        summary = backtest_only(run_as_task, context, request)
        told.append(f"{name}: {' '.join(headline(summary.report))}")
    return Completed(message=" ".join(told))
