"""Everything that audit_logging does, by the names of its actions."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Self

from functions.audit_logging.activation import Activation
from functions.audit_logging.administrator import Administrator
from functions.audit_logging.cases import Cases
from functions.audit_logging.intake import Intake, keys_in
from functions.audit_logging.ledger import Ledger
from functions.audit_logging.parts import Parts
from functions.audit_logging.report import Reports
from functions.audit_logging.requests import Requests
from functions.audit_logging.restore import Restore
from functions.audit_logging.rotation import Rotation
from functions.audit_logging.schema import Schema
from functions.audit_logging.sweep import Swept, sweep
from shared import catalogue, health
from shared.asked import Asked
from shared.bucket import open_bucket
from shared.errors import LedgerBehind, LedgerBroken, SuiteError
from shared.invocation import Answer
from shared.keys import Keys
from shared.ledger import tree
from shared.logs import log
from shared.outbox import Outbox
from shared.settings import AuditLoggingSettings
from shared.unit import DataUnit

Do = Callable[["Service", Asked], Answer]


@dataclass(frozen=True, kw_only=True)
class Service:
    """The data unit, and what lies beside it."""

    unit: DataUnit
    requests: Requests
    outbox: Outbox
    intake: Intake
    ledger: Ledger
    reports: Reports
    cases: Cases
    schema: Schema
    activation: Activation
    rotation: Rotation

    @classmethod
    def of(cls, settings: AuditLoggingSettings, *, application: str) -> Self:
        unit = DataUnit(settings, application=application)
        outside = functools.partial(open_bucket, region=settings.region, endpoint=settings.aws_endpoint)
        outbox = Outbox(bucket=outside(settings.exchange_bucket))
        keys = Keys(bucket=outside(settings.keys_bucket))
        administrator = Administrator(keys=keys.bucket)
        return cls(
            unit=unit,
            requests=Requests(database=unit.database, keys=keys),
            outbox=outbox,
            intake=Intake(database=unit.database, bucket=outbox.bucket, keys=keys, outbox=outbox),
            ledger=Ledger(
                database=unit.database,
                keys=keys,
                place=outside(settings.ledger_bucket),
                name=settings.ledger_bucket.name,
                lock=timedelta(days=settings.ledger_lock_days) if settings.ledger_lock_days else None,
            ),
            reports=Reports(database=unit.database),
            cases=Cases(database=unit.database),
            schema=Schema(administrator=administrator),
            activation=Activation(database=unit.database, administrator=administrator, plans=outbox.bucket),
            rotation=Rotation(database=unit.database, administrator=administrator, keys=keys.bucket),
        )

    def do(self, name: str, asked: Asked) -> Answer:
        if name in self.WAITING:
            self.ledger.be_whole()
        return self.ACTIONS[name](self, asked)

    def health(self, asked: Asked) -> Answer:
        asked.check()
        answer = health.answer(self.unit)
        try:
            self.ledger.compare()
        except LedgerBroken as broken:  # a bucket that does not answer is no reason to think so
            told = {"name": "ledger", "ok": False, "code": broken.code, "message": broken.sentence}
            return answer | {"status": "failed", "checks": [*answer["checks"], told]}
        except SuiteError as fault:
            log("audit_logging").warning("action_failed", action="health", code=fault.code)
        return answer

    def catalogue(self, asked: Asked) -> Answer:
        """What the database is made of, for an operator who has no way to it: `gdpr map … --catalogue` reads it."""
        asked.check()
        with self.unit.database.transaction() as cur:
            return {"status": "completed", "catalogue": json.loads(catalogue.document(cur))}

    def sweep(self, asked: Asked) -> Answer:
        """What nobody did in time is told, files that nobody took are taken, and what was written is anchored.

        Each part is done whatever has become of the others, which the answer then tells of.
        """
        asked.check()
        parts = Parts()
        parts.do(self.ledger.compare)
        if parts.met(LedgerBehind):  # what would be told now may stand in entries that are still to be taken over
            return parts.answer()
        parts.do(lambda: tree.sequence(self.unit.database, insist=True))
        told = parts.do(lambda: sweep(self.unit.database, self.outbox)) or Swept()
        anchored = parts.do(lambda: self.ledger.checkpoint(asked)) or {}
        # Last, since a file may be more than we have memory for.
        taken = [parts.do(functools.partial(self.intake.take, key)) for key in parts.do(self.intake.left) or []]
        answer = {
            **anchored,
            "told": told.events,
            "unreadable": told.unreadable,
            "files": len(taken) - taken.count(None),
        }
        return answer | parts.answer(failed=told.unreadable)

    def take(self, asked: Asked) -> Answer:
        """Files that were put under intake/, as the queue tells of them."""
        counted = [self.intake.take(key) for key in keys_in(asked.rest("records"))]
        taken = [each for each in counted if each is not None]
        return {"status": "completed", "files": len(taken), "requests": dict(sum(map(Counter, taken), Counter()))}

    ACTIONS: ClassVar[Mapping[str, Do]] = {
        "activate": lambda self, asked: self.activation.activate(asked),
        "catalogue": catalogue,
        "checkpoint": lambda self, asked: self.ledger.checkpoint(asked),
        "extend": lambda self, asked: self.requests.extend(asked),
        "health": health,
        "intake": take,
        "list": lambda self, asked: self.cases.list(asked),
        "migrate": lambda self, asked: self.schema.migrate(asked),
        "notify": lambda self, asked: self.requests.notify(asked),
        "pause": lambda self, asked: self.requests.pause(asked),
        "proof": lambda self, asked: self.ledger.proof(asked),
        "query": lambda self, asked: self.ledger.query(asked),
        "record": lambda self, asked: self.ledger.record(asked),
        "refuse": lambda self, asked: self.requests.refuse(asked),
        "register": lambda self, asked: self.requests.register(asked),
        "reinstate": lambda self, asked: self.requests.reinstate(asked),
        "report": lambda self, asked: self.reports.report(asked),
        "restore": lambda self, asked: Restore(ledger=self.ledger, outbox=self.outbox).restore(asked),
        "resume": lambda self, asked: self.requests.resume(asked),
        "rotate": lambda self, asked: self.rotation.rotate(asked),
        "show": lambda self, asked: self.cases.show(asked),
        "sweep": sweep,
        "verify": lambda self, asked: self.ledger.verify(asked),
    }
    OFFICERS: ClassVar[frozenset[str]] = frozenset({"activate", "migrate", "refuse", "reinstate", "restore", "rotate"})
    # What a restored database does not do before it has been brought up to its anchor (threat model A2).
    WAITING: ClassVar[frozenset[str]] = frozenset(
        {"extend", "intake", "notify", "pause", "record", "refuse", "register", "reinstate", "resume"}
    )
