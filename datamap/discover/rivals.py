"""What a place within a value could mean beside people: the key of some other row, which may be somebody's in turn.

A small number is contained in every key, so its name has to say which one is meant; and where that is the key of a row
that could be somebody's, the row that holds the document may be theirs as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datamap.catalogue import Column
from datamap.discover import shapes, words
from datamap.discover.finding import Link, People
from datamap.discover.keys import Keys, Meant
from datamap.discover.questions import Values
from datamap.names import Place
from datamap.names import Table as Name

Spot = tuple[Name, Place]
_CONTAINED = 0.9
_FEW = 8  # of UUIDs, which need no name


class Rivals:
    """The keys that the places could mean by their names, and those that hold what stands there."""

    def __init__(self, people: People, seen: Mapping[Spot, Sequence[str]], values: Values) -> None:
        self._people = people
        self._keys = Keys(people)
        self._seen = {spot: set(texts) for spot, texts in seen.items()}
        self._meant = {spot: list(self._told(spot)) for spot in seen}
        self._present = self._asked(values)

    def _told(self, spot: Spot) -> Iterator[Meant]:
        table, column = self._people.catalogue.tables[spot[0]], self._column(spot)
        found = [each for each in self._keys.meant(table, column) if len(each.key) == 1]
        yield from found
        if column.family == "uuid" and not found:
            for target, key in self._keys.loose(column):
                yield Meant(table=target, key=key, columns=(column.name,), weight=0)

    def _column(self, spot: Spot) -> Column:
        """The place as if it were a column: of the name and the type that it would have."""
        table, place = spot
        texts = sorted(self._seen[spot])
        base = "uuid" if shapes.share(texts, shapes.is_uuid) >= _CONTAINED else "text"
        base = "int8" if shapes.share(texts, shapes.is_integer) >= _CONTAINED else base
        whole = self._people.catalogue.tables[table].columns[place.column]
        return replace(
            whole, name=_name(place), type=base, base=f"pg_catalog.{base}", is_array=False, is_domain=False, labels=()
        )

    def _asked(self, values: Values) -> Mapping[tuple[Name, tuple[str, ...]], frozenset[str]]:
        asked: dict[tuple[Name, tuple[str, ...]], set[str]] = {}
        for spot, meant in self._meant.items():
            for each in meant:
                if each.table.name not in self._people.tables:
                    asked.setdefault((each.table.name, each.key), set()).update(self._distinct(spot, each))
        tables = self._people.catalogue.tables
        return {
            (name, key): values.present(tables[name], key, texts) or frozenset() for (name, key), texts in asked.items()
        }

    def _distinct(self, spot: Spot, meant: Meant) -> set[str]:
        return self._seen[spot] if meant.weight else set(sorted(self._seen[spot])[:_FEW])

    def weight(self, spot: Spot, table: Name) -> int:
        """How well the name of the place fits the table."""
        return max((each.weight for each in self._meant[spot] if each.table.name == table), default=0)

    def fitting(self, spot: Spot) -> list[Meant]:
        """The keys, none of them people's, that hold what stands there, the likeliest first."""
        found = [
            each
            for each in self._meant[spot]
            for distinct in [self._distinct(spot, each)]
            if len(distinct & self._present.get((each.table.name, each.key), frozenset())) >= _CONTAINED * len(distinct)
        ]
        return sorted(found, key=lambda each: (-each.weight, each.table.name))

    def upward(self, spot: Spot) -> Iterator[Link]:
        """A key of a row that could be somebody's, in a row of which nothing else says whose it is."""
        if spot[0] in self._keys.owned or spot[0] in self._people.tables:
            return
        for each in self.fitting(spot):
            if each.table.name in self._keys.touched:
                yield _link(spot, each)
                return


def _link(spot: Spot, meant: Meant) -> Link:
    return Link(
        table=spot[0],
        place=spot[1],
        target=meant.table.name,
        target_columns=meant.key,
        role="undecided",
        evidence=f"what was seen are keys of {meant.table.name}, whose rows may be somebody's",
        confidence="low",
    )


def _name(place: Place) -> str:
    """`data->'user'->>'id'` → user_id; `data->>'order_id'` → order_id; `message_ids[]` → message_ids."""
    keys = [place.column, *(step for step in place.steps if step is not None)]
    said = words.words(keys[-1])
    is_mere_key = bool(said) and all(map(words.is_key_word, said)) and len(keys) > 1
    return "_".join(keys[-2:]) if is_mere_key else keys[-1]


def settled(persons: Sequence[Link], spot: Spot, rivals: Rivals, seen: Sequence[str]) -> Iterator[Link]:
    """Of the links of one place those that stand, as sure as what else it could mean lets them be."""
    if not persons or shapes.are_distinctive(set(seen)):
        yield from persons
        return
    weights = {link.target: rivals.weight(spot, link.target) for link in persons}
    others = {each.table.name: each.weight for each in rivals.fitting(spot)}
    most = max((*weights.values(), *others.values()))
    best = [link for link in persons if weights[link.target] == most]
    alike = {link.target for link in best} | {name for name, weight in others.items() if weight == most}
    for link in sorted(best, key=lambda each: not each.is_owner)[:1]:  # by the subject's own key, if that fits
        yield _torn(link, alike - {link.target}) if len(alike) > 1 else link


def _torn(link: Link, others: set[Name]) -> Link:
    told = "; but also of " + ", ".join(sorted(map(str, others)))
    return replace(link, role="undecided", evidence=link.evidence + told, confidence="low")
