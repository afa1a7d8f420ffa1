"""Limits across lines: what each row counts, and that no objective breaks one."""

from datetime import date, timedelta

import numpy as np
import pytest

from portfolio.book import open_book
from portfolio.decision import decide
from portfolio.limits import policy_rows
from portfolio.model import Position, ProtocolFacts
from portfolio.policy import Limit, ProtocolRecord, ProtocolTier
from portfolio.rebalance import breaches, tolerance
from portfolio.tiers import unmet
from tests.portfolio.calm import carry, day, owner
from tests.portfolio.market import AS_OF, hold, inputs, policy


def rows(limits=(), positions=None, **changes):
    rules = owner(limits=limits, **changes)
    today = day() if positions is None else day(positions=positions)
    book = open_book(today, rules)
    found = policy_rows(book.lines, book, today, rules)
    return {r.name: {x: c for x, c in zip(book.lines, r.coefficients, strict=True) if c} for r in found}


@pytest.mark.parametrize(
    ("limit", "counted"),
    [
        (Limit(by="asset", of="BTC", upper=0.5), {"spot:BTC": 1.0, "carry:BTC": 1.0}),
        (Limit(measure="net_delta", by="asset", of="BTC", upper=0.5), {"spot:BTC": 1.0}),
        (
            Limit(measure="gross_notional", by="asset", of="BTC", upper=0.5),
            {"spot:BTC": 1.0, "carry:BTC": 1.5},
        ),
        (Limit(by="class", of="carry", upper=0.5), {"carry:BTC": 1.0}),
        (Limit(by="protocol", of="aave-v3", upper=0.5), {"yield:USDC": 1.0}),
        (Limit(by="issuer", of="USDC", upper=0.5), {"yield:USDC": 1.0}),
        (Limit(by="issuer", of="USDT", upper=0.5), {"cash:USDT": 1.0}),
    ],
)
def test_a_limit_counts_what_it_says(limit, counted):
    assert rows((limit,))[limit.title()] == counted


def test_a_venue_counts_what_lies_there_and_what_would_be_bought_there():
    held = (hold("BTC", 1), hold("BTC", 3, venue="kraken"), hold("USDT", 50_000, venue="bank"))
    found = rows((Limit(by="venue", of="binance", upper=0.5),), held)["limit capital of venue binance"]
    assert found["spot:BTC"] == 0.25
    assert found["carry:BTC"] == found["spot:ETH"] == 1.0
    assert "cash:USDT" not in found


def test_each_scenario_strikes_one_counterparty_at_a_time():
    found = rows()
    assert found["scenario venue_loss binance"] == {"carry:BTC": 1.0}
    assert found["scenario exploit aave-v3"] == {"yield:USDC": 1.0}
    assert "scenario deleveraging" not in found  # 5 % of everything is below its cap of 10 %
    assert set(rows(scenario_loss_caps={"default": 1.0, "deleveraging": 0.01})) == {"scenario deleveraging"}


COMPUTED = ["max_quadratic_utility", "min_volatility", "max_sharpe", "hrp", "equal_weight"]


@pytest.mark.parametrize("objective", COMPUTED)
def test_what_only_looks_calm_does_not_get_everything(objective):
    found = decide(day(), owner(objective=objective), 1)
    held = {f"{t.sleeve}:{t.asset}": t for t in found.target_lines}
    assert found.method_used == objective
    assert held["carry:BTC"].target_weight <= 0.10 + 1e-8
    assert held["yield:USDC"].target_weight <= 0.10 + 1e-8
    if objective == "max_quadratic_utility":
        only = decide(day(), owner(class_bounds={"yield": (0.0, 0.0)}), 1)
        held = {f"{t.sleeve}:{t.asset}": t for t in only.target_lines}
        assert held["carry:BTC"].binding == "scenario venue_loss binance upper"
        assert held["carry:BTC"].shadow_price > 0.01


