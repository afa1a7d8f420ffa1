"""DefiLlama's protocols: value locked, fees that users paid, and what of them the protocol kept; daily."""

from collections.abc import Mapping
from urllib.parse import quote

from tasks.settings_schema import DefiLlamaSettings
from tasks.sources._daily import DailySeries
from tasks.sources._defillama import NAME, fetch_one, points, state_of, whole_series
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Assignment, SeriesState
from tasks.sources._times import DAY_MS

DATASET = "protocol_metrics"
HOST = "https://api.llama.fi"
TVL = "tvl_usd"
# The names of our metrics and of DefiLlama's daily charts.
CHARTS: Mapping[str, str] = {"fees_usd": "dailyFees", "revenue_usd": "dailyRevenue"}
METRICS = (TVL, *CHARTS)


def fetch_protocols(http: HttpSource, assignment: Assignment, stated: DefiLlamaSettings) -> None:
    """Fetch every metric of every protocol that is named; one that is not served is `unsupported`."""
    host = stated.base_url or HOST
    for slug in stated.protocols:
        for metric in METRICS:
            state = state_of(assignment, DATASET, f"{slug}/{metric}", "")

            def fetch(slug: str = slug, metric: str = metric, state: SeriesState = state) -> DailySeries:
                days = _tvl(http, host, slug) if metric == TVL else _chart(http, host, slug, metric)
                names = {"entity_kind": "protocol", "entity": slug, "metric": metric}
                return whole_series(state, {"value": days}, names)

            fetch_one(http, assignment, state, fetch)


def _tvl(http: HttpSource, host: str, slug: str) -> dict[int, float | None]:
    body = http.json(f"{host}/protocol/{quote(slug, safe='')}")
    return points(body.get("tvl") if isinstance(body, dict) else body, "totalLiquidityUSD")


def _chart(http: HttpSource, host: str, slug: str, metric: str) -> dict[int, float | None]:
    body = http.json(f"{host}/summary/fees/{quote(slug, safe='')}", {"dataType": CHARTS[metric]})
    return chart_days(body.get("totalDataChart") if isinstance(body, dict) else body)


def chart_days(chart: Json) -> dict[int, float | None]:
    """Dollars by midnight of a chart of [second, dollars].

    Raises:
        SourceError: it is not such a chart.
    """
    days: dict[int, float | None] = {}
    try:
        for second, value in chart:
            days.setdefault(int(second) * 1000 // DAY_MS * DAY_MS, None if value is None else float(value))
    except (TypeError, ValueError) as error:
        text = f"{NAME}: wanted a list of [second, dollars], found {str(chart)[:60]!r}."
        raise SourceError("malformed", text) from error
    return days
