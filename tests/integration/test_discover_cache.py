"""What discovery makes of a cache: the demo's, and stores as well-known frameworks leave them behind."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import pickle
import random
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from datamap.catalogue import Family
from datamap.check.keys import unclassified
from datamap.check.naming import Naming
from datamap.discover.cache import KeyPattern, sampled
from datamap.discover.cache_lines import Line, lines
from datamap.discover.cache_persons import Key, Persons
from datamap.document import Document
from datamap.model import CacheEntry, Map
from demo.sessions import PATTERNS, Keys, Person
from shared.addresses import CacheAddress
from shared.cache import connect
from shared.errors import AccessDenied, StoreUnavailable
from shared.patterns import Spelling

NUMBERS = random.Random(1)
SPARSE = sorted(NUMBERS.sample(range(100_000, 9_000_000), 400))
DENSE = range(1, 401)
UUIDS = [str(uuid.UUID(int=NUMBERS.getrandbits(128), version=4)) for _ in range(400)]
EMAILS = [f"person{number}@mail.example" for number in range(400)]
NAMES = [first + last for first in ("al", "be", "ce", "du", "em") for last in ("da", "ko", "mira", "ro")]


def persons(ids: Collection[Any], family: Family = "integer", names: Collection[str] = NAMES) -> Persons:
    keys = {(str(each),) for each in ids}
    return Persons(
        key={"id": family},
        contains=lambda asked: keys & set(asked),
        identities={"email": set(EMAILS).intersection, "username": set(names).intersection},
    )


def tenants(keys: Collection[tuple[int, int]]) -> Persons:
    known = {(str(tenant), str(number)) for tenant, number in keys}

    def contains(asked: Collection[Key]) -> Collection[Key]:
        return known & set(asked)

    return Persons(key={"tenant_id": "integer", "id": "integer"}, contains=contains)


@pytest.fixture
def client(valkey: CacheAddress) -> Iterator[Redis]:
    with contextlib.closing(connect(valkey, application="gdpr-tests")) as opened:
        yield opened


@dataclass(frozen=True)
class Discovered:
    found: Mapping[str, KeyPattern]
    lines: Mapping[str, Line]

    @classmethod
    def of(cls, client: Redis, who: Persons, **limits: float) -> Discovered:
        found = sampled(client, persons=who, **{"seconds": 60, **limits})  # type: ignore[arg-type]
        return cls({each.pattern: each for each in found}, {line.pattern: line for line in lines(found, who)})

    def entry(self, pattern: str) -> dict[str, Any]:
        return self.lines[pattern].entry

    def why_undecided(self, pattern: str) -> str:
        line = self.lines[pattern]
        assert line.entry == {"erase": "undecided"}
        assert line.confidence == "none"
        return line.evidence


UNDECIDED = {"erase": "undecided"}
NAMING = Naming(key={"id": Spelling(family="integer")}, identities={}, alone=frozenset())
NO_LINES = Document.parse(
    "version: 1\ncontroller: {name: A, contact: B, authority: C}\nsubject: {table: app.users, key: id}\n"
).map


class TestDemo:
    """What demo/sessions.py says of its own keys."""

    EXPECTED: Mapping[str, dict[str, Any]] = {
        "session:*": {"holds": {"json": "user_id"}},
        "cart:{id}": {},
        "leaderboard": {"member": "{id}"},
        "activity": {"holds": {"field": "user_id"}},
        "online": {"member": "{id}"},
        "ratelimit:login:{email}": {},
        "ratelimit:api:{id}:*": {},
    }

    @pytest.fixture(params=[(400, 1), (2000, 10), (20_000, 10)], ids=["small", "usual", "large"])
    def demo(self, request: pytest.FixtureRequest, client: Redis) -> tuple[Redis, Persons]:
        """Everybody below 1001 has keys, and one in ten of the others."""
        count, one_in = request.param
        people = [
            Person(id=number, email=f"someone.{number}@mail{number % 7}.example") for number in range(1, count + 1)
        ]
        with_keys = [each for each in people if each.id < 1001 or each.id % one_in == 1]
        Keys(client=client).fill(with_keys, seed=1)
        emails = {each.email for each in people}
        return client, replace(persons(range(1, count + 1)), identities={"email": emails.intersection})

    def test_it_comes_out_as_the_demo_describes_it(self, demo: tuple[Redis, Persons]) -> None:
        client, who = demo
        discovered = Discovered.of(client, who)
        assert {line.pattern: line.entry for line in discovered.lines.values()} == self.EXPECTED
        assert all(line.confidence in ("high", "medium") for line in discovered.lines.values())
        assert all(CacheEntry.model_validate(line.entry) for line in discovered.lines.values())
        assert {each.name.replace("{minute}", "*") for each in PATTERNS} == set(discovered.lines)

    def test_it_says_how_many_keys_of_which_type_for_how_long(self, client: Redis) -> None:
        Keys(client=client).fill([Person(id=number, email=EMAILS[number]) for number in range(1, 101)], seed=1)
        found = Discovered.of(client, persons(range(1, 101))).found
        session = found["session:*"]
        assert (session.types, session.keys, session.in_store) == ({"string": 100}, 100, 403)
        assert (session.without_ttl, session.longest_ttl) == (0, 14 * 86_400)
        assert (found["cart:{id}"].without_ttl, found["cart:{id}"].longest_ttl) == (1, None)
        assert not any(each.is_sampled for each in found.values())


def put_frameworks(client: Redis, ids: Collection[Any]) -> None:
    """Keys as they are named and written by web frameworks, queues and limiters."""
    with client.pipeline(transaction=False) as pipeline:
        _put_frameworks(pipeline, ids)
        pipeline.execute()


def _put_frameworks(client: Pipeline, ids: Collection[Any]) -> None:
    drawn = random.Random(2)
    everybody = list(ids)
    for number, (key, email) in enumerate(zip(everybody[:60], EMAILS, strict=False)):
        digest = hashlib.sha256(str(number).encode()).hexdigest()[:32]
        token = base64.urlsafe_b64encode(drawn.randbytes(24)).decode()
        some_uuid = uuid.UUID(int=drawn.getrandbits(128), version=4)
        client.set(f":1:views.decorators.cache.cache_page..GET.{digest}.{digest[::-1]}.en-us.UTC", pickle.dumps([key]))
        client.set(f":1:django.contrib.sessions.cache{digest}", pickle.dumps({"_auth_user_id": str(key)}), ex=1000)
        client.set(f"session:{some_uuid}", b"\x81\xa7user_id\x2a")
        client.set(f"sess:{token}", json.dumps({"cookie": {"path": "/"}, "passport": {"user": key}}), ex=86_400)
        java = b"\xac\xed\x00\x05sr\x00"
        client.hset(f"spring:session:sessions:{some_uuid}", mapping={"sessionAttr:SPRING_SECURITY_CONTEXT": java})
        client.set(f"spring:session:sessions:expires:{some_uuid}", "")
        client.sadd(f"spring:session:index:PRINCIPAL_NAME_INDEX_NAME:{email}", str(some_uuid))
        client.set(f"cache:views/products/{number}-2026112010{number:04d}", b"\x04\x08o:\x0b")
        client.rpush("queue:default", json.dumps({"class": "MailJob", "args": [key, "welcome"], "jid": digest[:24]}))
        client.hset(f"bull:mail:{number + 1}", mapping={"name": "welcome", "data": json.dumps({"userId": key})})
        client.set(f"celery-task-meta-{some_uuid}", json.dumps({"status": "SUCCESS", "task_id": str(some_uuid)}))
        client.set(f"laravel_database_laravel_cache_:{digest}", b'a:1:{s:2:"id";i:3;}', ex=100)
        client.set(f"LIMITER/{email}/login/5/1/minute", 3, ex=60)
        client.set(f"{{user:{key}}}:cart", "x")
        client.set(f"rl:192.0.{number}.7", 3, ex=60)
        client.hset("last_seen", str(key), 1_795_174_203 + number)
        client.sadd("room:lobby", f"user:{key}")


class TestFrameworks:
    @pytest.fixture(params=["integer", "uuid"])
    def discovered(self, request: pytest.FixtureRequest, client: Redis) -> Discovered:
        ids: Collection[Any] = SPARSE if request.param == "integer" else UUIDS
        put_frameworks(client, ids)
        return Discovered.of(client, persons(ids, request.param))

    def test_people_are_found_where_the_framework_put_them(self, discovered: Discovered) -> None:
        assert {pattern: line.entry for pattern, line in discovered.lines.items() if line.entry != UNDECIDED} == {
            "sess:*": {"holds": {"json": "passport.user"}},
            "spring:session:index:PRINCIPAL_NAME_INDEX_NAME:{email}": {},
            "queue:default": {"holds": {"json": "args[]"}, "type": "list"},
            "bull:mail:*": {"holds": {"field": "data", "json": "userId"}},
            "LIMITER/{email}/login/5/1/minute": {},
            "{{user:{id}}}:cart": {},
            "last_seen": {"member": "{id}", "type": "hash"},
            "room:lobby": {"member": "user:{id}"},
        }

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            (":*:views.decorators.cache.cache_page..GET.*.en-us.UTC", "pickled by Python"),
            (":*:django.contrib.sessions.*", "pickled by Python"),
            ("session:*", "MessagePack"),
            ("spring:session:sessions:*", "serialised by Java"),
            ("cache:views/products/*", "marshalled by Ruby"),
            ("laravel_database_laravel_cache_:*", "serialised by PHP"),
            ("celery-task-meta-*", "nobody known"),
            ("spring:session:sessions:expires:*", "nobody known"),
            ("rl:*", "nobody known"),
        ],
    )
    def test_what_cannot_be_read_is_undecided_and_says_why(
        self, discovered: Discovered, pattern: str, reason: str
    ) -> None:
        assert reason in discovered.why_undecided(pattern)

    def test_nothing_else_comes_out(self, discovered: Discovered) -> None:
        assert len(discovered.lines) == 17


class TestSmallNumbers:
    """1 to 400 are somebody's id, and the number of everything else."""

    def test_a_number_that_is_called_after_a_person_is_one(self, client: Redis) -> None:
        for number in range(1, 61):
            client.set(f"user:{number}:settings", "x")
            client.set(f"job:{uuid.uuid4()}", json.dumps({"customerId": number, "count": number, "order_id": number}))
        discovered = Discovered.of(client, persons(DENSE))
        assert discovered.entry("user:{id}:settings") == {}
        assert discovered.entry("job:*") == {"holds": {"json": "customerId"}}

    @pytest.mark.parametrize("key", ["product", "order", "page", "counter"])
    def test_a_number_that_is_called_after_a_thing_is_none(self, client: Redis, key: str) -> None:
        client.mset({f"{key}:{number}": "x" for number in range(1, 401)})
        discovered = Discovered.of(client, persons(DENSE))
        assert discovered.why_undecided(f"{key}:*").startswith("nobody known")

    def test_numbers_that_end_where_the_ids_end_are_likely(self, client: Redis) -> None:
        client.mset({f"basket:{number}": "x" for number in range(1, 401, 3)})
        assert Discovered.of(client, persons(DENSE)).lines["basket:{id}"].confidence == "medium"

    @pytest.mark.parametrize("numbers", [range(1, 101), [7], [1, 2, 3]])
    def test_others_are_a_tie(self, client: Redis, numbers: Collection[int]) -> None:
        client.mset({f"basket:{number}": "x" for number in numbers})
        assert "may be id" in Discovered.of(client, persons(DENSE)).why_undecided("basket:*")

    def test_numbers_that_are_rare_are_no_accident_whatever_they_are_called(self, client: Redis) -> None:
        client.mset({f"basket:{number}": "x" for number in SPARSE[:20]})
        client.mset({f"box:{number}": "x" for number in range(SPARSE[0], SPARSE[0] + 60)})
        discovered = Discovered.of(client, persons(SPARSE))
        assert discovered.lines["basket:{id}"].confidence == "high"
        assert discovered.entry("box:*") == UNDECIDED

    def test_a_small_number_is_no_telephone(self, client: Redis) -> None:
        client.mset({f"box:{number}": "x" for number in range(1, 41)})
        who = persons(SPARSE, names=[str(number) for number in range(1, 41)])
        assert Discovered.of(client, who).entry("box:*") == UNDECIDED

    def test_counters_and_scores_are_no_persons(self, client: Redis) -> None:
        for number in range(1, 401):
            client.set(f"hits:{uuid.uuid4()}", number)
            client.set(f"x:{uuid.uuid4()}", number)
            client.zadd("popular:products", {f"p{number}x": number})
            client.hset("views", f"page-{number}x", number)
        discovered = Discovered.of(client, persons(DENSE))
        assert set(discovered.lines) == {"hits:*", "x:*", "popular:products", "views"}
        assert all(line.entry == UNDECIDED for line in discovered.lines.values())


