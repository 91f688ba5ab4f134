"""What Lambda calls. It takes the event, opens the data unit, and answers."""

from __future__ import annotations

import functools
from typing import Any

from shared import health
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
    return answer(event, service=NAME, actions={"health": lambda _: health.answer(unit())})
