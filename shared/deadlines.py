"""A request's deadline by the law's calendar (Regulation 1182/71): pure code, without any store.

shared/case.py says which facts it follows from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import Misuse
from shared.policy import policy

NoticeKind = Literal["question", "extension", "refusal"]


class ZoneUnknown(Misuse):
    code = "zone_unknown"


class InstantInvalid(Misuse):
    """A time without its zone, or one before something that it can only follow."""

    code = "instant_invalid"


def plus_months(day: date, months: int) -> date:
    """The same date of a later month, or that month's last day where it has no such date (Art. 3(2)(c))."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def end_of_day(day: date, zone: str) -> datetime:
    """The first instant of the next day there: whoever answers before it has answered on that day."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=_zone(zone)).astimezone(UTC)


def local_day(at: datetime, zone: str) -> date:
    """The date there. Raises InstantInvalid for a time without a zone."""
    if at.tzinfo is None:
        raise InstantInvalid("This time has no time zone", remedy="write it with one: 2026-11-20T09:00:00+01:00")
    return at.astimezone(_zone(zone)).date()


def check_follows(at: datetime, earlier: datetime, rule: str) -> None:
    """Raises InstantInvalid."""
    local_day(at, "UTC")
    if at < earlier:
        raise InstantInvalid(f"This time is too early, since {rule}", remedy="check the date and the time zone")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneUnknown(
            f"There is no time zone {name!r} here",
            remedy="approve the data map again, with the package tzdata installed",
        ) from None


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Every date of a request, and what they were computed by."""

    received_on: date
    target_date: date  # what warnings go by
    due_nominal: date
    due_statutory: date  # the same, or the next working day
    extended_target: date | None = None
    extended_nominal: date | None = None
    extended_statutory: date | None = None
    credit_days: int  # of pauses; they are in the dates already
    due_at: datetime  # exclusive
    calendar: str | None
    zone: str
    policy: str

    @property
    def due_on(self) -> date:
        """The last day."""
        return self.extended_statutory or self.due_statutory

    @property
    def warned_by(self) -> date:
        """The day that warnings count down to."""
        return self.extended_target or self.target_date

    @property
    def first_due_at(self) -> datetime:
        """The end of the first month, until which the person can be told that it takes longer. Exclusive."""
        return end_of_day(self.due_statutory, self.zone)

    def is_overdue(self, at: datetime) -> bool:
        return at >= self.due_at

    def days_left(self, at: datetime) -> int:
        """Until the last day, which counts as 0; negative behind it."""
        return (self.due_on - local_day(at, self.zone)).days

    def warning(self, at: datetime) -> int | None:
        """Which of the policy's warnings has come up: 7, 3 or 1, or none yet. The nearest, should a day be missed."""
        left = (self.warned_by - local_day(at, self.zone)).days
        return min((days for days in policy(self.policy).warn_days if left <= days), default=None)

    def notice_due_at(self, kind: NoticeKind) -> datetime:
        """When the person has to have been told. Of a refusal too this is the first month, extended or not."""
        if kind == "question":
            return end_of_day(self.received_on + timedelta(days=policy(self.policy).max_ask_days), self.zone)
        return self.first_due_at

    def as_data(self) -> dict[str, str | int | None]:
        """As it is stored and told: dates and the instant in ISO 8601."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()}

    @classmethod
    def from_data(cls, told: Mapping[str, Any]) -> Self:
        days = {
            name: date.fromisoformat(told[name])
            for name in (field.name for field in fields(cls))
            if name.startswith(("received", "target", "due_nominal", "due_statutory", "extended")) and told[name]
        }
        return cls(**{**told, **days, "due_at": datetime.fromisoformat(told["due_at"])})
