"""Names and texts of the map in a real server: what we quote is what its own quote_ident quotes, and means the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from psycopg2.extensions import cursor

from datamap.names import literal, quoted
from shared.addresses import PostgresAddress
from shared.database import connect
from tests.unit.test_map_names import HOSTILE, KEYS

MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = HOSTILE.filter(lambda name: len(name.encode()) <= 63)


@pytest.fixture
def cur(empty_postgres: PostgresAddress) -> Iterator[cursor]:
    with contextlib.closing(connect(empty_postgres, application="gdpr-tests")) as connection:
        connection.autocommit = True
        with connection.cursor() as cur:
            yield cur


def _told(cur: cursor, statement: str, *values: object) -> list[tuple[object, ...]]:
    cur.execute(statement, values or None)
    return list(cur.fetchall())


def test_each_keyword_of_the_server_is_quoted_as_the_server_does(cur: cursor) -> None:
    told = _told(cur, "select word, quote_ident(word) from pg_get_keywords()")
    assert len(told) > 400
    ours = [(word, quoted(str(word))) for word, _ in told]
    if cur.connection.server_version >= 180000:
        assert ours == told
    else:  # a word that has become one of SQL's since is quoted already
        assert all(
            mine == theirs or mine == (theirs[0], f'"{theirs[0]}"') for mine, theirs in zip(ours, told, strict=True)
        )


@MANY
@given(name=NAMES)
def test_each_name_is_quoted_as_the_server_does(cur: cursor, name: str) -> None:
    assert _told(cur, "select quote_ident(%s)", name) == [(quoted(name),)]


@MANY
@given(name=NAMES)
def test_each_name_is_taken_as_schema_table_column_and_alias_and_means_itself(cur: cursor, name: str) -> None:
    sql = quoted(name)
    schema = quoted(f"s{name}"[:15])
    cur.execute(
        f"create schema {schema}; create table {schema}.{sql} ({sql} int); insert into {schema}.{sql} values (7)"
    )
    try:
        assert _told(cur, f"select {sql}.{sql} as {sql} from {schema}.{sql} as {sql}") == [(7,)]
        assert cur.description is not None
        assert cur.description[0].name == name
        assert _told(cur, "select relname from pg_class where relname = %s and relkind = 'r'", name) == [(name,)]
    finally:
        cur.execute(f"drop schema {schema} cascade")


def test_each_keyword_is_taken_as_schema_table_column_and_alias(cur: cursor) -> None:
    for (word,) in _told(cur, "select word from pg_get_keywords()"):
        sql = quoted(str(word))
        cur.execute(f"create schema {sql}; create table {sql}.{sql} ({sql} int)")
        cur.execute(f"select {sql}.{sql} as {sql} from {sql}.{sql} as {sql} where {sql} is null")
        cur.execute(f"set client_min_messages = error; drop schema {sql} cascade")


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_a_literal_is_the_text_that_was_meant(cur: cursor, conforming: str) -> None:
    cur.execute(f"set standard_conforming_strings = {conforming}; set escape_string_warning = off")

    @MANY
    @given(text=KEYS | HOSTILE)
    def reads_back(text: str) -> None:
        assert _told(cur, f"select{literal(text)}, 'x' ={literal(text)}") == [(text, text == "x")]

    reads_back()
    for text in ("\\", "\\'", "'; drop table x; --", "\\x41", "E'", "%s", "\\\\'"):
        assert _told(cur, f"select{literal(text)}") == [(text,)]
