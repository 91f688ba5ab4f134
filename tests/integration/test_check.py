"""The check against a real Postgres: what it proposes runs, helps the plan's own statements, and silences it."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.check.check import checked
from datamap.check.drift import drift
from datamap.check.rules import RULES
from datamap.check.server import Server
from datamap.compile.plan import compiled
from datamap.discover.cache import KeyPattern
from datamap.document import Document
from datamap.fault import Fault
from datamap.model import Map
from datamap.names import Table as Name
from datamap.spelling import nearest
from demo import shop
from demo.premises import rent
from gdpr.map import map_commands
from local.stores import open_stores
from shared.addresses import PostgresAddress
from shared.catalogue import document as of_database
from shared.database import connect
from shared.gone import bind_gone
from shared.person import bind_persons
from shared.queries import query
from tests.run import Run
from tests.unit.test_check_report import is_well_said
from tests.worlds.build import build
from tests.worlds.generate import worlds
from tests.worlds.world import World

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "demo" / "datamap.yaml"


@pytest.fixture
def cur(empty_postgres: PostgresAddress) -> Iterator[cursor]:
    with contextlib.closing(connect(empty_postgres, application="gdpr-tests")) as session:
        session.autocommit = True
        with session.cursor() as cur:
            yield cur


def catalogue(cur: cursor) -> Catalogue:
    told = []
    for name in ("catalogue", "fingerprint"):
        cur.execute(query(name))
        told += [each for (each,) in cur.fetchall()]
    return Catalogue.from_json(json.dumps({"catalogue": {**json.loads(told[0]), "fingerprint": told[1]}}))


HEAD = """
version: 1
controller: {name: A, contact: b, authority: c, holidays: DE}
backups: {expire_after: P7D}
activities:
  a:
    {purpose: ServiceProvision, legal_basis: A6-1-b, recipients: [], retention: {until: the end},
     origin: ProvidedPersonalData}
