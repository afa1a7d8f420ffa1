"""Decides again what was decided: same data, same facts, same policy, and compares the answers.

Comes in: an id. Goes out: what agrees and what does not. Nothing is written. The data are read as they were
known then, by `known_at` and the ceiling of loads; what came or was revised later is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

from portfolio.model import Decision
from tasks.context import RunContext
from tasks.decide import decide_inputs
from tasks.decision_facts import delisted_table, read_facts
from tasks.inputs import load_inputs
from tasks.stated_tables import stated_tables
from tasks.then import settings_then
from tasks.trade_rows import trade_rows
from tasks.version import code_version, lock_hash
from warehouse.reader import Reader, open_point_in_time, open_published

WEIGHT_TOLERANCE = 1e-6
ALWAYS = ("venue", "market_id", "symbol", "side", "quantity")
COMPARED = (*ALWAYS, "sleeve", "asset", "market_type", "pair", "contracts", "limit_price", "is_reduce_only")
STORED = Decimal(1).scaleb(-18)


class ReplayError(Exception):
    """The recommendation can not be decided again; the message says why and what to do. Exit status 2."""

    exit_status = 2


@dataclass(frozen=True)
class Replayed:
    """What came of it.

    Attributes:
        differences: one sentence each; none: it agrees.
        largest_weight_difference: absolute, in fractions of NAV.
        notes: what is different about this machine or this code, without being a difference of the answer.
    """

    recommendation_id: str
    weights: int
    trades: int
    largest_weight_difference: float
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Weights within 1e-6, the same trades, the same verdict."""
        return not self.differences


def replay(context: RunContext, recommendation_id: str) -> Replayed:
    """Decide a stored recommendation again.

    Raises:
        ReplayError: there is no such id, or it was stored before facts were kept.
    """
    with open_published(context.home) as reader:
        stored = _stored(reader, recommendation_id)
    row, facts = stored["recommendation"], read_facts(stored["facts"])
    settings = settings_then(context.settings, stored["policy"])
    past = replace(context, settings=settings, as_of=row["as_of"], slot=row["slot"], fence=None)
    ceiling = int(str(row["input_snapshot"]).partition("@")[2])
    stated = stated_tables(settings, row["portfolio"]) | delisted_table(facts)
    with open_point_in_time(past.home, past.as_of, ceiling, stated=stated) as reader:
        loaded = load_inputs(reader, past, row["portfolio"], facts.state.datasets, facts.state.suspects)
    decision, _ = decide_inputs(past, row["portfolio"], loaded.inputs)
    differences: list[str] = []
    if loaded.inputs.content_hash() != row["inputs_hash"]:
        differences.append(
            "The inputs are not what they were: their hash differs. `trimtab revisions` lists what changed."
        )
    largest = _compare_weights(stored["weights"], decision, differences)
    _compare_trades(stored["trades"], decision, differences)
    _compare_verdict(row, decision, differences)
    return Replayed(
        recommendation_id=recommendation_id,
        weights=len(stored["weights"]),
        trades=len(stored["trades"]),
        largest_weight_difference=largest,
        differences=tuple(differences),
        notes=_notes(row, stored["facts"]),
    )


def _stored(reader: Reader, recommendation_id: str) -> dict[str, Any]:
    key = {"recommendation_id": recommendation_id}
    found = reader.rows("recommendation", **key)
    if not found:
        raise ReplayError(
            f"Wanted a recommendation {recommendation_id!r}; there is none of that id. "
            "`trimtab status` lists the newest ones."
        )
    facts = reader.rows("decision_facts", **key)
    policy = reader.rows("policy_text", config_hash=found[0]["config_hash"])
    if not facts or not policy:
        raise ReplayError(
            f"Wanted the facts and the policy of {recommendation_id}; it was stored before these were kept. "
            "Only newer recommendations can be decided again."
        )
    return {
        "recommendation": found[0],
        "facts": facts[0],
        "policy": policy[0]["toml"],
        "weights": reader.rows("weights_of", **key),
        "trades": reader.rows("trades_of", **key),
    }


def _compare_weights(weights: list[dict[str, Any]], decision: Decision, differences: list[str]) -> float:
    before = {f"{row['sleeve']}:{row['asset']}": float(row["target_weight"]) for row in weights}
    after = {f"{line.sleeve}:{line.asset}": line.target_weight for line in decision.target_lines}
    gaps = {line: abs(before.get(line, 0.0) - after.get(line, 0.0)) for line in {*before, *after}}
    largest = max(gaps.values(), default=0.0)
    differences.extend(
        f"{line} was {before.get(line, 0.0):.6%}, is now {after.get(line, 0.0):.6%}."
        for line in sorted(gaps)
        if gaps[line] > WEIGHT_TOLERANCE
    )
    return largest


def _compare_trades(trades: list[dict[str, Any]], decision: Decision, differences: list[str]) -> None:
    """Compare the orders one by one; a column that is younger than the record says nothing."""
    if len(trades) != len(decision.trades):
        differences.append(
            f"The trades differ: {len(trades)} were stored, {len(decision.trades)} come out now."
        )
        return
    for row, trade in zip(trades, trade_rows("", decision.trades), strict=True):
        before = {name: row.get(name) for name in COMPARED}
        after = {name: trade[name] for name in COMPARED}
        changed = [
            f"{name} was {_told(before[name])}, is now {_told(after[name])}"
            for name in COMPARED
            if (name in ALWAYS or before[name] is not None) and _told(before[name]) != _told(after[name])
        ]
        if changed:
            differences.append(f"Trade {row['line']} ({row['symbol']}) differs: {'; '.join(changed)}.")


def _told(value: object) -> str:
    """A value as stored: decimals to the column's 18 places, without the zeros behind."""
    if not isinstance(value, Decimal):
        return str(value)
    with localcontext(prec=60):
        return f"{value.quantize(STORED).normalize():f}"


def _compare_verdict(row: dict[str, Any], decision: Decision, differences: list[str]) -> None:
    if row["reason_code"] != decision.reason_code:
        differences.append(f"The reason was {row['reason_code']}, is now {decision.reason_code}.")


def _notes(row: dict[str, Any], facts: dict[str, Any]) -> tuple[str, ...]:
    notes: list[str] = []
    if row["code_version"] != code_version():
        notes.append(f"Decided by the code {row['code_version']}, again by {code_version()}.")
    if facts["lock_hash"] != lock_hash():
        notes.append("The libraries are not those it was decided with (requirements.lock differs).")
    return tuple(notes)
