"""A restore that is killed between any two of its steps, or has company: whoever asks again gets it done, and once."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor

from functions.audit_logging import restore as restore_module
from functions.audit_logging.restore import Restore
from shared import clock
from shared.addresses import PostgresAddress
from shared.asked import Asked
from shared.bucket import Folder
from shared.database import Database, connect
from shared.errors import SuiteError
from shared.ledger import tree
from shared.ledger.entry import append
from shared.outbox import Outbox
from tests.integration.people import NOW, event
from tests.integration.test_ledger_publish import Doomed, Killed, killed_at_transaction
from tests.integration.test_ledger_tree import an_entry
from tests.integration.test_restore import codes, findings, named, unit, well
from tests.integration.unit_of_data import OFFICER, Unit
from tests.run import as_role

__all__ = ["unit"]

Kill = Callable[[Unit, int], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def behind(unit: Unit) -> Iterator[Unit]:
    """A request stands in a backup of few entries; since then it was paused, and several bundles of entries came."""
    unit.invoke("register", request=event(1, phone="0170"))
    unit.publish()
    unit.write(2)
    backup = unit.backup()
    unit.publish()
    unit.invoke("pause", **named(1), by_role="officer", asked_at="2026-11-20T10:00:00Z")
    unit.write(400)
    unit.publish()
    unit.close()
    backup.write(2)
    yield backup
    backup.close()


@pytest.fixture
def forked(behind: Unit) -> Unit:
    """And somebody had the backup's tree grow by itself."""
    behind.ask("select gdpr.record_comparison('whole', 'shop-ledger/1', 1)")
    behind.write(1)
    tree.sequence(behind.database)
    behind.close()
    return behind


def killed_at_commit(unit: Unit, number: int) -> int:
    """Killed before the commit of one of its transactions; how many there were."""
    with killed_at_transaction(unit.database, number) as seen, suppress(Killed):
        unit.restore(lost=True)
    return seen[0]


def killed_at_call(unit: Unit, number: int) -> int:
    """Killed behind one of its calls to what lies outside; how many there were."""
    calls = itertools.count(1)

    class Door(Doomed):
        """Of two places that count together."""

        def _call(self) -> Any:
            self._at = self.calls + 1 if next(calls) == number else 0
            return super()._call()

        def erase(self, key: str, *, version: str | None = None) -> None:
            raise NotImplementedError

    place, exchange = (Door(Folder(unit.outside / name), 0, after=True) for name in ("shop-ledger", "exchange"))
    ledger = replace(unit.service.ledger, place=place)
    with suppress(Killed):
        Restore(ledger=ledger, outbox=Outbox(bucket=exchange)).restore(Asked({**OFFICER, "lost": True}))
    return next(calls) - 1


@pytest.mark.parametrize("kill", [killed_at_commit, killed_at_call])
@pytest.mark.parametrize("world", ["behind", "forked"])
def test_killed_at_any_step_the_next_call_does_the_rest(
    request: pytest.FixtureRequest, tmp_path: Path, kill: Kill, world: str
) -> None:
    origin: Unit = request.getfixturevalue(world)
    done, kills = 1, 0
    while done >= kills:
        kills += 1
        one = origin.backup().elsewhere(tmp_path / f"{world}-{kills}")
        done = kill(one, kills)
        one.close()
        again = replace(one)
        answer = again.restore(lost=True)
        assert answer["status"] == "completed", (kills, answer)
        rows = again.ask("select status, code from gdpr.request")
        assert rows == [("blocked", "suspended_by_restore")]
        count = "select count(*) from gdpr.entry where kind in ('request.suspended', 'ledger.restored')"
        assert again.ask(count) == [(2 if world == "behind" else 1,)]
        if world == "behind":
            assert again.ask("select count(*) from gdpr.entry where kind = 'request.asked'") == [(1,)]
            well(again)
        else:
            assert answer["origin"] == "shop-ledger/2"
            assert again.ask("select count(*) from gdpr.entry where kind = 'ledger.origin_opened'") == [(1,)]
            assert (codes(again), findings(again)) == (["entries_lost"], [])
        again.close()
    assert kills > 10


