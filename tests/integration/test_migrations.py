"""Schema gdpr: installed, upgraded, and left alone."""

from __future__ import annotations

import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.database import Database, connect
from shared.errors import AccessDenied, ForeignSchema, StoreBusy, StoreFault
from shared.migrations import Migration, migrate, status
from shared.queries import SQL
from shared.roles import LOGINS, OWNER, drop_unused, grant_on, set_password
from tests.run import administrator

LATEST = Migration.all()[-1].version
CATALOGUE = (Path(__file__).parent / "catalogue.sql").read_text()


def database(address: PostgresAddress) -> Database:
    return Database(address, application="gdpr-tests")


def catalogue(address: PostgresAddress) -> list[str]:
    with database(address).transaction() as cur:
        cur.execute(CATALOGUE)
        return [line for (line,) in cur.fetchall()]


def install_first_version(address: PostgresAddress, sql: Path = SQL) -> None:
    """A database as the first release left it."""
    with database(address).transaction() as cur:
        cur.execute("create schema gdpr authorization gdpr_owner; set local role gdpr_owner")
        first = Migration.all(sql)[0]
        cur.execute(first.path.read_text())
        cur.execute("insert into gdpr.migration (version, name) values (%s, %s)", (first.version, first.name))


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """A copy of sql/ to which a test adds a migration."""
    shutil.copytree(SQL, tmp_path / "sql")
    return tmp_path / "sql"


def add_migration(sql: Path, text: str, *, to_schema: str | None = None) -> Migration:
    version = len(Migration.all(sql)) + 1
    (sql / "migrations" / f"{version:04}_next.sql").write_text(text)
    with (sql / "schema.sql").open("a") as schema:
        schema.write(text if to_schema is None else to_schema)
    return Migration.all(sql)[-1]


def test_a_new_installation_and_a_migrated_one_have_the_same_catalogue(
    empty_postgres: PostgresAddress, postgres: PostgresAddress
) -> None:
    install_first_version(empty_postgres)
    applied = migrate(database(empty_postgres))

    assert [migration.version for migration in applied] == [m.version for m in Migration.all()[1:]]
    assert catalogue(empty_postgres) == catalogue(postgres)


@pytest.mark.parametrize(
    "forgotten",
    [
        "create table gdpr.late (id integer primary key);",
        "create index late on gdpr.entry (kind);",
        "grant select on gdpr.request_step to public;",
        "alter table gdpr.entry disable trigger entry_stays;",
        "alter table gdpr.request alter column action drop not null;",
        "insert into gdpr.entry_kind values ('late', 'gdpr_audit');",
        "comment on table gdpr.entry is 'late';",
        "alter table gdpr.plan set unlogged;",
        "alter table gdpr.entry replica identity nothing;",
        'alter table gdpr.request alter column action type text collate "C";',
        "alter sequence gdpr.entry_id_seq cycle;",
        "create rule late as on delete to gdpr.request do instead nothing;",
        "create domain gdpr.late as text;",
        "create view gdpr.late as select 1 as one;",
        "alter table gdpr.request drop constraint request_once;",
        "comment on constraint request_once on gdpr.request is 'late';",
    ],
)
def test_a_migration_that_forgets_what_the_schema_says_is_found(
    empty_postgres: PostgresAddress, postgres: PostgresAddress, next_release: Path, forgotten: str
) -> None:
    add_migration(next_release, "select 1;", to_schema=forgotten)
    migrate(database(postgres), sql=next_release)
    migrate(database(empty_postgres), sql=next_release)

    assert catalogue(empty_postgres) != catalogue(postgres)


def test_an_upgrade_applies_what_is_missing_and_nothing_else(postgres: PostgresAddress, next_release: Path) -> None:
    later = add_migration(next_release, "create table gdpr.later (id integer primary key);")

    assert migrate(database(postgres), sql=next_release) == [later]
    assert migrate(database(postgres), sql=next_release) == []
    with database(postgres).transaction() as cur:
        cur.execute("select relowner::regrole::text from pg_class where oid = 'gdpr.later'::regclass")
        assert cur.fetchone() == ("gdpr_owner",)


def test_migrating_twice_changes_nothing(postgres: PostgresAddress) -> None:
    before = catalogue(postgres)

    assert migrate(database(postgres)) == []
    assert catalogue(postgres) == before


def test_two_migrations_at_once_install_once(empty_postgres: PostgresAddress, postgres: PostgresAddress) -> None:
    applied: list[list[Migration]] = []
    together = threading.Barrier(4)

    def install() -> None:
        together.wait()
        applied.append(migrate(database(empty_postgres)))

    threads = [threading.Thread(target=install) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(each) for each in applied) == [0, 0, 0, len(Migration.all())]
    assert catalogue(empty_postgres) == catalogue(postgres)


