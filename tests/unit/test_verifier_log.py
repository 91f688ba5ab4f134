"""What a verification of a whole log finds, in places that tell when each object was put there."""

from __future__ import annotations

import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from shared.ledger import bundle
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry
from shared.ledger.merkle import EMPTY, leaf_hash, root_of
from shared.ledger.note import LocalSigner, sign
from verifier.bundle import named
from verifier.bundles import Bundles
from verifier.findings import CODES, Finding, Findings
from verifier.log import Report, verify
from verifier.note import PublicKey
from verifier.source import Folder, Source, SourceFault, Version, opened

SIGNER = LocalSigner("shop-ledger", bytes(range(32)))
OTHER = LocalSigner("shop-ledger", bytes(range(1, 33)))
BEGUN = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Place:
    """What S3 is to the verifier: versions, marks of deletion, and times."""

    has_times = True
    where = "s3://shop-ledger"

    def __init__(self) -> None:
        self._objects: dict[str, list[tuple[Version, bytes]]] = {}
        self.largest = 0  # bytes of what was read
        self.now = BEGUN

    def put(self, key: str, raw: bytes) -> None:
        self._add(key, raw, is_deletion=False)

    def delete(self, key: str) -> None:
        self._add(key, b"", is_deletion=True)

    def erase(self, key: str) -> None:
        """With all its versions, as Object Lock forbids."""
        del self._objects[key]

    def _add(self, key: str, raw: bytes, *, is_deletion: bool) -> None:
        version = Version(key=key, id=uuid.uuid4().hex, at=self.now, size=len(raw), is_deletion=is_deletion)
        self._objects.setdefault(key, []).insert(0, (version, raw))

    def get(self, key: str) -> bytes:
        return self._objects[key][0][1]

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key for key in self._objects if key.startswith(prefix))

    def epochs(self) -> list[int]:
        return sorted({int(key.split("/")[0]) for key in self._objects})

    def versions(self, prefix: str) -> Iterator[Version]:
        for key in self.keys(prefix):
            yield from (version for version, _ in self._objects[key])

    def read(self, version: Version) -> bytes:
        self.largest = max(self.largest, version.size)
        return next(raw for each, raw in self._objects[version.key] if each.id == version.id)


