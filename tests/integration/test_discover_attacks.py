"""Schemas that were made to have discovery take somebody's row for somebody else's, or for nobody's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.discover.finding import Decision, Link, Proposal
from datamap.discover.proposal import proposal
from datamap.discover.text import written
from datamap.discover.values import Rows
from datamap.document import Document
from shared.addresses import PostgresAddress
from shared.database import connect
from shared.queries import query

USERS = """
create table users (id serial primary key, email text unique not null, name text);
insert into users (email, name) select 'usr' || g || '@mail.example', 'Name ' || g from generate_series(1, 12) as g;
"""
CONTACTS = """
create table contacts (id serial primary key, name text, email text, message text);
insert into contacts (name, email, message)
  select 'Caller ' || g, 'c' || g || '@other.example', 'call me' from generate_series(1, 12) as g;
"""
PAIRS = [
    ("matches", "left_user", "right_user"),
    ("follows", "follower", "followed"),
    ("friendships", "user", "friend"),
]
TENANTS = """
create table tenants (id int primary key, title text);
insert into tenants select g, 'tenant' from generate_series(1, 3) as g;
create table users (tenant_id int references tenants, id int, email text unique, full_name text,
  encrypted_password text, primary key (tenant_id, id));
insert into users
  select 1 + g % 3, 1 + g / 3, 'p' || g || '@mail.example', 'Name', 'x' from generate_series(0, 89) as g;
"""


@pytest.fixture(scope="module")
def session(own_server: PostgresAddress) -> Iterator[connection]:
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as opened:
        yield opened


@pytest.fixture
def cur(session: connection) -> Iterator[cursor]:
    try:
        yield session.cursor()
    finally:
        session.rollback()


def proposed(cur: cursor, sql: str) -> Proposal:
    cur.execute(f"set local search_path = public, pg_catalog; {sql}; set local search_path = pg_catalog, pg_temp")
    cur.execute(query("catalogue"))
    row = cur.fetchone()
    assert row is not None
    catalogue = Catalogue.from_json(row[0])
    found = proposal(catalogue, Rows(cur, catalogue))
    Document.parse(written(found))
    return found


def is_undecided(decision: Decision) -> bool:
    of_links = any(link.erase == "undecided" or link.role == "undecided" for link in decision.links)
    return decision.is_undecided or decision.erase == "undecided" or of_links


def deletes(decision: Decision) -> bool:
    """Whether rows of it go, by the table's own word or by that of a link."""
    links = [link for link in decision.links if link.is_person and link.is_owner]
    return decision.erase == "delete" or any(link.erase == "delete" for link in links)


def link(decision: Decision, place: str) -> Link:
    return next(each for each in decision.links if str(each.place) == place)


# Rows of two people.


@pytest.mark.parametrize(
    "sql",
    [
        """create table visits (id serial primary key, patient_id int not null references users,
             doctor_id int references users, starts_at timestamptz, status text);
           insert into visits (patient_id, doctor_id, starts_at, status)
             select 1 + g % 9, 10 + g % 3, now(), 'planned' from generate_series(1, 40) as g""",
        """create table visits (id serial primary key, team text, user_id int not null references users,
             deputy_id int references users);
           insert into visits (team, user_id, deputy_id)
             select 'a', 1 + g % 12, 1 + (g + 5) % 12 from generate_series(1, 40) as g""",
        """create table visits (id serial primary key, patient_id int not null references users,
             doctor_id int not null references users, starts_at timestamptz);
           insert into visits (patient_id, doctor_id, starts_at)
             select 1 + g % 9, 10 + g % 3, now() from generate_series(1, 40) as g""",
        """create table visits (id serial primary key, user_id int not null references users,
             deputy_id int references users, unique (user_id, deputy_id));
           insert into visits (user_id, deputy_id)
             select 1 + g % 12, 1 + (g + 1 + g / 12) % 12 from generate_series(0, 35) as g""",
        """create table visits (id serial primary key, user_id int not null references users, data jsonb);
           insert into visits (user_id, data)
             select 1 + g % 9, jsonb_build_object('author', jsonb_build_object('user_id', 10 + g % 3),
               'excerpt', 'you were diagnosed')
             from generate_series(1, 40) as g""",
    ],
)
def test_a_row_of_two_people_is_not_deleted_for_either_of_them(cur: cursor, sql: str) -> None:
    found = proposed(cur, USERS + sql).of("visits")
    assert not deletes(found)
    assert is_undecided(found)


