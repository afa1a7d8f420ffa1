"""Which history belongs to which coin: nothing but a dated row of the configuration joins two."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.context import RunContext, SilentReporter
from tasks.inputs import load_inputs
from tasks.settings import ConfigError, load_settings
from tasks.settings_schema import Settings
from tests.tasks.support import FakeClock
from tests.warehouse.support import candles, daily, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

AS_OF = datetime.fromisoformat("2020-09-01T06:00:00+00:00")
FIRST = date(2020, 3, 1)
BREAK = date(2020, 6, 1)


def coin(asset: str, first: date, last: date, level: float = 5.0, **fields) -> pd.DataFrame:
    """Daily candles from `first` to `last`, a slow walk, traded through."""
    days = (last - first).days + 1
    closes = level * np.exp(np.cumsum(np.sin(np.arange(days) * 1.7) * 0.02))
    frame = candles(closes.tolist(), start=first.isoformat(), base=asset, market_id=f"{asset}USDT", **fields)
    frame["open"] = frame["close"].shift(1).fillna(frame["close"])
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    return frame


def rules(asset: str, is_active: bool = True) -> pd.DataFrame:
    known = pd.Series([pd.Timestamp("2020-08-31")]).astype("datetime64[us]")
    return pd.DataFrame({
        "venue": "binance", "market_id": f"{asset}USDT", "symbol": f"{asset}/USDT", "base": asset,
        "quote": "USDT", "market_type": "spot", "contract_size": 1.0, "amount_step": None, "price_step": None,
        "min_amount": None, "min_cost": None, "maker_fee": 0.001, "taker_fee": 0.001, "expires_at": pd.NaT,
        "is_active": is_active, "known_at": known,
    }).astype({"expires_at": "datetime64[us]"})  # fmt: skip


def held(asset: str) -> pd.DataFrame:
    moment = pd.Series([pd.Timestamp("2020-08-01")]).astype("datetime64[us]")
    return pd.DataFrame({
        "portfolio": "core", "statement_id": "one", "venue": "binance", "account": "", "asset": asset,
        "kind": "spot", "quantity": 3.0, "entry_price": None, "margin": None, "margin_mode": None,
        "leverage": None, "cost_basis_usd": None, "is_immovable": False, "as_of": moment, "known_at": moment,
        "market_id": "", "quote": "USD",
    })  # fmt: skip


def read(tmp_path, batches, assets=("POL", "BTC"), aliases=()):
    """The decision's inputs over a warehouse that holds the batches, BTC and a stablecoin's price."""
    settings = Settings.model_validate({
        "config_path": tmp_path / "trimtab.toml",
        "warehouse": {"home": tmp_path / "data"},
        "venues": [{"id": "binance"}],
        "universe": {"assets": list(assets), "timeframes": ["1d"], "aliases": list(aliases)},
        "portfolios": {"core": {"lookback_days": 200}},
    })  # fmt: skip
    home, clock = Home(settings.warehouse.home), FakeClock(AS_OF)
    price = daily(
        FIRST.isoformat(), provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * 184
    )
    common = [("onchain_metrics", price), ("candles", coin("BTC", FIRST, date(2020, 8, 31), 9000.0))]
    home.prepare()
    with open_master(home, clock, "test") as master:
        for table, frame in (*common, *batches):
            load(master, frame, table, as_of=AS_OF)
    publish(home, clock, as_of=AS_OF, keep=2)
    context = RunContext(settings, AS_OF, "run", "run", AS_OF, clock, SilentReporter())
    with open_point_in_time(home, AS_OF) as reader:
        return load_inputs(reader, context, "core", (), {}).inputs


RENAMED = (
    ("candles", coin("MATIC", FIRST, BREAK - timedelta(days=1))),
    ("candles", coin("POL", BREAK, date(2020, 8, 31), 5.1)),
)


def test_only_a_dated_row_joins_the_histories_of_two_names(tmp_path):
    apart = read(tmp_path / "apart", RENAMED)
    joined = read(tmp_path / "joined", RENAMED, aliases=[{"asset": "POL", "former": "MATIC", "since": BREAK}])
    own = (date(2020, 8, 31) - BREAK).days
    assert apart.returns["spot:POL"].notna().sum() == own
    series = joined.returns["spot:POL"]
    assert series.notna().sum() == own + (BREAK - FIRST).days - 1
    assert np.isnan(series[pd.Timestamp(BREAK + timedelta(days=1))])
    assert list(joined.returns.columns) == list(apart.returns.columns)


REUSED = (
    ("candles", coin("LUNA", FIRST, BREAK)),
    ("candles", coin("LUNA", BREAK + timedelta(days=5), date(2020, 8, 31), 90.0)),
    ("positions", held("LUNA")),
)
SINCE = BREAK + timedelta(days=5)


def test_a_reused_ticker_is_held_and_asked_about_with_the_line_that_answers(tmp_path):
    inputs = read(tmp_path, REUSED, assets=("LUNA", "BTC"))
    why = inputs.frozen["spot:LUNA"]
    assert why.reason_code == "identity_unclear"
    assert f'[[universe.aliases]] asset = "LUNA" since = {SINCE} former = "LUNA"' in why.sentence
    assert "spot:LUNA" not in inputs.prices
    assert "spot:LUNA" not in inputs.returns
    assert "spot:BTC" in inputs.returns


@pytest.mark.parametrize(("former", "days"), [(None, 0), ("LUNA", (BREAK - FIRST).days)])
def test_the_answer_joins_or_parts_the_histories(tmp_path, former, days):
    row = {"asset": "LUNA", "since": SINCE} | ({"former": former} if former else {})
    inputs = read(tmp_path, REUSED, assets=("LUNA", "BTC"), aliases=[row])
    assert inputs.frozen == {}
    assert "spot:LUNA" in inputs.prices
    assert inputs.returns["spot:LUNA"].notna().sum() == days + (date(2020, 8, 31) - SINCE).days


def test_a_delisted_coin_that_is_held_can_not_be_priced(tmp_path):
    gone = (
        ("candles", coin("LUNA", FIRST, date(2020, 8, 31))),
        ("instruments", rules("LUNA", is_active=False)),
        ("instruments", rules("BTC")),
        ("positions", held("LUNA")),
    )
    inputs = read(tmp_path, gone, assets=("LUNA", "BTC"))
    assert inputs.unlisted["spot:LUNA"].startswith("cannot price LUNA: binance stopped trading it")
    assert "spot:LUNA" not in inputs.prices
    assert "spot:LUNA" not in inputs.returns
    assert "spot:LUNA" not in inputs.frozen


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ('{asset = "POL", former = "MATIC", since = 2024-09-13}', "'POL' is not in universe.assets"),
        ('{asset = "BTC", former = "ETH", since = 2024-09-13}', "would count twice"),
        ('{asset = "BTC", since = 2024-09-13}, {asset = "BTC", since = 2024-09-13}', "two rows"),
        (
            '{asset = "BTC", former = "XBT", since = 2024-09-13}, '
            '{asset = "ETH", former = "XBT", since = 2024-01-01}',
            "is the former name of BTC already",
        ),
    ],
)
def test_a_contradicting_alias_is_refused(tmp_path, rows, complaint):
    file = tmp_path / "trimtab.toml"
    text = '[[venues]]\nid = "binance"\n[universe]\nassets = ["BTC", "ETH"]\naliases = [' + rows + "]\n"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        load_settings(file)
