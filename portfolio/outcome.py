"""What comes out of a decision: weights, orders, one explained line per asset, and the verdict.

Plain values only; `portfolio/model.py` re-exports them beside the inputs. Weights are fractions of NAV.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Status = Literal["proposed", "hold", "blocked"]
Action = Literal["buy", "sell", "keep", "skip", "frozen"]
Side = Literal["buy", "sell"]

# From best to worst; a decision's grade is the worst of its flags that is named here.
GRADES = ("full", "single_source", "fallback", "degraded", "extreme_move", "depeg", "unstable")


def benefit_words(return_bps: float, risk_bps: float) -> str:
    """Say how a benefit is made up, each part with what it means; both in bps of NAV."""
    earned = "higher" if return_bps >= 0.0 else "lower"
    borne = "lower" if risk_bps >= 0.0 else "higher"
    return f"{earned} return {return_bps:+.1f}, {borne} risk {risk_bps:+.1f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLine:
    """One row of mart.target_weights. Weights are fractions of NAV, risk contributions fractions of variance.

    Attributes:
        current_weight: None where positions are unknown.
        binding: name of the constraint that holds the weight where it is, or None.
        shadow_price: gain of annual utility per unit by which that constraint is relaxed.
    """

    sleeve: str
    asset: str
    current_weight: float | None
    target_weight: float
    lower_bound: float
    upper_bound: float
    binding: str | None = None
    shadow_price: float | None = None
    risk_contribution_before: float | None = None
    risk_contribution_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do by hand before an order can be placed. `quantity` in units of `asset`, positive.

    `transfer` moves a coin or cash from one venue to another; `post_margin` puts cash behind a short leg.
    """

    kind: Literal["transfer", "post_margin"]
    asset: str
    quantity: Decimal
    source: str
    destination: str

    @property
    def sentence(self) -> str:
        """What to do, in words."""
        amount = f"{self.quantity.normalize():,f} {self.asset}"
        if self.kind == "post_margin":
            return f"Post {amount} as margin at {self.destination}."
        return f"Move {amount} from {self.source} to {self.destination} first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order of the plan, in the order to be sent.

    `reference_price` in quote units, quantities in base units.

    Attributes:
        market_type: spot, perp, future; `pool` is moved by hand at a protocol and is no order at a venue.
        pair: orders of the same number belong together, both or none; None for an order by itself.
        contracts: what the venue counts the order in: `quantity` over the contract's size.
        limit_price: the worst price that the estimated cost allows, in the market's steps; None for a pool.
        reduce_only: it closes a short position and must never open a long one.
        steps: what is to be done by hand before it.
    """

    line: int
    sleeve: str
    asset: str
    venue: str
    market_id: str
    symbol: str
    side: Side
    quantity: Decimal
    reference_price: float
    notional_usd: float
    estimated_fee_usd: float
    estimated_slippage_usd: float
    reason_code: str
    reason: str
    market_type: str = "spot"
    pair: int | None = None
    contracts: Decimal | None = None
    limit_price: Decimal | None = None
    reduce_only: bool = False
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """One row of mart.decision_lines: what happens with one line and why.

    `numbers` holds finite floats by name, among them price_usd, current_weight, target_weight,
    expected_return and volatility where known: the next run's `PreviousDecision` is read from them.
    `reason` is the sentence.
    """

    sleeve: str
    asset: str
    action: Action
    reason_code: str
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    changed_since_last: Mapping[str, float | str | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One row of mart.decision_alternatives: what else could have been done, measured as the proposal is.

    Annual figures are fractions of NAV, `_bps` of NAV over the horizon. None where `note` says why.
    """

    name: str
    expected_return: float | None = None
    volatility: float | None = None
    benefit_bps: float | None = None
    benefit_low_bps: float | None = None
    benefit_high_bps: float | None = None
    cost_bps: float | None = None
    probability: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One method that was tried and failed, and why."""

    method: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer of one run.

    Attributes:
        flags: all that is true of this decision; the grade is the worst of those named in GRADES.
        drift_absolute: the largest absolute drift of a line against the target in force, in fractions of NAV.
        turnover: ½ Σ|Δweight| of the proposal, cash included.
        expected_benefit_bps: model estimate over the horizon, in bps of NAV = return part + risk part.
        expected_cost_bps: one-off, in bps of NAV.
        confidence: bootstrap probability that the benefit exceeds the cost; None where it has no meaning.
        failures: the attempts before `method_used`, in order.
        estimates: further finite figures by name, such as annual volatility before and after.
        alternatives: the proposal beside what else could be done; empty where holdings are not known.
    """

    portfolio: str
    as_of: datetime
    slot: datetime
    status: Status
    grade: str
    flags: tuple[str, ...]
    reason_code: str
    reason: str
    objective: str
    method_used: str | None
    valid_until: datetime
    nav_usd: float | None = None
    drift_absolute: float | None = None
    turnover: float | None = None
    expected_benefit_bps: float | None = None
    benefit_return_bps: float | None = None
    benefit_risk_bps: float | None = None
    expected_cost_bps: float | None = None
    confidence: float | None = None
    is_simulated: bool = False
    target_lines: tuple[TargetLine, ...] = ()
    trades: tuple[Trade, ...] = ()
    lines: tuple[DecisionLine, ...] = ()
    failures: tuple[Attempt, ...] = ()
    estimates: Mapping[str, float] = field(default_factory=dict)
    alternatives: tuple[Alternative, ...] = ()
