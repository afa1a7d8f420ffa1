"""The header comment of a table's SQL file: one sentence, the key, and what each column means and promises.

In: the text of one file. Out: a Table. No database is touched here.

Shape of a header::

    -- One sentence about the table.
    --
    -- key: venue, market_id            (or "none" for a log)
    -- time: open_time                  (the key column by which batches are bounded; optional)
    -- venue | meaning, unit | promise
    -- columns: raw.candles             (instead of the column lines: the same columns as that table)
"""

from dataclasses import dataclass

from warehouse.errors import WarehouseError


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it means (with its unit) and what it promises."""

    name: str
    meaning: str
    promise: str

    @property
    def comment(self) -> str:
        """The column's comment in the database."""
        return f"{self.meaning} [{self.promise}]" if self.promise else self.meaning


@dataclass(frozen=True, slots=True)
class Table:
    """One table or view as its SQL file describes it.

    Attributes:
        layer: raw, core, mart or ops.
        name: Name within the layer.
        kind: table or view.
        sentence: What one row is.
        key: Columns that identify a row; empty for a log.
        time: Key column by which batches are bounded, or None.
        columns: In file order.
        like: Full name of the table that lends its columns, or None.
        body: The SQL without the header: a create table statement, or the select of a view.
        reads: Full names of the tables the body reads.
    """

    layer: str
    name: str
    kind: str
    sentence: str
    key: tuple[str, ...]
    time: str | None
    columns: tuple[Column, ...]
    like: str | None
    body: str
    reads: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        """Layer and name, joined by a dot."""
        return f"{self.layer}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)


def split_header(text: str) -> tuple[list[str], str]:
    """Part a file into the lines of its leading comment (without the dashes) and the SQL below."""
    lines = text.splitlines()
    length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return [line[2:].strip() for line in lines[:length]], "\n".join(lines[length:]).strip()


def parse_table(layer: str, name: str, text: str) -> Table:
    """Read one SQL file.

    Raises:
        WarehouseError: The header has no sentence or no key, or a line that is neither a setting nor a
        column.
    """
    header, body = split_header(text)
    where = f"warehouse/sql/{layer}/{name}.sql"
    blank = header.index("") if "" in header else len(header)
    sentence = " ".join(header[:blank])
    if not sentence or not body:
        raise WarehouseError(
            f"{where} should start with a sentence in a comment and end with SQL. Add what is missing."
        )
    settings: dict[str, str] = {}
    columns: list[Column] = []
    for line in filter(None, header[blank:]):
        fields = [field.strip() for field in line.split("|")]
        setting, colon, value = line.partition(":")
        if len(fields) in {2, 3}:
            columns.append(Column(fields[0], fields[1], fields[2] if len(fields) == 3 else ""))
        elif colon and setting in {"key", "time", "columns"}:
            settings[setting] = value.strip()
        else:
            raise WarehouseError(f"{where}: '{line}' is neither a setting nor 'column | meaning | promise'.")
    like = settings.get("columns")
    if "key" not in settings and like is None:
        raise WarehouseError(f"{where} names no key. Add '-- key: …', or 'none' for a log.")
    key = settings.get("key", "")
    return Table(
        layer=layer,
        name=name,
        kind="table" if body.lower().startswith("create table") else "view",
        sentence=sentence,
        key=() if key == "none" else tuple(part.strip() for part in key.split(",") if part.strip()),
        time=settings.get("time"),
        columns=tuple(columns),
        like=like,
        body=body,
    )
