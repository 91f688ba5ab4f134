"""Numbers that are all keys of people, in places of which nothing says whose keys they are: `vet_id`, `beta_testers`.

Small numbers are contained in every key, so this proves nothing. But where no table is there that they could belong to,
whoever reads the map has to be asked. And whatever a column is called: many numbers that are all keys, where the next
number mostly is none, are so by no accident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from datamap.catalogue import Column, Table
from datamap.discover import links, words
from datamap.discover.finding import Link, People
from datamap.discover.keys import Keys
from datamap.discover.links import Samples
from datamap.discover.questions import Values
from datamap.discover.within import Spot
from datamap.names import Place
from datamap.names import Table as Name

_DIFFERENT = 4
_MANY = 10  # of which a half is keys by accident once in a thousand times
_NO_TABLE = "no table is there that its name could mean"
_NO_ACCIDENT = "of the numbers right behind them few are: who are they?"
_SMALL = 10  # rows of a table, all of which say so
_KEYS = words.listed("id uid fk pk oid")
_OF_NO_PERSON = words.listed(
    """
    type kind status state stage phase level class category role locale language country currency region version
    """
)
_COUNTED = words.listed(
    """
    amount total price quantity qty count number position rank score rating size weight height width length version
    year month week weekday day hour minute second age order sort priority level step index offset range bit flag
    coordinate dimension point value bucket percent
    """
)
Key = tuple[Table, str]


def found(
    people: People,
    inner: Mapping[Spot, Sequence[str]],
    samples: Samples,
    values: Values | None,
    taken: Collection[tuple[Name, str]],
) -> Iterator[Link]:
    """A link for each such place, `undecided`. `taken`: the columns of which more is known."""
    if values is None:
        return
    spots = {**_columns(people, samples, taken), **_arrays(people, inner, taken)}
    for (table, place), seen in spots.items():
        column = people.catalogue.tables[table].columns[place.column]
        different = set(seen)
        for facts, key in _keys_alike(people, column):
            if different and different == (values.present(facts, (key,), different) or frozenset()):
                yield _link(table, place, (facts, key), people)
                break
    for (table, name), numbers in _unnamed(people, samples, taken).items():
        column = people.catalogue.tables[table].columns[name]
        for facts, key in _keys_alike(people, column):
            if _are_no_accident(numbers, facts, key, values):
                yield _link(table, Place((name,)), (facts, key), people, _NO_ACCIDENT)
                break


def _columns(people: People, samples: Samples, taken: Collection[tuple[Name, str]]) -> dict[Spot, Sequence[str]]:
    keys, spots = Keys(people), dict[Spot, Sequence[str]]()
    for table in people.catalogue:
        sample = samples.get(table.name)
        if table.kind not in ("table", "partitioned") or sample is None:
            continue
        for column in links.candidates(table):
            seen = links.texts(sample, (column.name,))
            is_small = sample.is_complete and len(seen) == len(sample.rows) < _SMALL
            is_open = (table.name, column.name) not in taken and not keys.meant(table, column)
            is_named = _is_a_key(column) or words.is_a_profession(words.meant(column.name))
            if is_open and is_named and (is_small or len(set(seen)) >= _DIFFERENT) and _has_no_table(column, people):
                spots[table.name, Place((column.name,))] = seen
    return spots


def _unnamed(
    people: People, samples: Samples, taken: Collection[tuple[Name, str]]
) -> dict[tuple[Name, str], frozenset[str]]:
    """Columns of whole numbers whose names say nothing of a key: `against`, `winner`, `ref`."""
    keys, spots = Keys(people), dict[tuple[Name, str], frozenset[str]]()
    for table in people.catalogue:
        sample = samples.get(table.name)
        if table.kind not in ("table", "partitioned") or sample is None or table.name in people.tables:
            continue
        for column in links.candidates(table):
            different = frozenset(links.texts(sample, (column.name,)))
            is_open = (table.name, column.name) not in taken and not keys.meant(table, column)
            if is_open and column.family == "integer" and len(different) >= _MANY and not _is_a_key(column):
                spots[table.name, column.name] = different
    return spots


def _are_no_accident(different: frozenset[str], facts: Table, key: str, values: Values) -> bool:
    """All of them are keys, and of the numbers right behind them at most half."""
    if facts.columns[key].family != "integer" or different != values.present(facts, (key,), different):
        return False
    behind = {str(int(each) + 1) for each in different}
    return len(values.present(facts, (key,), behind) or ()) <= len(behind) / 2


def _arrays(
    people: People, inner: Mapping[Spot, Sequence[str]], taken: Collection[tuple[Name, str]]
) -> dict[Spot, Sequence[str]]:
    return {
        (table, place): seen
        for (table, place), seen in inner.items()
        for column in [people.catalogue.tables[table].columns[place.column]]
        if column.is_array
        and (table, column.name) not in taken
        and len(set(seen)) >= _DIFFERENT
        and not set(words.words(column.name)) & _COUNTED
        and _has_no_table(column, people)
    }


def _is_a_key(column: Column) -> bool:
    said = words.words(column.name)
    return len(said) > 1 and said[-1] in _KEYS


def _has_no_table(column: Column, people: People) -> bool:
    """Whether no table is called so, and nothing that is known to be no person is meant."""
    last = words.meant(column.name)[-1:]
    is_there = any(words.words(table.name.name)[-1:] == last for table in people.catalogue)
    return not is_there and not set(last) & _OF_NO_PERSON


def _keys_alike(people: People, column: Column) -> Iterator[Key]:
    """The keys of people that are of the very type."""
    for kind in people.kinds:
        facts = people.facts(kind)
        for key in dict.fromkeys((kind.key, *kind.keys, *facts.unique)):
            is_number = len(key) == 1 and facts.columns[key[0]].family in ("integer", "uuid")
            if is_number and facts.columns[key[0]].base == column.base and key[0] not in kind.identities.values():
                yield facts, key[0]


def _link(table: Name, place: Place, key: Key, people: People, why: str = _NO_TABLE) -> Link:
    facts, column = key
    kind = people.of(facts.name)
    return Link(
        table=table,
        place=place,
        target=facts.name,
        target_columns=(column,),
        kind=kind.name if kind else None,
        role="undecided",
        evidence=f"all values seen are keys of {facts.name}, and {why}",
        confidence="low",
    )
