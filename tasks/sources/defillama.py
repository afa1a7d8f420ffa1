"""DefiLlama: value locked per chain, and supply and price of stablecoins, daily; no key.

A stablecoin's price on a day is its circulation in dollars divided by its circulation in tokens, both
from the same row of its chart. The newest point is today's and still moves; a day counts once it is over,
an hour later (the adapters run hourly). History is restated; the last week is read again each time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from tasks.settings_schema import DefiLlamaSettings, Settings
from tasks.sources._daily import DailySeries, after_day, make_page
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Advanced, Assignment, Failure, Finished, Page, SeriesState, Source, Started
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms

NAME = "defillama"
CHAINS = "protocol_metrics"
STABLECOINS = "stablecoins"
TVL = "tvl_usd"
ALL_CHAINS = "all"
LAG_MS = HOUR_MS
CHAINS_HOST = "https://api.llama.fi"
STABLECOINS_HOST = "https://stablecoins.llama.fi"


def build(settings: Settings) -> list[Source]:
    """The source, where it is configured."""
    stated = settings.sources.defillama
    return [] if stated is None else [DefiLlama(stated)]


@dataclass(frozen=True)
class DefiLlama:
    """DefiLlama's public APIs."""

    settings: DefiLlamaSettings
    name: str = NAME
    datasets: tuple[str, ...] = (CHAINS, STABLECOINS)
    is_venue: bool = False

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing; a failure is emitted, none is raised."""
        http = HttpSource(NAME, assignment)
        try:
            self._fetch_chains(http, assignment)
            self._fetch_stablecoins(http, assignment)
        finally:
            http.close()
            assignment.emit(Finished(NAME, http.requests))

    def _fetch_chains(self, http: HttpSource, assignment: Assignment) -> None:
        entities = (ALL_CHAINS, *self.settings.chains)
        assignment.emit(Started(NAME, CHAINS, len(entities)))
        host = self.settings.base_url or CHAINS_HOST
        for entity in entities:
            state = _state(assignment, CHAINS, f"{entity}/{TVL}", "")
            path = "" if entity == ALL_CHAINS else f"/{quote(entity)}"

            def fetch(entity: str = entity, state: SeriesState = state, path: str = path) -> DailySeries:
                days = _points(http.json(f"{host}/v2/historicalChainTvl{path}"), "tvl")
                names = {"entity_kind": "chain", "entity": entity, "metric": TVL}
                return _series(state, {"value": days}, names)

            _fetch_one(http, assignment, state, fetch)

    def _fetch_stablecoins(self, http: HttpSource, assignment: Assignment) -> None:
        universe = assignment.settings.universe
        coins = list(dict.fromkeys((universe.quote, *universe.cash, *self.settings.stablecoins)))
        assignment.emit(Started(NAME, STABLECOINS, len(coins)))
        host = self.settings.base_url or STABLECOINS_HOST
        try:
            known = _identities(http.json(f"{host}/stablecoins", {"includePrices": "true"}))
        except SourceError as error:
            assignment.emit(Failure(NAME, STABLECOINS, "*", error.kind, str(error)))
            return
        for coin in coins:
            state = _state(assignment, STABLECOINS, coin, coin)

            def fetch(coin: str = coin, state: SeriesState = state) -> DailySeries:
                if coin not in known:
                    raise SourceError("refused", f"{NAME}: there is no stablecoin called {coin}.")
                chart = http.json(f"{host}/stablecoincharts/all", {"stablecoin": known[coin]})
                return _stablecoin(state, coin, chart)

            _fetch_one(http, assignment, state, fetch)


def _fetch_one(
    http: HttpSource, assignment: Assignment, state: SeriesState, fetch: Callable[[], DailySeries]
) -> None:
    """One series; where it fails the others go on."""
    try:
        series = fetch()
        if not series.days_ms:
            assignment.emit(Page(NAME, state.dataset, {}, {}, (_without_days(assignment, state),)))
        else:
            simulated = http.is_simulated
            lag = after_day(LAG_MS)
            page = make_page(NAME, state.dataset, [series], lag, assignment, is_simulated=simulated)
            assignment.emit(page)
    except SourceError as error:
        status = "unsupported" if error.kind == "refused" else "failing"
        told = replace(state, status=status, message=str(error), checked_at=assignment.as_of)
        assignment.emit(Page(NAME, state.dataset, {}, {}, (told,)))
        if status == "failing":
            assignment.emit(Failure(NAME, state.dataset, state.market_id, error.kind, str(error)))
    assignment.emit(Advanced(NAME, state.dataset))


def _without_days(assignment: Assignment, state: SeriesState) -> SeriesState:
    """An empty history: nothing yet for a new series, an incomplete answer for one that had days before."""
    if state.newest_data_at is not None:
        text = f"{NAME}: wanted the days of {state.market_id}, found an empty list although there were some."
        raise SourceError("incomplete", text)
    return replace(state, status="not_listed", message="no day yet", checked_at=assignment.as_of)


def _state(assignment: Assignment, dataset: str, series: str, asset: str) -> SeriesState:
    fresh = SeriesState(NAME, dataset, "", series, "", asset)
    return assignment.states.get(fresh.key, fresh)


def _identities(body: Json) -> dict[str, str]:
    """DefiLlama's id by symbol; several coins share a symbol, the most used one is meant."""
    rows = body.get("peggedAssets") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise SourceError("malformed", f"{NAME}: the list of stablecoins came without peggedAssets.")
    by_size = sorted((row for row in rows if isinstance(row, dict)), key=_circulating)
    return {str(row.get("symbol", "")).upper(): str(row.get("id", "")) for row in by_size}


