"""What a caller asks for, taken out of an event field by field: all of its faults at once, and none of its values.

    asked = Asked(event)
    request = asked.uuid("subject_request_id")
    with asked.inside("decision") as decision:
        role = decision.code("by_role")
    asked.check()

A field that nobody took is a fault, and so is one that is missing. No message repeats what was sent: it may be
somebody's. What a faulty field would have held is a harmless value that is never used, since `check` raises.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from shared import clock
from shared.errors import Misuse

LARGEST = 256 * 1024  # bytes of an event: what a queue would take
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,40}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,63}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# Control characters, ends of lines, halves of characters.
_BROKEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
_MOST_FAULTS = 50  # that are told one by one
NOWHEN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one field."""

    path: str  # a JSON Pointer
    code: str
    message: str


class Rejected(Misuse):
    """The event is not what it should be."""

    code = "rejected"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.path or '/'}: {fault.message}".rstrip(".") for fault in self.faults))


class Asked:
    """One object of an event."""

    def __init__(self, event: object, *, path: str = "", faults: list[Fault] | None = None) -> None:
        self._path = path
        self._faults: list[Fault] = [] if faults is None else faults
        self._taken: set[str] = set()
        self._fields: Mapping[str, Any] = {}
        if isinstance(event, Mapping) and all(isinstance(name, str) for name in event):
            self._fields = event
        else:
            self._fault("", "no_object", "This is to be an object.")

    def fault(self, name: str, code: str, message: str) -> None:
        """A fault of a field that only whoever knows its meaning can tell."""
        self._fault(name, code, message)

    def has(self, name: str) -> bool:
        """Whether the field is there, with a value."""
        return self._fields.get(name) is not None

    def text(self, name: str, *, longest: int = 200) -> str:
        """A text of one line."""
        words = f"a text of 1 to {longest} characters on one line"
        return self._text(name, words, lambda text: _is_line(text, longest))

    def code(self, name: str) -> str:
        """A word of a list that the caller keeps."""
        return self._text(name, "a code of small letters, digits and - . _", _matches(_CODE))

    def reference(self, name: str) -> str:
        """Where something is to be found elsewhere: a number, never the thing itself."""
        words = "a reference without blanks, such as D-17: no name and no address"
        return self._text(name, words, _matches(_REFERENCE))

    def one_of(self, name: str, known: Collection[str]) -> str:
        """A word of a closed list."""
        return self._text(name, f"one of {', '.join(sorted(known))}", lambda word: word in known, known=known)

    def uuid(self, name: str) -> uuid.UUID:
        """As OpenDSR has it: small letters."""
        found = self._text(name, "a UUID in small letters", _matches(_UUID))
        return uuid.UUID(found) if found else uuid.UUID(int=0)

    def digest(self, name: str) -> str:
        """SHA-256."""
        return self._text(name, "a digest of 64 hexadecimal digits in small letters", _matches(_DIGEST))

    def instant(self, name: str) -> datetime:
        """RFC 3339, with the zone that it is told in."""
        found = self._text(name, "an instant with its zone, such as 2026-11-20T09:00:00+01:00", _is_instant)
        return datetime.fromisoformat(found) if found else NOWHEN

    def past(self, name: str) -> datetime:
        """An instant that has been."""
        found = self.instant(name)
        if found > clock.now():
            self._fault(name, "in_the_future", "This has not happened yet: it lies in the future.")
        return found

    def day(self, name: str) -> date:
        """A date alone."""
        found = self._text(name, "a date, such as 2026-11-20", _is_day)
        return date.fromisoformat(found) if found else NOWHEN.date()

    def month(self, name: str) -> str:
        """A month alone."""
        return self._text(name, "a month, such as 2026-11", _matches(_MONTH))

    def number(self, name: str, *, least: int, most: int) -> int:
        found: int = self._of(
            name, int, f"a number from {least} to {most}", lambda number: least <= number <= most, otherwise=least
        )
        return found

    def truth(self, name: str) -> bool:
        found: bool = self._of(name, bool, "true or false", lambda _: True, otherwise=False)
        return found

    def several(self, name: str, known: Collection[str]) -> tuple[str, ...]:
        """Words of a closed list, each once."""

        def is_good(words: list[Any]) -> bool:
            return 0 < len(words) == len(set(map(str, words))) and all(type(w) is str and w in known for w in words)

        sentence = f"a list of some of {', '.join(sorted(known))}, each once"
        return tuple(self._of(name, list, sentence, is_good, otherwise=[]))

    def rest(self, name: str) -> object:
        """Whatever is in a field, for whoever reads it as it is."""
        self._taken.add(name)
        return self._fields.get(name)

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[Asked]:
        """The object in a field."""
        found = self._of(name, dict, "an object", lambda _: True, otherwise=None)
        if found is None:
            yield _Nothing()
            return
        inner = Asked(found, path=self._pointer(name), faults=self._faults)
        yield inner
        inner.check_names()

    def each(self, name: str, *, most: int) -> Iterator[Asked]:
        """The objects in a list."""
        sentence = f"a list of 1 to {most} objects"
        found: list[Any] = self._of(name, list, sentence, lambda each: 0 < len(each) <= most, otherwise=[])
        for place, value in enumerate(found):
            inner = Asked(value, path=f"{self._pointer(name)}/{place}", faults=self._faults)
            yield inner
            inner.check_names()

    def check_names(self) -> None:
        """Fields that nobody took. Their names are not repeated: a value may have slipped into one."""
        for name in self._fields:
            if name not in self._taken and len(self._faults) < _MOST_FAULTS:
                near = difflib.get_close_matches(name, sorted(self._taken), n=1, cutoff=0.75)
                meant = f" Did you mean {near[0]}?" if near else f" Known here: {', '.join(sorted(self._taken))}."
                self._fault("", "unknown_field", f"There is a field that is not known here.{meant}")

    def check(self) -> None:
        """Raises Rejected where there was any fault."""
        self.check_names()
        if self._faults:
            raise Rejected(self._faults)

    def _text(self, name: str, sentence: str, is_good: Callable[[str], bool], *, known: Collection[str] = ()) -> str:
        found: str = self._of(name, str, sentence, is_good, otherwise="", known=known)
        return found

    def _of(
        self,
        name: str,
        kind: type,
        sentence: str,
        is_good: Callable[[Any], bool],
        *,
        otherwise: Any,
        known: Collection[str] = (),
    ) -> Any:
        self._taken.add(name)
        found = self._fields.get(name)
        if found is None:
            self._fault(name, "missing", f"This is missing: {sentence}.")
        elif type(found) is not kind or not is_good(found):
            near = difflib.get_close_matches(found, sorted(known), n=1) if known and type(found) is str else []
            meant = f" Did you mean {near[0]}?" if near else ""
            self._fault(name, "invalid", f"This is to be {sentence}.{meant}")
        else:
            return found
        return otherwise

    def _pointer(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _fault(self, name: str, code: str, message: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(Fault(path=self._pointer(name), code=code, message=message))


class _Nothing(Asked):
    """In place of an object that is missing, which has been told: what is in it is not missed as well."""

    def __init__(self) -> None:
        super().__init__({})

    def has(self, name: str) -> bool:  # noqa: ARG002
        return False

    def check_names(self) -> None: ...


def read(text: str | bytes) -> object:
    """JSON as callers send it: bounded, each key once, and numbers that are numbers. Raises Rejected."""
    if len(text) > LARGEST:
        raise Rejected([Fault(path="", code="too_large", message=f"This is longer than {LARGEST // 1024} KiB.")])
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Rejected(
            [Fault(path="", code="no_json", message="This is no JSON in UTF-8, with each key once.")]
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(_: str) -> None:
    raise ValueError("no number")


def _is_line(text: str, longest: int) -> bool:
    """What a column of text can hold: half a character, as JSON's \\ud800 is, none can."""
    return bool(text.strip()) and len(text) <= longest and not _BROKEN.search(text)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_instant(text: str) -> bool:
    """In years that every zone has, and four digits: the first instant of the year 1 in Berlin is none in UTC."""
    if _INSTANT.fullmatch(text) is None:
        return False
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return False
    return found.tzinfo is not None and _FIRST_YEAR <= found.year <= _LAST_YEAR


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
