"""Where a line trades: the markets of its coin, or the legs of its sleeve, and what trading there costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portfolio.book import Book, cash_assets, markets_of, sound_positions
from portfolio.costs import TradingCost, combined_cost, trading_cost
from portfolio.desk import exact
from portfolio.model import (
    DecisionInputs,
    Freeze,
    Instrument,
    Leg,
    Policy,
    SleeveTerms,
    asset_of,
    is_cash,
    line_of,
    sleeve_of,
)

# A cheaper venue must be this much cheaper to be worth moving cash to: waiting, and the withdrawal's fee.
MOVING_CASH = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """A line of a hedged or deposited sleeve, ready to be traded: its markets, its pool and its margin.

    Attributes:
        markets: the legs that are orders, with their trading rules, coins before contracts.
        pool: the leg that is moved by hand, or None.
        margin_usd: posted per unit of the line.
    """

    terms: SleeveTerms
    markets: tuple[tuple[Leg, Instrument], ...]
    pool: Leg | None
    margin_usd: Decimal

    @property
    def contract(self) -> Instrument | None:
        """The derivative leg's market."""
        return next((m for _, m in self.markets if m.market_type != "spot"), None)


def legs_of(terms: SleeveTerms, inputs: DecisionInputs, cash_price: Mapping[str, float]) -> Legs | Freeze:
    """Match the legs of a line with the markets that orders may be placed on, or say which one is missing."""
    known = {i.key: i for i in inputs.instruments if i.is_active}
    markets: list[tuple[Leg, Instrument]] = []
    for leg in (x for x in terms.legs if x.role in {"spot", "perp", "future"}):
        market = known.get((leg.venue, leg.market_type, leg.market_id))
        if market is None or market.quote not in cash_price or not leg.price or not leg.quantity_per_unit:
            text = (
                f"{leg.symbol} can not be traded on {leg.venue}: {called(terms.line)} has no market for it."
            )
            return Freeze("no_market", f"{text} All legs or none.")
        markets.append((leg, market))
    if any(leg.role == "option" for leg in terms.legs):
        return Freeze("indicative", f"{called(terms.line)} is indicative: no option order is proposed.")
    pool = next((leg for leg in terms.legs if leg.role == "pool"), None)
    if not markets and pool is None:
        return Freeze("no_market", f"{called(terms.line)} has no leg that can be traded.")
    spot = sum(
        exact(leg.quantity_per_unit) * exact(leg.price or 0.0) * exact(cash_price[m.quote])
        for leg, m in markets
        if m.market_type == "spot"
    )
    hedged = any(m.market_type != "spot" for _, m in markets)
    margin = max(Decimal(0), exact(terms.capital_per_unit_usd) - spot) if hedged else Decimal(0)
    markets.sort(key=lambda x: (x[1].market_type != "spot", x[1].key))
    return Legs(terms=terms, markets=tuple(markets), pool=pool, margin_usd=margin)


def called(line: str) -> str:
    """Return a line as people say it: carry BTC, and of coins and cash the asset alone."""
    return asset_of(line) if sleeve_of(line) in {"spot", "cash"} else f"{sleeve_of(line)} {asset_of(line)}"


def is_made_of_legs(line: str, inputs: DecisionInputs) -> bool:
    """Tell whether a line is traded as the legs of its terms."""
    return line in inputs.terms and sleeve_of(line) not in {"spot", "cash"}


def spot_markets(line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> list[Instrument]:
    """Return the active markets of a line's coin against cash that has a price."""
    assets = cash_assets(book.lines, policy)
    found = markets_of(asset_of(line), inputs, [a for a in assets if line_of("cash", a) in book.price])
    return [m for m in found if m.quote != asset_of(line)] if is_cash(line) else found


def choose_market(line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> Instrument | None:
    """Return where a line trades: where it is held, in the preferred quote, where it is cheapest."""
    venues = {p.venue for p in sound_positions(inputs) if p.line == line and p.quantity > 0}

    def rank(market: Instrument) -> tuple[bool, bool, float, str, str]:
        cost = trading_cost(market, inputs).rate(0.0)
        return (
            market.venue not in venues,
            market.quote != policy.quote,
            cost,
            market.venue,
            market.market_id,
        )

    return min(spot_markets(line, book, inputs, policy), key=rank, default=None)


def buying_markets(
    line: str, usd: float, book: Book, inputs: DecisionInputs, policy: Policy
) -> list[Instrument]:
    """Return where to buy for so much, best first: in the preferred quote, cheapest with all costs.

    A venue without enough cash counts as dearer by what moving cash takes.
    """
    cash: dict[tuple[str, str], float] = {}
    for p in sound_positions(inputs):
        if is_cash(p.line) and not p.immovable:
            cash[p.venue, p.asset] = cash.get((p.venue, p.asset), 0.0) + float(p.quantity)

    def rank(market: Instrument) -> tuple[bool, float, str, str]:
        there = cash.get((market.venue, market.quote), 0.0) * book.price[line_of("cash", market.quote)]
        moving = MOVING_CASH if there < usd else 0.0
        rate = trading_cost(market, inputs).rate(usd) + moving
        return (market.quote != policy.quote, rate, market.venue, market.market_id)

    return sorted(spot_markets(line, book, inputs, policy), key=rank)


def market_costs(book: Book, inputs: DecisionInputs, policy: Policy) -> dict[str, TradingCost]:
    """Return the cost model of every line that can be traded; rates are per unit of the line's capital."""
    cash = {asset_of(x): p for x, p in book.price.items() if is_cash(x)}
    costs: dict[str, TradingCost] = {}
    for line in book.lines:
        if is_made_of_legs(line, inputs):
            legs = legs_of(inputs.terms[line], inputs, cash)
            if isinstance(legs, Legs):
                costs[line] = _legs_cost(line, legs, book, inputs, policy)
            continue
        market = choose_market(line, book, inputs, policy)
        if market is not None:
            costs[line] = trading_cost(market, inputs)
    return costs


def _legs_cost(line: str, legs: Legs, book: Book, inputs: DecisionInputs, policy: Policy) -> TradingCost:
    capital = legs.terms.capital_per_unit_usd
    parts = [
        (
            trading_cost(m, inputs),
            abs(leg.quantity_per_unit) * (leg.price or 0.0) * book.price[line_of("cash", m.quote)] / capital,
        )
        for leg, m in legs.markets
    ]
    if not parts and line_of("cash", asset_of(line)) not in book.price:  # what the coin of a pool costs
        market = choose_market(line, book, inputs, policy)
        parts = [(trading_cost(market, inputs), 1.0)] if market is not None else []
    return combined_cost(parts)
