"""A recommendation's page: complete, and harmless whatever the texts in it say."""

import os
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from portfolio.outcome import benefit_words
from tasks.maintain import prune_reports
from tasks.plots import Bars, bars
from tasks.recommendation_page import page, page_address, write_page
from tasks.settings_schema import WarehouseSettings
from tasks.told import change_sentences, held_sentences
from warehouse.home import Home

AT = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x>"
POLICY = """
[portfolios.core.rebalance]
band_absolute = 0.05
band_relative = 0.25
horizon_days = 30
"""
ALTERNATIVE = {
    "name": "proposal", "expected_return": 0.2, "volatility": 0.5, "benefit_bps": 9.0,
    "benefit_low_bps": -5.0, "benefit_high_bps": 21.0, "cost_bps": 4.0, "probability": 0.8,
    "weights": {}, "note": HOSTILE,
}  # fmt: skip


def whole(**changes):
    line = {
        "sleeve": "spot", "asset": HOSTILE, "action": "buy", "reason_code": "x", "sentence": HOSTILE,
        "numbers": {"drift_absolute": -0.1, "reference_weight": 0.5},
        "changed_since_last": {"since": "R-0", "price_return": 0.0312, "policy": True, "target_weight": 0.0},
    }  # fmt: skip
    weight = {
        "sleeve": "spot", "asset": HOSTILE, "current_weight": 0.4, "target_weight": 0.5, "lower_bound": 0.0,
        "upper_bound": 0.5, "binding": f"cap {HOSTILE}", "shadow_price": 0.012,
        "risk_contribution_before": 0.9, "risk_contribution_after": 1.0,
    }  # fmt: skip
    trade = {
        "line": 1, "side": "buy", "quantity": Decimal("0.10"), "symbol": HOSTILE, "venue": "binance",
        "notional_usd": 1000.0, "estimated_fee_usd": 1.0, "estimated_slippage_usd": None, "reason": HOSTILE,
    }  # fmt: skip
    earlier = [
        {"recommendation_id": f"R-{i}", "as_of": AT - timedelta(days=3 - i), "nav_usd": 100.0 * i,
         "decision": "hold", "reason": HOSTILE}
        for i in range(1, 4)
    ]  # fmt: skip
    return {
        "recommendation_id": "R-3", "portfolio": "core", "status": "proposed", "is_simulated": True,
        "as_of": AT, "valid_until": AT, "reason": HOSTILE,
        "trades": [trade], "weights": [weight], "lines": [line],
        "policy": POLICY, "alternatives": [ALTERNATIVE], "earlier": earlier,
        "expected_benefit_bps": 9.0, "expected_cost_bps": 4.0, "benefit_return_bps": 12.0,
        "benefit_risk_bps": -3.0, "confidence": 0.8, "method_used": "hrp", "objective": "hrp",
        "grade": "full",
        "flags": [HOSTILE], "attempts": [{"method": "x", "reason": HOSTILE}], "input_snapshot": "3@7",
        "inputs_hash": "a" * 64, "config_hash": "b" * 64, "code_version": "1",
    } | changes  # fmt: skip


def test_nothing_from_outside_becomes_markup_or_an_address():
    text = page(whole())
    assert "<script" not in text
    assert "<img" not in text
    assert "http://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.findall(r"\b(?:src|on\w+)\s*=\s*[\"']", text)
    assert not re.findall(r"\bhref\s*=\s*[\"'](?!#)", text)  # a drawing may point at a part of itself
    assert "default-src 'none'" in text
    assert text.count("&lt;script&gt;") >= 7


def test_the_page_says_what_is_recorded_and_the_same_record_gives_the_same_bytes():
    text = page(whole())
    assert text == page(whole())
    for words in (
        "SIMULATED DATA",
        "core: PROPOSED",
        "Drift",
        "over 30 days",
        "+12.0",
        "80%",
        "snapshot 3, load 7",
        "price +3.1 %",
    ):
        assert words in text
    assert "not higher: cap " in text
    assert "one point more would be worth 1.2 bps of utility a year" in text
    assert text.count("<svg") == text.count("</svg>") == 5


def test_a_step_by_hand_is_told_once():
    (trade,) = whole()["trades"]
    steps = [{"sentence": "Post 5 USDT as margin."}, {"sentence": "Move 7 USDT first."}]
    text = page(whole(trades=[trade | {"steps_before": steps, "reason": "Sell. Post 5 USDT as margin."}]))
    assert text.count("Post 5 USDT as margin.") == 1
    assert "Move 7 USDT first. Sell." in text


