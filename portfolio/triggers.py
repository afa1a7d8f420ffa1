"""At which price or contracted return a hold would become a trade.

The rest of the world stands still: one line's price moves, weights drift with it, and the question is asked
again. For a band the answer is closed; for a benefit that does not pay its cost, the price is searched at
which it would, the cost-aware answer solved anew at each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portfolio import registry
from portfolio.book import Book
from portfolio.costs import TradingCost
from portfolio.estimates import Estimates
from portfolio.failure import AllocationFailure
from portfolio.model import DecisionInputs, Policy, asset_of, is_cash
from portfolio.problem import Problem
from portfolio.rebalance import EPSILON, benefit, tolerance
from portfolio.verdict import Weighing

Array = NDArray[np.float64]
FARTHEST = 0.9  # a move beyond −90 % or +900 % is not worth a sentence
STEPS, HALVINGS = 13, 12
ASKED = 3  # lines whose price is tried, the most drifted first
Aim = Callable[[Array], Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Where a hold ends: the relative price moves of one line up and down, or a line's annual return.

    Attributes:
        above, below: relative moves, None where no move of that sign would do.
        price: of the line now, USD.
        annual_return: contracted return at which the line would be bought.
    """

    line: str
    above: float | None = None
    below: float | None = None
    price: float = 0.0
    annual_return: float | None = None

    def sentence(self) -> str:
        """Return it in words."""
        name = asset_of(self.line)
        if self.annual_return is not None:
            return f"{self.line} would be bought at a contracted return of {self.annual_return:.1%} a year."
        told = [
            f"{side} {self.price * (1.0 + move):,.6g} USD ({move:+.1%})"
            for side, move in (("above", self.above), ("below", self.below))
            if move is not None
        ]
        return f"It becomes a trade with {name} {' or '.join(told)}, all else equal."

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {
            f"trade_above_usd:{self.line}": None if self.above is None else self.price * (1.0 + self.above),
            f"trade_below_usd:{self.line}": None if self.below is None else self.price * (1.0 + self.below),
            f"trade_at_return:{self.line}": self.annual_return,
        }
        return {name: value for name, value in found.items() if value is not None}


def drifted(weight: float, move: float) -> float:
    """Return a line's weight after its own price moved."""
    return weight * (1.0 + move) / (1.0 + weight * move)


def move_to(weight: float, wanted: float) -> float | None:
    """Return the relative price move that brings a line from one weight to another; None where none does."""
    if not (0.0 < weight < 1.0 and 0.0 < wanted < 1.0):
        return None
    move = (wanted - weight) / (weight * (1.0 - wanted))
    return move if -FARTHEST <= move <= 10 * FARTHEST else None


