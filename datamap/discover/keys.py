"""The keys of a database, and which of them the name of a column could mean."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue, Column, Family, Table
from datamap.discover import candidates, words
from datamap.discover.finding import People
from datamap.names import Table as Name

_COMPARABLE: dict[Family, frozenset[Family]] = {
    "integer": frozenset({"integer", "numeric", "text"}),
    "numeric": frozenset({"integer", "numeric"}),
    "uuid": frozenset({"uuid", "text"}),
    "text": frozenset({"text", "uuid", "integer"}),
}
_UP = words.listed("parent reply replied root ancestor previous original duplicate thread")


@dataclass(frozen=True, kw_only=True)
class Meant:
    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]  # of the table that points
    weight: int


class Keys:
    """By the words in the names of the tables, without a prefix that they share (wp_, mdl_)."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._catalogue = people.catalogue
        self._prefix = _shared_prefix(people.catalogue)
        self._tables: dict[str, list[tuple[tuple[str, ...], Table]]] = {}
        for table in self._catalogue:
            if table.kind in ("table", "partitioned") and (table.unique or people.of(table.name)):
                core = self._core(table)
                self._tables.setdefault(core[-1] if core else "", []).append((core, table))
        self._applications = _applications(people.catalogue)

    def _core(self, table: Table) -> tuple[str, ...]:
        said = words.words(table.name.name)
        if len(said) > 1 and said[0] == self._prefix:
            said = said[1:]
        return (candidates.head(table),) if self._people.of(table.name) else said

    def meant(self, table: Table, column: Column) -> list[Meant]:
        """What it could mean, the likeliest first."""
        said = words.meant(column.name)
        if typed := list(self._typed(table, column)):
            return typed
        if spelled := list(self._spelled(column)):
            return spelled
        is_bare = said == words.words(column.name) or _is_merely_numbered(column, said)
        if not said or (is_bare and not _is_plain_name(column, said)):
            return []
        found = list(self._named(table, column, said))
        found += self._people_meant(table, column, said, {each.table.name for each in found})
        found += self._namesakes(table, column, {each.table.name for each in found})
        return sorted(
            found, key=lambda each: (-each.weight, each.table.name.schema != table.name.schema, each.table.name)
        )

    def _typed(self, table: Table, column: Column) -> Iterator[Meant]:
        """A domain that only keys of people are of says whom it names, whatever the column is called."""
        for kind in self._people.kinds if column.is_domain else ():
            facts = self._people.facts(kind)
            for key in (kind.key, *kind.keys):
                is_it = len(key) == 1 and facts.columns[key[0]].type == column.type and facts.columns[key[0]].is_domain
                if is_it and (facts.name, key[0]) != (table.name, column.name):
                    yield Meant(table=facts, key=key, columns=(column.name,), weight=4)

    def _spelled(self, column: Column) -> Iterator[Meant]:
        """`patient_mrn`: the word for a person, and behind it the name of one of their keys."""
        said = words.words(column.name)
        for kind in self._people.kinds:
            facts = self._people.facts(kind)
            for key in dict.fromkeys((*facts.unique, *kind.keys)):
                behind = words.words(key[0])
                is_it = len(key) == 1 and len(behind) == 1 and said[-2:] == (candidates.head(facts), *behind)
                if is_it and not words.is_key_word(behind[0]) and comparable(column, facts.columns[key[0]]):
                    yield Meant(table=facts, key=key, columns=(column.name,), weight=4)

    def _named(self, table: Table, column: Column, said: tuple[str, ...]) -> Iterator[Meant]:
        for core, target in self._tables.get(said[-1], ()):
            if said[-len(core) :] == core and len(core) <= len(said):
                weight = 4 if said == core else 3
                yield from self._keyed(table, column, target, weight + (target.name.schema == table.name.schema))
        yield from self._prefixed(table, column, said)
        if said[0] in _UP and len(said) == 1 and (table.unique or self._people.of(table.name)):
            yield from self._keyed(table, column, table, 4)

    def _prefixed(self, table: Table, column: Column, said: tuple[str, ...]) -> Iterator[Meant]:
        """`customer_id` for `shop_customer`: without the name of an application, of its own before all others."""
        whole = self._tables.get(said[-1], ())
        if any(core == said for core, _ in whole):
            return
        own = words.words(table.name.name)[:1]
        for core, target in whole:
            if core[1:] == said and core[0] in self._applications:
                yield from self._keyed(table, column, target, 3 if core[:1] == own else 2)

    def _people_meant(self, table: Table, column: Column, said: tuple[str, ...], seen: set[Name]) -> Iterator[Meant]:
        is_somebody = bool(seen & self._people.tables)
        if seen and not is_somebody and not ({"owner", "member", "holder"} & set(said)):
            return
        is_meant = words.means_a_person(said) or words.is_direction(said)
        if not is_meant or (said[-1] in _UP and said[-2:-1] == words.words(table.name.name)[-1:]):
            return  # nobody, or the row above: `post_parent`
        for kind in self._people.kinds:
            facts = self._people.facts(kind)
            if facts.name not in seen:
                yield from self._keyed(table, column, facts, 1 if is_somebody else 2)
        if {"owner", "account", "holder", "member", "tenant"} & set(said):
            for name, target in self._gatherings():
                if name not in seen and name != table.name:
                    yield from self._keyed(table, column, target, 2)

    def _namesakes(self, table: Table, column: Column, seen: set[Name]) -> Iterator[Meant]:
        """Tables whose rows are numbered by a column of the very same name, whatever they are called themselves."""
        for target in self._numbered.get(column.name.lower(), ()) if (column.name,) != table.primary_key else ():
            if target.name not in seen | {table.name} and comparable(column, target.columns[target.primary_key[0]]):
                weight = 4 + (target.name.schema == table.name.schema)
                yield Meant(table=target, key=target.primary_key, columns=(column.name,), weight=weight)

    @cached_property
    def _numbered(self) -> dict[str, list[Table]]:
        """By the name of their key, the tables that count their own rows; a profile has its person's number."""
        found: dict[str, list[Table]] = {}
        for table in self._catalogue:
            if table.kind in ("table", "partitioned") and len(table.primary_key) == 1:
                key = table.columns[table.primary_key[0]]
                if words.meant(key.name) != words.words(key.name) and self._is_numbered(table, key):
                    found.setdefault(key.name.lower(), []).append(table)
        return found

    def _is_numbered(self, table: Table, key: Column) -> bool:
        if any((key.name,) == foreign.columns for foreign in table.foreign_keys):
            return False
        points = any(foreign.target in self._people.tables for foreign in table.foreign_keys)
        return key.is_identity or key.has_default or points

    def _gatherings(self) -> Iterator[tuple[Name, Table]]:
        for _, target in itertools.chain.from_iterable(self._tables.values()):
            if self._people.of(target.name) is None and words.can_own(words.words(target.name.name)):
                yield target.name, target

    def _keyed(self, table: Table, column: Column, target: Table, weight: int) -> Iterator[Meant]:
        """With the keys of the target that this column can be compared with, the likeliest first."""
        kind = self._people.of(target.name)
        keys = dict.fromkeys((kind.key if kind else target.primary_key, *target.unique, *(kind.keys if kind else ())))
        singles = [each for each in keys if len(each) == 1]
        main = next(iter(keys))
        is_single = len(main) == 1 and comparable(column, target.columns[main[0]])
        for key in [each for each in keys if len(each) > 1 and not is_single]:
            columns = _several(table, column, target, key)
            if columns and (target.name, key) != (table.name, columns):
                yield Meant(table=target, key=key, columns=columns, weight=weight + 1)
                return
        fitting = [each for each in singles if comparable(column, target.columns[each[0]])]
        last = words.words(column.name)[-1:]
        exact = [each for each in fitting if words.words(each[0])[-1:] == last]
        same = [each for each in fitting if target.columns[each[0]].family == column.family]
        for each in dict.fromkeys([*exact, *same, *fitting]):
            is_own_number = target is table and words.is_amount(column.name) and not words.is_amount(each[0])
            if (target.name, each) != (table.name, (column.name,)) and not is_own_number:
                yield Meant(table=target, key=each, columns=(column.name,), weight=weight)

    @cached_property
    def owned(self) -> frozenset[Name]:
        """The tables whose keys, by declaration or by name, lead to people who did more than touch a row."""
        return self._leading_to_people(is_acting_enough=False)

    @cached_property
    def touched(self) -> frozenset[Name]:
        """The tables whose keys lead to people in any way."""
        return self._leading_to_people(is_acting_enough=True)

    def _leading_to_people(self, *, is_acting_enough: bool) -> frozenset[Name]:
        found, waiting = set[Name](), True
        while waiting:
            more = {
                name
                for name, ends in self._ends.items()
                if name not in found
                and any(
                    target in found or (target in self._people.tables and (is_acting_enough or not is_acting))
                    for target, is_acting in ends
                )
            }
            waiting = bool(more)
            found |= more
        return frozenset(found)

    @cached_property
    def _ends(self) -> dict[Name, set[tuple[Name, bool]]]:
        """By table: what it points at, and whether its name says that somebody merely acted."""
        found: dict[Name, set[tuple[Name, bool]]] = {}
        for table in self._catalogue:
            declared = {key.columns[-1]: key.target for key in table.foreign_keys if key.target}
            named = [column for column in table.columns.values() if not column.is_array and column.name not in declared]
            ends = [(target, name) for name, target in declared.items()]
            ends += [(each.table.name, c.name) for c in named for each in self.meant(table, c)[:1]]
            found[table.name] = {(target, words.is_acting(words.meant(name))) for target, name in ends}
        return found

    def loose(self, column: Column) -> tuple[tuple[Table, tuple[str, ...]], ...]:
        """For a column whose name says nothing: every key that is a UUID, those of people first."""
        return self._loose if column.family in ("uuid", "text") else ()

    @cached_property
    def _loose(self) -> tuple[tuple[Table, tuple[str, ...]], ...]:
        found = []
        for table in self._catalogue:
            kind = self._people.of(table.name)
            key = kind.key if kind else table.primary_key
            if table.kind in ("table", "partitioned") and len(key) == 1 and table.columns[key[0]].family == "uuid":
                found.append((table, key))
        return tuple(sorted(found, key=lambda each: (self._people.of(each[0].name) is None, each[0].name)))


