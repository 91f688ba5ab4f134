"""The data map over a large schema: what it costs to look at it, to propose a map, to compile one and to read by it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor

from bench.measure import Measured, interleaved
from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from demo import FOLDER, shop
from demo.premises import rent
from local.stores import Stores, open_stores
from shared.addresses import PostgresAddress
from shared.catalogue import document, fingerprint
from shared.database import Database
from shared.person import bind_persons
from shared.plan import Plan
from shared.queries import statements

TABLES, KEYS, ROWS = 400, 800, 200


def measure() -> Iterator[Measured]:
    with open_stores() as stores:
        with _large(stores) as address:
            yield from _looking(address)
            yield _discovering(address)
        yield _counting(stores)


@contextlib.contextmanager
def _large(stores: Stores) -> Iterator[PostgresAddress]:
    """A schema of 400 tables with 800 foreign keys, many of them in circles, and some rows in each."""
    name = f"gdpr_bench_{secrets.token_hex(4)}"
    opened = psycopg2.connect(stores.postgres.url())
    opened.autocommit = True
    with contextlib.closing(opened), opened.cursor() as cur:
        cur.execute(f"create database {name}")
    address = replace(stores.postgres, database=name)
    with contextlib.closing(psycopg2.connect(address.url())) as filling, filling.cursor() as cur:
        for statement in _schema(random.Random(20261120)):
            cur.execute(statement)
        filling.commit()
    yield address
    again = psycopg2.connect(stores.postgres.url())
    again.autocommit = True
    with contextlib.closing(again), again.cursor() as cur:
        cur.execute(f"drop database {name} with (force)")


def _schema(draw: random.Random) -> Iterator[str]:
    yield "create schema app"
    yield "create table app.users (id bigint primary key, email text unique, name text)"
    yield f"insert into app.users select n, n || '@example.org', 'somebody' from generate_series(1, {ROWS}) as n"
    columns = ", ".join(f"note_{number} text" for number in range(8))
    for number in range(1, TABLES):
        yield f"create table app.t{number} (id bigint primary key, user_id bigint, other_id bigint, {columns})"
        yield (
            f"insert into app.t{number} select n, n, 1 + (n * 7) % {ROWS}, 'note' from generate_series(1, {ROWS}) as n"
        )
    keys = [(number, "user_id", _target(number, draw)) for number in range(1, TABLES)]
    keys += [(number, "other_id", f"t{draw.randrange(1, TABLES)}") for number in range(1, TABLES)]
    for number, column, target in [*keys, (1, "id", "users"), (2, "id", "users")][:KEYS]:
        yield f"alter table app.t{number} add foreign key ({column}) references app.{target} (id)"
        yield f"create index on app.t{number} ({column})"


def _target(number: int, draw: random.Random) -> str:
    return "users" if number == 1 or draw.random() < 0.6 else f"t{draw.randrange(1, number)}"


def _looking(address: PostgresAddress) -> Iterator[Measured]:
    database = Database(address, application="gdpr-bench")
    with contextlib.closing(database), database.transaction(seconds=600) as cur:
        cur.execute("select count(*) from pg_constraint where contype = 'f'")
        keys = (cur.fetchone() or (0,))[0]
        yield interleaved(
            f"fingerprint of {TABLES} tables, {keys} keys",
            lambda: fingerprint(cur),
            floor=lambda: cur.execute(
                "select md5(string_agg(a.attname, ',' order by c.relname, a.attnum)) from pg_class as c"
                " join pg_attribute as a on a.attrelid = c.oid where c.relkind = 'r' and a.attnum > 0"
            ),
            floor_is="the names of all columns, hashed",
            rounds=20,
        )
        yield interleaved(
            "its catalogue as a document",
            lambda: document(cur),
            floor=lambda: cur.execute(
                "select json_agg(x) from (select c.relname, json_agg(a.attname) from pg_class as c"
                " join pg_attribute as a on a.attrelid = c.oid where c.relkind = 'r' group by 1) as x"
            ),
            floor_is="tables with the names of their columns as JSON",
            rounds=10,
        )
        catalogue = Catalogue.from_json(document(cur))
    data_map = Document.parse(json.dumps(_map(catalogue))).map
    plan = compiled(data_map, catalogue)
    text = plan.as_json()
    yield interleaved(
        f"compile a map of them ({len(plan.kinds[0].erase):,} statements to erase)",
        lambda: compiled(data_map, catalogue),
        floor=lambda: Plan.from_json(text),
        floor_is="reading the plan",
        rounds=5,
    )


def _map(catalogue: Catalogue) -> dict[str, object]:
    entry = {"erase": "delete", "columns": {"*": "user"}}
    links = {"other_id": {"role": "reference", "erase": "unlink"}, "id": "reference"}
    tables = {str(table.name): entry | {"links": links} for table in catalogue}
    return {
        "version": 1,
        "controller": {"name": "x", "contact": "x", "authority": "x"},
        "subject": {"table": "app.users", "key": "id"},
        "tables": tables | {"app.users": entry},
    }


def _discovering(address: PostgresAddress) -> Measured:
    peak = 0

    def discover() -> None:
        nonlocal peak
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "gdpr", "map", "discover", "--database-url", address.url()],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, status, usage = os.wait4(process, 0)
        if status:
            raise RuntimeError("discovery failed")
        peak = max(peak, usage.ru_maxrss // 1024)

    def sample() -> None:
        with contextlib.closing(psycopg2.connect(address.url())) as opened, opened.cursor() as cur:
            for number in range(1, TABLES):
                cur.execute(f"select * from app.t{number} limit {ROWS}")
                cur.fetchall()

    measured = interleaved("", discover, floor=sample, floor_is="reading the tables from end to end", rounds=3)
    return replace(measured, work=f"discover them, from the command line, {peak} MB at its peak")


def _counting(stores: Stores) -> Measured:
    """All rows of one person with thousands of them, by the plan and by hand."""
    with rent(stores) as premises:
        shop.build(premises, users=20_000)
        database = Database(premises.database, application="gdpr-bench")
        with contextlib.closing(database), database.transaction(seconds=600) as cur:
            catalogue = Catalogue.from_json(document(cur))
            kind = compiled(Document.read(Path(FOLDER) / "datamap.yaml").map, catalogue).kind("person")
            cur.execute("create temporary table person as select id, tenant_id, email from app.users where id = 4")
            bind_persons(cur, kind, [{"id": 4}], today=date(2026, 11, 20))

            def by_plan() -> None:
                cur.execute("savepoint reach")
                for statement in (*kind.reach, *(s for dataset in kind.datasets for s in dataset.reads)):
                    if statement.purpose in ("prepare", "count", "acted"):
                        cur.execute(statement.sql)
                cur.execute("rollback to savepoint reach")

            return interleaved(
                "count one person's rows in the demo's shop",
                by_plan,
                floor=lambda: _by_hand(cur),
                floor_is="demo/person.sql",
                rounds=20,
            )


def _by_hand(cur: cursor) -> None:
    for statement in statements(FOLDER / "person.sql"):
        cur.execute(statement.sql)
