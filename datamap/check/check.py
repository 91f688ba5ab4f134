"""checked(document, catalogue): the one door. Everything that is wrong with a map, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from psycopg2 import extensions

from datamap.catalogue import Catalogue
from datamap.check import (
    activities,
    advice,
    columns,
    conditions,
    crossings,
    evidence,
    holdings,
    installation,
    keeps,
    keys,
    large_objects,
    links,
    owners,
    pseudonyms,
    remains,
    replication,
    security,
    settings,
    slips,
    tables,
    targets,
    triggers,
    unanswered,
    undecided,
)
from datamap.check.naming import namings
from datamap.check.repetition import once
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.check.suspicions import Suspicions
from datamap.compile.plan import attempted
from datamap.discover.cache import KeyPattern
from datamap.document import Document
from datamap.fault import Fault
from datamap.model import Map


def checked(
    document: Document,
    catalogue: Catalogue,
    *,
    cursor: extensions.cursor | None = None,
    found: Sequence[KeyPattern] | None = None,
) -> list[Fault]:
    """The faults, each once: errors first, and within them from top to bottom of the file. With a cursor the database
    is asked what a catalogue does not tell; `found` are the keys that were seen in the cache, None without one."""

    def check(data_map: Map) -> list[Fault]:
        return once(_everything(data_map, catalogue, cursor, found))

    return _sorted(document.placed(slips.roots(check(document.map), document.map, catalogue, check)))


_RANK = {"error": 0, "warning": 1, "note": 2}


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: _RANK[fault.severity])


def _everything(
    data_map: Map, catalogue: Catalogue, cursor: extensions.cursor | None, found: Sequence[KeyPattern] | None
) -> Iterator[Fault]:
    _, compiled = attempted(data_map, catalogue)
    survey = Survey.of(data_map, catalogue)
    yield from advice.advised(compiled, survey)
    server = Server(cursor) if cursor is not None else None
    yield from _of_keys(survey, server, found)
    yield from _faults(survey, server)
    if server is not None and found is None:
        yield from unanswered.of_the_cache(data_map)


def _faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    suspicions = Suspicions(survey)
    yield from tables.faults(survey, suspicions)
    yield from targets.faults(survey, suspicions)
    yield from columns.faults(survey)
    yield from large_objects.faults(survey)
    yield from links.faults(survey)
    yield from owners.faults(survey)
    yield from conditions.faults(survey)
    yield from evidence.faults(survey, server)
    yield from crossings.faults(survey, server)
    yield from keeps.faults(survey, server)
    yield from settings.faults(survey, server)
    yield from pseudonyms.faults(survey)
    yield from remains.faults(survey)
    yield from triggers.faults(survey, server)
    yield from replication.faults(survey, server)
    yield from security.faults(survey, server)
    yield from activities.faults(survey)
    yield from undecided.faults(survey.map)
    yield from installation.faults(server)
    yield from unanswered.faults(server)


def _of_keys(survey: Survey, server: Server | None, found: Sequence[KeyPattern] | None) -> list[Fault]:
    of = namings(survey.map, survey.catalogue)
    told = found if found and _are_told_apart(survey, server) else None
    return [
        *keys.faults(survey.map, of, told),
        *keys.unclassified(survey.map, of, told or ()),
        *holdings.faults(survey.map, of, told or ()),
    ]


def _are_told_apart(survey: Survey, server: Server | None) -> bool:
    """Whose keys they are only somebody can say who may read the people: for anybody else all numbers are alike."""
    what = "whether a pattern covers each kind of keys in the cache"
    tables = [kind.table for kind in survey.resolution.kinds.values()] if server else []
    asked = [server.rows(f"select from {name.sql} limit 1", what=what, tables=(name,)) for name in tables if server]
    return None not in asked
