"""The one reader of configuration files, of the environment and of secrets.

Comes in: trimtab.toml, .env, the environment. Goes out: frozen `Settings` without secrets; a secret
is fetched by name when it is used. Every refusal names file, line, finding and remedy.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError

from tasks.settings_checks import Complaint, cross_checks
from tasks.settings_lines import LineIndex
from tasks.settings_schema import ChannelSettings as ChannelSettings
from tasks.settings_schema import PortfolioSettings as PortfolioSettings
from tasks.settings_schema import Settings as Settings
from tasks.settings_schema import VenueSettings as VenueSettings

# What pydantic calls a value of the wrong shape, and what was wanted.
SHAPES = {
    "model_type": "table",
    "model_attributes_type": "table",
    "dict_type": "table",
    "mapping_type": "table",
    "tuple_type": "list",
    "list_type": "list",
}
OVERRIDE_PREFIX = "TRIMTAB__"
DEFAULT_CONFIG = "trimtab.toml"
# Telemetry of libraries is off before any of them is imported; a user's own setting wins.
QUIET_LIBRARIES = {
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


class ConfigError(Exception):
    """The configuration is wrong; the message says where, what was found and what to do. Exit status 2."""


def quiet_libraries() -> None:
    """Turn off the telemetry of Prefect and Great Expectations; call before importing either."""
    for name, value in QUIET_LIBRARIES.items():
        os.environ.setdefault(name, value)


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: ours, telemetry off, then `extra`."""
    return {**QUIET_LIBRARIES, **os.environ, **extra}


def find_config(config: Path | None) -> Path:
    """The configuration file: the option, else TRIMTAB_CONFIG, else trimtab.toml here."""
    path = (config or Path(os.environ.get("TRIMTAB_CONFIG") or DEFAULT_CONFIG)).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(
            f"Wanted a configuration file at {path}, found none. "
            "Run `trimtab init` to write one, or name yours with --config FILE."
        )
    return path


def load_settings(config: Path | None = None, home: Path | None = None) -> Settings:
    """Read, override and check the configuration.

    Args:
        config: the TOML file; None means TRIMTAB_CONFIG or ./trimtab.toml.
        home: replaces warehouse.home; None means TRIMTAB_HOME or what the file says.

    Raises:
        ConfigError: with file, line, finding and remedy, all problems of the file at once.
    """
    path = find_config(config)
    text = path.read_text(encoding="utf-8")
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path}: not valid TOML: {error}. Correct the line and run `trimtab check`."
        ) from None
    apply_overrides(tree, os.environ)
    lines = LineIndex(text)
    try:
        settings = Settings.model_validate({**tree, "config_path": path})
    except ValidationError as error:
        raise ConfigError(_validation_message(path, lines, error)) from None
    complaints = cross_checks(settings)
    if complaints:
        raise ConfigError("\n".join(_line(path, lines, complaint) for complaint in complaints))
    return _with_home(settings, home)


def channel_secret(settings: Settings, channel: str) -> str | None:
    """The URL of a channel: TRIMTAB_CHANNEL_<ID> in the environment, else in .env; or None."""
    return _secret(settings, "TRIMTAB_CHANNEL_" + re.sub(r"[^A-Z0-9]", "_", channel.upper()))


def heartbeat_url(settings: Settings) -> str | None:
    """The URL that the watchdog asks for when all is well: TRIMTAB_HEARTBEAT; None when unset."""
    return _secret(settings, "TRIMTAB_HEARTBEAT")


def venue_key(settings: Settings, venue: str) -> tuple[str, str] | None:
    """A venue's read-only key and secret: TRIMTAB_KEY_<ID>, TRIMTAB_SECRET_<ID>; None if one is unset."""
    name = re.sub(r"[^A-Z0-9]", "_", venue.upper())
    key, secret = _secret(settings, f"TRIMTAB_KEY_{name}"), _secret(settings, f"TRIMTAB_SECRET_{name}")
    return (key, secret) if key and secret else None


def venue_secrets(settings: Settings) -> dict[str, str]:
    """Every value of TRIMTAB_KEY_… and TRIMTAB_SECRET_… by its name, in pairs or not: all are hidden."""
    values = {**_dotenv(settings.config_path.parent), **os.environ}
    prefixes = ("TRIMTAB_KEY_", "TRIMTAB_SECRET_")
    return {name: value for name, value in values.items() if value and name.startswith(prefixes)}


def _secret(settings: Settings, name: str) -> str | None:
    value = os.environ.get(name)
    if value is None:
        value = _dotenv(settings.config_path.parent).get(name)
    return value or None


def webhook_key(settings: Settings, channel: str) -> str | None:
    """The signing key of a webhook channel: TRIMTAB_CHANNEL_<ID>_KEY; None when unset."""
    return channel_secret(settings, f"{channel}_key")


