"""People as an e-mail address, a telephone number or a name of their own in a text, with or without an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from datamap.catalogue import Column, Table
from datamap.discover import shapes, words
from datamap.discover.finding import Confidence, Kind, Link, People
from datamap.discover.links import Samples, Stranger
from datamap.discover.questions import Sample, Values
from datamap.form import FOLDED
from datamap.names import Place
from datamap.names import Table as Name

Spot = tuple[Name, Place]
Texts = Mapping[Spot, list[str]]

_NAMED = {
    "email": words.listed(
        """
    email mail recipient sender login username address to from cc bcc contact principal
    """
    ),
    "phone": words.listed("phone mobile telephone tel cell sms whatsapp msisdn caller callee number"),
    "username": words.listed(
        """
    username login handle nick nickname user author owner member principal screenname
    """
    ),
}
_ABOUT_MAIL = words.listed("verified template type status subject body")
_ON_THINGS = words.listed(
    """
    support notify notification notified admin administrator contact billing invoice invoicing accounting finance
    service help helpdesk info sales noreply reply replyto abuse webmaster postmaster hostmaster office team company
    business shop store press marketing legal privacy security alert emergency maintainer manager default system
    """
)
_SOME = 0.02
_SHAPED = 0.8
_ROWS = 10  # fewer prove nothing
_PEOPLE = 3


def columns(people: People, samples: Samples, known: Iterable[Link]) -> dict[Spot, list[str]]:
    """Text columns that could hold an identity, with what was seen there."""
    taken = {(link.table, column) for link in known for column in link.place.columns}
    found: dict[Spot, list[str]] = {}
    for table in people.catalogue:
        if table.kind not in ("table", "partitioned") or table.name in people.tables:
            continue
        for column in table.columns.values():
            if (table.name, column.name) not in taken and _could_be(column, samples.get(table.name)):
                sample = samples.get(table.name)
                seen = sample.of(column.name) if sample else []
                found[table.name, Place((column.name,))] = [text for text in seen if text.strip()]
    return found


def _could_be(column: Column, sample: Sample | None) -> bool:
    if column.family != "text" or column.is_array or column.is_generated:
        return False
    seen = sample.of(column.name) if sample else []
    if any(map(shapes.is_email, seen)):
        return True
    said = set(words.words(column.name))
    if not seen:
        return bool(said & {"email", "mail"}) and not said & _ABOUT_MAIL
    return bool(said & (_NAMED["phone"] | _NAMED["username"]))


def found(people: People, spots: Texts, samples: Samples, values: Values | None) -> Iterator[Link]:
    """The places among these that name people by an identity."""
    present = _present(people, spots, values)
    for (table, place), seen in spots.items():
        sample = samples.get(table)
        told = [
            _first(kind, table, place, seen, present, is_complete=bool(sample and sample.is_complete))
            for kind in people.kinds
        ]
        links = [_weighed(link, seen, present, people) for link in told if link is not None]
        known = [link for link in links if link.identity and _is_known(link, seen, present)]
        yield from known or links[:1]


def _weighed(
    link: Link, seen: list[str], present: Mapping[tuple[str, str], frozenset[str] | None], people: People
) -> Link:
    """An address does not make a row somebody's until those of many are seen, on rows that name nobody else."""
    facts = people.catalogue.tables[link.table]
    if not seen or _names_somebody_else(facts, link, people):
        return link
    matched = {text.lower() for text in seen} & (present[link.kind or "", link.identity or ""] or frozenset())
    if len(seen) < _ROWS or len(matched) < _PEOPLE:
        return _torn(link, f"fewer than {_ROWS} rows or {_PEOPLE} people prove nothing")
    if _is_of_a_thing(facts, link.place):
        return _torn(link, "it may be whom to write to about a thing or an organisation")
    return link


def _torn(link: Link, why: str) -> Link:
    return replace(link, role="undecided", evidence=f"{link.evidence}; {why}", confidence="low")


def _names_somebody_else(facts: Table, link: Link, people: People) -> bool:
    """Whether the row says by a key whose it is; then an address is one of theirs, or of a second person."""
    declared = {key.columns[-1] for key in facts.foreign_keys if key.target in people.tables}
    named = {name for name in facts.columns if words.meant(name) != words.words(name)} - {link.place.column}
    said = [(name in declared, words.meant(name)) for name in sorted(declared | named)]
    return any(
        (is_declared or words.means_a_person(each)) and not words.is_acting(each) and not words.is_created(each)
        for is_declared, each in said
    )


def _is_of_a_thing(facts: Table, place: Place) -> bool:
    """`support_mail`, `notify_email`; any address of a shop or a company."""
    said = {word for step in (place.column, *place.steps) if step for word in words.words(step)}
    return bool(said & _ON_THINGS) or words.is_gathering(words.words(facts.name.name))


def _is_known(link: Link, seen: list[str], present: Mapping[tuple[str, str], frozenset[str] | None]) -> bool:
    """Whether some of it is an identity of that kind of subject's."""
    kept = present[link.kind or "", link.identity or ""] or frozenset()
    return any(text.lower() in kept for text in seen)


