"""Plans that would have reached somebody else: what ON DELETE and ON UPDATE do by themselves, and who else is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import attempted, compiled
from datamap.document import Document
from shared.active_plan import approve, load
from shared.addresses import PostgresAddress
from shared.binding import Value
from shared.catalogue import document
from shared.database import Database
from shared.errors import AccessDenied, UnfitValue
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Kind
from tests.integration.test_compile import HEAD, USERS, codes, erased, exported, plan, plan_again, rows
from tests.integration.test_map_commands import MAP, data_map, run, shop
from tests.run import administrator, as_role

__all__ = ["data_map", "shop"]  # fixtures

TODAY = date(2026, 11, 20)
BOOKS = "activities:\n  books: {retention: {period: P10Y, from: {column: due}, law: § 147 AO}}\n"
KEPT = "activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [due]}"
BILLS = (
    "create table app.bills (n int primary key, user_id bigint not null references app.users, due date, note text);"
    "insert into app.bills values (1, 1, '2026-01-01', 'x'), (2, 2, '2026-01-01', 'y');"
)


@pytest.fixture
def cur(postgres: PostgresAddress) -> Iterator[cursor]:
    """A transaction that is never committed, with some users in it."""
    opened = Database(postgres, application="gdpr-tests").connection()
    with closing(opened), opened.cursor() as cur:
        cur.execute(USERS)
        yield cur
        opened.rollback()


def acted(cur: cursor, kind: Kind, person: Mapping[str, Value]) -> dict[str, list[dict[str, object]]]:
    """What an export shows of rows that they merely acted on, by table."""
    bind_persons(cur, kind, [person], today=TODAY)
    found: dict[str, list[dict[str, object]]] = {}
    for statement in (s for dataset in kind.datasets for s in dataset.reads if s.purpose == "acted"):
        cur.execute(statement.sql)
        names = [column.name for column in cur.description or ()]
        found[statement.dataset] = [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
    return found


# What the database does by itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keeping",
    [
        "create function app.no() returns trigger language plpgsql as $$ begin return null; end $$;"
        "create trigger no before update on app.tickets for each row execute function app.no()",
        "create function app.no() returns trigger language plpgsql as $$ begin new.closed_by := old.closed_by;"
        " return new; end $$;"
        "create trigger no before update on app.tickets for each row execute function app.no()",
        "create rule no as on update to app.tickets do instead nothing",
    ],
)
@pytest.mark.parametrize("on_delete", ["cascade", "set null", "set default"])
def test_a_strangers_row_that_does_not_let_go_is_not_left_to_on_delete(
    cur: cursor, keeping: str, on_delete: str
) -> None:
    cur.execute(
        "create table app.tickets (n int primary key, user_id bigint references app.users,"
        f" closed_by bigint default 2 references app.users on delete {on_delete});"
        f"insert into app.tickets values (1, 2, 1), (2, 2, 2); {keeping}"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.tickets: {links: {user_id: {}, closed_by: actor}}\n")
    assert erased(cur, kind, {"id": 1}) == 1
    assert rows(cur, "app.tickets") == [(1, 2, 1), (2, 2, 2)]
    assert [key for key, *_ in rows(cur, "app.users")] == [0, 1, 2]


@pytest.mark.parametrize("key", ["references app.users on delete cascade", ""])
@pytest.mark.parametrize("link", ["{role: actor, erase: {by: {value: 1}}}", "{erase: {by: {value: 1}, body: null}}"])
def test_what_is_handed_to_somebody_who_leaves_stays_and_stops_the_erasure(cur: cursor, key: str, link: str) -> None:
    cur.execute(
        f"create table app.n (n int primary key, user_id bigint, by bigint {key}, body text);"
        "insert into app.n values (1, 2, 1, 'of two')"
    )
    owner = "user_id: {erase: {user_id: null}}"
    kind = plan(cur, f"tables:\n  app.users: {{}}\n  app.n: {{links: {{{owner}, by: {link}}}}}\n")
    assert erased(cur, kind, {"id": 1}) == 1
    assert [(n, user) for n, user, *_ in rows(cur, "app.n")] == [(1, 2)]
    assert erased(cur, plan_again(cur, kind), {"id": 2}) == 0


def test_the_trial_of_an_erasure_says_what_did_not_let_go(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as admin:
        admin.execute(
            "alter table app.orders add packed_by bigint references app.users on delete cascade;"
            "create index on app.orders (packed_by); update app.orders set packed_by = 7;"
            "create function app.no() returns trigger language plpgsql as $$ begin return null; end $$;"
            "create trigger no before update on app.orders for each row execute function app.no()"
        )
    data_map.write_text(MAP.replace("app.orders: {", "app.orders: {links: {packed_by: actor}, "))
    assert run(shop, "plan", "try", data_map, "--id", "7").returncode == 0
    told = run(shop, "plan", "try", data_map, "--id", "7", "--erase")
    assert told.returncode == 1
    assert "that still point at rows of app.users that are about to go, by packed_by" in told.stdout
    assert "look at the triggers and rules of app.orders" in told.stdout
    assert "ran to its end" not in told.stdout


@pytest.mark.parametrize(
    ("columns", "links", "code"),
    [
        ("u bigint generated always as ((doc->>'u')::bigint) stored, doc jsonb", "{u: actor}", "generated"),
        ("u bigint generated always as identity, doc jsonb", "{u: actor}", "generated"),
        ("u bigint unique, doc jsonb", "{u: actor}", "referenced"),
        ("u bigint unique, doc jsonb", "{u: {role: reference, erase: unlink}}", "referenced"),
    ],
)
def test_a_link_that_cannot_be_taken_away_is_told_before(cur: cursor, columns: str, links: str, code: str) -> None:
    cur.execute(f"create table app.n (k int primary key, {columns})")
    if code == "referenced":
        cur.execute("create table app.likes (k int primary key, u bigint references app.n (u) on update cascade)")
    tables = f"tables:\n  app.users: {{}}\n  app.n: {{personal: false, reason: x, links: {links}}}\n"
    assert codes(cur, tables) == [code]


def test_a_link_that_decides_about_the_partition_is_not_taken_away(cur: cursor) -> None:
    cur.execute(
        "create table app.n (k int, u bigint) partition by list (u);"
        "create table app.n1 partition of app.n for values in (1, 2)"
    )
    tables = "tables:\n  app.users: {}\n  app.n: {personal: false, reason: x, links: {u: actor}}\n"
    assert codes(cur, tables) == ["partition_key"]


@pytest.mark.parametrize("whole", ["", " match full"])
def test_of_a_strangers_key_the_tenant_is_not_taken_away_with_another(cur: cursor, whole: str) -> None:
    is_null = "" if whole else " not null"
    cur.execute(
        "create table app.people (t int, id int, primary key (t, id));"
        f"create table app.tickets (k int primary key, t int, owner int, closed_by int{is_null},"
        f" foreign key (t, owner) references app.people, foreign key (t, closed_by) references app.people{whole})"
    )
    tables = "tables:\n  app.people: {}\n  app.tickets: {links: {'t, owner': {}, 't, closed_by': actor}}\n"
    assert codes(cur, tables, HEAD + "subject: {table: app.people, key: [t, id]}\n") == ["not_null"]


def test_of_a_key_that_is_part_of_another_only_the_person_is_taken_away(cur: cursor) -> None:
    cur.execute(
        "create table app.people (t int, id int, primary key (t, id)); insert into app.people values (1, 1), (1, 2);"
        "create table app.tickets (k int, t int, closed_by int, unique (t, k),"
        " foreign key (t, closed_by) references app.people);"
        "create table app.notes (t int, ticket int, foreign key (t, ticket) references app.tickets (t, k));"
        "insert into app.tickets values (1, 1, 1), (2, 1, 2); insert into app.notes values (1, 1)"
    )
    tables = (
        "tables:\n  app.people: {}\n  app.tickets: {personal: false, reason: x, links: {'t, closed_by': actor}}\n"
        "  app.notes: {personal: false, reason: x}\n"
    )
    kind = plan(cur, tables, HEAD + "subject: {table: app.people, key: [t, id]}\n")
    assert erased(cur, kind, {"t": 1, "id": 1}) == 0
    assert rows(cur, "app.tickets") == [(1, 1, None), (2, 1, 2)]
    assert rows(cur, "app.notes") == [(1, 1)]


def test_a_list_cannot_point_at_nobody(cur: cursor) -> None:
    cur.execute("create table app.n (k int primary key, seen bigint[])")
    links = "{'seen[]': {erase: {seen: nobody}}}"
    assert codes(cur, f"tables:\n  app.users: {{}}\n  app.n: {{shared: true, links: {links}}}\n") == ["nobody"]


# Who else is asked, and shown -----------------------------------------------------------------------------------------

CLINIC = """
create table app.doctors (id int primary key, name text); create table app.wards (id int primary key, head int);
create table app.patients (id int primary key, name text);
create table app.visits (k int primary key, patient_id int, doctor_id int, ward int);
create table app.marks (k int primary key, visit int); insert into app.doctors values (1, 'D'), (2, 'E');
insert into app.patients values (1, 'P'), (2, 'Q');
insert into app.visits values (1, 1, 1, null), (2, 1, null, null), (3, 2, 2, null);
"""
WARD = """
subjects: {doctor: {table: app.doctors, key: id}, patient: {table: app.patients, key: id}}
tables:
  app.doctors: {}
  app.patients: {}
  app.wards: {links: {head: {subject: doctor}}}
  app.visits: {links: {patient_id: {subject: patient}, doctor_id: {subject: doctor}, ward: {to: app.wards.id}}}
  app.marks: {links: {visit: {to: app.visits.k}}}
