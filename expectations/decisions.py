"""Judges what a decision is made from, and says which lines are frozen and whether all of it is blocked.

One row per line of a portfolio comes in (`expectations/suites/decision_inputs.py` lists the columns).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from expectations.gate import judge
from expectations.verdicts import Judgement


@dataclass(frozen=True, slots=True)
class InputsVerdict:
    """What the gate says of a decision's inputs.

    Attributes:
        judgement: The whole judgement, with a verdict for each promise.
        frozen: Line ("spot:BTC") → (reason_code, sentence): it keeps its quantity, the rest may be decided.
        is_blocked: No decision may be made from these inputs at all; the judgement says why.
    """

    judgement: Judgement
    frozen: Mapping[str, tuple[str, str]]
    is_blocked: bool


def judge_decision_inputs(
    frame: pd.DataFrame,
    *,
    portfolio: str,
    run_id: str,
    judged_at: datetime,
    parameters: Mapping[str, Any] | None = None,
    reference_currency: str = "USD",
) -> InputsVerdict:
    """Judge the inputs of one decision.

    Args:
        frame: One row per line; the line of the reference currency itself is not judged (1 by definition).
        portfolio: Whose decision it is; the verdicts' dataset is "decision_inputs/<portfolio>".
        run_id: The run on whose behalf.
        judged_at: Real time of the judgement, aware.
        parameters: Limits, as the suite's docstring lists them.
        reference_currency: What the portfolio is valued in.
    """
    judged = frame
    if {"sleeve", "asset"} <= set(frame.columns):
        judged = frame[(frame["sleeve"] != "cash") | (frame["asset"] != reference_currency)]
    judged = judged.reset_index(drop=True)
    judgement = judge(
        "decision_inputs",
        judged,
        dataset=f"decision_inputs/{portfolio}",
        run_id=run_id,
        judged_at=judged_at,
        parameters=parameters,
    )
    frozen = {
        f"{judged['sleeve'].iloc[position]}:{judged['asset'].iloc[position]}": why
        for position, why in judgement.offending.items()
    }
    return InputsVerdict(judgement, frozen, judgement.refused)
