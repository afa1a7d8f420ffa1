"""One text for one content: what a decision rested on, as a hash that equal values share on any machine."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd


def sha256_of(content: Mapping[str, Any]) -> str:
    """Hash a JSON-like tree; the order of mappings does not count."""
    text = json.dumps(_canonical(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def frame_content(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a frame's index and columns (days × lines) as a tree; the order of columns does not count."""
    columns = [[str(name), *frame.iloc[:, i].to_list()] for i, name in enumerate(frame.columns)]
    return {"index": [str(i) for i in frame.index], "columns": sorted(columns, key=repr)}


def texts(item: Any) -> list[str]:  # noqa: ANN401 - any of the frozen values beside the inputs
    """Return the fields of a frozen dataclass as texts, in order; sentences for people are left out."""
    # A sentence for people may name an instant; it decides nothing.
    return [_text(getattr(item, name)) for name in item.__dataclass_fields__ if name != "detail"]


def _text(value: object) -> str:
    # 0.10 and 0.1 are one value, whatever number of decimals a column was declared with.
    if isinstance(value, Mapping):
        return repr(sorted(value.items()))
    return format(value.normalize(), "f") if isinstance(value, Decimal) else repr(value)


def _canonical(value: Any) -> Any:  # noqa: ANN401 - JSON-like trees have no narrower type
    if isinstance(value, Mapping):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    if isinstance(value, float):
        return repr(float(value) + 0.0)  # + 0.0 turns -0.0 into 0.0; repr is exact and knows nan and inf
    return value
