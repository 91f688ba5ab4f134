"""A new password for a role of the database, written to where its function reads its address.

    1  the object holds the new address and, below it, what it held       the old one opens
    2  the role gets the new password                                     the new one opens
    3  the object holds the new address alone                             the new one opens

So wherever it is killed, something of what lies there opens, and to run it again ends it. A function that is refused
with what it read before looks again (shared/database.py).
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field, replace

from functions.audit_logging.administrator import Administrator
from shared import clock
from shared.address_object import PREFIX, AddressObject
from shared.asked import Asked
from shared.bucket import Bucket
from shared.database import Database, connect
from shared.errors import Misuse
from shared.invocation import Answer
from shared.ledger.after import sequenced
from shared.ledger.entry import Entry, append
from shared.queries import query
from shared.roles import LOGINS, set_password

WRITER = "gdpr_audit"


class AddressElsewhere(Misuse):
    """A new password would be written where nobody reads it."""

    code = "address_elsewhere"


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The roles of the functions, and the objects with their addresses."""

    database: Database
    administrator: Administrator
    keys: Bucket = field(repr=False)

    def rotate(self, asked: Asked) -> Answer:
        role, by_role = asked.one_of("role", LOGINS), asked.code("by_role")
        asked.check()
        place = AddressObject(bucket=self.keys, key=PREFIX + role)
        self._check_recordable(role, place)
        with self.administrator.database() as admin:
            address = replace(admin.address, role=role, password=secrets.token_urlsafe(32))
            with admin.transaction() as cur:
                cur.execute(query("lock_migrations"))  # one at a time
                place.write([address.url(), *place.lines()])
                set_password(cur, role, address.password or "")
            with admin.transaction() as cur:
                cur.execute(query("lock_migrations"))
                if place.lines()[:1] == [address.url()]:  # else somebody rotates it again, and is about to end that
                    connect(address, application="audit_logging").close()
                    place.write([address.url()])
        self._record(role, by_role)
        return {"status": "completed", "role": role, "lies_at": place.where}

    def _check_recordable(self, role: str, place: AddressObject) -> None:
        """What cannot be told to the ledger is not done; the auditor's own role can be told of once it is done."""
        if role != WRITER:
            self.database.connection()
        elif self.database.lies_at != place.where:
            raise AddressElsewhere(
                "This function does not read its own address where it would be written",
                where=place.where,
                remedy=f"set its DATABASE_URL to that place, or change the password by `gdpr db rotate {role}`",
            )

    def _record(self, role: str, by_role: str) -> None:
        said = {"role": by_role, "code": role}
        with self.database.transaction() as cur:
            entry = Entry(event=uuid.uuid4(), kind="role.rotated", writer=WRITER, at=clock.now(), said=said)
            append(cur, entry)
        sequenced(self.database)
