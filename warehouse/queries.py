"""Named queries: warehouse/sql/queries/<name>.sql, and audits as audit.<table>.

The first comment line says what a query answers. Its parameters are the `$names` in it, and exactly these
must be given.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache

from warehouse.catalogue import SQL_ROOT
from warehouse.errors import UnknownQuery
from warehouse.headers import split_header

_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")
_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
FOLDERS = {"": "queries", "audit.": "audit"}


@dataclass(frozen=True, slots=True)
class Query:
    """One named query."""

    name: str
    sentence: str
    sql: str
    parameters: frozenset[str]


@cache
def all_queries() -> dict[str, Query]:
    """Every named query by its name."""
    found: dict[str, Query] = {}
    for prefix, folder in FOLDERS.items():
        for path in sorted((SQL_ROOT / folder).glob("*.sql")):
            header, sql = split_header(path.read_text(encoding="utf-8"))
            names = frozenset(_PARAMETER.findall(_NOISE.sub("", sql)))
            found[prefix + path.stem] = Query(prefix + path.stem, header[0] if header else "", sql, names)
    return found


def named_query(name: str, given: frozenset[str]) -> Query:
    """Find a query and check its parameters.

    Raises:
        UnknownQuery: No such query, or other parameters than it has.
    """
    query = all_queries().get(name)
    if query is None:
        near = difflib.get_close_matches(name, all_queries(), n=1)
        hint = f"Did you mean {near[0]}?" if near else "Add warehouse/sql/queries/<name>.sql."
        raise UnknownQuery(f"A query called '{name}' was asked for, and there is none. {hint}")
    if query.parameters != given:
        raise UnknownQuery(
            f"The query {name} takes the parameters {sorted(query.parameters)}, and was given "
            f"{sorted(given)}."
        )
    return query
