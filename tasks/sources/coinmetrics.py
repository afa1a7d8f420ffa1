"""Coin Metrics community API v4: daily on-chain metrics and reference prices; no key, CC BY-NC 4.0.

The catalog is asked first, because one asset or metric that is not served makes the whole request fail; it
also says where a series ends, so that one that stopped before the wanted history is not called empty.
Values are strings; a day's value closes at the following 00:00 UTC and is published seven hours later
(coinmetrics.io/faq).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tasks.settings_schema import CoinMetricsSettings, Settings
from tasks.sources._daily import DailySeries, after_day, make_page, read_from
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource, Pace
from tasks.sources._model import Advanced, Assignment, Failure, Finished, Page, SeriesState, Source, Started
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms, to_ms

NAME = "coinmetrics"
DATASET = "onchain_metrics"
LAG_MS = 7 * HOUR_MS
PAGE_SIZE = 10_000
PACE = Pace(10, 6.0)
# What is asked for a stablecoin: its dollar price values the cash of every portfolio.
STABLECOINS = ("USDT", "USDC", "DAI")
STABLECOIN_METRICS = ("PriceUSD", "CapMrktCurUSD", "SplyCur")
PRICE = "PriceUSD"

# By asset and metric: the values by midnight; None where the source says null.
Rows = dict[tuple[str, str], dict[int, float | None]]


@dataclass(frozen=True)
class Span:
    """The first and the last day of a series, as the catalog has them."""

    first: datetime
    last: datetime


def build(settings: Settings) -> list[Source]:
    """The source, where it is configured."""
    stated = settings.sources.coinmetrics
    return [] if stated is None else [CoinMetrics(stated)]


@dataclass(frozen=True)
class CoinMetrics:
    """Coin Metrics' community API."""

    settings: CoinMetricsSettings
    name: str = NAME
    datasets: tuple[str, ...] = (DATASET,)
    is_venue: bool = False

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing; a failure is emitted, none is raised."""
        http = HttpSource(NAME, assignment, PACE)
        try:
            self._fetch(http, assignment)
        except SourceError as error:
            assignment.emit(Failure(NAME, DATASET, "*", error.kind, str(error)))
        finally:
            http.close()
            assignment.emit(Finished(NAME, http.requests))

    def _fetch(self, http: HttpSource, assignment: Assignment) -> None:
        wanted = self._wanted(assignment.settings)
        served = self._catalog(http, list(wanted))
        states = list(self._states(assignment, wanted, served))
        assignment.emit(Started(NAME, DATASET, len(states)))
        absent = [state for state in states if state.status == "unsupported"]
        if absent:
            assignment.emit(Page(NAME, DATASET, {}, {}, tuple(absent)))
            assignment.emit(Advanced(NAME, DATASET, len(absent)))
        groups = _groups(assignment, [state for state in states if state.status != "unsupported"])
        for (start, metrics), members in groups.items():
            try:
                self._fetch_group(http, assignment, start, metrics, members)
            except SourceError as error:
                names = " ".join(dict.fromkeys(state.asset for state in members))
                assignment.emit(Failure(NAME, DATASET, names, error.kind, str(error)))
            assignment.emit(Advanced(NAME, DATASET, len(members)))

    def _wanted(self, settings: Settings) -> dict[str, tuple[str, ...]]:
        """Metrics by asset: all configured ones for coins, price and supply for stablecoins."""
        universe = settings.universe
        stable = dict.fromkeys((universe.quote, *universe.cash, *STABLECOINS))
        some = tuple(name for name in STABLECOIN_METRICS if name == PRICE or name in self.settings.metrics)
        wanted = dict.fromkeys(universe.assets, tuple(dict.fromkeys((PRICE, *self.settings.metrics))))
        return {**dict.fromkeys(stable, some), **wanted}

    def _catalog(self, http: HttpSource, assets: Sequence[str]) -> dict[str, dict[str, Span]]:
        """What is served without a key: first and last day by asset (upper case) and metric.

        The assets are not named in the request: the catalog, too, refuses a request that names one it
        does not have. Where it refuses a metric, all are asked for.
        """
        metrics = ",".join(dict.fromkeys((PRICE, *self.settings.metrics, *STABLECOIN_METRICS)))
        address = f"{self.settings.base_url}/v4/catalog-v2/asset-metrics"
        try:
            rows = list(_pages(http, address, {"metrics": metrics, "page_size": str(PAGE_SIZE)}))
        except SourceError as error:
            if error.kind != "refused":
                raise
            rows = _pages(http, address, {"page_size": str(PAGE_SIZE)})
        found: dict[str, dict[str, Span]] = {}
        for row in rows:
            asset = str(row.get("asset", "")).upper()
            if asset in assets:
                found[asset] = dict(_daily_community(row))
        return found

    def _states(
        self,
        assignment: Assignment,
        wanted: Mapping[str, Sequence[str]],
        served: Mapping[str, Mapping[str, Span]],
    ) -> Iterator[SeriesState]:
        for asset, metrics in wanted.items():
            for metric in metrics:
                fresh = SeriesState(NAME, DATASET, "", f"{asset}/{metric}", "", asset)
                state = assignment.states.get(fresh.key, fresh)
                span = served.get(asset, {}).get(metric)
                if span is None:
                    text = (
                        "not served without a key"
                        if asset in served
                        else "the source does not know the asset"
                    )
                    yield replace(state, status="unsupported", message=text, checked_at=assignment.as_of)
                else:
                    yield _within(assignment, replace(state, status="active", first_data_at=span.first), span)

    def _fetch_group(
        self,
        http: HttpSource,
        assignment: Assignment,
        start: datetime,
        metrics: tuple[str, ...],
        members: Sequence[SeriesState],
    ) -> None:
        assets = list(dict.fromkeys(state.asset for state in members))
        parameters = {
            "assets": ",".join(asset.lower() for asset in assets),
            "metrics": ",".join(metrics),
            "frequency": "1d",
            "start_time": f"{start:%Y-%m-%d}",
            "end_time": f"{assignment.as_of:%Y-%m-%d}",
            "paging_from": "start",
            "page_size": str(PAGE_SIZE),
        }
        rows: Rows = {(state.asset, _metric(state)): {} for state in members}
        days: Counter[str] = Counter()
        for row in _pages(http, f"{self.settings.base_url}/v4/timeseries/asset-metrics", parameters):
            days[_collect(row, rows)] += 1
        series = [_series(state, rows[state.asset, _metric(state)]) for state in members]
        simulated = http.is_simulated
        page = make_page(NAME, DATASET, series, after_day(LAG_MS), assignment, is_simulated=simulated)
        told = tuple(
            _told(state, rows[state.asset, _metric(state)], days[state.asset]) for state in page.series
        )
        assignment.emit(replace(page, series=told))


def _pages(http: HttpSource, address: str, parameters: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The rows of all pages; only the token is followed, never an address that the source sends."""
    token: str | None = None
    seen: set[str] = set()
    while True:
        body = http.json(address, {**parameters, **({"next_page_token": token} if token else {})})
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, list):
            raise SourceError("malformed", f"{NAME}: {address} answered without a list called data.")
        yield from data
        token = body.get("next_page_token")
        if not token:
            return
        if token in seen:
            raise SourceError("malformed", f"{NAME}: {address} sends the same page again and again.")
        seen.add(token)


