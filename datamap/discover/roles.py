"""Owner or actor: whom a row is about or by, and who merely did something to it.

By the words of the name; where those leave it open, by what the schema's authors thought (ON DELETE), and by the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from datamap.discover import candidates, words
from datamap.discover.finding import Confidence, Link, People
from datamap.discover.questions import Sample, Together
from datamap.names import Table as Name

_STAFF = words.listed(
    """
    staff employee agent clerk operator worker admin administrator cashier technician physician doctor nurse teacher
    instructor trainer driver seller
    """
)
_MANY = 5
_EVERYWHERE = 0.6
_BESIDE = 0.2  # of these tables: somebody else is named as well
_SOME = 0.5  # of the people


def given(
    links: Sequence[Link], people: People, together: Mapping[Name, Together], samples: Mapping[Name, Sample]
) -> list[Link]:
    """The links of all tables with their roles."""
    bookkeeping = _bookkeeping(links, people, samples)
    tables: dict[Name, list[Link]] = {}
    for link in links:
        tables.setdefault(link.table, []).append(link)
    named = {
        name: _of_table([each for each in group if each.is_person], people, bookkeeping, together.get(name))
        for name, group in tables.items()
    }
    owned = _owned(tables, named)
    return [
        link
        for name, group in tables.items()
        for link in (
            named[name] if owned(name) or name in people.tables else [_alone(each, bookkeeping) for each in named[name]]
        )
        + [each for each in group if not each.is_person]
    ]


def _owned(tables: Mapping[Name, Sequence[Link]], named: Mapping[Name, Sequence[Link]]) -> Callable[[Name], bool]:
    """Whether somebody is named whose a row may be: in it, or in what it hangs from."""
    found = {name for name, links in named.items() if any(link.role in ("owner", "undecided") for link in links)}
    waiting = True
    while waiting:
        more = {
            name
            for name, links in tables.items()
            if name not in found and any(not link.is_person and link.target in found for link in links)
        }
        waiting = bool(more)
        found |= more
    return found.__contains__


def _alone(link: Link, bookkeeping: frozenset[str]) -> Link:
    """Nobody else could be meant: then it has to be asked whether they merely acted."""
    said = set(words.meant_by(link.place))
    if link.role != "actor" or said & _ONLY_DEEDS or (link.place.is_plain and link.place.column in bookkeeping):
        return link
    why = "but nobody else is named here: decide role: actor, or owner"
    return replace(link, role="undecided", evidence=f"{link.evidence}, {why}", confidence="low")


def _bookkeeping(links: Iterable[Link], people: People, samples: Mapping[Name, Sample]) -> frozenset[str]:
    """Columns of the created_by kind that stand in nearly every table: they say who typed, and not whose it is.

    But where hardly a table says otherwise whose its rows are, and most people type, it is all there is of an owner.
    """
    tables = sum(table.kind in ("table", "partitioned") for table in people.catalogue)
    where: dict[str, list[Link]] = {}
    others: set[Name] = set()
    for link in links:
        said = words.meant_by(link.place)
        if link.is_person and link.place.is_plain and words.is_created(said):
            where.setdefault(link.place.column, []).append(link)
        elif link.is_person and not words.is_acting(said):
            others.add(link.table)
    return frozenset(
        name
        for name, found in where.items()
        for held in [{link.table for link in found}]
        if len(held) >= max(_MANY, _EVERYWHERE * tables)
        and (len(held & others) >= _BESIDE * len(held) or _are_few(name, found, samples))
    )


def _are_few(column: str, links: Sequence[Link], samples: Mapping[Name, Sample]) -> bool:
    """Whether only some of the people do it; nobody can say so who has seen no rows."""
    seen = {text for link in links if link.table in samples for text in samples[link.table].of(column)}
    most = max((len(samples[link.target].rows) for link in links if link.target in samples), default=0)
    return bool(seen) and len(seen) <= _SOME * most


def _of_table(links: list[Link], people: People, bookkeeping: frozenset[str], together: Together | None) -> list[Link]:
    if links and links[0].table in people.tables:
        return [replace(link, role="actor") if link.role == "owner" else link for link in links]
    named = [_by_name(link, links, people, bookkeeping) for link in links]
    if any(link.is_owner and not _is_created(link) for link in named):
        named = [_beside_an_owner(link, number, named, people, together) for number, link in enumerate(named)]
    elif not any(link.is_owner or link.role == "undecided" for link in named):
        named = _nobody_stronger(named, people)
    return named


def _is_created(link: Link) -> bool:
    return words.is_created(words.meant_by(link.place))


def _by_name(link: Link, links: Sequence[Link], people: People, bookkeeping: frozenset[str]) -> Link:
    said = words.meant_by(link.place)
    if link.role != "owner" or link.identity is not None:
        return link
    if link.place.is_plain and link.place.column in bookkeeping:
        return _actor(link, "it stands in nearly every table")
    if words.is_created(said) or set(link.place.columns) <= set(people.catalogue.tables[link.table].primary_key):
        return link
    if words.is_unclear(said) and not _is_a_side(link, links):
        return _of_a_deed(link, links, people)
    if words.is_acting(said) and not _is_of_its_kind(link, said, people) and not _is_a_side(link, links):
        return _actor(link, "by its name")
    return link


def _of_a_deed(link: Link, links: Sequence[Link], people: People) -> Link:
    """A deed that no list knows."""
    if _is_staff_beside(link, links, people):
        return _actor(link, "staff beside the owner")
    why = "its name says what they did, and not whether the row is about them"
    return replace(link, role="undecided", evidence=f"{link.evidence}; {why}", confidence="low")


def _is_staff_beside(link: Link, links: Sequence[Link], people: People) -> bool:
    """`given_by` of the staff, where the row names somebody else for whom they work."""
    head = candidates.head(people.catalogue.tables[link.target])
    return head in _STAFF and any(
        other.kind != link.kind and other.is_owner and not words.is_unclear(words.meant_by(other.place))
        for other in links
    )


def _is_a_side(link: Link, links: Sequence[Link]) -> bool:
    """`referrer_id` beside `referred_id`: one deed, and somebody on either side of it."""
    said = words.meant_by(link.place)
    return any(words.are_sides(said, words.meant_by(other.place)) for other in links if other.place != link.place)


def _is_of_its_kind(link: Link, said: tuple[str, ...], people: People) -> bool:
    """`staff_id` that points at the staff: they are no helpers there."""
    return said == (candidates.head(people.catalogue.tables[link.target]),)


def _actor(link: Link, why: str) -> Link:
    confidence: Confidence = "low" if link.confidence == "low" else "medium"
    return replace(link, role="actor", evidence=f"{link.evidence}; actor: {why}", confidence=confidence)


def _beside_an_owner(link: Link, number: int, links: list[Link], people: People, together: Together | None) -> Link:
    """What is an actor because somebody stronger stands in the same row."""
    if not link.is_owner or link.identity is not None:
        return link
    strong = [other for n, other in enumerate(links) if n != number and other.is_owner and not _is_created(other)]
    if not strong:
        return link
    if _is_created(link):
        return link if _always_same(links, number, together) else _actor(link, "somebody else's beside the owner")
    is_held = any(_is_said(other, people) and _is_held(other, people) for other in strong)
    if why := _weaker(link, strong, people, is_held=is_held):
        return _actor(link, why)
    if _is_let_go(link, people) and is_held:
        why = "ON DELETE SET NULL beside a stronger link: an actor, maybe, but its name does not say so"
        return replace(link, role="undecided", evidence=f"{link.evidence}; {why}", confidence="low")
    return link


def _weaker(link: Link, strong: Sequence[Link], people: People, *, is_held: bool) -> str | None:
    """Why somebody else in the same row is whom it is for."""
    head = candidates.head(people.catalogue.tables[link.target])
    if head in _STAFF and any(other.kind != link.kind for other in strong):
        return f"{head} beside the owner"
    return "beside whom the row is for" if is_held and words.meant_by(link.place)[-1:] == ("actor",) else None


def _is_let_go(link: Link, people: People) -> bool:
    """What the schema's authors thought of it: the row outlives the person."""
    key = link.foreign_key
    is_kept = key is None or key.on_delete != "set null" or _is_bound(link, people)
    return not is_kept and not words.is_owning(words.meant_by(link.place))


