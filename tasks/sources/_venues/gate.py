"""Gate: open interest is counted in contracts."""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(spot_page=1000, perp_page=1999, mark_page=1000, funding_page=1000, interest_unit="contracts")
