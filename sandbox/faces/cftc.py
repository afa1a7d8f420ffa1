"""The CFTC's public reporting environment: one Socrata data set, "TFF futures only"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from sandbox.market import Market
from sandbox.market_positions import FUTURES, Future, grid_day, positions, report_days
from sandbox.noise import Floats
from sandbox.wire import Call, Face, RefusalError, Reply, answer

_DATE, _CODE = "report_date_as_yyyy_mm_dd", "cftc_contract_market_code"
# The names are the data set's own: some end in _all and some do not.
_FIELDS = {
    "open_interest_all": "open_interest",
    "dealer_positions_long_all": "dealer_long", "dealer_positions_short_all": "dealer_short",
    "asset_mgr_positions_long": "asset_mgr_long", "asset_mgr_positions_short": "asset_mgr_short",
    "lev_money_positions_long": "lev_money_long", "lev_money_positions_short": "lev_money_short",
    "other_rept_positions_long": "other_rept_long", "other_rept_positions_short": "other_rept_short",
    "nonrept_positions_long_all": "nonrept_long", "nonrept_positions_short_all": "nonrept_short",
}  # fmt: skip
_DEFAULT_LIMIT = 1000
_WHERE_DATE = re.compile(rf"{_DATE} >= '(\d{{4}}-\d{{2}}-\d{{2}})T")
_WHERE_CODES = re.compile(rf"{_CODE} in ?\(([^)]*)\)")


def _held(market: Market, future: Future) -> dict[str, Floats]:
    return market.keep(("positions", future.code), lambda: positions(market, future))


def _limit(call: Call) -> int:
    text = call.query.get("$limit", str(_DEFAULT_LIMIT))
    if not text.isdigit():
        raise RefusalError(400, {"code": "query.soql.invalid", "message": f"Invalid limit {text}"})
    return int(text)


def reports(call: Call) -> Reply:
    """Answer the reports that are out, oldest first: numbers as text, as the data set has them."""
    where = call.query.get("$where", "")
    since, codes = _WHERE_DATE.search(where), _WHERE_CODES.search(where)
    first = date.fromisoformat(since[1]) if since else date.min
    wanted = [code.strip(" '") for code in codes[1].split(",")] if codes else list(FUTURES)
    now = datetime.fromtimestamp(call.now_ms / 1000, tz=UTC)
    columns = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    rows: list[dict[str, str]] = []
    for future in (FUTURES[code] for code in wanted if code in FUTURES):
        held = _held(call.market, future)
        for day in report_days(future, now):
            if day < first:
                continue
            counts = {name: f"{held[ours][grid_day(day)]:.0f}" for name, ours in _FIELDS.items()}
            row = {
                "market_and_exchange_names": future.name,
                _DATE: f"{day}T00:00:00.000",
                _CODE: future.code,
                **counts,
            }
            rows.append({name: row[name] for name in columns or row if name in row})
    rows.sort(key=lambda row: (row.get(_DATE, ""), row.get(_CODE, "")))
    return answer(rows[: _limit(call)])


FACE = Face("cftc", {"/resource/gpe5-46if.json": reports})
