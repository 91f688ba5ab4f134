"""The way in and out of every function: an event becomes the call of one action, and whatever happens an answer.

The only place where errors become responses. Bad input and failures that a retry cannot cure are answers, so that
nothing retries them; only what a retry may cure is raised. Nothing of the event, and no text that a library wrote,
reaches a log or an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import SuiteError
from shared.logs import guard, log, told

Answer = dict[str, Any]
Action = Callable[[Mapping[str, Any]], Answer]


def answer(event: object, *, service: str, actions: Mapping[str, Action]) -> Answer:
    """Do what the event asks for."""
    guard()
    action = event.get("action") if isinstance(event, Mapping) else None
    if not isinstance(event, Mapping) or not isinstance(action, str) or action not in actions:
        known = ", ".join(sorted(actions))
        return _rejected("/action", "unknown_action", f"{service} knows these actions: {known}.")
    try:
        return actions[action](event)
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


def _rejected(path: str, code: str, message: str) -> Answer:
    return {"status": "rejected", "faults": [{"path": path, "code": code, "message": message}]}
