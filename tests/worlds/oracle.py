"""The oracle: docs/ownership.md once more, by walking rows. Slow, plain, and sharing nothing with the compiler.

The numbers of the rules stand where they are followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from datamap import model
from datamap.names import Table as Name
from tests.worlds.link import Link, entry_of, links_of, subjects
from tests.worlds.place import Texts, text, texts, without
from tests.worlds.world import Row, Table, Value, World

ANY: Any = type("Any", (), {"__repr__": lambda _: "ANY"})()  # a value that may be whatever it is

Numbers = frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Person:
    """A row of a subject's table, by its key as text; or a guest, known by an identity only."""

    kind: str
    key: tuple[str, ...] = ()
    identity: tuple[str, str] | None = None  # name and value

    def __str__(self) -> str:
        return f"{self.kind} {self.identity or self.key}"


People = frozenset[Person]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why an erasure stops: by which rule, for which row; rule 14 names the link, too."""

    rule: int
    table: Name
    row: int
    link: str | None = None


@dataclass(frozen=True)
class Blocked:
    """The erasure stops before it changes anything."""

    reasons: frozenset[Reason]


@dataclass(frozen=True)
class Outcome:
    """What every table holds afterwards. A row that is `touched` is written anew, even if with what it held before."""

    rows: Mapping[Name, tuple[Row, ...]]
    deleted: Numbers = frozenset()
    changed: Numbers = frozenset()
    touched: Numbers = frozenset()


def people(world: World) -> People:
    """Everybody whom a row names and everybody who has a row: guests as well, nobody's stand-in not."""
    return _oracle(world).people


def owners(world: World, row: Row) -> People:
    """Rules 6 to 10."""
    return _oracle(world).owners_for(frozenset())[row.number]


def rows_of(world: World, person: Person) -> Mapping[Name, Numbers]:
    """The rows that are theirs, and those of shared tables that name them; only tables that have any."""
    walk = _oracle(world)
    return _by_table(world, (row for row in world.rows if walk.ways(row, frozenset({person})) is not None))


def acted(world: World, person: Person) -> Mapping[tuple[Name, str], Numbers]:
    """The rows that they merely acted on, by table and link."""
    walk, found = _oracle(world), dict[tuple[Name, str], set[int]]()
    for row in world.rows:
        for link in walk.acting(row, frozenset({person})):
            found.setdefault((row.table, str(link)), set()).add(row.number)
    return {where: frozenset(numbers) for where, numbers in found.items()}


def erasure(world: World, persons: Iterable[Person]) -> Blocked | Outcome:
    """Rules 11 to 16, for all of them at once."""
    return _Erasure(_oracle(world), frozenset(persons)).outcome()


