"""Pieces of the statements that ask for samples and counts: names are quoted, values are bound."""

from __future__ import annotations

from collections.abc import Sequence

from datamap.catalogue import Column, Table
from datamap.discover.questions import JOINT, Rung, Way
from datamap.discover.voices import holds
from datamap.form import Form
from datamap.names import literal, quoted

LONGEST = 120  # letters of a text
LARGEST_DOCUMENT = 16_384  # bytes of a JSON document


def shortened(table: Table, column: str) -> str:
    facts, name = table.columns[column], f"t.{quoted(column)}"
    if facts.is_array or facts.family == "json":
        return f"case when pg_column_size({name}) <= {LARGEST_DOCUMENT} then {name}::text end"
    if facts.family != "text":
        return f"{name}::text"
    return (
        f"case when left({name}::text, 1) in ({literal('{')}, '[') and octet_length({name}::text) <= {LARGEST_DOCUMENT}"
        f" then {name}::text else left({name}::text, {LONGEST}) end"
    )


def settled(table: Table) -> str:
    """An order that does not hang on where rows lie: by what they hold, stirred."""
    columns = (
        table.primary_key
        or next(iter(table.unique), ())
        or tuple(
            name
            for name, column in table.columns.items()
            if column.family in ("integer", "uuid", "text", "time", "numeric")
        )[:8]
        + tuple(name for name, column in table.columns.items() if column.family == "json")[:4]
    )
    parts = [f"coalesce({_compared(table, column)}, '')" for column in columns]
    whole = " || chr(31) || ".join(parts)
    return f"md5({whole})" if parts else "1"


def _compared(table: Table, column: str) -> str:
    """What of a column an order goes by: all of a document that is not too large, and the beginning of a text."""
    is_document = table.columns[column].family == "json" and not table.columns[column].is_array
    return shortened(table, column) if is_document else f"left(t.{quoted(column)}::text, 200)"


def only(table: Table) -> str:
    """Rows of children by inheritance lie in their own tables; those of partitions are the table's."""
    return f"only {table.name.sql}" if table.has_children else table.name.sql


def share(blocks: int, pages: int) -> str:
    """In percent, by powers of two, so that a table that grows a little keeps its sample."""
    share = 100.0
    while pages * share / 100 > 2 * blocks:
        share /= 2
    return f"{share:.10f}"


def _fits(base: str, text: str) -> bool:
    """Whether Postgres can read the text as that type."""
    name = base.rpartition(".")[2]
    largest = {"int2": 2**15, "int4": 2**31, "int8": 2**63}.get(name)
    if largest is not None:
        return len(text) < 20 and text.lstrip("-").isdecimal() and text.isascii() and -largest <= int(text) < largest
    if name == "uuid":
        return len(text) == 36 and text.count("-") == 4 and set(text.lower()) <= set("0123456789abcdef-")
    if name == "numeric":
        return len(text) < 40 and text.isascii() and text.lstrip("-").isdecimal()
    return "\0" not in text


def all_fit(columns: Sequence[Column], text: str) -> bool:
    parts = text.split(JOINT) if len(columns) > 1 else [text]
    return len(parts) == len(columns) and all(_fits(c.base, part) for c, part in zip(columns, parts, strict=True))


def same(column: Column, value: str, form: Form) -> str:
    name = f"t.{quoted(column.name)}"
    if not form.is_exact:
        return f"{form.sql(name)} = {form.sql(value)}"
    if column.base.startswith("pg_catalog.") and column.family != "enum":
        return f"{name} = {value}::{column.base}"
    return f"{name}::text = {value}"


def walked(table: Table, way: Way, name: str) -> tuple[str, list[str]]:
    """The alias at the end of the way, and the joins that lead there."""
    alias, below, joins = "t", table, []
    for number, rung in enumerate(way.rungs):
        above = f"{name}{number}"
        joins.append(_climbed(below, alias, rung, above))
        alias, below = above, rung.target
    return alias, joins


def _climbed(table: Table, alias: str, rung: Rung, above: str) -> str:
    on = [
        _equal(table.columns[column], alias, rung.target.columns[target], above)
        for column, target in zip(rung.columns, rung.target_columns, strict=True)
    ]
    on += [holds(rung.when, alias)] if rung.when else []
    return f"left join {only(rung.target)} as {above} on {' and '.join(on)}"


def _equal(ours: Column, alias: str, theirs: Column, above: str) -> str:
    """Compared as what the key is, so that its index is used; as text where the types are of different families."""
    left, right = f"{alias}.{quoted(ours.name)}", f"{above}.{quoted(theirs.name)}"
    is_plain = all(each.base.startswith("pg_catalog.") for each in (ours, theirs))
    return f"{left} = {right}" if is_plain and ours.family == theirs.family else f"{left}::text = {right}::text"


def counts(number: int) -> str:
    """Rows that have both, rows that have two people, and how many different people there are on either side."""
    both = f"cardinality(p0) > 0 and cardinality(p{number}) > 0"
    return (
        f"count(*) filter (where {both}), count(*) filter (where {both} and not p0 <@ p{number}),"
        f" count(distinct p0[1]) filter (where {both}), count(distinct p{number}[1]) filter (where {both})"
    )
