"""A backup is restored: nothing is done before the ledger is what was anchored, and nothing false is ever told (A2)."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from functions.audit_logging import restore as restore_module
from shared import active_plan, clock
from shared.addresses import PostgresAddress
from shared.catalogue import document
from shared.database import Database
from shared.errors import LedgerBehind
from shared.ledger import tree
from shared.ledger.entry import Entry, append
from tests.integration.people import MAP, NOW, SCHEMA, event
from tests.integration.test_roles import REGISTER
from tests.integration.unit_of_data import OFFICER, Unit, unit_in
from tests.run import administrator, as_role


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def unit(postgres: PostgresAddress, tmp_path: Path, server: cursor) -> Iterator[Unit]:
    """With people, requests and a plan."""
    with administrator(postgres) as cur:
        cur.execute(SCHEMA)
        cur.execute("set search_path = pg_catalog, pg_temp")
        active_plan.approve(cur, compiled(Document.parse(MAP).map, Catalogue.from_json(document(cur))))
    with unit_in(postgres, tmp_path / "outside", server) as made:
        yield made


def named(number: int) -> dict[str, str]:
    return {"subject_request_id": str(uuid.UUID(int=number)), "subject_request_type": "erasure"}


def codes(unit: Unit) -> list[str]:
    return [finding.code for finding in unit.verified().findings]


def findings(unit: Unit) -> list[dict[str, Any]]:
    """Of the database's own look."""
    return list(unit.invoke("verify", by_role="auditor")["findings"])


def claimed(unit: Unit, action: str = "erase") -> bool:
    role = {"erase": "gdpr_erase", "export": "gdpr_export"}[action]
    opened = Database(as_role(unit.address, role), application="worker")
    try:
        with opened.transaction() as cur:
            cur.execute("select id from gdpr.claim_request(%s, 60)", (action,))
            return cur.fetchone() is not None
    finally:
        opened.close()


def registered(cur: cursor) -> bool:
    cur.execute(REGISTER, {
        "subject_request_id": str(uuid.uuid4()), "action": "erase", "request_type": "erasure", "received_at": NOW,
        "person": bytes(32), "status": "in_progress", "sealed": bytes(64),
    })  # fmt: skip
    return cur.fetchone() is not None


def well(unit: Unit) -> None:
    """Whole, anchored, and found so by both verifiers."""
    assert unit.standing == "whole"
    unit.publish()
    assert codes(unit) == []
    assert findings(unit) == []


@pytest.fixture
def restored(unit: Unit) -> Iterator[Unit]:
    """A backup of 3 entries was restored, and 9 are anchored."""
    unit.write(3)
    assert unit.publish() == 3
    backup = unit.backup()
    unit.write(2)
    unit.write(1, role="gdpr_verify", kind="erasure.completed")
    unit.publish()
    unit.write(1, role="gdpr_export", kind="export.completed")
    assert unit.publish() == 9
    unit.close()
    yield backup
    backup.close()


