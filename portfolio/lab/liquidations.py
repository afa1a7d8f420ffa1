"""At which price one's own accounts are liquidated, and where the market's liquidations cluster.

One's own: the guard's computation, account by account, from what the statement says of collateral, entry and
brackets; nothing is assumed. The market's: open interest spread over the venue's leverage brackets. Nobody
publishes who stands where, so these are marked as modelled and say what they assume.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from portfolio.guarded import HeldLeg
from portfolio.lab.exposures import Exposure
from portfolio.lab.stress import Scenario
from portfolio.margins import accounts, liquidation_distance, liquidation_move
from portfolio.model import asset_of, line_of

MOST_LEVERAGE = 25.0  # what stands closer than 4 % is gone every other day; a cluster that stays is further


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One leverage bracket of a contract, with what is open in all of the contract.

    Attributes:
        maintenance: margin below this fraction of the notional is liquidated.
        open_usd: value of all open contracts, one side.
    """

    asset: str
    venue: str
    market_id: str
    max_leverage: float
    maintenance: float
    price_usd: float
    open_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Positions of one leverage and side that are liquidated at one price, in all venues together."""

    asset: str
    side: str
    leverage: float
    move: float
    usd: float


def own_distances(legs: Sequence[HeldLeg]) -> dict[str, float]:
    """Return line → adverse move that liquidates the nearest account with a leg of it, where known."""
    found: dict[str, float] = {}
    for _, members, collateral in accounts(legs):
        distance = liquidation_distance(members, collateral) if _is_known(members) else None
        for leg in members if distance is not None else ():
            line = line_of(leg.sleeve, leg.asset)
            found[line] = min(distance or 0.0, found.get(line, math.inf))
    return found


def with_own_distances(exposures: Sequence[Exposure], legs: Sequence[HeldLeg]) -> tuple[Exposure, ...]:
    """Put what the statement says in place of the configured leverage, for lines that are held."""
    own = own_distances(legs)
    return tuple(replace(x, liquidation_distance=own[x.line]) if x.line in own else x for x in exposures)


def own_liquidations(legs: Sequence[HeldLeg], nav_usd: float) -> tuple[Scenario, ...]:
    """Say of each account which common move liquidates it and what that takes if the price comes back.

    Args:
        legs: the statement at today's prices.
        nav_usd: of the whole portfolio.

    Returns:
        One scenario an account: its equity is lost, shared among its contracts by their notional.
    """
    made: list[Scenario] = []
    for place, members, collateral in accounts(legs):
        name = f"own_liquidation:{place}"
        if not _is_known(members):
            blind = sorted({x.name for x in members if x.price_usd is None or x.maintenance_rate is None})
            sentence = f"No data: no mark price or no bracket is stored for {', '.join(blind)}."
            made.append(_without(name, sentence, tuple(line_of(x.sleeve, x.asset) for x in members)))
            continue
        move = liquidation_move(members, collateral)
        if move is None:
            continue
        distance = abs(move)
        equity = max(0.0, collateral + math.fsum(x.profit_usd for x in members))
        gross = math.fsum(abs(x.notional_usd) for x in members)
        by_line: dict[str, float] = {}
        for leg in members:
            line = line_of(leg.sleeve, leg.asset)
            share = abs(leg.notional_usd) / gross if gross else 1.0 / len(members)
            by_line[line] = by_line.get(line, 0.0) + equity * share / nav_usd
        word = "rise" if (move > 0.0 if move else _is_short(members)) else "fall"
        sentence = (
            f"A {word} of {distance:.2%} of its contracts liquidates {place}; where the price comes back, "
            f"{equity:,.0f} USD of equity are gone."
        )
        numbers = {"distance": distance, "equity_usd": equity, "notional_usd": gross}
        made.append(
            Scenario(
                name=name,
                kind="hypothetical",
                status="complete",
                loss=math.fsum(by_line.values()),
                by_line=by_line,
                sentence=sentence,
                numbers=numbers,
            )
        )
    return tuple(made)


def _is_short(members: Sequence[HeldLeg]) -> bool:
    return math.fsum(x.notional_usd for x in members) < 0.0


def _is_known(members: Sequence[HeldLeg]) -> bool:
    return all(x.price_usd is not None and x.maintenance_rate is not None for x in members)


def clusters(brackets: Sequence[Bracket]) -> tuple[Cluster, ...]:
    """Return where positions are liquidated: open interest spread evenly over each contract's brackets.

    Every open contract has a long and a short, opened at today's price with the bracket's highest leverage L
    and its maintenance m: a long is liquidated by a move of −(1/L − m)/(1 − m), a short by (1/L − m)/(1 + m)
    (isolated margin, fees aside). Equal moves of one coin are added up over venues.
    """
    count: dict[tuple[str, str, str], int] = {}
    for x in brackets:
        count[x.asset, x.venue, x.market_id] = count.get((x.asset, x.venue, x.market_id), 0) + 1
    usd: dict[tuple[str, str, float, float], float] = {}
    for x in brackets:
        room = 1.0 / x.max_leverage - x.maintenance
        if room <= 0.0:
            continue
        part = x.open_usd / count[x.asset, x.venue, x.market_id]
        for side, move in (("long", -room / (1.0 - x.maintenance)), ("short", room / (1.0 + x.maintenance))):
            key = (x.asset, side, x.max_leverage, round(move, 6))
            usd[key] = usd.get(key, 0.0) + part
    return tuple(
        Cluster(asset=asset, side=side, leverage=leverage, move=move, usd=found)
        for (asset, side, leverage, move), found in sorted(usd.items())
    )


def cascades(exposures: Sequence[Exposure], found: Sequence[Cluster]) -> tuple[Scenario, ...]:
    """Send each coin that is held to the largest cluster of longs that is not hit every other day.

    Returns:
        One scenario a coin, marked modelled; lines lose by their price exposure to the coin.
    """
    made: list[Scenario] = []
    for asset in sorted({asset_of(x.line) for x in exposures if x.delta}):
        own = [c for c in found if c.asset == asset]
        longs = [c for c in own if c.side == "long" and c.leverage <= MOST_LEVERAGE]
        name = f"liquidation_cluster:{asset}"
        if not longs:
            sentence = f"No data: no open interest with leverage brackets is stored for {asset}."
            made.append(_without(name, sentence, (), "modelled"))
            continue
        worst = max(longs, key=lambda c: (c.usd, -c.move))
        by_line = {
            x.line: -worst.move * x.delta if x.held is None else -float(x.gain(np.array([worst.move]))[0])
            for x in exposures
            if asset_of(x.line) == asset
        }
        numbers: Mapping[str, float | str] = {
            f"{c.side} {c.leverage:g}x at {c.move:+.2%}": c.usd for c in own
        }
        sentence = (
            f"{asset} falls by {-worst.move:.1%}, where longs of {worst.leverage:g}× and about "
            f"{worst.usd:,.0f} USD would be liquidated. Modelled: open interest spread evenly over the "
            "brackets, opened at today's price; nobody knows who stands where."
        )
        made.append(
            Scenario(
                name=name,
                kind="modelled",
                status="complete",
                loss=math.fsum(by_line.values()) + 0.0,
                by_line=by_line,
                sentence=sentence,
                numbers=numbers,
            )
        )
    return tuple(made)


def _without(name: str, sentence: str, missing: tuple[str, ...], kind: str = "hypothetical") -> Scenario:
    return Scenario(
        name=name, kind="modelled" if kind == "modelled" else "hypothetical", status="no_data", loss=None,
        by_line={}, sentence=sentence, covered=0.0, missing=missing,
    )  # fmt: skip
