"""The offline verifier on ledgers of the real writer: a clean one has no finding, and each attack has its own."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from shared import clock
from shared.addresses import PostgresAddress
from shared.bucket import Bucket, BucketAddress, Folder, open_bucket
from shared.database import Database
from shared.ledger import bundle
from shared.ledger.anchors import Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry
from shared.ledger.merkle import inclusion, leaf_hash, root_of
from shared.ledger.note import LocalSigner, sign
from shared.ledger.proof import written
from shared.ledger.publish import publish
from tests.integration.test_command_line import gdpr
from tests.integration.test_ledger_publish import ORIGIN, SIGNER, around, cut, entries_outside, published, sizes, write
from tests.integration.test_ledger_tree import an_entry, many
from tests.run import Run, administrator, as_role
from verifier.log import Report, verify
from verifier.note import PublicKey
from verifier.source import SourceFault, opened

OTHER = LocalSigner("shop-ledger", bytes(range(1, 33)))
VKEY = str(SIGNER.public)


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened_ = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened_
    opened_.close()


@pytest.fixture
def admin(postgres: PostgresAddress) -> Iterator[cursor]:
    with administrator(postgres) as cur:
        yield cur


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def anchors(place: Path) -> Anchors:
    return around(Folder(place))


@pytest.fixture
def log(database: Database, anchors: Anchors, admin: cursor) -> Anchors:
    """Of 623 entries with checkpoints at 5, 612, 618 and 623, in two bundles that are full and others that are not."""
    write(database, 5)
    published(database, anchors)
    insert(admin, 606)
    published(database, anchors)
    write(database, 5)
    published(database, anchors)
    write(database, 4)
    published(database, anchors)
    assert sizes(anchors) == [5, 612, 618, 623]
    return anchors


def insert(admin: cursor, count: int) -> None:
    """Past the door, and as the door would have them."""
    bodies = [an_entry(number, size=number).body for number in range(1, count + 1)]
    admin.execute(
        "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
        " select 'gdpr_audit', 'record.made', gen_random_uuid(), b, sha256('\\x00'::bytea || b) from unnest(%s) as b",
        (bodies,),
    )


def checked(place: Path | str, *signers: LocalSigner, endpoint: str | None = None, **options: Any) -> Report:
    keys = [PublicKey.parse(str(signer.public)) for signer in signers or (SIGNER,)]
    return verify(opened(str(place), region="us-east-2", endpoint=endpoint), keys, **options)


def found(place: Path | str, *signers: LocalSigner, **options: Any) -> list[tuple[str, int | None, int | None]]:
    return [(each.code, each.first, each.last) for each in checked(place, *signers, **options).findings]


def codes(place: Path | str, *signers: LocalSigner, **options: Any) -> list[str]:
    return [code for code, _, _ in found(place, *signers, **options)]


def test_what_the_writer_published_has_no_finding(log: Anchors, place: Path) -> None:
    report = checked(place, name="shop-ledger")
    assert report.findings == ()
    (epoch,) = report.epochs
    assert (epoch.origin, epoch.entries, epoch.checkpoints, epoch.agreeing) == (ORIGIN, 623, 4, 4)


def test_a_ledger_is_well_after_each_step_of_its_life(
    database: Database, anchors: Anchors, admin: cursor, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ledger.publish.MOST_BUNDLES", 2)
    write(database)
    published(database, anchors)
    assert codes(place) == []
    insert(admin, 1300)
    for _ in range(4):
        published(database, anchors)
        assert codes(place) == []
    with clock.standing_at(datetime.now(UTC) + timedelta(hours=25)):
        published(database, anchors)
    assert codes(place) == []
    anchors.bucket.put(anchors.key(1400), b"garbage where the next may belong")
    write(database)
    both = Anchors(anchors.bucket, name="shop-ledger", epoch=1, keys=[SIGNER.public, OTHER.public])
    for signers in ([SIGNER, OTHER], [OTHER]):
        publish(database, both, signers, keep=None)
        write(database)
    assert codes(place, SIGNER, OTHER) == ["squatted"]


# What somebody may do to the objects ---------------------------------------------------------------------------------

FIRST, FULL, LAST = "1/tile/entries/000", "1/tile/entries/001", "1/tile/entries/002.p/111"


def rewritten(place: Path, change: Callable[[list[bytes]], None]) -> list[bytes]:
    """All bundles laid anew, with other entries, as whoever has the whole place could."""
    bodies = entries_outside(around(Folder(place)), 623)
    change(bodies)
    for file in (place / "1" / "tile").rglob("*"):
        if file.is_file():
            file.unlink()
    for index in range(-(-len(bodies) // 256)):
        part = bodies[index * 256 : index * 256 + 256]
        path = place / bundle.key(1, index, len(part))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bundle.packed(part))
    return bodies


def checkpoint(place: Path, bodies: list[bytes], size: int, signer: LocalSigner = SIGNER) -> None:
    root = root_of(map(leaf_hash, bodies[:size]))
    note = sign(Checkpoint(origin=ORIGIN, size=size, root=root).text, [signer])
    (place / around(Folder(place)).key(size)).write_text(note)


@pytest.mark.parametrize("at", [2, 48])
def test_an_entry_that_was_edited(log: Anchors, place: Path, at: int) -> None:
    raw = (place / FULL).read_bytes()
    changed = raw.replace(b'"size":%d,' % (256 + at), b'"size":%d,' % (999 - at), 1)
    assert changed != raw
    (place / FULL).write_bytes(changed)
    assert found(place) == [("wrong_root", 5, 611)]
    assert checked(place).findings[0].key == f"{FIRST} to 1/tile/entries/002"
    assert checked(place).epochs[0].agreeing == 1


def test_any_bit_of_a_bundle_that_was_flipped(log: Anchors, place: Path) -> None:
    file = place / LAST
    raw = file.read_bytes()
    start = raw.rindex(b"\x01{") - 2
    for at in range(start, len(raw), 5):
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :])
        assert {"wrong_root", "bundle_malformed"} & set(codes(place)), at


def test_an_entry_that_was_taken_out(log: Anchors, place: Path) -> None:
    def take_out(bodies: list[bytes]) -> None:
        del bodies[300]

    rewritten(place, take_out)
    assert found(place)[:2] == [("wrong_root", 5, 611), ("entries_missing", 622, 622)]


def test_an_entry_that_was_put_in(log: Anchors, place: Path) -> None:
    rewritten(place, lambda bodies: bodies.insert(300, an_entry().body))
    assert found(place)[0] == ("wrong_root", 5, 611)


def test_two_entries_that_were_swapped(log: Anchors, place: Path) -> None:
    def swap(bodies: list[bytes]) -> None:
        bodies[619], bodies[620] = bodies[620], bodies[619]

    rewritten(place, swap)
    assert found(place) == [("wrong_root", 618, 622)]


def test_a_tail_that_was_cut_below_the_last_checkpoint(log: Anchors, place: Path) -> None:
    (place / LAST).unlink()
    assert found(place) == [("entries_missing", 618, 622)]
    (place / FULL).unlink()
    assert found(place) == [("entries_missing", 256, 511), ("entries_missing", 618, 622)]


def test_a_ledger_that_was_replaced_as_a_whole(log: Anchors, place: Path) -> None:
    def replace(bodies: list[bytes]) -> None:
        bodies[:] = [an_entry().body for _ in bodies]

    rewritten(place, replace)
    assert found(place)[0] == ("wrong_root", 0, 4)


def test_with_the_key_stolen_older_checkpoints_contradict_one_that_was_signed_anew(log: Anchors, place: Path) -> None:
    bodies = rewritten(place, lambda bodies: bodies.__setitem__(300, an_entry().body))
    checkpoint(place, bodies, 623)
    assert found(place)[0] == ("fork", 5, 611)


def test_with_the_key_stolen_and_all_signed_anew_what_the_ledger_tells_of_itself_is_wrong(
    log: Anchors, place: Path
) -> None:
    bodies = rewritten(place, lambda bodies: bodies.__setitem__(2, an_entry().body))
    for size in (5, 612, 618, 623):
        checkpoint(place, bodies, size)
    assert set(codes(place)) == {"checkpoint_changed"}
    assert len(found(place)) == 3


def test_with_the_key_stolen_and_all_told_anew_only_who_kept_a_checkpoint_sees_it(log: Anchors, place: Path) -> None:
    """What no place can show by itself: docs/ledger.md says so, and what helps."""
    bodies = rewritten(place, lambda bodies: bodies.__setitem__(2, an_entry().body))
    for size, teller in ((5, 611), (612, 617), (618, 622)):
        checkpoint(place, bodies, size)
        note = (place / log.key(size)).read_bytes()
        told = Entry.parse(bodies[teller])
        assert told.said["size"] == size
        said = dict(told.said) | {"note": sha256(note).hexdigest()}
        bodies[teller] = Entry(event=told.event, kind=told.kind, writer=told.writer, at=told.at, said=said).body
    checkpoint(place, bodies, 623)
    rewritten(place, lambda old: old.__setitem__(slice(None), bodies))
    assert found(place) == []


def test_a_checkpoint_of_a_key_that_nobody_knows(log: Anchors, place: Path) -> None:
    bodies = entries_outside(log, 623)
    checkpoint(place, bodies, 623, OTHER)
    assert found(place) == [("squatted", None, None)]
    assert checked(place).epochs[0].beyond == 5
    checkpoint(place, bodies, 618, OTHER)
    assert found(place)[0] == ("checkpoint_changed", 622, 622)
    assert codes(place, OTHER)[0] == "checkpoint_changed"
    assert codes(place, LocalSigner("x", bytes(32))) == ["nothing_signed"]


def test_two_checkpoints_that_were_deleted(log: Anchors, place: Path) -> None:
    for size in (612, 618):
        (place / log.key(size)).unlink()
    assert found(place) == [("checkpoint_missing", 617, 617), ("checkpoint_missing", 622, 622)]
    assert checked(place).epochs[0].agreeing == 2


def test_the_newest_checkpoints_that_were_deleted_are_told_of_by_entries_that_nothing_signed_covers(
    log: Anchors, place: Path
) -> None:
    for size in (618, 623):
        (place / log.key(size)).unlink()
    assert found(place) == [("checkpoint_missing", 622, 622)]


def test_a_tail_with_its_checkpoints_shows_in_no_folder(log: Anchors, place: Path) -> None:
    (place / log.key(623)).unlink()
    (place / LAST).unlink()
    assert found(place) == []


@pytest.mark.parametrize("size", [5, 618, 623])
def test_a_checkpoint_that_was_changed_anywhere(log: Anchors, place: Path, size: int) -> None:
    file = place / log.key(size)
    note = file.read_bytes()
    for at in range(0, len(note), 3):
        file.write_bytes(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :])
        expected = {"checkpoint_changed", "checkpoint_forged", "squatted"} - ({"squatted"} if size < 623 else set())
        assert set(codes(place)) & expected, at
    file.write_bytes(note)
    assert codes(place) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\0",
        lambda raw: raw + raw,
        lambda raw: raw[:-3],
        lambda raw: b"\xff\xff" + raw[2:],
    ],
)
def test_a_bundle_that_does_not_come_out_even(log: Anchors, place: Path, change: Callable[[bytes], bytes]) -> None:
    (place / FULL).write_bytes(change((place / FULL).read_bytes()))
    assert found(place) == [("entries_missing", 256, 511), ("bundle_malformed", 256, 511)]


def test_entries_that_are_not_in_their_one_form(
    database: Database, anchors: Anchors, admin: cursor, place: Path
) -> None:
    """Past the door, but signed all the same."""
    many(admin, 1, 3)
    write(database)
    published(database, anchors)
    assert found(place) == [("entry_malformed", 0, 2)]


def test_a_checkpoint_under_another_key(log: Anchors, place: Path) -> None:
    (place / log.key(615)).write_bytes((place / log.key(618)).read_bytes())
    assert found(place) == [("wrong_place", None, None)]
    (place / log.key(618)).unlink()
    assert found(place) == [("checkpoint_missing", 622, 622), ("wrong_place", None, None)]


def test_another_ledger(log: Anchors, place: Path) -> None:
    assert set(codes(place, name="another")) == {"wrong_place", "nothing_signed"}


class TestARestoredDatabase:
    """That publishes past every refusal, since whoever runs it has the key and no memory."""

    @pytest.fixture(autouse=True)
    def restored(self, log: Anchors, database: Database, admin: cursor, monkeypatch: pytest.MonkeyPatch) -> None:
        cut(admin, 612)
        monkeypatch.setattr("shared.ledger.publish.compared", lambda *_: log.since(612)[0])

    def test_and_has_less(self, database: Database, log: Anchors, place: Path) -> None:
        write(database, 3)
        published(database, log)
        assert sizes(log) == [5, 612, 616, 618, 623]
        assert found(place)[:2] == [("fork", 612, 617), ("fork", 612, 622)]

    def test_and_has_grown_past_its_anchor(self, database: Database, log: Anchors, place: Path) -> None:
        write(database, 40)
        published(database, log)
        assert "bundle_contradicted" in codes(place)
        assert "wrong_root" in codes(place) or "fork" in codes(place)

    def test_and_meets_one_of_its_own_keys(self, database: Database, log: Anchors, place: Path) -> None:
        write(database, 5)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Folder, "put_new", lambda self, key, body, **_: self.put(key, body))
            published(database, log)
        assert sizes(log) == [5, 612, 618, 623]
        assert not checked(place).is_clean
        assert {"checkpoint_changed", "wrong_root", "fork"} & set(codes(place))


# In S3 ---------------------------------------------------------------------------------------------------------------


class Locked:
    """A bucket of moto's with Object Lock, and a ledger in it."""

    def __init__(self, s3: Any, run: Run, database: Database, folder: Path) -> None:
        self.s3 = s3
        self.name = f"ledger-{uuid.uuid4()}"
        self.endpoint = run.stores.aws_endpoint
        s3.create_bucket(
            Bucket=self.name,
            CreateBucketConfiguration={"LocationConstraint": "us-east-2"},
            ObjectLockEnabledForBucket=True,
        )
        address = BucketAddress.parse(f"s3://{self.name}/unit", variable="LEDGER_BUCKET")
        self.bucket: Bucket = open_bucket(address, region="us-east-2", endpoint=self.endpoint)
        self.anchors = around(self.bucket)
        for _ in range(3):
            write(database, 3)
            published(database, around(Folder(folder)))
            self._take_over(folder)

    def _take_over(self, folder: Path) -> None:
        """What was published to a folder, as it is published here."""
        for file in sorted(folder.rglob("*")):
            key = file.relative_to(folder).as_posix()
            if file.is_file() and self.bucket.get(key) is None:
                until = datetime.now(UTC) + timedelta(days=1) if "checkpoints" in key else None
                self.bucket.put_new(key, file.read_bytes(), keep_until=until)

    @property
    def place(self) -> str:
        return f"s3://{self.name}/unit"

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=f"unit/{key}")

    def codes(self, **options: Any) -> list[str]:
        return codes(self.place, endpoint=self.endpoint, **options)


