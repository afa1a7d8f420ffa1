"""Terms and decisions of sleeves on the simulated market, through the command line and by hand."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from portfolio.model import DecisionInputs, Freeze
from portfolio.sleeves import annual_funding, on_capital
from sandbox.market_defi import POOLS
from sandbox.server import running_sandbox
from tasks.inputs import load_inputs
from tasks.settings import load_settings
from tasks.stated_tables import stated_tables
from tests.flows.jobs import NOW, answer, trimtab, write_job
from tests.tasks.support import make_context
from warehouse.home import Home
from warehouse.reader import open_point_in_time

AT = datetime.fromisoformat(NOW).astimezone(UTC)
BY_NAME = {(pool.project, pool.symbol, pool.chain): number for number, pool in POOLS.items()}
EXTRA = f"""
[sleeves.carry]
leverage = 3.0
haircut = 0.02
[sleeves.yield]
pools = {{ USDC = "{BY_NAME["aave-v3", "USDC", "Ethereum"]}" }}
[sleeves.staking]
pools = {{ ETH = "{BY_NAME["lido", "STETH", "Ethereum"]}" }}
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after one run of a portfolio that holds every sleeve it can."""
    with running_sandbox(seed=7) as market:
        config = write_job(tmp_path_factory.mktemp("sleeves"), market.base_url, EXTRA)
        text = config.read_text().replace(
            'objective = "min_volatility"', 'objective = "max_quadratic_utility"'
        )
        text = text.replace(
            "[portfolios.core]", '[portfolios.core]\nsleeves = ["spot", "carry", "yield", "staking", "cash"]'
        )
        text = text.replace("class_bounds = {", "class_bounds = { carry = [0.0, 0.3], yield = [0.0, 0.2],")
        text = text.replace('id = "binance"', 'id = "binance"\ndatasets = ["leverage_brackets"]')
        config.write_text(text)
        assert trimtab(config, "run") == 0
    return config


def inputs_of(config: Path, at: datetime = AT, suspects: dict[str, Freeze] | None = None) -> DecisionInputs:
    settings = load_settings(config)
    context = make_context(settings, as_of=at)
    stated = stated_tables(settings, "core")
    with open_point_in_time(Home(settings.warehouse.home), at, stated=stated) as reader:
        return load_inputs(reader, context, "core", (), suspects or {}).inputs


def test_every_sleeve_has_lines_with_terms(job: Path) -> None:
    inputs = inputs_of(job)
    assert sorted(inputs.terms) == ["carry:BTC", "carry:ETH", "carry:XRP", "staking:ETH", "yield:USDC"]
    assert set(inputs.terms) <= set(inputs.returns.columns)
    assert not inputs.frozen
    volatility = inputs.returns.std() * 365**0.5
    assert volatility["carry:BTC"] < 0.25 * volatility["spot:BTC"]
    assert volatility["staking:ETH"] == pytest.approx(volatility["spot:ETH"], rel=0.01)


def test_carry_is_a_coin_a_short_perpetual_and_a_third_of_margin(job: Path) -> None:
    inputs = inputs_of(job)
    terms = inputs.terms["carry:BTC"]
    spot, perp, margin = terms.legs
    assert (spot.role, perp.role, margin.role) == ("spot", "perp", "margin")
    assert (spot.quantity_per_unit, perp.quantity_per_unit) == (1.0, -1.0)
    assert margin.quantity_per_unit == pytest.approx((spot.price or 0) / 3)
    price = inputs.prices["spot:BTC"].price_usd
    assert terms.capital_per_unit_usd == pytest.approx(price * 4 / 3)
    assert inputs.prices["carry:BTC"].price_usd == terms.capital_per_unit_usd
    assert (terms.net_delta, terms.gross_notional) == (0.0, pytest.approx(1.5))
    assert terms.liquidation_distance == pytest.approx(4 / 3 / 1.004 - 1, abs=0.01)
    assert terms.losses["venue_loss"] == 1.0


def test_what_is_contracted_is_the_median_of_the_last_settlements_less_the_haircut(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = answer(
        capsys,
        job,
        "select funding_rate, interval_hours from core.funding_rates where base = 'BTC' "
        "order by settled_at desc limit 21",
    )
    rate = annual_funding([r["funding_rate"] for r in rows], [r["interval_hours"] for r in rows])
    assert rate is not None
    expected = inputs_of(job).terms["carry:BTC"].expected_return
    assert expected == pytest.approx(on_capital(rate, 3.0) - 0.02)


def test_the_recommendation_uses_the_contracted_rate_and_names_all_legs(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = answer(capsys, job, "select sleeve, asset, action, numbers from mart.decision_lines")
    assert not [row for row in lines if row["action"] == "frozen"]  # calm is no frozen feed
    numbers: dict[str, dict[str, Any]] = {
        f"{row['sleeve']}:{row['asset']}": json.loads(row["numbers"])
        if isinstance(row["numbers"], str)
        else row["numbers"]
        for row in lines
    }
    terms = inputs_of(job).terms
    for line in ("carry:BTC", "yield:USDC"):
        assert numbers[line]["expected_return"] == pytest.approx(terms[line].expected_return)
    staked = (terms["staking:ETH"].expected_return or 0.0) + numbers["spot:ETH"]["expected_return"]
    assert numbers["staking:ETH"]["expected_return"] == pytest.approx(staked)


def test_a_coin_in_doubt_freezes_its_carry_and_old_settlements_do(job: Path) -> None:
    doubt = Freeze("no_quorum", "the venues do not agree.")
    assert inputs_of(job, suspects={"BTC": doubt}).frozen["carry:BTC"] == doubt
    settings = job.read_text()
    strict = job.parent / "strict.toml"
    strict.write_text(settings + '\n[gate.freshness]\nfunding_rates = "1h"\n')
    found = inputs_of(strict).frozen
    assert found["carry:BTC"].reason_code == "stale_funding"
    assert "spot:BTC" not in found


def test_a_decision_builds_returns_by_its_own_leverage_not_by_the_newest_ingest(job: Path) -> None:
    other = job.parent / "other.toml"
    other.write_text(job.read_text().replace("leverage = 3.0", "leverage = 1.0"))
    three, one = inputs_of(job).returns["carry:BTC"], inputs_of(other).returns["carry:BTC"]
    assert one.std() == pytest.approx(three.std() * (1 / 2) / (3 / 4), rel=0.15)
    assert not one.equals(three)


def test_a_portfolio_of_coins_and_cash_has_the_hash_it_had(job: Path) -> None:
    settings = load_settings(job)
    from tasks.policy import config_hash, deciding_settings  # noqa: PLC0415 - beside what it proves

    plain = settings.portfolios["core"].model_copy(update={"sleeves": ("spot", "cash"), "class_bounds": {}})
    bare = settings.model_copy(update={"portfolios": {"core": plain}})
    assert "sleeves" not in deciding_settings(bare, "core")
    changed = bare.sleeves.model_copy(
        update={"carry": bare.sleeves.carry.model_copy(update={"leverage": 9.0})}
    )
    assert config_hash(bare, "core") == config_hash(bare.model_copy(update={"sleeves": changed}), "core")


def test_a_carry_is_decided_again_alike_and_can_be_accepted(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "job"
    shutil.copytree(job.parent, folder, symlinks=True)
    config = folder / job.name
    text = config.read_text().replace("carry = [0.0, 0.3]", "carry = [0.08, 0.3]")
    config.write_text(text.replace("yield = [0.0, 0.2]", "yield = [0.08, 0.2]"))
    assert trimtab(config, "recommend") == 0
    asked = """
        select recommendation_id, sleeve, asset, market_type, pair, contracts
        from mart.recommendation_trades
        where recommendation_id = (
          select max_by(recommendation_id, created_at) from mart.recommendations where status = 'proposed'
        )
        order by line
    """
    trades = answer(capsys, config, asked)
    kinds = {(row["sleeve"], row["market_type"]) for row in trades}
    assert {("carry", "perp"), ("yield", "pool")} <= kinds
    assert all(row["asset"] and row["contracts"] for row in trades)
    identity = trades[0]["recommendation_id"]
    assert trimtab(config, "replay", identity) == 0
    assert f"{identity} agrees" in " ".join(capsys.readouterr().out.split())
    assert trimtab(config, "accept", identity) == 0
    assert "At today's prices its orders amount to" in " ".join(capsys.readouterr().out.split())
