"""The demo's shop: always the same, whole, with one person everywhere in it, and gone without a trace."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from psycopg2.extensions import cursor

from demo import inventory, shop
from demo.loading import Lines
from demo.premises import Premises, rent
from demo.search import PHRASE, search
from demo.shop import MIRA
from demo.uploads import Bucket
from local.stores import Stores, open_stores
from shared import cache
from shared.addresses import PostgresAddress
from shared.database import Database
from shared.errors import SettingInvalid
from tests.run import Run

ROOT = Path(__file__).resolve().parents[2]
USERS = 300

TABLES = """
select c.oid::regclass::text
from pg_class as c
where c.relnamespace in ('app'::regnamespace, 'public'::regnamespace) and c.relkind in ('r', 'p')
  and not c.relispartition
order by 1
"""

LINKS_WITHOUT_INDEX = """
select k.conrelid::regclass || '.' || a.attname
from pg_constraint as k
inner join pg_attribute as a on k.conrelid = a.attrelid and a.attnum = k.conkey[1]
where k.contype = 'f' and k.connamespace in ('app'::regnamespace, 'public'::regnamespace)
  and not exists (
    select
    from pg_index as i
    where i.indrelid = k.conrelid and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
  )
"""


@pytest.fixture(scope="module")
def stores(run: Run) -> Iterator[Stores]:
    """Servers that no other test uses: what is on them is compared."""
    with open_stores({"POSTGRES_VERSION": run.postgres_major}) as opened:
        yield opened


@contextlib.contextmanager
def built(stores: Stores, name: str, *, cache_number: int, seed: int = 1, users: int = USERS) -> Iterator[Premises]:
    cache_address = replace(stores.cache, database=cache_number)
    with rent(stores, database=f"shop_{name}", bucket=f"shop-{name}", cache=cache_address) as premises:
        shop.build(premises, users=users, seed=seed)
        yield premises


@pytest.fixture(scope="module")
def premises(stores: Stores) -> Iterator[Premises]:
    with built(stores, "of-the-tests", cache_number=1) as premises:
        yield premises


@pytest.fixture(scope="module")
def people_of_another_seed(stores: Stores) -> Iterator[Premises]:
    with built(stores, "of-another-seed", cache_number=2, seed=2) as premises:
        yield premises


@contextlib.contextmanager
def transaction(address: PostgresAddress) -> Iterator[cursor]:
    database = Database(address, application="gdpr-tests")
    with contextlib.closing(database), database.transaction() as cur:
        yield cur


def column(cur: cursor, statement: str) -> list[Any]:
    cur.execute(statement)
    return [value for (value,) in cur.fetchall()]


def rows_in_bytes(premises: Premises) -> dict[str, str]:
    """A digest of each table's rows as COPY writes them, in no order."""
    digests = {}
    with transaction(premises.database) as cur:
        for table in column(cur, TABLES):
            copied = io.BytesIO()
            cur.copy_expert(f"copy (select * from {table}) to stdout", copied)
            lines = b"\n".join(sorted(copied.getvalue().splitlines()))
            digests[table] = hashlib.md5(lines, usedforsecurity=False).hexdigest()
    return digests


def keys_with_values(premises: Premises) -> dict[Any, object]:
    client: Any = premises.cache.client
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"stream": client.xrange,
        b"zset": functools.partial(client.zrange, start=0, end=-1, withscores=True),
    }
    return {key: read[client.type(key)](key) for key in client.scan_iter(count=1000)}


