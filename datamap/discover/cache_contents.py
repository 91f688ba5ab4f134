"""What keys of a cache hold, read in small pieces: places within a value, and what stands there.

No value is read whole that could be large: a text up to a limit, of anything else the first and the last members, and
those only where the server says that they are small. What cannot be read is said with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import redis

from shared.errors import AccessDenied

MEMBERS = 1_000  # of one collection
LARGEST = 65_536  # bytes of one text
LARGEST_MEMBER = 16_384  # bytes of a member, on average: a hundred are weighed
LARGEST_IN_ALL = 4_194_304  # bytes of the members that are read of one collection
AT_ONCE = 100
_DEEPEST = 8
_MOST_IN_ONE = 2_000  # values of one JSON document
_LONGEST = 320  # letters of a value that could name somebody

EACH = "[]"  # among the steps of a path: every element of a list
Command = tuple[str | bytes | int, ...]


@dataclass(frozen=True, order=True, kw_only=True)
class Place:
    """Where in a value something stands."""

    part: str = "value"  # value: the whole of it · member: of a collection · name: of a hash's field · field: its value
    field: str = ""
    path: tuple[str, ...] = ()
    is_name: bool = False  # the name of a property in JSON, and not its value

    @property
    def words(self) -> list[str]:
        """What it is called."""
        return [*([self.field] if self.field else []), *(step for step in self.path if step != EACH)]


Found = tuple[Place, str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What one key holds."""

    found: tuple[Found, ...] = ()
    opaque: frozenset[str] = frozenset()  # why some of it could not be read
    is_partial: bool = False  # it has more members than were read


def asked(client: redis.Redis, commands: Sequence[Command], where: str) -> list[Any]:
    """The answers of one round trip. None to a command that does not suit the key's type, or that nobody knows."""
    with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        answers = pipeline.execute(raise_on_error=False)
    for command, answer in zip(commands, answers, strict=True):
        if isinstance(answer, redis.exceptions.NoPermissionError):
            raise denied(str(command[0]), where)
        if isinstance(answer, Exception) and not isinstance(answer, redis.ResponseError):
            raise answer
    return [None if isinstance(answer, Exception) else answer for answer in answers]


def denied(command: str, where: str) -> AccessDenied:
    return AccessDenied(
        f"The cache's user may not use {command} on all keys",
        where=where,
        remedy="let it read with ACL SETUSER: ~* +@read +@connection +memory|usage",
    )


