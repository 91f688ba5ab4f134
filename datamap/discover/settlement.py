"""From what a table is to what the map says of it: its erase, and that of each of its links.

Nothing is proposed silently where a person has to decide: that stays `undecided`, with the choices beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from datamap.catalogue import Table
from datamap.discover import categories, lexicon, within, words
from datamap.discover.belonging import Belonging, Belongings, Class
from datamap.discover.bystanders import Around
from datamap.discover.bystanders import decided as bystander
from datamap.discover.finding import Confidence, Decision, Holding, Link
from datamap.discover.links import texts
from datamap.discover.meetings import ENOUGH_ROWS, Ground
from datamap.discover.purity import free_texts
from datamap.discover.questions import Sample
from datamap.names import Table as Name

_WRITERS = words.listed(
    """
    sender author from writer creator created poster payer requester requestor buyer purchaser giver donor
    source uploader owner initiator inviter caller follower user reporter seller
    """
)
_INSIDE = (
    "made inside a shared place: decide between erase: delete, handing it over (erase: {column: nobody}),"
    " and keeping it without the name (erase: unlink)"
)
_MAYBE = "people may meet here: decide shared: true (never deleted), or shared: false and erase: delete"
_MENTIONED = "but people are mentioned in {}, where no link can say whose it is"
_THEIRS = "it belongs to a place where people meet, and to none of them alone"
_MILD = "nothing but links: one's own are deleted, and nothing that others wrote"
_MILD_PLACE = "only links hang here, nothing that others wrote"
_PLACE = "people meet here: it is never deleted; unlink the owner or hand it over"
_NOBODY = "may not be null: declare the subject's `nobody`"
_ALWAYS_ONE = "the same person as beside it in every row seen: does the row go with either (erase: delete)?"
_DOCUMENT = (
    "the document says more than who it is: does it go as a whole (erase: delete), or only the name (erase: unlink)?"
)
_APART = "two people in a row: decide for each of them apart"
_SURE: Sequence[Confidence] = ("low", "medium", "high")


# By class: erase, shared, the reason, and what to say beside it.
_OF_CLASS: Mapping[Class, tuple[str | None, bool | Literal["undecided"], str | None, str | None]] = {
    "person": ("delete", False, None, None),
    "mine": ("delete", False, None, None),
    "inside": ("undecided", False, None, _INSIDE),
    "place": (None, True, None, _PLACE),
    "maybe": ("undecided", "undecided", None, _MAYBE),
    "theirs": (None, True, _THEIRS, None),
    "acted": ("unlink", False, None, "people only acted on it"),
    "nobody": ("unlink", False, None, "people only acted on it"),
    "undecided": ("undecided", False, None, None),
}


class Settlement:
    """The decisions, table by table."""

    def __init__(self, ground: Ground, belongings: Belongings, mentions: Mapping[Name, Sequence[str]]) -> None:
        self._ground = ground
        self._belongings = belongings
        self._around = Around(
            linked=frozenset(
                (link.table, name) for each in ground.links.values() for link in each for name in link.place.columns
            ),
            mentions=mentions,
            parts=self._parts(),
            known=lexicon.of_catalogue(ground.people.catalogue),
            is_blind=belongings.is_blind,
        )

    def _parts(self) -> dict[Name, Name]:
        """Tables of whose rows each is pointed at by one row of somebody's: a wallet, the settings of one user."""
        return {
            link.target: link.table
            for table, links in sorted(self._ground.links.items())
            for link in links
            if not link.is_person
            and link.role != "undecided"
            and link.place.is_plain
            and link.target != table
            and self._is_one_each(link)
            and self._belongings.of(table).what in ("person", "mine")
        }

    def _is_one_each(self, link: Link) -> bool:
        """By declaration, or in all rows on both sides."""
        if self._ground.people.catalogue.tables[link.table].is_unique(link.place.columns):
            return True
        sample, above = self._ground.samples.get(link.table), self._ground.samples.get(link.target)
        if sample is None or above is None or not (sample.is_complete and above.is_complete):
            return False
        seen = texts(sample, link.place.columns)
        return len(seen) >= ENOUGH_ROWS and len(seen) == len(set(seen)) == len(above.rows)

    def of(self, table: Table, sample: Sample | None, why_unread: str | None) -> Decision:
        """What the map says of one table."""
        if table.kind == "foreign":
            return self._foreign(table)
        if table.kind == "materialized_view":
            return self._copy(table, sample, why_unread)
        belonging = self._belongings.of(table.name)
        links = tuple(self._ground.links.get(table.name, ()))
        if belonging.what == "nobody" and not any(link.is_person for link in links):
            found = bystander(table, sample, why_unread=why_unread, around=self._around)
            return self._with_cuts(found, links, belonging) if not found.personal else replace(found, links=())
        if belonging.what == "theirs" and (told := self._around.mentions.get(table.name)):
            because = (*belonging.because, _MENTIONED.format(", ".join(told[:3])))
            return Decision(table=table.name, is_undecided=True, notes=because, confidence="low")
        decision = _said_once(_settled(table, belonging, self._ground, links))
        return replace(decision, columns={} if decision.is_unread else columns(table, decision.links, sample))

    def _with_cuts(self, found: Decision, links: Sequence[Link], belonging: Belonging) -> Decision:
        """Nobody's rows that point at somebody's are unlinked, and that has to be said."""
        loose = tuple(cut(link, self._ground) for link in links if link.says in belonging.loose)
        if not loose:
            return found
        return replace(found, links=loose, notes=("nobody's rows, which point at somebody's",))

    def _foreign(self, table: Table) -> Decision:
        return Decision(
            table=table.name,
            erase="external_manual",
            reason="a foreign table: its rows lie in another database, which has to erase them",
            columns=columns(table, (), None),
            notes=("its rows were not read",),
            confidence="low",
        )

    def _copy(self, table: Table, sample: Sample | None, why_unread: str | None) -> Decision:
        """A materialised view is as personal as what it shows."""
        shown = {str(Name(*each.split(".", 1))) for each in table.reads if "." in each}
        personal = [
            name for name in self._ground.people.catalogue.tables if str(name) in shown and self._is_personal(name)
        ]
        if not personal and why_unread is not None:
            notes = (f"its rows were not read: {why_unread}",)
            return Decision(table=table.name, is_undecided=True, notes=notes, confidence="low")
        if not personal and not categories.telling(table, sample):
            return Decision(
                table=table.name, personal=False, reason="a copy of what is not personal", confidence="medium"
            )
        told = f"a copy of {', '.join(sorted(map(str, personal))[:3])}" if personal else "a copy with personal columns"
        return Decision(
            table=table.name, erase="refresh", columns=columns(table, (), sample), notes=(told,), confidence="high"
        )

    def _is_personal(self, name: Name) -> bool:
        return self._belongings.of(name).what != "nobody"