class TestSeveralPeople:
    def test_a_key_of_one_person_that_holds_others_is_two_lines(self, client: Redis) -> None:
        for key in SPARSE[:40]:
            client.sadd(f"followers:{key}", *map(str, NUMBERS.sample(SPARSE, 4)))
        discovered = Discovered.of(client, persons(SPARSE))
        assert discovered.entry("followers:{id}") == {}
        assert discovered.entry("followers:*") == {"member": "{id}"}

    def test_a_value_that_repeats_whose_key_it_is_holds_nobody_else(self, client: Redis) -> None:
        for key, email in zip(SPARSE[:40], EMAILS, strict=False):
            client.set(f"user:{key}", json.dumps({"id": key, "email": email}))
        assert list(Discovered.of(client, persons(SPARSE)).lines) == ["user:{id}"]

    def test_a_key_of_two_people_is_for_somebody_to_decide(self, client: Redis) -> None:
        client.mset({f"call:{one}:{other}": "x" for one, other in zip(SPARSE[:40], SPARSE[40:80], strict=True)})
        assert "different people" in Discovered.of(client, persons(SPARSE)).why_undecided("call:*")

    def test_a_message_between_two_people_is_for_somebody_to_decide(self, client: Redis) -> None:
        for one, other in zip(SPARSE[:40], SPARSE[40:80], strict=True):
            client.set(f"message:{uuid.uuid4()}", json.dumps({"sender": one, "recipient": other}))
        assert "several people" in Discovered.of(client, persons(SPARSE)).why_undecided("message:*")

    def test_people_who_are_names_of_properties_cannot_be_said(self, client: Redis) -> None:
        client.set("scores", json.dumps({str(key): 1 for key in SPARSE[:40]}))
        client.set("teams", json.dumps({f"team {number} a1b2": {"lead": SPARSE[number]} for number in range(40)}))
        discovered = Discovered.of(client, persons(SPARSE))
        assert "which no entry can say" in discovered.why_undecided("scores")
        assert "JSON *.lead, which no entry can say" in discovered.why_undecided("teams")