def test_two_officers_at_once_get_it_done_once(behind: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    units, faults = [replace(behind) for _ in range(3)], []

    def run(one: Unit) -> None:
        with clock.standing_at(NOW):
            try:
                while True:
                    with suppress(SuiteError):
                        answer = one.restore()
                        assert answer["status"] in ("completed", "in_progress", "failed"), answer
                        if answer["status"] == "completed":
                            return
            except BaseException as fault:
                faults.append(fault)
            finally:
                one.close()

    monkeypatch.setattr(restore_module, "MOST_BUNDLES", 1)
    threads = [threading.Thread(target=run, args=(one,)) for one in units]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    assert behind.ask("select count(*) from gdpr.restoration") == [(1,)]
    well(behind)


def test_of_two_units_that_begin_an_epoch_at_the_same_moment_one_is_first(forked: Unit) -> None:
    twin = forked.backup()
    twin.write(1)  # not the same ledger
    answers: dict[str, dict[str, Any]] = {}
    barrier = threading.Barrier(2)

    def run(name: str, one: Unit) -> None:
        genuine = Folder.put_new

        class Waiting(Folder):
            def put_new(self, key: str, body: bytes, **options: Any) -> str | None:
                if key.endswith("0" * 20):
                    barrier.wait()
                return genuine(self, key, body, **options)

        ledger = replace(one.service.ledger, place=Waiting(one.outside / "shop-ledger"))
        with clock.standing_at(NOW):
            try:
                outbox = Outbox(bucket=Folder(one.outside / "exchange"))
                answers[name] = Restore(ledger=ledger, outbox=outbox).restore(Asked({**OFFICER, "lost": True}))
            except SuiteError as error:
                answers[name] = {"status": "failed", "code": error.code}
            finally:
                one.close()

    threads = [threading.Thread(target=run, args=(name, one)) for name, one in (("one", forked), ("two", twin))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(each.get("origin", each.get("code"))) for each in answers.values()) == [
        "epoch_taken",
        "shop-ledger/2",
    ]
    loser = forked if answers["one"]["status"] == "failed" else twin
    assert loser.invoke("health")["checks"][-1]["code"] == "ledger_behind"
    assert codes(loser) == ["entries_lost"]
    twin.close()


def test_whoever_writes_and_sequences_meanwhile_takes_no_place_of_what_was_anchored(
    behind: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_module, "MOST_BUNDLES", 1)
    stop, faults = threading.Event(), []
    address: PostgresAddress = as_role(behind.address, "gdpr_audit")

    def writes() -> None:
        database = Database(address, application="writer")
        try:
            while not stop.is_set():
                with database.transaction() as cur:
                    append(cur, an_entry())
                with suppress(SuiteError):
                    tree.sequence(database, insist=True)
        except BaseException as fault:
            faults.append(fault)
        finally:
            database.close()

    threads = [threading.Thread(target=writes) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        with suppress(SuiteError):
            if behind.restore()["status"] == "completed":
                break
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults, faults
    ((size, root),) = behind.ask("select size, root from gdpr.restoration")
    with behind.database.transaction() as cur:
        assert tree.root(tree.stored(cur), size) == bytes(root)
    behind.publish()
    well(behind)


def test_a_sequencer_with_an_old_snapshot_takes_no_place(behind: Unit) -> None:
    with connect(as_role(behind.address, "gdpr_audit"), application="old") as opened:
        opened.set_session(isolation_level="REPEATABLE READ")
        with opened.cursor() as cur, pytest.raises(psycopg2.errors.InvalidTransactionState):
            cur.execute("select gdpr.sequence(insist => true)")


def test_whoever_is_taking_entries_into_the_tree_ends_before_a_restoration_begins(unit: Unit) -> None:
    """A ledger that was never anchored is not known to be behind, so its sequencer may run."""
    unit.write(1)
    backup = unit.backup()
    unit.write(5)
    unit.publish()
    backup.write(1)
    with connect(as_role(backup.address, "gdpr_audit"), application="slow") as opened, opened.cursor() as cur:
        cur.execute("select gdpr.sequence()")
        with pytest.raises(SuiteError):
            backup.restore()
        opened.commit()
    assert backup.restore()["code"] == "ledger_forked"
    assert backup.ask("select count(*) from gdpr.restoration") == [(0,)]
    backup.close()


def test_what_others_write_is_the_next(behind: Unit, server: cursor) -> None:
    number = str(uuid.uuid4())
    behind.restore()
    behind.invoke(
        "record", kind="record.disclosure", event=number, by_role="app", occurred_at="2026-11-20T10:00:00Z", code="x"
    )
    assert behind.events[-1] == number
    assert server
