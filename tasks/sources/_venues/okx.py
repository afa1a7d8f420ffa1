"""OKX: 300 recent candles a page and 100 of older ones; ccxt changes the endpoint by age, so pages are 100.

Open interest is counted in contracts. A market that is going to be delisted says when, spot too.
"""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(
    spot_page=100,
    perp_page=100,
    mark_page=100,
    funding_page=100,
    book_levels=400,
    interest_unit="contracts",
    end_field="expTime",
)
