"""Judges the return histories before anything is estimated from them.

A fault of the frame as a whole (order, frequency, duplicates) refuses it; a fault of one line takes that line
out and leaves the rest. Cash is never refused for being constant, nor carry, basis and yield for being calm:
that is what they should be.
"""

import numpy as np
import pandas as pd

from portfolio.failure import AllocationFailure
from portfolio.model import Freeze, is_cash, is_contractual

MIN_ROWS = 60
ROWS_PER_LINE = 3
VARIANCE_FLOOR = 0.05  # of the median standard deviation of the other lines
MAX_DAILY_RETURN = 100.0  # ten thousand per cent in a day is a unit error, not a market
MAX_DAILY_CASH_MOVE = 0.5
DAY_US = 86_400_000_000
MAX_LAG_DAYS = 3  # a line may end this much before the newest row


def check_frame(returns: pd.DataFrame) -> None:
    """Refuse a frame that can not be daily returns by line.

    Raises:
        AllocationFailure: with code `bad_input`.
    """
    index, columns = returns.index, returns.columns
    found = ""
    if not columns.is_unique:
        found = f"the column {columns[columns.duplicated()][0]!r} is there twice."
    elif len(index) == 0 or not isinstance(index, pd.DatetimeIndex):
        found = "the returns have no rows with dates."
    elif index.tz is not None:
        found = "the index has a time zone."
    elif not (index.is_unique and index.is_monotonic_increasing):
        found = "the dates are not strictly increasing."
    elif bool(((stamps := index.to_numpy("datetime64[us]").view("int64")) % DAY_US).any()):
        found = "some rows are not at 00:00 UTC."
    elif len(index) > 1 and float(np.median(np.diff(stamps))) != DAY_US:
        found = "the rows are not daily."
    if found:
        raise AllocationFailure(
            "bad_input",
            f"Daily returns closing at 00:00 UTC, one column per line, were wanted; {found}",
            "Look at mart.sleeve_returns: it must hold one row per day and line.",
        )


def usable_panel(
    returns: pd.DataFrame, lines: tuple[str, ...], lookback_days: int
) -> tuple[pd.DataFrame, dict[str, Freeze]]:
    """Return the window every usable line shares, and why the other lines are out.

    Args:
        returns: checked by `check_frame`; missing days and NaN are gaps and are not filled.
        lines: wanted columns; a cash line without history is taken as flat.
        lookback_days: length of the window, ending at the newest row.

    Returns:
        Rows without a gap, columns in the order of `lines`; and line → reason for each line left out.

    Raises:
        AllocationFailure: too few rows for the lines that are left (`too_little_history`).
    """
    newest = returns.index[-1]
    window = returns.loc[returns.index > newest - pd.Timedelta(days=lookback_days)]
    bad: dict[str, Freeze] = {}
    for line in lines:
        freeze = None if is_cash(line) else _line_fault(line, window)
        if freeze is not None:
            bad[line] = freeze
    cash = _cash_columns(window, tuple(x for x in lines if is_cash(x)))
    coins = [x for x in lines if not is_cash(x) and x not in bad]
    numbers = window[coins].astype("float64")
    moving = numbers[[c for c in coins if not is_contractual(c)]]
    bad |= _too_quiet(moving) | _twins(moving)
    good = numbers[[c for c in coins if c not in bad]]
    panel, short = _common_rows(good, cash)
    return panel[[x for x in lines if x in panel.columns]], bad | short


def _line_fault(line: str, window: pd.DataFrame) -> Freeze | None:
    if line not in window.columns:
        return Freeze("no_history", f"{line} has no return history.")
    column = window[line]
    if column.dtype.kind not in "fiu":
        return Freeze("bad_returns", f"The returns of {line} are not numbers ({column.dtype}).")
    values = column.to_numpy(dtype="float64")
    wrong = (values > MAX_DAILY_RETURN) | (values <= -1.0)  # NaN is a gap and compares as neither
    if wrong.any():
        first = column.index[int(np.argmax(wrong))]
        return Freeze(
            "bad_returns", f"{line} has an impossible return ({values[wrong][0]}) on {first:%Y-%m-%d}."
        )
    finite = column.dropna()
    if len(finite) == 0:
        return Freeze("no_history", f"{line} has no return history.")
    if (window.index[-1] - finite.index[-1]).days > MAX_LAG_DAYS:
        return Freeze("stale_returns", f"The returns of {line} end on {finite.index[-1]:%Y-%m-%d}.")
    return None


def _cash_columns(window: pd.DataFrame, lines: tuple[str, ...]) -> pd.DataFrame:
    """Histories of cash; flat where there is none: a gap there must not cost the coins their rows."""
    columns: dict[str, pd.Series] = {}
    for line in lines:
        values = window[line].astype("float64") if line in window.columns else None
        known = values is not None and float(values.abs().max()) <= MAX_DAILY_CASH_MOVE
        known = known and values is not None and float(values.notna().mean()) > 0.9
        columns[line] = values if values is not None and known else pd.Series(0.0, index=window.index)
    return pd.DataFrame(columns, index=window.index)


def _too_quiet(numbers: pd.DataFrame) -> dict[str, Freeze]:
    spread = numbers.std().to_numpy(dtype="float64")
    bad: dict[str, Freeze] = {}
    for i, line in enumerate(numbers.columns):
        own, peers = float(spread[i]), np.delete(spread, i)
        known = peers[np.isfinite(peers)]
        usual = float(np.median(known)) if known.size else float("nan")
        floor = VARIANCE_FLOOR * usual if peers.size else 0.0
        if not own > max(floor, 1e-9):
            bad[str(line)] = Freeze(
                "constant_returns",
                f"{line} hardly moves ({own:.2e} a day, its peers {usual:.2e}): its feed looks frozen.",
            )
    return bad


def _twins(numbers: pd.DataFrame) -> dict[str, Freeze]:
    bad: dict[str, Freeze] = {}
    columns = [str(c) for c in numbers.columns]
    values = numbers.to_numpy(dtype="float64")
    for i, first in enumerate(columns):
        same, rest = values[:, i + 1 :] == values[:, [i]], values[:, i + 1 :]
        known = np.isfinite(rest) & np.isfinite(values[:, [i]])
        twins = (same | ~known).all(axis=0) & (known.sum(axis=0) >= MIN_ROWS)
        for second in (columns[i + 1 + int(j)] for j in np.flatnonzero(twins)):
            for line, other in ((first, second), (second, first)):
                bad[line] = Freeze("identical_returns", f"{line} and {other} have identical returns.")
    return bad


def _common_rows(coins: pd.DataFrame, cash: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Freeze]]:
    short: dict[str, Freeze] = {}
    while True:
        panel = pd.concat([coins, cash], axis=1).dropna()
        need = max(MIN_ROWS, ROWS_PER_LINE * panel.shape[1])
        if len(panel) >= need:
            return panel, short
        if coins.shape[1] == 0:
            raise AllocationFailure(
                "too_little_history",
                f"{need} common days of returns were wanted, {len(panel)} found.",
                "Fetch a longer history (universe.history_start) or choose the objective 'policy'.",
            )
        counts = coins.notna().sum()
        line = str(counts.sort_index().idxmin())
        short[line] = Freeze(
            "short_history", f"{line} has {int(counts[line])} days of returns; {need} common days are wanted."
        )
        coins = coins.drop(columns=line)
