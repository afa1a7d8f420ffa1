"""One explained line per asset: what happens to it, why, the numbers, and what changed since last time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from portfolio.book import Book
from portfolio.desk import Order
from portfolio.estimates import Estimates
from portfolio.exposed_words import exposed_numbers, exposed_sentence
from portfolio.markets import called
from portfolio.model import (
    DecisionInputs,
    DecisionLine,
    Freeze,
    Policy,
    TargetLine,
    Trade,
    asset_of,
    sleeve_of,
)
from portfolio.outcome import Action
from portfolio.problem import Problem, Solution, bindings
from portfolio.verdict import Verdict, band

NOT_HELD = 5e-7  # a weight that shows in no figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the lines are told from.

    Attributes:
        target: line → proposed weight; the current weights where nothing is proposed.
        reference: line → weight the drift is measured against.
        kept: line → why it keeps its quantity; skipped: line → why a wanted trade is not placed.
        residual: line → target − weight after the orders, without dust; None where nothing is proposed.
    """

    target: Mapping[str, float]
    reference: Mapping[str, float]
    kept: Mapping[str, Freeze]
    skipped: Mapping[str, Freeze]
    orders: tuple[Order, ...]
    verdict: Verdict
    estimates: Estimates | None
    residual: Mapping[str, float] | None = None


def target_lines(
    book: Book,
    problem: Problem,
    solution: Solution,
    weights: Mapping[str, float],
    estimates: Estimates | None,
) -> tuple[TargetLine, ...]:
    """Return the rows of mart.target_weights."""
    before = _contributions(book.weight, estimates) if book.nav_usd is not None else {}
    after = _contributions(weights, estimates)
    names = bindings(problem, solution)
    return tuple(
        TargetLine(
            sleeve=sleeve_of(x),
            asset=asset_of(x),
            current_weight=book.weight.get(x, 0.0) if book.nav_usd is not None else None,
            target_weight=weights[x],
            lower_bound=float(problem.lower[i]),
            upper_bound=float(problem.upper[i]),
            binding=names[i][0],
            shadow_price=names[i][1],
            risk_contribution_before=before.get(x),
            risk_contribution_after=after.get(x),
        )
        for i, x in enumerate(problem.lines)
    )


def trades(story: Story, book: Book, policy: Policy) -> tuple[Trade, ...]:
    """Return the rows of mart.recommendation_trades, each with its sentence."""
    return tuple(
        order.trade(number, trade_sentence(order, story, book, policy))
        for number, order in enumerate(story.orders, start=1)
    )


def trade_sentence(order: Order, story: Story, book: Book, policy: Policy) -> str:
    """Return why one order is placed, as a treasurer would say it."""
    asset = asset_of(order.line)
    after = " ".join([*(step.sentence for step in order.steps), order.note]).strip()
    amount = f"{order.side} {order.quantity.normalize():f} {asset} (about {order.notional_usd:,.0f} USD)"
    if order.pair is not None or order.market.market_type == "pool":
        return _leg_sentence(order, story, book)
    if order.reason_code == "convert_cash":
        return f"{order.market.symbol}: {amount} so that the cash is where it is needed. {after}".strip()
    line = _line_meant(order, story, book)
    now, target = book.weight.get(line, 0.0), story.target.get(line, 0.0)
    text = f"{called(line)} is {now:.1%} of the portfolio, target {target:.1%}"
    if policy.objective == "policy":
        reference = story.reference.get(line, 0.0)
        inside = "inside" if abs(now - reference) <= _band_width(reference, policy) + 1e-9 else "outside"
        text += f", {inside} the band of {band(reference, policy)}"
    return f"{text}: {amount}. {after}".strip()


def _line_meant(order: Order, story: Story, book: Book) -> str:
    """Return the line an order is for: a coin may be bought for a pool, or sold as it comes out of one."""
    now, target = book.weight.get(order.line, 0.0), story.target.get(order.line, 0.0)
    if (target > now) == (order.side == "buy") and target != now:
        return order.line
    pools = (o for o in story.orders if o.market.market_type == "pool" and o.side == order.side)
    return next((o.line for o in pools if o.market.base == order.market.base), order.line)


