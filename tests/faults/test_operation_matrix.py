"""Which test injects which fault of operating it: rows F (runs), I (delivery), J (time), K (environment).

A row is either mapped to tests that exist or listed in `MISSING` with what nothing injects yet; never both.
"""

from __future__ import annotations

import pytest

from tests.faults.test_matrix import names_in

NOTIFY = "tests/tasks/test_notify.py::"
RATE = "tests/tasks/test_alert_rate.py::"
SLOTS = "tests/tasks/test_slots.py::"
WATCH = "tests/tasks/test_watch.py::"
LEASE = "tests/warehouse/test_lease.py::"
OVERLAP = "tests/flows/test_overlap.py::"
JOB = "tests/flows/test_main_job.py::"
APPRISE = "tests/tasks/channels/test_apprise_url.py::"
SERVE = "tests/flows/deployed/test_serve.py::"
LOST = "tests/flows/deployed/test_lost_runs.py::"
SERVED = "tests/soak/test_served.py::"
RUNNER = "tests/flows/deployed/test_prefect_runner.py::"
OPERATION = "tests/faults/test_operation.py::"
ROLLBACK = "tests/faults/test_rollback.py::"
KILL = "tests/flows/test_kill.py::test_a_killed_job_is_taken_up_where_it_was"
ORPHAN = OVERLAP + "test_a_run_that_slept_while_another_took_over_writes_and_tells_nothing"
EXPIRES = NOTIFY + "test_an_alert_expires_by_the_real_clock_and_the_next_one_goes_out"

