"""Schemas that were made to have discovery take somebody's row for somebody else's, or for nobody's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.check.check import checked
from datamap.discover.finding import Decision, Link, Proposal
from datamap.discover.proposal import proposal
from datamap.discover.text import written
from datamap.discover.values import Rows
from datamap.document import Document
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


# What says beside a number whose it is.

OWNED = """
create table companies (id serial primary key, title text, vat text);
insert into companies (title, vat) select 'Firm ' || g, 'DE' || g from generate_series(1, 6) as g;
create table things (id serial primary key, {columns});
insert into things ({names}) select {values} from generate_series(1, 60) as g;
"""


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("owner_type smallint, owner_id int", "1 + g % 2, 1 + g % 12"),
        ("owner_type char(1), owner_id int", "case when g % 2 = 0 then 'U' else 'C' end, 1 + g % 12"),
        ("owner_kind text, owner int", "case when g % 2 = 0 then 'usr' else 'cmp' end, 1 + g % 12"),
        ("user_type int, user_id int", "1 + g % 2, 1 + g % 12"),
        ("from_admin boolean, sender_id int", "g % 2 = 0, 1 + g % 12"),
        ("sender_is_company boolean, sender_id int", "g % 2 = 0, 1 + g % 12"),
        ("sender_type text, sender_id int", "case when g % 2 = 0 then 'user' else 'agent' end, 1 + g % 12"),
        ("d jsonb", "jsonb_build_object('owner_type', (array['user', 'firm'])[1 + g % 2], 'owner_id', 1 + g % 12)"),
        (
            "d jsonb",
            "jsonb_build_object('actor', jsonb_build_object('type', (array['u', 'a'])[1 + g % 2], 'id', g % 9))",
        ),
        ("d jsonb", "jsonb_build_object('actor_type', 'robot', 'actor', jsonb_build_object('id', 1 + g % 12))"),
    ],
)
def test_a_number_beside_what_may_say_whose_it_is_is_nobodys_before_that_is_known(
    cur: cursor, columns: str, values: str
) -> None:
    names = ", ".join(each.split()[0] for each in columns.split(", "))
    found = proposed(cur, USERS + OWNED.format(columns=columns, names=names, values=values)).of("things")
    assert is_undecided(found)
    assert not deletes(found)


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("user_type text, user_id int", "case when g % 2 = 0 then 'free' else 'premium' end, 1 + g % 12"),
        ("is_admin boolean, user_id int", "g % 2 = 0, 1 + g % 12"),
        ("d jsonb", "jsonb_build_object('actor', jsonb_build_object('type', 'user', 'id', 1 + g % 12))"),
    ],
)
def test_what_is_said_of_a_person_does_not_say_whose_a_number_is(cur: cursor, columns: str, values: str) -> None:
    names = ", ".join(each.split()[0] for each in columns.split(", "))
    found = proposed(cur, USERS + OWNED.format(columns=columns, names=names, values=values)).of("things")
    assert deletes(found)


@pytest.mark.parametrize(
    "column", ["customer_group_id", "user_level_id", "member_segment_id", "guests_no", "player_no"]
)
def test_something_of_a_persons_is_no_person(cur: cursor, column: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""create table prices (id serial primary key, {column} int not null, price numeric);
        insert into prices ({column}, price) select 1 + g % 9, 5 from generate_series(1, 60) as g""",
    ).of("prices")
    assert is_undecided(found)
    assert not deletes(found)


@pytest.mark.parametrize("column", ["driver_id", "doctor_id"])
def test_who_works_for_the_people_has_their_numbers_and_is_none_of_them(cur: cursor, column: str) -> None:
    found = proposed(
        cur,
        USERS.replace("users", "customers")
        + f"""create table rides (id serial primary key, {column} int not null, route text);
        insert into rides ({column}, route) select 1 + g % 9, 'r' from generate_series(1, 60) as g""",
    ).of("rides")
    assert is_undecided(found)
    assert not deletes(found)


