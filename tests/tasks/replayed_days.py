"""One recorded day lived through: data with holes, a decision, data repaired, the same decision again."""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request

import duckdb
import pytest

from tasks.replay import Replayed
from tasks.replay import replay as decide_again
from tasks.settings import load_settings
from tests.flows.jobs import trimtab
from tests.tasks.support import FakeClock, make_context
from tests.tasks.test_ingest_replay import Replay
from tests.tasks.test_sleeve_replay import by_hand

HISTORY = timedelta(days=200)
LATER = timedelta(days=3)
CONFIG = """\
[warehouse]
home = "home"
keep_received_days = 0

[[venues]]
id = "binance"
base_url = "{base}"

[sources.defillama]
base_url = "{base}"
chains = []
stablecoins = ["USDT"]

[universe]
quote = "USDT"
assets = ["BTC", "ETH", "LTC"]
timeframes = ["1d"]
history_start = {start}

[sleeves.carry]
leverage = 3.0

[portfolios.treasury]
sleeves = ["spot", "carry", "cash"]
objective = "max_quadratic_utility"
risk_model = "shrunk_correlation"
lookback_days = 180
requires = ["candles_1d", "funding_rates"]
class_bounds = {{ cash = [0.3, 1.0], carry = [0.02, 0.3] }}
[portfolios.treasury.holdings]
file = "hedged.csv"

[portfolios.board]
objective = "policy"
lookback_days = 180
target_weights = {{ "cash:USDT" = 0.8, "spot:BTC" = 0.1, "spot:ETH" = 0.1 }}
[portfolios.board.holdings]
file = "plain.csv"
"""


@dataclass(frozen=True)
class Lived:
    """What one day showed.

    Attributes:
        again: portfolio → its recommendation, decided again after the data had changed.
        verdicts: portfolio → status and reason as they were recorded.
        cash_risk: share of cash in the risk of the 80/10/10 policy portfolio as proposed.
        carry: asset → the carry's return that day: the warehouse's, and by hand.
        filled: gaps that closed later; `revised`: rows of candles with a later version that differs.
    """

    again: dict[str, Replayed]
    verdicts: dict[str, tuple[str, str]]
    cash_risk: float
    carry: dict[str, tuple[float, float]]
    filled: int
    revised: int


def live_through(replay: Replay, folder: Path, day: date) -> Lived:
    """Ingest with faults as of `day`, decide two portfolios, ingest the repaired history, decide again."""
    at = datetime.combine(day, time(18, 20), UTC)
    config = folder / "trimtab.toml"
    config.write_text(CONFIG.format(base=replay.base_url, start=day - HISTORY))
    replay.freeze(at)
    _hold(replay, folder, day)
    _faults(replay, day)
    try:
        assert trimtab(config, "run", as_of=_stamp(at)) == 0
    finally:
        _ask(replay, "DELETE", {})
    later = at + LATER
    replay.freeze(later)
    since = f"{day - HISTORY:%Y-%m-%d}"
    assert trimtab(config, "ingest", "--since", since, as_of=_stamp(later)) == 0
    return _look(config, day, later)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _faults(replay: Replay, day: date) -> None:
    """Days of BTC that the venue leaves out, and closes of LTC that it corrects later."""
    opens = {n: int(datetime.combine(day - timedelta(days=n), time(), UTC).timestamp()) for n in (3, 40, 41)}
    stamps = {n: 1000 * seconds for n, seconds in opens.items()}
    _ask(
        replay,
        "POST",
        [
            {"kind": "missing", "match": "klines.*BTCUSDT", "ts": [stamps[40], stamps[41]]},
            {"kind": "stale", "match": "klines.*LTCUSDT", "ts": [stamps[3]]},
        ],
    )


def _ask(replay: Replay, method: str, body: Any) -> None:
    address = f"{replay.base_url}/__faults"
    replay.open(Request(address, json.dumps(body).encode(), method=method)).close()


def _open(replay: Replay, asset: str, day: date) -> float:
    start = int(datetime.combine(day, time(), UTC).timestamp()) * 1000
    address = f"{replay.base_url}/api/v3/klines?symbol={asset}USDT&interval=1d&startTime={start}&limit=1"
    with replay.open(address) as answer:
        return float(json.load(answer)[0][1])


def _hold(replay: Replay, folder: Path, day: date) -> None:
    """100,000 USDT at the day's prices: a third in coins, and once more with a hedge."""
    prices = {asset: _open(replay, asset, day) for asset in ("BTC", "ETH")}
    plain = [
        {"asset": "BTC", "quantity": 25_000 / prices["BTC"]},
        {"asset": "ETH", "quantity": 10_000 / prices["ETH"]},
        {"asset": "USDT", "quantity": 65_000},
    ]
    short = {"asset": "BTC", "kind": "perp", "quantity": -6_000 / prices["BTC"], "entry_price": prices["BTC"]}
    short |= {"margin": 2_000, "margin_mode": "isolated", "market_id": "BTCUSDT"}
    names = ["asset", "venue", "quantity", "kind", "entry_price", "margin", "margin_mode", "market_id"]
    for file, rows in (("plain.csv", plain), ("hedged.csv", [*plain, short])):
        with (folder / file).open("w", newline="") as opened:
            writer = csv.DictWriter(opened, names)
            writer.writeheader()
            writer.writerows({"venue": "binance", "kind": "spot"} | row for row in rows)


def _rows(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "home" / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql, list(values)).fetchall()


def _one(folder: Path, sql: str, *values: object) -> Any:
    ((found,),) = _rows(folder, sql, *values)
    return found


def _look(config: Path, day: date, now: datetime) -> Lived:
    folder = config.parent
    recorded = _rows(
        folder, "select portfolio, recommendation_id, status, reason_code from mart.recommendations"
    )
    context = make_context(load_settings(config), as_of=now, clock=FakeClock(now))
    cash = _rows(
        folder,
        "select risk_contribution_after from mart.target_weights "
        "where portfolio = 'board' and sleeve = 'cash'",
    )
    carry: dict[str, tuple[float, float]] = {}
    asked = (
        "select simple_return from mart.sleeve_returns "
        "where sleeve = 'carry' and asset = ? and as_of_date = ?"
    )
    with duckdb.connect(str(folder / "home" / "master.duckdb"), read_only=True) as connection:
        for asset in ("BTC", "ETH"):
            carry[asset] = (_one(folder, asked, asset, day), by_hand(connection, asset, day))
    return Lived(
        again={portfolio: decide_again(context, name) for portfolio, name, *_ in recorded},
        verdicts={portfolio: (status, reason) for portfolio, _, status, reason in recorded},
        cash_risk=max(abs(share) for (share,) in cash),
        carry=carry,
        filled=_one(folder, "select count(*) from ops.gaps where status = 'closed'"),
        revised=_one(
            folder,
            "select count(*) from (select 1 from raw.candles "
            "group by venue, market_type, market_id, timeframe, open_time having count(distinct close) > 1)",
        ),
    )


def check(lived: Lived) -> None:
    """What has to hold of every day."""
    assert set(lived.again) == {"treasury", "board"}
    assert {status for status, _ in lived.verdicts.values()} <= {"proposed", "hold"}
    for again in lived.again.values():
        assert again.differences == ()
        assert again.largest_weight_difference == 0.0  # exactly
        assert again.weights > 0
    assert (lived.filled, lived.revised) == (2, 2)
    assert lived.cash_risk < 0.005
    for stored, summed in lived.carry.values():
        assert stored == pytest.approx(summed, abs=1e-12)
        assert stored != 0.0
