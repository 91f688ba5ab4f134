"""An address that lies in an object: where it is read from, and that nothing of it is shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from shared.address_object import AddressMissing, AddressObject, AddressReference, database_address
from shared.addresses import PostgresAddress
from shared.bucket import BucketAddress, Folder
from shared.errors import SettingInvalid
from shared.settings import DataExportSettings
from shared.unit import DataUnit

SECRET = "aV3ry-s3cret"
URL = f"postgresql://gdpr_export:{SECRET}@127.0.0.1:5432/shop"


@pytest.mark.parametrize(
    ("text", "bucket", "prefix", "key"),
    [
        ("s3://keys/gdpr_export", "keys", "", "gdpr_export"),
        ("s3://keys/addresses/gdpr_export", "keys", "addresses/", "gdpr_export"),
        ("s3://keys/unit/addresses/gdpr_export", "keys", "unit/addresses/", "gdpr_export"),
    ],
)
def test_a_reference_names_a_bucket_and_an_object_in_it(text: str, bucket: str, prefix: str, key: str) -> None:
    found = database_address(text, variable="DATABASE_URL")
    assert found == AddressReference(place=BucketAddress(bucket=bucket, prefix=prefix), key=key)
    assert isinstance(found, AddressReference)
    assert found.opened(region="us-east-2", endpoint=None).where == text


def test_a_folder_stands_for_a_bucket(tmp_path: Path) -> None:
    found = database_address(f"file://{tmp_path}/addresses/gdpr_export", variable="DATABASE_URL")
    assert found == AddressReference(place=BucketAddress(folder=tmp_path / "addresses"), key="gdpr_export")


def test_an_address_is_an_address() -> None:
    assert database_address(URL, variable="DATABASE_URL") == PostgresAddress.parse(URL)


@pytest.mark.parametrize("text", ["s3://keys", "s3://keys/", "s3://", "file:///", "s3://keys/a?b", "s3:/keys/a"])
def test_what_names_no_object_is_refused(text: str) -> None:
    with pytest.raises(SettingInvalid, match=r"^DATABASE_URL "):
        database_address(text, variable="DATABASE_URL")


def test_a_function_reads_nothing_before_it_has_to(tmp_path: Path) -> None:
    place = f"file://{tmp_path}/addresses/gdpr_export"
    settings = DataExportSettings.read({"DATABASE_URL": place, "EXPORT_BUCKET": "packages"})
    unit = DataUnit(settings, application="gdpr-tests")
    assert unit.database.where == f"{tmp_path}/addresses/gdpr_export"
    with pytest.raises(AddressMissing, match=r"^There is no address at .*: the action `rotate` of audit"):
        unit.database.connection()


def test_addresses_are_read_as_they_were_written_the_first_first(tmp_path: Path) -> None:
    place = AddressObject(bucket=Folder(tmp_path), key="addresses/gdpr_export")
    place.write([URL, URL.replace("5432", "5433")])
    assert [each.port for each in place.read()] == [5432, 5433]
    assert place.read()[0].password == SECRET


@pytest.mark.parametrize(
    "content", [f"{SECRET}", f"postgresql://gdpr_export:{SECRET}#x@127.0.0.1/shop", f"{URL} {SECRET}"]
)
def test_what_is_no_address_is_named_by_its_place_and_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "admin").write_text(content)
    with pytest.raises(SettingInvalid, match=r"^The address at .*/admin is not of the form postgresql://") as refused:
        AddressObject(bucket=Folder(tmp_path), key="admin").read()
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_nothing_shows_what_lies_there(tmp_path: Path) -> None:
    place = AddressObject(bucket=Folder(tmp_path), key="gdpr_export")
    place.write([URL])
    assert SECRET not in repr(place) + repr(place.read()) + str(place.read())
