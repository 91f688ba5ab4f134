"""What holds a proposal back that the links would carry: the name of a table, and rows that nobody has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from datamap.catalogue import Table
from datamap.discover import reservations, unseen
from datamap.discover.finding import Link
from datamap.discover.meetings import Ground
from datamap.names import Table as Name

NO_ROWS = "two people may stand in one row, and no rows say whether"


class Restraint:
    """Asked for each table once it is known what its links make of it."""

    def __init__(self, ground: Ground, what_of: Callable[[Name], str], *, is_blind: bool) -> None:
        self._ground = ground
        self._what_of = what_of
        self._is_blind = is_blind

    def on(self, table: Name, what: str) -> str | None:
        """What a person has to decide or to look at first, if anything."""
        told = None
        if what in ("mine", "both", "inside"):
            links = self._ground.links.get(table, ())
            own = what == "inside" or self._is_all_ones_own(table)
            told = reservations.reserved(self._facts(table), links, is_ones_own=own)
        return self._unseen(table, what) if told is None and self._is_blind else told

    def _facts(self, table: Name) -> Table:
        return self._ground.people.catalogue.tables[table]

    def _above(self, table: Name) -> list[Link]:
        return [link for link in self._ground.parents(table) if link.target != table]

    def _is_all_ones_own(self, table: Name) -> bool:
        """Whether it hangs from something, and only from what is its owner's."""
        above = self._above(table)
        return bool(above) and all(self._what_of(link.target) in ("mine", "person") for link in above)

    def _unseen(self, table: Name, what: str) -> str | None:
        """What nobody knows who has not seen the rows."""
        if what == "both":
            return NO_ROWS
        if what not in ("person", "mine", "acted"):
            return None
        links = self._ground.links.get(table, ())
        if vague := self._without_a_key({table, *(link.target for link in links)}):
            return f"no values say what names one person each in {vague[0]}"
        unsure = sorted({str(link.target) for link in self._above(table) if not self._is_settled(link.target)})
        if what == "mine" and unsure:
            return f"it hangs from {', '.join(unsure)}, and no rows say whose these are"
        return None if what == "person" else unseen.doubt(self._facts(table), links)

    def _without_a_key(self, tables: Iterable[Name]) -> list[Name]:
        """Those of subjects, whom nothing declared names one by one."""
        kinds = [kind for table in tables if (kind := self._ground.people.of(table))]
        return sorted(kind.table for kind in kinds if not self._facts(kind.table).is_unique(kind.key))

    def _is_settled(self, table: Name) -> bool:
        return self._what_of(table) in ("mine", "person", "nobody", "acted")
