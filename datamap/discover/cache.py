"""Proposes the `cache:` part of a map from a bounded sample: kinds of keys, and where each names its person.

Nothing of anybody leaves this module: patterns are made of vocabulary and placeholders, evidence of counts and places.
A figure that would differ if somebody else had looked is left out, and `sampled` stands in its place.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import redis

from datamap.discover.cache_contents import AT_ONCE, Content, asked, contents, denied
from datamap.discover.cache_keys import shapes
from datamap.discover.cache_naming import Named, named
from datamap.discover.cache_persons import Persons
from datamap.discover.cache_places import Finding, Held
from shared.cache import translated

LOOKED_INTO = 200  # keys of one pattern
_WORDS = 200  # kinds of keys that differ by a word that could be a name
_PAGE = 1_000
_MORE = 1_000  # keys beyond those that were asked for, which look like none of them
_LOOK = re.compile(rb"[\w.@-]*[0-9@][\w.@-]*")  # what is left out of a key, to see what it looks like


@dataclass(frozen=True, kw_only=True)
class KeyPattern:
    """One kind of keys: how many, for how long, and whom they name."""

    pattern: str  # as the map writes it
    types: Mapping[str, int]
    keys: int  # of the sample
    in_store: int  # DBSIZE: all keys of all patterns
    is_sampled: bool  # there are more keys than were looked at
    without_ttl: float  # the share that never expires
    longest_ttl: int | None  # seconds, rounded up to a minute, an hour or a day
    in_key: Finding | None = None
    in_value: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()  # what else a person should look at
    unread: tuple[str, ...] = ()  # why some of what the keys hold says nothing
    by_words: tuple[KeyPattern, ...] = field(default=(), repr=False)

    @property
    def apart(self) -> tuple[KeyPattern, ...]:
        """The same keys by their own words, which may be names: to be compared with a map, and never to be shown."""
        return self.by_words or (self,)


def sampled(
    client: redis.Redis, *, keys: int = 10_000, seconds: float = 5, persons: Persons, where: str | None = None
) -> list[KeyPattern]:
    """The kinds of keys in a cache, by pattern. Looks at about so many keys, for about so long; changes nothing."""
    sampling = _Sampling(client, persons, where or _where(client), until=time.monotonic() + seconds)
    with translated(sampling.where):
        return sampling.patterns(keys)


def _where(client: redis.Redis) -> str:
    kwargs = client.connection_pool.connection_kwargs
    return f"{kwargs.get('host', 'the cache')}:{kwargs.get('port', '')}".rstrip(":")


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What the server says of one key."""

    key: bytes
    type: str
    ttl: int  # -1: never


