"""What forbids a recommendation altogether, and the sentence that says so.

No recommendation beats a wrong one, and silence is always explained: every block names the data, its newest
time, its age and the limit, or the holding that can not be valued.
"""

import pandas as pd

from portfolio.book import Book, unpriced
from portfolio.checks import check_frame
from portfolio.estimates import Estimates
from portfolio.failure import AllocationFailure
from portfolio.model import DatasetState, DecisionInputs, Freeze, Policy, is_cash

WORDS = {
    "candles_1d": "daily candles",
    "candles_1h": "hourly candles",
    "funding_rates": "funding rates",
    "onchain_metrics": "daily on-chain metrics",
    "yield_pools": "yields of pools",
    "incidents": "incidents",
    "futures_positioning": "weekly futures positions",
}
UNTIL = "Nothing is recommended until they are fresh again"


def required_faults(inputs: DecisionInputs, policy: Policy) -> list[tuple[str, Freeze]]:
    """Return, per required dataset that may not decide anything, why."""
    states = {d.dataset: d for d in inputs.datasets}
    wanted = sorted({*policy.requires, *(d.dataset for d in inputs.datasets if d.required)})
    found: list[tuple[str, Freeze]] = []
    for name in wanted:
        state = states.get(name)
        if state is None or state.newest_data_at is None:
            sentence = f"the {words(name)} are required and none are stored."
            found.append((name, Freeze("missing_required_data", sentence)))
        elif not state.is_fresh:
            found.append((name, Freeze("stale_required_data", stale_sentence(state))))
        elif not state.passed_gate:
            detail = f" ({state.detail})" if state.detail else ""
            newest = f"{state.newest_data_at:%Y-%m-%d %H:%M} UTC"
            sentence = f"the {words(name)} up to {newest} failed their gate{detail}."
            found.append((name, Freeze("failed_gate", sentence)))
    return found


def first_block(inputs: DecisionInputs, policy: Policy) -> Freeze | None:
    """Return the first reason why nothing may be recommended, or None."""
    for state in inputs.datasets:
        if state.reason_code and not state.passed_gate:
            return Freeze(state.reason_code, f"blocked: {state.detail}")
    for name, fault in required_faults(inputs, policy):
        if policy.on_stale == "block":
            remedy = f'{UNTIL}, or set on_stale = "degrade" to decide without them.'
            return Freeze(fault.reason_code, f"blocked: {fault.sentence} {remedy}")
        if name.startswith("candles"):
            remedy = f"{UNTIL}; prices can not be done without."
            return Freeze(fault.reason_code, f"blocked: {fault.sentence} {remedy}")
    missing = unpriced(inputs, policy)
    if missing:
        known = [inputs.frozen[line].sentence for line in missing if line in inputs.frozen]
        remedy = " ".join(known) or "Fetch its prices, or remove it from the positions."
        return Freeze(
            "no_price",
            f"blocked: the portfolio can not be valued, for {', '.join(missing)} is held and has no usable "
            f"price. {remedy}",
        )
    if policy.objective == "policy":
        return None
    return _frame_block(inputs.returns)


def frozen_block(book: Book, policy: Policy, estimates: Estimates | None) -> Freeze | None:
    """Return a block where too much of the portfolio may not be traded for lack of good data."""
    frozen = dict(book.frozen)
    if policy.objective != "policy" and estimates is not None and book.nav_usd is not None:
        frozen = {**estimates.excluded, **frozen}
    if book.nav_usd is not None:
        share = sum(abs(book.weight.get(x, 0.0)) for x in frozen)
    elif policy.objective == "policy":
        share = sum((policy.target_weights or {}).get(x, 0.0) for x in frozen)
    else:
        coins = [x for x in book.lines if not is_cash(x)]
        share = sum(x in frozen for x in coins) / len(coins) if coins else 0.0
    if not frozen or share <= policy.max_frozen_share:
        return None
    why = " ".join(frozen[x].sentence for x in sorted(frozen) if book.weight.get(x, 1.0) != 0.0)
    limit = f"above the limit of {policy.max_frozen_share:.0%}"
    return Freeze("too_much_frozen", f"blocked: {share:.0%} of the portfolio is frozen, {limit}. {why}")


def is_usable(inputs: DecisionInputs, dataset: str) -> bool:
    """Tell whether an informing dataset may be used; one without a state is taken as usable."""
    return all(d.is_fresh and d.passed_gate for d in inputs.datasets if d.dataset == dataset)


def words(dataset: str) -> str:
    """Return a dataset's name for people."""
    return WORDS.get(dataset, dataset.replace("_", " "))


def stale_sentence(state: DatasetState) -> str:
    """Return the sentence on a stale dataset: newest data time, age, limit."""
    newest = "" if state.newest_data_at is None else f" end at {state.newest_data_at:%Y-%m-%d %H:%M} UTC,"
    age = "of unknown age" if state.age_seconds is None else f"{duration(state.age_seconds)} old"
    return f"the {words(state.dataset)}{newest} {age}; the limit is {duration(state.limit_seconds)}."


def duration(seconds: float) -> str:
    """Return a duration in the unit a reader thinks in: hours up to three days, then days."""
    hours = seconds / 3600.0
    return f"{hours:.0f} hours" if hours <= 72.0 else f"{hours / 24.0:.0f} days"


def _frame_block(returns: pd.DataFrame) -> Freeze | None:
    try:
        check_frame(returns)
    except AllocationFailure as failure:
        return Freeze(failure.reason, f"blocked: {failure.detail} {failure.remedy}")
    return None
