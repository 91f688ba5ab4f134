"""What could not be asked of the database, and why: a check that was not made has not been passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datamap.check.server import SECONDS, Server, Unanswered
from datamap.fault import Fault
from datamap.model import Map
from datamap.names import Table as Name
from datamap.names import literal, quoted

_FEW = 12  # tables that a sentence lists


def faults(server: Server | None) -> Iterator[Fault]:
    """One for all of them, last of all: every other check has asked by then."""
    missing = tuple(server.unanswered) if server else ()
    if server is None or not missing:
        return
    access = _Access(server, missing)
    groups: dict[str, list[Unanswered]] = {}
    for each in missing:
        groups.setdefault(access.reason(each), []).append(each)
    told = [
        f"{access.sentence(reason, each)}, so it is not known {_joined(one.what for one in each)}"
        for reason, each in groups.items()
    ]
    yield Fault(
        code="not_asked",
        message=f"Part of the check was not made: {'; '.join(told)}",
        severity="warning",
        remedy="\n".join(access.remedies(groups)),
    )


def of_the_cache(data_map: Map) -> Iterator[Fault]:
    """Patterns that were held against no cache."""
    if data_map.cache.patterns:
        yield Fault(
            code="not_asked",
            message="Part of the check was not made: no cache was named, so it is not known whether the patterns cover"
            " each kind of keys in it",
            where=("cache",),
            severity="note",
            remedy="set REDIS_URL, or pass --redis-url",
        )


def _joined(parts: Iterable[object]) -> str:
    *others, last = dict.fromkeys(map(str, parts))
    return f"{', '.join(others)} and {last}" if others else last


def _some(tables: Iterable[Name]) -> str:
    """Not all of hundreds: the remedy names each."""
    listed = sorted(tables)
    more = len(listed) - _FEW
    return _joined([*listed[:_FEW], f"{more} more"] if more > 0 else listed) if listed else ""


class _Access:
    """What the role may read of the tables that the questions were about."""

    def __init__(self, server: Server, missing: tuple[Unanswered, ...]) -> None:
        denied = sorted({name for each in missing if each.is_denied for name in each.tables})
        asked = ", ".join(f"({literal(name.schema)}, {literal(name.name)})" for name in denied)
        found = (server.rows(_ACCESS.format(asked), what="what may be read") or ()) if denied else ()
        self._unread = {Name(row[0], row[1]): row[2] for row in found if not (row[2] and row[3])}
        self._secured = {Name(row[0], row[1]) for row in found if row[4]}
        ((self._role,),) = server.rows("select current_user::text", what="who asks") or [("",)]

    def reason(self, each: Unanswered) -> str:
        if each.is_slow:
            return "slow"
        if each.is_denied and set(each.tables) & set(self._unread):
            return "unread"
        return "hidden" if each.is_denied and set(each.tables) & self._secured else "error"

    def sentence(self, reason: str, missing: list[Unanswered]) -> str:
        tables = {name for each in missing for name in each.tables}
        if reason == "unread":
            return f"the role {self._role} may not read {_some(tables & set(self._unread))}"
        if reason == "hidden":
            return f"row-level security hides rows of {_some(tables & self._secured)} from the role {self._role}"
        if reason == "slow":
            return f"the server takes longer than {SECONDS:g} seconds for {_some(tables) or 'an answer'}"
        states = _joined(sorted({each.state or "no SQLSTATE" for each in missing}))
        return f"the server answers with an error ({states}) for {_some(tables) or 'a question'}"

    def remedies(self, reasons: Iterable[str]) -> Iterator[str]:
        """Statements for whoever may grant, and what else there is to do."""
        role = quoted(self._role)
        for schema in sorted({name.schema for name, may_use in self._unread.items() if not may_use}):
            yield f"grant usage on schema {quoted(schema)} to {role};"
        if self._unread:
            yield f"grant select on {', '.join(name.sql for name in sorted(self._unread))} to {role};"
        if {"unread", "hidden"} & set(reasons):
            yield "or check as a role that may read every row there, such as a superuser"
        if "slow" in reasons:
            yield "check again when the database has less to do, or against a copy of it"
        if "error" in reasons:
            yield "try by hand what an erasure would set there, in a transaction that is rolled back"


_ACCESS = """
select n.nspname::text, c.relname::text, has_schema_privilege(n.oid, 'usage'), has_table_privilege(c.oid, 'select'),
  c.relrowsecurity
from (values {}) as asked (schema, name)
join pg_namespace as n on n.nspname = asked.schema
join pg_class as c on c.relnamespace = n.oid and c.relname = asked.name
"""
