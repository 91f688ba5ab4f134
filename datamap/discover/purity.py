"""Tables that hold nothing but links, tables that hold what people have written, and those that could hold anybody."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from datamap.catalogue import Column, Table
from datamap.discover import words
from datamap.discover.documents import is_of_things
from datamap.discover.finding import Link
from datamap.discover.questions import Sample

_OF_A_LINK = words.listed(
    """
    role status kind type level position state membership sort order rank permission access right color colour
    active is can has value vote notification muted pinned favorite weight priority primary admin accepted
    score rating
    """
)
_OF_TWO = words.listed(
    "friend friendship follow follower following followee block blocklist mute connection relationship"
)
_EXPLAINED = words.listed("description caption about")  # of a thing as often as of a person
_TALKED = words.listed(
    "conversation thread chat dialog dialogue discussion talk ticket case inquiry interview call meeting"
)
_HANDED_OVER = words.listed(
    "payload arg kwarg argument params traceback request response raw metadata extra data result"
)
_EMBEDDED = words.listed("embedding vector")
_OF_ANYTHING = words.listed(
    "entity object record resource subject target source item external reference related linked"
)
_FEW = 12


def is_pure_link(table: Table, links: Sequence[Link], sample: Sample | None) -> bool:
    """Keys, links, times and a role: who belongs to what, and nothing that anybody has written."""
    keys = {column for link in links if not link.place.is_json for column in link.place.columns}
    keys |= set(table.primary_key)
    if sum(1 for link in links if link.role in ("owner", "undecided")) < 2:
        return False
    people = [link for link in links if link.is_person and link.role in ("owner", "undecided")]
    if len(people) > 1 and not _is_of_two(table, people):
        return False
    return all(name in keys or _is_of_a_link(column, sample) for name, column in table.columns.items())


def _is_of_two(table: Table, people: Sequence[Link]) -> bool:
    """Whether a row is there only because two people have to do with each other: it is their pair, and never twice."""
    if not all(link.place.is_plain and link.identity is None and link.when is None for link in people):
        return False
    sides = {column for link in people for column in link.place.columns}
    if not all(table.columns[column].not_null for column in sides):
        return False
    is_pair = any(sides == set(key) for key in (table.primary_key, *table.unique))
    return is_pair or bool(set(words.words(table.name.name)[-1:]) & _OF_TWO)


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


def open_to_anybody(table: Table, sample: Sample | None, known: Collection[str] = frozenset()) -> list[str]:
    """The columns of which no values say that they hold nobody: texts, documents, vectors, keys of anything."""
    declared = {column for key in table.foreign_keys for column in key.columns} | set(table.primary_key)
    is_talk = bool(set(words.words(table.name.name)[-1:]) & _TALKED)
    return [
        name
        for name, column in table.columns.items()
        if name not in declared
        and not is_of_things(column, sample, known)
        and (_could_tell(column, is_talk=is_talk) or _could_be_anybodys_key(column, sample.of(name) if sample else []))
    ]


def _could_tell(column: Column, *, is_talk: bool) -> bool:
    said = words.words(column.name)
    if column.family in ("json", "vector") or (column.is_array and set(said) & _EMBEDDED):
        return True
    if column.family == "other":  # a type of the application's own, with whatever stands in it
        return not column.base.startswith("pg_catalog.") or column.base == "pg_catalog.xml"
    if column.family != "text" or column.is_array:
        return False
    if said[-1:] and (said[-1] in _HANDED_OVER or (said[-1] in words.PERSON and not words.is_plural(column.name))):
        return True
    return is_talk or (words.is_free_text(said) and said[-1] not in _EXPLAINED)


def _could_be_anybodys_key(column: Column, seen: Sequence[str]) -> bool:
    said = words.meant(column.name)
    is_key = said != words.words(column.name)
    if column.family == "uuid":
        return not seen
    return column.family in ("integer", "numeric") and is_key and bool(set(said) & _OF_ANYTHING)
