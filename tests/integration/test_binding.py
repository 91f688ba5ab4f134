"""A person's values on their way into a statement (ATTACKS A9)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import cursor

from local.postgres import SETTINGS, EmbeddedPostgres, start_postgres
from shared.addresses import PostgresAddress
from shared.binding import bind
from shared.database import Database, connect
from shared.errors import UnfitValue
from tests.run import Run, as_role

CANARY = "kanarie@geheim.example"
NUMBER = "918273645546372819"

# Anything that Postgres can hold in a text: no zero byte, no half of a surrogate pair.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def own_database(fresh_server: PostgresAddress) -> Iterator[Database]:
    database = Database(fresh_server, application="gdpr-tests")
    yield database
    database.close()


@given(rows=st.lists(st.tuples(st.none() | texts, st.none() | st.integers(-(2**63), 2**63 - 1)), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_goes_in_comes_out(own_database: Database, rows: list[tuple[str | None, int | None]]) -> None:
    with own_database.transaction() as cur:
        assert bind(cur, "subject", {"e-mail": "text", "key": "bigint"}, rows) == len(rows)
        cur.execute('select "e-mail", key from pg_temp.subject order by gdpr_position')
        assert cur.fetchall() == rows


@given(name=texts.filter(lambda name: 0 < len(name.encode()) <= 63 and name != "gdpr_position"))
def test_a_column_may_have_any_name(own_database: Database, name: str) -> None:
    with own_database.transaction() as cur:
        bind(cur, "subject", {name: "text"}, [("x",)])
        cur.execute("select attname from pg_attribute where attrelid = 'pg_temp.subject'::regclass and attnum = 2")
        assert cur.fetchone() == (name,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", CANARY),
        ("bigint", "9223372036854775808"),
        ("integer", "4.2"),
        ("uuid", CANARY),
        ("date", CANARY),
        ("boolean", CANARY),
        ("character", CANARY),
        ("text", f"{CANARY}\x00"),
        ("text", f"{CANARY}\ud800"),
    ],
)
def test_a_value_that_is_none_of_its_type_is_refused_by_its_place(
    own_database: Database, kind: str, value: str
) -> None:
    with pytest.raises(UnfitValue) as failed, own_database.transaction() as cur:
        bind(cur, "subject", {"key": kind}, [(None,), (value,)])
    assert "key" in failed.value.sentence
    assert CANARY not in failed.value.sentence


def test_a_value_of_a_domain_must_pass_its_checks(own_database: Database) -> None:
    with pytest.raises(UnfitValue, match=r"The value of key in row 1 is no public\.even"):
        with own_database.transaction() as cur:
            cur.execute("create domain public.even as integer check (value % 2 = 0)")
            bind(cur, "subject", {"key": "public.even"}, [("3",)])


@pytest.mark.parametrize("kind", ["character varying(3)", "numeric(5,2)", "timestamp(0) with time zone", "bit( 3 )"])
def test_a_type_that_would_cut_or_round_a_value_is_not_taken(own_database: Database, kind: str) -> None:
    """42.4 as numeric(5,0) is somebody else."""
    with own_database.transaction() as cur, pytest.raises(ValueError, match="could change a value"):
        bind(cur, "subject", {"key": kind}, [("42.4",)])


def test_the_table_is_gone_with_its_transaction(own_database: Database) -> None:
    for _ in range(2):  # the same connection serves the next invocation
        with own_database.transaction() as cur:
            bind(cur, "subject", {"key": "bigint"}, [(1,)])
    with own_database.transaction() as cur:
        cur.execute("select to_regclass('pg_temp.subject'), to_regclass('pg_temp.subject_arrived')")
        assert cur.fetchone() == (None, None)


def test_every_role_that_handles_people_may_bind(postgres: PostgresAddress) -> None:
    for role in ("gdpr_export", "gdpr_erase", "gdpr_verify", "gdpr_audit"):
        database = Database(as_role(postgres, role), application="gdpr-tests")
        with database.transaction() as cur:
            bind(cur, "subject", {"key": "bigint"}, [(1,)])
        database.close()


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
