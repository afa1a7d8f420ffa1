import os
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.policy import config_hash, deciding_settings, lines_of, policy_of
from tasks.settings import ConfigError, apply_overrides, channel_secret, load_settings
from tasks.settings_schema import Settings

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = """\
[[venues]]
id = "binance"

[universe]
assets = ["BTC", "ETH"]

[portfolios.core]
objective = "min_volatility"
"""

CORE = "[portfolios.core]"


@pytest.fixture
def write(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("TRIMTAB")]:
        monkeypatch.delenv(name)

    def _write(text: str) -> Path:
        file = tmp_path / "trimtab.toml"
        file.write_text(text)
        return file

    return _write


def refusal(file: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return str(caught.value)


SHIPPED = [ROOT / "trimtab.toml", *sorted((ROOT / "examples").glob("*.toml"))]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.stem)
def test_every_shipped_configuration_is_accepted(file, write):
    settings = load_settings(file)
    assert settings.portfolios
    assert settings.warehouse.home.is_absolute()


def test_defaults_are_filled_in_and_durations_parsed(write):
    settings = load_settings(write(MINIMAL + '[gate.freshness]\ncandles_1d = "26h"\n'))
    assert settings.gate.freshness["candles_1d"] == timedelta(hours=26)
    assert settings.gate.freshness["candles_1h"] == timedelta(hours=3)
    assert settings.sources.fred is None


def test_home_is_relative_to_the_file_and_replaced_by_option_or_environment(write, monkeypatch, tmp_path):
    file = write(MINIMAL)
    assert load_settings(file).warehouse.home == tmp_path / "data"
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "elsewhere"))
    assert load_settings(file).warehouse.home == tmp_path / "elsewhere"
    assert load_settings(file, tmp_path / "option").warehouse.home == tmp_path / "option"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("[universe]", "[universe]\nqoute = 'USDT'"), 5, ["universe.qoute", "did you mean 'quote'"]),
        (('"ETH"]', '"ETHH"]'), 5, ["'ETHH' looks like a slip for 'ETH'", "confirmed_assets"]),
        (('"binance"', '"binanse"'), 2, ["no exchange 'binanse'", "'binance'"]),
        ((CORE, CORE + "\nrequires = ['candles_1dd']"), 8, ["did you mean 'candles_1d'"]),
        ((CORE, CORE + "\nrequires = ['macro_series']"), 8, ["[sources.fred]"]),
        ((CORE, CORE + "\nweight_bounds = { default = [0.5, 0.3] }"), 8, ["0.5", "0.3"]),
        ((CORE, CORE + "\nweight_bounds = { 'spot:BTX' = [0.0, 0.3] }"), 8, ["'spot:BTC'"]),
        ((CORE, CORE + "\nmax_turnover = -1"), 8, ["max_turnover", "-1"]),
        ((CORE, CORE + "\nlookback_days = 'long'"), 8, ["lookback_days", "'long'"]),
        (('"min_volatility"', '"min_volatilty"'), 8, ["min_volatility"]),
        ((CORE, "[gate]\nmin_venues = 0\n" + CORE), 8, ["min_venues"]),
        ((CORE, "[channels.ops]\nportfolios = ['coer']\n" + CORE), 8, ["did you mean 'core'"]),
        ((CORE, "[channels.ops]\nkind = 'appris'\n" + CORE), 8, ["'apprise'"]),
        (("[[venues]]", "[[venues]]\nbase_url = 'binance.com/api'"), 2, ["scheme://host"]),
        (
            (CORE, CORE + "\nholdings = 'my.csv'"),
            8,
            ["wanted a table with the keys file, found 'my.csv'", 'write holdings = { file = "my.csv" }'],
        ),
        (
            (CORE, CORE + "\nrebalance = 3"),
            8,
            ["wanted a table with the keys band_absolute", "the section [portfolios.core.rebalance]"],
        ),
        (
            (CORE, CORE + "\nsleeves = 'spot'"),
            8,
            ["sleeves: wanted a list, found 'spot': write sleeves = [\"spot\"]"],
        ),
        ((CORE, CORE + "\nholdings = ['a.csv']"), 8, ["found a list: write holdings = { file = "]),
        ((CORE, CORE + "\nscenario_loss_caps = 0.1"), 8, ["wanted a table", "found 0.1"]),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_remedy(write, change, line, words):
    file = write(MINIMAL.replace(*change))
    text = refusal(file)
    assert f"{file}:{line}:" in text
    for word in words:
        assert word in text


