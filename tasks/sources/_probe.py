"""Is a source there? One small request each, without patience; for `trimtab doctor`.

A venue is asked for its time (or its markets, where it tells no time), another source for the smallest thing
that an ingest asks of it. Nothing is stored.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from tasks.settings_schema import Settings, VenueSettings
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource, Pace
from tasks.sources._model import Assignment
from tasks.sources._quirks import quirks_of
from tasks.sources._session import VenueSession
from tasks.sources.cftc import PATH as CFTC_PATH
from tasks.sources.defillama import CHAINS_HOST

USED_WEIGHT = "x-mbx-used-weight-1m"


@dataclass(frozen=True)
class Reached:
    """What one source answered.

    Attributes:
        skew_seconds: its clock less ours; None where it tells no time.
        limit_used: how much of its limit is used; where it does not say, what we keep to.
        is_simulated: the answer came from a simulated market.
    """

    skew_seconds: float | None = None
    limit_used: str = ""
    is_simulated: bool = False


def probe_venue(venue: VenueSettings, assignment: Assignment) -> Reached:
    """Ask each service of a venue for its time.

    Raises:
        SourceError: one of them does not answer usefully.
    """
    faces = [(kind,) for kind in venue.markets]
    if isinstance(venue.base_url, str) and not quirks_of(venue.id).has_separate_limits:
        faces = [venue.markets[:1]]

    async def every() -> list[Reached]:
        return [await _probe_face(venue, face, assignment) for face in faces]

    found = asyncio.run(every())
    skews = [one.skew_seconds for one in found if one.skew_seconds is not None]
    return Reached(
        skew_seconds=max(skews, key=abs, default=None),
        limit_used=", ".join(one.limit_used for one in found if one.limit_used),
        is_simulated=any(one.is_simulated for one in found),
    )


def probe_provider(source: str, settings: Settings, assignment: Assignment) -> Reached:
    """Ask a source that is no exchange for something small.

    Raises:
        SourceError: it does not answer usefully.
    """
    url, parameters, is_json = _smallest(source, settings)
    pace = getattr(import_module(f"tasks.sources.{source}"), "PACE", None)
    http = HttpSource(source, assignment, pace)
    try:
        if is_json:
            http.json(url, parameters)
        else:
            http.text(url, parameters)
        return Reached(http.skew_seconds, _pace(http, pace), is_simulated=http.is_simulated)
    finally:
        http.close()


async def _probe_face(venue: VenueSettings, face: tuple[str, ...], assignment: Assignment) -> Reached:
    session = VenueSession(venue, face, assignment)
    try:
        skew = None
        if session.can("fetchTime"):
            await session.read_clock()
            skew = session.skew_seconds
        elif not await session.call(session.exchange.fetch_markets):
            raise SourceError("incomplete", f"{venue.id}: the list of markets is empty.")
        return Reached(skew, _used(session, face), session.transport.is_simulated)
    finally:
        await session.close()


def _used(session: VenueSession, face: tuple[str, ...]) -> str:
    headers: Mapping[str, str] = session.exchange.last_response_headers or {}
    used = next((value for name, value in headers.items() if name.lower() == USED_WEIGHT), None)
    if used is None:
        return (
            f"{'/'.join(face)}: use not told, {1000 / session.exchange.rateLimit:.0f} requests a second kept"
        )
    return f"{'/'.join(face)}: weight {used} used this minute"


def _pace(http: HttpSource, pace: Pace | None) -> str:
    if pace is None:
        return "it documents no limit"
    return f"{http.requests} of {pace.count} requests in {pace.seconds:.0f} s used"


def _smallest(source: str, settings: Settings) -> tuple[str, dict[str, str], bool]:
    sources = settings.sources
    if source == "coinmetrics" and sources.coinmetrics is not None:
        wanted = {"assets": "btc", "metrics": "PriceUSD"}
        return f"{sources.coinmetrics.base_url}/v4/catalog-v2/asset-metrics", wanted, True
    if source == "defillama" and sources.defillama is not None:
        return f"{sources.defillama.base_url or CHAINS_HOST}/v2/historicalChainTvl/Ethereum", {}, True
    if source == "fred" and sources.fred is not None:
        series = next(iter(sources.fred.every), "DGS10")
        return f"{sources.fred.base_url}/graph/fredgraph.csv", {"id": series, "cosd": "2026-01-01"}, False
    if source == "cftc" and sources.cftc is not None:
        return f"{sources.cftc.base_url}{CFTC_PATH}", {"$limit": "1"}, True
    raise SourceError("unsupported", f"{source}: doctor knows no small question to ask it.")
