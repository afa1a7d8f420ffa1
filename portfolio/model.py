"""The plain values that go into a decision and come out of it.

The one door is `decide(inputs: DecisionInputs, policy: Policy, seed: int) -> Decision` in decision.py.
A *line* is the string "sleeve:asset" ("spot:BTC", "cash:USDT"). Datetimes are timezone-aware UTC, except a
frame's index, which is naive UTC. Nothing here computes more than a name or a hash, or imports a solver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

import pandas as pd

from portfolio.content import frame_content, sha256_of, texts
from portfolio.exposed import HeldExposure
from portfolio.names import asset_of, is_cash, is_contractual, line_of, sleeve_of
from portfolio.outcome import GRADES, Attempt, Decision, DecisionLine, Step, TargetLine, Trade
from portfolio.policy import DAYS_PER_YEAR, Bounds, Policy, RebalanceRules
from portfolio.terms import Leg, ProtocolFacts, SleeveTerms
from portfolio.views import View

__all__ = [
    "DAYS_PER_YEAR",
    "GRADES",
    "Attempt",
    "Bounds",
    "DatasetState",
    "Decision",
    "DecisionInputs",
    "DecisionLine",
    "Freeze",
    "HeldExposure",
    "Instrument",
    "Leg",
    "Liquidity",
    "Policy",
    "Position",
    "PreviousDecision",
    "PriceMark",
    "ProtocolFacts",
    "RebalanceRules",
    "SleeveTerms",
    "Step",
    "TargetLine",
    "Trade",
    "View",
    "asset_of",
    "is_cash",
    "is_contractual",
    "line_of",
    "sleeve_of",
]

DEFAULT_STEP = Decimal("0.00000001")  # of an order's quantity, where the venue names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One holding. `quantity` in units of the line, never negative in the sleeves spot and cash.

    `capital_usd` is what a position of another sleeve ties up (legs, margin, unrealised P&L), where known
    better than quantity × capital per unit.
    """

    sleeve: str
    asset: str
    venue: str
    account: str = ""
    kind: str = "spot"
    quantity: Decimal
    immovable: bool = False
    cost_basis_usd: float | None = None
    capital_usd: float | None = None

    @property
    def line(self) -> str:
        """The line key this holding belongs to."""
        return line_of(self.sleeve, self.asset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One market's trading rules.

    Steps and minimum amount in base units, of a contract in contracts; `min_cost` in quote units, fees as
    fractions.

    Attributes:
        contract_size: base units per contract; 1 for spot.
        fee_side: what the fee of a spot order is taken from: the quote, or what is received (a buy then
            brings less of the coin than was ordered).
    """

    venue: str
    market_id: str
    symbol: str
    base: str
    quote: str
    market_type: str = "spot"
    amount_step: Decimal | None = None
    price_step: Decimal | None = None
    min_amount: Decimal | None = None
    min_cost: Decimal | None = None
    maker_fee: float | None = None
    taker_fee: float | None = None
    is_active: bool = True
    contract_size: Decimal = Decimal(1)
    fee_side: Literal["quote", "received"] = "quote"

    @property
    def base_step(self) -> Decimal:
        """The smallest step of an order, in base units."""
        step = self.amount_step
        return (step if step is not None and step > 0 else DEFAULT_STEP) * self.contract_size

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells this market from all others: one id may name a spot and a perpetual market."""
        return (self.venue, self.market_type, self.market_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """How deep one market is.

    Volume in USD per day, half spread in bps, volatility as daily standard deviation.
    """

    asset: str
    venue: str
    market_id: str
    average_daily_volume_usd: float | None = None
    half_spread_bps: float | None = None
    daily_volatility: float | None = None
    market_type: str = "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMark:
    """The last closed price of a line: in USD, in its quote, when it closed, and how many venues agree."""

    price_usd: float
    price_quote: float
    at: datetime
    venues: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetState:
    """What the gate and the clock say about one dataset at `as_of`.

    Attributes:
        newest_data_at: close of the newest stored period; None where nothing is stored.
        limit_seconds: `gate.freshness` of the dataset.
        required: named in the policy's `requires` (decide also compares the name itself).
        detail: the gate's own sentence where it failed.
        reason_code: set where it is no dataset but something without which nothing may be decided at all
            (the machine's clock, the gate itself): `on_stale` does not do without it.
    """

    dataset: str
    newest_data_at: datetime | None
    age_seconds: float | None
    limit_seconds: float
    is_fresh: bool
    required: bool = False
    passed_gate: bool = True
    detail: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Why a line may not be traded: a code for machines, a sentence for people."""

    reason_code: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousDecision:
    """What the last decision of an earlier slot rested on, by line; for `changed_since_last` only."""

    recommendation_id: str
    as_of: datetime
    target_weights: Mapping[str, float]
    prices: Mapping[str, float]
    expected_returns: Mapping[str, float]
    config_hash: str
    quantities: Mapping[str, float] = field(default_factory=dict)
    volatilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionInputs:
    """Everything a decision may see, as of one instant.

    Attributes:
        slot: as_of floored to the portfolio's rebalance period.
        returns: simple total USD returns; index daily naive UTC closing instants (00:00), columns line
            keys, cash included.
        prices: line → mark. `cash:USD` (the reference currency) needs none.
        quote_price_usd: stablecoin → USD.
        positions: empty means unknown: weights only, no trades.
        market_caps: asset → USD; None where the source is not usable.
        target_in_force: the last accepted target, line → weight; None where none was ever accepted.
        frozen: line → why it may not be traded now; it keeps its quantity.
        terms: line → what a unit is made of, for lines of sleeves other than spot and cash.
        protocols: protocol → what the sources say of it, for tiers.
        exits: line → when its market closes (delisting, expiry), where that is announced.
        views: what signals with evidence say of a line beyond the prior.
        unlisted: line → why it can not be held (not listed yet, delisted); its target is 0 and it is
            never bought.
        exposed: line → what is held there and by nobody rebalanced: options, and all outside the policy.
        exposed_returns: as `returns`, of the assets of `exposed` that are no line of the policy.
        extreme_moves: line → the day's simple return where the gate calls it extreme but confirmed.
        config_hash: of the configuration in force; compared with `previous.config_hash`.
    """

    as_of: datetime
    slot: datetime
    portfolio: str
    returns: pd.DataFrame
    prices: Mapping[str, PriceMark]
    quote_price_usd: Mapping[str, float] = field(default_factory=dict)
    positions: tuple[Position, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    liquidity: tuple[Liquidity, ...] = ()
    market_caps: Mapping[str, float] | None = None
    target_in_force: Mapping[str, float] | None = None
    target_since: datetime | None = None
    last_trade_at: datetime | None = None
    datasets: tuple[DatasetState, ...] = ()
    terms: Mapping[str, SleeveTerms] = field(default_factory=dict)
    frozen: Mapping[str, Freeze] = field(default_factory=dict)
    protocols: Mapping[str, ProtocolFacts] = field(default_factory=dict)
    exits: Mapping[str, datetime] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    unlisted: Mapping[str, str] = field(default_factory=dict)
    exposed: Mapping[str, HeldExposure] = field(default_factory=dict)
    exposed_returns: pd.DataFrame = field(default_factory=pd.DataFrame)
    extreme_moves: Mapping[str, float] = field(default_factory=dict)
    is_simulated: bool = False
    previous: PreviousDecision | None = None
    config_hash: str = ""

    def content_hash(self) -> str:
        """Return a sha256 over the values that decide, equal for equal values on any run.

        Left out on purpose: the clock (`as_of`, `slot`, ages, the instants of prices and data), sentences,
        the previous decision and the configuration's hash (which enters the id by itself).
        """
        content = {
            "portfolio": self.portfolio,
            "returns": frame_content(self.returns),
            "prices": {k: [p.price_usd, p.price_quote, p.venues] for k, p in self.prices.items()},
            "quote_price_usd": dict(self.quote_price_usd),
            "positions": sorted(texts(p) for p in self.positions),
            "instruments": sorted(texts(i) for i in self.instruments),
            "liquidity": sorted(texts(q) for q in self.liquidity),
            "market_caps": None if self.market_caps is None else dict(self.market_caps),
            "target_in_force": None if self.target_in_force is None else dict(self.target_in_force),
            "last_trade_at": None if self.last_trade_at is None else self.last_trade_at.isoformat(),
            "datasets": sorted([d.dataset, d.is_fresh, d.required, d.passed_gate] for d in self.datasets),
            "terms": {k: texts(t) for k, t in self.terms.items()},
            "frozen": {k: f.reason_code for k, f in self.frozen.items()},
            "unlisted": sorted(self.unlisted),
            "extreme_moves": dict(self.extreme_moves),
            "is_simulated": self.is_simulated,
        }
        newer: dict[str, object] = {  # without them the hash is what it was before there were any
            "views": sorted(texts(v) for v in self.views),
            "protocols": {k: texts(p) for k, p in self.protocols.items()},
            "exits": {k: t.isoformat() for k, t in self.exits.items()},
            "exposed": {k: texts(e) for k, e in self.exposed.items()},
            "exposed_returns": {} if self.exposed_returns.empty else frame_content(self.exposed_returns),
        }
        content |= {name: value for name, value in newer.items() if value}
        return sha256_of(content)
