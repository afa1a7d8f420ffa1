"""Hyperliquid: the newest 5000 candles; reads are POST requests."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(perp_page=5000, funding_page=500, candle_history=5000, book_levels=20)
