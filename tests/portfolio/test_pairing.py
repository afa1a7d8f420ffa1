"""Legs become lines: what is paired, in which order, and that nothing gets lost on the way."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.pairing import HeldRow, pair_legs, units_of

MONEY = {"USDT", "USDC", "USD"}
ALL = ("spot", "cash", "carry", "basis", "yield", "staking", "options")


def row(kind, quantity, asset="BTC", venue="binance", market_id="", is_immovable=False):
    return HeldRow(
        venue=venue, account="", kind=kind, asset=asset, market_id=market_id, quantity=Decimal(str(quantity)),
        is_immovable=is_immovable,
    )  # fmt: skip


def paired(rows, sleeves=ALL):
    return [(part.row, part.line, float(part.quantity)) for part in pair_legs(rows, sleeves, MONEY)]


def test_a_short_perpetual_takes_its_coins_and_the_rest_stays_spot():
    rows = [row("spot", 3), row("perp", -2), row("spot", 500, "USDT")]
    assert paired(rows) == [
        (0, "carry:BTC", 2),
        (0, "spot:BTC", 1),
        (1, "carry:BTC", -2),
        (2, "cash:USDT", 500),
    ]
    assert units_of(pair_legs(rows, ALL, MONEY), rows) == {"carry:BTC": 2, "spot:BTC": 1, "cash:USDT": 500}


def test_a_hedge_beyond_the_coins_is_a_line_of_its_own():
    assert paired([row("spot", 1), row("perp", -3)]) == [
        (0, "carry:BTC", 1), (1, "carry:BTC", -1), (1, "perp:BTC", -2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        [row("spot", 1), row("perp", 1)],  # long: it hedges nothing
        [row("spot", 1, is_immovable=True), row("perp", -1)],  # what can not be sold can not be unwound
        [row("spot", 1, "ETH"), row("perp", -1)],
        [row("staking", 1), row("perp", -1)],
        [row("spot", 1), row("option", -1)],
    ],
)
def test_what_is_no_hedge_is_not_paired(rows):
    assert not {"carry", "basis"} & {part.sleeve for part in pair_legs(rows, ALL, MONEY)}


@pytest.mark.parametrize(
    ("sleeves", "line"), [(("spot", "cash"), "perp:BTC"), (("spot", "basis"), "perp:BTC")]
)
def test_without_the_sleeve_a_derivative_stands_alone(sleeves, line):
    assert paired([row("spot", 1), row("perp", -1)], sleeves) == [(0, "spot:BTC", 1), (1, line, -1)]


def test_the_same_venue_first_perpetuals_before_futures():
    rows = [row("spot", 1, venue="kraken"), row("spot", 1), row("future", -1, market_id="F"), row("perp", -1)]
    assert paired(rows) == [
        (0, "basis:BTC", 1), (1, "carry:BTC", 1), (2, "basis:BTC", -1), (3, "carry:BTC", -1),
    ]  # fmt: skip


def test_every_kind_has_its_sleeve():
    kinds = {"lending": "yield", "staking": "staking", "option": "options", "bank": "cash", "spot": "spot"}
    for kind, sleeve in kinds.items():
        assert paired([row(kind, 1)]) == [(0, f"{sleeve}:BTC", 1)]


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["spot", "perp", "future", "option", "lending", "bank"]),
        st.decimals(-5, 5, places=3),
        st.sampled_from(["BTC", "ETH", "USDT"]),
        st.sampled_from(["binance", "kraken"]),
        st.sampled_from(["", "A", "B"]),
        st.booleans(),
    ),
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_parts_add_up_to_their_rows_and_the_order_of_rows_changes_nothing(rows, seed):
    parts = pair_legs(rows, ALL, MONEY)
    for i, one in enumerate(rows):
        assert sum((p.quantity for p in parts if p.row == i), Decimal(0)) == one.quantity
    for sleeve in ("carry", "basis"):
        for asset in ("BTC", "ETH", "USDT"):
            legs = [p.quantity for p in parts if (p.sleeve, p.asset) == (sleeve, asset)]
            assert sum(legs, Decimal(0)) == 0
    shuffled = list(enumerate(rows))
    seed.shuffle(shuffled)
    again = pair_legs([one for _, one in shuffled], ALL, MONEY)

    def totals(found, names):
        made: dict = {}
        for p in found:
            key = (names[p.row], p.line)
            made[key] = made.get(key, 0) + p.quantity
        return made

    assert totals(parts, rows) == totals(again, [one for _, one in shuffled])