class TestKeysOfSeveralColumns:
    PEOPLE = tuple((tenant, number) for tenant in (3, 8) for number in SPARSE[tenant * 10 : tenant * 10 + 60])

    def test_both_columns_stand_in_the_pattern(self, client: Redis) -> None:
        client.mset({f"t:{tenant}:cart:{number}": "x" for tenant, number in self.PEOPLE[::2]})
        line = Discovered.of(client, tenants(self.PEOPLE)).lines["t:{tenant_id}:cart:{id}"]
        assert (line.entry, line.confidence) == ({}, "high")

    def test_tenants_whose_people_have_the_same_numbers_are_a_tie(self, client: Redis) -> None:
        everybody = [(tenant, number) for tenant in range(1, 9) for number in range(1, 201)]
        client.mset({f"x:{tenant}:{number}": "y" for tenant, number in everybody if number <= 40})
        assert "nearly everything" in Discovered.of(client, tenants(everybody)).why_undecided("x:*")

    def test_they_are_found_in_any_order_and_in_members(self, client: Redis) -> None:
        client.mset({f"{number}/{tenant}/cart": "x" for tenant, number in self.PEOPLE[::2]})
        client.sadd("online", *(f"{tenant}:{number}" for tenant, number in self.PEOPLE[::2]))
        discovered = Discovered.of(client, tenants(self.PEOPLE))
        assert discovered.entry("{id}/{tenant_id}/cart") == {}
        assert discovered.entry("online") == {"member": "{tenant_id}:{id}"}

    def test_one_column_alone_names_nobody(self, client: Redis) -> None:
        client.mset({f"cart:{number}": "x" for _, number in self.PEOPLE[::2]})
        assert Discovered.of(client, tenants(self.PEOPLE)).entry("cart:*") == UNDECIDED

    def test_two_places_of_a_value_are_said_although_no_entry_can(self, client: Redis) -> None:
        for tenant, number in self.PEOPLE[::2]:
            client.set(f"session:{uuid.uuid4()}", json.dumps({"tenant": tenant, "user": number}))
        why = Discovered.of(client, tenants(self.PEOPLE)).why_undecided("session:*")
        assert "JSON tenant and the value, JSON user together name a person" in why


