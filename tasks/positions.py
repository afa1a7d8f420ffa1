"""Positions from a file into `core.positions`: one statement per import, never edited, the newest one counts.

Comes in: a CSV whose columns are in the public contract, or an exchange's own export of balances. Goes out:
rows of the warehouse, with the line that each leg belongs to. A file that says the same as the newest
statement adds nothing; of a file with a mistake nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from portfolio.pairing import PAIRED, HeldRow, pair_legs
from tasks.context import RunContext
from tasks.csv_files import CsvFile, PositionsError, read_csv
from tasks.exchange_exports import positions_of, recognise
from tasks.known_assets import REFERENCE_CURRENCIES, STABLECOINS
from tasks.positions_rows import OPTIONAL, REQUIRED, Reading, position_rows
from warehouse.master import open_master

__all__ = ["PositionsError", "PositionsSummary", "import_configured", "import_positions", "read_positions"]

MONEY = STABLECOINS | REFERENCE_CURRENCIES
DEFAULT_QUOTE = "USDT"


@dataclass(frozen=True)
class PositionsSummary:
    """What an import did; `source` names the exchange's export it was read from, if it was one."""

    portfolio: str
    statement_id: str
    rows: int
    is_new: bool
    source: str = ""


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
    found = read_csv(file, "a positions file")
    rows = _rows(found, Reading(context.as_of, context.settings.universe.quote))
    legs = legs_of(rows, context.settings.portfolios[portfolio].sleeves)
    content = _content(portfolio, rows, legs)
    export = None if set(REQUIRED) <= set(found.columns) else recognise(found)
    source = export.name if export else ""
    with open_master(context.home, context.clock, purpose=f"import positions of {portfolio}") as master:
        newest = master.rows("newest_statement", portfolio=portfolio)
        before = str(newest[0]["statement_id"]) if newest else "000000-"
        number, _, known = before.partition("-")
        if known == content:
            return PositionsSummary(portfolio, before, len(rows), is_new=False, source=source)
        statement_id = f"{int(number) + 1:06d}-{content}"
        common: Mapping[str, Any] = {
            "portfolio": portfolio,
            "statement_id": statement_id,
            "known_at": context.as_of,
            "load_id": master.newest_load(),
        }
        with master.transaction():
            master.append("core.positions", [{**common, **row} for row in rows])
            master.append("core.position_legs", [{**common, **leg} for leg in legs])
    return PositionsSummary(portfolio, statement_id, len(rows), is_new=True, source=source)


def read_positions(file: Path, as_of: datetime, quote: str = DEFAULT_QUOTE) -> list[dict[str, Any]]:
    """Read and check a positions file, ours or an exchange's.

    Args:
        file: Where it is.
        as_of: When it is read; the moment of every position that names none.
        quote: Currency of a derivative's entry price and margin, where the file names none.

    Returns:
        One mapping per line with the columns of core.positions that a file can give.

    Raises:
        PositionsError: it can not be used.
    """
    return _rows(read_csv(file, "a positions file"), Reading(as_of, quote))


def _rows(file: CsvFile, reading: Reading) -> list[dict[str, Any]]:
    rows = list(file.rows)
    if not set(REQUIRED) <= set(file.columns):
        export = recognise(file)
        if export is None:
            raise _unknown_columns(file)
        rows = positions_of(file, export)
    elif not set(file.columns) <= {*REQUIRED, *OPTIONAL}:
        raise _unknown_columns(file)
    if not rows:
        raise PositionsError(
            f"{file.path}: wanted at least one position, found none. Add a line, or remove the file."
        )
    return position_rows(rows, reading)


def _unknown_columns(file: CsvFile) -> PositionsError:
    missing = [name for name in REQUIRED if name not in file.columns]
    unknown = [name or "(empty)" for name in file.columns if name not in REQUIRED + OPTIONAL]
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
    return PositionsError(
        f"{file.path}:1: wanted the columns {', '.join(REQUIRED)} and any of {', '.join(OPTIONAL)}, or an "
        "export of balances from Binance, Kraken (ledger) or Coinbase (account statement), or asset,amount; "
        f"{'; '.join(parts)}. Correct the first line."
    )


def held_rows(rows: Sequence[Mapping[str, Any]]) -> list[HeldRow]:
    """Rows of a statement as the pairing of legs takes them."""
    return [
        HeldRow(
            venue=row["venue"],
            account=row["account"],
            kind=row["kind"],
            asset=row["asset"],
            market_id=row["market_id"] or "",
            quantity=Decimal(repr(float(row["quantity"]))),
            is_immovable=bool(row["is_immovable"]),
        )
        for row in rows
    ]


def legs_of(rows: Sequence[Mapping[str, Any]], sleeves: Sequence[str]) -> list[dict[str, Any]]:
    """The line that each part of each row belongs to, as rows of core.position_legs."""
    names = ("venue", "account", "kind", "asset", "market_id")
    return [
        {name: rows[part.row][name] for name in names}
        | {"sleeve": part.sleeve, "quantity": float(part.quantity)}
        for part in pair_legs(held_rows(rows), sleeves, MONEY)
    ]


def _content(portfolio: str, rows: list[dict[str, Any]], legs: list[dict[str, Any]]) -> str:
    """The same holdings are the same statement, whatever the order of lines and whenever they were taken.

    A statement with paired legs is another one than the same without: its history is told by line.
    """
    lines = sorted(repr([row[name] for name in sorted(row) if name != "as_of"]) for row in rows)
    paired = sorted(repr(sorted(leg.items())) for leg in legs if leg["sleeve"] in PAIRED.values())
    return hashlib.sha256("\n".join([portfolio, *lines, *paired]).encode()).hexdigest()[:12]