def contents(client: redis.Redis, keys: Sequence[tuple[bytes, str]], where: str) -> list[Content]:
    """What keys of these types hold, in their order; one that is gone by now holds nothing."""
    batches = (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
    return list(chain.from_iterable(_batch(client, batch, where) for batch in batches))


def _batch(client: redis.Redis, keys: Sequence[tuple[bytes, str]], where: str) -> list[Content]:
    counts = asked(client, [(_COUNT.get(type_, "EXISTS"), key) for key, type_ in keys], where)
    sizes = asked(client, [("MEMORY USAGE", key, "SAMPLES", 100) for key, _ in keys], where)
    wanted = [
        _commands(key, type_, _members(count, size)) if count else []
        for (key, type_), count, size in zip(keys, counts, sizes, strict=True)
    ]
    answers = iter(asked(client, list(chain.from_iterable(wanted)), where))
    return [
        _content(type_, [next(answers) for _ in commands], count or 0, _members(count, size))
        for (_, type_), commands, count, size in zip(keys, wanted, counts, sizes, strict=True)
    ]


_COUNT = {"string": "STRLEN", "hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "list": "LLEN", "stream": "XLEN"}


def _members(count: int | None, size: int | None) -> int:
    """How many members may be read: none where they are large, or nobody says how large they are."""
    if not count or not size or size > LARGEST_MEMBER * count:
        return 0
    return min(MEMBERS, LARGEST_IN_ALL * count // size)


def _commands(key: bytes, type_: str, members: int) -> list[Command]:
    half = (members + 1) // 2
    if type_ == "string":
        return [("GETRANGE", key, 0, LARGEST)]
    if not members:
        return []
    ends: dict[str, list[Command]] = {
        "hash": [("HSCAN", key, 0, "COUNT", members)],
        "set": [("SSCAN", key, 0, "COUNT", members)],
        "list": [("LRANGE", key, 0, half - 1), ("LRANGE", key, -half, -1)],
        "zset": [("ZRANGE", key, 0, half - 1), ("ZRANGE", key, -half, -1)],
        "stream": [("XRANGE", key, "-", "+", "COUNT", half), ("XREVRANGE", key, "+", "-", "COUNT", half)],
    }
    return ends.get(type_, [])


def _content(type_: str, answers: Sequence[Any], count: int, members: int) -> Content:
    if type_ == "string":
        return _of_text(answers[0] if answers else None)
    if type_ not in _COUNT:
        return Content(opaque=frozenset({f"a type that is not looked into ({type_})"}))
    if count and not members:
        return Content(opaque=frozenset({"members too large to be read"}), is_partial=True)
    texts = list(_texts(type_, [answer for answer in answers if answer]))
    read = [_told(place, raw) for place, raw in texts]
    return Content(
        found=tuple(chain.from_iterable(found for found, _ in read)),
        opaque=frozenset(reason for _, reason in read if reason),
        is_partial=count > members,
    )


def _of_text(raw: bytes | None) -> Content:
    if raw is not None and len(raw) > LARGEST:
        return Content(opaque=frozenset({"text too large to be read", *_marks(raw)}), is_partial=True)
    found, reason = _told(Place(), raw or b"")
    return Content(found=tuple(found), opaque=frozenset({reason} if reason else ()))


def _texts(type_: str, answers: Sequence[Any]) -> Iterator[tuple[Place, bytes]]:
    """The places of a collection: its members, or its fields with their names."""
    if type_ == "hash":
        for _, fields in answers:
            for name, value in fields.items():
                yield Place(part="name"), name
                yield Place(part="field", field=_decoded(name)), value
    elif type_ == "stream":
        for _, fields in chain.from_iterable(answers):
            for name, value in (fields or {}).items():
                yield Place(part="field", field=_decoded(name)), value
    else:
        members = chain.from_iterable(answer[1] if type_ == "set" else answer for answer in answers)
        for member in members:
            yield Place(part="member"), member


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _told(place: Place, raw: bytes) -> tuple[list[Found], str | None]:
    """What stands in a text, and why it could not be read if it could not."""
    mark = next(_marks(raw), None)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return [], mark or "bytes of an unknown form"
    if _CONTROLS.search(text):
        return [], mark or "bytes of an unknown form"
    if mark is not None or text[:1] == '"':
        return [], mark or "a text of JSON alone"
    if text[:1] in ("{", "["):
        return _of_json(text, place)
    return [(place, text)] if len(text) <= _LONGEST else [], "text that is no JSON" if len(text) > 100 else None


def _of_json(text: str, place: Place) -> tuple[list[Found], str | None]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return [], "text that is no JSON"
    return _within(document, place)


def _within(document: Any, place: Place) -> tuple[list[Found], str | None]:
    found: list[Found] = []
    reasons: set[str] = set()
    for at, value in _flattened(document, place):
        if len(found) >= _MOST_IN_ONE:
            break
        if len(value) <= _LONGEST:
            found.append((at, value))
        if not at.is_name:
            reasons.update(_marks(value[:64].encode("utf-8", "replace")))
            reasons.update(["JSON within a text of JSON"] if value[:1] in ("{", "[") else ())
    return found, min(reasons, default=None)


def _flattened(value: Any, place: Place) -> Iterator[Found]:
    """Texts and whole numbers, each with the way to it. Nothing else can be a key."""
    if isinstance(value, Mapping) and len(place.path) < _DEEPEST:
        for name, inner in value.items():
            yield _at(place, place.path, is_name=True), name
            yield from _flattened(inner, _at(place, (*place.path, name)))
    elif isinstance(value, list) and len(place.path) < _DEEPEST:
        for inner in value:
            yield from _flattened(inner, _at(place, (*place.path, EACH)))
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield place, str(value)


def _at(place: Place, path: tuple[str, ...], *, is_name: bool = False) -> Place:
    return Place(part=place.part, field=place.field, path=path, is_name=is_name)


_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MARKS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(mark, re.DOTALL), reason)
    for mark, reason in (
        (rb"\x80[\x02-\x05]", "pickled by Python"),
        (rb"\xac\xed\x00\x05", "serialised by Java"),
        (rb"\x04\x08", "marshalled by Ruby"),
        (rb"(?:[aOC]:\d+:[{\"]|s:\d+:\")", "serialised by PHP"),
        (rb"\x1f\x8b|x[\x01\x5e\x9c\xda](?=.*[^ -~])", "compressed"),
        (rb"HYLL", "a count of different values (HyperLogLog)"),
        (rb"eyJ[\w-]+\.eyJ[\w-]+\.", "a signed token (JWT)"),
        (rb"[\x80-\x9f\xde\xdf]", "bytes, MessagePack perhaps"),
    )
)


def _marks(raw: bytes) -> Iterator[str]:
    """By which program a text was written that others do not read."""
    yield from (reason for mark, reason in _MARKS if mark.match(raw))
