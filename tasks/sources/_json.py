"""JSON as the standard means it: no NaN, no Infinity, no duplicate keys, nothing after the end.

Python's own reader accepts all of these; a warehouse that decides about money must not.
"""

import json
import math
from typing import Any, NoReturn

# JSON is what it is.
Json = Any


def parse_strictly(text: str) -> Json:
    """Parse one JSON document.

    Raises:
        ValueError: the text is not one strict JSON document; the message says why.
    """
    return json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"the constant {name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:30]} does not fit a double")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} appears twice in one object")
    return found