def test_another_migration_that_changes_the_same_role_is_waited_for_and_tried_again(
    new_server: PostgresAddress,
) -> None:
    """Roles are the server's: Postgres ends the later of two changes with an error that a second attempt cures."""
    migrate(database(new_server))
    applied: list[list[Migration]] = []
    with administrator(new_server) as cur, administrator(new_server) as watching:
        cur.execute("create database second")
        cur.execute("alter role gdpr_audit connection limit -1")  # which the migration will want to change
        cur.execute("begin; alter role gdpr_audit connection limit 7")
        second = database(replace(new_server, database="second"))
        thread = threading.Thread(target=lambda: applied.append(migrate(second)))
        thread.start()
        waiting = (0,)
        while waiting == (0,):
            watching.execute(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = 'second'"
            )
            waiting = watching.fetchone() or (0,)
        cur.execute("commit")
        thread.join()
        second.close()
        cur.execute("select rolconnlimit from pg_roles where rolname = 'gdpr_audit'")
        assert cur.fetchone() == (7,)
    assert [len(each) for each in applied] == [len(Migration.all())]


def test_a_migration_that_fails_leaves_what_was_there(postgres: PostgresAddress, next_release: Path) -> None:
    before = catalogue(postgres)
    add_migration(next_release, "create table gdpr.half (id integer); select 1 / 0;")

    with pytest.raises(StoreFault, match=rf"{LATEST + 1:04}_next\.sql failed \(division by zero\)"):
        migrate(database(postgres), sql=next_release)

    assert catalogue(postgres) == before


def test_an_administrator_who_is_no_superuser_can_install(
    server: cursor, empty_postgres: PostgresAddress, postgres: PostgresAddress
) -> None:
    """RDS's master user is one: it may create roles and databases, and owns nothing that it did not make."""
    name = f"master_{empty_postgres.database}"
    server.execute(f"create role {name} login createrole createdb password 'master'")
    # On RDS it would have created our roles itself, and so administer them.
    server.execute(
        f"grant gdpr_owner, gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit to {name}"
        " with admin true, inherit false, set false"
    )
    server.execute(f"alter database {empty_postgres.database} owner to {name}")
    try:
        master = database(replace(empty_postgres, role=name, password="master"))
        assert len(migrate(master)) == len(Migration.all())
        assert migrate(master) == []
        master.close()
        assert catalogue(empty_postgres) == catalogue(postgres)
        server.execute("select pg_has_role(%s, 'gdpr_owner', 'set')", (name,))
        assert server.fetchone() == (False,)  # what it was lent, it has given back
    finally:
        server.execute(f"alter database {empty_postgres.database} owner to current_user")
        server.execute(f"drop role {name}")


def test_a_master_user_installs_on_a_server_that_has_never_seen_our_roles(new_server: PostgresAddress) -> None:
    with administrator(new_server) as cur:
        cur.execute("create role master login createrole createdb password 'master'")
        cur.execute("create database shop owner master")
        address = replace(new_server, database="shop", role="master", password="master")
        master = database(address)
        migrate(master)

        cur.execute("select rolname, rolcanlogin, rolconnlimit from pg_roles where rolname like 'gdpr\\_%' order by 1")
        assert cur.fetchall() == [
            ("gdpr_audit", True, 10),
            ("gdpr_erase", True, 10),
            ("gdpr_export", True, 10),
            ("gdpr_owner", False, 0),
            ("gdpr_verify", True, 5),
        ]
        assert status(master).is_current
        with master.transaction() as own:
            set_password(own, "gdpr_verify", "secret")
        verify = database(replace(address, role="gdpr_verify", password="secret"))
        assert status(verify).is_current
        with ExitStack() as stack:
            for _ in range(4):
                stack.callback(connect(replace(address, role="gdpr_verify", password="secret"), application="t").close)
            with pytest.raises(StoreBusy, match="Role gdpr_verify has no connection left"):
                connect(replace(address, role="gdpr_verify", password="secret"), application="t")
        verify.close()
        cur.execute("alter role gdpr_verify connection limit 3; alter role gdpr_export connection limit -1")
        migrate(master)
        cur.execute(
            "select rolconnlimit from pg_roles where rolname in ('gdpr_verify', 'gdpr_export') order by rolname"
        )
        assert cur.fetchall() == [(10,), (3,)]  # an operator's choice stays; no limit at all does not
        master.close()


def test_a_role_that_may_not_create_roles_is_told_whom_to_ask(server: cursor, empty_postgres: PostgresAddress) -> None:
    name = f"nobody_{empty_postgres.database}"
    server.execute(f"create role {name} login password 'nobody'")
    try:
        with pytest.raises(AccessDenied, match=r"\(permission denied to .+ role.*\) at .*: it takes CREATEROLE"):
            migrate(database(replace(empty_postgres, role=name, password="nobody")))
    finally:
        server.execute(f"drop role {name}")