def apply_overrides(tree: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Lay TRIMTAB__SECTION__KEY over the parsed TOML in place; an id stands for the index of a table."""
    for name, raw in sorted(environment.items()):
        if name.startswith(OVERRIDE_PREFIX):
            _override(tree, name, name[len(OVERRIDE_PREFIX) :].split("__"), _literal(raw))


def _override(tree: dict[str, Any], name: str, path: list[str], value: object) -> None:
    node: Any = tree
    for part in path[:-1]:
        if isinstance(node, list):
            tables = cast("list[dict[str, Any]]", node)
            found = next((row for row in tables if str(row.get("id", "")).lower() == part.lower()), None)
            if found is None:
                known = ", ".join(str(row.get("id")) for row in tables) or "none"
                raise ConfigError(
                    f"{name}: wanted the id of a table, found {part.lower()!r}; the file has: {known}."
                )
            node = found
        else:
            node = node.setdefault(_key(node, part), {})
        if not isinstance(node, dict | list):
            raise ConfigError(f"{name}: {part.lower()} is a value, not a section; remove the parts after it.")
    if not isinstance(node, dict):
        raise ConfigError(
            f"{name}: wanted TRIMTAB__SECTION__ID__KEY for an array of tables; add the id and the key."
        )
    branch = cast("dict[str, Any]", node)
    branch[_key(branch, path[-1])] = value


def _key(node: Mapping[str, Any], part: str) -> str:
    return next((key for key in node if key.lower() == part.lower()), part.lower())


def _literal(raw: str) -> object:
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw


def _with_home(settings: Settings, home: Path | None) -> Settings:
    base = settings.config_path.parent
    stated = home or (Path(os.environ["TRIMTAB_HOME"]) if os.environ.get("TRIMTAB_HOME") else None)
    resolved = (
        stated.expanduser().absolute() if stated else (base / settings.warehouse.home.expanduser()).absolute()
    )
    warehouse = settings.warehouse.model_copy(update={"home": resolved})
    return settings.model_copy(update={"warehouse": warehouse})


def _dotenv(folder: Path) -> dict[str, str | None]:
    file = folder / ".env"
    if not file.is_file():
        return {}
    mode = file.stat().st_mode & 0o077
    if mode:
        raise ConfigError(
            f"{file}: wanted a file that only you can read, found mode {mode | 0o600:o}. "
            f"Run `chmod 600 {file}`."
        )
    return dotenv_values(file)


def _line(path: Path, lines: LineIndex, complaint: Complaint) -> str:
    number = lines.of(complaint.where)
    place = f"{path}:{number}" if number else str(path)
    return f"{place}: {'.'.join(str(part) for part in complaint.where)}: {complaint.message}"


def _validation_message(path: Path, lines: LineIndex, error: ValidationError) -> str:
    complaints: list[Complaint] = []
    for item in error.errors(include_url=False):
        where = tuple(part for part in item["loc"] if not _is_type_name(part))
        if item["type"] == "extra_forbidden":
            complaints.append(Complaint(where, _unknown_key(where)))
        elif item["type"] == "missing":
            complaints.append(Complaint(where, "wanted this key, found nothing: add it"))
        elif item["type"] in SHAPES:
            complaints.append(Complaint(where, _wrong_shape(where, item["type"], item["input"])))
        else:
            message = item["msg"].removeprefix("Value error, ")
            found = "" if isinstance(item["input"], dict | list) else f"; found {item['input']!r}"
            complaints.append(Complaint(where, message + found))
    return "\n".join(_line(path, lines, complaint) for complaint in complaints)


def _wrong_shape(where: tuple[int | str, ...], kind: str, value: object) -> str:
    """Say that a table or a list was wanted where something else stands, and what to write instead."""
    wanted, name = SHAPES[kind], str(where[-1])
    shapes = {dict: "a table", list: "a list"}
    found = next((word for shape, word in shapes.items() if isinstance(value, shape)), repr(value))
    if wanted == "list":
        plain = json.dumps(value) if isinstance(value, str | int | float | bool) else "…"
        return f"wanted a list, found {found}: write {name} = [{plain}]"
    model = _model_at(where)
    fields = model.model_fields if model else {}
    keys = sorted(field.alias or key for key, field in fields.items())
    needed = next((key for key, field in fields.items() if field.is_required()), "")
    own = f" with the keys {', '.join(keys)}" if keys else ""
    if len(keys) == 1 or needed:
        plain = json.dumps(value) if isinstance(value, str | int | float | bool) else "…"
        return f"wanted a table{own}, found {found}: write {name} = {{ {needed or keys[0]} = {plain} }}"
    place = ".".join(str(part) for part in where if isinstance(part, str))
    return f"wanted a table{own}, found {found}: write the section [{place}], each key on a line of its own"


def _is_type_name(part: int | str) -> bool:
    """Pydantic names the tried branch of a union in the location; the user never wrote that."""
    return isinstance(part, str) and (
        part.startswith(("function-", "dict[", "tuple[")) or part in {"[key]", "str"}
    )


def _unknown_key(where: tuple[int | str, ...]) -> str:
    model: type[BaseModel] | None = _model_at(where[:-1])
    fields = model.model_fields if model else {}
    names = sorted(field.alias or name for name, field in fields.items())
    names = [name for name in names if name != "config_path"]
    near = difflib.get_close_matches(str(where[-1]), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"valid keys here: {', '.join(names)}."
    return f"unknown key; {hint}"


def _model_at(where: tuple[int | str, ...]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Settings
    for part in where:
        if isinstance(part, int) or model is None:
            continue
        field = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
        if field is None:
            continue  # the name of a portfolio or channel: its model was found one step before
        model = _inner_model(field.annotation)
    return model


def _inner_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