"""


def test_every_table_that_a_statement_names_is_asked_for_its_policies(cur: cursor) -> None:
    cur.execute(CLINIC)
    for kind in compiled(Document.parse(HEAD + WARD).map, Catalogue.from_json(document(cur))).kinds:
        reads = [each for dataset in kind.datasets for each in dataset.reads]
        text = " ".join(each.sql for each in (*kind.reach, *reads, *kind.erase))
        named = {
            f"app.{name}" for name in ("doctors", "wards", "patients", "visits", "marks") if f"app.{name} " in text
        }
        assert named <= set(kind.read), kind.name


def test_a_policy_that_hides_the_other_of_two_people_lets_nobody_erase(postgres: PostgresAddress) -> None:
    """With it a guard would not see that a doctor of whom a patient's row speaks is there."""
    with administrator(postgres) as admin:
        admin.execute("create schema app")
        admin.execute(CLINIC)
        admin.execute(
            "alter table app.visits enable row level security; create policy suite on app.visits using (true);"
            "alter table app.doctors enable row level security; create policy app on app.doctors using (id = 2)"
        )
        admin.execute("set search_path = pg_catalog, pg_temp")
        approve(admin, compiled(Document.parse(HEAD + WARD).map, Catalogue.from_json(document(admin))))
        kind = load(admin).kind("patient")
    with closing(Database(as_role(postgres, "gdpr_erase"), application="gdpr-tests")) as opened:
        with pytest.raises(AccessDenied, match=r"app\.doctors"), opened.transaction() as cur:
            bind_persons(cur, kind, [{"id": 1}], today=TODAY)


