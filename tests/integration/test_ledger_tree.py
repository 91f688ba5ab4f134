"""Entries on their way into the Merkle tree: all of them, once, in one order, whoever is killed or gets in the way."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.database import Database, connect
from shared.errors import StoreFault
from shared.ledger import tree
from shared.ledger.entry import Entry, append
from shared.ledger.merkle import EMPTY, leaf_hash, root_of
from tests.run import administrator, as_role
from tests.unit.test_merkle import path, proof

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened
    opened.close()


@pytest.fixture
def admin(postgres: PostgresAddress) -> Iterator[cursor]:
    with administrator(postgres) as cur:
        yield cur


def an_entry(number: int = 0, **said: Any) -> Entry:
    return Entry(
        event=uuid.UUID(int=number or uuid.uuid4().int), kind="record.made", writer="gdpr_audit", at=AT, said=said
    )


def write(database: Database, number: int) -> None:
    with database.transaction() as cur:
        append(cur, an_entry(number))


def many(admin: cursor, first: int, count: int) -> None:
    """Entries as fast as the server makes them, past the door."""
    admin.execute(
        "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
        " select 'gdpr_audit', 'record.made', gen_random_uuid(), b, sha256('\\x00'::bytea || b)"
        " from generate_series(%s, %s) as n, convert_to(chr(1) || '{\"size\":' || n || '}', 'UTF8') as b",
        (first, first + count - 1),
    )


def leaves(cur: cursor) -> list[bytes]:
    cur.execute(
        "select l.leaf_index, l.leaf_hash, e.body from gdpr.leaf as l join gdpr.entry as e on e.id = l.entry_id"
        " order by l.leaf_index"
    )
    found = cur.fetchall()
    assert [index for index, _, _ in found] == list(range(len(found)))
    assert all(bytes(hashed) == leaf_hash(bytes(body)) for _, hashed, body in found)
    return [bytes(hashed) for _, hashed, _ in found]


def check(cur: cursor) -> int:
    """Every head is that of its leaves, and every tile is full and right; the number of leaves."""
    hashes = leaves(cur)
    cur.execute("select size, root from gdpr.tree_head order by size")
    heads = cur.fetchall()
    for size, root in heads[-40:]:
        assert bytes(root) == root_of(hashes[:size])
    assert (heads[-1][0] if heads else 0) == len(hashes)
    below = hashes
    for level in range(3):
        cur.execute("select idx, hashes, root from gdpr.tile where level = %s order by idx", (level,))
        tiles = cur.fetchall()
        assert [index for index, _, _ in tiles] == list(range(len(below) // 256))
        for index, held, root in tiles:
            nodes = below[256 * index : 256 * index + 256]
            assert (bytes(held), bytes(root)) == (b"".join(nodes), root_of(nodes))
        below = [bytes(root) for _, _, root in tiles]
    return len(hashes)


def test_a_ledger_without_an_entry_has_the_empty_tree(database: Database) -> None:
    assert tree.sequence(database) == 0
    with database.transaction() as cur:
        assert tree.head(cur) == tree.Head(size=0, root=EMPTY)


def test_an_entry_gets_into_the_tree_after_its_commit_and_once(database: Database) -> None:
    for number in range(1, 6):
        write(database, number)
        assert tree.sequence(database) == number
        assert tree.sequence(database) == number
    with database.transaction() as cur:
        assert check(cur) == 5


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(1, 900)), min_size=1, max_size=6))
def test_whatever_the_batches_the_tree_is_that_of_its_leaves(
    database: Database, admin: cursor, batches: list[tuple[int, int]]
) -> None:
    for count, most in batches:
        many(admin, 1, count)
        with database.transaction() as cur:
            cur.execute("select gdpr.sequence(%s)", (most,))
    tree.sequence(database, insist=True)
    admin.execute("select count(*) from gdpr.entry")
    with database.transaction() as cur:
        assert (check(cur),) == admin.fetchone()


def test_a_tree_of_three_levels_of_tiles_is_right(database: Database, admin: cursor) -> None:
    many(admin, 1, 65_000)
    assert tree.sequence(database, insist=True) == 65_000
    many(admin, 1, 800)
    assert tree.sequence(database) == 65_800
    with database.transaction() as cur:
        assert check(cur) == 65_800
        cur.execute("select level, count(*) from gdpr.tile group by level order by level")
        assert cur.fetchall() == [(0, 257), (1, 1)]

        hashes, found = tree.stored(cur), leaves(cur)
        for size in (1, 255, 256, 257, 65_536, 65_537, 65_800):
            assert tree.root(hashes, size) == root_of(found[:size])
        for index, size in ((0, 1), (0, 65_800), (65_799, 65_800), (65_536, 65_537), (12_345, 60_000)):
            assert tree.inclusion(hashes, index, size) == path(index, found[:size])
        for old, new in ((1, 65_800), (65_536, 65_800), (257, 65_536), (60_000, 60_000)):
            assert tree.consistency(hashes, old, new) == proof(old, found[:new])


def test_a_transaction_that_is_still_open_holds_up_nobody_and_its_entries_come_later(
    database: Database, postgres: PostgresAddress
) -> None:
    with closing(connect(as_role(postgres, "gdpr_audit"), application="slow")) as slow, slow.cursor() as late:
        append(late, an_entry(1))
        for number in range(2, 12):
            write(database, number)
        assert tree.sequence(database) == 10
        slow.commit()
        assert tree.sequence(database) == 11
    write(database, 12)
    assert tree.sequence(database) == 12
    with database.transaction() as cur:
        assert check(cur) == 12
        cur.execute(
            "select exists (select from gdpr.leaf as l join gdpr.leaf as m"
            " on l.leaf_index < m.leaf_index and l.entry_id > m.entry_id)"
        )
        assert cur.fetchone() == (True,)  # a watermark over ids would have lost one


def test_what_was_rolled_back_leaves_no_gap(database: Database) -> None:
    for number in range(1, 8):
        with pytest.raises(KeyError), database.transaction() as cur:
            append(cur, an_entry(number + 100))
            raise KeyError
        write(database, number)
    assert tree.sequence(database) == 7
    with database.transaction() as cur:
        assert check(cur) == 7


ROUNDS = 60


def writes(postgres: PostgresAddress, number: int) -> None:
    """Sixty entries, each in a transaction, one in ten of them rolled back."""
    with closing(connect(as_role(postgres, "gdpr_audit"), application="gdpr-writer")) as opened, opened.cursor() as cur:
        for attempt in range(ROUNDS):
            append(cur, an_entry())
            if attempt % 10 == number:
                opened.rollback()
            else:
                opened.commit()


def sequences(postgres: PostgresAddress, stop: threading.Event, insist: bool) -> None:
    """Until it is told to stop, however often it is killed."""
    while not stop.is_set():
        with contextlib.suppress(psycopg2.Error, StoreFault), ExitStack() as stack:
            opened = stack.enter_context(closing(connect(as_role(postgres, "gdpr_verify"), application="doomed")))
            cur = stack.enter_context(opened.cursor())
            while not stop.is_set():
                cur.execute("select gdpr.sequence(17, %s)", (insist,))
                opened.commit()


def test_writers_killed_runs_and_rollbacks_at_once_leave_every_entry_in_the_tree_once(
    database: Database, postgres: PostgresAddress, admin: cursor
) -> None:
    stop = threading.Event()
    writers = [threading.Thread(target=writes, args=(postgres, number)) for number in range(4)]
    runs = [threading.Thread(target=sequences, args=(postgres, stop, insist)) for insist in (False, True, True)]
    for thread in (*writers, *runs):
        thread.start()
    while any(thread.is_alive() for thread in writers):
        admin.execute(
            "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity"
            " where application_name = 'doomed' and state = 'active' and datname = current_database() limit 1) as a"
        )
    stop.set()
    for thread in (*writers, *runs):
        thread.join()

    kept = 4 * ROUNDS * 9 // 10
    assert tree.sequence(database, insist=True) == kept
    with database.transaction() as cur:
        assert check(cur) == kept


def test_whoever_holds_the_sequencers_lock_only_makes_it_insist(database: Database, postgres: PostgresAddress) -> None:
    write(database, 1)
    with closing(connect(as_role(postgres, "gdpr_export"), application="hostile")) as held, held.cursor() as cur:
        cur.execute("select pg_advisory_lock(1181774130)")
        assert tree.sequence(database) is None
        assert tree.sequence(database, insist=True) == 1


def test_an_entry_that_was_changed_stops_the_sequencer(database: Database, admin: cursor) -> None:
    write(database, 1)
    admin.execute("alter table gdpr.entry disable trigger all; alter table gdpr.entry drop constraint entry_leaf")
    admin.execute("update gdpr.entry set body = body || '\\x20'::bytea")
    with pytest.raises(StoreFault):
        tree.sequence(database)
    with database.transaction() as cur:
        assert tree.head(cur).size == 0


def test_in_a_cluster_that_counts_transactions_anew_nothing_is_overlooked(database: Database, admin: cursor) -> None:
    """A dump that is restored elsewhere brings a horizon that lies ahead of every transaction there (A2)."""
    write(database, 1)
    assert tree.sequence(database) == 1
    admin.execute(
        "alter table gdpr.tree_head disable trigger all;"
        " update gdpr.tree_head set horizon = '9000000000';"
        " alter table gdpr.tree_head enable always trigger tree_head_stays"
    )
    write(database, 2)
    assert tree.sequence(database) == 2


@pytest.mark.parametrize("table", ["leaf", "tile", "tree_head", "anchor"])
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {}", "update {} set {column} = {column}"])
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_the_tree_is_only_ever_added_to(
    database: Database, admin: cursor, table: str, statement: str, mode: str
) -> None:
    many(admin, 1, 300)
    tree.sequence(database)
    with database.transaction() as cur:
        cur.execute("insert into gdpr.anchor (origin, size, note) values ('x', 1, 'y')")
    admin.execute(f"set session_replication_role = {mode}")
    column = {"leaf": "leaf_hash", "tile": "hashes", "tree_head": "root", "anchor": "note"}[table]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="append-only"):
        admin.execute(statement.format(f"gdpr.{table}", column=column))
