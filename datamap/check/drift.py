"""What has changed in a database since a plan was made for it (R82): what stands behind two fingerprints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from datamap.catalogue import Catalogue, Column, Table

_COLUMN = {
    "type": "is of another type",
    "labels": "has other labels",
    "not_null": "may or may not be null otherwise",
    "is_generated": "is generated or is no longer",
    "is_identity": "is an identity column or is no longer",
    "is_always_identity": "may be set by an UPDATE or may no longer",
    "length": "takes a text of another length",
    "collation": "has another collation",
}
_NAMED = {
    "foreign_keys": "foreign key",
    "checks": "CHECK",
    "triggers": "trigger",
    "policies": "policy",
    "rules": "rule",
}


def drift(old: Catalogue, new: Catalogue) -> list[str]:
    """One sentence for each change. A fingerprint that differs for another reason has one, too."""
    found = list(_changes(old, new))
    if not found and old.fingerprint != new.fingerprint:
        found.append("Something changed that this list does not tell: a domain, a type, or the text of a rule")
    return found


def _changes(old: Catalogue, new: Catalogue) -> Iterator[str]:
    for name in sorted({*old.tables, *new.tables}):
        before, after = old.get(name), new.get(name)
        if not any(table and table.holds_rows for table in (before, after)):
            continue  # no plan is made of a view
        if before is None:
            yield f"{name} is new"
        elif after is None:
            yield f"{name} is gone"
        elif before != after:
            yield from _of_table(before, after)


def _of_table(before: Table, after: Table) -> Iterator[str]:
    name = after.name
    yield from _of_itself(before, after)
    for column in {**before.columns, **after.columns}:
        yield from _of_column(f"{name}, column {column},", before.columns.get(column), after.columns.get(column))
    if before.primary_key != after.primary_key:
        yield f"{name} has another primary key"
    elif set(before.unique) != set(after.unique):
        yield f"{name} has other unique keys"
    for part, noun in _NAMED.items():
        yield from _of_parts(f"{name}: the {noun}", getattr(before, part), getattr(after, part))


def _of_itself(before: Table, after: Table) -> Iterator[str]:
    name = after.name
    if before.kind != after.kind:
        yield f"{name} was a {before.kind.replace('_', ' ')} and is a {after.kind.replace('_', ' ')}"
    if before.owner != after.owner:
        yield f"{name} has another owner"
    if (before.row_security, before.row_security_forced) != (after.row_security, after.row_security_forced):
        yield f"{name} has another row-level security: {_security(before)} before, {_security(after)} now"
    if (before.inherits, before.has_children) != (after.inherits, after.has_children):
        yield f"{name} inherits otherwise, or is inherited from otherwise"


def _security(table: Table) -> str:
    if not table.row_security:
        return "off"
    return "forced" if table.row_security_forced else "on"


def _of_column(label: str, before: Column | None, after: Column | None) -> Iterator[str]:
    if before is None:
        yield f"{label} is new"
    elif after is None:
        yield f"{label} is gone"
    else:
        for part, change in _COLUMN.items():
            was, is_now = getattr(before, part), getattr(after, part)
            if was != is_now:
                said = f": {was} before, {is_now} now" if part == "type" else ""
                yield f"{label} {change}{said}"


def _of_parts(label: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    was, is_now = _by_name(before), _by_name(after)
    for name in sorted({*was, *is_now}):
        if name not in was:
            yield f"{label} {name} is new"
        elif name not in is_now:
            yield f"{label} {name} is gone"
        elif was[name] != is_now[name]:
            yield f"{label} {name} has changed"


def _by_name(parts: Sequence[Any]) -> Mapping[str, list[tuple[Any, ...]]]:
    """Several partitions may each have one of the same name."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(tuple(getattr(part, field.name) for field in fields(part)))
    return found
