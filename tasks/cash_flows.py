"""Cash flows from a file into `core.cash_flows`: what came in and went out; performance leaves it out.

Comes in: a CSV with the columns happened_at, kind, asset, quantity, or an exchange's ledger. Goes out: rows
of the warehouse. A flow that is known already adds nothing, whichever file it comes in; one that changed is
a new version; a quantity of 0 takes it back. Of a file with a mistake nothing is stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.context import RunContext
from tasks.csv_files import CsvFile, PositionsError, Row, read_csv
from tasks.exchange_exports import cash_flows_of, recognise
from tasks.positions_rows import TICKER
from warehouse.master import open_master

REQUIRED = ("happened_at", "kind", "asset", "quantity")
OPTIONAL = ("value_usd", "note", "reference")
SIGNS = {"deposit": 1, "income": 1, "withdrawal": -1, "fee": -1}
COMPARED = ("happened_at", "kind", "asset", "quantity", "value_usd", "note")


@dataclass(frozen=True)
class CashFlowsSummary:
    """What an import did: lines of the file, and how many of them were new or changed."""

    portfolio: str
    statement_id: str
    rows: int
    rows_new: int
    source: str = ""

    @property
    def is_new(self) -> bool:
        """Whether anything was stored."""
        return self.rows_new > 0


def is_cash_flow_file(file: Path) -> bool:
    """Whether a file's header is that of a cash-flow file of ours."""
    return "happened_at" in read_csv(file, "a positions or cash-flow file").columns


def import_cash_flows(context: RunContext, portfolio: str, file: Path) -> CashFlowsSummary:
    """Store what a cash-flow file says and the portfolio did not know yet.

    Raises:
        PositionsError: the file is missing or malformed, or two lines are about one flow.
    """
    found = read_csv(file, "a cash-flow file")
    export = None if set(REQUIRED) <= set(found.columns) else recognise(found)
    flows = cash_flow_rows(found, context.as_of)
    digest = hashlib.sha256("\n".join([portfolio, *sorted(repr(sorted(f.items())) for f in flows)]).encode())
    with open_master(context.home, context.clock, purpose=f"import cash flows of {portfolio}") as master:
        known = {row["flow_id"]: row for row in master.rows("newest_cash_flows", portfolio=portfolio)}
        new = [flow for flow in flows if _differs(flow, known.get(flow["flow_id"]))]
        newest = max((str(row["statement_id"]) for row in known.values()), default="000000-")
        number, content = int(newest.partition("-")[0]), digest.hexdigest()[:12]
        statement_id = f"{number + 1:06d}-{content}" if new else newest
        common = {
            "portfolio": portfolio,
            "statement_id": statement_id,
            "known_at": context.as_of,
            "load_id": master.newest_load(),
        }
        master.append("core.cash_flows", [{**common, **flow} for flow in new])
    name = export.name if export else ""
    return CashFlowsSummary(portfolio, statement_id, len(flows), len(new), source=name)


def cash_flow_rows(file: CsvFile, as_of: datetime) -> list[dict[str, Any]]:
    """Check every line of a cash-flow file, ours or an exchange's ledger.

    Returns:
        One mapping per flow with the columns of core.cash_flows that a file can give.

    Raises:
        PositionsError: it can not be used.
    """
    rows = list(file.rows)
    if not set(REQUIRED) <= set(file.columns):
        export = recognise(file)
        if export is None:
            raise _unknown_columns(file)
        rows = cash_flows_of(file, export)
    elif not set(file.columns) <= {*REQUIRED, *OPTIONAL}:
        raise _unknown_columns(file)
    made: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for row in rows:
        flow = _flow(row, as_of)
        if flow["flow_id"] in seen:
            raise PositionsError(
                f"{row.place}: the same flow stands on line {seen[flow['flow_id']]} too. Remove one of them; "
                "two that only look alike need different notes or references."
            )
        seen[flow["flow_id"]] = row.line
        made.append(flow)
    return made


def _unknown_columns(file: CsvFile) -> PositionsError:
    missing = [name for name in REQUIRED if name not in file.columns]
    unknown = [name or "(empty)" for name in file.columns if name not in REQUIRED + OPTIONAL]
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
    return PositionsError(
        f"{file.path}:1: wanted the columns {', '.join(REQUIRED)} and any of {', '.join(OPTIONAL)}, or a "
        f"ledger of Kraken or an account statement of Coinbase; {'; '.join(parts)}. Correct the first line."
    )


def _flow(row: Row, as_of: datetime) -> dict[str, Any]:
    kind, asset = row.text("kind").lower(), row.text("asset").upper()
    if kind not in SIGNS:
        raise row.fault("kind", f"a kind among {', '.join(SIGNS)}", "Correct it.")
    if not TICKER.fullmatch(asset):
        raise row.fault("asset", "a ticker such as USDC", "Correct it.")
    at = row.instant("happened_at")
    if at is None or at > as_of:
        wanted = f"a UTC time that is not after {as_of:%Y-%m-%dT%H:%M:%SZ}"
        raise row.fault("happened_at", wanted, "Correct it; times without a zone are UTC.")
    quantity, value = _signed(row, "quantity", SIGNS[kind]), _signed(row, "value_usd", SIGNS[kind])
    if quantity is None:
        raise row.fault("quantity", "a plain number", "Give it; 0 takes a flow back.")
    note, reference = row.text("note"), row.text("reference")
    name = [reference, kind] if reference else [at.isoformat(), kind, asset, note]
    return {
        "flow_id": hashlib.sha256("\n".join(name).encode()).hexdigest()[:16],
        "happened_at": at,
        "kind": kind,
        "asset": asset,
        "quantity": float(quantity),
        "value_usd": None if value is None else float(value),
        "note": note,
    }


def _signed(row: Row, column: str, sign: int) -> Decimal | None:
    """A file gives amounts; the kind gives the direction. A minus that says the same is accepted."""
    value = row.number(column)
    if value is not None and value < 0 < sign:
        raise row.fault(column, "an amount above zero", "A withdrawal is a kind of its own, not a minus.")
    return None if value is None else abs(value) * sign


def _differs(flow: dict[str, Any], known: dict[str, Any] | None) -> bool:
    return known is None or any(flow[name] != known[name] for name in COMPARED)
