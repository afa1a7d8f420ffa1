"""Once its horizon is over, a recommendation stands on the scoreboard, and nobody changes it unseen."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.cli import invoke
from flows.opening import open_context
from sandbox.server import running_sandbox
from tasks.score import keep_score
from tests.flows.jobs import answer, edit_by_hand, trimtab, write_job

HORIZON = "\n[portfolios.core.rebalance]\nhorizon_days = 5\nmin_benefit_over_cost = 0\n"
MOMENTS = ("2026-06-20T18:20:00Z", "2026-06-28T18:20:00Z")
ACKNOWLEDGE = "update ops.master_state set commit_id = commit_id + 1"  # else the manifest misses the rows
BY_HAND = """
with days as (
  select sleeve || ':' || asset as line, product(1 + simple_return) - 1 as gain, count(simple_return) as days
  from mart.sleeve_returns
  where as_of_date > date '2026-06-21' and as_of_date <= date '2026-06-26'
  group by all
)
select
  sum(w.current_weight * gain) as hold,
  sum(w.target_weight * gain) - any_value(r.expected_cost_bps) / 1e4 as net
from mart.target_weights as w
join mart.recommendations as r using (recommendation_id)
join days on line = w.sleeve || ':' || w.asset and days = 5
where r.as_of = timestamp '2026-06-20 18:20:00'
"""


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A home in which the first of two recommendations has seen its five days."""
    folder = tmp_path_factory.mktemp("scored")
    with running_sandbox(seed=7) as market:
        config = write_job(folder, market.base_url, HORIZON)
        for moment in MOMENTS:
            market.set_now(datetime.fromisoformat(moment))
            assert trimtab(config, "run", as_of=moment) == 0
    return folder


@pytest.fixture
def job(scored, tmp_path):
    folder = tmp_path / "job"
    shutil.copytree(scored, folder, symlinks=True)
    return folder / "trimtab.toml"


def asked(capsys, job, *arguments: str) -> tuple[int, dict]:
    capsys.readouterr()
    status = invoke(["scoreboard", "--json", *arguments, "--config", str(job)])
    return status, json.loads(capsys.readouterr().out)


def test_what_came_equals_the_sums_by_hand_and_only_ended_horizons_are_measured(job, capsys):
    status, told = asked(capsys, job)
    assert status == 0
    assert told["is_whole"]
    assert told["summary"]["proposed"] >= 1
    assert [(row["entry"], row["as_of"][:10], row["state"]) for row in told["rows"]] == [
        (1, "2026-06-20", "measured"),
    ]
    first, by_hand = told["rows"][0], answer(capsys, job, BY_HAND)[0]
    assert first["hold_return"] == pytest.approx(by_hand["hold"], abs=1e-12)
    assert first["proposed_return"] == pytest.approx(by_hand["net"], abs=1e-12)
    parts = first["realised_return_bps"] + first["realised_risk_bps"]
    assert first["realised_benefit_bps"] == pytest.approx(parts)
    assert first["is_hit"] == (first["realised_benefit_bps"] > first["expected_cost_bps"])
    assert invoke(["scoreboard", "--config", str(job)]) == 0
    assert "The record is whole: 1 entries" in capsys.readouterr().out


def test_what_was_edited_by_hand_is_named(job, capsys):
    noted = asked(capsys, job)[1]["rows"][-1]["row_hash"]
    assert asked(capsys, job, "--expect", noted)[0] == 0
    edit_by_hand(
        job,
        "update mart.scoreboard set hold_return = hold_return + 1e-12; "
        "update mart.recommendations set expected_benefit_bps = 1",
    )
    status, told = asked(capsys, job)
    assert status == 4
    assert "broken at entry 1" in told["problems"][0]
    assert "no longer says what it said" in told["problems"][1]


def test_a_record_that_was_cut_off_is_found_by_a_hash_that_was_noted(job, capsys):
    noted = asked(capsys, job)[1]["rows"][-1]["row_hash"]
    edit_by_hand(job, f"delete from mart.scoreboard; {ACKNOWLEDGE}")
    assert asked(capsys, job)[0] == 0
    assert asked(capsys, job, "--expect", noted)[0] == 4


def test_a_price_that_never_came_is_waited_for_a_week_and_then_said(job, capsys):
    lost = "where timeframe = '1d' and base = 'ETH' and open_time between '2026-06-23' and '2026-06-24'"
    gone = "delete from mart.scoreboard; delete from core.candles {0}; delete from raw.candles {0}; "
    edit_by_hand(job, gone.format(lost) + ACKNOWLEDGE)
    context = open_context(job, None, datetime(2026, 6, 28, 19, tzinfo=UTC), "recommend")
    assert keep_score(context).rows == ()
    later = keep_score(replace(context, as_of=datetime(2026, 7, 3, tzinfo=UTC))).rows
    assert [(row["state"], row["missing"], row["is_hit"]) for row in later] == [
        ("unmeasurable", ["spot:ETH"], None)
    ]
