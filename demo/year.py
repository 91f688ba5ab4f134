"""The demo's time stands still: its last year ends at midnight before 1 November 2026, whenever it is built."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

TODAY = datetime(2026, 11, 1, tzinfo=UTC)
DAYS_IN_YEAR = 365

_FIRST_DAY = date(2025, 11, 1)
DAYS = [(_FIRST_DAY + timedelta(days=day)).isoformat() for day in range(DAYS_IN_YEAR)]
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]


def instant(share: float) -> str:
    """The moment after that share of the year, a number from 0 to 1, as Postgres reads it."""
    second = int(share * DAYS_IN_YEAR * 86_400)
    day, second = divmod(second, 86_400)
    return f"{DAYS[day]} {_MINUTES[second // 60]}:{second % 60:02}Z"
