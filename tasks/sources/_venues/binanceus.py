"""Binance.US: spot only, in Binance's dialect."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=1000, serves_first=True, quote_volume_at=7)
