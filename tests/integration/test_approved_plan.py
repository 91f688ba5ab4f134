"""What an approval grants is enough for every statement of the plan, run by the role whose work it is; and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date

import pytest
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from shared.active_plan import approve, load
from shared.addresses import PostgresAddress
from shared.catalogue import document
from shared.database import Database
from shared.errors import AccessDenied
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Kind, Statement
from tests.run import administrator, as_role

SCHEMA = """
create schema app;
create table app.users (id bigint primary key, email text unique, name text);
create table app.orders (id bigint primary key, user_id bigint references app.users);
create table app.lines (order_id bigint, note text) partition by range (order_id);
create table app.lines_1 partition of app.lines for values from (0) to (100);
create table app.bills (n integer primary key, user_id bigint not null references app.users, note text, due date);
create table app.teams (id bigint primary key, members bigint[], doc jsonb);
create table app.guests (mail text);
create table app.secrets (id bigint);
create table app.marks (mail text);
alter table app.orders enable row level security, force row level security;
create policy app on app.orders to pg_monitor using (user_id = 7);
create policy suite on app.orders to gdpr_export, gdpr_erase, gdpr_verify using (true);
create materialized view app.busy as select user_id, count(*) as orders from app.orders group by user_id;
create materialized view app.busiest as select max(orders) as most from app.busy;
insert into app.users values (0, null, 'Nobody'), (1, 'one@example.org', 'One'), (2, 'two@example.org', 'Two');
insert into app.orders values (1, 1), (2, 2); insert into app.lines values (1, 'x'), (2, 'y');
insert into app.bills values (1, 1, 'x', '2026-01-01'), (2, 2, 'y', '2026-01-01');
insert into app.teams values (1, '{1,2}', '{"by": 1}'); insert into app.guests values ('one@example.org');
refresh materialized view app.busy; refresh materialized view app.busiest;
"""
MAP = """
version: 1
controller: {name: x, contact: x, authority: x}
subject: {table: app.users, key: id, identities: {email: email}, nobody: {id: 0}}
activities: {books: {retention: {period: P10Y, from: {column: due}, law: § 147 AO}}}
tables:
  app.users: {stub: {}}
  app.orders: {}
  app.lines: {links: {order_id: {to: app.orders.id}}}
  app.bills: {activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [due]}}
  app.teams: {shared: true, links: {"members[]": actor, "doc->>'by'": {erase: unlink}}}
  app.guests: {links: {mail: {identity: email}}}
  app.marks: {personal: false, reason: x, links: {mail: {identity: email, role: reference}}}
  app.busy: {erase: refresh}
  app.busiest: {erase: refresh}
  app.secrets: {personal: false, reason: machines}
