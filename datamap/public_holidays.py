"""Calendars of public holidays: which there are, and their days for the plan, since no function ships the package.

A calendar is called as ISO 3166 calls the place: DE, or DE-BY for a part of it that has days of its own.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING

from datamap.spelling import nearest
from shared.working_days import Calendar

if TYPE_CHECKING:
    from holidays import HolidayBase

YEARS = range(2018, 2050)  # fixed, so that a plan is the same whenever it is compiled


class NoCalendar(ValueError):
    """There is none of that name; the message says what to write."""


def calendar(name: str) -> Calendar:
    """The days of a calendar, in those of the years that the package knows. Raises NoCalendar."""
    country, _, part = check(name).partition("-")
    years = {year: days for year in YEARS if (days := _days(country, part, year)) is not None}
    if not years:
        raise NoCalendar(f"The package holidays knows no year of {name}: write another calendar, or none")
    return Calendar(
        name=f"{name}@holidays-{version('holidays')}",
        years=(min(years), max(years)),
        days=tuple(sorted(day for days in years.values() for day in days)),
    )


def check(name: str) -> str:
    """The name, if there is a calendar of that name. Raises NoCalendar."""
    country, *part = re.split(r"[-_/ ]", name.strip(), maxsplit=1)
    code = _meant(country, _countries())
    if code is None:
        part = []
        code = _meant(name, _countries())
    if code is None:
        raise _no_calendar(name, "write a country's code such as DE, or DE-BY for a part of it")
    within = _meant(part[0], _parts(code)) if part else None
    meant = f"{code}-{within}" if within else code
    if meant == name:
        return name
    if part and not within:
        raise _no_calendar(name, ", or ".join([f"write {code}", *_example(code)]))
    raise _no_calendar(name, f"did you mean {meant}?")


def _no_calendar(name: str, advice: str) -> NoCalendar:
    return NoCalendar(f"{name!r} is no calendar of public holidays: {advice}")


def _example(country: str) -> list[str]:
    parts = sorted(set(_parts(country).values()), key=lambda code: (len(code), code))
    return [f"one of its parts such as {country}-{parts[0]}"] if parts else []


def _meant(text: str, known: Mapping[str, str]) -> str | None:
    """The code that is written, or the nearest; a code of two or three letters is nobody's slip of another."""
    if text in known.values():
        return text
    word = text.casefold().replace(" ", "_")
    found = word if word in known else nearest(word, (each for each in known if len(each) > 3))
    return known[found] if found else None


@functools.cache
def _countries() -> Mapping[str, str]:
    """The code of each country by everything that it is called: germany, de, deu."""
    from holidays.registry import COUNTRIES

    return {
        called.casefold(): code
        for key, (_, code, *others) in COUNTRIES.items()
        for called in (code, *others, key)
        if not called.startswith("Holidays")
    }


@functools.cache
def _parts(country: str) -> Mapping[str, str]:
    """The code of each part that has days of its own, by everything that it is called: bayern, by."""
    known = _country(country)
    called = {code: code for code in known.subdivisions} | known.subdivisions_aliases
    return {name.casefold().replace(" ", "_"): code for name, code in called.items()}


def _days(country: str, part: str, year: int) -> tuple[date, ...] | None:
    """None for a year of which the package does not know all days. Of some it says so by a warning."""
    known = _country(country)
    if not known.start_year <= year <= known.end_year:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return tuple(known(subdiv=part or None, years=year, expand=False, categories=("public",)))
        except UserWarning:
            return None


def _country(code: str) -> type[HolidayBase]:
    import holidays
    from holidays.registry import COUNTRIES

    names = {code: name for name, code, *_ in COUNTRIES.values()}
    found: type[HolidayBase] = getattr(holidays, names[code])
    return found
