"""What an erasure deleted, remembered until it is verified.

A row that was theirs over a parent alone names nobody, so by their key it cannot be found again; and where no foreign
key holds a row to its parent, somebody may have written one while the parent was going. Both are asked for by the keys
of the rows that are gone: read at the end of the erasure (`Gone.keys`), bound again for the verification.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from datamap.compile import matching
from datamap.compile.erasure import Erasure
from datamap.compile.ownership import Ownership
from datamap.compile.person import bound_as, equality, plain_type
from datamap.compile.resolution import Dataset
from datamap.names import Table as Name
from datamap.names import quoted
from shared.plan import Gone, Statement


class Remains:
    """What to look for, once rows are gone, in which table."""

    def __init__(self, ownership: Ownership, erasure: Erasure) -> None:
        self._ownership = ownership
        self._tables = ownership.resolution.catalogue.tables
        self._erasure = erasure
        self._number = {name: number for number, name in enumerate(erasure.deletable, start=1)}

    @property
    def gone(self) -> Iterator[Gone]:
        """Of each table whose keys any statement asks for."""
        asked = {name for statements in self._statements.values() for name, _ in statements}
        for name in self._number:
            if name in asked:
                yield self._gone(name)

    def verify(self, dataset: Dataset) -> list[Statement]:
        """The statements that ask for the remains in one table."""
        return [statement for _, statement in self._statements.get(dataset.name, ())]

    @cached_property
    def _statements(self) -> dict[Name, list[tuple[Name, Statement]]]:
        """For each table its statements, each with the table of whose keys it asks."""
        found: dict[Name, list[tuple[Name, Statement]]] = {}
        for name in self._number:
            if (own := self._itself(name)) is not None:
                found.setdefault(name, []).append((name, own))
            for pointer in self._erasure.pointers[name]:
                if not pointer.is_held:
                    statement = self._pointing(name, pointer.dataset, pointer.number)
                    found.setdefault(pointer.dataset.name, []).append((name, statement))
        return found

    def _itself(self, name: Name) -> Statement | None:
        """The rows themselves, where they may be theirs without naming them."""
        dataset = self._erasure.touched[name]
        key = dataset.facts.row_key
        if not key or not any(self._ownership.parents(dataset)):
            return None
        same = " and ".join(
            f"t.{quoted(column)} {equality(dataset.facts.columns[column])} {self._key(name, column)}" for column in key
        )
        return self._statement(dataset, f"exists (select from {self._relation(name)} as q where {same})", name, None)

    def _pointing(self, name: Name, dataset: Dataset, number: int) -> Statement:
        link = dataset.links[number]
        columns = {column: self._key(name, column) for column in link.target_columns}
        points = matching.points_within(link, dataset, self._tables[name], self._relation(name), columns=columns)
        return self._statement(dataset, points, name, str(link.place))

    def _statement(self, dataset: Dataset, test: str, name: Name, link: str | None) -> Statement:
        return Statement(
            purpose="verify",
            dataset=str(dataset.name),
            link=link,
            sql=f"select count(*)\nfrom {dataset.sql} as t\nwhere {test}",
            why=f"nothing is left of the rows of {name} that were deleted"
            if link is None
            else f"nothing points at the rows of {name} that were deleted",
        )

    def _relation(self, name: Name) -> str:
        return f"pg_temp.gdpr_gone_{self._number[name]}"

    def _key(self, name: Name, column: str) -> str:
        facts = self._tables[name].columns[column]
        return f"cast(q.{quoted(self._erasure.stored[name][column])} as {plain_type(facts)})"

    def _gone(self, name: Name) -> Gone:
        stored, facts = self._erasure.stored[name], self._tables[name].columns
        listed = ", ".join(f"r.{quoted(each)}::pg_catalog.text as {quoted(each)}" for each in stored.values())
        return Gone(
            dataset=str(name),
            relation=self._relation(name).removeprefix("pg_temp."),
            binds={each: bound_as(facts[column]) for column, each in stored.items()},
            keys=f"select distinct {listed}\nfrom {self._erasure.rows(name)} as r\nwhere r.gdpr_dies",
        )
