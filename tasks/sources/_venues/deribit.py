"""Deribit: hourly funding rows whose `interest_8h` trails over eight hours, and the DVOL volatility index.

ccxt reads `interest_8h` as the rate of each hourly row; summed over a day that counts every hour eight
times. The rate of the row's own hour is `interest_1h`. 744 rows a request.
"""

from typing import Any

from tasks.sources._errors import SourceError
from tasks.sources._quirks import Quirks

HOUR_SECONDS = 3600


async def volatility_index(exchange: Any, asset: str, first: int, last: int) -> list[list[float]]:  # noqa: ANN401 - ccxt has no types
    """DVOL by the hour: rows [start of the hour in ms, open, high, low, close], percent a year, ≤ 1000 rows.

    Raises:
        SourceError: the answer is not a list of rows.
    """
    answer = await exchange.publicGetGetVolatilityIndexData(
        {"currency": asset, "start_timestamp": first, "end_timestamp": last, "resolution": HOUR_SECONDS}
    )
    rows = (answer.get("result") or {}).get("data")
    if not isinstance(rows, list):
        text = f"deribit: wanted rows of the volatility index of {asset}, found {type(rows).__name__}."
        raise SourceError("malformed", text)
    return rows


QUIRKS = Quirks(
    perp_page=1000,
    funding_page=700,
    funding_hours=1,
    funding_field="interest_1h",
    chain_volatility="mark_iv",
    volatility_index=volatility_index,
)
