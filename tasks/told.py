"""Everything that is recorded of one recommendation, and the sentences in which its figures are told.

The terminal and the page say the same because both take it from here.
"""

from __future__ import annotations

from typing import Any

from warehouse.session import Session

Row = dict[str, Any]
# Name of a change → how it is told, its unit, and the least that is worth telling.
MOVES = {
    "price_return": ("price {:+.1f} %", 100.0, 0.0005),
    "quantity": ("held {:+,.6g}", 1.0, 1e-12),
    "expected_return": ("expected return {:+.1f} points a year", 100.0, 0.0005),
    "volatility": ("volatility {:+.1f} points a year", 100.0, 0.0005),
    "target_weight": ("target {:+.1f} points", 100.0, 0.0005),
}


def gather(session: Session, recommendation_id: str) -> Row | None:
    """Everything that is recorded of one recommendation; None where there is no such id."""
    found = session.rows("recommendation", recommendation_id=recommendation_id)
    if not found:
        return None
    key = {"recommendation_id": recommendation_id}
    policy = session.rows("policy_text", config_hash=found[0]["config_hash"])
    return {
        **found[0],
        "trades": session.rows("trades_of", **key),
        "weights": session.rows("weights_of", **key),
        "lines": [_opened(row) for row in session.rows("lines_of", **key)],
        "policy": policy[0]["toml"] if policy else "",
        "earlier": session.rows("earlier_recommendations", **key),
    }


def held_sentences(weights: list[Row]) -> list[str]:
    """Each binding constraint once, with what it costs and the lines that it holds.

    A shadow price is annual utility per unit of weight, so one point of weight is worth a hundredth of it,
    and that in basis points is a hundred times the price.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for row in weights:
        if row["binding"]:
            price = row["shadow_price"]
            worth = f"{abs(price) * 100:.1f}" if price else ""
            groups.setdefault((row["binding"], worth), []).append(f"{row['sleeve']}:{row['asset']}")
    return [
        f"{', '.join(lines)}: stopped by {name.replace('_', ' ')}"
        + (f"; one more point would be worth {worth} bps a year" if worth else "")
        for (name, worth), lines in groups.items()
    ]


def change_sentences(changes: Row) -> list[str]:
    """What moved since the portfolio's last recommendation; what hardly moved is left out."""
    told = [
        form.format(value * scale)
        for name, (form, scale, least) in MOVES.items()
        if (value := changes.get(name)) is not None and abs(value) >= least
    ]
    told += ["the policy is another"] if changes.get("policy") else []
    since = changes.get("since")
    if since and told:
        told.append(f"since {since}")
    return told


def _opened(row: Row) -> Row:
    numbers: Row = dict(row["numbers"] or {})
    sentence = numbers.pop("sentence", "")
    return {**row, "numbers": numbers, "sentence": sentence}
