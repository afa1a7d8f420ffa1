"""What signals had to say in a recommendation, as sentences: the views, and who has none."""

from __future__ import annotations

from typing import Any

from warehouse.errors import QueryFailed
from warehouse.session import Session

Row = dict[str, Any]


def views_of(session: Session, recommendation_id: str) -> list[Row]:
    """What each signal had to say in a recommendation."""
    try:
        return session.rows("views_of", recommendation_id=recommendation_id)
    except QueryFailed:
        return []  # a snapshot from before there were views; the next one has the table


def view_sentences(views: list[Row]) -> list[str]:
    """One sentence per view, and one for all signals that have none."""
    texts = [
        f"{row['signal']} on {row['asset']}: {row['value']:+.1%} a year beyond the prior, "
        f"confidence {row['confidence']:.0%} {_proof(row['evidence'])}"
        for row in views
        if row["value"] is not None
    ]
    proven = [row["signal"] for row in views if row["value"] is None and row["evidence"].get("is_proven")]
    silent = [row["signal"] for row in views if row["value"] is None and not row["evidence"].get("is_proven")]
    if proven:
        texts.append(f"Proven, but without a score that is up to date: {', '.join(sorted(proven))}.")
    if silent:
        texts.append(
            f"Not proven out of sample, so without a view ({len(silent)}): {', '.join(sorted(silent))}."
        )
    return texts


def _proof(evidence: Row) -> str:
    return (
        f"(out of sample IC {evidence['walk_ic']:+.3f}, t {evidence['walk_t']:.1f}, "
        f"q {evidence['q_value']:.3f}, {evidence['windows']} windows)"
    )
