"""The evidence as a page: self-contained, hostile texts stay texts, and what failed stands first."""

import os
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from tasks.validate import validate
from tasks.validation_page import page, prune_pages, write_page
from tests.tasks.test_validate import coin, context_for, settings_for, stored
from warehouse.home import Home

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!channel> javascript:alert(1)",
    "\u202egnp.exe\x1b[2J\nnext",
]


class Tags(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words.append(data)


def verdict(text, **changes):
    return {
        "run_id": text, "suite": "audit", "dataset": text, "expectation": text, "column_name": text,
        "severity": "critical", "success": False, "observed": {"rows": 7}, "message": text,
        "validated_at": "2024-06-01", "as_of": "2024-06-01",
    } | changes  # fmt: skip


def test_times_are_told_as_people_read_them():
    judged = datetime(2024, 6, 1, 18, 20, 5, 414752, tzinfo=UTC)
    assert "judged at 2024-06-01 18:20 UTC" in page([], [verdict("x", validated_at=judged)], [], [])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text):
    gap = dict.fromkeys(
        ("venue", "dataset", "market_type", "market_id", "timeframe", "gap_start", "gap_end", "status"), text
    )
    kept = dict.fromkeys(("source", "dataset", "reason_code", "rows", "example"), text)
    found = page([text], [verdict(text), verdict(text, expectation="is_fresh")], [gap], [kept])
    seen = Tags(found)
    assert not seen.tags & {"script", "img", "a", "link", "iframe", "object", "form"}
    assert not {name for name in seen.attributes if name.startswith("on")} | (
        seen.attributes & {"src", "href"}
    )
    assert "default-src 'none'" in found
    assert "\u202e" not in found
    assert "\x1b" not in found


def test_a_page_without_anything_says_so():
    words = " ".join(Tags(page([], [], [], [])).words)
    for sentence in ("Nothing.", "No dataset is followed.", "No gap is known.", "None was judged."):
        assert sentence in words


def test_every_validation_leaves_its_page(tmp_path):
    home = Home(tmp_path / "data")
    stored(home, ("candles", coin("BTC").drop(index=[10, 11])))
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",), requires=("funding_rates",))))
    path = home.published / "validation.html"
    assert summary.page == str(path)
    assert path.stat().st_mode & 0o777 == 0o640
    words = " ".join(Tags(path.read_text(encoding="utf-8")).words)
    assert "Something does not pass" in words
    assert "funding_rates has no data at all" in words
    assert "every missing candle lies in a gap" in words
    assert path.readlink().as_posix() == "validations/run-1.html"
    assert [p.name for p in (home.published / "validations").iterdir()] == ["run-1.html"]


def test_each_run_keeps_its_page_until_it_is_old(tmp_path):
    home = Home(tmp_path / "data")
    home.prepare()
    at = datetime(2026, 1, 31, tzinfo=UTC)
    for days in (40, 31, 29, 0):
        write_page(home, f"r{days}", [f"{days} days ago"], [], [], [])
        moment = (at - timedelta(days=days)).timestamp()
        os.utime((home.published / "validation.html").resolve(), (moment, moment))
    pages = home.published / "validations"
    assert prune_pages(home, at - timedelta(days=30)) == 2
    assert sorted(path.name for path in pages.iterdir()) == ["r0.html", "r29.html"]
    assert prune_pages(home, at + timedelta(days=900)) == 1
    assert "0 days ago" in (home.published / "validation.html").read_text(encoding="utf-8")