def test_a_document_below_a_shared_place_is_no_mere_membership(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table teams (id serial primary key, owner_id int not null references users, title text);
        insert into teams (owner_id, title) select g, 'team' from generate_series(1, 12) as g;
        create table memberships (team_id int references teams, user_id int references users,
          primary key (team_id, user_id));
        insert into memberships select 1 + g % 12, 1 + (g + g / 12) % 12 from generate_series(0, 35) as g;
        create table shouts (id serial primary key, team_id int not null references teams, data jsonb);
        insert into shouts (team_id, data)
          select 1 + g % 12, jsonb_build_object('user_id', 1 + (g + g / 12) % 12, 'said', 'they were late')
          from generate_series(0, 35) as g;
        """,
    )
    assert deletes(found.of("memberships"))
    assert found.of("shouts").erase == "undecided"


@pytest.mark.parametrize(
    "sql",
    [
        "create table matches (left_user_id int references users, right_user_id int references users,"
        " created_at timestamptz, primary key (left_user_id, right_user_id))",
        "create table follows (follower_id int references users, followed_id int references users,"
        " created_at timestamptz, primary key (follower_id, followed_id))",
        "create table friendships (id serial primary key, user_id int not null references users,"
        " friend_id int not null references users, created_at timestamptz)",
    ],
)
def test_a_row_that_is_nothing_but_two_people_goes_with_either_of_them(cur: cursor, sql: str) -> None:
    name, one, other = next(each for each in PAIRS if each[0] in sql)
    rows = f"""insert into {name} ({one}_id, {other}_id)
      select 1 + g % 12, 1 + (g + 1 + g / 12) % 12 from generate_series(0, 35) as g"""
    found = proposed(cur, f"{USERS} {sql}; {rows}").of(name)
    assert {each.erase for each in found.links} == {"delete"}


# Numbers that fit many keys.


def test_a_number_named_like_the_key_of_another_table_is_no_persons_key(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table customer_lookup (customer_id bigserial primary key, user_id int unique references users,
          city text);
        insert into customer_lookup (user_id, city) select 13 - g, 'Ulm' from generate_series(1, 12) as g;
        create table order_stats (order_id serial primary key, customer_id bigint not null, total numeric);
        insert into order_stats (customer_id, total) select 1 + g % 12, g from generate_series(1, 60) as g;
        """,
    )
    named = link(found.of("order_stats"), "customer_id")
    assert [str(each.place) for each in found.of("customer_lookup").links] == ["user_id"]
    assert named.target.name == "customer_lookup" or named.role == "undecided"


@pytest.mark.parametrize("declared", ["references users", ""])
def test_a_profile_with_the_key_of_its_person_is_no_rival(cur: cursor, declared: str) -> None:
    found = proposed(
        cur,
        f"""
        create table users (user_id int primary key, email text unique not null, name text);
        insert into users select g, 'usr' || g || '@mail.example', 'Name' from generate_series(1, 12) as g;
        create table user_details (user_id int primary key {declared}, city text);
        insert into user_details select g, 'Ulm' from generate_series(1, 12) as g;
        create table orders (order_id serial primary key, user_id int not null, total numeric);
        insert into orders (user_id, total) select 1 + g % 12, g from generate_series(1, 60) as g;
        """,
    ).of("orders")
    assert (link(found, "user_id").target.name, found.erase) == ("users", "delete")


