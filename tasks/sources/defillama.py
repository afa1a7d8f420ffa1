"""DefiLlama: chains and stablecoins; where they are named also protocols, pools and incidents; no key.

A stablecoin's price on a day is its circulation in dollars divided by its circulation in tokens, both
from the same row of its chart. The newest point is today's and still moves; a day counts once it is over,
an hour later (the adapters run hourly). History is restated; the last week is read again each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tasks.settings_schema import DefiLlamaSettings, Settings
from tasks.sleeve_parameters import sleeve_pools
from tasks.sources._daily import DailySeries
from tasks.sources._defillama import NAME, fetch_one, midnight, points, state_of, whole_series
from tasks.sources._defillama_incidents import INCIDENTS, fetch_incidents
from tasks.sources._defillama_pools import POOLS, fetch_pools
from tasks.sources._defillama_protocols import METRICS, fetch_protocols
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Assignment, Failure, Finished, SeriesState, Source, Started

CHAINS = "protocol_metrics"
STABLECOINS = "stablecoins"
TVL = "tvl_usd"
ALL_CHAINS = "all"
CHAINS_HOST = "https://api.llama.fi"
STABLECOINS_HOST = "https://stablecoins.llama.fi"


def build(settings: Settings) -> list[Source]:
    """The source, where it is configured."""
    stated = settings.sources.defillama
    if stated is None:
        return []
    named = (*stated.pools, *stated.lending_pools, *sleeve_pools(settings))
    pools = (POOLS,) if named else ()
    incidents = (INCIDENTS,) if stated.incidents else ()
    return [DefiLlama(stated, datasets=(CHAINS, STABLECOINS, *pools, *incidents))]


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
            fetch_protocols(http, assignment, self.settings)
            fetch_pools(http, assignment, self.settings)
            fetch_incidents(http, assignment, self.settings)
        finally:
            http.close()
            assignment.emit(Finished(NAME, http.requests))

    def _fetch_chains(self, http: HttpSource, assignment: Assignment) -> None:
        entities = (ALL_CHAINS, *self.settings.chains)
        protocols = len(self.settings.protocols) * len(METRICS)
        assignment.emit(Started(NAME, CHAINS, len(entities) + protocols))
        host = self.settings.base_url or CHAINS_HOST
        for entity in entities:
            state = state_of(assignment, CHAINS, f"{entity}/{TVL}", "")
            path = "" if entity == ALL_CHAINS else f"/{quote(entity)}"

            def fetch(entity: str = entity, state: SeriesState = state, path: str = path) -> DailySeries:
                days = points(http.json(f"{host}/v2/historicalChainTvl{path}"), "tvl")
                names = {"entity_kind": "chain", "entity": entity, "metric": TVL}
                return whole_series(state, {"value": days}, names)

            fetch_one(http, assignment, state, fetch)

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
            state = state_of(assignment, STABLECOINS, coin, coin)

            def fetch(coin: str = coin, state: SeriesState = state) -> DailySeries:
                if coin not in known:
                    raise SourceError("refused", f"{NAME}: there is no stablecoin called {coin}.")
                chart = http.json(f"{host}/stablecoincharts/all", {"stablecoin": known[coin]})
                return _stablecoin(state, coin, chart)

            fetch_one(http, assignment, state, fetch)


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


def _stablecoin(state: SeriesState, coin: str, chart: Json) -> DailySeries:
    if not isinstance(chart, list):
        raise SourceError("malformed", f"{NAME}: wanted the chart of {coin}, found {str(chart)[:60]!r}.")
    supply: dict[int, float | None] = {}
    price: dict[int, float | None] = {}
    for row in chart:
        day = midnight(row)
        tokens, dollars = _amount(row.get("totalCirculating")), _amount(row.get("totalCirculatingUSD"))
        supply.setdefault(day, tokens)
        price.setdefault(day, dollars / tokens if tokens and dollars else None)
    return whole_series(state, {"supply": supply, "price_usd": price}, {"asset": coin})


def _amount(amounts: object) -> float | None:
    """The sum over pegs of an amount such as {"peggedUSD": 1.0}; None where there is none."""
    if not isinstance(amounts, dict) or not amounts:
        return None
    return sum(float(value or 0) for value in amounts.values())  # pyright: ignore[reportUnknownArgumentType]
