"""Whoever has the password of gdpr_audit and no signing key: what they make up is refused, or never signed (A11)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import psycopg2
import pytest

from shared import clock
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry
from shared.ledger.merkle import leaf_hash, root_of
from shared.ledger.note import LocalSigner, sign
from tests.integration.people import NOW
from tests.integration.test_restore import codes, findings, restored, unit
from tests.integration.unit_of_data import Unit

__all__ = ["restored", "unit"]
BEGIN = "select gdpr.begin_restoration(%s, %s, %s, %s, %s, %s, 'officer', now())"
IMPORT = "select gdpr.import_leaves(%s, %s, %s)"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


def forged(count: int = 1, kind: str = "erasure.completed", writer: str = "gdpr_verify") -> list[bytes]:
    return [Entry(event=uuid.uuid4(), kind=kind, writer=writer, at=NOW, said={}).body for _ in range(count)]


def digest(bodies: list[bytes]) -> bytes:
    return sha256(b"".join(map(leaf_hash, bodies))).digest()


def asked(unit: Unit, statement: str, *values: Any) -> Any:
    """As the role whose password was stolen."""
    with unit.database.transaction() as cur:
        cur.execute(statement, values)
        (found,) = cur.fetchone() or (None,)
    return found


def hashes(unit: Unit) -> list[bytes]:
    return [bytes(each) for (each,) in unit.ask("select leaf_hash from gdpr.leaf order by leaf_index")]


def begun(unit: Unit, bodies: list[bytes], *, root: bytes | None = None, note: str = "made up") -> str:
    known = hashes(unit)
    true = root_of([*known, *map(leaf_hash, bodies)])
    size = len(known) + len(bodies)
    return str(asked(unit, BEGIN, "shop-ledger/1", len(known), size, root or true, note, digest(bodies)))


def test_what_nobody_has_signed_is_never_anchored_and_named(restored: Unit) -> None:
    restored.invoke("health")
    bodies = forged(2)
    number = begun(restored, bodies)
    assert asked(restored, IMPORT, number, 3, bodies) == 5
    assert restored.invoke("checkpoint")["code"] == "restoration_unfounded"
    assert restored.invoke("restore", alias="officer", by_role="x", decided_at="2026-11-20T11:00:00Z")["code"] == (
        "restoration_unfounded"
    )
    told = {(each["code"], each["first"], each["last"]) for each in findings(restored)}
    assert ("restoration", 3, 4) in told
    assert codes(restored) == []
    assert restored.standing == "forked"


def test_a_note_by_another_key_is_none(restored: Unit) -> None:
    restored.invoke("health")
    bodies = forged()
    root = root_of([*hashes(restored), *map(leaf_hash, bodies)])
    own = LocalSigner("shop-ledger", bytes(32))
    note = sign(Checkpoint(origin="shop-ledger/1", size=4, root=root).text, [own])
    asked(restored, IMPORT, begun(restored, bodies, note=note), 3, bodies)
    assert restored.invoke("checkpoint")["code"] == "restoration_unfounded"


def test_the_note_of_another_checkpoint_is_none(unit: Unit, restored: Unit) -> None:
    restored.invoke("health")
    bodies = forged()
    ((note,),) = unit.ask("select note from gdpr.anchor where size = 3")
    asked(restored, IMPORT, begun(restored, bodies, note=note), 3, bodies)
    assert restored.invoke("checkpoint")["code"] == "restoration_unfounded"


def test_a_ledger_that_is_whole_takes_over_nothing(unit: Unit) -> None:
    unit.write(3)
    unit.publish()
    with pytest.raises(Exception, match="SQLSTATE 55000"):
        begun(unit, forged())


class TestTheDatabaseItself:
    @pytest.fixture
    def behind(self, restored: Unit) -> Unit:
        restored.invoke("health")
        return restored

    def refused(self, unit: Unit, number: str, first: int, bodies: list[bytes], state: str) -> None:
        size = len(hashes(unit))
        with pytest.raises(Exception, match=f"SQLSTATE {state}"):
            asked(unit, IMPORT, number, first, bodies)
        assert len(hashes(unit)) == size
        assert unit.ask("select count(*) from gdpr.imported") == [(0,)]

    def test_takes_no_others_than_were_compared(self, behind: Unit) -> None:
        number = begun(behind, forged(2))
        self.refused(behind, number, 3, forged(2), "XX001")

    def test_takes_no_others_however_many_are_to_come_behind_them(self, behind: Unit) -> None:
        bodies = forged(260)
        digests = digest(bodies[:253]) + digest(bodies[253:])
        root = root_of([*hashes(behind), *map(leaf_hash, bodies)])
        number = asked(behind, BEGIN, "shop-ledger/1", 3, 263, root, "made up", digests)
        self.refused(behind, number, 3, forged(253), "XX001")
        assert asked(behind, IMPORT, number, 3, bodies[:253]) == 256
        assert asked(behind, IMPORT, number, 256, bodies[253:]) == 263

    def test_begins_with_the_entries_that_are_here(self, behind: Unit) -> None:
        bodies = forged(2)
        assert asked(behind, BEGIN, "shop-ledger/1", 2, 4, bytes(32), "made up", digest(bodies)) is None
        assert behind.ask("select count(*) from gdpr.restoration") == [(0,)]

    def test_takes_nothing_that_gives_another_root(self, behind: Unit) -> None:
        bodies = forged(2)
        self.refused(behind, begun(behind, bodies, root=bytes(32)), 3, bodies, "XX001")

    def test_takes_no_more_than_was_signed_and_in_no_other_place(self, behind: Unit) -> None:
        bodies = forged(2)
        number = begun(behind, bodies)
        self.refused(behind, number, 3, [*bodies, *forged()], "55000")
        self.refused(behind, number, 3, bodies[:1], "55000")
        self.refused(behind, number, 4, bodies, "55000")
        assert asked(behind, IMPORT, number, 2, bodies) == 3

    @pytest.mark.parametrize(
        "body",
        [
            forged(kind="erasure.completed", writer="gdpr_erase")[0],  # not theirs to write
            forged(kind="record.made", writer="gdpr_audit")[0].replace(b"record.made", b"record.done"),
            b'\x01{"at":"2026-11-20T12:00:00.000Z","event":"00000000-0000-4000-8000-000000000001",'
            b'"kind":"record.made","name":"meier","writer":"gdpr_audit"}',
            b'\x01{"at":"2026-11-20T12:00:00.000Z","code":"Lena Meier","event":"00000000-0000-4000-8000-000000000001",'
            b'"kind":"record.made","writer":"gdpr_audit"}',
            b"\x02{}", b"\x01[]", b"\x01",
        ],
    )  # fmt: skip
    def test_takes_nothing_that_nobody_may_write(self, behind: Unit, body: bytes) -> None:
        self.refused(behind, begun(behind, [body]), 3, [body], "23514")

    def test_does_not_find_itself_whole_while_it_is_restored(self, behind: Unit) -> None:
        begun(behind, forged(2))
        with pytest.raises(Exception, match="SQLSTATE 55000"):
            asked(behind, "select gdpr.record_comparison('whole', 'shop-ledger/1', 9)")
        assert behind.standing == "behind"

    @pytest.mark.parametrize("role", ["gdpr_export", "gdpr_erase", "gdpr_verify"])
    def test_lets_no_other_role_do_any_of_it(self, behind: Unit, role: str) -> None:
        statements = (
            "select gdpr.begin_restoration('x/1', 3, 4, sha256('x'), 'x', sha256('x'), 'x', now())",
            "select gdpr.import_leaves(gen_random_uuid(), 3, '{}')",
            "select gdpr.record_comparison('whole', 'x/1', 3)",
        )
        for statement in statements:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                behind.ask(f"set session authorization {role}; {statement}")


def test_an_epoch_that_somebody_made_up_is_not_gone_on_with(unit: Unit) -> None:
    unit.write(3)
    unit.publish()
    said = {"origin": "shop-ledger/7", "before": "shop-ledger/6", "note": "00" * 32, "root": "00" * 32}
    unit.write(1, kind="ledger.origin_opened", **said, size=3, kept=3)
    assert unit.invoke("checkpoint")["code"] == "anchor_missing"
    assert not (unit.outside / "shop-ledger/7").exists()


def test_what_came_in_past_every_restoration_is_named(restored: Unit) -> None:
    assert restored.restore()["status"] == "completed"
    restored.ask(
        "insert into gdpr.imported (entry_id, restoration)"
        " select l.entry_id, r.id from gdpr.leaf as l, gdpr.restoration as r where l.leaf_index = 0"
    )
    assert [(each["code"], each["first"], each["last"]) for each in findings(restored)] == [("imported", 0, 0)]


def test_with_the_new_key_alone_the_old_checkpoint_of_a_restoration_is_unfounded(restored: Unit) -> None:
    assert restored.restore()["status"] == "completed"
    keys = restored.service.ledger.keys
    keys.bucket.put("ledger", LocalSigner.generate("shop-ledger").as_text().encode())
    assert restored.invoke("checkpoint")["code"] in ("restoration_unfounded", "anchor_missing")