def test_a_block_without_weights_is_a_page_too():
    text = page(whole(
        status="blocked", trades=[], weights=[], alternatives=[], lines=[], earlier=[], confidence=None,
        expected_benefit_bps=None, method_used=None, flags=None, attempts=None, policy="",
    ))  # fmt: skip
    assert "core: BLOCKED" in text
    assert "<svg" not in text


def test_a_page_is_written_whole_in_place_of_an_earlier_one(tmp_path):
    path = write_page(tmp_path / "reports" / "R-3.html", whole())
    write_page(path, whole(status="hold"))
    assert "HOLD" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["R-3.html"]


def test_bars_have_room_for_negative_values_and_none():
    text = bars("t", ("a", "b"), [Bars("x", (-0.5, None)), Bars("y", (0.0, -0.00000001), (-1.0, 1.0))])
    assert "-50.0%" in text
    assert "-0.0%" not in text


def test_what_hardly_moved_is_not_told():
    changes = {"since": "R-1", "price_return": 0.0001, "target_weight": -0.02, "policy": False}
    assert change_sentences(changes) == ["target -2.0 points", "since R-1"]
    assert change_sentences({}) == []


def test_a_limit_without_a_price_is_named_all_the_same():
    row = {"sleeve": "cash", "asset": "USDC", "binding": "max_turnover", "shadow_price": None}
    assert held_sentences([row | {"target_weight": 0.1}]) == ["cash:USDC: stopped by max turnover"]


@pytest.mark.parametrize(
    ("binding", "target", "bounds", "told"),
    [
        ("no_short_positions", 0.0, (0.0, 1.0), "not lower: no short positions; one point less"),
        ("weight_bounds", 0.4, (0.0, 0.4), "not higher: weight bounds; one point more"),
        ("class cash lower", 0.1, (0.0, 1.0), "stopped by the least allowed for class cash; one point wider"),
        ("scenario x upper", 0.1, (0.0, 1.0), "stopped by the most allowed for scenario x; one point wider"),
        ("immovable", 0.2, (0.2, 0.2), "kept by immovable; one point of room"),
    ],
)  # fmt: skip
def test_a_limit_says_in_which_way_it_would_have_to_give(binding, target, bounds, told):
    row = {"sleeve": "spot", "asset": "BTC", "binding": binding, "shadow_price": 0.264}
    row |= {"target_weight": target, "lower_bound": bounds[0], "upper_bound": bounds[1]}
    assert held_sentences([row]) == [f"spot:BTC: {told} would be worth 26.4 bps of utility a year"]


@pytest.mark.parametrize(
    ("gain", "relief", "told"),
    [
        (-95.5, 270.4, "lower return -95.5, lower risk +270.4"),
        (3.0, -1.0, "higher return +3.0, higher risk -1.0"),
    ],
)
def test_the_parts_of_a_benefit_say_what_their_signs_mean(gain, relief, told):
    assert benefit_words(gain, relief) == told


def test_an_alert_names_the_address_where_the_folder_is_served(tmp_path):
    home = Home(tmp_path)
    assert page_address(home, "R-1", "") == str(tmp_path / "published" / "reports" / "R-1.html")
    assert page_address(home, "R-1", "https://pages.example/t/") == "https://pages.example/t/reports/R-1.html"
    assert page_address(home, "R <b>", "http://x") == "http://x/reports/R%20%3Cb%3E.html"


@pytest.mark.parametrize(
    "url", ["ftp://x", "https://a b", 'https://a"onload=', "https://<x>", "javascript:x"]
)
def test_an_address_that_could_carry_markup_is_refused(url):
    with pytest.raises(ValidationError):
        WarehouseSettings(pages_url=url)


def test_old_pages_go_and_the_newest_stays(tmp_path):
    home = Home(tmp_path)
    folder = home.published / "reports"
    folder.mkdir(parents=True)
    for age, name in ((50, "R-1"), (40, "R-2"), (1, "R-3")):
        (folder / f"{name}.html").write_text("x")
        stamp = datetime(2026, 6, 30, tzinfo=UTC).timestamp() - age * 86_400
        os.utime(folder / f"{name}.html", (stamp, stamp))
    assert prune_reports(home, datetime(2026, 5, 31, tzinfo=UTC)) == 2
    assert [path.name for path in folder.iterdir()] == ["R-3.html"]
    assert prune_reports(home, datetime(2027, 1, 1, tzinfo=UTC)) == 0
