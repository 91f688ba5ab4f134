"""The questions that discovery asks of the rows, and their answers. Without them it knows structure and names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from datamap.catalogue import Table
from datamap.condition import Condition
from datamap.discover.finding import Link, People
from datamap.form import EXACT, Form

JOINT = "\x1f"  # between the values of several columns


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows of one table, as text. Without order, and never written anywhere."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_complete: bool  # these are all rows that there are

    def of(self, column: str) -> list[str]:
        """What stands in a column, as often as it does; nulls are left out."""
        if column not in self.columns:
            return []
        place = self.columns.index(column)
        return [row[place] for row in self.rows if row[place] is not None]


@dataclass(frozen=True, kw_only=True)
class Together:
    """How the links of one table speak: by position. All counts are of rows."""

    rows: int
    speaks: tuple[int, ...]
    alone: tuple[int, ...]  # speaks, and no other does
    both: Mapping[tuple[int, int], int]
    other: Mapping[tuple[int, int], int]  # both speak, and name different people
    people: tuple[int, ...]
    several: tuple[int, ...]  # this one link names more than one person
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class Met:
    """Two ways from the rows of a table to people: rows that have both, how many of them lead to different people."""

    rows: int
    others: int
    people: int  # different people by the first way
    owners: int  # and by the second
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class Guests:
    """The people of rows that lead to somebody else: how many, and how many of them are such a somebody, too."""

    people: int
    hosts: int


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step up: the columns of a table, and the table and columns that they point at."""

    columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]
    when: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Way:
    """From the rows of a table to people: some steps up, and the links that stand there."""

    rungs: tuple[Rung, ...] = ()
    links: tuple[Link, ...]


class Values(Protocol):
    """The questions that discovery asks."""

    def sample(self, table: Table, columns: Sequence[str]) -> Sample | None: ...
    def present(
        self, table: Table, columns: Sequence[str], texts: Collection[str], *, form: Form = EXACT
    ) -> frozenset[str] | None: ...
    def is_unique(self, table: Table, columns: Sequence[str]) -> bool | None: ...
    def frequencies(self, table: Table, column: str) -> Mapping[str, int] | None: ...
    def together(self, table: Table, links: Sequence[Link], people: People) -> Together | None: ...
    def met(self, table: Table, own: Way, others: Sequence[Way], people: People) -> Sequence[Met | None]: ...
    def guests(self, table: Table, own: Way, other: Way, people: People) -> Guests | None: ...
    def unread(self, table: Table) -> str | None: ...
