"""Options of a recommendation's lines as the cells of a table; the terminal and the page show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
OPTION_COLUMNS = ("option", "held", "value, USD", "delta, USD", "vega, USD a point")
FORMS = {
    "option_quantity": "{:+,.6g}",
    "option_value_usd": "{:,.0f}",
    "option_delta_usd": "{:+,.0f}",
    "option_vega_usd": "{:+,.1f}",
}


def option_cells(lines: Sequence[Row]) -> list[tuple[str, ...]]:
    """One row per option, and one per line with several; a figure that is not known is empty."""
    rows: list[tuple[str, ...]] = []
    for line in lines:
        numbers: Row = line["numbers"]
        names = [key.partition(":")[2] for key in numbers if key.startswith("option_quantity:")]
        for name in names:
            figures = [(form, numbers.get(f"{what}:{name}")) for what, form in FORMS.items()]
            rows.append((name.replace("@", " at "), *(_cell(form, value) for form, value in figures)))
        if len(names) > 1:
            rows.append(_together(line, numbers))
    return rows


def _together(line: Row, numbers: Row) -> tuple[str, ...]:
    named = {"option_value_usd": "value_usd", "option_delta_usd": "delta_usd", "option_vega_usd": "vega_usd"}
    figures = (_cell(FORMS[what], numbers.get(name)) for what, name in named.items())
    return (f"{line['sleeve']}:{line['asset']} together", "", *figures)


def _cell(form: str, value: float | None) -> str:
    return "" if value is None else form.format(round(value, 9) + 0.0)
