"""Schemas in which what is kept is read all the same, what is erased is copied, and keys lie where no pattern looks."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import cursor
from redis import Redis

from datamap.check import report
from datamap.check.check import checked
from datamap.document import Document
from datamap.fault import Fault
from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from shared.database import connect
from tests.integration.test_check import HEAD, SUBJECT, catalogue, document, told
from tests.integration.test_map_commands import MAP, SCHEMA, run
from tests.run import administrator


@pytest.fixture
def cur(empty_postgres: PostgresAddress) -> Iterator[cursor]:
    with contextlib.closing(connect(empty_postgres, application="gdpr-tests")) as session:
        session.autocommit = True
        with session.cursor() as cur:
            cur.execute("set search_path = public, pg_catalog")
            yield cur


# Who reads what is kept ---------------------------------------------------------------------------------------------

PERSONS = "create table users (id bigint primary key, email text unique, login text);"
ORDERS = """
    create table teams (id int primary key, is_open boolean); create table visits (id int primary key, u bigint);
    create table t (id int primary key, u bigint not null references users, tenant int, v text, note text, on_day date,
      gone_at date, owner text);
    alter table t enable row level security, force row level security;
    insert into users select n, n || '@mail.example' from generate_series(1, 5) as n;
    insert into t select n, 1 + n % 5, 1, 'x', 'y', '2026-01-01', null, current_user from generate_series(1, 20) as n;
    create function tells(int) returns boolean stable language sql as 'select true';
"""
KEPT = (
    "t: {activity: a, erase: keep, keep: {exception: 17(3)(b), law: § 147 AO, until: then, owner: x,"
    " columns: [tenant, v, on_day, owner], set: {note: empty}}, columns: {'*': user.account}}\n"
    "teams: {personal: false, reason: nobody stands there}\nvisits: {activity: a, links: {u: {}}}"
)


class Roles:
    """Names of roles that no other test has, and what is told of them."""

    def __init__(self, cur: cursor) -> None:
        self.cur = cur
        self.names = {name: f"gdpr_test_{name}_{secrets.token_hex(4)}" for name in ("app", "readers", "keeper")}

    def run(self, statements: str) -> None:
        self.cur.execute(statements.format(**self.names))

    def told(self, tables: str = KEPT) -> list[Fault]:
        head = f"{SUBJECT}application_roles: [{self.names['app']}]\n"
        self.cur.execute("set search_path = pg_catalog, pg_temp")
        faults = checked(document(tables, subject=head), catalogue(self.cur), cursor=self.cur)
        self.cur.execute("set search_path = public, pg_catalog")
        assert not told(faults, "not_asked", "unknown_role")
        return told(faults, "keep_readable")


@pytest.fixture
def roles(cur: cursor) -> Iterator[Roles]:
    found = Roles(cur)
    cur.execute(f"{PERSONS}{ORDERS}")
    found.run(
        "create role {app}; create role {readers}; create role {keeper};"
        " grant select on t, users, teams, visits to {app}"
    )
    try:
        yield found
    finally:
        found.run("reset role; drop owned by {app}, {readers}, {keeper}; drop role {app}, {readers}, {keeper}")


SHOWN = {
    "every row": "create policy p on t using (true)",
    "what is always so": "create policy p on t using (1 = 1)",
    "those of a tenant": "create policy p on t using (tenant = 1)",
    "what was not marked as deleted": "create policy p on t using (gone_at is null)",
    "what is of a year": "create policy p on t using (on_day > '2020-01-01' and v is not null)",
    "whoever is asked for": "create policy p on t using (tenant = current_setting('app.tenant')::int)",
    "whose name it has": "create policy p on t using (owner = current_user)",
    "either": "create policy p on t using (note <> '' or tenant = 1)",
    "one of two": "create policy p on t using (note <> ''); create policy q on t using (tenant = 1)",
    "reading alone": "create policy p on t for select to {app} using (tenant is not null)",
    "a role that it belongs to": "grant {readers} to {app}; create policy p on t to {readers} using (true)",
    "a role that it may become": (
        "grant {readers} to {app} with inherit false, set true; grant select on t to {readers};"
        " create policy p on t to {readers} using (tenant = 1)"
    ),
    "a role that bypasses": (
        "alter role {readers} bypassrls; grant select on t to {readers};"
        " grant {readers} to {app} with inherit false, set true"
    ),
    "a role that always may": "create policy p on t using (pg_has_role(current_user, '{app}', 'member'))",
}
HIDDEN = {
    "no policy": "select",
    "what keep empties": "create policy p on t using (note <> '')",
    "what keep empties, of a tenant": (
        "create policy p on t using (tenant = current_setting('app.tenant')::int and (note <> '' and v > ''))"
    ),
    "another's policy": "create policy p on t to {readers} using (true)",
    "another's policy, not inherited": (
        "grant {readers} to {app} with inherit false, set false; create policy p on t to {readers} using (true)"
    ),
    "what narrows": (
        "create policy p on t using (true); create policy q on t as restrictive using (note <> '' and v <> 'AND (')"
    ),
    "nothing": "create policy p on t using (false)",
    "writing alone": "create policy p on t for insert with check (true)",
    "writing at all": "create policy p on t with check (true)",
    "rows that go": "create policy p on t using (exists (select from visits as o where o.u = t.u))",
    "a role that it has not": "create policy p on t using (pg_has_role(current_user, '{keeper}', 'member'))",
    "a role that may not read": (
        "alter role {readers} bypassrls; grant {readers} to {app} with inherit false, set true; "
    ),
    "an address that goes": (
        "create policy p on t using (exists (select from users as o where o.id = u and o.email is not null))"
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_policy_that_looks_at_nothing_that_keep_changes_shows_what_is_kept(roles: Roles, name: str) -> None:
    roles.run(SHOWN[name])
    (fault,) = roles.told()
    assert fault.severity == "warning"
    assert roles.names["app"] in fault.message


@pytest.mark.parametrize("name", HIDDEN)
def test_a_policy_that_hides_what_is_kept_is_enough(roles: Roles, name: str) -> None:
    roles.run(HIDDEN[name])
    assert roles.told() == []


@pytest.mark.parametrize(
    "condition",
    [
        "tells(id)",
        "exists (select from teams where teams.id = tenant and is_open)",
        "exists (select from users as o where o.id = u)",
    ],
)
def test_what_depends_on_other_tables_is_no_silence(roles: Roles, condition: str) -> None:
    roles.run(f"create policy p on t using ({condition})")
    (fault,) = roles.told()
    assert fault.severity == "note"
    assert "the policy p hides it" in fault.message
    roles.run(f"alter policy p on t using (note <> '' and {condition})")
    assert roles.told() == []


def test_a_table_without_rows_is_judged_by_what_the_condition_mentions(roles: Roles) -> None:
    roles.run("delete from t; create policy p on t using (note <> '')")
    assert roles.told() == []
    roles.run("alter policy p on t using (v <> 'note')")
    assert len(roles.told()) == 1


VIEWS = {
    "a view": ("create view shown as select * from t; grant select on shown to {app}", True),
    "a view on a view": (
        "create view below as select * from t; create view shown as select id from below;"
        " grant select on shown to {app}",
        True,
    ),
    "a materialised view": ("create materialized view shown as table t; grant select on shown to {app}", True),
    "a view for somebody else": ("create view shown as select * from t; grant select on shown to {readers}", False),
    "a view as who asks": (
        "create view shown with (security_invoker = true) as select * from t; grant select on shown to {app}", False,
    ),
    "a view of what is not kept": (
        "create view shown as select * from t where note <> ''; grant select on shown to {app}", False,
    ),
    "a view of one tenant": (
        "create view shown as select note, id from t where tenant = 1; grant select on shown to {app}", True,
    ),
    "a view of somebody who sees nothing": (
        "create view shown as select * from t; grant select on shown to {app}; grant select on t to {keeper};"
        " alter view shown owner to {keeper}", False,
    ),
    "a view of somebody who sees all": (
        "create view shown as select * from t; grant select on shown to {app}; grant select on t to {keeper};"
        " alter view shown owner to {keeper}; create policy q on t to {keeper} using (true)", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_reads_as_its_owner_past_the_policies_of_who_asks(roles: Roles, name: str) -> None:
    statements, is_told = VIEWS[name]
    roles.run("create policy p on t to {app} using (note <> '')")
    roles.run(statements)
    found = roles.told()
    assert len(found) == is_told
    for fault in found:
        assert fault.severity == "warning"
        if "materialised" not in fault.message:
            roles.cur.execute(fault.remedy or "")
            assert roles.told() == []


def test_the_proposed_policy_hides_what_is_kept(roles: Roles) -> None:
    roles.run(
        "alter table t add restricted boolean not null default false; create policy p on t using (not restricted)"
    )
    assert roles.told(KEPT.replace("set: {", "set: {restricted: {value: true}, ")) == []
    assert len(roles.told(KEPT.replace("columns: [", "columns: [restricted, "))) == 1


# The cache ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(valkey: CacheAddress) -> Iterator[Redis]:
    with contextlib.closing(connect_cache(valkey, application="gdpr-tests")) as client:
        yield client


def test_a_map_that_knows_nothing_of_keys_in_the_cache_is_not_approved(
    postgres: PostgresAddress, valkey: CacheAddress, client: Redis, tmp_path: Path
) -> None:
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
    data_map = tmp_path / "datamap.yaml"
    data_map.write_text(MAP)
    for number in range(101, 301):
        client.set(f"cart:{number}", "x")
    checked = run(postgres, "map", "check", data_map, REDIS_URL=valkey.url())
    assert (checked.returncode, "cache.unclassified" in checked.stdout) == (1, True)
    refused = run(postgres, "map", "approve", data_map, "--redis-url", valkey.url())
    assert refused.returncode == 1
    assert "cache.unclassified" in refused.stderr
    assert refused.stderr.endswith("Nothing is approved.\n")
    data_map.write_text(f'{MAP}cache:\n  refill_max: PT30S\n  "cart:{{id}}": {{activity: account}}\n')
    approved = run(postgres, "map", "approve", data_map, REDIS_URL=valkey.url())
    assert (approved.returncode, "from now on" in approved.stderr) == (0, True), approved.stderr


@pytest.mark.parametrize(("line", "count"), [("cart:*", 1), ("*", 0)])
def test_a_key_without_a_name_is_told_and_breaks_nothing(
    postgres: PostgresAddress, valkey: CacheAddress, client: Redis, tmp_path: Path, line: str, count: int
) -> None:
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
    client.set("", "x")
    data_map = tmp_path / "datamap.yaml"
    data_map.write_text(f'{MAP}cache:\n  refill_max: PT30S\n  "{line}": {{erase: expire, activity: account}}\n')
    answer = run(postgres, "map", "check", data_map, REDIS_URL=valkey.url())
    assert answer.returncode == 1, answer.stderr
    assert answer.stdout.count("The cache has a key without a name, and no pattern of the map covers it") == count


# What triggers do where their text does not say so ------------------------------------------------------------------

ROWS = """
    create table t (id bigint primary key, u bigint not null references users, v text);
    create table log (u bigint); create table history (id int primary key, u bigint);
    create function public.copied(bigint) returns void language sql as 'insert into public.log values ($1)';
    create function public.again(bigint) returns void language plpgsql as 'begin perform public.copied($1); end';
    create function public.kept(bigint) returns void language plpgsql as
      $$ begin execute format('insert into %I values ($1)', 'log') using $1; end $$;
    create function public.atomic(n bigint) returns void begin atomic insert into public.log values (n); end;
    create function public.told(bigint) returns void language sql as $$ select pg_notify('x', $1::text) $$;
    create function public.harmless(bigint) returns bigint language plpgsql as 'begin return $1; end';
    create function public.reads(text) returns void stable language plpgsql as 'begin execute $1; end';
    create function public.pathless(bigint) returns void language sql as 'insert into history values (1, $1)';
    create function public.pathful(bigint) returns void language sql set search_path = public as
      'insert into history values (1, $1)';
    create function public.format(bigint) returns bigint language sql as
      'insert into public.log values ($1) returning u';
    create procedure public.done(bigint) language sql as 'insert into public.log values ($1)';
