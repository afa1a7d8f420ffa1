"""Everything that is recorded of one recommendation, and the sentences in which its figures are told.

The terminal and the page say the same because both take it from here.
"""

from __future__ import annotations

from typing import Any

from tasks.told_views import views_of
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
        "alternatives": session.rows("alternatives_of", **key),
        "views": views_of(session, recommendation_id),
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


def risk_sentences(lines: list[Row]) -> list[str]:
    """What one more point of a line would do to the portfolio's volatility, now and as proposed."""
    told: list[str] = []
    for row in lines:
        before, after = (row["numbers"].get(f"marginal_volatility_{name}") for name in ("before", "after"))
        if row["sleeve"] == "cash" or after is None:
            continue
        now = "" if before is None else f"{before * 100:+.0f} bps now, "
        told.append(
            f"{row['sleeve']}:{row['asset']}: one more point changes the portfolio's annual volatility by "
            f"{now}{after * 100:+.0f} bps as proposed"
        )
    return told


ALTERNATIVES = {
    "hold": "do nothing",
    "proposal": "the proposal",
    "target": "the target in force",
    "equal_weight": "the same weight for every line (1/N)",
    "hrp": "hierarchical risk parity",
}
ALTERNATIVE_COLUMNS = (
    "",
    "benefit, bps",
    "four of five within",
    "cost, bps",
    "beats cost",
    "return a year",
    "risk",
)


def alternative_cells(row: Row) -> tuple[str, ...]:
    """One alternative as the cells of a table; a missing figure is empty, and the note is in the first."""
    name = str(ALTERNATIVES.get(str(row["name"]), row["name"]))
    name += f" ({row['note']})" if row["note"] else ""
    low, high = row["benefit_low_bps"], row["benefit_high_bps"]

    def cell(form: str, value: float | None) -> str:
        return "" if value is None else form.format(round(value, 9) + 0.0)

    return (
        name,
        cell("{:+.1f}", row["benefit_bps"]),
        "" if low is None or high is None else f"{low:+.1f} to {high:+.1f}",
        cell("{:.1f}", row["cost_bps"]),
        cell("{:.0%}", row["probability"]),
        cell("{:.1%}", row["expected_return"]),
        cell("{:.1%}", row["volatility"]),
    )


def _opened(row: Row) -> Row:
    numbers: Row = dict(row["numbers"] or {})
    sentence = numbers.pop("sentence", "")
    return {**row, "numbers": numbers, "sentence": sentence}
