"""Finds the channels: every module of this folder without a leading underscore is one, under its KIND."""

import importlib
import pkgutil
from typing import cast

import tasks.channels
from tasks.channels._delivery import Channel


def load_channels() -> dict[str, Channel]:
    """Return the channel modules by kind; importing them loads no heavy library."""
    names = sorted(
        found.name for found in pkgutil.iter_modules(tasks.channels.__path__) if found.name[0] != "_"
    )
    modules = [cast("Channel", importlib.import_module(f"tasks.channels.{name}")) for name in names]
    return {module.KIND: module for module in modules}
