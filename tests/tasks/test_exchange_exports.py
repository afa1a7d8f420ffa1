"""Exchanges' own exports, as they are downloaded, become positions and cash flows."""

from datetime import UTC, datetime

import pytest

from tasks.cash_flows import cash_flow_rows
from tasks.csv_files import PositionsError, read_csv
from tasks.positions import read_positions

AS_OF = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)
KRAKEN = (
    '"txid","refid","time","type","subtype","aclass","asset","wallet","amount","fee","balance"\n'
    '"","Q1","2026-05-01 10:00:00","deposit","","currency","ZUSD","spot / main",1000.0000,0.0000,""\n'
    '"L1","Q1","2026-05-01 10:02:00","deposit","","currency","ZUSD","spot / main",1000.0,0.0,1000.0\n'
    '"L2","T1","2026-05-02 10:00:00","trade","","currency","ZUSD","spot / main",-600.0000,1.5000,398.5000\n'
    '"L3","T1","2026-05-02 10:00:00","trade","","currency","XXBT","spot / main",0.0100,0.0000,0.0100\n'
    '"L5","S1","2026-06-01 00:00:00","staking","","currency","DOT28.S","spot / main",0.5,0.0,12.5\n'
    '"L6","A1","2026-06-02 00:00:00","withdrawal","","currency","XXBT","spot / main",-0.0020,0.0001,0.0079\n'
    '"L4","S0","2026-04-01 00:00:00","transfer","","currency","DOT.S","spot / main",12.0,0.0,12.0\n'
    '"L7","A2","2026-06-03 00:00:00","withdrawal","","currency","ETH","spot / main",-1,0,0\n'
)
COINBASE = (
    "portfolio,type,time,amount,balance,amount/balance unit,transfer id,trade id,order id\n"
    "default,deposit,2026-05-10T02:37:18.689Z,0.5,0.5,ETH,tx-1,,\n"
    "default,match,2026-05-11T02:37:18.689Z,-0.2,0.3,ETH,,7,o\n"
    "default,match,2026-05-11T02:37:18.689Z,700.00,700.00,USD,,7,o\n"
    "default,fee,2026-05-11T02:37:18.689Z,-3.50,696.50,USD,,7,o\n"
)


def written(tmp_path, text, encoding="utf-8"):
    file = tmp_path / "export.csv"
    file.write_bytes(text.encode(encoding))
    return file


def held(tmp_path, text, encoding="utf-8"):
    rows = read_positions(written(tmp_path, text, encoding), AS_OF)
    return [(row["asset"], row["venue"], row["kind"], row["quantity"]) for row in rows]


def flows(tmp_path, text):
    rows = cash_flow_rows(read_csv(written(tmp_path, text), "a cash-flow file"), AS_OF)
    return [(row["kind"], row["asset"], row["quantity"], f"{row['happened_at']:%m-%d}") for row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_binance_balances_are_totals(tmp_path, delimiter, encoding):
    lines = (
        "Coin,Total,Available,In Order,BTC Value",
        "BTC,1.2,1.0,0.2,1.2",
        "DOGE,0,0,0,0",
        "USDT,1250.50,1,2,3",
    )
    text = "\n".join(lines)
    assert held(tmp_path, text.replace(",", delimiter), encoding) == [
        ("BTC", "binance", "spot", 1.2),
        ("USDT", "binance", "spot", 1250.5),
    ]


def test_kraken_ledger_gives_the_newest_balance_of_each_asset(tmp_path):
    assert sorted(held(tmp_path, KRAKEN)) == [
        ("BTC", "kraken", "spot", 0.0079),
        ("DOT", "kraken", "staking", 24.5),  # DOT.S and DOT28.S are two names of one coin
        ("USD", "kraken", "spot", 398.5),
    ]


def test_kraken_ledger_gives_deposits_withdrawals_fees_and_income(tmp_path):
    assert flows(tmp_path, KRAKEN) == [
        ("deposit", "USD", 1000.0, "05-01"),
        ("income", "DOT", 0.5, "06-01"),
        ("withdrawal", "BTC", -0.002, "06-02"),
        ("fee", "BTC", -0.0001, "06-02"),
        ("withdrawal", "ETH", -1.0, "06-03"),
    ]


def test_coinbase_statement_gives_balances_and_deposits(tmp_path):
    assert held(tmp_path, COINBASE) == [
        ("ETH", "coinbase", "spot", 0.3),
        ("USD", "coinbase", "spot", 696.5),
    ]
    assert flows(tmp_path, COINBASE) == [("deposit", "ETH", 0.5, "05-10")]


def test_asset_and_amount_are_enough(tmp_path):
    assert held(tmp_path, "Asset;Amount\nbtc;0.5\nUsdc;100\n") == [
        ("BTC", "", "spot", 0.5),
        ("USDC", "", "spot", 100.0),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n",
            ["Binance's transaction history", "Total"],
        ),
        ('"txid","ordertxid","pair","time","type","vol"\n', ["Kraken's trades", "ledgers"]),
        ("Timestamp,Transaction Type,Asset,Quantity Transacted\n", ["account statement"]),
        ("Date,Wert\n1,2\n", [":1:", "missing: asset", "unknown: date, wert"]),
        ('Coin,Total,Available\nBTC,"1,000.5",1\n', [":2:", "total", "thousands", "'1,000.5'"]),
        ("Coin,Total,Available\nBTC,1,000.5,1\n", [":2:", "more values than columns"]),
        ("Coin;Total;Available\nBTC;1,5;1\n", [":2:", "total", "decimal point", "'1,5'"]),
        (KRAKEN.replace('"2026-06-02 00:00:00"', '"06/02/2026"'), [":7:", "time", "'06/02/2026'"]),
        ("", ["missing: asset"]),
        ("Coin,Coin,Total,Available\n", ["coin twice"]),
        ('Coin,Total,Available\n"BTC,1,1\n', ["quote that is not closed"]),
    ],
)
def test_what_holds_no_balances_is_refused_with_what_to_do(tmp_path, text, words):
    with pytest.raises(PositionsError) as caught:
        read_positions(written(tmp_path, text), AS_OF)
    for word in words:
        assert word in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "export.csv"
    for data, word in ((b"PK\x03\x04\xff\xfe\x9f", "UTF-8"), (b"a,b\0c", "binary")):
        file.write_bytes(data)
        with pytest.raises(PositionsError, match=word):
            read_positions(file, AS_OF)
