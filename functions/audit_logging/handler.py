"""What Lambda calls. It takes the event, opens what the action needs, and answers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from functions.audit_logging.service import Service
from shared.invocation import Answer, answer
from shared.settings import AuditLoggingSettings

NAME = "audit_logging"


@functools.cache
def service() -> Service:
    """What this execution environment works with."""
    return Service.of(AuditLoggingSettings.read(), application=NAME)


def handler(event: object, context: Any) -> Answer:
    """Answer one invocation, or take what the queue hands over."""
    if isinstance(event, Mapping) and "Records" in event:
        event = {"action": "intake", "records": event["Records"]}
    actions = {name: functools.partial(_do, name) for name in Service.ACTIONS}
    return answer(event, context, service=NAME, actions=actions, officers=Service.OFFICERS)


def _do(name: str, asked: Any) -> Answer:
    return service().do(name, asked)
