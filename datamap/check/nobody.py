"""The row that stands for nobody: how it is made, and what the map says of it (rule 12 of docs/ownership.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from datamap.catalogue import Catalogue, Column, Table
from datamap.check.codes import listed
from datamap.check.tables import key as as_key
from datamap.compile.resolution import Kind
from datamap.names import literal, quoted

_UNKNOWN = "…"
_VALUES: Mapping[str, str] = {
    "integer": "0",
    "numeric": "0",
    "uuid": "'00000000-0000-0000-0000-000000000000'",
    "text": "'nobody'",
    "boolean": "false",
    "json": "'{}'",
    "time": "'1970-01-01'",
    "bytes": "''",
}
_OF_TYPES: Mapping[str, str] = {
    "pg_catalog.time": "'00:00'",
    "pg_catalog.timetz": "'00:00'",
    "pg_catalog.interval": "'0'",
    "pg_catalog.float4": "0",
    "pg_catalog.float8": "0",
    "pg_catalog.inet": "'0.0.0.0'",
}


def declaration(kind: Kind, catalogue: Catalogue) -> str:
    """Both lines: the statement, and the subject's `nobody`."""
    values = kind.nobody or {name: _as_written(kind.facts.columns[name]) for name in kind.key}
    said = ", ".join(f"{as_key(name)}: {value}" for name, value in values.items())
    where = "subject:" if kind.name == "person" else f"subjects: {kind.name}:"
    return f"{insert(kind, catalogue)} -- the row that stands for nobody\nwrite at {where} nobody: {{{said}}}"


def _as_written(column: Column) -> str:
    return value(column).strip("'")


def insert(kind: Kind, catalogue: Catalogue) -> str:
    """The statement that makes the row: its key, and whatever has to be there."""
    facts = kind.facts
    cells: dict[str, str] = {}
    for name, column in facts.columns.items():
        if kind.nobody is not None and name in kind.nobody:
            cells[name] = _constant(kind.nobody[name])
        elif name in kind.key:
            cells[name] = value(column)
        elif column.not_null and not (column.has_default or column.is_generated or column.is_identity):
            cells[name] = _pointing(name, facts, catalogue) or _allowed(name, facts) or value(column)
    columns, values = ", ".join(map(quoted, cells)), ", ".join(cells.values())
    others = [name for name in kind.key if name not in (kind.nobody or kind.key)]
    overriding = " overriding system value" if any(facts.columns[name].is_identity for name in cells) else ""
    begins = f"insert into {facts.name.sql} ({columns}){overriding}"
    if not others:
        return f"{begins} values ({values});"
    values = ", ".join(
        f"o.{quoted(name)}" if name in others else _different(facts.columns[name], cell, others, facts)
        for name, cell in cells.items()
    )
    listed = ", ".join(map(quoted, others))
    known = " and ".join(
        f"u.{quoted(name)} = {f'o.{quoted(name)}' if name in others else cells[name]}" for name in kind.key
    )
    missing = f"not exists (select from {facts.name.sql} as u where {known})"
    return f"{begins} select {values} from (select distinct {listed} from {facts.name.sql}) as o where {missing};"


def _different(column: Column, cell: str, others: Sequence[str], facts: Table) -> str:
    """One for each row that is made, where two may not have the same."""
    if not any(column.name in each and not set(others) & set(each) for each in facts.unique):
        return cell
    if column.family in ("integer", "numeric"):
        return "-row_number() over ()"
    if column.family == "uuid":
        return "gen_random_uuid()"
    return " || '-' || ".join([cell, *(f"o.{quoted(name)}" for name in others)]) if column.family == "text" else cell


def _constant(constant: str | int) -> str:
    return str(constant) if isinstance(constant, int) else literal(constant).strip()


def value(column: Column) -> str:
    """Something that the type takes, and that nobody mistakes for a person's."""
    length = re.search(r"\((\d+)\)$", column.type)
    if column.family == "text" and length and not column.is_array:
        return f"'{'nobody'[: int(length[1])]}'"
    if column.is_array:
        return "'{}'"
    if column.labels:
        return literal(column.labels[0]).strip()
    return _OF_TYPES.get(column.base) or _VALUES.get(column.family, _UNKNOWN)


def _allowed(name: str, facts: Table) -> str | None:
    """Of the words that a CHECK lists the first."""
    known = listed(facts, name)
    return literal(known[0]).strip() if known else None


def _pointing(name: str, facts: Table, catalogue: Catalogue) -> str | None:
    """Where a foreign key has to point at something: any row that is there."""
    for key in facts.foreign_keys:
        if key.columns == (name,) and key.target is not None and key.target != facts.name:
            theirs = quoted(key.target_columns[0])
            return f"(select min({theirs}) from {catalogue.tables[key.target].name.sql})"
    return None
