"""The links of a world's tables, as docs/ownership.md has them: what the map names, and every foreign key besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from datamap import model
from datamap.condition import Condition
from datamap.names import Place, Target
from datamap.names import Table as Name
from tests.worlds.place import Texts, holds, texts
from tests.worlds.world import ForeignKey, Row, Table, Value, World


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of one table. `kind` is the kind of person that it names; None: it points at a row of another table."""

    table: Name
    place: Place
    role: str
    target: Name
    columns: tuple[str, ...]  # of the target
    kind: str | None = None
    identity: str | None = None
    when: Condition | None = None
    erase: model.Setting | str | None = None
    is_foreign_key: bool = False

    def __str__(self) -> str:
        return str(self.place)

    def values(self, values: Mapping[str, Value]) -> list[Texts]:
        """What stands there and is something: for several columns none of them null, and no empty text."""
        return [each for each in texts(self.place, values) if all(part is not None and part != "" for part in each)]

    def speaks(self, row: Row) -> bool:
        """Rule 4."""
        return bool(self.said(row))

    def said(self, row: Row) -> list[Texts]:
        """What the link says in this row, if it speaks there."""
        return self.values(row.values) if self.when is None or holds(self.when, row.values) else []

    def held(self, row: Row) -> list[Texts]:
        """What binds the row: a foreign key does whatever `when` says."""
        return self.values(row.values) if self.is_foreign_key else self.said(row)


def entry_of(world: World, name: Name) -> model.Table:
    """What the map says of a table; one that it does not name has no links of the map."""
    return world.map.tables.get(str(name), model.Table(personal=False))


def links_of(world: World, table: Table) -> tuple[Link, ...]:
    """Rules 3 and 6."""
    found = [*_of_the_map(world, table), *_of_foreign_keys(world, table)]
    if table.name in subjects(world):
        return tuple(map(_in_a_subject, found))
    return tuple(found)


def subjects(world: World) -> Mapping[Name, str]:
    """The kind of person that each subject's table holds."""
    return {Name.parse(subject.table): kind for kind, subject in world.map.kinds.items()}


def _in_a_subject(link: Link) -> Link:
    if link.role != "owner":
        return link
    return replace(link, role="actor" if link.kind else "reference")


def _of_the_map(world: World, table: Table) -> Iterator[Link]:
    for place_text, links in entry_of(world, table.name).links.items():
        place = Place.parse(place_text)
        keys = [key for key in table.foreign_keys if place.is_plain and key.columns == place.columns]
        for link in links:
            yield _named(world, table, place, link, keys)


def _named(world: World, table: Table, place: Place, link: model.Link, keys: list[ForeignKey]) -> Link:
    decided = Link(
        table=table.name,
        place=place,
        role=link.role,
        target=table.name,
        columns=(),
        when=Condition.parse(link.when) if link.when else None,
        erase=link.erase,
        identity=link.identity,
    )
    if link.to is not None:
        target = Target.parse(link.to)
        columns = target.columns or _own_key(world, target.table)
        is_declared = any((key.target, key.target_columns) == (target.table, columns) for key in keys)
        return _aimed(world, decided, target.table, columns, is_foreign_key=is_declared)
    if keys and link.identity is None and link.subject is None:
        return _aimed(world, decided, keys[0].target, keys[0].target_columns, is_foreign_key=True)
    kind = link.subject or next(iter(world.map.kinds))
    subject = world.map.kinds[kind]
    aim = Name.parse(subject.table), tuple(subject.key)
    is_declared = any((key.target, key.target_columns) == aim for key in keys)
    return _aimed(world, decided, *aim, is_foreign_key=is_declared)


def _own_key(world: World, name: Name) -> tuple[str, ...]:
    kind = subjects(world).get(name)
    return world.by_name[name].primary_key or (tuple(world.map.kinds[kind].key) if kind else ())


def _aimed(world: World, link: Link, target: Name, columns: tuple[str, ...], *, is_foreign_key: bool) -> Link:
    return replace(
        link, target=target, columns=columns, kind=subjects(world).get(target), is_foreign_key=is_foreign_key
    )


def _of_foreign_keys(world: World, table: Table) -> Iterator[Link]:
    """Those that the map does not name."""
    named = list(_of_the_map(world, table))
    for key in table.foreign_keys:
        if not any(link.is_foreign_key and link.place.columns == key.columns for link in named):
            plain = Link(
                table=table.name, place=Place(key.columns), role="owner", target=key.target, columns=key.target_columns
            )
            yield _aimed(world, plain, key.target, key.target_columns, is_foreign_key=True)