MATRIX: dict[str, tuple[str, ...]] = {
    # F. Runs
    "F67": (
        OVERLAP + "test_of_four_starts_at_once_one_runs_and_the_others_say_so",
        SLOTS + "test_a_second_run_is_skipped_and_says_so",
        LEASE + "test_a_second_run_of_a_flow_is_told_who_is_at_it",
    ),
    "F68": (ORPHAN, LEASE + "test_whoever_lost_the_lease_can_neither_write_nor_publish"),
    "F69": (ORPHAN, LEASE + "test_a_stopped_holder_is_replaced_after_two_minutes_of_silence", EXPIRES),
    "F70": (
        SLOTS + "test_a_hundred_late_slots_need_one_run",
        SLOTS + "test_after_downtime_old_decisions_are_superseded_and_old_fetches_caught_up",
    ),
    "F71": (
        WATCH + "test_a_flow_that_stopped_is_noticed",
        SLOTS + "test_what_another_flow_owes_is_missed_until_it_comes",
        SERVE + "test_it_serves_only_after_a_run_that_the_scheduler_made_has_completed",
    ),
    "F72": (
        LEASE + "test_a_dead_holder_needs_no_waiting_and_no_manual_step",
        LEASE + "test_another_boot_or_a_reused_process_number_is_no_holder",
        SLOTS + "test_a_run_that_died_is_found_lost",
        LOST + "test_a_run_without_a_process_is_reported_and_its_slot_is_free_again",
    ),
    "F73": (
        SERVE + "test_registering_again_on_a_terminal_asks_nothing_and_brings_back_what_was_lost",
        SERVED + "test_one_command_brings_the_schedules_back_after_prefects_database_was_locked_and_lost",
    ),
    "F74": (
        JOB + "test_a_recommendation_comes_out_and_a_second_run_changes_nothing",
        RUNNER + "test_a_source_that_is_down_is_tried_again",
        RUNNER + "test_a_defect_is_not_repeated_and_its_message_reaches_the_page",
    ),
    "F75": (OPERATION + "test_a_run_asked_to_end_in_any_phase_is_taken_up_by_the_next", KILL),
    "F76": (OPERATION + "test_a_run_without_memory_fails_and_the_next_one_takes_up_its_work",),
    # I. Recommendation and delivery
    "F95": (
        OPERATION + "test_a_recommendation_and_its_alert_are_stored_together_or_not_at_all",
        KILL,
    ),
    "F96": (NOTIFY + "test_a_sender_killed_after_sending_is_repeated_once_with_the_same_key",),
    "F97": (
        NOTIFY + "test_a_lost_answer_is_repeated_once_and_says_so",
        APPRISE + "test_no_answer_in_time_is_in_doubt",
    ),
    "F98": (
        APPRISE + "test_what_is_not_confirmed_is_never_sent",
        APPRISE + "test_what_can_not_work_is_found_when_the_configuration_is_checked",
        NOTIFY + "test_wrong_channels_are_found_before_the_run",
    ),
    "F99": (
        NOTIFY + "test_one_channel_down_only_that_one_is_tried_again",
        APPRISE + "test_two_receivers_in_one_url_of_which_one_confirms_are_in_doubt",
    ),
    "F100": (
        NOTIFY + "test_a_receiver_that_asks_for_patience_gets_it",
        NOTIFY + "test_too_much_patience_is_left_to_the_next_run",
    ),
    "F101": (EXPIRES,),
    "F102": (
        NOTIFY + "test_newer_news_overtakes_what_was_not_sent",
        NOTIFY + "test_resolved_and_the_recommendation_made_with_it_both_go_out",
    ),
    "F103": (
        RATE + "test_a_storm_is_told_in_one_digest_and_every_alert_is_accounted_for",
        RATE + "test_the_next_digest_comes_an_hour_later_and_a_quiet_hour_ends_it",
    ),
    "F104": (
        "tests/flows/test_lifecycle.py::test_a_retraction_reaches_whom_the_advice_reached_and_nobody_else",
    ),
    "F105": (
        NOTIFY + "test_a_channel_that_stays_down_is_given_up_and_said",
        WATCH + "test_alerts_that_do_not_arrive_are_noticed",
    ),
    "F106": (
        APPRISE + "test_an_empty_text_is_refused",
        APPRISE + "test_a_long_text_is_cut_at_a_line_and_says_where_the_rest_is",
        "tests/tasks/channels/test_channels.py::test_fit_cuts_at_lines_and_never_exceeds",
    ),
    # J. Time
    "F107": (
        "tests/flows/test_wrong_clock.py::"
        "test_a_clock_hours_off_or_jumping_back_holds_every_decision_until_it_is_right",
    ),
    "F108": (
        OPERATION + "test_the_zone_of_the_machine_changes_nothing",
        OPERATION + "test_slots_are_utc_through_the_days_on_which_clocks_change",
    ),
    "F109": ("tests/expectations/test_suites.py::test_the_grid_of_every_timeframe",),
    "F110": (
        "tests/tasks/sources/test_candles.py::test_rows_in_seconds_and_from_the_future_are_handed_to_the_gate",
        "tests/expectations/test_suites.py::test_every_bad_row_is_named_with_its_reason_and_no_other",
    ),
    # K. Environment
    "F111": (
        OPERATION + "test_every_locked_package_has_its_hashes",
        SERVE + "test_it_serves_only_after_a_run_that_the_scheduler_made_has_completed",
    ),
    "F112": (
        "tests/tasks/test_settings.py::test_a_mistake_is_refused_with_file_line_and_remedy",
        "tests/tasks/test_settings.py::test_broken_toml_names_the_line",
        "tests/flows/test_cli.py::test_a_wrong_configuration_names_file_and_line",
    ),
    "F113": (
        ROLLBACK + "test_what_writes_refuses_and_names_both_versions",
        ROLLBACK + "test_what_reads_still_works",
    ),
    "F114": (
        JOB + "test_stale_data_block_once_and_the_end_is_told_once",
        SLOTS + "test_after_downtime_old_decisions_are_superseded_and_old_fetches_caught_up",
    ),
    "F115": (RATE + "test_rejected_credentials_are_told_by_another_channel_and_not_hammered",),
}
MISSING: dict[str, str] = {}

ROWS = frozenset(f"F{number}" for number in (*range(67, 77), *range(95, 116)))


def test_every_row_has_a_test_or_is_said_to_have_none() -> None:
    assert MATRIX.keys() | MISSING.keys() == ROWS
    assert not MATRIX.keys() & MISSING.keys()


@pytest.mark.parametrize("row", sorted(MATRIX))
def test_the_tests_of_a_row_exist(row: str) -> None:
    for node in MATRIX[row]:
        file, name = node.split("::")
        assert name in names_in(file), f"{row}: {node} is gone; name the test that injects this fault now"