def test_a_table_that_counts_its_own_rows_does_not_point_at_another_with_them(cur: cursor) -> None:
    tables = """
    create table {0} (meta_id bigint primary key, user_id int references users, label text);
    insert into {0} select g, 1 + g % 12, 'x' from generate_series(1, 40) as g;
    """
    found = proposed(cur, USERS + tables.format("postmeta") + tables.format("pagemeta"))
    assert {str(each.place) for name in ("postmeta", "pagemeta") for each in found.of(name).links} == {"user_id"}


EVENTS = """
create table events (id serial primary key, kind text, data jsonb);
insert into events (kind, data) select 'seen', {value} from generate_series(1, 40) as g;
"""


def test_a_number_in_json_that_two_kinds_of_people_have_is_never_both(cur: cursor) -> None:
    value = "jsonb_build_object('user', jsonb_build_object('id', 1 + g % 12))"
    found = proposed(cur, USERS + CONTACTS + EVENTS.format(value=value))
    assert len(found.kinds) == 2
    assert [(each.kind, each.role) for each in found.of("events").links] == [("user", "owner")]


def test_a_number_in_json_with_a_name_for_anybody_is_undecided_among_two_kinds(cur: cursor) -> None:
    found = proposed(cur, USERS + CONTACTS + EVENTS.format(value="jsonb_build_object('owner_id', 1 + g % 12)"))
    assert len(found.kinds) == 2
    assert {each.role for each in found.of("events").links} == {"undecided"}


def test_a_number_in_json_that_names_another_table_is_undecided(cur: cursor) -> None:
    accounts = """
    create table accounts (id serial primary key, iban text, bank text);
    insert into accounts (iban, bank) select 'x' || g, 'b' from generate_series(1, 20) as g;
    """
    found = proposed(cur, USERS + accounts + EVENTS.format(value="jsonb_build_object('account_id', 1 + g % 12)"))
    assert not deletes(found.of("events"))


def test_a_number_in_json_is_the_key_of_a_person_and_no_other_number_of_theirs(cur: cursor) -> None:
    ranks = "alter table users add rank int unique; update users set rank = 13 - id;"
    value = "jsonb_build_object('user_id', 1 + g % 12)"
    found = proposed(cur, USERS + ranks + EVENTS.format(value=value)).of("events")
    assert [each.target_columns for each in found.links] == [("id",)]


# Addresses.


@pytest.mark.parametrize(
    "sql",
    [
        """create table things (option_name text primary key, option_value text);
           insert into things select 'option' || g, 'on' from generate_series(1, 30) as g;
           insert into things values ('admin_email', 'usr3@mail.example')""",
        """create table things (id serial primary key, title text, support_mail text);
           insert into things (title, support_mail)
             select 'Lamp', 'usr' || (1 + g % 3) || '@mail.example' from generate_series(1, 30) as g""",
        """create table things (id serial primary key, title text, notify_email text, vat text);
           insert into things (title, notify_email, vat)
             select 'Store', 'usr' || g || '@mail.example', 'DE' || g from generate_series(1, 12) as g""",
        """create table stores (id serial primary key, title text, email text, vat text);
           insert into stores (title, email, vat)
             select 'Store', 'usr' || g || '@mail.example', 'DE' || g from generate_series(1, 12) as g""",
        """create table things (id serial primary key, title text, email text);
           insert into things (title, email)
             select 'Lamp', 'usr' || g || '@mail.example' from generate_series(1, 9) as g""",
        """create table things (id serial primary key, title text, email text);
           insert into things (title, email)
             select 'Lamp', 'usr' || (1 + g % 2) || '@mail.example' from generate_series(1, 40) as g""",
    ],
)
def test_an_address_on_a_thing_does_not_make_it_somebodys(cur: cursor, sql: str) -> None:
    found = proposed(cur, USERS + sql).of("stores" if "stores" in sql else "things")
    assert not deletes(found)
    assert is_undecided(found)


