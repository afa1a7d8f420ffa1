"""The texts of alerts: what a person reads on a phone. Pure: facts in, a title and a body out.

Action and amounts first, then why, what it costs and may bring, the data time, the validity and the id. Every
string from outside is cleaned here; what a service needs escaped is escaped in its channel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.plain_text import clean
from tasks.trade_lines import SHOWN_TRADES, TradeFacts, totals, trade_lines, usd

SIMULATED = "SIMULATED"

_GRADES = {
    "single_source": "one venue alone gave the prices",
    "fallback": "a simpler method stood in for the configured one",
    "degraded": "decided without some of its data",
    "extreme_move": "a price has just moved far",
    "depeg": "a stablecoin is off its peg",
    "unstable": "small changes of the inputs change the answer",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: a one-line title and a body of short lines, plain text.

    `reference` is the recommendation that `trimtab explain` shows in full ("": there is none).
    """

    title: str
    body: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class RecommendationFacts:
    """What the text of a recommendation needs.

    Times are aware UTC, amounts USD, `_bps` of the portfolio's value.
    `data_at` is the newest closed datum the decision saw (None: say `as_of`).
    """

    recommendation_id: str
    portfolio: str
    as_of: datetime
    data_at: datetime | None
    valid_until: datetime
    reason: str
    trades: tuple[TradeFacts, ...]
    nav_usd: float | None
    expected_cost_bps: float | None
    expected_benefit_bps: float | None
    horizon_days: int
    grade: str = "full"
    flags: tuple[str, ...] = ()
    is_simulated: bool = False
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class BlockedFacts:
    """What the text of a blocked decision needs: the gate's sentence, and the data time. Times aware UTC."""

    recommendation_id: str
    portfolio: str
    as_of: datetime
    reason: str
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedFacts:
    """What the text of an ended episode needs: what had been wrong, since when, and what holds now."""

    episode_id: str
    portfolio: str
    as_of: datetime
    blocked_since: datetime
    reason: str
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class RetractedFacts:
    """What the text of a retraction needs: which one, who took it back and why. Times aware UTC."""

    recommendation_id: str
    portfolio: str
    retracted_at: datetime
    actor: str
    note: str
    was_accepted: bool = False
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """What the watchdog found, one sentence each. Times aware UTC."""

    sentences: tuple[str, ...]
    seen_at: datetime
    is_simulated: bool = False


def render_recommendation(facts: RecommendationFacts) -> Message:
    """Write a proposed recommendation: the trades first, the largest ones where there are many."""
    lines = [
        *trade_lines(facts.trades),
        f"Why: {clean(facts.reason)}",
        _cost_and_benefit(facts),
        *_caveats(facts.grade, facts.flags),
        f"Data to {_instant(facts.data_at or facts.as_of)}. Valid until {_instant(facts.valid_until)}.",
        _identity(facts.recommendation_id),
    ]
    if facts.supersedes:
        lines.insert(-1, f"Replaces {clean(facts.supersedes)}: do not trade that one.")
    title = f"{clean(facts.portfolio)}: {totals(facts.trades)}"
    return _message(title, lines, is_simulated=facts.is_simulated, reference=clean(facts.recommendation_id))


def render_blocked(facts: BlockedFacts) -> Message:
    """Write a blocked decision: that nothing is recommended, and why."""
    lines = [
        "Do not trade on older recommendations: nothing is recommended now.",
        f"Why: {clean(facts.reason)}",
        f"Decided as of {_instant(facts.as_of)}.",
        _identity(facts.recommendation_id),
    ]
    title = f"{clean(facts.portfolio)}: BLOCKED"
    return _message(title, lines, is_simulated=facts.is_simulated, reference=clean(facts.recommendation_id))


def render_resolved(facts: ResolvedFacts) -> Message:
    """Write the end of a blocked episode."""
    lines = [
        "Recommendations are possible again.",
        f"It was: {clean(facts.reason)}",
        f"Blocked from {_instant(facts.blocked_since)} to {_instant(facts.as_of)}.",
        f"Episode {clean(facts.episode_id)}",
    ]
    return _message(f"{clean(facts.portfolio)}: resolved", lines, is_simulated=facts.is_simulated)


