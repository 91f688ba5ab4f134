"""A map for a database that nobody here has seen: proposed from structure, names and bounded samples of values.

Every table and column is decided or `undecided`, each with its evidence and how sure that is, as a comment. The same
database gives the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from datamap.catalogue import Catalogue, Table
from datamap.discover import (
    claims,
    copies,
    foreign_keys,
    identities,
    links,
    meetings,
    mentions,
    pairs,
    roles,
    settlement,
    subject_keys,
    subjects,
    telephones,
    text,
    unclaimed,
    within,
)
from datamap.discover.belonging import Belongings
from datamap.discover.claims import Claim
from datamap.discover.finding import Decision, Kind, Link, People, Proposal, by_table
from datamap.discover.meetings import Ground
from datamap.discover.pairs import Pair
from datamap.discover.questions import Sample, Together, Values
from datamap.names import Place
from datamap.names import Table as Name

Progress = Callable[[int, int, str], None]  # done, of how many, what is being looked at

_NAMED = 8  # of tables in one sentence
_SEEN = ("integer", "uuid", "text", "json", "enum", "numeric")


def proposed(
    catalogue: Catalogue,
    values: Values | None = None,
    *,
    subject: Name | Sequence[Name] | None = None,
    progress: Progress | None = None,
) -> str:
    """The text of a complete datamap.yaml."""
    return text.written(proposal(catalogue, values, subject=subject, progress=progress))


def proposal(
    catalogue: Catalogue,
    values: Values | None = None,
    *,
    subject: Name | Sequence[Name] | None = None,
    claimed: Iterable[Claim] = (),
    progress: Progress | None = None,
) -> Proposal:
    """The same before it is written down."""
    tell = progress or (lambda *_: None)
    kinds, notes = subjects.chosen(catalogue, subject)
    told = [subject_keys.keyed(kind, catalogue.tables[kind.table], values) for kind in kinds]
    notes = (*notes, *(note for _, each in told for note in each))
    people = People(catalogue=catalogue, kinds=tuple(kind for kind, _ in told))
    samples = _samples(people, values, tell)
    told_links, told_notes = claims.found(claimed, people, samples, values)
    people = identities.of_subjects(people, samples)
    people, found, strangers = _links(people, samples, values, told_links)
    by_place = by_table(found)
    together = _together(people, by_place, values)
    by_place = by_table(roles.given(found, people, together, samples))
    ground = Ground(people=people, links=by_place, samples=samples)
    met = meetings.found(ground, values)
    belongings = Belongings(ground, met, together, strangers, values)
    settled = settlement.Settlement(ground, belongings, mentions.found(people, samples, found, values))
    decisions = [
        settled.of(table, samples.get(table.name), values.unread(table) if values else None)
        for table in _in_order(catalogue)
        if table.kind != "view"
    ]
    tied = _tied(_followed(decisions, ground), ground)
    notes = (*notes, *told_notes, *_of_several(people, samples))
    notes = (*notes, *_not_read(catalogue, values), *_without_nobody(tied, ground))
    return Proposal(kinds=people.kinds, decisions=tied, notes=notes)


def _of_several(people: People, samples: Mapping[Name, Sample]) -> Iterator[str]:
    """Identities that name several people each, as far as rows were seen."""
    for kind in people.kinds:
        for identity, column in kind.identities.items():
            sample = samples.get(kind.table)
            seen = [_alike(text, kind, identity) for text in sample.of(column) if text.strip()] if sample else []
            if alike := sum(number for number in Counter(seen).values() if number > 1):
                yield (
                    f"{identity}: {alike if sample and sample.is_complete else 'some'} people have the same as somebody"
                    " else; a request that names one of them by it alone is `ambiguous`"
                )


def _alike(text: str, kind: Kind, identity: str) -> str:
    if home := kind.homes.get(identity):
        return telephones.number(text, home)
    return text.lower() if identity in kind.folded else text


def _without_nobody(decisions: Iterable[Decision], ground: Ground) -> Iterator[str]:
    """Rows that stay, and must name somebody: one decision for all of them."""
    names = [
        str(each.table)
        for each in decisions
        if not each.is_undecided
        and any(link.is_person and link.role == "actor" and not ground.is_nullable(link) for link in each.links)
    ]
    if names:
        amount = f"{len(names)} {'table has a link' if len(names) == 1 else 'tables have links'}"
        yield (
            f"{amount} to whoever merely acted, which may not be null: declare the subject's `nobody`, the key of a row"
            f" that stands for them then ({_listed(names)})"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _not_read(catalogue: Catalogue, values: Values | None) -> Iterator[str]:
    """What nobody has looked at, and why."""
    if values is None:
        yield "No rows were read: this goes by names and keys alone. With the database itself, less is left undecided."
        return
    found: dict[str, list[str]] = {}
    for table in _in_order(catalogue):
        if why := values.unread(table):
            found.setdefault(why, []).append(str(table.name))
    for why, names in sorted(found.items()):
        amount = f"{len(names)} {'table was' if len(names) == 1 else 'tables were'} not read"
        yield f"{amount} and therefore left undecided: {_listed(names)}: {why}"


def _in_order(catalogue: Catalogue) -> list[Table]:
    return sorted(catalogue, key=lambda table: table.name)


def _samples(people: People, values: Values | None, tell: Progress) -> dict[Name, Sample]:
    if values is None:
        return {}
    found: dict[Name, Sample] = {}
    tables = [table for table in _in_order(people.catalogue) if table.kind not in ("view", "foreign")]
    for number, table in enumerate(tables):
        tell(number, len(tables), str(table.name))
        sample = values.sample(table, _worth_seeing(table))
        if sample is not None:
            found[table.name] = sample
    tell(len(tables), len(tables), "")
    return found


def _worth_seeing(table: Table) -> list[str]:
    """Columns whose values say something: no times, no amounts, no pictures."""
    return [
        name
        for name, column in table.columns.items()
        if column.family in _SEEN and (column.family != "numeric" or name.lower().endswith("id"))
    ]


def _links(
    people: People, samples: Mapping[Name, Sample], values: Values | None, claimed: Sequence[Link] = ()
) -> tuple[People, list[Link], list[links.Stranger]]:
    """All links, the strongest evidence first: what one has taken, the next leaves alone."""
    found = list(foreign_keys.declared(people.catalogue, people))
    paired, all_pairs = pairs.found(people, samples, values)
    found += claimed
    found += claims.merged(claimed, paired)
    named_so, strangers = links.found(people, samples, values, [*found, *_taken(all_pairs)])
    found += named_so
    found += copies.found(people, samples, values, {(each.table, each.place.column) for each in found})
    inner = within.spots(people, samples)
    unsaid = within.doubtful(people, inner, samples)
    inside = list(within.found(people, inner, samples, values))
    found += [link for link in inside if (link.table, link.place) not in unsaid]
    known = {(each.table, column) for each in (*found, *_taken(all_pairs)) for column in each.place.columns}
    found += unclaimed.found(people, inner, samples, values, known | {(each.table, each.column) for each in strangers})
    held = {(link.table, link.place) for link in found}
    spots = identities.columns(people, samples, found) | {
        spot: seen for spot, seen in inner.items() if spot not in held
    }
    upward = {link.target for link in found if link.table in people.tables and not link.is_person}
    people = telephones.at_home(people, spots, samples) if values is not None else people
    named = [
        replace(link, role="undecided", evidence=f"{link.evidence}; but people point at this table")
        if link.table in upward
        else link
        for link in identities.found(people, spots, samples, values)
    ]
    closed = [*_unsaid([*inside, *named], unsaid), *pairs.unsaid(people, samples, values)]
    named = [link for link in named if (link.table, link.place) not in unsaid]
    people = identities.folded(people, named, samples, values)
    told = {(link.table, said) for link in named for said in (link.place.column, str(link.place))}
    plain = {spot: seen for spot, seen in spots.items() if spot not in unsaid}
    strangers += identities.strangers(people, plain)
    strangers = [each for each in strangers if (each.table, each.column) not in told]
    return people, [*found, *named], [*strangers, *closed]


def _unsaid(found: Sequence[Link], unsaid: Collection[within.Spot]) -> Iterator[links.Stranger]:
    """What names people at a place of which nobody may speak."""
    why = "holds JSON that names people, under keys that could be somebody's name: write the link by hand"
    for link in found:
        if (link.table, link.place) in unsaid:
            yield links.Stranger(table=link.table, column=link.place.column, why=why)


def _taken(all_pairs: Iterable[Pair]) -> list[Link]:
    """The ids of pairs, so that nobody takes them for a plain link."""
    return [
        Link(table=pair.table.name, place=Place((column,)), target=pair.table.name, evidence="")
        for pair in all_pairs
        for column in (pair.key, pair.kind)
    ]


def _together(people: People, by_place: Mapping[Name, list[Link]], values: Values | None) -> dict[Name, Together]:
    """For tables with several links to people: how they speak in one row."""
    found = {}
    for name, group in by_place.items():
        spoken = [link for link in group if link.is_person]
        is_open = len(spoken) > 1 or any(_may_name_several(link, people) for link in spoken)
        if is_open and values is not None and name not in people.tables:
            told = values.together(people.catalogue.tables[name], spoken, people)
            if told is not None:
                found[name] = told
    return found


def _may_name_several(link: Link, people: People) -> bool:
    """Elements, or an identity that two may have."""
    if link.identity is None or link.kind is None:
        return None in link.place.steps
    kind = people.named(link.kind)
    return not kind.form(link.identity).is_exact or not people.facts(kind).is_unique((kind.identities[link.identity],))


def _followed(decisions: list[Decision], ground: Ground) -> list[Decision]:
    """What hangs from rows of which nobody knows whose they are is no more decided than these."""
    found = {each.table: each for each in decisions}
    waiting = [each.table for each in decisions if each.is_undecided]
    while waiting:
        above = waiting.pop()
        for table, group in ground.links.items():
            if not found[table].personal and any(link.target == above and link.is_owner for link in group):
                notes = (f"it follows {above}, of which nobody knows whose it is",)
                found[table] = Decision(table=table, is_undecided=True, notes=notes, confidence="low")
                waiting.append(table)
    return [found[each.table] for each in decisions]


def _tied(decisions: list[Decision], ground: Ground) -> tuple[Decision, ...]:
    """Rows that stay and point at rows that go are unlinked (rule 14); links that lead to nobody are left out."""
    going = {each.table for each in decisions if each.erase == "delete"}
    nobodys = {each.table for each in decisions if not each.personal}
    tied = []
    for each in decisions:
        useless = nobodys if each.table not in ground.people.tables else {link.target for link in each.links}
        stays = each.personal and each.erase not in ("delete", "undecided", "refresh", "external_manual")
        linked = [
            settlement.cut(link, ground)
            if stays
            and not link.is_person
            and link.target in going
            and link.erase is None
            and link.target != each.table
            else link
            for link in each.links
            if link.is_person
            or link.foreign_key is not None
            or link.target not in useless
            or (each.personal and link.role == "undecided")
        ]
        tied.append(_told_of(replace(each, links=tuple(linked)), each, ground))
    return tuple(tied)


def _told_of(tied: Decision, before: Decision, ground: Ground) -> Decision:
    """With what a column holds that was a link, and is none that the map names."""
    if len(tied.links) == len(before.links) or not tied.personal or tied.is_undecided or tied.is_unread:
        return tied
    table = ground.people.catalogue.tables[tied.table]
    return replace(tied, columns=settlement.columns(table, tied.links, ground.samples.get(tied.table)))