def test_impossible_bounds_are_found_before_anything_is_solved(write):
    text = refusal(write(MINIMAL + "weight_bounds = { default = [0.6, 0.9] }\n"))
    assert ":9:" in text
    assert "weight_bounds" in text


def test_target_weights_that_do_not_add_up_are_refused(write):
    wrong = MINIMAL.replace('"min_volatility"', '"policy"')
    wrong += 'target_weights = { "spot:BTC" = 0.5, "cash:USDT" = 0.6 }\n'
    text = refusal(write(wrong))
    assert ":9:" in text
    assert "1.1" in text


def test_broken_toml_names_the_line(write):
    assert "line 4" in refusal(write("[warehouse]\nhome = 'x'\n\nkeep = = 3\n"))


def test_a_missing_file_says_what_to_do(tmp_path):
    assert "trimtab init" in refusal(tmp_path / "none.toml")


def test_environment_overrides_by_section_and_id(write, monkeypatch):
    file = write(MINIMAL)
    monkeypatch.setenv("TRIMTAB__VENUES__BINANCE__BASE_URL", "http://127.0.0.1:8901")
    monkeypatch.setenv("TRIMTAB__UNIVERSE__ASSETS", '["BTC"]')
    monkeypatch.setenv("TRIMTAB__PORTFOLIOS__CORE__REBALANCE__HORIZON_DAYS", "45")
    settings = load_settings(file)
    assert settings.venues[0].base_url == "http://127.0.0.1:8901"
    assert settings.universe.assets == ("BTC",)
    assert settings.portfolios["core"].rebalance.horizon_days == 45


def test_an_override_of_an_unknown_id_is_refused():
    with pytest.raises(ConfigError, match="kraken"):
        apply_overrides({"venues": [{"id": "binance"}]}, {"TRIMTAB__VENUES__KRAKEN__BASE_URL": "x"})


def test_secrets_come_from_the_environment_or_a_private_file(write, monkeypatch, tmp_path):
    settings = load_settings(write(MINIMAL))
    assert channel_secret(settings, "ops") is None
    env = tmp_path / ".env"
    env.write_text("TRIMTAB_CHANNEL_OPS=jsons://example.org/a-secret-word\n")
    env.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        channel_secret(settings, "ops")
    env.chmod(0o600)
    assert channel_secret(settings, "ops") == "jsons://example.org/a-secret-word"
    monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", "from-environment")
    assert channel_secret(settings, "ops") == "from-environment"
    assert "a-secret-word" not in repr(load_settings(settings.config_path))


def test_the_policy_hash_covers_what_decides_and_nothing_else(write):
    file = write(MINIMAL)
    first = config_hash(load_settings(file), "core")
    file.write_text("# a comment\n[warehouse]\nhome = 'other'\n" + MINIMAL)
    assert config_hash(load_settings(file), "core") == first
    file.write_text(MINIMAL.replace("min_volatility", "equal_weight"))
    assert config_hash(load_settings(file), "core") != first


def test_lines_are_the_universe_and_its_cash(write):
    settings = load_settings(write(MINIMAL.replace("[universe]", '[universe]\ncash = ["USDC"]')))
    assert lines_of(settings, "core") == ("spot:BTC", "spot:ETH", "cash:USDT", "cash:USDC")
    assert policy_of(settings, "core").bounds_of("cash:USDT") == (0.0, 1.0)


def test_env_example_names_every_secret_of_the_shipped_configuration(write):
    settings = load_settings(ROOT / "trimtab.toml")
    named = (ROOT / ".env.example").read_text()
    for channel in settings.channels:
        assert f"TRIMTAB_CHANNEL_{channel.upper()}=" in named


def test_a_default_reads_back_from_the_policys_text_as_the_same_value(write):
    """1 and 1.0 are two texts: what a decision is hashed by must not depend on who wrote the number."""
    text = MINIMAL.replace("[portfolios.core]", '[portfolios.core]\nsleeves = ["spot", "carry", "cash"]')
    text = text.replace('"binance"', '"binance"\nmarkets = ["spot", "perp"]')
    settings = load_settings(write(text))
    first = deciding_settings(settings, "core")
    again = Settings.model_validate({**first, "config_path": settings.config_path})
    assert repr(deciding_settings(again, "core")) == repr(first)
