"""What each function is told by its environment: typed, frozen, read when first needed, never at import.

The names are the same everywhere: Lambda, the command line, the tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from shared.address_object import AddressReference, database_address
from shared.addresses import CacheAddress, PostgresAddress
from shared.bucket import BucketAddress
from shared.errors import SettingInvalid, SettingMissing


def setting(variable: str, purpose: str, read: Any = None, **options: Any) -> Any:
    """A field that an environment variable fills; `read` turns its text into the value."""
    return field(metadata={"variable": variable, "purpose": purpose, "read": read}, **options)


def days(text: str, *, variable: str) -> int:
    """A number of days, at most a hundred years."""
    if not (text.isascii() and text.isdigit() and int(text) <= 36525):
        raise SettingInvalid(f"{variable} is no number of days", remedy="write one, such as 3653")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every function needs."""

    database: PostgresAddress | AddressReference = setting(
        "DATABASE_URL", "the Postgres that holds the data unit", database_address
    )
    cache: CacheAddress | None = setting("REDIS_URL", "the Valkey or Redis beside it", CacheAddress.parse, default=None)
    region: str = setting("AWS_REGION", "the region of the buckets", default="us-east-2")
    aws_endpoint: str | None = setting("AWS_ENDPOINT_URL", "another address for AWS's services", default=None)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings that the environment holds; one that is missing is named, with what it is for."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for each in fields(cls):
            variable, purpose, read = (each.metadata[key] for key in ("variable", "purpose", "read"))
            text = environment.get(variable, "").strip()
            if text:
                values[each.name] = read(text, variable=variable) if read else text
            elif each.default is MISSING:
                raise SettingMissing(f"{variable} is not set", remedy=f"it names {purpose}")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class DataExportSettings(Settings):
    export_bucket: str = setting("EXPORT_BUCKET", "the bucket for the packages that people fetch")


@dataclass(frozen=True, kw_only=True)
class DataDeletionSettings(Settings):
    export_bucket: str = setting("EXPORT_BUCKET", "the bucket whose packages an erasure takes along")


@dataclass(frozen=True, kw_only=True)
class AuditLoggingSettings(Settings):
    ledger_bucket: BucketAddress = setting(
        "LEDGER_BUCKET", "the bucket that the ledger's checkpoints are anchored in", BucketAddress.parse
    )
    exchange_bucket: BucketAddress = setting(
        "EXCHANGE_BUCKET", "the bucket that requests come in by and events go out by", BucketAddress.parse
    )
    keys_bucket: BucketAddress = setting("KEYS_BUCKET", "the bucket of the keys", BucketAddress.parse)
    ledger_lock_days: int = setting(
        "LEDGER_LOCK_DAYS",
        "for how many days a checkpoint is locked; 0 where the bucket has no Object Lock",
        days,
        default=0,
    )
