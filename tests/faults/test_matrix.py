"""Which test injects which fault of the matrix, rows A to D and H; a row without a test fails."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENUE = "tests/tasks/sources/test_venue_faults.py::"
EDGE = "tests/tasks/sources/test_boundary.py::"
CANDLES = "tests/tasks/sources/test_candles.py::"
HTTP = "tests/tasks/sources/test_http.py::"
HOSTS = "tests/tasks/sources/test_hosts.py::"
DAILY = "tests/tasks/sources/test_daily_sources.py::"
FUNDING = "tests/tasks/sources/test_funding_and_listing.py::"
INGEST = "tests/tasks/test_ingest.py::"
SUITES = "tests/expectations/test_suites.py::"
UNITS = "tests/tasks/sources/test_units.py::"
LOAD = "tests/warehouse/test_load.py::"
AGREE = "tests/warehouse/test_venue_agreement.py::"
BREAKS = "tests/warehouse/test_identity_breaks.py::"
IDENTITY = "tests/tasks/test_identity.py::"
DECIDE = "tests/portfolio/test_decide.py::"
CHECKS = "tests/portfolio/test_checks.py::"
OPTIMISERS = "tests/portfolio/test_optimisers.py::"
PROPERTIES = "tests/portfolio/test_properties.py::"
VALIDATE = "tests/tasks/test_validate.py::"
FAULTS = "tests/faults/test_transport.py::"
CHAOS = "tests/faults/test_chaos.py::test_after_at_most_three_runs_nothing_shows"
LASTING = VENUE + "test_a_lasting_fault_stores_nothing_and_names_the_venue"
PASSING = VENUE + "test_a_passing_fault_changes_nothing"
BAD_ROW = SUITES + "test_every_bad_row_is_named_with_its_reason_and_no_other"

MATRIX: dict[str, tuple[str, ...]] = {
    # A. Transport
    "F01": (LASTING, PASSING, EDGE + "test_no_venue_class_swallows_a_body_that_is_not_json", CHAOS),
    "F02": (EDGE + "test_a_body_cut_anywhere_gives_no_row", LASTING, PASSING),
    "F03": (PASSING, CANDLES + "test_an_empty_page_where_candles_must_exist_is_incomplete"),
    "F04": (EDGE + "test_no_venue_class_swallows_a_body_that_is_not_json",),
    "F05": (
        EDGE + "test_what_is_not_strict_json_is_refused",
        HTTP + "test_a_passing_fault_is_asked_again",
        "tests/tasks/sources/test_candle_table.py::test_what_is_no_plain_number_is_left_to_the_strict_reader",
    ),
    "F06": (
        VENUE + "test_a_retry_after_is_waited_for_and_no_longer_than_the_budget",
        HTTP + "test_a_retry_after_is_obeyed_for_the_whole_host",
        HOSTS + "test_a_pause_told_to_one_process_holds_the_other_at_once",
    ),
    "F07": (VENUE + "test_a_ban_outlives_the_process", HOSTS + "test_a_ban_outlives_the_process"),
    "F08": (LASTING, HTTP + "test_what_is_refused_is_not_asked_again"),
    "F09": (
        LASTING,
        EDGE + "test_attempts_are_bounded_and_wait_longer_each_time",
        HTTP + "test_a_lasting_fault_ends_after_the_attempts",
    ),
    "F10": (LASTING, VENUE + "test_a_venue_that_can_not_be_reached_is_named"),
    "F11": (HTTP + "test_a_slow_drip_ends_at_the_deadline",),
    "F12": (HTTP + "test_a_redirect_is_not_followed", FAULTS + "test_a_venues_redirect_is_not_followed"),
    "F13": (
        HTTP + "test_a_body_that_swells_when_decoded_is_cut_off",
        FAULTS + "test_a_venues_body_that_swells_is_cut_off",
    ),
    "F14": (
        FAULTS + "test_a_certificate_that_nobody_signed_is_refused",
        FAULTS + "test_verification_is_never_switched_off",
    ),
    # B. Candle content
    "F15": (
        VENUE + "test_every_closed_hour_and_nothing_unfinished",
        "tests/tasks/sources/test_windows_and_times.py::test_a_candle_is_closed_two_seconds_after_its_end",
        INGEST + "test_an_hour_later_only_the_new_hour_comes",
    ),
    "F16": (CANDLES + "test_other_venues_deliver_every_closed_hour_they_serve",),
    "F17": (PASSING, LOAD + "test_identical_rows_in_a_batch_count_once_and_are_known_since_the_earliest"),
    "F18": (
        PASSING,
        LOAD + "test_core_is_the_newest_value_and_order_or_repetition_never_matter",
        CHAOS,
    ),
    "F19": (
        VENUE + "test_a_real_hole_is_asked_for_three_times_and_reported",
        INGEST + "test_a_hole_of_the_venue_is_confirmed_by_a_second_run_and_then_asked_for_weekly",
        "tests/tasks/test_ingest_gaps.py::test_a_silence_of_one_market_is_no_outage",
        "tests/warehouse/test_mart.py::test_returns_are_in_dollars_and_never_bridge_a_gap",
    ),
    "F20": (
        LOAD + "test_a_changed_value_is_a_new_version_known_when_it_was_read",
        "tests/flows/test_revisions.py::test_a_changed_fact_names_who_used_the_earlier_value",
        "tests/flows/test_revisions.py::"
        "test_a_recommendation_whose_input_was_revised_is_flagged_and_not_rewritten",
    ),
    "F21": (VENUE + "test_the_third_page_fails_and_the_next_run_resumes_there",),
    "F22": (CANDLES + "test_an_outage_longer_than_a_page_is_passed_over",),
    "F23": (CANDLES + "test_a_venue_that_ignores_since_is_unsupported_after_three_requests",),
    "F24": (
        CANDLES + "test_since_and_until_are_always_sent_and_the_loop_ends_at_the_newest_closed",
        CANDLES + "test_a_listing_is_found_by_halving_where_a_venue_can_not_be_asked",
    ),
    "F25": ("tests/tasks/sources/test_windows_and_times.py::test_pages_cover_a_stretch_once_and_in_order",),
    "F26": (
        BAD_ROW,
        "tests/tasks/sources/test_candle_table.py::test_what_is_no_plain_number_is_left_to_the_strict_reader",
    ),
    "F27": (SUITES + "test_an_all_missing_volume_only_warns",),
    "F28": (BAD_ROW, INGEST + "test_bad_rows_are_kept_out_and_their_holes_close_when_the_venue_heals"),
    "F29": (BAD_ROW, "tests/tasks/test_recall.py::test_every_corruption_of_a_row_is_caught_at_the_gate"),
    "F30": (
        AGREE + "test_the_price_is_the_median_of_those_who_agree",
        AGREE + "test_a_wick_on_one_of_two_venues_leaves_no_daily_price_and_no_return",
    ),
    "F31": (DECIDE + "test_an_extreme_move_is_graded",),
    "F32": (DECIDE + "test_a_price_of_too_few_venues_freezes_and_one_venue_is_graded",),
    "F33": (VALIDATE + "test_a_frozen_feed_names_its_asset",),
    "F34": (BAD_ROW, SUITES + "test_the_grid_of_every_timeframe"),
    # C. Identity
    "F35": (
        BREAKS + "test_a_ticker_that_comes_back_at_another_level_is_another_coin_until_told",
        IDENTITY + "test_a_reused_ticker_is_held_and_asked_about_with_the_line_that_answers",
    ),
    "F36": (
        IDENTITY + "test_only_a_dated_row_joins_the_histories_of_two_names",
        IDENTITY + "test_the_answer_joins_or_parts_the_histories",
    ),
    "F37": (
        BREAKS + "test_a_new_unit_is_a_break_in_either_direction",
        BREAKS + "test_a_real_tenfold_gap_on_volume_passes",
    ),
    "F38": (IDENTITY + "test_a_delisted_coin_that_is_held_can_not_be_priced",),
    "F39": (
        FUNDING + "test_a_symbol_with_two_ids_is_followed_under_neither",
        LOAD + "test_spot_and_perpetual_of_one_id_are_two_markets",
    ),
    "F40": (
        UNITS + "test_the_ids_of_the_listings_are_the_markets_they_were",
        UNITS + "test_an_id_that_is_another_coin_since_an_upgrade_is_not_followed",
    ),
    "F41": (UNITS + "test_a_row_of_the_venue_gives_these_figures_in_these_units",),
    "F42": (
        INGEST + "test_simulated_data_never_enter_a_live_home",
        "tests/warehouse/test_publish.py::test_simulated_and_live_data_never_share_a_home",
    ),
    # D. Funding, on-chain, macro
    "F43": (
        FUNDING + "test_the_interval_is_the_measured_one_when_the_venue_changes_it",
        AGREE + "test_a_days_funding_is_one_sum_under_any_interval",
    ),
    "F44": (FUNDING + "test_the_interval_is_the_measured_one_when_the_venue_changes_it",),
    "F45": (SUITES + "test_negative_funding_is_legal",),
    "F46": (
        "tests/tasks/test_ingest_defi.py::test_everything_arrives_once_and_what_is_restated_is_a_new_vintage",
        "tests/flows/test_revisions.py::test_a_changed_fact_names_who_used_the_earlier_value",
    ),
    "F47": ("tests/tasks/test_ingest_defi.py::test_a_broken_adapter_is_kept_out_and_a_double_count_is_told",),
    "F48": (DAILY + "test_a_day_counts_once_it_is_over_and_published",),
    "F49": ("tests/tasks/sources/test_coinmetrics_states.py::test_a_key_that_is_gone_is_not_a_null",),
    "F50": (DAILY + "test_a_value_that_is_missing_is_null_and_weekends_are_absent",),
    "F51": (
        DAILY + "test_a_second_run_reads_a_week_again",
        LOAD + "test_a_changed_value_is_a_new_version_known_when_it_was_read",
    ),
    "F52": (HTTP + "test_only_the_token_of_a_next_page_is_followed",),
    "F53": (
        CANDLES + "test_rows_in_seconds_and_from_the_future_are_handed_to_the_gate",
        SUITES + "test_the_hint_names_a_unit_mistake",
    ),
    "F54": (
        DECIDE + "test_a_lost_peg_is_graded_and_told_and_nothing_is_bought_of_it",
        "tests/warehouse/test_mart.py::test_returns_are_in_dollars_and_never_bridge_a_gap",
    ),
    # H. Portfolio maths
    "F85": (
        CHECKS + "test_a_bad_line_is_taken_out_and_the_rest_stays",
        CHECKS + "test_the_first_bad_day_is_named",
        DECIDE + "test_a_held_asset_without_a_usable_price_blocks",
        PROPERTIES + "test_no_bad_input_is_ever_published",
    ),
    "F86": (
        CHECKS + "test_a_bad_line_is_taken_out_and_the_rest_stays",
        CHECKS + "test_constant_cash_is_not_refused",
        DECIDE + "test_a_held_line_with_a_dead_feed_is_kept_and_degrades",
        "tests/portfolio/test_limits.py::test_what_only_looks_calm_does_not_get_everything",
        "tests/portfolio/test_published.py::test_a_riskless_line_does_not_get_everything_by_parity",
    ),
    "F87": (
        CHECKS + "test_too_few_common_days_are_refused",
        CHECKS + "test_each_line_wants_three_days_of_its_own",
        DECIDE + "test_too_little_history_goes_down_the_ladder_to_what_needs_none",
    ),
    "F88": (
        CHECKS + "test_a_frame_that_is_not_daily_returns_is_refused",
        CHECKS + "test_two_lines_with_the_same_returns_are_both_out",
        DECIDE + "test_a_frame_that_can_not_be_returns_blocks_a_computed_objective_only",
    ),
    "F89": (
        CHECKS + "test_a_frame_that_is_not_daily_returns_is_refused",
        "tests/portfolio/test_estimators.py::test_sample_covariance_is_annual",
    ),
    "F90": (
        OPTIMISERS + "test_inaccurate_is_not_optimal",
        OPTIMISERS + "test_an_infeasible_program_is_one_typed_failure",
        "tests/portfolio/test_published.py::test_a_goal_out_of_reach_is_one_typed_failure",
        "tests/portfolio/test_published.py::test_where_the_direct_way_fails_the_library_is_asked",
        DECIDE + "test_a_fallback_is_graded_and_on_record",
    ),
    "F91": (
        OPTIMISERS + "test_a_wrong_answer_is_refused",
        OPTIMISERS + "test_a_defective_method_falls_through_the_ladder_on_record",
    ),
    "F92": (
        DECIDE + "test_an_unstable_answer_is_held",
        DECIDE + "test_twins_with_almost_equal_returns_are_found_unstable",
    ),
    "F93": (
        DECIDE + "test_the_same_inputs_give_the_same_decision",
        DECIDE + "test_another_process_with_other_threads_and_another_order_of_sets_decides_the_same",
        PROPERTIES + "test_the_order_of_assets_changes_nothing",
        OPTIMISERS + "test_relabelling_and_reordering_change_nothing",
    ),
    "F94": (
        DECIDE + "test_without_positions_there_are_weights_and_no_trades",
        DECIDE + "test_impossible_positions_give_weights_only",
    ),
}


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    found = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def test_every_row_has_a_test() -> None:
    wanted = {f"F{number:02}" for number in (*range(1, 55), *range(85, 95))}
    assert MATRIX.keys() == wanted


@pytest.mark.parametrize("row", sorted(MATRIX))
def test_the_tests_of_a_row_exist(row: str) -> None:
    for node in MATRIX[row]:
        file, name = node.split("::")
        assert name in names_in(file), f"{row}: {node} is gone; name the test that injects this fault now"
