"""Links that foreign keys declare."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import Catalogue
from datamap.discover.finding import Link, People
from datamap.names import Place


def declared(catalogue: Catalogue, people: People) -> Iterator[Link]:
    """Every foreign key is a link."""
    for table in catalogue:
        seen: set[tuple[object, ...]] = set()
        for key in table.foreign_keys:
            if key.target is None or (key.columns, key.target) in seen or key.target not in catalogue.tables:
                continue
            seen.add((key.columns, key.target))
            kind = people.of(key.target)
            who = ", a person" if kind else ""
            where = ", of one partition only" if key.partition else ""
            yield Link(
                table=table.name,
                place=Place(key.columns),
                target=key.target,
                target_columns=key.target_columns,
                kind=kind.name if kind else None,
                foreign_key=key,
                evidence=f"foreign key to {key.target}{who}{where}",
            )