"""


@pytest.fixture
def kind(postgres: PostgresAddress) -> Kind:
    """The plan as the functions load it, once it is approved."""
    with administrator(postgres) as cur:
        cur.execute(SCHEMA)
        cur.execute("set search_path = pg_catalog, pg_temp")
        catalogue = Catalogue.from_json(document(cur))
        approve(cur, compiled(Document.parse(_written_for(catalogue.server_version)).map, catalogue))
        return load(cur).kinds[0]


def _written_for(version: int) -> str:
    """Before 17 nobody but its owner may refresh a view, which the check says."""
    return MAP if version >= 170000 else MAP.replace("erase: refresh", "erase: external_manual, reason: every night")


@contextmanager
def working(postgres: PostgresAddress, role: str, kind: Kind) -> Iterator[cursor]:
    """A session of one of our roles, in which person 1 is bound."""
    with closing(Database(as_role(postgres, role), application="gdpr-tests")) as opened, opened.transaction() as cur:
        bind_persons(cur, kind, [{"id": 1}], today=date(2026, 11, 20))
        yield cur


def read(kind: Kind, *purposes: str) -> list[Statement]:
    return [each for dataset in kind.datasets for each in dataset.reads if each.purpose in purposes]


def test_each_role_does_its_part_of_the_plan(postgres: PostgresAddress, kind: Kind) -> None:
    with working(postgres, "gdpr_export", kind) as cur:
        found = {}
        for statement in (*kind.reach, *read(kind, "count", "export", "acted")):
            cur.execute(statement.sql)
            if statement.purpose == "count":
                found[statement.dataset] = cur.fetchone()
    assert found == dict.fromkeys(("app.users", "app.orders", "app.lines", "app.guests"), (1, 1)) | {
        "app.bills": (1, 0),
        "app.teams": (1, 0),
    }
    with working(postgres, "gdpr_erase", kind) as cur:
        for statement in kind.erase:
            cur.execute(statement.sql)
            assert statement.purpose not in ("guard", "recheck") or not sum(number for _, number in cur.fetchall())
        gone = read_gone(cur, kind)
    with working(postgres, "gdpr_verify", kind) as cur:
        bind_gone(cur, kind, gone)
        for statement in read(kind, "verify"):
            cur.execute(statement.sql)
            assert cur.fetchone() == (0,), (statement.dataset, statement.link)
        cur.execute("select id, name from app.users order by id")
        assert cur.fetchall() == [(0, "Nobody"), (1, None), (2, "Two")]
        is_refreshed = any(statement.purpose == "refresh" for statement in kind.erase)
        cur.execute("select user_id from app.busy order by 1")
        assert cur.fetchall() == ([(2,)] if is_refreshed else [(1,), (2,)])


@pytest.mark.parametrize("role", ["gdpr_export", "gdpr_verify", "gdpr_audit"])
@pytest.mark.parametrize(
    "statement",
    ["delete from app.orders", "update app.bills set note = null", "refresh materialized view app.busy"],
)
def test_who_reads_changes_nothing(postgres: PostgresAddress, kind: Kind, role: str, statement: str) -> None:
    assert kind
    with closing(Database(as_role(postgres, role), application="gdpr-tests")) as opened:
        with pytest.raises(AccessDenied), opened.transaction() as cur:
            cur.execute(statement)


@pytest.mark.parametrize(
    "statement", ["select from app.secrets", "insert into app.users values (9)", "truncate app.orders"]
)
def test_whoever_erases_does_nothing_else(postgres: PostgresAddress, kind: Kind, statement: str) -> None:
    assert kind
    with closing(Database(as_role(postgres, "gdpr_erase"), application="gdpr-tests")) as opened:
        with pytest.raises(AccessDenied), opened.transaction() as cur:
            cur.execute(statement)


@pytest.mark.parametrize("role", ["gdpr_export", "gdpr_erase", "gdpr_verify"])
@pytest.mark.parametrize(
    "policy",
    [
        "drop policy suite on app.orders",
        "alter policy suite on app.orders using (user_id > 0)",
        "alter policy suite on app.orders to pg_monitor",
        "create policy less on app.orders as restrictive using (user_id > 0)",
        "create policy less on app.orders as restrictive to gdpr_export, gdpr_erase, gdpr_verify using (user_id <> 1)",
    ],
)
def test_where_a_policy_may_hide_a_row_nobody_is_bound(
    postgres: PostgresAddress, kind: Kind, role: str, policy: str
) -> None:
    with administrator(postgres) as cur:
        cur.execute(policy)
    with pytest.raises(AccessDenied, match=rf"may hide rows of app.orders from {role}"):
        with working(postgres, role, kind):
            pass


def test_a_policy_for_reading_lets_nobody_erase(postgres: PostgresAddress, kind: Kind) -> None:
    with administrator(postgres) as cur:
        cur.execute("drop policy suite on app.orders; create policy suite on app.orders for select using (true)")
    with working(postgres, "gdpr_export", kind), working(postgres, "gdpr_verify", kind):
        pass
    with pytest.raises(AccessDenied, match="gdpr_erase"), working(postgres, "gdpr_erase", kind):
        pass


def test_a_restrictive_policy_that_says_true_hides_nothing(postgres: PostgresAddress, kind: Kind) -> None:
    with administrator(postgres) as cur:
        cur.execute("create policy less on app.orders as restrictive using (true)")
    with working(postgres, "gdpr_erase", kind) as cur:
        cur.execute("show row_security")
        assert cur.fetchone() == ("on",)


def test_whoever_bypasses_policies_needs_none(postgres: PostgresAddress, kind: Kind) -> None:
    with administrator(postgres) as cur:
        cur.execute("drop policy suite on app.orders")
    with closing(Database(postgres, application="gdpr-tests")) as opened, opened.transaction() as cur:
        bind_persons(cur, kind, [{"id": 1}], today=date(2026, 11, 20))
        cur.execute("show row_security")
        assert cur.fetchone() == ("off",)


def test_a_policy_waits_for_the_request_that_has_read_the_others(postgres: PostgresAddress, kind: Kind) -> None:
    with working(postgres, "gdpr_export", kind), administrator(postgres) as cur:
        with pytest.raises(LockNotAvailable):
            cur.execute("set lock_timeout = '200ms'; drop policy suite on app.orders")
