"""Patterns against a real cache: what SCAN finds by a glob, and what then is somebody's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from shared.addresses import CacheAddress
from shared.cache import connect
from shared.patterns import Pattern, Spelling, Values
from tests.keyspace import FILLERS, HOSTILE, fillers, people, sound_cases


@pytest.fixture
def client(valkey: CacheAddress) -> Iterator[Redis]:
    with contextlib.closing(connect(valkey, application="gdpr-tests")) as opened:
        yield opened


def found(client: Redis, pattern: Pattern, values: Values) -> set[bytes]:
    """As an erasure looks for keys: candidates by the glob, each compared again."""
    return {key for key in client.scan_iter(match=pattern.glob(values), count=1000) if pattern.match(key, values)}


def sorted_items(values: Values) -> tuple[str, ...]:
    """Somebody is the same, whichever of their values is named first."""
    return tuple(sorted(map(repr, values.items())))


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_scan_finds_exactly_the_keys_of_one_person(client: Redis, data: st.DataObject) -> None:
    case = data.draw(sound_cases())
    one, *others = data.draw(st.lists(people(case), min_size=2, max_size=6, unique_by=sorted_items))
    inside = [str(value).encode() for value in one.values()]
    keys = {case.key(one, data.draw(fillers())) for _ in range(3)}
    plain = case.key(one, [b""] * 6)
    strangers = {case.key(other, data.draw(fillers(plain, *inside))) for other in others for _ in range(3)}
    client.flushdb()
    client.mset(dict.fromkeys((key for key in keys | strangers if key), b"x"))
    assert found(client, case.pattern, one) == keys
    client.flushdb()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.text(st.sampled_from(HOSTILE), min_size=1, max_size=5), st.sets(FILLERS, max_size=20))
def test_no_key_is_taken_for_a_glob(client: Redis, value: str, hostile: set[bytes]) -> None:
    pattern = Pattern.parse("k:{id}")
    client.flushdb()
    client.mset(dict.fromkeys({b"k:" + other for other in hostile} | {f"k:{value}".encode()}, b"x"))
    assert found(client, pattern, {"id": value}) == {f"k:{value}".encode()}
    client.flushdb()


def test_a_glob_alone_would_take_a_neighbour(client: Redis) -> None:
    pattern = Pattern.parse("seen:{id}:*", {"id": Spelling(family="integer")})
    client.mset(dict.fromkeys((b"seen:4:a", b"seen:42:a", b"seen:4", b"seen:4:\xff"), b"x"))
    assert found(client, pattern, {"id": 4}) == {b"seen:4:a", b"seen:4:\xff"}
