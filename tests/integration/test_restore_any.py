"""Whatever a backup holds and whatever came after it: what was anchored is here again, or is declared lost."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql
from psycopg2.extensions import cursor

from local.postgres import programs
from shared import clock, migrations
from shared.addresses import PostgresAddress
from shared.bucket import Bucket
from shared.database import Database
from shared.ledger import bundle, tree
from shared.roles import LOGINS, set_password
from tests.integration.people import NOW, event
from tests.integration.test_restore import findings, unit, well
from tests.integration.unit_of_data import Unit
from tests.run import Run, administrator, as_role

__all__ = ["unit"]
FEW = st.integers(0, 3)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at_backup=st.integers(1, 300),
    is_anchored=st.booleans(),
    waiting=FEW,
    since=st.lists(st.integers(1, 280), max_size=3),
    before_noticed=FEW,
    is_believed=st.booleans(),
    after_noticed=FEW,
)
def test_it_ends_with_what_was_anchored_or_with_what_is_declared_lost(
    unit: Unit,
    tmp_path: Path,
    at_backup: int,
    is_anchored: bool,
    waiting: int,
    since: list[int],
    before_noticed: int,
    is_believed: bool,
    after_noticed: int,
) -> None:
    live = replace(unit.backup(), outside=tmp_path / uuid.uuid4().hex)
    live.write(at_backup)
    if is_anchored:
        live.publish()
    live.write(waiting)
    backup = live.backup()
    for count in since:
        live.write(count)
        live.publish()
    newest = [*live.anchors.since(0)][-1:]
    events = live.events
    live.close()

    backup.write(before_noticed)
    if is_believed:  # the restored database goes on as if it were the one that was backed up
        backup.ask("select gdpr.record_comparison('whole', 'shop-ledger/1', 0)")
    tree.sequence(backup.database, insist=True)
    backup.invoke("health")
    backup.write(after_noticed)
    done = backup.restore()
    if done["status"] == "blocked":
        assert done["code"] in ("ledger_forked", "entry_contradicted"), done
        done = backup.restore(lost=True)
        assert done["origin"] == "shop-ledger/2"
        assert {each.code for each in backup.verified().findings} <= {"entries_lost"}
    else:
        for anchor in newest:
            with backup.database.transaction() as cur:
                assert tree.root(tree.stored(cur), anchor.size) == anchor.checkpoint.root
            assert backup.events[: anchor.size] == events[: anchor.size]
        assert backup.verified().findings == ()
    assert done["status"] == "completed"
    assert findings(backup) == []
    assert backup.standing == "whole"
    waits = "select count(*) from gdpr.entry as e where not exists (select from gdpr.leaf where entry_id = e.id)"
    backup.publish()
    assert backup.ask(waits)[0][0] <= 1  # of the look that was recorded
    backup.close()


def dumped(source: PostgresAddress, target: PostgresAddress, file: Path, version: str) -> None:
    """What `pg_dump` has written of one database, in another one."""
    folder = programs(version) / "bin"
    common = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(folder.parent / "lib")}
    for program, address, options in (
        ("pg_dump", source, ["--format=custom", f"--file={file}"]),
        ("pg_restore", target, ["--dbname", target.database, str(file)]),
    ):
        where = ["-h", address.host, "-p", str(address.port), "-U", address.role]
        what = [*options] if program == "pg_restore" else [*options, address.database]
        environment = common | {"PGPASSWORD": address.password or ""}
        subprocess.run([str(folder / program), *where, *what], check=True, env=environment, capture_output=True)


def test_a_dump_that_is_restored_into_another_cluster_is_brought_up_too(
    unit: Unit, run: Run, new_server: PostgresAddress, server: cursor, tmp_path: Path
) -> None:
    """Transactions are counted anew there, and numbers of databases, too."""
    for _ in range(3000):
        server.execute("select pg_current_xact_id()")
    unit.invoke("register", request=event(1, phone="0170"))
    unit.write(300)
    unit.publish()
    unit.write(2)
    unit.close()
    with administrator(new_server) as cur:
        cur.execute("create database restored")
        first = Database(new_server, application="gdpr-tests")
        migrations.migrate(first)  # the roles are the server's
        first.close()
        for role in LOGINS:
            cur.execute(sql.SQL("alter role {} connection limit 100").format(sql.Identifier(role)))
            set_password(cur, role, as_role(new_server, role).password or "")
    target = replace(new_server, database="restored")
    dumped(unit.address, target, tmp_path / "unit.dump", run.postgres_major)
    unit.publish()
    unit.write(300)
    size = unit.publish()
    events = unit.events
    unit.close()

    with administrator(target) as cur:
        restored = Unit(address=target, outside=unit.outside, server=cur)
        assert restored.standing == "unknown"
        counted = "select pg_snapshot_xmax(pg_current_snapshot()) < max(horizon) from gdpr.tree_head"
        assert restored.ask(counted) == [(True,)]
        restored.write(3)
        answer = restored.restore()
        assert answer["status"] == "completed", answer
        assert restored.events[:size] == events
        assert answer["requests"]["suspended"] == 1
        well(restored)
        restored.write(2)
        restored.publish()
        well(restored)
        restored.close()


def test_a_bundle_is_read_below_what_was_put_over_it(locked: Bucket, s3: Any) -> None:
    key, good = bundle.key(1, 0, 2), [b"\x01{}", b"\x01[]"]
    locked.put(key, bundle.packed(good))
    for other in (b"garbage", bundle.packed([b"one"])):
        locked.put(key, other)
    s3.delete_object(Bucket=locked.where.split("/")[2], Key=f"unit/{key}")
    assert bundle.read(locked, key, lambda bodies: len(bodies) == 2) == good
    assert bundle.read(locked, key, lambda bodies: len(bodies) == 3) is None
    assert bundle.read(locked, bundle.key(1, 1, 2), lambda _: True) is None


CANARY = "kanarie"


def test_nothing_about_anybody_is_told(unit: Unit, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    unit.ask("insert into app.users values (9, 9, %s, %s, null)", f"{CANARY}@example.org", f"{CANARY}0170")
    unit.invoke("register", request=event(1, phone=f"{CANARY}0170"))
    unit.publish()
    backup = unit.backup()
    unit.invoke("register", request=event(2, email=f"{CANARY}@example.org"))
    unit.publish()
    answers: list[Any] = [
        backup.invoke("health"),
        backup.restore(by_role=f"{CANARY} Meier"),
        backup.restore(),
        backup.restore(lost=True),
        backup.invoke("verify"),
    ]
    named = {"subject_request_id": str(uuid.UUID(int=1)), "subject_request_type": "erasure"}
    officer = {"by_role": "officer", "decided_at": "2026-11-20T11:00:00Z"}
    answers.append(backup.invoke("reinstate", alias="officer", **named, **officer))
    assert answers[2]["status"] == "completed"
    assert CANARY not in str(answers).lower()
    files = [path.read_text(errors="replace") for path in (tmp_path / "outside").rglob("*") if path.is_file()]
    rows = [row for table in ("entry", "restoration", "comparison", "epoch") for row in backup.ask(
        f"select t::text, {'convert_from(body, $$UTF8$$)' if table == 'entry' else 'null'} from gdpr.{table} as t"
    )]  # fmt: skip
    assert rows
    assert CANARY not in str(rows).lower()
    assert not [text for text in files if CANARY in text.lower()]
    printed = capfd.readouterr()
    assert CANARY not in (printed.out + printed.err).lower()
    backup.close()
