"""Several venues with their roles, from the configuration to the recommendation."""

import json

import pytest

from sandbox.server import running_sandbox
from tests.flows.jobs import answer, trimtab

VENUE = """
[[venues]]
id = "{id}"
base_url = "{base}"
markets = ["spot"]
weights_per_minute = 1e6
roles = {roles}
"""
REST = """
[warehouse]
home = "home"

[sources.coinmetrics]
base_url = "{base}"
metrics = ["PriceUSD", "CapMrktCurUSD"]

[universe]
quote = "{quote}"
cash = ["USDC"]
assets = ["BTC", "ETH", "SOL"]
timeframes = ["1d", "1h"]
history_start = 2026-03-01

[gate]
min_venues = {min_venues}

[portfolios.core]
objective = "policy"
target_weights = {{ "spot:BTC" = 0.4, "spot:ETH" = 0.3, "spot:SOL" = 0.1, "cash:{quote}" = 0.2 }}
lookback_days = 100
requires = ["candles_1d"]
[portfolios.core.holdings]
file = "holdings.csv"
"""
BOTH, REFERENCE = '["reference", "execution"]', '["reference"]'


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


def write(folder, base, venues, quote, min_venues=1):
    parts = [VENUE.format(id=name, base=base, roles=roles) for name, roles in venues.items()]
    config = folder / "trimtab.toml"
    config.write_text("".join(parts) + REST.format(base=base, quote=quote, min_venues=min_venues))
    (folder / "holdings.csv").write_text(
        f"asset,venue,quantity\nBTC,{next(iter(venues))},1\n{quote},,50000\n"
    )
    return config


def told(capsys, config):
    capsys.readouterr()
    assert trimtab(config, "run", "--json") == 0
    return json.loads(capsys.readouterr().out)["recommendations"][0]


def test_three_venues_make_the_price_and_one_takes_the_trades(market, tmp_path, capsys):
    venues = {"binance": BOTH, "kraken": REFERENCE, "coinbaseexchange": REFERENCE}
    config = write(tmp_path, market.base_url, venues, "USDT", min_venues=2)
    found = told(capsys, config)
    assert found["status"] == "proposed", found["reason"]
    assert "single_source" not in found["flags"]
    assert {trade["venue"] for trade in found["trades"]} == {"binance"}
    agreed = answer(capsys, config, "select asset, venues from mart.venue_prices group by all order by asset")
    assert {row["asset"]: row["venues"] for row in agreed if row["asset"] not in ("USDT", "USDC")} == {
        "BTC": 3,
        "ETH": 3,
        "SOL": 3,
    }
    # Cash is worth what its dollar markets say this hour, not what a reference said yesterday.
    cash = answer(capsys, config, "from mart.latest_stablecoin_prices where asset in ('USDT', 'USDC')")
    # Coinbase takes USDC for dollars and has no market for it.
    sources = {"USDT": ["coinbaseexchange", "kraken"], "USDC": ["kraken"]}
    assert {row["asset"]: row["sources"] for row in cash} == sources
    assert {row["price_at"][:19] for row in cash} == {"2026-06-30T18:00:00"}
    daily = answer(
        capsys,
        config,
        "select sources from mart.stablecoin_prices where asset = 'USDT' and as_of_date = date '2026-06-29'",
    )
    assert daily == [{"sources": ["coinbaseexchange", "kraken"]}]


def test_a_portfolio_in_dollars_runs_on_the_venues_of_the_united_states(market, tmp_path, capsys):
    config = write(tmp_path, market.base_url, {"coinbaseexchange": BOTH, "kraken": BOTH}, "USD")
    found = told(capsys, config)
    assert found["status"] == "proposed", found["reason"]
    assert {trade["venue"] for trade in found["trades"]} <= {"coinbaseexchange", "kraken"}
    assert found["trades"]
    sources = answer(
        capsys, config, "select distinct quote, quote_price_source from mart.spot_prices order by all"
    )
    assert {"quote": "USD", "quote_price_source": "definition"} in sources


def test_a_configuration_without_a_place_to_trade_is_refused(market, tmp_path, capsys):
    config = write(tmp_path, market.base_url, {"kraken": REFERENCE}, "USD")
    assert trimtab(config, "check") == 2
    assert 'no venue with the role "execution"' in capsys.readouterr().err
