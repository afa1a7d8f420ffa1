"""Which test carries out which threat of the security list; a row without a test fails."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = "tests/tasks/test_venue_balances.py::"
EDGE = "tests/tasks/sources/test_boundary.py::"
HTTP = "tests/tasks/sources/test_http.py::"
SECRETS = "tests/faults/test_secrets.py::"
SUPPLY = "tests/faults/test_supply.py::"
CHANNELS = "tests/tasks/channels/test_channels.py::"
APPRISE = "tests/tasks/channels/test_apprise_url.py::"
WEBHOOK = "tests/tasks/channels/test_webhook.py::"
HOSTILE = "tests/tasks/channels/test_hostile_text.py::"
MESSAGES = "tests/tasks/test_messages.py::"
SQL = "tests/flows/test_sql.py::"
SERVE = "tests/flows/deployed/test_serve.py::"
HOSTS = "tests/flows/test_hosts.py::"
DEPLOY = "tests/flows/test_deploy_files.py::"
PUBLISH = "tests/warehouse/test_publish.py::"
AGREE = "tests/warehouse/test_venue_agreement.py::"
UNITS = "tests/tasks/sources/test_units.py::"
FAULTS = "tests/faults/test_transport.py::"

MATRIX: dict[str, tuple[str, ...]] = {
    "T1": (
        KEYS + "test_a_key_that_may_do_more_than_read_is_refused_whatever_is_accepted",
        KEYS + "test_unreadable_permissions_are_refused_unless_accepted",
        KEYS + "test_a_permission_that_is_not_stated_is_not_taken_for_false",
        KEYS + "test_without_a_key_or_for_another_venue_nothing_is_sent",
    ),
    "T2": (
        KEYS + "test_nothing_but_the_two_reads_can_be_signed",
        KEYS + "test_every_endpoint_that_is_no_public_read_raises_before_anything_is_sent",
        EDGE + "test_whatever_trades_raises_before_a_request",
        EDGE + "test_a_raw_request_reaches_public_reads_only",
    ),
    "T3": (
        SECRETS + "test_no_secret_is_in_any_file_log_table_or_word",
        SECRETS + "test_no_secret_is_in_what_receivers_get",
        "tests/tasks/test_redaction.py::test_no_logger_prints_a_secret_whatever_is_logged",
        "tests/tasks/test_redaction.py::test_the_last_words_of_a_dying_process_are_redacted",
    ),
    # require_no_secret: the whole folder of Prefect, its database among it, and what its API answers
    "T4": (
        SERVE + "test_the_main_job_runs_as_scheduled_tasks_alone_and_shows_what_it_decided",
        SERVE + "test_the_watchdog_looks_and_says_what_is_late",
    ),
    "T5": (
        "tests/tasks/test_settings.py::test_secrets_come_from_the_environment_or_a_private_file",
        KEYS + "test_a_key_from_a_file_that_others_can_read_is_refused",
        SECRETS + "test_no_secret_is_in_any_file_log_table_or_word",
        DEPLOY + "test_no_secret_is_in_any_file_of_deploy",
    ),
    "T6": ("tests/warehouse/test_writing.py::test_a_value_is_bound_never_pasted",),
    "T7": (
        "tests/warehouse/test_reader.py::test_every_connection_is_locked_down",
        "tests/warehouse/test_reader.py::test_a_select_reads_no_file_and_writes_nothing",
    ),
    "T8": (
        SUPPLY + "test_no_room_loads_an_object_or_runs_a_text_from_disk",
        SUPPLY + "test_prefect_keeps_no_results_and_would_read_them_as_json",
    ),
    "T9": (
        APPRISE + "test_private_receivers_are_refused_before_anything_is_sent",
        APPRISE + "test_a_public_name_with_a_private_address_is_refused",
        APPRISE + "test_the_address_that_was_checked_is_the_one_connected_to",
        APPRISE + "test_redirects_are_not_followed",
        APPRISE + "test_what_can_not_work_is_found_when_the_configuration_is_checked",
        CHANNELS + "test_addresses_behind_any_notation",
        HOSTILE + "test_every_spelling_of_a_private_host_is_refused_by_both_channels",
        WEBHOOK + "test_unsafe_receivers_are_refused",
        WEBHOOK + "test_the_answer_decides",
    ),
    "T10": (
        HTTP + "test_only_the_token_of_a_next_page_is_followed",
        HTTP + "test_a_redirect_is_not_followed",
        FAULTS + "test_a_venues_redirect_is_not_followed",
        KEYS + "test_unreadable_permissions_are_refused_unless_accepted",
    ),
    "T11": (APPRISE + "test_slack_shows_hostile_text_as_text",),
    "T12": (APPRISE + "test_telegram_gets_balanced_html_without_foreign_tags",),
    "T13": (
        APPRISE + "test_discord_calls_and_links_nobody",
        HOSTILE + "test_an_email_is_plain_text_with_one_line_headers",
        "tests/tasks/test_validation_page.py::test_hostile_texts_stay_texts",
        "tests/tasks/test_backtest.py::test_the_page_is_self_contained_and_names_are_escaped",
        "tests/flows/deployed/test_prefect_runner.py::test_outside_text_can_not_become_markup",
    ),
    "T14": (
        SQL + "test_csv_keeps_numbers_and_disarms_formulas",
        "tests/tasks/test_order_export.py::test_a_cell_never_runs_as_a_formula",
    ),
    "T15": (
        MESSAGES + "test_a_look_alike_is_named",
        MESSAGES + "test_text_from_outside_is_shown_honestly",
    ),
    "T16": (
        SERVE + "test_its_folder_is_private_and_it_listens_on_loopback_only",
        SERVE + "test_a_page_that_points_its_name_at_this_machine_gets_403",
        SERVE + "test_listening_for_others_without_a_login_is_refused",
        HOSTS + "test_beyond_loopback_login_tls_and_names_are_wanted",
        HOSTS + "test_a_foreign_name_gets_403",
        DEPLOY + "test_the_server_container_is_safe_by_its_own_rule",
        SUPPLY + "test_only_the_page_itself_may_call_the_server",
    ),
    "T17": (
        PUBLISH + "test_files_are_ours_alone_and_snapshots_the_groups_too",
        PUBLISH + "test_a_planted_link_is_refused",
        DEPLOY + "test_a_unit_runs_what_there_is_and_keeps_to_itself",
        "tests/tasks/test_ingest.py::test_received_bytes_are_private",
    ),
    "T18": (
        SUPPLY + "test_every_package_of_a_lock_is_one_version_with_its_hashes_and_no_address",
        SUPPLY + "test_nothing_is_in_a_lock_that_nobody_asked_for",
        SUPPLY + "test_every_install_checks_hashes",
        DEPLOY + "test_the_image_has_every_room_and_nothing_without_its_hash",
        SUPPLY + "test_a_tampered_wheel_is_not_installed",
    ),
    "T19": (
        UNITS + "test_the_ids_of_the_listings_are_the_markets_they_were",
        UNITS + "test_a_row_of_the_venue_gives_these_figures_in_these_units",
    ),
    "T20": (
        SUPPLY + "test_telemetry_is_off_before_a_library_that_has_it_is_imported",
        SECRETS + "test_nobody_is_called_but_who_is_configured",
    ),
    "T21": (
        HTTP + "test_a_body_that_swells_when_decoded_is_cut_off",
        FAULTS + "test_a_venues_body_that_swells_is_cut_off",
        HTTP + "test_a_slow_drip_ends_at_the_deadline",
        "tests/tasks/sources/test_candles.py::test_a_venue_that_ignores_since_is_unsupported_after_three_requests",
        SQL + "test_a_query_without_end_is_ended",
        SQL + "test_a_query_without_bounds_meets_the_memory_limit",
    ),
    "T22": (WEBHOOK + "test_a_receiver_can_tell_genuine_from_forged",),
    "T23": (
        "tests/warehouse/test_hostile_venue.py::"
        "test_one_hostile_venue_of_four_moves_no_price_beyond_the_honest_ones",
        AGREE + "test_the_price_is_the_median_of_those_who_agree",
    ),
    "T24": (
        MESSAGES + "test_clean_text_is_one_line_without_control_characters",
        SQL + "test_nothing_steers_the_terminal",
        HOSTILE + "test_a_log_line_stays_one_line",
        HOSTILE + "test_a_failure_steers_no_terminal",
        HOSTILE + "test_what_a_venue_answers_is_quoted_in_one_line",
    ),
    # There is no bundle: a command that would make one fails this test until it has an allow-list of its own.
    "T25": (SUPPLY + "test_there_is_no_bundle_that_could_take_a_secret_along",),
}


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    found = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def test_every_row_has_a_test() -> None:
    assert MATRIX.keys() == {f"T{number}" for number in range(1, 26)}
    assert all(MATRIX.values())


@pytest.mark.parametrize("row", MATRIX)
def test_the_tests_of_a_row_exist(row: str) -> None:
    for node in MATRIX[row]:
        file, name = node.split("::")
        assert name in names_in(file), f"{row}: {node} is gone; name the test that carries this out now"