def demo(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env=plain_environment() | (environment or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def plain_environment() -> dict[str, str]:
    """No terminal, no width, no colours and no stores of whoever runs the tests."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


# What is in it ------------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_rows_and_keys_to_the_byte(stores: Stores, premises: Premises) -> None:
    with built(stores, "twin", cache_number=3) as twin:
        assert rows_in_bytes(twin) == rows_in_bytes(premises)
        assert keys_with_values(twin) == keys_with_values(premises)


def test_another_seed_makes_other_people(premises: Premises, people_of_another_seed: Premises) -> None:
    ours, theirs = rows_in_bytes(premises), rows_in_bytes(people_of_another_seed)
    assert {table for table in ours if ours[table] == theirs[table]} == {
        "app.products",
        "app.tenants",
        "public.langchain_pg_collection",
    }


def test_every_table_and_every_month_has_rows(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        months = column(
            cur, "select inhrelid::regclass::text from pg_inherits where inhparent = 'app.events'::regclass"
        )
        empty = [
            table
            for table in (*column(cur, TABLES), *months)
            if not column(cur, f"select exists (select from {table})")[0]
        ]
    assert len(months) == 12
    assert empty == []


def test_there_are_as_many_people_as_were_asked_for(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        assert column(cur, "select count(*) from app.users where id <> 0") == [USERS]  # 0 stands for nobody


def test_every_foreign_key_is_checked_and_only_the_one_that_says_so_has_no_index(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        assert column(cur, "select conname from pg_constraint where not convalidated") == []
        assert column(cur, LINKS_WITHOUT_INDEX) == ["app.orders.packed_by"]


def test_orders_items_and_invoices_agree(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        cur.execute(
            """
            select count(*)
            from app.orders as o
            inner join app.invoices as i on i.order_id = o.id
            where o.user_id <> i.user_id or o.total <> i.total
              or o.goods <> (select sum(quantity * unit_price) from app.order_items where order_id = o.id)
            """
        )
        assert cur.fetchone() == (0,)


def test_a_new_row_gets_a_number_of_its_own(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        cur.execute(
            "insert into app.users (tenant_id, email, full_name) values (1, 'new@example.com', 'New') returning id"
        )
        assert cur.fetchone() == (1001 + USERS - 7,)
        cur.execute("insert into app.events (occurred_at, kind, payload) values ('2026-10-31', 'x', '{}')")
        cur.connection.rollback()


def test_schema_gdpr_is_installed(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        assert column(cur, "select count(*) > 0 from gdpr.migration") == [True]


# Mira ---------------------------------------------------------------------------------------------------------------


def test_mira_is_in_every_place_that_can_name_a_person(premises: Premises) -> None:
    person, rows = inventory.rows_of(premises, MIRA)
    elsewhere = [*inventory.keys_of(premises, person), *inventory.objects_of(premises, MIRA)]
    assert [amount.place for amount in (*rows, *elsewhere) if amount.count == 0] == []
    with transaction(premises.database) as cur:
        nobodys = {"app.products", "app.tenants", "public.langchain_pg_collection"}
        assert {amount.place for amount in rows} == set(column(cur, TABLES)) - nobodys


def test_the_stories_are_the_same_in_every_shop(stores: Stores, premises: Premises) -> None:
    with built(stores, "larger", cache_number=4, seed=3, users=USERS + 100) as larger:
        assert inventory.rows_of(larger, MIRA) == inventory.rows_of(premises, MIRA)


def test_nobody_of_the_crowd_has_to_do_with_her(premises: Premises) -> None:
    _, rows = inventory.rows_of(premises, MIRA)
    assert sum(amount.count for amount in rows) == 48  # as told in stories.sql


def test_another_mira_has_the_same_address_with_the_other_tenant(premises: Premises) -> None:
    with transaction(premises.database) as cur:
        cur.execute("select id, tenant_id from app.users where email = 'mira.okafor@example.com' order by id")
        assert cur.fetchall() == [(4, 1), (42, 2)]


def test_miras_uploads_are_not_those_of_whose_id_begins_like_hers(premises: Premises) -> None:
    keys = [each["Key"] for each in premises.uploads.versions("users/4")]
    assert [key for key in keys if key.startswith("users/42/")]
    assert inventory.objects_of(premises, MIRA)[0].count == sum(key.startswith("users/4/") for key in keys) == 4


def test_the_search_for_her_phrase_finds_her_note_first(premises: Premises) -> None:
    assert search(premises, PHRASE)[0].document_id == 1


def test_her_events_of_one_month_are_read_from_that_month_alone(premises: Premises) -> None:
    statement = (
        "select id from app.events where payload ->> 'user_id' = '4'"
        " and occurred_at >= '2026-05-01 00:00Z' and occurred_at < '2026-06-01 00:00Z'"
    )
    with transaction(premises.database) as cur:
        assert column(cur, statement) == [2]
        plan = "\n".join(column(cur, f"explain (costs off) {statement}"))
    assert "events_2026_05" in plan
    assert "events_2026_04" not in plan


# As a program -------------------------------------------------------------------------------------------------------


def test_it_shows_everything_in_plain_text_of_eighty_columns_where_there_is_no_terminal() -> None:
    shown = demo("--users", "200")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\x1b" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for word in ("app.users", 'app."GiftCards"', "session:*", "users/{id}/", "mira.okafor@example.com", "make test"):
        assert word in shown.stdout


def test_servers_of_your_own_are_left_as_they_were(stores: Stores, premises: Premises) -> None:
    address = replace(stores.cache, database=5)
    with contextlib.closing(cache.connect(address, application="gdpr-tests")) as client:
        before = what_is_on_the_servers(stores)
        assert premises.database.database in before[0]
        shown = demo("--users", "100", environment=stores.environment() | {"REDIS_URL": address.url()})
        assert (shown.returncode, shown.stderr) == (0, "")
        assert what_is_on_the_servers(stores) == before
        assert client.dbsize() == 0


def what_is_on_the_servers(stores: Stores) -> tuple[list[str], list[str]]:
    with transaction(stores.postgres) as cur:
        databases = column(cur, "select datname from pg_database order by 1")
    buckets = Bucket.of(stores, "any").client.list_buckets()["Buckets"]
    return databases, [bucket["Name"] for bucket in buckets]


def test_a_cache_that_holds_anything_is_not_touched(stores: Stores) -> None:
    address = replace(stores.cache, database=7)
    with contextlib.closing(cache.connect(address, application="gdpr-tests")) as client:
        client.set("cart:4", "somebody's")
        with pytest.raises(SettingInvalid, match="not empty"), rent(stores, database="never", cache=address):
            pass
        assert client.get("cart:4") == b"somebody's"


@pytest.mark.parametrize(
    ("url", "status"), [("nonsense", 2), ("postgresql://anna:secret@127.0.0.1:1/shop", 3)], ids=["malformed", "silent"]
)
def test_a_bad_address_ends_in_one_sentence(url: str, status: int) -> None:
    failed = demo(environment={"DATABASE_URL": url})
    assert failed.returncode == status
    assert failed.stderr.count("\n") == 1
    assert "secret" not in failed.stderr + failed.stdout


# However it ends ----------------------------------------------------------------------------------------------------

HIMSELF = [sys.executable, "-m", "demo", "--users", "1000000"]  # not to be done in the time that we wait
BY_A_PARENT = [sys.executable, "-c", f"import subprocess; subprocess.run({HIMSELF!r}, check=False)"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the servers of one demo keep their data. Whoever Postgres runs as has to get through."""
    made = Path(tempfile.mkdtemp(prefix="demo-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@contextlib.contextmanager
def begun(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that is in the middle of filling its tables."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=plain_environment() | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "made-up people" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.7)
        yield process


def processes(folder: Path) -> list[str]:
    """What runs with that folder on its command line, in its environment, or as its place."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            place = os.fsencode((process / "cwd").readlink())
            if os.fsencode(folder) in command + place + (process / "environ").read_bytes():
                found.append(f"{process.name} {command.decode(errors='replace')}")
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("command", [HIMSELF, BY_A_PARENT], ids=["itself", "its parent"])
def test_killed_it_leaves_neither_a_server_nor_data(command: list[str], folder: Path) -> None:
    with begun(command, folder) as process:
        running = "\n".join(processes(folder))
        assert all(server in running for server in ("postgres", "valkey", "local.aws"))
        process.kill()
        deadline = time.monotonic() + 10
        while (processes(folder) or any(folder.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert processes(folder) == []
    assert list(folder.iterdir()) == []


def test_a_load_that_is_stopped_reads_no_further_row() -> None:
    stop = Event()
    lines = Lines(iter(["1\n"] * 10_000), lambda _: None, stop)
    assert lines.read()
    stop.set()
    with pytest.raises(CancelledError):
        lines.read()


def test_interrupted_it_ends_in_one_sentence(folder: Path) -> None:
    with begun(HIMSELF, folder) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert "Stopped" in errors
    assert list(folder.iterdir()) == []
