"""The arithmetic of sleeves that are made of legs: returns, yields, liquidation, Black-Scholes.

One unit of carry or basis is one coin, a short contract on one coin and margin of 1/L of the coin's price,
so that its capital is S (1 + 1/L). Rates are annual and simple unless a name says otherwise; a year has 365
days.
"""

import math
from collections.abc import Sequence

DAYS_PER_YEAR = 365.0
HOURS_PER_YEAR = 24.0 * DAYS_PER_YEAR
# What variance does not see. A loss is a fraction of a line's capital.
SCENARIOS = ("depeg", "venue_loss", "exploit", "liquidation", "auto_deleveraging")


def capital_per_coin(price: float, leverage: float) -> float:
    """Return S (1 + 1/L): the coin paid for and the margin posted."""
    return price * (1.0 + 1.0 / leverage)


def notional_share(leverage: float) -> float:
    """Return L / (L + 1): the coin's share of the capital of a hedged unit; the rest is margin."""
    return leverage / (leverage + 1.0)


def annual_funding(rates: Sequence[float], hours: Sequence[float]) -> float | None:
    """Return the funding of a year on notional at the median rate per hour, or None without settlements.

    Settlements of 1, 4 and 8 hours count by the hours they stand for: annualised by the intervals, never by a
    fixed number of settlements a year. The median does not follow one hot day.

    Args:
        rates: of single settlements; positive where longs pay shorts.
        hours: that each settlement stands for.
    """
    if not rates:
        return None
    per_hour = sorted(rate / hour for rate, hour in zip(rates, hours, strict=True))
    middle = len(per_hour) // 2
    median = per_hour[middle] if len(per_hour) % 2 else (per_hour[middle - 1] + per_hour[middle]) / 2.0
    return median * HOURS_PER_YEAR


def on_capital(rate_on_notional: float, leverage: float) -> float:
    """Return a rate on notional as a rate on the capital that carries it."""
    return rate_on_notional * notional_share(leverage)


def simple_basis(future: float, spot: float, days: float) -> float:
    """Return (F/S − 1) · 365/d: the annual basis locked until expiry, simple."""
    return (future / spot - 1.0) * DAYS_PER_YEAR / days


def compounded_basis(future: float, spot: float, days: float) -> float:
    """Return (F/S)^(365/d) − 1: the same, reinvested."""
    return (future / spot) ** (DAYS_PER_YEAR / days) - 1.0


def log_basis(future: float, spot: float, days: float) -> float:
    """Return ln(F/S) · 365/d: the same, continuously compounded."""
    return math.log(future / spot) * DAYS_PER_YEAR / days


def daily_yield(apy: float) -> float:
    """Return (1 + APY)^(1/365) − 1."""
    return (1.0 + apy) ** (1.0 / DAYS_PER_YEAR) - 1.0


def short_liquidation_price(price: float, leverage: float, maintenance_rate: float) -> float:
    """Return P (1 + 1/L) / (1 + m): where a short's margin falls to the maintenance margin.

    The formula of Binance USD-M futures for one isolated position in the first bracket, fees aside: at
    60,000, 3× and 0.5 % 79,601.99.
    """
    return price * (1.0 + 1.0 / leverage) / (1.0 + maintenance_rate)


def short_liquidation_distance(leverage: float, maintenance_rate: float) -> float:
    """Return the relative rise of the mark price at which a short is liquidated."""
    return short_liquidation_price(1.0, leverage, maintenance_rate) - 1.0


def hedged_losses(
    leverage: float, share_at_venue: float, depeg_fall: float, unhedged_move: float
) -> dict[str, float]:
    """Return scenario → loss of a coin hedged by a short contract that is margined in a stablecoin.

    A hedged coin is worth an amount of the quote, so that a fall of the quote takes the same share of all
    capital. A venue that fails takes what lies there. A spike that liquidates the short and comes back costs
    the margin. Where a winning short is closed by the venue in a crash, the coin goes on falling alone.

    Args:
        leverage: notional over margin.
        share_at_venue: the most of the capital that lies at one venue.
        depeg_fall: fall of the quote against the dollar.
        unhedged_move: fall of the coin until the hedge is restored.
    """
    return {
        "venue_loss": share_at_venue,
        "depeg": depeg_fall,
        "liquidation": 1.0 - notional_share(leverage),
        "auto_deleveraging": unhedged_move * notional_share(leverage),
    }


def pool_losses(depeg_fall: float) -> dict[str, float]:
    """Return scenario → loss of what is lent to or staked with a protocol: all of it where it is emptied."""
    return {"exploit": 1.0, "depeg": depeg_fall}


def black_scholes_call(
    spot: float, strike: float, rate: float, volatility: float, years: float
) -> tuple[float, float]:
    """Return price and delta of a European call.

    F. Black and M. Scholes, "The pricing of options and corporate liabilities", Journal of Political Economy
    81 (1973); J. Hull, Options, Futures and Other Derivatives, example 15.6: spot 42, strike 40, rate 10 %,
    volatility 20 %, half a year: 4.76.
    """
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / spread
    discount = math.exp(-rate * years)
    return spot * normal(d1) - strike * discount * normal(d1 - spread), normal(d1)


def black_scholes_put(spot: float, strike: float, rate: float, volatility: float, years: float) -> float:
    """Return the price of a European put, by put-call parity."""
    call, _ = black_scholes_call(spot, strike, rate, volatility, years)
    return call - spot + strike * math.exp(-rate * years)


def covered_call_premium(
    forward: float, strike: float, bid_volatility: float, days: float
) -> tuple[float, float]:
    """Return a written call's premium per year, as a fraction of the coin it is settled in, and its delta.

    Black (1976) on the forward, at the volatility of that very strike at the bid; an index of volatility says
    nothing about a strike out of the money.
    """
    price, delta = black_scholes_call(forward, strike, 0.0, bid_volatility, days / DAYS_PER_YEAR)
    return price / forward * DAYS_PER_YEAR / days, delta


def normal(x: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))
