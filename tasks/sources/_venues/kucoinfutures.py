"""KuCoin Futures: 500 candles a page; their volume is counted in contracts (ccxt pull request 10557)."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(perp_page=500, volume_unit="contracts")
