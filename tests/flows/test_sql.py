"""`trimtab sql`: answers in every shape, formulas made harmless, and a process that can do nothing else."""

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from flows import asking
from flows.answering import answer, safe_cell
from flows.asking import ask
from flows.cli import cli, invoke
from tests.warehouse.support import AS_OF, FakeClock, candles, stored
from warehouse.errors import QueryFailed
from warehouse.home import Home
from warehouse.publish import publish
from warehouse.reader import open_published

NASTY = [
    '=HYPERLINK("http://example.org","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",  # a full-width =
]
EXPLOSION = (
    "select count(*) from range(200000) a, range(200000) b, range(2000) c where a.range % 7 = b.range % 3"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("sql") / "home")
    stored(made, ("candles", candles([1.0, 2.0, 3.0])))
    publish(made, FakeClock(), as_of=AS_OF, keep=2)
    return made


@pytest.fixture(scope="module")
def config(home: Home) -> Path:
    path = home.root.parent / "trimtab.toml"
    path.write_text(
        f'[warehouse]\nhome = "{home.root}"\n[[venues]]\nid = "binance"\n[universe]\nassets = ["BTC"]\n'
    )
    return path


def trimtab(config: Path, *words: str) -> int:
    return invoke(["sql", *words, "--config", str(config)])


def told(home: Home, sql: str, shape: str) -> bytes:
    sink = io.BytesIO()
    with open_published(home) as reader:
        answer(reader, sql, shape, sink)
    return sink.getvalue()


def test_each_shape_from_the_command(config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    question = "select open_time, close from core.candles order by open_time"
    assert trimtab(config, question) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "open_time            close",
        "-------------------  -----",
        "2020-01-01 00:00:00  1",
    ]
    assert trimtab(config, question, "--json") == 0
    assert json.loads(capsys.readouterr().out)[2] == {"open_time": "2020-01-03T00:00:00Z", "close": 3.0}
    target = tmp_path / "answer.parquet"
    assert trimtab(config, question, "--format", "parquet", "-o", str(target)) == 0
    assert parquet.read_table(target).to_pydict()["close"] == [1.0, 2.0, 3.0]
    assert "3 rows written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["answer.parquet"]


def test_a_statement_can_come_from_standard_input(config: Path):
    asked = CliRunner().invoke(cli, ["sql", "--config", str(config), "-"], input="select 6 * 7 as answer\n")
    assert asked.exit_code == 0, asked.output
    assert asked.stdout.split() == ["answer", "------", "42"]


def test_who_asks_for_the_tables_is_told_where_they_live(config: Path, capsys: pytest.CaptureFixture[str]):
    assert invoke(["sql", "--config", str(config), "show tables"]) == 0
    assert "trimtab tables" in capsys.readouterr().err


def test_csv_keeps_numbers_and_disarms_formulas(home: Home):
    values = ", ".join("(?)".replace("?", "'" + text.replace("'", "''") + "'") for text in NASTY)
    rows = list(
        csv.reader(io.StringIO(told(home, f"select * from (values {values}) as t(x)", "csv").decode()))
    )
    assert [row[0] for row in rows[1:]] == ["'" + text.replace("\r", "·") for text in NASTY]
    numbers = told(home, "select -1.5 as a, -2::double as b, -3 as c, '-4' as d, null as e", "csv").decode()
    assert numbers == "a,b,c,d,e\n-1.5,-2.0,-3,-4,\n"
    assert told(home, 'select 1 as "=cmd"', "csv").decode().startswith("'=cmd")


@pytest.mark.parametrize("text", ["plain", "1=1", "a@b", ""])
def test_harmless_text_stays_as_it_is(text: str):
    assert safe_cell(text) == text


@pytest.mark.parametrize("shape", ["table", "csv", "json"])
def test_nothing_steers_the_terminal(home: Home, shape: str):
    text = told(home, "select chr(27) || '[2J' || chr(8238) || chr(0) || chr(155) as x", shape).decode()
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    if shape == "json":
        assert json.loads(text) == [{"x": "\x1b[2J\u202e\x00\x9b"}]


def test_what_json_can_not_say_is_null_and_names_are_never_lost(home: Home):
    text = told(home, "select 'nan'::double as a, 2 as a, [1.5::decimal(9,2)] as b, '{}'::json as c", "json")
    assert json.loads(text) == [{"a": None, "a_2": 2, "b": ["1.5"], "c": {}}]
    assert told(home, "select 1 where false", "json") == b"[]\n"
    assert parquet.read_table(io.BytesIO(told(home, "select 1 as a, 2 as a", "parquet"))).num_columns == 2


def test_a_long_table_says_that_it_was_cut(home: Home):
    with open_published(home) as reader:
        assert answer(reader, "from range(10001)", "table", io.BytesIO()) == {
            "rows": 10_000,
            "is_complete": False,
        }


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/planted.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
        "select 1; select 2",
        "delete from core.candles",
        "BTC'; COPY (select 1) TO 'x",
        '"',
        "\u202eselect",
        "select " + "'x" * 5_000,
    ],
)
def test_the_command_answers_a_refusal_in_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str], statement: str
):
    assert trimtab(config, statement) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert len(said.err) < 5_000


def test_a_query_without_end_is_ended(home: Home):
    with (
        pytest.raises(QueryFailed, match=r"within 1\.5 s"),
        ask(home.root, EXPLOSION, "table", timeout_seconds=1.5, memory_limit="2GB"),
    ):
        pass


@pytest.mark.parametrize("shape", ["table", "parquet"])
def test_a_query_without_bounds_meets_the_memory_limit(home: Home, shape: str):
    hungry = "select list(range) from range(200000000)"
    with (
        pytest.raises(QueryFailed, match=r"(?i)memory"),
        ask(home.root, hungry, shape, timeout_seconds=60, memory_limit="100MB"),
    ):
        pass
    assert sorted(path.name for path in home.published.iterdir()) == [
        "current.duckdb",
        "snapshot-000001.duckdb",
    ]


def test_the_child_has_no_environment_to_find_a_secret_in(home: Home, monkeypatch: pytest.MonkeyPatch):
    seen: list[dict[str, str]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            seen.append(more["env"])
            super().__init__(*arguments, **more)

    monkeypatch.setattr(asking.subprocess, "Popen", Recorded)
    with ask(home.root, "select 1 as x", "csv", timeout_seconds=60, memory_limit="1GB") as answered:
        assert answered.content.read() == b"x\n1\n"
    assert [set(environment) for environment in seen] == [{"PYTHONUTF8", "PYTHONPATH"}]


def test_an_answer_is_never_half_written(config: Path, tmp_path: Path):
    target = tmp_path / "answer.csv"
    target.write_text("what was there")
    failing = "select case when range < 150000 then 1 else error('late') end from range(200000)"
    assert trimtab(config, failing, "--format", "csv", "-o", str(target)) == 2
    assert target.read_text() == "what was there"
    assert trimtab(config, "select 1", "-o", str(tmp_path / "no" / "such.csv")) == 2
