"""Months, and from which to which a report goes: by the controller's calendar, whose day ends at its own midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from shared.asked import Fault, Rejected
from shared.deadlines import end_of_day, local_day, plus_months

USUAL = 12  # months, unless a report is asked for others
MOST = 120


@dataclass(frozen=True, kw_only=True, order=True)
class Month:
    """A month of the calendar."""

    first: date

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2026-11`."""
        return cls(first=date.fromisoformat(f"{text}-01"))

    @classmethod
    def of(cls, at: datetime, zone: str) -> Self:
        return cls(first=local_day(at, zone).replace(day=1))

    def plus(self, months: int) -> Month:
        return Month(first=plus_months(self.first, months))

    def starts_at(self, zone: str) -> datetime:
        """Its first instant there."""
        return end_of_day(self.first - timedelta(days=1), zone)

    @property
    def words(self) -> str:
        return f"{self.first:%B %Y}"

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, kw_only=True)
class Period:
    """From the beginning of a month to the end of a month, which may be the same one."""

    since: Month
    until: Month
    zone: str

    @classmethod
    def named(cls, since: Month | None, until: Month | None, *, zone: str, now: datetime) -> Self:
        """The year up to this month, where no other is named. Raises Rejected."""
        until = until or Month.of(now, zone)
        period = cls(since=since or until.plus(1 - USUAL), until=until, zone=zone)
        if not 1 <= period.length <= MOST:
            message = f"A report goes from a month to a later one, or to the same one, over at most {MOST} months."
            raise Rejected([Fault(path="/since", code="period_invalid", message=message)])
        return period

    @property
    def length(self) -> int:
        """In months; less than 1 where the end comes before the beginning."""
        first, last = self.since.first, self.until.first
        return (last.year - first.year) * 12 + last.month - first.month + 1

    @property
    def months(self) -> tuple[Month, ...]:
        return tuple(self.since.plus(number) for number in range(self.length))

    @property
    def starts_at(self) -> datetime:
        return self.since.starts_at(self.zone)

    @property
    def ends_at(self) -> datetime:
        """Exclusive."""
        return self.until.plus(1).starts_at(self.zone)

    @property
    def words(self) -> str:
        """`November 2026` · `March to November 2026` · `December 2025 to November 2026`"""
        if self.since == self.until:
            return self.until.words
        year = "" if self.since.first.year == self.until.first.year else f" {self.since.first.year}"
        return f"{self.since.first:%B}{year} to {self.until.words}"