@pytest.mark.parametrize(
    "limit",
    [
        Limit(measure="net_delta", by="asset", of="BTC", upper=0.03),
        Limit(measure="gross_notional", by="portfolio", upper=0.15),
        Limit(by="venue", of="binance", upper=0.9),
        Limit(by="asset", of="BTC", lower=0.25),
    ],
)
@pytest.mark.parametrize("objective", COMPUTED)
def test_no_objective_breaks_a_limit(limit, objective):
    rules = owner(objective=objective, limits=(limit,))
    today = day(positions=(hold("USDT", 100_000, venue="bank"),))
    found = decide(today, rules, 1)
    assert found.method_used == objective
    book = open_book(today, rules)
    row = next(r for r in policy_rows(book.lines, book, today, rules) if r.name == limit.title())
    held = np.array([t.target_weight for t in found.target_lines])
    assert row.lower - 1e-8 <= row.of(held) <= row.upper + 1e-8


def test_a_line_nearer_to_liquidation_than_allowed_is_not_held():
    near = {"carry:BTC": carry("BTC", 9_200.0, liquidation_distance=0.2)}
    rules = owner(min_liquidation_distance=0.3)
    found = decide(day(terms=near), rules, 1)
    line = next(t for t in found.target_lines if t.sleeve == "carry")
    assert (line.target_weight, line.binding) == (0.0, "min_liquidation_distance")
    far = decide(day(), rules, 1)
    assert next(t for t in far.target_lines if t.sleeve == "carry").target_weight > 0.05


def test_an_indicative_line_is_shown_and_never_proposed_unless_its_cap_is_raised():
    terms = {"carry:BTC": carry("BTC", 9_200.0, is_indicative=True)}
    shown = decide(day(terms=terms), owner(), 1)
    assert next(t for t in shown.target_lines if t.sleeve == "carry").target_weight == 0.0
    raised = decide(day(terms=terms), owner(class_bounds={"carry": (0.0, 0.05)}), 1)
    assert next(t for t in raised.target_lines if t.sleeve == "carry").target_weight == pytest.approx(0.05)


def test_a_line_is_left_before_its_market_closes():
    soon = {"spot:ETH": AS_OF + timedelta(days=5)}
    for rules in (owner(), policy(objective="policy", target_weights={"cash:USDT": 0.7, "spot:ETH": 0.3})):
        found = decide(inputs(exits=soon), rules, 1)
        assert {t.asset: t.side for t in found.trades}["ETH"] == "sell"
        assert found.reason_code == "hard_limit"
        assert "ETH" in found.reason
        assert "2020-07-25" in found.reason
    later = decide(inputs(exits={"spot:ETH": AS_OF + timedelta(days=50)}), owner(), 1)
    assert later.reason_code != "hard_limit"


def test_a_broken_limit_is_a_hard_limit_and_said():
    rules = owner(limits=(Limit(measure="net_delta", by="asset", of="BTC", upper=0.1),))
    found = decide(day(), rules, 1)
    assert found.reason_code == "hard_limit"
    assert "limit net_delta of asset BTC is 18.4% of the portfolio, above its limit of 10.0%" in found.reason


TIERS = (
    ProtocolTier(name="A", cap=0.3, min_age_days=1000, min_audits=3, min_tvl_usd=1e9, max_incidents=0),
    ProtocolTier(name="B", cap=0.05, min_age_days=100, min_audits=1),
)


@pytest.mark.parametrize(
    ("record", "seen", "most"),
    [
        (ProtocolRecord(launched=date(2017, 1, 1), audits=4), ProtocolFacts(tvl_usd=2e9, incidents=0), 0.3),
        (ProtocolRecord(launched=date(2017, 1, 1), audits=4), ProtocolFacts(tvl_usd=2e9, incidents=1), 0.05),
        (ProtocolRecord(launched=date(2017, 1, 1), audits=4), ProtocolFacts(tvl_usd=2e9), 0.05),
        (ProtocolRecord(launched=date(2020, 7, 1), audits=4), ProtocolFacts(tvl_usd=2e9, incidents=0), 0.0),
        (ProtocolRecord(), ProtocolFacts(), 0.0),
    ],
)
def test_a_protocol_holds_what_its_facts_allow(record, seen, most):
    rules = owner(
        protocol_tiers=TIERS,
        protocol_facts={"aave-v3": record},
        scenario_loss_caps={"default": 1.0},
        class_bounds={"carry": (0.0, 0.0)},
    )
    today = day(protocols={"aave-v3": seen})
    found = decide(today, rules, 1)
    line = next(t for t in found.target_lines if t.sleeve == "yield")
    assert line.target_weight == pytest.approx(most, abs=1e-8)
    if most == 0.0:
        assert unmet(TIERS[1], "aave-v3", today, rules)


