"""What the function of a trigger does, as far as its text says so: names, writes, messages. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue, Trigger
from datamap.names import Table as Name
from datamap.names import quoted

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_QUALIFIED = rf"({_NAME})(?:\s*\.\s*({_NAME}))?"
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_INSERTS = re.compile(rf"\b(?:insert\s+into|merge\s+into|copy)\s+(?:only\s+)?{_QUALIFIED}", re.IGNORECASE)
_MENTIONS = re.compile(
    rf"\b(?:insert\s+into|merge\s+into|update|delete\s+from|from|join|using)\s+(?:only\s+)?{_QUALIFIED}", re.IGNORECASE
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
_READABLE = ("plpgsql", "sql")
_OF_POSTGRES = ("c", "internal")


@dataclass(frozen=True)
class Routine:
    """One trigger's function."""

    trigger: Trigger

    @cached_property
    def _text(self) -> str:
        """The body without comments, and with its texts empty."""
        return _NOISE.sub(lambda match: "''" if match[0].startswith("'") else " ", self.trigger.body)

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
        for match in _INSERTS.finditer(self._text):
            yield match[0].split(None, 2)[-1], _found(match, catalogue)

    def unqualified(self, catalogue: Catalogue) -> list[Name]:
        """Tables that it names without their schema, and finds by a search path that our sessions do not have."""
        if self.trigger.search_path is not None or not self.is_readable:
            return []
        named = [match for match in _MENTIONS.finditer(self._text) if match[2] is None]
        found = [_found(match, catalogue) for match in named]
        return sorted({name for name in found if name is not None})

    @property
    def notifies(self) -> bool:
        return self.is_readable and bool(_NOTIFIES.search(self._text))

    @property
    def sends(self) -> bool:
        return self.is_readable and bool(_SENDS.search(self._text))

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


def _found(match: re.Match[str], catalogue: Catalogue) -> Name | None:
    """The table that is meant; one without a schema, where there is only one of that name."""
    first, second = _plain(match[1]), _plain(match[2])
    if second is not None:
        name = Name(first or "", second)
        return name if catalogue.get(name) else None
    named = [table.name for table in catalogue if table.name.name == first]
    return named[0] if len(named) == 1 else None


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
