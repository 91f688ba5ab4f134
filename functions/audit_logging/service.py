"""Everything that audit_logging does, by the names of its actions."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Self

from functions.audit_logging.intake import Intake, keys_in
from functions.audit_logging.ledger import Ledger
from functions.audit_logging.parts import Parts
from functions.audit_logging.requests import Requests
from functions.audit_logging.sweep import Swept, sweep
from shared import catalogue, health
from shared.asked import Asked
from shared.bucket import open_bucket
from shared.errors import LedgerBroken, SuiteError
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

    @classmethod
    def of(cls, settings: AuditLoggingSettings, *, application: str) -> Self:
        unit = DataUnit(settings, application=application)
        outside = functools.partial(open_bucket, region=settings.region, endpoint=settings.aws_endpoint)
        outbox = Outbox(bucket=outside(settings.exchange_bucket))
        keys = Keys(bucket=outside(settings.keys_bucket))
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
        )

    def do(self, name: str, asked: Asked) -> Answer:
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
        "catalogue": catalogue,
        "checkpoint": lambda self, asked: self.ledger.checkpoint(asked),
        "extend": lambda self, asked: self.requests.extend(asked),
        "health": health,
        "intake": take,
        "notify": lambda self, asked: self.requests.notify(asked),
        "pause": lambda self, asked: self.requests.pause(asked),
        "proof": lambda self, asked: self.ledger.proof(asked),
        "query": lambda self, asked: self.ledger.query(asked),
        "record": lambda self, asked: self.ledger.record(asked),
        "refuse": lambda self, asked: self.requests.refuse(asked),
        "register": lambda self, asked: self.requests.register(asked),
        "resume": lambda self, asked: self.requests.resume(asked),
        "sweep": sweep,
        "verify": lambda self, asked: self.ledger.verify(asked),
    }
    OFFICERS: ClassVar[frozenset[str]] = frozenset({"refuse"})