"""
SUBJECT = """
subject: {table: users, key: id, identities: {email: email, login: {column: login, match: folded, shared: true}}}
"""
WITH_PHONE = SUBJECT.replace("}}}", "}, tel: {column: tel, match: {phone: '+49'}, shared: true}}}")
USERS = "users: {activity: a, columns: {'*': user.account}}"


def document(tables: str, *, subject: str = SUBJECT) -> Document:
    lines = [USERS, *(line for line in tables.strip().splitlines() if line.strip())]
    return Document.parse(HEAD + subject + "tables:\n" + "\n".join(f"  {line}" for line in lines) + "\n")


def told(found: list[Fault], *codes: str) -> list[Fault]:
    return [fault for fault in found if fault.code in codes]


# Indexes ------------------------------------------------------------------------------------------------------------

PERSONS = (
    "create table users (id bigint primary key, email text unique, login text, tel text, tenant int,"
    " unique (tenant, id))"
)
INHERITS = "personal: true, activity: a, columns: {'*': user.account}"
ODD = '''"it's a ""table""; drop %s"'''


def of(columns: str) -> str:
    return f"create table t (id int primary key, {columns})"


LINKS = {
    "a whole number": (of("u bigint"), "t: {links: {u: {}}, %s}"),
    "another width": (of("u int"), "t: {links: {u: {}}, %s}"),
    "a number as text": (of("u text"), "t: {links: {u: {}}, %s}"),
    "a number as varchar": (of("u varchar(20)"), "t: {links: {u: {}}, %s}"),
    "somebody who acted": ("create table t (id int primary key, o bigint references users, u bigint references users);"
        " create index on t (o)", "t: {links: {u: actor}, %s}"),
    "a foreign key": (of("u bigint references users"), "t: {%s}"),
    "two columns": (
        of("tenant int, u bigint, foreign key (tenant, u) references users (tenant, id)"),
        "t: {%s}",
    ),
    "an identity": (of("u text"), "t: {links: {u: {identity: email}}, %s}"),
    "an identity as varchar": (of("u varchar"), "t: {links: {u: {identity: email}}, %s}"),
    "a folded identity": (of("u text"), "t: {links: {u: {identity: login}}, %s}"),
    "a folded varchar": (of("u varchar"), "t: {links: {u: {identity: login}}, %s}"),
    "a folded identity in JSON": (
        of("p jsonb"), """t: {links: {"p->>'by'": {identity: login}}, %s}""",
    ),
    "a folded identity in JSON as text": (
        of("p text"), """t: {links: {"p::jsonb->>'by'": {identity: login}}, %s}""",
    ),
    "a telephone number": (of("u text"), "t: {links: {u: {identity: tel}}, %s}"),
    "a telephone number as varchar": (of("u varchar"), "t: {links: {u: {identity: tel}}, %s}"),
    "a telephone number in JSON": (
        of("p jsonb"), """t: {links: {"p->>'by'": {identity: tel}}, %s}""",
    ),
    "a telephone number in JSON as text": (
        of("p text"), """t: {links: {"p::jsonb->>'by'": {identity: tel}}, %s}""",
    ),
    "jsonb": (of("p jsonb"), """t: {links: {"p->>'user_id'": {}}, %s}"""),
    "json": (of("p json"), """t: {links: {"p->>'user_id'": {}}, %s}"""),
    "deep in jsonb": (of("p jsonb"), """t: {links: {"p->'a'->'b'->>'c'": {}}, %s}"""),
    "a path": (of("p jsonb"), """t: {links: {"p#>>'{a,b}'": {}}, %s}"""),
    "odd keys": (of("p jsonb"), """t: {links: {"p->'a (b'->>'it''s %% \\\\'": {}}, %s}"""),
    "odd keys of a path": (
        of("p jsonb"), r"""t: {links: {"p#>>'{\"a b\",\"x,y\",u-v}'": {}}, %s}""",
    ),
    "an element by number": (of("p jsonb"), """t: {links: {"p->0->>'id'": {}}, %s}"""),
    "JSON as text": (of("p text"), """t: {links: {"p::jsonb->>'by'": {}}, %s}"""),
    "JSON as varchar": (of("p varchar"), """t: {links: {"p::jsonb->>'by'": {}}, %s}"""),
    "a domain of jsonb": (
        "create domain doc as jsonb;" + of("p doc"), """t: {links: {"p->>'by'": {}}, %s}""",
    ),
    "a domain of text": (
        "create domain mail as text;" + of("u mail"), "t: {links: {u: {identity: login}}, %s}",
    ),
    "an array": (of("u bigint[]"), "t: {links: {'u[]': {}}, %s}"),
    "an array of texts": (of("u text[]"), "t: {links: {'u[]': {}}, %s}"),
    "an array of identities": (
        of("u text[]"), "t: {links: {'u[]': {identity: email}}, %s}",
    ),
    "an array of a domain": (
        "create domain number as bigint;" + of("u number[]"), "t: {links: {'u[]': {}}, %s}",
    ),
    "a pair": (
        of("k text, u bigint"), """t: {links: {u: {when: "k = 'User'"}}, %s}""",
    ),
    "partitions": (
        "create table t (id int, at date, u bigint, primary key (id, at)) partition by range (at);"
        " create table t1 partition of t for values from ('2024-01-01') to ('2025-01-01')",
        "t: {links: {u: {}}, %s}",
    ),
    "a parent": (
        "create table p (id int primary key, u bigint references users); create index on p (u);"
        " create table t (id int primary key, p int references p)",
        "p: {%s}\nt: {%s}",
    ),
    "a parent that no foreign key names": (
        "create table p (id int primary key, u bigint references users); create index on p (u);"
        " create table t (id int primary key, p text)",
        "p: {%s}\nt: {links: {p: {to: public.p.id}}, %s}",
    ),
    "a table that nobody has classified": (of("u bigint references users"), ""),
    "odd names": (
        f"create table {ODD} (id int primary key, {ODD} bigint);"
        ' create table more (id int primary key, "select" jsonb)',
        """'"it''s a ""table""; drop %%s"': {links: {'"it''s a ""table""; drop %%s"': {}}, %s}\n"""
        """more: {links: {'"select"->>''a"b''': {}}, %s}""",
    ),
}  # fmt: skip


def _decided(tables: str) -> str:
    return tables % ((INHERITS,) * (tables.count("%s") - tables.count("%%s"))) if tables else ""


def _indexes(cur: cursor) -> set[str]:
    cur.execute("select indexname from pg_indexes where schemaname = 'public'")
    return {name for (name,) in cur.fetchall()}


def _used(node: Any) -> Iterator[str]:
    """The indexes in what EXPLAIN says."""
    if isinstance(node, dict):
        if "Index Name" in node:
            yield node["Index Name"]
        for below in node.values():
            yield from _used(below)
    elif isinstance(node, list | tuple):
        for below in node:
            yield from _used(below)


def used_by_plan(cur: cursor, data_map: Document) -> set[str]:
    """The indexes that the statements of the plan use, where reading the whole table is dear."""
    kind = compiled(data_map.map, catalogue(cur)).kinds[0]
    found: set[str] = set()
    cur.execute("begin; set local enable_seqscan = off")
    bind_persons(cur, kind, [{"id": 1}], today=date(2026, 1, 1))
    bind_gone(cur, kind, {})
    for statement in (*kind.reach, *(read for dataset in kind.datasets for read in dataset.reads), *kind.erase):
        if statement.purpose == "prepare":
            cur.execute(statement.sql)
        elif statement.purpose != "refresh":
            cur.execute(f"explain (format json) {statement.sql}")
            row = cur.fetchall()
            found |= set(_used(row))
    cur.execute("rollback")
    return found


@pytest.mark.parametrize("name", LINKS)
def test_the_index_that_is_proposed_is_used_by_the_plan_and_silences_the_check(cur: cursor, name: str) -> None:
    schema, tables = LINKS[name]
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {schema}; set search_path = pg_catalog, pg_temp")
    data_map = document(_decided(tables), subject=WITH_PHONE)
    missing = told(checked(data_map, catalogue(cur)), "index_missing")
    before = _indexes(cur)
    assert missing, "nothing is missing"
    for fault in missing:
        cur.execute(fault.remedy or "")
    made = _indexes(cur) - before
    partition = {each for each in made if each.startswith("t1_")}
    assert len(made - partition) == len(missing)
    assert not told(checked(data_map, catalogue(cur)), "index_missing", "index_impossible")
    used = used_by_plan(cur, data_map)
    assert (partition or made) <= used


@pytest.mark.parametrize(
    ("column", "place"),
    [("p jsonb", "p->'ids'[]"), ("p jsonb", "p->'all'[]->>'id'"), ("u text[]", "u[]")],
)
def test_a_place_that_no_index_serves_is_told_as_such(cur: cursor, column: str, place: str) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create table t (id int primary key, {column})")
    found = checked(document(f't: {{links: {{"{place}": {{identity: login}}}}, {INHERITS}}}'), catalogue(cur))
    assert len(told(found, "index_impossible")) == 1
    assert not told(found, "index_missing")


SERVING = {
    "behind what when says": ("t (k, u)", "u: {when: \"k = 'User'\"}", True),
    "behind another column": ("t (k, u)", "u: {}", False),
    "of what is there": ("t (u) where u is not null", "u: {}", True),
    "of what when says": ("t (u) where k = 'User'", "u: {when: \"k = 'User'\"}", True),
    "of what when says and more": ("t (u) where k = 'User' and id > 7", "u: {when: \"k = 'User'\"}", False),
    "of another kind": ("t (u) where k = 'Guest'", "u: {when: \"k = 'User'\"}", False),
    "of some rows": ("t (u) where k = 'User'", "u: {}", False),
    "of what is true": ("t (u) where b", 'u: {when: "b = true"}', True),
    "of what is false": ("t (u) where not b", 'u: {when: "b = false"}', True),
    "of what is the other": ("t (u) where not b", 'u: {when: "b = true"}', False),
    "of either": ("t (u) where u is not null or k = 'x'", "u: {}", False),
    "by hash": ("t using hash (u)", "u: {}", True),
    "by blocks": ("t using brin (u)", "u: {}", False),
    "of an expression": ("t ((u + 0))", "u: {}", False),
    "with more columns": ("t (u, k) include (id)", "u: {}", True),
    "that only covers": ("t (k) include (u)", "u: {}", False),
}


@pytest.mark.parametrize("name", SERVING)
def test_an_index_serves_if_the_plan_can_use_it_and_not_otherwise(cur: cursor, name: str) -> None:
    index, link, serves = SERVING[name]
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    cur.execute("create table t (id int primary key, k text, u bigint, b boolean)")
    cur.execute(f"create index made on {index}")
    data_map = document(f"t: {{links: {{{link}}}, {INHERITS}}}")
    assert bool(told(checked(data_map, catalogue(cur)), "index_missing")) is not serves
    if serves:
        assert "made" in used_by_plan(cur, data_map)


@pytest.mark.parametrize(("method", "serves"), [("gin", True), ("btree", False)])
def test_the_elements_of_an_array_are_found_by_an_index_of_elements(cur: cursor, method: str, serves: bool) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint[]')}")
    cur.execute(f"create index on t using {method} (u)")
    found = checked(document(f"t: {{links: {{'u[]': {{}}}}, {INHERITS}}}"), catalogue(cur))
    assert bool(told(found, "index_missing")) is not serves


def test_an_index_that_could_not_be_built_does_not_serve(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create table t (id int primary key, u bigint)")
    cur.execute("insert into t values (1, 7), (2, 7)")
    with contextlib.suppress(Exception):
        cur.execute("create unique index concurrently made on t (u)")
    assert "made" in _indexes(cur)
    assert told(checked(document(f"t: {{links: {{u: {{}}}}, {INHERITS}}}"), catalogue(cur)), "index_missing")


def test_where_there_are_few_rows_a_missing_index_is_but_a_note(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create table t (id int primary key, u bigint)")
    data_map = document(f"t: {{links: {{u: {{}}}}, {INHERITS}}}")
    assert [f.severity for f in told(checked(data_map, catalogue(cur)), "index_missing")] == ["note"]
    cur.execute("insert into public.t select n, n from generate_series(1, 2000) as n; analyze public.t")
    assert [f.severity for f in told(checked(data_map, catalogue(cur)), "index_missing")] == ["warning"]


@pytest.fixture(scope="module")
def opened(own_server: PostgresAddress) -> Iterator[connection]:
    """A session in an empty database, in which each generated world is built and rolled back."""
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as session:
        yield session


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_in_generated_worlds_each_proposed_index_can_be_made_and_nothing_is_missing_then(
    opened: connection, world: World
) -> None:
    data_map = Document(world.map, {})
    try:
        with opened.cursor() as cur:
            build(cur, world)
            before = checked(data_map, catalogue(cur), cursor=cur)
            for fault in told(before, "index_missing"):
                cur.execute((fault.remedy or "").replace("create index concurrently", "create index"))
            after = checked(data_map, catalogue(cur), cursor=cur)
    finally:
        opened.rollback()
    assert not told(after, "index_missing")
    made = [fault.remedy for fault in told(before, "index_missing")]
    assert len(set(made)) == len(made)
    assert len({(fault.code, fault.where, fault.message) for fault in before}) == len(before)
    assert {fault.code for fault in before} <= set(RULES)
    assert all(fault.remedy for fault in before)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(world=worlds(), data=st.data())
def test_besides_a_slip_only_that_is_told_which_is_told_without_it(
    opened: connection, world: World, data: st.DataObject
) -> None:
    with opened.cursor() as cur:
        build(cur, world)
        facts = catalogue(cur)
        opened.rollback()
    before = {(fault.code, fault.message) for fault in checked(Document(world.map, {}), facts)}
    slips = list(_slips(world.map, facts))
    assume(slips)
    found = checked(Document(data.draw(st.sampled_from(slips)), {}), facts)
    new = [fault for fault in found if (fault.code, fault.message) not in before]
    assert {fault.code for fault in new} <= {"unknown_table", "unknown_column"}
    assert [fault for fault in new if fault.severity == "error"]
    assert all(fault.remedy for fault in found)


def _slips(data_map: Map, facts: Catalogue) -> Iterator[Map]:
    """A letter too many at a subject, its key, a table, a column; where it can be told what was meant."""
    tables = [str(table.name) for table in facts]
    for name, subject in data_map.kinds.items():
        columns = facts.tables[Name.parse(subject.table)].columns
        for wrong in ({"table": f"{subject.table}x"}, {"key": [f"{each}x" for each in subject.key]}):
            words = [slip for value in wrong.values() for slip in _each(value)]
            if all(nearest(slip, [*tables, *columns]) == slip[:-1] and '"' not in slip for slip in words):
                slipped = subject.model_copy(update=wrong)
                several = {"subjects": {**(data_map.subjects or {}), name: slipped}}
                yield data_map.model_copy(update={"subject": slipped} if data_map.subject else several)
    for name, table in data_map.tables.items():
        others = {each: value for each, value in data_map.tables.items() if each != name}
        for column in table.columns:
            known = facts.tables[Name.parse(name)].columns if column != "*" else ()
            if nearest(f"{column}x", known) == column:
                renamed = {f"{each}x" if each == column else each: value for each, value in table.columns.items()}
                slipped_table = table.model_copy(update={"columns": renamed})
                yield data_map.model_copy(update={"tables": {**others, name: slipped_table}})
        is_told = nearest(f"{name}x", [each for each in tables if each not in others]) == name
        if is_told and not name.endswith('"') and name not in [each.table for each in data_map.kinds.values()]:
            yield data_map.model_copy(update={"tables": {**others, f"{name}x": table}})


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# Values that are set ------------------------------------------------------------------------------------------------

VALUES = {
    "a text that is too long": ("u bigint, v varchar(3)", "{u: null, v: {value: long}}", "value_type"),
    "a text that is short": ("u bigint, v varchar(3)", "{u: null, v: {value: abc}}", None),
    "a word that is no number": ("u bigint, v int", "{u: null, v: {value: x}}", "value_type"),
    "a number that is too large": ("u bigint, v smallint", "{u: null, v: {value: 40000}}", "value_type"),
    "a number": ("u bigint, v smallint", "{u: null, v: {value: 4}}", None),
    "a date": ("u bigint, v date", "{u: null, v: {value: '1970-01-01'}}", None),
    "no date": ("u bigint, v date", "{u: null, v: {value: '1970-02-30'}}", "value_type"),
    "no label": ("u bigint, v mood", "{u: null, v: {value: angry}}", "value_type"),
    "a label": ("u bigint, v mood", "{u: null, v: {value: sad}}", None),
    "against a domain": ("u bigint, v mail", "{u: null, v: {value: nobody}}", "value_type"),
    "within a domain": ("u bigint, v mail", "{u: null, v: {value: nobody@example.org}}", None),
    "random for a domain": ("u bigint, v mail", "{u: null, v: random}", "value_type"),
    "random for a number": ("u bigint, v int", "{u: null, v: random}", "random"),
    "random for a uuid": ("u bigint, v uuid", "{u: null, v: random}", None),
    "empty for a number": ("u bigint, v int", "{u: null, v: empty}", "empty"),
    "empty for a domain of a text": ("u bigint, v mail", "{u: null, v: empty}", "value_type"),
    "empty for a domain of JSON": ("u bigint, v bag", "{u: null, v: empty}", "value_type"),
    "empty for a domain of an array": ("u bigint, v list", "{u: null, v: empty}", "value_type"),
    "empty for an array": ("u bigint, v int[]", "{u: null, v: empty}", None),
    "against a CHECK": ("u bigint, v text check (v <> '')", "{u: null, v: {value: ''}}", "value_check"),
    "random against a CHECK": ("u bigint, v text check (length(v) < 9)", "{u: null, v: random}", "value_check"),
    "within a CHECK": ("u bigint, v text check (v <> '')", "{u: null, v: {value: 'x'}}", None),
    "null against a CHECK": ("u bigint, v text check (v is not null)", "{u: null, v: null}", "value_check"),
    "null within a CHECK": ("u bigint, v text check (v <> '')", "{u: null, v: null}", None),
    "against a CHECK of two": (
        "u bigint, v text, w text, check (v is not null or w is not null)", "{u: null, v: null}", "value_check",
    ),
    "of two that are both set": (
        "u bigint, v text, w text, check (v is not null or w is not null)", "{u: null, v: null, w: {value: ''}}", None,
    ),
    "a CHECK of the link": ("u bigint, g text, check (u is not null or g is not null)", "unlink", "value_check"),
    "the same twice": ("u bigint, v text unique", "{u: null, v: {value: ''}}", "value_unique"),
    "null twice": ("u bigint, v text unique", "{u: null, v: null}", None),
    "null where it is a value": ("u bigint, v text unique nulls not distinct", "{u: null, v: null}", "value_unique"),
    "the same in a key of two": ("u bigint, v text, w int, unique (v, w)", "{u: null, v: {value: ''}}", "value_unique"),
    "random in a key of two": (
        "u bigint, v text, w text, unique (v, w)", "{u: null, v: {value: ''}, w: random}", None,
    ),
    "the same, that excludes": (
        "u bigint, v int, exclude using gist (int4range(v, v + 1) with &&), exclude (v with =)",
        "{u: null, v: {value: 1}}", "value_unique",
    ),
    "null, that excludes": ("u bigint, v int, exclude (v with =)", "{u: null, v: null}", None),
    "what points at nothing": ("u bigint, v int references other", "{u: null, v: {value: 9}}", "value_reference"),
    "what points at something": ("u bigint, v int references other", "{u: null, v: {value: 1}}", None),
}  # fmt: skip
ROWS = {
    "against a CHECK of two": "insert into public.t (id, v) values (1, 'x')",
    "a CHECK of the link": "insert into public.t (id, u) values (1, 7)",
}
OF_VALUES = {"random", "empty", "value_type", "value_check", "value_unique", "value_reference"}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_the_database_would_refuse_is_told_before(cur: cursor, name: str) -> None:
    columns, erase, code = VALUES[name]
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create type mood as enum ('sad', 'glad')")
    cur.execute("create domain mail as text check (value like '%@%'); create table other (id int primary key)")
    cur.execute("create domain bag as jsonb check (value <> '{}'); create domain list as int[] check (value <> '{}')")
    cur.execute(f"insert into other values (1); {of(columns)}; set search_path = pg_catalog, pg_temp")
    cur.execute(ROWS.get(name, "") or "select")
    data_map = document(f"other: {{personal: false, reason: x}}\nt: {{links: {{u: {{}}}}, erase: {erase}, {INHERITS}}}")
    found = checked(data_map, catalogue(cur), cursor=cur)
    assert {fault.code for fault in found} & OF_VALUES == ({code} if code else set())
    if code == "value_type":
        assert (": random is no " in told(found, code)[0].message) is ("v: random" in erase)
    assert not [fault for fault in found if fault.severity == "error" and fault.code not in OF_VALUES]


@pytest.mark.parametrize("name", [name for name, case in VALUES.items() if case[2] is None])
def test_without_a_server_a_value_that_fits_is_never_called_wrong(cur: cursor, name: str) -> None:
    columns, erase, _ = VALUES[name]
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create type mood as enum ('sad', 'glad')")
    cur.execute("create domain mail as text check (value like '%@%'); create table other (id int primary key)")
    cur.execute("create domain bag as jsonb check (value <> '{}'); create domain list as int[] check (value <> '{}')")
    cur.execute(of(columns))
    found = checked(document(f"t: {{links: {{u: {{}}}}, erase: {erase}, {INHERITS}}}"), catalogue(cur))
    assert not [fault for fault in found if fault.code in OF_VALUES]


def test_a_question_changes_nothing_and_leaves_the_transaction_as_it_was(cur: cursor) -> None:
    cur.execute("create table public.t (id int)")
    server = Server(cur)
    assert server.rows("with x as (insert into public.t values (1) returning 1) select * from x", what="a") is None
    assert server.rows("select no_such_column", what="b") is None
    cur.execute("begin; insert into public.t values (2)")
    assert server.rows("with x as (delete from public.t returning 1) select * from x", what="c") is None
    assert server.rows("select id from public.t", what="d") == [(2,)]
    assert [each.what for each in server.unanswered] == ["a", "b", "c"]
    cur.execute("insert into public.t values (3); commit; select count(*) from public.t")
    assert cur.fetchall() == [(2,)]


def test_nobody_has_to_be_there(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    data_map = document("", subject=SUBJECT.replace("key: id,", "key: id, nobody: {id: 0},"))
    assert told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing")
    assert not told(checked(data_map, catalogue(cur)), "nobody_missing")
    cur.execute("insert into public.users (id) values (0)")
    assert not told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing")


NOBODY = SUBJECT.replace("key: id,", "key: id, nobody: 0,")
PEOPLE = {
    "of a number": "users (id bigint primary key, email text not null, login text, tenant int)",
    "of an identity": "users (id int generated always as identity primary key, email text not null unique, login text)",
    "of all types": (
        "users (id uuid primary key, email varchar(9) not null, login text not null default 'x', a boolean not null,"
        " b jsonb not null, c date not null, d timestamptz not null, e int[] not null, f numeric not null, g mood not"
        " null, h bytea not null, i smallint not null, l time not null, m interval not null, n float8 not null,"
        " o inet not null, k text not null generated always as (email) stored)"
    ),
    "of a text, in a place": (
        "users (id text primary key, email text not null, login text, place int not null references places)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_the_row_that_stands_for_nobody_is_made_by_the_remedy(cur: cursor, name: str) -> None:
    cur.execute("set search_path = public, pg_catalog; create type mood as enum ('sad', 'glad')")
    cur.execute(f"create table places (id int primary key); insert into places values (7); create table {PEOPLE[name]}")
    cur.execute("create table t (id int primary key, u text not null)")
    facts = catalogue(cur)
    others = "places: {personal: false, reason: x}"
    told_so = told(checked(document(f"{others}\nt: {{links: {{u: {{erase: nobody}}}}, {INHERITS}}}"), facts), "nobody")
    statement, at_the_subject = (told_so[0].remedy or "").splitlines()
    subject = SUBJECT.replace("key: id,", f"key: id, {at_the_subject.removeprefix('write at subject: ')},")
    data_map = document(f"{others}\nt: {{links: {{u: {{erase: nobody}}}}, {INHERITS}}}", subject=subject)
    (missing,) = told(checked(data_map, facts, cursor=cur), "nobody_missing")
    assert statement.partition(" -- ")[0] == (missing.remedy or "").splitlines()[0]
    cur.execute(statement)
    assert not told(checked(data_map, facts, cursor=cur), "nobody_missing", "nobody")


TENANTS = """
create table users (tenant int, id uuid, number bigint not null unique, email text not null unique, mark uuid unique
  not null, login text, primary key (tenant, id));
