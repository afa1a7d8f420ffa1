"""The gate: an hourly batch of candles, and the audit of a million stored rows beside the same rules in plain SQL."""

import resource
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import great_expectations  # noqa: F401 - what a run has imported when the gate begins

from benchmarks.bench_warehouse import in_turns, rows
from expectations.gate import judge
from tasks.clock import RealClock
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.queries import named_query

AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
MARKETS, HOURS, ROUNDS = 24, 40_000, 7
LIMITS = {"max_spike": 0.5, "day_tolerance": 1e-6}
DAYS = """
insert into core.candles by name
select
  venue, market_id, symbol, base, quote, market_type, '1d' as timeframe, date_trunc('day', open_time) as open_time,
  arg_min(open, open_time) as open, max(high) as high, min(low) as low, arg_max(close, open_time) as close,
  sum(base_volume) as base_volume, null::double as quote_volume, max(known_at) as known_at, true as is_reconstructed,
  1::bigint as load_id
from core.candles
group by all
having count(*) = 24
"""
# So that both have something to find, and must find as much.
FAULTS = (
    "update core.candles set close = close * 10 where market_id = 'M3' and open_time = '2024-07-01 05:00' and timeframe = '1h'",
    "update core.candles set low = -1 where market_id = 'M4' and open_time between '2023-01-01' and '2023-01-02'",
    "update core.candles set known_at = open_time where market_id = 'M5' and open_time = '2022-01-01'",
    "delete from core.candles where market_id = 'M6' and open_time between '2022-01-01' and '2022-02-01'",
    "insert into core.candles from core.candles where market_id = 'M7' and open_time > '2024-07-20'",
)


def batch() -> None:
    with duckdb.connect() as connection:
        frame = connection.sql(rows(1, 1000)).to_arrow_table().to_pandas(date_as_object=False)
    spent = []
    for number in range(ROUNDS):
        before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        judge(
            "core_candles",
            frame,
            dataset="candles",
            run_id=f"bench-{number}",
            judged_at=AS_OF,
            parameters={"as_of": AS_OF},
        )
        spent.append(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - before)
    print(
        f"gate on 1,000 hourly candles: first {spent[0]:.2f}, then {sorted(spent[1:])[len(spent) // 2 - 1]:.2f} CPU s "
        "(wanted <= 1.5)"
    )


def audit(folder: Path) -> None:
    home = Home(folder / "home")
    with open_master(home, RealClock(), "bench"):
        pass
    since, recent = ((AS_OF - timedelta(days=days)).replace(tzinfo=None) for days in (367, 3))
    ours = {"since": since, "recent": recent, "examples": 3, "max_repeats": 2, **LIMITS}
    theirs = {"since": since, **LIMITS}
    audited = named_query("audit.candles", frozenset(ours)).sql
    plain = (Path(__file__).parent / "plain_audit.sql").read_text()
    with duckdb.connect(home.master) as connection:
        connection.execute(
            f"insert into core.candles by name select *, 1::bigint as load_id from ({rows(MARKETS, HOURS)})"
        )
        for change in (DAYS, *FAULTS):
            connection.execute(change)
        (stored,) = connection.execute("select count(*) from core.candles").fetchone()
        found = {row[0]["rule"]: row[0]["offenders"] for row in _packed(connection, audited, ours)}
        wanted = dict(connection.execute(plain, theirs).fetchall())
        if found != wanted:
            raise SystemExit(f"The two do not ask the same: {found} and {wanted}.")
        mine, plainly = in_turns(
            lambda: connection.execute(audited, ours).fetchall(),
            lambda: connection.execute(plain, theirs).fetchall(),
            ROUNDS,
        )
    print(
        f"audit of {stored:,} candles, {len(found)} rules: ours {mine:.2f} s (with examples and assets), one plain statement "
        f"{plainly:.2f} s; ratio {mine / plainly:.2f} (wanted <= 2)"
    )


def _packed(
    connection: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, object]
) -> list[tuple[dict, ...]]:
    return connection.execute(f"select found from ({sql}) as found", bound).fetchall()


def main() -> None:
    batch()
    with tempfile.TemporaryDirectory() as folder:
        audit(Path(folder))
