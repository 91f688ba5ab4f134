"""Proofs that leave the house: small, the same each time, and right by the definitions of RFC 6962."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.bucket import Folder
from shared.database import Database
from shared.ledger import tree
from shared.ledger.anchors import Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry, append
from shared.ledger.merkle import leaf_hash
from shared.ledger.proof import NotProvable, consistency, inclusion, written
from shared.ledger.publish import publish
from tests.integration.test_ledger_publish import ORIGIN, SIGNER
from tests.integration.test_ledger_tree import leaves
from tests.run import as_role
from tests.unit.test_merkle import path, proof


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened
    opened.close()


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    return Anchors(Folder(tmp_path / "ledger"), name="shop-ledger", epoch=1, keys=[SIGNER.public])


def said(cur: cursor, number: int, writer: str = "gdpr_audit", kind: str = "record.made") -> uuid.UUID:
    event = uuid.UUID(int=number)
    append(cur, Entry(event=event, kind=kind, writer=writer, at=datetime(2026, 11, 20, tzinfo=UTC), said={}))
    return event


def grown(database: Database, anchors: Anchors, first: int, count: int) -> None:
    for number in range(first, first + count):
        with database.transaction() as cur:
            said(cur, number)
    publish(database, anchors, [SIGNER], keep=None)


def test_an_entry_is_proved_in_the_first_checkpoint_that_covers_it(database: Database, anchors: Anchors) -> None:
    grown(database, anchors, 1, 5)
    with database.transaction() as cur:
        early = inclusion(cur, origin=ORIGIN, event=uuid.UUID(int=3))
    grown(database, anchors, 6, 4)
    with database.transaction() as cur:
        assert inclusion(cur, origin=ORIGIN, event=uuid.UUID(int=3)) == early
        late = inclusion(cur, origin=ORIGIN, event=uuid.UUID(int=8))
        found = leaves(cur)
    for each, size in ((early, 5), (late, 10)):
        head, _, note = each.text.partition("\n\n")
        first, second, *hashes = head.split("\n")
        assert (first, second) == ("c2sp.org/tlog-proof@v1", f"index {each.index}")
        assert [base64.b64decode(line) for line in hashes] == path(each.index, found[:size])
        assert Checkpoint.open(note, [SIGNER.public], origin=ORIGIN).size == size
        assert leaf_hash(each.body) == found[each.index]


def test_an_entry_without_a_checkpoint_is_not_provable_yet(database: Database, anchors: Anchors) -> None:
    grown(database, anchors, 1, 2)
    with database.transaction() as cur:
        event = said(cur, 9)
        with pytest.raises(NotProvable, match=r"No checkpoint covers this entry yet: `gdpr ledger checkpoint`"):
            inclusion(cur, origin=ORIGIN, event=event)
    tree.sequence(database)
    with database.transaction() as cur:
        with pytest.raises(NotProvable, match="No checkpoint covers this entry yet"):
            inclusion(cur, origin=ORIGIN, event=event)
        with pytest.raises(NotProvable, match="no entry of this event"):
            inclusion(cur, origin=ORIGIN, event=uuid.UUID(int=404))


def test_two_roles_may_have_written_of_the_same_event(
    database: Database, anchors: Anchors, postgres: PostgresAddress
) -> None:
    other = Database(as_role(postgres, "gdpr_erase"), application="gdpr-tests")
    with other.transaction() as cur:
        event = said(cur, 1, "gdpr_erase", "erasure.started")
    other.close()
    grown(database, anchors, 1, 1)
    with database.transaction() as cur:
        with pytest.raises(NotProvable, match="name the writer"):
            inclusion(cur, origin=ORIGIN, event=event)
        assert b'"gdpr_erase"' in inclusion(cur, origin=ORIGIN, event=event, writer="gdpr_erase").body


def test_one_checkpoint_is_the_beginning_of_another(database: Database, anchors: Anchors) -> None:
    for first in (1, 4, 7):
        grown(database, anchors, first, 3)
    with database.transaction() as cur:
        found = leaves(cur)
        sizes = [3, 7, 11]
        for old in sizes:
            for new in (size for size in sizes if size >= old):
                shown = consistency(cur, origin=ORIGIN, old=old, new=new)
                assert shown.path == proof(old, found[:new])
                assert [
                    Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").size for note in (shown.old, shown.new)
                ] == [
                    old,
                    new,
                ]
        with pytest.raises(NotProvable, match="no checkpoint of size 5"):
            consistency(cur, origin=ORIGIN, old=5, new=11)
        with pytest.raises(NotProvable, match="swap"):
            consistency(cur, origin=ORIGIN, old=11, new=3)


def test_what_is_carried_along_stands_where_the_specification_says() -> None:
    assert written(7, [bytes(32)], "note\n\n— x y\n", extra=b"receipt") == (
        "c2sp.org/tlog-proof@v1\nextra cmVjZWlwdA==\nindex 7\n"
        + base64.b64encode(bytes(32)).decode()
        + "\n\nnote\n\n— x y\n"
    )
