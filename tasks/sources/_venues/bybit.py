"""Bybit: ccxt rounds a start up to the next candle; our windows begin on one, so nothing is skipped.

A perpetual that is going to be delisted has a time of delivery, any other has 0. Every risk limit comes with
a deduction (`mmDeduction`): each part of a position counts by its own bracket.
"""

from tasks.sources._quirks import Quirks

QUIRKS = Quirks(
    spot_page=1000,
    perp_page=1000,
    mark_page=1000,
    funding_page=200,
    book_levels=200,
    interest_page=200,
    end_field="deliveryTime",
    counts_by_part=True,
)
