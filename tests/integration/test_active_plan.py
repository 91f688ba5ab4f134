"""gdpr.plan: stored, one active, loaded by every role, changed by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date

import psycopg2
import pytest
from psycopg2 import sql

from shared.active_plan import activate, approve, approved_catalogue, has_drifted, load
from shared.addresses import PostgresAddress
from shared.catalogue import document, fingerprint
from shared.database import Database
from shared.errors import AccessDenied, CatalogueDrift, PlanMissing, StoreFault
from shared.plan import FORMAT, Deadlines, Kind, Naming, Plan
from shared.roles import LOGINS
from shared.working_days import Calendar
from tests.run import administrator, as_role

DEADLINES = Deadlines(
    zone="Europe/Berlin",
    policy="gdpr-2018@1",
    calendar=Calendar(name="DE@holidays-0", years=(2026, 2026), days=(date(2026, 1, 1), date(2026, 12, 25))),
)


def database(address: PostgresAddress, role: str = "gdpr_audit") -> Database:
    return Database(as_role(address, role), application="gdpr-tests")


@pytest.fixture
def plan(postgres: PostgresAddress) -> Plan:
    with administrator(postgres) as cur:
        cur.execute("set search_path = pg_catalog, pg_temp")
        return Plan(fingerprint=fingerprint(cur), map={"version": 1}, deadlines=DEADLINES, kinds=())


@pytest.fixture
def audit(postgres: PostgresAddress) -> Iterator[Database]:
    with closing(database(postgres)) as opened:
        yield opened


def test_every_role_loads_the_plan_that_was_activated(postgres: PostgresAddress, audit: Database, plan: Plan) -> None:
    with audit.transaction() as cur:
        assert activate(cur, plan) == plan.digest
    for role in LOGINS:
        with closing(database(postgres, role)) as opened, opened.transaction() as cur:
            assert load(cur) == plan
            assert not has_drifted(cur, plan)


@pytest.mark.parametrize("role", [role for role in LOGINS if role != "gdpr_audit"])
def test_no_other_role_activates_a_plan(postgres: PostgresAddress, plan: Plan, role: str) -> None:
    with closing(database(postgres, role)) as opened, pytest.raises(AccessDenied), opened.transaction() as cur:
        activate(cur, plan)


@pytest.mark.parametrize("statement", ["update gdpr.plan set body = ''", "delete from gdpr.plan", "truncate gdpr.plan"])
@pytest.mark.parametrize("role", LOGINS)
def test_no_role_changes_a_plan_by_itself(postgres: PostgresAddress, role: str, statement: str) -> None:
    with closing(database(postgres, role)) as opened, pytest.raises(AccessDenied), opened.transaction() as cur:
        cur.execute(statement)


def test_without_an_approved_map_the_answer_says_what_to_run(audit: Database) -> None:
    with pytest.raises(PlanMissing, match="gdpr map approve"), audit.transaction() as cur:
        load(cur)


def test_a_plan_for_another_catalogue_is_not_activated(audit: Database, plan: Plan) -> None:
    with pytest.raises(CatalogueDrift), audit.transaction() as cur:
        activate(cur, replace(plan, fingerprint="0" * 64))
    with pytest.raises(PlanMissing), audit.transaction() as cur:
        load(cur)


def test_the_catalogue_of_an_approval_lies_beside_its_plan(audit: Database, plan: Plan) -> None:
    with audit.transaction() as cur:
        facts = document(cur)
        activate(cur, plan, facts)
        assert approved_catalogue(cur) == facts
        activate(cur, plan)  # the same plan, from somebody who has no catalogue at hand
        assert approved_catalogue(cur) == facts
        activate(cur, replace(plan, map={"version": 1, "number": 2}))
        assert approved_catalogue(cur) is None


def test_loading_the_plan_does_not_read_its_catalogue(postgres: PostgresAddress, audit: Database, plan: Plan) -> None:
    with audit.transaction() as cur:
        activate(cur, plan, document(cur))
    with administrator(postgres) as cur:
        cur.execute("revoke select on gdpr.plan from gdpr_export")
        cur.execute("grant select (body, digest, is_active) on gdpr.plan to gdpr_export")
    with closing(database(postgres, "gdpr_export")) as opened:
        with opened.transaction() as cur:
            assert load(cur) == plan
        with pytest.raises(AccessDenied), opened.transaction() as cur:
            approved_catalogue(cur)


@pytest.mark.parametrize("facts", ["no json", "[]", '{"fingerprint": "another"}'])
def test_what_is_not_the_catalogue_of_the_plan_is_not_stored(audit: Database, plan: Plan, facts: str) -> None:
    with pytest.raises(StoreFault), audit.transaction() as cur:
        activate(cur, plan, facts)


def test_a_grant_that_postgres_only_warns_about_is_no_approval(postgres: PostgresAddress, plan: Plan) -> None:
    """Who may read a table and not hand that on gets a warning and no grant."""
    kind = Kind(
        name="person",
        table="app.users",
        key=("id",),
        naming=Naming(subject="app.users", columns=("id",), find="", guests=(), normal=None),
        identities={},
        invalid=None,
        refusals=(),
        locked=("app.users",),
        read=("app.users",),
        binds={"id": "bigint"},
        resolve="",
        reach=(),
        datasets=(),
        erase=(),
        rows={},
        gone=(),
    )
    role = sql.Identifier(f"{postgres.database}_reader")
    address = as_role(postgres, f"{postgres.database}_reader")
    with administrator(postgres) as cur:
        cur.execute("create schema app; create table app.users (id bigint primary key)")
        cur.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(address.password)))
        cur.execute(sql.SQL("grant usage on schema app to {} with grant option").format(role))
        cur.execute(sql.SQL("grant select, update, delete on app.users to {}").format(role))
        try:
            reader = Database(address, application="gdpr-tests")
            with pytest.raises(AccessDenied, match=r"may not let others at app\.users"), closing(reader):
                with reader.transaction() as session:
                    approve(session, replace(plan, fingerprint=fingerprint(cur), kinds=(kind,)))
        finally:
            cur.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))


def test_one_plan_is_active_however_many_are_activated_at_once(postgres: PostgresAddress, plan: Plan) -> None:
    plans = [replace(plan, map={"version": 1, "number": number}) for number in range(4)]
    together = threading.Barrier(len(plans))
    faults: list[BaseException] = []

    def run(each: Plan) -> None:
        try:
            with closing(database(postgres)) as opened:
                together.wait()
                for _ in range(3):
                    with opened.transaction() as cur:
                        cur.execute("set local lock_timeout = '20s'")
                        activate(cur, each)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(each,)) for each in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with administrator(postgres) as cur:
        cur.execute("select count(*), count(*) filter (where is_active) from gdpr.plan")
        assert cur.fetchone() == (4, 1)


@pytest.mark.parametrize(
    ("map_digest", "found", "body"),
    [
        ("0" * 64, "0" * 64, b"no json"),
        ("0" * 64, "0" * 64, b'{"fingerprint": "1"}'),
        ("0" * 64, "0" * 64, b'{"fingerprint": "%s", "fingerprint": "1"}' % (b"0" * 64)),
        ("x", "0" * 64, b'{"fingerprint": "%s"}' % (b"0" * 64)),
        ("0" * 64, "", b'{"fingerprint": ""}'),
    ],
)
def test_what_is_no_plan_is_not_stored(audit: Database, map_digest: str, found: str, body: bytes) -> None:
    with pytest.raises(StoreFault), audit.transaction() as cur:
        cur.execute("select gdpr.activate_plan(%s, %s, %s)", (map_digest, found, psycopg2.Binary(body)))


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (",", ", "),
        (f'"format":{FORMAT}', f'"format":{FORMAT - 1}'),
        ('"kinds":[]', '"kinds":[{}]'),
        ('"map"', '"maps"'),
    ],
)
def test_a_plan_that_another_version_stored_is_not_gone_by(
    postgres: PostgresAddress, audit: Database, plan: Plan, part: str, instead: str
) -> None:
    with audit.transaction() as cur:
        activate(cur, plan)
    with administrator(postgres) as cur:
        cur.execute(
            "update gdpr.plan set body = convert_to(replace(convert_from(body, 'UTF8'), %s, %s), 'UTF8')",
            (part, instead),
        )
    with pytest.raises(PlanMissing, match="another version"), audit.transaction() as cur:
        load(cur)
