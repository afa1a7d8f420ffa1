"""Gate: open interest and the volume of a contract's candles are counted in contracts (ccxt issue 18941)."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(
    spot_page=1000,
    perp_page=1999,
    mark_page=1000,
    funding_page=1000,
    interest_unit="contracts",
    volume_unit="contracts",
)
