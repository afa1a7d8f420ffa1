"""Views on lines: what a signal says about one line beyond what the prior expects, and how sure it is.

A view is earned: an unproven signal has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from portfolio.evidence import SCORE_LIMIT, Evidence

MAX_CONFIDENCE = 0.30  # of all views on a line together


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One signal's opinion of one line.

    Attributes:
        line: "sleeve:asset".
        value: annual simple return expected above (below: negative) the line's prior, IC · σ · z (R. Grinold,
            "Alpha is volatility times IC times score", Journal of Portfolio Management 20 (1994)). A score
            of 0 is no opinion, so it leaves the prior where it is.
        confidence: in [0, 1], from evidence out of sample: 0 leaves the prior, 1 moves the line's expected
            return by the whole value.
        signal: its name, for the explanation.
    """

    line: str
    value: float
    confidence: float
    signal: str


def views_of(
    proven: Sequence[Evidence], scores: Mapping[str, Mapping[str, float]], volatility: Mapping[str, float]
) -> tuple[View, ...]:
    """Return the views of the signals that are proven; the others have none.

    A view's value is IC · σ · z over the evidence's horizon, brought to a year; IC is the one out of sample.
    Its confidence is the share of the coefficient that is not noise, 1 - 1/t² (W. James and C. Stein,
    "Estimation with quadratic loss" (1961)), times 30 %, divided by the number of proven signals: signals
    that see the same thing must not add up to certainty.

    Args:
        proven: the evidence of all signals.
        scores: signal → line → newest z-score.
        volatility: line → daily volatility.
    """
    heard = [e for e in proven if e.is_proven]
    views: list[View] = []
    for e in heard:
        confidence = MAX_CONFIDENCE * (1.0 - 1.0 / e.walk_t**2) / len(heard)
        for line, score in scores.get(e.signal, {}).items():
            sigma = volatility.get(line, float("nan"))
            z = min(max(score, -SCORE_LIMIT), SCORE_LIMIT)
            value = e.direction * e.walk_ic * sigma * sqrt(e.horizon_days) * z * 365.0 / e.horizon_days
            if isfinite(value):
                views.append(View(line=line, value=value, confidence=confidence, signal=e.signal))
    return tuple(sorted(views, key=lambda v: (v.line, v.signal)))
