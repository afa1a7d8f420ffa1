"""docs/tables.md from the catalogue: what people may rely on, in the words of the SQL files.

`python -m warehouse.documentation` writes the page anew.
"""

from pathlib import Path

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.check import load_types
from warehouse.headers import Column, Table

PAGE = Path(__file__).parents[1] / "docs" / "tables.md"
_LAYERS = {
    "core": "The current validated value of every fact.",
    "mart": "What people read: derived figures, recommendations and their reasons.",
    "ops": "The pipeline's memory: loads, verdicts, runs, alerts.",
    "raw": "Every version of every fact, append-only. The macro `core.<table>_at(as_of, load)` shows a core "
    "table as it "
    "was known at a moment.",
}
_PREFACE = """# Tables

Generated from the headers of `warehouse/sql`; a test fails when it is out of date. All `…_at` columns and
`open_time`, `period_start` and `slot` are UTC without a zone. The same texts are in the database (`trimtab
show TABLE`, or `duckdb_columns()`).
"""


def tables_markdown() -> str:
    """The whole page."""
    catalogue, types = load_catalogue(), load_types()
    parts = [_PREFACE]
    for layer, sentence in _LAYERS.items():
        parts.append(f"## {layer}\n\n{sentence}\n")
        tables = sorted(catalogue.layer(layer), key=lambda table: table.name)
        parts += [_table(catalogue, table, types[table.full_name]) for table in tables]
    return "\n".join(parts).rstrip() + "\n"


def write_page(path: Path = PAGE) -> None:
    """Write the page to a file."""
    path.write_text(tables_markdown(), encoding="utf-8")


def _table(catalogue: Catalogue, table: Table, types: dict[str, str]) -> str:
    key = ", ".join(f"`{name}`" for name in table.key) or "none: a log"
    reads = [name for name in catalogue.tables if name in table.reads]
    facts = f"Key: {key}."
    if table.kind == "view" and reads:
        facts += f" A view over {', '.join(f'`{name}`' for name in reads)}."
    head = f"### {table.full_name}\n\n{table.sentence}\n\n{facts}\n"
    if table.layer == "raw":
        return head + f"Columns as in `core.{table.name}`.\n"
    lines = ["| column | type | meaning | promise |", "| --- | --- | --- | --- |"]
    lines += [_line(column, types[column.name]) for column in table.columns]
    return head + "\n" + "\n".join(lines) + "\n"


def _line(column: Column, kind: str) -> str:
    cells = (f"`{column.name}`", kind.lower(), column.meaning, column.promise)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    write_page()
