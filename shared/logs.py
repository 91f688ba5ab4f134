"""Structured log lines in one vocabulary, without personal data, whatever is thrown at them.

    log("data_export").warning("action_failed", action="export", code="store_busy", request_id=request.id)

The message is one of EVENTS. A key that is not in the vocabulary, or a value that does not have its key's
shape, does not reach the line; `refused` counts them. An exception is told by its class and its way through the
code: its text may quote a person.
"""

from __future__ import annotations

import functools
import logging
import re
import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from shared.errors import SuiteError

Shape = Callable[[Any], bool]


def _text(pattern: str) -> Shape:
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _number(below: float, *kinds: type) -> Shape:
    # type(), not isinstance(): what only claims to be a number could write whatever it likes.
    return lambda value: type(value) in kinds and 0 <= value < below


def _one_of(words: Collection[str]) -> Shape:
    return lambda value: isinstance(value, str) and value in words


def _code(value: Any) -> bool:
    return value == "fault" or value in [error.code for error in _tree(SuiteError)]


def _tree(root: type[SuiteError]) -> Iterator[type[SuiteError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


_UUID = _text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HMAC = _text(r"[0-9a-f]{64}")
_NAME = r'([\w$]{1,63}|"[\w$-]{1,63}")'  # as Postgres writes a table's name; taken at its word
_FRAME = r"\w[\w./-]*:\d+"

# What can happen. A message that is not one of these is some library's, or a mistake of ours.
EVENTS = frozenset({"action_failed", "action_broke"})
STATUSES = frozenset(
    {"completed", "in_progress", "incomplete", "refused", "not_identified", "blocked", "rejected", "failed"}
)

VOCABULARY: dict[str, Shape] = {
    # what we say
    "message": _one_of(EVENTS),
    "request_id": _UUID,  # the register's, never the caller's text
    "subject_ref": _HMAC,  # under a key that can be deleted
    "dataset": _text(rf"{_NAME}(\.{_NAME}){{0,2}}"),
    "action": _text(r"[a-z]{1,20}"),
    "status": _one_of(STATUSES),
    "code": _code,
    "digest": _HMAC,
    "rows": _number(10**10, int),
    "bytes": _number(10**15, int),
    "attempt": _number(1000, int),
    "duration_ms": _number(10**8, int, float),
}

# What Powertools and the record say, and no caller can.
OWN: dict[str, Shape] = {
    "level": _text(r"DEBUG|INFO|WARNING|ERROR|CRITICAL"),
    "location": _text(r"[\w.<>]+:\d+"),
    "timestamp": _text(r"[0-9T:.+-]{10,40}"),
    "service": _text(r"[a-z_]{1,40}"),
    "exception_name": _text(r"\w{1,80}"),  # the class of an exception, and file:line from the outside in
    "exception": _text(rf"{_FRAME}( > {_FRAME})*|nowhere"),
}


def told(trace: TracebackType | None) -> str:
    """The way of an exception through the code, without a word of what it said."""
    frames = traceback.extract_tb(trace)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-12:]) or "nowhere"


class Vocabulary(LambdaPowertoolsFormatter):
    """The last gate before the line is written: nothing passes that is not in the vocabulary."""

    def __init__(self, **options: Any) -> None:
        super().__init__(use_rfc3339=True, **options)
        self._exception: dict[str, str] = {}

    def format(self, record: logging.LogRecord) -> str:
        given = {key: value for key, value in record.__dict__.items() if key not in OWN}
        self._exception = {}
        if record.exc_info and record.exc_info[0]:
            self._exception = {"exception_name": record.exc_info[0].__name__, "exception": told(record.exc_info[2])}
        return super().format(logging.makeLogRecord(given))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is the standard library's
        return told(ei[2])

    def serialize(self, log: Any) -> str:
        said = {key: value for key, value in log.items() if key not in ("exception_name", "exception")}
        kept = {key: value for key, value in said.items() if (shape := (VOCABULARY | OWN).get(key)) and shape(value)}
        refused = len(said) - len(kept)
        return super().serialize(kept | self._exception | ({"refused": refused} if refused else {}))


def guard() -> None:
    """Put the gate before everything that logs in this process, libraries included. Done at every way in."""
    logging.raiseExceptions = False  # or a line that cannot be formatted is printed with its arguments
    root = logging.getLogger()
    if not root.handlers:  # the handler of last resort would print what it is given
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        if not isinstance(handler.formatter, Vocabulary):
            handler.setFormatter(Vocabulary(service="runtime"))


@functools.cache
def log(service: str) -> Logger:
    """The logger of a function."""
    guard()
    return Logger(service=service, level="INFO", logger_formatter=Vocabulary(service=service))
