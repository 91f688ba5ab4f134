"""One slip of the pen makes dozens of faults. The slip is told; what only follows from it waits until it is mended.

Which those are is no guess: the map is checked again with the slip mended, and what is not said then follows from it.
Nothing is held back for good, since a slip is an error and stands until it is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from datamap.catalogue import Catalogue, Table
from datamap.fault import Fault, Where
from datamap.model import Map, Subject
from datamap.model import Table as Decision
from datamap.names import NotAName, Place
from datamap.names import Table as Name
from datamap.spelling import nearest

_SLIPS = ("unknown_table", "unknown_column", "subject_table", "key_twice", "nobody", "unknown_activity")
_CASCADES = ("cascade_undecided", "reference_undecided")


def roots(
    faults: Iterable[Fault], data_map: Map, catalogue: Catalogue, check: Callable[[Map], list[Fault]]
) -> list[Fault]:
    """The faults without those that only follow from another."""
    told = _decided(list(faults))
    mending = _Mending(data_map, catalogue)
    slips = [fault for fault in _likely(told) if mending.mends(fault)]
    if not slips:
        return told
    stays = {(fault.code, fault.message) for fault in check(mending.map)}
    left = [fault for fault in told if fault in slips or (fault.code, fault.message) in stays]
    return _announced(left, slips[0], len(told) - len(left))


def _likely(faults: list[Fault]) -> Iterator[Fault]:
    """What may be a slip. A nobody that does not fit the key is none where the key itself is wrong."""
    found = [fault for fault in faults if fault.severity == "error" and fault.code in _SLIPS]
    beside = {fault.where[:-1] for fault in found if fault.code != "nobody"}
    yield from (fault for fault in found if fault.code != "nobody" or fault.where[:-1] not in beside)


def _decided(faults: list[Fault]) -> list[Fault]:
    """Where a table's own `erase` is wrong, or undecided, nobody needs to hear what its links would do."""
    open_ = {fault.where[:2] for fault in faults if fault.severity == "error" and fault.where[2:] == ("erase",)}
    return [fault for fault in faults if not (fault.code in _CASCADES and fault.where[:2] in open_)]


def _announced(faults: list[Fault], slip: Fault, count: int) -> list[Fault]:
    """With the first slip it is said that others wait."""
    if not count:
        return faults
    waiting = f"{count} more faults, which" if count > 1 else "1 more fault, which"
    verb = "seem" if count > 1 else "seems"
    told = f"{slip.remedy or 'mend it'}\n({waiting} {verb} to follow from this, will be told once it is mended)"
    return [replace(fault, remedy=told) if fault is slip else fault for fault in faults]


@dataclass
class _Mending:
    """The map as it may have been meant."""

    map: Map
    catalogue: Catalogue

    def mends(self, fault: Fault) -> bool:
        """Take the slip out of the map, if it is known what was meant."""
        for mend in (self._subject, self._table, self._column, self._activity):
            found = mend(fault.where)
            if found is not None:
                self.map = found
                return True
        return False

    # Subjects -----------------------------------------------------------------------------------------------------

    def _subject(self, where: Where) -> Map | None:
        kind, part = (where[1:2], where[2:3]) if where[:1] == ("subjects",) else (("person",), where[1:2])
        subject = self.map.kinds.get(str(kind[0])) if where[:1] in (("subject",), ("subjects",)) and kind else None
        if subject is None or not part:
            return None
        meant = self._meant(subject)
        if self.map.subject is not None:
            return self.map.model_copy(update={"subject": meant})
        return self.map.model_copy(update={"subjects": {**(self.map.subjects or {}), str(kind[0]): meant}})

    def _meant(self, subject: Subject) -> Subject:
        """The nearest that is there; else what leaves the fewest questions."""
        facts = self._people(subject)
        if facts is None:
            return subject
        key = list(dict.fromkeys(_column(name, facts) for name in subject.key))
        key = key if set(key) <= set(facts.columns) else list(facts.primary_key)
        identities = {
            name: each.model_copy(update={"column": _column(each.column, facts)})
            for name, each in subject.identities.items()
        }
        known = {name: each for name, each in identities.items() if each.column in facts.columns}
        nobody = subject.nobody if set(subject.nobody or ()) <= set(key) else None
        birth = subject.birth if subject.birth in facts.columns else None
        told = {"table": str(facts.name), "key": key, "identities": known, "nobody": nobody, "birth": birth}
        return subject.model_copy(update=told)

    def _people(self, subject: Subject) -> Table | None:
        """The table that is meant: called alike, or the one with such a key that most others point at."""
        tables = {str(table.name): table for table in self.catalogue if table.kind in ("table", "partitioned")}
        name = str(Name.parse(subject.table))
        if found := tables.get(name) or tables.get(nearest(name, tables) or ""):
            return found
        keyed = [table for table in tables.values() if set(subject.key) <= set(table.columns)]
        return max(keyed, key=lambda table: len(self.catalogue.references.get(table.name, ())), default=None)

    @cached_property
    def _unnamed(self) -> list[str]:
        """The tables that the map does not name, each for one slip."""
        named = {str(Name.parse(text)) for text in self.map.tables if not text.endswith(".*")}
        return [str(table.name) for table in self.catalogue if str(table.name) not in named]

    # Tables, their columns and links ------------------------------------------------------------------------------

    def _table(self, where: Where) -> Map | None:
        if len(where) != 2 or where[0] != "tables":
            return None
        meant = nearest(str(_name(where)), self._unnamed)
        if meant is not None:
            self._unnamed.remove(meant)
        return self._with_tables(_renamed(self.map.tables, str(where[1]), meant)) if meant else None

    def _column(self, where: Where) -> Map | None:
        facts = self.catalogue.get(_name(where)) if len(where) >= 4 and where[0] == "tables" else None
        if facts is None or where[2] not in ("columns", "links"):
            return None
        text, part, name = str(where[1]), str(where[2]), str(where[3])
        decision = self.map.tables[text]
        meant = _column(name, facts)
        if meant == name or meant in getattr(decision, part) or not _is_plain(name):
            return None
        renamed = decision.model_copy(update={part: _renamed(getattr(decision, part), name, meant)})
        return self._with_tables({**self.map.tables, text: renamed})

    def _with_tables(self, tables: Mapping[str, Decision]) -> Map:
        return self.map.model_copy(update={"tables": tables})

    # Activities ---------------------------------------------------------------------------------------------------

    def _activity(self, where: Where) -> Map | None:
        """One that is called otherwise wherever it is named."""
        if len(where) != 2 or where[0] != "activities":
            return None
        used = [table.activity for table in self.map.tables.values() if table.activity]
        used += [entry.activity for entry in self.map.cache.patterns.values() if entry.activity]
        meant = nearest(str(where[1]), [name for name in used if name not in self.map.activities])
        if meant is None:
            return None
        return self.map.model_copy(update={"activities": _renamed(self.map.activities, str(where[1]), meant)})


def _renamed(known: Mapping[str, Any], name: str, meant: str) -> dict[str, Any]:
    return {meant if each == name else each: value for each, value in known.items()}


def _column(name: str, facts: Table) -> str:
    return name if name in facts.columns else nearest(name, facts.columns) or name


def _is_plain(text: str) -> bool:
    try:
        return Place.parse(text).is_plain
    except NotAName:
        return False


def _name(where: Where) -> Name:
    text = str(where[1])
    return Name.parse(text) if not text.endswith(".*") else Name("", "")
