"""Options that are held: what closing one would bring, what it moves with, what a shock does to it.

Nothing here is traded. A long option is worth the bid, a short one costs the ask; where nobody quotes, the
mark less a haircut; where the newest quote is old, the price of Black (1976) at its volatility and today's
price of the coin, less the same haircut. F. Black, "The pricing of commodity contracts", Journal of Financial
Economics 3 (1976): on the forward and without interest, as venues that settle in coins mark them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portfolio.sleeves import normal

Array = NDArray[np.float64]
Basis = Literal["bid", "ask", "mark", "model", "settled", "over", "none"]
MARK_HAIRCUT = 0.10  # what closing at nobody's quote is taken to cost, of the price
MODEL_DAYS = 7.0  # an older volatility says nothing of today's price
DAYS_PER_YEAR = 365.0
POINT = 0.01  # vega is per percentage point of volatility
# A fall seldom leaves volatility where it was, and which way hurts depends on the book: the worst counts.
SHOCKED_VOLATILITY = (0.75, 1.0, 1.5)
TRUSTED = ("bid", "ask", "mark")
_erf = np.vectorize(math.erf, otypes=[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainQuote:
    """One option as its chain was last read; prices in US dollars, None where the chain has none.

    Attributes:
        forward: of the underlying for this expiry.
        volatility: of the mark, annual, a fraction.
    """

    market_id: str
    is_call: bool
    strike: float
    expires_at: datetime
    observed_at: datetime
    forward: float | None = None
    volatility: float | None = None
    mark: float | None = None
    bid: float | None = None
    ask: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOption:
    """One option of a statement, valued.

    Attributes:
        quantity: in coins, negative where it was written.
        value_usd: of all of it, negative for a debt; None where nothing bounds what is owed.
        basis: what the value rests on: the chain's bid or ask, its mark or a model less the haircut, the
            settlement of one that has expired since it was stated, or nothing.
        forward, volatility, years: what greeks and shocks are computed from; 0 where they are not known.
    """

    venue: str
    market_id: str
    is_call: bool
    strike: float
    expires_at: datetime
    quantity: float
    value_usd: float | None
    basis: Basis
    forward: float = 0.0
    volatility: float = 0.0
    years: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether a model of it exists: it has not expired, and forward and volatility are known."""
        return min(self.forward, self.volatility, self.years) > 0.0

    @property
    def delta_usd(self) -> float:
        """US dollars gained when the coin rises by the whole of its price: quantity × delta × forward."""
        if not self.is_alive:
            return 0.0
        rise = normal(_d1(self.forward, self.strike, self.volatility, self.years))
        return self.quantity * (rise if self.is_call else rise - 1.0) * self.forward

    @property
    def vega_usd(self) -> float:
        """US dollars per percentage point of volatility: quantity × F n(d₁) √T / 100."""
        if not self.is_alive:
            return 0.0
        d1 = _d1(self.forward, self.strike, self.volatility, self.years)
        density = math.exp(-d1 * d1 / 2.0) / math.sqrt(2.0 * math.pi)
        return self.quantity * self.forward * density * math.sqrt(self.years) * POINT

    @property
    def notional_usd(self) -> float:
        """US dollars of the coins that it is on, without a sign."""
        return abs(self.quantity) * self.forward if self.is_alive else 0.0

    def gain(self, moves: Array, *, factor: float = 1.0, days: float = 0.0) -> Array:
        """US dollars gained when the coin moves, by the model's own price before and after.

        Args:
            moves: simple returns of the coin.
            factor: multiplies the volatility.
            days: that pass meanwhile; one that has expired by then is worth its intrinsic value.
        """
        if not self.is_alive:
            return np.zeros(moves.shape)
        now = option_price(self, np.array([self.forward]), self.volatility, self.years)[0]
        left = max(0.0, self.years - days / DAYS_PER_YEAR)
        forward = np.maximum(self.forward * (1.0 + moves), 0.0)
        return self.quantity * (option_price(self, forward, self.volatility * factor, left) - now)


def option_price(option: ChainQuote | HeldOption, forward: Array, volatility: float, years: float) -> Array:
    """Return Black's price for one coin, US dollars; intrinsic at expiry."""
    intrinsic = np.maximum((forward - option.strike) * (1.0 if option.is_call else -1.0), 0.0)
    spread = volatility * math.sqrt(years)
    if spread <= 0.0:
        return intrinsic
    with np.errstate(divide="ignore"):
        d1 = np.log(forward / option.strike) / spread + spread / 2.0
    call = forward * _below(d1) - option.strike * _below(d1 - spread)
    return call if option.is_call else call - forward + option.strike


def fair_value(quote: ChainQuote) -> float | None:
    """Return Black's price at the quote's own forward and volatility; None without them."""
    if quote.forward is None or quote.volatility is None:
        return None
    years = _years(quote, quote.observed_at)
    return float(option_price(quote, np.array([quote.forward]), quote.volatility, years)[0])