insert into users select g, gen_random_uuid(), g, 'p' || g, gen_random_uuid() from generate_series(1, 3) as g;
"""


def test_where_each_tenant_has_a_nobody_they_differ_where_two_may_not_be_the_same(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {TENANTS}")
    nobody = "nobody: {id: 00000000-0000-0000-0000-000000000000}"
    data_map = document("", subject=SUBJECT.replace("key: id,", f"key: [tenant, id], {nobody},"))
    (missing,) = told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing")
    cur.execute((missing.remedy or "").splitlines()[0])
    assert not told(checked(data_map, catalogue(cur), cursor=cur), "nobody_missing")


# What could not be asked --------------------------------------------------------------------------------------------


@pytest.fixture
def reader(cur: cursor) -> Iterator[str]:
    """A role that may log in here, and read nothing."""
    name = f"ci {secrets.token_hex(4)}"
    cur.execute(f'create role "{name}"')
    yield name
    cur.execute(f'reset role; drop owned by "{name}"; drop role "{name}"')


CHECKED = "u bigint, v text, w text, check (v is not null or w is not null)"


def test_a_role_that_may_not_read_the_tables_is_no_silence(cur: cursor, reader: str) -> None:
    cur.execute("create schema app")
    cur.execute(f"set search_path = app, pg_catalog; {PERSONS}; {of(CHECKED)}; insert into users (id) values (0)")
    cur.execute("insert into t values (1, 1, 'x'); set search_path = pg_catalog")
    tables = "app.users: {activity: a, columns: {'*': user.account}}\n"
    tables += f"app.t: {{links: {{u: {{}}}}, erase: {{u: null, v: null}}, {INHERITS}}}"
    data_map = Document.parse(
        HEAD + NOBODY.replace("table: users", "table: app.users") + "tables:\n"
        + "".join(f"  {line}\n" for line in tables.splitlines())
    )  # fmt: skip
    facts = catalogue(cur)

    def told_now() -> list[Fault]:
        return told(checked(data_map, facts, cursor=cur), "not_asked", "value_check", "nobody_missing")

    assert [fault.code for fault in told_now()] == ["value_check"]
    cur.execute(f'set role "{reader}"')
    (fault,) = told_now()
    assert (fault.code, fault.severity) == ("not_asked", "warning")
    assert f"the role {reader} may not read app.t and app.users" in fault.message
    assert "whether app.users has the row that stands for nobody" in fault.message
    assert "whether what is set in app.t breaks the CHECK" in fault.message
    assert is_well_said(fault)
    first, second, third = (fault.remedy or "").splitlines()
    assert third.startswith("or check as a role that may read")
    cur.execute(f"reset role; {second}")  # a schema that may not be entered hides what is in it
    cur.execute(f'set role "{reader}"')
    assert [fault.remedy for fault in told_now()] == ["\n".join((first, second, third))]
    cur.execute(f"reset role; {first}; {second.replace('grant', 'revoke').replace(' to ', ' from ')}")
    cur.execute(f'set role "{reader}"')
    assert [fault.remedy for fault in told_now()] == ["\n".join((second, third))]
    cur.execute(f"reset role; {second}")
    cur.execute(f'set role "{reader}"')
    assert [fault.code for fault in told_now()] == ["value_check"]
    cur.execute("reset role; alter table app.t enable row level security; create policy p on app.t using (u = 7)")
    cur.execute(f'set role "{reader}"; set row_security = off')
    (hidden,) = told_now()
    assert f"row-level security hides rows of app.t from the role {reader}, so it is not known" in hidden.message
    assert "app.users" not in hidden.message
    assert "grant" not in (hidden.remedy or "")
    assert is_well_said(hidden)


def test_whoever_may_not_read_the_people_cannot_tell_their_keys_apart(cur: cursor, reader: str) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    data_map, facts = document(""), catalogue(cur)
    seen = [
        KeyPattern(
            pattern="cart:*",
            types={"string": 7},
            keys=7,
            in_store=7,
            is_sampled=False,
            without_ttl=1.0,
            longest_ttl=None,
        )
    ]
    assert told(checked(data_map, facts, cursor=cur, found=seen), "cache.unclassified")
    assert told(checked(data_map, facts, found=seen), "cache.unclassified")
    cur.execute(f'set role "{reader}"')
    found = checked(data_map, facts, cursor=cur, found=seen)
    assert not told(found, "cache.unclassified")
    (fault,) = told(found, "not_asked")
    assert "whether a pattern covers each kind of keys in the cache" in fault.message
    assert not told(checked(data_map, facts, cursor=cur, found=[]), "not_asked")


def test_an_answer_that_takes_too_long_is_told(cur: cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    cur.execute("create function public.slow(text) returns boolean language sql immutable as 'select true'")
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, v text check (slow(v))')}")
    cur.execute("create or replace function public.slow(text) returns boolean language plpgsql immutable"
                " as $$begin perform pg_catalog.pg_sleep(60); return true; end$$")  # fmt: skip
    monkeypatch.setattr("datamap.check.server.SECONDS", 0.3)
    monkeypatch.setattr("datamap.check.unanswered.SECONDS", 0.3)
    found = checked(
        document(f"t: {{links: {{u: {{}}}}, erase: {{u: null, v: null}}, {INHERITS}}}"), catalogue(cur), cursor=cur
    )
    (fault,) = told(found, "not_asked")
    assert "the server takes longer than 0.3 seconds for public.t, so it is not known whether" in fault.message
    assert fault.remedy == "check again when the database has less to do, or against a copy of it"


def test_a_question_that_fails_is_told_without_the_drivers_words(cur: cursor) -> None:
    cur.execute(
        f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, v text check (v::int > 3 or v is null)')}"
    )
    data_map = document(f"t: {{links: {{u: {{}}}}, erase: {{u: null, v: {{value: kanarie}}}}, {INHERITS}}}")
    (fault,) = told(checked(data_map, catalogue(cur), cursor=cur), "not_asked")
    assert "the server answers with an error (22P02) for public.t, so it is not known whether" in fault.message
    assert "kanarie" not in f"{fault}"
    assert fault.remedy == "try by hand what an erasure would set there, in a transaction that is rolled back"


def test_with_a_catalogue_alone_nothing_is_asked_and_nobody_is_warned(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    assert not told(checked(document("", subject=NOBODY), catalogue(cur)), "not_asked", "not_installed")


def test_without_schema_gdpr_a_map_is_checked_and_it_is_told_what_is_missing(
    postgres: PostgresAddress, new_server: PostgresAddress
) -> None:
    for address, is_missing in ((postgres, False), (new_server, True)):
        with contextlib.closing(connect(address, application="gdpr-tests")) as session, session.cursor() as cur:
            cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; alter table users enable row level security")
            found = checked(document(""), catalogue(cur), cursor=cur)
            notes = told(found, "not_installed")
            assert [fault.severity for fault in notes] == (["note"] if is_missing else [])
            assert all("gdpr db migrate" in (fault.remedy or "") for fault in notes)
            policies = [fault.remedy or "" for fault in told(found, "row_security")]
            assert len(policies) == 3
            assert {"-- behind `gdpr db migrate`" in each for each in policies} == {is_missing}


# What is kept, and from whom ----------------------------------------------------------------------------------------

KEPT = (
    "t: {links: {u: {}}, activity: a, erase: keep, keep: {exception: 17(3)(b), law: § 147 AO, until: then, owner: x,"
    " columns: [v]}, columns: {'*': user.account}}"
)


def test_what_is_kept_is_hidden_from_the_roles_of_the_application(cur: cursor) -> None:
    role = f"app {secrets.token_hex(4)}"
    cur.execute(f'set search_path = public, pg_catalog; {PERSONS}; {of("u bigint, v text")}; create role "{role}"')
    roles = f'application_roles: ["{role}"]\n'

    def told_now() -> list[Fault]:
        return told(checked(document(KEPT, subject=SUBJECT + roles), catalogue(cur), cursor=cur), "keep_readable")

    try:
        (fault,) = told_now()
        cur.execute(fault.remedy or "")
        assert not told_now()
        cur.execute("create policy everything on t using (true)")
        assert not told_now()
        cur.execute(f'grant select (v) on t to "{role}"')
        assert "everything" in told_now()[0].message
        cur.execute("drop policy everything on t; create policy few on t using (u is not null)")
        assert not told_now()
        cur.execute(f'alter role "{role}" bypassrls')
        (fault,) = told_now()
        cur.execute(f'revoke select (v) on t from "{role}"')
        assert not told_now()
        cur.execute(f'grant select on t to "{role}"; {fault.remedy}')
        assert not told_now()
    finally:
        cur.execute(f'drop owned by "{role}"; drop role "{role}"')


def _example(language: str) -> str:
    """The code in docs/checks.md below `keep_readable`."""
    section = (ROOT / "docs" / "checks.md").read_text().partition("### `keep_readable`")[2].partition("\n### ")[0]
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(code)


INVOICES = """
create schema app;
create table app.users (id bigint primary key, email text unique);
create table app.invoices (id bigint primary key, user_id bigint not null references app.users, number text not null,
  total int not null, issued_on date not null, memo text);
