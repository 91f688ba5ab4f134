"""A value inside of a column as SQL: out of JSON, out of JSON that is kept as text, or the elements of a list.

A document that Postgres cannot turn into jsonb stops no request. JSON may hold what jsonb does not take, a null
character or half of a pair of surrogates: such a document is read with another character in its place. Where an index
holds the very expression, there is no such row, and the index serves.
"""

from __future__ import annotations

from datamap import expression
from datamap.catalogue import Column, Table
from datamap.names import Place, literal, quoted

_BACKSLASH = "chr(57344)"  # stands for two backslashes while escapes are looked for; a character of nobody's
_DEEPEST = 12000  # Postgres' own stack ends at some 16,000 levels, with an error that no question avoids


def value(place: Place, column: Column, alias: str = "t") -> str:
    """The single value at a place, as an index holds it: of a column, or as text out of JSON."""
    source = f"{alias}.{quoted(place.column)}"
    return source if place.is_plain else _step_by_step(place, _document(place, column, source))


def reading(place: Place, table: Table, alias: str = "t") -> str:
    """The single value at a place, of whatever row."""
    column = table.columns[place.column]
    if place.is_plain or not _may_be_unreadable(place, column) or _is_indexed(place, table):
        return value(place, column, alias)
    return _step_by_step(place, readable(column, f"{alias}.{quoted(place.column)}"))


def _step_by_step(place: Place, source: str) -> str:
    if place.as_path or any(step.isdecimal() for step in place.steps if step):
        return f"({source} #>> {path(place.steps)})"
    steps = [step for step in place.steps if step is not None]
    for step in steps[:-1]:
        source = f"{source} -> {_key(step)}"
    return f"({source} ->> {_key(steps[-1])})"


def _document(place: Place, column: Column, source: str) -> str:
    if not place.is_cast or column.family == "json":
        return source
    return f"(case when {source} is json then {source}::pg_catalog.jsonb end)"  # of rows that an index holds, all are


def _may_be_unreadable(place: Place, column: Column) -> bool:
    return column.base == "pg_catalog.json" or (place.is_cast and column.family != "json")


def _is_indexed(place: Place, table: Table) -> bool:
    """Whether an index evaluates the expression for each row that there ever is."""
    spellings = expression.of_place(place, table.columns[place.column])
    whole = [index for index in table.indexes if index.valid and index.predicate is None]
    told = [expression.normalised(each) for index in whole for each in index.expressions if each]
    return any(expression.evaluates(each, spelling) for each in told for spelling in spellings)


def readable(column: Column, source: str) -> str:
    """A document as jsonb, null where it is none."""
    if column.base == "pg_catalog.jsonb":
        return source
    text = f"{source}::pg_catalog.text"
    mended = (
        f"replace(regexp_replace(replace({text}, e'\\\\\\\\', {_BACKSLASH}),"
        f" e'\\\\\\\\u(0000|d[89a-f][0-9a-f]{{2}})', e'\\\\\\\\ufffd', 'gi'), {_BACKSLASH}, e'\\\\\\\\')"
    )
    is_flat = f"length(translate({text}, '[{{', '')) > length({text}) - {_DEEPEST}"
    tried = " ".join(
        f"when pg_input_is_valid({each}, 'pg_catalog.jsonb') then ({each})::pg_catalog.jsonb" for each in (text, mended)
    )
    return f"(case when {is_flat} then case {tried} end end)"


def _key(step: str) -> str:
    return literal(step).strip()


def path(steps: tuple[str | None, ...]) -> str:
    quoted_steps = (
        '"' + str(s).replace("\\", "\\\\").replace('"', '\\"') + '"' if _odd(str(s)) else str(s) for s in steps
    )
    return literal("{" + ",".join(quoted_steps) + "}").strip()


def _odd(step: str) -> bool:
    return not step or not step.replace("_", "a").isalnum() or step.lower() == "null"


def elements(place: Place, column: Column, alias: str = "t", name: str = "e") -> str:
    """A lateral source of the values at a place that holds several; each is `{name}.v`, with its number `{name}.n`."""
    if place.is_array and column.is_array:
        return f"unnest({alias}.{quoted(place.column)}) with ordinality as {name} (v, n)"
    at = place.steps.index(None)
    before, after = place.steps[:at], place.steps[at + 1 :]
    source = readable(column, f"{alias}.{quoted(place.column)}")
    source = f"({source} #> {path(before)})" if before else source
    inner = f"jsonb_array_elements(case when jsonb_typeof({source}) = 'array' then {source} else '[]' end)"
    while None in after:
        at = after.index(None)
        middle, after = after[:at], after[at + 1 :]
        deeper = f"(i.x #> {path(middle)})" if middle else "i.x"
        inner = (
            f"(select j.x from {inner} as i (x), lateral jsonb_array_elements("
            f"case when jsonb_typeof({deeper}) = 'array' then {deeper} else '[]' end) as j (x))"
        )
        return _numbered(inner, after, name, is_query=True)
    return _numbered(inner, after, name, is_query=False)


def _numbered(inner: str, after: tuple[str | None, ...], name: str, *, is_query: bool) -> str:
    rows = f"{inner} as i (x)" if is_query else f"{inner} with ordinality as i (x, n)"
    number = "1::bigint" if is_query else "i.n"
    return f"(select i.x #>> {path(after)} as v, {number} as n from {rows}) as {name}"
