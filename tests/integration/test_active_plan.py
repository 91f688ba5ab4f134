"""gdpr.plan: stored, one active, loaded by every role, changed by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest

from shared.active_plan import activate, has_drifted, load
from shared.addresses import PostgresAddress
from shared.catalogue import fingerprint
from shared.database import Database
from shared.errors import AccessDenied, CatalogueDrift, PlanMissing, StoreFault
from shared.plan import Plan
from shared.roles import LOGINS
from tests.run import administrator, as_role


def database(address: PostgresAddress, role: str = "gdpr_audit") -> Database:
    return Database(as_role(address, role), application="gdpr-tests")


@pytest.fixture
def plan(postgres: PostgresAddress) -> Plan:
    with administrator(postgres) as cur:
        cur.execute("set search_path = pg_catalog, pg_temp")
        return Plan(fingerprint=fingerprint(cur), map={"version": 1}, kinds=())


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


def test_a_plan_that_another_version_stored_is_not_gone_by(
    postgres: PostgresAddress, audit: Database, plan: Plan
) -> None:
    with audit.transaction() as cur:
        activate(cur, plan)
    with administrator(postgres) as cur:
        cur.execute("update gdpr.plan set body = convert_to(replace(convert_from(body, 'UTF8'), ',', ', '), 'UTF8')")
    with pytest.raises(PlanMissing, match="another version"), audit.transaction() as cur:
        load(cur)
