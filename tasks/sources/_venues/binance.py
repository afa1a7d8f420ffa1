"""Binance: spot and USD-M futures are separate services with separate limits.

USD-M candles cost by page: 99 for weight 1, 499 for 2, 1000 for 5; 499 gives the most candles a minute.
Open interest reaches back 30 days, an older start is refused (-1130), and of a window the newest points
are served, so a page never asks for more than it can hold. Leverage brackets want a key on Binance itself;
they are asked for without one, which gateways that hold a recording answer, and Binance refuses. A
perpetual whose delisting is announced gets a day of delivery; without one it is 2100-12-25. Every bracket
comes with a maintenance amount (`cum`) to deduct: each part of a position counts by its own bracket.
"""

from collections.abc import Mapping
from typing import Any

from tasks.sources._quirks import Quirks


async def read_brackets(exchange: Any, symbols: list[str]) -> Mapping[str, Any]:  # noqa: ANN401 - ccxt has no types
    """All brackets in one unsigned request."""
    answer = await exchange.fetch2("leverageBracket", ["fapiPublic"])
    known = [row for row in answer if row.get("symbol") in exchange.markets_by_id]
    return exchange.parse_leverage_tiers(known, symbols, "symbol")


QUIRKS = Quirks(
    spot_page=1000,
    perp_page=499,
    mark_page=499,
    funding_page=1000,
    funding_row=("fundingTime", "fundingRate"),
    serves_first=True,
    has_separate_limits=True,
    quote_volume_at=7,
    weights={"spot": (5.0, 6000.0), "perp": (1.0, 2400.0), "future": (1.0, 2400.0)},
    options={
        "spot": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        "perp": {"defaultType": "swap", "defaultSubType": "linear", "fetchMarkets": {"types": ["linear"]}},
        "future": {
            "defaultType": "future",
            "defaultSubType": "linear",
            "fetchMarkets": {"types": ["linear"]},
        },
    },
    interest_page=500,
    interest_days=30,
    read_brackets=read_brackets,
    end_field="deliveryDate",
    counts_by_part=True,
)
