"""What the function of a trigger does, as far as its text says so, and those that it calls: names, writes, messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Catalogue, Table, Trigger
from datamap.check.calls import QUALIFIED, Call, Calls, plain, without_comments, without_texts
from datamap.names import Table as Name
from datamap.names import quoted

_INSERTS = re.compile(rf"\b(?:insert\s+into|merge\s+into|copy)\s+(?:only\s+)?{QUALIFIED}", re.IGNORECASE)
_MENTIONS = re.compile(
    rf"\b(?:insert\s+into|merge\s+into|update|delete\s+from|from|join|using)\s+(?:only\s+)?{QUALIFIED}", re.IGNORECASE
)
_UPDATES = re.compile(
    rf"\bupdate\s+(?:only\s+)?{QUALIFIED}(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\b(?P<set>(?:(?!\bwhere\b)[^;])*)",
    re.IGNORECASE,
)
_OF_THE_ROW = re.compile(
    r"(?<![\w.])\"?(?:old|new)\"?(?:\s*\.\s*(?P<column>\"[^\"]+\"|\w+|\*))?(?![\w.])", re.IGNORECASE
)
_MAKES = re.compile(
    rf"\bcreate\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?{QUALIFIED}[^;]*\bas\b", re.IGNORECASE
)
_NEEDS = re.compile(
    rf"\b(?P<verb>insert\s+into|merge\s+into|update|delete\s+from|from|join)\s+(?:only\s+)?{QUALIFIED}", re.IGNORECASE
)
_RIGHTS = {"insert": "insert", "merge": "insert", "update": "update", "delete": "delete"}
_RAISES = re.compile(r"\braise\s+(?!debug\b|log\b|info\b|notice\b|warning\b)[\w'$]", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:if|elsif|when|case)\b(?P<what>[^;]*?)\bthen\b", re.IGNORECASE)
_OF_THE_EVENT = re.compile(
    r"[(\s]*tg_op\s*(?:=|in\b)(?P<events>[\s(),]*(?:'\w+'[\s(),]*|or\s+tg_op\s*=\s*)+)", re.IGNORECASE
)
_WHO = r"(?:current_user|session_user)(?:\s*::\s*\w+)?"
_STEPS_ASIDE = re.compile(
    rf"\bbegin\s+if\s*\(*\s*(?P<who>{_WHO}\s*=\s*'gdpr_erase'|'gdpr_erase'\s*(?:=\s*{_WHO}|in\s*\([^)]*\)))\s*\)*\s*then"
    r"\s+return\s+(?P<answer>old|new|null|coalesce\s*\(\s*new\s*,\s*old\s*\))\s*;",
    re.IGNORECASE,
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

    def updates(self, dataset: Table, catalogue: Catalogue) -> Iterator[Name]:
        """The tables of which it sets columns to what the row holds in words: no counter, and no date."""
        for match in (found for text in self._texts for found in _UPDATES.finditer(text)):
            told = [each["column"] for each in _OF_THE_ROW.finditer(match["set"])]
            name = _found(match, catalogue)
            if name is not None and any(column is None or _is_wordy(column, dataset) for column in told):
                yield name

    @property
    def makes(self) -> list[str]:
        """The tables that it makes and fills, as they are written."""
        texts = self._texts if self.is_readable else []
        return [".".join(filter(None, match.groups())) for text in texts for match in _MAKES.finditer(text)]

    def needs(self, catalogue: Catalogue) -> dict[Name, set[str]]:
        """The rights on tables that whoever fires it has to have: not those of functions that run as their owner."""
        called = [call.function for call in self._called if call.function.is_readable and not call.function.is_definer]
        texts = [] if self.is_definer else [self._text, *(without_texts(function.body) for function in called)]
        found: dict[Name, set[str]] = {}
        for match in (each for text in texts for each in _NEEDS.finditer(text)):
            name = _found_by(match[2], match[3], catalogue)
            if name is not None:
                found.setdefault(name, set()).add(_RIGHTS.get(match["verb"].split()[0].lower(), "select"))
        return found

    @property
    def is_definer(self) -> bool:
        return self.trigger.function in self.calls.definers

    @property
    def refuses(self) -> bool:
        """Whether it raises an exception without a condition, by the event alone, or for what the old row holds."""
        body = without_comments(self.trigger.body)
        for match in _RAISES.finditer(body) if self.trigger.language == "plpgsql" else ():
            asked = _last(_ASKS, body[: match.start()])
            if asked is None or (self.trigger.delete and re.search(r"\bold\s*\.", asked, re.IGNORECASE)):
                return True
            event = _OF_THE_EVENT.fullmatch(asked.strip() + " ")
            if event and {"'delete'", "'update'"} & set(re.findall(r"'\w+'", event["events"].lower())):
                return True
        return False

    @property
    def steps_aside(self) -> str | None:
        """What it answers at once where the eraser asks; None where it does not ask who asks."""
        match = _STEPS_ASIDE.search(without_comments(self.trigger.body)) if self.is_readable else None
        if match is None or (self.is_definer and "session_user" not in match["who"].lower()):
            return None
        return match["answer"].lower().partition("(")[0].strip()

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


def written_into(text: str, catalogue: Catalogue) -> Iterator[Name]:
    """The tables that a text of SQL writes new rows into."""
    for match in _INSERTS.finditer(without_texts(text)):
        name = _found(match, catalogue)
        if name is not None:
            yield name


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    """What the last condition before asks, if there is one that has not ended."""
    ended = [match.end() for match in re.finditer(r"\bend\s+(?:if|case)\b", text, re.IGNORECASE)]
    asked = [match for match in pattern.finditer(text) if match.start() > max(ended, default=-1)]
    return asked[-1]["what"] if asked else None


def _is_wordy(column: str, dataset: Table) -> bool:
    """Whether a column of the row holds more than a number or a date."""
    facts = dataset.columns.get(plain(column))
    return column == "*" or facts is None or facts.family in ("text", "json", "bytes", "vector", "other")


def _found(match: re.Match[str], catalogue: Catalogue) -> Name | None:
    return _found_by(match[1], match[2], catalogue)


def _found_by(first: str, second: str | None, catalogue: Catalogue) -> Name | None:
    """The table that is meant; one without a schema, where there is only one of that name."""
    if second is not None:
        name = Name(plain(first), plain(second))
        return name if catalogue.get(name) else None
    named = [table.name for table in catalogue if table.name.name == plain(first)]
    return named[0] if len(named) == 1 else None
