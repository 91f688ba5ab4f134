"""What names alone cannot know: columns that could hold people, where nobody has looked at a value.

Without rows a proposal may be no bolder than with them. So whatever the rows could still refute is left undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datamap.catalogue import Column, Table
from datamap.discover import categories, pairs, words
from datamap.discover.finding import Link

# Texts whose names say what stands there, and that it is no person.
_PLAIN = words.listed(
    """
    name title label status state kind type color colour currency slug locale language unit sku size format mode level
    description body text content
    """
)
_COUNTED = words.listed(
    """
    amount total price quantity count number position rank score rating size weight height width length version year
    month day age order sort priority level sequence seq line ordinal attempt port percent balance stock
    """
)


def doubt(table: Table, links: Sequence[Link]) -> str | None:
    """Why a table that looks like somebody's own may be more than that."""
    if told := _of_links(table, links):
        return told
    if hidden := list(columns(table, links)):
        return f"no values were seen, and people could stand in {', '.join(hidden[:3])}"
    return None


def _of_links(table: Table, links: Sequence[Link]) -> str | None:
    """A link that is declared, and is there in every row, is as good as rows."""
    for link in links:
        if link.is_owner and link.foreign_key is None:
            return f"{link.place} has no foreign key, and no values were seen"
        if link.is_owner and any(not table.columns[column].not_null for column in link.place.columns):
            return f"{link.place} may be null, and no rows say how often it is"
    return None


def columns(table: Table, links: Sequence[Link] = ()) -> Iterator[str]:
    """The columns in which people could be named for all that anybody knows."""
    known = {column for link in links for column in link.place.columns}
    known |= set(table.primary_key) if len(table.primary_key) == 1 else set()
    known |= {column for key in table.foreign_keys for column in key.columns}
    paired = {column for pair in (*pairs.pairs(table), *pairs.generic(table)) for column in (pair.key, pair.kind)}
    for name, column in table.columns.items():
        if name in paired or (name not in known and _could_name(column)):
            yield name


def _could_name(column: Column) -> bool:
    if column.is_array:
        return column.family in ("integer", "uuid", "text")
    if column.family in ("json", "uuid") or (column.is_domain and column.family in ("integer", "text")):
        return True  # a type of one's own may be that of a person's key
    said = words.words(column.name)
    if column.family in ("integer", "numeric"):
        return not (set(said) & _COUNTED) and (words.meant(column.name) != said or words.is_noun_for_a_person(said))
    return column.family == "text" and not _is_explained(column, said)


def _is_explained(column: Column, said: tuple[str, ...]) -> bool:
    """Whether the name of a text says what it is, and that this is nobody."""
    if words.meant(column.name) != said or words.is_noun_for_a_person(said):
        return False
    category = categories.by_name(column)
    if category is not None:
        return not category.startswith(("user.contact.email", "user.contact.phone", "user.account.username"))
    return said == ("name",) or (bool(said) and said[-1] in _PLAIN - {"name"})  # of whom a …_name is, nobody knows
