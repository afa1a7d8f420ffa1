"""What people are shown how to do is done here: every ready query, the notebook, the one-line connection."""

import json
import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, daily, load, stored
from warehouse.errors import NothingPublished
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.people import connect
from warehouse.publish import publish

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
QUERIES = dict(
    re.findall(r"^## ([^\n]+)\n[^`]*(?:`[^`\n]+`[^`]*)*```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
)
EMPTY_HERE = {
    "The funding rate in force at each hourly candle",
    "Drift: how far each portfolio is from its target",
    "Open recommendations",
    "Why a recommendation says what it says",
    "What the gate kept out",
    "What is stale",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("people") / "home")
    prices = daily(provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * 60)
    closes: list[float | None] = [100.0 + day % 7 for day in range(50)]
    stored(
        home,
        ("candles", candles(closes)),
        ("candles", candles(closes[:20], start="2020-02-18", timeframe="1h")),
        ("onchain_metrics", prices),
    )
    with open_master(home, FakeClock(), "revise") as master:
        load(master, candles([999.0], start="2020-01-03"), as_of=AS_OF + timedelta(days=1))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    return home


def test_every_block_of_the_page_is_a_query_here():
    assert len(QUERIES) == PAGE.count("```sql") == PAGE.count("\n## ")
    assert set(QUERIES) >= EMPTY_HERE


@pytest.mark.parametrize("title", QUERIES)
def test_a_ready_query_answers(shared: Home, title: str):
    connection = connect(shared.root)
    rows = connection.sql(QUERIES[title]).fetchall()
    connection.close()
    assert bool(rows) == (title not in EMPTY_HERE)


def test_what_the_queries_say(shared: Home):
    connection = connect(str(shared.root))
    (revised,) = connection.sql(QUERIES["What was revised after it was first known"]).fetchall()
    assert revised[3:] == (102.0, 999.0)
    volatility = connection.sql(QUERIES["Rolling 30-day volatility, a year"]).fetchall()
    assert [row[2] is not None for row in volatility].count(True) == 20
    connection.close()


def test_the_notebook_runs_from_its_first_cell_to_its_last(shared: Home):
    notebook = json.loads((ROOT / "examples" / "first_look.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    names: dict[str, object] = {}
    for cell in [cells[0], f"HOME = {str(shared.root)!r}", *cells[1:]]:
        exec(compile(cell, "first_look.ipynb", "exec"), names)
    assert len(names["prices"]) == 50  # type: ignore[arg-type]


def test_the_connection_only_reads(shared: Home, tmp_path: Path):
    connection = connect(shared.root)
    for refused in (
        "delete from core.candles",
        "create table x (a int)",
        f"copy core.candles to '{tmp_path}/x'",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(refused)
    connection.close()
    with pytest.raises(NothingPublished, match="trimtab run"):
        connect(tmp_path)