def test_a_schema_of_a_later_release_is_left_alone(postgres: PostgresAddress, next_release: Path) -> None:
    add_migration(next_release, "select 1;")
    migrate(database(postgres), sql=next_release)

    with pytest.raises(ForeignSchema, match=rf"at version {LATEST + 1}, and this program knows {LATEST}.*a newer one"):
        migrate(database(postgres))


def test_a_schema_gdpr_of_somebody_else_is_left_alone(empty_postgres: PostgresAddress) -> None:
    with database(empty_postgres).transaction() as cur:
        cur.execute("create schema gdpr; create table gdpr.migration (theirs text)")

    with pytest.raises(ForeignSchema, match="that this program did not make"):
        migrate(database(empty_postgres))
    with pytest.raises(ForeignSchema, match="that this program did not make"):
        status(database(empty_postgres))


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("alter role gdpr_erase bypassrls", "alter role gdpr_erase nosuperuser nobypassrls"),
        ("grant gdpr_owner to gdpr_export", "revoke gdpr_owner from gdpr_export"),
        ("grant pg_write_all_data to gdpr_audit", "revoke pg_write_all_data from gdpr_audit"),
        ("grant gdpr_verify to gdpr_erase", "revoke gdpr_verify from gdpr_erase"),
        ("create role dba; grant gdpr_owner to dba", "revoke gdpr_owner from dba"),
        ("revoke all on database {database} from public, gdpr_audit", "grant connect, temporary on database"),
    ],
)
def test_a_role_that_could_walk_around_the_rules_stops_the_installation(
    new_server: PostgresAddress, broken: str, mended: str
) -> None:
    unit = database(new_server)
    migrate(unit)
    with administrator(new_server) as cur:
        cur.execute(broken.format(database=new_server.database))
    assert not status(unit).is_current
    assert status(unit).faults[0].startswith(mended)
    if "connect" not in mended:  # which a migration mends by itself
        with pytest.raises(ForeignSchema, match=f"not what its rules stand on at .*{mended}"):
            migrate(unit)
        with administrator(new_server) as cur:
            for statement in status(unit).faults:
                cur.execute(statement)
    migrate(unit)
    assert status(unit).is_current
    unit.close()


def test_status_tells_what_is_missing(empty_postgres: PostgresAddress, postgres: PostgresAddress) -> None:
    fresh, installed = status(database(empty_postgres)), status(database(postgres))

    assert not fresh.is_current
    assert [migration.name for migration in fresh.pending] == [
        "ledger",
        "requests",
        "plan",
        "plan_catalogue",
        "tree",
        "register",
        "append",
        "restore",
        "operator",
    ]
    assert installed.is_current
    assert [role.name for role in installed.roles if role.may_log_in] == [
        "gdpr_audit",
        "gdpr_erase",
        "gdpr_export",
        "gdpr_verify",
    ]


def test_a_gap_in_the_numbers_is_a_fault_of_the_release(next_release: Path) -> None:
    (next_release / "migrations" / "0099_gap.sql").write_text("select 1;")

    with pytest.raises(ValueError, match="without a gap"):
        Migration.all(next_release)


def test_the_ledger_cannot_be_reached_by_a_cascade(postgres: PostgresAddress) -> None:
    """A foreign key into the ledger lets a role delete from it that has no privilege on it (threat model A11)."""
    with database(postgres).transaction() as cur:
        cur.execute("select conname from pg_constraint where contype = 'f' and conrelid = 'gdpr.entry'::regclass")
        assert cur.fetchall() == []


def test_roles_that_nothing_depends_on_can_be_removed_and_others_stay(new_server: PostgresAddress) -> None:
    def roles(cur: cursor) -> set[str]:
        cur.execute("select rolname from pg_roles where rolname like 'gdpr\\_%'")
        return {name for (name,) in cur.fetchall()}

    with administrator(new_server) as cur:
        cur.execute("create database in_use")
        used = database(replace(new_server, database="in_use"))
        migrate(used)
        used.close()
        drop_unused(cur)
        assert roles(cur) == {OWNER, *LOGINS}
        cur.execute("drop database in_use")
        drop_unused(cur)
        assert roles(cur) == set()


def test_what_the_readme_says_takes_it_all_away(new_server: PostgresAddress) -> None:
    unit, roles = database(new_server), ", ".join((OWNER, *LOGINS))
    migrate(unit)
    with administrator(new_server) as cur:
        cur.execute("create table public.theirs (id integer)")
        grant_on(cur, ["public.theirs"])
        cur.execute("drop schema gdpr cascade")
        cur.execute(f"drop owned by {roles}")
        cur.execute(f"drop role {roles}")
    assert not status(unit).roles
    assert len(migrate(unit)) == len(Migration.all())
    unit.close()
