"""KuCoin Futures: 500 candles a page."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(perp_page=500)
