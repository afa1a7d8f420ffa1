"""What of a breach is news: told once when it opens, again when it grew, once when it is over. Pure.

A breach opens at a rule's limit. It ends when two looks in a row find it well clear of the limit, or when it
has been a little clear of it for half a day: what moves to and fro at a limit is one episode and not ten.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from portfolio.guard import breaches
from portfolio.guarded import LITTLE_CLEAR, Breach, GuardInputs, GuardRules, Level

News = Literal["", "opened", "worse", "over"]
QUIET_LOOKS = 2
CONFIRMING_LOOKS = 2
# What was told at an excess e is told again beyond twice e and this: ever more rarely while it grows.
WORSENING = 0.5
WELL_CLEAR = 0.50  # of the limit
QUIET_TIME = timedelta(hours=12)
# What liquidates or robs does not wait for a second look.
AT_ONCE = ("margin", "delta", "incident", "delisting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A breach from the look that first showed it to the one that ended it.

    Attributes:
        level, excess: what was told last; `excess` as in `Breach`, None where infinite.
        sightings: looks in a row that showed it; `quiet_looks`: looks in a row that did not.
        announced_at: the look that was told; None while it is not confirmed.
    """

    kind: str
    subject: str
    level: Level
    measure: float | None
    limit: float | None
    excess: float | None
    sightings: int
    quiet_looks: int
    opened_at: datetime
    announced_at: datetime | None
    seen_at: datetime
    closed_at: datetime | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """An episode after a look, the breach it stands for, and what is to be told of it ("": nothing)."""

    episode: Episode
    news: News
    breach: Breach | None


def look(
    inputs: GuardInputs, rules: GuardRules, known: Mapping[tuple[str, str], Episode]
) -> tuple[tuple[Breach, ...], list[Step]]:
    """Look once, and put what is found beside the episodes that are open.

    Args:
        inputs: what is held and known now.
        rules: the limits.
        known: open episodes by kind and subject.

    Returns:
        The breaches of the limits as they are, worst first; and the steps, those of breaches in that order.
    """
    found = breaches(inputs, rules)
    named = {(one.kind, one.subject): one for one in found}
    # Only an open episode is held on to by the relaxed limits: they never open one.
    near = breaches(inputs, rules.relaxed(LITTLE_CLEAR)) if known else ()
    held = [one for one in near if (one.kind, one.subject) in known.keys() - named.keys()]
    steps = [_seen(one, known.get((one.kind, one.subject)), inputs.as_of) for one in found]
    steps += [_lingering(one, known[one.kind, one.subject], inputs.as_of) for one in held]
    still = named.keys() | {(one.kind, one.subject) for one in held}
    gone = known.keys() - still
    close = breaches(inputs, rules.relaxed(WELL_CLEAR)) if gone else ()
    not_far = {(one.kind, one.subject) for one in close}
    steps += [_unseen(known[name], inputs.as_of, is_clear=name not in not_far) for name in sorted(gone)]
    return found, steps


def open_after(steps: Sequence[Step]) -> dict[tuple[str, str], Episode]:
    """Return what the next look is given as `known`."""
    return {
        (step.episode.kind, step.episode.subject): step.episode
        for step in steps
        if step.episode.closed_at is None
    }


def _seen(one: Breach, before: Episode | None, at: datetime) -> Step:
    now = Episode(
        kind=one.kind,
        subject=one.subject,
        level=one.level,
        measure=_finite(one.measure),
        limit=_finite(one.limit),
        excess=_finite(one.excess),
        sightings=1 if before is None else before.sightings + 1,
        quiet_looks=0,
        opened_at=at if before is None else before.opened_at,
        announced_at=None if before is None else before.announced_at,
        seen_at=at,
        closed_at=None,
        sentence=one.sentence,
    )
    if before is None or before.announced_at is None:
        is_sure = one.level == "critical" or one.kind in AT_ONCE or now.sightings >= CONFIRMING_LOOKS
        return Step(replace(now, announced_at=at), "opened", one) if is_sure else Step(now, "", one)
    if _is_worse(one, before):
        return Step(now, "worse", one)
    # What was told stays the mark that worsening is measured from.
    return Step(replace(now, excess=before.excess, level=before.level), "", one)


def _is_worse(one: Breach, before: Episode) -> bool:
    if one.level == "critical" and before.level != "critical":
        return True
    # An infinite excess was told as such: nothing is beyond it.
    return before.excess is not None and one.excess > 2.0 * before.excess + WORSENING


def _lingering(one: Breach, before: Episode, at: datetime) -> Step:
    return Step(replace(before, measure=_finite(one.measure), quiet_looks=0, seen_at=at), "", one)


def _unseen(before: Episode, at: datetime, *, is_clear: bool) -> Step:
    quiet = replace(before, quiet_looks=before.quiet_looks + 1)
    if before.announced_at is None:
        return Step(replace(quiet, closed_at=at), "", None)
    if quiet.quiet_looks >= QUIET_LOOKS and (is_clear or at - before.seen_at >= QUIET_TIME):
        return Step(replace(quiet, closed_at=at), "over", None)
    return Step(quiet, "", None)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
