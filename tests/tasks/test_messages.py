import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.messages import (
    BlockedFacts,
    RecommendationFacts,
    ResolvedFacts,
    as_repeat,
    render_blocked,
    render_recommendation,
    render_resolved,
    render_test,
    usd,
)
from tasks.plain_text import clean, imitates
from tasks.trade_lines import TradeFacts

AS_OF = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)
SELL = TradeFacts("sell", "BTC", "binance", Decimal("0.2100"), 23_100.4)
BUY = TradeFacts("buy", "ETH", "binance", Decimal(5), 18_400.0)
FACTS = RecommendationFacts(
    recommendation_id="R-20200720-core-8f3a2c1d",
    portfolio="core",
    as_of=AS_OF,
    data_at=AS_OF - timedelta(hours=18, minutes=20),
    valid_until=AS_OF + timedelta(days=1),
    reason="BTC is 13.4 % of the portfolio, target 10 %, outside the band of ±3 points.",
    trades=(BUY, SELL),
    nav_usd=500_000.0,
    expected_cost_bps=5.2,
    expected_benefit_bps=18.0,
    horizon_days=30,
)


def test_a_recommendation_reads_action_first():
    message = render_recommendation(FACTS)
    assert message.title == "Trimtab core: sell 23,100 USD, buy 18,400 USD"
    assert message.body.splitlines() == [
        "SELL 0.21 BTC ≈ 23,100 USD on binance",
        "BUY 5 ETH ≈ 18,400 USD on binance",
        "Why: BTC is 13.4 % of the portfolio, target 10 %, outside the band of ±3 points.",
        "Cost 5.2 bps = 260 USD; benefit over 30 days 18.0 bps = 900 USD (model estimate, before tax).",
        "Data to 2020-07-20 00:00 UTC. Valid until 2020-07-21 18:20 UTC.",
        "Id R-20200720-core-8f3a2c1d (trimtab explain R-20200720-core-8f3a2c1d)",
    ]
    assert message.reference == FACTS.recommendation_id


def test_simulated_data_is_said_first():
    message = render_recommendation(replace(FACTS, is_simulated=True))
    assert message.title.startswith("SIMULATED ")
    assert message.body.splitlines()[0].startswith("SIMULATED")


def test_many_trades_show_the_largest_and_the_rest_as_a_sum():
    trades = tuple(TradeFacts("buy", f"C{n}", "binance", Decimal(n), 1_000.0 * n) for n in range(1, 9))
    lines = render_recommendation(replace(FACTS, trades=trades)).body.splitlines()
    assert [line.split()[2] for line in lines[:5]] == ["C8", "C7", "C6", "C5", "C4"]
    assert lines[5] == "+ 3 more (6,000 USD)"


def test_grade_and_flags_are_explained_once_and_full_is_silent():
    graded = render_recommendation(replace(FACTS, grade="single_source", flags=("single_source", "degraded")))
    (line,) = [line for line in graded.body.splitlines() if line.startswith("Grade")]
    assert line.count("single_source") == 1
    assert "one venue" in line
    assert "degraded (" in line
    assert "Grade" not in render_recommendation(FACTS).body


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_not_known_is_not_invented(missing):
    body = render_recommendation(
        replace(FACTS, expected_cost_bps=missing, expected_benefit_bps=missing, data_at=None)
    ).body
    assert "Cost not estimated; benefit over 30 days not estimated (model estimate" in body
    assert "Data to 2020-07-20 18:20 UTC" in body
    assert " nan" not in body.lower()
    without_value = render_recommendation(replace(FACTS, nav_usd=missing)).body
    assert "Cost 5.2 bps; benefit over 30 days 18.0 bps (" in without_value


def test_amounts():
    assert [usd(amount) for amount in (1_234_567.8, 100.0, 99.994, -3.5, math.nan)] == [
        "1,234,568 USD",
        "100 USD",
        "99.99 USD",
        "-3.50 USD",
        "unknown USD",
    ]
    tiny = TradeFacts("buy", "BTC", "kraken", Decimal("1E-8"), 0.01)
    assert "BUY 0.00000001 BTC ≈ 0.01 USD" in render_recommendation(replace(FACTS, trades=(tiny,))).body


def test_no_order_and_a_replaced_recommendation_are_said():
    message = render_recommendation(replace(FACTS, trades=(), supersedes="R-1"))
    assert message.title == "Trimtab core: new target, no order to place"
    assert message.body.startswith("No order to place.")
    assert "Replaces R-1: do not trade that one." in message.body


def test_blocked_resolved_and_test_messages():
    blocked = render_blocked(BlockedFacts("R-2", "core", AS_OF, "The on-chain metrics are 1801 days old."))
    assert blocked.title == "Trimtab core: BLOCKED"
    assert "Why: The on-chain metrics are 1801 days old." in blocked.body
    assert "Id R-2 (trimtab explain R-2)" in blocked.body
    resolved = render_resolved(
        ResolvedFacts("E-1", "core", AS_OF, AS_OF - timedelta(days=2), "They were old.")
    )
    assert "Blocked from 2020-07-18 18:20 UTC to 2020-07-20 18:20 UTC." in resolved.body
    test = render_test("ops", AS_OF, is_simulated=True)
    assert test.title == "SIMULATED Trimtab test message"
    assert "There is nothing to do." in test.body


def test_a_repeat_names_what_it_repeats():
    repeat = as_repeat(render_recommendation(FACTS), "A-7")
    assert repeat.title.endswith("(repeat)")
    assert repeat.body.splitlines()[-1].startswith("repeat of A-7")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("BTC\nSELL 9 ETH", "BTC SELL 9 ETH"),
        ("\x1b[2JBTC", "[2JBTC"),
        ("B\u202eTC\u200b", "BTC"),
        ("ＢＴＣ", "BTC"),
        ("USD\u0421", "USD\u0421 [not USDC: U+0421]"),
        ("see http://evil.example", "see http[:]//evil.example"),
        ("\u3164BTC\u2800", "BTC"),
        ("σ and Δ stay", "σ and Δ stay"),
    ],
)
def test_text_from_outside_is_shown_honestly(hostile, shown):
    assert clean(hostile) == shown


def test_a_look_alike_is_named():
    assert imitates("USD\u0421") == "USDC"
    assert imitates("USDC") is None
    assert imitates("币安") is None


@given(st.text(max_size=600))
def test_clean_text_is_one_line_without_control_characters(text):
    result = clean(text)
    assert "\n" not in result
    assert "://" not in result
    assert all(ord(sign) >= 32 and sign not in "\u202e\u2066\u200b\x7f" for sign in result)


@given(st.text(max_size=40), st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 12))
def test_no_fact_however_odd_breaks_the_shape(text, amount, count):
    trades = tuple(TradeFacts("sell", text, text, Decimal(1), amount) for _ in range(count))
    facts = replace(FACTS, trades=trades, reason=text, portfolio=text)
    message = render_recommendation(facts)
    assert "\n" not in message.title
    assert len(message.body.splitlines()) == len(message.body.split("\n")) <= 5 + 1 + 4