def _settled(table: Table, belonging: Belonging, ground: Ground, links: Sequence[Link]) -> Decision:
    base = Decision(table=table.name, notes=belonging.because, confidence=_sure(belonging, links))
    named = [cut(link, ground) if link.says in belonging.loose else link for link in links]
    named = [_acting(link, ground) for link in named]
    if belonging.what == "both":
        return _both(base, table, belonging, [*named], ground.samples.get(table.name))
    if belonging.what == "mine":
        named = _of_one_person(named, table)
    is_mild = belonging.is_mild and belonging.reserved is None
    if belonging.what == "place":
        named = [_unlinked(link, ground) for link in named]
    elif belonging.what == "inside" and is_mild:
        named = [_deleted(link) for link in named]
    erase, shared, reason, advice = _OF_CLASS[belonging.what]
    if is_mild and belonging.what == "inside":
        erase, advice = None, _MILD
    elif is_mild and belonging.what == "place":
        advice = f"{_MILD_PLACE}; {_PLACE}"
    notes = (*base.notes, *(note for note in (advice, belonging.reserved) if note))
    return replace(base, erase=erase, shared=shared, reason=reason, notes=notes, links=tuple(named))


def _of_one_person(links: list[Link], table: Table) -> list[Link]:
    """Two links of every row that have named one person so far: that they always will, nobody but a person can say."""
    bound = [
        link
        for link in links
        if link.is_person
        and link.is_owner
        and link.place.is_plain
        and link.when is None
        and all(table.columns[column].not_null for column in link.place.columns)
    ]
    if len(bound) < 2:
        return links
    return [
        replace(link, erase="undecided", notes=(*link.notes, _ALWAYS_ONE)) if link in bound else link for link in links
    ]


def _sure(belonging: Belonging, links: Sequence[Link]) -> Confidence:
    """No surer than the links on which it rests."""
    owners = [link for link in links if link.is_person and link.is_owner]
    resting = owners or [link for link in links if link.is_person and link.role == "actor"]
    resting = resting or [link for link in links if link.is_owner and link.says not in belonging.loose]
    return min((belonging.confidence, *(link.confidence for link in resting)), key=_SURE.index)


