"""Working days, and the calendars that are compiled into a plan."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import date, timedelta

import pytest
from holidays import list_supported_countries
from holidays.countries.germany import Germany
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datamap import public_holidays
from datamap.document import Document, Unreadable
from datamap.model import Controller
from datamap.public_holidays import NoCalendar, calendar
from shared.errors import Misuse
from shared.plan import Deadlines, Plan
from shared.working_days import Calendar, CalendarEnds

# The European Union, its neighbours in the EEA, and two more that are asked much the same.
EUROPE = """
AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB CH
""".split()  # noqa: SIM905 - thirty lines less
GERMANY_2026 = [
    date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14), date(2026, 5, 25),
    date(2026, 10, 3), date(2026, 12, 25), date(2026, 12, 26),
]  # fmt: skip
GERMANY = calendar("DE")
KNOWN = {
    "-".join(place)
    for country, parts in list_supported_countries().items()
    for place in [(country,), *((country, part) for part in parts)]
}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-04-02", "2026-04-02"),  # Maundy Thursday
        ("2026-04-03", "2026-04-07"),  # Good Friday, a weekend, Easter Monday
        ("2026-10-03", "2026-10-05"),  # a holiday on a Saturday
        ("2026-11-20", "2026-11-20"),
        ("2026-11-21", "2026-11-23"),
        ("2026-11-22", "2026-11-23"),
        ("2026-12-25", "2026-12-28"),
        ("2027-12-31", "2027-12-31"),
        ("2028-01-01", "2028-01-03"),
    ],
)
def test_a_day_rolls_over_weekends_and_holidays_to_the_next_working_day(day: str, expected: str) -> None:
    assert GERMANY.rolled(date.fromisoformat(day)) == date.fromisoformat(expected)


def test_a_part_of_a_country_has_days_of_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert GERMANY.rolled(epiphany) == epiphany
    assert calendar("DE-BY").rolled(epiphany) == date(2026, 1, 7)


@given(st.dates(date(2018, 1, 1), date(2049, 12, 30)), st.sampled_from(EUROPE))
def test_what_is_rolled_is_the_nearest_working_day_that_is_not_earlier(day: date, country: str) -> None:
    known = calendar(country)
    rolled = known.rolled(day)
    skipped = [day + timedelta(days=each) for each in range((rolled - day).days)]
    assert rolled >= day
    assert rolled.isoweekday() <= 5
    assert rolled not in known.days
    assert all(each.isoweekday() > 5 or each in known.days for each in skipped)
    assert known.rolled(rolled) == rolled


@pytest.mark.parametrize("day", [date(2017, 12, 29), date(2050, 1, 3)])
def test_a_day_beyond_the_years_of_a_calendar_is_not_rolled_but_told(day: date) -> None:
    with pytest.raises(CalendarEnds, match=r"2018 to 2049.*approve the data map again") as caught:
        GERMANY.rolled(day)
    assert isinstance(caught.value, Misuse)
    assert not caught.value.retryable


def test_a_roll_that_leaves_the_years_of_a_calendar_is_told_too() -> None:
    ends = Calendar(name="X@1", years=(2027, 2027), days=(date(2027, 12, 31),))
    with pytest.raises(CalendarEnds, match="2028"):
        ends.rolled(date(2027, 12, 31))


def test_germanys_holidays_are_those_of_the_law_and_stand_sorted_under_name_and_version() -> None:
    assert [day for day in GERMANY.days if day.year == 2026] == GERMANY_2026
    assert GERMANY.name.startswith("DE@holidays-0.")
    assert GERMANY.years == (2018, 2049)


@settings(deadline=None)
@given(st.sampled_from(EUROPE))
def test_every_calendar_of_europe_has_sorted_holidays_in_each_of_its_years(country: str) -> None:
    known = calendar(country)
    assert known.years == (2018, 2049)
    assert {day.year for day in known.days} == set(range(2018, 2050))
    assert known.days == tuple(sorted(set(known.days)))


def test_a_year_in_which_the_package_knows_no_days_is_none_of_the_calendars() -> None:
    known = calendar("GW")
    assert known.years == (2023, 2049)
    assert {day.year for day in known.days} == set(range(2023, 2050))


def test_a_year_of_which_the_package_warns_that_days_are_missing_is_none_of_the_calendars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fading(Germany):
        def _populate(self, year: int) -> None:
            super()._populate(year)
            if year > 2035:
                warnings.warn("Requested Holidays are available only until 2035.", UserWarning, stacklevel=2)

    monkeypatch.setattr(public_holidays, "_country", lambda code: Fading)
    known = calendar("DE")
    assert known.years == (2018, 2035)
    assert known.days == tuple(day for day in GERMANY.days if day.year <= 2035)


def test_a_calendar_of_which_no_year_is_known_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_holidays, "YEARS", range(1800, 1802))
    with pytest.raises(NoCalendar, match="knows no year of DE: write another"):
        calendar("DE")


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("de", "did you mean DE?"),
        (" DE", "did you mean DE?"),
        ("DEU", "did you mean DE?"),
        ("Germany", "did you mean DE?"),
        ("Germny", "did you mean DE?"),
        ("UK", "did you mean GB?"),
        ("United Kingdom", "did you mean GB?"),
        ("de-by", "did you mean DE-BY?"),
        ("DE_BY", "did you mean DE-BY?"),
        ("DE-Bayern", "did you mean DE-BY?"),
        ("Germany/Bayen", "did you mean DE-BY?"),
        ("DE-XX", "write DE, or one of its parts such as DE-BB"),
        ("DE-", "write DE, or one of its parts such as DE-BB"),
        ("NO-38", "write NO, or one of its parts such as NO-03"),  # no more, since 2024
        ("DK-84", "write DK"),
        ("DEX", "write a country's code such as DE, or DE-BY for a part of it"),
        ("ZZ", "write a country's code such as DE, or DE-BY for a part of it"),
        ("", "write a country's code such as DE, or DE-BY for a part of it"),
    ],
)
def test_a_calendar_that_there_is_not_is_told_with_what_was_meant(written: str, advice: str) -> None:
    with pytest.raises(NoCalendar) as caught:
        calendar(written)
    assert str(caught.value) == f"{written!r} is no calendar of public holidays: {advice}"


@given(st.text(max_size=12))
def test_whatever_is_no_calendar_is_refused_with_what_to_write(text: str) -> None:
    assume(text not in KNOWN)
    with pytest.raises(NoCalendar, match=r"did you mean|write"):
        calendar(text)


MAP = """version: 1
controller: {name: a, contact: b, authority: c, timezone: Europe/Berlin, holidays: DE}
subject: {table: app.users, key: id}
"""


def test_a_map_takes_a_calendar_and_refuses_another_with_its_place() -> None:
    assert Document.parse(MAP).map.controller.holidays == "DE"
    assert Document.parse(MAP.replace("DE}", "DE-BY}")).map.controller.holidays == "DE-BY"
    with pytest.raises(Unreadable) as caught:
        Document.parse(MAP.replace("DE}", "DE-Bayern}"))
    (fault,) = caught.value.faults
    assert (fault.code, fault.where, fault.line) == ("map.invalid", ("controller", "holidays"), 2)
    assert (fault.message, fault.remedy) == (
        "'DE-Bayern' is no calendar of public holidays",
        "did you mean DE-BY?",
    )


def test_whether_pauses_count_is_one_of_two_words() -> None:
    assert Document.parse(MAP).map.controller.pauses == "suspend"
    assert Document.parse(MAP.replace("DE}", "DE, pauses: off}")).map.controller.pauses == "off"
    with pytest.raises(ValidationError):
        Controller.model_validate({"name": "a", "contact": "b", "authority": "c", "pauses": "restart"})


@pytest.mark.parametrize("known", [GERMANY, None])
def test_a_calendar_survives_its_journey_in_a_plan_and_is_a_part_of_its_digest(known: Calendar | None) -> None:
    deadlines = Deadlines(zone="Europe/Berlin", policy="gdpr-2018@1", calendar=known)
    plan = Plan(fingerprint="", map={}, deadlines=deadlines, kinds=())
    read = Plan.from_json(plan.as_json())
    assert read == plan
    assert read.deadlines.calendar == known
    assert read.digest == plan.digest
    other = Deadlines(zone="Europe/Berlin", policy="gdpr-2018@1", calendar=calendar("DE-BY"))
    assert Plan(fingerprint="", map={}, deadlines=other, kinds=()).digest != plan.digest


def test_a_plan_holds_the_days_as_plain_dates_and_little_else() -> None:
    deadlines = Deadlines(zone="Europe/Berlin", policy="gdpr-2018@1", calendar=GERMANY)
    text = Plan(fingerprint="", map={}, deadlines=deadlines, kinds=()).as_json()
    told = json.loads(text)["deadlines"]
    assert told["calendar"] == {
        "name": GERMANY.name,
        "years": [2018, 2049],
        "days": [day.isoformat() for day in GERMANY.days],
    }
    assert len(text) < 4500


def test_a_plan_of_the_format_before_has_no_calendar_and_is_refused() -> None:
    with pytest.raises(ValueError, match="another format"):
        Plan.from_json(json.dumps({"format": 2, "fingerprint": "", "map": {}, "kinds": []}))


def test_no_function_needs_the_package_that_knows_the_holidays() -> None:
    code = "import sys, shared.refusals, shared.plan; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "shared.working_days" in loaded
    assert not {"holidays", "pydantic", "sqlalchemy", "boto3", "datamap"} & set(loaded)
