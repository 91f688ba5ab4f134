"""checked(document, catalogue): the one door. Everything that is wrong with a map, in the order of its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from psycopg2 import extensions

from datamap.catalogue import Catalogue
from datamap.check import (
    activities,
    columns,
    keeps,
    keys,
    links,
    pseudonyms,
    security,
    settings,
    tables,
    triggers,
    undecided,
)
from datamap.check.naming import namings
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.plan import attempted
from datamap.discover.cache import KeyPattern
from datamap.document import Document
from datamap.fault import Fault


def checked(
    document: Document,
    catalogue: Catalogue,
    *,
    cursor: extensions.cursor | None = None,
    found: Sequence[KeyPattern] | None = None,
) -> list[Fault]:
    """The faults, each once. With a cursor the database is asked what a catalogue does not tell; `found` are the keys
    that were seen in the cache."""
    _, compiled = attempted(document.map, catalogue)
    survey = Survey.of(document.map, catalogue)
    server = Server(cursor) if cursor is not None else None
    return document.placed(_once([*compiled, *_faults(survey, server), *_of_keys(survey, found)]))


def _faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    yield from tables.faults(survey)
    yield from columns.faults(survey)
    yield from links.faults(survey)
    yield from keeps.faults(survey, server)
    yield from settings.faults(survey, server)
    yield from pseudonyms.faults(survey)
    yield from triggers.faults(survey)
    yield from security.faults(survey, server)
    yield from activities.faults(survey)
    yield from undecided.faults(survey.map)


def _of_keys(survey: Survey, found: Sequence[KeyPattern] | None) -> list[Fault]:
    of = namings(survey.map, survey.catalogue)
    faults = keys.faults(survey.map, of, found)
    return [*faults, *keys.unclassified(survey.map, of, found or ())]


def _once(faults: Iterable[Fault]) -> list[Fault]:
    """The same said twice at one place is one fault, told as severely as either."""
    found: dict[object, Fault] = {}
    for fault in faults:
        found.setdefault((fault.code, fault.where, fault.message), fault)
    return list(found.values())
