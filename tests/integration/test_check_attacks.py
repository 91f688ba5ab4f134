"""Schemas in which what is kept is read all the same, what is erased is copied, and keys lie where no pattern looks."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import cursor
from redis import Redis

from datamap.check.check import checked
from datamap.fault import Fault
from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from shared.database import connect
from tests.integration.test_check import SUBJECT, catalogue, document, told
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
