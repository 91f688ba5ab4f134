"""What the shop keeps in Valkey: who is logged in, what lies in carts, who was active, and limits on attempts.

Each kind of key names its person in another way: in the value, in the key, as a member, as a field, by e-mail address.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from redis import Redis
from redis.client import Pipeline

from demo.year import TODAY

DAY = 86_400
PEOPLE_AT_MOST = 5000  # four keys each
_PEOPLE_AT_ONCE = 500
_NOW = int(TODAY.timestamp())


@dataclass(frozen=True, kw_only=True)
class Person:
    id: int
    email: str


@dataclass(frozen=True, kw_only=True)
class Keys:
    """A cache, and the keys that the shop has in it: each is noted before it is written."""

    client: Redis
    written: dict[str, None] = field(default_factory=dict)

    def fill(self, people: list[Person], seed: int) -> None:
        for start in range(0, len(people), _PEOPLE_AT_ONCE):
            with self.client.pipeline(transaction=False) as pipeline:
                for person in people[start : start + _PEOPLE_AT_ONCE]:
                    self._write(person, seed, pipeline)
                pipeline.execute()

    def _write(self, person: Person, seed: int, pipeline: Pipeline) -> None:
        session = self._note(f"session:{uuid.uuid5(uuid.NAMESPACE_URL, f'{seed}/{person.id}')}")
        pipeline.set(session, json.dumps({"user_id": person.id, "ip": f"192.0.2.{person.id % 256}"}), ex=14 * DAY)
        pipeline.hset(self._note(f"cart:{person.id}"), mapping={str(person.id % 120 + 1): 1 + person.id % 3})
        pipeline.zadd(self._note("leaderboard"), {str(person.id): person.id * 37 % 1000})
        pipeline.xadd(
            self._note("activity"), {"user_id": person.id, "did": "looked"}, id=f"{_NOW * 1000 + person.id}-0"
        )
        pipeline.sadd(self._note("online"), person.id)
        # A real limit lives for minutes. These live for a day, so that there is time to look at them.
        pipeline.set(self._note(f"ratelimit:login:{person.email}"), 1 + person.id % 3, ex=DAY)
        pipeline.set(self._note(f"ratelimit:api:{person.id}:{_NOW // 60}"), 1 + person.id % 40, ex=DAY)

    def _note(self, key: str) -> str:
        self.written[key] = None
        return key

    def delete(self) -> None:
        keys = list(self.written)
        for start in range(0, len(keys), 1000):
            self.client.unlink(*keys[start : start + 1000])


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of key: how it names a person, how much there is of it, and how much of it is one person's."""

    name: str
    person: str
    count: Callable[[Redis], int]
    of_person: Callable[[Redis, Person], int]


def _keys(client: Redis, glob: str) -> Iterable[bytes]:
    return client.scan_iter(match=glob, count=1000)


def _matching(glob: str) -> Callable[[Redis], int]:
    return lambda client: sum(1 for _ in _keys(client, glob))


def _sessions_of(client: Redis, person: Person) -> int:
    values = (client.get(key) for key in _keys(client, "session:*"))
    return sum(json.loads(value)["user_id"] == person.id for value in values if value)


def _activity_of(client: Redis, person: Person) -> int:
    entries = client.xrange("activity") or []
    return sum((fields or {}).get(b"user_id") == str(person.id).encode() for _, fields in entries)


PATTERNS = (
    Pattern(
        name="session:*",
        person="inside its JSON value: user_id",
        count=_matching("session:*"),
        of_person=_sessions_of,
    ),
    Pattern(
        name="cart:{id}",
        person="the key ends with the id",
        count=_matching("cart:*"),
        of_person=lambda client, person: client.exists(f"cart:{person.id}"),
    ),
    Pattern(
        name="leaderboard",
        person="a member is the id",
        count=lambda client: client.zcard("leaderboard"),
        of_person=lambda client, person: int(client.zscore("leaderboard", str(person.id)) is not None),
    ),
    Pattern(
        name="activity",
        person="a field of the entry: user_id",
        count=lambda client: client.xlen("activity"),
        of_person=_activity_of,
    ),
    Pattern(
        name="online",
        person="a member is the id",
        count=lambda client: client.scard("online"),
        of_person=lambda client, person: int(client.sismember("online", str(person.id))),
    ),
    Pattern(
        name="ratelimit:login:{email}",
        person="the key ends with the e-mail",
        count=_matching("ratelimit:login:*"),
        of_person=lambda client, person: client.exists(f"ratelimit:login:{person.email}"),
    ),
    Pattern(
        name="ratelimit:api:{id}:{minute}",
        person="the id stands within the key",
        count=_matching("ratelimit:api:*"),
        of_person=lambda client, person: len(list(_keys(client, f"ratelimit:api:{person.id}:*"))),
    ),
)
