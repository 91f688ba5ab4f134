"""A database address that lies in an object, since a password does not belong among a function's settings.

    DATABASE_URL=s3://shop-keys/addresses/gdpr_export

One address a line, the first to be tried on top: while a password is changed there are two, of which one opens at every
moment. On AWS it is an SSE-KMS object behind the gateway endpoint. Neither an error nor a repr shows what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from shared.addresses import PostgresAddress
from shared.bucket import Bucket, BucketAddress, open_bucket
from shared.errors import Misuse, SettingInvalid

PREFIX = "addresses/"  # of the objects in KEYS_BUCKET; behind it the role


class AddressMissing(Misuse):
    """There is no such object, or nothing in it."""

    code = "address_missing"


@dataclass(frozen=True, kw_only=True)
class AddressObject:
    """Where an address lies."""

    bucket: Bucket = field(repr=False)
    key: str
    remedy: str = "the action `rotate` of audit_logging writes it"

    @property
    def where(self) -> str:
        return f"{self.bucket.where}/{self.key}"

    def read(self) -> list[PostgresAddress]:
        """As it is now, the first to be tried first. Raises AddressMissing."""
        found = self.lines()
        if not found:
            raise AddressMissing("There is no address", where=self.where, remedy=self.remedy)
        return [PostgresAddress.parse(line, variable=f"The address at {self.where}") for line in found]

    def lines(self) -> list[str]:
        """The same as text; none where there is no such object."""
        return (self.bucket.get(self.key) or b"").decode("utf-8", errors="replace").split()

    def write(self, lines: Sequence[str]) -> None:
        self.bucket.put(self.key, "".join(f"{line}\n" for line in lines).encode())


@dataclass(frozen=True, kw_only=True)
class AddressReference:
    """What a setting says of such an object."""

    place: BucketAddress
    key: str

    @classmethod
    def parse(cls, text: str, *, variable: str) -> Self:
        place = BucketAddress.parse(text, variable=variable)
        if place.folder:
            return cls(place=BucketAddress(folder=place.folder.parent), key=place.folder.name)
        before, _, key = place.prefix.rstrip("/").rpartition("/")
        if not key:
            raise SettingInvalid(
                f"{variable} names a bucket, and no object in it",
                remedy="write s3://bucket/addresses/gdpr_export, or the address itself",
            )
        return cls(place=BucketAddress(bucket=place.bucket, prefix=f"{before}/" if before else ""), key=key)

    def opened(self, *, region: str, endpoint: str | None) -> AddressObject:
        """Nothing is read yet."""
        return AddressObject(bucket=open_bucket(self.place, region=region, endpoint=endpoint), key=self.key)


def database_address(text: str, *, variable: str) -> PostgresAddress | AddressReference:
    """What DATABASE_URL says: an address, or where one lies."""
    if text.startswith(("s3://", "file://")):
        return AddressReference.parse(text, variable=variable)
    return PostgresAddress.parse(text, variable=variable)