class TestOtherWaysToWrite:
    def test_a_uuid_without_hyphens_is_said_and_not_bound(self, client: Redis) -> None:
        client.mset({f"cart:{key.replace('-', '')}": "x" for key in UUIDS[:40]})
        assert "without hyphens" in Discovered.of(client, persons(UUIDS, "uuid")).why_undecided("cart:*")

    def test_an_address_of_nobody_known_is_somebodys_all_the_same(self, client: Redis) -> None:
        client.mset({f"newsletter:guest{number}@elsewhere.example": "x" for number in range(30)})
        line = Discovered.of(client, persons(SPARSE)).lines["newsletter:{email}"]
        assert (line.entry, line.confidence) == ({}, "low")

    def test_an_address_in_a_value_is_an_identity(self, client: Redis) -> None:
        for email in EMAILS[:40]:
            client.set(f"invite:{uuid.uuid4()}", json.dumps({"to": {"email": email}}))
        entry = Discovered.of(client, persons(SPARSE)).entry("invite:*")
        assert entry == {"holds": {"identity": "email", "json": "to.email"}}

    def test_a_text_that_may_hold_the_delimiter_behind_it_is_not_proposed(self, client: Redis) -> None:
        client.mset({f"seen:{email}:{number}": "x" for number, email in enumerate(EMAILS[:40])})
        assert "does not say where" in Discovered.of(client, persons(SPARSE)).why_undecided("seen:{email}:*")


