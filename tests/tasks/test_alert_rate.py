"""Storms, rejected credentials and the recipient's own time."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.message_times import in_zone
from tasks.messages import Message
from tasks.notify import notify
from tasks.settings import ConfigError, load_settings
from tests.tasks.test_notify import NOW, alert_status, home, put, sinks, start, table
from warehouse.master import open_master

__all__ = ["sinks", "start"]
CAP = "\n[alerts]\nmax_per_hour = 3\n"


def storm(context, count: int, first: int = 0) -> list[str]:
    """Write so many alerts, each of a portfolio of its own and a second later than the one before."""
    rows = [
        {
            "alert_id": f"R-{number}-recommendation",
            "episode_id": f"R-{number}",
            "recommendation_id": f"R-{number}",
            "portfolio": f"p{number}",
            "event": "recommendation",
            "severity": "info",
            "title": f"p{number}: sell",
            "body": f"SELL 1 BTC\nId R-{number}",
            "created_at": NOW + timedelta(seconds=number),
            "send_until": NOW + timedelta(days=1),
            "status": "pending",
            "is_simulated": False,
        }
        for number in range(first, first + count)
    ]
    with open_master(home(context), context.clock, "test") as master:
        master.append("ops.alerts", rows)
    return [row["alert_id"] for row in rows]


def keys(sink) -> list[str]:
    return [request.headers["Idempotency-Key"] for request in sink.received]


def test_a_storm_is_told_in_one_digest_and_every_alert_is_accounted_for(start, sinks):
    context = start("ops", extra=CAP)
    names = storm(context, 20)
    summary = notify(context)
    assert (summary.sent, summary.digested, summary.waiting, summary.failed) == (4, 17, 0, ())
    assert keys(sinks["ops"]) == [*names[:3], "digest-ops-20260301T120000"]
    digest = sinks["ops"].received[-1].json
    assert digest["title"] == "Trimtab: 17 alerts in one"
    assert all(f"- p{number}: sell [R-{number}]" in digest["message"] for number in range(3, 20))
    assert set(alert_status(context).values()) == {"delivered"}
    told = [row["alert_id"] for row in table(context, "ops.deliveries") if row["channel"] == "ops"]
    assert sorted(told) == sorted(names)


def test_the_next_digest_comes_an_hour_later_and_a_quiet_hour_ends_it(start, sinks):
    context = start("ops", extra=CAP)
    storm(context, 5)
    notify(context)
    late = storm(context, 2, first=5)
    context.clock.time += timedelta(minutes=30)
    assert (notify(context).sent, len(sinks["ops"].received)) == (0, 4)
    assert alert_status(context)[late[0]] == "partial"  # the terminal has it
    context.clock.time += timedelta(minutes=30)
    notify(context)
    assert keys(sinks["ops"])[4:] == late


def test_a_retraction_never_waits_for_a_digest(start, sinks):
    context = start("ops", extra=CAP)
    storm(context, 4)
    notify(context)
    put(context, "R-1-retracted", event="retracted", portfolio="p1", created_at=NOW + timedelta(minutes=1))
    notify(context)
    assert keys(sinks["ops"])[-1] == "R-1-retracted"


@pytest.mark.parametrize("answer", ["lost", 500])
def test_a_digest_that_was_not_confirmed_is_tried_again(start, sinks, answer):
    context = start("ops", extra=CAP)
    names = storm(context, 5)
    sinks["ops"].script = [200, 200, 200, answer]
    assert notify(context).failed[0].startswith("ops: digest-ops-20260301T120000: ")
    context.clock.time += timedelta(hours=1)
    summary = notify(context)
    assert (summary.sent, summary.waiting, summary.repeated) == (2, 0, 2 if answer == "lost" else 0)
    assert set(alert_status(context).values()) == {"delivered"}
    again = [request.json["message"] for request in sinks["ops"].received[4:]]
    assert sum("repeat of" in text for text in again) == (2 if answer == "lost" else 0)
    assert keys(sinks["ops"])[4:] == names[3:]


@pytest.mark.parametrize("status", [401])
def test_rejected_credentials_are_told_by_another_channel_and_not_hammered(start, sinks, status):
    context = start("ops", "desk")
    storm(context, 3)
    sinks["ops"].script = [status] * 99
    first = notify(context)
    assert first.failed == (f"ops: R-0-recommendation: credentials rejected (HTTP {status})",)
    assert len(sinks["ops"].received) == 1
    assert keys(sinks["desk"])[-1] == "channel-ops-20260301"
    assert "The channel ops does not accept its credentials" in sinks["desk"].received[-1].json["message"]
    for _ in range(2):
        notify(context)
    assert (len(sinks["ops"].received), len(sinks["desk"].received)) == (1, 4)
    context.clock.time += timedelta(hours=1)
    sinks["ops"].script = []
    notify(context)
    assert keys(sinks["ops"])[1:] == [f"R-{number}-recommendation" for number in range(3)]
    assert set(alert_status(context).values()) == {"delivered"}


def test_times_are_shown_in_the_zone_of_the_recipient(start, sinks):
    context = start("ops", "desk")
    channels = dict(context.settings.channels)
    channels["desk"] = channels["desk"].model_copy(update={"time_zone": "Asia/Kolkata"})
    context = replace(context, settings=context.settings.model_copy(update={"channels": channels}))
    put(context, body="Valid until 2026-03-01 20:00 UTC. Id R-1")
    notify(context)
    assert "until 2026-03-01 20:00 UTC." in sinks["ops"].received[0].json["message"]
    assert "until 2026-03-02 01:30 UTC+05:30." in sinks["desk"].received[0].json["message"]


@pytest.mark.parametrize(
    ("zone", "text", "shown"),
    [
        ("UTC", "at 2026-03-29 00:30 UTC", "at 2026-03-29 00:30 UTC"),
        ("Europe/Berlin", "at 2026-03-29 00:30 UTC", "at 2026-03-29 01:30 UTC+01:00"),
        ("Europe/Berlin", "at 2026-03-29 01:30 UTC", "at 2026-03-29 03:30 UTC+02:00"),
        ("America/New_York", "2026-01-01 00:00 UTC.", "2025-12-31 19:00 UTC-05:00."),
        ("Europe/Berlin", "2026-99-99 00:30 UTC", "2026-99-99 00:30 UTC"),
        ("Europe/Berlin", "0001-01-01 00:00 UTC", "0001-01-01 00:53 UTC+00:53"),
    ],
)
def test_an_instant_names_its_offset(zone, text, shown):
    assert in_zone(Message("t", text), zone).body == shown


def test_an_unknown_zone_is_refused(start):
    context = start("ops")
    path = context.settings.config_path
    path.write_text(path.read_text() + 'time_zone = "Mars/Olympus"\n')
    with pytest.raises(ConfigError, match="IANA time zone such as 'Europe/Berlin', found 'Mars/Olympus'"):
        load_settings(path)


def test_of_many_alerts_to_a_receiver_that_fails_at_random_each_arrives_or_ends_with_a_reason(start, sinks):
    """A sample of 15; `make soak` sends 1,000."""
    check_random_failures(start("ops", extra="\n[alerts]\nmax_per_hour = 1000\n"), sinks["ops"], 15, seed=5)


def check_random_failures(context, sink, count: int, seed: int) -> None:
    chance = random.Random(seed)
    names = storm(context, count)
    sink.script = chance.choices([200, 500, 429, "lost", "redirect"], [6, 1, 1, 2, 1], k=count * 6)
    while notify(context).waiting:
        context.clock.time += timedelta(minutes=10)
    arrived, rows = set(keys(sink)), table(context, "ops.deliveries")
    ends = alert_status(context)
    for name in names:
        mine = [row for row in rows if row["alert_id"] == name and row["channel"] == "ops"]
        assert ends[name] in {"delivered", "failed", "expired"}
        assert name in arrived if ends[name] == "delivered" else all(row["detail"] for row in mine)
    assert not [row for row in rows if row["status"] == "sending"]
    in_doubt = sum(row["status"] == "ambiguous" for row in rows)
    assert sum(row["is_repeat"] for row in rows) <= in_doubt
