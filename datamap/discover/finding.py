"""What discovery finds, before it is written down: each with its evidence and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from datamap.catalogue import Catalogue, ForeignKey
from datamap.catalogue import Table as Facts
from datamap.condition import Condition
from datamap.discover import words
from datamap.form import EXACT, FOLDED, Form
from datamap.names import Place, Table

Confidence = Literal["high", "medium", "low"]
Role = Literal["owner", "actor", "reference", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of subject."""

    name: str
    table: Table
    key: tuple[str, ...]
    identities: Mapping[str, str] = field(default_factory=dict)  # its name, and the column
    folded: frozenset[str] = frozenset()  # the identities in which capitals make no difference
    homes: Mapping[str, str] = field(default_factory=dict)  # those of telephone numbers in several spellings, by code
    keys: tuple[tuple[str, ...], ...] = ()  # what else is different in every row, whether declared or seen
    birth: str | None = None
    evidence: str = ""
    confidence: Confidence = "high"

    def form(self, identity: str | None) -> Form:
        """In which form an identity is compared."""
        if home := self.homes.get(identity or ""):
            return Form(match="phone", home=home)
        return FOLDED if identity in self.folded else EXACT


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place in the rows of a table that names a person, or a row of another table."""

    table: Table
    place: Place
    target: Table
    target_columns: tuple[str, ...] = ()
    kind: str | None = None  # of the subject; None for a parent
    identity: str | None = None
    when: str | None = None
    foreign_key: ForeignKey | None = None
    role: Role = "owner"
    erase: Any = None  # as the map writes it
    redact: tuple[str, ...] = ()
    evidence: str
    confidence: Confidence = "high"
    notes: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        return self.kind is not None

    @property
    def is_owner(self) -> bool:
        return self.role == "owner"

    @property
    def condition(self) -> Condition | None:
        return Condition.parse(self.when) if self.when else None

    @property
    def says(self) -> tuple[str, str, str]:
        """What makes it another link than the others, and their order."""
        return (str(self.place), self.when or "", self.identity or "")


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a column holds."""

    category: str | None  # None: not personal; "undecided": nobody can tell from here
    reason: str | None = None
    entry: Mapping[str, Any] = field(default_factory=dict)  # what else the map says of it
    evidence: str
    confidence: Confidence = "medium"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the map says of one table."""

    table: Table
    personal: bool = True
    reason: str | None = None
    erase: str | None = None
    shared: bool | Literal["undecided"] = False
    is_undecided: bool = False  # the whole table: `app.actor: undecided`
    links: tuple[Link, ...] = ()
    columns: Mapping[str, Holding] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    confidence: Confidence = "high"

    @property
    def is_unread(self) -> bool:
        """Others' rows, below a place where people meet: no request reads or changes them."""
        return self.shared is True and not any(link.is_person for link in self.links)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The whole map, as proposed."""

    kinds: tuple[Kind, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def of(self, table: str) -> Decision:
        name = Table.parse(table)
        return next(each for each in self.decisions if each.table == name)


@dataclass(frozen=True, kw_only=True)
class People:
    """The kinds of subject of one database, and their tables."""

    catalogue: Catalogue
    kinds: tuple[Kind, ...]

    def of(self, table: Table) -> Kind | None:
        return self._by_table.get(table)

    @cached_property
    def _by_table(self) -> Mapping[Table, Kind]:
        return {kind.table: kind for kind in self.kinds}

    def named(self, name: str) -> Kind:
        return next(kind for kind in self.kinds if kind.name == name)

    def facts(self, kind: Kind) -> Facts:
        return self.catalogue.tables[kind.table]

    @cached_property
    def tables(self) -> frozenset[Table]:
        return frozenset(kind.table for kind in self.kinds)

    @cached_property
    def tables_said(self) -> frozenset[str]:
        """The words in the names of all tables."""
        return frozenset(word for table in self.catalogue for word in words.words(table.name.name))


def by_table(links: Iterable[Link]) -> dict[Table, list[Link]]:
    """The links of each table, in a settled order."""
    found: dict[Table, list[Link]] = {}
    for link in sorted(links, key=lambda each: (each.table, each.says)):
        found.setdefault(link.table, []).append(link)
    return found


def by_place(links: Iterable[Link]) -> dict[str, list[Link]]:
    """Those of one table, in the order in which the map names them."""
    found: dict[str, list[Link]] = {}
    for link in links:
        found.setdefault(str(link.place), []).append(link)
    return found
