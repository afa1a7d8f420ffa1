"""Asking the published warehouse from a child process with a time limit.

In: one SELECT. Out: the whole answer as bytes, or an error; never half an answer. The child gets no
environment, so there is no secret in it to find.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from flows.checkout import ROOT
from warehouse import errors
from warehouse.errors import QueryFailed, WarehouseError

CHUNK_BYTES = 1 << 20
IN_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True)
class Answer:
    """The answer as bytes, from their beginning.

    Attributes:
        content: To be read once.
        rows: How many rows it has.
        is_complete: False when a table for the eye was cut.
    """

    content: IO[bytes]
    rows: int
    is_complete: bool


@contextmanager
def ask(home: Path, sql: str, shape: str, *, timeout_seconds: float, memory_limit: str) -> Generator[Answer]:
    """Answer one SELECT on the newest snapshot.

    Args:
        home: The warehouse's home.
        sql: What was typed.
        shape: table, csv, json or parquet.
        timeout_seconds: Wall-clock time after which the child is ended.
        memory_limit: DuckDB's, such as "2GB".

    Raises:
        QueryFailed: It took too long, needed too much memory, or DuckDB refused it.
        RefusedStatement: Not exactly one reading statement.
        NothingPublished: There is no snapshot.
    """
    question = {"home": str(home), "sql": sql, "shape": shape, "memory_limit": memory_limit}
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as content:
        told = _run(json.dumps(question).encode(), content, timeout_seconds)
        content.seek(0)
        yield Answer(content, int(told["rows"]), bool(told["is_complete"]))


def _run(question: bytes, content: IO[bytes], timeout_seconds: float) -> dict[str, str]:
    with subprocess.Popen(
        [sys.executable, "-m", "flows.answering"],
        cwd=ROOT,
        env={"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(timeout_seconds, end)
        timer.start()
        try:
            said = _exchange(child, question, content)
        finally:
            timer.cancel()
            child.kill()
    if late.is_set():
        raise QueryFailed(
            f"An answer was wanted within {timeout_seconds:g} s, and the query took longer. Ask for less, or "
            "allow more with --timeout."
        )
    return _understood(said, child.returncode)


def _exchange(child: subprocess.Popen[bytes], question: bytes, content: IO[bytes]) -> bytes:
    asking, answering, telling = child.stdin, child.stdout, child.stderr
    assert asking is not None
    assert answering is not None
    assert telling is not None
    try:
        asking.write(question)
        asking.close()
    except BrokenPipeError:
        pass  # it ended before it listened; what it said tells why
    while chunk := answering.read(CHUNK_BYTES):
        content.write(chunk)
    said = telling.read()
    child.wait()
    return said


def _understood(said: bytes, status: int) -> dict[str, str]:
    lines = said.decode(errors="replace").splitlines()
    try:
        told: dict[str, str] = json.loads(lines[-1] if lines else "")
    except ValueError:
        cause = lines[-1][:500] if lines else f"it ended with status {status}"
        raise QueryFailed(f"The query could not be answered: {cause}. Ask for less at a time.") from None
    if "error" not in told:
        return told
    kind = getattr(errors, told["error"], WarehouseError)
    error: WarehouseError = kind.__new__(kind)
    Exception.__init__(error, told["message"])
    raise error