def worst_gain(
    options: Sequence[HeldOption], moves: Array, days: float = 0.0, factors: Sequence[float] = (1.0,)
) -> Array:
    """Return what options on one coin gain together when it moves, at the volatility that is worst for them.

    Args:
        options: on one coin.
        moves: simple returns of the coin.
        days: that pass meanwhile.
        factors: of volatility that are tried.
    """
    each = [np.sum([x.gain(moves, factor=f, days=days) for x in options], axis=0) for f in factors]
    return np.min(np.array(each), axis=0)


def value_option(
    quote: ChainQuote,
    venue: str,
    quantity: float,
    as_of: datetime,
    limit: timedelta,
    coin_usd: float | None,
    settled_usd: float | None,
    stated_at: datetime | None = None,
) -> HeldOption:
    """Value one option of a statement, never better than it could be closed at.

    Args:
        quote: the newest of its chain, or a description of the option alone (see `described`).
        venue: where it is held.
        quantity: in coins, negative where it was written.
        as_of: now.
        limit: how old a quote may be to be one.
        coin_usd: today's price of the coin; None where there is none.
        settled_usd: the coin's price when it expired, for one that has.
        stated_at: when it was so. What had expired by then was paid out: the cash is in the statement.
    """
    side = 1.0 if quantity > 0.0 else -1.0
    price: float | None
    basis: Basis
    if stated_at is not None and quote.expires_at <= stated_at:
        price, basis = 0.0, "over"
    elif quote.expires_at <= as_of:
        price, basis = _settled(quote, settled_usd)
    elif as_of - quote.observed_at <= limit:
        price, basis = _quoted(quote, side)
    else:
        price, basis = _modelled(quote, as_of, side, coin_usd)
    if price is None and quantity > 0.0:
        price = 0.0  # nothing bounds it from below but nothing
    forward, years = _seen_from(quote, basis, as_of, coin_usd)
    return HeldOption(
        venue=venue,
        market_id=quote.market_id,
        is_call=quote.is_call,
        strike=quote.strike,
        expires_at=quote.expires_at,
        quantity=quantity,
        value_usd=None if price is None else quantity * price,
        basis=basis,
        forward=forward,
        volatility=quote.volatility or 0.0,
        years=years,
    )


def _settled(quote: ChainQuote, settled_usd: float | None) -> tuple[float | None, Basis]:
    if settled_usd is None:
        return None, "none"
    return max((settled_usd - quote.strike) * (1.0 if quote.is_call else -1.0), 0.0), "settled"


def _quoted(quote: ChainQuote, side: float) -> tuple[float | None, Basis]:
    found = quote.bid if side > 0.0 else quote.ask
    if found is not None:
        return found, "bid" if side > 0.0 else "ask"
    return (None, "none") if quote.mark is None else (_closed_at(quote.mark, side), "mark")


def _modelled(
    quote: ChainQuote, as_of: datetime, side: float, coin_usd: float | None
) -> tuple[float | None, Basis]:
    age = (as_of - quote.observed_at).total_seconds() / 86_400.0
    if quote.volatility is None or coin_usd is None or age > MODEL_DAYS:
        return None, "none"
    price = option_price(quote, np.array([coin_usd]), quote.volatility, _years(quote, _day(as_of)))[0]
    return _closed_at(float(price), side), "model"


def _closed_at(price: float, side: float) -> float:
    return price * (1.0 - side * MARK_HAIRCUT)


def _seen_from(
    quote: ChainQuote, basis: Basis, as_of: datetime, coin_usd: float | None
) -> tuple[float, float]:
    """Forward and years: of the quote while it counts, so that an hour that passes changes nothing."""
    if basis in TRUSTED:
        return quote.forward or coin_usd or 0.0, _years(quote, quote.observed_at)
    return (coin_usd or 0.0, _years(quote, _day(as_of))) if basis == "model" else (0.0, 0.0)


def _years(quote: ChainQuote, since: datetime) -> float:
    return max(0.0, (quote.expires_at - since).total_seconds() / 86_400.0 / DAYS_PER_YEAR)


def _day(as_of: datetime) -> datetime:
    """The day's beginning: what is computed from it is the same all day, and so is the recommendation."""
    return as_of.replace(hour=0, minute=0, second=0, microsecond=0)


def _d1(forward: float, strike: float, volatility: float, years: float) -> float:
    spread = volatility * math.sqrt(years)
    return math.log(forward / strike) / spread + spread / 2.0


def _below(x: Array) -> Array:
    return 0.5 * (1.0 + _erf(x / math.sqrt(2.0)))


BASES: Mapping[str, str] = {
    "bid": "at the bid",
    "ask": "at the ask",
    "mark": f"at the mark {MARK_HAIRCUT:.0%} worse, for nobody quotes it",
    "model": f"by model, {MARK_HAIRCUT:.0%} worse, at the volatility of an old quote",
    "settled": "at what it settled at",
    "over": "counted at nothing, for it had expired when the positions were stated",
    "none": "counted at nothing, for nothing prices it",
}
