"""The house itself: how long its stores, databases, connections and bindings take, and the demo's shop."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor

from bench.measure import Measured, interleaved
from demo import FOLDER, shop
from demo.premises import Premises, rent
from demo.tables import TABLES
from local.postgres import DEFAULT_VERSION, programs, start_postgres
from local.servers import memory_disk, unprivileged
from local.stores import Stores, open_stores
from shared import migrations
from shared.addresses import PostgresAddress
from shared.binding import bind
from shared.database import Database, connect
from shared.queries import statements

USERS = 20_000


def measure() -> Iterator[Measured]:
    yield _starting()
    with open_stores() as stores:
        yield _cloning(stores)
        yield _connecting(stores)
        yield from _binding(stores)
        yield _filling(stores)


def _starting() -> Measured:
    """Floor: initdb, which is most of it, run by hand."""
    initdb = str(programs(DEFAULT_VERSION) / "bin" / "initdb")
    namespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534"] if unprivileged() == "namespace" else []

    def by_hand() -> None:
        with tempfile.TemporaryDirectory(dir=memory_disk()) as folder:  # on the same disk as ours
            subprocess.run(
                [*namespace, initdb, "-D", f"{folder}/data", "-U", "postgres", "--locale=C.UTF-8", "--no-sync"],
                check=True,
                capture_output=True,
            )

    return interleaved(
        "start Postgres, up to its first answer",
        lambda: start_postgres().stop(),
        floor=by_hand,
        floor_is="initdb alone",
        rounds=5,
    )


@contextlib.contextmanager
def _outside_transactions(address: PostgresAddress) -> Iterator[cursor]:
    opened = connect(address, application="gdpr-bench")
    opened.autocommit = True
    with contextlib.closing(opened), opened.cursor() as cur:
        yield cur


def _cloning(stores: Stores) -> Measured:
    with _outside_transactions(stores.postgres) as cur:
        cur.execute("create database bench_template")
        database = Database(replace(stores.postgres, database="bench_template"), application="gdpr-bench")
        migrations.migrate(database)
        database.close()

        def create(options: str) -> None:
            cur.execute(f"create database bench_clone {options}")
            cur.execute("drop database bench_clone")

        return interleaved(
            "a database of its own for a test, and away with it",
            lambda: create("template bench_template strategy file_copy"),
            floor=lambda: create("strategy file_copy"),
            floor_is="the same with nothing in it",
            rounds=15,
        )


def _connecting(stores: Stores) -> Measured:
    address = stores.postgres

    def bare() -> None:
        psycopg2.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.role,
            password=address.password,
            sslmode="disable",
        ).close()

    return interleaved(
        "a connection with all its limits",
        lambda: connect(address, application="gdpr-bench").close(),
        floor=bare,
        floor_is="psycopg2.connect",
        rounds=50,
    )


def _binding(stores: Stores) -> Iterator[Measured]:
    for count in (1, 1000):
        people = [(f"user{number}@example.com", number) for number in range(count)]
        lines = "".join(f"{email}\t{number}\n" for email, number in people).encode()
        database = Database(stores.postgres, application="gdpr-bench")

        def ours(people: list[tuple[str, int]] = people, database: Database = database) -> None:
            with database.transaction() as cur:
                bind(cur, "subject", {"email": "text", "id": "bigint"}, people)

        def floor(lines: bytes = lines, database: Database = database) -> None:
            with database.transaction() as cur:
                cur.execute("create temporary table subject (email text, id bigint) on commit drop")
                cur.copy_expert("copy pg_temp.subject from stdin", io.BytesIO(lines))

        yield interleaved(
            f"bind {count:,} {'people' if count > 1 else 'person'}, checked and typed",
            ours,
            floor=floor,
            floor_is="COPY into a temporary table, unchecked",
            rounds=50,
        )
        database.close()


def _filling(stores: Stores) -> Measured:
    """Floor: the same rows from files, with the same keys and indexes, in the same order, by one connection."""
    with tempfile.TemporaryDirectory() as folder, rent(stores, database="bench_shop", bucket="bench-shop") as premises:
        shop.build(premises, users=USERS)
        rows = _copy_out(premises, Path(folder))

        def ours() -> None:
            with rent(
                stores, database="bench_ours", bucket="bench-ours", cache=replace(stores.cache, database=1)
            ) as new:
                shop.build(new, users=USERS)

        def floor() -> None:
            with _outside_transactions(stores.postgres) as cur:
                cur.execute("create database bench_floor")
            _copy_in(replace(stores.postgres, database="bench_floor"), Path(folder))
            with _outside_transactions(stores.postgres) as cur:
                cur.execute("drop database bench_floor with (force)")

        return interleaved(
            f"the demo's shop, {USERS:,} people, {rows:,} rows, with keys in Valkey and objects",
            ours,
            floor=floor,
            floor_is="COPY of the same rows from files, same indexes",
            rounds=3,
        )


def _columns(table: str) -> str:
    return next(each.columns for each in TABLES if each.name == table)


def _copy_out(premises: Premises, folder: Path) -> int:
    rows = 0
    with _outside_transactions(premises.database) as cur:
        for table in TABLES:
            with (folder / table.name).open("wb") as file:
                cur.copy_expert(f"copy (select {table.columns} from {table.name}) to stdout", file)
            rows += cur.rowcount
    return rows


def _copy_in(address: PostgresAddress, folder: Path) -> None:
    keys = {statement.name: statement.sql for statement in statements(FOLDER / "keys.sql")}
    with _outside_transactions(address) as cur:
        cur.execute((FOLDER / "shop.sql").read_text(encoding="utf-8"))
        for table in TABLES:
            with (folder / table.name).open("rb") as file:
                cur.copy_expert(f"copy {table.name} ({_columns(table.name)}) from stdin", file)
            cur.execute("set lock_timeout = 0; set maintenance_work_mem = '256MB'")
            cur.execute(keys[table.name])
            cur.execute(f"analyze {table.name}")