def _leg_sentence(order: Order, story: Story, book: Book) -> str:
    """Return why a leg is traded: first what happens to its line, then the leg and what belongs to it."""
    now, target = book.weight.get(order.line, 0.0), story.target.get(order.line, 0.0)
    line = called(order.line)
    amount = f"{order.quantity.normalize():f} {order.market.base}"
    leg = f"{order.side} {amount} of {order.market.symbol}"
    if order.market.market_type == "pool":
        verb, way = ("deposit", "into") if order.side == "buy" else ("withdraw", "from")
        leg = f"{verb} {amount} {way} {order.market.symbol} at {order.market.venue}"
    text = f"{line} is {now:.1%} of the portfolio, target {target:.1%}: {leg}"
    moves = " ".join(step.sentence for step in order.steps if step.kind == "transfer")
    return f"{text} (about {order.notional_usd:,.0f} USD). {moves} {order.note}".replace("  ", " ").strip()


def decision_lines(
    story: Story, book: Book, inputs: DecisionInputs, policy: Policy
) -> tuple[DecisionLine, ...]:
    """Return the rows of mart.decision_lines, one per line of the book."""
    return tuple(_decision_line(line, story, book, inputs, policy) for line in book.lines)


def _decision_line(
    line: str, story: Story, book: Book, inputs: DecisionInputs, policy: Policy
) -> DecisionLine:
    order = next((o for o in story.orders if o.line == line), None)
    action: Action
    left_out = book.left_out.get(line)
    frozen = book.frozen.get(line)
    skipped = story.skipped.get(line)
    if left_out is not None:
        action, code, text = "skip", left_out.reason_code, left_out.sentence
    elif frozen is not None:
        action, code, text = "frozen", frozen.reason_code, f"{frozen.sentence} It keeps its quantity."
    elif order is not None and story.verdict.status == "proposed":
        action, code = order.action, order.reason_code
        text = trade_sentence(order, story, book, policy)
    elif skipped is not None and story.verdict.status == "proposed":
        action, code, text = "skip", skipped.reason_code, skipped.sentence
    else:
        action, code, text = _kept(line, story, book, inputs)
    return DecisionLine(
        sleeve=sleeve_of(line),
        asset=asset_of(line),
        action=action,
        reason_code=code,
        reason=f"{text} {exposed_sentence(line, inputs, story.estimates)}".strip(),
        numbers=_numbers(line, story, book) | exposed_numbers(inputs.exposed.get(line)),
        changed_since_last=_changes(line, story, book, inputs),
    )


def _kept(line: str, story: Story, book: Book, inputs: DecisionInputs) -> tuple[Action, str, str]:
    """Tell why a line without an order keeps its quantity."""
    kept = story.kept.get(line)
    stays, upper = book.immovable.get(line, 0.0), story.target.get(line, 0.0)
    if kept is not None:
        return "keep", kept.reason_code, f"{kept.sentence} It keeps its quantity."
    if line in inputs.unlisted:
        return "skip", "unlisted", inputs.unlisted[line]
    if stays > 0.0 and stays >= upper - 1e-6:
        text = f"{called(line)} can not be moved ({stays:.1%} of the portfolio): excess, cannot be traded."
        return "keep", "immovable", text
    if story.verdict.status != "proposed":
        return "keep", story.verdict.reason_code, _stays(line, story, book)
    return "keep", *_untouched(line, story, book)


def _untouched(line: str, story: Story, book: Book) -> tuple[str, str]:
    """Return code and sentence of a line that a proposal leaves alone."""
    if sleeve_of(line) == "cash" and asset_of(line) in {o.market.quote for o in story.orders}:
        return "settles_trades", f"{asset_of(line)} pays for the buys and takes the proceeds of the sells."
    now = book.weight.get(line, 0.0)
    if max(now, story.target.get(line, 0.0)) < NOT_HELD:
        return "at_target", f"{called(line)} is not held, and none is proposed."
    return "at_target", f"{called(line)} stays at {now:.1%}: it is where it should be."


