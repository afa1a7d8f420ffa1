"""The evidence of a validation as one page: self-contained HTML beside the published snapshot.

Each run leaves its own under <home>/published/validations; `validation.html` leads to the newest.
No script, no style sheet or picture from elsewhere; every text of a source is cleaned and escaped, and the
page's own policy forbids the browser to fetch anything.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from tasks.plain_text import clean
from warehouse.home import FOLDER_MODE, SNAPSHOT_MODE, Home

Row = Mapping[str, Any]
NAME, FOLDER = "validation.html", "validations"
MOST = 50
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #8884; }
th { font-weight: 600; } td { overflow-wrap: break-word; } td:first-child { white-space: nowrap; }
.ok { color: #1a7f37; } .warn { color: #9a6700; } .bad { color: #cf222e; font-weight: 600; }
.lead { font-size: 1.1rem; } .dim { opacity: .7; }
@media (prefers-color-scheme: dark) {
  .ok { color: #3fb950; } .warn { color: #d29922; } .bad { color: #ff7b72; }
}
"""


def write_page(
    home: Home,
    run_id: str,
    sentences: Sequence[str],
    verdicts: Sequence[Row],
    gaps: Sequence[Row],
    kept_out: Sequence[Row],
) -> Path:
    """Write the page of one validation and let `validation.html` lead to it; returns that link.

    Args:
        home: The home; the page lies among what is published.
        run_id: The run, which names the page.
        sentences: What passed and what did not; the first sums up.
        verdicts: Rows as in `ops.validations`, of the audits and of the ages.
        gaps: The answer of the query `open_gaps`.
        kept_out: The answer of the query `quarantined`.
    """
    folder, link = home.published / FOLDER, home.published / NAME
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    text = page(sentences, verdicts, gaps, kept_out)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(SNAPSHOT_MODE)
        Path(temporary).replace(folder / f"{run_id}.html")
        Path(temporary).symlink_to(f"{FOLDER}/{run_id}.html")
        Path(temporary).replace(link)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return link


def prune_pages(home: Home, before: datetime) -> int:
    """Remove the pages of runs before a moment; the newest stays whatever its age. Returns how many went."""
    folder, newest = home.published / FOLDER, (home.published / NAME).resolve()
    pages = [path for path in folder.glob("*") if path.name != newest.name] if folder.is_dir() else []
    gone = [path for path in pages if path.lstat().st_mtime < before.timestamp()]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def page(
    sentences: Sequence[str], verdicts: Sequence[Row], gaps: Sequence[Row], kept_out: Sequence[Row]
) -> str:
    """The page as text."""
    first = verdicts[0] if verdicts else {}
    blocked = any(not row["success"] and row["severity"] == "critical" for row in verdicts)
    state = ("bad", "Something does not pass") if blocked else ("ok", "What decides passes")
    broken = sorted((row for row in verdicts if not row["success"]), key=lambda row: str(row["severity"]))
    ages = [row for row in verdicts if row["expectation"] == "is_fresh"]
    audits = [row for row in verdicts if row["suite"] == "audit"]
    parts = [
        f'<p class="lead {state[0]}">{state[1]}.</p>',
        f"<p>{_text(sentences[0] if sentences else '')}</p>",
        f'<p class="dim">As of {_text(first.get("as_of"))} (data time), judged at '
        f"{_text(first.get('validated_at'))}, run {_text(first.get('run_id'))}.</p>",
        "<h2>What does not pass</h2>",
        _table(("", "dataset", "what was wanted and what was found"), map(_broken, broken), "Nothing."),
        "<h2>How old the data are</h2>",
        _table(("", "dataset", "source", "in words"), map(_age, ages), "No dataset is followed."),
        "<h2>What is missing</h2>",
        _table(("series", "from", "to", "state"), map(_gap, gaps), "No gap is known."),
        "<h2>What was kept out</h2>",
        _table(("source", "dataset", "reason", "rows", "example"), map(_kept_out, kept_out), "Nothing."),
        "<h2>Every promise</h2>",
        _table(("", "dataset", "promise", "rows", "in words"), map(_audit, audits), "None was judged."),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Trimtab: what the gate says</title><style>{STYLE}</style></head><body>"
        "<h1>Trimtab: what the gate says of the published data</h1>" + "\n".join(parts) + "</body></html>\n"
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "" if value is None else escape(clean(str(value), limit=2000), quote=True)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    if not body:
        return f"<p>{empty}</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _mark(row: Row) -> str:
    if row["success"]:
        return '<span class="ok">holds</span>'
    kind = "bad" if row["severity"] == "critical" else "warn"
    return f'<span class="{kind}">{"blocks" if kind == "bad" else "warning"}</span>'


def _broken(row: Row) -> tuple[str, ...]:
    return _mark(row), _text(row["dataset"]), _text(row["message"])


def _age(row: Row) -> tuple[str, ...]:
    return _mark(row), _text(row["dataset"]), _text(row["column_name"]), _text(row["message"])


def _gap(row: Row) -> tuple[str, ...]:
    names = (row["venue"], row["dataset"], row["market_type"], row["market_id"], row["timeframe"])
    series = " ".join(str(name) for name in names if name)
    return _text(series), _text(row["gap_start"]), _text(row["gap_end"]), _text(row["status"])


def _kept_out(row: Row) -> tuple[str, ...]:
    return tuple(_text(row[name]) for name in ("source", "dataset", "reason_code", "rows", "example"))


def _audit(row: Row) -> tuple[str, ...]:
    rows = (row["observed"] or {}).get("rows")
    return _mark(row), _text(row["dataset"]), _text(row["expectation"]), _text(rows), _text(row["message"])
