"""One line of a positions file as a row of `core.positions`: what each column may say, and what it means.

Comes in: a line with its place. Goes out: checked values, or the error that names line, column, finding and
remedy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tasks.csv_files import PositionsError, Row

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
    "market_id",
    "quote",
)
KINDS = ("spot", "perp", "future", "option", "lending", "staking", "bank")
DERIVATIVES = ("perp", "future", "option")
MARGIN_MODES = ("cross", "isolated")
YES, NO = {"true", "yes", "1"}, {"false", "no", "0", ""}
# BTC-27MAR26-90000-C (Deribit, Bybit), BTC-260327-90000-C (Binance), BTC-USD-260327-90000-C (OKX)
OPTION_ID = re.compile(r"[A-Z0-9]+(?:[-_][A-Z0-9]+)?-\d{1,2}[A-Z]{3}\d{2}-[\d.D]+-[CP](?:-[A-Z]+)?"
                       r"|[A-Z0-9]+(?:-[A-Z]+)?-\d{6}-[\d.]+-[CP]")  # fmt: skip
TICKER = re.compile(r"[A-Z0-9]{1,20}")


@dataclass(frozen=True)
class Reading:
    """What a file does not say itself: the moment it is read, and the currency of derivatives' prices."""

    as_of: datetime
    quote: str


def position_rows(rows: Sequence[Row], reading: Reading) -> list[dict[str, Any]]:
    """Check every line of a positions file.

    Returns:
        One mapping per line with the columns of core.positions that a file can give.

    Raises:
        PositionsError: a line is wrong, or two lines are about one position.
    """
    made: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        position = _position(row, reading)
        key = tuple(position[name] for name in ("venue", "account", "kind", "asset", "market_id"))
        if key in seen:
            raise PositionsError(
                f"{row.place}: {position['asset']} ({position['kind']}) at {position['venue'] or 'no venue'} "
                f"stands on line {seen[key]} too. "
                "Add the two quantities into one line, or give them different accounts or market ids."
            )
        seen[key] = row.line
        made.append(position)
    return made


def _position(row: Row, reading: Reading) -> dict[str, Any]:
    asset = row.text("asset").upper()
    if not TICKER.fullmatch(asset):
        raise row.fault("asset", "a ticker such as BTC", "Correct it.")
    kind = row.text("kind").lower() or "spot"
    if kind not in KINDS:
        raise row.fault("kind", f"a kind among {', '.join(KINDS)}", "Correct it.")
    quantity = row.number("quantity")
    if quantity is None:
        raise row.fault("quantity", "a plain number", "Give it, or remove the line.")
    if quantity < 0 and kind not in DERIVATIVES:
        raise PositionsError(
            f"{row.place}: quantity: {asset} of kind {kind} has the negative quantity {quantity}; only "
            f"{', '.join(DERIVATIVES)} can be short. Correct it; a loan is not supported."
        )
    market_id = _market_id(row, kind)
    return {
        "venue": row.text("venue").lower(),
        "account": row.text("account"),
        "kind": kind,
        "asset": asset,
        "quantity": float(quantity),
        **_terms(row, kind),
        "cost_basis_usd": _at_least(row, "cost_basis_usd", is_zero_allowed=True),
        "is_immovable": _yes_no(row),
        "as_of": _as_of(row, reading.as_of),
        "market_id": market_id,
        "quote": _quote(row, kind, reading.quote),
    }


def _terms(row: Row, kind: str) -> dict[str, Any]:
    """Entry, margin, mode and leverage; a perpetual or future can not be valued without its entry price."""
    entry = _at_least(row, "entry_price", is_zero_allowed=False)
    if entry is None and kind in {"perp", "future"}:
        raise row.fault(
            "entry_price",
            f"the average price at which the {kind} was entered",
            "Without it its profit or loss is unknown; the venue's list of positions shows it.",
        )
    mode = row.text("margin_mode").lower() or None
    if mode is not None and mode not in MARGIN_MODES:
        raise row.fault("margin_mode", " or ".join(MARGIN_MODES), "Correct it, or leave it empty.")
    return {
        "entry_price": entry,
        "margin": _at_least(row, "margin", is_zero_allowed=True),
        "margin_mode": mode,
        "leverage": _at_least(row, "leverage", is_zero_allowed=False),
    }


def _market_id(row: Row, kind: str) -> str:
    given = row.text("market_id")
    if kind == "option" and not OPTION_ID.fullmatch(given.upper()):
        raise row.fault(
            "market_id",
            "the option's own id with expiry, strike and type, such as BTC-27MAR26-90000-C",
            "Copy it from the venue.",
        )
    if kind == "future" and not given:
        raise row.fault("market_id", "the dated contract, such as BTCUSDT_260327", "Copy it from the venue.")
    return given if kind in DERIVATIVES else ""


def _quote(row: Row, kind: str, usual: str) -> str:
    given = row.text("quote").upper()
    if given and not TICKER.fullmatch(given):
        raise row.fault("quote", "a currency such as USDT", "Correct it.")
    return given or (usual if kind in DERIVATIVES else "USD")


def _at_least(row: Row, column: str, *, is_zero_allowed: bool) -> float | None:
    value = row.number(column)
    if value is None:
        return None
    if value < 0 or (value == Decimal(0) and not is_zero_allowed):
        wanted = "a number that is not negative" if is_zero_allowed else "a number above zero"
        raise row.fault(column, wanted, "Correct it, or leave it empty.")
    return float(value)


def _yes_no(row: Row) -> bool:
    text = row.text("immovable").lower()
    if text not in YES | NO:
        raise row.fault("immovable", "true or false", "Correct it.")
    return text in YES


def _as_of(row: Row, now: datetime) -> datetime:
    given = row.instant("as_of") or now
    if given > now:
        wanted = f"a moment that is not after {now:%Y-%m-%dT%H:%M:%SZ}, when the file is read"
        raise row.fault("as_of", wanted, "Correct it; times without a zone are UTC.")
    return given
