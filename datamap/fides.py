"""A Fides dataset file becomes a map: what Fides says is taken over, what it cannot say is undecided, with a comment.

Fides says what each field holds, who is looked for, and where the search goes on. It does not say why data is processed
or what an erasure does, except by masks; and a hash or a mask is a pseudonym, not an erasure (R58).
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from datamap.fides_dataset import Collection, Field, Reference, collections
from datamap.names import Table, Target
from datamap.vocabulary import Vocabulary

_PEOPLE = ("user", "customer", "person", "people", "member", "account", "client", "patient", "employee")


def imported(text: str, *, name: str = "dataset.yml", schema: str = "public") -> str:
    """The map for a Fides dataset file, or Unreadable. `schema` is where collections lie that say nothing else."""
    found = collections(text, name=name, schema=schema)
    links, lost = _links(found)
    subject = max(found, key=lambda collection: _weight(collection, links))
    lines = [*_head(found, schema), *_subject(subject), "tables:"]
    near = _nearness(subject.table, links)
    settled = [each for link in links for each in _settled(link, near)]
    for collection in found:
        mine = [link for link in settled if link.table == collection.table]
        mine += _of_identity(collection, subject)
        notes = [note for table, note in lost if table == collection.table]
        lines += _table(collection, mine, notes, is_subject=collection is subject)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class _Link:
    """Whose the row of `to` is that a row of `table` names at `place`, theirs is this one. `back` is the other way."""

    table: Table
    place: str
    to: Target | None = None
    identity: str | None = None
    role: str = "owner"
    back: _Link | None = None
    note: str | None = None


def _links(found: list[Collection]) -> tuple[list[_Link], list[tuple[Table, str]]]:
    """All references as links, and those that no link can tell."""
    by_name = {(each.dataset, each.name): each for each in found}
    links: list[_Link] = []
    lost: list[tuple[Table, str]] = []
    for collection in found:
        for field in collection.fields:
            for reference in field.references:
                target = by_name.get((reference.dataset, reference.collection))
                other = target.field(reference.path) if target else None
                if target is None or other is None:
                    lost.append(
                        (collection.table, f"{field.place} refers to {_named(reference)}, which is not in this file")
                    )
                elif not other.is_column or (reference.direction == "to" and not field.is_column):
                    lost.append(
                        (
                            collection.table,
                            f"{field.place} refers to {_named(reference)}, and no link can point within JSON",
                        )
                    )
                else:
                    links += _of_reference(collection, field, target, other, reference.direction)
    return links, lost


def _named(reference: Reference) -> str:
    return f"{reference.dataset}.{reference.collection}.{'.'.join(reference.path)}"


def _of_reference(
    collection: Collection, field: Field, target: Collection, other: Field, direction: str | None
) -> Iterator[_Link]:
    """`from`: whose that row is, theirs is this one. `to`: the other way round."""
    forth = _Link(table=collection.table, place=str(field.place), to=Target(target.table, other.place.columns))
    if direction == "from" or not field.is_column:
        yield replace(forth, role="owner" if direction else "undecided")
        return
    back = _Link(table=target.table, place=str(other.place), to=Target(collection.table, field.place.columns))
    if direction == "to":
        yield from _backwards(forth, back, "direction: to")
    else:
        yield replace(forth, back=back)


def _backwards(forth: _Link, back: _Link, note: str) -> Iterator[_Link]:
    """The row that is pointed at belongs to whom the row that points belongs, which itself says nothing by it."""
    yield replace(forth, role="reference", back=None, note=note)
    yield replace(back, note=f"{note}, of {back.to}: more than one may point here")


def _nearness(subject: Table, links: list[_Link]) -> Mapping[Table, int]:
    """How many steps each table is from the subject's, in the ways that Fides would go."""
    ways: dict[Table, list[Table]] = {}
    for link in links:
        if link.to and link.role != "reference":
            ways.setdefault(link.to.table, []).append(link.table)
            if link.back:
                ways.setdefault(link.table, []).append(link.to.table)
    near, waiting = {subject: 0}, deque([subject])
    while waiting:
        here = waiting.popleft()
        for there in ways.get(here, ()):
            if there not in near:
                near[there] = near[here] + 1
                waiting.append(there)
    return near


