"""The decision: one pure function from what is known at an instant to what is recommended.

Live runs, replays and backtests call it alike. No clock, no disk, no network; the only randomness is the
seed.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.alternatives import Setting, alternatives
from portfolio.assemble import Outcome, blocked, published
from portfolio.blocks import first_block, frozen_block, is_usable
from portfolio.book import Book, open_book
from portfolio.bounds import build_problem
from portfolio.checks import check_frame, usable_panel
from portfolio.costs import TradingCost
from portfolio.estimates import Estimates, estimate, with_fixed, with_terms
from portfolio.failure import AllocationFailure
from portfolio.model import Attempt, Decision, DecisionInputs, Freeze, Policy
from portfolio.planner import DUST_WEIGHT, market_costs, plan_trades
from portfolio.proposal import Proposal, by_name, propose
from portfolio.rebalance import Benefit, apply_mode, benefit, reference_target
from portfolio.robustness import confidence, sensitivity
from portfolio.steadying import is_plain
from portfolio.tax import tax_usd
from portfolio.triggers import Model, Trigger, hold_sentence, hold_triggers
from portfolio.verdict import Verdict, Weighing, judge

Array = NDArray[np.float64]


def decision_id(portfolio: str, slot: datetime, config_hash: str, content_hash: str) -> str:
    """Return the recommendation's id, the same for the same portfolio, slot, configuration and content."""
    text = f"{portfolio}\n{slot.isoformat()}\n{config_hash}\n{content_hash}"
    return f"R-{slot:%Y%m%d}-{portfolio}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How the heavy parts of a decision are computed: live as it stands here, in the lab by quicker ways.

    Attributes:
        panel: the window that every usable line shares, as `checks.usable_panel`.
        estimate: the policy's estimates on a checked panel, as `estimates.estimate`.
        propose: a verified allocation, as `proposal.propose`.
        is_probed: perturb and resample, for stability and confidence; without, neither holds a trade back.
        is_told: say for people what would end a hold, what other allocations there are, how sure it is, and
            each line's story. A study that keeps status, figures, target and orders goes without: they are
            the same.
    """

    panel: Callable[..., tuple[pd.DataFrame, Mapping[str, Freeze]]] = usable_panel
    estimate: Callable[..., Estimates] = estimate
    propose: Callable[..., Proposal] = propose
    is_probed: bool = True
    is_told: bool = True


LIVE = Bench()


def decide(inputs: DecisionInputs, policy: Policy, seed: int, bench: Bench = LIVE) -> Decision:
    """Decide what to do with a portfolio: value it, estimate, propose, plan the orders, and judge.

    Args:
        inputs: everything that may be seen, as of one instant.
        policy: the portfolio's rules, checked by `feasibility.check_policy`.
        seed: of the perturbations and the bootstrap.
        bench: how the heavy parts are computed.
    """
    block = first_block(inputs, policy)
    if block is not None:
        return blocked(inputs, policy, block)
    book = open_book(inputs, policy)
    estimates, notes = _estimates(inputs, policy, book, bench)
    block = frozen_block(book, policy, estimates)
    if block is not None:
        return blocked(inputs, policy, block, book)
    costs = market_costs(book, inputs, policy)
    proposal = _proposal(book, inputs, policy, estimates, costs, bench, seed)
    weighing = _weigh(book, inputs, policy, estimates, proposal, seed if bench.is_probed else None)
    model = _model(proposal, estimates, costs)
    verdict, triggers = _verdict(weighing, model, book, inputs, policy, is_told=bench.is_told)
    probes = bench.is_probed and bench.is_told
    outcome = Outcome(
        book=book,
        estimates=estimates,
        notes=notes,
        proposal=proposal,
        weighing=weighing,
        verdict=verdict,
        triggers=triggers,
        assumed_costs=any(c.is_assumed for c in costs.values()),
        confidence=_confidence(book, policy, estimates, weighing, seed) if probes else None,
        is_told=bench.is_told,
    )
    if probes and estimates is not None:
        setting = Setting(book=book, inputs=inputs, policy=policy, estimates=estimates, seed=seed)
        outcome = replace(outcome, alternatives=alternatives(setting, proposal.problem, weighing))
    return published(outcome, inputs, policy)


def _model(proposal: Proposal, estimates: Estimates | None, costs: Mapping[str, TradingCost]) -> Model | None:
    if estimates is None or proposal.problem is None:
        return None
    return Model(method=proposal.method, problem=proposal.problem, estimates=estimates, costs=costs)


def _verdict(
    case: Weighing,
    model: Model | None,
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
    *,
    is_told: bool,
) -> tuple[Verdict, tuple[Trigger, ...]]:
    """Judge; a hold that is told also says at which price or return it would become a trade."""
    verdict = judge(case, book, inputs, policy)
    if verdict.status != "hold" or book.nav_usd is None or not is_told:
        return verdict, ()
    code = verdict.reason_code
    triggers = hold_triggers(code, case, model, book, inputs, policy)
    told = hold_sentence(code, triggers, book, policy)
    return replace(verdict, reason=f"{verdict.reason} {told}"), triggers


def _estimates(
    inputs: DecisionInputs, policy: Policy, book: Book, bench: Bench
) -> tuple[Estimates | None, tuple[Attempt, ...]]:
    """Estimate over every line that may be held; say what was replaced, or why there is nothing.

    What is held and not allocated is no line of the estimates: it moves with its asset, by its delta.
    """
    wanted = tuple(x for x in book.lines if x not in inputs.unlisted and x not in inputs.exposed)
    caps = inputs.market_caps if is_usable(inputs, "onchain_metrics") else None
    try:
        check_frame(inputs.returns)
        panel, excluded = bench.panel(inputs.returns, wanted, policy.lookback_days)
        estimates = bench.estimate(panel, excluded, policy, caps, inputs.views)
        estimates = with_terms(estimates, inputs.terms, policy) if inputs.terms else estimates
        estimates = with_fixed(estimates, inputs.exposed, book.nav_usd, panel, inputs.exposed_returns)
    except AllocationFailure as failure:
        return None, (Attempt("estimates", f"{failure.reason}: {failure.detail}"),)
    return estimates, estimates.substitutions


def _proposal(
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
    estimates: Estimates | None,
    costs: dict[str, TradingCost],
    bench: Bench,
    seed: int,
) -> Proposal:
    try:
        problem = build_problem(book, inputs, policy, estimates, costs)
    except AllocationFailure as failure:
        failures = (Attempt(policy.objective, f"{failure.reason}: {failure.detail} {failure.remedy}"),)
        method = "hold" if "hold" in policy.fallbacks else None
        return Proposal(method=method, problem=None, solution=None, failures=failures)
    return bench.propose(problem, policy, costs, book.nav_usd, seed=seed)


def _weigh(
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
    estimates: Estimates | None,
    proposal: Proposal,
    seed: int | None,
) -> Weighing:
    """Put benefit, cost and stability of the proposal side by side."""
    proposed = dict(book.weight)
    if proposal.problem is not None and proposal.solution is not None:
        weights = apply_mode(proposal.problem, proposal.solution.weights, policy)
        proposed = {x: float(w) for x, w in zip(proposal.problem.lines, weights, strict=True)}
    reference, _ = reference_target(inputs, policy, proposed)
    plan = None
    if book.nav_usd is not None and proposal.solution is not None:
        plan = plan_trades(book, proposed, inputs, policy)
    achieved = proposed if plan is None else plan.achieved
    nav = book.nav_usd or 1.0
    tax = None if plan is None else tax_usd(plan.orders, inputs, policy)
    return Weighing(
        method=proposal.method,
        proposed=proposed,
        reference=reference,
        plan=plan,
        benefit=_benefit(book, policy, estimates, achieved),
        cost_bps=0.0 if plan is None else (plan.cost_usd + (tax or 0.0)) / nav * 1e4,
        tax_bps=None if tax is None else tax / nav * 1e4,
        sensitivity=None if seed is None else _sensitivity(policy, proposal, seed),
    )


def _benefit(
    book: Book, policy: Policy, estimates: Estimates | None, achieved: Mapping[str, float]
) -> Benefit | None:
    """Return the model's benefit; None where a line that changes has no estimate."""
    if book.nav_usd is None or estimates is None:
        return None
    changed = {x for x, w in achieved.items() if abs(w - book.weight.get(x, 0.0)) > DUST_WEIGHT}
    if not changed <= set(estimates.lines):
        return None
    before, after = _arrays(estimates, book.weight), _arrays(estimates, achieved)
    return benefit(estimates, before, after, policy)


def _arrays(estimates: Estimates, weights: Mapping[str, float]) -> Array:
    return np.array([weights.get(x, 0.0) for x in estimates.lines])


def _confidence(
    book: Book, policy: Policy, estimates: Estimates | None, case: Weighing, seed: int
) -> float | None:
    if estimates is None or case.benefit is None or case.plan is None or not case.plan.orders:
        return None
    return confidence(
        estimates,
        (_arrays(estimates, book.weight), _arrays(estimates, case.plan.achieved)),
        (case.benefit.total_bps, case.cost_bps),
        (policy.risk_aversion, policy.rebalance.horizon_days),
        seed,
    )


def _sensitivity(policy: Policy, proposal: Proposal, seed: int) -> float | None:
    if policy.objective == "policy" or proposal.problem is None or proposal.solution is None:
        return None
    method, problem = proposal.method or "", proposal.problem
    # An average of answers, or one with small positions removed, is not what one solution is compared with.
    weights = proposal.solution.weights if is_plain(policy) else by_name(method, problem).weights
    return sensitivity(method, problem, weights, seed)