create index on app.invoices (user_id);
insert into app.users values (1, 'a'), (2, 'b');
insert into app.invoices values (1, 1, 'one', 10, current_date, 'x'), (2, 2, 'two', 20, current_date, 'y')
"""


def _of_the_example(role: str) -> Document:
    activities = "  invoices: {purpose: LegalCompliance, legal_basis: A6-1-c, recipients: [], origin:"
    activities += " ProvidedPersonalData, retention: {period: P10Y, from: {column: issued_on}, law: § 147 AO}}\n"
    example = (
        _example("yaml").replace("[shop]", f'["{role}"]').replace("columns: {number", "columns: {memo: user, number")
    )
    more = "  app.users: {activity: a, columns: {email: user.contact.email}}\n"
    return Document.parse(f"{HEAD}{activities}subject: {{table: app.users, key: id}}\n{example}{more}")


def test_the_policy_of_the_docs_hides_what_is_kept_and_nothing_else(postgres: PostgresAddress) -> None:
    role = f"shop {secrets.token_hex(4)}"
    with contextlib.closing(connect(postgres, application="gdpr-tests")) as session, session.cursor() as cur:
        session.autocommit = True
        cur.execute(f'{INVOICES}; create role "{role}"; grant usage on schema app to "{role}", gdpr_verify;'
                    f' grant select, insert, update on app.invoices to "{role}"')  # fmt: skip
        try:
            before = checked(_of_the_example(role), catalogue(cur), cursor=cur)
            assert told(before, "keep_readable", "unknown_column")
            cur.execute(_example("sql").replace(" shop ", f' "{role}" '))
            data_map = _of_the_example(role)
            assert checked(data_map, catalogue(cur), cursor=cur) == []
            _erased(cur, data_map, 1)
            assert _seen(cur, role) == [2]
            assert _seen(cur, "gdpr_verify") == [1, 2]
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cur.execute(f'set role "{role}"; update app.invoices set restricted = true')
        finally:
            cur.execute(f'reset role; drop owned by "{role}"; drop role "{role}"')


def _seen(cur: cursor, role: str) -> list[int]:
    cur.execute(f'grant select on app.invoices to "{role}"; set role "{role}"; set row_security = on')
    cur.execute("select id from app.invoices order by id")
    seen = [number for (number,) in cur.fetchall()]
    cur.execute("reset role")
    return seen


def _erased(cur: cursor, data_map: Document, person: int) -> None:
    """By the plan's own statements."""
    kind = compiled(data_map.map, catalogue(cur)).kinds[0]
    cur.execute("begin; set local row_security = off")
    bind_persons(cur, kind, [{"id": person}], today=date(2026, 1, 1))
    for statement in kind.erase:
        cur.execute(statement.sql)
    cur.execute("commit")


