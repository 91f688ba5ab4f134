"""Tables that repeat the people: `users_history`, `users_aud`, `users_backup`. Their `id` is somebody's, under no name.

Whoever changed their address since is not found there by it. So the key is asked about: whether it is the person's, no
name says and no number proves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from datamap.catalogue import Table
from datamap.discover import candidates, words
from datamap.discover.finding import Kind, Link, People
from datamap.discover.keys import comparable
from datamap.discover.links import Samples, texts
from datamap.discover.questions import Values
from datamap.names import Place
from datamap.names import Table as Name

_COPIES = words.listed(
    "history historical hist audit aud backup bak archive archived old deleted former snapshot version copy shadow"
)
_ALIKE = 0.5  # of the columns
_FEW = 2
_KEPT = 0.5  # of the keys: some people are gone


def found(
    people: People, samples: Samples, values: Values | None, taken: Collection[tuple[Name, str]]
) -> Iterator[Link]:
    """For each such table the column that is called as the people's key."""
    for table in people.catalogue:
        if table.kind not in ("table", "partitioned") or table.name in people.tables:
            continue
        for kind in people.kinds:
            if repeats(table, kind.key, people.facts(kind)) and (table.name, kind.key[0]) not in taken:
                link = _link(table, kind, people.facts(kind), samples, values)
                if link is not None:
                    yield link
                    break


def repeats(table: Table, key: tuple[str, ...], facts: Table) -> bool:
    """Called after the people, with most of their columns, and with their key as a column that it does not count."""
    if len(key) > 1 or key[0] not in table.columns or not comparable(table.columns[key[0]], facts.columns[key[0]]):
        return False
    own = set(facts.columns) - set(key)
    shared = own & set(table.columns)
    is_alike = len(shared) >= _FEW and len(shared) >= _ALIKE * len(own)
    return is_alike and _is_called_after(table, facts) and (_is_said(table) or not _counts(table, key))


def _is_said(table: Table) -> bool:
    return bool(set(words.words(table.name.name)) & _COPIES)


def _counts(table: Table, key: tuple[str, ...]) -> bool:
    """Whether it gives its rows numbers of their own: `admin_users` are other people."""
    column = table.columns[key[0]]
    return table.primary_key == key and (column.is_identity or column.has_default)


def _is_called_after(table: Table, facts: Table) -> bool:
    return candidates.head(facts) in table.name.name.lower() and table.name != facts.name


def _link(table: Table, kind: Kind, facts: Table, samples: Samples, values: Values | None) -> Link | None:
    seen = set(texts(samples.get(table.name), (kind.key[0],)))
    kept = values.present(facts, kind.key, seen) if values is not None and seen else None
    if kept is not None and len(kept) < _KEPT * len(seen):
        return None
    return Link(
        table=table.name,
        place=Place(kind.key),
        target=facts.name,
        target_columns=kind.key,
        kind=kind.name,
        role="undecided",
        evidence=f"the table is called after {facts.name} and repeats its columns: is this the key of the same person?",
        confidence="low",
    )
