"""KuCoin: 1500 candles a page on spot, 500 on contracts, whose volume is counted in contracts."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=1500, perp_page=500, mark_page=200, volume_unit="contracts")
