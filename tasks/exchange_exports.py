"""What exchanges' own CSV exports say, in the columns of our positions and cash-flow files.

An export is recognised by its header and never by its name. Balances become positions; the deposits and
withdrawals of a ledger become cash flows. A list of trades holds no balances and is refused with the name
of the export to take instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tasks.csv_files import CsvFile, PositionsError, Row

# Kraken's own names, where they are not simply the ticker with an X or a Z before it.
KRAKEN_NAMES = {"XBT": "BTC", "XXBT": "BTC", "XDG": "DOGE", "XXDG": "DOGE", "ETH2": "ETH"}
KRAKEN_PREFIXED = frozenset(
    "XETH XETC XLTC XMLN XREP XXLM XXMR XXRP XZEC ZAUD ZCAD ZEUR ZGBP ZJPY ZUSD".split()
)
KRAKEN_STAKED = frozenset({"S", "B", "M", "P", "F"})
# Words of a ledger → our kinds of cash flow.
LEDGER_KINDS = {
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "staking": "income",
    "dividend": "income",
    "airdrop": "income",
}


@dataclass(frozen=True)
class Export:
    """One known export.

    Attributes:
        name: as the exchange calls it.
        columns: that must all be there, lower case.
        positions: rows of a positions file; None where the export holds no balances.
        cash_flows: rows of a cash-flow file; None where it holds none.
        remedy: what to export instead, where something is missing.
    """

    name: str
    columns: frozenset[str]
    positions: Callable[[CsvFile], list[Row]] | None = None
    cash_flows: Callable[[CsvFile], list[Row]] | None = None
    remedy: str = ""


def recognise(file: CsvFile) -> Export | None:
    """The export whose columns the file has; None where it is none that we know."""
    found = [export for export in EXPORTS if export.columns <= set(file.columns)]
    return max(found, key=lambda export: len(export.columns), default=None)


def positions_of(file: CsvFile, export: Export) -> list[Row]:
    """The balances of an export as rows of a positions file; zero balances are left out.

    Raises:
        PositionsError: the export holds no balances.
    """
    if export.positions is None:
        raise PositionsError(
            f"{file.path}:1: wanted balances, found {export.name}, which holds none. {export.remedy}"
        )
    return [row for row in export.positions(file) if row.number("quantity") != 0]


def cash_flows_of(file: CsvFile, export: Export) -> list[Row]:
    """The deposits, withdrawals and income of an export as rows of a cash-flow file.

    Raises:
        PositionsError: the export holds none.
    """
    if export.cash_flows is None:
        raise PositionsError(
            f"{file.path}:1: wanted deposits and withdrawals, found {export.name}, which holds none. "
            "Export the ledger, or write a file with the columns happened_at, kind, asset, quantity."
        )
    return export.cash_flows(file)


def _binance_balances(file: CsvFile) -> list[Row]:
    return [_position(row, row.text("coin"), "binance", "total") for row in file.rows]


def _generic_balances(file: CsvFile) -> list[Row]:
    name = next(column for column in ("amount", "balance", "quantity") if column in file.columns)
    return [_position(row, row.text("asset"), row.text("venue"), name) for row in file.rows]


def _kraken_balances(file: CsvFile) -> list[Row]:
    """The newest balance of each asset and wallet, by time; on the same instant the later line."""
    newest: dict[tuple[str, str], tuple[object, int, Row]] = {}
    for row in file.rows:
        if not row.text("balance"):
            continue  # a transfer on its way is listed before it is booked
        key, at = (row.text("asset"), row.text("wallet")), row.instant("time")
        if at is None:
            raise row.fault("time", "the time of the entry", "Export the ledger again.")
        if key not in newest or (at, row.line) >= newest[key][:2]:
            newest[key] = (at, row.line, row)
    made: list[Row] = []
    for (asset, wallet), (_, _, row) in sorted(newest.items()):
        ticker, kind = _kraken_asset(asset, wallet)
        account = "" if wallet in {"", "spot / main"} else wallet
        made.append(_position(row, ticker, "kraken", "balance", kind=kind, account=account))
    return _merged(made)


def _coinbase_balances(file: CsvFile) -> list[Row]:
    newest: dict[tuple[str, str], tuple[object, int, Row]] = {}
    for row in file.rows:
        key, at = (row.text("amount/balance unit"), row.text("portfolio")), row.instant("time")
        if at is None:
            raise row.fault("time", "the time of the entry", "Export the statement again.")
        if key not in newest or (at, row.line) >= newest[key][:2]:
            newest[key] = (at, row.line, row)
    return [
        _position(row, asset, "coinbase", "balance", account="" if account == "default" else account)
        for (asset, account), (_, _, row) in sorted(newest.items())
    ]


def _kraken_cash_flows(file: CsvFile) -> list[Row]:
    made: list[Row] = []
    for row in file.rows:
        kind = LEDGER_KINDS.get(row.text("type").lower())
        if row.text("type").lower() == "earn" and row.text("subtype").lower() == "reward":
            kind = "income"
        # An entry without a balance is the same transfer before it was booked.
        if kind is None or not row.text("balance"):
            continue
        ticker, _ = _kraken_asset(row.text("asset"), row.text("wallet"))
        made += _flow(row, ticker, kind, row.text("txid"))
    return made


def _coinbase_cash_flows(file: CsvFile) -> list[Row]:
    made: list[Row] = []
    for row in file.rows:
        kind = LEDGER_KINDS.get(row.text("type").lower())
        if kind is not None:
            made += _flow(row, row.text("amount/balance unit"), kind, row.text("transfer id"))
    return made


def _flow(row: Row, asset: str, kind: str, reference: str) -> list[Row]:
    """A booked transfer, and its fee where there is one."""
    common = {"happened_at": row.text("time"), "asset": asset, "note": ""}
    apart = f"{reference} fee" if reference else ""
    paid = {"kind": kind, "quantity": row.text("amount").removeprefix("-"), "reference": reference}
    charged = {"kind": "fee", "quantity": row.text("fee"), "reference": apart}
    amount, fee = replace(row, texts=common | paid), replace(row, texts=common | charged)
    return [amount, fee] if fee.number("quantity") else [amount]


def _position(row: Row, asset: str, venue: str, column: str, kind: str = "spot", account: str = "") -> Row:
    row.number(column)  # its fault names the export's own column
    texts = {"asset": asset, "venue": venue, "quantity": row.text(column), "kind": kind, "account": account}
    return replace(row, texts=texts)


def _kraken_asset(name: str, wallet: str) -> tuple[str, str]:
    """Our ticker and kind for Kraken's name: XXBT is BTC, DOT.S is staked DOT."""
    ticker, _, suffix = name.strip().upper().partition(".")
    ticker = ticker.rstrip("0123456789") if suffix and ticker.rstrip("0123456789") else ticker
    ticker = ticker[1:] if ticker in KRAKEN_PREFIXED else KRAKEN_NAMES.get(ticker, ticker)
    is_staked = suffix in KRAKEN_STAKED or wallet.lower().startswith("earn")
    return ticker, "staking" if is_staked else "spot"


