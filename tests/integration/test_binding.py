"""A person's values on their way into a statement (threat model A9)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.addresses import PostgresAddress
from shared.binding import bind
from shared.database import Database
from shared.errors import UnfitValue
from tests.run import as_role

CANARY = "kanarie@geheim.example"

# Anything that Postgres can hold in a text: no zero byte, no half of a surrogate pair.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def own_database(own_server: PostgresAddress) -> Iterator[Database]:
    database = Database(own_server, application="gdpr-tests")
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
        ("numeric", CANARY),
        # Each reads as 42, and none is how 42 is written: whoever has such a key is somebody else.
        ("bigint", "042"),
        ("bigint", "4_2"),
        ("bigint", "0x2A"),
        ("bigint", " 42"),
        ("bigint", "+42"),
        ("numeric", "4.2e1"),
        ("uuid", "{5f0c8c3e-0000-4000-8000-000000000001}"),
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


@pytest.mark.parametrize(("kind", "value"), [("numeric", "42.40"), ("uuid", "5F0C8C3E-0000-4000-8000-000000000001")])
def test_a_value_that_is_written_as_its_type_writes_it_is_taken(own_database: Database, kind: str, value: str) -> None:
    with own_database.transaction() as cur:
        assert bind(cur, "subject", {"key": kind}, [(value,)]) == 1


@pytest.mark.parametrize(
    "kind",
    ["character varying(3)", "numeric(5,0)", '"char"', "name", "real", "public.vector", "date", "text; drop x"],
)
def test_a_type_that_would_change_a_value_or_show_it_in_the_log_is_not_taken(own_database: Database, kind: str) -> None:
    """42.4 as numeric(5,0) is somebody else; a type without soft errors puts what it refuses into the server's log."""
    with own_database.transaction() as cur, pytest.raises(ValueError, match="any other type as text"):
        bind(cur, "subject", {"key": kind}, [("42.4",)])


def test_statistics_of_the_table_tell_a_number_and_no_value(own_database: Database) -> None:
    """ANALYZE keeps the most common values in the catalogue, from where they go into every backup."""
    with own_database.transaction() as cur:
        bind(cur, "subject", {"email": "text"}, [("kanarie@geheim.example",)] * 50)
        cur.execute("select reltuples from pg_class where oid = 'pg_temp.subject'::regclass")
        assert cur.fetchone() == (50,)
        cur.execute("select count(*) from pg_statistic where starelid = 'pg_temp.subject'::regclass")
        assert cur.fetchone() == (0,)


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
