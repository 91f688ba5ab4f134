"""The whole of discovery: the database, and the cache beside it, which is asked for the same people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import redis

from datamap.catalogue import Catalogue, Table
from datamap.discover import cache, cache_lines, lexicon, text
from datamap.discover.cache import KeyPattern
from datamap.discover.cache_lines import Line
from datamap.discover.cache_persons import Key, Persons
from datamap.discover.claims import Claim
from datamap.discover.finding import Proposal
from datamap.discover.proposal import Progress, proposal
from datamap.discover.questions import JOINT, Values
from datamap.form import Form
from datamap.names import Table as Name
from shared.errors import AccessDenied

_NAMELESS = "The cache has a key whose name is empty, which no line of a map can say: look at it, and delete it by hand"


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """What was found: in the database, and in the cache."""

    proposal: Proposal
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """A complete datamap.yaml."""
        return text.written(self.proposal, (text.cache_line(line) for line in self.lines))


def discovered(
    catalogue: Catalogue,
    values: Values | None = None,
    client: redis.Redis | None = None,
    *,
    subject: Sequence[Name] = (),
    claimed: Iterable[Claim] = (),
    progress: Progress | None = None,
) -> Discovery:
    """All that a map has to speak of. A cache that may not be looked into is said, and stops nothing."""
    found = proposal(catalogue, values, subject=subject or None, claimed=claimed, progress=progress)
    if client is None or not found.kinds:
        return Discovery(proposal=found)
    persons = _persons(found, catalogue, values)
    try:
        keys = cache.sampled(client, persons=persons)
    except AccessDenied as denied:
        note = f"The cache was not looked into, and nothing is proposed for it: {denied.sentence}"
        return Discovery(proposal=replace(found, notes=(*found.notes, note)))
    if not all(key.pattern for key in keys):
        found = replace(found, notes=(*found.notes, _NAMELESS))
    return Discovery(proposal=found, lines=tuple(cache_lines.lines(keys, persons)))


def _persons(found: Proposal, catalogue: Catalogue, values: Values | None) -> Persons:
    kind = found.kinds[0]
    name = kind.name if len(found.kinds) > 1 else None
    forms = {identity: kind.form(identity) for identity in kind.identities}
    persons = of_subject(catalogue.tables[kind.table], kind.key, kind.identities, forms, values, name=name)
    return replace(persons, words=lexicon.of_catalogue(catalogue))


def of_subject(
    table: Table,
    key: Sequence[str],
    identities: Mapping[str, str],
    forms: Mapping[str, Form],
    values: Values | None = None,
    *,
    name: str | None = None,
) -> Persons:
    """The people of a subject's table, as whoever looks into a cache asks for them."""

    def contains(keys: Collection[Key]) -> Collection[Key]:
        joined = {JOINT.join(each): each for each in keys}
        known = values.present(table, key, list(joined)) if values else None
        return [joined[each] for each in known or ()]

    def identified(identity: str, texts: Collection[str]) -> Collection[str]:
        column = identities[identity]
        return (values.present(table, [column], texts, form=forms[identity]) if values else None) or ()

    return Persons(
        key={column: table.columns[column].family for column in key},
        contains=contains,
        identities={each: partial(identified, each) for each in identities},
        subject=name,
    )


def keys_seen(client: redis.Redis, persons: Persons) -> list[KeyPattern]:
    """What kinds of keys there are, for a check of the map."""
    return cache.sampled(client, persons=persons)
