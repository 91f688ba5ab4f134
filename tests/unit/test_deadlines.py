"""Deadlines by the law's calendar: the authorities' own examples, and what holds for every day there is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datamap.public_holidays import calendar
from shared.case import (
    Case,
    Extension,
    ExtensionIncomplete,
    ExtensionTooLate,
    ExtensionTwice,
    NothingAsked,
    NothingExtended,
    Question,
)
from shared.deadlines import Deadline, InstantInvalid, NoticeKind, ZoneUnknown, end_of_day, local_day, plus_months
from shared.policy import POLICIES, PolicyUnknown, newest, policy
from shared.working_days import Calendar, CalendarEnds

GERMANY = calendar("DE")
BRUSSELS = "Europe/Brussels"
SUSPEND, OFF = newest("suspend"), newest("off")

# received, due_nominal, due_statutory, and extended: nominal and statutory
CASES = [
    ("2024-03-05", "2024-04-05", "2024-04-05", None, None),  # EDPB, example 32
    ("2026-08-31", "2026-09-30", "2026-09-30", "2026-11-30", "2026-11-30"),  # EDPB, example 33
    ("2026-01-31", "2026-02-28", "2026-03-02", "2026-04-30", "2026-04-30"),  # no such date, and a Saturday
    ("2026-01-30", "2026-02-28", "2026-03-02", "2026-04-30", "2026-04-30"),
    ("2026-01-29", "2026-02-28", "2026-03-02", "2026-04-29", "2026-04-29"),
    ("2026-01-28", "2026-02-28", "2026-03-02", "2026-04-28", "2026-04-28"),
    ("2027-01-31", "2027-02-28", "2027-03-01", "2027-04-30", "2027-04-30"),  # 30 days would be 2 March: late
    ("2028-01-31", "2028-02-29", "2028-02-29", "2028-04-30", "2028-05-02"),  # leap year; a Sunday, then 1 May
    ("2028-02-29", "2028-03-29", "2028-03-29", "2028-05-29", "2028-05-29"),
    ("2026-02-28", "2026-03-28", "2026-03-30", "2026-05-28", "2026-05-28"),  # not the last of March
    ("2026-03-31", "2026-04-30", "2026-04-30", "2026-06-30", "2026-06-30"),
    ("2026-12-31", "2027-01-31", "2027-02-01", "2027-03-31", "2027-03-31"),
    ("2026-03-05", "2026-04-05", "2026-04-07", "2026-06-05", "2026-06-05"),  # Easter Sunday and Monday
    ("2026-03-03", "2026-04-03", "2026-04-07", "2026-06-03", "2026-06-03"),  # from Good Friday on
    ("2027-02-26", "2027-03-26", "2027-03-30", "2027-05-26", "2027-05-26"),
    ("2026-04-01", "2026-05-01", "2026-05-04", "2026-07-01", "2026-07-01"),  # ICO
    ("2026-11-25", "2026-12-25", "2026-12-28", "2027-02-25", "2027-02-25"),
    ("2026-12-01", "2027-01-01", "2027-01-04", "2027-03-01", "2027-03-01"),
    ("2026-09-03", "2026-10-03", "2026-10-05", "2026-12-03", "2026-12-03"),  # a holiday on a Saturday
    ("2026-11-30", "2026-12-30", "2026-12-30", "2027-02-28", "2027-03-01"),
    ("2026-05-31", "2026-06-30", "2026-06-30", "2026-08-31", "2026-08-31"),
    ("2026-10-31", "2026-11-30", "2026-11-30", "2027-01-31", "2027-02-01"),
    ("2026-12-25", "2027-01-25", "2027-01-25", "2027-03-25", "2027-03-25"),  # receipt on a holiday counts
]


def noon(day: str, zone: str = BRUSSELS) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=ZoneInfo(zone))


def on(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def case(received: str | datetime, *, days: Calendar | None = GERMANY, zone: str = BRUSSELS) -> Case:
    received_at = noon(received, zone) if isinstance(received, str) else received
    return Case(received_at=received_at, zone=zone, calendar=days, policy=SUSPEND)


def extended(open_case: Case) -> Case:
    """Decided and told on the day of receipt."""
    told = open_case.extended(open_case.received_at, reason="complexity", text_ref="letter-1")
    return told.notified(open_case.received_at)


def asked(open_case: Case, *rounds: tuple[str, str | None]) -> Case:
    questions = (Question(asked_at=noon(one), answered_at=noon(other) if other else None) for one, other in rounds)
    return replace(open_case, questions=tuple(questions))


# A month ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("received", "nominal", "statutory", "_later", "_latest"), CASES, ids=str)
def test_a_month_ends_on_the_same_date_or_on_the_months_last_and_rolls_to_a_working_day(
    received: str, nominal: str, statutory: str, _later: str | None, _latest: str | None
) -> None:
    deadline = case(received).deadline
    assert (deadline.received_on, deadline.due_nominal) == (on(received), on(nominal))
    assert deadline.due_statutory == deadline.due_on == on(statutory)
    assert deadline.due_at == end_of_day(on(statutory), BRUSSELS)
    assert deadline.extended_statutory is None


@pytest.mark.parametrize(("received", "nominal", "statutory", "later", "latest"), CASES, ids=str)
def test_an_extension_counts_three_months_from_receipt(
    received: str, nominal: str, statutory: str, later: str | None, latest: str | None
) -> None:
    deadline = extended(case(received)).deadline
    if later and latest:
        assert (deadline.extended_nominal, deadline.extended_statutory) == (on(later), on(latest))
    assert (deadline.due_nominal, deadline.due_statutory) == (on(nominal), on(statutory))
    assert deadline.due_on == deadline.extended_statutory
    assert deadline.due_at == end_of_day(deadline.due_on, BRUSSELS)


@pytest.mark.parametrize("received", [row[0] for row in CASES])
def test_without_a_calendar_nothing_rolls_be_it_a_sunday(received: str) -> None:
    plain = case(received, days=None)
    assert plain.deadline.due_statutory == plain.deadline.due_nominal
    assert extended(plain).deadline.extended_statutory == extended(plain).deadline.extended_nominal
    assert plain.deadline.calendar is None


def test_two_calendars_give_different_days() -> None:
    received = "2025-12-06"  # a month later it is Epiphany
    assert case(received).deadline.due_statutory == on("2026-01-06")
    assert case(received, days=calendar("DE-BY")).deadline.due_statutory == on("2026-01-07")
    assert case(received, days=calendar("DE-BY")).deadline.calendar == calendar("DE-BY").name


def test_a_deadline_beyond_the_calendar_is_told_and_never_guessed() -> None:
    with pytest.raises(CalendarEnds, match="approve the data map again"):
        _ = case("2049-12-15").deadline


@pytest.mark.parametrize(
    ("received", "target"), [("2026-02-10", "2026-03-10"), ("2026-03-10", "2026-04-07"), ("2027-01-31", "2027-02-28")]
)
def test_the_target_is_four_weeks_and_never_behind_the_month(received: str, target: str) -> None:
    assert case(received).deadline.target_date == on(target)


@pytest.mark.parametrize(
    ("received", "target"),
    [
        ("2026-01-29", "2026-04-28"),
        ("2026-01-30", "2026-04-28"),
        ("2026-01-31", "2026-04-28"),
        ("2026-05-31", "2026-08-30"),
        ("2026-10-31", "2027-01-30"),
        ("2026-08-31", "2026-11-30"),
    ],
)
def test_an_extended_target_is_the_earlier_of_both_ways_to_count(received: str, target: str) -> None:
    deadline = extended(case(received)).deadline
    assert deadline.extended_target == deadline.warned_by == on(target)


# Zones --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_at", "zone", "nominal", "statutory"),
    [
        ("2026-03-31T21:59:59Z", BRUSSELS, "2026-04-30", "2026-04-30"),
        ("2026-03-31T21:59:59Z", "Europe/Helsinki", "2026-05-01", "2026-05-04"),
        ("2026-03-31T21:59:59Z", "UTC", "2026-04-30", "2026-04-30"),
        ("2026-03-31T22:00:00Z", BRUSSELS, "2026-05-01", "2026-05-04"),
        ("2026-03-31T22:00:00Z", "UTC", "2026-04-30", "2026-04-30"),
        ("2026-04-01T08:00:00+10:00", BRUSSELS, "2026-05-01", "2026-05-04"),  # however it is written
    ],
)
def test_the_day_of_receipt_is_the_controllers(received_at: str, zone: str, nominal: str, statutory: str) -> None:
    deadline = case(at(received_at), zone=zone).deadline
    assert (deadline.due_nominal, deadline.due_statutory) == (on(nominal), on(statutory))
    assert deadline.zone == zone


@pytest.mark.parametrize(
    ("received", "due_at"),
    [
        ("2026-03-31", "2026-04-30T22:00:00Z"),  # summer
        ("2026-11-25", "2026-12-28T23:00:00Z"),  # winter
        ("2026-09-30", "2026-10-30T23:00:00Z"),  # from summer to winter
        ("2026-02-27", "2026-03-27T23:00:00Z"),  # the Friday before the clocks change
    ],
)
def test_a_deadline_ends_with_the_last_day_of_the_controllers_zone(received: str, due_at: str) -> None:
    deadline = case(received).deadline
    assert deadline.due_at == at(due_at)
    assert deadline.due_at.tzinfo == UTC


def test_whoever_answers_in_the_last_second_is_on_time_and_a_second_later_overdue() -> None:
    deadline = case("2026-03-31").deadline
    last = datetime(2026, 4, 30, 23, 59, 59, tzinfo=ZoneInfo(BRUSSELS))
    assert not deadline.is_overdue(last)
    assert not deadline.is_overdue(last + timedelta(microseconds=999_999))
    assert deadline.is_overdue(last + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("day", "zone", "ends"),
    [
        ("2023-04-27", "Africa/Cairo", "2023-04-27T22:00:00Z"),  # 28 April begins at one o'clock
        ("2018-02-17", "America/Sao_Paulo", "2018-02-18T03:00:00Z"),  # its last hour comes twice
        ("2026-10-31", "America/Havana", "2026-11-01T04:00:00Z"),  # the next day's first hour comes twice
    ],
)
def test_a_day_ends_where_clocks_change_at_midnight(day: str, zone: str, ends: str) -> None:
    assert end_of_day(on(day), zone) == at(ends)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = at("2026-11-20T09:00:00")
    opened = case("2026-11-02")
    with pytest.raises(InstantInvalid, match=r"no time zone.*\+01:00"):
        _ = case(naive).deadline
    for act in (opened.asked, opened.asked(noon("2026-11-03")).answered):
        with pytest.raises(InstantInvalid, match="no time zone"):
            act(naive)
    with pytest.raises(InstantInvalid, match="no time zone"):
        opened.extended(naive, reason="complexity", text_ref="letter-1")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "Europe"])
def test_a_zone_that_there_is_not_is_told(zone: str) -> None:
    with pytest.raises(ZoneUnknown, match="tzdata"):
        _ = case(noon("2026-11-20"), zone=zone).deadline


DUE_AT = """
import sys
from datetime import datetime
from shared.case import Case
from shared.policy import newest
if sys.argv[1:]:
    sys.modules["tzdata"] = None
