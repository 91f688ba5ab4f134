"""The catalogue as a document, and its fingerprint: what counts as a change, and what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.names import Table as Name
from shared.addresses import PostgresAddress
from shared.catalogue import document, fingerprint
from shared.database import Database
from tests.run import administrator

SCHEMA = """
create schema app;
create type app.state as enum ('open', 'closed');
create domain app.code as text check (value <> '');
create table app.users (id bigint primary key, code app.code, email text not null unique);
create table app.notes (
  id bigint primary key,
  user_id bigint references app.users (id) on delete cascade,
  state app.state not null default 'open',
  rating integer check (rating > 0)
);
create index notes_user on app.notes (user_id);
create table app.events (id bigint, at date not null, user_id bigint) partition by range (at);
create table app.events_1 partition of app.events for values from ('2026-01-01') to ('2026-02-01');
create function app.stamp() returns trigger language plpgsql as 'begin return new; end';
create trigger stamp before insert on app.notes for each row execute function app.stamp();
alter table app.notes enable row level security;
create policy everybody on app.notes using (true);
"""


@pytest.fixture
def cur(postgres: PostgresAddress) -> Iterator[cursor]:
    """A session with the limits of ours, in a database with a small schema."""
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
    database = Database(postgres, application="gdpr-tests")
    with database.transaction() as cur:
        yield cur
    database.close()


@pytest.mark.parametrize(
    "change",
    [
        "create table app.more (id integer)",
        "drop table app.events",
        "alter table app.notes add column body text",
        "alter table app.notes drop column rating",
        "alter table app.notes rename column rating to stars",
        "alter table app.notes alter column rating type bigint",
        "alter table app.users alter column code set not null",
        "alter table app.users alter column email drop not null",
        "alter table app.users drop constraint users_email_key",
        "create unique index once on app.notes (rating)",
        "alter table app.notes drop constraint notes_user_id_fkey",
        "alter table app.notes add foreign key (id) references app.users (id)",
        "alter table app.notes drop constraint notes_rating_check, add constraint notes_rating_check check (id > 1)",
        "alter table app.notes alter constraint notes_user_id_fkey deferrable",
        "drop trigger stamp on app.notes",
        "alter table app.notes disable trigger stamp",
        "create or replace function app.stamp() returns trigger language plpgsql as 'begin return old; end'",
        "alter function app.stamp() set search_path = app",
        "drop trigger stamp on app.notes; create trigger stamp before insert or update of rating on app.notes"
        " for each row execute function app.stamp()",
        "drop trigger stamp on app.notes; create trigger stamp before insert on app.notes"
        " for each row when (new.rating > 1) execute function app.stamp()",
        "alter function app.stamp() security definer",
        "drop policy everybody on app.notes",
        "alter policy everybody on app.notes using (id > 0)",
        "alter policy everybody on app.notes to gdpr_audit",
        "alter table app.notes force row level security",
        "alter table app.notes disable row level security",
        "create rule quiet as on delete to app.notes do instead nothing",
        "alter type app.state add value 'lost'",
        "alter domain app.code set not null",
        "alter table app.events detach partition app.events_1",
        "alter table app.events_1 add foreign key (user_id) references app.users (id)",
        "create trigger stamp before insert on app.events_1 for each row execute function app.stamp()",
        "alter table app.events_1 enable row level security",
        "create table app.child () inherits (app.notes)",
        "create materialized view app.seen as select id from app.users",
        "alter table app.notes owner to gdpr_owner",
        'alter table app.users alter column email type text collate "C"',
        "alter schema app rename to shop",
    ],
)
def test_what_plans_are_made_of_changes_the_fingerprint(cur: cursor, change: str) -> None:
    before = fingerprint(cur)
    cur.execute(change)
    assert fingerprint(cur) != before


@pytest.mark.parametrize(
    "change",
    [
        "insert into app.users values (1, 'x', 'a@example.org')",
        "analyze app.users",
        "create table app.events_2 partition of app.events for values from ('2026-02-01') to ('2026-03-01')",
        "create table app.events_3 (like app.events); alter table app.events_3 add check (at >= '2026-03-01');"
        " alter table app.events attach partition app.events_3 for values from ('2026-03-01') to ('2026-04-01')",
        "create temporary table users (id integer)",
        "create temporary table notes as select 1 as id",
        "create index more on app.notes (rating)",
        "drop index app.notes_user",
        "comment on table app.users is 'people'",
        "create view app.seen as select id from app.users",
        "create function app.other() returns integer language sql as 'select 1'",
        "grant select on app.users to gdpr_audit",
        "create extension vector",
        "set local search_path = app",
        "create sequence app.numbers",
    ],
)
def test_what_plans_are_not_made_of_changes_nothing(cur: cursor, change: str) -> None:
    before = fingerprint(cur)
    cur.execute(change)
    cur.execute("set local search_path = pg_catalog, pg_temp")
    assert fingerprint(cur) == before


def test_the_fingerprint_is_the_same_in_another_database_with_other_oids(
    cur: cursor, empty_postgres: PostgresAddress
) -> None:
    with administrator(empty_postgres) as admin:
        admin.execute("create table public.other (id integer); create type public.late as (a integer)")
        admin.execute("drop table public.other; drop type public.late")
        admin.execute(SCHEMA)
        admin.execute("set search_path = pg_catalog, pg_temp")
        assert fingerprint(admin) == fingerprint(cur)


def test_what_a_restored_dump_writes_otherwise_changes_nothing(cur: cursor) -> None:
    """Postgres writes the same expression with other casts once what it wrote has been read again."""
    cur.execute("create table app.kinds (kind varchar(9) constraint known check (kind in ('a', 'b')))")
    definition = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'known'"
    cur.execute(definition)
    (written,) = cur.fetchone() or ("",)
    before = fingerprint(cur)
    cur.execute(f"alter table app.kinds drop constraint known, add constraint known {written}")
    cur.execute(definition)
    assert cur.fetchone() != (written,)
    assert fingerprint(cur) == before


def test_the_document_tells_a_partition_as_a_part_of_its_table(cur: cursor) -> None:
    cur.execute("alter table app.events_1 add constraint late foreign key (user_id) references app.users (id)")
    catalogue = Catalogue.from_json(document(cur))

    events = catalogue.tables[Name("app", "events")]
    assert (events.kind, events.partitions) == ("partitioned", (Name("app", "events_1"),))
    assert [(key.name, key.partition) for key in events.foreign_keys] == [("late", "app.events_1")]
    assert Name("app", "events_1") not in catalogue.tables


def test_the_document_looks_behind_domains_and_arrays(cur: cursor) -> None:
    cur.execute(
        "create domain app.number as bigint; create domain app.numbers as app.number[];"
        " create table app.odd (a app.number[], b app.numbers, c app.state, d text[], e app.code)"
    )
    columns = Catalogue.from_json(document(cur)).tables[Name("app", "odd")].columns

    assert {name: (column.base, column.is_array) for name, column in columns.items()} == {
        "a": ("pg_catalog.int8", True),
        "b": ("pg_catalog.int8", True),
        "c": ("app.state", False),
        "d": ("pg_catalog.text", True),
        "e": ("pg_catalog.text", False),
    }
    assert columns["c"].labels == ("open", "closed")


def test_the_document_holds_no_row_and_carries_the_fingerprint(cur: cursor) -> None:
    cur.execute("insert into app.users values (1, 'x', 'kanarie@geheim.example')")
    text = document(cur)
    assert "kanarie" not in text
    assert json.loads(text)["fingerprint"] == fingerprint(cur)


def test_an_empty_database_has_a_catalogue_too(empty_postgres: PostgresAddress) -> None:
    database = Database(empty_postgres, application="gdpr-tests")
    with database.transaction() as cur:
        assert Catalogue.from_json(document(cur)).tables == {}
    database.close()


T = "alter table app.t add "
EITHER = ("a and (b or c)", "(a and b) or c")


@pytest.mark.parametrize(
    ("statement", "one", "other"),
    [
        ("create policy p on app.t using ({})", *EITHER),
        ("create policy p on app.t using (t = '{}')", "a b", "ab"),
        ("create policy p on app.t using (t = '{}')", "a::text", "a"),
        (T + "constraint k check ({})", "not (a or b)", "not a or b"),
        ("create unique index u on app.t (t) where {}", *EITHER),
        (T + "g text generated always as ({}) stored", "t || 'x'", "t"),
        ("create materialized view app.m as select t from app.t where {}", *EITHER),
    ],
)
def test_what_says_something_else_has_another_fingerprint(cur: cursor, statement: str, one: str, other: str) -> None:
    cur.execute("create table app.t (a boolean, b boolean, c boolean, t text); savepoint before")
    found = []
    for text in (one, other):
        cur.execute(statement.format(text))
        found.append(fingerprint(cur))
        cur.execute("rollback to savepoint before")
    assert found[0] != found[1]
