"""The way in and out of every function: an event becomes the call of one action, and whatever happens an answer.

The only place where errors become responses. Bad input and failures that a retry cannot cure are answers, so that
nothing retries them; only what a retry may cure is raised. Nothing of the event, and no text that a library wrote,
reaches a log or an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from shared.asked import Asked, Fault, Rejected
from shared.caller import OFFICER, is_officer
from shared.errors import SuiteError
from shared.logs import guard, log, told

Answer = dict[str, Any]
Action = Callable[[Asked], Answer]


def answer(
    event: object, context: Any, *, service: str, actions: Mapping[str, Action], officers: Collection[str] = ()
) -> Answer:
    """Do what the event asks for. What is the officer's to decide is done for whoever came in by that door alone."""
    guard()
    action = event.get("action") if isinstance(event, Mapping) else None
    if not isinstance(action, str) or action not in actions:
        known = ", ".join(sorted(actions))
        return _rejected([Fault(path="/action", code="unknown_action", message=f"{service} knows: {known}.")])
    if action in officers and not is_officer(context):
        message = f"This is the officer's to decide: invoke {service}:{OFFICER}."
        return _rejected([Fault(path="/action", code="officer_only", message=message)])
    try:
        return _done(actions[action], Asked(event))
    except Rejected as rejected:
        return _rejected(rejected.faults)
    except SuiteError as error:
        log(service).warning("action_failed", action=action, code=error.code)
        if error.retryable:
            raise
        return {"status": "failed", "code": error.code, "message": error.sentence}
    except Exception as error:
        log(service).exception("action_broke", action=action, code="fault")
        place = told(error.__traceback__)
        return {
            "status": "failed",
            "code": "fault",
            "message": f"A fault of {service}: {type(error).__name__} at {place}.",
        }


def _done(action: Action, asked: Asked) -> Answer:
    asked.code("action")
    return action(asked)


def _rejected(faults: Collection[Fault]) -> Answer:
    return {
        "status": "rejected",
        "faults": [{"path": each.path, "code": each.code, "message": each.message} for each in faults],
    }
