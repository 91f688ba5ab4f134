"""What discovery proposes for the demo's shop, held against where its people are by hand (demo/person.sql)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.discover import cache as of_cache
from datamap.discover import everything
from datamap.discover.cache import KeyPattern
from datamap.discover.finding import Link, Proposal
from datamap.discover.proposal import proposal, proposed
from datamap.discover.text import ACTIVITY, written
from datamap.discover.values import Rows
from datamap.document import Document
from demo import shop
from demo.crowd import FEATURED, Crowd
from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from shared.database import Database, connect
from shared.errors import AccessDenied
from shared.queries import query
from tests.run import administrator

USERS = 300
STARRED = {
    ("public.langchain_pg_embedding", "cmetadata->>'user_id'"),
    ("public.langchain_pg_embedding", "cmetadata->>'email'"),
    ("app.GiftCards", "recipientEmail"),
    ("app.comments", "author_id"),
    ("app.comments", "guest_email"),
    ("app.support_tickets", "watcher_ids[]"),
    ("app.events", "payload->>'user_id'"),
    ("app.events", "payload#>>'{actor,id}'"),  # as its index is spelled
    ("app.newsletter_subscribers", "email"),
    ("app.login_attempts", "login"),
}


@pytest.fixture(scope="module")
def address(own_server: PostgresAddress) -> PostgresAddress:
    with administrator(own_server) as cur:
        cur.execute("create database shop_to_discover template template0 encoding 'UTF8'")
    found = replace(own_server, database="shop_to_discover")
    with contextlib.closing(Database(found, application="gdpr-tests")) as database:
        shop._fill(database, found, Crowd(seed=1, size=USERS - FEATURED), lambda _: None)
    return found


@pytest.fixture
def cur(address: PostgresAddress) -> Iterator[cursor]:
    with contextlib.closing(connect(address, application="gdpr-tests")) as session, session.cursor() as opened:
        opened.execute("set transaction read only")
        yield opened


def catalogue(cur: cursor) -> Catalogue:
    cur.execute(query("catalogue"))
    row = cur.fetchone()
    assert row is not None
    return Catalogue.from_json(row[0])


@pytest.fixture
def found(cur: cursor) -> Proposal:
    facts = catalogue(cur)
    return proposal(facts, Rows(cur, facts))


def people_links(found: Proposal) -> dict[tuple[str, str], Link]:
    return {
        (str(decision.table), str(link.place)): link
        for decision in found.decisions
        for link in decision.links
        if link.is_person
    }


def test_the_users_are_the_people_and_their_tenants_are_not(found: Proposal) -> None:
    assert [str(kind.table) for kind in found.kinds] == ["app.users"]
    assert found.kinds[0].key == ("id",)
    assert dict(found.kinds[0].identities) == {"email": "email", "phone": "phone"}
    assert not found.of("app.tenants").personal
    assert not found.of("app.products").personal


def test_every_place_without_a_foreign_key_is_found(found: Proposal) -> None:
    assert set(people_links(found)) >= STARRED


def test_nothing_else_is_taken_for_a_person(found: Proposal) -> None:
    declared = {where for where, link in people_links(found).items() if link.foreign_key is not None}
    assert set(people_links(found)) - declared == STARRED


def test_a_guests_number_is_not_taken_for_a_users(found: Proposal) -> None:
    assert people_links(found)["app.comments", "author_id"].when == "author_type = 'User'"


def test_who_packed_closed_or_watched_merely_acted(found: Proposal) -> None:
    acted = {where for where, link in people_links(found).items() if link.role == "actor"}
    assert acted == {
        ("app.orders", "packed_by"),
        ("app.support_tickets", "closed_by"),
        ("app.support_tickets", "watcher_ids[]"),
    }


def test_a_team_is_where_people_meet_and_a_document_in_it_is_asked_about(found: Proposal) -> None:
    assert found.of("app.teams").shared is True
    assert found.of("app.documents").erase == "undecided"
    assert found.of("app.document_chunks").erase == "undecided"
    assert [link.erase for link in found.of("app.team_members").links if link.is_person] == ["delete"]


def test_a_message_is_left_to_the_other_side(found: Proposal) -> None:
    links = {str(link.place): link for link in found.of("app.messages").links}
    assert links["sender_id"].erase == {"sender_id": None, "body": None}
    assert links["recipient_id"].erase == {"recipient_id": None}


def test_what_several_accounts_share_is_never_deleted_for_one(found: Proposal) -> None:
    """Two tenants have a customer with the same address."""
    for name in ("app.login_attempts", "app.newsletter_subscribers", "public.langchain_pg_embedding"):
        assert found.of(name).erase == "undecided"


def test_the_rest_is_the_persons_own(found: Proposal) -> None:
    for name in (
        "users",
        "addresses",
        "orders",
        "order_items",
        "wishlist_items",
        "events",
        "support_tickets",
    ):
        assert found.of(f"app.{name}").erase == "delete"


def test_what_a_law_may_keep_is_asked_about(found: Proposal) -> None:
    assert found.of("app.invoices").erase == "undecided"
    assert any("does a law ask you to keep these" in note for note in found.of("app.invoices").notes)


def test_the_map_says_something_of_every_table_and_column(found: Proposal, cur: cursor) -> None:
    read = Document.parse(written(found)).map
    for table in catalogue(cur):
        entry = read.tables[str(table.name)]
        if not entry.personal or found.of(str(table.name)).is_undecided:
            continue
        linked = {column for link in found.of(str(table.name)).links for column in link.place.columns}
        assert set(table.columns) <= set(entry.columns) | linked | set(table.primary_key)


def test_no_value_of_anybody_is_in_the_map(found: Proposal, cur: cursor) -> None:
    text = written(found)
    cur.execute(
        "select email from app.users union all select full_name from app.users union all select phone from app.users"
    )
    assert not [value for (value,) in cur.fetchall() if value and value in text]


def test_the_same_database_gives_the_same_bytes(cur: cursor, address: PostgresAddress) -> None:
    facts = catalogue(cur)
    first = proposed(facts, Rows(cur, facts))
    assert proposed(facts, Rows(cur, facts)) == first
    cur.connection.rollback()
    with administrator(address) as other:
        other.execute("vacuum analyze")
    facts = catalogue(cur)
    assert proposed(facts, Rows(cur, facts)) == first


def test_a_catalogue_alone_gives_a_whole_map_with_more_left_open(cur: cursor, found: Proposal) -> None:
    facts = catalogue(cur)
    alone = proposal(facts)
    read = Document.parse(written(alone)).map
    assert set(read.tables) == {str(table.name) for table in facts}
    assert ("app.comments", "author_id") in people_links(alone)
    assert written(alone).count("undecided") > written(found).count("undecided")
    assert alone.of("app.messages").erase is None
    assert alone.of("app.teams").shared == "undecided"
    assert alone.of("app.documents").erase == "undecided"
    assert alone.of("app.documents").confidence == "low"


def test_a_cache_that_may_not_be_looked_into_is_said_at_the_top(cur: cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AccessDenied("The cache's user may not use SCAN on all keys", remedy="let it read")

    monkeypatch.setattr(of_cache, "sampled", refused)
    facts = catalogue(cur)
    found = everything.discovered(facts, Rows(cur, facts), redis.Redis()).text
    head = found.partition("\nversion:")[0].replace("\n# ", " ")
    assert "The cache was not looked into, and nothing is proposed for it: The cache's user may not use SCAN" in head
    assert Document.parse(found).map.cache.patterns == {}


def test_a_key_without_a_name_is_told_at_the_top_and_no_line_of_the_map(cur: cursor, valkey: CacheAddress) -> None:
    client = connect_cache(valkey, application="gdpr-tests")
    client.set("", "1")
    client.set("config:maintenance", "1")
    facts = catalogue(cur)
    found = everything.discovered(facts, Rows(cur, facts), client).text
    assert "a key whose name is empty" in " ".join(found.replace("#", "").split())
    assert list(Document.parse(found).map.cache.patterns) == ["config:maintenance"]


def test_each_kind_of_keys_has_an_activity(cur: cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = KeyPattern(
        pattern="app:feed:*", types={"string": 3}, keys=3, in_store=3, is_sampled=False, without_ttl=1, longest_ttl=None
    )
    monkeypatch.setattr(of_cache, "sampled", lambda *_, **__: [pattern])
    facts = catalogue(cur)
    found = Document.parse(everything.discovered(facts, Rows(cur, facts), redis.Redis()).text).map
    assert {each.activity for each in found.cache.patterns.values()} == {ACTIVITY}
    assert set(found.cache.patterns) == {"app:feed:*"}
