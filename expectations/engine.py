"""The one place that speaks to Great Expectations: rules in, one finding for each out.

The library is imported on first use (it costs seconds). It drops unknown expectation types, calls an empty
suite a success and reports an exception like a failed expectation; so every rule must come back exactly once,
without an exception and with its rows named, or its finding says that it did not run.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.api import types

from expectations.rules import COLUMNS_MATCH, ROW_COUNT, Rule

TAG = "rule"
ABOUT_THE_TABLE = frozenset({ROW_COUNT, COLUMNS_MATCH})
# Beyond this share of broken rows leaving out the others saves nothing.
MOST_SHOWN = 0.5
# Questions and answers that are kept: a few per suite, of a row or two.
MOST_REMEMBERED = 256
MOST_REMEMBERED_ROWS = 3
_FOUND_GOOD: dict[tuple[str, ...], dict[str, list[Any]]] = {}
RESULT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one rule: it held, was broken (by these row positions), or did not run (`error`)."""

    rule: Rule
    success: bool
    rows: tuple[int, ...] = ()
    error: str = ""


def evaluate(rules: Sequence[Rule], batch: pd.DataFrame) -> list[Finding]:
    """Ask every rule of the batch (index 0..n−1); the answer has one finding per rule, in the same order."""
    try:
        return _evaluate(rules, batch)
    except Exception as error:  # the library failed as a whole: no rule was asked, so none holds
        return [_did_not_run(rule, error) for rule in rules]


