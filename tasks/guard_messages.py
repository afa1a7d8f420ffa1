"""The texts of the guard's alerts: what to do first, then what was found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks.messages import SIMULATED, Message
from tasks.plain_text import clean


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """What the text of a breach needs. `news`: opened, worse or over. Times aware UTC."""

    portfolio: str
    subject: str
    level: str
    news: str
    sentence: str
    action: str
    since: datetime
    seen_at: datetime
    episode_id: str
    is_simulated: bool = False


def render_guard(facts: GuardFacts) -> Message:
    """Write that a risk opened, grew, or is over."""
    portfolio, subject = clean(facts.portfolio), clean(facts.subject)
    if facts.news == "over":
        title = f"{portfolio}: over: {subject}"
        lines = [f"No longer: {clean(facts.sentence)}"]
    else:
        word = {"opened": "RISK", "worse": "RISK GROWS"}[facts.news]
        title = f"{portfolio}: {word} ({facts.level}): {subject}"
        lines = [clean(facts.action), f"Why: {clean(facts.sentence)}"]
    lines += [
        f"Since {facts.since:%Y-%m-%d %H:%M} UTC; seen {facts.seen_at:%Y-%m-%d %H:%M} UTC.",
        f"Episode {clean(facts.episode_id)} (trimtab guard)",
    ]
    if not facts.is_simulated:
        return Message(f"Trimtab {title}", "\n".join(lines))
    warning = f"{SIMULATED}. Simulated data: this is an exercise, not advice."
    return Message(f"{SIMULATED} Trimtab {title}", "\n".join([warning, *lines]))
