"""The functions that the function of a trigger calls, and those that these call: as their texts say. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue
from datamap.check.server import Server
from datamap.names import Table as Name

NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
QUALIFIED = rf"({NAME})(?:\s*\.\s*({NAME}))?"
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_CALLS = re.compile(rf"{QUALIFIED}\s*\(")
_DOES = re.compile(rf"\b(?:perform|call)\s+{QUALIFIED}\s*\(", re.IGNORECASE)
_INTO = re.compile(rf"\b(?:into|references|table)\s+{QUALIFIED}", re.IGNORECASE)
_OF_POSTGRES = re.compile(r"pg_\w+|set_config|nextval|setval|currval|lastval|format|now|count|sum|max|min|coalesce")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function that may change rows, and is none of Postgres' or of an extension."""

    name: Name
    language: str
    search_path: str | None
    body: str
    is_definer: bool  # it runs as its owner
    is_shadowed: bool  # Postgres has one of the same name, which is found first

    @property
    def is_readable(self) -> bool:
        return self.language in ("plpgsql", "sql")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One function that a text calls."""

    function: Function
    is_qualified: bool


@dataclass
class Calls:
    """What texts call. Without a server no function is known but by its name."""

    catalogue: Catalogue
    server: Server | None

    def unknown(self, body: str) -> list[str]:
        """What a text calls, and nobody here can look at: where no server is at hand."""
        if self.server is not None:
            return []
        text = without_texts(body)
        spans = {match.span() for match in _INTO.finditer(text)}
        done = {_written(match) for match in _DOES.finditer(text) if not _OF_POSTGRES.fullmatch(match[1].lower())}
        for match in _CALLS.finditer(text):
            is_table = any(begin <= match.start() < end for begin, end in spans)
            if match[2] and not is_table and plain(match[1]) != "pg_catalog":
                done.add(_written(match))
        return sorted(done)

    def of(self, body: str) -> list[Call]:
        """Each function once, with those that it calls."""
        found: dict[Name, Call] = {}
        waiting = [body]
        while waiting:
            for call in self._directly(waiting.pop()):
                if call.function.name not in found:
                    found[call.function.name] = call
                    waiting.append(call.function.body)
        return list(found.values())

    def _directly(self, body: str) -> Iterator[Call]:
        for match in _CALLS.finditer(without_texts(body)):
            schema, name = (plain(match[1]), plain(match[2])) if match[2] else (None, plain(match[1]))
            for function in self._functions.get(name, ()):
                if schema == function.name.schema or (schema is None and self._is_meant(function)):
                    yield Call(function=function, is_qualified=schema is not None)

    def _is_meant(self, function: Function) -> bool:
        """By its name alone, which may also be Postgres' own, or a table's with its columns behind it."""
        return not function.is_shadowed and all(table.name.name != function.name.name for table in self.catalogue)

    @cached_property
    def definers(self) -> frozenset[str]:
        """The functions of triggers that run as their owner, as a trigger names them."""
        what = "which functions of triggers run as their owner"
        rows = self.server.rows(_DEFINERS, what=what) if self.server is not None else None
        return frozenset(name for (name,) in rows or ())

    @cached_property
    def _functions(self) -> dict[str, list[Function]]:
        what = "what the functions do that triggers call"
        rows = self.server.rows(_FUNCTIONS, what=what) if self.server is not None else None
        found: dict[str, list[Function]] = {}
        for schema, name, language, search_path, body, is_definer, is_shadowed in rows or ():
            function = Function(
                name=Name(schema, name),
                language=language,
                search_path=search_path,
                body=body,
                is_definer=is_definer,
                is_shadowed=is_shadowed,
            )
            found.setdefault(name, []).append(function)
        return found


def without_texts(body: str) -> str:
    """A body without comments, and with its texts empty."""
    return _NOISE.sub(lambda match: "''" if match[0].startswith("'") else " ", body)


def without_comments(body: str) -> str:
    """A body with its texts."""
    return _NOISE.sub(lambda match: match[0] if match[0].startswith("'") else " ", body)


def plain(text: str) -> str:
    """A name as it is, without quotes, or with small letters."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def _written(match: re.Match[str]) -> str:
    return ".".join(filter(None, match.groups()))


# What only reads cannot copy: a function that says that it is stable or immutable is held to it.
_FUNCTIONS = """
select n.nspname::text, p.proname::text, l.lanname::text,
  (select substr(v, 13) from unnest(p.proconfig) as v where v like 'search_path=%'),
  coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), p.prosecdef,
  exists (select from pg_proc as b where b.pronamespace = 'pg_catalog'::regnamespace and b.proname = p.proname)
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
join pg_language as l on l.oid = p.prolang
where p.provolatile = 'v' and p.prokind in ('f', 'p') and p.prorettype <> 'trigger'::regtype
  and n.nspname not in ('pg_catalog', 'information_schema', 'gdpr')
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  )
order by 1, 2, p.oid
"""

_DEFINERS = """
select n.nspname || '.' || p.proname
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
where p.prosecdef and p.prorettype = 'trigger'::regtype
"""
