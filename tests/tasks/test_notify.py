import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.channel_routes import channel_problems, channel_secrets
from tasks.context import RunContext, SilentReporter
from tasks.delivery_lock import delivering
from tasks.notify import notify
from tasks.settings import load_settings
from tests.tasks.channels.sink import Sink
from warehouse.home import Home
from warehouse.master import open_master

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIG = """
[warehouse]
home = "data"
[[venues]]
id = "binance"
[universe]
assets = ["BTC"]
[network]
timeout_seconds = 5
"""
CHANNEL = """
[channels.{name}]
kind = "{kind}"
allow_private_hosts = true
"""


class HandClock:
    """Stands still until it is moved; a wait moves it."""

    def __init__(self) -> None:
        self.time, self.waits = NOW, []

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOW).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += timedelta(seconds=seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def sinks():
    running = {name: Sink().start() for name in ("ops", "desk", "board")}
    yield running
    for sink in running.values():
        sink.stop()


@pytest.fixture
def start(tmp_path, monkeypatch, sinks):
    """Make a context whose channels are the named sinks."""

    def build(*names: str, kind: str = "apprise", extra: str = "") -> RunContext:
        text = CONFIG + "".join(CHANNEL.format(name=name, kind=kind) for name in names) + extra
        (tmp_path / "trimtab.toml").write_text(text)
        for name in names:
            monkeypatch.setenv(f"TRIMTAB_CHANNEL_{name.upper()}", sinks[name].url)
        settings = load_settings(tmp_path / "trimtab.toml")
        return RunContext(settings, NOW, "run-1", "run", NOW, HandClock(), Notes())

    return build


def home(context: RunContext) -> Home:
    return Home(context.settings.warehouse.home)


def put(context: RunContext, alert_id: str = "R-1-recommendation", **changes) -> None:
    row = {
        "alert_id": alert_id,
        "episode_id": "R-1",
        "recommendation_id": "R-1",
        "portfolio": "core",
        "event": "recommendation",
        "severity": "info",
        "title": "core: sell 10 USD",
        "body": f"SELL 1 BTC\nId {alert_id}",
        "created_at": NOW,
        "valid_until": datetime(2020, 7, 21, tzinfo=UTC),
        "send_until": NOW + timedelta(days=1),
        "status": "pending",
        "is_simulated": False,
    }
    with open_master(home(context), context.clock, "test") as master:
        master.append("ops.alerts", [row | changes])


def table(context: RunContext, name: str) -> list[dict]:
    with open_master(home(context), context.clock, "test") as master:
        cursor = master._connection.execute(f"select * from {name} order by all")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def alert_status(context: RunContext) -> dict[str, str]:
    return {row["alert_id"]: row["status"] for row in table(context, "ops.alerts")}


def attempts(context: RunContext, channel: str = "ops") -> list[tuple[str, bool]]:
    rows = table(context, "ops.deliveries")
    return [(row["status"], row["is_repeat"]) for row in rows if row["channel"] == channel]


def test_one_message_per_alert_and_channel_over_repeated_runs(start, sinks):
    context = start("ops", "desk")
    put(context)
    put(context, "R-2-blocked", portfolio="other", event="blocked", created_at=NOW + timedelta(seconds=1))
    first = notify(context)
    assert (first.sent, first.failed, first.waiting) == (4, (), 0)
    for _ in range(3):
        again = notify(context)
        assert (again.sent, again.failed, again.sentence) == (0, (), "")
    for name in ("ops", "desk"):
        keys = [request.headers["Idempotency-Key"] for request in sinks[name].received]
        assert keys == ["R-1-recommendation", "R-2-blocked"]
    assert set(alert_status(context).values()) == {"delivered"}
    assert attempts(context) == [("sent", False), ("sent", False)]
    assert [text.splitlines()[0] for text in context.reporter.texts] == ["core: sell 10 USD"] * 2


def test_one_channel_down_only_that_one_is_tried_again(start, sinks):
    context = start("ops", "desk", "board")
    put(context)
    sinks["desk"].script = [500]
    first = notify(context)
    assert (first.sent, first.waiting) == (2, 1)
    assert first.failed == ("desk: R-1-recommendation: HTTP 500",)
    assert first.sentence == (
        "Alerts: 2 sent, 1 still to be delivered. Not confirmed by desk: R-1-recommendation: HTTP 500."
    )
    assert alert_status(context) == {"R-1-recommendation": "partial"}
    second = notify(context)
    assert (second.sent, second.repeated, second.failed) == (1, 0, ())
    assert [len(sinks[name].received) for name in ("ops", "desk", "board")] == [1, 2, 1]
    assert attempts(context, "desk") == [("failed", False), ("sent", False)]
    assert alert_status(context) == {"R-1-recommendation": "delivered"}


def test_a_channel_that_stays_down_is_given_up_and_said(start, sinks):
    context = start("ops")
    put(context)
    sinks["ops"].script = [500] * 99
    failures = [len(notify(context).failed) for _ in range(8)]
    assert failures == [1] * 5 + [0] * 3
    assert len(sinks["ops"].received) == 5
    assert alert_status(context) == {"R-1-recommendation": "failed"}


def test_a_lost_answer_is_repeated_once_and_says_so(start, sinks):
    context = start("ops")
    put(context)
    sinks["ops"].script = ["lost", "lost"]
    assert "may have arrived" in notify(context).failed[0]
    assert attempts(context) == [("ambiguous", False)]
    assert notify(context).repeated == 1
    assert notify(context).failed == ()
    original, repeat = sinks["ops"].received
    assert original.headers["Idempotency-Key"] == repeat.headers["Idempotency-Key"]
    assert "repeat of" not in original.json["message"]
    assert "repeat of R-1-recommendation" in repeat.json["message"]
    assert attempts(context) == [("ambiguous", False), ("ambiguous", True)]
    assert alert_status(context) == {"R-1-recommendation": "failed"}


def test_a_receiver_that_asks_for_patience_gets_it(start, sinks):
    context = start("ops")
    put(context)
    sinks["ops"].script, sinks["ops"].headers = [429], {"Retry-After": "7"}
    assert notify(context).sent == 1
    assert context.clock.waits == [7.0]
    assert attempts(context) == [("failed", False), ("sent", False)]


def test_too_much_patience_is_left_to_the_next_run(start, sinks):
    context = start("ops")
    put(context)
    sinks["ops"].script, sinks["ops"].headers = [429], {"Retry-After": "3600"}
    assert notify(context).waiting == 1
    assert context.clock.waits == []
    assert notify(context).sent == 1


def test_an_alert_expires_by_the_real_clock_and_the_next_one_goes_out(start, sinks):
    """Its data may be of 2020: what counts is how long ago it was made."""
    context = start("ops")
    put(context)
    context.clock.time = NOW + timedelta(days=1)
    put(context, "R-2-recommendation", portfolio="other", send_until=NOW + timedelta(days=2))
    summary = notify(context)
    assert (summary.sent, summary.expired) == (1, 1)
    assert alert_status(context) == {"R-1-recommendation": "expired", "R-2-recommendation": "delivered"}
    (request,) = sinks["ops"].received
    assert request.headers["Idempotency-Key"] == "R-2-recommendation"


def test_newer_news_overtakes_what_was_not_sent(start, sinks):
    context = start("ops")
    put(context)
    put(context, "R-2-blocked", event="blocked", created_at=NOW + timedelta(hours=1))
    assert notify(context).superseded == 1
    assert [request.headers["Idempotency-Key"] for request in sinks["ops"].received] == ["R-2-blocked"]
    assert alert_status(context) == {"R-1-recommendation": "superseded", "R-2-blocked": "delivered"}


def test_resolved_and_the_recommendation_made_with_it_both_go_out(start, sinks):
    context = start("ops")
    put(context, "R-1-resolved", event="resolved")
    put(context, "R-1-recommendation", created_at=NOW + timedelta(milliseconds=1))
    notify(context)
    assert len(sinks["ops"].received) == 2


def test_channels_get_what_they_subscribe_to(start, sinks):
    context = start("ops", "desk")
    channels = dict(context.settings.channels)
    channels["ops"] = channels["ops"].model_copy(update={"portfolios": ("other",)})
    channels["desk"] = channels["desk"].model_copy(update={"events": ("blocked",)})
    context = replace(context, settings=context.settings.model_copy(update={"channels": channels}))
    put(context)
    put(context, "R-2-blocked", portfolio="other", event="blocked")
    put(context, "R-3-overdue", portfolio=None, event="blocked")
    notify(context)
    got = {name: {r.headers["Idempotency-Key"] for r in sinks[name].received} for name in ("ops", "desk")}
    assert got == {"ops": {"R-2-blocked", "R-3-overdue"}, "desk": {"R-2-blocked", "R-3-overdue"}}


def test_a_channel_without_its_secret_is_disabled_and_named(start, sinks, monkeypatch):
    context = start("ops", "desk")
    monkeypatch.delenv("TRIMTAB_CHANNEL_DESK")
    put(context)
    summary = notify(context)
    assert (summary.sent, summary.disabled) == (1, ("desk",))
    assert summary.sentence == "Alerts: 1 sent. The channel desk is off: its secret is not set."
    assert alert_status(context) == {"R-1-recommendation": "delivered"}


def test_the_test_message_reaches_every_channel_and_leaves_no_trace(start, sinks):
    context = start("ops", "desk")
    put(context)
    sinks["desk"].script = [500]
    summary = notify(context, test=True)
    assert (summary.sent, summary.failed) == (1, ("desk: HTTP 500",))
    (request,) = sinks["ops"].received
    assert "There is nothing to do." in request.json["message"]
    assert table(context, "ops.deliveries") == []
    assert alert_status(context) == {"R-1-recommendation": "pending"}


def test_simulated_homes_say_so_in_tests_too(start, sinks):
    context = start("ops")
    home(context).stamp(simulated=True)
    notify(context, test=True)
    assert sinks["ops"].received[0].json["title"].startswith("SIMULATED")


CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from tasks.clock import RealClock
from tasks.context import RunContext, SilentReporter
from tasks.notify import notify
from tasks.settings import load_settings
now = datetime.fromisoformat(sys.argv[2])
class Clock(RealClock):
    def now(self):
        return now
notify(RunContext(load_settings(Path(sys.argv[1])), now, "run-0", "run", now, Clock(), SilentReporter()))
"""


def test_a_sender_killed_after_sending_is_repeated_once_with_the_same_key(start, sinks):
    context = start("ops")
    put(context)
    arguments = [str(context.settings.config_path), NOW.isoformat()]
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, env=dict(os.environ))
    sinks["ops"].script, sinks["ops"].on_request = ["hang"], child.kill
    assert child.wait(60) == -9
    sinks["ops"].on_request = lambda: None
    sinks["ops"].release.set()
    assert attempts(context) == [("sending", False)]
    summary = notify(context)
    assert (summary.sent, summary.repeated) == (1, 1)
    assert notify(context).sent == 0
    original, repeat = sinks["ops"].received
    assert original.headers["Idempotency-Key"] == repeat.headers["Idempotency-Key"]
    assert "repeat of R-1-recommendation" in repeat.json["message"]
    assert attempts(context) == [("sending", False), ("sent", True)]


def test_two_deliveries_at_once_do_not_send_twice(start, sinks):
    context = start("ops")
    put(context)
    home(context).prepare()
    with delivering(home(context).state / "notify.lock", HandClock()) as is_ours:
        assert is_ours
        summary = notify(context)
    assert summary.is_busy
    assert summary.sentence.startswith("Another delivery is at work")
    assert sinks["ops"].received == []
    assert notify(context).sent == 1


def test_wrong_channels_are_found_before_the_run(start, monkeypatch):
    context = start("ops", "desk")
    assert channel_problems(context.settings, NOW) == ()
    monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", "slack://canary-too-short")
    (problem,) = channel_problems(context.settings, NOW)
    assert problem.startswith("channels.ops: Wanted one complete apprise URL in TRIMTAB_CHANNEL_OPS")
    assert "canary" not in problem


def test_no_secret_in_any_file_row_or_message(start, sinks, monkeypatch, caplog, capfd):
    canary = "canary0123456789abcdef"
    context = start("ops")
    monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", f"json://user:{canary}@127.0.0.1:{sinks['ops'].port}/{canary}")
    assert channel_secrets(context.settings)[0].count(canary) == 2
    sinks["ops"].script = [500, "lost", "redirect"]
    put(context)
    summaries = [notify(context) for _ in range(4)] + [notify(context, test=True)]
    left = b"".join(path.read_bytes() for path in home(context).root.rglob("*") if path.is_file())
    out = capfd.readouterr()
    assert canary.encode() not in left
    assert canary not in f"{summaries}{caplog.text}{out.out}{out.err}{context.reporter.texts}"
    assert all(canary.encode() not in request.body for request in sinks["ops"].received)


def test_what_a_clock_that_was_ahead_wrote_overtakes_nothing_that_came_later(start, sinks):
    context = start("ops")
    put(context, created_at=NOW + timedelta(hours=2))
    put(context, "R-2-recommendation", recommendation_id="R-2")
    notify(context)
    assert [request.headers["Idempotency-Key"] for request in sinks["ops"].received] == ["R-2-recommendation"]
    assert alert_status(context) == {"R-1-recommendation": "superseded", "R-2-recommendation": "delivered"}
