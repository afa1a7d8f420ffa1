"""What a backtest is made of: the inputs as of each decision date.

Comes in: one published snapshot. Goes out: `DecisionInputs` by the same function that a live decision reads
them with, at a reader that stands at each date in turn, so that a fact counts from its `known_at` on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from portfolio.lab.tape import Tape
from portfolio.model import DatasetState, DecisionInputs, Freeze, Instrument, Position
from tasks.backtest_markets import plain_markets
from tasks.clock import RealClock
from tasks.context import RunContext, SilentReporter
from tasks.data_ages import data_ages, stale_assets
from tasks.inputs import load_inputs
from tasks.policy import execution_venues
from tasks.settings import Settings
from tasks.stated_tables import Rows, stated_tables
from warehouse.connection import Engine
from warehouse.home import Home
from warehouse.rewind import open_rewinder

MARKET_RULES = "market rules unknown then: no lot sizes or minimums, the stated taker fee"
SPREADS = "spreads unknown then: the assumed ones"
START = "no positions known at the start: all cash"
OPTIONS = "no option is priced at its bid, so none can be bought or sold: the sleeve options is left out"


@dataclass(frozen=True, slots=True)
class Assumed:
    """What stands in for facts that nobody stored at the time.

    Attributes:
        taker_fee: of a market whose rules were not known then, a fraction.
        capital: units of the quote currency to start with where no positions were known.
    """

    taker_fee: float = 0.001
    capital: float = 100_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Everything that a study of one portfolio needs."""

    days: tuple[DecisionInputs, ...]
    tape: Tape
    start: tuple[Position, ...]
    assumptions: tuple[str, ...]

    def content_hash(self) -> str:
        """A hash of what was known at each date and of what came after, equal for equal values."""
        digest = hashlib.sha256()
        for day in self.days:
            digest.update(f"{day.as_of.isoformat()} {day.content_hash()}\n".encode())
        digest.update("\n".join([*self.tape.lines, *(end.isoformat() for end in self.tape.ends)]).encode())
        digest.update(self.tape.content())
        return digest.hexdigest()


def read_days(
    settings: Settings, portfolio: str, instants: Sequence[datetime], assumed: Assumed
) -> list[DecisionInputs]:
    """Read the inputs as of each instant, as a live decision would have read them there."""
    stated = stated_tables(settings, portfolio)
    plain = plain_markets(settings, portfolio, instants, assumed.taker_fee)
    early = [at for at in instants if plain is not None and at < plain.until]
    late = [at for at in instants if at not in set(early)]
    rules = {} if plain is None else {"core.instruments": plain.rows}
    return [
        *_read(settings, portfolio, early, assumed, stated | rules),
        *_read(settings, portfolio, late, assumed, stated),
    ]


def _read(
    settings: Settings,
    portfolio: str,
    instants: Sequence[datetime],
    assumed: Assumed,
    stated: Mapping[str, Rows],
) -> list[DecisionInputs]:
    found: list[DecisionInputs] = []
    if not instants:
        return found
    home = Home(settings.warehouse.home)
    with open_rewinder(home, instants[0], stated, engine=Engine(threads=1)) as reader:
        for instant in instants:
            reader.move(instant)
            context = RunContext(settings, instant, "", "backtest", instant, RealClock(), SilentReporter())
            rows = reader.rows("series_ages", as_of=instant)
            states = _states(rows, settings, portfolio, instant)
            suspects = {
                asset: Freeze("stale_price", f"Stale: {why}")
                for asset, why in stale_assets(rows, settings, instant).items()
            }
            loaded = load_inputs(reader, context, portfolio, states, suspects).inputs
            found.append(replace(loaded, instruments=_markets(loaded, settings, assumed)))
    return found


def start_of(day: DecisionInputs, settings: Settings, assumed: Assumed) -> tuple[Position, ...]:
    """The holdings at the beginning: what was known, else the stated capital in the quote currency."""
    if day.positions:
        return day.positions
    venue = next(iter(execution_venues(settings)), "")
    quantity = Decimal(repr(float(assumed.capital)))
    return (Position(sleeve="cash", asset=settings.universe.quote, venue=venue, quantity=quantity),)


def assumptions_of(
    days: Sequence[DecisionInputs], sleeves: Sequence[str], *, is_start_known: bool
) -> tuple[str, ...]:
    """What had to be assumed, in words; `sleeves` are the policy's."""
    found: list[str] = []
    if any((m.amount_step, m.price_step, m.min_cost) == (None,) * 3 for d in days for m in d.instruments):
        found.append(MARKET_RULES)
    if any(q.half_spread_bps is None for day in days for q in day.liquidity):
        found.append(SPREADS)
    if not is_start_known:
        found.append(START)
    if "options" in sleeves:
        found.append(OPTIONS)
    return tuple(found)


def _states(
    rows: Sequence[dict[str, object]], settings: Settings, portfolio: str, as_of: datetime
) -> tuple[DatasetState, ...]:
    """Each dataset's state by the ages of its data then; what the gate refused is not in the warehouse."""
    requires = settings.portfolios[portfolio].requires
    states: dict[str, DatasetState] = {}
    for age in data_ages(rows, settings, as_of):
        known = states.get(age.dataset)
        seconds = age.age_seconds
        is_newer = known is None or (
            seconds is not None and (known.age_seconds is None or seconds < known.age_seconds)
        )
        is_fresh = seconds is not None and seconds <= age.limit_seconds
        if is_newer:
            states[age.dataset] = DatasetState(
                dataset=age.dataset,
                newest_data_at=age.newest_data_at,
                age_seconds=seconds,
                limit_seconds=age.limit_seconds,
                is_fresh=is_fresh or (known is not None and known.is_fresh),
                required=age.dataset in requires,
            )
        elif is_fresh and known is not None:
            states[age.dataset] = replace(known, is_fresh=True)
    return tuple(states[name] for name in sorted(states))


def _markets(day: DecisionInputs, settings: Settings, assumed: Assumed) -> tuple[Instrument, ...]:
    """The markets known then; of a venue whose rules nobody stored then, plain ones for what it traded."""
    venues = set(execution_venues(settings)) - {m.venue for m in day.instruments}
    quote = settings.universe.quote
    missing = [
        Instrument(
            venue=q.venue,
            market_id=q.market_id,
            symbol=f"{q.asset}/{quote}",
            base=q.asset,
            quote=quote,
            taker_fee=assumed.taker_fee,
            maker_fee=assumed.taker_fee,
        )
        for q in day.liquidity
        if q.market_type == "spot" and q.venue in venues and q.market_id.upper().endswith(quote)
    ]
    return (*day.instruments, *missing)
