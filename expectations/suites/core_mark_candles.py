"""Promises of a batch of mark-price candles: those of traded candles, without the volumes.

Parameters:
    as_of: The run's data time; no candle may close after it.
"""

from dataclasses import replace

from expectations.rules import Parameters, Suite
from expectations.suites import core_candles

VOLUMES = {"base_volume", "quote_volume"}


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    traded = core_candles.suite(parameters)
    return replace(
        traded,
        table="core.mark_candles",
        columns=tuple(column for column in traded.columns if column.name not in VOLUMES),
        rules=tuple(rule for rule in traded.rules if not VOLUMES & _columns(rule.columns, rule.arguments)),
    )


def _columns(columns: tuple[str, ...], arguments: object) -> set[str]:
    named = arguments.get("column") if isinstance(arguments, dict) else None
    return {*columns, *([str(named)] if named else [])}