@pytest.mark.parametrize("people", ["partners", "families"])
def test_a_row_about_people_who_are_no_subjects_is_not_whose_clerk_it_names(cur: cursor, people: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""create table {people} (id serial primary key, surname text, phone text, street text);
        insert into {people} (surname, phone) select 'S' || g, '+49 30 12' || (100 + g)
          from generate_series(1, 60) as g;
        create table visits (id serial primary key, client int not null references {people},
          user_id int not null references users, report text);
        insert into visits (client, user_id, report) select g, 1 + g % 12, 'said' from generate_series(1, 60) as g;
        create table visit_lines (id serial primary key, visit_id int not null references visits, what text);
        insert into visit_lines (visit_id, what) select g, 'said' from generate_series(1, 60) as g;
        """,
    )
    assert not deletes(found.of("visits"))
    assert found.of("visits").erase == found.of("visit_lines").erase == "undecided"


def test_people_in_a_place_of_the_staff_are_not_out_of_every_request(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table groups (id serial primary key, owner_id int references users, title text);
        insert into groups (owner_id, title) select 1 + g % 12, 't' from generate_series(1, 12) as g;
        create table group_users (group_id int references groups, user_id int references users,
          primary key (group_id, user_id));
        insert into group_users select 1 + g % 12, 1 + (g + g / 12) % 12 from generate_series(0, 35) as g;
        create table children (id serial primary key, group_id int not null references groups, first_name text,
          birth_date date);
        insert into children (group_id, first_name) select 1 + g % 12, 'C' from generate_series(1, 40) as g;
        """,
    )
    assert found.of("groups").shared is True
    assert is_undecided(found.of("children"))


# Ways up that are many, or long.


def test_a_place_is_found_however_far_above_those_who_meet_there(cur: cursor) -> None:
    above = ["places", *(f"s{n}" for n in range(7))]
    steps = "".join(
        f"""create table s{n} (id serial primary key, up_id int not null references {up}, label text);
        insert into s{n} (up_id) select 1 + g % 12 from generate_series(1, 12) as g;"""
        for n, up in enumerate(above)
    )
    found = proposed(
        cur,
        USERS
        + "create table places (id serial primary key, owner_id int not null references users, title text);"
        + "insert into places (owner_id, title) select g, 'p' from generate_series(1, 12) as g;"
        + steps
        + """create table words (id serial primary key, s_id int not null references s7, author_id int not null
          references users, body text);
        insert into words (s_id, author_id, body) select 1 + g % 12, 1 + (g * 5) % 12, 'b'
          from generate_series(1, 60) as g""",
    )
    assert found.of("places").shared is True
    assert not any(deletes(found.of(f"s{n}")) for n in range(8))
    assert found.of("words").erase == "undecided"


def test_where_there_are_too_many_ways_up_to_count_nobody_says_that_no_others_meet(cur: cursor) -> None:
    many = range(30)
    places = "".join(
        f"create table p{n:02} (id serial primary key, user_id int not null references users, label text);"
        f"insert into p{n:02} (user_id) select 1 + g % 12 from generate_series(0, 23) as g;"
        for n in many
    )
    keys = ", ".join(f"p{n:02}_id" for n in many)
    found = proposed(
        cur,
        USERS
        + places
        + "create table kids (id serial primary key, user_id int not null references users, "
        + ", ".join(f"p{n:02}_id int references p{n:02}" for n in many)
        + f"); insert into kids (user_id, {keys}) select p.user_id, {'p.id, ' * 29} 1 + (p.id + 4) % 24 from p00 as p",
    )
    assert not deletes(found.of("p29"))
    assert is_undecided(found.of("p29"))
    assert deletes(found.of("p00"))


