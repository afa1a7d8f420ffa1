"""Terms and decisions of sleeves on the simulated market, through the command line and by hand."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from portfolio.model import DatasetState, DecisionInputs, Freeze, ProtocolFacts
from portfolio.sleeves import annual_funding, on_capital
from sandbox.market_defi import POOLS
from sandbox.server import running_sandbox
from tasks.clock import RealClock
from tasks.inputs import load_inputs
from tasks.settings import load_settings
from tasks.stated_tables import stated_tables
from tests.flows.jobs import NOW, answer, edit_by_hand, trimtab, write_job
from tests.tasks.support import make_context
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
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
        text = text.replace(
            'chains = ["Ethereum"]',
            'chains = ["Ethereum"]\nprotocols = ["aave-v3", "lido"]\nincidents = true',
        )
        text = text.replace('id = "binance"', 'id = "binance"\ndatasets = ["leverage_brackets"]')
        config.write_text(text)
        assert trimtab(config, "run") == 0
    return config


def inputs_of(
    config: Path,
    at: datetime = AT,
    suspects: dict[str, Freeze] | None = None,
    datasets: tuple[DatasetState, ...] = (),
) -> DecisionInputs:
    settings = load_settings(config)
    context = make_context(settings, as_of=at)
    stated = stated_tables(settings, "core")
    with open_point_in_time(Home(settings.warehouse.home), at, stated=stated) as reader:
        return load_inputs(reader, context, "core", datasets, suspects or {}).inputs


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


TIERS = """
[[portfolios.core.protocol_tiers]]
name = "old and large"
cap = 0.15
min_tvl_usd = {tvl}
max_incidents = {incidents}
[[portfolios.core.protocol_tiers]]
name = "known"
cap = 0.04
"""


def copy_of(job: Path, folder: Path, extra: str = "", change: Callable[[str], str] = str) -> Path:
    """A copy of the home with a configuration of its own."""
    shutil.copytree(job.parent, folder / "job", symlinks=True)
    config = folder / "job" / job.name
    config.write_text(change(config.read_text()) + extra)
    return config


def test_what_the_sources_say_of_a_protocol_decides_its_tier(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inputs_of(job).protocols == {}  # nobody asks without tiers, and no hash moves
    locked = (
        "select arg_max(value, period_start) as usd from core.protocol_metrics "
        "where entity = 'aave-v3' and metric = 'tvl_usd'"
    )
    usd = answer(capsys, job, locked)[0]["usd"]
    config = copy_of(
        job,
        tmp_path,
        TIERS.format(tvl=usd * 0.9, incidents=0),
        lambda text: text.replace("yield = [0.0, 0.2]", "yield = [0.03, 0.2]"),
    )
    assert inputs_of(config).protocols["aave-v3"].incidents is None  # an empty list proves nothing
    hit(config, "Elsewhere")
    facts = inputs_of(config).protocols
    assert facts == {"aave-v3": ProtocolFacts(tvl_usd=usd, incidents=0), "lido": facts["lido"]}
    # Once hit, the protocol is only "known": the cap of that tier binds the weight that is published.
    hit(config, "Aave")
    assert inputs_of(config).protocols["aave-v3"].incidents == 1
    assert trimtab(config, "recommend") == 0
    row = """
        select status, target_weight
        from mart.target_weights inner join mart.recommendations using (recommendation_id)
        where sleeve = 'yield' and status <> 'superseded'
    """
    (weight,) = [one["target_weight"] for one in answer(capsys, config, row)]
    assert 0.03 - 1e-9 <= weight <= 0.04 + 1e-9


def hit(config: Path, name: str) -> None:
    """An incident is listed, in a load of its own."""
    home, clock = Home(config.parent / "home"), RealClock()
    days = pd.Series([datetime(2025, 1, 1)]).astype("datetime64[us]")
    texts = dict.fromkeys(("entity_id", "chains", "classification", "technique"), "")
    frame = pd.DataFrame(
        {"provider": "defillama", "incident_id": name, "occurred_at": days, "entity": name, "known_at": days}
        | texts
        | {"amount_usd": 1e6, "returned_usd": None, "is_bridge": False, "is_reconstructed": True}
    )
    with open_master(home, clock, "a test") as master:
        named = {"source": "defillama", "dataset": "incidents", "as_of": AT, "started_at": AT}
        master.load("incidents", frame, rows_received=1, **named)
    publish(home, clock, as_of=AT, keep=2)


def test_an_old_list_of_incidents_proves_nothing(job: Path, tmp_path: Path) -> None:
    config = copy_of(job, tmp_path, TIERS.format(tvl=1, incidents=0))
    stale = DatasetState(
        dataset="incidents", newest_data_at=None, age_seconds=None, limit_seconds=1.0, is_fresh=False
    )
    assert inputs_of(config, datasets=(stale,)).protocols["aave-v3"].incidents is None


def test_a_line_is_left_before_its_market_closes_and_says_until_when(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inputs_of(job).exits == {}
    closes = AT + timedelta(days=4)
    extra = f'[[universe.exits]]\nasset = "XRP"\ncloses_at = {closes:%Y-%m-%dT%H:%M:%SZ}\n'
    config = copy_of(job, tmp_path, extra)
    assert inputs_of(config).exits == {"carry:XRP": closes, "spot:XRP": closes}
    assert trimtab(config, "recommend") == 0
    said = "select reason, reason_code from mart.recommendations where status = 'proposed'"
    (row,) = answer(capsys, config, said)
    assert row["reason_code"] == "hard_limit"
    assert f"its market closes on {closes:%Y-%m-%d}: it is left before" in row["reason"]
    sold = "select side, quantity from mart.recommendation_trades where asset = 'XRP' and sleeve = 'spot'"
    assert answer(capsys, config, sold)[-1] == {"side": "sell", "quantity": "90000"}


def test_a_perpetual_that_the_venue_is_about_to_end_ends_its_carry_and_not_its_coin(
    job: Path, tmp_path: Path
) -> None:
    config = copy_of(job, tmp_path)
    ends = "set expires_at = timestamp '2026-07-03 09:00' where market_type = 'perp' and base = 'ETH'"
    edit_by_hand(config, f"update raw.instruments {ends}; update core.instruments {ends}")
    assert inputs_of(config).exits == {"carry:ETH": datetime(2026, 7, 3, 9, tzinfo=UTC)}
