"""Objects that lie outside the database: in S3, or in a folder where nothing but a database is needed to begin."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from shared.errors import AccessDenied, SettingInvalid, StoreFault, StoreMisconfigured, StoreUnavailable, SuiteError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef

FORM = "a bucket's name, s3://bucket/prefix or file:///folder"


@dataclass(frozen=True, kw_only=True)
class BucketAddress:
    """Where objects are to lie: a bucket of S3 and a prefix in it, or a folder."""

    bucket: str | None = None
    prefix: str = ""
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str, *, variable: str) -> BucketAddress:
        parts = urlsplit(text if "://" in text else f"s3://{text}")
        if parts.scheme == "file" and not parts.netloc and parts.path not in ("", "/"):
            return cls(folder=Path(unquote(parts.path)))
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
            raise SettingInvalid(f"{variable} names no bucket", remedy=f"write {FORM}")
        prefix = parts.path.strip("/")
        return cls(bucket=parts.netloc, prefix=f"{prefix}/" if prefix else "")

    @property
    def name(self) -> str:
        """What tells this place from others, as the name of a log that is kept there: without blanks and plus signs."""
        return quote(self.folder.name if self.folder else f"{self.bucket}/{self.prefix}".rstrip("/"), safe="/")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One of the versions of an object, or the mark of its deletion, which hides it and deletes nothing."""

    key: str
    id: str
    at: datetime
    is_latest: bool
    is_deletion: bool


class KeyTakenError(Exception):
    """An object lies under this key already."""


class TooLargeError(Exception):
    """An object has more bytes than whoever asks for it has use for."""