"""
DEEDS = {
    "a text with a name in it": ("execute format('insert into %I values (1)', 'log')", {"trigger_opaque"}),
    "a text of its own": ("execute 'select 1; insert into public.log values (1)'", {"trigger_opaque"}),
    "a text from elsewhere": ("execute tg_argv[0] using old.id", {"trigger_opaque"}),
    "a text that reads": ("execute 'select count(*) from ' || 'log'", set()),
    "a text that reads a name": ("execute format('select 1 from %I', 'log')", set()),
    "a word in a text": ("raise notice 'execute %', 'insert into public.log'", set()),
    "a word in a comment": ("-- execute insert into public.log\n null", set()),
    "a call": ("perform public.copied(old.id)", {"trigger_copies"}),
    "a call in an expression": ("if public.copied(old.id) is null then null; end if", {"trigger_copies"}),
    "a procedure": ("call public.done(old.id)", {"trigger_copies"}),
    "a call of a call": ("perform public.again(old.id)", {"trigger_copies"}),
    "a call of what makes up statements": ("perform public.kept(old.id)", {"trigger_opaque"}),
    "a call of parsed SQL": ("perform public.atomic(old.id)", {"trigger_copies"}),
    "a call that tells": ("perform public.told(old.id)", {"trigger_sends"}),
    "a call that does nothing": ("perform public.harmless(old.id)", set()),
    "a call that only reads": ("perform public.reads(old.v)", set()),
    "a call without a schema": ("perform copied(old.id)", {"trigger_copies", "trigger_search_path"}),
    "a call of what names no schema": ("perform public.pathless(old.id)", {"trigger_copies", "trigger_search_path"}),
    "a call of what has a search path": ("perform public.pathful(old.id)", {"trigger_copies"}),
    "a call of one of Postgres' own": ("perform format('%s', old.id)", set()),
    "a call of its namesake": ("perform public.format(old.id)", {"trigger_copies"}),
}
CODES = ("trigger_copies", "trigger_search_path", "trigger_sends", "trigger_opaque")


def fires(cur: cursor, body: str) -> None:
    """A trigger on t with this body."""
    cur.execute(
        f"{PERSONS}{ROWS}create function f() returns trigger language plpgsql as $f$begin {body}; return null; end$f$;"
        "create trigger it after delete on t for each row execute function f(); set search_path = pg_catalog, pg_temp"
    )


@pytest.mark.parametrize("name", DEEDS)
def test_what_a_trigger_calls_is_read_and_what_cannot_be_read_is_told(cur: cursor, name: str) -> None:
    body, codes = DEEDS[name]
    fires(cur, body)
    data_map = document(
        "t: {activity: a, erase: delete, columns: {v: user.account}}\nlog: {personal: false, reason: x}\n"
        "history: {activity: a, links: {u: {}}}"
    )
    found = told(checked(data_map, catalogue(cur), cursor=cur), *CODES)
    assert {fault.code for fault in found} == codes
    assert all(fault.severity == "warning" for fault in found if fault.code == "trigger_opaque")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("perform public.copied(old.id)", "public.copied"),
        ("call done(old.id)", "done"),
        ("old.v := app.of(old.id) || app.of(1)", "app.of"),
        ("perform pg_notify('x', 'y'); perform set_config('a.b', 'c', true)", None),
        ("insert into public.history (id, u) values (1, coalesce(old.id, lower('x')::int))", None),
    ],
)
def test_without_a_database_calls_are_told_by_their_names(cur: cursor, body: str, names: str | None) -> None:
    fires(cur, body)
    data_map = document("t: {activity: a, erase: delete, columns: {v: user.account}}")
    found = told(checked(data_map, catalogue(cur)), "trigger_opaque")
    assert [names in fault.message for fault in found if names] == ([True] if names else [])
    assert bool(found) == bool(names)


# What the map says of tables and columns ----------------------------------------------------------------------------

SECRETS = [
    "user_pass text",
    "hashed_api_key text",
    "totp_secret bytea",
    '"passwordHash" text',
    "encrypted_password varchar(40)",
    "remember_token text",
    "recovery_codes text[]",
    "token uuid",
    "pin text",
    "private_key text",
    "pass text",
]
NO_SECRETS = [
    "content_hash text",
    "password_changed_at timestamptz",
    "has_password boolean",
    "failed_password_count int",
    "password_hint text",
    "boarding_pass text",
    "tokens_used text",
    "country_code text",
    "primary_key text",
    "passport text",
    "otp_type text",
]


def secrets_of(cur: cursor, column: str, *entries: str) -> Iterator[list[Fault]]:
    """What is told of a table with this column, for each thing that the map may say of it."""
    cur.execute(f"{PERSONS} create table t (id int primary key, u bigint references users, {column})")
    for entry in entries:
        said = f"t: {{activity: a, columns: {{{entry}}}}}"
        yield told(checked(document(said), catalogue(cur)), "secret_exported", "category_missing")


@pytest.mark.parametrize("column", SECRETS)
def test_what_lets_somebody_in_is_told_by_its_name_whatever_its_category(cur: cursor, column: str) -> None:
    name = column.split(maxsplit=1)[0].strip('"')
    as_proposed = f"{name}: {{category: user.account, export: false, reason: a secret that logs in}}"
    looked_at = f"{name}: {{category: user.account, reason: a word for guests}}"
    of_nobody = f"{name}: {{personal: false, reason: of the shop}}"
    entries = (f"{name}: user.account", "'*': user.account", as_proposed, looked_at, of_nobody)
    named, starred, *others = secrets_of(cur, column, *entries)
    assert [(fault.code, fault.severity, fault.remedy) for fault in named] == [
        ("secret_exported", "warning", f"write {as_proposed}")
    ]
    assert len(starred) == 1
    assert others == [[], [], []]


@pytest.mark.parametrize("column", NO_SECRETS)
def test_what_is_only_about_a_secret_is_none(cur: cursor, column: str) -> None:
    assert list(secrets_of(cur, column, f"{column.split(maxsplit=1)[0]}: user.account")) == [[]]


def test_the_remedy_for_a_view_that_stores_rows_is_one_that_the_next_check_takes(cur: cursor) -> None:
    cur.execute(f"{PERSONS} create materialized view shown as select id as u, email from users")
    (fault,) = told(checked(document(""), catalogue(cur)), "unclassified_table")
    line = (fault.remedy or "").rpartition("or `")[2].removesuffix("`")
    assert ("erase: refresh" if cur.connection.server_version >= 170000 else "erase: external_manual") in line
    line = line.replace("reason: …", "reason: every night")
    line = line.replace("activity: …", "activity: a, links: {u: {}}").replace("columns: …", "columns: {email: user}")
    assert not [each for each in checked(document(line), catalogue(cur)) if each.severity == "error"]


# Whose a row is, against what the database says ----------------------------------------------------------------------


def of_the_map(cur: cursor, sql: str, tables: str, *codes: str) -> list[Fault]:
    cur.execute(f"{PERSONS}{sql}")
    cur.execute("set search_path = pg_catalog, pg_temp")
    return told(checked(document(tables), catalogue(cur), cursor=cur), *codes)


ORDER = "create table orders (id bigint primary key, u bigint references users);"
LINES = f"{ORDER} create table l (id int primary key, order_id bigint references orders, product_id bigint);"
PROFILE = "create table profile (id bigint primary key references users);"
TARGETS = {
    "a key of orders taken for a person's": (
        LINES,
        "orders: {activity: a}\n"
        "l: {activity: a, links: {order_id: {to: public.users.id}}, columns: {product_id: user}}",
        "error",
    ),
    "a key that is passed on": (
        f"{PROFILE} create table l (id int primary key, p bigint references profile)",
        "profile: {activity: a}\nl: {activity: a, links: {p: {to: public.users.id}}}", None,
    ),
    "a foreign key as it is": (LINES, "orders: {activity: a}\nl: {activity: a, links: {order_id: {}}}", None),
    "called as another table is": (
        "create table products (id bigint primary key); create table l (id int primary key, product_id bigint)",
        "products: {personal: false, reason: x}\nl: {activity: a, links: {product_id: {}}}", "warning",
    ),
    "called so, and said": (
        "create table products (id bigint primary key); create table l (id int primary key, product_id bigint)",
        "products: {personal: false, reason: x}\nl: {activity: a, links: {product_id: {to: public.users.id}}}", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_link_that_says_something_else_than_the_database_would_find_rows_of_strangers(cur: cursor, name: str) -> None:
    sql, tables, severity = TARGETS[name]
    found = of_the_map(cur, sql, tables, "link_target")
    assert [fault.severity for fault in found] == ([severity] if severity else [])


def test_of_several_kinds_of_people_the_foreign_key_says_which(cur: cursor) -> None:
    cur.execute(f"{PERSONS} create table staff (id bigint primary key); {ORDER}")
    subjects = "subjects: {customer: {table: users, key: id}, staff: {table: staff, key: id}}\n"
    said = "staff: {activity: a}\norders: {activity: a, links: {u: {subject: %s}}}"
    for subject, count in (("staff", 1), ("customer", 0)):
        faults = checked(document(said % subject, subject=subjects), catalogue(cur), cursor=cur)
        assert len(told(faults, "link_target")) == count


SECOND = "create table m (id int primary key, sender_id bigint not null references users, recipient_id bigint, v text)"


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("columns: {recipient_id: user.unique_id, v: user}", 1),
        ("columns: {'*': user.content}", 1),
        ("links: {recipient_id: {}}, columns: {v: user}", 0),
        ("links: {recipient_id: reference}, columns: {v: user}", 0),
        ("columns: {recipient_id: {category: user, reason: a number of the post office}, v: user}", 0),
    ],
)
def test_whoever_is_in_a_row_as_well_is_no_column_of_it(cur: cursor, said: str, count: int) -> None:
    found = of_the_map(cur, SECOND, f"m: {{activity: a, erase: delete, {said}}}", "looks_linked")
    assert [fault.severity for fault in found] == ["warning"] * count


TENANTS = (
    "create table users (tenant int, id bigint unique not null, mrn bigint unique not null, email text, login text,"
    " primary key (tenant, id));"
)
KEYS = {
    "of one column": ("key: id,", "user_id bigint"),
    "of several": ("key: [tenant, id],", "tenant int, user_id bigint"),
    "another than people are named by": ("key: [tenant, id],", "user_mrn bigint"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_link_that_is_proposed_can_be_written_as_it_stands(cur: cursor, name: str) -> None:
    key, column = KEYS[name]
    owner = "owner_id bigint references users (id)"
    cur.execute(f"{TENANTS} create table m (id int primary key, {owner}, {column});")
    cur.execute("set search_path = pg_catalog, pg_temp")
    subject = SUBJECT.replace("key: id,", key)

    def found(said: str) -> list[Fault]:
        tables = f"m: {{activity: a, {said}columns: {{'*': user}}}}"
        return checked(document(tables, subject=subject), catalogue(cur), cursor=cur)

    (told_so,) = (fault for fault in told(found(""), "looks_linked") if "column user" in fault.message)
    links = re.findall("`([^`]+)`", (told_so.remedy or "").splitlines()[0])
    assert len(links) == 3
    for each in links:
        again = found(f"links: {{{each}}}, ")
        assert [f.message for f in told(again, "looks_linked", "partial_key", "link_target", "map.kind", "types")] == []


def test_a_view_that_is_refreshed_needs_no_link(cur: cursor) -> None:
    cur.execute(f"{PERSONS}create table o (id int primary key, user_id bigint references users (id), v int);")
    cur.execute("create materialized view s as select user_id, sum(v) from o group by 1; set search_path = pg_catalog")
    tables = "o: {activity: a, columns: {'*': user}}\ns: {activity: a, erase: refresh, columns: {'*': user}}"
    assert told(checked(document(tables), catalogue(cur), cursor=cur), "looks_linked") == []


SHARED = {
    "that cascades": ("u bigint not null references users (id) on delete cascade", "", "nobody"),
    "that refuses": ("u bigint not null references users (id)", "", "nobody"),
    "that is unlinked": ("u bigint not null references users (id)", "links: {u: {erase: unlink}}, ", "nobody"),
    "that is undecided": ("u bigint not null references users (id)", "links: {u: {erase: undecided}}, ", "nobody"),
    "to what goes": ("o bigint not null references o", "links: {o: {erase: unlink}}, ", "keep the row"),
    "to what goes, that cascades": ("o bigint not null references o on delete cascade", "", "keep the row"),
}


@pytest.mark.parametrize("name", SHARED)
def test_of_a_shared_row_no_remedy_lets_it_go(cur: cursor, name: str) -> None:
    column, said, instead = SHARED[name]
    sql = "create table o (id bigint primary key, u bigint references users);"
    sql += f"create table p (id int primary key, {column})"
    tables = f"o: {{activity: a}}\np: {{activity: a, shared: true, {said}columns: {{'*': user}}}}"
    cur.execute(f"{PERSONS}{sql}; set search_path = pg_catalog, pg_temp")
    found = [
        f for f in checked(document(tables), catalogue(cur), cursor=cur) if "public.p" in f.message or "p," in f.message
    ]
    remedies = [fault.remedy or "" for fault in found if not fault.code.startswith(("index", "not_installed"))]
    assert remedies
    assert not [each for each in remedies if "delete" in each]
    assert [each for each in remedies if instead in each]


@pytest.mark.parametrize(("word", "instead"), [("shared: true", "{…: {value: …}}"), ("erase: unlink", "erase: delete")])
def test_a_row_that_must_not_move_to_another_tenant_is_deleted_only_if_it_may_be(
    cur: cursor, word: str, instead: str
) -> None:
    cur.execute(f"{TENANTS} create table p (n int primary key, tenant int not null, u bigint not null)")
    cur.execute("set search_path = pg_catalog, pg_temp")
    subject = SUBJECT.replace("key: id,", "key: [tenant, id], nobody: {tenant: 1, id: 0},")
    tables = f"p: {{activity: a, {word}, links: {{'tenant, u': {{erase: nobody}}}}}}"
    (moved,) = told(checked(document(tables, subject=subject), catalogue(cur)), "nobody_moves")
    assert (moved.remedy or "").endswith(instead)


SILENT = {
    "a name in JSON in another spelling": ("p->>'userId'", "warning"),
    "one above": ("p->'Actor'->>'id'", "warning"),
    "a name that nobody wrote": ("p->>'of'", "note"),
    "a name that is there": ("p->>'user_id'", None),
    "one below": ("p->'actor'->>'id'", None),
    "one in text": ("v::jsonb->>'userId'", "warning"),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_place_in_json_where_no_row_has_anything_is_told(cur: cursor, name: str) -> None:
    place, severity = SILENT[name]
    rows = """create table t (id int primary key, p jsonb, v text);
        insert into t values (1, '{"user_id": 1, "actor": {"id": 2}}', '{"user_id": 1}'), (2, null, null);
        insert into t values (3, '7', 'x')"""
    said = f't: {{activity: a, links: {{"{place}": {{}}}}, columns: {{p: user, v: user}}}}'
    found = of_the_map(cur, rows, said, "link_silent")
    assert [fault.severity for fault in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("word", "severity", "meant"),
    [
        ("user", "warning", "'User'"),
        ("Order", "warning", r"App\Models\Order"),
        ("Guest", "note", "look at it"),
        ("User", None, ""),
    ],
)
def test_a_word_that_no_row_has_names_nobody(cur: cursor, word: str, severity: str | None, meant: str) -> None:
    rows = r"""create table t (id int primary key, k text, u bigint);
        insert into t values (1, 'User', 1), (2, 'App\Models\Order', 2), (3, 'ann@mail.example', 3)"""
    said = f"""t: {{activity: a, links: {{u: {{when: "k = '{word}'"}}}}, columns: {{k: user}}}}"""
    found = of_the_map(cur, rows, said, "link_silent")
    assert [fault.severity for fault in found] == ([severity] if severity else [])
    assert all(meant in (fault.remedy or "") and "ann" not in (fault.remedy or "") for fault in found)


MANY = "insert into users select n, n || '@mail.example', 'name' || n from generate_series(1, 99) as n;"
HOLDS = {
    "a prefix before the number": ("r text", "'user:' || n", "r: {}", True),
    "the number": ("r text", "n", "r: {}", False),
    "some that are gone": ("r text", "n * 7", "r: {}", False),
    "a hash of an address": ("r text", "md5(n::text)", "r: {identity: email}", True),
    "an address": ("r text", "n || '@mail.example'", "r: {identity: email}", False),
    "a name in capitals": ("r text", "'NAME' || n", "r: {identity: login}", False),
    "another name": ("r text", "'of' || n", "r: {identity: login}", True),
    "others in JSON": ("r jsonb", "jsonb_build_object('u', n + 900)", """"r->>'u'": {}""", True),
    "they in JSON": ("r jsonb", "jsonb_build_object('u', n)", """"r->>'u'": {}""", False),
    "others in a list": ("r bigint[]", "array[n + 900, n + 901]", "'r[]': {}", True),
    "they in a list": ("r bigint[]", "array[n, 0]", "'r[]': {}", False),
    "where it is said": ("r text, k text default 'x'", "'user:' || n", """r: {when: "k = 'y'"}""", False),
}


@pytest.mark.parametrize("name", HOLDS)
def test_many_values_of_which_none_is_anybodys_are_told(cur: cursor, name: str) -> None:
    columns, value, link, is_told = HOLDS[name]
    sql = f"{MANY} create table t (id int primary key, {columns});"
    sql += f"insert into t (id, r) select n, {value} from generate_series(10, 90) as n"
    found = of_the_map(cur, sql, f"t: {{activity: a, links: {{{link}}}, columns: {{'*': user}}}}", "link_silent")
    assert [fault.severity for fault in found if "many values" in fault.message] == ["warning"] * is_told


@pytest.mark.parametrize(
    ("row", "said", "is_told"),
    [
        ("1, null, 'ann@mail.example'", "user.contact.email", True),
        ("1, 1, 'ann@mail.example'", "user.contact.email", False),
        ("1, null, null", "user.contact.email", False),
        ("1, null, 'x'", "{category: user.contact.email, reason: the shop's own}", False),
        ("1, null, 'x'", "{category: user.contact.email, third_party: true}", False),
    ],
)
def test_an_address_in_a_row_that_names_nobody_is_somebodys(cur: cursor, row: str, said: str, is_told: bool) -> None:
    sql = "create table t (id int primary key, u bigint references users, contact_email text);"
    sql += f"insert into users values (1); insert into t values ({row})"
    tables = f"t: {{activity: a, erase: delete, columns: {{contact_email: {said}}}}}"
    found = of_the_map(cur, sql, tables, "looks_linked")
    assert len(found) == is_told
    for fault in found:
        link = (fault.remedy or "").splitlines()[0].removeprefix("write ")
        mended = document(tables.replace("columns:", f"{link}, columns:"))
        assert told(checked(mended, catalogue(cur), cursor=cur), "looks_linked", "map.invalid") == []


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("links: {u: {export: false}}", True),
        ("links: {u: {export: {redact: [v]}}}", False),
        ("links: {u: {}}", False),
    ],
)
def test_rows_that_are_in_no_export_are_noted(cur: cursor, said: str, is_told: bool) -> None:
    sql = "create table t (id int primary key, u bigint references users, v text)"
    found = of_the_map(cur, sql, f"t: {{activity: a, {said}, columns: {{v: user}}}}", "withheld")
    assert [fault.severity for fault in found] == ["note"] * is_told


def test_what_a_person_is_known_by_is_about_themselves(cur: cursor) -> None:
    cur.execute(PERSONS)
    for said, count in (("{category: user.contact.email, third_party: true}", 1), ("user.contact.email", 0)):
        users = f"users: {{activity: a, columns: {{email: {said}, login: user}}}}"
        data_map = Document.parse(f"{HEAD}{SUBJECT}tables:\n  {users}\n")
        assert len(told(checked(data_map, catalogue(cur), cursor=cur), "withheld")) == count


# Above a person -----------------------------------------------------------------------------------------------------


def test_whoever_acted_on_a_persons_own_row_does_not_take_their_name_away(cur: cursor) -> None:
    cur.execute(f"{PERSONS} alter table users add invited_by bigint references users, add body text")
    columns = "{email: user.contact.email, login: user, body: user.content}"
    users = f"users: {{activity: a, links: {{invited_by: actor}}, columns: {columns}}}"
    data_map = Document.parse(f"{HEAD}{SUBJECT}tables:\n  {users}\n")
    assert told(checked(data_map, catalogue(cur), cursor=cur), "identity_left", "content_left") == []


PARTNER = """create table partner (id int primary key, email text, create_uid bigint references users);
    alter table users add partner_id int references partner"""


@pytest.mark.parametrize(("links", "severity"), [("links: {create_uid: actor}, ", "warning"), ("", "error")])
def test_data_that_lies_above_a_person_is_told_with_what_can_be_done(cur: cursor, links: str, severity: str) -> None:
    sql = PARTNER if links else PARTNER.replace(", create_uid bigint references users", "")
    tables = f"partner: {{activity: a, erase: delete, {links}columns: {{email: user.contact.email}}}}"
    (fault,) = of_the_map(cur, sql, tables, "unreached", "identity_left")
    assert (fault.code, fault.severity) == ("unreached", severity)
    remedy = (fault.remedy or "").splitlines()[-1]
    subject = f"subject: {remedy.partition('subject: ')[2].partition('}')[0]}}}\n"
    mended = document(tables.replace(links, ""), subject=subject)
    codes = {fault.code for fault in checked(mended, catalogue(cur), cursor=cur) if fault.severity == "error"}
    assert codes <= {"unclassified_column"}


# What is left -------------------------------------------------------------------------------------------------------

LEFT = {
    "an address below a star": ("email text", "erase: {u: null}, columns: {'*': user.account}", "identity_left"),
    "an address called otherwise": ("phone text", "erase: {u: null}, columns: {phone: user}", "identity_left"),
    "one that is none": ("email text", "erase: {u: null}, columns: {email: {category: user, reason: ours}}", None),
    "one that is only about it": ("email_verified bool", "erase: {u: null}, columns: {email_verified: user}", None),
    "what somebody wrote who acted": ("body text", "links: {u: actor}, columns: {body: user.content}", "content_left"),
    "what may stay": ("body text", "links: {u: {role: actor, reason: x}}, columns: {body: user.content}", None),
    "what was made of a text": ("s tsvector", "erase: {u: null}, columns: {s: user.behavior}", "content_left"),
    "what is made again": (
        "s tsvector generated always as ('x'::tsvector) stored", "erase: {u: null}, columns: {s: user.behavior}", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_of_somebody_in_a_row_that_is_cut_off_is_told(cur: cursor, name: str) -> None:
    column, said, code = LEFT[name]
    sql = f"create table t (id int primary key, u bigint references users, {column})"
    found = of_the_map(cur, sql, f"t: {{activity: a, {said}}}", "identity_left", "content_left")
    assert [fault.code for fault in found] == ([code] if code else [])


NOT_PERSONAL = {
    "a view that shows people": (
        "create materialized view shown as select id, login as v from users", "shown: {personal: false, reason: x}", 1,
    ),
    "by way of a view": (
        "create view v as table users; create materialized view shown as select id from v",
        "shown: {personal: false, reason: x}", 1,
    ),
    "sums": (
        "create materialized view shown as select count(*) from users",
        "shown: {personal: false, reason: x, columns: {'*': {personal: false, reason: sums}}}", 0,
    ),
    "of nobody's": (
        "create table p (id int); create materialized view shown as table p",
        "p: {personal: false, reason: x}\nshown: {personal: false, reason: x}", 0,
    ),
    "below what is cut off": (
        f"{ORDER} create table n (id int primary key, o bigint references orders)",
        "orders: {activity: a, erase: unlink}\nn: {personal: false, reason: x}", 1,
    ),
    "below, and looked at": (
        f"{ORDER} create table n (id int primary key, o bigint references orders)",
        "orders: {activity: a, erase: unlink}\n"
        "n: {personal: false, reason: x, columns: {o: {personal: false, reason: x}}}", 0,
    ),
    "a column of theirs": (
        "create table t (id int primary key, u bigint references users, phone text)",
        "t: {activity: a, erase: delete, columns: {phone: false}}", 1,
    ),
    "a column of ours": (
        "create table t (id int primary key, u bigint references users, phone text)",
        "t: {activity: a, erase: delete, columns: {phone: {personal: false, reason: of the shop}}}", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_PERSONAL)
def test_what_hangs_from_people_and_is_called_nobodys_is_told(cur: cursor, name: str) -> None:
    sql, tables, count = NOT_PERSONAL[name]
    assert len(of_the_map(cur, sql, tables, "looks_personal")) == count


def test_a_large_object_stays_when_its_row_goes(cur: cursor) -> None:
    sql = "create table t (id int primary key, u bigint references users, body oid);"
    for said, count in (("user.content", 1), ("{category: user, reason: a number of the catalogue}", 0)):
        cur.execute("set search_path = public, pg_catalog; drop table if exists t, users")
        (*found,) = of_the_map(cur, sql, f"t: {{activity: a, columns: {{body: {said}}}}}", "large_object")
        assert len(found) == count
    cur.execute("insert into public.users values (1); insert into public.t select 1, 1, lo_from_bytea(0, 'x')")
    faults = checked(document("t: {activity: a, columns: {body: user}}"), catalogue(cur), cursor=cur)
    (fault,) = told(faults, "large_object")
    cur.execute((fault.remedy or "").splitlines()[0])
    cur.execute("select body from public.t")
    assert bytes(cur.fetchall()[0][0]) == b"x"


@pytest.mark.parametrize(
    ("address", "is_told"), [("boss@shop.test", True), ("nobody@shop.test", False), ("x@a.example", False)]
)
def test_somebody_with_an_address_is_not_nobody(cur: cursor, address: str, is_told: bool) -> None:
    cur.execute(f"{PERSONS} create table t (id int primary key, u bigint not null references users)")
    cur.execute("insert into users values (0, %s)", (address,))
    subject = SUBJECT.replace("key: id", "key: id, nobody: 0")
    data_map = document("t: {activity: a, erase: {u: nobody}}", subject=subject)
    assert [fault.severity for fault in told(checked(data_map, catalogue(cur), cursor=cur), "nobody")] == (
        ["warning"] if is_told else []
    )


def test_where_each_tenant_has_a_nobody_of_its_own_none_lacks_it(cur: cursor) -> None:
    cur.execute("create table users (tenant int, id int, email text not null, login text, primary key (tenant, id));")
    cur.execute("insert into users values (1, 1, 'a'), (2, 1, 'b'), (2, 0, 'nobody')")
    cur.execute("create table t (id int primary key, tenant int not null, u int not null,"
                " foreign key (tenant, u) references users)")  # fmt: skip
    subject = SUBJECT.replace("key: id", "key: [tenant, id], nobody: {id: 0}")
    data_map = document("t: {activity: a, erase: {u: nobody}}", subject=subject)
    (fault,) = told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing")
    cur.execute((fault.remedy or "").splitlines()[0])
    cur.execute("select tenant, id from users where id = 0 order by 1")
    assert cur.fetchall() == [(1, 0), (2, 0)]
    assert told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing") == []


def test_what_the_compiler_says_to_do_stands(cur: cursor) -> None:
    cur.execute("create table users (tenant int, id int, email text, login text, primary key (tenant, id));")
    cur.execute("insert into users values (1, 0, 'nobody', ''); create table t (tenant int not null, n int,"
                " u int not null, primary key (tenant, n), foreign key (tenant, u) references users)")  # fmt: skip
    subject = SUBJECT.replace("key: id", "key: [tenant, id], nobody: {tenant: 1, id: 0}")
    data_map = document("t: {activity: a, erase: {tenant: nobody, u: nobody}}", subject=subject)
    (fault, *_) = told(checked(data_map, catalogue(cur), cursor=cur), "nobody")
    assert "let each tenant have a nobody of its own" in (fault.remedy or "")


REPLIES = "create table c (id int primary key, u bigint references users, parent int references c, v text);"


@pytest.mark.parametrize(
    ("rows", "links", "is_told"),
    [
        ("(1, 1, null), (2, 2, 1)", "parent: reference, u: {}", True),
        ("(1, 1, null), (2, 2, 1)", "parent: {role: reference, erase: unlink}, u: {}", False),
        ("(1, 1, null), (2, 1, 1)", "parent: reference, u: {}", False),
        ("(1, 1, null), (2, null, 1)", "parent: reference, u: {}", False),
    ],
)
def test_replies_to_others_stop_an_erasure_until_it_is_decided(
    cur: cursor, rows: str, links: str, is_told: bool
) -> None:
    sql = f"{REPLIES} insert into users values (1), (2); insert into c (id, u, parent) values {rows}"
    tables = f"c: {{activity: a, erase: delete, links: {{{links}}}, columns: {{v: user.content}}}}"
    found = of_the_map(cur, sql, tables, "reference_undecided")
    assert [fault.severity for fault in found] == ["warning"] * is_told
    for fault in found:
        decided = (fault.remedy or "").partition("links: {")[2].partition("\n")[0].removesuffix("}")
        mended = document(tables.replace("parent: reference", decided))
        assert told(checked(mended, catalogue(cur), cursor=cur), "reference_undecided", "role") == []


# What an erasure meets ----------------------------------------------------------------------------------------------

ASIDE = "if 'gdpr_erase' in (current_user, session_user) then return coalesce(new, old); end if; "
MET = {
    "writes into a log": ("insert into public.log values (old.id)", "trigger_rights"),
    "counts elsewhere": ("update public.counts set n = n - 1", "trigger_rights"),
    "reads elsewhere": ("perform 1 from public.counts", "trigger_rights"),
    "reads what the plan reads": ("perform 1 from public.log", None),
    "steps aside": (f"{ASIDE}insert into public.log values (old.id)", None),
    "refuses": ("raise exception 'no'", "trigger_refuses"),
    "refuses some": ("if old.v = 'paid' then raise exception 'no'; end if", "trigger_refuses"),
    "refuses by the event": ("if tg_op = 'DELETE' then raise exception 'no'; end if", "trigger_refuses"),
    "refuses what is new": ("if new.v = '' then raise exception 'no'; end if", None),
    "refuses another event": ("if tg_op = 'INSERT' then raise exception 'no'; end if", None),
    "warns": ("raise warning 'no'", None),
    "refuses others": (f"{ASIDE}raise exception 'no'", None),
}
HISTORY = (
    "create table t (id bigint primary key, u bigint not null references users, v text);"
    "create table log (u bigint); create table counts (n int);"
)
TABLES = (
    "t: {activity: a, erase: delete, columns: {v: user.account}}\nlog: {activity: a, links: {u: {}}}\n"
    "counts: {personal: false, reason: x}"
)


@pytest.mark.parametrize("name", MET)
def test_a_trigger_that_an_erasure_could_not_pass_is_told(cur: cursor, name: str) -> None:
    body, code = MET[name]
    function = f"create function f() returns trigger language plpgsql as $f$begin {body}; return old; end$f$;"
    fired = "create trigger it after insert or update or delete on t for each row execute function f();"
    found = of_the_map(cur, f"{HISTORY}{function}{fired}", TABLES, "trigger_rights", "trigger_refuses")
    assert [fault.code for fault in found] == ([code] if code else [])
    for fault in found:
        statement = (fault.remedy or "").splitlines()[0]
        if code == "trigger_rights":
            cur.execute(statement)
            assert told(checked(document(TABLES), catalogue(cur), cursor=cur), "trigger_rights") == []


@pytest.mark.parametrize(("who", "is_told"), [("current_user", True), ("session_user", False)])
def test_a_function_that_runs_as_its_owner_does_not_see_who_asks_by_current_user(
    cur: cursor, who: str, is_told: bool
) -> None:
    body = f"begin if {who} = 'gdpr_erase' then return old; end if; raise exception 'no'; end"
    sql = f"create function f() returns trigger security definer language plpgsql as $f${body}$f$;"
    sql += "create trigger it before delete on t for each row execute function f()"
    assert len(of_the_map(cur, f"{HISTORY}{sql}", TABLES, "trigger_refuses")) == is_told


@pytest.mark.parametrize("when", ["before delete", "after update or delete"])
def test_a_function_that_follows_the_remedy_is_silent(cur: cursor, when: str) -> None:
    body = "insert into public.log values (old.u); update public.t set v = 'deleted' where id = old.id; return null;"
    trigger = f"create trigger it {when} on t for each row execute function f()"
    function = "create or replace function public.f() returns trigger language plpgsql as $f$begin {} {} end$f$;"
    found = of_the_map(cur, f"{HISTORY}{function.format('', body)}{trigger}", TABLES)
    assert found == []
    codes = ("trigger_copies", "trigger_rights", "soft_delete")
    (*found,) = told(checked(document(TABLES), catalogue(cur), cursor=cur), *codes)
    assert {fault.code for fault in found} >= {"trigger_copies", "trigger_rights"}
    aside = next(line for fault in found for line in (fault.remedy or "").splitlines() if "begin with: " in line)
    cur.execute(function.format(aside.partition("begin with: ")[2], body))
    assert told(checked(document(TABLES), catalogue(cur), cursor=cur), *codes) == []


def test_the_suites_own_eraser_fails_at_what_is_told_and_passes_what_is_not(
    postgres: PostgresAddress, tmp_path: Path
) -> None:
    """What the check says of rights is what Postgres says."""
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
        admin.execute(
            "create table app.log (u bigint); create function app.f() returns trigger language plpgsql as"
            " $f$begin insert into app.log values (old.id); return old; end$f$;"
            " create trigger it after delete on app.users for each row execute function app.f()"
        )
        admin.execute("select id from app.users order by id limit 1")
        ((key,),) = admin.fetchall()
    data_map = tmp_path / "datamap.yaml"
    data_map.write_text(f"{MAP}  app.log: {{activity: account, erase: delete, links: {{u: {{}}}}}}\n")
    trying = ("plan", "try", data_map, "--id", str(key), "--erase", "--as", "gdpr_erase")
    checked_once = run(postgres, "map", "check", data_map)
    assert "trigger_rights" in checked_once.stdout
    with administrator(postgres) as admin:
        statement = checked_once.stdout.partition("    alter function ")[2].splitlines()[0]
        admin.execute("alter table app.users disable trigger it")
        assert run(postgres, "map", "approve", data_map).returncode == 0
        admin.execute("alter table app.users enable trigger it")
        failed = run(postgres, *trying)
        assert (failed.returncode, "permission denied" in failed.stderr) == (1, True)
        assert "gdpr map check" in failed.stderr
        admin.execute(f"alter function {statement}")
    assert "trigger_rights" not in run(postgres, "map", "check", data_map).stdout
    assert "permission denied" not in run(postgres, *trying).stderr


COPIES = {
    "a text of the row into another": ("update public.counts set v = old.v where n = 1", "warning"),
    "the whole row": ("update public.counts set v = old::text", "warning"),
    "a number of it": ("update public.counts set n = n - old.id", None),
    "a table as it goes": ("create table if not exists public.backup as select old.*", "error"),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_one_however_it_is_made(cur: cursor, name: str) -> None:
    body, severity = COPIES[name]
    sql = HISTORY.replace("(n int)", "(n int, v text)")
    sql += f"create function f() returns trigger language plpgsql as $f$begin {body}; return old; end$f$;"
    sql += "create trigger it after delete on t for each row execute function f()"
    found = of_the_map(cur, sql, TABLES, "trigger_copies")
    assert [fault.severity for fault in found] == ([severity] if severity else [])


def test_a_rule_for_new_rows_copies_as_a_trigger_does(cur: cursor) -> None:
    rule = "create rule r as on insert to t do also insert into %s values (new.id)"
    found = of_the_map(cur, f"{HISTORY}{rule % 'counts'}", TABLES, "rule")
    assert [fault.severity for fault in found] == ["error"]
    cur.execute(f"set search_path = public; create or {rule.replace('create', 'replace') % 'log'}")
    assert told(checked(document(TABLES), catalogue(cur), cursor=cur), "rule") == []


PUBLISHED = {
    "all that happens": ("t", "create publication p for table t", []),
    "what is new alone": ("t", "create publication p for table t with (publish = 'insert')", ["warning"]),
    "rows that nothing names": ("log", "create publication p for table log", ["error"]),
    "rows that an index finds": ("log", "create index on log (u); create publication p for table log", ["error"]),
    "rows that name themselves": (
        "log", "alter table log replica identity full; create publication p for table log", [],
    ),
    "what nobody erases": ("counts", "create publication p for table counts with (publish = 'insert')", []),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.filterwarnings("ignore")
def test_rows_that_are_sent_to_other_databases_are_told_where_they_would_stay(cur: cursor, name: str) -> None:
    table, sql, severities = PUBLISHED[name]
    found = of_the_map(cur, f"{HISTORY}{sql}", TABLES, "replicated")
    assert [fault.severity for fault in found] == severities
    for fault in found:
        cur.execute((fault.remedy or "").splitlines()[0])
        assert told(checked(document(TABLES), catalogue(cur), cursor=cur), "replicated") == []
        cur.execute(f"delete from public.{table}")


def test_each_partition_names_its_own_rows(cur: cursor) -> None:
    sql = "create table e (u bigint) partition by range (u); create table e1 partition of e for values from (0) to (9);"
    tables = "e: {activity: a, erase: delete, links: {u: {}}}"
    (fault,) = of_the_map(cur, f"{sql} create publication p for table e", tables, "replicated")
    cur.execute((fault.remedy or "").splitlines()[0])
    assert told(checked(document(tables), catalogue(cur), cursor=cur), "replicated") == []


# Where people stand in the cache ------------------------------------------------------------------------------------

HELD = {
    "a name of another spelling": ('"s:*": {activity: account, holds: {json: user_id}}', 1),
    "the name": ('"s:*": {activity: account, holds: {json: userId}}', 0),
    "a field of a hash that is none": ('"s:*": {activity: account, type: hash, holds: {field: userId}}', 1),
    "nobody's": ('"s:*": {personal: false, reason: settings}', 1),
    "one line of two": (
        '"s:*": {personal: false, reason: settings}\n  "s:0*": {activity: account, holds: {json: userId}}', 0,
    ),
    "gone by itself": ('"s:*": {activity: account, erase: expire}', 0),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_people_who_stand_where_the_map_does_not_look_are_told(
    postgres: PostgresAddress, valkey: CacheAddress, client: Redis, tmp_path: Path, name: str
) -> None:
    line, count = HELD[name]
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
        admin.execute("select id from app.users")
        ids = [key for (key,) in admin.fetchall()]
    for number, key in enumerate(ids[:100]):
        client.set(f"s:{secrets.token_hex(16)}", f'{{"userId": {key}, "n": {number}}}', ex=600)
    data_map = tmp_path / "datamap.yaml"
    data_map.write_text(f"{MAP}cache:\n  refill_max: PT30S\n  {line}\n")
    answer = run(postgres, "map", "check", data_map, REDIS_URL=valkey.url())
    assert answer.stdout.count("cache.elsewhere)") == count, answer.stdout + answer.stderr


# Names that no editor and no terminal should meet --------------------------------------------------------------------


def test_a_fault_is_one_line_whatever_a_table_is_called(cur: cursor) -> None:
    cur.execute(f'{PERSONS} create table "a\nm.yaml:1:1: error: \x1b[31mb" (id int)')
    (fault,) = told(checked(document(""), catalogue(cur), cursor=cur), "unclassified_table")
    shown = report.text([fault], "m.yaml")
    assert shown.splitlines()[0].endswith("(unclassified_table)")
    assert "\x1b" not in shown
    assert r"\x1b[31mb" in shown


# Whose key a number is, a column beside it says -----------------------------------------------------------------------

ABOUT = (
    "create table notes (id int primary key, author bigint references users, about_type text, about_id bigint,"
    " note text);"
)
PAIRS = {
    "nothing said": ("{}", 1),
    "what is done": ("{erase: unlink}", 1),
    "who acted": ("actor", 1),
    "when it is one": ("{when: \"about_type = 'User'\"}", 0),
    "that it always is one": ("{to: public.users.id}", 0),
    "an identity": ("{identity: email}", 0),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_key_beside_the_word_for_what_it_is_a_key_of_is_no_persons_by_itself(cur: cursor, name: str) -> None:
    link, count = PAIRS[name]
    kind = "text" if "identity" in link else "bigint"
    cur.execute(f"{PERSONS} {ABOUT.replace('about_id bigint', f'about_id {kind}')}")
    line = f"notes: {{activity: a, links: {{author: {{erase: delete}}, about_id: {link}}}, columns: {{'*': user}}}}"
    found = told(checked(document(line), catalogue(cur)), "link_target")
    assert [fault.severity for fault in found] == ["error"] * count


def test_a_kind_of_account_beside_a_foreign_key_says_nothing_of_whose_key_it_is(cur: cursor) -> None:
    cur.execute(f"{PERSONS} create table t (id int primary key, user_id bigint references users, user_type text)")
    line = "t: {activity: a, links: {user_id: {}}, columns: {'*': user}}"
    assert told(checked(document(line), catalogue(cur)), "link_target") == []


# Remedies that go to the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dated", "also"), [("", False), (", on_day date", True)])
def test_what_is_kept_without_an_end_is_told_where_to_write_it(cur: cursor, dated: str, *, also: bool) -> None:
    cur.execute(f"{PERSONS} create table t (id int primary key, u bigint not null references users, v text{dated})")
    line = (
        "t: {activity: a, erase: keep, keep: {exception: 17(3)(b), law: § 147 AO, owner: x, columns: [v]MORE},"
        " columns: {'*': user.account}}"
    )
    (fault,) = told(checked(document(line.replace("MORE", "")), catalogue(cur)), "keep_end")
    assert (fault.remedy or "").startswith("write at public.t keep: {until: …}")
    assert ("a period in the activity's retention" in (fault.remedy or "")) is also
    assert told(checked(document(line.replace("MORE", ", until: the invoice goes")), catalogue(cur)), "keep_end") == []


def test_where_a_check_lists_words_a_remedy_names_one_of_them(cur: cursor) -> None:
    cur.execute(
        "create table users (id bigint primary key, email text unique, login text, role text not null"
        " check (role in ('guest', 'vet')));"
        " insert into users values (1, 'a@b.example', 'x', 'vet');"
        " create table bills (id int primary key, u bigint not null references users, total int);"
    )
    kept = (
        "bills: {activity: a, erase: keep, keep: {exception: 17(3)(b), law: § 147 AO, until: x, owner: x,"
        " columns: [total]}, columns: {total: user.financial}}"
    )
    cur.execute("set search_path = pg_catalog, pg_temp")
    (fault,) = told(checked(document(kept), catalogue(cur), cursor=cur), "not_null")
    assert fault.remedy == "write stub: {role: {value: guest}}"
    subject = SUBJECT.replace("key: id,", "key: id, nobody: 0,")
    (missing,) = told(checked(document(kept, subject=subject), catalogue(cur), cursor=cur), "nobody_missing")
    cur.execute("set search_path = public, pg_catalog")
    cur.execute((missing.remedy or "").splitlines()[0])


def test_a_link_that_goes_to_nobody_keeps_what_the_map_says_of_it(cur: cursor) -> None:
    cur.execute(f"{PERSONS} create table t (id int primary key, kind text, author_id bigint not null)")
    entry = "{to: public.users.id, when: \"kind = 'User'\", erase: unlink}"
    line = f"t: {{activity: a, links: {{author_id: {entry}}}, columns: {{'*': user}}}}"
    found = checked(document(line), catalogue(cur))
    (fault,) = told(found, "not_null")
    link = 'author_id: {to: "public.users.id", when: "kind = \'User\'", erase: nobody}'
    assert link in (fault.remedy or "")
    subject = SUBJECT.replace("key: id,", "key: id, nobody: 0,")
    line = f"t: {{activity: a, links: {{{link}}}, columns: {{'*': user}}}}"
    assert told(checked(document(line, subject=subject), catalogue(cur)), "not_null", "nobody") == []