def test_the_remedy_alone_hides_it_as_well(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, v text')}; create index on t (u)")
    (fault,) = told(checked(document(KEPT), catalogue(cur), cursor=cur), "keep_readable")
    cur.execute(fault.remedy or "")
    marked = KEPT.replace("columns: [v]", "columns: [v], set: {restricted: {value: true}}")
    found = checked(document(marked), catalogue(cur), cursor=cur)
    assert told(found, "keep_readable") == []
    assert {fault.code for fault in found if fault.severity == "error"} <= {"row_security"}


def test_a_column_that_keep_marks_already_is_taken(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, v text, gone boolean')}")
    marked = KEPT.replace("columns: [v]", "columns: [v], set: {gone: {value: true}}")
    (fault,) = told(checked(document(marked), catalogue(cur), cursor=cur), "keep_readable")
    assert "create policy application on public.t using (not gone);" in (fault.remedy or "")
    assert "add column" not in (fault.remedy or "")


@pytest.mark.parametrize(
    ("has_patterns", "found", "is_told"), [(True, None, True), (True, [], False), (False, None, False)]
)
def test_patterns_that_were_held_against_no_cache_are_a_note(
    cur: cursor, has_patterns: bool, found: list[KeyPattern] | None, is_told: bool
) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    patterns = 'cache: {refill_max: PT1S, "cart:{id}": {activity: a}}\n' if has_patterns else ""
    data_map = document("", subject=SUBJECT + patterns)
    notes = told(checked(data_map, catalogue(cur), cursor=cur, found=found), "not_asked")
    assert [(note.severity, note.remedy) for note in notes] == (
        [("note", "set REDIS_URL, or pass --redis-url")] if is_told else []
    )
    assert told(checked(data_map, catalogue(cur), found=found), "not_asked") == []


def test_the_command_shows_notes_to_whoever_asks(cur: cursor, tmp_path: Path) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    facts, file = tmp_path / "catalogue.json", tmp_path / "datamap.yaml"
    facts.write_text(of_database(cur))
    head = HEAD.replace(", holidays: DE", "")
    file.write_text(
        f"{head}{SUBJECT.replace(', login: {column: login, match: folded, shared: true}', '')}tables:\n  {USERS}\n"
    )
    words = ["check", str(file), "--catalogue", str(facts)]
    few, all_, machine = (
        CliRunner().invoke(map_commands, [*words, *more]) for more in ([], ["--notes"], ["--format", "json"])
    )
    assert [few.exit_code, all_.exit_code, machine.exit_code] == [0, 0, 0]
    assert few.output == "1 note (controller 1): --notes shows them\n"
    assert "note: The controller names no calendar" in all_.output
    assert "--notes" not in all_.output
    assert [fault["code"] for fault in json.loads(machine.output)] == ["controller"]


def test_a_role_that_is_not_there_is_told(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}")
    data_map = document("", subject=SUBJECT + "application_roles: [no_such_role, pg_monitr]\n")
    first, second = told(checked(data_map, catalogue(cur), cursor=cur), "unknown_role")
    assert first.where == ("application_roles", 0)
    assert second.remedy == "did you mean pg_monitor?"


# Row-level security, triggers, rules --------------------------------------------------------------------------------


def test_our_roles_see_every_row_once_the_proposed_policies_are_there(postgres: PostgresAddress) -> None:
    with contextlib.closing(connect(postgres, application="gdpr-tests")) as session:
        session.autocommit = True
        with session.cursor() as cur:
            cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint')}")
            cur.execute("alter table t enable row level security; create policy mine on t using (u = 1)")
            data_map = document(f"t: {{links: {{u: {{}}}}, {INHERITS}}}")
            blind = told(checked(data_map, catalogue(cur), cursor=cur), "row_security")
            assert len(blind) == 3
            for fault in blind:
                cur.execute(fault.remedy or "")
            assert not told(checked(data_map, catalogue(cur), cursor=cur), "row_security")
            cur.execute("create policy narrow on t as restrictive using (u = 1)")
            assert len(told(checked(data_map, catalogue(cur), cursor=cur), "row_security")) == 3
            cur.execute("alter policy narrow on t to pg_monitor")
            assert not told(checked(data_map, catalogue(cur), cursor=cur), "row_security")


def _function(body: str, *, more: str = "") -> str:
    return f"create function f() returns trigger language plpgsql {more} as $$begin {body} end$$"


TRIGGERS = {
    "copies into what is not in the map": (
        "after delete", "insert into public.log values (old.u); return null;", {"trigger_copies": "error"},
    ),
    "copies into what is personal": (
        "after delete", "insert into public.history values (1, old.u); return null;", {"trigger_copies": "warning"},
    ),
    "copies what is new into what is personal": (
        "after insert", "insert into public.history values (1, new.u); return null;", {},
    ),
    "finds no table": (
        "after update", "update history set u = u; return null;", {"trigger_search_path": "error"},
    ),
    "names its tables": ("after update", "update public.history set u = u; return null;", {}),
    "says it in a comment only": ("after update", "/* insert into log */ return null; -- from log\n", {}),
    "notifies": ("after update", "perform pg_notify('x', new.u::text); return null;", {"trigger_sends": "warning"}),
    "keeps the row": ("before delete", "return null;", {"soft_delete": "error"}),
    "keeps some rows": (
        "before delete", "if old.u = 1 then return null; end if; return old;", {"soft_delete": "warning"},
    ),
    "answers with what is new": ("before delete or update", "return new;", {"soft_delete": "error"}),
    "marks the row": (
        "before delete",
        "update public.t set deleted_at = now() where id = old.id; return null;",
        {"soft_delete": "error"},
    ),
    "lets it go": ("before delete", "return old;", {}),
    "looks at what is new": ("before insert", "return null;", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_trigger_that_makes_more_or_less_of_an_erasure_is_told(cur: cursor, name: str) -> None:
    when, body, expected = TRIGGERS[name]
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, deleted_at date')}")
    cur.execute("create table history (id int primary key, u bigint); create table log (u bigint)")
    cur.execute(f"{_function(body)}; create trigger it {when} on t for each row execute function f()")
    both = f"{{links: {{u: {{}}}}, {INHERITS}}}"
    data_map = document(f"t: {both}\nhistory: {both}\nlog: {{personal: false, reason: x}}")
    codes = ("trigger_copies", "trigger_search_path", "trigger_sends", "trigger_opaque", "soft_delete")
    found = told(checked(data_map, catalogue(cur)), *codes)
    assert {fault.code: fault.severity for fault in found} == expected
    if "trigger_search_path" in expected:
        cur.execute(found[0].remedy or "")
        assert not told(checked(data_map, catalogue(cur)), "trigger_search_path")
    cur.execute("alter table t disable trigger it")
    assert not told(checked(data_map, catalogue(cur)), *codes)


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("on delete to t do instead nothing", "error"),
        ("on update to t do also notify x", "warning"),
        ("on insert to t do instead nothing", None),
    ],
)
def test_a_rule_that_changes_what_an_erasure_does_is_told(cur: cursor, rule: str, severity: str | None) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint')}")
    cur.execute(f'create rule "odd ""one" as {rule}')
    data_map = document(f"t: {{links: {{u: {{}}}}, {INHERITS}}}")
    found = told(checked(data_map, catalogue(cur)), "rule")
    assert [fault.severity for fault in found] == ([severity] if severity else [])
    for fault in found:
        cur.execute(fault.remedy or "")
    assert not told(checked(data_map, catalogue(cur)), "rule")


# Tables that nobody has classified ----------------------------------------------------------------------------------


def test_everything_that_holds_rows_has_to_be_classified(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; create table a (id int); create view b as table a")
    cur.execute("create materialized view c as table a; create table d () inherits (a)")
    cur.execute("create table e (id int) partition by list (id); create table e1 partition of e default")
    cur.execute("create temporary table f (id int); create unlogged table g (id int)")
    found = told(checked(document(""), catalogue(cur)), "unclassified_table")
    assert [fault.message.rpartition("public.")[2][0] for fault in found] == ["c", "a", "d", "e", "g"]
    assert "inherits" in found[2].message


# Drift --------------------------------------------------------------------------------------------------------------


def test_what_has_changed_under_its_old_name_has_changed(cur: cursor) -> None:
    cur.execute(f"set search_path = public, pg_catalog; {PERSONS}; {of('u bigint, constraint c check (u > 0)')}")
    before = catalogue(cur)
    cur.execute("alter table t drop constraint c, add constraint c check (u > 1); alter table t owner to pg_monitor")
    assert drift(before, catalogue(cur)) == ["public.t has another owner", "public.t: the CHECK c has changed"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("create table n (id int)", "public.n is new"),
        ("drop table t", "public.t is gone"),
        ("alter table t add w int", "public.t, column w, is new"),
        ("alter table t drop v", "public.t, column v, is gone"),
        ("alter table t alter v type int using 1", "public.t, column v, is of another type: text before, integer now"),
        ("alter table t alter v set not null", "public.t, column v, may or may not be null otherwise"),
        ("alter table t add unique (v)", "public.t has other unique keys"),
        ("alter table t drop constraint t_pkey", "public.t has another primary key"),
        ("alter table t add foreign key (u) references users", "public.t: the foreign key t_u_fkey is new"),
        ("alter table t add constraint c check (v <> '')", "public.t: the CHECK c is new"),
        ("alter table t enable row level security", "public.t has another row-level security: off before, on now"),
        ("create policy p on t using (true)", "public.t: the policy p is new"),
        ("create rule r as on delete to t do instead nothing", "public.t: the rule r is new"),
        ("alter domain mail add check (value <> '')", "Something changed that this list does not tell"),
    ],
)  # fmt: skip
def test_drift_is_told_in_one_sentence(cur: cursor, change: str, sentence: str) -> None:
    cur.execute(
        f"set search_path = public, pg_catalog; {PERSONS}; create domain mail as text; {of('u bigint, v text')}"
    )
    before = catalogue(cur)
    assert drift(before, catalogue(cur)) == []
    cur.execute(f"set search_path = public, pg_catalog; {change}; set search_path = pg_catalog, pg_temp")
    after = catalogue(cur)
    assert before.fingerprint != after.fingerprint
    told_now = drift(before, after)
    assert any(each.startswith(sentence) for each in told_now), told_now
    assert drift(after, before)


# The demo -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop_of_the_demo(run: Run) -> Iterator[PostgresAddress]:
    with (
        open_stores({"POSTGRES_VERSION": run.postgres_major}) as stores,
        rent(stores, database="shop_checked", bucket="shop-checked") as premises,
    ):
        shop.build(premises, users=200)
        yield premises.database


def test_the_map_of_the_demo_has_no_errors_and_what_remains_is_there_on_purpose(
    shop_of_the_demo: PostgresAddress,
) -> None:
    data_map = Document.read(MAP)
    with (
        contextlib.closing(connect(shop_of_the_demo, application="gdpr-tests")) as connection,
        connection.cursor() as cur,
    ):
        found = checked(data_map, catalogue(cur), cursor=cur, found=[])
    assert [fault for fault in found if fault.severity == "error"] == []
    assert [fault.remedy for fault in told(found, "index_missing")] == [
        "create index concurrently on app.orders (packed_by);"
    ]
    assert {fault.code for fault in found} == {"index_missing", "keep_readable", "application_roles"}
