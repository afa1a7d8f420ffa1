from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tasks.positions import PositionsError, read_positions

AS_OF = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)


def read(tmp_path, text):
    file = tmp_path / "holdings.csv"
    file.write_text(text)
    return read_positions(file, AS_OF)


def refusal(tmp_path, text):
    with pytest.raises(PositionsError) as caught:
        read(tmp_path, text)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_a_plain_export_is_read(tmp_path):
    rows = read(tmp_path, "\ufeffasset, venue, quantity\nbtc,Binance,1.25\n\nUSDT,binance,61000\n")
    assert [(row["asset"], row["venue"], row["quantity"], row["kind"]) for row in rows] == [
        ("BTC", "binance", 1.25, "spot"),
        ("USDT", "binance", 61000.0, "spot"),
    ]
    assert rows[0]["as_of"] == AS_OF
    assert rows[0]["entry_price"] is None
    assert rows[0]["is_immovable"] is False


def test_all_columns_are_read(tmp_path):
    text = (
        "asset,venue,quantity,kind,account,entry_price,margin,margin_mode,leverage,cost_basis_usd,immovable,as_of\n"
        "BTC,binance,-0.5,perp,main,60000,15000,isolated,2,,true,2026-06-30T17:00:00+02:00\n"
    )
    row = read(tmp_path, text)[0]
    assert row["quantity"] == -0.5
    assert row["margin_mode"] == "isolated"
    assert row["is_immovable"] is True
    assert row["as_of"] == datetime(2026, 6, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("asset,quantity\nBTC,1\n", [":1:", "missing: venue"]),
        ("asset,venue,quantity,colour\nBTC,x,1,red\n", [":1:", "unknown: colour"]),
        ("asset,venue,quantity\n", ["at least one position"]),
        ("asset,venue,quantity\nBTC,binance,one\n", [":2:", "plain number", "'one'"]),
        ("asset,venue,quantity\nBTC,binance,nan\n", [":2:", "plain number"]),
        ('asset,venue,quantity\nBTC,binance,"1,000.5"\n', [":2:", "thousands"]),
        ("asset,venue,quantity\nBTC,binance,-1\n", [":2:", "negative"]),
        ("asset,venue,quantity\nBTC,binance,1\nBTC,binance,2\n", [":3:", "line 2"]),
        ("asset,venue,quantity,kind\nBTC,binance,1,spto\n", [":2:", "spot, perp", "'spto'"]),
        ("asset,venue,quantity,immovable\nBTC,binance,1,maybe\n", [":2:", "'maybe'"]),
        ("asset,venue,quantity,as_of\nBTC,binance,1,yesterday\n", [":2:", "'yesterday'"]),
        ("asset,venue,quantity\nB/C,binance,1\n", [":2:", "'B/C'"]),
        ("asset,venue,quantity\nBTC,binance,1,2\n", [":2:", "more values than columns"]),
    ],
)
def test_a_mistake_names_line_finding_and_remedy(tmp_path, text, words):
    message = refusal(tmp_path, text)
    for word in words:
        assert word in message


def test_a_missing_file_says_what_to_write(tmp_path):
    with pytest.raises(PositionsError, match="asset, venue, quantity"):
        read_positions(tmp_path / "none.csv", AS_OF)


def test_quantities_keep_their_digits(tmp_path):
    row = read(tmp_path, "asset,venue,quantity\nBTC,binance,0.12345678\n")[0]
    assert Decimal(repr(row["quantity"])) == Decimal("0.12345678")
