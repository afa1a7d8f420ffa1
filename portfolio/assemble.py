"""Puts a decision together from its parts: grade, flags, figures, rows. Nothing is decided here."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from portfolio.blocks import required_faults
from portfolio.book import Book, open_book
from portfolio.estimates import Estimates
from portfolio.explain import Story, decision_lines, target_lines, trades
from portfolio.model import (
    GRADES,
    Attempt,
    Decision,
    DecisionInputs,
    Freeze,
    Policy,
    TargetLine,
    asset_of,
    sleeve_of,
)
from portfolio.outcome import Alternative
from portfolio.problem import Solution
from portfolio.proposal import Proposal
from portfolio.rebalance import drifts
from portfolio.triggers import Trigger
from portfolio.verdict import Verdict, Weighing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Everything a run has found out; `is_told` False leaves the lines' stories out."""

    book: Book
    estimates: Estimates | None
    notes: tuple[Attempt, ...]
    proposal: Proposal
    weighing: Weighing
    verdict: Verdict
    triggers: tuple[Trigger, ...]
    assumed_costs: bool
    confidence: float | None
    alternatives: tuple[Alternative, ...] = ()
    is_told: bool = True


def grade_of(flags: tuple[str, ...]) -> str:
    """Return the worst of the flags that are grades."""
    return max((f for f in flags if f in GRADES), key=GRADES.index, default="full")


def blocked(inputs: DecisionInputs, policy: Policy, why: Freeze, book: Book | None = None) -> Decision:
    """Return a decision that recommends nothing and says why, with what is held where it can be valued."""
    book = book or open_book(inputs, policy)
    if why.reason_code == "no_price":  # shares of a value that is not known would be wrong
        book = replace(book, nav_usd=None, weight={}, immovable={})
    verdict = Verdict("blocked", why.reason_code, why.sentence)
    story = Story(
        target={}, reference={}, kept=book.stuck, skipped={}, orders=(), verdict=verdict, estimates=None
    )
    flags = _flags(inputs, policy, book)
    return Decision(
        portfolio=inputs.portfolio,
        as_of=inputs.as_of,
        slot=inputs.slot,
        status="blocked",
        grade=grade_of(flags),
        flags=flags,
        reason_code=why.reason_code,
        reason=why.sentence,
        objective=policy.objective,
        method_used=None,
        valid_until=inputs.as_of + timedelta(hours=policy.rebalance.valid_hours),
        nav_usd=book.nav_usd,
        is_simulated=inputs.is_simulated,
        lines=decision_lines(story, book, inputs, policy),
    )


def published(outcome: Outcome, inputs: DecisionInputs, policy: Policy) -> Decision:
    """Return the decision of a run that was not blocked before it began."""
    book, case, verdict = outcome.book, outcome.weighing, outcome.verdict
    story = _story(outcome)
    known = book.nav_usd is not None
    drift = drifts(book, case.reference) if known else {}
    flags = _flags(inputs, policy, book, outcome)
    return Decision(
        portfolio=inputs.portfolio,
        as_of=inputs.as_of,
        slot=inputs.slot,
        status=verdict.status,
        grade=grade_of(flags),
        flags=flags,
        reason_code=verdict.reason_code,
        reason=_reason(verdict, outcome, inputs, policy),
        objective=policy.objective,
        method_used=case.method,
        valid_until=inputs.as_of + timedelta(hours=policy.rebalance.valid_hours),
        nav_usd=book.nav_usd,
        drift_absolute=max((abs(d) for d in drift.values()), default=None),
        turnover=_turnover(book, outcome) if known else None,
        expected_benefit_bps=case.benefit.total_bps if case.benefit else None,
        benefit_return_bps=case.benefit.return_bps if case.benefit else None,
        benefit_risk_bps=case.benefit.risk_bps if case.benefit else None,
        expected_cost_bps=case.cost_bps if case.plan else None,
        confidence=outcome.confidence,
        is_simulated=inputs.is_simulated,
        target_lines=_target_lines(outcome, is_blocked=verdict.status == "blocked"),
        trades=trades(story, book, policy),
        lines=decision_lines(story, book, inputs, policy) if outcome.is_told else (),
        failures=outcome.proposal.failures + (outcome.notes if policy.objective != "policy" else ()),
        estimates=_figures(outcome),
        alternatives=outcome.alternatives,
    )


def _story(outcome: Outcome) -> Story:
    case = outcome.weighing
    return Story(
        target=case.proposed,
        reference=case.reference,
        kept=outcome.book.stuck,
        skipped=case.plan.skipped if case.plan else {},
        orders=case.plan.orders if case.plan and outcome.verdict.status == "proposed" else (),
        verdict=outcome.verdict,
        estimates=outcome.estimates,
        residual=case.plan.residual if case.plan and outcome.verdict.status == "proposed" else None,
    )


