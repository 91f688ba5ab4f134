"""Things that are done one after another, each whatever has become of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from shared.errors import SuiteError
from shared.logs import log, told

T = TypeVar("T")


class Parts:
    """What is to be done, and what has gone wrong with it."""

    def __init__(self) -> None:
        self._errors: list[Exception] = []

    def do(self, part: Callable[[], T]) -> T | None:
        """What comes of it; None where it fails."""
        try:
            return part()
        except Exception as error:
            log("audit_logging").exception("action_broke", code=getattr(error, "code", "fault"))
            self._errors.append(error)
        return None

    def met(self, kind: type[Exception]) -> bool:
        """Whether this went wrong."""
        return any(isinstance(error, kind) for error in self._errors)

    def answer(self, *, failed: int = 0) -> dict[str, Any]:
        """Raises what a retry may cure; else tells of the first thing that went wrong, if any did."""
        for error in self._errors:
            if isinstance(error, SuiteError) and error.retryable:
                raise error
        for error in self._errors:
            if isinstance(error, SuiteError):
                return {"status": "failed", "code": error.code, "message": error.sentence}
            return {"status": "failed", "code": "fault", "message": _fault(error)}
        if failed:
            message = "Requests that cannot be read were passed over: their numbers are in the outbox."
            return {"status": "failed", "code": "fault", "message": message}
        return {}


def _fault(error: Exception) -> str:
    return f"A fault of audit_logging: {type(error).__name__} at {told(error.__traceback__)}."
