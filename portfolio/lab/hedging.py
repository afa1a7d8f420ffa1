"""What a day does to a simulated account: margins, deliveries, rolls, deposits, and what arrives.

A hedged line is coins with a short contract beside them. Over each day its margin takes the contract's change
and, of a perpetual, the funding (positive rates are paid by longs to shorts); at the close it is restored to
the stated leverage. A dated contract (cash-and-carry: Hull, Options, Futures, and Other Derivatives, ch. 5)
is left `roll_days` before it ends for the nearest later one, both orders paid out of the margin; where there
is no later one it is delivered, and the coins go on unhedged. A deposit grows by its dated rate.
"""

import math
from dataclasses import dataclass

from portfolio.costs import trading_cost
from portfolio.desk import exact
from portfolio.lab.account import Account, Fill, coin_line
from portfolio.lab.tape import Course, Hedge, Tape
from portfolio.model import DecisionInputs, Instrument, line_of


def live_through(
    account: Account, tape: Tape, day: int, known: DecisionInputs | None = None
) -> tuple[Fill, ...]:
    """Let a day pass: deposits grow, margins take profit and funding and are restored, arrivals come in.

    Args:
        account: changed in place.
        tape: what happened.
        day: that ends.
        known: what the newest decision saw of markets and their costs: a roll pays by it; None is free.

    Returns:
        The orders by which contracts were rolled.
    """
    account.receive(day)
    for line, growth in tape.growth.items():
        units = account.movable(line)
        rate = float(growth[day])
        if units > 0 and math.isfinite(rate):
            account.move(line, account.venue_of(line, ""), units * exact(rate))
    fills: list[Fill] = []
    for line in (*tape.courses, *tape.dated):
        if account.movable(line) <= 0:
            account.contracts.pop(line, None)
            continue
        course = _held(account, tape, line, day)
        if course is not None:
            fills += _pass(account, line, course, _Day(tape, day, known))
    return tuple(fills)


@dataclass(frozen=True, slots=True)
class _Day:
    """The day that ends, and what was known of costs before it."""

    tape: Tape
    day: int
    known: DecisionInputs | None


def _held(account: Account, tape: Tape, line: str, day: int) -> Course | None:
    """The course of what is held; of a statement's dated contract the one that the roll rule names."""
    if line in tape.dated and line not in account.contracts:
        named = tape.contract_at(line, max(0, day - 1))
        if named is None:
            return None
        account.contracts[line] = named.market_id
    return tape.course(line, account.contracts.get(line, ""))


def _pass(account: Account, line: str, course: Course, at: _Day) -> list[Fill]:
    before = next((x for d in range(at.day - 1, -1, -1) if (x := course.at(d)) is not None), None)
    if course.expires_at is not None and at.tape.ends[at.day] >= course.expires_at:
        _deliver(account, line, course, before, at.day)
        return []
    now = course.at(at.day)
    if now is None:
        return []
    margin = _earned(account, line, now, before or now)
    fills: list[Fill] = []
    if course.is_left(at.tape.ends[at.day]) and not _is_taken(account, line, now, margin):
        after = at.tape.contract_at(line, at.day)
        following = after.at(at.day) if after is not None else None
        if after is not None and following is not None:
            fills = _rolled(account, line, (now, following), at.known)
            margin -= sum(f.cost_usd for f in fills) / now.quote_usd
            account.contracts[line] = after.market_id
            account.rolled += 1
            now = following
    _settle(account, line, now, margin)
    return fills


def _earned(account: Account, line: str, now: Hedge, before: Hedge) -> float:
    """The margin after the days since the line last had prices."""
    coins = float(account.movable(line))
    return margin_of(account, line, coins, before) + coins * (before.contract - now.contract + now.funding)