def test_rows_with_the_addresses_of_many_people_are_theirs(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table signups (id serial primary key, email text, topic text);
        insert into signups (email, topic)
          select 'usr' || (1 + g % 12) || '@mail.example', 'news' from generate_series(1, 40) as g;
        """,
    ).of("signups")
    assert deletes(found)


def test_a_second_address_on_somebodys_row_does_not_hold_it_up(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table trips (id serial primary key, user_id int not null references users, contact_email text);
        insert into trips (user_id, contact_email)
          select 1 + g % 12, 'usr' || (1 + g % 12) || '@mail.example' from generate_series(1, 40) as g;
        """,
    ).of("trips")
    assert deletes(found)


# Deeds.


@pytest.mark.parametrize("deed", ["filed_by", "lent_by", "incurred_by", "lodged_by", "raised_by"])
def test_whoever_files_a_complaint_is_no_mere_actor(cur: cursor, deed: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""
        create table grievances (id serial primary key, {deed} int not null references users,
          against int references users, details text);
        insert into grievances ({deed}, against, details)
          select 1 + g % 6, 7 + g % 6, 'they shouted' from generate_series(1, 40) as g;
        """,
    ).of("grievances")
    assert not deletes(found)
    assert link(found, deed).role == "owner"


# Links that only a closer look finds.


@pytest.mark.parametrize(
    "sql",
    [
        """create table boards (id serial primary key, title text, user_ids int[]);
           insert into boards (title, user_ids)
             select 'b', array[1 + g % 30, 1 + (g + 7) % 30] from generate_series(1, 40) as g""",
        """create table boards (id serial primary key, title text, meta jsonb);
           insert into boards (title, meta)
             select 'b', jsonb_build_object('user_id', 1 + g % 30) from generate_series(1, 40) as g""",
    ],
)
def test_a_part_of_a_key_of_several_columns_is_asked_about(cur: cursor, sql: str) -> None:
    found = proposed(cur, f"{TENANTS} {sql}").of("boards")
    assert is_undecided(found)


MESSAGES = """
create table messages (id uuid primary key, user_id int not null references users, body text);
insert into messages select md5('m' || g)::uuid, 1 + g % 12, 'hello' from generate_series(1, 40) as g;
"""


@pytest.mark.parametrize(
    "sql",
    [
        """create table parts (id serial primary key, data jsonb);
           insert into parts (data)
             select jsonb_build_object('message_id', md5('m' || g)::uuid) from generate_series(1, 40) as g""",
        """create table parts (id serial primary key, cmetadata jsonb, embedding double precision[]);
           insert into parts (cmetadata, embedding)
             select jsonb_build_object('source', jsonb_build_object('ref', md5('m' || g)::uuid)), '{1,2}'
             from generate_series(1, 40) as g""",
        """create table parts (id serial primary key, message_ids uuid[]);
           insert into parts (message_ids) select array[md5('m' || g)::uuid] from generate_series(1, 40) as g""",
    ],
)
def test_the_key_of_somebodys_row_in_a_document_is_asked_about(cur: cursor, sql: str) -> None:
    found = proposed(cur, USERS + MESSAGES + sql).of("parts")
    assert is_undecided(found)
    assert [(each.target.name, each.role) for each in found.links] == [("messages", "undecided")]


@pytest.mark.parametrize(("column", "is_asked"), [("updated_by", True), ("user_id", False)])
def test_whoever_merely_touched_a_row_does_not_own_its_document(cur: cursor, column: str, is_asked: bool) -> None:
    found = proposed(
        cur,
        USERS
        + MESSAGES
        + f"""
        create table parts (id serial primary key, {column} int not null references users, data jsonb);
        insert into parts ({column}, data)
          select 1 + g % 12, jsonb_build_object('message_id', md5('m' || g)::uuid) from generate_series(1, 40) as g;
        """,
    ).of("parts")
    assert ("messages" in {each.target.name for each in found.links}) is is_asked
    assert is_undecided(found) is is_asked


def test_the_key_of_a_thing_in_a_document_is_no_link_to_anybody(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table products (id uuid primary key, sku text);
        insert into products select md5('m' || g)::uuid, 'sku' || g from generate_series(1, 40) as g;
        create table parts (id serial primary key, data jsonb);
        insert into parts (data)
          select jsonb_build_object('product_id', md5('m' || g)::uuid) from generate_series(1, 40) as g;
        """,
    ).of("parts")
    assert not found.links