# People who would have been forgotten.


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("useridfrom bigint, useridto bigint, fullmessage text", "1 + g % 12, 1 + (g * 5) % 12, 'hello'"),
        ("creatorid bigint, label text", "1 + g % 12, 'x'"),
        ("user_from int, user_to int", "1 + g % 12, 1 + (g * 5) % 12"),
        ("about_type text, about_id int, label text", "'T' || chr(65 + g % 26) || chr(97 + g % 24), g, 'x'"),
        ("path text, bytes int", "'users/' || (1 + g % 12) || '/avatar.png', g"),
        ("value text", "case when g = 7 then 'User;5' else 'on' end"),
        ("subject text, may text", "'customer:' || (1 + g % 12), 'read'"),
        ("line text", "'usr' || (1 + g % 12) || '@mail.example has logged in'"),
        ("ranked text, score int", "'Name ' || (1 + g % 12), g"),
        ("task text, args text", "'send', '(' || g || ',)'"),
        ("patient text, ward text", "'P. ' || g, 'w'"),
    ],
)
def test_people_under_other_spellings_are_not_called_nobody(cur: cursor, columns: str, values: str) -> None:
    names = ", ".join(each.split()[0] for each in columns.split(", "))
    found = proposed(
        cur,
        USERS
        + f"create table things (id serial primary key, {columns});"
        + f"insert into things ({names}) select {values} from generate_series(1, 60) as g",
    ).of("things")
    assert found.personal or is_undecided(found)


def test_a_uuid_within_a_text_is_somebodys(cur: cursor) -> None:
    found = proposed(
        cur,
        """
        create table users (id uuid primary key default gen_random_uuid(), email text unique not null, name text);
        insert into users (email) select 'u' || g || '@mail.example' from generate_series(1, 12) as g;
        create table files (id serial primary key, path text);
        insert into files (path) select 'b/' || id || '/a.png' from users;
        """,
    ).of("files")
    assert found.is_undecided


@pytest.mark.parametrize("table", ["users_history", "users_aud", "historical_user"])
def test_a_copy_of_the_people_is_asked_about_by_their_key(cur: cursor, table: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""create table {table} (rev serial primary key, id int not null, email text, name text);
        insert into {table} (id, email, name) select id, case when id % 2 = 0 then email else 'o' || email end, name
          from users, generate_series(1, 3)""",
    ).of(table)
    assert link(found, "id").role == "undecided"


def test_what_belongs_to_a_person_because_they_point_at_it_is_asked_about(cur: cursor) -> None:
    found = proposed(
        cur,
        """
        create table wallets (id serial primary key, balance numeric);
        insert into wallets (balance) select 5 from generate_series(1, 12);
        create table plans (id serial primary key, title text);
        insert into plans (title) values ('free'), ('paid');
        """
        + USERS
        + """
        alter table users add wallet_id int unique references wallets, add plan_id int references plans;
        update users set wallet_id = id, plan_id = 1 + id % 2;
        create table moves (id serial primary key, wallet_id int not null references wallets, amount numeric);
        insert into moves (wallet_id, amount) select 1 + g % 12, 3 from generate_series(1, 60) as g;
        """,
    )
    assert found.of("wallets").is_undecided
    assert found.of("moves").is_undecided
    assert not found.of("plans").personal


def test_where_rows_have_nobody_but_who_made_them_they_are_not_merely_kept(cur: cursor) -> None:
    kept = ["diary", "moods", "photos", "goals", "habits", "recipes"]
    tables = "".join(
        f"create table {each} (id serial primary key, label text, created_by int references users);"
        f"insert into {each} (label, created_by) select 'x', 1 + g % 12 from generate_series(1, 60) as g;"
        for each in kept
    )
    found = proposed(cur, USERS + tables)
    assert all(is_undecided(found.of(each)) for each in kept)


def test_the_basket_of_a_guest_does_not_make_all_baskets_nobodys(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table customers (id serial primary key, user_id int not null unique references users, points int);
        insert into customers (user_id) select id from users;
        create table baskets (id serial primary key, owner_id int references customers, status text);
        insert into baskets (owner_id, status) select case when g % 3 > 0 then 1 + g % 12 end, 'open'
          from generate_series(1, 60) as g;
        """,
    )
    assert deletes(found.of("baskets"))


