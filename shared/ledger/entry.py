"""What an entry of the ledger may say: codes, counts and references, each of a shape, and nothing else (R71, R72).

An entry lies for years where nobody can delete it. So what people write, and what names one of them, has no field to
go into: a decision's number and the caller's own references stand in the register, which forgets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

from psycopg2.extensions import cursor

from shared.queries import query

FORMAT = b"\x01"
LONGEST = 65535  # bytes: what an entry of a C2SP log may have

Shape = Callable[[Any], bool]


class EntryInvalid(ValueError):
    """Something that has no place in the ledger was to be written. Names the field and never what stood in it."""


def _text(pattern: str) -> Shape:
    whole = re.compile(pattern, re.ASCII)
    return lambda value: type(value) is str and whole.fullmatch(value) is not None


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _list_of(shape: Shape) -> Shape:
    return lambda value: type(value) is list and 0 < len(value) <= 20 and all(map(shape, value))


def _table(key: Shape, shape: Shape, most: int = 2000) -> Shape:
    return lambda value: (
        type(value) is dict and len(value) <= most and all(map(key, value)) and all(map(shape, value.values()))
    )


_UUID = _text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = _text(r"[0-9a-f]{64}")
_CODE = _text(r"[a-z][a-z0-9_.-]{0,40}")
_TERM = _text(r"[A-Z][A-Za-z0-9-]{0,60}")  # of W3C DPV
_DATE = _text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Of a calendar, a policy, a version: configuration, and no address.
_NAME = _text(r"(?!.*@.*\.[A-Za-z]{2})[A-Za-z0-9._@/:-]{1,80}")
_DATASET = _text(r"[A-Za-z0-9._~%-]{1,600}")

SHAPES: Mapping[str, Shape] = {
    "at": _text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
    "event": _UUID,
    "kind": _text(r"[a-z][a-z_.]{0,62}"),
    "writer": _text(r"gdpr_[a-z]{1,20}"),
    "request": _UUID,  # the register's
    "subject": _HASH,  # an HMAC under a key of the person's own, which can be deleted
    "right": _text(r"access|portability|erasure"),
    "status": _CODE,
    "code": _CODE,
    "role": _CODE,  # of who decided, as the controller calls it
    "method": _CODE,  # how somebody was identified
    "reasons": _list_of(_TERM),
    "rows": _table(_DATASET, _table(_CODE, _count, 10)),
    "deadlines": _table(_CODE, lambda value: _DATE(value) or _NAME(value), 10),
    "version": _NAME,
    "versions": _table(_CODE, _NAME, 10),
    "digest": _HASH,
    "detail": _HASH,  # a commitment to what lies beside the ledger
    "origin": _text(r"[!-*,-?A-~]{1,200}"),
    "size": _count,
    "root": _HASH,
    "kept": _count,  # entries, of a log that goes on in another epoch
    "before": _text(r"[!-*,-?A-~]{1,200}"),  # the origin that another one takes the place of
    "note": _HASH,  # of a checkpoint's bytes
    "key": _HASH,  # of a verifier key's text
}
ALWAYS = frozenset({"at", "event", "kind", "writer"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event. The same event is written with the same bytes, however often it is tried."""

    event: UUID
    kind: str
    writer: str
    at: datetime
    said: Mapping[str, Any]

    def __post_init__(self) -> None:
        for field, value in self._fields.items():
            if field not in SHAPES:
                raise EntryInvalid("a ledger entry has no such field")
            if not SHAPES[field](value):
                raise EntryInvalid(f"the field {field} of a ledger entry is not of its shape")

    @property
    def _fields(self) -> dict[str, Any]:
        if ALWAYS & set(self.said):
            raise EntryInvalid("time, event, kind and writer of a ledger entry are not said twice")
        told = {"at": instant(self.at), "event": str(self.event), "kind": self.kind, "writer": self.writer}
        return told | dict(self.said)

    @property
    def body(self) -> bytes:
        """What is stored and hashed: its format, then JSON whose keys are sorted, without a blank."""
        body = FORMAT + json.dumps(self._fields, sort_keys=True, separators=(",", ":")).encode("ascii")
        if len(body) > LONGEST:
            raise EntryInvalid(f"a ledger entry has at most {LONGEST} bytes")
        return body

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """An entry as it was written, byte by byte."""
        if body[:1] != FORMAT:
            raise EntryInvalid("a ledger entry of another format")
        try:
            told = json.loads(body[1:])
            entry = cls(
                event=UUID(told["event"]),
                kind=told["kind"],
                writer=told["writer"],
                at=datetime.fromisoformat(told["at"]),
                said={field: value for field, value in told.items() if field not in ALWAYS},
            )
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise error if isinstance(error, EntryInvalid) else EntryInvalid("no ledger entry") from None
        if entry.body != body:
            raise EntryInvalid("a ledger entry that is written otherwise")
        return entry


def instant(at: datetime) -> str:
    """In UTC, to the millisecond."""
    if at.tzinfo is None:
        raise EntryInvalid("an instant needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def dataset(name: str) -> str:
    """The name of a table or a pattern as an entry holds it: anything but plain letters as %XX."""
    return quote(name, safe="._~-")


def append(cur: cursor, entry: Entry) -> bytes:
    """Write it in the caller's transaction; its leaf hash. Nobody waits, and nothing happens if it stands already."""
    cur.execute(query("append"), {"event": str(entry.event), "body": entry.body})
    (leaf,) = cur.fetchone() or (b"",)
    return bytes(leaf)