class TestLimits:
    def test_one_key_among_many_thousands_is_found_by_its_look(self, client: Redis) -> None:
        client.mset({f"cart:{number}": "x" for number in range(30_000)})
        client.sadd("online", *range(1, 30))
        discovered = Discovered.of(client, persons(range(1, 30_001)), keys=500)
        assert set(discovered.lines) == {"cart:{id}", "online"}
        assert discovered.found["cart:{id}"].is_sampled
        assert discovered.found["cart:{id}"].keys < 2_000
        assert discovered.found["cart:{id}"].in_store == 30_001

    def test_figures_of_a_sample_are_not_told(self, client: Redis) -> None:
        client.mset({f"cart:{number}": "x" for number in range(5_000)})
        evidence = Discovered.of(client, persons(range(5_000)), keys=500).lines["cart:{id}"].evidence
        assert "sampled" in evidence
        assert not any(character.isdigit() for character in evidence)

    def test_no_large_value_is_read(self, client: Redis) -> None:
        client.set("page:home", "[" + "1," * 500_000 + "1]")
        client.hset("blobs", mapping={f"name{number}": "x" * 1_000_000 for number in range(8)})
        client.rpush("jobs", *[str(number) * 100_000 for number in range(50)])
        before = client.info("stats")["total_net_output_bytes"]
        discovered = Discovered.of(client, persons(SPARSE))
        assert client.info("stats")["total_net_output_bytes"] - before < 200_000
        for pattern in ("page:home", "blobs", "jobs"):
            assert "too large to be read" in discovered.why_undecided(pattern)

    def test_of_a_large_collection_a_part_is_read(self, client: Redis) -> None:
        client.sadd("online", *range(1, 50_001))
        client.zadd("leaders", {str(number): number for number in range(1, 50_001)})
        before = client.info("stats")["total_net_output_bytes"]
        discovered = Discovered.of(client, persons(range(1, 50_001)))
        assert client.info("stats")["total_net_output_bytes"] - before < 100_000
        assert discovered.entry("online") == discovered.entry("leaders") == {"member": "{id}"}
        assert discovered.found["online"].is_sampled

    def test_without_time_everything_is_undecided(self, client: Redis) -> None:
        client.set("session:main", json.dumps({"user_id": SPARSE[0]}))
        discovered = Discovered.of(client, persons(SPARSE), seconds=0)
        assert "no time" in discovered.why_undecided("session:main")

    def test_an_empty_cache_has_no_patterns(self, client: Redis) -> None:
        assert sampled(client, persons=persons(SPARSE)) == []

    def test_nothing_is_changed(self, client: Redis) -> None:
        put_frameworks(client, SPARSE)
        before = client.info("persistence")["rdb_changes_since_last_save"]
        sampled(client, persons=persons(SPARSE))
        assert client.info("persistence")["rdb_changes_since_last_save"] == before

    @pytest.mark.parametrize("command", ["scan", "type", "dbsize", "get range", "memory|usage", "hscan", "ttl"])
    def test_a_command_that_is_denied_is_named(self, client: Redis, valkey: CacheAddress, command: str) -> None:
        client.set("a", "x")
        client.hset("b", mapping={"user_id": SPARSE[0]})
        denied = command.replace(" ", "")
        client.acl_setuser(
            "looker", enabled=True, reset=True, passwords="+pw", keys="*", commands=["+@all", f"-{denied}"]
        )
        try:
            address = replace(valkey, user="looker", password="pw")
            with contextlib.closing(connect(address, application="gdpr-tests")) as looker:
                with pytest.raises(AccessDenied) as refused:
                    sampled(looker, persons=persons(SPARSE))
            assert f"may not use {denied.replace('|', ' ').upper()}" in refused.value.sentence
            assert valkey.where.split("/")[0] in refused.value.sentence
        finally:
            client.acl_deluser("looker")

    def test_a_cache_that_is_gone_is_said(self) -> None:
        with (
            contextlib.closing(Redis(port=1, retry=Retry(NoBackoff(), 0))) as nobody,
            pytest.raises(StoreUnavailable, match="localhost:1"),
        ):
            sampled(nobody, persons=persons(SPARSE))