def _is_merely_numbered(column: Column, said: tuple[str, ...]) -> bool:
    """`line2`: a text that is one of several, and no key."""
    behind = words.words(column.name)[len(said) :]
    return column.family == "text" and bool(behind) and all(map(str.isdigit, behind))


def _is_plain_name(column: Column, said: tuple[str, ...]) -> bool:
    """A name without `id`: only nouns for people are taken for a key (`author`, `created_by`), no numbers of them."""
    is_many = words.is_plural(column.name)
    is_key = column.family in ("integer", "uuid") and (words.is_direction(said) or words.is_one_of_several(said))
    return is_key or (not is_many and words.is_noun_for_a_person(said))


def _several(table: Table, column: Column, target: Table, key: tuple[str, ...]) -> tuple[str, ...]:
    """The columns for a key of several: with its own names, with those behind a word, or numbered."""
    own = [name for name in key[:-1] if name in table.columns and comparable(table.columns[name], target.columns[name])]
    if len(own) == len(key) - 1 and column.name not in own and comparable(column, target.columns[key[-1]]):
        return (*own, column.name)
    before = column.name.removesuffix(key[-1])
    stem = column.name.rstrip("0123456789")
    for columns in (tuple(before + name for name in key), tuple(f"{stem}{number}" for number in range(len(key)))):
        fits = all(
            c in table.columns and comparable(table.columns[c], target.columns[k])
            for c, k in zip(columns, key, strict=True)
        )
        if fits and columns[-1] == column.name:
            return columns
    return ()


def comparable(column: Column, key: Column) -> bool:
    return key.family in _COMPARABLE.get(column.family, frozenset())


def _applications(catalogue: Catalogue) -> frozenset[str]:
    """The first words that several tables have in common, and that are no table's own name: shop_order, shop_item."""
    said = [words.words(table.name.name) for table in catalogue]
    first = [each[0] for each in said if len(each) > 1]
    return frozenset(word for word in set(first) if first.count(word) > 1 and (word,) not in said)


def _shared_prefix(catalogue: Catalogue) -> str | None:
    """The first word of nearly all tables' names, and none of them itself: a prefix of the application."""
    said = [words.words(table.name.name) for table in catalogue]
    first = [each[:1] for each in said if each[:1] not in said]
    counted = {word: first.count(word) for word in set(first) if word}
    likeliest = max(counted, key=lambda word: (counted[word], word), default=None)
    return likeliest[0] if likeliest and len(said) >= 4 and counted[likeliest] >= 0.6 * len(said) else None
