"""The one place that tells the time, so that tests can set it.

Leases and ledger entries do not ask here: they go by the database server's clock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_set_to: ContextVar[datetime | None] = ContextVar("set_to", default=None)


def now() -> datetime:
    """The present instant, with its zone."""
    return _set_to.get() or datetime.now(UTC)


@contextlib.contextmanager
def standing_at(instant: datetime) -> Iterator[None]:
    """Stop the clock at an instant; `advance` moves it."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    token = _set_to.set(instant)
    try:
        yield
    finally:
        _set_to.reset(token)


def advance(by: timedelta) -> datetime:
    """Move a clock that `standing_at` has stopped."""
    stopped_at = _set_to.get()
    if stopped_at is None:
        raise RuntimeError("only a clock that standing_at() has stopped can be moved")
    _set_to.set(stopped_at + by)
    return stopped_at + by
