"""Vectorised checks over a frame: each answers, row by row, whether a promise is kept.

Pure functions of pandas columns, NaN-safe: a missing or infinite value never counts as kept unless the check
says "or missing". No clock, no I/O, and no Great Expectations.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

FIRST_BLOCK = pd.Timestamp("2009-01-03")
FIRST_STATISTICS = pd.Timestamp("1900-01-01")
LAST_EXPIRY = pd.Timestamp("2100-01-01")
LARGEST = 1e15
BOOKKEEPING = ("known_at", "is_reconstructed", "load_id")
KIND_WORDS = {
    "text": "text",
    "number": "numbers (float64 or integers)",
    "decimal": "exact decimals (Decimal, or numbers)",
    "time": "naive UTC timestamps (datetime64)",
    "flag": "true or false",
}
# Fixed lengths only; a month has its own arithmetic below.
TIMEFRAMES: Mapping[str, pd.Timedelta] = {
    "1m": pd.Timedelta(minutes=1),
    "3m": pd.Timedelta(minutes=3),
    "5m": pd.Timedelta(minutes=5),
    "15m": pd.Timedelta(minutes=15),
    "30m": pd.Timedelta(minutes=30),
    "1h": pd.Timedelta(hours=1),
    "2h": pd.Timedelta(hours=2),
    "4h": pd.Timedelta(hours=4),
    "6h": pd.Timedelta(hours=6),
    "8h": pd.Timedelta(hours=8),
    "12h": pd.Timedelta(hours=12),
    "1d": pd.Timedelta(days=1),
    "3d": pd.Timedelta(days=3),
    "1w": pd.Timedelta(days=7),
}
MONTH = "1M"


def wrong_kinds(frame: pd.DataFrame, kinds: Mapping[str, str]) -> list[str]:
    """The columns whose values are not of their kind, in words; a column without any value has every kind."""
    wrong: list[str] = []
    for column, kind in kinds.items():
        if column in frame.columns and not _KINDS[kind](present := frame[column].dropna()) and len(present):
            wrong.append(f"{column} is {present.dtype}, not {KIND_WORDS[kind]}")
    return wrong


_KINDS: Mapping[str, Callable[["pd.Series[Any]"], bool]] = {
    "text": types.is_string_dtype,
    "number": lambda values: types.is_numeric_dtype(values) and not types.is_bool_dtype(values),
    "decimal": lambda values: (
        types.is_numeric_dtype(values) or types.infer_dtype(values) in ("decimal", "integer", "mixed-integer")
    ),
    "time": types.is_datetime64_dtype,
    "flag": lambda values: types.is_bool_dtype(values) or types.infer_dtype(values) == "boolean",
}


def with_kinds(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """The frame with columns that hold no value cast to the type of their kind, so that they compare."""
    kind_of_none = {"number": "float64", "decimal": "float64", "time": "datetime64[us]"}
    empty = [name for name, kind in kinds.items() if kind in kind_of_none and not frame[name].notna().any()]
    return frame.astype({name: kind_of_none[kinds[name]] for name in empty}) if empty else frame


def all_given(
    frame: pd.DataFrame, columns: Sequence[str], *, may_be_blank: Collection[str]
) -> "pd.Series[Any]":
    """None of the columns missing, nor an empty text where that does not count as given."""
    kept = pd.Series(data=True, index=frame.index)
    for column in columns:
        kept &= frame[column].notna()
        if column not in may_be_blank:
            kept &= frame[column] != ""
    return kept


def as_float(values: "pd.Series[Any]") -> "np.ndarray[Any, Any]":
    """The column as float64, whatever exact type it has; what is missing is NaN."""
    return values.astype("float64").to_numpy(dtype="float64", na_value=np.nan)


def is_finite(values: "pd.Series[Any]", *, also_null: bool = False) -> "pd.Series[Any]":
    """A finite number; or missing, where allowed (pandas has one NaN for both: NaN then is missing)."""
    kept = pd.Series(np.isfinite(as_float(values)), index=values.index)
    return kept | values.isna() if also_null else kept


def is_at_least_zero(values: "pd.Series[Any]", *, also_null: bool) -> "pd.Series[Any]":
    """Finite and at least 0, or missing where allowed."""
    numbers = as_float(values)
    kept = pd.Series(np.isfinite(numbers) & (numbers >= 0), index=values.index)
    return kept | values.isna() if also_null else kept


def all_above_zero(frame: pd.DataFrame, columns: Sequence[str], *, also_null: bool) -> "pd.Series[Any]":
    """All of the columns finite, above 0 and below 1e15; or missing, where allowed."""
    kept = np.ones(len(frame), dtype=bool)
    for column in columns:
        numbers = as_float(frame[column])
        fine = np.isfinite(numbers) & (numbers > 0) & (numbers < LARGEST)
        kept &= fine | np.isnan(numbers) if also_null else fine
    return pd.Series(kept, index=frame.index)


def is_one_of(values: "pd.Series[Any]", allowed: Collection[str]) -> "pd.Series[Any]":
    """One of the words, or missing: the few distinct values are looked up, not the many rows."""
    known = [value for value in values.dropna().unique() if value in allowed]
    kept = values.isna()
    for value in known:
        kept |= values == value
    return kept.astype(bool)


def is_between_times(values: "pd.Series[Any]", first: pd.Timestamp, last: pd.Timestamp) -> "pd.Series[Any]":
    """Instants in [first, last]; a missing instant is not."""
    return (values >= first) & (values <= last)


def is_whole(values: "pd.Series[Any]", step: pd.Timedelta) -> "pd.Series[Any]":
    """Instants that are whole multiples of the step since 1970."""
    return values.notna() & (values.dt.floor(step) == values)


def time_hint(value: object) -> str:
    """What an instant outside the era most likely is: a unit mistake, or the future."""
    stamp = pd.Timestamp(value)  # pyright: ignore[reportArgumentType] - a cell of a checked datetime column
    if stamp is pd.NaT:
        return ""
    if stamp < pd.Timestamp("1972-01-01"):
        return "looks like seconds read as milliseconds"
    if stamp.year > 2200:
        return "looks like microseconds read as milliseconds"
    return ""


def is_on_grid(frame: pd.DataFrame) -> "pd.Series[Any]":
    """Candles open on a multiple of their timeframe; weeks on Monday or Thursday, months on the 1st."""
    kept = pd.Series(data=False, index=frame.index)
    for timeframe, rows in _per_timeframe(frame):
        opens = frame["open_time"][rows]
        if timeframe == MONTH:
            fine = (opens.dt.floor("D") == opens) & (opens.dt.day == 1)
        elif timeframe == "1w":
            fine = (opens.dt.floor("D") == opens) & opens.dt.dayofweek.isin([0, 3])
        else:
            fine = is_whole(opens, TIMEFRAMES[timeframe])
        kept = kept.mask(rows, fine.reindex(frame.index, fill_value=False))
    return kept


def close_time(frame: pd.DataFrame) -> "pd.Series[Any]":
    """The instant at which each candle closes: open_time + timeframe; missing for an unknown timeframe."""
    closes = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
    for timeframe, rows in _per_timeframe(frame):
        opens = frame["open_time"][rows].astype("datetime64[us]")
        end = opens + (pd.DateOffset(months=1) if timeframe == MONTH else TIMEFRAMES[timeframe])
        if rows.all():
            return end.astype("datetime64[us]")
        closes = closes.mask(rows, end.reindex(frame.index))
    return closes


def _per_timeframe(frame: pd.DataFrame) -> "list[tuple[str, pd.Series[Any]]]":
    names = [str(name) for name in frame["timeframe"].dropna().unique()]
    return [(name, frame["timeframe"] == name) for name in names if name in TIMEFRAMES or name == MONTH]


def no_conflict(frame: pd.DataFrame, key: Sequence[str], values: Sequence[str]) -> "pd.Series[Any]":
    """False where another row gives the same key different values; identical repeats are no conflict."""
    repeated = frame.duplicated(list(key), keep=False)
    kept = pd.Series(data=True, index=frame.index)
    if not repeated.any():
        return kept
    rows = frame.loc[repeated, list(values)]
    distinct = rows.drop_duplicates()
    torn = distinct.loc[distinct.duplicated(list(key), keep=False), list(key)].drop_duplicates()
    if torn.empty:
        return kept
    hit = rows[list(key)].reset_index().merge(torn, on=list(key), how="inner")["index"]
    kept.loc[hit] = False
    return kept
