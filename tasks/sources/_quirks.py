"""What a venue can do that its own client library does not say: page sizes, histories, separate limits.

Facts with their origin; a venue that is not listed gets cautious defaults, so any exchange that ccxt knows
works. Checked against ccxt 4.5.90 and the venues' public documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Quirks:
    """One venue's page sizes and habits.

    Attributes:
        spot_page: candles per request on spot markets.
        perp_page: candles per request on perpetual markets.
        funding_page: settlements per request.
        candle_history: only so many newest closed candles are ever served; None for all.
        book_levels: levels of an order book per request.
        serves_first: "the first one since 1970" is answered with the first one, which proves a listing date;
            elsewhere it is answered with nothing, or with the newest.
        has_separate_limits: spot and perpetuals are separate services with limits of their own.
        quote_volume_at: position of the volume in quote in the venue's raw candle; None if it has none.
        options: settings of ccxt per market type.
    """

    spot_page: int = 300
    perp_page: int = 300
    funding_page: int = 100
    candle_history: int | None = None
    book_levels: int = 100
    serves_first: bool = False
    has_separate_limits: bool = False
    quote_volume_at: int | None = None
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])


BINANCE = Quirks(
    spot_page=1000,
    perp_page=499,  # weight 2 instead of 5 for 1000: more candles per minute within the venue's limit
    funding_page=1000,
    serves_first=True,
    has_separate_limits=True,
    quote_volume_at=7,
    options={
        "spot": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        "perp": {"defaultType": "swap", "defaultSubType": "linear", "fetchMarkets": {"types": ["linear"]}},
    },
)
QUIRKS: Mapping[str, Quirks] = {
    "binance": BINANCE,
    "binanceus": Quirks(spot_page=1000, serves_first=True, quote_volume_at=7),
    "bybit": Quirks(spot_page=1000, perp_page=1000, funding_page=200, book_levels=200),
    "okx": Quirks(spot_page=100, perp_page=100, funding_page=100, book_levels=400),
    "kraken": Quirks(
        spot_page=720,
        candle_history=719,  # and the unfinished one
        book_levels=500,
    ),
    "krakenfutures": Quirks(perp_page=2000, funding_page=1000),
    "coinbase": Quirks(spot_page=300),
    "bitget": Quirks(spot_page=200, perp_page=200, funding_page=100),
    "gate": Quirks(spot_page=1000, perp_page=1999, funding_page=1000),
    "kucoin": Quirks(spot_page=1500),
    "kucoinfutures": Quirks(perp_page=500),
    "deribit": Quirks(perp_page=1000),
    "hyperliquid": Quirks(perp_page=5000, funding_page=500, candle_history=5000, book_levels=20),
}


def quirks_of(venue: str) -> Quirks:
    """The habits of a venue by its ccxt id."""
    return QUIRKS.get(venue, Quirks())
