"""What a venue's section may ask for beyond candles, and what of it contradicts itself."""

from pathlib import Path

import pytest

from tasks.settings import ConfigError, Settings, load_settings
from tasks.settings_schema import VenueSettings
from tasks.sources.venue import faces

TEXT = """\
[[venues]]
id = "binance"
markets = ["spot", "perp", "future"]
datasets = ["open_interest", "mark_candles"]

[universe]
assets = ["BTC"]

[portfolios.core]
requires = ["candles_1d", "open_interest"]
"""


def load(folder: Path, text: str) -> Settings:
    file = folder / "trimtab.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_optional_datasets_and_dated_futures_are_accepted(tmp_path: Path) -> None:
    venue = load(tmp_path, TEXT).venues[0]
    assert venue.datasets == ("open_interest", "mark_candles")
    assert "future" in venue.markets


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ('datasets = ["open_interest", ', "datasets = [", "open_interest is required"),
        ('"perp", "future"', "", 'add "perp"'),
        ('"mark_candles"]', '"mark_candle"]', "mark_candle"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, before: str, after: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        load(tmp_path, TEXT.replace(before, after))


@pytest.mark.parametrize(
    ("base_url", "wanted"),
    [
        ("http://h", [("spot",), ("perp", "future")]),
        ({"spot": "http://a", "perp": "http://b"}, [("spot",), ("perp", "future")]),
        (
            {"spot": "http://a", "perp": "http://b", "future": "http://c"},
            [("spot",), ("perp",), ("future",)],
        ),
    ],
)
def test_dated_contracts_share_the_address_and_limit_of_perpetuals(
    base_url: object, wanted: list[tuple[str, ...]]
) -> None:
    markets = ["spot", "perp", "future"]
    venue = VenueSettings.model_validate({"id": "binance", "base_url": base_url, "markets": markets})
    assert faces(venue) == wanted