def _circulating(row: Mapping[str, Any]) -> float:
    amounts = row.get("circulating")
    return sum(float(value or 0) for value in amounts.values()) if isinstance(amounts, dict) else 0.0


def _points(body: Json, field: str) -> dict[int, float | None]:
    """Value by midnight in milliseconds; the first point of a day counts, a later one is still moving."""
    if not isinstance(body, list):
        raise SourceError("malformed", f"{NAME}: wanted a list of days, found {str(body)[:60]!r}.")
    days: dict[int, float | None] = {}
    for row in body:
        value = row.get(field)
        days.setdefault(_midnight(row), None if value is None else float(value))
    return days


def _midnight(row: Mapping[str, Any]) -> int:
    try:
        return int(row["date"]) * 1000 // DAY_MS * DAY_MS
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            "malformed", f"{NAME}: a point without a readable date: {str(row)[:80]}."
        ) from error


def _stablecoin(state: SeriesState, coin: str, chart: Json) -> DailySeries:
    if not isinstance(chart, list):
        raise SourceError("malformed", f"{NAME}: wanted the chart of {coin}, found {str(chart)[:60]!r}.")
    supply: dict[int, float | None] = {}
    price: dict[int, float | None] = {}
    for row in chart:
        day = _midnight(row)
        tokens, dollars = _amount(row.get("totalCirculating")), _amount(row.get("totalCirculatingUSD"))
        supply.setdefault(day, tokens)
        price.setdefault(day, dollars / tokens if tokens and dollars else None)
    return _series(state, {"supply": supply, "price_usd": price}, {"asset": coin})


def _amount(amounts: object) -> float | None:
    """The sum over pegs of an amount such as {"peggedUSD": 1.0}; None where there is none."""
    if not isinstance(amounts, dict) or not amounts:
        return None
    return sum(float(value or 0) for value in amounts.values())  # pyright: ignore[reportUnknownArgumentType]


def _series(
    state: SeriesState, columns: Mapping[str, Mapping[int, float | None]], names: Mapping[str, str]
) -> DailySeries:
    stamps = sorted(next(iter(columns.values())))
    values = {name: [days[stamp] for stamp in stamps] for name, days in columns.items()}
    # The answer is the whole history, so its first day is the series' first day.
    known = replace(state, first_data_at=from_ms(stamps[0])) if stamps else state
    return DailySeries(known, stamps, values, names)
