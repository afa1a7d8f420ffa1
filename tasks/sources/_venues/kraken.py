"""Kraken: the newest 720 candles, the unfinished one among them, and nothing older whatever is asked."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=720, candle_history=719, book_levels=500)