def _flags(
    inputs: DecisionInputs, policy: Policy, book: Book, outcome: Outcome | None = None
) -> tuple[str, ...]:
    marks = [inputs.prices[x] for x in book.lines if x in inputs.prices]
    flags = set(book.flags)
    if any(m.venues == 1 for m in marks):
        flags.add("single_source")
    if book.frozen or required_faults(inputs, policy):
        flags.add("degraded")
    if any(x in book.lines for x in inputs.extreme_moves):
        flags.add("extreme_move")
    if book.depegged:
        flags.add("depeg")
    if outcome is not None:
        flags |= _outcome_flags(outcome, policy, book)
    graded = [g for g in GRADES if g in flags]
    return tuple(graded + sorted(flags - set(graded)))


def _outcome_flags(outcome: Outcome, policy: Policy, book: Book) -> set[str]:
    flags: set[str] = set()
    if outcome.proposal.method != policy.objective:
        flags.add("fallback")
    if policy.objective != "policy":
        excluded = outcome.estimates.excluded if outcome.estimates else {}
        if outcome.notes or any(book.weight.get(x, 0.0) > 0.0 for x in excluded):
            flags.add("degraded")
        if excluded:
            flags.add("lines_excluded")
    limit = policy.max_unstable_turnover
    if outcome.weighing.sensitivity is not None and outcome.weighing.sensitivity > limit:
        flags.add("unstable")
    if outcome.assumed_costs:
        flags.add("costs_assumed")
    if outcome.verdict.reason_code == "hard_limit":
        flags.add("hard_limit")
    return flags


def _reason(verdict: Verdict, outcome: Outcome, inputs: DecisionInputs, policy: Policy) -> str:
    parts = [verdict.reason]
    parts += [f"Decided without required data: {f.sentence}" for _, f in required_faults(inputs, policy)]
    method = outcome.proposal.method
    if outcome.proposal.failures and method is not None:
        tried = ", ".join(a.method for a in outcome.proposal.failures)
        if method == "hold":
            first = outcome.proposal.failures[0]
            parts.append(f"{tried} gave no answer. {first.method}: {first.reason}")
        else:
            parts.append(f"{tried} gave no answer; {method} was used instead.")
    if policy.objective != "policy":
        parts += [f"{a.method}: {a.reason}." for a in outcome.notes]
    return " ".join(parts)


def _turnover(book: Book, outcome: Outcome) -> float:
    lines = {*book.weight, *outcome.weighing.proposed}
    change = (outcome.weighing.proposed.get(x, 0.0) - book.weight.get(x, 0.0) for x in lines)
    return 0.5 * sum(abs(c) for c in sorted(change))


def _target_lines(outcome: Outcome, *, is_blocked: bool) -> tuple[TargetLine, ...]:
    book, case, proposal = outcome.book, outcome.weighing, outcome.proposal
    if is_blocked or (proposal.solution is None and book.nav_usd is None):
        return ()
    if proposal.problem is None or proposal.solution is None:
        return tuple(
            TargetLine(
                sleeve=sleeve_of(x),
                asset=asset_of(x),
                current_weight=book.weight[x],
                target_weight=book.weight[x],
                lower_bound=book.weight[x],
                upper_bound=book.weight[x],
                binding="hold",
            )
            for x in book.lines
        )
    weights = np.array([case.proposed[x] for x in proposal.problem.lines])
    solution = Solution(weights, proposal.solution.shadow_prices)
    return target_lines(book, proposal.problem, solution, case.proposed, outcome.estimates)


def _figures(outcome: Outcome) -> dict[str, float]:
    """Further annual figures of the holdings and the proposal, and the answer's sensitivity."""
    figures: dict[str, float] = {}
    case, estimates = outcome.weighing, outcome.estimates
    for trigger in outcome.triggers:
        figures |= trigger.figures()
    if case.sensitivity is not None:
        figures["sensitivity_turnover"] = case.sensitivity
    if estimates is None:
        return figures
    if estimates.fixed is not None:
        figures["volatility_beside"] = math.sqrt(max(0.0, float(estimates.fixed.own.sum())))
    for name, weights in (("before", outcome.book.weight), ("after", case.proposed)):
        if weights:
            row = np.array([weights.get(x, 0.0) for x in estimates.lines])
            figures[f"volatility_{name}"] = math.sqrt(max(0.0, estimates.variance(row)))
            figures[f"expected_return_{name}"] = estimates.portfolio_return(row, 0.0)
    return figures