def test_the_rest_of_a_document_with_two_people_is_not_left_behind_silently(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table happenings (id serial primary key, data jsonb);
        insert into happenings (data) select jsonb_build_object('user_id', 1 + g % 12, 'seller_id', 1 + (g * 5) % 12,
          'ship_to', 'Ann, Street 7') from generate_series(1, 60) as g;
        """,
    ).of("happenings")
    assert {each.erase for each in found.links} == {"undecided"}


# Proposals that the check would refuse.


def refused(cur: cursor, sql: str) -> set[str]:
    """What the check says of a proposal, but for what is left to a person."""
    found = proposed(cur, sql)
    cur.execute(query("catalogue"))
    row = cur.fetchone()
    assert row is not None
    faults = checked(Document.parse(written(found)), Catalogue.from_json(row[0]))
    errors = [fault for fault in faults if fault.severity == "error" and "undecided" not in fault.code]
    return {fault.code for fault in errors if not fault.path.startswith(("controller", "activities"))}


@pytest.mark.parametrize(
    "sql",
    [
        """create table emails (id serial primary key, user_id int not null references users, email text not null);
           insert into emails (user_id, email) select id, email from users""",
        """create table images (id serial primary key, user_id int not null references users, url text);
           insert into images (user_id, url) select id, 'x' from users;
           create table products (id serial primary key, title text, cover_image_id int references images);
           insert into products (title, cover_image_id) select 't', case when g % 2 = 0 then g end
             from generate_series(1, 12) as g""",
        """create table realms (id serial primary key, title text);
           insert into realms (title) select 'r' from generate_series(1, 4);
           create table cards (id serial primary key, user_id int not null references users, realm_id int);
           insert into cards (user_id, realm_id) select id, 1 + id % 4 from users""",
        """create table posts (id serial primary key, user_id int not null references users, post_number int);
           insert into posts (user_id, post_number) select id, id from users""",
    ],
)
def test_the_check_takes_what_is_proposed(cur: cursor, sql: str) -> None:
    assert not refused(cur, USERS + sql)


def test_that_somebody_has_to_stand_for_nobody_is_said_once_at_the_top(cur: cursor) -> None:
    tables = "".join(
        f"""create table {each} (id serial primary key, user_id int not null references users,
          approved_by int not null references users);
        insert into {each} (user_id, approved_by) select 1 + g % 12, 1 + g % 3 from generate_series(1, 40) as g;"""
        for each in ("leaves", "trips")
    )
    (note,) = proposed(cur, USERS + tables).notes
    assert note.startswith("2 tables have links")
    assert "`nobody`" in note


# What rows decide at once.


@pytest.mark.parametrize(
    "values",
    [
        """jsonb_build_object('seats', g, 'is_open', true)""",
        """jsonb_build_object('color', (array['red', 'blue'])[1 + g % 2], 'size', (array['S', 'M'])[1 + g % 2])""",
    ],
)
def test_a_document_of_sizes_and_switches_holds_nobody(cur: cursor, values: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""create table products (id serial primary key, title text, attributes jsonb);
        insert into products (title, attributes) select 'p', {values} from generate_series(1, 30) as g;
        create table shots (id serial primary key, product_id int not null references products, position int);
        insert into shots (product_id) select g from generate_series(1, 30) as g""",
    )
    assert not found.of("products").personal
    assert not found.of("shots").personal


@pytest.mark.parametrize(
    "values",
    [
        "jsonb_build_object('Anna', g)",
        "jsonb_build_object('color', 'tone ' || g)",
        "jsonb_build_object('uid', 5000 + g)",
        "jsonb_build_object('note', 'ok')",
        "jsonb_build_object('color', 'red', 'more', jsonb_build_array(jsonb_build_object('mail', 'x@y.example')))",
    ],
)
def test_a_document_that_could_name_somebody_is_still_asked_about(cur: cursor, values: str) -> None:
    found = proposed(
        cur,
        USERS
        + f"""create table products (id serial primary key, title text, attributes jsonb);
        insert into products (title, attributes) select 'p', {values} from generate_series(1, 12) as g""",
    )
    assert is_undecided(found.of("products"))