def _both(base: Decision, table: Table, belonging: Belonging, links: list[Link], sample: Sample | None) -> Decision:
    """Two people in one row: each takes their own side away."""
    sides = [link for link in links if link.is_person and link.is_owner]
    if belonging.reserved:
        apart = [_apart(link, sides) for link in links]
        return replace(base, notes=(*dict.fromkeys((*base.notes, belonging.reserved)), _APART), links=tuple(apart))
    if belonging.is_mild:
        return replace(base, links=tuple(_deleted(link, sides) for link in links))
    writers = [link for link in sides if set(words.meant_by(link.place)) & _WRITERS]
    author = writers[0] if writers else None
    told = _told_of_people(table, links, sample)
    settled = [
        replace(_left(link, table, told, is_author=link is author), redact=_others(link, sides))
        if link in sides
        else link
        for link in links
    ]
    notes = (*base.notes, "each of the two people in a row takes their own side away")
    return replace(base, notes=notes, links=tuple(settled))


def _apart(link: Link, sides: Sequence[Link]) -> Link:
    return replace(link, erase="undecided", redact=_others(link, sides)) if link in sides else link


def _others(link: Link, sides: Sequence[Link]) -> tuple[str, ...]:
    """The columns that name the other people of the row."""
    columns = [column for side in sides if side is not link for column in side.place.columns]
    return tuple(dict.fromkeys(column for column in columns if column not in link.place.columns))


def _told_of_people(table: Table, links: Sequence[Link], sample: Sample | None) -> frozenset[str]:
    """The columns of documents that say more of the people in them than who they are."""
    linked = {replace(link.place, as_path=False) for link in links}
    columns = {link.place.column for link in links if link.place.is_json}
    return frozenset(
        column for column in columns if sample is None or not within.places(table.columns[column], sample) <= linked
    )


def _left(link: Link, table: Table, told: frozenset[str], *, is_author: bool) -> Link:
    """One side of a row of two, taken out; with what that side has written."""
    if link.place.is_json and link.place.column in told:
        return replace(link, erase="undecided", notes=(*link.notes, _DOCUMENT))
    if not link.place.is_plain:
        return replace(link, erase="unlink")
    columns = [table.columns[name] for name in link.place.columns]
    if len(columns) > 1:
        columns = [column for column in columns if not column.not_null][-1:] or columns[-1:]
    columns += free_texts(table) if is_author else []
    bound = [column.name for column in columns if column.not_null]
    if bound or link.place.columns[0] in table.primary_key:
        note = f"{', '.join(bound) or link.place} may not be null: decide, or declare the subject's `nobody`"
        return replace(link, erase="undecided", notes=(*link.notes, note))
    return replace(link, erase={column.name: None for column in columns})


def _deleted(link: Link, sides: Sequence[Link] = ()) -> Link:
    if not link.is_person or not link.is_owner:
        return link
    return replace(link, erase="delete", redact=_others(link, sides))


def _unlinked(link: Link, ground: Ground) -> Link:
    if not link.is_person or not link.is_owner:
        return link
    if link.place.is_plain and ground.is_nullable(link) is False:
        return replace(link, erase="undecided", notes=(*link.notes, f"{_NOBODY}, or hand it over"))
    return replace(link, erase="unlink")


def _said_once(decision: Decision) -> Decision:
    """What is to be said of several links is said of the table."""
    said = Counter(note for link in decision.links for note in link.notes)
    several = tuple(note for note, number in said.items() if number > 1)
    links = [replace(link, notes=tuple(note for note in link.notes if note not in several)) for link in decision.links]
    return replace(decision, notes=(*decision.notes, *several), links=tuple(links))


def _acting(link: Link, ground: Ground) -> Link:
    if link.is_person and link.role == "actor" and link.place.is_plain and not ground.is_nullable(link):
        return replace(link, notes=(*link.notes, _NOBODY))
    return link


def cut(link: Link, ground: Ground) -> Link:
    """A link upward that is let go when what it points at is deleted."""
    erase: Any = "unlink" if ground.is_nullable(link) else "undecided"
    return replace(
        link, role="reference", erase=erase, notes=(*link.notes, "the row stays when what it points at goes")
    )


def columns(table: Table, links: Sequence[Link], sample: Sample | None) -> dict[str, Holding]:
    """Every column but keys and links."""
    keys = set(table.primary_key) | {column for key in table.foreign_keys for column in key.columns}
    keys |= {
        column
        for link in links
        if link.place.is_plain or link.place.is_array
        for column in link.place.columns
        if link.identity is None
    }
    keys -= {link.place.column for link in links if link.identity is not None and link.place.is_plain}
    secrets = {name for name in table.primary_key if categories.is_secret(table, table.columns[name])}
    return {
        name: categories.secret() if name in secrets else categories.held(table, column, sample)
        for name, column in table.columns.items()
        if name not in keys or name in secrets
    }
