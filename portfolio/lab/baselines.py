"""The plain portfolios that every policy must be compared with, as policies of their own.

They are decided, rounded to lots, executed and charged like any other policy, so what they show is net of the
same costs. V. DeMiguel, L. Garlappi and R. Uppal, "Optimal versus naive diversification", Review of Financial
Studies 22 (2009): equal weights are hard to beat; a comparison without them says little.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from portfolio.lab.tape import Tape
from portfolio.lab.walkforward import Setting, Walk, walk
from portfolio.model import DecisionInputs, Policy, RebalanceRules, is_cash

FREELY = RebalanceRules(
    band_absolute=0.005, band_relative=0.25, min_benefit_over_cost=-math.inf, cooldown_hours=0.0
)
BITCOIN, ETHER = "spot:BTC", "spot:ETH"


def baselines(policy: Policy, lines: Sequence[str]) -> dict[str, Policy]:
    """Return the baselines that need no walk of the policy first: by name, in the order of tables.

    Args:
        policy: its estimators, lookback and venue rules are kept, its limits and gates are not.
        lines: of the universe; a baseline of coins that are not there is left out.
    """
    free = replace(
        policy,
        objective="equal_weight",
        sleeves=("spot", "cash"),
        target_weights=None,
        default_bounds=(0.0, 1.0),
        weight_bounds={},
        class_bounds={},
        max_turnover=1.0,
        cash_floor_usd=0.0,
        fallbacks=("hold",),
        max_unstable_turnover=2.0,
        rebalance=replace(FREELY, horizon_days=policy.rebalance.horizon_days),
    )
    found = {
        "1/N": free,
        "min-volatility": replace(free, objective="min_volatility"),
        "HRP": replace(free, objective="hrp"),
    }
    if BITCOIN in lines:
        found["BTC"] = _fixed(free, {BITCOIN: 1.0})
    if {BITCOIN, ETHER} <= set(lines):
        found["60/40 BTC/ETH"] = _fixed(free, {BITCOIN: 0.6, ETHER: 0.4})
    return found


def _fixed(free: Policy, target: Mapping[str, float]) -> Policy:
    bounds = dict.fromkeys(target, (0.0, 1.0))
    return replace(free, objective="policy", target_weights=target, weight_bounds=bounds)


def first_target(found: Walk) -> dict[str, float]:
    """Return the first target that a walk proposed; empty where it never proposed one."""
    return next((d.target for d in found.decisions if d.status == "proposed" and d.orders), {})


def held(days: Sequence[DecisionInputs], tape: Tape, policy: Policy, setting: Setting) -> Walk:
    """Return the walk that trades once and then holds; a start that is not all cash is held as it is."""
    start = days[0].positions if setting.start is None else setting.start
    most = 1 if all(is_cash(p.line) for p in start) else 0
    return walk(days, tape, policy, replace(setting, most_trades=most))


def kept(
    days: Sequence[DecisionInputs], tape: Tape, policy: Policy, target: Mapping[str, float], setting: Setting
) -> Walk:
    """Return the walk that restores one target by the policy's own bands, whatever is estimated later."""
    fixed = replace(policy, objective="policy", target_weights=target)
    return walk(days, tape, fixed, setting)
