"""`trimtab status`: how things stand, read from the published snapshot only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from flows.options import Options, common
from flows.paper import console, duration, jsonable, table
from tasks.clock import RealClock
from tasks.settings import Settings, channel_secret, load_settings
from tasks.sources._licences import warnings_of
from warehouse.home import Home
from warehouse.reader import open_published

Row = dict[str, Any]


@click.command()
@common
def status(options: Options) -> int:
    """Freshness per dataset, last runs, holds with reasons, pending recommendations and alerts.

    Example: trimtab status --json
    """
    settings = load_settings(options.config, options.home)
    now = options.as_of or RealClock().now()
    facts = _gather(settings, now)
    if options.json:
        click.echo(json.dumps(jsonable(facts), indent=2, ensure_ascii=False))
        return 0
    _show(console(), facts)
    return 0


def _gather(settings: Settings, now: datetime) -> Row:
    with open_published(Home(settings.warehouse.home)) as reader:
        snapshot = reader.snapshot
        freshness = [_aged(row, now) for row in reader.rows("freshness")]
        facts: Row = {
            "now": now,
            "home": str(settings.warehouse.home),
            "is_simulated": snapshot.is_simulated,
            "snapshot": {
                "snapshot_id": snapshot.snapshot_id,
                "published_at": snapshot.published_at,
                "load_id": snapshot.load_id,
            },
            "freshness": freshness,
            "runs": reader.rows("newest_runs", count=5),
            "recommendations": reader.rows("newest_recommendations"),
            "undelivered_alerts": reader.rows("undelivered_alerts"),
            "series_not_active": reader.rows("failing_series"),
        }
    facts["licences"] = warnings_of(settings.sources)
    facts["channels"] = [
        {"channel": name, "kind": channel.kind, "is_enabled": _enabled(settings, name)}
        for name, channel in settings.channels.items()
    ]
    return facts


def _enabled(settings: Settings, name: str) -> bool:
    return settings.channels[name].kind == "console" or channel_secret(settings, name) is not None


def _aged(row: Row, now: datetime) -> Row:
    """The age now, not the age at the last check: a pipeline that stopped must look old."""
    newest: datetime | None = row["newest_data_at"]
    if newest is None:
        return {**row, "age_now_seconds": None, "is_fresh_now": False}
    stamp = newest if newest.tzinfo else newest.replace(tzinfo=UTC)
    age = (now - stamp).total_seconds()
    limit = row["limit_seconds"]
    return {**row, "age_now_seconds": age, "is_fresh_now": limit is None or age <= limit}


def _show(out: Console, facts: Row) -> None:
    if facts["is_simulated"]:
        out.print(Text("SIMULATED DATA", style="bold yellow"))
    snapshot = facts["snapshot"]
    age = duration((facts["now"] - snapshot["published_at"]).total_seconds())
    out.print(Text(f"Snapshot {snapshot['snapshot_id']}, published {age} ago, in {facts['home']}"))
    _title(out, "Data")
    rows = [
        (
            row["dataset"],
            row["source"],
            row["newest_data_at"],
            duration(row["age_now_seconds"]),
            duration(row["limit_seconds"]),
            "fresh" if row["is_fresh_now"] else "STALE",
            ", ".join(row["required_by"] or []),
        )
        for row in facts["freshness"]
    ]
    out.print(
        table(
            ("dataset", "source", "newest data (UTC)", "age", "limit", "", "required by"),
            rows,
            right=("age", "limit"),
        )
    )
    for sentence in facts["licences"]:
        out.print(Text(f"  Licence: {sentence}"))
    _title(out, "Recommendations")
    for row in facts["recommendations"] or []:
        out.print(
            Text(
                f"  {row['portfolio']}: {row['status'].upper()} as of {row['as_of']:%Y-%m-%d %H:%M} UTC, "
                f"{row['recommendation_id']}"
            )
        )
        out.print(Text(f"    {row['reason']}"))
    if not facts["recommendations"]:
        out.print(Text("  none yet: `trimtab run` makes one"))
    _title(out, "Last runs")
    runs = [(row["started_at"], row["flow"], row["status"], row["message"] or "") for row in facts["runs"]]
    out.print(table(("started (UTC)", "flow", "ended", "message"), runs))
    _show_alerts(out, facts)


def _show_alerts(out: Console, facts: Row) -> None:
    _title(out, "Alerts")
    for row in facts["undelivered_alerts"]:
        out.print(Text(f"  {row['status'].upper()} {row['alert_id']}: {row['title']}"))
    if not facts["undelivered_alerts"]:
        out.print(Text("  none waiting"))
    for row in facts["channels"]:
        if not row["is_enabled"]:
            secret = f"TRIMTAB_CHANNEL_{row['channel'].upper()}"
            out.print(Text(f"  channel {row['channel']} is disabled: {secret} is not set"))
    if facts["series_not_active"]:
        _title(out, "Series that are not simply followed")
        for row in facts["series_not_active"]:
            name = " ".join(
                str(row[key]) for key in ("source", "dataset", "market_id", "timeframe") if row[key]
            )
            out.print(Text(f"  {row['status']}: {name} {row['message'] or ''}"))


def _title(out: Console, text: str) -> None:
    out.print(Text(f"\n{text}", style="bold"))
