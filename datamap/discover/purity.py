"""Tables that hold nothing but links, and tables that hold what people have written."""

from __future__ import annotations

from collections.abc import Sequence

from datamap.catalogue import Column, Table
from datamap.discover import words
from datamap.discover.finding import Link
from datamap.discover.questions import Sample

_OF_A_LINK = words.listed(
    """
    role status kind type level position state membership sort order rank permission access right color colour
    active is can has value vote notification muted pinned favorite weight priority primary admin accepted
    score rating
    """
)
_FEW = 12


def is_pure_link(table: Table, links: Sequence[Link], sample: Sample | None) -> bool:
    """Keys, links, times and a role: who belongs to what, and nothing that anybody has written."""
    keys = {column for link in links for column in link.place.columns} | set(table.primary_key)
    if sum(1 for link in links if link.role in ("owner", "undecided")) < 2:
        return False
    return all(name in keys or _is_of_a_link(column, sample) for name, column in table.columns.items())


def _is_of_a_link(column: Column, sample: Sample | None) -> bool:
    if column.is_array or column.family in ("json", "vector", "bytes", "other"):
        return False
    if column.family in ("time", "boolean", "enum"):
        return True
    said = set(words.words(column.name))
    if column.family == "text":
        few = len(set(sample.of(column.name))) <= _FEW if sample else True
        return bool(said & _OF_A_LINK) and few
    return bool(said & _OF_A_LINK) or column.family == "uuid" or words.meant(column.name) != words.words(column.name)


def free_texts(table: Table) -> list[Column]:
    """The columns with what somebody has written."""
    return [
        column
        for column in table.columns.values()
        if column.family in ("text", "json") and not column.is_array and words.is_free_text(words.words(column.name))
    ]


def speaks_for_itself(table: Table) -> bool:
    return bool(free_texts(table))