class Bucket(Protocol):
    """What we ask of a place for objects."""

    @property
    def where(self) -> str: ...

    def get(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes | None:
        """The object's bytes, or None where there is none.

        Raises TooLargeError, before any of it is read, where there are more than `most`.
        """

    def put(self, key: str, body: bytes) -> None:
        """Write it, whatever lay there."""

    def put_new(self, key: str, body: bytes, *, keep_until: datetime | None = None) -> str | None:
        """Write it where nothing lies, and lock it if it is to be kept; its version.

        Raises KeyTakenError.
        """

    def erase(self, key: str, *, version: str | None = None) -> None:
        """Delete an object with all its versions, and the marks of its deletion; or one version of it."""

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """Every version and mark of deletion of the keys behind one, by key, the latest first."""


def open_bucket(address: BucketAddress, *, region: str, endpoint: str | None = None) -> Bucket:
    """The place at this address. Nothing is asked of it yet."""
    return Folder(address.folder) if address.folder else S3Bucket(address, region=region, endpoint=endpoint)


class Folder:
    """Files below a folder. It locks nothing, and keeps no versions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def get(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes | None:  # noqa: ARG002 - there is one
        with self._translated():
            try:
                with self._path(key).open("rb") as file:
                    _check_size(os.fstat(file.fileno()).st_size, most)
                    return file.read()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def put(self, key: str, body: bytes) -> None:
        with self._translated(), self._written(key, body) as written:
            written.replace(self._path(key))

    def put_new(self, key: str, body: bytes, *, keep_until: datetime | None = None) -> str | None:  # noqa: ARG002
        with self._translated(), self._written(key, body) as written:
            try:
                os.link(written, self._path(key))
            except FileExistsError:
                raise KeyTakenError from None
            written.unlink()
        return None

    def erase(self, key: str, *, version: str | None = None) -> None:  # noqa: ARG002
        with self._translated():
            self._path(key).unlink(missing_ok=True)

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        with self._translated():
            below = self._path(prefix.rpartition("/")[0])
            found = [path for path in below.rglob("*") if path.is_file() and not path.name.startswith(".")]
            keys = sorted((path.relative_to(self._folder).as_posix(), path) for path in found)
            for key, path in keys:
                if key.startswith(prefix) and key > after:
                    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield Version(key=key, id="", at=at, is_latest=True, is_deletion=False)

    def _path(self, key: str) -> Path:
        """A key is no way up: in S3 it is a name like any other."""
        return self._folder / "/".join(".%2E" if part == ".." else part for part in key.split("/"))

    @contextlib.contextmanager
    def _written(self, key: str, body: bytes) -> Iterator[Path]:
        """The bytes in a file beside the one they are to become: whoever reads sees all of them or none."""
        directory = self._path(key).parent
        directory.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=directory, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise AccessDenied("A file may not be read or written", where=self.where) from None
        except OSError as error:
            raise StoreFault(f"A file failed ({type(error).__name__})", where=self.where) from None


def _check_size(size: int, most: int | None) -> None:
    if most is not None and size > most:
        raise TooLargeError


# S3's word, what it means, and what to do. A retry may cure only what is of the first kind.
_MEANINGS: dict[str, tuple[type[SuiteError], str, str | None]] = {
    "AccessDenied": (AccessDenied, "S3 refused access", "let the function's role at this bucket"),
    "NoSuchBucket": (StoreMisconfigured, "There is no such bucket", "correct the setting that names it"),
    "SlowDown": (StoreUnavailable, "S3 asks to slow down", "try again"),
    "InternalError": (StoreUnavailable, "S3 had a fault of its own", "try again"),
    "ServiceUnavailable": (StoreUnavailable, "S3 is not available", "try again"),
    "ConditionalRequestConflict": (StoreUnavailable, "Two writers met at one object", "try again"),
    "InvalidRequest": (StoreMisconfigured, "S3 cannot do this with this bucket", "Object Lock is set when it is made"),
}


class S3Bucket:
    """A bucket of S3, reached over its gateway endpoint; credentials are the environment's."""

    def __init__(self, address: BucketAddress, *, region: str, endpoint: str | None = None) -> None:
        self._bucket = address.bucket or ""
        self._prefix = address.prefix
        self._region = region
        self._endpoint = endpoint
        self._client: S3Client | None = None

    @property
    def where(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes | None:
        asked: dict[str, Any] = {"VersionId": version} if version else {}
        with self._translated():
            try:
                found = self._s3().get_object(Bucket=self._bucket, Key=self._prefix + key, **asked)
            except self._s3().exceptions.NoSuchKey:
                return None
            with contextlib.closing(found["Body"]) as body:
                _check_size(found["ContentLength"], most)
                return body.read()

    def put(self, key: str, body: bytes) -> None:
        with self._translated():
            self._s3().put_object(Bucket=self._bucket, Key=self._prefix + key, Body=body)

    def put_new(self, key: str, body: bytes, *, keep_until: datetime | None = None) -> str | None:
        lock: dict[str, Any] = (
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": keep_until} if keep_until else {}
        )
        with self._translated():
            answer = self._s3().put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=body,
                IfNoneMatch="*",
                **lock,
            )
        return answer.get("VersionId")

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        markers: dict[str, Any] = {"KeyMarker": self._prefix + after} if after else {}
        while True:
            with self._translated():
                page = self._s3().list_object_versions(Bucket=self._bucket, Prefix=self._prefix + prefix, **markers)
            versions = [self._version(each, is_deletion=False) for each in page.get("Versions", ())]
            marks = [self._version(each, is_deletion=True) for each in page.get("DeleteMarkers", ())]
            yield from sorted(versions + marks, key=lambda version: (version.key, not version.is_latest))
            if not page.get("IsTruncated"):
                return
            markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def erase(self, key: str, *, version: str | None = None) -> None:
        there = [version] if version else [each.id for each in self.versions(key) if each.key == key]
        for each in there:
            with self._translated():
                self._s3().delete_object(Bucket=self._bucket, Key=self._prefix + key, VersionId=each)

    def _version(self, each: ObjectVersionTypeDef | DeleteMarkerEntryTypeDef, *, is_deletion: bool) -> Version:
        return Version(
            key=each["Key"].removeprefix(self._prefix),
            id=each["VersionId"],
            at=each["LastModified"],
            is_latest=each["IsLatest"],
            is_deletion=is_deletion,
        )

    def _s3(self) -> S3Client:
        if self._client is None:
            import boto3
            from botocore.config import Config

            # A call that goes nowhere fails in seconds and does not eat the function's time.
            config = Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path" if self._endpoint else "virtual"},
                signature_version="s3v4",
            )
            self._client = boto3.client("s3", region_name=self._region, endpoint_url=self._endpoint, config=config)
        return self._client

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
        from botocore.exceptions import ConnectionError as NoConnection

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            if code in ("PreconditionFailed", "412"):
                raise KeyTakenError from None
            kind, what, remedy = _MEANINGS.get(code, (StoreFault, f"S3 refused a request ({code})", None))
            raise kind(what, where=self.where, remedy=remedy) from None
        except NoCredentialsError:
            raise StoreMisconfigured("There are no credentials for S3", where=self.where) from None
        except (NoConnection, HTTPClientError):
            raise StoreUnavailable("S3 does not answer", where=self.where, remedy="try again") from None
        except BotoCoreError as error:
            raise StoreFault(f"S3 could not be asked ({type(error).__name__})", where=self.where) from None
