"""What the server writes into its log, which RDS ships to CloudWatch (threat model A9)."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from functions.audit_logging.service import Service
from local.postgres import SETTINGS, EmbeddedPostgres, start_postgres
from shared import active_plan, clock, migrations
from shared.binding import bind
from shared.catalogue import document
from shared.database import Database, connect
from shared.errors import UnfitValue
from shared.invocation import answer
from shared.roles import LOGINS, set_password
from shared.settings import AuditLoggingSettings
from tests.integration.people import MAP, NOW, SCHEMA
from tests.integration.test_audit_canary import CANARY as PERSON
from tests.integration.test_audit_canary import EMAIL, EVENTS, OFFICER, PHONE
from tests.run import Run, administrator

CANARY = "kanarie@geheim.example"
NUMBER = "918273645546372819"


@pytest.fixture(scope="module")
def talkative(run: Run) -> Iterator[EmbeddedPostgres]:
    """A server whose parameter group is the careless one: it logs all that it can."""
    careless = {
        "log_statement": "all",
        "log_min_error_statement": "error",
        "log_error_verbosity": "verbose",
        "log_min_duration_statement": "0",
        "log_parameter_max_length": "-1",
        "log_parameter_max_length_on_error": "-1",
    }
    assert careless.items().isdisjoint(SETTINGS.items())
    server = start_postgres(run.postgres_major, settings=careless)
    yield server
    server.stop()


@contextlib.contextmanager
def session(server: EmbeddedPostgres) -> Iterator[cursor]:
    opened = connect(server.address, application="gdpr-tests")
    with contextlib.closing(opened), opened.cursor() as cur:
        yield cur


def test_a_literal_stands_in_the_servers_log(talkative: EmbeddedPostgres) -> None:
    """Why all this: what must not happen, shown to happen without it."""
    with session(talkative) as cur, pytest.raises(psycopg2.Error):
        cur.execute("select cast(%s as integer)", (CANARY,))
    assert CANARY in talkative.log.read_text()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", f"bound-{NUMBER}"), ("bigint", f"unfit-{NUMBER}"), ("bigint", NUMBER), ("text", f"\x00-{NUMBER}")],
)
def test_a_bound_value_does_not_stand_in_the_servers_log(talkative: EmbeddedPostgres, kind: str, value: str) -> None:
    with session(talkative) as cur, contextlib.suppress(UnfitValue, psycopg2.errors.DivisionByZero):
        bind(cur, "subject", {"key": kind}, [(value,)])
        cur.execute("select 1 / count(*) filter (where key is null) from pg_temp.subject")
    assert NUMBER not in talkative.log.read_text()


def test_a_new_password_does_not_stand_in_the_servers_log(talkative: EmbeddedPostgres) -> None:
    database = Database(talkative.address, application="gdpr-tests")
    migrations.migrate(database)
    with contextlib.closing(database), database.transaction() as cur:
        for role in LOGINS:
            set_password(cur, role, f"password-{NUMBER}")
    log = talkative.log.read_text()
    assert 'alter role "gdpr_audit" password' in log
    assert NUMBER not in log


def test_whatever_audit_logging_is_asked_nobody_stands_in_the_servers_log(
    talkative: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Even where neither the server nor the role keeps statements out of it."""
    with administrator(talkative.address) as cur:
        cur.execute("create database audited")
    address = replace(talkative.address, database="audited")
    database = Database(address, application="gdpr-tests")
    migrations.migrate(database)
    database.close()
    with administrator(address) as cur:
        set_password(cur, "gdpr_audit", "password")
        cur.execute("alter role gdpr_audit reset all")
        cur.execute(SCHEMA)
        cur.execute("insert into app.users values (9, 9, %s, %s, null)", (EMAIL, PHONE))
        cur.execute("set search_path = pg_catalog, pg_temp")
        plan = compiled(Document.parse(MAP).map, Catalogue.from_json(document(cur)))
        active_plan.approve(cur, plan)
    before = len(talkative.log.read_text())
    settings = {"DATABASE_URL": replace(address, role="gdpr_audit", password="password").url()}
    for name in ("LEDGER", "KEYS", "EXCHANGE"):
        settings[f"{name}_BUCKET"] = f"file://{tmp_path}/{name.lower()}"
    service = Service.of(AuditLoggingSettings.read(settings), application="gdpr-tests")
    service.ledger.keys.make(log="ledger")
    actions = {name: functools.partial(service.do, name) for name in Service.ACTIONS}
    with contextlib.closing(service.unit), clock.standing_at(NOW):
        for event in EVENTS:
            answer(event, SimpleNamespace(invoked_function_arn=OFFICER), service="audit_logging", actions=actions)
    log = talkative.log.read_text()[before:]
    assert "register_request" in log
    assert [line for line in log.splitlines() if PERSON in line.lower()] == []


def test_the_embedded_servers_log_is_as_clean_as_rds_shall_be(run: Run) -> None:
    """The settings of RDS's parameter group keep even a careless literal out of the log."""
    server = start_postgres(run.postgres_major)
    try:
        opened = connect(server.address, application="gdpr-tests")
        with contextlib.closing(opened), opened.cursor() as cur, pytest.raises(psycopg2.Error):
            cur.execute("create temporary table t (key integer unique); insert into t values (1), (1)")
        with contextlib.closing(connect(server.address, application="gdpr-tests")) as opened:
            with opened.cursor() as cur, pytest.raises(psycopg2.Error):
                cur.execute('select 1 / 0 as "kanarie"')
        log = server.log.read_text()
        assert "division by zero" in log
        assert "kanarie" not in log
        assert "(key)=(1)" not in log
    finally:
        server.stop()
