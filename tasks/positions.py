"""Positions from a file into `core.positions`: one statement per import, never edited, the newest one counts.

Comes in: a CSV whose columns are in the public contract. Goes out: rows of the warehouse. A file that says
the same as the newest statement adds nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tasks.context import RunContext
from warehouse.master import open_master

REQUIRED = ("asset", "venue", "quantity")
OPTIONAL = (
    "kind",
    "account",
    "entry_price",
    "margin",
    "margin_mode",
    "leverage",
    "cost_basis_usd",
    "immovable",
    "as_of",
)
KINDS = ("spot", "perp", "future", "option", "lending", "staking", "bank")
NUMBERS = ("entry_price", "margin", "leverage", "cost_basis_usd")
YES, NO = {"true", "yes", "1"}, {"false", "no", "0", ""}


class PositionsError(Exception):
    """The positions file can not be used; the message names file, line, finding and remedy. Exit status 2."""

    exit_status = 2


@dataclass(frozen=True)
class PositionsSummary:
    """What an import did."""

    portfolio: str
    statement_id: str
    rows: int
    is_new: bool


def holdings_file(context: RunContext, portfolio: str) -> Path | None:
    """The file that a portfolio's configuration names, absolute; None where it names none."""
    holdings = context.settings.portfolios[portfolio].holdings
    return None if holdings is None else context.settings.config_path.parent / holdings.file


def import_configured(context: RunContext, portfolio: str) -> PositionsSummary | None:
    """Import the file that the configuration names, where there is one."""
    file = holdings_file(context, portfolio)
    if file is None or not file.is_file():
        return None
    return import_positions(context, portfolio, file)


def import_positions(context: RunContext, portfolio: str, file: Path) -> PositionsSummary:
    """Store a positions file as the portfolio's newest statement, unless it says what the newest one says.

    Raises:
        PositionsError: the file is missing, malformed, or names one position twice.
    """
    rows = read_positions(file, context.as_of)
    content = _content(portfolio, rows)
    home = context.home
    with open_master(home, context.clock, purpose=f"import positions of {portfolio}") as master:
        newest = master.rows("newest_statement", portfolio=portfolio)
        before = str(newest[0]["statement_id"]) if newest else "000000-"
        number, _, known = before.partition("-")
        if known == content:
            return PositionsSummary(portfolio, before, len(rows), is_new=False)
        statement_id = f"{int(number) + 1:06d}-{content}"
        load = master.newest_load()
        common: Mapping[str, Any] = {
            "portfolio": portfolio,
            "statement_id": statement_id,
            "known_at": context.as_of,
            "load_id": load,
        }
        master.append("core.positions", [{**common, **row} for row in rows])
    return PositionsSummary(portfolio, statement_id, len(rows), is_new=True)


def read_positions(file: Path, as_of: datetime) -> list[dict[str, Any]]:
    """Read and check a positions file.

    Returns:
        One mapping per line with the columns of core.positions that a file can give.
    """
    if not file.is_file():
        raise PositionsError(
            f"Wanted a positions file at {file}, found none. "
            f"Write one with the columns {', '.join(REQUIRED)} or run `trimtab init`."
        )
    text = file.read_text(encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    _check_columns(file, reader.fieldnames)
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for record in reader:
        place = f"{file}:{reader.line_num}"
        if not any(isinstance(value, str) and value.strip() for value in record.values()):
            continue
        row = _row(place, record, as_of)
        key = (row["venue"], row["account"], row["kind"], row["asset"])
        if key in seen:
            raise PositionsError(
                f"{place}: {row['asset']} ({row['kind']}) at {row['venue'] or 'no venue'} "
                f"stands on line {seen[key]} too. "
                "Add the two quantities into one line, or give them different accounts."
            )
        seen[key] = reader.line_num
        rows.append(row)
    if not rows:
        raise PositionsError(
            f"{file}: wanted at least one position, found none. Add a line, or remove the file."
        )
    return rows


def _check_columns(file: Path, names: object) -> None:
    columns = [str(name).strip() for name in names] if isinstance(names, list | tuple) else []  # pyright: ignore[reportUnknownVariableType]
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
        raise PositionsError(
            f"{file}:1: wanted the columns {', '.join(REQUIRED)} and any of {', '.join(OPTIONAL)}; "
            f"{'; '.join(parts)}. Correct the first line."
        )


def _row(place: str, record: Mapping[str, Any], as_of: datetime) -> dict[str, Any]:
    field = {
        str(name).strip(): (value or "").strip() for name, value in record.items() if isinstance(value, str)
    }
    if None in record:
        raise PositionsError(f"{place}: more values than columns. Quote values that hold a comma.")
    asset = field["asset"].upper()
    if not asset.isalnum():
        raise PositionsError(f"{place}: wanted a ticker such as BTC, found {field['asset']!r}. Correct it.")
    kind = field.get("kind") or "spot"
    if kind not in KINDS:
        raise PositionsError(f"{place}: wanted a kind among {', '.join(KINDS)}, found {kind!r}. Correct it.")
    quantity = _number(place, "quantity", field["quantity"])
    if quantity < 0 and kind in {"spot", "lending", "staking", "bank"}:
        raise PositionsError(
            f"{place}: {asset} of kind {kind} has the negative quantity {quantity}; "
            "only derivatives can be short. Correct it."
        )
    numbers = {
        name: float(_number(place, name, field[name])) if field.get(name) else None for name in NUMBERS
    }
    return {
        "venue": field["venue"].lower(),
        "account": field.get("account", ""),
        "kind": kind,
        "asset": asset,
        "quantity": float(quantity),
        **numbers,
        "margin_mode": field.get("margin_mode") or None,
        "is_immovable": _yes_no(place, field.get("immovable", "")),
        "as_of": _instant(place, field["as_of"]) if field.get("as_of") else as_of,
    }


def _number(place: str, name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise PositionsError(
            f"{place}: {name}: wanted a plain number with a decimal point, found {text!r}. "
            "Remove thousands separators and currency signs."
        )
    return value


def _yes_no(place: str, text: str) -> bool:
    if text.lower() not in YES | NO:
        raise PositionsError(f"{place}: immovable: wanted true or false, found {text!r}. Correct it.")
    return text.lower() in YES


def _instant(place: str, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise PositionsError(
            f"{place}: as_of: wanted a UTC time such as 2026-06-30T18:00:00Z, found {text!r}. Correct it."
        ) from None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _content(portfolio: str, rows: list[dict[str, Any]]) -> str:
    """The same holdings are the same statement, whatever the order of lines and whenever they were taken."""
    lines = sorted(repr([row[name] for name in sorted(row) if name != "as_of"]) for row in rows)
    return hashlib.sha256("\n".join([portfolio, *lines]).encode()).hexdigest()[:12]