def _merged(rows: list[Row]) -> list[Row]:
    """Two of Kraken's names can be one of ours (ETH2.S, ETH.S): their balances are added."""
    by_key: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = (row.text("asset"), row.text("kind"), row.text("account"))
        held = by_key.get(key)
        if held is None:
            by_key[key] = row
            continue
        total = (held.number("quantity") or 0) + (row.number("quantity") or 0)
        by_key[key] = replace(held, texts=held.texts | {"quantity": f"{total:f}"})
    return list(by_key.values())


EXPORTS = (
    Export("Binance's balances", frozenset({"coin", "total", "available"}), positions=_binance_balances),
    Export(
        "Binance's transaction history",
        frozenset({"user_id", "utc_time", "operation", "coin", "change"}),
        remedy="Export the wallet's balances (Coin, Total, Available), or write asset, venue, quantity.",
    ),
    Export(
        "Kraken's ledger",
        frozenset({"txid", "refid", "time", "type", "asset", "amount", "fee", "balance"}),
        positions=_kraken_balances,
        cash_flows=_kraken_cash_flows,
    ),
    Export(
        "Kraken's trades",
        frozenset({"txid", "ordertxid", "pair", "vol"}),
        remedy='Export "ledgers" instead of "trades": they hold the balance of every asset.',
    ),
    Export(
        "Coinbase's account statement",
        frozenset({"portfolio", "type", "time", "amount", "balance", "amount/balance unit"}),
        positions=_coinbase_balances,
        cash_flows=_coinbase_cash_flows,
    ),
    Export(
        "Coinbase's transaction history",
        frozenset({"timestamp", "transaction type", "asset", "quantity transacted"}),
        remedy="Take the account statement (columns amount, balance, amount/balance unit), "
        "or write asset, venue, quantity.",
    ),
    Export("balances", frozenset({"asset", "amount"}), positions=_generic_balances),
    Export("balances", frozenset({"asset", "balance"}), positions=_generic_balances),
)
