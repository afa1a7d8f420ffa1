"""What orders do to a simulated account at a close.

Plain orders trade at the close. A carry or basis opens or closes with both legs or not at all: the coin and
the short contract each pay fee, spread and impact, the margin comes from cash and goes back to it. What the
days between do is in `hedging`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portfolio.costs import trading_cost
from portfolio.desk import exact, floor_step
from portfolio.lab.account import Account, Arrival, Fill, coin_line
from portfolio.lab.hedging import margin_of, restate
from portfolio.lab.tape import Hedge, Tape
from portfolio.model import DecisionInputs, Instrument, SleeveTerms, Trade, line_of

PLAIN_SLEEVES = ("spot", "cash")
CONTRACTS = ("perp", "future")
SOON_DAYS = 1.0  # what comes back within a day is there at the next close


@dataclass(frozen=True, slots=True)
class Market:
    """One close: prices of what could be traded, and the tape it is from."""

    price: Mapping[str, float]
    tape: Tape
    day: int

    def hedge(self, line: str, market_id: str) -> Hedge | None:
        """Return the legs of a hedged line with that contract, or None where they could not be traded."""
        course = self.tape.course(line, market_id)
        return course.at(self.day) if course is not None else None


def execute(
    account: Account, trades: Sequence[Trade], inputs: DecisionInputs, market: Market
) -> tuple[Fill, ...]:
    """Execute orders in their sequence at a close, with the costs known when they were decided.

    Args:
        account: changed in place.
        trades: of one decision.
        inputs: what the decision saw: markets and what is known of their costs.
        market: the close.
    """
    fills: list[Fill] = []
    done: set[int] = set()
    for trade in trades:
        if trade.pair is not None:
            if trade.pair not in done:
                done.add(trade.pair)
                pair = [t for t in trades if t.pair == trade.pair]
                fills += _trade_pair(account, pair, inputs, market)
        elif trade.market_type == "pool":
            fills += _move_deposit(account, trade, inputs.terms, market)
        else:
            fills += _trade_plain(account, trade, inputs, market)
    return tuple(fills)


def _trade_plain(account: Account, trade: Trade, inputs: DecisionInputs, at: Market) -> list[Fill]:
    market = _market(trade, inputs)
    line, cash = line_of(trade.sleeve, trade.asset), line_of("cash", market.quote) if market else ""
    if market is None or trade.sleeve not in PLAIN_SLEEVES or not {line, cash} <= set(at.price):
        account.missed += 1
        return []
    price = at.price
    unit = exact(price[line])
    if trade.side == "sell":
        quantity = min(trade.quantity, account.movable(line))
        rate = exact(trading_cost(market, inputs).rate(float(quantity * unit)))
    else:
        rate = exact(trading_cost(market, inputs).rate(float(trade.quantity * unit)))
        there = account.movable(cash) * exact(price[cash]) / (unit * (1 + rate))
        fits = trade.quantity <= there
        quantity = trade.quantity if fits else floor_step(there, market.amount_step)
    if quantity <= 0:
        account.missed += 1
        return []
    notional = quantity * unit
    paid = notional * rate / exact(price[cash])
    received = notional / exact(price[cash])
    sign = Decimal(1) if trade.side == "buy" else Decimal(-1)
    account.move(line, trade.venue, sign * quantity)
    account.move(cash, trade.venue, -sign * received - paid)
    return [Fill(line, sign * quantity, float(notional), float(notional * rate))]


def _trade_pair(account: Account, pair: Sequence[Trade], inputs: DecisionInputs, at: Market) -> list[Fill]:
    """Both legs, or none; coins that no order is for come from the plain ones, or stay as such."""
    short = next((t for t in pair if t.market_type in CONTRACTS), None)
    line = line_of(pair[0].sleeve, pair[0].asset)
    hedge = None if short is None or _is_other(account, line, short) else at.hedge(line, short.market_id)
    contract = None if short is None else _market(short, inputs)
    cash = "" if hedge is None else line_of("cash", hedge.course.quote)
    if short is None or hedge is None or contract is None or cash not in at.price:
        account.missed += len(pair)
        return []
    coin = next((t for t in pair if t.market_type == "spot"), None)
    legs = _Legs(line, cash, hedge, short, coin, contract, None if coin is None else _market(coin, inputs))
    found = _open(account, legs, inputs) if short.side == "sell" else _close(account, legs, inputs)
    if not found:
        account.missed += len(pair)
    return found


def _is_other(account: Account, line: str, short: Trade) -> bool:
    """Tell whether a line holds another dated contract than the one that is ordered: a line holds one."""
    held = account.contracts.get(line, short.market_id)
    return held != short.market_id and account.movable(line) > 0


@dataclass(frozen=True, slots=True)
class _Legs:
    line: str
    cash: str
    hedge: Hedge
    short: Trade
    coin: Trade | None
    contract: Instrument
    spot: Instrument | None

    def fills(self, coins: Decimal, traded: Decimal, sign: int, inputs: DecisionInputs) -> list[Fill]:
        """Fills of both legs with what they cost, for so many coins, of which some are traded."""
        found: list[Fill] = []
        for market, quantity, usd in (
            (self.spot, traded, self.hedge.coin_usd),
            (self.contract, coins, self.hedge.contract * self.hedge.quote_usd),
        ):
            if market is not None and quantity > 0:
                notional = float(quantity) * usd
                cost = notional * trading_cost(market, inputs).rate(notional)
                found.append(Fill(self.line, sign * quantity, notional, cost))
        return found


def _open(account: Account, legs: _Legs, inputs: DecisionInputs) -> list[Fill]:
    hedge, coins = legs.hedge, legs.short.quantity
    ordered = min(coins, legs.coin.quantity) if legs.coin is not None else Decimal(0)
    kept = min(coins - ordered, account.movable(coin_line(legs.line)))
    coins = ordered + kept
    fills = legs.fills(coins, ordered, 1, inputs)
    need = float(ordered) * hedge.coin_usd + float(coins) * hedge.margin * hedge.quote_usd
    need += sum(f.cost_usd for f in fills)
    there = float(account.movable(legs.cash)) * hedge.quote_usd
    if need > there:  # dearer than when it was decided: as much of both legs as there is cash for
        share = exact(there / need) if need else Decimal(0)
        coins = floor_step(coins * share, legs.contract.base_step)
        ordered = floor_step(min(coins, ordered * share), legs.contract.base_step)
        kept = min(coins - ordered, kept)
        coins = ordered + kept
        fills = legs.fills(coins, ordered, 1, inputs)
    if coins <= 0:
        return []
    posted = float(coins) * hedge.margin
    before = account.margin.get(legs.line, 0.0)
    paid = float(ordered) * hedge.coin_usd + sum(f.cost_usd for f in fills)
    account.move(legs.cash, legs.short.venue, -exact(paid / hedge.quote_usd + posted))
    if kept:
        account.move(coin_line(legs.line), legs.short.venue, -kept)
    account.move(legs.line, legs.short.venue, coins)
    account.margin[legs.line] = before + posted
    if legs.short.market_type == "future":
        account.contracts[legs.line] = legs.short.market_id
    restate(account, legs.line, hedge)
    return fills


def _close(account: Account, legs: _Legs, inputs: DecisionInputs) -> list[Fill]:
    hedge, whole = legs.hedge, account.movable(legs.line)
    coins = min(legs.short.quantity, whole)
    if coins <= 0:
        return []
    sold = min(coins, legs.coin.quantity) if legs.coin is not None else Decimal(0)
    margin = margin_of(account, legs.line, float(whole), hedge)
    freed = margin * float(coins / whole)
    fills = legs.fills(coins, sold, -1, inputs)
    gained = float(sold) * hedge.coin_usd - sum(f.cost_usd for f in fills)
    account.move(legs.line, legs.short.venue, -coins)
    if coins > sold:
        account.move(coin_line(legs.line), legs.short.venue, coins - sold)
    account.move(legs.cash, legs.short.venue, exact(gained / hedge.quote_usd + freed))
    account.margin[legs.line] = margin - freed
    if coins == whole:
        account.margin.pop(legs.line)
        account.contracts.pop(legs.line, None)
    else:
        restate(account, legs.line, hedge)
    return fills


def _move_deposit(account: Account, trade: Trade, known: Mapping[str, SleeveTerms], at: Market) -> list[Fill]:
    """A deposit or a withdrawal: nothing is paid; what takes days to come back is not there until then."""
    line = line_of(trade.sleeve, trade.asset)
    own = next((x for x in (line_of("cash", trade.asset), line_of("spot", trade.asset)) if x in at.price), "")
    source, goal = (own, line) if trade.side == "buy" else (line, own)
    quantity = min(trade.quantity, account.movable(source)) if own and line in at.price else Decimal(0)
    if quantity <= 0:
        account.missed += 1
        return []
    account.move(source, trade.venue, -quantity)
    terms = known.get(line)
    days = terms.exit_days if terms is not None and trade.side == "sell" else 0.0
    venue = trade.venue if trade.side == "buy" else account.venue_of(goal, trade.venue)
    if days >= SOON_DAYS:
        account.send(Arrival(at.day + int(-(-days // 1)), goal, venue, quantity))
    else:
        account.move(goal, venue, quantity)
    sign = 1 if trade.side == "buy" else -1
    return [Fill(line, sign * quantity, float(quantity) * at.price[line], 0.0)]


def _market(trade: Trade, inputs: DecisionInputs) -> Instrument | None:
    key = (trade.venue, trade.market_type, trade.market_id)
    return next((m for m in inputs.instruments if m.key == key), None)