class TestARestoredUnit:
    def test_does_nothing_before_it_is_brought_up_to_its_anchor(self, restored: Unit) -> None:
        assert restored.standing == "unknown"
        restored.write(2)
        assert tree.sequence(restored.database, insist=True) is None
        assert restored.invoke("register", request=event(1, phone="0170"))["code"] == "ledger_behind"
        assert restored.standing == "behind"
        assert restored.ask("select count(*) from gdpr.request") == [(0,)]
        assert not claimed(restored)
        assert restored.ask("select count(*) from gdpr.leaf") == [(3,)]
        assert restored.invoke("sweep")["code"] == "ledger_behind"
        assert restored.invoke("checkpoint")["code"] == "ledger_behind"

    def test_registers_nothing_for_a_worker_either(self, restored: Unit) -> None:
        worker = Database(as_role(restored.address, "gdpr_erase"), application="worker")
        with worker.transaction() as cur:
            assert registered(cur)  # nobody knows yet
        restored.invoke("health")
        with pytest.raises(LedgerBehind, match=r"nothing is registered.*docs/restore.md"), worker.transaction() as cur:
            registered(cur)
        worker.close()

    def test_says_so_and_what_to_do(self, restored: Unit) -> None:
        answer = restored.invoke("health")
        (told,) = [each for each in answer["checks"] if each["name"] == "ledger"]
        assert (answer["status"], told["code"]) == ("failed", "ledger_behind")
        assert "a backup was restored here: docs/restore.md" in told["message"]

    def test_takes_over_what_is_missing_in_its_order_and_whoever_wrote_it(self, unit: Unit, restored: Unit) -> None:
        before, new = unit.events, restored.write(2)
        unit.close()
        done = restored.restore()
        assert (done["status"], done["restored"]) == ("completed", {"origin": "shop-ledger/1", "first": 3, "last": 8})
        assert restored.events[:9] == before
        assert set(new) < set(restored.events[9:])
        writers = "select array_agg(distinct writer::text order by writer::text) from gdpr.entry"
        assert restored.ask(writers) == [(["gdpr_audit", "gdpr_export", "gdpr_verify"],)]
        well(restored)

    def test_answers_the_same_however_often_it_is_asked(self, restored: Unit) -> None:
        first = restored.restore()
        size = restored.ask("select max(size) from gdpr.tree_head")
        again = restored.restore()
        assert first == again | {"size": first["size"]}
        assert restored.ask("select max(size) from gdpr.tree_head") == size
        later = restored.restore(decided_at="2026-11-20T11:30:00Z")
        assert later == {"status": "completed", "origin": "shop-ledger/1", "size": first["size"]}

    def test_is_for_the_officer(self, restored: Unit) -> None:
        for name in ("restore", "reinstate"):
            assert restored.invoke(name, **OFFICER)["faults"][0]["code"] == "officer_only"

    def test_does_nothing_where_nothing_is_missing(self, unit: Unit) -> None:
        unit.write(3)
        unit.publish()
        assert unit.restore(lost=True) == {"status": "completed", "origin": "shop-ledger/1", "size": 3}
        assert unit.ask("select count(*) from gdpr.restoration") == [(0,)]
        well(unit)

    def test_whose_entries_wait_for_the_tree_at_the_backup_doubles_none(self, unit: Unit) -> None:
        unit.write(3)
        unit.publish()
        waiting = unit.write(4)
        backup = unit.backup()
        unit.publish()
        unit.write(1)
        assert unit.publish() == 10
        events = unit.events
        assert backup.restore()["status"] == "completed"
        assert backup.events[:10] == events
        assert set(waiting) < set(events)
        well(backup)
        backup.close()

    def test_whose_server_was_only_started_again_goes_on_once_somebody_has_looked(self, unit: Unit) -> None:
        unit.write(3)
        unit.publish()
        again = unit.backup()  # the same ledger, in another life
        assert again.standing == "unknown"
        assert again.invoke("register", request=event(1, phone="0170"))["status"] == "in_progress"
        assert again.standing == "whole"
        assert claimed(again)
        again.close()

    def test_whose_server_was_started_since_does_not_believe_what_was_found_before(self, unit: Unit) -> None:
        unit.write(3)
        unit.publish()
        assert unit.standing == "whole"
        unit.ask(
            "alter table gdpr.comparison disable trigger all;"
            " update gdpr.comparison set server_started = server_started - interval '1 second'"
        )
        assert unit.standing == "unknown"
        assert not claimed(unit)
        unit.publish()
        assert unit.standing == "whole"

    def test_is_brought_up_bundle_by_bundle_however_much_is_missing(
        self, unit: Unit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unit.write(300)
        unit.publish()
        backup = unit.backup()
        for count in (100, 400, 300):
            unit.write(count)
            size = unit.publish()
        events = unit.events
        monkeypatch.setattr(restore_module, "MOST_BUNDLES", 1)
        answers = [backup.restore() for _ in range(4)]
        assert [each["status"] for each in answers] == ["in_progress"] * 3 + ["completed"]
        assert [each["size"] for each in answers[:3]] == [512, 768, 1024]
        assert answers[0]["of"] == size
        assert backup.events[:size] == events
        well(backup)
        backup.close()

    def test_from_before_the_first_checkpoint_is_brought_up_too(self, unit: Unit) -> None:
        unit.write(1)
        backup = unit.backup()
        unit.write(5)
        unit.publish()
        assert backup.invoke("health")["status"] == "failed"
        assert backup.restore()["status"] == "completed"
        assert backup.events[:6] == unit.events
        well(backup)
        backup.close()

    def test_of_the_next_generation_too(self, unit: Unit) -> None:
        """A backup of a restored unit, in the middle of its restoration."""
        unit.write(3)
        unit.publish()
        backup = unit.backup()
        unit.write(600)
        size = unit.publish()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(restore_module, "MOST_BUNDLES", 1)
            assert backup.restore()["status"] == "in_progress"
        middle = backup.backup()
        assert middle.standing == "behind"
        assert middle.restore()["status"] == "completed"
        assert middle.events[:size] == unit.events
        well(middle)
        middle.close()


class TestWhatTheRegisterForgot:
    @pytest.fixture
    def both(self, unit: Unit) -> Iterator[Unit]:
        """Three requests at the backup; since then one was refused, one paused, and a fourth came."""
        for number, phone in ((1, "0170"), (2, "0171"), (3, "0172")):
            assert unit.invoke("register", request=event(number, phone=phone))["status"] == "in_progress"
        assert claimed(unit)
        unit.publish()
        backup = unit.backup()
        refusal = {"reason": "manifestly_unfounded", "text_ref": "L-1", "authority": "x", "remedy": "y"}
        refused = unit.invoke(
            "refuse", alias="officer", **named(1), by_role="officer", decided_at="2026-11-20T10:00:00Z",
            facts_ref="F-1", **refusal,
        )  # fmt: skip
        assert refused["status"] == "refused", refused
        unit.invoke("pause", **named(2), by_role="officer", asked_at="2026-11-20T10:00:00Z")
        unit.invoke("register", request=event(4, phone="0173"))
        request = unit.ask("select id::text from gdpr.request where subject_request_id = %s", str(uuid.UUID(int=3)))
        unit.write(1, role="gdpr_erase", kind="erasure.started", request=request[0][0])
        unit.publish()
        unit.close()
        yield backup
        backup.close()

    def test_nobody_goes_on_with_any_request_and_leases_die(self, both: Unit) -> None:
        done = both.restore()
        assert done["requests"]["suspended"] == 3
        rows = both.ask("select status, code, leased_until from gdpr.request")
        assert rows == [("blocked", "suspended_by_restore", None)] * 3
        assert not claimed(both)
        kinds = both.ask("select count(*) from gdpr.entry where kind = 'request.suspended' and request is not null")
        assert kinds == [(3,)]

    def test_the_sweep_tells_of_nothing_that_may_have_been_told_since(self, both: Unit, tmp_path: Path) -> None:
        with clock.standing_at(datetime(2026, 12, 18, 12, tzinfo=UTC)):
            assert both.invoke("sweep")["code"] == "ledger_behind"
            due = "select count(*) from gdpr.entry where kind = 'request.due'"
            assert both.ask(due) == [(0,)]
            assert not list((tmp_path / "outside/exchange").rglob("due"))
            both.restore()
            assert both.invoke("sweep")["told"]["request.due"] == 3
            assert both.ask(due) == [(3,)]

    def test_what_was_blocked_for_another_reason_is_not_set_free_by_it_any_more(self, both: Unit) -> None:
        number = named(3)["subject_request_id"]
        both.ask("update gdpr.request set status = 'blocked', code = 'hold' where subject_request_id = %s", number)
        assert both.restore()["requests"]["suspended"] == 3
        assert both.ask("select distinct code from gdpr.request") == [("suspended_by_restore",)]

    def test_what_was_done_since_is_told_by_ids_alone(self, both: Unit, tmp_path: Path) -> None:
        told = both.restore()["requests"]["told"]
        known = {each.get("subject_request_id", "")[-1:]: each for each in told}
        assert {number: each["meaning"] for number, each in known.items()} == {
            "1": "refused", "2": "asked", "3": "unfinished", "": "unknown",
        }  # fmt: skip
        assert known["2"]["entries"] == ["request.asked"]
        events = [json.loads(path.read_text()) for path in (tmp_path / "outside/exchange/outbox/restored").iterdir()]
        assert sorted(each["meaning"] for each in events) == ["asked", "refused", "unfinished", "unknown"]
        assert {frozenset(each) for each in events} == {frozenset({"kind", "meaning", "request"})}
        text = json.dumps([told, events])
        assert not [word for word in ("0170", "0171", "0172", "0173", "example.org") if word in text]

    def test_the_officer_sets_one_free_again(self, both: Unit) -> None:
        both.restore()
        freed = both.invoke("reinstate", alias="officer", **named(3), **OFFICER)
        assert freed["status"] == "in_progress"
        assert "code" not in freed
        assert both.invoke("reinstate", alias="officer", **named(3), **OFFICER)["status"] == "in_progress"
        assert both.ask("select count(*) from gdpr.entry where kind = 'request.reinstated'") == [(1,)]
        assert claimed(both)
        assert not claimed(both)
        again = both.invoke("reinstate", alias="officer", **named(3), **(OFFICER | {"by_role": "other"}))
        assert again["status"] == "in_progress"
        other = OFFICER | {"decided_at": "2026-11-20T11:40:00Z"}
        assert both.invoke("reinstate", alias="officer", **named(3), **other)["faults"][0]["code"] == "not_suspended"
        well(both)

    def test_what_was_refused_since_is_not_set_free(self, both: Unit) -> None:
        both.restore()
        answer = both.invoke("reinstate", alias="officer", **named(1), **OFFICER)
        assert answer["faults"][0]["code"] == "refused_since"

    def test_nothing_is_set_free_before_the_ledger_is_whole(self, both: Unit) -> None:
        answer = both.invoke("reinstate", alias="officer", **named(3), **OFFICER)
        assert answer["code"] == "ledger_behind"


class TestNothingCanBeTakenOver:
    @pytest.fixture
    def forked(self, unit: Unit) -> Iterator[Unit]:
        """Whoever restored it had its server believe that it was whole, and its tree has grown."""
        unit.write(3)
        unit.publish()
        backup = unit.backup()
        unit.write(5)
        assert unit.publish() == 9
        unit.close()
        backup.invoke("register", request=event(1, phone="0170"))
        backup.ask("select gdpr.record_comparison('whole', 'shop-ledger/1', 3)")
        assert backup.invoke("register", request=event(1, phone="0170"))["status"] == "in_progress"
        backup.write(4)
        assert tree.sequence(backup.database) == 8
        yield backup
        backup.close()

    def test_it_is_told_and_nothing_is_changed(self, forked: Unit, tmp_path: Path) -> None:
        answer = forked.restore()
        assert (answer["status"], answer["code"]) == ("blocked", "ledger_forked")
        assert "`restore` with `lost` begins another epoch" in answer["message"]
        assert forked.standing == "behind"
        assert not (tmp_path / "outside/shop-ledger" / "2").exists()
        assert forked.ask("select count(*) from gdpr.restoration") == [(0,)]
        assert not claimed(forked)

    def test_another_epoch_begins_only_when_the_officer_says_so(self, forked: Unit) -> None:
        done = forked.restore(lost=True)
        assert (done["status"], done["origin"]) == ("completed", "shop-ledger/2")
        assert done["lost"] == {"origin": "shop-ledger/1", "first": 3, "last": 8}
        assert done["requests"]["suspended"] == 1
        assert forked.restore(lost=True) == done
        report = forked.verified()
        assert [(each.code, each.epoch, each.first, each.last) for each in report.findings] == [
            ("entries_lost", 1, 3, 8)
        ]
        assert report.is_clean
        assert [epoch.origin for epoch in report.epochs] == ["shop-ledger/1", "shop-ledger/2"]
        assert findings(forked) == []
        for _ in range(2):
            forked.write(2)
            forked.publish()
        assert codes(forked) == ["entries_lost"]

    def test_a_tree_that_has_grown_past_its_anchor_keeps_what_both_have(self, forked: Unit) -> None:
        forked.write(10)
        tree.sequence(forked.database, insist=True)
        forked.ask("select gdpr.record_comparison('whole', 'shop-ledger/1', 3)")
        assert tree.sequence(forked.database, insist=True) == 18
        assert forked.restore()["code"] == "ledger_forked"
        assert forked.restore(lost=True)["lost"] == {"origin": "shop-ledger/1", "first": 3, "last": 8}
        assert codes(forked) == ["entries_lost"]

    def test_in_the_other_epoch_an_entry_is_proved(self, forked: Unit) -> None:
        forked.restore(lost=True)
        (event_,) = forked.write(1)
        forked.publish()
        assert "shop-ledger/2\n" in forked.invoke("proof", event=event_)["proof"]

    def test_a_backup_from_before_the_epoch_was_begun_is_behind_it_and_is_brought_up(
        self, unit: Unit, forked: Unit
    ) -> None:
        old = forked.backup()
        forked.restore(lost=True)
        forked.write(2)
        size = forked.publish()
        assert old.invoke("health")["checks"][-1]["code"] == "ledger_behind"
        done = old.restore()
        assert (done["status"], done["origin"]) == ("completed", "shop-ledger/2")
        assert old.events[:size] == forked.events
        assert codes(old) == ["entries_lost"]
        # And one of the line that was given up has to go on in a third.
        assert unit.invoke("health")["checks"][-1]["code"] == "ledger_behind"
        assert unit.restore()["code"] == "ledger_forked"
        assert unit.restore(lost=True)["origin"] == "shop-ledger/3"
        report = unit.verified()
        assert report.is_clean
        assert [each.code for each in report.findings] == ["entries_lost", "entries_lost"]
        assert old.invoke("health")["checks"][-1]["code"] == "ledger_behind"
        old.close()

    def test_of_two_units_that_begin_the_same_epoch_one_is_refused(self, forked: Unit) -> None:
        twin = forked.backup()
        twin.restore()
        first, second = forked.restore(lost=True), twin.restore(lost=True)
        assert first["origin"] == "shop-ledger/2"
        # The twin had the same entries: it is a beginning of the epoch that won, and joins it.
        assert (second["status"], second["origin"]) == ("completed", "shop-ledger/2")
        assert twin.events[: first["size"]] == forked.events
        assert codes(twin) == ["entries_lost"]
        twin.close()

    @pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
    def test_bundles_that_cannot_be_read_are_told_and_may_be_put_back(
        self, unit: Unit, restored: Unit, tmp_path: Path, damage: str
    ) -> None:
        bundle = tmp_path / "outside/shop-ledger/1/tile/entries/000.p/9"
        content = bundle.read_bytes()
        if damage == "gone":
            bundle.unlink()
        else:
            bundle.write_bytes(content[:-1] if damage == "cut" else b"")
        answer = restored.restore()
        assert (answer["status"], answer["code"]) == ("blocked", "bundles_unusable")
        bundle.write_bytes(content)
        assert restored.restore()["status"] == "completed"
        assert restored.events[:9] == unit.events
        well(restored)

    def test_a_bundle_that_was_changed_since_it_was_compared_is_not_taken_over(
        self, unit: Unit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unit.write(3)
        unit.publish()
        backup = unit.backup()
        unit.write(600)
        size = unit.publish()
        monkeypatch.setattr(restore_module, "MOST_BUNDLES", 1)
        assert backup.restore()["status"] == "in_progress"
        bundle = tmp_path / "outside/shop-ledger/1/tile/entries/001"
        content = bundle.read_bytes()
        bundle.write_bytes(content.replace(b'"record.made"', b'"record.mada"', 1))
        assert backup.restore()["code"] == "bundles_unusable"
        bundle.write_bytes(content)
        assert [backup.restore()["status"] for _ in range(2)] == ["in_progress", "completed"]
        assert backup.events[:size] == unit.events
        well(backup)
        backup.close()

    def test_bundles_that_are_lost_are_declared(self, restored: Unit, tmp_path: Path) -> None:
        shutil.rmtree(tmp_path / "outside/shop-ledger/1/tile/entries/000.p")
        assert restored.restore(lost=True)["lost"] == {"origin": "shop-ledger/1", "first": 3, "last": 8}
        report = restored.verified()
        assert [each.code for each in report.findings] == ["entries_missing", "entries_lost"]

    def test_bundles_of_what_is_declared_lost_are_not_missed(self, restored: Unit, tmp_path: Path) -> None:
        for width in (7, 9):
            (tmp_path / f"outside/shop-ledger/1/tile/entries/000.p/{width}").unlink()
        restored.restore(lost=True)
        assert codes(restored) == ["entries_lost"]

    def test_a_bundle_that_somebody_changed_is_not_taken_over(self, restored: Unit, tmp_path: Path) -> None:
        bundle = tmp_path / "outside/shop-ledger/1/tile/entries/000.p/9"
        content = bundle.read_bytes()
        bundle.write_bytes(content.replace(b'"record.made"', b'"record.mada"'))
        assert restored.restore()["code"] == "ledger_forked"
        assert restored.ask("select count(*) from gdpr.imported") == [(0,)]
        bundle.write_bytes(content)
        assert restored.restore()["status"] == "completed"

    def test_an_event_that_stands_here_with_other_words_is_told(self, unit: Unit) -> None:
        unit.write(2)
        unit.publish()
        backup = unit.backup()
        record = {"kind": "record.consent", "event": str(uuid.uuid4()), "by_role": "app", "status": "given"}
        unit.invoke("record", **record, occurred_at="2026-11-20T10:00:00Z")
        unit.publish()
        with backup.database.transaction() as cur:
            append(
                cur,
                Entry(event=uuid.UUID(record["event"]), kind="record.consent", writer="gdpr_audit", at=NOW, said={}),
            )
        assert backup.restore()["code"] == "entry_contradicted"
        assert backup.ask("select count(*) from gdpr.imported") == [(0,)]
        assert backup.restore(lost=True)["origin"] == "shop-ledger/2"
        assert codes(backup) == ["entries_lost"]
        assert findings(backup) == []
        backup.close()