def test_a_carry_line_takes_part_with_its_busiest_leg():
    rules = owner(
        scenario_loss_caps={"default": 1.0}, max_participation=1e-4, class_bounds={"yield": (0.0, 0.0)}
    )
    line = next(t for t in decide(day(), rules, 1).target_lines if t.sleeve == "carry")
    assert line.target_weight == pytest.approx(0.2 / 0.75)  # 1e-4 of 200 million, of 100,000
    assert line.binding == "max_participation"


def test_a_held_position_of_another_sleeve_stays_valued_at_its_capital():
    held = Position(sleeve="carry", asset="BTC", venue="binance", quantity=1, capital_usd=12_000.0)  # type: ignore[arg-type]
    found = decide(day(positions=(held, hold("USDT", 88_000))), owner(), 1)
    assert found.nav_usd == pytest.approx(100_000)
    line = next(t for t in found.target_lines if t.sleeve == "carry")
    assert line.current_weight == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("share", "limit", "said"),
    [
        (0.104, 0.1, ""),  # drift: bands and gate judge it
        (0.106, 0.1, "BTC is 10.6% of the portfolio, above its limit of 10.0%."),
        (0.0105, 0.01, ""),
        (0.0106, 0.01, "BTC is 1.1% of the portfolio, above its limit of 1.0%."),
        (0.304, 0.3, ""),
        (0.306, 0.3, "BTC is 30.6% of the portfolio, above its limit of 30.0%."),
        (0.00106, 0.001, "BTC is 0.11% of the portfolio, above its limit of 0.10%."),
    ],
)
def test_a_limit_is_broken_beyond_drift_and_told_in_as_many_digits_as_that_takes(share, limit, said):
    held = (hold("BTC", share * 1e5 / 9_200), hold("USDT", (1 - share) * 1e5))
    rules = policy(objective="max_quadratic_utility", weight_bounds={"spot:BTC": (0.0, limit)})
    today = inputs(positions=held)
    assert breaches(open_book(today, rules), today, rules) == ([said] if said else [])
    if said:
        assert said in decide(today, rules, 1).reason


def test_a_limit_of_nothing_has_no_drift():
    assert tolerance(0.0) == pytest.approx(1e-6)


def test_limits_that_exclude_each_other_are_a_hold_that_names_both_settings():
    # Each could be met alone, and holdings break one already: giving it up unasked would be a guess.
    rules = owner(class_bounds={"carry": (0.3, 1.0)})
    found = decide(day(), rules, 1)
    assert (found.status, found.reason_code) == ("hold", "fallback_hold")
    assert "class carry (at least 30.0%)" in found.reason
    assert "scenario venue_loss binance (at most 10.0%)" in found.reason
    assert "class_bounds.carry or scenario_loss_caps.venue_loss" in found.reason
    assert not found.trades
    relaxed = owner(
        class_bounds={"carry": (0.3, 1.0)}, scenario_loss_caps={"default": 0.1, "venue_loss": 0.3}
    )
    weights = {t.sleeve: t.target_weight for t in decide(day(), relaxed, 1).target_lines}
    assert weights["carry"] == pytest.approx(0.3, abs=1e-8)


def test_what_is_frozen_or_slow_to_trade_contradicts_nothing():
    rules = owner(class_bounds={"carry": (0.05, 1.0)}, max_turnover=0.02)
    found = decide(day(), rules, 1)
    assert found.reason_code != "infeasible"
    assert next(t for t in found.target_lines if t.sleeve == "carry").target_weight == pytest.approx(0.02)
