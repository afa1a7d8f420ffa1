"""The guard over recorded hours: books of hedges held through them, and what the raw rows say by themselves.

Nothing here asks the guard what is true. Distances are Binance's liquidation price per contract, or for an
account the root of equity less maintenance; deltas are sums over the book. Both come from the recorded rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from portfolio.episodes import Episode, Step, look, open_after
from portfolio.guarded import GuardInputs, GuardRules, HeldLeg

DATA = Path(__file__).resolve().parents[3] / "shared" / "replay" / "data"
HOUR_MS = 3_600_000
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
MAINTENANCE = 0.005
EXIT_COST = 0.0017
FUNDING_WINDOW_MS = 3 * 24 * HOUR_MS
AGAIN = timedelta(hours=24)
NAV_SLACK = 0.005


@dataclass(frozen=True)
class Contract:
    """One contract of a book: sold short beside as many coins, or bought alone; margin by leverage."""

    asset: str
    leverage: float
    is_hedge: bool = True
    is_cross: bool = False


@dataclass(frozen=True)
class Book:
    """What is held from the first hour of each month on, as much of each as 100,000 USD buy."""

    name: str
    contracts: tuple[Contract, ...]
    rules: GuardRules
    coins: Mapping[str, float] = field(default_factory=dict)  # spot beside it, USD
    cash: float = 0.0


def _limits(distance: float, **bounds: tuple[float, float]) -> GuardRules:
    return GuardRules(min_liquidation_distance=distance, net_delta_bounds=bounds)


BOOKS = (
    Book("carry BTC 2x", (Contract("BTC", 2),), _limits(0.30)),
    Book("carry BTC 3x", (Contract("BTC", 3),), _limits(0.20)),
    Book("carry BTC 5x", (Contract("BTC", 5),), _limits(0.10)),
    Book("carry ETH 3x", (Contract("ETH", 3),), _limits(0.20)),
    Book(
        "carry BTC + ETH 3x, cross",
        (Contract("BTC", 3, is_cross=True), Contract("ETH", 3, is_cross=True)),
        _limits(0.20, BTC=(-0.05, 0.10), ETH=(-0.05, 0.10)),
    ),
    Book(
        "carry ETH 2x and long BTC 2x",
        (Contract("ETH", 2), Contract("BTC", 2, is_hedge=False)),
        _limits(0.30, BTC=(0.0, 0.50), ETH=(-0.10, 0.10)),
        cash=50_000.0,
    ),
    Book(
        "coins and cash",
        (),
        _limits(0.30, BTC=(0.20, 0.30), ETH=(0.16, 0.25)),
        coins={"BTC": 25_000.0, "ETH": 20_000.0},
        cash=55_000.0,
    ),
)


@dataclass(frozen=True)
class Series:
    """Recorded candles: instants of their closes in ms, with low, high and close."""

    closed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    close: np.ndarray

    def at(self, ms: int) -> int:
        """Place of the newest candle closed by then; -1 before the first."""
        return int(np.searchsorted(self.closed, ms, "right")) - 1


@cache
def candles(market: str, symbol: str) -> Series:
    """Hourly rows of `spot`, `um` (last trades) or `mark`, as recorded."""
    listed = json.loads((DATA / "manifest.json").read_text())["klines"]
    (one,) = (
        row for row in listed if (row["market"], row["symbol"], row["interval"]) == (market, symbol, "1h")
    )
    raw, count = (DATA / one["file"]).read_bytes(), one["rows"]
    closed = np.frombuffer(raw, np.int64, count) + HOUR_MS
    values = np.frombuffer(raw, np.float64, 4 * count, offset=8 * count).reshape(4, count)
    return Series(closed, values[2], values[1], values[3])


@cache
def settlements(symbol: str) -> tuple[np.ndarray, np.ndarray]:
    """Instants in ms and rates of funding, as recorded."""
    listed = json.loads((DATA / "manifest.json").read_text())["funding"]
    (one,) = (row for row in listed if row["symbol"] == symbol)
    raw, count = (DATA / one["file"]).read_bytes(), one["rows"]
    return np.frombuffer(raw, np.int64, count), np.frombuffer(raw, np.float64, count, offset=8 * count)


@dataclass(frozen=True)
class Held:
    """A contract that is held: signed units, price of entry and collateral in USD."""

    what: Contract
    units: float
    entry: float
    margin: float
    since_ms: int


@dataclass(frozen=True)
class Mark:
    """What the rows say of a contract at a moment; extremes are None where no mark was recorded."""

    price: float
    low: float | None
    high: float | None
    closed_ms: int


@dataclass
class Holding:
    """A book as it stands: contracts, coins and cash."""

    contracts: list[Held]
    coins: dict[str, float]
    cash: float


@dataclass
class Truth:
    """What is true at an hour by the rows alone: the measure of each subject that can breach."""

    margin: dict[str, float] = field(default_factory=dict)
    delta: dict[str, float] = field(default_factory=dict)
    funding: dict[str, float] = field(default_factory=dict)
    behind: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """One alert."""

    at: datetime
    news: str
    kind: str
    subject: str
    level: str


@dataclass
class Record:
    """What a replay of a book found.

    Attributes:
        told: every alert, in order.
        onsets: (kind, subject, first hour visible, hour alerted or None) of each breach of margin or delta.
        late: hours in which a breach of margin or delta was visible and no alert stood.
        false: alerts that the rows contradict, and those that said again what had been said to be over.
    """

    hours: int = 0
    told: list[Told] = field(default_factory=list)
    onsets: list[tuple[str, str, datetime, datetime | None]] = field(default_factory=list)
    late: list[tuple[datetime, str, str]] = field(default_factory=list)
    false: list[tuple[Told, str]] = field(default_factory=list)


def mark_of(asset: str, ms: int) -> Mark | None:
    """The newest mark, or the newest trade where that is newer."""
    trades, found = candles("um", f"{asset}USDT"), None
    i = trades.at(ms)
    if i >= 0:
        found = Mark(float(trades.close[i]), None, None, int(trades.closed[i]))
    marks = candles("mark", f"{asset}USDT")
    j = marks.at(ms)
    if j >= 0 and (found is None or marks.closed[j] >= found.closed_ms):
        found = Mark(float(marks.close[j]), float(marks.low[j]), float(marks.high[j]), int(marks.closed[j]))
    return found


def coin_of(asset: str, ms: int) -> tuple[float, int]:
    spot = candles("spot", f"{asset}USDT")
    i = spot.at(ms)
    return float(spot.close[i]), int(spot.closed[i])


def struck(book: Book, ms: int) -> Holding:
    """The book bought at the prices of a moment."""
    contracts, coins, cash = list[Held](), dict[str, float](), book.cash
    for what in book.contracts:
        mark = mark_of(what.asset, ms)
        assert mark is not None
        units = 100_000.0 / mark.price
        margin = 100_000.0 / what.leverage
        if what.is_hedge:
            coins[what.asset] = coins.get(what.asset, 0.0) + units
        if what.is_cross:
            cash, margin = cash + margin, 0.0
        contracts.append(Held(what, -units if what.is_hedge else units, mark.price, margin, ms))
    for asset, usd in book.coins.items():
        coins[asset] = coins.get(asset, 0.0) + usd / coin_of(asset, ms)[0]
    return Holding(contracts, coins, cash)


def _moments(held: Held, mark: Mark, now_ms: int) -> tuple[float, float, float]:
    """Close, low and high that count: those of an hour that began after the book was struck."""
    if mark.low is None or mark.high is None or mark.closed_ms - HOUR_MS < held.since_ms:
        return mark.price, mark.price, mark.price
    return mark.price, mark.low, mark.high


def liquidation_price(held: Held) -> float:
    """Binance USD-M, isolated, one bracket: where margin and profit are the maintenance margin."""
    per_unit = held.margin / abs(held.units)
    if held.units < 0:
        return (held.entry + per_unit) / (1.0 + MAINTENANCE)
    return (held.entry - per_unit) / (1.0 - MAINTENANCE)


def _isolated_distance(held: Held, prices: tuple[float, float, float]) -> float:
    where = liquidation_price(held)
    moves = [(where / p - 1.0) if held.units < 0 else (1.0 - where / p) for p in prices]
    return max(min(moves), 0.0)


def _cross_distance(members: list[Held], prices: list[tuple[float, float, float]], cash: float) -> float:
    """Bisection on the common move at which equity is down to maintenance: net shorts are hurt by a rise."""
    nearest = float("inf")
    for moment in range(3):
        at = [three[moment] for three in prices]

        def room(move: float, at: list[float] = at) -> float:
            moved = [p * (1.0 + move) for p in at]
            equity = cash + sum(h.units * (p - h.entry) for h, p in zip(members, moved, strict=True))
            return equity - sum(MAINTENANCE * abs(h.units) * p for h, p in zip(members, moved, strict=True))

        if room(0.0) <= 0.0:
            return 0.0
        low, high = 0.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if room(middle) > 0.0 else (low, middle)
        nearest = min(nearest, low)
    return nearest


def truth_of(book: Book, held: Holding, ms: int) -> Truth:
    """What the recorded rows say of the book at a moment."""
    found = Truth()
    marks = {one.what.asset: mark for one in held.contracts if (mark := mark_of(one.what.asset, ms))}
    coins = {asset: coin_of(asset, ms) for asset in held.coins}
    cross = [one for one in held.contracts if one.what.is_cross]
    for one in held.contracts:
        prices = _moments(one, marks[one.what.asset], ms)
        if not one.what.is_cross:
            found.margin[f"{one.what.asset}USDT at binance"] = _isolated_distance(one, prices)
        if one.what.is_hedge:
            found.funding[f"{one.what.asset}USDT at binance"] = _funding_loss(one.what.asset, ms, book.rules)
    if cross:
        three = [_moments(one, marks[one.what.asset], ms) for one in cross]
        found.margin["binance (cross margin)"] = _cross_distance(cross, three, held.cash)
    nav = held.cash + sum(units * coins[asset][0] for asset, units in held.coins.items())
    nav += sum(h.margin + h.units * (marks[h.what.asset].price - h.entry) for h in held.contracts)
    for asset in book.rules.net_delta_bounds:
        usd = held.coins.get(asset, 0.0) * (coins[asset][0] if asset in coins else 0.0)
        usd += sum(h.units * marks[asset].price for h in held.contracts if h.what.asset == asset)
        found.delta[f"{asset} net"] = usd / nav if nav > 0 else float("nan")
    closes = [m.closed_ms for m in marks.values()] + [c[1] for c in coins.values()]
    newest = max(closes, default=ms)
    found.behind = {f"{a}USDT at binance": (newest - m.closed_ms) / HOUR_MS for a, m in marks.items()}
    found.behind |= {f"{a} at binance": (newest - c[1]) / HOUR_MS for a, c in coins.items()}
    return found


def _funding_loss(asset: str, ms: int, rules: GuardRules) -> float:
    """What a short would pay over the horizon at the funding of the last three days; NaN without any."""
    at, rates = settlements(f"{asset}USDT")
    new = (at > ms - FUNDING_WINDOW_MS) & (at <= ms)
    if not new.any():
        return float("nan")
    return -float(rates[new].sum()) / (8.0 * int(new.sum())) * 24.0 * rules.horizon_days


def is_breached(book: Book, found: Truth, kind: str, subject: str) -> bool:
    """Whether the rows say that a limit is broken."""
    if kind == "margin":
        return found.margin.get(subject, float("inf")) < book.rules.min_liquidation_distance
    if kind == "delta":
        lower, upper = book.rules.net_delta_bounds[subject.removesuffix(" net")]
        value = found.delta.get(subject, float("nan"))
        return value > upper + NAV_SLACK or value < lower - NAV_SLACK
    if kind == "funding":
        return found.funding.get(subject, float("nan")) > EXIT_COST
    return found.behind.get(subject, 0.0) > book.rules.halt_hours


def is_critical(book: Book, found: Truth, kind: str, subject: str) -> bool:
    """Whether the rows say more than a warning: half the distance, a tenth of NAV beyond a bound."""
    if kind == "margin":
        return found.margin[subject] < book.rules.min_liquidation_distance / 2.0
    lower, upper = book.rules.net_delta_bounds[subject.removesuffix(" net")]
    return not lower - 0.10 <= found.delta[subject] <= upper + 0.10


def legs_of(held: Holding, found: Truth, ms: int) -> list[HeldLeg]:
    """The book as the guard is given it: what the warehouse's query makes of the same rows."""
    legs = [HeldLeg(venue="binance", account="", kind="spot", sleeve="cash", asset="USDT", market_id="",
                    quantity=held.cash, price_usd=1.0)]  # fmt: skip
    hedged = {one.what.asset for one in held.contracts if one.what.is_hedge}
    for asset, units in held.coins.items():
        legs.append(
            HeldLeg(
                venue="binance", account="", kind="spot", sleeve="carry" if asset in hedged else "spot",
                asset=asset, market_id="", quantity=units, price_usd=coin_of(asset, ms)[0],
                hours_behind=found.behind[f"{asset} at binance"],
            )
        )  # fmt: skip
    for one in held.contracts:
        mark = mark_of(one.what.asset, ms)
        assert mark is not None
        name = f"{one.what.asset}USDT"
        _, low, high = _moments(one, mark, ms)
        counts = mark.low is not None and mark.closed_ms - HOUR_MS >= one.since_ms
        at, rates = settlements(name)
        new = (at > ms - FUNDING_WINDOW_MS) & (at <= ms)
        legs.append(
            HeldLeg(
                venue="binance", account="", kind="perp", sleeve="carry" if one.what.is_hedge else "perp",
                asset=one.what.asset, market_id=name, quantity=one.units, price_usd=mark.price,
                entry_usd=one.entry, margin_usd=one.margin, is_cross=one.what.is_cross,
                maintenance_rate=MAINTENANCE, exit_cost=EXIT_COST,
                funding_annual=float(rates[new].mean()) * 3 * 365 if new.any() else None,
                hours_behind=found.behind[f"{name} at binance"],
                low_usd=low if counts else None, high_usd=high if counts else None,
            )
        )  # fmt: skip
    return legs


def hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    """Every full hour, the first included."""
    at = begin
    while at < end:
        yield at
        at += HOUR


def ms_of(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def replay(book: Book, begin: datetime, end: datetime) -> Record:
    """Hold the book hour by hour, two looks in each, and compare what was told with what the rows say."""
    record, held, known = Record(), struck(book, ms_of(begin)), dict[tuple[str, str], Episode]()
    ended: dict[tuple[str, str], datetime] = {}
    was: set[tuple[str, str]] = set()
    for at in hours(begin, end):
        ms = ms_of(at)
        if at.day == 1 and at.hour == 0:
            held, ended, was = struck(book, ms), {}, set()
        found = truth_of(book, held, ms)
        inputs = GuardInputs(as_of=at, legs=legs_of(held, found, ms))
        told = list[Told]()
        for moment in (at, at + QUARTER):
            steps = look(replace(inputs, as_of=moment), book.rules, known)[1]
            known = open_after(steps)
            told += [_told(step, moment) for step in steps if step.news]
            if not known:
                break
        _judge(book, record, found, told, ended)
        was = _compare(book, record, found, known, was, at)
        record.told += told
        record.hours += 1
        held = _after(held, found)
    return record


def _told(step: Step, at: datetime) -> Told:
    one = step.episode
    return Told(at, step.news, one.kind, one.subject, one.level)


def _judge(
    book: Book, record: Record, found: Truth, told: list[Told], ended: dict[tuple[str, str], datetime]
) -> None:
    for one in told:
        name, is_true = (one.kind, one.subject), is_breached(book, found, one.kind, one.subject)
        if one.news == "over":
            ended[name] = one.at
            if is_true:
                record.false.append((one, "said to be over, and was not"))
        elif not is_true:
            record.false.append((one, "the rows do not show it"))
        elif one.news == "opened" and name in ended and one.at - ended[name] < AGAIN:
            record.false.append((one, "within a day of its end"))


def _compare(
    book: Book,
    record: Record,
    found: Truth,
    known: Mapping[tuple[str, str], Episode],
    was: set[tuple[str, str]],
    at: datetime,
) -> set[tuple[str, str]]:
    names = [("margin", subject) for subject in found.margin] + [("delta", s) for s in found.delta]
    now = {name for name in names if is_breached(book, found, *name)}
    for name in sorted(now):
        stands = known.get(name)
        when = None if stands is None else stands.announced_at
        if (
            stands is None
            or when is None
            or when > at
            or (is_critical(book, found, *name) and stands.level != "critical")
        ):
            record.late.append((at, *name))
        if name not in was:
            record.onsets.append((*name, at, when))
    return now


def _after(held: Holding, found: Truth) -> Holding:
    """What the venue leaves: a liquidated contract is gone with its margin, its coins stay."""
    left = list[Held]()
    for one in held.contracts:
        place = "binance (cross margin)" if one.what.is_cross else f"{one.what.asset}USDT at binance"
        if found.margin[place] > 0.0:
            left.append(one)
    if len(left) == len(held.contracts):
        return held
    lost_cash = any(one.what.is_cross for one in held.contracts if one not in left)
    return Holding(left, held.coins, 0.0 if lost_cash else held.cash)


def _days(*span: tuple[int, int, int]) -> tuple[datetime, datetime]:
    begin, end = (datetime(*day, tzinfo=UTC) for day in span)
    return begin, end


EPISODES = {
    "March 2020": _days((2020, 3, 1), (2020, 3, 16)),
    "May 2021": _days((2021, 5, 1), (2021, 5, 24)),
    "October 2025": _days((2025, 10, 1), (2025, 10, 15)),
}


def years_of(book: Book) -> tuple[datetime, datetime]:
    """From 2019, or where its contracts begin to be recorded, to the end of 2025."""
    begin = datetime(2019, 2, 1, tzinfo=UTC)
    firsts = [int(candles("um", f"{one.asset}USDT").closed[0]) for one in book.contracts]
    if firsts:  # three days of funding are there then
        begin = max(begin, datetime.fromtimestamp(max(firsts) / 1000, UTC) + timedelta(days=4))
    return begin.replace(hour=0, minute=0), datetime(2026, 1, 1, tzinfo=UTC)