def _is_held(link: Link, people: People) -> bool:
    key = link.foreign_key
    return key is not None and key.on_delete != "set null" and _is_bound(link, people)


def _is_said(link: Link, people: People) -> bool:
    """Whether its name says that it is the owner; only then is another one weaker."""
    said = words.meant_by(link.place)
    return words.is_owning(said) or said[-1:] == (candidates.head(people.catalogue.tables[link.target]),)


def _is_bound(link: Link, people: People) -> bool:
    table = people.catalogue.tables[link.table]
    return all(table.columns[column].not_null for column in link.place.columns)


def _always_same(links: list[Link], number: int, together: Together | None) -> bool:
    if together is None:
        return False
    for other, owner in enumerate(links):
        pair = (min(number, other), max(number, other))
        if other != number and owner.is_owner and together.both.get(pair, 0) > 0 and together.other.get(pair, 0) == 0:
            return True
    return False


_ONLY_DEEDS = words.listed("updated modified changed last write edited")


def _nobody_stronger(links: list[Link], people: People) -> list[Link]:
    """In JSON the one who acted is whom the row is about: an event, a line of a log."""
    if not links or any(link.foreign_key for link in links):
        return links
    table = people.catalogue.tables[links[0].table]
    if not is_log(table.name.name):
        return links
    return [
        replace(link, role="owner", evidence=link.evidence.partition("; actor:")[0])
        if link.role == "actor" and not link.place.is_array and not set(words.meant_by(link.place)) & _ONLY_DEEDS
        else link
        for link in links
    ]


def is_log(name: str) -> bool:
    return bool(set(words.words(name)) & words.listed("log event audit history activity trail version action"))