class TestPrivacy:
    """Nobody's value leaves: patterns are vocabulary, evidence is counts and places."""

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_no_value_of_anybody_is_told(self, client: Redis, data: st.DataObject) -> None:
        letters = st.text(st.sampled_from("qxzjkv"), min_size=5, max_size=9)
        names = data.draw(st.lists(letters, min_size=2, max_size=12, unique=True))
        templates = ["u:{0}", "{0}:{1}", "cart:{0}:items", "a:{1}@m.example", "x:y:{0}.{1}", "{{{0}}}:z", "inbox-{0}"]
        client.flushdb()
        for template in data.draw(st.lists(st.sampled_from(templates), min_size=1, max_size=4, unique=True)):
            for number, name in enumerate(names):
                client.hset(template.format(name, SPARSE[number]), mapping={name: json.dumps({name: SPARSE[number]})})
        client.hset("by-name", mapping=dict.fromkeys(names, SPARSE[0]))
        client.set("all", json.dumps({name: {"friend": names[0]} for name in names}))
        who = persons(SPARSE, names=names)
        found = sampled(client, persons=who, seconds=60)
        told = repr(found) + repr(lines(found, who))
        assert not [value for value in (*names, *map(str, SPARSE), "m.example") if value in told]
        client.flushdb()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_nobody_is_told_of_whom_nobody_knows_here(self, client: Redis, data: st.DataObject) -> None:
        """Names that are in no table: neither what is proposed nor what the check says repeats a part of one."""
        letters = st.text(st.sampled_from("qxzjkvQé"), min_size=4, max_size=8).filter(lambda each: "QQ" not in each)
        names = data.draw(st.lists(letters, min_size=2, max_size=8, unique=True))
        keys = (
            "{0}_{1}:avatar",
            "pwreset:{0}",
            "session:{0}.{1}",
            "{0}",
            "user:{0}:{1}",
            "cart-{0}-{2}",
            "{0}:{2}:{1}",
        )
        put = data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=4, unique=True))
        client.flushdb()
        for name, other in itertools.pairwise(names):
            for number in range(data.draw(st.integers(1, 12))):
                for key in put:
                    value = {name: number, "seen": {other: {"user_id": SPARSE[0]}}}
                    client.hset(key.format(name, other, number), mapping={name: 1, "data": json.dumps(value)})
                client.sadd("online", f"{name}:{SPARSE[number]}")
            client.xadd("activity", {name: SPARSE[1], "user_id": SPARSE[0]})
        who = persons(SPARSE)
        found = sampled(client, persons=who, seconds=60)
        told = repr(found) + repr(lines(found, who)) + repr(unclassified(NO_LINES, {"person": NAMING}, found))
        assert not [name for name in names if name in told]
        client.flushdb()

    def test_a_lone_name_is_a_star(self, client: Redis) -> None:
        client.mset({"smith_john:avatar": "x", "pwreset:abc": "x", "leaderboard": "x", "doe_jane:avatar": "x"})
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"*:avatar", "pwreset:*", "leaderboard"}

    def test_one_key_that_is_called_a_setting_is_one(self, client: Redis) -> None:
        client.mset({"config:maintenance": "off", "feature:x:enabled": "1", "config:mail": EMAILS[0]})
        discovered = Discovered.of(client, persons(SPARSE))
        assert discovered.entry("config:maintenance") == {"personal": False, "reason": "a setting of the application"}
        assert discovered.entry("feature:*:enabled") == UNDECIDED
        assert discovered.entry("config:mail")["holds"]

    def test_a_word_that_nobody_knows_stays_where_many_keys_have_it(self, client: Redis) -> None:
        client.mset({f"blorb:{uuid.uuid4()}": "x" for _ in range(20)})
        client.mset({f"zonk:{uuid.uuid4()}:x9": "x" for _ in range(19)})
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"blorb:*", "*"}

    def test_who_has_many_sessions_is_no_word_beside_those_who_have_few(self, client: Redis) -> None:
        client.mset({f"session:smith:{uuid.uuid4()}": "x" for _ in range(40)})
        client.mset({f"session:doe:{uuid.uuid4()}": "x" for _ in range(3)})
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"session:*"}

    def test_a_word_of_the_database_is_known(self, client: Redis) -> None:
        client.set("blorbs:open", "x")
        who = persons(SPARSE)
        assert set(Discovered.of(client, who).lines) == {"*:open"}
        assert set(Discovered.of(client, replace(who, words=frozenset({"blorb"}))).lines) == {"blorbs:open"}

    def test_a_map_that_names_them_by_their_own_words_covers_them(self, client: Redis) -> None:
        """What is not written down is compared all the same."""
        client.mset({"blorb:open": "x", "zonk:open": "x"})
        (found,) = sampled(client, persons=persons(SPARSE), seconds=60)
        assert (found.pattern, found.keys) == ("*:open", 2)
        assert sorted((each.pattern, each.keys) for each in found.apart) == [("blorb:open", 1), ("zonk:open", 1)]
        assert "blorb" not in repr(found)
        half, whole = NO_LINES.data(), NO_LINES.data()
        half["cache"] = {"blorb:open": {"personal": False, "reason": "x"}}
        whole["cache"] = {**half["cache"], "zonk:open": {"personal": False, "reason": "x"}}
        (fault,) = unclassified(Map.model_validate(half), {"person": NAMING}, [found])
        assert "*:open" in fault.message
        assert not unclassified(Map.model_validate(whole), {"person": NAMING}, [found])

    def test_a_word_of_a_program_stays_although_somebody_is_called_so(self, client: Redis) -> None:
        for number in range(60):
            client.set(f"session:{uuid.uuid4()}", json.dumps({"user_id": SPARSE[number], "role": "x"}))
            client.set(f"settings:theme:{number}", "dark")
        discovered = Discovered.of(client, persons(SPARSE, names=["session", "theme", "user_id", "role"]))
        assert discovered.entry("session:*") == {"holds": {"json": "user_id"}}

    def test_a_single_name_among_words_is_not_written_down(self, client: Redis) -> None:
        client.mset({"settings:global": "x", "settings:default": "x", "settings:almira": "x"})
        told = set(Discovered.of(client, persons(SPARSE)).lines)
        assert told == {"settings:{username}", "settings:default", "settings:global"}

    def test_a_few_names_with_many_keys_are_names(self, client: Redis) -> None:
        client.mset({f"cart:{name}:{number}": "x" for name in NAMES[:2] for number in range(30)})
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"cart:{username}:*"}

    def test_many_words_at_one_place_are_values(self, client: Redis) -> None:
        words = ["visit" + first + second for first in "abcdefg" for second in "uvwxyz"]
        client.mset({f"guest:{word}:{what}": "x" for word in words for what in ("cart", "seen")})
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"guest:*:cart", "guest:*:seen"}

    def test_what_cannot_be_printed_is_a_star(self, client: Redis) -> None:
        keys = (b"tag:\x00:cart", b"tag:\xff\xfe:lock", b"tag:\n:menu", "tag:\u2028:jobs".encode())
        client.mset(dict.fromkeys(keys, "x"))
        told = set(Discovered.of(client, persons(SPARSE)).lines)
        assert told == {"tag:*:cart", "tag:*:lock", "tag:*:menu", "tag:*:jobs"}

    def test_tokens_of_any_form_are_stars(self, client: Redis) -> None:
        drawn = random.Random(3)
        for _ in range(100):
            client.set(f"reset:{base64.b64encode(drawn.randbytes(18)).decode()}", "x")
            client.set(f"csrf:{base64.urlsafe_b64encode(drawn.randbytes(32)).decode()}", "x")
            client.set(f"otp:{drawn.randbytes(4).hex()}", "x")
            client.set(f"short:{base64.b32encode(drawn.randbytes(5)).decode()}", "x")
        assert set(Discovered.of(client, persons(SPARSE)).lines) == {"reset:*", "csrf:*", "otp:*", "short:*"}


class TestDeterminism:
    def test_the_same_store_is_told_alike_in_whatever_order_it_was_filled(self, client: Redis) -> None:
        put_frameworks(client, SPARSE)
        Keys(client=client).fill(
            [Person(id=key, email=email) for key, email in zip(SPARSE, EMAILS, strict=True)], seed=1
        )
        first = sampled(client, persons=persons(SPARSE), seconds=60)
        values = {key: (client.dump(key) or b"", client.pttl(key)) for key in client.scan_iter(count=1000)}
        client.flushdb()
        shuffled = list(values)
        random.Random(4).shuffle(shuffled)
        with client.pipeline(transaction=False) as pipeline:
            for key in shuffled:
                dump, ttl = values[key]
                pipeline.restore(key, max(ttl, 0), dump)
            pipeline.execute()
        second = sampled(client, persons=persons(SPARSE), seconds=60)
        assert second == first
        assert lines(second, persons(SPARSE)) == lines(first, persons(SPARSE))