def _daily_community(row: Mapping[str, Any]) -> Iterator[tuple[str, Span]]:
    for metric in row.get("metrics", ()):
        for frequency in metric.get("frequencies", ()):
            if frequency.get("frequency") == "1d" and frequency.get("community", True):
                last = frequency.get("max_time") or "9999-01-01T00:00:00"
                yield metric["metric"], Span(_instant(frequency["min_time"]), _instant(last))


def _instant(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)[:19] + "+00:00")
    except ValueError as error:
        raise SourceError("malformed", f"{NAME}: wanted an instant, found {str(text)[:40]!r}.") from error


def _within(assignment: Assignment, state: SeriesState, span: Span) -> SeriesState:
    """Where the series ended before anything that is asked for, its end is all there is to know of it."""
    end = span.last + timedelta(milliseconds=DAY_MS)
    if state.newest_data_at is None and end <= read_from(assignment, state):
        return replace(state, newest_data_at=end)
    return state


def _told(state: SeriesState, days: Mapping[int, float | None], rows: int) -> SeriesState:
    """A metric that is gone from the answer is not one that is null: two states, two sentences."""
    if rows and not days:
        text = (
            f"the source no longer sends {_metric(state)}: the key is missing from all {rows} days asked for"
        )
        return replace(state, status="delisted", message=text)
    empty = [day for day, value in days.items() if value is None]
    if empty and max(empty) == max(days):
        last = max((day for day, value in days.items() if value is not None), default=min(empty) - DAY_MS)
        text = f"the source says null from {from_ms(last + DAY_MS):%Y-%m-%d} on"
        return replace(state, message=text)
    return state


def _groups(
    assignment: Assignment, states: Sequence[SeriesState]
) -> dict[tuple[datetime, tuple[str, ...]], list[SeriesState]]:
    """Series that can share a request: the same first day and, per asset, the same set of metrics."""
    by_asset: dict[tuple[datetime, str], list[SeriesState]] = {}
    for state in states:
        by_asset.setdefault((read_from(assignment, state), state.asset), []).append(state)
    groups: dict[tuple[datetime, tuple[str, ...]], list[SeriesState]] = {}
    for (start, _), members in by_asset.items():
        metrics = tuple(sorted(_metric(state) for state in members))
        groups.setdefault((start, metrics), []).extend(members)
    return groups


def _metric(state: SeriesState) -> str:
    return state.market_id.partition("/")[2]


def _collect(row: Mapping[str, Any], rows: Rows) -> str:
    """Take the values of one asset and day, and say which asset's they are."""
    asset = str(row.get("asset", "")).upper()
    day = to_ms(_instant(row.get("time", "")))
    for (wanted, metric), days in rows.items():
        if wanted != asset or metric not in row:
            continue
        number = _number(row[metric])
        if days.setdefault(day, number) != number:
            raise SourceError("malformed", f"{NAME}: two values of {asset} {metric} for {row['time'][:10]}.")
    return asset


def _number(value: object) -> float | None:
    try:
        return None if value is None else float(str(value))
    except ValueError as error:
        raise SourceError("malformed", f"{NAME}: wanted a number, found {str(value)[:40]!r}.") from error


def _series(state: SeriesState, days: Mapping[int, float | None]) -> DailySeries:
    stamps = sorted(day for day, value in days.items() if value is not None)
    return DailySeries(
        state=state,
        days_ms=stamps,
        values={"value": [days[stamp] for stamp in stamps]},
        constants={"asset": state.asset, "metric": _metric(state)},
    )