def render_retracted(facts: RetractedFacts) -> Message:
    """Write that a recommendation was wrong and must not be acted on."""
    name = clean(facts.recommendation_id)
    lines = [
        f"Do not act on {name}: it was taken back.",
        *(["It had been accepted: undo what was done by it, if anything."] if facts.was_accepted else []),
        f"Why: {clean(facts.note) or 'no reason was given'}",
        f"By {clean(facts.actor) or 'unknown'}, {_instant(facts.retracted_at)}.",
        _identity(facts.recommendation_id),
    ]
    title = f"{clean(facts.portfolio)}: RETRACTED {name}"
    return _message(title, lines, is_simulated=facts.is_simulated, reference=name)


def render_overdue(facts: OverdueFacts) -> Message:
    """Write that something did not happen in time: nobody else may say so."""
    shown = facts.sentences[:SHOWN_TRADES]
    rest = len(facts.sentences) - len(shown)
    lines = [
        "Recommendations may be missing or late. Do not take silence for a hold.",
        *(clean(sentence) for sentence in shown),
        *([f"+ {rest} more (trimtab watch)"] if rest else []),
        f"Seen {_instant(facts.seen_at)}.",
    ]
    return _message("OVERDUE", lines, is_simulated=facts.is_simulated)


def render_well(seen_at: datetime, *, is_simulated: bool = False) -> Message:
    """Write that nothing is overdue any more."""
    lines = ["Data, runs and deliveries are on time again.", f"Seen {_instant(seen_at)}."]
    return _message("on time again", lines, is_simulated=is_simulated)


def render_test(channel: str, sent_at: datetime, *, is_simulated: bool = False) -> Message:
    """Write the harmless message of `notify --test`."""
    lines = [
        f"This is a test of the channel {clean(channel)}, asked for by hand. There is nothing to do.",
        f"Sent {_instant(sent_at)}.",
    ]
    return _message("test message", lines, is_simulated=is_simulated)


def as_repeat(message: Message, alert_id: str) -> Message:
    """Mark a message whose first sending may or may not have arrived."""
    return Message(
        title=f"{message.title} (repeat)",
        body=f"{message.body}\nrepeat of {alert_id}: it may have reached you before; act on it once.",
        reference=message.reference,
    )


def grade_words(grade: str) -> str:
    """Return a grade or flag with what it means, where that is known."""
    return f"{grade} ({_GRADES[grade]})" if grade in _GRADES else grade


def _message(title: str, lines: Sequence[str], *, is_simulated: bool, reference: str = "") -> Message:
    if not is_simulated:
        return Message(f"Trimtab {title}", "\n".join(lines), reference)
    warning = f"{SIMULATED}. Simulated data: this is an exercise, not advice."
    return Message(f"{SIMULATED} Trimtab {title}", "\n".join([warning, *lines]), reference)


def _cost_and_benefit(facts: RecommendationFacts) -> str:
    cost = _bps(facts.expected_cost_bps, facts.nav_usd)
    benefit = _bps(facts.expected_benefit_bps, facts.nav_usd)
    return f"Cost {cost}; benefit over {facts.horizon_days} days {benefit} (model estimate, before tax)."


def _bps(bps: float | None, nav_usd: float | None) -> str:
    if bps is None or not math.isfinite(bps):
        return "not estimated"
    if nav_usd is None or not math.isfinite(nav_usd):
        return f"{bps:.1f} bps"
    return f"{bps:.1f} bps = {usd(bps * nav_usd / 10_000)}"


def _caveats(grade: str, flags: Sequence[str]) -> list[str]:
    worst_first = dict.fromkeys([grade, *flags])
    named = [clean(name, limit=40) for name in worst_first if name and name != "full"]
    if not named:
        return []
    explained = [grade_words(name) for name in named]
    return [f"Grade: {', '.join(explained)}."]


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _identity(recommendation_id: str) -> str:
    name = clean(recommendation_id)
    return f"Id {name} (trimtab explain {name})"
