"""What an entry says, read from bytes that could not have been written otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_FORMAT = b"\x01"
_SHAPES = {  # of what every entry has
    "at": rb"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}\.[0-9]{3}Z",
    "event": rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "kind": rb"[a-z][a-z_.]{0,62}",
    "writer": rb"gdpr_[a-z]{1,20}",
}
_PATTERNS = {field: re.compile(shape) for field, shape in _SHAPES.items()}
_PLAIN = rb'"[ !#-\[\]-~]*+"'  # a text that is written as it is
_WHOLE = rb"(?:0|[1-9][0-9]{0,17}+)"
_TABLE = rb"(\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\})"  # or what may be one
_COUNT = re.compile(b'":' + _WHOLE + rb"(?=[,}])")  # of a member; a text holds no quote, unless behind a backslash
_MOST_FORMS, _LONGEST_FORM = 32, 4096  # which are kept, and bytes of the entry that one is made from
_MOST_TABLES, _LONGEST_TABLE = 5000, 1000


class EntryMalformed(ValueError):
    """The bytes are no entry. Says why, and nothing of what stands in them."""


def _refused(_text: str) -> Any:
    raise EntryMalformed("it holds a number that is not whole")


_decode = json.JSONDecoder(parse_float=_refused, parse_constant=_refused).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def said(body: bytes) -> dict[str, Any]:
    """What an entry says: a byte for its format, then JSON in the one way that it is written here."""
    if body[:1] != _FORMAT:
        raise EntryMalformed("it is of another format than 1")
    try:
        text = body[1:].decode("ascii")
        found = _decode(text)
        again = _encode(found)  # which a key that stands twice does not survive
    except EntryMalformed:
        raise
    except (ValueError, RecursionError):
        raise EntryMalformed("it is no JSON of ASCII") from None
    if type(found) is not dict or again != text:
        raise EntryMalformed("its JSON is not in its one form: sorted keys, each once, no blank between them")
    for field, pattern in _PATTERNS.items():
        value = found.get(field)
        if type(value) is not str or not pattern.fullmatch(value.encode()):
            raise EntryMalformed(f"it has no {field}, or one of another shape")
    return found


class Entries:
    """Reads one after the other. What differs from an entry before it in texts and numbers only is read at once.

    To parse each and write it anew takes five times as long as all hashing. Most are of a few forms; so the form of
    one that was found right is kept as a pattern: the same keys in the same order, and texts and numbers that can be
    written in one way alone. Tables within entries, whose keys differ more, are known by their keys. Entries about the
    ledger itself are always parsed: what they say is what counts.
    """

    def __init__(self) -> None:
        self._forms: list[bytes] = []
        self._match = re.compile(rb"(?!)").fullmatch
        self._tables: set[bytes] = set()

    def told(self, body: bytes) -> Mapping[str, Any] | None:
        """What it says where it is about the ledger itself. Raises EntryMalformed."""
        known = self._match(body)
        if known and (known.lastindex is None or all(self._is_table(text) for text in known.groups() if text)):
            return None
        found = said(body)
        if found["kind"].startswith("ledger."):
            return found
        if not known and len(self._forms) < _MOST_FORMS and len(body) <= _LONGEST_FORM:
            self._forms.append(_FORMAT + _form_of(found))
            self._match = re.compile(b"|".join(self._forms)).fullmatch
        return None

    def _is_table(self, text: bytes) -> bool:
        """Whether it is an object in its one form. Of the same keys with other counts it is known."""
        keys = _COUNT.sub(b'":0', text)
        if keys in self._tables:
            return True
        try:
            if _encode(_decode(text.decode("ascii"))).encode() != text:
                return False
        except (ValueError, RecursionError):
            return False
        if len(self._tables) < _MOST_TABLES and len(text) <= _LONGEST_TABLE and b"\\" not in text:
            self._tables.add(keys)
        return True


def _form_of(entry: Mapping[str, Any]) -> bytes:
    """A pattern of entries with the same keys and of the same kind. A group is a table that is yet to be looked at."""
    special = {field: b'"' + shape + b'"' for field, shape in _SHAPES.items()}
    special["kind"] = re.escape(_encode(entry["kind"]).encode())
    return _object(entry, special | {key: _TABLE for key, value in entry.items() if type(value) is dict})


def _object(value: Mapping[str, Any], special: Mapping[str, bytes]) -> bytes:
    members = (re.escape(_encode(key).encode()) + b":" + special.get(key, _pattern(of)) for key, of in value.items())
    return rb"\{" + b",".join(members) + rb"\}"


def _pattern(value: Any) -> bytes:
    if type(value) is str:
        return _PLAIN
    if type(value) is int:
        return _WHOLE
    if type(value) is list:
        return rb"\[" + b",".join(map(_pattern, value)) + rb"\]"
    if type(value) is dict:
        return _object(value, {})
    return re.escape(_encode(value).encode())  # true, false, null