def band_trigger(book: Book, target: Mapping[str, float], policy: Policy) -> Trigger | None:
    """Return the line that the smallest move of its own price takes out of its band."""
    rules = policy.rebalance
    found: list[tuple[float, Trigger]] = []
    for line in book.lines:
        weight, aim, price = book.weight.get(line, 0.0), target.get(line, 0.0), book.price.get(line)
        if is_cash(line) or price is None or book.keeps(line) is not None:
            continue
        width = min(rules.band_absolute, rules.band_relative * aim) if aim > 0.0 else rules.band_absolute
        above, below = move_to(weight, aim + width), move_to(weight, aim - width)
        above = above if above is not None and above >= 0.0 else None
        below = below if below is not None and below <= 0.0 else None
        moves = [abs(m) for m in (above, below) if m is not None]
        if moves:
            found.append((min(moves), Trigger(line=line, above=above, below=below, price=price)))
    return min(found, key=lambda f: (round(f[0], 12), f[1].line))[1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What a proposal was made from: `costs` by line, as far as a line can be traded."""

    method: str | None
    problem: Problem
    estimates: Estimates
    costs: Mapping[str, TradingCost]

    def cost(self, before: Array, after: Array, nav_usd: float) -> float:
        """Return what going from one allocation to another costs, impact included, in fractions of NAV."""
        total = 0.0
        for i, line in enumerate(self.problem.lines):
            moved = abs(float(after[i] - before[i]))
            if moved > 0.0 and self.problem.cost_rates[i] > 0.0 and line in self.costs:
                total += moved * self.costs[line].rate(moved * nav_usd)
        return total


def benefit_trigger(model: Model, book: Book, proposed: Array, policy: Policy) -> Trigger | None:
    """Return the price of the most drifted line at which going to the proposal would pay its cost."""
    problem = model.problem
    if problem.current is None:
        return None
    order = np.argsort(-np.abs(problem.current - proposed), kind="stable")
    tradable = [i for i in order if _is_open(problem.lines[i], book)]
    for i in tradable[:ASKED]:
        line = problem.lines[i]
        surplus = _surplus(model, int(i), _aim(model.method, problem, proposed), book.nav_usd or 0.0, policy)
        above, below = _crossing(surplus, 10 * FARTHEST), _crossing(surplus, -FARTHEST)
        if above is not None or below is not None:
            return Trigger(line=line, above=above, below=below, price=book.price[line])
    return None


def _is_open(line: str, book: Book) -> bool:
    return not is_cash(line) and line in book.price and book.keeps(line) is None


def _aim(method: str | None, problem: Problem, proposed: Array) -> Aim:
    """Return where the method would go from given weights: the cost-aware one is solved anew, others stay."""
    if method != "max_quadratic_utility":
        return lambda _: proposed
    resolve: Callable[[Problem], Array] = registry.load(registry.OPTIMISERS, method).resolve
    fixed = problem.fixed()

    def aim(before: Array) -> Array:
        lower, upper = (np.where(fixed, before, limit) for limit in (problem.lower, problem.upper))
        try:
            return resolve(replace(problem, current=before, lower=lower, upper=upper))
        except AllocationFailure:
            return before

    return aim


def _surplus(model: Model, i: int, aim: Aim, nav_usd: float, policy: Policy) -> Callable[[float], float]:
    """Benefit less the wanted multiple of the cost, in fractions of NAV, by one price's move."""
    problem, estimates = model.problem, model.estimates
    at = [problem.lines.index(x) for x in estimates.lines]
    now = np.zeros(len(problem.lines)) if problem.current is None else problem.current

    def surplus(move: float) -> float:
        before = now / (1.0 + now[i] * move)
        before[i] *= 1.0 + move
        after = aim(before)
        gain = benefit(estimates, before[at], after[at], policy).total_bps / 1e4
        worth = 1.0 + now[i] * move
        cost = model.cost(before, after, nav_usd * worth)
        return gain - policy.rebalance.min_benefit_over_cost * cost

    return surplus


def _crossing(surplus: Callable[[float], float], farthest: float) -> float | None:
    """Return the smallest move towards `farthest` at which the surplus is no longer negative."""
    grid = np.sign(farthest) * np.expm1(np.linspace(0.0, np.log1p(abs(farthest)), STEPS))
    values = np.array([surplus(float(m)) for m in grid])
    hits = np.flatnonzero(values >= 0.0)
    if len(hits) == 0:
        return None
    if hits[0] == 0:
        return 0.0
    low, high = float(grid[hits[0] - 1]), float(grid[hits[0]])
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if surplus(middle) >= 0.0 else (middle, high)
    return high


def return_trigger(
    book: Book, inputs: DecisionInputs, problem: Problem, proposed: Array, policy: Policy
) -> Trigger | None:
    """Return the contracted line whose return is nearest to being worth its entry, paid from settlement cash.

    At the margin: it must beat cash and its own risk by the wanted multiple of both sides' cost a year.
    """
    if problem.expected is None or problem.covariance is None or problem.settlement < 0:
        return None
    cash, found = problem.settlement, list[tuple[float, Trigger]]()
    risk = problem.covariance @ proposed + problem.pulled()
    marginal = problem.expected - policy.risk_aversion * risk
    rates = problem.annual_cost_rates() * max(1.0, policy.rebalance.min_benefit_over_cost)
    for i, line in enumerate(problem.lines):
        terms = inputs.terms.get(line)
        if terms is None or terms.expected_return is None or book.keeps(line) is not None:
            continue
        if proposed[i] >= problem.upper[i] - EPSILON:
            continue
        short = float(marginal[cash] - marginal[i] + rates[i] + rates[cash])
        if short > 0.0:
            found.append((short, Trigger(line=line, annual_return=terms.expected_return + short)))
    return min(found, key=lambda f: (round(f[0], 12), f[1].line))[1] if found else None


def limit_trigger(book: Book, policy: Policy) -> Trigger | None:
    """Return the line that the smallest rise of its own price takes above its hard limit."""
    found: list[tuple[float, Trigger]] = []
    for line in book.lines:
        price, upper = book.price.get(line), policy.bounds_of(line)[1]
        move = move_to(book.weight.get(line, 0.0), min(1.0, upper + tolerance(upper)))
        if move is not None and move >= 0.0 and price is not None and not is_cash(line):
            found.append((move, Trigger(line=line, above=move, price=price)))
    return min(found, key=lambda f: (round(f[0], 12), f[1].line))[1] if found else None


def hold_triggers(
    code: str,
    case: Weighing,
    model: Model | None,
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
) -> tuple[Trigger, ...]:
    """Return what would end a hold with this reason code; nothing where no price alone does."""
    if book.nav_usd is None:
        return ()
    found: list[Trigger | None] = []
    if code == "within_bands":
        against = case.reference if policy.objective == "policy" else case.proposed
        found.append(band_trigger(book, against, policy))
    elif code == "cooldown":
        found.append(limit_trigger(book, policy))
    elif code == "benefit_below_cost" and model is not None:
        proposed = np.array([case.proposed[x] for x in model.problem.lines])
        found.append(benefit_trigger(model, book, proposed, policy))
        found.append(return_trigger(book, inputs, model.problem, proposed, policy))
    return tuple(t for t in found if t is not None)


def hold_sentence(code: str, triggers: tuple[Trigger, ...], book: Book, policy: Policy) -> str:
    """Return when a hold would become a trade, in words."""
    if code == "depeg":
        coins = ", ".join(sorted(book.depegged))
        low, high = 1.0 - policy.peg_tolerance, 1.0 + policy.peg_tolerance
        return f"It becomes a trade with {coins} between {low:.4g} and {high:.4g} USD."
    if triggers:
        return " ".join(t.sentence() for t in triggers)
    if code == "fallback_hold":
        return "It becomes a trade once a method has an answer."
    return "No price of one line alone makes it a trade."
