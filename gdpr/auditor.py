"""The auditor's part of the suite, as the function has it: the database as gdpr_audit, and the buckets beside it.

Each is a flag, or the variable that the function reads; opened when it is first needed, and not asked for before.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from gdpr.database import check_installed
from shared.address_object import AddressReference, database_address
from shared.addresses import PostgresAddress
from shared.asked import Asked, Fault, Rejected
from shared.bucket import Bucket, BucketAddress, open_bucket
from shared.database import Database
from shared.errors import AccessDenied, Misuse, Refused, SchemaOutdated, SettingMissing, SuiteError
from shared.keys import Keys

if TYPE_CHECKING:
    from functions.audit_logging.ledger import Ledger

_AS_AUDITOR = "connect as gdpr_audit: `gdpr db rotate gdpr_audit` prints its address"
_FLAGS = {
    "by_role": "--by",
    "subject_request_id": "NUMBER",
    "subject_request_type": "--right",
    "asked_at": "--at",
    "answered_at": "--at",
    "decided_at": "--at",
    "request_id": "--request",
    "old_size": "--old",
    "new_size": "--new",
    "subject_identities": "--identity",
}


class AuditorUrl(click.ParamType[PostgresAddress | AddressReference]):
    """An address, or the object that holds one. No message repeats it."""

    name = "postgresql://…"

    def convert(self, value: object, param: object, ctx: object) -> PostgresAddress | AddressReference:  # noqa: ARG002
        if isinstance(value, PostgresAddress | AddressReference):
            return value
        return database_address(str(value).strip(), variable="DATABASE_URL")


class Place(click.ParamType[BucketAddress]):
    """A bucket, or a folder."""

    name = "s3://…"

    def convert(self, value: object, param: click.Parameter | None, ctx: object) -> BucketAddress:  # noqa: ARG002
        variable = str(param.envvar) if param else "This"
        return value if isinstance(value, BucketAddress) else BucketAddress.parse(str(value), variable=variable)


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """What the flags and variables say."""

    database_url: PostgresAddress | AddressReference | None
    keys_bucket: BucketAddress | None = None
    ledger_bucket: BucketAddress | None = None
    region: str = "us-east-2"
    endpoint_url: str | None = field(default=None)

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """The connection, up to the end; what is wrong is told in the words of the command line."""
        if self.database_url is None:
            raise SettingMissing("DATABASE_URL is not set", remedy="set it, or pass --database-url")
        address = self.database_url
        if isinstance(address, AddressReference):
            opened = address.opened(region=self.region, endpoint=self.endpoint_url)
            database = Database(opened, application="gdpr")
        else:
            database = Database(address, application="gdpr")
        with contextlib.closing(database):
            try:
                yield database
            except SchemaOutdated:
                check_installed(database)
                raise
            except Rejected as rejected:
                raise _in_flags(rejected.faults) from None
            except AccessDenied as denied:
                raise _denied(denied) from None

    @property
    def keys(self) -> Keys:
        return Keys(bucket=self._opened(self.keys_bucket, "KEYS_BUCKET", "the bucket or folder of the keys"))

    def ledger(self, database: Database, *, lock: timedelta | None = None) -> Ledger:
        from functions.audit_logging.ledger import Ledger

        place = self._opened(self.ledger_bucket, "LEDGER_BUCKET", "the bucket or folder that the ledger is anchored in")
        name = self.ledger_bucket.name if self.ledger_bucket else ""
        return Ledger(database=database, keys=self.keys, place=place, name=name, lock=lock)

    def _opened(self, address: BucketAddress | None, variable: str, purpose: str) -> Bucket:
        if address is None:
            return cast("Bucket", _Unnamed(variable, purpose))
        return open_bucket(address, region=self.region, endpoint=self.endpoint_url)


class _Unnamed:
    """In place of a bucket that nobody has named: whoever needs it is told so, and nobody else."""

    def __init__(self, variable: str, purpose: str) -> None:
        flag = f"--{variable.lower().replace('_', '-')}"
        self._missing = SettingMissing(f"{variable} is not set", remedy=f"set it, or pass {flag}: it names {purpose}")

    def __getattr__(self, name: str) -> Any:
        raise self._missing


_DATABASE = click.option(
    "--database-url", type=AuditorUrl(), envvar="DATABASE_URL", help="Postgres, as gdpr_audit [DATABASE_URL]."
)
_KEYS = click.option("--keys-bucket", type=Place(), envvar="KEYS_BUCKET", help="Where the keys lie [KEYS_BUCKET].")
_LEDGER = click.option(
    "--ledger-bucket", type=Place(), envvar="LEDGER_BUCKET", help="Where the ledger is anchored [LEDGER_BUCKET]."
)
_S3 = (
    click.option("--region", envvar="AWS_REGION", default="us-east-2", help="Of the buckets [AWS_REGION]."),
    click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Of S3, if not AWS [AWS_ENDPOINT_URL]."),
)
_NAMES = ("database_url", "keys_bucket", "ledger_bucket", "region", "endpoint_url")


def auditing(*, keys: bool = False, ledger: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that takes an Auditor, and the flags that say what it is."""

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            said = {name: given.pop(name) for name in _NAMES if name in given}
            command(Auditor(**said), **given)

        options = [_DATABASE, *([_KEYS] * keys), *([_LEDGER] * ledger), *_S3]
        return functools.reduce(lambda inner, option: option(inner), reversed(options), called)

    return decorated


def asked_for(given: Mapping[str, Any]) -> Asked:
    """What the flags say, as an event has it: one that was left out is not there."""
    return Asked({name: said for name, said in given.items() if said is not None})


def _denied(denied: AccessDenied) -> AccessDenied:
    what = denied.what.replace("The role may not do this", "This role may not do this")
    if what == denied.what:
        return denied  # a password, a policy, a bucket: it says itself what to do
    return AccessDenied(what, where=denied.where, remedy=_AS_AUDITOR)


def _in_flags(faults: tuple[Fault, ...]) -> SuiteError:
    """What is wrong, by the flag that it was given as. What is on no list of ours was refused, and not mistyped."""
    kind = Refused if {fault.code for fault in faults} <= _refusals(Refused) else Misuse
    return kind("; ".join(_said(fault) for fault in faults))


def _said(fault: Fault) -> str:
    place, message = fault.path.strip("/"), fault.message.rstrip(".")
    name = place.partition("/")[0]
    if not place:
        return message
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}") if name == place else place.removeprefix("request/")
    return f"{flag}: {message[0].lower()}{message[1:]}"


def _refusals(root: type[SuiteError]) -> set[str]:
    return {root.code}.union(*(_refusals(child) for child in root.__subclasses__()))
