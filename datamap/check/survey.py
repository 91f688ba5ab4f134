"""The map laid over the catalogue, as every check looks at it: what tables are, and what an erasure does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue, ForeignKey, Table
from datamap.compile.erasure import Erasure
from datamap.compile.ownership import Ownership
from datamap.compile.proof import proven
from datamap.compile.resolution import Dataset, Kind, Link, Resolution, resolve
from datamap.model import Activity, Map
from datamap.model import Link as Entry
from datamap.names import Table as Name


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One look at a map and a catalogue."""

    map: Map
    catalogue: Catalogue
    resolution: Resolution

    @classmethod
    def of(cls, data_map: Map, catalogue: Catalogue) -> Survey:
        resolution = resolve(data_map, catalogue)
        proven(resolution)  # takes out the links that cannot be compiled; whoever compiles tells of them
        return cls(map=data_map, catalogue=catalogue, resolution=resolution)

    @cached_property
    def erasures(self) -> tuple[Erasure, ...]:
        """One for each kind of subject."""
        kinds = self.resolution.kinds.values()
        return tuple(Erasure(Ownership(self.resolution, kind), self.map) for kind in kinds)

    @cached_property
    def ownerships(self) -> tuple[Ownership, ...]:
        return tuple(Ownership(self.resolution, kind) for kind in self.resolution.kinds.values())

    @property
    def personal(self) -> Iterator[Dataset]:
        """The tables with personal data, as far as the map says so."""
        return (dataset for dataset in self.resolution.datasets.values() if dataset.decision.personal)

    @cached_property
    def read(self) -> dict[Name, Dataset]:
        """The tables that a plan reads for somebody."""
        owned = {name for ownership in self.ownerships for name in ownership.datasets}
        return {name: each for name, each in self.resolution.datasets.items() if name in owned or each.person_links}

    def is_unread(self, dataset: Dataset) -> bool:
        """Others' rows below a place where people meet: no request reads or changes them."""
        return dataset.decision.shared is True and dataset.name not in self.read

    @cached_property
    def touched(self) -> dict[Name, Dataset]:
        """The tables that an erasure locks rows of, and may change."""
        return {name: dataset for erasure in self.erasures for name, dataset in erasure.touched.items()}

    @cached_property
    def deletable(self) -> frozenset[Name]:
        """The tables that an erasure may delete rows of."""
        return frozenset(name for erasure in self.erasures for name in erasure.deletable)

    @cached_property
    def stubs(self) -> frozenset[tuple[str, str]]:
        """Kinds of subject and tables of which rows may stay as stubs."""
        return frozenset(
            (kind, statement.dataset)
            for kind, erasure in zip(self.resolution.kinds, self.erasures, strict=True)
            for statement in erasure.statements()
            if statement.purpose == "stub"
        )

    def above(self, dataset: Dataset) -> tuple[Kind, ...]:
        """The kinds of people whose own rows point at rows of this table: nothing is reached upward from a person."""
        kinds = self.resolution.kinds.values()
        return tuple(
            kind
            for kind in kinds
            if kind.table != dataset.name and any(key.target == dataset.name for key in kind.facts.foreign_keys)
        )

    def activity(self, dataset: Dataset) -> Activity | None:
        return self.map.activities.get(dataset.decision.activity or "")

    def keys_to(self, name: Name) -> tuple[tuple[Table, ForeignKey], ...]:
        """The foreign keys that point at a table."""
        return self.catalogue.references.get(name, ())


def entry_of(dataset: Dataset, link: Link) -> Entry:
    """The link as the map has it; one that no map mentions says nothing."""
    below = link.where[len(dataset.where) :]
    if below[:1] != ("links",):
        return Entry()
    entries = dataset.decision.links[str(below[1])]
    return entries[below[2]] if len(below) > 2 and isinstance(below[2], int) else entries[0]
