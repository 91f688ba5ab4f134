"""What an operator has who has no way to the database: buckets to put things into, and a function to invoke."""

from __future__ import annotations

import functools
import json
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from functions.audit_logging.service import Service
from shared.address_object import PREFIX, AddressObject
from shared.addresses import PostgresAddress
from shared.bucket import Folder
from shared.database import Database
from shared.invocation import answer
from shared.settings import AuditLoggingSettings

FUNCTION = "arn:aws:lambda:us-east-2:000000000000:function:gdpr-audit-logging"


@dataclass
class OperatorSite:
    """Folders for the buckets, and audit_logging, a new execution environment for each invocation."""

    folder: Path
    database_url: str | None = None  # of the function; else the object that `rotate` writes
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def lend(self, admin: PostgresAddress) -> None:
        self.keys.mkdir(parents=True, exist_ok=True)
        (self.keys / "admin").write_text(f"{admin.url()}\n")

    def address(self, role: str) -> AddressObject:
        return AddressObject(bucket=Folder(self.keys), key=f"{PREFIX}{role}")

    def opens(self, role: str) -> bool:
        """Whether a function that starts now gets to its database."""
        with closing(Database(self.address(role), application="gdpr-tests")) as database, database.transaction() as cur:
            cur.execute("select session_user")
            return cur.fetchone() == (role,)

    def service(self) -> Service:
        buckets = {name: f"file://{self.folder}/{name.split('_')[0].lower()}" for name in _BUCKETS}
        url = self.database_url or f"file://{self.keys}/{PREFIX}gdpr_audit"
        made = Service.of(AuditLoggingSettings.read({"DATABASE_URL": url, **buckets}), application="gdpr-tests")
        made.ledger.keys.make(log="ledger")
        return made

    def invoke(self, name: str, /, *, alias: str = "officer", **fields: Any) -> dict[str, Any]:
        context = SimpleNamespace(invoked_function_arn=FUNCTION + (f":{alias}" if alias else ""))
        service = self.service()
        actions = {each: functools.partial(service.do, each) for each in Service.ACTIONS}
        with closing(service.unit):
            given = {"action": name, **fields}
            found = answer(given, context, service="audit_logging", actions=actions, officers=Service.OFFICERS)
        self.answers.append(dict(json.loads(json.dumps(found))))
        return self.answers[-1]


_BUCKETS = ("LEDGER_BUCKET", "KEYS_BUCKET", "EXCHANGE_BUCKET")
