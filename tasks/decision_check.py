"""The gate's last word: a decision is judged before it is stored, and one that fails recommends nothing."""

from __future__ import annotations

import pandas as pd

from expectations.gate import judge
from expectations.verdicts import Judgement, Verdict
from portfolio.assemble import blocked
from portfolio.model import Decision, DecisionInputs, Freeze, Policy
from tasks.context import RunContext

CODE = "failed_decision_check"


def checked(
    context: RunContext, decision: Decision, inputs: DecisionInputs, policy: Policy
) -> tuple[Decision, tuple[Verdict, ...]]:
    """The decision itself if it keeps its promises, else a block that says which one it breaks.

    A decision without weights recommends nothing, and there is nothing to judge.
    """
    if not decision.target_lines:
        return decision, ()
    judgement = judge(
        "decision",
        _frame(decision),
        dataset=f"decision/{decision.portfolio}",
        run_id=context.run_id,
        judged_at=context.clock.now(),
        parameters={"max_unstable_turnover": policy.max_unstable_turnover},
    )
    if judgement.passed:
        return decision, judgement.verdicts
    return _refused(inputs, policy, judgement), judgement.verdicts


def _refused(inputs: DecisionInputs, policy: Policy, judgement: Judgement) -> Decision:
    why = f"blocked: the decision did not pass its own check. {judgement.reason}"
    return blocked(inputs, policy, Freeze(CODE, f"{why} Nothing is recommended."))


def _frame(decision: Decision) -> pd.DataFrame:
    whole = {
        "status": decision.status,
        "reason_code": decision.reason_code,
        "turnover": decision.turnover,
        "benefit_bps": decision.expected_benefit_bps,
        "cost_bps": decision.expected_cost_bps,
        "sensitivity": decision.estimates.get("sensitivity_turnover"),
    }
    return pd.DataFrame(
        [
            {
                "sleeve": line.sleeve,
                "asset": line.asset,
                "current_weight": line.current_weight,
                "target_weight": line.target_weight,
                "lower_bound": line.lower_bound,
                "upper_bound": line.upper_bound,
                **whole,
            }
            for line in decision.target_lines
        ]
    )
