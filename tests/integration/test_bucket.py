"""Both places for objects keep the same promises: moto's S3, and a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.bucket import Bucket, BucketAddress, KeyTakenError, TooLargeError, open_bucket
from shared.errors import SettingInvalid, StoreFault, StoreMisconfigured, StoreUnavailable
from tests.run import Run

KEY = "1/checkpoints/00000000000000000042"


@pytest.fixture(params=["s3", "folder"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    if request.param == "s3":
        found: Bucket = request.getfixturevalue("locked")
        return found
    return open_bucket(BucketAddress.parse(f"file://{tmp_path}/ledger", variable="LEDGER_BUCKET"), region="us-east-2")


def test_what_was_put_is_got_and_what_was_not_is_none(bucket: Bucket) -> None:
    assert bucket.get(KEY) is None
    bucket.put(KEY, b"one")
    bucket.put(KEY, b"two")
    assert bucket.get(KEY) == b"two"
    assert bucket.get("1/checkpoints") is None
    assert bucket.get(f"{KEY}/below") is None


def test_what_is_too_large_is_not_read(bucket: Bucket) -> None:
    bucket.put(KEY, b"12345")
    assert bucket.get(KEY, most=5) == b"12345"
    with pytest.raises(TooLargeError):
        bucket.get(KEY, most=4)
    assert bucket.get(KEY) == b"12345"


def test_one_version_is_erased_and_no_other(locked: Bucket) -> None:
    for text in (b"one", b"two"):
        locked.put("intake/file", text)
    newest, oldest = (version.id for version in locked.versions("intake/file"))
    locked.erase("intake/file", version=oldest)
    assert [version.id for version in locked.versions("intake/file")] == [newest]
    assert locked.get("intake/file") == b"two"


def test_nothing_outside_of_a_folder_is_listed(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "person").write_text("secret")
    folder = open_bucket(BucketAddress.parse(f"file://{tmp_path}/exchange", variable="X"), region="us-east-2")
    folder.put("intake/a", b"x")
    assert list(folder.versions("intake/../../keys/")) == []


def test_a_key_is_taken_once(bucket: Bucket) -> None:
    bucket.put_new(KEY, b"one")
    with pytest.raises(KeyTakenError):
        bucket.put_new(KEY, b"two")
    assert bucket.get(KEY) == b"one"


def test_keys_are_listed_in_their_order_and_behind_one(bucket: Bucket) -> None:
    for number in (3, 1, 12, 2):
        bucket.put(f"1/checkpoints/{number:020}", b"x")
    bucket.put("2/checkpoints/00000000000000000001", b"x")
    bucket.put("1/tile/entries/000", b"x")
    listed = [version.key for version in bucket.versions("1/checkpoints/")]
    assert listed == [f"1/checkpoints/{number:020}" for number in (1, 2, 3, 12)]
    assert [version.key for version in bucket.versions("1/checkpoints/", after=listed[1])] == listed[2:]
    assert list(bucket.versions("3/")) == []


def test_what_a_deletion_hides_is_still_listed_and_its_key_does_not_become_free(locked: Bucket, s3: Any) -> None:
    """A plain DELETE adds a mark. What lies below it is what counts."""
    name = locked.where.split("/")[2]
    version = locked.put_new(KEY, b"one", keep_until=datetime.now(UTC) + timedelta(days=1))
    s3.delete_object(Bucket=name, Key=f"unit/{KEY}")
    assert locked.get(KEY) is None
    listed = list(locked.versions("1/checkpoints/"))
    assert [(each.is_deletion, each.is_latest) for each in listed] == [(True, True), (False, False)]
    assert listed[1].id == version
    assert locked.get(KEY, version=version) == b"one"


def test_what_is_erased_is_gone_with_all_its_versions_and_nothing_else_is(bucket: Bucket) -> None:
    for text in (b"one", b"two"):
        bucket.put("intake/file", text)
        bucket.put("intake/file2", text)
    bucket.erase("intake/file")
    bucket.erase("intake/never-there")
    assert {version.key for version in bucket.versions("intake/")} == {"intake/file2"}
    assert bucket.get("intake/file") is None


def test_more_versions_than_a_page_holds_are_all_listed(locked: Bucket) -> None:
    for number in range(1040):
        locked.put(f"1/checkpoints/{number:020}", b"")
    assert len({version.key for version in locked.versions("1/checkpoints/")}) == 1040


def test_what_is_kept_is_locked(locked: Bucket, s3: Any) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    version = locked.put_new(KEY, b"one", keep_until=until)
    name = locked.where.split("/")[2]
    found = s3.head_object(Bucket=name, Key=f"unit/{KEY}", VersionId=version)
    assert (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", until)


def test_a_bucket_that_is_not_there_is_a_setting_to_correct(s3: Any, run: Run) -> None:
    address = BucketAddress.parse("no-such-bucket", variable="LEDGER_BUCKET")
    missing = open_bucket(address, region="us-east-2", endpoint=run.stores.aws_endpoint)
    with pytest.raises(
        StoreMisconfigured, match=r"There is no such bucket at s3://no-such-bucket: correct the setting"
    ):
        missing.put(KEY, b"x")


def test_where_nothing_answers_a_retry_may_cure_it(s3: Any) -> None:
    address = BucketAddress.parse("ledger", variable="LEDGER_BUCKET")
    with pytest.raises(StoreUnavailable, match="S3 does not answer") as raised:
        open_bucket(address, region="us-east-2", endpoint="http://127.0.0.1:9").put(KEY, b"x")
    assert raised.value.retryable


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = open_bucket(BucketAddress.parse(f"file://{tmp_path}/file", variable="X"), region="us-east-2")
    with pytest.raises(StoreFault, match="A file failed"):
        folder.put(KEY, b"x")


@pytest.mark.parametrize(
    "text", ["", "http://x/y", "file://", "file:///", "file://host/x", "s3://", "s3://a?b", "s3://a#b"]
)
def test_what_is_no_address_is_refused_by_its_settings_name(text: str) -> None:
    with pytest.raises(SettingInvalid, match="LEDGER_BUCKET names no bucket"):
        BucketAddress.parse(text, variable="LEDGER_BUCKET")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop-ledger", "shop-ledger"),
        ("s3://shop-ledger/a/b/", "shop-ledger/a/b"),
        ("file:///srv/my%20ledger", "my%20ledger"),
    ],
)
def test_a_place_has_a_name(text: str, name: str) -> None:
    assert BucketAddress.parse(text, variable="LEDGER_BUCKET").name == name