def _settled(link: _Link, near: Mapping[Table, int]) -> Iterator[_Link]:
    """A reference without a direction is read away from the subject; where both ways are alike, somebody decides."""
    if link.back is None or link.to is None:
        yield link
        return
    here, there = near.get(link.table), near.get(link.to.table)
    if here is None or there is None or here == there:
        yield replace(link, role="undecided", note="no direction in Fides, and none leads away from the subject")
    elif there < here:
        yield replace(link, note="no direction in Fides: read away from the subject")
    else:
        yield from _backwards(link, link.back, "no direction in Fides: read away from the subject")


def _weight(collection: Collection, links: list[_Link]) -> tuple[bool, bool, int, bool, int]:
    """How much speaks for a table to be that of the subject."""
    named = sum(link.to is not None and link.to.table == collection.table for link in links)
    identities = sum(field.identity is not None and field.is_column for field in collection.fields)
    is_of_people = any(collection.name.lower().startswith(word) for word in _PEOPLE)
    personal = sum(key.startswith("user") for field in collection.fields for key in field.categories)
    return identities > 0, bool(collection.key), named, is_of_people, identities or personal


def _of_identity(collection: Collection, subject: Collection) -> Iterator[_Link]:
    """A field with an identity outside of the subject's table: people who appear without an account, too."""
    known = _identities(subject)
    for field in collection.fields if collection is not subject else ():
        if field.identity is None:
            continue
        place, identity = str(field.place), field.identity
        if identity in known:
            yield _Link(table=collection.table, place=place, identity=identity)
        else:
            note = f"{subject.table} has no {identity}: is this another kind of subject?"
            yield _Link(table=collection.table, place=place, identity=identity, role="undecided", note=note)


def _identities(subject: Collection) -> dict[str, str]:
    """The identities of the subject by name. A second one of a kind goes by its column."""
    found: dict[str, str] = {}
    for field in subject.fields:
        if field.identity and field.is_column:
            found[field.identity if field.identity not in found else field.place.column] = field.place.column
    return found


def _head(found: list[Collection], schema: str) -> Iterator[str]:
    datasets = ", ".join(dict.fromkeys(_comment(each.dataset) for each in found))
    yield "# yaml-language-server: $schema=./datamap.schema.json"
    yield f"# Imported from Fides: {datasets}. Types, lengths and keys are the catalogue's, and not repeated here."
    if any(each.table.schema == schema for each in found):
        yield f"# Where a dataset names no schema, it is taken to be {_comment(schema)}."
    yield "# Fides does not say why data is processed: name the activities, and one for each table."
    yield "version: 1"
    yield "controller: {name: undecided, contact: undecided, authority: undecided}  # not in Fides"


def _subject(subject: Collection) -> Iterator[str]:
    identities = _identities(subject)
    nested = [str(field.place) for field in subject.fields if field.identity and not field.is_column]
    key = subject.key or tuple(identities.values())[:1] or tuple(subject.columns)[:1] or ("id",)
    yield "subject:"
    if not identities:
        yield "  # undecided: no field of the dataset has an identity, so this is a guess"
    yield f"  table: {_scalar(str(subject.table))}"
    guess = "" if subject.key else "  # undecided: Fides names no primary key"
    yield f"  key: {_scalar(key[0]) if len(key) == 1 else _flow(key)}{guess}"
    if identities:
        yield "  identities: {" + ", ".join(f"{_scalar(n)}: {_scalar(c)}" for n, c in identities.items()) + "}"
    for place in nested:
        yield f"  # an identity in JSON is none of the subject's: {_comment(place)}"


