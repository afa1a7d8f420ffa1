"""How old the stored data are: by dataset and source, and by asset.

Comes in: the newest datum of every stored series, the settings, and the moment of the check. Goes out:
plain values. A series that the configuration no longer asks for, or that a source does not list, counts for
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.settings import Settings
from tasks.sleeve_parameters import sleeve_pools

PROVIDERS = {
    "onchain_metrics": "coinmetrics",
    "protocol_metrics": "defillama",
    "stablecoins": "defillama",
    "yield_pools": "defillama",
    "incidents": "defillama",
    "macro_series": "fred",
    "futures_positioning": "cftc",
}
# What a venue is asked for only when its section says so.
OPTIONAL_DATASETS = ("open_interest", "mark_candles", "leverage_brackets", "implied_volatility", "tickers")
MARKET_DATASETS = ("candles", "funding_rates", "order_book_depth", "instruments", *OPTIONAL_DATASETS)


@dataclass(frozen=True)
class DataAge:
    """How old one dataset from one source is; ages and limits in seconds."""

    dataset: str
    source: str
    newest_data_at: datetime | None
    age_seconds: float | None
    limit_seconds: float
    required_by: tuple[str, ...]

    def sentence(self) -> str:
        """The age in plain words."""
        name = f"{self.dataset} ({self.source})" if self.source else self.dataset
        limit = f"the limit is {span(self.limit_seconds)}"
        needed = f" Required by {', '.join(self.required_by)}." if self.required_by else ""
        if self.newest_data_at is None or self.age_seconds is None:
            return f"{name} has no data at all; {limit}.{needed}"
        return (
            f"{name} ends at {self.newest_data_at:%Y-%m-%d %H:%M} UTC, {span(self.age_seconds)} before the "
            f"moment of the check; {limit}.{needed}"
        )


def span(seconds: float) -> str:
    """A length of time as people say it: minutes, hours up to three days, then days."""
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} minutes"
    if seconds <= 72 * 3600:
        return f"{seconds / 3600:.3g} hours"
    return f"{seconds / 86_400:,.0f} days"


def dataset_of(row: Mapping[str, Any]) -> str:
    """The name under which a series has its limit of age: candles go by timeframe."""
    return f"candles_{row['timeframe']}" if row["dataset"] == "candles" else str(row["dataset"])


def data_ages(rows: Sequence[Mapping[str, Any]], settings: Settings, as_of: datetime) -> list[DataAge]:
    """The age of each dataset and source: that of its newest series.

    Args:
        rows: The answer of the query `series_ages`.
        settings: What is followed, the limits, and which portfolio requires what.
        as_of: The moment of the check.
    """
    newest: dict[tuple[str, str], datetime | None] = {}
    for row in rows:
        if not is_followed(row, settings):
            continue
        name = (dataset_of(row), str(row["source"]))
        newest[name] = max((at for at in (newest.get(name), row["newest_data_at"]) if at), default=None)
    seen = {dataset for dataset, _ in newest}
    for dataset in sorted(_required(settings) - seen):
        newest[dataset, ""] = None
    return [
        _age(dataset, source, at, settings, as_of)
        for (dataset, source), at in sorted(newest.items(), key=lambda item: item[0])
        if dataset in settings.gate.freshness
    ]


def stale_assets(rows: Sequence[Mapping[str, Any]], settings: Settings, as_of: datetime) -> dict[str, str]:
    """Assets whose daily spot candles are older than their limit on every venue: asset → why, in words.

    An asset that no venue lists has no such series and is not named. Where all of them are stale, so is the
    dataset, and none is named apart.
    """
    limit = settings.gate.freshness["candles_1d"].total_seconds()
    found: dict[str, list[datetime | None]] = {}
    for row in rows:
        is_daily = dataset_of(row) == "candles_1d" and row["market_type"] == "spot"
        if is_daily and row["asset"] in settings.universe.assets and is_followed(row, settings):
            found.setdefault(str(row["asset"]), []).append(row["newest_data_at"])
    stale: dict[str, str] = {}
    for asset, ends in sorted(found.items()):
        newest = max((at for at in ends if at), default=None)
        if newest is None:
            stale[asset] = f"{asset} is listed and has no daily candle; the limit is {span(limit)}."
        elif (age := (as_of - newest).total_seconds()) > limit:
            stale[asset] = (
                f"the daily candles of {asset} end at {newest:%Y-%m-%d %H:%M} UTC, {span(age)} before the "
                f"moment of the check; the limit is {span(limit)}."
            )
    return stale if len(stale) < len(found) else {}


def is_followed(row: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the configuration still asks for this series."""
    dataset = str(row["dataset"])
    if dataset in MARKET_DATASETS:
        return _is_followed_market(row, settings)
    provider = PROVIDERS.get(dataset)
    if provider is None:
        return True
    sources = settings.sources
    if dataset == "macro_series":
        return sources.fred is not None and row["market_id"] in sources.fred.every
    if dataset == "futures_positioning":
        return sources.cftc is not None and row["market_id"] in sources.cftc.contracts.values()
    if dataset in ("yield_pools", "incidents"):
        return _is_followed_pool(dataset, row, settings)
    return getattr(sources, provider) is not None


def _is_followed_pool(dataset: str, row: Mapping[str, Any], settings: Settings) -> bool:
    stated = settings.sources.defillama
    if stated is None:
        return False
    if dataset == "incidents":
        return stated.incidents
    return row["market_id"] in (*stated.pools, *stated.lending_pools, *sleeve_pools(settings))


def _is_followed_market(row: Mapping[str, Any], settings: Settings) -> bool:
    venue = next((venue for venue in settings.venues if venue.id == row["source"]), None)
    if venue is None:
        return False
    # Options are no kind of market that is followed: their volatility is.
    is_market = row["market_type"] and row["dataset"] != "implied_volatility"
    if is_market and row["market_type"] not in venue.markets:
        return False
    if row["dataset"] in OPTIONAL_DATASETS and row["dataset"] not in venue.datasets:
        return False
    if row["timeframe"] and row["timeframe"] not in settings.universe.timeframes:
        return False
    followed = {*settings.universe.assets, *settings.universe.cash, settings.universe.quote, ""}
    return row["asset"] in followed


def _required(settings: Settings) -> set[str]:
    return {dataset for portfolio in settings.portfolios.values() for dataset in portfolio.requires}


def _requirers(dataset: str, settings: Settings) -> Iterable[str]:
    return (name for name, portfolio in settings.portfolios.items() if dataset in portfolio.requires)


def _age(dataset: str, source: str, newest: datetime | None, settings: Settings, as_of: datetime) -> DataAge:
    return DataAge(
        dataset=dataset,
        source=source,
        newest_data_at=newest,
        age_seconds=None if newest is None else max(0.0, (as_of - newest).total_seconds()),
        limit_seconds=settings.gate.freshness[dataset].total_seconds(),
        required_by=tuple(sorted(_requirers(dataset, settings))),
    )
