"""Where objects come from: a bucket of S3 with all versions and deletion marks, or a folder with a copy of them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef

_EPOCH = re.compile("[1-9][0-9]{0,8}", re.ASCII)


class SourceFault(Exception):
    """The objects cannot be read. Says what to do, and whether another try may do."""

    def __init__(self, what: str, *, remedy: str, is_passing: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.is_passing = is_passing


@dataclass(frozen=True, kw_only=True)
class Version:
    """One of the versions of an object, or a mark of its deletion."""

    key: str
    id: str = ""
    at: datetime | None = None  # by the clock of whoever keeps it, where that can be known
    size: int = 0
    is_latest: bool = True
    is_deletion: bool = False


class Source(Protocol):
    """What is asked of a place. It is never written to."""

    @property
    def where(self) -> str: ...

    @property
    def has_times(self) -> bool:
        """Whether it tells when an object was put there, and keeps what was deleted or put over."""

    def epochs(self) -> list[int]:
        """The numbers under which something lies, in their order."""

    def versions(self, prefix: str) -> Iterator[Version]:
        """All of the keys that begin so, in the order of the keys' bytes, the latest first."""

    def read(self, version: Version) -> bytes:
        """The bytes of this version. Raises SourceFault where they have gone since it was listed."""


def opened(place: str, *, region: str | None = None, endpoint: str | None = None) -> Source:
    """s3://bucket/prefix, file:///folder, or the path of a folder."""
    parts = urlsplit(place)
    if parts.scheme == "s3" and parts.netloc and not parts.query and not parts.fragment:
        prefix = parts.path.strip("/")
        return S3(parts.netloc, f"{prefix}/" if prefix else "", region=region, endpoint=endpoint)
    is_file = parts.scheme == "file" and not parts.netloc and parts.path not in ("", "/")
    if not place.strip() or ("://" in place and not is_file):
        raise SourceFault("This is no place for objects", remedy="write s3://bucket/prefix, file:///folder or a folder")
    folder = Path(unquote(parts.path) if "://" in place else place)
    if not folder.is_dir():
        raise SourceFault(f"There is no folder {folder}", remedy="name the one with the ledger's objects")
    return Folder(folder)


class Folder:
    """A copy of a bucket, or a place that a ledger is published to where there is no S3.

    When a file was put there its own time does not tell, since whoever writes it may set that.
    """

    has_times = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def epochs(self) -> list[int]:
        with self._translated():
            return sorted(int(path.name) for path in self._folder.iterdir() if _is_epoch(path.name) and path.is_dir())

    def versions(self, prefix: str) -> Iterator[Version]:
        start, _, begun = prefix.rpartition("/")
        for version in self._below(self._folder / start, f"{start}/" if start else ""):
            if version.key.startswith(f"{start}/{begun}" if start else begun):
                yield version

    def _below(self, folder: Path, before: str) -> Iterator[Version]:
        """In the order of whole keys: a folder's name counts with the slash behind it."""
        for name in self._names(folder):
            if name.endswith("/"):
                yield from self._below(folder / name, before + name)
            else:
                with self._translated():
                    size = (folder / name).stat().st_size
                yield Version(key=before + name, size=size)

    def _names(self, folder: Path) -> list[str]:
        """Without what begins with a dot: half written, by whoever was killed over it."""
        with self._translated(), contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as all_:
            names = [entry.name + "/" * entry.is_dir() for entry in all_ if not entry.name.startswith(".")]
            return sorted(names, key=os.fsencode)
        return []

    def read(self, version: Version) -> bytes:
        with self._translated():
            return (self._folder / version.key).read_bytes()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise SourceFault(f"A file in {self.where} may not be read", remedy="see its permissions") from None
        except OSError as error:
            what = f"A file in {self.where} could not be read ({type(error).__name__})"
            raise SourceFault(what, remedy="see whether somebody writes there", is_passing=True) from None


