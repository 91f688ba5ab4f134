"""What somebody who may do everything with the database can do to the ledger, and by which name it is found."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.bucket import Folder
from shared.database import Database
from shared.ledger import bundle, tree
from shared.ledger.anchors import Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.note import LocalSigner, sign
from shared.ledger.publish import publish
from shared.ledger.verification import Verified, verify
from tests.integration.test_ledger_publish import SIGNER, cut, write
from tests.integration.test_ledger_tree import many
from tests.run import administrator, as_role

SIZE = 31  # anchored at 5, 11, 17, 23 and 29, and two more
TABLES = ("entry", "leaf", "tile", "tree_head", "anchor")


@pytest.fixture
def admin(postgres: PostgresAddress) -> Iterator[cursor]:
    with administrator(postgres) as cur:
        yield cur


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened
    opened.close()


@pytest.fixture
def anchors(tmp_path: Path, database: Database, admin: cursor) -> Anchors:
    """A ledger of 31 entries, five times anchored; and nothing that keeps its owner from changing it."""
    found = Anchors(Folder(tmp_path / "ledger"), name="shop-ledger", epoch=1, keys=[SIGNER.public])
    for _ in range(5):
        write(database, 5)
        publish(database, found, [SIGNER], keep=None)
    write(database, 2)
    tree.sequence(database)
    for table in TABLES:
        admin.execute(f"alter table gdpr.{table} disable trigger all")
    admin.execute("alter table gdpr.entry drop constraint entry_leaf")
    return found


def codes(done: Verified) -> dict[str, tuple[int | None, int | None]]:
    """The first finding of each code, with its leaves."""
    found: dict[str, tuple[int | None, int | None]] = {}
    for finding in done.findings:
        found.setdefault(finding.code, (finding.first, finding.last))
    return found


def test_a_clean_ledger_has_no_finding(database: Database, anchors: Anchors) -> None:
    done = verify(database, anchors)
    assert (done.size, done.anchored, done.anchors, done.findings) == (SIZE, 29, 5, [])


def test_an_empty_ledger_has_no_finding(database: Database, tmp_path: Path) -> None:
    nothing = Anchors(Folder(tmp_path / "nothing"), name="shop-ledger", epoch=1, keys=[SIGNER.public])
    assert verify(database, nothing) == Verified()


def test_tiles_and_heads_of_a_larger_ledger_have_no_finding(
    database: Database, tmp_path: Path, admin: cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ledger.verification.BATCH", 3)
    found = Anchors(Folder(tmp_path / "larger"), name="shop-ledger", epoch=1, keys=[SIGNER.public])
    for count in (1, 300, 2000, 5):
        many(admin, 1, count)
        tree.sequence(database)
        write(database, 1)
        publish(database, found, [SIGNER], keep=None)
    done = verify(database, found)
    assert {finding.code for finding in done.findings} == {"columns"}  # `many` writes bodies that say nothing
    assert (done.size, done.anchored) == (2313, 2313)


BODY = "decode('01' || encode(convert_to('{\"code\":\"x\"}', 'UTF8'), 'hex'), 'hex')"
WITH_HASH = f"update gdpr.entry set body = {BODY}, leaf_hash = sha256('\\x00'::bytea || {BODY})"
NUMBER = "(select l.entry_id from gdpr.leaf as l where l.leaf_index = 7)"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        # bytes of an entry
        (f"update gdpr.entry set body = {BODY} where id = {NUMBER}", {"entry_changed": (7, 7), "anchor": (5, 10)}),
        # and its leaf hash
        (f"{WITH_HASH} where id = {NUMBER}", {"entry_changed": (7, 7), "anchor": (5, 10), "entry_differs": (7, 7)}),
        # and the leaf's, and the heads'
        (
            f"{WITH_HASH} where id = {NUMBER};"
            " update gdpr.leaf set leaf_hash = (select e.leaf_hash from gdpr.entry as e where e.id = entry_id)",
            {"anchor": (5, 10), "head": (0, 9), "entry_differs": (7, 7)},
        ),
        (f"delete from gdpr.entry where id = {NUMBER}", {"entry_missing": (7, 7)}),
        ("delete from gdpr.leaf where leaf_index = 7", {"leaf_missing": (7, 7), "anchor": (5, 10)}),
        ("delete from gdpr.leaf where leaf_index = 30", {"leaf_missing": (30, 30)}),
        # deleted, and the indexes closed
        (
            "delete from gdpr.leaf where leaf_index = 7; update gdpr.leaf set leaf_index = -leaf_index - 1"
            " where leaf_index > 7; update gdpr.leaf set leaf_index = -leaf_index - 2 where leaf_index < 0",
            {"anchor": (5, 10), "head": (0, 9), "entry_differs": (7, 7)},
        ),
        # two leaves swapped within a batch
        (
            "update gdpr.leaf set entry_id = -entry_id where leaf_index in (7, 8);"
            " update gdpr.leaf as l set entry_id = -m.entry_id, leaf_hash = m.leaf_hash from gdpr.leaf as m"
            " where l.leaf_index in (7, 8) and m.leaf_index = 15 - l.leaf_index",
            {"anchor": (5, 10), "head": (0, 9), "entry_differs": (7, 7)},
        ),
        # a leaf that stands for another entry, while its hash is right
        (
            f"update gdpr.leaf set entry_id = -1 where leaf_index = 8; update gdpr.entry set id = default"
            f" where id = {NUMBER}",
            {"entry_missing": (7, 7)},
        ),
        ("update gdpr.tree_head set root = sha256('x') where size = 31", {"head": (0, 30)}),
        ("update gdpr.entry set kind = 'erasure.completed' where id = 3", {"columns": (None, None)}),
        ("update gdpr.entry set writer = 'gdpr_verify' where id = 3", {"columns": (None, None)}),
        ("update gdpr.entry set event_id = gen_random_uuid() where id = 3", {"columns": (None, None)}),
        ("update gdpr.entry set request = gen_random_uuid() where id = 3", {"columns": (None, None)}),
        ("update gdpr.entry set subject = sha256('x') where id = 3", {"columns": (None, None)}),
    ],
)
def test_what_was_changed_is_named(
    database: Database, anchors: Anchors, admin: cursor, change: str, found: dict[str, tuple[int, int]]
) -> None:
    admin.execute("alter table gdpr.leaf drop constraint leaf_leaf_index_check")
    admin.execute(change)
    named = codes(verify(database, anchors))
    assert {code: named.get(code) for code in found} == found


def test_a_tile_that_lies_while_its_leaves_are_right_is_named(
    database: Database, tmp_path: Path, admin: cursor
) -> None:
    found = Anchors(Folder(tmp_path / "larger"), name="shop-ledger", epoch=1, keys=[SIGNER.public])
    many(admin, 1, 70_000)
    publish(database, found, [SIGNER], keep=None)
    admin.execute("alter table gdpr.tile disable trigger all")
    admin.execute("update gdpr.tile set hashes = sha256('x') || substr(hashes, 33) where level = 0 and idx = 3")
    admin.execute("update gdpr.tile set root = sha256('x') where level = 0 and idx = 4")
    admin.execute("delete from gdpr.tile where level = 0 and idx = 5")
    admin.execute("update gdpr.tile set root = sha256('x') where level = 1")
    told = [finding.sentence for finding in verify(database, found).findings if finding.code.startswith("tile")]
    assert told == [
        "Tile 0/3 of the tree is not that of its leaves",
        "Tile 0/4 of the tree is not that of its leaves",
        "Tile 0/5 of the tree is gone",
        "Tile 1/0 of the tree is not that of its leaves",
    ]


def test_a_tail_that_was_cut_below_the_last_anchor_is_named(
    database: Database, anchors: Anchors, admin: cursor
) -> None:
    cut(admin, 17)
    assert codes(verify(database, anchors)) == {"behind": (17, 22)}


def test_leaves_that_no_head_knows_of_are_named(database: Database, anchors: Anchors, admin: cursor) -> None:
    admin.execute("delete from gdpr.tree_head where size = 31")
    assert codes(verify(database, anchors)) == {"head": (29, 30)}


def test_a_table_that_was_replaced_is_named(database: Database, anchors: Anchors, admin: cursor) -> None:
    for table in TABLES:
        admin.execute(f"truncate gdpr.{table}")
    write(database, 40)
    tree.sequence(database)
    assert "anchor" in codes(verify(database, anchors))


def hidden(anchors: Anchors, folder: Path) -> None:
    shutil.rmtree(folder / "1" / "checkpoints")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda folder: (folder / "1/checkpoints/00000000000000000011").unlink(), "anchor_missing"),
        (lambda folder: shutil.rmtree(folder / "1" / "checkpoints"), "anchor_missing"),
        (lambda folder: (folder / "1/checkpoints/00000000000000000011").write_text("x"), "anchor_missing"),
    ],
)
def test_an_anchor_that_is_gone_or_changed_is_named(
    database: Database, anchors: Anchors, tmp_path: Path, change: Callable[[Path], None], code: str
) -> None:
    change(tmp_path / "ledger")
    assert code in codes(verify(database, anchors))


def test_an_anchor_that_was_signed_anew_with_a_stolen_key_is_named(
    database: Database, anchors: Anchors, tmp_path: Path
) -> None:
    forged = sign(Checkpoint(origin="shop-ledger/1", size=11, root=bytes(32)).text, [SIGNER])
    (tmp_path / "ledger/1/checkpoints/00000000000000000011").write_text(forged)
    found = codes(verify(database, anchors))
    assert found["anchor_missing"] == (0, 10)
    assert found["anchor"] == (5, 10)


def test_an_anchor_of_an_unknown_key_counts_for_nothing(database: Database, anchors: Anchors) -> None:
    stranger = Anchors(anchors.bucket, name="shop-ledger", epoch=1, keys=[LocalSigner("shop-ledger", bytes(32)).public])
    assert set(codes(verify(database, stranger))) == {"anchor_key"}


def test_entries_that_never_got_into_the_tree_are_named(database: Database, anchors: Anchors, admin: cursor) -> None:
    write(database, 3)
    assert codes(verify(database, anchors)) == {}  # ten minutes are what the sequencer may take
    admin.execute("update gdpr.entry set written_at = written_at - interval '11 minutes'")
    assert codes(verify(database, anchors)) == {"unsequenced": (None, None)}


def test_an_index_that_lies_is_named(database: Database, anchors: Anchors, admin: cursor) -> None:
    admin.execute("set allow_system_table_mods = on")
    admin.execute("update pg_index set indisready = false where indexrelid = 'gdpr.leaf_pkey'::regclass")
    admin.execute("insert into gdpr.leaf select 31, entry_id + 1000, leaf_hash from gdpr.leaf where leaf_index = 7")
    admin.execute("update pg_index set indisready = true where indexrelid = 'gdpr.leaf_pkey'::regclass")
    database.close()
    assert "index" in codes(verify(database, anchors))


def test_a_bundle_that_is_gone_hides_nothing(
    database: Database, anchors: Anchors, admin: cursor, tmp_path: Path
) -> None:
    (tmp_path / "ledger" / bundle.key(1, 0, 29)).unlink()
    admin.execute(f"update gdpr.entry set body = {BODY} where id = {NUMBER}")
    assert codes(verify(database, anchors))["anchor"] == (5, 10)


def test_of_a_thousand_findings_fifty_are_told_and_the_rest_counted(
    database: Database, tmp_path: Path, admin: cursor
) -> None:
    nothing = Anchors(Folder(tmp_path / "nothing"), name="shop-ledger", epoch=1, keys=[SIGNER.public])
    many(admin, 1, 1000)
    tree.sequence(database)
    admin.execute("alter table gdpr.entry disable trigger all; delete from gdpr.entry")
    done = verify(database, nothing)
    assert (len(done.findings), done.more) == (50, 950)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (f"update gdpr.entry set body = '\\x01ff' where id = {NUMBER}", "entry_changed"),
        (f"update gdpr.entry set body = '\\x017b' where id = {NUMBER}", "entry_changed"),
        (
            "update gdpr.entry set body = chr(1)::bytea || convert_to('{\"request\":\"x\"}', 'UTF8')"
            f" where id = {NUMBER}",
            "entry_changed",
        ),
        (
            "alter table gdpr.leaf alter leaf_hash drop not null; update gdpr.leaf set leaf_hash = null"
            " where leaf_index = 7",
            "entry_changed",
        ),
        (
            "alter table gdpr.tree_head alter root drop not null;"
            " update gdpr.tree_head set root = null where size > 10",
            "head",
        ),
        ("alter table gdpr.anchor alter note drop not null; update gdpr.anchor set note = null", "anchor_missing"),
        # an entry that is in the tree at a place that there is not
        (
            "alter table gdpr.leaf drop constraint leaf_leaf_index_check;"
            " insert into gdpr.leaf values (-1, 999, sha256('x'))",
            "leaf_strange",
        ),
        # heads of leaves that there are not, and would take years to look for
        (
            "alter table gdpr.tree_head drop constraint tree_head_edge;"
            " insert into gdpr.tree_head values (9223372036854775807, sha256('x'), 'x', '0')",
            "leaf_missing",
        ),
        (
            "alter table gdpr.tree_head drop constraint tree_head_edge;"
            " insert into gdpr.tree_head values (9223372036854775807, sha256('x'), 'x', '0');"
            " insert into gdpr.leaf values (9223372036854775806, 999, sha256('x'))",
            "leaf_missing",
        ),
    ],
)
def test_whatever_it_is_made_of_it_is_told_of_and_breaks_nothing(
    database: Database, anchors: Anchors, admin: cursor, monkeypatch: pytest.MonkeyPatch, change: str, code: str
) -> None:
    monkeypatch.setattr("shared.ledger.verification.LONGEST_GAP", 1000)
    admin.execute(change)
    assert code in codes(verify(database, anchors))


def test_bundles_that_are_none_are_told_of(database: Database, anchors: Anchors, admin: cursor, tmp_path: Path) -> None:
    admin.execute(f"{WITH_HASH} where id = {NUMBER}")
    bundles = [path for path in (tmp_path / "ledger" / "1" / "tile").rglob("*") if path.is_file()]
    for text in (b"\xff\xff garbage", bytes(bundle.LARGEST + 1)):
        for path in bundles:
            path.write_bytes(text)
        found = codes(verify(database, anchors))
        assert found["bundle"] == (0, 28)
        assert "anchor" in found


def test_what_is_too_large_for_a_checkpoint_is_none(database: Database, anchors: Anchors) -> None:
    for size in (6, 40):
        anchors.bucket.put(anchors.key(size), bytes(1_000_000))
    assert verify(database, anchors).findings == []
    assert publish(database, anchors, [SIGNER], keep=None).size == SIZE + 1


def test_each_finding_is_explained() -> None:
    root = Path(__file__).resolve().parents[2]
    source = (root / "shared" / "ledger" / "verification.py").read_text()
    page = (root / "docs" / "ledger.md").read_text().partition("## What the database's own look finds")[2]
    codes = set(re.findall(r'done\.find\(\s*"([a-z_]+)"', source))
    assert len(codes) >= 15
    assert not {code for code in codes if f"`{code}`" not in page}
