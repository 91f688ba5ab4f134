"""The ledger: what an entry costs its writer while the tree takes it in, and what it costs to read all of it back."""

from __future__ import annotations

import contextlib
import secrets
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor

from bench.measure import Measured, interleaved
from local.postgres import start_postgres
from shared import migrations
from shared.addresses import PostgresAddress
from shared.bucket import Folder
from shared.database import Database
from shared.ledger import tree
from shared.ledger.anchors import Anchors
from shared.ledger.entry import Entry, append
from shared.ledger.verification import verify
from shared.roles import set_password

APPENDS = 400  # in each round, by all writers together
ENTRIES = 1_000_000
SIZES = (1_000, 100_000, 1_000_000)
# A disk that takes a millisecond to flush what was committed, as a small one on the network does.
FLUSHING = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "commit_delay": "1000",
    "commit_siblings": "0",
}
AT = datetime(2026, 11, 20, tzinfo=UTC)


def measure() -> Iterator[Measured]:
    for settings, where in ((FLUSHING, "each flushed for 1 ms"), ({}, "none flushed")):
        with _server(settings) as server, _empty(server) as (_, audit):
            for writers in (1, 4, 8):
                yield _appending(audit, writers, where)
    with _server({}) as server, _empty(server) as (admin, audit):
        yield from _growing(admin, audit)


@contextlib.contextmanager
def _server(settings: dict[str, str]) -> Iterator[PostgresAddress]:
    """A server of our own, since how it flushes is half of what is measured."""
    running = start_postgres(settings=settings)
    try:
        yield running.address
    finally:
        running.stop()


@contextlib.contextmanager
def _empty(server: PostgresAddress) -> Iterator[tuple[PostgresAddress, PostgresAddress]]:
    """A database with schema gdpr, as its administrator and as gdpr_audit."""
    name, password = f"gdpr_bench_{secrets.token_hex(4)}", secrets.token_hex(8)
    with _session(server) as cur:
        cur.execute(f"create database {name}")
    admin = replace(server, database=name)
    database = Database(admin, application="gdpr-bench")
    migrations.migrate(database)
    database.close()
    with _session(admin) as cur:
        set_password(cur, "gdpr_audit", password)
        cur.execute("create table public.bare (id bigint generated always as identity primary key, body bytea)")
        cur.execute("grant all on public.bare to gdpr_audit")
    yield admin, replace(admin, role="gdpr_audit", password=password)
    with _session(server) as cur:
        cur.execute(f"drop database {name} with (force)")


@contextlib.contextmanager
def _session(address: PostgresAddress) -> Iterator[cursor]:
    opened = psycopg2.connect(address.url())
    opened.autocommit = True
    with contextlib.closing(opened), opened.cursor() as cur:
        yield cur


def _an_entry() -> Entry:
    rows = {f"app.table_{number}": {"deleted": number} for number in range(6)}
    return Entry(event=uuid.uuid4(), kind="record.made", writer="gdpr_audit", at=AT, said={"rows": rows, "code": "x"})


def _appending(audit: PostgresAddress, writers: int, where: str) -> Measured:
    """Floor: the same bytes into a table with a key, one transaction each, from as many sessions."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(_session(audit)) for _ in range(writers)]
        sequencing = stack.enter_context(_session(audit))
        done = threading.Event()

        def sequence() -> None:
            while not done.wait(0.1):
                sequencing.execute("select gdpr.sequence()")

        def by_all(write: Callable[[cursor, Entry], object]) -> None:
            entries = [[_an_entry() for _ in range(APPENDS // writers)] for _ in sessions]
            together = threading.Barrier(writers + 1)

            def work(cur: cursor, mine: list[Entry]) -> None:
                together.wait()
                for entry in mine:
                    write(cur, entry)

            threads = [threading.Thread(target=work, args=pair) for pair in zip(sessions, entries, strict=True)]
            for thread in threads:
                thread.start()
            together.wait()
            for thread in threads:
                thread.join()

        sequencer = threading.Thread(target=sequence)
        sequencer.start()
        try:
            return interleaved(
                f"{APPENDS} entries by {writers} writer{'s' * (writers > 1)}, {where}, while the tree takes them in",
                lambda: by_all(append),
                floor=lambda: by_all(
                    lambda cur, entry: cur.execute("insert into public.bare (body) values (%s)", (entry.body,))
                ),
                floor_is="INSERT of the same bytes",
                rounds=11,
            )
        finally:
            done.set()
            sequencer.join()


def _growing(admin: PostgresAddress, audit: PostgresAddress) -> Iterator[Measured]:
    database = Database(audit, application="gdpr-bench")
    with _session(admin) as filling, _session(audit) as cur, tempfile.TemporaryDirectory() as folder:
        first: dict[str, float] = {}
        for size in SIZES:
            _fill(filling, size)
            tree.sequence(database, insist=True)
            for work, run in _at_any_size(cur, size).items():
                seconds = _median(run, 200)
                floor = first.setdefault(work, seconds)
                yield Measured(
                    work=f"{work}, of {size:,}",
                    floor_is=f"the same of {SIZES[0]:,}",
                    ours=seconds,
                    floor=floor,
                    rounds=200,
                )
        anchors = Anchors(Folder(Path(folder)), name="bench", epoch=1, keys=[])
        yield interleaved(
            f"read back, hash and compare {ENTRIES:,} entries",
            lambda: verify(database, anchors),
            floor=lambda: _copy_and_hash(cur),
            floor_is="COPY of their bytes, each hashed",
            rounds=3,
        )
    database.close()


def _fill(cur: cursor, size: int) -> None:
    """Up to so many entries, past the door, as fast as the server makes them."""
    cur.execute("select count(*) from gdpr.entry")
    (there,) = cur.fetchone() or (0,)
    cur.execute(
        "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
        " select 'gdpr_audit', 'record.made', event, b, sha256('\\x00'::bytea || b)"
        " from generate_series(%s, %s) as n cross join lateral (select gen_random_uuid() as event, n as of_each) as e"
        ' cross join lateral convert_to(chr(1) || \'{"event":"\' || event || \'","kind":"record.made","rows":{"\''
        " || rpad(md5(n::text), 300, 'x') || '\":1},\"writer\":\"gdpr_audit\"}', 'UTF8') as b",
        (there + 1, size),
    )
    cur.execute("analyze gdpr.entry")


def _at_any_size(cur: cursor, size: int) -> dict[str, Callable[[], object]]:
    hashes = tree.stored(cur)
    return {
        "append an entry and take it into the tree": lambda: _append_and_sequence(cur),
        "prove an entry": lambda: tree.inclusion(tree.stored(cur), size // 3, size),
        "prove one size out of another": lambda: tree.consistency(hashes, size // 2, size),
    }


def _append_and_sequence(cur: cursor) -> None:
    append(cur, _an_entry())
    cur.execute("select gdpr.sequence()")


def _median(run: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _copy_and_hash(cur: cursor) -> None:
    cur.copy_expert("copy (select body from gdpr.entry) to stdout (format binary)", _Hashing())


class _Hashing:
    """Hashes each row as it comes: the driver hands over one at a time."""

    def write(self, chunk: bytes) -> int:
        sha256(b"\x00" + chunk[6:]).digest()
        return len(chunk)