at = datetime.fromisoformat("2026-03-31T21:59:59+00:00")
case = Case(received_at=at, zone="Europe/Brussels", calendar=None, policy=newest("suspend"))
print(case.deadline.due_at.isoformat())
"""


@pytest.mark.parametrize("package", [True, False], ids=["with tzdata", "without it"])
def test_zones_are_known_where_the_system_has_none(package: bool) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DUE_AT, *([] if package else ["hide"])],
        env={"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if package:
        assert (ran.stdout.strip(), ran.stderr) == ("2026-04-30T22:00:00+00:00", "")
    else:
        assert "ZoneUnknown: There is no time zone 'Europe/Brussels' here" in ran.stderr


# Pauses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rounds", "due"),
    [
        ([("2026-06-02", "2026-06-10")], "2026-07-09"),
        ([("2026-06-20", "2026-06-25")], "2026-07-01"),  # asked too late
        ([("2026-06-04", "2026-06-10")], "2026-07-07"),  # three days after receipt
        ([("2026-06-05", "2026-06-10")], "2026-07-01"),  # four
        ([("2026-06-02", None)], "2026-07-01"),  # never answered
        ([("2026-06-02", "2026-06-02")], "2026-07-01"),  # at once
        ([("2026-06-02", "2026-06-10"), ("2026-06-11", "2026-06-15")], "2026-07-13"),  # EDPB, example 31: not enough
        ([("2026-06-02", "2026-06-10"), ("2026-06-10", "2026-06-15")], "2026-07-14"),
        ([("2026-06-02", "2026-06-10"), ("2026-06-14", "2026-06-20")], "2026-07-09"),  # the second asked too late
        ([("2026-06-02", "2026-06-10"), ("2026-06-04", "2026-06-12")], "2026-07-11"),  # both open: once
        ([("2026-06-02", "2026-06-12"), ("2026-06-04", "2026-06-08")], "2026-07-11"),  # one within the other
        ([("2026-06-02", "2026-06-12"), ("2026-06-09", "2026-06-14")], "2026-07-13"),  # asked while the clock stood
        ([("2026-06-20", "2026-06-25"), ("2026-06-26", "2026-06-28")], "2026-07-01"),  # a late question mends nothing
        ([("2026-06-02", None), ("2026-06-10", "2026-06-15")], "2026-07-01"),
        ([("2026-06-11", "2026-06-15"), ("2026-06-02", "2026-06-10")], "2026-07-13"),  # in whatever order
    ],
)
def test_a_pause_is_credited_by_whole_days(rounds: list[tuple[str, str | None]], due: str) -> None:
    deadline = asked(case("2026-06-01", days=None), *rounds).deadline
    assert (deadline.received_on, deadline.due_nominal) == (on("2026-06-01"), on(due))
    assert deadline.credit_days == (on(due) - on("2026-07-01")).days
    assert deadline.target_date == on("2026-06-29") + timedelta(days=deadline.credit_days)


def test_the_days_of_a_pause_are_the_controllers() -> None:
    late = case(at("2026-06-01T12:00:00Z"), days=None).asked(at("2026-06-02T22:30:00Z"))  # the third, in Brussels
    assert late.answered(at("2026-06-10T22:30:00Z")).deadline.credit_days == 8
    assert late.answered(at("2026-06-10T12:00:00Z")).deadline.credit_days == 7


def test_the_policy_off_credits_no_pause() -> None:
    paused = asked(case("2026-06-01"), ("2026-06-02", "2026-06-10"))
    off = replace(paused, policy=OFF).deadline
    assert (off.due_nominal, off.credit_days, off.policy) == (on("2026-07-01"), 0, OFF.name)
    assert paused.deadline.policy == SUSPEND.name != OFF.name


def test_a_paused_deadline_rolls_like_another() -> None:
    paused = asked(case("2026-06-01"), ("2026-06-02", "2026-06-12"))  # 11 July is a Saturday
    assert (paused.deadline.due_nominal, paused.deadline.due_statutory) == (on("2026-07-11"), on("2026-07-13"))


def test_an_answer_that_comes_when_the_deadline_is_over_credits_nothing() -> None:
    waiting = case("2026-06-01", days=None).asked(noon("2026-06-02"))
    in_time = waiting.answered(waiting.deadline.due_at - timedelta(microseconds=1))
    assert in_time.deadline.due_nominal == on("2026-07-30")
    assert waiting.answered(waiting.deadline.due_at).deadline.due_nominal == on("2026-07-01")


def test_an_open_question_shows_when_the_request_has_to_be_closed() -> None:
    waiting = case("2026-06-01").asked(noon("2026-06-02"))
    assert waiting.is_waiting
    assert not waiting.must_be_closed(noon("2026-06-30"))
    assert waiting.must_be_closed(noon("2026-07-01"))
    assert not waiting.answered(noon("2026-06-10")).must_be_closed(noon("2026-07-30"))
    assert not extended(waiting).must_be_closed(noon("2026-08-31"))
    assert extended(waiting).must_be_closed(noon("2026-09-01"))


def test_an_answer_closes_all_that_has_been_asked_and_no_answer_is_changed() -> None:
    twice = case("2026-06-01").asked(noon("2026-06-02")).answered(noon("2026-06-03")).asked(noon("2026-06-04"))
    assert twice.is_waiting
    both = twice.asked(noon("2026-06-05")).answered(noon("2026-06-09"))
    assert [question.answered_at for question in both.questions] == [
        noon("2026-06-03"), noon("2026-06-09"), noon("2026-06-09"),
    ]  # fmt: skip
    assert both.received_at == twice.received_at
    assert not both.is_waiting


def test_what_cannot_have_been_is_refused() -> None:
    opened = case("2026-06-01")
    with pytest.raises(NothingAsked, match="pause"):
        opened.answered(noon("2026-06-02"))
    with pytest.raises(InstantInvalid, match="a question follows the receipt"):
        opened.asked(noon("2026-05-31"))
    with pytest.raises(InstantInvalid, match="an answer follows its question"):
        opened.asked(noon("2026-06-03")).answered(noon("2026-06-02"))
    with pytest.raises(InstantInvalid, match="an extension follows the receipt"):
        opened.extended(noon("2026-05-31"), reason="complexity", text_ref="letter-1")
    decided = opened.extended(noon("2026-06-03"), reason="complexity", text_ref="letter-1")
    with pytest.raises(InstantInvalid, match="follows the decision"):
        decided.notified(noon("2026-06-02"))


# Extensions ---------------------------------------------------------------------------------------------------------


def test_an_extension_is_told_before_the_first_month_ends_and_not_a_second_later() -> None:
    opened = case("2026-03-31")
    end = opened.deadline.due_at
    decided = opened.extended(noon("2026-04-20"), reason="eu-gdpr:JustificationA12Complexity", text_ref="letter-17")
    assert decided.extension == Extension(
        decided_at=noon("2026-04-20"), reason="complexity", text_ref="letter-17", facts_ref=None, notified_at=None
    )
    told = decided.notified(end - timedelta(microseconds=1))
    assert told.deadline.due_nominal == on("2026-04-30")
    assert told.deadline.extended_nominal == on("2026-06-30")
    with pytest.raises(ExtensionTooLate, match=r"by the end of 2026-04-30, Europe/Brussels.*overdue"):
        decided.notified(end)
    with pytest.raises(ExtensionTooLate):
        opened.extended(end, reason="complexity", text_ref="letter-17")


def test_an_extension_that_nobody_was_told_of_changes_no_deadline() -> None:
    opened = case("2026-03-31")
    decided = opened.extended(noon("2026-04-20"), reason="complexity", text_ref="letter-17")
    assert decided.deadline == opened.deadline
    assert decided.deadline.is_overdue(opened.deadline.due_at)
    late = Extension(decided_at=noon("2026-04-20"), reason="complexity", text_ref="l", notified_at=noon("2026-05-01"))
    assert replace(opened, extension=late).deadline == opened.deadline


def test_a_request_is_extended_once() -> None:
    opened = case("2026-03-31")
    decided = opened.extended(noon("2026-04-20"), reason="complexity", text_ref="letter-17")
    told = decided.notified(noon("2026-04-21"))
    for each, day in ((decided, "2026-04-30"), (told, "2026-06-30")):
        with pytest.raises(ExtensionTwice, match=rf"once.*by {day}"):
            each.extended(noon("2026-04-22"), reason="complexity", text_ref="letter-18")
    with pytest.raises(ExtensionTwice):
        told.notified(noon("2026-04-22"))
    with pytest.raises(NothingExtended, match="extend it first"):
        opened.notified(noon("2026-04-22"))


@pytest.mark.parametrize("text_ref", ["", "  "])
def test_an_extension_names_the_notice_that_tells_the_reason(text_ref: str) -> None:
    with pytest.raises(ExtensionIncomplete, match="give text_ref"):
        case("2026-03-31").extended(noon("2026-04-20"), reason="complexity", text_ref=text_ref)


def test_a_pause_moves_the_end_of_the_first_month_and_makes_three_months_no_longer() -> None:
    paused = asked(case("2026-06-01"), ("2026-06-02", "2026-06-10"))
    deadline = extended(paused).deadline
    assert (deadline.due_nominal, deadline.extended_nominal) == (on("2026-07-09"), on("2026-09-01"))
    assert deadline.extended_target == on("2026-09-01")
    told = paused.extended(noon("2026-07-08"), reason="complexity", text_ref="letter-1").notified(noon("2026-07-09"))
    assert told.deadline.due_on == on("2026-09-01")


def test_an_extension_makes_no_deadline_shorter() -> None:
    rounds = [("2026-06-02", "2026-07-01"), ("2026-07-02", "2026-07-29"), ("2026-07-30", "2026-08-25"),
              ("2026-08-26", "2026-09-19")]  # fmt: skip
    paused = asked(case("2026-06-01", days=None), *rounds)
    assert paused.deadline.due_on == on("2026-10-15")
    assert extended(paused).deadline.due_on == on("2026-10-15")
    assert extended(paused).deadline.warned_by == paused.deadline.warned_by == on("2026-10-13")


# Warnings and notices -----------------------------------------------------------------------------------------------


def test_warnings_come_seven_three_and_one_day_before_the_target_and_are_not_lost_on_a_missed_day() -> None:
    deadline = case("2026-03-10").deadline  # target 7 April, due 10 April
    said = {day: deadline.warning(noon(f"2026-{day}")) for day in (
        "03-30", "03-31", "04-01", "04-03", "04-04", "04-05", "04-06", "04-07", "04-10", "04-11",
    )}  # fmt: skip
    assert said == {
        "03-30": None, "03-31": 7, "04-01": 7, "04-03": 7, "04-04": 3, "04-05": 3, "04-06": 1, "04-07": 1,
        "04-10": 1, "04-11": 1,
    }  # fmt: skip
    assert [deadline.days_left(noon(day)) for day in ("2026-04-03", "2026-04-10", "2026-04-11")] == [7, 0, -1]


def test_warnings_of_an_extended_request_count_down_to_its_new_target() -> None:
    deadline = extended(case("2026-01-31")).deadline
    assert deadline.warning(noon("2026-04-20")) is None
    assert deadline.warning(noon("2026-04-21")) == 7
    assert deadline.days_left(noon("2026-04-28")) == 2


def test_a_request_is_idle_when_more_days_have_gone_by_than_the_policy_allows() -> None:
    opened = case("2026-06-01")
    assert SUSPEND.idle_days == 7
    assert not opened.is_idle(since=noon("2026-06-01"), now=noon("2026-06-08"))
    assert opened.is_idle(since=noon("2026-06-01"), now=noon("2026-06-09"))
    waiting = opened.asked(noon("2026-06-02"))
    assert not waiting.is_idle(since=noon("2026-06-01"), now=noon("2026-06-09"))


@pytest.mark.parametrize(
    ("kind", "due_at"),
    [
        ("question", "2026-04-03T22:00:00Z"),
        ("extension", "2026-04-30T22:00:00Z"),
        ("refusal", "2026-04-30T22:00:00Z"),
    ],
)
def test_each_kind_of_notice_has_its_own_date_and_an_extension_moves_none(kind: NoticeKind, due_at: str) -> None:
    opened = case("2026-03-31")
    assert opened.deadline.notice_due_at(kind) == extended(opened).deadline.notice_due_at(kind) == at(due_at)


# Policies, and what is stored ---------------------------------------------------------------------------------------


def test_a_policy_is_found_by_the_name_in_a_record_and_an_unknown_one_is_told() -> None:
    assert {name: policy(name) for name in POLICIES} == POLICIES
    assert (SUSPEND.name, OFF.name) == ("gdpr-2018@1", "gdpr-2018-unpaused@1")
    assert (SUSPEND.max_ask_days, SUSPEND.target_days, SUSPEND.warn_days) == (3, 28, (7, 3, 1))
    with pytest.raises(PolicyUnknown, match=r"gdpr-2018@1.*newer version"):
        policy("gdpr-2031@1")


def test_what_is_stored_is_plain_dates_and_one_instant() -> None:
    told = extended(case("2026-01-31")).deadline.as_data()
    assert told == {
        "received_on": "2026-01-31",
        "target_date": "2026-02-28",
        "due_nominal": "2026-02-28",
        "due_statutory": "2026-03-02",
        "extended_target": "2026-04-28",
        "extended_nominal": "2026-04-30",
        "extended_statutory": "2026-04-30",
        "credit_days": 0,
        "due_at": "2026-04-30T22:00:00+00:00",
        "calendar": GERMANY.name,
        "zone": BRUSSELS,
        "policy": "gdpr-2018@1",
    }


# What holds for every day -------------------------------------------------------------------------------------------

ZONES = st.sampled_from([
    BRUSSELS, "UTC", "Europe/Helsinki", "Europe/Lisbon", "Atlantic/Azores", "America/Sao_Paulo", "America/Havana",
    "Africa/Cairo", "Asia/Beirut", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago",
])  # fmt: skip
INSTANTS = st.datetimes(datetime(2018, 5, 25), datetime(2045, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.sampled_from([None, GERMANY, calendar("DE-BY"), calendar("ES"), calendar("BG")])
HOURS = st.integers(0, 24 * 60).map(lambda hours: timedelta(hours=hours))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    received_at = draw(INSTANTS)
    opened = Case(
        received_at=received_at,
        zone=draw(ZONES),
        calendar=draw(CALENDARS),
        policy=draw(st.sampled_from([SUSPEND, OFF])),
    )
    questions = []
    for _ in range(draw(st.integers(0, 4))):
        asked_at = received_at + draw(st.one_of(HOURS, st.integers(0, 96).map(lambda hours: timedelta(hours=hours))))
        questions.append(Question(asked_at=asked_at, answered_at=draw(st.none() | HOURS.map(asked_at.__add__))))
    opened = replace(opened, questions=tuple(questions))
    if draw(st.booleans()):
        told_at = received_at + draw(HOURS)
        extension = Extension(decided_at=told_at, reason="complexity", text_ref="l", notified_at=told_at)
        opened = replace(opened, extension=extension)
    return opened


def unpaused(open_case: Case) -> Case:
    return replace(open_case, questions=())


def unextended(open_case: Case) -> Case:
    return replace(open_case, extension=None)


@given(st.dates(date(1, 1, 1), date(9998, 12, 31)), st.integers(0, 11))
def test_months_never_add_up_to_more_than_the_calendar_says(day: date, months: int) -> None:
    later = plus_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(cases())
def test_no_deadline_is_later_than_the_law_allows(open_case: Case) -> None:
    deadline, received = open_case.deadline, open_case.received_on

    def rolled(day: date) -> date:
        return open_case.calendar.rolled(day) if open_case.calendar else day

    month = plus_months(received, 1) + timedelta(days=deadline.credit_days)
    assert deadline.due_statutory <= rolled(month)
    assert deadline.due_on <= max(rolled(plus_months(received, 3)), deadline.due_statutory)
    assert deadline.target_date <= deadline.due_nominal <= deadline.due_statutory <= deadline.due_on
    assert deadline.warned_by <= deadline.due_on
    waited = set[date]()
    for question in open_case.questions:
        if question.answered_at:
            first, last = (local_day(at, open_case.zone) for at in (question.asked_at, question.answered_at))
            waited |= {first + timedelta(days=each) for each in range((last - first).days)}
    assert 0 <= deadline.credit_days <= len(waited)
    if open_case.policy is OFF:
        assert deadline.credit_days == 0


@given(cases())
def test_without_a_calendar_no_deadline_rolls(open_case: Case) -> None:
    deadline = replace(open_case, calendar=None).deadline
    assert deadline.due_statutory == deadline.due_nominal
    assert deadline.extended_statutory == deadline.extended_nominal


@given(cases())
def test_a_due_instant_is_the_first_of_the_next_day(open_case: Case) -> None:
    deadline = open_case.deadline
    before = deadline.due_at - timedelta(microseconds=1)
    assert local_day(before, open_case.zone) == deadline.due_on
    assert local_day(deadline.due_at, open_case.zone) > deadline.due_on
    assert not deadline.is_overdue(before)
    assert deadline.is_overdue(deadline.due_at)
    assert deadline.days_left(before) == 0


@given(cases())
def test_neither_a_pause_nor_an_extension_makes_a_deadline_shorter(open_case: Case) -> None:
    assert open_case.deadline.due_at >= unpaused(open_case).deadline.due_at
    assert open_case.deadline.due_at >= unextended(open_case).deadline.due_at
    assert open_case.deadline.warned_by >= unextended(open_case).deadline.warned_by


@given(cases(), HOURS)
def test_what_came_later_is_never_due_earlier(open_case: Case, by: timedelta) -> None:
    first = replace(open_case, extension=None)
    later = replace(first, received_at=first.received_at + by)
    assume(all(question.asked_at >= later.received_at for question in later.questions))
    one, other = first.deadline, later.deadline
    assert other.due_nominal >= one.due_nominal
    assert other.due_statutory >= one.due_statutory
    assert other.target_date >= one.target_date
    assert other.due_at >= one.due_at
    extended_one, extended_other = (extended(each).deadline for each in (first, later))
    assert extended_other.due_at >= extended_one.due_at
    assert extended_other.warned_by >= extended_one.warned_by


def known_at(open_case: Case, now: datetime) -> Case:
    """The same without what happens later."""
    questions = tuple(
        replace(each, answered_at=each.answered_at if each.answered_at and each.answered_at < now else None)
        for each in open_case.questions
        if each.asked_at < now
    )
    told_at = open_case.extension.notified_at if open_case.extension else None
    return replace(open_case, questions=questions, extension=open_case.extension if told_at and told_at < now else None)


@given(cases(), st.integers(0, 7 * 24))
def test_no_later_fact_undoes_that_a_deadline_has_passed(open_case: Case, hours: int) -> None:
    for weeks in range(4, 30):
        now = open_case.received_at + timedelta(weeks=weeks, hours=hours)
        if known_at(open_case, now).deadline.is_overdue(now):
            assert open_case.deadline.is_overdue(now)


@given(cases())
def test_everything_is_computed_again_from_what_is_stored(open_case: Case) -> None:
    stored = json.loads(json.dumps(open_case.deadline.as_data()))
    assert Deadline.from_data(stored) == open_case.deadline
    again = Case(
        received_at=datetime.fromisoformat(open_case.received_at.isoformat()),
        zone=stored["zone"],
        calendar=open_case.calendar,
        policy=policy(stored["policy"]),
        questions=open_case.questions,
        extension=open_case.extension,
    )
    assert again.deadline == open_case.deadline


@given(cases(), st.integers(-10, 100))
def test_the_nearest_warning_that_has_come_up_is_told(open_case: Case, days: int) -> None:
    deadline = open_case.deadline
    now = datetime.combine(deadline.warned_by - timedelta(days=days), datetime.min.time(), ZoneInfo(open_case.zone))
    left = (deadline.warned_by - local_day(now, open_case.zone)).days
    expected = 1 if left <= 1 else 3 if left <= 3 else 7 if left <= 7 else None
    assert deadline.warning(now) == expected
