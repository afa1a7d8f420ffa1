"""The step that validates: the whole published snapshot, by its audits and by the age of its data.

It reads only what is published, writes only verdicts and ages, and changes no fact. The same content at the
same `as_of` keeps its verdicts: nothing is judged or written twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.context import RunContext
from tasks.data_ages import data_ages, stale_assets
from tasks.validation_page import MOST, write_page
from tasks.validation_rows import AUDIT, FRESHNESS, Stamp, age_rows, audit_rows, freshness_rows, stamp_of
from tasks.version import code_version
from warehouse.errors import UnknownTable
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.queries import all_queries
from warehouse.reader import Reader, open_point_in_time, open_published

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
# Audits that speak of prices now, not of the stored whole.
OF_THE_MOMENT = ("venue_prices",)
# What is younger than this touches today's prices.
RECENT = timedelta(days=3)


@dataclass(frozen=True)
class ValidationSummary:
    """What the gate says of the published snapshot.

    Attributes:
        passed: No critical promise is broken, and everything that a portfolio requires is fresh.
        sentences: What passed and what did not, in plain words; the first sums up.
        failed: Datasets that break a critical promise.
        stale: Datasets that a portfolio requires and that are too old, or not there.
        suspect_assets: Assets to be left alone: a frozen feed, or daily prices that are too old.
        reused_from: The earlier run whose verdicts stand, because nothing changed since; "" if judged now.
        snapshot_id: The snapshot that was judged.
        page: Where the evidence lies as a page for people.
    """

    passed: bool
    sentences: tuple[str, ...]
    failed: tuple[str, ...]
    stale: tuple[str, ...]
    suspect_assets: tuple[str, ...]
    reused_from: str
    snapshot_id: int
    page: str = ""


def validate(context: RunContext, tables: tuple[str, ...] = ()) -> ValidationSummary:
    """Judge the published snapshot as of `context.as_of`, and record the verdicts.

    Args:
        context: The run.
        tables: Core tables to judge ("candles" or "core.candles"); none means all. The
            age of every dataset is judged each time.

    Raises:
        UnknownTable: A table that has no audit.
        NothingPublished: There is nothing to judge yet.
        WriterBusy: Another process held the warehouse for too long.
    """
    home = context.home
    audited = _audited(tables)
    with open_published(home) as reader:
        snapshot = reader.snapshot
        content = _content(reader, context)
        rows = _standing(reader, content, audited)
        if rows:
            summary = _summary(rows, snapshot.snapshot_id, reused_from=str(rows[0]["run_id"]))
            return _with_page(home, context, summary, rows, _evidence(reader))
        context.reporter.start("audit", len(audited))
        audits = _audits(reader, home, context, audited)
        series = _newest_of_series(reader, home, context)
        evidence = _evidence(reader)
    stamp = stamp_of(context, snapshot.load_id, content)
    verdicts = audit_rows(audits, stamp)
    verdicts += _store_with_ages(context, home, verdicts, series, stamp)
    return _with_page(home, context, _summary(verdicts, snapshot.snapshot_id), verdicts, evidence)


def _evidence(reader: Reader) -> tuple[Sequence[Row], Sequence[Row]]:
    return reader.rows("open_gaps", most=MOST), reader.rows("quarantined", most=MOST)


def _with_page(
    home: Home,
    context: RunContext,
    summary: ValidationSummary,
    verdicts: Sequence[Row],
    evidence: tuple[Sequence[Row], Sequence[Row]],
) -> ValidationSummary:
    return replace(
        summary, page=str(write_page(home, context.run_id, summary.sentences, verdicts, *evidence))
    )


def _audited(tables: tuple[str, ...]) -> tuple[str, ...]:
    known = sorted(name.removeprefix("audit.") for name in all_queries() if name.startswith("audit."))
    named = tuple(dict.fromkeys(table.removeprefix("core.").removeprefix("mart.") for table in tables))
    unknown = [table for table in named if table not in known]
    if unknown:
        raise UnknownTable(
            f"The gate was asked to validate {unknown[0]!r}, which it has no audit for. "
            f"Name one of {', '.join(known)}, or none for all of them."
        )
    return named or tuple(known)


def _audits(
    reader: Reader, home: Home, context: RunContext, audited: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """What the audits answer; of prices that are compared now, "now" is the moment of the check."""
    found: dict[str, pd.DataFrame] = {}
    for table in audited:
        if table in OF_THE_MOMENT and not _is_present(reader, context):
            with open_point_in_time(home, context.as_of, snapshot_id=reader.snapshot.snapshot_id) as past:
                found[table] = past.frame(f"audit.{table}", **_parameters(context, table))
        else:
            found[table] = reader.frame(f"audit.{table}", **_parameters(context, table))
        context.reporter.advance("audit")
    return found


def _parameters(context: RunContext, table: str) -> dict[str, Any]:
    """The limits that an audit asks for."""
    settings, as_of = context.settings, context.as_of
    lookback = max((portfolio.lookback_days for portfolio in settings.portfolios.values()), default=365)
    known: dict[str, Any] = {
        "assets": list(settings.universe.assets),
        "as_of": as_of,
        "since": as_of - timedelta(days=lookback + 2),
        "recent": as_of - RECENT,
        "examples": 3,
        "peg_tolerance": settings.gate.peg_tolerance,
        "max_spike": settings.gate.max_spike,
        "max_repeats": settings.gate.max_repeats,
        "day_tolerance": settings.gate.day_tolerance,
    }
    return {name: known[name] for name in all_queries()[f"audit.{table}"].parameters}


def _is_present(reader: Reader, context: RunContext) -> bool:
    newest = reader.rows("newest_as_of")[0]["as_of"]
    return newest is None or bool(newest <= context.as_of)


def _content(reader: Reader, context: RunContext) -> str:
    """A name for all that the verdicts depend on: the data, the moment, the limits and the code."""
    settings = context.settings
    parts: list[object] = [
        [[row["part"], row["rows"], str(row["mark"])] for row in reader.rows("content_signature")],
        context.as_of.isoformat(),
        settings.gate.model_dump(mode="json"),
        settings.universe.model_dump(mode="json"),
        [(venue.id, venue.markets) for venue in settings.venues],
        settings.sources.model_dump(mode="json", exclude={"__all__": {"base_url"}}),
        sorted((name, sorted(portfolio.requires)) for name, portfolio in settings.portfolios.items()),
        code_version(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _standing(reader: Reader, content: str, audited: Sequence[str]) -> Sequence[Row]:
    """The newest verdicts, if they were all given over this very content; else nothing."""
    newest = reader.rows("newest_validation")
    rows = [row for row in newest if row["suite"] == FRESHNESS or row["dataset"] in audited]
    if any((row["observed"] or {}).get("content") != content for row in rows):
        return []
    judged = {row["dataset"] for row in rows if row["suite"] == AUDIT}
    has_ages = any(row["suite"] == FRESHNESS for row in rows)
    return rows if judged == set(audited) and has_ages else []


def _newest_of_series(reader: Reader, home: Home, context: RunContext) -> list[dict[str, Any]]:
    """The newest datum of each series; for a moment in the past, as it was known then."""
    if _is_present(reader, context):
        return reader.rows("series_ages", as_of=context.as_of)
    with open_point_in_time(home, context.as_of) as past:
        return past.rows("series_ages", as_of=context.as_of)


def _store_with_ages(
    context: RunContext, home: Home, verdicts: Sequence[Row], series: Sequence[Row], stamp: Stamp
) -> list[dict[str, Any]]:
    """Judge the ages, and write them and all verdicts in one transaction."""
    settings, as_of = context.settings, context.as_of
    ages = data_ages(series, settings, as_of)
    judged = freshness_rows(ages, stale_assets(series, settings, as_of), stamp)
    with open_master(home, context.clock, purpose="validate") as master, master.transaction():
        master.run("clear_freshness")
        master.append("ops.freshness", age_rows(ages, judged, as_of))
        master.append("ops.validations", [*verdicts, *judged])
    return judged


def _summary(rows: Sequence[Row], snapshot_id: int, reused_from: str = "") -> ValidationSummary:
    broken = [row for row in rows if not row["success"]]
    critical = [row for row in broken if row["severity"] == "critical"]
    failed = sorted({str(row["dataset"]) for row in critical if row["suite"] == AUDIT})
    stale = sorted({str(row["dataset"]) for row in critical if row["suite"] == FRESHNESS})
    suspect = {str(asset) for row in broken for asset in (row["observed"] or {}).get("assets") or ()}
    audits = [row for row in rows if row["suite"] == AUDIT]
    total = sum({str(row["dataset"]): int(row["observed"].get("rows") or 0) for row in audits}.values())
    kept = sum(1 for row in audits if row["success"])
    ages = [row for row in rows if row["expectation"] == "is_fresh"]
    fresh = sum(1 for row in ages if row["success"])
    first = (
        f"{kept} of {len(audits)} promises hold over {total:,} stored rows; "
        f"{fresh} of {len(ages)} datasets are fresh."
    )
    told = sorted(broken, key=lambda row: (row["severity"] != "critical", row["suite"], row["dataset"]))
    words = {"critical": "Blocks what requires it", "warning": "Warning"}
    sentences = [f"{words.get(str(row['severity']), 'Note')}: {row['message']}" for row in told]
    return ValidationSummary(
        passed=not critical,
        sentences=(first, *sentences),
        failed=tuple(failed),
        stale=tuple(stale),
        suspect_assets=tuple(sorted(suspect)),
        reused_from=reused_from,
        snapshot_id=snapshot_id,
    )