def _stays(line: str, story: Story, book: Book) -> str:
    """Return a line's sentence in a hold: its own weights first, then the reason that holds for all."""
    now, proposed = book.weight.get(line), story.target.get(line)
    if now is None or proposed is None:
        return story.verdict.reason
    return f"{called(line)} stays at {now:.1%}, {proposed:.1%} would be proposed. {story.verdict.reason}"


def _numbers(line: str, story: Story, book: Book) -> dict[str, float]:
    found: dict[str, float | None] = {
        "price_usd": book.price.get(line),
        "quantity": float(book.quantity.get(line, 0)) if book.nav_usd is not None else None,
        "current_weight": book.weight.get(line) if book.nav_usd is not None else None,
        "target_weight": story.target.get(line),
        "reference_weight": story.reference.get(line),
        "value_usd": book.weight[line] * book.nav_usd if book.nav_usd is not None else None,
        "immovable_weight": book.immovable.get(line),
    }
    if book.nav_usd is not None:
        found["drift_absolute"] = book.weight.get(line, 0.0) - story.reference.get(line, 0.0)
    if story.residual is not None and line in story.target:
        found["residual_weight"] = story.residual.get(line, 0.0)
    estimates = story.estimates
    if estimates is not None and line in estimates.lines:
        i = estimates.lines.index(line)
        found["expected_return"] = float(estimates.expected[i])
        found["volatility"] = math.sqrt(max(0.0, float(estimates.covariance[i, i])))
        for name, weights in (("before", book.weight), ("after", story.target)):
            found[f"marginal_volatility_{name}"] = _marginal(i, weights, estimates)
    return {k: v for k, v in found.items() if v is not None and math.isfinite(v)}


def _marginal(i: int, weights: Mapping[str, float], estimates: Estimates) -> float | None:
    """Return annual volatility gained per unit of weight of one line: (Σw)ᵢ / √(w'Σw), of the whole book."""
    held = np.array([weights.get(x, 0.0) for x in estimates.lines])
    risk = math.sqrt(max(0.0, estimates.variance(held)))
    return float(estimates.marginal(held)[i]) / risk if risk > 0.0 else None


def _changes(line: str, story: Story, book: Book, inputs: DecisionInputs) -> dict[str, float | str | bool]:
    last = inputs.previous
    if last is None:
        return {}
    changes: dict[str, float | str | bool] = {"since": last.recommendation_id}
    if line in last.prices and line in book.price and last.prices[line] > 0.0:
        changes["price_return"] = book.price[line] / last.prices[line] - 1.0
    if line in last.target_weights and line in story.target:
        changes["target_weight"] = story.target[line] - last.target_weights[line]
    estimates = story.estimates
    if estimates is not None and line in estimates.lines and line in last.expected_returns:
        now = float(estimates.expected[estimates.lines.index(line)])
        changes["expected_return"] = now - last.expected_returns[line]
        if line in last.volatilities:
            i = estimates.lines.index(line)
            risk = math.sqrt(max(0.0, float(estimates.covariance[i, i])))
            changes["volatility"] = risk - last.volatilities[line]
    if line in last.quantities and book.nav_usd is not None:
        changes["quantity"] = float(book.quantity.get(line, 0)) - last.quantities[line]
    changes["policy"] = last.config_hash != inputs.config_hash
    return changes


def _contributions(weights: Mapping[str, float], estimates: Estimates | None) -> dict[str, float]:
    if estimates is None:
        return {}
    shares = estimates.risk_contributions(np.array([weights.get(x, 0.0) for x in estimates.lines]))
    return {x: share for x, share in shares.items() if math.isfinite(share)}


def _band_width(target: float, policy: Policy) -> float:
    rules = policy.rebalance
    return min(rules.band_absolute, rules.band_relative * target) if target > 0.0 else rules.band_absolute
