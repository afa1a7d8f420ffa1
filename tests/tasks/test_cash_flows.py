"""Cash flows are told once, corrected by a newer version, and taken back by a quantity of nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.cash_flows import import_cash_flows
from tasks.positions import PositionsError, import_positions
from tests.tasks.test_validate import context_for, settings_for
from tests.warehouse.support import FakeClock
from warehouse.home import Home
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

AS_OF = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)
FILE = (
    "happened_at,kind,asset,quantity,value_usd,note\n"
    "2026-06-01T10:00:00Z,deposit,USDC,10000,,first\n"
    "2026-06-05,Withdrawal,BTC,0.1,6500,\n"
    "2026-06-06 12:00,fee,USDC,25,,custody\n"
)


@pytest.fixture
def place(tmp_path):
    settings = settings_for(tmp_path, assets=("BTC",))
    return tmp_path, settings


def imported(place, text, as_of=AS_OF):
    folder, settings = place
    file = folder / "flows.csv"
    file.write_text(text)
    return import_cash_flows(context_for(settings, as_of=as_of), "core", file)


def shown(place, as_of=AS_OF):
    home = Home(place[1].warehouse.home)
    publish(home, FakeClock(), as_of=as_of, keep=3, min_free_bytes=0)
    with open_point_in_time(home, as_of) as reader:
        asked = "select kind, asset, quantity, value_usd from mart.cash_flows order by happened_at"
        return list(reader.select(asked).rows)


def test_the_same_file_twice_changes_nothing_and_a_longer_one_adds_its_end(place):
    assert imported(place, FILE).rows_new == 3
    again = imported(place, FILE)
    assert (again.is_new, again.rows) == (False, 3)
    longer = imported(place, FILE + "2026-06-10,income,ETH,0.5,,staking\n")
    assert longer.rows_new == 1
    assert longer.statement_id.startswith("000002-")
    assert shown(place) == [
        ("deposit", "USDC", 10000.0, None),
        ("withdrawal", "BTC", -0.1, -6500.0),
        ("fee", "USDC", -25.0, None),
        ("income", "ETH", 0.5, None),
    ]


def test_a_correction_is_known_from_its_import_and_nothing_takes_a_flow_back(place):
    imported(place, FILE)
    later = AS_OF + timedelta(days=1)
    changed = FILE.replace("10000", "12000").replace("BTC,0.1,6500", "BTC,0,0")
    assert imported(place, changed, later).rows_new == 2
    assert shown(place, later) == [("deposit", "USDC", 12000.0, None), ("fee", "USDC", -25.0, None)]
    assert shown(place, AS_OF)[0] == ("deposit", "USDC", 10000.0, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2026-06-01,gift,USDC,1,,", [":2: kind", "deposit, income", "'gift'"]),
        ("2026-06-01,deposit,US DC,1,,", ["asset", "'US DC'"]),
        ("2027-06-01,deposit,USDC,1,,", ["happened_at", "not after 2026-06-30T18:20:00Z"]),
        ("June,deposit,USDC,1,,", ["happened_at", "'June'"]),
        (",deposit,USDC,1,,", ["happened_at"]),
        ("2026-06-01,deposit,USDC,,,", ["quantity", "0 takes a flow back"]),
        ("2026-06-01,deposit,USDC,-1,,", ["quantity", "A withdrawal is a kind of its own"]),
        ("2026-06-01,deposit,USDC,nan,,", ["quantity", "plain number"]),
        ("2026-06-01,deposit,USDC,1,inf,", ["value_usd", "plain number"]),
    ],
)
def test_a_mistake_is_told_in_full_and_nothing_is_stored(place, line, words):
    good = "2026-06-02,deposit,USDC,5,,\n"
    with pytest.raises(PositionsError) as caught:
        imported(place, f"happened_at,kind,asset,quantity,value_usd,note\n{line}\n{good}")
    for word in words:
        assert word in str(caught.value)
    assert imported(place, f"happened_at,kind,asset,quantity,value_usd,note\n{good}").rows_new == 1


def test_a_repeated_line_is_questioned(place):
    repeated = FILE + "2026-06-01T10:00:00Z,deposit,USDC,10000,,first\n"
    with pytest.raises(PositionsError, match="the same flow stands on line 2 too"):
        imported(place, repeated)
    told_apart = FILE + "2026-06-01T10:00:00Z,deposit,USDC,10000,,second\n"
    assert imported(place, told_apart).rows == 4


def test_other_columns_are_named(place):
    with pytest.raises(PositionsError, match="missing: kind; unknown: type"):
        imported(place, "happened_at,type,asset,quantity\n")


def test_of_a_positions_file_with_a_mistake_nothing_is_stored(place):
    folder, settings = place
    file = folder / "holdings.csv"
    file.write_text("asset,venue,quantity\nBTC,binance,1\nETH,binance,-1\n")
    with pytest.raises(PositionsError, match=":3: quantity"):
        import_positions(context_for(settings, as_of=AS_OF), "core", file)
    file.write_text("asset,venue,quantity\nBTC,binance,1\n")
    assert import_positions(context_for(settings, as_of=AS_OF), "core", file).statement_id.startswith(
        "000001"
    )
