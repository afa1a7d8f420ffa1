"""The verdict: proposed or hold, and the sentence a treasurer reads first.

The order of the questions is the rule: is there anything to trade, is a hard limit broken, is a line outside
its band, is it too soon, is the answer stable, does the benefit pay for the cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from portfolio.book import Book
from portfolio.markets import called
from portfolio.model import DecisionInputs, Policy, is_cash
from portfolio.outcome import Status, benefit_words
from portfolio.planner import Plan
from portfolio.rebalance import Benefit, breaches, drifts, in_cooldown, outside_band


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status, code and sentence."""

    status: Status
    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """Everything a verdict is taken from.

    Attributes:
        proposed: line → weight after the mode's rules.
        plan: None where positions are unknown.
        benefit: None where there are no estimates.
        cost_bps: one-off, of NAV.
        tax_bps: the part of the cost that is tax; None where it is before tax.
        sensitivity: 95th percentile of turnover under a 0.1 % change of the inputs; None where it has no
            meaning.
    """

    method: str | None
    proposed: Mapping[str, float]
    reference: Mapping[str, float]
    plan: Plan | None
    benefit: Benefit | None
    cost_bps: float
    sensitivity: float | None
    tax_bps: float | None = None


def judge(case: Weighing, book: Book, inputs: DecisionInputs, policy: Policy) -> Verdict:
    """Return the verdict on a proposal."""
    if case.method is None:
        return Verdict(
            "blocked", "no_method", "blocked: no method gave an allocation. See the failed attempts."
        )
    if case.method == "hold":
        text = "Hold: no method gave an allocation, and the last fallback is to hold."
        return Verdict("hold", "fallback_hold", text)
    if book.nav_usd is None or case.plan is None:
        why = "the positions are not usable" if "bad_positions" in book.flags else "no positions are known"
        text = f"Weights only, no trades: {why}. Import positions for amounts."
        return Verdict("proposed", "weights_only", text)
    broken = breaches(book, inputs, policy)
    if not case.plan.orders:
        return _nothing_to_trade(case, book, policy, broken)
    if broken:
        text = f"{' '.join(broken)} Bands, cooldown and gate do not apply."
        return Verdict("proposed", "hard_limit", text)
    return _hold(case, book, inputs, policy) or _proposed(case, book, policy)


def lines_outside(case: Weighing, book: Book, policy: Policy) -> list[str]:
    """Return the lines outside their band, coins before cash, largest drift first.

    A fixed policy is measured against itself, a computed objective against its proposal.
    """
    against = case.reference if policy.objective == "policy" else case.proposed
    free = [x for x in book.lines if book.keeps(x) is None]
    out = [x for x in free if outside_band(book.weight[x], against.get(x, 0.0), policy.rebalance)]
    return sorted(out, key=lambda x: (is_cash(x), -abs(book.weight[x] - against.get(x, 0.0)), x))


def _nothing_to_trade(case: Weighing, book: Book, policy: Policy, broken: list[str]) -> Verdict:
    plan = case.plan
    skipped = dict(plan.skipped) if plan else {}
    outside = lines_outside(case, book, policy)
    stuck = _stuck_outside(case, book, policy)
    if broken or outside or stuck:
        concerned = {x: skipped[x] for x in sorted(skipped)}
        why = " ".join(f.sentence for f in concerned.values())
        codes = {f.reason_code for f in concerned.values()}
        code = codes.pop() if len(codes) == 1 else "cannot_trade"
        if policy.rebalance.mode != "full" and not concerned:
            code, why = "mode", f"The mode {policy.rebalance.mode!r} allows no trade now."
        elif book.depegged and not concerned:
            code, why = "depeg", f"Nothing is sold for {', '.join(sorted(book.depegged))}, off its peg."
        if not why and not stuck:
            why = "Nothing can be traded now."
        return Verdict("hold", code, f"Hold: {' '.join([*broken, *stuck, why]).strip()}")
    return _within_bands(case, book)


def _stuck_outside(case: Weighing, book: Book, policy: Policy) -> list[str]:
    """Return why the lines outside their band that can not be traded stay there."""
    free = [x for x in book.lines if not is_cash(x) and book.keeps(x) is None]
    found: list[str] = []
    for line in book.lines:
        kept, target = book.keeps(line), case.reference.get(line, 0.0)
        if kept is not None and (not free or outside_band(book.weight[line], target, policy.rebalance)):
            found.append(kept.sentence)
    return found


