"""Every source that is no exchange says under which terms its data may be used; commercial users are told."""

from tasks.settings_schema import Settings, SourcesSettings
from tasks.sources._licences import LICENCES, licence_of, warnings_of


def test_every_source_has_a_licence() -> None:
    assert set(LICENCES) == set(SourcesSettings.model_fields)
    assert "NC" in licence_of("coinmetrics")
    assert "venue" in licence_of("binance")


def test_only_a_configured_source_is_warned_of() -> None:
    (told,) = warnings_of(SourcesSettings.model_validate({"coinmetrics": {}, "fred": {}}))
    assert told.startswith("coinmetrics is CC BY-NC 4.0: commercial use")
    assert warnings_of(SourcesSettings.model_validate({"coinmetrics": None, "fred": {}})) == []
    assert Settings.model_fields["sources"] is not None