def _by_table(world: World, rows: Iterable[Row]) -> Mapping[Name, Numbers]:
    found: dict[Name, set[int]] = {}
    for row in rows:
        found.setdefault(row.table, set()).add(row.number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


@lru_cache(maxsize=8)
def _oracle(world: World) -> _Walk:
    return _Walk(world)


class _Walk:
    """A world with its links, and with what they name found by brute force."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.subjects = subjects(world)
        self.links = {table.name: links_of(world, table) for table in world.tables}
        self._owners: dict[People, Mapping[int, People]] = {}

    def entry(self, row: Row) -> model.Table:
        return entry_of(self.world, row.table)

    def table(self, row: Row) -> Table:
        return self.world.by_name[row.table]

    # Who there is.

    def person(self, row: Row) -> Person | None:
        """The person of a row of a subject's table; the row that stands for nobody is none."""
        kind = self.subjects[row.table]
        key = tuple(text(row[column]) for column in self.world.map.kinds[kind].key)
        return None if None in key or key == self.nobody(kind) else Person(kind=kind, key=key)  # type: ignore[arg-type]

    def nobody(self, kind: str) -> Texts:
        subject = self.world.map.kinds[kind]
        return tuple(text((subject.nobody or {}).get(column)) for column in subject.key)

    @cached_property
    def living(self) -> Mapping[Person, tuple[Row, ...]]:
        found: dict[Person, list[Row]] = {}
        for row in self.world.rows:
            if row.table in self.subjects and (person := self.person(row)):
                found.setdefault(person, []).append(row)
        return {person: tuple(rows) for person, rows in found.items()}

    @cached_property
    def people(self) -> People:
        named = (
            person for row in self.world.rows for link in self.links[row.table] for person in self.named(link, row)
        )
        return frozenset(self.living) | frozenset(named)

    # What a link names, and what it points at.

    def named(self, link: Link, row: Row, requested: People = frozenset()) -> People:
        """Whom the link names in this row. A shared identity names, of those who have it, whoever is asked for."""
        if link.kind is None:
            return frozenset()
        if link.identity:
            return self._identified(link.kind, link.identity, link.said(row), requested)
        return frozenset(
            person
            for person, rows in self.living.items()
            if person.kind == link.kind
            for each in rows
            if tuple(text(each[column]) for column in link.columns) in link.said(row)
        )

    def _identified(self, kind: str, name: str, said: list[Texts], requested: People) -> People:
        identity = self.world.map.kinds[kind].identities[name]
        found: set[Person] = set()
        for value in {_folded(identity, each[0]) for each in said}:
            having = {
                person
                for person, rows in self.living.items()
                if person.kind == kind and any(_folded(identity, text(row[identity.column])) == value for row in rows)
            }
            found |= (having & requested if identity.shared else set()) or having
            if not having:
                found.add(Person(kind=kind, identity=(name, value)))
        return frozenset(found)

    def pointed(self, link: Link, held: list[Texts]) -> Iterator[Row]:
        """The rows whose key this is. An identity is no key, and points at none."""
        if link.identity is None and held:
            for row in self.world.rows_by_table[link.target]:
                if tuple(text(row[column]) for column in link.columns) in held:
                    yield row

    # Whose a row is.

    def owners_for(self, requested: People) -> Mapping[int, People]:
        """The owners of each row, by number: what its own links name, or else what comes down to it."""
        if requested not in self._owners:
            self._owners[requested] = self._descend(requested)
        return self._owners[requested]

    def _descend(self, requested: People) -> Mapping[int, People]:
        found = {row.number: self._own(row, requested) or frozenset() for row in self.world.rows}
        heirs = [row for row in self.world.rows if self._own(row, requested) is None]
        parents = {
            row.number: [p.number for link in self.passing(row) for p in self._above(link, row)] for row in heirs
        }
        is_settled = False
        while not is_settled:  # rule 8, as often as it still finds somebody: rows may point at each other in a circle
            is_settled = True
            for number, above in parents.items():
                inherited = frozenset[Person]().union(*(found[parent] for parent in above))
                if inherited != found[number]:
                    found[number], is_settled = inherited, False
        return found

    def _own(self, row: Row, requested: People) -> People | None:
        """Rules 6, 7 and 9: whose it is by what stands in it; None where nothing does."""
        if row.table in self.subjects:
            person = self.person(row)
            return frozenset({person} if person else ())
        if not self.entry(row).personal or self.entry(row).shared:
            return frozenset()
        speaking = [link for link in self._owning(row) if link.kind and link.speaks(row)]
        if not speaking:
            return None
        return frozenset[Person]().union(*(self.named(link, row, requested) for link in speaking))

    def _owning(self, row: Row) -> Iterator[Link]:
        return (link for link in self.links[row.table] if link.role == "owner")

    def passing(self, row: Row) -> Iterator[Link]:
        """The parent links of the row that can bring it an owner; what passes nothing on has no owners itself."""
        return (link for link in self._owning(row) if link.kind is None)

    def _above(self, link: Link, row: Row) -> Iterator[Row]:
        return self.pointed(link, link.said(row))

    # How a request finds a row.

    def ways(self, row: Row, persons: People) -> list[Link] | None:
        """The links by which the row is found for them; None if it is not. A subject's own row is found by none."""
        if row.table in self.subjects:
            return [] if self.person(row) in persons else None
        if not self.entry(row).personal:
            return None
        if self.entry(row).shared:
            return self._naming(row, persons) or None
        if not self.owners_for(persons)[row.number] & persons:
            return None
        return self._naming(row, persons) or [
            link
            for link in self.passing(row)
            if any(self.owners_for(persons)[above.number] & persons for above in self._above(link, row))
        ]

    def _naming(self, row: Row, persons: People) -> list[Link]:
        return [link for link in self._owning(row) if self.named(link, row, persons) & persons]

    def acting(self, row: Row, persons: People) -> list[Link]:
        return [
            link for link in self.links[row.table] if link.role == "actor" and self.named(link, row, persons) & persons
        ]


def _folded(identity: model.Identity, value: str | None) -> str:
    return (value or "").lower() if identity.match == "folded" else value or ""


@dataclass
class _Erasure:
    """One erasure: the rows as they are so far, which of them go, and what stands against it."""

    walk: _Walk
    persons: People
    now: dict[int, Row] = field(default_factory=dict)
    going: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    kept: list[int] = field(default_factory=list)
    reasons: set[Reason] = field(default_factory=set)

    def outcome(self) -> Blocked | Outcome:
        world = self.walk.world
        self.now = dict(world.by_number)
        for row in world.rows:
            self._treat_what_is_theirs(row)
        for row in world.rows:
            self._forget_who_acted(row)
        self._make_stubs()
        self._look_below()
        if self.reasons:
            return Blocked(frozenset(self.reasons))
        after = {number: row for number, row in self.now.items() if number not in self.going}
        return Outcome(
            {
                name: tuple(after[r.number] for r in rows if r.number in after)
                for name, rows in world.rows_by_table.items()
            },
            frozenset(self.going),
            frozenset(number for number, row in after.items() if row != world.by_number[number]),
            frozenset(self.touched & after.keys()),
        )

    def _treat_what_is_theirs(self, row: Row) -> None:
        """Rules 11, 13 and 16."""
        ways = self.walk.ways(row, self.persons)
        if ways is None:
            return
        entry = self.walk.entry(row)
        default = entry.erase or ("unlink" if entry.shared else "delete")
        by_table = [way for way in ways if way.erase is None]
        is_by_table = bool(by_table) or not ways
        if is_by_table and default != "unlink" and self.walk.owners_for(self.persons)[row.number] - self.persons:
            self.reasons.add(Reason(rule=13, table=row.table, row=row.number))
        words: list[tuple[Any, list[Link]]] = [(way.erase, [way]) for way in ways if way.erase is not None]
        words += [(default, by_table)] if is_by_table else []
        if any(word == "delete" for word, _ in words):
            self.going.add(row.number)
        else:
            for word, links in words:
                self._apply(row.number, word, links)

    def _apply(self, number: int, word: Any, links: list[Link]) -> None:
        row = self.now[number]
        if word == "keep":
            self.kept.append(number)
            self._change(row, self._as_kept(row))
        elif word == "unlink":
            for link in links:
                self._unlink(link, number)
        else:
            self._change(row, {column: self._set_to(row, column, value) for column, value in word.items()})

    def _forget_who_acted(self, row: Row) -> None:
        """Rule 12."""
        if row.number not in self.going:
            for link in self.walk.acting(row, self.persons):
                self._unlink(link, row.number)

    def _make_stubs(self) -> None:
        """Rule 15."""
        waiting = list(self.kept)
        while waiting:
            row = self.now[waiting.pop()]
            for link in self.walk.links[row.table]:
                for above in self.walk.pointed(link, link.held(row)):
                    if above.number in self.going:
                        self.going.discard(above.number)
                        self._change(above, self._as_stub(above))
                        waiting.append(above.number)

    def _look_below(self) -> None:
        """Rule 14: what still points at a row that goes."""
        for number in self.now.keys() - self.going:
            for link in self.walk.links[self.now[number].table]:
                if self._hangs(link, number):
                    if link.erase == "unlink":
                        self._unlink(link, number, self._going_by(link, number))
                    else:
                        self.reasons.add(Reason(rule=14, table=link.table, row=number, link=str(link)))

    def _hangs(self, link: Link, number: int) -> bool:
        return bool(self._going_by(link, number))

    def _going_by(self, link: Link, number: int) -> set[Texts]:
        held = link.held(self.now[number])
        above = self.walk.pointed(link, held)
        return {tuple(text(r[column]) for column in link.columns) for r in above if r.number in self.going}

    # What a row becomes.

    def _change(self, row: Row, values: Mapping[str, Value]) -> None:
        self.touched.add(row.number)
        changed = self.now[row.number].with_values(values)
        copies = {
            column.name: value.upper() if isinstance(value := changed[column.capitals_of], str) else value
            for column in self.walk.table(row).columns
            if column.capitals_of
        }
        self.now[row.number] = changed.with_values(copies)

    def _as_kept(self, row: Row) -> dict[str, Value]:
        """Rule 16."""
        entry, table = self.walk.entry(row), self.walk.table(row)
        assert entry.keep is not None
        firm = {c for link in self.walk.links[row.table] for c in link.place.columns if not table.may_be_null(c)}
        stays = {*entry.keep.columns, *table.primary_key, *(entry.key or ()), *firm}
        return self._emptied(row, stays, entry.keep.set)

    def _as_stub(self, row: Row) -> dict[str, Value]:
        """Rule 15: the keys stay, and with them whatever a link points at or that is a link and may not be null."""
        entry, table = self.walk.entry(row), self.walk.table(row)
        firm = {c for link in self.walk.links[row.table] for c in link.place.columns if not table.may_be_null(c)}
        pointed = {
            column
            for links in self.walk.links.values()
            for link in links
            if link.target == row.table and not link.identity
            for column in link.columns
        }
        stays = {*table.primary_key, *(entry.key or ()), *firm, *pointed}
        if row.table in self.walk.subjects:
            stays |= set(self.walk.world.map.kinds[self.walk.subjects[row.table]].key)
        return self._emptied(row, stays, entry.stub)

    def _emptied(self, row: Row, stays: set[str], settings: model.Setting) -> dict[str, Value]:
        stays = stays - settings.keys()
        rest = [c.name for c in self.walk.table(row).columns if c.name not in stays and not c.capitals_of]
        return {column: self._set_to(row, column, settings.get(column)) for column in rest}

    def _set_to(self, row: Row, column: str, value: model.SetTo) -> Value:
        if isinstance(value, model.Constant):
            return value.value
        if value == "nobody":
            return self._nobody(row, column)
        return {None: None, "random": ANY, "empty": []}[value]  # type: ignore[index]

    def _nobody(self, row: Row, column: str) -> Value:
        """The part of nobody's key that this column of a link holds."""
        for link in self.walk.links[row.table]:
            if link.kind and not link.identity and column in link.place.columns:
                return self._nobody_at(link, link.place.columns.index(column), row)
        raise AssertionError(f"{column} names nobody")

    def _nobody_at(self, link: Link, position: int, row: Row) -> Value:
        assert link.kind is not None
        nobody = self.walk.world.map.kinds[link.kind].nobody
        assert nobody is not None
        column = self.walk.table(row).by_name[link.place.columns[position]]
        return _typed(nobody[link.columns[position]], column.type)

    def _unlink(self, link: Link, number: int, named: set[Texts] | None = None) -> None:
        """Rule 12's way to forget a person: null, or nobody; an array loses the element, JSON the value."""
        row = self.now[number]
        if named is None:
            named = {each for each in texts(link.place, row.values) if self._names_them(link, row, each)}
        if not link.place.is_plain:
            lost = {each[0] for each in named if each[0] is not None}
            self._change(row, {link.place.column: without(link.place, row.values, lost)})
        elif named:
            free = [column for column in link.place.columns if self.walk.table(row).may_be_null(column)]
            firm = {column: self._nobody(row, column) for column in link.place.columns if not free}
            self._change(row, dict.fromkeys(free) | firm)

    def _names_them(self, link: Link, row: Row, said: Texts) -> bool:
        """Whether this one value is of the persons, or of a row of theirs."""
        if link.kind is None:
            above = self.walk.pointed(link, [said])
            return any(self.walk.owners_for(self.persons)[each.number] & self.persons for each in above)
        if link.identity:
            return bool(self.walk._identified(link.kind, link.identity, [said], self.persons) & self.persons)
        return any(
            tuple(text(row[column]) for column in link.columns) == said
            for person in self.persons
            for row in self.walk.living.get(person, ())
        )


def _typed(value: Value, type_: str) -> Value:
    return str(value) if type_ == "text" or type_.startswith("varchar") else value