class Log:
    """A writer, with its own modules and without a database."""

    def __init__(self, place: Place, *, epoch: int = 1, signer: LocalSigner = SIGNER) -> None:
        self.place = place
        self.epoch = epoch
        self.signers = [signer]
        self.bodies: list[bytes] = []
        self.last: tuple[int, str] | None = None

    @property
    def origin(self) -> str:
        return f"shop-ledger/{self.epoch}"

    def write(self, count: int = 1, kind: str = "record.made", **said: Any) -> None:
        for _ in range(count):
            entry = Entry(event=uuid.uuid4(), kind=kind, writer="gdpr_audit", at=self.place.now, said=said)
            self.bodies.append(entry.body)

    def tell(self) -> None:
        if self.last:
            self.write(kind="ledger.anchored", origin=self.origin, size=self.last[0], note=self.last[1])

    def publish(self, after: timedelta = HOUR) -> str:
        """The key of the checkpoint."""
        self.place.now += after
        self.tell()
        self.lay()
        return self.sign()

    def lay(self) -> None:
        for index in range((self.last[0] if self.last else 0) // 256, -(-len(self.bodies) // 256)):
            bodies = self.bodies[index * 256 : index * 256 + 256]
            self.place.put(bundle.key(self.epoch, index, len(bodies)), bundle.packed(bodies))

    def sign(self) -> str:
        size = len(self.bodies)
        key, note = key_of(size, self.epoch), self.note(size)
        self.last = (size, sha256(note).hexdigest())
        self.place.put(key, note)
        return key

    def note(self, size: int, root: bytes | None = None) -> bytes:
        hashed = root or root_of(map(leaf_hash, self.bodies[:size]))
        return sign(Checkpoint(origin=self.origin, size=size, root=hashed).text, self.signers).encode()


def key_of(size: int, epoch: int = 1) -> str:
    return f"{epoch}/checkpoints/{size:020}"


def public(signer: LocalSigner) -> PublicKey:
    return PublicKey.parse(str(signer.public))


def checked(place: Source, *signers: LocalSigner, now: datetime | None = None, **options: Any) -> Report:
    now = now or (place.now if isinstance(place, Place) else None)
    return verify(place, [public(each) for each in signers or (SIGNER,)], now=now, **options)


def found(place: Source, *signers: LocalSigner, **options: Any) -> list[tuple[str, int | None, int | None]]:
    return [(each.code, each.first, each.last) for each in checked(place, *signers, **options).findings]


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def log(place: Place) -> Log:
    """Of 703 entries and four checkpoints, at 300, 601, 652 and 703."""
    log = Log(place)
    for count in (300, 300, 50, 50):
        log.write(count)
        log.publish()
    assert [int(key[-20:]) for key in place.keys("1/checkpoints")] == [300, 601, 652, 703]
    return log


def test_a_log_that_is_well_has_no_finding_and_is_told_of(place: Place, log: Log) -> None:
    report = checked(place)
    assert report.findings == ()
    assert report.is_clean
    (epoch,) = report.epochs
    assert (epoch.origin, epoch.entries, epoch.beyond) == ("shop-ledger/1", 703, 0)
    assert (epoch.checkpoints, epoch.agreeing) == (4, 4)
    assert (epoch.since, epoch.until) == (BEGUN + HOUR, BEGUN + 4 * HOUR)
    assert (epoch.first_at, epoch.last_at) == ("2026-11-01T12:00:00.000Z", "2026-11-01T16:00:00.000Z")
    signed = epoch.keys[str(public(SIGNER))]
    assert (signed.checkpoints, signed.first, signed.last) == (4, 300, 703)


@pytest.mark.parametrize("counts", [[1], [255], [256], [257], [256, 255], [1] * 20, [512, 0, 256], [700, 1, 67, 1]])
def test_logs_of_every_length_are_well(place: Place, counts: list[int]) -> None:
    log = Log(place)
    for count in counts:
        log.write(count)
        log.publish()
    assert found(place) == []


def test_a_log_is_well_at_any_moment_of_a_writer_who_is_killed(place: Place, log: Log) -> None:
    log.write(300)
    log.tell()
    log.lay()
    report = checked(place)
    assert (report.findings, report.epochs[0].beyond) == ((), 301)
    log.sign()
    assert found(place) == []
    log.publish()
    assert found(place) == []


def test_ten_thousand_bundles_are_read_in_their_order(place: Place) -> None:
    """Keys of the second thousand sort behind, those of the second million in between."""
    log = Log(place)
    log.bodies = [Entry(event=uuid.UUID(int=1), kind="record.made", writer="gdpr_audit", at=BEGUN, said={}).body] * 256
    log.bodies *= 1002
    log.publish()
    assert "1/tile/entries/x001/001" in place.keys("1/tile")
    assert found(place) == []
    place.erase("1/tile/entries/x001/000")
    assert found(place) == [("entries_missing", 256_000, 256_255)]


def test_bundles_come_in_the_order_of_their_indices_however_many_there_are(place: Place) -> None:
    indices = [0, 1, 999, *range(1000, 1_004_000, 1000), 1_003_001]
    for index in indices:
        place.put(bundle.key(1, index, 7), b"")
        place.put(bundle.key(1, index), b"")
    assert [index for index, _ in Bundles(place, 1, Findings())._listing()] == indices


# Time ----------------------------------------------------------------------------------------------------------------


def test_silence_is_told_with_what_was_written_in_it(place: Place, log: Log) -> None:
    log.write(10)
    log.publish(timedelta(hours=26))
    assert found(place) == []
    log.write(5)
    log.publish(timedelta(hours=26, minutes=1))
    assert found(place) == [("silence", 714, 719)]
    assert found(place, allowed=timedelta(hours=30)) == []


def test_a_log_that_ended_is_stale(place: Place, log: Log) -> None:
    assert found(place, now=place.now + 26 * HOUR) == []
    report = checked(place, now=place.now + 27 * HOUR)
    assert [finding.code for finding in report.findings] == ["stale"]
    assert "2026-11-01 16:00 UTC" in report.findings[0].what


def test_a_tail_that_was_cut_off_shows_by_its_age(place: Place, log: Log) -> None:
    for _ in range(40):
        log.write(3)
        log.publish()
    for key in place.keys("1/checkpoints")[5:]:
        place.erase(key)
    for key in place.keys("1/tile"):
        index, width = named(key.removeprefix("1/tile/entries/")) or (0, 0)
        if index * 256 + width > 707:
            place.erase(key)
    assert found(place) == [("stale", None, None)]


# What was put over, hidden, and put in between -----------------------------------------------------------------------


def test_a_mark_of_deletion_hides_nothing(place: Place, log: Log) -> None:
    place.delete(key_of(601))
    place.delete("1/tile/entries/000")
    assert found(place) == [("checkpoint_hidden", None, None), ("bundle_hidden", 0, 255)]
    assert checked(place).epochs[0].agreeing == 4


def test_garbage_over_a_checkpoint_hides_nothing(place: Place, log: Log) -> None:
    place.put(key_of(601), b"garbage")
    assert found(place) == [("checkpoint_hidden", None, None), ("squatted", None, None)]


def test_two_versions_of_one_checkpoint_that_say_the_same_are_one(place: Place, log: Log) -> None:
    log.signers = [SIGNER, OTHER]
    place.put(key_of(601), log.note(601))
    assert found(place) == []


def test_two_versions_of_one_checkpoint_that_contradict_each_other_are_a_fork(place: Place, log: Log) -> None:
    place.put(key_of(601), log.note(601, bytes(32)))
    assert found(place) == [("fork", 0, 600)]


def test_two_versions_of_a_bundle_have_the_same_bytes(place: Place, log: Log) -> None:
    place.put("1/tile/entries/001", place.get("1/tile/entries/001"))
    assert found(place) == []
    place.put("1/tile/entries/001", bundle.packed(log.bodies[:256]))
    assert found(place) == [("wrong_root", 300, 600), ("bundle_changed", 256, 511), ("bundle_contradicted", 256, 299)]


def test_a_fork_that_another_holder_of_the_key_signed_is_told_from_entries_that_were_changed(
    place: Place, log: Log
) -> None:
    place.erase(key_of(652))
    place.put(key_of(652), log.note(652, bytes(32)))
    assert found(place) == [("fork", 601, 651), ("checkpoint_changed", 702, 702)]


def test_a_fork_under_the_key_of_another_size_is_one(place: Place, log: Log) -> None:
    place.put(key_of(650), log.note(652, bytes(32)))
    assert found(place) == [("fork", None, None)]
    place.erase(key_of(650))
    place.put(key_of(650), log.note(652))
    assert found(place) == [("wrong_place", None, None)]


def test_a_checkpoint_that_fits_and_is_never_told_of_is_untold(place: Place, log: Log) -> None:
    place.put(key_of(650), log.note(650))
    assert found(place) == [("untold", None, None)]
    assert checked(place).is_clean


def test_a_restored_database_that_publishes_less_and_then_other_entries(place: Place, log: Log) -> None:
    """Published past every refusal, with the genuine key."""
    restored = Log(place)
    restored.bodies = [*log.bodies[:620]]
    restored.last = (601, sha256(log.note(601)).hexdigest())
    restored.write(9)
    restored.publish()
    restored.write(900)
    restored.publish()
    assert found(place) == [("fork", 620, 651), ("fork", 620, 702)]
    assert checked(place).epochs[0].agreeing == 4


def test_what_was_laid_outside_and_never_signed_may_be_replaced_and_is_told(place: Place, log: Log) -> None:
    """A database restored to a moment between its bundles and their checkpoint forks nothing that was signed."""
    lost = Log(place)
    lost.bodies, lost.last = [*log.bodies], log.last
    lost.write(40)
    lost.lay()
    log.write(10)
    log.publish()
    log.write(5)
    log.publish()
    assert found(place) == [("bundle_contradicted", 703, 713), ("bundle_contradicted", 714, 719)]
    assert checked(place).epochs[0].agreeing == 6
    log.write(200)
    log.publish()
    log.write()
    log.publish()
    assert found(place) == []


def test_a_bundle_that_was_changed_explains_all_checkpoints_within_it(place: Place, log: Log) -> None:
    key = "1/tile/entries/002.p/191"
    bodies = [*log.bodies[512:530], log.bodies[0], *log.bodies[531:703]]
    place.erase(key)
    place.put(key, bundle.packed(bodies))
    place.erase("1/tile/entries/002.p/89")
    assert found(place) == [("bundle_contradicted", 530, 651)]


def test_whoever_publishes_meanwhile_does_not_disturb(place: Place, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = place.versions

    def versions(prefix: str) -> Iterator[Version]:
        there = list(listed(prefix))
        if prefix == "1/tile/entries/":
            for count in (10, 300):
                log.write(count)
                log.publish()
        yield from there

    monkeypatch.setattr(place, "versions", versions)
    report = checked(place)
    assert (report.findings, report.epochs[0].entries) == ((), 1015)


# Epochs and keys -----------------------------------------------------------------------------------------------------


def declared(log: Log, *, kept: int | None = None, **otherwise: Any) -> dict[str, Any]:
    """What the second epoch says of the first."""
    size, note = log.last or (0, "")
    root = root_of(map(leaf_hash, log.bodies[:size])).hex()
    said = {"origin": "shop-ledger/2", "before": log.origin, "note": note, "size": size, "root": root}
    return said | {"kept": size if kept is None else kept} | otherwise


@pytest.fixture
def second(place: Place, log: Log) -> Log:
    """After a restore: what was there before is copied, and the epoch says why there is one."""
    second = Log(place, epoch=2)
    second.bodies = [*log.bodies]
    second.write(kind="ledger.origin_opened", **declared(log))
    second.publish()
    return second


def test_a_second_epoch_is_verified_too_and_its_entries_tell_of_the_first(place: Place, second: Log) -> None:
    report = checked(place)
    assert report.findings == ()
    assert [epoch.origin for epoch in report.epochs] == ["shop-ledger/1", "shop-ledger/2"]
    place.erase(key_of(601))
    assert [finding.code for finding in checked(place).findings] == ["checkpoint_missing"] * 2


def test_an_epoch_without_a_reason_or_without_those_before_it_is_told(place: Place, log: Log) -> None:
    third = Log(place, epoch=3)
    third.write(3)
    third.publish()
    assert found(place) == [("epoch_missing", None, None), ("epoch_unexplained", None, None)]


def other_epoch(place: Place, log: Log, common: int, **otherwise: Any) -> Log:
    """An epoch that goes on from a beginning of the first, whose rest it declares lost."""
    other = Log(place, epoch=2)
    other.bodies = log.bodies[:common]
    other.write(kind="ledger.origin_opened", **declared(log, kept=common) | otherwise)
    other.write(300)
    other.publish()
    return other


@pytest.mark.parametrize("kept", [300, 601, 652])
def test_what_an_epoch_declares_lost_is_told_and_is_no_error(place: Place, log: Log, kept: int) -> None:
    other_epoch(place, log, kept)
    report = checked(place)
    assert [(each.code, each.epoch, each.first, each.last) for each in report.findings] == [
        ("entries_lost", 1, kept, 702)
    ]
    assert report.is_clean


def test_an_epoch_that_keeps_nothing_declares_all_of_it_lost(place: Place, log: Log) -> None:
    other_epoch(place, log, 0)
    assert found(place) == [("entries_lost", 0, 702)]


def test_entries_that_are_declared_lost_are_not_missed(place: Place, log: Log) -> None:
    other_epoch(place, log, 601)
    for width in (140, 191):
        place.erase(f"1/tile/entries/002.p/{width}")
    assert found(place) == [("entries_lost", 601, 702)]
    place.erase("1/tile/entries/002.p/89")
    assert [code for code, *_ in found(place)] == ["entries_missing", "entries_lost"]


@pytest.mark.parametrize(
    ("otherwise", "words"),
    [
        ({"note": "00" * 32}, "has the bytes that are declared"),
        ({"size": 652}, "has a checkpoint of size 703, and is declared to end with 652"),
        ({"size": 704}, "has the bytes that are declared"),
        ({"root": "00" * 32}, "has another root than is declared"),
        ({"kept": 602}, "are declared to be those of epoch 1"),
        ({"kept": 652}, "are declared to be those of epoch 1"),
        ({"kept": 703}, "are declared to be those of epoch 1"),
        ({"before": "shop-ledger/2"}, "another log than the epoch before it"),
        ({"before": "other/1"}, "another log than the epoch before it"),
        ({"before": "shop-ledger"}, "another log than the epoch before it"),
    ],
)
def test_what_is_declared_and_does_not_fit_is_named(
    place: Place, log: Log, otherwise: dict[str, Any], words: str
) -> None:
    other_epoch(place, log, 601, **otherwise)
    (finding,) = checked(place).findings
    assert (finding.code, finding.severity, finding.epoch) == ("epoch_misdeclared", "error", 2)
    assert words in finding.what


def test_a_loss_that_grew_after_it_was_declared_is_named(place: Place, log: Log) -> None:
    other_epoch(place, log, 601)
    log.write(3)
    log.publish()
    assert [code for code, *_ in found(place)] == ["epoch_misdeclared"]


def test_an_epoch_that_is_declared_twice_and_not_alike_is_named(place: Place, log: Log) -> None:
    other = other_epoch(place, log, 601)
    other.write(kind="ledger.origin_opened", **declared(log, kept=652))
    other.publish()
    (finding,) = checked(place).findings
    assert finding.what == "Its beginning is declared more than once, and not alike"


@pytest.mark.parametrize("field", ["before", "note", "root", "size", "kept"])
def test_a_declaration_that_lacks_something_is_malformed(place: Place, log: Log, field: str) -> None:
    other = Log(place, epoch=2)
    other.bodies = [*log.bodies]
    said = declared(log)
    del said[field]
    other.write(kind="ledger.origin_opened", **said)
    other.publish()
    assert [code for code, *_ in found(place)] == ["entry_malformed", "epoch_unexplained"]


def test_an_epoch_begins_with_a_checkpoint_of_nothing(place: Place, log: Log) -> None:
    nothing = Checkpoint(origin="shop-ledger/2", size=0, root=EMPTY, extensions=("opened x",))
    place.put(key_of(0, 2), sign(nothing.text, [SIGNER]).encode())
    other_epoch(place, log, 601)
    assert found(place) == [("entries_lost", 601, 702)]


def test_staleness_is_the_newest_epochs(place: Place, second: Log) -> None:
    second.write()
    second.publish(timedelta(days=2))
    assert [finding.code for finding in checked(place).findings] == ["silence"]


def test_after_a_rotation_both_keys_are_needed(place: Place, log: Log) -> None:
    log.signers = [SIGNER, OTHER]
    log.write()
    log.publish()
    log.signers = [OTHER]
    for _ in range(2):
        log.write()
        log.publish()
    assert found(place, SIGNER, OTHER) == []
    signed = checked(place, SIGNER, OTHER).epochs[0].keys
    assert {name: (each.checkpoints, each.first, each.last) for name, each in signed.items()} == {
        str(public(SIGNER)): (5, 300, 705),
        str(public(OTHER)): (3, 705, 709),
    }  # fmt: skip
    report = checked(place, SIGNER)
    assert [finding.code for finding in report.findings] == ["key_unknown", "squatted"]  # nothing tells of the newest
    assert report.epochs[0].beyond == 4


def test_a_checkpoint_that_the_log_tells_of_and_whose_key_was_not_given_is_told_with_its_key(
    place: Place, log: Log
) -> None:
    log.signers = [OTHER]
    log.write()
    log.publish()
    log.signers = [SIGNER]
    log.write()
    log.publish()
    (finding,) = checked(place).findings
    assert (finding.code, finding.first) == ("key_unknown", 706)
    assert str(public(OTHER)) in finding.what


def test_where_nothing_is_signed_by_a_known_key_that_alone_is_said(place: Place, log: Log) -> None:
    (finding,) = checked(place, OTHER).findings
    assert finding.code == "nothing_signed"
    assert str(public(SIGNER)) in finding.what
    for key in place.keys("1/checkpoints"):
        place.erase(key)
    report = checked(place)
    assert [finding.code for finding in report.findings] == ["nothing_signed"]
    assert report.epochs[0].beyond == 703


def test_another_log_in_this_place_is_told_when_the_name_is_given(place: Place, log: Log) -> None:
    assert found(place, name="shop-ledger") == []
    report = checked(place, name="another")
    assert {finding.code for finding in report.findings} == {"wrong_place", "nothing_signed"}


def test_where_nothing_lies_it_says_so(place: Place) -> None:
    assert found(place) == [("empty", None, None)]


# What a stranger may put there ---------------------------------------------------------------------------------------


def test_strangers_objects_count_for_nothing(place: Place, log: Log) -> None:
    place.put(key_of(690), sign(Checkpoint(origin="shop-ledger/1", size=690, root=bytes(32)).text, [OTHER]).encode())
    place.put(key_of(10**19), b"garbage")
    place.put("1/checkpoints/5", b"garbage")
    place.put("1/tile/entries/0", b"garbage")
    place.put("1/tile/entries/000.p/300", b"garbage")
    place.put("1/tile/entries/000.p/9", b"garbage")  # superseded: nobody needs it
    assert found(place) == [*[("squatted", None, None)] * 2, *[("stray", None, None)] * 3]
    assert checked(place).is_clean


def test_a_signature_of_a_known_key_that_is_not_is_forged(place: Place, log: Log) -> None:
    note = log.note(690, bytes(32)).replace(b"690", b"691")
    place.put(key_of(691), note)
    assert found(place) == [("checkpoint_forged", None, None)]


def test_what_a_known_key_signed_and_is_no_checkpoint_is_malformed(place: Place, log: Log) -> None:
    place.put(key_of(691), sign("anything\n", [SIGNER]).encode())
    assert found(place) == [("checkpoint_malformed", None, None)]


def test_a_signed_size_beyond_all_measure_ends(place: Place, log: Log) -> None:
    place.put(key_of(10**18), log.note(10**18, bytes(32)))
    assert found(place) == [("entries_missing", 703, 10**18 - 1)]


def test_an_object_beyond_all_measure_is_not_read(place: Place, log: Log) -> None:
    place.put("1/tile/entries/001", b"\0" * 17_000_000)
    place.put(key_of(800), b"x" * 10_000_000)
    assert {code for code, _, _ in found(place)} >= {"bundle_malformed", "squatted"}
    assert place.largest < 100_000


def test_however_much_is_wrong_it_tells_some_and_counts_the_rest(place: Place, log: Log) -> None:
    for size in range(1, 100):
        place.put(key_of(size), b"garbage")
    report = checked(place)
    assert len(report.findings) == 20
    assert report.more == {"squatted": 79}


def test_an_entry_that_tells_of_its_own_future_or_of_nothing(place: Place, log: Log) -> None:
    log.write(kind="ledger.anchored", origin="shop-ledger/1", size=9000, note="ab" * 32)
    log.write(kind="ledger.anchored", origin="shop-ledger/1", size=7)
    log.write(kind="ledger.anchored", origin="another/1", size=7, note="ab" * 32)
    log.write(kind="ledger.anchored", origin="shop-ledger/2", size=7, note="ab" * 32)
    log.write(kind="ledger.anchored", origin="shop-ledger/1", size=7, note="ab" * 32)
    log.write(kind="ledger.anchored", origin="shop-ledger/1", size=300, note="ab" * 32)
    log.publish()
    assert found(place) == [
        ("checkpoint_missing", 707, 707),
        ("checkpoint_changed", 708, 708),
        ("told_ahead", 703, 703),
        ("entry_malformed", 704, 704),
        ("entry_malformed", 705, 706),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda raw: raw + b"\0", "bundle_malformed"),
        (lambda raw: raw + b"\0\0", "bundle_malformed"),
        (lambda raw: raw[:-1], "bundle_malformed"),
        (lambda raw: raw + raw, "bundle_malformed"),
        (lambda raw: b"", "bundle_malformed"),
        (lambda raw: b"\xff\xff" + raw[2:], "bundle_malformed"),
    ],
)
def test_a_bundle_of_another_shape_is_malformed_and_its_entries_are_not_there(
    place: Place, log: Log, change: Callable[[bytes], bytes], expected: str
) -> None:
    raw = change(place.get("1/tile/entries/001"))
    place.erase("1/tile/entries/001")
    place.put("1/tile/entries/001", raw)
    assert found(place) == [("entries_missing", 300, 511), (expected, 256, 511)]


