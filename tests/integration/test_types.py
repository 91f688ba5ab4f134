"""Every type of key with every type of column: a plan runs, or says before that the two have no value in common."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.check.check import checked
from datamap.compile.plan import attempted, compiled
from datamap.document import Document
from datamap.model import Map
from shared.addresses import PostgresAddress
from shared.catalogue import document
from shared.database import Database
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons

TYPES = {  # with a value of each
    "smallint": "7",
    "integer": "7",
    "bigint": "7",
    "numeric": "7",
    "numeric(10,2)": "7.00",
    "real": "7",
    "double precision": "7",
    "money": "7",
    "oid": "7",
    "text": "7",
    "varchar(10)": "7",
    "char(6)": "7",
    "name": "7",
    '"char"': "7",
    "uuid": "0f0e0d0c-0000-4000-8000-00000000000a",
    "boolean": "true",
    "date": "2026-01-01",
    "time": "10:00",
    "timestamp": "2026-01-01 10:00",
    "timestamptz": "2026-01-01 10:00Z",
    "interval": "1 day",
    "bytea": "7",
    "bit(3)": "101",
    "bit varying": "101",
    "inet": "10.0.0.1",
    "macaddr": "08:00:2b:01:02:03",
    "int4range": "[1,7)",
    "tsvector": "7",
    "pg_lsn": "0/7",
    "app.mood": "glad",
    "app.pair": "(1,7)",
    "app.number": "7",
    "app.word": "7",
    "app.word_of_word": "7",
    "app.numbers": "{7}",
    "app.loose": "7",
    'text collate "C"': "7",
}
SCHEMA = """
create schema app;
create type app.mood as enum ('glad', 'sad');
create type app.pair as (a integer, b text);
create domain app.number as bigint check (value > 0);
create domain app.word as varchar(20) not null;
create domain app.word_of_word as app.word;
create domain app.numbers as integer[];
create domain app.loose as text;
"""
UNLIKE_THEMSELVES = {"app.pair", "app.numbers"}  # a list of them, and one that is a list itself
NEVER_NULL = {"app.word", "app.word_of_word"}  # a link that cannot be taken away
HEAD = "version: 1\ncontroller: {name: x, contact: x, authority: x}\nsubject: {table: app.people, key: id}\n"


@pytest.fixture
def cur(postgres: PostgresAddress) -> Iterator[cursor]:
    database = Database(postgres, application="gdpr-tests")
    opened = database.connection()
    with opened.cursor() as cur:
        cur.execute(SCHEMA)
        yield cur
    opened.rollback()
    opened.close()


def columns() -> dict[str, tuple[str, str, str]]:
    """The columns of a table that has each type: its type, a value, and the place of a link."""
    found = {}
    for number, (kind, value) in enumerate(TYPES.items()):
        found[f"plain_{number}"] = (kind, value, f"plain_{number}")
        base, _, collation = kind.partition(" collate ")
        array = f"{base}[]" + (f" collate {collation}" if collation else "")
        quoted_value = '{"' + value.replace('"', '\\"') + '"}'
        found[f"array_{number}"] = (array, quoted_value, f"array_{number}[]")
    for number, kind in enumerate(("json", "jsonb", "text")):
        cast = "::jsonb" if kind == "text" else ""
        found[f"value_{number}"] = (kind, '{"k": 7}', f"value_{number}{cast}->>'k'")
        found[f"list_{number}"] = (kind, '[{"k": 7}]', f"list_{number}{cast}[]->>'k'")
        found[f"words_{number}"] = (kind, '{"k": ["7"]}', f"words_{number}{cast}->'k'[]")
    return found


@pytest.mark.parametrize("erase", ["delete", "unlink"])
@pytest.mark.parametrize("key", TYPES)
def test_a_plan_for_any_two_types_runs_or_is_refused_before(cur: cursor, key: str, erase: str) -> None:
    listed = columns()
    cur.execute(f"create table app.people (id {key} primary key)")
    cur.execute("insert into app.people values (%s)", (TYPES[key],))
    cur.execute(
        f"create table app.n (n integer primary key, {', '.join(f'{c} {kind}' for c, (kind, *_) in listed.items())})"
    )
    values = [value for _, value, _ in listed.values()]
    cur.execute(f"insert into app.n values (1{', %s' * len(values)})", values)
    catalogue = Catalogue.from_json(document(cur))
    places = [place for *_, place in listed.values()]
    _, faults = attempted(_written(places, erase), catalogue)
    refused = {str(fault.where[3]) for fault in faults if fault.severity == "error" and len(fault.where) > 3}
    left = [place for place in places if place not in refused]
    same = {place for kind, _, place in listed.values() if kind in (key, f"{key}[]")}
    assert not same & refused or key in UNLIKE_THEMSELVES or (key in NEVER_NULL and erase == "unlink")
    if not left or any(fault.where[0] == "subject" for fault in faults):
        assert key == "app.numbers"  # a list, which is no key
        return
    kind = compiled(_written(left, erase), catalogue).kinds[0]
    bind_persons(cur, kind, [{"id": TYPES[key]}], today=date(2026, 11, 20))
    reads = [each for dataset in kind.datasets for each in dataset.reads]
    for statement in (*kind.reach, *(each for each in reads if each.purpose != "verify"), *kind.erase):
        cur.execute(statement.sql)
    bind_gone(cur, kind, read_gone(cur, kind))
    for statement in reads:
        if statement.purpose == "verify":
            cur.execute(statement.sql)


def _written(places: list[str], erase: str) -> Map:
    links = {place: {"subject": "person", "erase": erase} for place in places}
    tables = {"app.people": {}, "app.n": {"links": links, "columns": {"*": "user"}}}
    return Document.parse(HEAD + json.dumps({"tables": tables})[1:-1].replace('"tables"', "tables", 1)).map


@pytest.mark.parametrize("value", ["null", "{value: 7}", "{value: a longer text}", "random", "empty"])
@pytest.mark.parametrize("form", ["plain", "array", "value"])
def test_what_a_column_of_any_type_is_set_to_fits_or_is_refused_before(cur: cursor, form: str, value: str) -> None:
    """With the server's answers, as an approval has them: whether a constant is a value of the type it can tell."""
    listed = {name: each for name, each in columns().items() if name.startswith(form)}
    cells = ", ".join(f"{name} {kind}" for name, (kind, *_) in listed.items())
    cur.execute(f"create table app.people (id bigint primary key); create table app.n (person bigint, {cells})")
    cur.execute("insert into app.people values (7), (8)")
    for person in (7, 8):
        cur.execute(
            f"insert into app.n values ({person}{', %s' * len(listed)})", [told for _, told, _ in listed.values()]
        )
    catalogue = Catalogue.from_json(document(cur))

    def written(names: Iterable[str]) -> Document:
        erase = ", ".join(f"{name}: {value}" for name in names)
        return Document.parse(
            HEAD + f"tables: {{app.people: {{}}, app.n: {{links: {{person: {{erase: {{person: null, {erase}}}}}}}}}}}\n"
        )

    refused = {str(f.where[-1]) for f in checked(written(listed), catalogue, cursor=cur) if f.severity == "error"}
    left = [name for name in listed if name not in refused]
    kind = compiled(written(left).map, catalogue).kinds[0]
    bind_persons(cur, kind, [{"id": 7}], today=date(2026, 11, 20))
    for statement in (*kind.reach, *kind.erase):
        cur.execute(statement.sql)
    assert bool(left) is (form != "array" or value in ("null", "empty"))