# S3's word, what it means, and what to do.
_MEANINGS = {
    "AccessDenied": ("S3 refuses access", "it takes s3:ListBucketVersions, s3:GetObject and s3:GetObjectVersion"),
    "NoSuchBucket": ("There is no such bucket", "correct the name"),
    "InvalidAccessKeyId": ("S3 does not know these credentials", "see whose they are"),
    "SignatureDoesNotMatch": ("S3 does not take these credentials", "see whose they are"),
    "ExpiredToken": ("The credentials for S3 have expired", "get new ones"),
    "PermanentRedirect": ("The bucket is in another region", "name it with --region"),
    "AuthorizationHeaderMalformed": ("The bucket is in another region", "name it with --region"),
    "IllegalLocationConstraintException": ("The bucket is in another region", "name it with --region"),
}
_PASSING = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "503", "500"})


class S3:
    """A bucket of S3, with the credentials that boto3 finds."""

    has_times = True

    def __init__(self, bucket: str, prefix: str, *, region: str | None = None, endpoint: str | None = None) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._region = region
        self._endpoint = endpoint
        self._opened: S3Client | None = None

    @property
    def where(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def epochs(self) -> list[int]:
        folders = (
            each["Prefix"].removeprefix(self._prefix).rstrip("/")
            for page in self._pages(self._prefix, Delimiter="/")
            for each in page.get("CommonPrefixes", ())
        )
        return sorted(int(name) for name in folders if _is_epoch(name))

    def versions(self, prefix: str) -> Iterator[Version]:
        for page in self._pages(self._prefix + prefix):
            versions = [self._version(each, is_deletion=False) for each in page.get("Versions", ())]
            marks = [self._version(each, is_deletion=True) for each in page.get("DeleteMarkers", ())]
            yield from sorted(versions + marks, key=lambda version: (version.key.encode(), not version.is_latest))

    def read(self, version: Version) -> bytes:
        with self._translated():
            answer = self._client().get_object(
                Bucket=self._bucket, Key=self._prefix + version.key, VersionId=version.id
            )
            return answer["Body"].read()

    def _pages(self, prefix: str, **asked: Any) -> Iterator[Any]:
        markers: dict[str, Any] = {}
        while True:
            with self._translated():
                page = self._client().list_object_versions(Bucket=self._bucket, Prefix=prefix, **asked, **markers)
            yield page
            if not page.get("IsTruncated"):
                return
            following = {"KeyMarker": page.get("NextKeyMarker"), "VersionIdMarker": page.get("NextVersionIdMarker")}
            markers = {name: marker for name, marker in following.items() if marker}

    def _version(self, each: ObjectVersionTypeDef | DeleteMarkerEntryTypeDef, *, is_deletion: bool) -> Version:
        found: Any = each
        return Version(
            key=found["Key"].removeprefix(self._prefix),
            id=found["VersionId"],
            at=found["LastModified"],
            size=found.get("Size", 0),
            is_latest=found["IsLatest"],
            is_deletion=is_deletion,
        )

    def _client(self) -> S3Client:
        if self._opened is None:
            try:
                import boto3
            except ImportError:
                raise SourceFault("boto3 is not installed, which reads S3", remedy="install gdpr-suite[cli]") from None
            from botocore.config import Config

            config = Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 5, "mode": "standard"},
                s3={"addressing_style": "path" if self._endpoint else "virtual"},
            )
            self._opened = boto3.client("s3", region_name=self._region, endpoint_url=self._endpoint, config=config)
        return self._opened

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
        from botocore.exceptions import ConnectionError as NoConnection

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            what, remedy = _MEANINGS.get(code, (f"S3 refuses a request ({code})", "try again"))
            is_passing = code in _PASSING
            raise SourceFault(f"{what} at {self.where}", remedy=remedy, is_passing=is_passing) from None
        except NoCredentialsError:
            raise SourceFault("There are no credentials for S3", remedy="set AWS_PROFILE or another") from None
        except (NoConnection, HTTPClientError):
            raise SourceFault("S3 does not answer", remedy="try again", is_passing=True) from None
        except BotoCoreError as error:
            what = f"S3 could not be asked ({type(error).__name__})"
            raise SourceFault(what, remedy="see the settings of boto3") from None


def _is_epoch(name: str) -> bool:
    return _EPOCH.fullmatch(name) is not None
