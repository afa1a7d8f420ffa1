"""Coinbase: at most 300 candles a window; a wider window is refused."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=300)
