"""What a recommendation says beside its orders."""

from flows.recommendation_view import _by_hand


def test_legs_belong_together_only_where_both_are_in_the_table():
    whole = [{"pair": 1, "line": 1}, {"pair": 1, "line": 2}, {"pair": None, "line": 3}]
    assert _by_hand(whole) == ["The legs of a pair belong together: both or none."]
    lone = [{"pair": 2, "line": 1}, {"pair": None, "line": 2}]
    assert _by_hand(lone) == [
        "The other leg of pair 2 needs no order: another line gives or takes its coins."
    ]
    assert _by_hand([{"pair": None, "line": 1}]) == []
