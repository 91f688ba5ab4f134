"""Working days by a calendar of public holidays (Regulation 1182/71, Art. 3(4)).

The days come with the plan, so that every function counts by the same ones and none ships a package that knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from shared.errors import Misuse

_SATURDAY = 5


class CalendarEnds(Misuse):
    """A day beyond the years that the calendar knows. Whether it is a holiday is not to be guessed."""

    code = "calendar_ends"


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The public holidays of some years."""

    name: str  # with the version of what it was made from: DE-BY@holidays-0.108
    years: tuple[int, int]  # the first and the last
    days: tuple[date, ...]

    def is_working_day(self, day: date) -> bool:
        """Neither a Saturday, a Sunday nor a holiday. Raises CalendarEnds."""
        first, last = self.years
        if not first <= day.year <= last:
            raise CalendarEnds(
                f"The calendar {self.name} knows the years {first} to {last}, and not {day.year}",
                remedy="check the date of receipt, or approve the data map again with a newer version of the"
                " package holidays",
            )
        return day.weekday() < _SATURDAY and day not in self.days

    def rolled(self, day: date) -> date:
        """The day itself, or else the next working day. Raises CalendarEnds."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    @classmethod
    def from_data(cls, told: Mapping[str, Any]) -> Self:
        """From what a plan holds as JSON."""
        first, last = told["years"]
        return cls(name=told["name"], years=(first, last), days=tuple(map(date.fromisoformat, told["days"])))
