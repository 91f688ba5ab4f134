"""A data unit whose backups are taken and restored: a database that is cloned is what a snapshot brings back."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor

from functions.audit_logging.service import Service
from shared.addresses import PostgresAddress
from shared.database import Database
from shared.invocation import answer
from shared.ledger.anchors import Anchors
from shared.ledger.entry import Entry, append
from shared.settings import AuditLoggingSettings
from tests.integration.people import NOW
from tests.run import administrator, as_role, drop_database
from verifier.log import Report
from verifier.log import verify as verified
from verifier.note import PublicKey
from verifier.source import opened

FUNCTION = "arn:aws:lambda:us-east-2:000000000000:function:gdpr-audit-logging"
OFFICER = {"by_role": "privacy-officer", "decided_at": "2026-11-20T11:00:00Z"}


@dataclass(kw_only=True)
class Unit:
    """One database, with what lies beside it. Several may share the same place outside, as after a restore."""

    address: PostgresAddress
    outside: Path
    server: cursor
    clones: list[str] = field(default_factory=list)

    def elsewhere(self, outside: Path) -> Unit:
        """The same database, with a copy of what lies beside it."""
        shutil.copytree(self.outside, outside)
        self.close()
        return replace(self, outside=outside)

    @functools.cached_property
    def service(self) -> Service:
        settings = AuditLoggingSettings.read(
            {
                "DATABASE_URL": as_role(self.address, "gdpr_audit").url(),
                "LEDGER_BUCKET": f"file://{self.outside}/shop-ledger",
                "KEYS_BUCKET": f"file://{self.outside}/keys",
                "EXCHANGE_BUCKET": f"file://{self.outside}/exchange",
            }
        )
        made = Service.of(settings, application="gdpr-tests")
        made.ledger.keys.make(log="shop-ledger")
        return made

    @property
    def database(self) -> Database:
        return self.service.unit.database

    @property
    def anchors(self) -> Anchors:
        return self.service.ledger.anchors()

    def invoke(self, name: str, /, *, alias: str = "", **fields: Any) -> dict[str, Any]:
        context = SimpleNamespace(invoked_function_arn=FUNCTION + (f":{alias}" if alias else ""))
        actions = {each: functools.partial(self.service.do, each) for each in Service.ACTIONS}
        given = {"action": name, **fields}
        found = answer(given, context, service="audit_logging", actions=actions, officers=Service.OFFICERS)
        return dict(json.loads(json.dumps(found)))

    def restore(self, **fields: Any) -> dict[str, Any]:
        return self.invoke("restore", alias="officer", **(OFFICER | fields))

    def write(self, count: int = 1, *, role: str = "gdpr_audit", kind: str = "record.made", **said: Any) -> list[str]:
        """Entries that are committed and not in the tree yet; their events."""
        events = [str(uuid.uuid4()) for _ in range(count)]
        writer = self.database if role == "gdpr_audit" else Database(as_role(self.address, role), application="x")
        with writer.transaction() as cur:
            for event in events:
                append(cur, Entry(event=uuid.UUID(event), kind=kind, writer=role, at=NOW, said=said))
        if writer is not self.database:
            writer.close()
        return events

    def publish(self) -> int:
        done = self.invoke("checkpoint")
        assert done["status"] == "completed", done
        return int(done["size"])

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """As an administrator."""
        with administrator(self.address) as cur:
            cur.execute(statement, values)
            return cur.fetchall() if cur.description else []

    @property
    def events(self) -> list[str]:
        """In the order of the tree."""
        rows = self.ask(
            "select e.event_id::text from gdpr.leaf as l join gdpr.entry as e on e.id = l.entry_id"
            " order by l.leaf_index"
        )
        return [event for (event,) in rows]

    @property
    def standing(self) -> str:
        ((found,),) = self.ask("select gdpr.standing()")
        return str(found)

    def backup(self) -> Unit:
        """What a restore of this moment brings back."""
        self.close()
        name = f"gdpr_test_{secrets.token_hex(6)}"
        self.server.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = %s", (self.address.database,)
        )
        self.server.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(self.address.database)
            )
        )
        self.clones.append(name)
        return Unit(
            address=replace(self.address, database=name), outside=self.outside, server=self.server, clones=self.clones
        )

    def close(self) -> None:
        if "service" in self.__dict__:
            self.service.unit.close()

    def verified(self) -> Report:
        """By the offline verifier."""
        keys = [PublicKey.parse(str(key)) for key in self.service.ledger.keys.ledger().known]
        return verified(opened(str(self.outside / "shop-ledger")), keys, name="shop-ledger")


@contextlib.contextmanager
def unit_in(address: PostgresAddress, outside: Path, server: cursor) -> Iterator[Unit]:
    """With all that is made of it, up to the end."""
    unit = Unit(address=address, outside=outside, server=server)
    try:
        yield unit
    finally:
        unit.close()
        for name in unit.clones:
            drop_database(server, name)