def test_a_number_in_a_document_named_for_somebodys_rows_is_asked_about(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table orders (id serial primary key, user_id int not null references users, total numeric);
        insert into orders (user_id, total) select 1 + g % 12, g from generate_series(1, 40) as g;
        create table parts (id serial primary key, data jsonb);
        insert into parts (data) select jsonb_build_object('order_id', 1 + g % 40) from generate_series(1, 40) as g;
        """,
    ).of("parts")
    assert is_undecided(found)


def test_from_and_to_may_be_people(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table private_messages (id serial primary key, "from" bigint, "to" bigint, sent_at timestamptz);
        insert into private_messages ("from", "to", sent_at)
          select 1 + g % 12, 1 + (g + 5) % 12, now() from generate_series(1, 40) as g;
        """,
    ).of("private_messages")
    assert not deletes(found)
    assert is_undecided(found)


def test_from_and_to_beyond_all_people_are_no_people(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table ranges (id serial primary key, "from" int, "to" int);
        insert into ranges ("from", "to") select g * 100, g * 100 + 99 from generate_series(1, 40) as g;
        """,
    ).of("ranges")
    assert not found.personal


TYPE = "create type person_type as (name text, phone text);"


@pytest.mark.parametrize(
    "columns",
    [
        "body text",
        "notes text",
        "summary text",
        "data jsonb",
        "embedding double precision[]",
        "object_id int",
        "whoever person_type",
    ],
)
def test_what_could_hold_anybody_and_has_no_owner_is_undecided(cur: cursor, columns: str) -> None:
    found = proposed(cur, f"{USERS} {TYPE} create table parts (id serial primary key, label text, {columns})").of(
        "parts"
    )
    assert is_undecided(found)


def test_a_conversation_and_what_hangs_from_it_is_nobodys_only_if_somebody_says_so(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table conversations (id serial primary key, title text);
        insert into conversations (title) select 'Talk ' || g from generate_series(1, 12) as g;
        create table participants (conversation_id int references conversations, user_id int references users,
          primary key (conversation_id, user_id));
        insert into participants select g, g from generate_series(1, 12) as g;
        create table summaries (id serial primary key, conversation_id int references conversations, summary text);
        insert into summaries (conversation_id, summary) select g, 'they met' from generate_series(1, 12) as g;
        """,
    )
    assert is_undecided(found.of("conversations"))
    assert is_undecided(found.of("summaries"))


def test_a_table_of_plain_things_is_still_nobodys(cur: cursor) -> None:
    products = "create table products (id serial primary key, sku text, title text, description text, price numeric)"
    assert not proposed(cur, f"{USERS} {products}").of("products").personal


def test_a_deed_that_no_list_knows_is_asked_about(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table grievances (id serial primary key, hurled_by int not null references users,
          against int references users, details text);
        insert into grievances (hurled_by, against, details)
          select 1 + g % 6, 7 + g % 6, 'they shouted' from generate_series(1, 40) as g;
        """,
    ).of("grievances")
    assert is_undecided(found)
    assert not deletes(found)


def test_a_profile_that_staff_write_about_is_no_place_where_people_meet(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + "create table customers (id serial primary key, user_id int not null unique references users, phone text);"
        "create table addresses (id serial primary key, customer_id int not null references customers, street text);"
        "create table call_notes (id serial primary key, customer_id int not null references customers,"
        " author_id int not null references users, body text);"
        "insert into customers (user_id) select g from generate_series(1, 12) as g;"
        "insert into addresses (customer_id, street) select g, 'Street' from generate_series(1, 12) as g;"
        "insert into call_notes (customer_id, author_id, body)"
        " select 1 + g % 12, 1 + g % 2, 'angry' from generate_series(1, 40) as g",
    )
    assert [name for name in ("customers", "addresses") if not is_undecided(found.of(name))] == []