def test_entries_missing_are_told_as_one_range_and_what_lies_behind_them_is_still_read(place: Place, log: Log) -> None:
    for key in place.keys("1/tile/entries/000") + place.keys("1/tile/entries/001"):
        place.erase(key)
    place.erase(key_of(652))
    assert found(place) == [("entries_missing", 0, 511), ("checkpoint_missing", 702, 702)]


def test_what_missing_entries_may_have_told_of_is_not_said_to_be_untold(place: Place) -> None:
    log = Log(place)
    for _ in range(50):
        log.write(20)
        log.publish()
    for key in place.keys("1/tile/entries/001"):
        place.erase(key)
    assert found(place) == [("entries_missing", 256, 511)]
    place.put(key_of(900), log.note(900))
    assert found(place) == [("entries_missing", 256, 511), ("untold", None, None)]


# Places --------------------------------------------------------------------------------------------------------------


def test_the_memory_that_it_takes_does_not_grow_with_the_log(place: Place) -> None:
    peaks = []
    log = Log(place)
    for _ in range(2):
        for _ in range(30):
            log.write(100)
            log.publish()
        tracemalloc.start()
        assert found(place) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_folder_is_read_as_the_bucket_is(place: Place, log: Log, second: Log, tmp_path: Path) -> None:
    copy(place, tmp_path)
    (tmp_path / "1" / "tile" / "entries" / ".half-written").write_bytes(b"x")
    (tmp_path / "readme.txt").write_text("not of the ledger")
    (tmp_path / "0").mkdir()
    source = opened(str(tmp_path))
    assert isinstance(source, Folder)
    assert source.epochs() == [1, 2]
    for prefix in ("1/checkpoints/", "1/tile/entries/", "1/checkpoints/0000000000000000060", "1/", "3/"):
        assert [version.key for version in source.versions(prefix)] == place.keys(prefix)
    assert checked(source).findings == ()
    assert opened(f"file://{tmp_path}").epochs() == [1, 2]


