"""Checkpoints on their way outside: whatever crashes, is forged, restored or deleted, nothing false is ever signed."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from shared import clock
from shared.addresses import PostgresAddress
from shared.bucket import Bucket, Folder, Version
from shared.database import Database
from shared.errors import AnchorMissing, LedgerBehind, LedgerBroken, LedgerForked, StoreUnavailable
from shared.ledger import bundle, tree
from shared.ledger.anchors import Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry, append
from shared.ledger.merkle import leaf_hash, root_of
from shared.ledger.note import LocalSigner, sign
from shared.ledger.publish import Published, publish
from shared.migrations import migrate
from tests.integration.test_ledger_tree import an_entry, many
from tests.run import administrator, as_role

SIGNER = LocalSigner("shop-ledger", bytes(range(32)))
ORIGIN = "shop-ledger/1"


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened
    opened.close()


@pytest.fixture
def admin(postgres: PostgresAddress) -> Iterator[cursor]:
    with administrator(postgres) as cur:
        yield cur


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    return around(Folder(tmp_path / "ledger"))


def around(bucket: Any, signer: LocalSigner = SIGNER) -> Anchors:
    return Anchors(bucket, name="shop-ledger", epoch=1, keys=[signer.public])


def write(database: Database, count: int = 1) -> None:
    for _ in range(count):
        with database.transaction() as cur:
            append(cur, an_entry())


def published(database: Database, anchors: Anchors) -> Published:
    return publish(database, anchors, [SIGNER], keep=None)


def sizes(anchors: Anchors) -> list[int]:
    return [anchor.size for anchor in anchors.since(0)]


def entries_outside(anchors: Anchors, size: int) -> list[bytes]:
    """What the bundles hold of a tree of this size."""
    bodies: list[bytes] = []
    while len(bodies) < size:
        index, width = len(bodies) // 256, min(256, size - len(bodies))
        found = anchors.bucket.get(bundle.key(1, index, width))
        assert found is not None
        bodies += bundle.unpacked(found)
    return bodies


def check(anchors: Anchors) -> None:
    """Every checkpoint that lies outside is that of the entries that lie outside."""
    found = anchors.since(0)
    bodies = entries_outside(anchors, found[-1].size)
    for anchor in found:
        assert anchor.checkpoint.root == root_of(map(leaf_hash, bodies[: anchor.size]))


def test_an_empty_ledger_has_nothing_to_publish(database: Database, anchors: Anchors) -> None:
    assert published(database, anchors) == Published(origin=ORIGIN, size=0, note=None, is_new=False)
    assert sizes(anchors) == []


def test_what_was_written_is_covered_by_a_checkpoint_and_its_entries_lie_beside_it(
    database: Database, anchors: Anchors
) -> None:
    write(database, 3)
    first = published(database, anchors)
    assert (first.size, first.is_new) == (3, True)
    assert first.note is not None
    assert Checkpoint.open(first.note, [SIGNER.public], origin=ORIGIN).size == 3
    again = published(database, anchors)
    assert again == Published(origin=ORIGIN, size=3, note=first.note, is_new=False)
    assert sizes(anchors) == [3]
    check(anchors)


def test_the_ledger_tells_of_its_anchors_and_does_not_feed_itself(database: Database, anchors: Anchors) -> None:
    for _ in range(3):
        write(database)
        published(database, anchors)
        published(database, anchors)
    assert sizes(anchors) == [1, 3, 5]  # each with the entry that tells of the one before
    told = [Entry.parse(body) for body in entries_outside(anchors, 5)]
    anchored = [entry.said for entry in told if entry.kind == "ledger.anchored"]
    found = anchors.since(0)
    assert anchored == [{"origin": ORIGIN, "size": each.size, "note": each.digest} for each in found[:2]]
    check(anchors)


def test_on_an_idle_day_it_says_that_it_is_alive(database: Database, anchors: Anchors) -> None:
    write(database)
    published(database, anchors)
    with clock.standing_at(datetime.now(UTC) + timedelta(hours=25)):
        assert published(database, anchors).size == 3
    kinds = [Entry.parse(body).kind for body in entries_outside(anchors, 3)]
    assert sorted(kinds[1:]) == ["ledger.anchored", "ledger.heartbeat"]


def test_in_a_bucket_with_object_lock_checkpoints_are_locked_and_a_deletion_hides_none(
    database: Database, locked: Bucket, s3: Any
) -> None:
    anchors = around(locked)
    for _ in range(3):
        write(database, 2)
        publish(database, anchors, [SIGNER], keep=timedelta(days=3))
    assert sizes(anchors) == [2, 5, 8]
    check(anchors)
    name = locked.where.split("/")[2]
    s3.delete_object(Bucket=name, Key=f"unit/{anchors.key(8)}")
    assert [anchor.is_hidden for anchor in anchors.since(5)] == [False, True]
    write(database)
    assert publish(database, anchors, [SIGNER], keep=timedelta(days=3)).is_new
    assert s3.head_object(Bucket=name, Key=f"unit/{anchors.key(5)}")["ObjectLockMode"] == "COMPLIANCE"


def test_large_ledgers_go_out_in_several_runs(
    database: Database, anchors: Anchors, admin: cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ledger.publish.MOST_BUNDLES", 2)
    many(admin, 1, 1300)
    assert [published(database, anchors).size for _ in range(3)] == [512, 1024, 1302]
    check(anchors)


def cut(admin: cursor, size: int) -> None:
    """The ledger as a backup of the moment when it had this size would bring it back."""
    for table in ("entry", "leaf", "tile", "tree_head", "anchor"):
        admin.execute(f"alter table gdpr.{table} disable trigger all")
    admin.execute("delete from gdpr.entry where id in (select entry_id from gdpr.leaf where leaf_index >= %s)", (size,))
    admin.execute("delete from gdpr.leaf where leaf_index >= %s", (size,))
    admin.execute("delete from gdpr.tile where (idx + 1) * 256 > %s", (size,))
    admin.execute("delete from gdpr.tree_head where size > %s", (size,))
    admin.execute("delete from gdpr.anchor where size > %s", (size,))


class TestARestoredDatabase:  # threat model A2
    """Has less than what was anchored, or something else."""

    @pytest.fixture(autouse=True)
    def restored(self, database: Database, anchors: Anchors, admin: cursor) -> None:
        for _ in range(4):
            write(database, 5)
            published(database, anchors)
        assert sizes(anchors) == [5, 11, 17, 23]
        cut(admin, 11)

    def refused(self, database: Database, anchors: Anchors, error: type[LedgerBroken], words: str) -> None:
        before = sizes(anchors)
        with pytest.raises(error, match=words):
            published(database, anchors)
        assert sizes(anchors) == before

    def test_refuses_while_it_is_idle(self, database: Database, anchors: Anchors) -> None:
        self.refused(database, anchors, LedgerBehind, "has 11 entries, and 17 are anchored.*a backup was restored")

    def test_refuses_while_it_is_shorter(self, database: Database, anchors: Anchors) -> None:
        write(database, 3)
        tree.sequence(database)
        self.refused(database, anchors, LedgerBehind, "has 14 entries, and 17 are anchored")

    def test_refuses_when_it_has_grown_past_its_anchor(self, database: Database, anchors: Anchors) -> None:
        write(database, 40)
        tree.sequence(database)
        self.refused(database, anchors, LedgerForked, "The first 17 entries of this ledger are not those")

    def test_refuses_even_where_its_own_memory_of_anchors_is_gone(
        self, database: Database, anchors: Anchors, admin: cursor
    ) -> None:
        admin.execute("delete from gdpr.anchor")
        write(database, 40)
        tree.sequence(database)
        self.refused(database, anchors, LedgerForked, "The first 17 entries")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update gdpr.entry set body = body || '\\x20' where id = 2", "Entries between 0 and 7"),
        ("delete from gdpr.entry where id = 2", "Entries between 0 and 7"),
        ("update gdpr.leaf set leaf_hash = sha256('x') where leaf_index = 1", "The first 4 entries"),
        ("update gdpr.leaf set leaf_hash = sha256('x') where leaf_index = 5", "Entries between 0 and 7"),
        ("delete from gdpr.leaf where leaf_index = 5", "lacks hashes|Entries between 0 and"),
        (
            "update gdpr.tree_head set edge = sha256('x') || substr(edge, 33) where size = 6",
            "head of size 7 is not that",
        ),
    ],
)
def test_what_is_not_what_was_sequenced_is_not_signed(
    database: Database, anchors: Anchors, admin: cursor, change: str, words: str
) -> None:
    write(database, 4)
    published(database, anchors)
    write(database, 2)
    assert tree.sequence(database) == 6
    for table in ("entry", "leaf", "tree_head"):
        admin.execute(f"alter table gdpr.{table} disable trigger all")
    admin.execute("alter table gdpr.entry drop constraint entry_leaf")
    admin.execute(change)
    with pytest.raises(LedgerForked, match=words):
        published(database, anchors)
    assert sizes(anchors) == [4]


def test_a_checkpoint_that_is_gone_stops_publishing(database: Database, anchors: Anchors, tmp_path: Path) -> None:
    write(database)
    published(database, anchors)
    write(database)
    shutil.rmtree(tmp_path / "ledger" / "1" / "checkpoints")
    with pytest.raises(AnchorMissing, match=r"The checkpoint of size 1 is gone.*see who deleted it"):
        published(database, anchors)


def test_a_checkpoint_of_another_key_is_none(database: Database, anchors: Anchors) -> None:
    write(database)
    published(database, anchors)
    stranger = around(anchors.bucket, LocalSigner("shop-ledger", bytes(32)))
    with pytest.raises(AnchorMissing, match="signed by a key that is not known here"):
        published(database, stranger)


def test_garbage_where_the_next_checkpoint_belongs_stops_nobody(database: Database, anchors: Anchors) -> None:  # A11
    write(database)
    published(database, anchors)
    forged = sign(Checkpoint(origin=ORIGIN, size=4, root=bytes(32)).text, [LocalSigner("shop-ledger", bytes(32))])
    anchors.bucket.put(anchors.key(3), b"garbage")
    anchors.bucket.put(anchors.key(4), forged.encode())
    write(database)
    done = published(database, anchors)
    assert (done.is_new, done.size) == (True, 5)
    assert sizes(anchors) == [1, 5]
    check(anchors)


def test_a_signed_checkpoint_under_the_key_of_another_size_does_not_count(database: Database, anchors: Anchors) -> None:
    write(database)
    published(database, anchors)
    note = anchors.read(1)
    assert note is not None
    anchors.bucket.put(anchors.key(7), note.encode())
    write(database)
    assert published(database, anchors).size == 3


def test_after_a_rotation_both_keys_are_known_and_then_one(database: Database, anchors: Anchors) -> None:
    other = LocalSigner("shop-ledger", bytes(range(1, 33)))
    both = Anchors(anchors.bucket, name="shop-ledger", epoch=1, keys=[SIGNER.public, other.public])
    write(database)
    published(database, anchors)
    write(database)
    publish(database, both, [SIGNER, other], keep=None)
    write(database)
    publish(database, both, [other], keep=None)
    only_new = Anchors(anchors.bucket, name="shop-ledger", epoch=1, keys=[other.public])
    assert [anchor.size for anchor in only_new.since(0)] == [4, 7]
    assert sizes(anchors) == [1, 4]


class Killed(BaseException):
    """The process is gone at this point."""


class Doomed:
    """A folder whose user is killed before or after one of its calls."""

    def __init__(self, folder: Folder, at: int, *, after: bool, error: BaseException | None = None) -> None:
        self._folder, self._at, self._after, self._error = folder, at, after, error or Killed()
        self.calls = 0

    @property
    def where(self) -> str:
        return self._folder.where

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.calls += 1
        if self.calls == self._at and not self._after:
            raise self._error
        yield
        if self.calls == self._at and self._after:
            raise self._error

    def get(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes | None:
        with self._call():
            return self._folder.get(key, version=version, most=most)

    def put(self, key: str, body: bytes) -> None:
        with self._call():
            self._folder.put(key, body)

    def put_new(self, key: str, body: bytes, *, keep_until: datetime | None = None) -> str | None:
        with self._call():
            return self._folder.put_new(key, body, keep_until=keep_until)

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        with self._call():
            return iter(list(self._folder.versions(prefix, after=after)))


def test_killed_at_any_call_the_next_run_goes_on(
    postgres: PostgresAddress, database: Database, tmp_path: Path, admin: cursor
) -> None:
    folder = Folder(tmp_path / "ledger")
    at, after, kills = 1, False, 0
    while True:
        write(database, 2)
        doomed = Doomed(folder, at, after=after)
        dying = Database(as_role(postgres, "gdpr_audit"), application="doomed")
        try:
            published(dying, around(doomed))
        except Killed:
            kills += 1
        dying.close()
        done = published(database, around(folder))
        with database.transaction() as cur:
            assert done.size == tree.head(cur).size
        assert not published(database, around(folder)).is_new
        if doomed.calls < at:
            break
        at, after = (at, True) if not after else (at + 1, False)
    assert kills >= 10
    check(around(folder))
    admin.execute("select array_agg(size order by size) from gdpr.anchor")
    assert admin.fetchone() == (sizes(around(folder)),)


@contextmanager
def killed_at_transaction(database: Database, number: int) -> Iterator[list[int]]:
    """Killed before the COMMIT of one of its transactions."""
    seen = [0]
    genuine = database.transaction

    @contextmanager
    def transaction(**options: Any) -> Iterator[cursor]:
        with genuine(**options) as cur:
            yield cur
            seen[0] += 1
            if seen[0] == number:
                raise Killed

    database.transaction = transaction  # type: ignore[method-assign]
    yield seen
    database.transaction = genuine  # type: ignore[method-assign]


def test_killed_before_any_commit_the_next_run_goes_on(database: Database, anchors: Anchors) -> None:
    number, seen = 0, [1]
    while seen[0] >= number:
        number += 1
        write(database, 2)
        with killed_at_transaction(database, number) as seen:
            with suppress(Killed):
                published(database, anchors)
        published(database, anchors)
        with database.transaction() as cur:
            assert sizes(anchors)[-1] == tree.head(cur).size
    assert number > 8
    check(anchors)


def test_a_fault_of_the_bucket_is_for_a_retry_to_cure(database: Database, tmp_path: Path) -> None:
    write(database)
    folder = Folder(tmp_path / "ledger")
    with pytest.raises(StoreUnavailable):
        published(database, around(Doomed(folder, 3, after=True, error=StoreUnavailable("S3 does not answer"))))
    assert published(database, around(folder)).size == 1


def test_two_publishers_at_once_agree(postgres: PostgresAddress, database: Database, anchors: Anchors) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        own = Database(as_role(postgres, "gdpr_audit"), application=f"publisher-{uuid.uuid4().hex[:6]}")
        try:
            for _ in range(8):
                write(own)
                published(own, anchors)
        except BaseException as fault:
            faults.append(fault)
        finally:
            own.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    published(database, anchors)
    check(anchors)


def test_of_two_databases_that_publish_to_one_place_one_wins(
    postgres: PostgresAddress, empty_postgres: PostgresAddress, anchors: Anchors
) -> None:
    administrators = Database(empty_postgres, application="gdpr-tests")
    migrate(administrators)
    with administrator(empty_postgres) as cur:
        many(cur, 500, 9)
    tree.sequence(administrators)
    one = Database(as_role(postgres, "gdpr_audit"), application="one")
    write(one, 4)
    published(one, anchors)
    with pytest.raises(LedgerForked, match="The first 4 entries"):
        published(administrators, anchors)
    one.close()
    administrators.close()
