"""Faults on demand: what a venue or the road to it does wrong, switched on by rules, repeatable by seed.

A rule is a JSON object: `kind`, and optionally `match` (a regular expression on path?query), `p` (probability
per request), `count` (how often at most), `after` (matching requests let through first). Transport kinds take
`retry_after`, `status`, `seconds`, `keep`, `wire`; row kinds take `rate` (probability per row, default 0.01)
or exact `ts` (in ms).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sandbox.noise import chance
from sandbox.wire import RefusalError, Reply, encode

TRANSPORT_KINDS = ("429", "418", "5xx", "html", "slow", "hang", "reset", "truncate", "empty", "badjson")
ROW_KINDS = ("dup", "missing", "shuffle", "neg", "hl", "spike", "nan", "zero", "misalign", "stale")
_GATEWAY_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
_KNOWN = {
    "kind",
    "match",
    "p",
    "count",
    "after",
    "retry_after",
    "status",
    "seconds",
    "keep",
    "wire",
    "rate",
    "ts",
}

Candle = list[Any]


@dataclass
class Fault:
    """One rule and how often it has fired."""

    number: int
    kind: str
    match: re.Pattern[str]
    probability: float
    count: int | None
    after: int
    settings: Mapping[str, Any]
    seen: int = 0
    fired: int = 0

    def describe(self) -> dict[str, object]:
        """Return the rule as JSON can carry it."""
        return {**self.settings, "kind": self.kind, "id": self.number, "seen": self.seen, "fired": self.fired}


@dataclass
class Faults:
    """The rules in force."""

    seed: int
    rules: list[Fault] = field(default_factory=list[Fault])
    injected: Counter[str] = field(default_factory=Counter[str])
    _made: int = 0

    def add(self, rule: Mapping[str, Any]) -> int:
        """Add a rule and return its number; refuse an unknown kind or key."""
        kind = str(rule.get("kind", ""))
        if kind not in TRANSPORT_KINDS + ROW_KINDS:
            raise ValueError(
                f"a fault of kind {kind!r} was asked for; known are {', '.join(TRANSPORT_KINDS + ROW_KINDS)}"
            )
        if unknown := set(rule) - _KNOWN:
            raise ValueError(
                f"a fault rule has the key {min(unknown)!r}; known are {', '.join(sorted(_KNOWN))}"
            )
        self._made += 1
        count = rule.get("count")
        self.rules.append(
            Fault(
                self._made, kind, re.compile(str(rule.get("match", "."))), float(rule.get("p", 1.0)),
                None if count is None else int(count), int(rule.get("after", 0)), dict(rule),
            )
        )  # fmt: skip
        return self._made

    def clear(self) -> None:
        """Drop every rule."""
        self.rules.clear()

    def due(self, target: str) -> list[Fault]:
        """Return the transport faults that strike this request, and count them."""
        return [rule for rule in self.rules if rule.kind in TRANSPORT_KINDS and self._strikes(rule, target)]

    def _strikes(self, rule: Fault, target: str) -> bool:
        if not rule.match.search(target):
            return False
        rule.seen += 1
        if rule.seen <= rule.after or (rule.count is not None and rule.fired >= rule.count):
            return False
        if rule.probability < 1.0 and chance(self.seed, "fault", rule.number, rule.seen) >= rule.probability:
            return False
        rule.fired += 1
        self.injected[rule.kind] += 1
        return True

    def spoil(self, reply: Reply, target: str) -> Reply:
        """Return the answer with the row faults in force applied, where it consists of rows."""
        due = [rule for rule in self.rules if rule.kind in ROW_KINDS and rule.match.search(target)]
        due = [rule for rule in due if rule.count is None or rule.fired < rule.count]
        if not due or reply.status != 200 or not reply.content_type.endswith("json"):
            return reply
        document = json.loads(reply.body)
        rows = _rows_in(document)
        if rows is None:
            return reply
        for rule in due:
            rows[:] = self._spoil_rows(rule, rows, target)
        return Reply(encode(document), reply.status, reply.content_type, reply.headers)

    def _spoil_rows(self, rule: Fault, rows: list[Any], target: str) -> list[Any]:
        rule.seen += 1
        place = _series_of(target)
        spoiled: list[Any] = []
        struck = 0
        for row in rows:
            if not self._row_is_due(rule, place, _row_key(row)):
                spoiled.append(row)
                continue
            struck += 1
            _strike_row(rule.kind, row, spoiled)
        if struck:
            rule.fired += 1
            self.injected[f"rows:{rule.kind}"] += struck
        return spoiled

    def _row_is_due(self, rule: Fault, place: str, key: str) -> bool:
        if not key:
            return False
        if "ts" in rule.settings:
            return key.rpartition("|")[2] in {str(at) for at in rule.settings["ts"]}
        return chance(self.seed, rule.kind, place, key) < float(rule.settings.get("rate", 0.01))


def _series_of(target: str) -> str:
    """Name the series a request is for, whatever window of it is asked."""
    path, _, query = target.partition("?")
    named = [
        part
        for part in query.split("&")
        if part.partition("=")[0] in {"symbol", "pair", "interval", "granularity"}
    ]
    return "?".join([path, *sorted(named)])


def _rows_in(document: object) -> list[Any] | None:
    """Find the rows of an answer: a bare list, or the list under `data` or within `result`."""
    if isinstance(document, list):
        return cast("list[Any]", document)
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    result = fields.get("result")
    inner = list(cast("dict[str, Any]", result).values()) if isinstance(result, dict) else []
    lists = [value for value in [fields.get("data"), *inner] if isinstance(value, list)]
    return cast("list[Any]", lists[0]) if lists else None


def _row_key(row: object) -> str:
    """Name a row by its series and time, so that every fetch strikes it alike; "" where it has no time."""
    if isinstance(row, list):
        return str(cast("list[Any]", row)[0])
    fields = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    time = next((fields[name] for name in ("fundingTime", "time", "timestamp", "date") if name in fields), "")
    return f"{fields.get('symbol', fields.get('asset', ''))}|{time}" if time else ""


def _strike_row(kind: str, row: object, done: list[Any]) -> None:
    """Append the spoiled row to what is done so far."""
    if kind == "missing":
        return
    if kind == "dup":
        done.extend([row, row])
        return
    if kind == "shuffle":
        done.insert(max(0, len(done) - 2), row)
        return
    if isinstance(row, list):
        done.append(_spoil_candle(kind, list(cast("Candle", row)), done))
    else:
        done.append(_spoil_fields(kind, dict(cast("dict[str, Any]", row))))


def _spoil_candle(kind: str, row: Candle, done: list[Any]) -> Candle:
    # Coinbase sends numbers, and low before high; everybody else sends text, and high before low.
    numeric = not isinstance(row[4], str)

    def written(value: float) -> str | float:
        return value if numeric else f"{value:.8f}"

    close = float(row[4])
    changes: dict[str, dict[int, Any]] = {
        "neg": {4: written(-close)},
        "hl": {1: row[2], 2: row[1]} if numeric else {2: row[3], 3: row[2]},
        "spike": {2: written(float(row[2]) * 10), 4: written(close * 10)},
        "nan": {4: "NaN"},
        "zero": dict.fromkeys(range(1, 5), written(0.0)),
        "misalign": {0: row[0] + 1234},
        "stale": {**dict.fromkeys(range(1, 5), done[-1][4] if done else row[1]), 5: written(0.0)},
    }
    for position, value in changes[kind].items():
        row[position] = value
    return row


def _spoil_fields(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Callable[[str], str]] = {
        "neg": lambda text: "-" + text,
        "spike": lambda text: repr(float(text) * 10),
        "nan": lambda text: "NaN" if text else text,
        "zero": lambda text: "0" if text else text,
    }
    if kind == "misalign" and isinstance(row.get("fundingTime"), int):
        row["fundingTime"] += 7
    if kind in changes:
        for name, value in row.items():
            if isinstance(value, str) and name not in {"symbol", "asset", "time"}:
                row[name] = changes[kind](value)
    return row


def transport_reply(fault: Fault, now_ms: int) -> RefusalError | None:
    """Return what a transport fault answers instead of the truth; None where it acts on the connection."""
    wait = int(fault.settings.get("retry_after", 1))
    retry = {"Retry-After": str(wait)}
    busy = "Too many requests. (injected)"
    banned = f"Way too many requests; IP banned until {now_ms + 1000 * wait}. (injected)"
    broken = "Internal error; unable to process your request. Please try again. (injected)"
    status = fault.settings.get("status")
    answers = {
        "429": lambda: RefusalError(429, {"code": -1003, "msg": busy}, headers=retry),
        "418": lambda: RefusalError(418, {"code": -1003, "msg": banned}, headers=retry),
        "5xx": lambda: RefusalError(int(status or 503), {"code": -1001, "msg": broken}),
        "html": lambda: RefusalError(int(status or 502), _GATEWAY_PAGE, content_type="text/html"),
        "empty": lambda: RefusalError(200, b""),
        "badjson": lambda: RefusalError(200, b'{"code":0,"data":[1,2,'),
    }
    return answers[fault.kind]() if fault.kind in answers else None


def as_rules(body: object) -> Sequence[Mapping[str, Any]]:
    """Read one rule or a list of rules."""
    return cast("Sequence[Mapping[str, Any]]", body if isinstance(body, list) else [body])