@dataclass(frozen=True)
class _Sampling:
    client: redis.Redis
    persons: Persons
    where: str
    until: float

    def patterns(self, keys: int) -> list[KeyPattern]:
        found, in_store, is_sampled = self._scanned(keys)
        facts = {each.key: each for each in self._facts(found)}
        by_text: dict[str, list[Named]] = {}
        for shape in shapes(facts, self.persons.named_by_word, self.persons.words):
            each = named(shape, self.persons)
            by_text.setdefault(each.text, []).append(each)
        return [self._pattern(text, by_text[text], facts, in_store, is_sampled) for text in sorted(by_text)]

    def _scanned(self, keys: int) -> tuple[list[bytes], int, bool]:
        """Keys, how many there are in all, and whether these are fewer.

        Once there are enough, the names alone are passed over for half of the time: a key that looks like none before,
        such as the one set of who is online, is taken along.
        """
        found: set[bytes] = set()
        seen: set[bytes] = set()
        cursor, ends, left_out = 0, (time.monotonic() + self.until) / 2, False
        while True:
            cursor, page = self._ask("SCAN", partial(self.client.scan, cursor, count=max(1, min(_PAGE, keys))))
            enough = len(found) >= keys
            for key in page:
                look = _LOOK.sub(b"*", key)
                if not enough or (look not in seen and len(found) < keys + _MORE):
                    found.add(key)
                    seen.add(look)
                left_out = left_out or key not in found
            if not cursor or time.monotonic() > (ends if enough else self.until):
                break
        return sorted(found), int(self._ask("DBSIZE", self.client.dbsize)), left_out or bool(cursor)

    def _ask(self, name: str, command: Callable[[], Any]) -> Any:
        try:
            return command()
        except redis.exceptions.NoPermissionError:
            raise denied(name, self.where) from None

    def _facts(self, keys: Sequence[bytes]) -> Iterator[_Facts]:
        for start in range(0, len(keys), _PAGE):
            batch = keys[start : start + _PAGE]
            answers = asked(self.client, [(command, key) for key in batch for command in ("TYPE", "TTL")], self.where)
            for key, type_, ttl in zip(batch, answers[::2], answers[1::2], strict=True):
                if type_ != b"none":  # gone since the SCAN
                    yield _Facts(key=key, type=type_.decode(), ttl=ttl)

    def _pattern(
        self, text: str, alike: Sequence[Named], facts: Mapping[bytes, _Facts], in_store: int, is_sampled: bool
    ) -> KeyPattern:
        mine = [facts[key] for each in alike for key, _ in each.shape.keys]
        in_key = [Finding(meeting=each.meeting, where="the key") for each in alike if each.meeting is not None]
        pattern = KeyPattern(
            pattern=text,
            types=dict(sorted(Counter(each.type for each in mine).items())),
            keys=len(mine),
            in_store=in_store,
            is_sampled=is_sampled,
            **_lasting(mine),
            in_key=min(in_key, key=lambda each: each.order, default=None),
            doubts=tuple(sorted({doubt for each in alike for doubt in each.doubts})),
        )
        by_words = _by_words(pattern, alike, facts)
        return self._looked_into(replace(pattern, by_words=by_words), alike, mine)

    def _looked_into(self, pattern: KeyPattern, alike: Sequence[Named], facts: Sequence[_Facts]) -> KeyPattern:
        chosen = _evenly(sorted(facts, key=lambda each: each.key), LOOKED_INTO)
        read = self._read(chosen)
        holders = {key: holder for each in alike for key, holder in each.holders.items()}
        held = Held(
            contents=read,
            holders=[holders.get(each.key, ()) for each in chosen[: len(read)]],
            words=[word for each in alike[:1] for word in each.shape.words],
            type=max(pattern.types, key=lambda type_: pattern.types[type_]),
            persons=self.persons,
        )
        found, doubts = held.findings()
        late = {"there was no time to read all"} if len(read) < len(chosen) else set()
        return replace(
            pattern,
            in_value=tuple(found),
            doubts=tuple(sorted({*pattern.doubts, *doubts})),
            unread=tuple(sorted(late.union(*(each.opaque for each in read)))),
            is_sampled=pattern.is_sampled or bool(late) or any(each.is_partial for each in read),
        )

    def _read(self, facts: Sequence[_Facts]) -> list[Content]:
        read: list[Content] = []
        for start in range(0, len(facts), AT_ONCE):
            if time.monotonic() > self.until:
                break
            batch = facts[start : start + AT_ONCE]
            read += contents(self.client, [(each.key, each.type) for each in batch], self.where)
        return read


def _lasting(facts: Sequence[_Facts]) -> dict[str, Any]:
    """How long they stay."""
    longest = max((each.ttl for each in facts if each.ttl >= 0), default=None)
    return {"without_ttl": sum(each.ttl < 0 for each in facts) / len(facts), "longest_ttl": _rounded(longest)}


def _by_words(pattern: KeyPattern, alike: Sequence[Named], facts: Mapping[bytes, _Facts]) -> tuple[KeyPattern, ...]:
    """Where words were left out of the pattern: with them. Where they are many, they are values anyway."""
    found: dict[str, list[_Facts]] = {}
    for each in alike:
        for key, text in each.apart().items():
            found.setdefault(text, []).append(facts[key])
    if set(found) == {pattern.pattern} or len(found) > _WORDS:
        return ()
    return tuple(
        replace(pattern, pattern=text, keys=len(mine), **_lasting(mine)) for text, mine in sorted(found.items())
    )


def _evenly(facts: Sequence[_Facts], at_most: int) -> Sequence[_Facts]:
    if len(facts) <= at_most:
        return facts
    return [facts[number * len(facts) // at_most] for number in range(at_most)]


def _rounded(seconds: int | None) -> int | None:
    """Up to a minute, an hour or a day, so that two who look one after the other say the same."""
    if seconds is None:
        return None
    unit = 60 if seconds < 3_600 else 3_600 if seconds < 86_400 else 86_400
    return -(-seconds // unit) * unit