def _within_bands(case: Weighing, book: Book) -> Verdict:
    drift = drifts(book, case.reference)
    line = max(drift, key=lambda x: (round(abs(drift[x]), 9), not is_cash(x), x))
    text = f"The largest drift is {called(line)}, {100 * drift[line]:+.1f} points."
    return Verdict("hold", "within_bands", f"Hold: every line is inside its band. {text}")


def _hold(case: Weighing, book: Book, inputs: DecisionInputs, policy: Policy) -> Verdict | None:
    rules = policy.rebalance
    if not lines_outside(case, book, policy):
        return _within_bands(case, book)
    left = in_cooldown(inputs, rules)
    if left is not None:
        hours = left.total_seconds() / 3600.0
        text = f"Hold: the last trade was less than {rules.cooldown_hours:g} hours ago"
        return Verdict("hold", "cooldown", f"{text}; quiet for another {hours:.1f}.")
    if policy.objective == "policy":
        return None
    if case.sensitivity is not None and case.sensitivity > policy.max_unstable_turnover:
        return Verdict(
            "hold",
            "unstable",
            f"Hold: a 0.1 % change of the inputs would move {case.sensitivity:.0%} of the portfolio; "
            f"the limit is {policy.max_unstable_turnover:.0%}.",
        )
    gain = None if case.benefit is None else case.benefit.total_bps
    if gain is not None and gain < rules.min_benefit_over_cost * case.cost_bps:
        return Verdict(
            "hold",
            "benefit_below_cost",
            f"Hold: the estimated benefit over {rules.horizon_days} days is {gain:.1f} bps, the cost "
            f"{case.cost_bps:.1f} bps; {rules.min_benefit_over_cost:g} times the cost is wanted.",
        )
    return None


def _proposed(case: Weighing, book: Book, policy: Policy) -> Verdict:
    if policy.objective == "policy":
        return Verdict("proposed", "outside_band", _drifted(case, book, policy))
    change = _largest_change(case, book)
    if case.benefit is None:
        text = f"{change} The benefit can not be estimated: history is missing."
        return Verdict("proposed", "outside_band", text)
    gain = case.benefit
    mainly = "lower risk" if gain.risk_bps >= gain.return_bps else "a higher expected return"
    return Verdict(
        "proposed",
        "benefit_above_cost",
        f"{change} The gain is mainly {mainly}: {gain.total_bps:.1f} bps over "
        f"{policy.rebalance.horizon_days} days ({benefit_words(gain.return_bps, gain.risk_bps)}; "
        f"a model estimate) against a cost of {case.cost_bps:.1f} bps {_taxed(case)}.",
    )


def _taxed(case: Weighing) -> str:
    return "before tax" if case.tax_bps is None else f"with {case.tax_bps:.1f} of tax"


def _drifted(case: Weighing, book: Book, policy: Policy) -> str:
    """Return which lines left their bands, the largest drift first; at most three are told."""
    told: list[str] = []
    for line in lines_outside(case, book, policy)[:3]:
        target = case.reference.get(line, 0.0)
        told.append(
            f"{called(line)} is {book.weight[line]:.1%} of the portfolio, target {target:.1%}, "
            f"outside its band of {band(target, policy)}."
        )
    return " ".join(told)


def _largest_change(case: Weighing, book: Book) -> str:
    """Return the coin whose weight changes most, in words."""
    coins = [x for x in book.lines if not is_cash(x)]
    line = max(coins, key=lambda x: (abs(case.proposed.get(x, 0.0) - book.weight[x]), x))
    now, target = book.weight[line], case.proposed.get(line, 0.0)
    return f"{called(line)} is {now:.1%} of the portfolio, the proposed target is {target:.1%}."


def band(target: float, policy: Policy) -> str:
    """Return a line's band in points, the narrower of the two that apply."""
    rules = policy.rebalance
    width = min(rules.band_absolute, rules.band_relative * target) if target > 0.0 else rules.band_absolute
    return f"±{100 * width:.2g} points"
