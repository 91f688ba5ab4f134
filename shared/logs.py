"""Structured log lines in one vocabulary, without personal data, whatever is thrown at them.

    log("data_export").info("export_started", request_id=request.id, dataset="app.orders", rows=12)

The message is the name of an event. A key that is not in the vocabulary, or a value that does not have its key's
shape, does not reach the line; `refused` counts them. An exception is told by its class and its way through the
code: its text may quote a person.
"""

from __future__ import annotations

import functools
import logging
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

Shape = Callable[[Any], bool]


def _text(pattern: str) -> Shape:
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _duration(value: Any) -> bool:
    return _count(value) or (isinstance(value, float) and 0 <= value < float("inf"))


_SLUG = _text(r"[a-z][a-z0-9_.-]{0,62}")
_UUID = _text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = _text(r"[0-9a-f]{16,64}")
_NAME = r'([\w$]{1,63}|"[^"@+\n]{1,63}")'  # as Postgres writes a table's name
_FRAME = r"\w[\w./-]*:\d+"

VOCABULARY: Mapping[str, Shape] = {
    # what we say
    "message": _SLUG,
    "request_id": _UUID,  # the register's, never the caller's text
    "subject_ref": _HEX,  # an HMAC under a key that can be deleted
    "dataset": _text(rf"{_NAME}(\.{_NAME}){{0,2}}"),
    "action": _SLUG,
    "status": _SLUG,
    "code": _SLUG,
    "store": _SLUG,
    "digest": _HEX,
    "rows": _count,
    "bytes": _count,
    "attempt": _count,
    "duration_ms": _duration,
    # what Powertools adds
    "level": _text(r"DEBUG|INFO|WARNING|ERROR|CRITICAL"),
    "location": _text(r"[\w.<>]+:\d+"),
    "timestamp": _text(r"[0-9:,.TZ+ -]{10,40}"),
    "service": _SLUG,
    "cold_start": lambda value: isinstance(value, bool),
    "function_request_id": _UUID,
    "xray_trace_id": _text(r"[0-9a-f-]{1,40}"),
    # what an exception leaves: its class, and file:line from the outside in
    "exception_name": _text(r"\w{1,80}"),
    "exception": _text(rf"{_FRAME}( > {_FRAME})*|nowhere"),
}


def told(trace: TracebackType | None) -> str:
    """The way of an exception through the code, without a word of what it said."""
    frames = traceback.extract_tb(trace)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-12:]) or "nowhere"


class Vocabulary(LambdaPowertoolsFormatter):
    """The last gate before the line is written: nothing passes that is not in the vocabulary."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is the standard library's
        return told(ei[2])

    def serialize(self, log: Any) -> str:
        kept = {key: value for key, value in log.items() if key in VOCABULARY and VOCABULARY[key](value)}
        refused = len(log) - len(kept)
        return super().serialize(kept | ({"refused": refused} if refused else {}))


@functools.cache
def log(service: str) -> Logger:
    """The logger of a function. What libraries log goes through the same gate, where little of it fits."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Vocabulary())
    return Logger(service=service, level="INFO", logger_formatter=Vocabulary(), use_rfc3339=True)
