"""What Lambda calls. It takes the event, opens the data unit, and answers."""

from __future__ import annotations

import functools
import json
from typing import Any

from shared import catalogue, health
from shared.invocation import Answer, answer
from shared.settings import AuditLoggingSettings
from shared.unit import DataUnit

NAME = "audit_logging"


@functools.cache
def unit() -> DataUnit:
    """The stores of this execution environment."""
    return DataUnit(AuditLoggingSettings.read(), application=NAME)


def handler(event: object, _context: Any) -> Answer:
    """Answer one invocation."""
    return answer(event, service=NAME, actions={"health": lambda _: health.answer(unit()), "catalogue": _catalogue})


def _catalogue(_event: object) -> Answer:
    """What the database is made of, for an operator who has no way to it: `gdpr map … --catalogue` reads it."""
    with unit().database.transaction() as cur:
        return {"status": "completed", "catalogue": json.loads(catalogue.document(cur))}
