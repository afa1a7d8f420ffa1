"""What is held and not allocated: in limits, in the risk of the whole book, in what the methods answer."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from portfolio import registry
from portfolio.book import open_book
from portfolio.bounds import build_problem
from portfolio.checks import usable_panel
from portfolio.decision import decide
from portfolio.estimates import estimate, with_fixed
from portfolio.exposed import HeldExposure
from portfolio.held_options import HeldOption
from portfolio.limits import policy_rows
from portfolio.model import Freeze, line_of
from tests.portfolio.market import AS_OF, hold, inputs, policy, returns

NAV = 100_000.0


def short_perp(usd=-30_000.0, asset="BTC", line=None):
    return HeldExposure(
        line=line or line_of("perp", asset), asset=asset, delta_usd=usd, gross_usd=abs(usd), steady_usd=usd,
        detail="Told.",
    )  # fmt: skip


def perp_position(asset="BTC", capital=0.0):
    return hold(asset, -3, sleeve="perp", kind="perp", capital_usd=capital)


def day(exposure=None, capital=0.0, **changes):
    """A book of exactly 100,000 USD beside a short perpetual whose own capital is next to nothing."""
    held = exposure or short_perp()
    values = {
        "positions": (
            hold("BTC", 2), hold("ETH", 50), hold("USDT", 69_600 - capital),
            perp_position(held.asset, capital),
        ),
        "exposed": {held.line: held},
    }  # fmt: skip
    return inputs(**(values | changes))


def rising():
    """Days on which the coins earn something."""
    frame = returns()
    coins = [x for x in frame if x.startswith("spot:")]
    frame[coins] += 0.006
    return frame


def estimated(now, rules):
    book = open_book(now, rules)
    lines = tuple(x for x in book.lines if x not in now.exposed)
    panel, excluded = usable_panel(now.returns, lines, rules.lookback_days)
    plain = estimate(panel, excluded, rules, now.market_caps)
    return book, plain, with_fixed(plain, now.exposed, book.nav_usd, panel, now.exposed_returns)


def numbers(decision, line):
    return next(x for x in decision.lines if line_of(x.sleeve, x.asset) == line)


def test_risk_before_and_after_is_that_of_weights_and_the_short_together():
    now, rules = day(), policy(net_delta_bounds={})
    decision = decide(now, rules, 1)
    book, plain, _ = estimated(now, rules)
    sigma = pd.DataFrame(plain.covariance, index=plain.lines, columns=plain.lines)

    def whole(weights):
        # by hand: each coin's dollars, the short's taken off the coin's
        own = pd.Series({x: weights.get(x, 0.0) for x in plain.lines})
        own["spot:BTC"] += -30_000.0 / NAV
        return own

    targets = {line_of(t.sleeve, t.asset): t for t in decision.target_lines}
    for name, weights in (
        ("before", {x: t.current_weight for x, t in targets.items()}),
        ("after", {x: t.target_weight for x, t in targets.items()}),
    ):
        own = whole(weights)
        variance = float(own @ sigma @ own)
        assert decision.estimates[f"volatility_{name}"] == pytest.approx(math.sqrt(variance), rel=1e-9)
        parts = {x: getattr(t, f"risk_contribution_{name}") for x, t in targets.items()}
        assert parts["perp:BTC"] == pytest.approx(
            -30_000.0 / NAV * float(sigma.loc["spot:BTC"] @ own) / variance, rel=1e-9
        )
        assert sum(p for p in parts.values() if p is not None) == pytest.approx(1.0)
        marginal = numbers(decision, "spot:ETH").numbers[f"marginal_volatility_{name}"]
        assert marginal == pytest.approx(float(sigma.loc["spot:ETH"] @ own) / math.sqrt(variance), rel=1e-9)
    beside = 0.3 * math.sqrt(sigma.loc["spot:BTC", "spot:BTC"])
    assert decision.estimates["volatility_beside"] == pytest.approx(beside)
    assert decision.nav_usd == pytest.approx(NAV)
    assert book.keeps("perp:BTC").reason_code == "outside_policy"


def test_the_short_is_never_traded_and_its_line_says_what_it_is():
    decision = decide(day(), policy(), 1)
    line = numbers(decision, "perp:BTC")
    assert (line.action, line.reason_code) == ("keep", "outside_policy")
    assert "Told. The risk before and after counts it with -30,000 USD of BTC." in line.reason
    assert line.numbers["delta_usd"] == -30_000.0
    assert line.numbers["gross_notional_usd"] == 30_000.0
    assert not [t for t in decision.trades if t.sleeve == "perp"]


def test_a_hedged_book_holds_more_of_the_coin_that_its_short_hedges():
    rules = policy(objective="max_quadratic_utility", expected_returns="shrunk_mean", max_turnover=1.0)
    plain = decide(inputs(returns=rising()), rules, 1)
    hedged = decide(day(returns=rising()), rules, 1)
    weight = {
        name: next(t.target_weight for t in found.target_lines if (t.sleeve, t.asset) == ("spot", "BTC"))
        for name, found in (("plain", plain), ("hedged", hedged))
    }
    assert weight["hedged"] > weight["plain"] + 0.10


@pytest.mark.parametrize(
    "method", ["max_quadratic_utility", "min_volatility", "efficient_return", "min_cvar"]
)
def test_methods_find_what_a_book_finds_that_may_not_move_a_line_of_the_same_returns(method):
    """The peer: the exposure as a line of its own, fixed at one unit, whose returns are the exposure's.

    Not by formula: the objective of the answer is compared with that of many random allowed weights.
    """
    now = day(short_perp(-40_000.0))
    rules = policy(objective=method, default_bounds=(0.0, 1.0), weight_bounds={}, target_return=0.05)
    book, _, estimates = estimated(now, rules)
    problem = replace(build_problem(book, now, rules, estimates, {}), current=None)
    answer = registry.load(registry.OPTIMISERS, method).optimise(problem).weights
    mu, sigma = problem.estimates()
    beside = np.zeros(len(mu))
    beside[problem.lines.index("spot:BTC")] = -0.4

    def loss(weights):
        own = weights + beside
        if method == "max_quadratic_utility":
            return 0.5 * problem.risk_aversion * own @ sigma @ own - mu @ weights
        if method == "min_cvar":
            days = np.sort(-(problem.returns @ own))
            tail = days[-max(1, round(0.05 * len(days))) :]
            return float(tail.mean())
        return own @ sigma @ own

    rng = np.random.default_rng(3)
    fixed = problem.fixed()
    best = loss(answer)
    for _ in range(400):
        tried = answer + 0.02 * rng.standard_normal(len(answer)) * (~fixed)
        tried = np.clip(tried, problem.lower, problem.upper)
        cash = problem.cash & ~fixed
        if method in ("min_volatility", "min_cvar"):
            tried[cash] = answer[cash]
        free = ~fixed & ~cash if method in ("min_volatility", "min_cvar") else ~fixed
        tried[free] *= (1.0 - tried[~free].sum()) / tried[free].sum()
        inside = bool(((tried >= problem.lower - 1e-9) & (tried <= problem.upper + 1e-9)).all())
        if method == "efficient_return" and mu @ tried < 0.05:
            continue
        if inside and all(r.lower - 1e-9 <= r.of(tried) <= r.upper + 1e-9 for r in problem.rows):
            # the tail of a sample is a mean of whole days; HiGHS weighs the day at its edge
            assert loss(tried) >= best - (2e-4 if method == "min_cvar" else 1e-9)


def test_a_target_volatility_is_that_of_the_whole_book():
    now = day(short_perp(-20_000.0), returns=rising())
    rules = policy(
        objective="efficient_risk", target_volatility=0.15, default_bounds=(0.0, 1.0), weight_bounds={},
        expected_returns="shrunk_mean",
    )  # fmt: skip
    book, _, estimates = estimated(now, rules)
    problem = replace(build_problem(book, now, rules, estimates, {}), current=None)
    weights = registry.load(registry.OPTIMISERS, "efficient_risk").optimise(problem).weights
    own = weights.copy()
    own[problem.lines.index("spot:BTC")] -= 0.2
    assert math.sqrt(own @ problem.covariance @ own) == pytest.approx(0.15, abs=1e-4)


def test_a_delta_limit_is_broken_only_by_what_is_held_and_the_coin_makes_room():
    call = HeldOption(
        venue="deribit", market_id="BTC-25SEP20-8000-C", is_call=True, strike=8_000.0,
        expires_at=AS_OF + timedelta(days=67), quantity=3.0, value_usd=5_000.0, basis="bid", forward=9_200.0,
        volatility=0.6, years=67 / 365,
    )  # fmt: skip
    options = HeldExposure(
        line="options:BTC", asset="BTC", delta_usd=call.delta_usd, gross_usd=call.notional_usd,
        options=(call,), detail="A call.",
    )  # fmt: skip
    positions = (
        hold("BTC", 2), hold("ETH", 50), hold("USDT", 64_600),
        hold("BTC", 3, sleeve="options", kind="option", venue="deribit", capital_usd=5_000.0),
    )  # fmt: skip
    rules = policy(net_delta_bounds={"BTC": (0.0, 0.30)})
    now = inputs(positions=positions, exposed={"options:BTC": options})
    decision = decide(now, rules, 1)
    alone = decide(inputs(positions=positions), rules, 1)
    share = call.delta_usd / NAV
    assert decision.nav_usd == pytest.approx(NAV)
    assert 0.16 < share < 0.24  # three coins of delta about 0.7
    assert alone.reason_code != "hard_limit"
    assert (decision.status, decision.reason_code) == ("proposed", "hard_limit")
    assert f"net_delta_bounds BTC is {0.184 + share:.1%} of the portfolio" in decision.reason
    assert f"{share:+.1%} of it are held and not allocated." in decision.reason
    target = {line_of(t.sleeve, t.asset): t.target_weight for t in decision.target_lines}
    assert target["spot:BTC"] + share <= 0.30 + 1e-6
    assert {t.side for t in decision.trades if t.asset == "BTC"} == {"sell"}
    assert numbers(decision, "options:BTC").numbers["option_delta_usd:BTC-25SEP20-8000-C@deribit"] > 0
    limited = policy(limits=(), gross_notional_limit=0.5, net_delta_bounds={})
    (row,) = (
        r for r in policy_rows(open_book(now, limited).lines, open_book(now, limited), now, limited)
        if r.name == "gross_notional_limit"
    )  # fmt: skip
    assert row.fixed == pytest.approx(3 * 9_200.0 / NAV)


def test_a_limit_that_the_held_exposure_alone_breaks_is_approached_and_not_infeasible():
    rules = policy(net_delta_bounds={"BTC": (0.0, 0.10)})
    decision = decide(day(short_perp(25_000.0)), rules, 1)
    assert decision.status == "proposed"
    assert decision.reason_code == "hard_limit"
    target = {line_of(t.sleeve, t.asset): t.target_weight for t in decision.target_lines}
    assert target["spot:BTC"] == pytest.approx(0.0, abs=1e-6)


def test_an_asset_that_is_no_line_is_counted_by_its_own_returns_and_without_any_it_is_told():
    rows = returns(coins=("BTC", "SOL"), seed=11)[["spot:SOL"]]
    held = short_perp(-50_000.0, "SOL")
    now = day(held, exposed_returns=rows)
    _, plain, found = estimated(now, policy())
    own = float(np.var(rows["spot:SOL"].to_numpy(), ddof=1)) * 365 * 0.25
    assert found.variance(np.zeros(len(found.lines))) == pytest.approx(own)
    assert found.returns.shape[1] == len(plain.lines)
    unseen = decide(day(held), policy(), 1)
    assert "The risk of the book can not count it" in numbers(unseen, "perp:SOL").reason
    seen = decide(now, policy(), 1)
    assert "counts it with -50,000 USD of SOL" in numbers(seen, "perp:SOL").reason
    assert seen.estimates["volatility_before"] > unseen.estimates["volatility_before"]


def test_without_anything_held_beside_nothing_changes():
    rules = policy()
    bare, said = decide(inputs(), rules, 1), decide(inputs(exposed={}), rules, 1)
    assert bare == said
    assert inputs().content_hash() == inputs(exposed={}).content_hash()
    assert day().content_hash() != day(short_perp(-31_000.0)).content_hash()
    assert day().content_hash() == day(replace(short_perp(), detail="Other words.")).content_hash()


def test_spreads_whose_quantities_cancel_stay_lines_of_the_book():
    spread = (
        hold("BTC", 1, sleeve="options", kind="option", capital_usd=900.0),
        hold("BTC", -1, sleeve="options", kind="option", capital_usd=-400.0),
    )
    now = inputs(positions=(*inputs().positions, *spread))
    book = open_book(now, policy())
    assert book.weight["options:BTC"] == pytest.approx(500.0 / (NAV + 500.0))
    assert sum(book.weight.values()) == pytest.approx(1.0)


def test_a_debt_that_nothing_bounds_blocks_and_a_frozen_debt_counts_with_its_size():
    owed = hold("BTC", -1, sleeve="options", kind="option", venue="deribit")
    why = Freeze("no_option_quote", "Nothing prices the put that was written.")
    now = inputs(positions=(*inputs().positions, owed), frozen={"options:BTC": why})
    decision = decide(now, policy(), 1)
    assert (decision.status, decision.reason_code) == ("blocked", "no_price")
    assert why.sentence in decision.reason
    deep = replace(owed, capital_usd=-60_000.0)
    frozen = decide(replace(now, positions=(*inputs().positions, deep)), policy(), 1)
    assert frozen.reason_code == "too_much_frozen"


def test_held_options_keep_their_quantity_even_where_their_sleeve_has_a_cap():
    held = HeldExposure(line="options:BTC", asset="BTC", delta_usd=1_000.0, gross_usd=9_200.0)
    rules = policy(sleeves=("spot", "cash", "options"), class_bounds={"options": (0.0, 0.02)})
    positions = (*inputs().positions, hold("BTC", 1, sleeve="options", kind="option", capital_usd=5_000.0))
    decision = decide(inputs(positions=positions, exposed={"options:BTC": held}), rules, 1)
    line = numbers(decision, "options:BTC")
    assert (line.action, line.reason_code) == ("keep", "held_options")
    target = next(t for t in decision.target_lines if t.sleeve == "options")
    assert target.target_weight == pytest.approx(target.current_weight, abs=1e-8)
    assert not [t for t in decision.trades if t.sleeve == "options"]
