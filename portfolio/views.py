"""Views on lines: what a signal says about one line beyond what the prior expects, and how sure it is.

A view is earned: an unproven signal has none.
"""

from dataclasses import dataclass


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
