"""Kraken Futures: 2000 candles a page."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(perp_page=2000, funding_page=1000)
