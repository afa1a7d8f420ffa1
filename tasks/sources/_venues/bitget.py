"""Bitget: 200 candles a page of older history."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=200, perp_page=200, funding_page=100)
