"""The database as its administrator, whose address lies with the keys for only as long as the operator leaves it there.

The function's own role can neither change schema gdpr nor hand out rights. So the operator puts the address of somebody
who can under `admin` in KEYS_BUCKET, has the officer invoke what needs it, and takes it away again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.address_object import AddressMissing, AddressObject
from shared.bucket import Bucket
from shared.database import Database
from shared.errors import AccessDenied

KEY = "admin"
_REMEDY = "put the database address of an administrator there, on one line, until this is done"


class AdministratorMissing(AddressMissing):
    code = "administrator_missing"


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """Whoever may do what the functions may not."""

    keys: Bucket = field(repr=False)

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """Their connection, up to the end of what is done with it. Raises AdministratorMissing."""
        lies = AddressObject(bucket=self.keys, key=KEY, remedy=_REMEDY)
        try:
            database = Database(lies.read()[0], application="audit_logging")
        except AccessDenied as denied:  # S3 says so as well of an object that is not there, to whoever may not list
            remedy = f"{_REMEDY}, and let the function's role read it"
            raise AdministratorMissing(denied.what, where=lies.where, remedy=remedy) from None
        except AddressMissing as missing:
            raise AdministratorMissing(missing.what, where=missing.where, remedy=missing.remedy) from None
        with contextlib.closing(database):
            yield database
