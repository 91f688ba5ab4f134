"""Columns that only hold the number of a large object: what it holds lies elsewhere, and stays when the row goes."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.check.survey import Survey
from datamap.fault import Fault
from datamap.names import quoted


def faults(survey: Survey) -> Iterator[Fault]:
    """Of the tables that a plan reads. An application that uses such a number otherwise says so by a reason."""
    for name, dataset in sorted(survey.read.items()):
        for column in dataset.facts.columns.values() if dataset.decision.personal else ():
            entry = dataset.decision.columns.get(column.name)
            if (
                column.base != "pg_catalog.oid"
                or column.is_array
                or (entry is not None and (entry.reason or "").strip())
            ):
                continue
            held = quoted(column.name)
            yield Fault(
                code="large_object",
                message=f"{name}, column {column.name}, holds the number of a large object: an export shows the number"
                " alone, and an erasure leaves the object",
                where=(*dataset.where, "columns", column.name) if entry else dataset.where,
                severity="warning",
                remedy=f"alter table {name.sql} alter column {held} type bytea using lo_get({held});"
                " -- then vacuumlo, which removes objects that nothing points at\n"
                f"or, if it is none, at columns: {column.name}: with its category and a reason",
            )