def test_an_export_names_nobody_whom_they_merely_invited(cur: cursor) -> None:
    cur.execute(
        "create table app.people (mail text primary key, invited_by text references app.people);"
        "create table app.files (ssn text primary key, seen_by text references app.people, n int);"
        "insert into app.people values ('a@x', null), ('b@x', 'a@x'); insert into app.files values ('123', 'a@x', 5)"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.files: {personal: false, reason: x, links: {seen_by: actor},"
        " columns: {ssn: user.government_id}}\n",
        HEAD + "subject: {table: app.people, key: mail}\n",
    )
    assert acted(cur, kind, {"mail": "a@x"}) == {
        "app.people": [{"invited_by": "a@x"}],
        "app.files": [{"seen_by": "a@x"}],
    }


def test_a_shared_place_is_nobodys_through_what_it_hangs_from(cur: cursor) -> None:
    cur.execute(
        "create table app.o (id int primary key, user_id bigint references app.users);"
        "create table app.rooms (id int primary key, o_id int references app.o, owner_id bigint, topic text);"
        "insert into app.o values (1, 1); insert into app.rooms values (1, 1, null, 'others'), (2, null, 1, 'mine')"
    )
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.o: {}\n  app.rooms: {shared: true, columns: {'*': user},"
        " links: {owner_id: {erase: unlink}, o_id: {erase: unlink}}}\n",
    )
    assert [row["topic"] for row in exported(cur, kind, "app.rooms", {"id": 1})] == ["mine"]
    assert erased(cur, plan_again(cur, kind), {"id": 1}) == 0
    assert rows(cur, "app.rooms") == [(1, None, None, "others"), (2, None, None, "mine")]


@pytest.mark.parametrize("part", ["tenant_id", "id"])
def test_with_a_part_of_a_key_nobody_is_a_guest(cur: cursor, part: str) -> None:
    cur.execute(
        "create table app.people (tenant_id int, id int, email text, primary key (tenant_id, id));"
        "create table app.leads (k int primary key, mail text); insert into app.people values (1, 2, 'two@x');"
        "insert into app.leads values (1, 'two@x')"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.leads: {links: {mail: {identity: email}}, columns: {k: user}}\n",
        HEAD
        + "subject: {table: app.people, key: [tenant_id, id], identities: {email: {column: email, shared: true}}}\n",
    )
    with pytest.raises(UnfitValue, match="somebody with a key"):
        bind_persons(cur, kind, [{part: 1, "email": "two@x"}], today=TODAY)


# What stays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_bound", [True, False])
def test_an_address_that_stays_in_a_stub_is_told(cur: cursor, is_bound: bool) -> None:
    references = " references app.users (email)" if is_bound else ""
    cur.execute(
        f"alter table app.users add unique (email); create table app.news (k int, mail text{references});{BILLS}"
    )
    news = "{links: {mail: {to: app.users.email}}, columns: {k: user}}"
    tables = f"{BOOKS}tables:\n  app.users: {{stub: {{}}}}\n  app.news: {news}\n  app.bills: {{{KEPT}}}\n"
    assert codes(cur, tables) == ["identity_left"]
    assert codes(cur, tables.replace("stub: {}", "stub: {email: null}")) == (["referenced"] if is_bound else [])


def test_a_row_below_what_is_kept_is_cut_off_where_the_table_says_unlink(cur: cursor) -> None:
    cur.execute(
        BILLS + "create table app.notes (k int primary key, bill int references app.bills, user_id bigint, body text);"
        "insert into app.notes values (1, 1, null, 'x'), (2, 2, null, 'y'), (3, 1, 2, 'z'), (4, 2, 1, 'w')"
    )
    kind = plan(
        cur,
        f"{BOOKS}tables:\n  app.users: {{stub: {{}}}}\n  app.bills: {{{KEPT}}}\n"
        "  app.notes: {erase: unlink, links: {user_id: {}}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert [each[:3] for each in rows(cur, "app.notes")] == [(1, None, None), (2, 2, None), (3, 1, 2), (4, 2, None)]


@pytest.mark.parametrize("kept", ["ab", "a", "b"])
def test_stubs_of_several_tables_in_a_circle_make_stubs_in_turn(cur: cursor, kept: str) -> None:
    cur.execute(
        "create table app.a (id int primary key, b int not null, user_id bigint not null, due date);"
        "create table app.b (id int primary key, a int not null references app.a deferrable initially deferred,"
        " user_id bigint not null, due date);"
        "alter table app.a add foreign key (b) references app.b deferrable initially deferred;"
        "insert into app.a values (1, 1, 1, '2026-01-01'), (2, 2, 1, null), (3, 3, 1, '2001-01-01'),"
        " (4, 4, 1, '2001-01-01'), (9, 9, 2, '2026-01-01');"
        "insert into app.b values (1, 2, 1, '2001-01-01'), (2, 3, 1, '2001-01-01'), (3, 3, 1, '2001-01-01'),"
        " (4, 4, 1, '2001-01-01'), (9, 9, 2, '2026-01-01');"
        "update app.a set due = '2001-01-01' where due is null; update app.b set due = '2026-01-01' where id = 1"
    )
    links = "links: {user_id: {}}"
    decided = {name: f"{{{KEPT}, {links}}}" if name in kept else f"{{{links}}}" for name in "ab"}
    kind = plan(cur, f"{BOOKS}tables:\n  app.users: {{}}\n  app.a: {decided['a']}\n  app.b: {decided['b']}\n")
    bind_persons(cur, kind, [{"id": 1}], today=TODAY)
    for statement in kind.erase:
        if statement.purpose in ("prepare", "capture", "stub"):
            cur.execute(statement.sql)
    staying = {}
    for name in "ab":
        cur.execute(f"select array_agg(id order by id) from pg_temp.{kind.rows[f'app.{name}']} where not gdpr_dies")
        (staying[name],) = cur.fetchone() or (None,)
    assert staying == {"a": [1, 2, 3] if "a" in kept else [2, 3], "b": [1, 2, 3]}


def test_a_row_that_is_merely_emptied_makes_no_stub_of_what_it_points_at(cur: cursor) -> None:
    cur.execute(
        "create table app.b (id int primary key, a int, user_id bigint);"
        "create table app.m (id int primary key, b int not null references app.b, user_id bigint, text text);"
        "create table app.a (id int primary key, m int not null references app.m, user_id bigint, due date);"
        "alter table app.b add foreign key (a) references app.a; insert into app.b values (1, null, 1);"
        "insert into app.m values (1, 1, 1, 'x'); insert into app.a values (1, 1, 1, '2026-01-01')"
    )
    links = "links: {user_id: {}}"
    kind = plan(
        cur,
        f"{BOOKS}tables:\n  app.users: {{}}\n  app.b: {{{links}}}\n  app.a: {{{KEPT}, {links}}}\n"
        f"  app.m: {{erase: {{text: null, user_id: null}}, {links}}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 1


def test_what_a_stub_of_the_same_table_points_at_stays_whatever_the_links_are_called(cur: cursor) -> None:
    cur.execute(
        "create table app.o (id int primary key, user_id bigint, text text);"
        "create table app.bills (id int primary key, a_order int not null references app.o,"
        " z_previous int not null references app.bills, user_id bigint, due date);"
        "insert into app.o values (1, 1, 'x'), (2, 1, 'y'), (3, 1, 'z');"
        "insert into app.bills values (1, 1, 1, 1, '2001-01-01'), (2, 2, 1, 1, '2026-01-01')"
    )
    links = "links: {user_id: {}}"
    kind = plan(cur, f"{BOOKS}tables:\n  app.users: {{}}\n  app.o: {{{links}}}\n  app.bills: {{{KEPT}, {links}}}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.o") == [(1, None, None), (2, None, None)]


def test_a_view_with_links_is_refreshed_and_stops_nothing(cur: cursor) -> None:
    cur.execute("create materialized view app.names as select id, name from app.users")
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n"
        "  app.names: {erase: refresh, links: {id: {subject: person}}, columns: {name: user}}\n",
    )
    assert exported(cur, kind, "app.names", {"id": 1}) == [{"id": 1, "name": "One"}]
    assert erased(cur, plan_again(cur, kind), {"id": 1}) == 0
    gone = read_gone(cur, kind)
    bind_persons(cur, plan_again(cur, kind), [{"id": 1}], today=TODAY)
    bind_gone(cur, kind, gone)
    for statement in (s for d in kind.datasets for s in d.reads if s.purpose == "verify"):
        cur.execute(statement.sql)
        assert cur.fetchone() == (0,)


def test_a_foreign_key_that_is_not_enforced_holds_no_row_to_its_parent(cur: cursor) -> None:
    if cur.connection.server_version < 180000:
        pytest.skip("NOT ENFORCED came with Postgres 18")
    cur.execute(
        "create table app.o (id int primary key, user_id bigint); insert into app.o values (1, 1);"
        "create table app.n (k int primary key, o int references app.o not enforced); insert into app.n values (1, 1)"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.o: {links: {user_id: {}}}\n  app.n: {}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    gone = read_gone(cur, kind)
    cur.execute("insert into app.n values (2, 1)")
    bind_persons(cur, plan_again(cur, kind), [{"id": 1}], today=TODAY)
    bind_gone(cur, kind, gone)
    found = []
    for statement in (s for d in kind.datasets for s in d.reads if s.purpose == "verify" and s.link == "o"):
        cur.execute(statement.sql)
        found += cur.fetchall()
    assert found == [(1,)]


# A nobody for each tenant ---------------------------------------------------------------------------------------------

TENANTS = """
create table app.people (tenant_id int, id int, code text unique, primary key (tenant_id, id));
create table app.tickets (k int primary key, tenant_id int not null, owner int, closed_by int not null,
  foreign key (tenant_id, owner) references app.people, foreign key (tenant_id, closed_by) references app.people);
insert into app.people values (1, 0), (1, 1), (1, 2), (2, 0), (2, 1);
insert into app.tickets values (1, 1, 2, 1), (2, 2, 1, 1), (3, 1, null, 0), (4, 1, 2, 0);
"""
OF_TENANTS = HEAD + "subject: {table: app.people, key: [tenant_id, id], nobody: {id: 0}}\n"


@pytest.mark.parametrize("said", ["actor", "{role: actor, erase: nobody}"])
def test_each_tenant_has_a_nobody_of_its_own(cur: cursor, said: str) -> None:
    cur.execute(TENANTS)
    links = f"{{'tenant_id, closed_by': {said}, 'tenant_id, owner': {{}}}}"
    tables = f"tables:\n  app.people: {{}}\n  app.tickets: {{links: {links}}}\n"
    assert codes(cur, tables, OF_TENANTS) == []
    kind = plan(cur, tables, OF_TENANTS)
    assert erased(cur, kind, {"tenant_id": 1, "id": 1}) == 0
    assert rows(cur, "app.tickets") == [(1, 1, 2, 0), (2, 2, 1, 1), (3, 1, None, 0), (4, 1, 2, 0)]
    plan_again(cur, kind)
    with pytest.raises(UnfitValue, match="stands for nobody"):
        bind_persons(cur, kind, [{"tenant_id": 2, "id": 0}], today=TODAY)


def test_the_nobody_of_any_tenant_is_nobody_else(cur: cursor) -> None:
    cur.execute(
        TENANTS + "create table app.n (k int primary key, t int, a int, b int);"
        "insert into app.n values (1, 1, 1, 0), (2, 2, 1, 0)"
    )
    tables = "tables:\n  app.people: {}\n  app.tickets: {shared: true}\n  app.n: {links: {'t, a': {}, 't, b': {}}}\n"
    kind = plan(cur, tables, OF_TENANTS)
    assert erased(cur, kind, {"tenant_id": 1, "id": 1}) == 0
    assert rows(cur, "app.n") == [(2, 2, 1, 0)]


def test_nobody_of_every_tenant_is_none_that_one_other_key_names(cur: cursor) -> None:
    cur.execute(TENANTS + "create table app.n (k int primary key, code text not null references app.people (code))")
    tables = "tables:\n  app.people: {}\n  app.tickets: {shared: true}\n  app.n: {shared: true}\n"
    assert codes(cur, tables, OF_TENANTS) == ["nobody"]


@pytest.mark.parametrize("nobody", ["{}", "{code: x}", "{id: 0, code: x}"])
def test_nobody_is_named_by_columns_of_the_key(cur: cursor, nobody: str) -> None:
    cur.execute(TENANTS)
    written = Document.parse(OF_TENANTS.replace("{id: 0}", nobody) + "tables:\n  app.people: {}\n")
    _, faults = attempted(written.map, Catalogue.from_json(document(cur)))
    assert "nobody" in [fault.code for fault in faults]


def test_a_row_that_is_told_to_go_to_another_tenants_nobody_is_refused(cur: cursor) -> None:
    cur.execute(TENANTS)
    head = OF_TENANTS.replace("{id: 0}", "{tenant_id: 1, id: 0}")
    links = "{'tenant_id, closed_by': {role: actor, erase: nobody}, 'tenant_id, owner': {}}"
    assert codes(cur, f"tables:\n  app.people: {{}}\n  app.tickets: {{links: {links}}}\n", head) == ["nobody"]


def test_a_list_or_a_document_that_is_called_as_the_key_is_still_looked_into(cur: cursor) -> None:
    cur.execute(
        "create table app.people (watcher bigint primary key);"
        "create table app.channels (id bigint primary key, watcher text[]);"
        "create table app.events (id bigint primary key, watcher jsonb);"
        "insert into app.people values (1), (2);"
        "insert into app.channels values (1, '{1}'), (2, '{2}');"
        """insert into app.events values (1, '{"id": 1}'), (2, '{"id": 2}')"""
    )
    head = HEAD + "subject: {table: app.people, key: watcher}\n"
    tables = """tables:
  app.people: {}
  app.channels: {links: {"watcher[]": {}}}
  app.events: {links: {"watcher->>'id'": {}}}
"""
    assert erased(cur, plan(cur, tables, head), {"watcher": 1}) == 0
    assert rows(cur, "app.people") == [(2,)]
    assert [number for number, *_ in rows(cur, "app.channels")] == [2]
    assert [number for number, *_ in rows(cur, "app.events")] == [2]
