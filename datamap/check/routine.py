"""What the function of a trigger does, as far as its text says so, and those that it calls: names, writes, messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue, Trigger
from datamap.check.calls import QUALIFIED, Call, Calls, plain, without_comments, without_texts
from datamap.names import Table as Name
from datamap.names import quoted

_INSERTS = re.compile(rf"\b(?:insert\s+into|merge\s+into|copy)\s+(?:only\s+)?{QUALIFIED}", re.IGNORECASE)
_MENTIONS = re.compile(
    rf"\b(?:insert\s+into|merge\s+into|update|delete\s+from|from|join|using)\s+(?:only\s+)?{QUALIFIED}", re.IGNORECASE
)
_NOTIFIES = re.compile(r"\b(?:pg_notify\s*\(|notify\s)", re.IGNORECASE)
_SENDS = re.compile(
    r"\b(?:dblink\w*\s*\(|http_\w+\s*\(|http\s*\(|net\s*\.\s*http_\w+|copy\b[^;]*\bto\s+program|lambda\s*\(|pgmq\s*\.)",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"\b(?:update\b[^;]*\bset\b[^;]*|new\s*\.\s*)\"?(?:deleted\w*|is_deleted|removed\w*|archived\w*|active|is_active)\"?\s*:?=",
    re.IGNORECASE,
)
_EXECUTES = re.compile(
    r"'(?:[^']|'')*'|\bexecute\s+(?!function\b|procedure\b|on\b)(?P<what>(?:'(?:[^']|'')*'|[^;'])*)", re.IGNORECASE
)
_READS = re.compile(
    r"[(\s]*(?:format\s*\(\s*)?(?:E?'|\$\w*\$)\s*(?:select|values|show|set|reset|lock)\b", re.IGNORECASE
)
_WRITES = re.compile(r"\b(?:insert|update|delete|merge|copy)\b", re.IGNORECASE)
_READABLE = ("plpgsql", "sql")
_OF_POSTGRES = ("c", "internal")


@dataclass(frozen=True)
class Routine:
    """One trigger's function."""

    trigger: Trigger
    calls: Calls

    @cached_property
    def _text(self) -> str:
        return without_texts(self.trigger.body)

    @cached_property
    def _called(self) -> list[Call]:
        return self.calls.of(self.trigger.body) if self.is_readable else []

    @cached_property
    def _texts(self) -> list[str]:
        """Its own text, and those of what it calls."""
        return [self._text, *(without_texts(call.function.body) for call in self._called if call.function.is_readable)]

    @property
    def is_readable(self) -> bool:
        return self.trigger.language in _READABLE

    @property
    def is_known(self) -> bool:
        """Whether it is one of Postgres' own, or its text can be read."""
        return self.is_readable or (
            self.trigger.language in _OF_POSTGRES and self.trigger.function.startswith("pg_catalog.")
        )

    def inserts(self, catalogue: Catalogue) -> Iterator[tuple[str, Name | None]]:
        """The tables that it writes new rows into, each as it is written and as it is found."""
        for match in (found for text in self._texts for found in _INSERTS.finditer(text)):
            yield match[0].split(None, 2)[-1], _found(match, catalogue)

    @property
    def opaque(self) -> Iterator[str]:
        """What of it nobody can read here, as goes on after the trigger's name."""
        own = [(self.trigger.function, self.trigger.language, self.trigger.body)]
        called = [(str(call.function.name), call.function.language, call.function.body) for call in self._called]
        for name, language, body in (own if self.is_readable else []) + called:
            if language not in _READABLE:
                yield f"calls {name}, in {language}"
            elif language == "plpgsql" and _is_dynamic(body):
                yield f"runs statements that {name} makes up as it goes, with EXECUTE"
        if self.is_readable and (unknown := self.calls.unknown(self.trigger.body)):
            yield f"calls {', '.join(unknown)}, of which the catalogue has no text"

    def unqualified(self, catalogue: Catalogue) -> list[Name]:
        """What it names without a schema, and finds by a search path that our sessions do not have."""
        if self.trigger.search_path is not None or not self.is_readable:
            return []
        by_path = [call.function for call in self._called if call.function.search_path is None]
        texts = [self._text, *(without_texts(function.body) for function in by_path if function.is_readable)]
        named = [match for text in texts for match in _MENTIONS.finditer(text) if match[2] is None]
        found = [_found(match, catalogue) for match in named]
        functions = {call.function.name for call in self._called if not call.is_qualified}
        return sorted({name for name in found if name is not None} | functions)

    @property
    def notifies(self) -> bool:
        return self.is_readable and any(map(_NOTIFIES.search, self._texts))

    @property
    def sends(self) -> bool:
        return self.is_readable and any(map(_SENDS.search, self._texts))

    @property
    def keeps_the_row(self) -> bool:
        """Whether a DELETE may leave the row where it is: a BEFORE trigger that answers with nothing."""
        if not (self.trigger.before and self.trigger.delete and self.is_readable):
            return False
        answers = re.findall(r"\breturn\s+(\w+)", self._text, re.IGNORECASE)
        told = {answer.lower() for answer in answers}
        # NEW is null in a DELETE.
        return "null" in told or ("new" in told and "old" not in told and "coalesce" not in told)

    @property
    def marks_the_row(self) -> bool:
        """Whether it writes down that a row is deleted."""
        return self.is_readable and self.trigger.delete and bool(_MARKS.search(self._text))

    @property
    def sql(self) -> str:
        """The function as ALTER FUNCTION takes it."""
        schema, _, name = self.trigger.function.partition(".")
        return f"{quoted(schema)}.{quoted(name)}()"


def _is_dynamic(body: str) -> bool:
    """Whether it runs texts as statements that do more than read, as far as their beginnings say."""
    told = [match["what"] for match in _EXECUTES.finditer(without_comments(body)) if match["what"] is not None]
    return any(not _READS.match(what) or _WRITES.search(what) for what in told)


def _found(match: re.Match[str], catalogue: Catalogue) -> Name | None:
    """The table that is meant; one without a schema, where there is only one of that name."""
    if match[2] is not None:
        name = Name(plain(match[1]), plain(match[2]))
        return name if catalogue.get(name) else None
    named = [table.name for table in catalogue if table.name.name == plain(match[1])]
    return named[0] if len(named) == 1 else None
