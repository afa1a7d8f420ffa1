"""Signals in a decision: only where a portfolio asks, only proven ones, and told with their evidence."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.policy import config_hash, deciding_settings, policy_of
from tasks.settings import ConfigError, load_settings
from tasks.told_views import view_sentences
from tasks.views import Heard, read_views, view_rows
from tests.tasks.support import make_context

DAYS = pd.date_range("2016-01-01", periods=1500, freq="D")
AS_OF = datetime(2020, 2, 10, 0, 30, tzinfo=UTC)  # half an hour after the last of DAYS has ended
HEAD = """\
[[venues]]
id = "binance"

[universe]
assets = ["BTC", "ETH"]

[portfolios.core]
rebalance = { horizon_days = 7 }
"""
LISTENING = 'expected_returns = "black_litterman"\nsignals = ["nvt", "mvrv"]\n'


class FakeReader:
    """Hands out one signal that knows the future and one that knows nothing."""

    def __init__(self, last_score: str = "2020-02-09") -> None:
        rng = np.random.default_rng(5)
        moves = rng.standard_normal((len(DAYS), 2)) * 0.03
        after = pd.DataFrame(moves).rolling(7).sum().shift(-7).fillna(0.0).to_numpy() / 0.08
        said = {
            "nvt": 0.4 * after + rng.standard_normal(after.shape),
            "mvrv": rng.standard_normal(after.shape),
        }
        self.last_score = pd.Timestamp(last_score)
        self.scores = pd.concat([self._tall(z, "z_score").assign(signal=name) for name, z in said.items()])
        self.returns = self._tall(moves, "simple_return")
        self.asked: list[str] = []

    @staticmethod
    def _tall(values: Any, name: str) -> pd.DataFrame:
        frame = pd.DataFrame(values, index=DAYS, columns=["BTC", "ETH"])
        tall = frame.rename_axis("as_of_date").melt(var_name="asset", value_name=name, ignore_index=False)
        return tall.reset_index().assign(entry_date=lambda x: x["as_of_date"])

    def frame(self, query: str, **asked: Any) -> pd.DataFrame:
        self.asked.append(query)
        if query == "signal_returns":
            return self.returns
        rows = self.scores[self.scores["as_of_date"] <= self.last_score]
        return rows[rows["signal"].isin(asked["signals"])]


@pytest.fixture
def context(tmp_path):
    def make(text):
        file = tmp_path / "trimtab.toml"
        file.write_text(HEAD + text)
        return make_context(load_settings(file), as_of=AS_OF)

    return make


LINES = ["spot:BTC", "spot:ETH", "cash:USDT"]


def test_a_portfolio_that_names_no_signals_asks_nothing(context):
    reader = FakeReader()
    assert read_views(reader, context('expected_returns = "black_litterman"\n'), "core", LINES) == Heard()
    assert reader.asked == []


def test_only_what_is_proven_has_a_view(context):
    heard = read_views(FakeReader(), context(LISTENING), "core", LINES)
    assert {e.signal: e.is_proven for e in heard.evidence} == {"nvt": True, "mvrv": False}
    assert [(v.line, v.signal) for v in heard.views] == [("spot:BTC", "nvt"), ("spot:ETH", "nvt")]
    assert all(0.0 < v.confidence <= 0.30 for v in heard.views)


def test_a_score_that_is_out_of_date_is_no_view(context):
    heard = read_views(FakeReader("2020-01-30"), context(LISTENING), "core", LINES)
    assert heard.views == ()
    assert {e.signal: e.is_proven for e in heard.evidence}["nvt"]
    texts = view_sentences(view_rows("R-1", heard))
    assert texts[0] == "Proven, but without a score that is up to date: nvt."


def test_the_recommendation_tells_views_and_who_has_none(context):
    heard = read_views(FakeReader(), context(LISTENING), "core", LINES)
    rows = view_rows("R-1", heard)
    assert [(row["signal"], row["asset"]) for row in rows] == [("nvt", "BTC"), ("nvt", "ETH"), ("mvrv", "")]
    assert rows[0]["evidence"]["is_proven"] is True
    texts = view_sentences(rows)
    assert texts[0].startswith("nvt on BTC: ")
    assert "a year beyond the prior, confidence" in texts[0]
    assert texts[-1] == "Not proven out of sample, so without a view (1): mvrv."


def test_no_history_is_no_view(context):
    reader = FakeReader()
    reader.scores, reader.returns = reader.scores.iloc[:0], reader.returns.iloc[:0]
    assert read_views(reader, context(LISTENING), "core", LINES) == Heard()


def test_signals_change_the_configuration_only_where_they_are_named(context):
    without = context('expected_returns = "black_litterman"\n').settings
    named = context(LISTENING).settings
    assert "signals" not in deciding_settings(without, "core")["portfolios"]["core"]
    assert config_hash(without, "core") != config_hash(named, "core")
    assert policy_of(without, "core") == policy_of(named, "core")


def test_signals_that_nobody_would_hear_are_refused(context):
    with pytest.raises(ConfigError, match="no other estimator hears views"):
        context('signals = ["nvt"]\n')
    with pytest.raises(ConfigError, match="signals"):
        context('expected_returns = "black_litterman"\nsignals = ["moon_phase"]\n')
