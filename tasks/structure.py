"""Rows of mart.sensitivity on the structure of the market: leads, breaks, regime, rolling correlations.

Comes in: a point-in-time reader and what the decision saw. Goes out: rows, most telling first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from portfolio.lab.structure import (
    Lead,
    breaks,
    leads,
    pairs_of,
    rolling_macro,
    storm_probability,
)
from tasks.context import RunContext
from warehouse.reader import Reader

Row = dict[str, Any]
SURE = 0.05  # of Benjamini and Hochberg's share of false answers
SHOWN = 10  # leads that are told though none of them is sure


def read_structure(reader: Reader, context: RunContext, days: int) -> pd.DataFrame:
    """Read daily funding and flows as known now: columns by name, `line` in the column's attributes."""
    first = (context.as_of - timedelta(days=days)).date()
    tall = reader.frame("structure_series", assets=list(context.settings.universe.assets), first_date=first)
    tall = tall.astype({"as_of_date": "datetime64[us]"})
    wide = tall.set_index(["as_of_date", "name"])["value"].unstack()  # noqa: PD010 - a repeated key must raise
    wide.attrs["lines"] = {
        str(name): f"spot:{asset}" if asset else ""
        for name, asset in zip(tall["name"], tall["asset"], strict=True)
    }
    return wide


def structure_rows(
    returns: pd.DataFrame, others: pd.DataFrame, whole: pd.Series, macro: Mapping[str, pd.Series]
) -> list[Row]:
    """Say what the recent past looks like.

    Args:
        returns: daily returns by line, as the decision saw them.
        others: from `read_structure`.
        whole: returns of the proposed weights.
        macro: series → levels.
    """
    coins = returns[[x for x in returns if str(x).startswith("spot:")]]
    panel = coins.join(others, how="left")
    pairs = pairs_of([str(x) for x in coins], dict(others.attrs.get("lines", {})))
    found = leads(panel, pairs)
    told = [x for i, x in enumerate(found) if x.bh < SURE or i < SHOWN]
    rows = [_lead(x, len(found)) for x in told]
    points = int(whole.notna().sum())
    rows += [_row("break", f"{at:%Y-%m-%d}", "", None, {"points": points}) for at in breaks(whole)]
    storm = storm_probability(whole)
    if storm is not None:
        chance, calm, wild = storm
        detail = {"calm_volatility": calm, "storm_volatility": wild, "points": points}
        rows.append(_row("regime", "stormy", "", chance, detail))
    for name, levels in macro.items():
        link = rolling_macro(whole, levels)
        if link is not None:
            own = _row("rolling", name, "", link.value, {"points": link.points})
            rows.append(own | {"low": link.low, "high": link.high})
    return rows


def _lead(x: Lead, tests: int) -> Row:
    detail = {
        "lags": x.lags,
        "points": x.points,
        "sum_of_lags": x.sum_of_lags,
        "p_value": x.p_value,
        "benjamini_hochberg": x.bh,
        "tests": tests,
        "is_sure": x.bh < SURE,
    }
    return _row("lead", f"{x.cause} leads {x.effect}", x.effect, x.holm, detail)


def _row(kind: str, name: str, line: str, value: float | None, detail: Row) -> Row:
    return {
        "kind": kind,
        "name": name,
        "line": line,
        "value": value,
        "low": None,
        "high": None,
        "detail": detail,
    }
