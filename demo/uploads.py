"""What people have uploaded: objects under users/{id}/ in a bucket that keeps old versions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from local.stores import Stores
from shared.errors import StoreFault, StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import BucketLocationConstraintType
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

PEOPLE_AT_MOST = 40
PREFIX = "users/{id}/"  # the slash at the end keeps users/4/ and users/42/ apart

_AVATAR = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="{}"/></svg>\n'
_LETTER = "letters/to-the-lighthouse.txt"
_LETTER_VERSIONS = ("Dear lighthouse, turn it down.\n", "Dear lighthouse,\nplease turn it down a little.\n")
_WRITES_LETTERS = 4  # Mira


@dataclass(frozen=True, kw_only=True)
class Bucket:
    name: str
    client: S3Client
    where: str

    @classmethod
    def of(cls, stores: Stores, name: str) -> Bucket:
        given = stores.environment()
        client: S3Client = boto3.client(
            "s3",
            endpoint_url=stores.aws_endpoint,
            region_name=given["AWS_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )
        return cls(name=name, client=client, where=f"{stores.aws_endpoint}/{name}")

    def create(self) -> None:
        with self._translated():
            region = cast("BucketLocationConstraintType", self.client.meta.region_name)
            self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": region})

    def keep_versions(self) -> None:
        with self._translated():
            self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def fill(self, people: list[int]) -> None:
        with self._translated():
            for person in people:
                self._put(person, "avatar.svg", _AVATAR.format(1 + person % 4))
                self._put(person, "photos/parcel.txt", f"Parcel {person}, photographed from above.\n")
            for text in _LETTER_VERSIONS:
                self._put(_WRITES_LETTERS, _LETTER, text)

    def _put(self, person: int, name: str, text: str) -> None:
        self.client.put_object(Bucket=self.name, Key=PREFIX.format(id=person) + name, Body=text.encode())

    def versions(self, prefix: str = "") -> Iterator[ObjectIdentifierTypeDef]:
        """Every version of every object under a prefix."""
        with self._translated():
            pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
            for page in pages:
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    yield {"Key": each["Key"], "VersionId": each["VersionId"]}

    def delete(self) -> None:
        """With all its versions: a bucket that holds any cannot go."""
        versions = list(self.versions())
        with self._translated():
            for start in range(0, len(versions), 1000):
                self.client.delete_objects(Bucket=self.name, Delete={"Objects": versions[start : start + 1000]})
            self.client.delete_bucket(Bucket=self.name)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            raise StoreFault(f"S3 refused a request ({code})", where=self.where) from None
        except (NoConnection, HTTPClientError):
            raise StoreUnavailable("S3 does not answer", where=self.where, remedy="check AWS_ENDPOINT_URL") from None
        except BotoCoreError as error:
            raise StoreFault(f"S3 could not be asked ({type(error).__name__})", where=self.where) from None