def _rolled(
    account: Account, line: str, ends: tuple[Hedge, Hedge], known: DecisionInputs | None
) -> list[Fill]:
    """The short that is left bought back, the next one sold: both pay fee, spread and impact."""
    coins = account.movable(line)
    found: list[Fill] = []
    for hedge, sign in zip(ends, (1, -1), strict=True):
        notional = float(coins) * hedge.contract * hedge.quote_usd
        found.append(
            Fill(line, sign * coins, notional, notional * _rate(line, hedge.course, notional, known))
        )
    return found


def _rate(line: str, course: Course, notional_usd: float, known: DecisionInputs | None) -> float:
    """The cost of one order; rules that are not listed any more are those of another contract on the coin."""
    if known is None:
        return 0.0
    asset = line.partition(":")[2]
    listed = [m for m in known.instruments if (m.market_type, m.base) == ("future", asset)]
    own = next((m for m in listed if m.market_id == course.market_id), None)
    unknown = Instrument(venue="", market_id="", symbol="", base=asset, quote=course.quote)
    return trading_cost(own or (listed[0] if listed else unknown), known).rate(notional_usd)


def _is_taken(account: Account, line: str, now: Hedge, margin: float) -> bool:
    """Tell whether the venue takes a margin: it is below the maintenance margin of the short."""
    return margin <= now.course.maintenance * float(account.movable(line)) * now.contract


def _settle(account: Account, line: str, now: Hedge, margin: float) -> None:
    """Take the line's hedge where its margin is too small; else restore the margin from cash or into it."""
    coins = float(account.movable(line))
    account.margin[line] = margin
    if _is_taken(account, line, now, margin):
        _unhedge(account, line)
        account.liquidated += 1
        return
    cash = line_of("cash", now.course.quote)
    wanted = coins * now.margin - margin
    there = float(account.movable(cash))
    moved = exact(min(wanted, there)) if wanted > 0.0 else exact(wanted)
    account.move(cash, account.venue_of(cash, _venue(account, line)), -moved)
    account.margin[line] = margin + float(moved)
    restate(account, line, now)


def _deliver(account: Account, line: str, course: Course, before: Hedge | None, day: int) -> None:
    """The contract ends at the coin's price; the margin comes back and the coins are plain from now on.

    The venue's own settlement lies within the day; the coin's close stands in for it, and since the coins are
    valued at the same close, what the line earned is what was left of the basis, whatever the coin did.
    """
    coin, dollars = float(course.coin_usd[day]), float(course.quote_usd[day])
    if before is None or not (math.isfinite(coin) and math.isfinite(dollars) and dollars > 0.0):
        return  # no price of that day: on the next one
    coins = float(account.movable(line))
    margin = margin_of(account, line, coins, before) + coins * (before.contract - coin / dollars)
    venue = _venue(account, line)
    if margin > 0.0:
        cash = line_of("cash", course.quote)
        account.move(cash, account.venue_of(cash, venue), exact(margin))
        account.delivered += 1
    else:
        account.liquidated += 1
    _unhedge(account, line)


def _unhedge(account: Account, line: str) -> None:
    """The short and the margin are gone; the coins beside them are plain coins now."""
    coins, venue = account.movable(line), _venue(account, line)
    account.move(line, venue, -coins)
    account.move(coin_line(line), venue, coins)
    account.margin.pop(line, None)
    account.contracts.pop(line, None)


def margin_of(account: Account, line: str, coins: float, at: Hedge) -> float:
    """Return the margin of a line: as kept, or what a statement's capital leaves beside the coins."""
    if line in account.margin:
        return account.margin[line]
    capital = [p.capital_usd for p in account.positions if p.line == line and not p.immovable]
    if None in capital:
        return coins * at.margin
    return (sum(x for x in capital if x is not None) - coins * at.coin_usd) / at.quote_usd


def restate(account: Account, line: str, now: Hedge) -> None:
    """Write a line's capital, coins and margin, into its positions."""
    coins = float(account.movable(line))
    account.state_capital(line, coins * now.coin_usd + account.margin.get(line, 0.0) * now.quote_usd)


def _venue(account: Account, line: str) -> str:
    return next((p.venue for p in account.positions if p.line == line and not p.immovable), "")
