"""Finds methods by file name.

A file in `optimisers`, `expected_returns` or `risk_models` is a method of that name. Adding a method is
adding one file; files that start with an underscore are shared helpers.
"""

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from portfolio.failure import AllocationFailure

OPTIMISERS = "portfolio.optimisers"
EXPECTED_RETURNS = "portfolio.expected_returns"
RISK_MODELS = "portfolio.risk_models"


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the sorted names of the methods in one package."""
    path = importlib.import_module(package).__path__
    return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))


def nearest(name: str, valid: tuple[str, ...]) -> str:
    """Return the valid name closest to a misspelt one."""
    return (difflib.get_close_matches(name, valid, n=1, cutoff=0.0) or list(valid))[0]


def load(package: str, name: str) -> ModuleType:
    """Import one method.

    Raises:
        AllocationFailure: no file of that name.
    """
    valid = names(package)
    if name not in valid:
        kind = package.rpartition(".")[2].replace("_", " ")
        raise AllocationFailure(
            "unknown_method",
            f"{name!r} is not one of the {kind}: {', '.join(valid)}.",
            f"Did you mean {nearest(name, valid)!r}?",
        )
    return importlib.import_module(f"{package}.{name}")