def _table(collection: Collection, links: list[_Link], lost: list[str], *, is_subject: bool) -> Iterator[str]:
    yield f"  {_scalar(str(collection.table))}:"
    for note in (*collection.notes, *lost):
        yield f"    # {_comment(note)}"
    yield "    # activity: undecided"
    yield f"    erase: {'delete' if collection.is_deleted else 'undecided'}"
    if collection.is_skipped:
        yield "    # Fides skips this table (skip_processing): say why, or what becomes of it"
    elif not is_subject and not links and _is_of_the_system(collection):
        yield "    # all of it is the system's in Fides: perhaps {personal: false, reason: …}"
    yield from _masks(collection)
    yield from _written_links(links)
    columns = [line for name, fields in collection.columns.items() for line in _column(name, fields, collection)]
    if any(not line.lstrip().startswith("#") for line in columns):
        yield "    columns:"
    yield from columns


def _is_of_the_system(collection: Collection) -> bool:
    keys = [key for field in collection.fields for key in (field.categories or collection.categories)]
    return bool(keys) and all(key == "system" or key.startswith("system.") for key in keys)


def _masks(collection: Collection) -> Iterator[str]:
    for field in collection.fields:
        place = _comment(str(field.place))
        if field.mask == "null_rewrite":
            yield f"    # Fides sets {place} to null (null_rewrite): if the row stays, erase: {{{place}: null}}"
        elif field.mask:
            yield f"    # Fides masks {place} by {_comment(field.mask)}: undecided."
            yield "    # A hash or a mask is a pseudonym, which still singles the person out (R58): delete the row, or"
            yield "    # set the column to null or to {value: …}."


def _written_links(links: list[_Link]) -> Iterator[str]:
    by_place: dict[str, list[_Link]] = {}
    for link in dict.fromkeys(links):
        by_place.setdefault(link.place, []).append(link)
    if by_place:
        yield "    links:"
    for place, several in by_place.items():
        for link in several:
            if link.note:
                yield f"      # {_comment(link.note)}"
        entries = [_entry(link) for link in several]
        yield f"      {_scalar(place)}: {entries[0] if len(entries) == 1 else '[' + ', '.join(entries) + ']'}"


def _entry(link: _Link) -> str:
    told = {"to": str(link.to) if link.to else None, "identity": link.identity}
    told["role"] = None if link.role == "owner" else link.role
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in told.items() if value) + "}"


def _column(name: str, fields: list[Field], collection: Collection) -> Iterator[str]:
    """One line for the column, with what only a comment can say above it. A special category goes first."""
    vocabulary = Vocabulary.load()
    keys = list(dict.fromkeys(key for field in fields for key in field.categories)) or list(collection.categories)
    keys.sort(key=lambda key: not vocabulary.is_special(key))
    for field in fields:
        told = [*field.notes, *([] if field.is_column or not field.categories else [f"{', '.join(field.categories)}"])]
        for note in told:
            yield f"      # {_comment(note if field.is_column else f'{field.place}: {note}')}"
    for key in keys:
        if key not in vocabulary.categories:
            meant = vocabulary.nearest("category", key)
            yield f"      # {_comment(key)} is none of fideslang {vocabulary.versions['fideslang']}" + (
                f": did you mean {meant}?" if meant else ""
            )
    if keys[1:]:
        yield f"      # also: {_comment(', '.join(keys[1:]))}"
    if keys:
        yield f"      {_scalar(name)}: {_scalar(keys[0])}"
    elif not any(field.is_primary_key or field.references for field in fields):
        yield f"      # {_comment(name)}: no category in Fides"


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_PLAIN = frozenset(("true", "false", "null"))
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _scalar(text: str) -> str:
    """A text as YAML, with quotes where it needs them."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_PLAIN:
        return text
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _flow(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(_scalar, texts)) + "]"


def _comment(text: str) -> str:
    """A text on one line, without what YAML takes nowhere."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
