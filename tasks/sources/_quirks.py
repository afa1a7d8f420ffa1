"""What a venue can do that its own client library does not say: page sizes, histories, separate limits.

A venue that deviates has one small file in `_venues`, named by its ccxt id, with a constant `QUIRKS`; the
file is the registration. Every other venue gets the cautious defaults here, so any exchange that ccxt
knows works. Checked against ccxt 4.5.90 and the venues' public documentation.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from tasks.sources import _venues


@dataclass(frozen=True)
class Quirks:
    """One venue's page sizes and habits.

    Attributes:
        spot_page: candles per request on spot markets.
        perp_page: candles per request on perpetual and dated contracts.
        mark_page: candles of the mark price per request.
        funding_page: settlements per request.
        candle_history: only so many newest closed candles are ever served; None for all.
        book_levels: levels of an order book per request.
        serves_first: "the first one since 1970" is answered with the first one, which proves a listing date;
            elsewhere it is answered with nothing, or with the newest.
        has_separate_limits: spot and contracts are separate services with limits of their own.
        quote_volume_at: position of the volume in quote in the venue's raw candle; None if it has none.
        options: settings of ccxt per market type.
        weights: the venue's documented limit per market type: how many of its weights one unit of ccxt's cost
            is, and how many weights a minute allows; ccxt's own, slower pace where there is none.
        funding_hours: the longest hours between two settlements.
        funding_field: the field of a raw settlement that holds the rate of its own interval, where ccxt
            reads another one; "" for ccxt's reading.
        funding_row: the fields of a raw settlement with its instant (ms) and its rate, where ccxt reads just
            these; a long history is then read at once. Empty for ccxt's reading of each row.
        interest_page: points of open interest per request.
        interest_days: open interest is served this many days back; None for all.
        interest_unit: what the venue counts open interest in.
        volume_unit: what the volume of a contract's candles is counted in, as ccxt hands it on.
        chain_volatility: the field of a raw option with its volatility in percent, where ccxt reads none.
        volatility_index: asks for a volatility index (see the venue's file); None where there is none.
        end_field: the field of a raw market, in ms, that tells when a market without a date of delivery is
            going to close; 0, nothing or a day after 2099 where it stays. "" where the venue has none.
        counts_by_part: the maintenance margin of a position is each bracket's rate on the part that lies in
            it (such venues publish an amount to deduct with every bracket); elsewhere the rate of the
            position's own bracket holds for all of it, which never wants less.
        read_brackets: asks for leverage brackets where ccxt's own way needs a key; None for ccxt's way.
    """

    spot_page: int = 300
    perp_page: int = 300
    mark_page: int = 100
    funding_page: int = 100
    candle_history: int | None = None
    book_levels: int = 100
    serves_first: bool = False
    has_separate_limits: bool = False
    quote_volume_at: int | None = None
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    funding_hours: float = 8
    funding_field: str = ""
    funding_row: tuple[str, str] | tuple[()] = ()
    interest_page: int = 100
    interest_days: int | None = None
    interest_unit: Literal["base", "contracts"] = "base"
    volume_unit: Literal["base", "contracts"] = "base"
    chain_volatility: str = ""
    end_field: str = ""
    counts_by_part: bool = False
    # (exchange, asset, first ms, last ms) → rows [instant ms, open, high, low, close] in percent a year
    volatility_index: Callable[[Any, str, int, int], Awaitable[list[list[float]]]] | None = None
    # (exchange, unified symbols) → ccxt's tiers by symbol
    read_brackets: Callable[[Any, list[str]], Awaitable[Mapping[str, Any]]] | None = None


def venue_files() -> list[str]:
    """The ccxt ids of the venues with a file of their own."""
    return sorted(module.name for module in iter_modules(_venues.__path__))


@cache
def venues_that_count_by_part() -> tuple[str, ...]:
    """The venues whose maintenance margin goes by the parts of a position."""
    return tuple(name for name in venue_files() if quirks_of(name).counts_by_part)


@cache
def quirks_of(venue: str) -> Quirks:
    """The habits of a venue by its ccxt id."""
    if venue not in venue_files():
        return Quirks()
    return import_module(f"{_venues.__name__}.{venue}").QUIRKS
