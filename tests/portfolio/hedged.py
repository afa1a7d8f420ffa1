"""Carry, yield and staking lines on the small market of market.py, and how a plan is checked."""

from decimal import Decimal, localcontext

from portfolio.book import open_book
from portfolio.model import Leg, Liquidity, SleeveTerms
from portfolio.planner import DIGITS, plan_trades
from tests.portfolio.market import COINS, board, inputs, market

LEVERAGE = 3


def perp(base, **changes):
    values = {
        "market_type": "perp",
        "symbol": f"{base}/USDT:USDT",
        "amount_step": Decimal("0.001"),
        "min_amount": Decimal("0.001"),
        "min_cost": Decimal(5),
        "taker_fee": 0.0004,
    }
    return market(base, **(values | changes))


def perp_depth(base, volume=2e9):
    return Liquidity(
        asset=base,
        venue="binance",
        market_id=f"{base}USDT",
        market_type="perp",
        average_daily_volume_usd=volume,
        half_spread_bps=0.5,
        daily_volatility=0.04,
    )


def leg(base, role, ratio, price, venue="binance"):
    spot = role == "spot"
    return Leg(
        role=role,
        venue=venue,
        market_id=f"{base}USDT",
        symbol=f"{base}/USDT" if spot else f"{base}/USDT:USDT",
        market_type="spot" if spot else "perp",
        base=base,
        quote="USDT",
        quantity_per_unit=ratio,
        price=price,
    )


def carry(base, venue="binance", spot_venue="binance", **changes):
    """One coin and its short perpetual at 3 times leverage."""
    price = COINS[base]
    values = {
        "line": f"carry:{base}",
        "legs": (
            leg(base, "perp", -1.0, price, venue),
            leg(base, "spot", 1.0, price, spot_venue),
            Leg(
                role="margin",
                venue=venue,
                market_id="",
                symbol="USDT",
                market_type="",
                base="USDT",
                quote="USDT",
                quantity_per_unit=price / LEVERAGE,
                price=1.0,
            ),
        ),
        "capital_per_unit_usd": price * (1 + 1 / LEVERAGE),
        "gross_notional": 1.5,
        "venue": venue,
        "exit_days": 0.0,
    }
    return SleeveTerms(**(values | changes))


def pool(base, protocol, line, price, exit_days=0.0):
    return SleeveTerms(
        line=line,
        legs=(
            Leg(
                role="pool",
                venue=protocol,
                market_id=f"{protocol}-{base.lower()}",
                symbol=f"{protocol} {base}",
                market_type="pool",
                base=base,
                quote=base,
                quantity_per_unit=1.0,
                price=price,
            ),
        ),
        capital_per_unit_usd=price,
        net_delta=0.0 if line.startswith("yield") else 1.0,
        protocol=protocol,
        exit_days=exit_days,
    )


TERMS = {
    "carry:BTC": carry("BTC"),
    "carry:ETH": carry("ETH"),
    "yield:USDT": pool("USDT", "aave-v3", "yield:USDT", 1.0),
    "staking:ETH": pool("ETH", "lido", "staking:ETH", COINS["ETH"], exit_days=5.0),
}
SLEEVES = ("spot", "cash", "carry", "yield", "staking")


def day(**changes):
    values = {
        "terms": TERMS,
        "instruments": (*(market(c) for c in COINS), *(perp(c) for c in COINS)),
        "liquidity": (*inputs().liquidity, *(perp_depth(c) for c in COINS)),
    }
    return inputs(**(values | changes))


def plan(target, rules=None, **changes):
    now = day(**changes)
    owner = rules or board(target, sleeves=SLEEVES)
    return plan_trades(open_book(now, owner), target, now, owner)


def check(found, now):
    """What must hold of every plan: whole steps, minimums, pairs whole, cash covered, sums to zero."""
    with localcontext(prec=DIGITS):
        assert sum(found.moved_usd.values()) == 0
        pairs = {}
        for order in found.orders:
            rules = order.market
            assert order.quantity > 0
            if rules.market_type == "pool":
                continue
            contracts = order.quantity / rules.contract_size
            assert contracts % rules.amount_step == 0
            assert contracts >= (rules.min_amount or 0)
            assert order.notional >= (rules.min_cost or 0)
            assert order.limit_price % rules.price_step == 0
            if order.pair is not None:
                pairs.setdefault(order.pair, []).append(order)
        for quote in ("USDT", "USDC"):
            line = f"cash:{quote}"
            start = sum((p.quantity for p in now.positions if p.line == line and not p.immovable), Decimal(0))
            change = sum((o.cash_change for o in found.orders if o.market.quote == quote), Decimal(0))
            change -= sum(
                o.quantity if o.side == "buy" else -o.quantity
                for o in found.orders
                if o.market.market_type == "pool" and o.market.base == quote
            )
            change += sum(
                (o.base_change for o in found.orders if o.market.base == quote and o.line == line), Decimal(0)
            )
            assert found.held.get(line, Decimal(0)) == start + change
        assert all(quantity >= 0 for quantity in found.held.values())
    return pairs