def test_who_would_delete_or_lock_a_row_is_an_actor_before_anybody_did(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """create table drafts (id serial primary key, user_id int not null references users, deleted_by_id int,
          locked_by int, label text);
        insert into drafts (user_id, label) select 1 + g % 12, 'd' from generate_series(1, 60) as g""",
    ).of("drafts")
    assert found.erase == "delete"
    assert {str(each.place): each.role for each in found.links} == {
        "deleted_by_id": "actor",
        "locked_by": "actor",
        "user_id": "owner",
    }


def test_a_project_owns_nothing_and_the_second_line_of_an_address_is_no_key(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table projects (id serial primary key, title text);
        insert into projects (title) select 'p' from generate_series(1, 12);
        create table order_lines (id serial primary key, label text);
        insert into order_lines (label) select 'l' from generate_series(1, 12);
        create table places (id serial primary key, owner_id int not null, line1 text, line2 text);
        insert into places (owner_id, line1) select 1 + g % 12, 'Street' from generate_series(1, 60) as g;
        """,
    ).of("places")
    assert found.erase == "delete"
    assert [str(each.place) for each in found.links] == ["owner_id"]


def test_a_way_that_no_row_goes_does_not_hold_up_what_others_say(cur: cursor) -> None:
    found = proposed(
        cur,
        USERS
        + """
        create table carts (id serial primary key, user_id int not null references users, label text);
        insert into carts (user_id) select 1 + g % 12 from generate_series(1, 40) as g;
        create table orders (id serial primary key, cart_id int references carts, first_cart_id int references carts);
        insert into orders (cart_id) select g from generate_series(1, 40) as g;
        create table notes (id serial primary key, order_id int not null references orders, user_id int not null
          references users, label text);
        insert into notes (order_id, user_id) select o.id, c.user_id from orders as o join carts as c on c.id = cart_id;
        """,
    )
    assert found.of("carts").erase == "delete"


def test_one_table_of_people_with_an_address_is_enough(cur: cursor) -> None:
    found = proposed(
        cur,
        """
        create table plans (id serial primary key, title text);
        create table users (id serial primary key, email text unique, name text, plan_id int references plans);
        insert into users (email, name) select 'u' || g || '@mail.example', 'N' from generate_series(1, 12) as g;
        """,
    )
    assert [str(kind.table) for kind in found.kinds] == ["public.users"]


def test_rows_without_a_key_are_sampled_alike_however_they_lie(cur: cursor) -> None:
    told = []
    for order in ("g", "-g"):
        sql = f"""{USERS} create table happenings (data jsonb);
        insert into happenings select jsonb_build_object(case when g < 450 then 'user_id' else 'color' end, 1 + g % 12)
          from generate_series(1, 900) as g order by {order}"""
        told.append(written(proposed(cur, sql)))
        cur.connection.rollback()
    assert told[0] == told[1]


# Numbers that fit everywhere.

ACCOUNTS = """
create table accounts (id bigint generated by default as identity primary key, email text unique not null,
  full_name text not null, password_hash text);
insert into accounts (email, full_name, password_hash)
  select 'acc' || g || '@mail.example', 'Name ' || g, 'x' from generate_series(1, 42) as g;
create table orders (id serial primary key, account_id bigint not null references accounts, total numeric);
insert into orders (account_id, total) select 1 + g % 42, g from generate_series(1, 80) as g;
"""


def with_a_column(name: str, more: str = "", people: int = 39) -> str:
    """A table of 200 rows in which the numbers of so many accounts stand, and no foreign key."""
    return f"""
        create table entries (id serial primary key, {name} bigint not null, planned numeric {more});
        insert into entries ({name}, planned) select 1 + g % {people}, g from generate_series(1, 200) as g;
        """


@pytest.mark.parametrize(
    "name",
    [
        "gl_account_id",
        "ad_account_id",
        "ledger_account_id",
        "service_account_id",
        "billing_account_no",
        "user_agent_id",
        "system_user_id",
        "account",
    ],
)
def test_a_word_for_people_behind_one_that_is_no_role_of_theirs_decides_nothing(cur: cursor, name: str) -> None:
    found = proposed(cur, ACCOUNTS + with_a_column(name)).of("entries")
    assert not deletes(found)
    assert link(found, name).role == "undecided"


@pytest.mark.parametrize("name", ["gl_account_id", "user_agent_id"])
def test_nor_does_it_beside_an_owner_or_in_part_or_without_any_rows(cur: cursor, name: str) -> None:
    beside = with_a_column(name, ", account_id bigint references accounts default 1")
    assert link(proposed(cur, ACCOUNTS + beside).of("entries"), name).role == "undecided"
    cur.connection.rollback()
    in_part = with_a_column(name, people=50)
    assert link(proposed(cur, ACCOUNTS + in_part).of("entries"), name).role == "undecided"
    cur.connection.rollback()
    empty = f"create table entries (id serial primary key, {name} bigint)"
    assert link(proposed(cur, ACCOUNTS + empty).of("entries"), name).role == "undecided"


@pytest.mark.parametrize(
    "name", ["account_id", "user_id", "owner_account_id", "sender_account_id", "invited_account_id", "from_account_id"]
)
def test_the_word_alone_or_behind_a_role_is_a_link_as_ever(cur: cursor, name: str) -> None:
    found = proposed(cur, ACCOUNTS + with_a_column(name)).of("entries")
    assert link(found, name).role == "owner"


def test_a_column_called_account_is_a_link_beside_another_person(cur: cursor) -> None:
    beside = with_a_column("account", ", user_id bigint references accounts default 1")
    assert link(proposed(cur, ACCOUNTS + beside).of("entries"), "account").role != "undecided"


def documents(content: str) -> str:
    return f"""
        create table trail (id serial primary key, data jsonb not null);
        insert into trail (data) select jsonb_build_object('actor', jsonb_build_object('id', 1 + g % 42,
          'email', 'acc' || (1 + g % 42) || '@mail.example'), {content}) from generate_series(1, 120) as g;
        """


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (
            "'target', jsonb_build_object('type', case when g % 3 = 0 then 'Pet' else 'Account' end,"
            " 'id', 1 + (g * 7) % 40)",
            "data->'target'->>'id'",
        ),
        ("'target', jsonb_build_object('type', 'Account', 'id', 1 + (g * 7) % 40)", "data->'target'->>'id'"),
        ("'target_type', 'Account', 'target_id', 1 + (g * 7) % 40", "data->>'target_id'"),
        ("'target', jsonb_build_object('type', 'Member', 'id', 1 + (g * 7) % 40)", "data->'target'->>'id'"),
        ("'gl_account_id', 1 + (g * 7) % 40", "data->>'gl_account_id'"),
    ],
)
def test_an_id_beside_a_type_in_a_document_is_left_to_a_person(cur: cursor, content: str, place: str) -> None:
    found = proposed(cur, ACCOUNTS + documents(content)).of("trail")
    assert link(found, place).role == "undecided"


def test_an_id_beside_the_type_of_another_table_is_nobodys(cur: cursor) -> None:
    content = "'target', jsonb_build_object('type', 'Order', 'id', 1 + (g * 7) % 40)"
    wordless = """create table "'" (id int primary key);"""
    found = proposed(cur, ACCOUNTS + wordless + documents(content)).of("trail")
    assert not any(each.is_person and "target" in str(each.place) for each in found.links)


@pytest.mark.parametrize(
    ("name", "people"), [("vet_id", 4), ("groomer_id", 6), ("breeder_id", 39), ("surgeon", 4), ("cardiologist", 4)]
)
def test_numbers_that_are_all_keys_of_people_and_of_no_table_are_not_passed_over(
    cur: cursor, name: str, people: int
) -> None:
    found = proposed(cur, ACCOUNTS + with_a_column(name, people=people)).of("entries")
    assert is_undecided(found)
    assert "keys of public.accounts" in link(found, name).evidence


def test_nor_are_they_in_a_row_that_is_somebodys_through_another(cur: cursor) -> None:
    found = proposed(
        cur,
        ACCOUNTS + with_a_column("vet_id", ", order_id int references orders not null default 1", people=4),
    ).of("entries")
    assert not deletes(found)
    assert link(found, "vet_id").role == "undecided"


def test_nor_are_they_in_all_rows_of_a_small_table(cur: cursor) -> None:
    rooms = """
        create table rooms (id serial primary key, vet_id bigint not null);
        insert into rooms (vet_id) values (3), (4), (3);
        """
    assert is_undecided(proposed(cur, ACCOUNTS + rooms).of("rooms"))


@pytest.mark.parametrize(
    "sql",
    [
        with_a_column("floor", people=6),
        with_a_column("status_id", people=6),
        with_a_column("breed_id", people=6).replace("bigint", "int"),
        with_a_column("breed_id", people=60),
        with_a_column("breed_id", people=39)
        + "create table breeds (id bigint primary key, title text);"
        + "insert into breeds select g, 'breed' from generate_series(1, 39) as g;",
    ],
)
def test_numbers_that_something_else_explains_are_no_question(cur: cursor, sql: str) -> None:
    assert not proposed(cur, ACCOUNTS + sql).of("entries").personal


def flags(column: str, values: str) -> str:
    return f"""
        create table feature_flags (name text primary key, enabled boolean not null, {column} bigint[] not null);
        insert into feature_flags values ('a', true, '{values}'), ('b', false, '{{10, 12, 41}}'), ('c', true, '{{}}');
        """


def test_an_array_of_which_all_elements_are_keys_of_people_is_not_passed_over(cur: cursor) -> None:
    found = proposed(cur, ACCOUNTS + flags("beta_testers", "{9, 12, 30}")).of("feature_flags")
    assert is_undecided(found)
    assert "keys of public.accounts" in link(found, "beta_testers[]").evidence


@pytest.mark.parametrize(("column", "values"), [("beta_testers", "{9, 12, 300}"), ("weekdays", "{9, 12, 30}")])
def test_an_array_with_other_numbers_or_of_something_counted_is_nobodys(cur: cursor, column: str, values: str) -> None:
    assert not proposed(cur, ACCOUNTS + flags(column, values)).of("feature_flags").personal


def test_the_number_of_a_document_is_no_telephone_number(cur: cursor) -> None:
    sql = """
        create table bills (id serial primary key, number text unique, account_id bigint not null references accounts);
        insert into bills (number, account_id)
          select '2025-' || lpad(g::text, 5, '0'), 1 + g % 42 from generate_series(1, 60) as g;
        """
    assert proposed(cur, ACCOUNTS + sql).of("bills").columns["number"].category != "user.contact.phone_number"


def test_a_column_of_a_key_that_points_elsewhere_is_no_link_by_its_values_alone(cur: cursor) -> None:
    """Whose the row is says what the key points at; here a wallet, whose first holder may be anybody."""
    sql = """
        create table customers (id uuid primary key, email text unique);
        insert into customers select gen_random_uuid(), 'c' || g || '@example.org' from generate_series(1, 9) as g;
        create table wallets (first uuid, number int, primary key (first, number));
        insert into wallets select id, row_number() over () from customers;
        create table coins (part_0 uuid, part_1 int, n int primary key,
          foreign key (part_0, part_1) references wallets (first, number));
        insert into coins select first, number, number from wallets;
        """
    assert is_undecided(proposed(cur, sql).of("coins"))