@pytest.fixture
def s3(run: Run, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3
    from botocore.config import Config

    for name, value in run.stores.aws_credentials.items():
        monkeypatch.setenv(name, value)
    config = Config(s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=run.stores.aws_endpoint, region_name="us-east-2", config=config)


@pytest.fixture
def locked(s3: Any, run: Run, database: Database, place: Path) -> Locked:
    return Locked(s3, run, database, place)


def test_a_ledger_in_a_bucket_has_no_finding(locked: Locked) -> None:
    assert locked.codes() == []
    (epoch,) = checked(locked.place, endpoint=locked.endpoint).epochs
    assert (epoch.entries, epoch.checkpoints, epoch.agreeing) == (11, 3, 3)
    assert epoch.since
    assert epoch.until
    assert epoch.since <= epoch.until


def test_marks_of_deletion_hide_nothing(locked: Locked) -> None:
    locked.delete(locked.anchors.key(3))
    locked.delete(locked.anchors.key(11))
    locked.delete("1/tile/entries/000.p/11")
    assert locked.codes() == ["checkpoint_hidden", "checkpoint_hidden", "bundle_hidden"]
    assert checked(locked.place, endpoint=locked.endpoint).epochs[0].agreeing == 3


def test_another_version_over_a_checkpoint_is_seen_and_the_one_below_counts(locked: Locked) -> None:
    locked.bucket.put(locked.anchors.key(7), b"garbage")
    assert locked.codes() == ["checkpoint_hidden", "squatted"]
    forged = sign(Checkpoint(origin=ORIGIN, size=7, root=bytes(32)).text, [SIGNER]).encode()
    locked.bucket.put(locked.anchors.key(7), forged)
    assert locked.codes() == ["fork", "squatted"]


def test_another_version_of_a_bundle_is_seen(locked: Locked) -> None:
    bodies = bundle.unpacked(locked.bucket.get("1/tile/entries/000.p/11") or b"")
    locked.bucket.put("1/tile/entries/000.p/11", bundle.packed([*bodies[:8], an_entry().body, *bodies[9:]]))
    assert locked.codes() == ["wrong_root", "bundle_changed"]


def test_by_the_buckets_clock_it_may_be_stale_or_have_been_silent(locked: Locked) -> None:
    assert locked.codes(now=datetime.now(UTC) + timedelta(hours=25)) == []
    assert locked.codes(now=datetime.now(UTC) + timedelta(hours=27)) == ["stale"]
    late = timedelta(microseconds=-1)
    assert set(locked.codes(allowed=late)) == {"silence", "stale"}


def test_more_objects_than_a_page_of_s3_holds(locked: Locked) -> None:
    for number in range(1040):
        locked.bucket.put(f"1/checkpoints/{100 + number:020}", b"garbage")
    report = checked(locked.place, endpoint=locked.endpoint)
    assert {finding.code for finding in report.findings} == {"squatted"}
    assert len(report.findings) + report.more["squatted"] == 1040


def test_a_bucket_that_is_not_there_or_does_not_answer_is_no_finding(locked: Locked) -> None:
    with pytest.raises(SourceFault, match="no such bucket") as missing:
        codes("s3://no-such-bucket", endpoint=locked.endpoint)
    assert not missing.value.is_passing
    with pytest.raises(SourceFault, match="does not answer") as silent:
        codes("s3://ledger", endpoint="http://127.0.0.1:9")
    assert silent.value.is_passing


def test_an_empty_bucket(locked: Locked) -> None:
    assert codes(f"s3://{locked.name}/elsewhere", endpoint=locked.endpoint) == ["empty"]


# On the command line -------------------------------------------------------------------------------------------------


def test_a_person_reads_that_all_is_well(log: Anchors, place: Path) -> None:
    answer = gdpr("ledger", "verify", str(place), "--key", VKEY)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"The ledger {ORIGIN} at {place}" in answer.stdout
    assert "623 entries in 4 checkpoints, all of which agree with the entries" in answer.stdout
    assert f"signed by {SIGNER.public.name}+{SIGNER.public.id.hex()}: 4 checkpoints, of size 5 to 623" in answer.stdout
    assert answer.stdout.endswith(
        "All is well: what lies there is what was signed, and nothing that the ledger tells of is missing.\n"
    )
    assert max(map(len, answer.stdout.splitlines())) <= 120


def test_a_person_reads_what_is_wrong_and_what_to_do(log: Anchors, place: Path) -> None:
    (place / log.key(618)).unlink()
    (place / log.key(700)).write_bytes(b"\x1b[2Jgarbage")
    answer = gdpr("ledger", "verify", f"file://{place}", "--key", VKEY)
    assert answer.returncode == 1
    assert "error: checkpoint_missing, epoch 1, entry 622" in answer.stdout
    assert "What to do: see who deleted it" in answer.stdout
    assert answer.stdout.index("error: ") < answer.stdout.index("warning: squatted")
    assert "1 error, 1 warning" in answer.stdout
    assert "\x1b" not in answer.stdout


def test_warnings_mean_no_where_that_is_asked_for(log: Anchors, place: Path) -> None:
    (place / log.key(700)).write_bytes(b"garbage")
    assert gdpr("ledger", "verify", str(place), "--key", VKEY).returncode == 0
    assert gdpr("ledger", "verify", str(place), "--key", VKEY, "--strict").returncode == 1


def test_a_machine_gets_json(log: Anchors, place: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# of 2026\n{VKEY}\n\n{OTHER.public}\n")
    answer = gdpr("ledger", "verify", "--key", str(keys), "--json", LEDGER_BUCKET=f"file://{place}")
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["clean"], told["findings"]) == (0, True, [])
    assert told["epochs"][0] | {"first_at": 0, "last_at": 0} == {
        "epoch": 1,
        "origin": ORIGIN,
        "entries": 623,
        "beyond": 0,
        "checkpoints": 4,
        "agreeing": 4,
        "since": None,
        "until": None,
        "first_at": 0,
        "last_at": 0,
        "keys": {f"shop-ledger+{SIGNER.public.id.hex()}": {"checkpoints": 4, "first": 5, "last": 623}},
    }
    (place / LAST).unlink()
    broken = json.loads(gdpr("ledger", "verify", "--key", VKEY, "--json", str(place)).stdout)
    assert [(each["code"], each["severity"], each["first"], each["last"]) for each in broken["findings"]] == [
        ("entries_missing", "error", 618, 622)
    ]


def test_a_bucket_is_verified_from_the_command_line(locked: Locked, run: Run) -> None:
    environment = dict(run.stores.aws_credentials) | {"AWS_ENDPOINT_URL": locked.endpoint, "AWS_REGION": "us-east-2"}
    answer = gdpr("ledger", "verify", "--key", VKEY, LEDGER_BUCKET=locked.place, **environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "by the bucket's clock" in answer.stdout
    nowhere = gdpr("ledger", "verify", "--key", VKEY, LEDGER_BUCKET="no-such-bucket", **environment)
    assert nowhere.returncode == 2
    assert "There is no such bucket at s3://no-such-bucket: correct the name." in nowhere.stderr
    environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    assert gdpr("ledger", "verify", "--key", VKEY, LEDGER_BUCKET="ledger", **environment).returncode == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "No key is given"),
        (["--key", "nonsense"], "neither a key nor a file"),
        (["--key", VKEY[:-1]], "A key cannot be used"),
        (["--key", SIGNER.as_text()], "a signing key, which is nobody's to see"),
        (["--key", VKEY], "No place is named"),
        (["--key", VKEY, "/not/there"], "There is no folder /not/there"),
        (["--key", VKEY, "--proof", "x"], "needs --proof and --entry"),
        (["--key", VKEY, "--proof", "x", "--entry", "y", "place"], "needs --proof and --entry"),
        (["--key", VKEY, "--proof", "/not/there", "--entry", "y"], "/not/there cannot be read"),
    ],
)
def test_misuse_is_told_with_what_to_do(words: list[str], sentence: str) -> None:
    answer = gdpr("ledger", "verify", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert sentence in answer.stderr
    assert base64.b64encode(bytes(range(32))).decode()[:12] not in answer.stderr


def test_an_entry_is_proved_without_any_place(log: Anchors, tmp_path: Path) -> None:
    bodies = entries_outside(log, 623)
    leaves = list(map(leaf_hash, bodies))
    way = inclusion(lambda start, end: root_of(leaves[start:end]), 400, 623)
    text = written(400, way, log.read(623) or "")
    proof, entry = tmp_path / "400.tlog-proof", tmp_path / "400.bin"
    proof.write_text(text)
    entry.write_bytes(bodies[400])
    words = ("ledger", "verify", "--proof", str(proof), "--entry", str(entry), "--key", VKEY)

    answer = gdpr(*words, "--origin", "shop-ledger")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "(record.made, 2026-11-20 09:00 UTC) is number 400 of the ledger shop-ledger/1" in answer.stdout
    told = json.loads(gdpr(*words, "--json").stdout)
    assert (told["holds"], told["index"], told["size"]) == (True, 400, 623)

    entry.write_bytes(bodies[401])
    wrong = gdpr(*words)
    assert wrong.returncode == 1
    assert "error: proof_wrong" in wrong.stdout
    proof.write_text(text + "\n")
    assert json.loads(gdpr(*words, "--json").stdout)["findings"][0]["code"] == "proof_malformed"
