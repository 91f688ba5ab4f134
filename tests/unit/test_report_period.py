"""Months by the controller's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.audit_logging.reports.period import MOST, Month, Period
from shared.asked import Rejected

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONES = ("Europe/Berlin", "UTC", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca")


def period(since: str | None = None, until: str | None = None, zone: str = "Europe/Berlin") -> Period:
    months = (Month.parse(text) if text else None for text in (since, until))
    return Period.named(*months, zone=zone, now=NOW)


def test_a_month_begins_at_midnight_of_the_zone() -> None:
    assert period("2026-03", "2026-03").starts_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert period("2026-03", "2026-03").ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)  # summer time has begun


@pytest.mark.parametrize(("zone", "month"), [("Europe/Brussels", "2026-03"), ("Europe/Helsinki", "2026-04")])
def test_at_the_edge_the_zone_decides(zone: str, month: str) -> None:
    assert str(Month.of(datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), zone)) == month


def test_unless_named_it_is_the_year_up_to_this_month() -> None:
    found = period()
    assert (str(found.since), str(found.until), found.length) == ("2025-12", "2026-11", 12)
    assert [str(month) for month in period("2026-09").months] == ["2026-09", "2026-10", "2026-11"]
    assert str(period(until="2026-02").since) == "2025-03"


@pytest.mark.parametrize(("since", "until"), [("2026-11", "2026-10"), ("2016-11", "2026-11"), ("2027-01", None)])
def test_no_report_ends_before_it_begins_or_is_endless(since: str, until: str | None) -> None:
    with pytest.raises(Rejected, match=f"at most {MOST} months"):
        period(since, until)


def test_it_is_told_as_people_say_it() -> None:
    assert period("2026-11", "2026-11").words == "November 2026"
    assert period("2026-03", "2026-11").words == "March to November 2026"
    assert period().words == "December 2025 to November 2026"


months = st.dates(date(2018, 5, 1), date(2049, 12, 1)).map(lambda day: Month(first=day.replace(day=1)))


@given(months, st.integers(1, MOST), st.sampled_from(ZONES), st.floats(0, 1))
def test_every_instant_of_a_period_is_in_one_of_its_months(since: Month, length: int, zone: str, part: float) -> None:
    found = Period.named(since, since.plus(length - 1), zone=zone, now=NOW)
    assert found.length == length == len(set(found.months))
    at = found.starts_at + (found.ends_at - found.starts_at - timedelta(seconds=1)) * part
    assert Month.of(at, zone) in found.months
    assert Month.of(found.starts_at, zone) == found.since
    assert Month.of(found.ends_at, zone) == found.until.plus(1)
    assert found.ends_at.astimezone(ZoneInfo(zone)).day == 1
