"""What names one person each, where the database does not say so: found in the rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from datamap.catalogue import Table
from datamap.discover import words
from datamap.discover.finding import Kind
from datamap.discover.questions import Values
from shared.errors import Refused


def keyed(kind: Kind, table: Table, values: Values | None) -> tuple[Kind, tuple[str, ...]]:
    """With a key that names one person each, where the database does not say so; and what to say about it."""
    seen = tuple(key for key in _likely_keys(kind, table) if values is not None and values.is_unique(table, key))
    if table.is_unique(kind.key):
        return replace(kind, keys=tuple(key for key in seen if key != kind.key)), ()
    if values is None:
        return kind, (
            f"{kind.table} declares no key: whether {', '.join(kind.key)} names one person each, no values say",
        )
    if not seen:
        seen = tuple(itertools.islice((key for key in _any_keys(table) if values.is_unique(table, key)), 1))
    if not seen:
        raise Refused(
            f"Nothing in {kind.table} names one person each: it has no key, and no columns that differ in every row",
            where="discover",
            remedy="give it a key, or name another table with --subject",
        )
    told = f"{kind.table} declares no key: {', '.join(seen[0])} is different in every row seen"
    return replace(kind, key=seen[0], keys=seen[1:]), (told,)


def _any_keys(table: Table) -> Iterator[tuple[str, ...]]:
    """Any column, then any two: for a table whose names say nothing."""
    names = [
        name
        for name, column in table.columns.items()
        if column.family in ("integer", "uuid", "text") and not column.is_array and not column.is_generated
    ]
    names = sorted(names, key=lambda name: not table.columns[name].not_null)[:12]
    yield from ((name,) for name in names)
    yield from itertools.combinations(names, 2)


def _likely_keys(kind: Kind, table: Table) -> Iterator[tuple[str, ...]]:
    """One column, then two, then all of those that look like keys."""
    names = [
        name
        for name, column in table.columns.items()
        if column.family in ("integer", "uuid", "text") and not column.is_array and not column.is_generated
    ]
    keys = [name for name in names if words.words(name)[-1:] and words.is_key_word(words.words(name)[-1])]
    first = kind.key[0]
    if not table.is_unique(kind.key) and first not in keys:
        yield from itertools.islice(_any_keys(table), 20)
        return
    found = [kind.key, *((name,) for name in keys if name != first)]
    found += [
        (column.name,)
        for column in table.columns.values()
        if column.not_null and column.family in ("integer", "uuid") and not column.is_generated and not column.is_array
    ]
    found += itertools.islice(itertools.combinations(keys, 2), 6)
    declared = [key for key in found if table.is_unique(key)]
    yield from (key for key in dict.fromkeys(found) if key == kind.key or key not in declared)