def copy(place: Place, folder: Path) -> None:
    for key in place.keys(""):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(place.get(key))


@pytest.mark.parametrize(
    "text", ["http://x/y", "file://host/x", "s3://", "s3://a?b", "s3://a#b", "/not/there", "file:///not/there", ""]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(SourceFault) as raised:
        opened(text)
    assert not raised.value.is_passing


def test_a_file_that_may_not_be_read_is_a_fault_of_the_place_and_no_finding(
    place: Place, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(place, tmp_path)

    def refuse(_path: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SourceFault, match="may not be read"):
        checked(Folder(tmp_path))


# Findings ------------------------------------------------------------------------------------------------------------


def test_the_worst_is_told_first_and_the_same_of_neighbours_once() -> None:
    findings = Findings()
    for code, first in (
        ("stray", 0),
        ("entries_missing", 4),
        ("entries_missing", 5),
        ("entries_missing", 7),
        ("fork", 9),
    ):
        findings.add(Finding(code=code, what="x", epoch=1, first=first, last=first))
    assert [(each.code, each.first, each.last) for each in findings.worst_first] == [
        ("fork", 9, 9),
        ("entries_missing", 4, 5),
        ("entries_missing", 7, 7),
        ("stray", 0, 0),
    ]


def test_each_finding_has_a_heading_in_the_docs_and_each_heading_a_finding() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "ledger.md").read_text()
    headings = [line.split("`")[1] for line in page.splitlines() if line.startswith("### `")]
    assert headings == list(CODES)
