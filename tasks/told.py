"""Everything that is recorded of one recommendation, and the sentences in which its figures are told.

The terminal and the page say the same because both take it from here.
"""

from __future__ import annotations

import tomllib
from typing import Any

from tasks.told_views import views_of
from warehouse.session import Session

Row = dict[str, Any]
FIXED = 1e-6  # bounds that are closer leave a line no choice; a weight that is closer is at its bound
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


def rules_of(whole: Row) -> Row:
    """The portfolio's settings as they were when it was decided; empty where they are not recorded."""
    return tomllib.loads(whole["policy"])["portfolios"][whole["portfolio"]] if whole["policy"] else {}


def held_sentences(weights: list[Row]) -> list[str]:
    """Each binding constraint once, with what it costs and the lines that it holds.

    A shadow price is annual utility per unit of weight, so one point of weight is worth a hundredth of it,
    and that in basis points is a hundred times the price.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for row in weights:
        if row["binding"]:
            price = row["shadow_price"]
            limit, way = _limit(row)
            worth = f"; {way} would be worth {abs(price) * 100:.1f} bps of utility a year" if price else ""
            groups.setdefault((limit, worth), []).append(f"{row['sleeve']}:{row['asset']}")
    return [f"{', '.join(lines)}: {limit}{worth}" for (limit, worth), lines in groups.items()]


def _limit(row: Row) -> tuple[str, str]:
    """What holds a line, and the way in which that limit would give: up, down, or wider as a whole."""
    name = str(row["binding"])
    words, target = name.replace("_", " "), row["target_weight"]
    for side, way in ((" upper", "most"), (" lower", "least")):
        if name.endswith(side):
            return f"stopped by the {way} allowed for {words.removesuffix(side)}", "one point wider"
    if name == "max_turnover":
        return "stopped by max turnover", "one more point of turnover"
    low, high = row["lower_bound"] or 0.0, row["upper_bound"] or 0.0
    if high - low < FIXED:
        return f"kept by {words}", "one point of room"
    if target <= low + FIXED:
        return f"not lower: {words}", "one point less"
    return f"not higher: {words}", "one point more"


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


RISK_TITLE = "Risk at the margin: what one more point of a line adds to the portfolio's annual volatility"


def risk_sentences(lines: list[Row]) -> list[str]:
    """The rows under `RISK_TITLE`, now and as proposed."""
    told: list[str] = []
    for row in lines:
        before, after = (row["numbers"].get(f"marginal_volatility_{name}") for name in ("before", "after"))
        if row["sleeve"] == "cash" or after is None:
            continue
        now = "" if before is None else f"{before * 100:+.0f} bps now, "
        told.append(f"{row['sleeve']}:{row['asset']}: {now}{after * 100:+.0f} bps as proposed")
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