def _evaluate(rules: Sequence[Rule], batch: pd.DataFrame) -> list[Finding]:
    failed: dict[str, Finding] = {}
    asked: list[object] = []
    extra: dict[str, pd.Series[Any]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own deprecations are not ours to raise
        import great_expectations as library  # noqa: PLC0415 - imported late: seconds that no other command should pay

        library_rules = [rule for rule in rules if rule.holds is None]
        for rule in rules:
            try:
                arguments = dict(rule.arguments)
                if rule.holds is not None:
                    column = f"holds: {rule.name}"
                    extra[column] = _as_flags(rule, batch)
                    arguments = {"column": column, "value_set": [True]}
                asked.append(_expectation(rule, arguments))
            except Exception as error:  # one rule that can not be asked must not silence the others
                failed[rule.name] = _did_not_run(rule, error)
        answers = _validate(library, asked, _frame(library_rules, batch, extra))
    return [failed.get(rule.name) or _finding(rule, answers.get(rule.name, [])) for rule in rules]


def _frame(
    library_rules: Sequence[Rule], batch: pd.DataFrame, extra: Mapping[str, "pd.Series[Any]"]
) -> pd.DataFrame:
    """What the library is shown: the batch with the checks' answers, without what can not change a verdict.

    Rows in which every check answers yes are alike to it. Where all rules are checks, or are about the table
    as a whole, it gets the rows with a no and one other, by their positions: the verdicts and the named rows
    are the same, and a large batch costs no more than a small one.
    """
    if not all(rule.expectation in ABOUT_THE_TABLE for rule in library_rules):
        return batch.assign(**extra) if extra else batch
    least = max((int(rule.arguments.get("min_value") or 0) for rule in library_rules), default=0)
    broken = np.zeros(len(batch), dtype=bool)
    for flags in extra.values():
        broken |= ~flags.to_numpy()
    shown = broken | (np.arange(len(batch)) < max(least, 1))
    has_most = any(rule.arguments.get("max_value") is not None for rule in library_rules)
    if has_most or broken.mean() > MOST_SHOWN:
        return batch.assign(**extra) if extra else batch
    # A rule about the table sees how many rows there are and what the columns are called.
    columns = batch.columns if library_rules else batch.columns[:0]
    table = pd.DataFrame(data=True, index=batch.index[shown], columns=columns)
    return table.assign(**{name: flags[shown] for name, flags in extra.items()})


def _as_flags(rule: Rule, batch: pd.DataFrame) -> "pd.Series[Any]":
    assert rule.holds is not None
    kept = rule.holds(batch)
    if not isinstance(kept, pd.Series):
        return pd.Series(np.full(len(batch), bool(kept)), index=batch.index)
    if len(kept) != len(batch):
        raise ValueError(f"the check answered for {len(kept)} rows of {len(batch)}")
    # A missing answer is not a yes: the library would skip it.
    return kept.astype("boolean").fillna(value=False).astype(bool)


def _expectation(rule: Rule, arguments: Mapping[str, Any]) -> object:
    from great_expectations.expectations.registry import (  # noqa: PLC0415 - imported late, as above
        get_expectation_impl,
    )

    implementation = cast("Callable[..., object]", get_expectation_impl(rule.expectation))
    return implementation(**arguments, severity=rule.severity, meta={TAG: rule.name})


def _validate(library: ModuleType, asked: Sequence[Any], frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The library's answers by rule; what it found good once it is not asked again, to the letter the same.

    Each batch is checked row by row, but a batch without fault is always shown as the same small frame. The
    library takes a sixth of a second for it, as much as for the rest of a large batch.
    """
    if len(frame) > MOST_REMEMBERED_ROWS or not all(map(types.is_bool_dtype, frame.dtypes)):
        return _ask(library, asked, frame)
    question = (
        *(json.dumps(one.dict(), sort_keys=True, default=repr) for one in asked),
        repr((list(frame.columns), list(frame.index), frame.to_numpy().tolist())),
    )
    answers = _FOUND_GOOD.get(question)
    if answers is None:
        answers = _ask(library, asked, frame)
        results = [result for found in answers.values() for result in found]
        is_good = all(result.success and not _exception_of(result.exception_info) for result in results)
        if is_good and len(results) == len(asked) and len(_FOUND_GOOD) < MOST_REMEMBERED:
            _FOUND_GOOD[question] = answers
    return dict(answers)


def _ask(library: ModuleType, asked: Sequence[object], frame: pd.DataFrame) -> dict[str, list[Any]]:
    from great_expectations.data_context.types.base import (  # noqa: PLC0415 - imported late, as above
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # In memory, and without the temporary folder that it otherwise leaves behind for its documents.
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = library.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("gate").add_dataframe_asset("batch")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = library.ExpectationSuite(name="gate", expectations=list(asked))
    answers: dict[str, list[Any]] = {}
    for result in batch.validate(suite, result_format=RESULT).results:
        answers.setdefault((result.expectation_config.meta or {}).get(TAG, ""), []).append(result)
    return answers


def _finding(rule: Rule, answers: Sequence[Any]) -> Finding:
    if len(answers) != 1:
        return _did_not_run(rule, f"{len(answers)} answers came back for 1 expectation")
    answer = answers[0]
    trouble = _exception_of(answer.exception_info)
    if trouble:
        return _did_not_run(rule, trouble)
    details: Mapping[str, Any] = answer.result or {}
    rows = tuple(sorted(int(position) for position in details.get("unexpected_index_list") or ()))
    if rule.expectation == ROW_COUNT or "unexpected_count" not in details:
        return Finding(rule, bool(answer.success))
    if details["unexpected_count"] != len(rows) or bool(rows) == bool(answer.success):
        return _did_not_run(
            rule, f"{details['unexpected_count']} broken rows were counted and {len(rows)} named"
        )
    return Finding(rule, bool(answer.success), rows)


def _exception_of(info: Mapping[str, Any] | None) -> str:
    """The first exception in a result: the library nests it by metric when a metric could not be computed."""
    if not info:
        return ""
    parts = (
        [info]
        if "raised_exception" in info
        else [part for part in info.values() if isinstance(part, Mapping)]
    )
    for part in parts:
        if part.get("raised_exception"):
            return str(part.get("exception_message") or "it raised an exception")
    return ""


def _did_not_run(rule: Rule, error: Exception | str) -> Finding:
    text = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    lines = text.strip().splitlines()
    return Finding(rule, success=False, error=(lines[0] if lines else "unknown error")[:300])