def of_subjects(people: People, samples: Samples) -> People:
    """With the identities that no name tells, but the values do: addresses are addresses whatever they are called."""
    kinds = []
    for kind in people.kinds:
        sample = samples.get(kind.table)
        columns = people.facts(kind).columns.values()
        shaped = [
            column.name
            for column in columns
            if sample is not None
            and column.family == "text"
            and not column.is_array
            and not column.is_generated
            and column.name not in kind.key
            and len(seen := sample.of(column.name)) > 0
            and shapes.share([s for s in seen if s], shapes.is_email) >= _SHAPED
        ]
        found = {} if "email" in kind.identities or not shaped else {"email": shaped[0]}
        kinds.append(replace(kind, identities={**kind.identities, **found}))
    return replace(people, kinds=tuple(kinds))


def strangers(people: People, spots: Texts) -> Iterator[Stranger]:
    """Columns of e-mail addresses that are no subject's: of guests, of other people, of nobody who still has data."""
    is_known = any("email" in kind.identities for kind in people.kinds)
    for (table, place), seen in spots.items():
        if seen and shapes.share(seen, shapes.is_email) >= _SHAPED and table not in people.tables:
            guests = f"are they people without an account? then links: {{{place}: {{identity: email}}}}"
            none = f"none that was seen is a subject's; {guests}" if is_known else "no subject has any"
            yield Stranger(table=table, column=str(place), why=f"holds e-mail addresses, and {none}")


def _present(people: People, spots: Texts, values: Values | None) -> dict[tuple[str, str], frozenset[str] | None]:
    """For each identity, which of all these texts are somebody's, in small letters."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for kind in people.kinds:
        for identity, column in kind.identities.items():
            texts = {text.lower() for seen in spots.values() for text in seen if _has_shape(identity, text)}
            form = kind.form(identity)
            form = FOLDED if form.is_exact else form
            told = values.present(people.facts(kind), (column,), texts, form=form) if values and texts else None
            found[kind.name, identity] = told
    return found


def _has_shape(identity: str, text: str) -> bool:
    if identity == "email":
        return shapes.is_email(text)
    if identity == "phone":
        return shapes.is_phone(text) or (shapes.is_integer(text) and 7 <= len(text) <= 15)
    return 2 < len(text) <= 60 and not shapes.is_integer(text)


def _first(
    kind: Kind,
    table: Name,
    place: Place,
    seen: list[str],
    present: Mapping[tuple[str, str], frozenset[str] | None],
    *,
    is_complete: bool,
) -> Link | None:
    said = set(words.words(place.columns[-1])) | {word for step in place.steps if step for word in words.words(step)}
    for identity in kind.identities:
        shaped = sorted({text.lower() for text in seen if _has_shape(identity, text)})
        kept = present[kind.name, identity]
        told = _told(identity, said, seen, shaped, kept, is_complete=is_complete)
        if told is not None:
            evidence, confidence = told
            return Link(
                table=table,
                place=place,
                target=kind.table,
                kind=kind.name,
                identity=identity,
                role="owner" if seen else "undecided",
                evidence=evidence,
                confidence=confidence,
            )
    return None


def _told(
    identity: str,
    said: set[str],
    seen: list[str],
    shaped: list[str],
    kept: frozenset[str] | None,
    *,
    is_complete: bool,
) -> tuple[str, Confidence] | None:
    is_named = bool(said & _NAMED.get(identity, frozenset()))
    if not seen:
        return (f"by its name only: {identity}", "low") if identity == "email" and is_named else None
    if not shaped:
        return None
    matched = [text for text in shaped if text in (kept or frozenset())]
    share = len(matched) / len(shaped)
    all_alike = sum(_has_shape(identity, text) for text in seen) >= _SHAPED * len(seen)
    amount = f"{len(matched)} of {len(shaped)} values are" if is_complete else "of the sampled values some are"
    good, confidence = {
        "email": (bool(matched) and (share >= _SOME or is_named), "high" if all_alike and share >= 0.1 else "medium"),
        "phone": (all_alike and share >= (_SOME if is_named else 0.2), "high" if share >= 0.5 else "medium"),
    }.get(identity, (is_named and share >= 0.5 and len(matched) >= 3, "medium"))
    if good:
        return f"{amount} a subject's {identity}", "high" if confidence == "high" else "medium"
    return None


def folded(people: People, links: Iterable[Link], samples: Samples, values: Values | None) -> People:
    """With the identities marked in which capitals were seen to make no difference."""
    if values is None:
        return people
    used = {(link.kind, link.identity) for link in links if link.identity}
    kinds = []
    for kind in people.kinds:
        mixed = {
            identity
            for identity in kind.identities
            if identity == "email"
            and (kind.name, identity) in used
            and _differ_in_capitals(kind, identity, links, samples)
        }
        kinds.append(replace(kind, folded=kind.folded | mixed))
    return replace(people, kinds=tuple(kinds))


def _differ_in_capitals(kind: Kind, identity: str, links: Iterable[Link], samples: Samples) -> bool:
    """Somewhere it is written with capitals, there or here."""
    sample = samples.get(kind.table)
    seen = list(sample.of(kind.identities[identity])) if sample else []
    for link in links:
        if link.identity == identity and link.kind == kind.name and link.place.is_plain and link.table in samples:
            seen += samples[link.table].of(link.place.column)
    return any(text != text.lower() for text in seen)
