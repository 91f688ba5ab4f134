"""Pages of every kind, made without a store: full ones, empty ones, very long ones, and hostile ones."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from datamap.document import Document
from functions.audit_logging.reports import page, ropa_page
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import (
    RIGHTS,
    Checkpoint,
    Count,
    Days,
    Figures,
    LedgerState,
    Open,
    Point,
    Reason,
    Rows,
    Span,
)
from functions.audit_logging.reports.period import Month, Period
from functions.audit_logging.reports.ropa import record_of_map

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = "<script>document.title='run'</script><img src=//evil.example/x onerror=\"document.title='run'\">'\"&"
LONG = "a_schema_with_a_long_name.and_a_table_with_a_name_that_nobody_should_have_chosen_for_it"
_DEMO = Path(__file__).resolve().parents[2] / "demo" / "datamap.yaml"


def period(months: int = 12) -> Period:
    until = Month.parse("2026-11")
    return Period.named(until.plus(1 - months), until, zone="Europe/Berlin", now=NOW)


def report(figures: Figures, over: Period | None = None, controller: str = "Example Shop GmbH") -> RequestReport:
    contact = "privacy@shop.example"
    return RequestReport(controller=controller, contact=contact, period=over or period(), made_at=NOW, figures=figures)


EMPTY = Figures(
    counts=(),
    days={},
    all_days=None,
    unit=None,
    points=(),
    spans=(),
    listed=(),
    open=0,
    overdue=0,
    reasons=(),
    asked=0,
    waiting=0,
    erasures=0,
    rows=(),
    has_more_rows=False,
    ledger=LedgerState(size=0, root=None, at=None, waiting=0, checkpoint=None),
)


def full(factor: int = 1, over: Period | None = None) -> Figures:
    """A year with something of everything."""
    drawn = random.Random(7)
    over = over or period()
    counts = tuple(
        Count(
            month=month,
            right=right,
            status=status,
            state="late" if status == "refused" else "overdue" if status == "blocked" else "on_time",
            number=drawn.randrange(1, 9) * factor,
            in_first_month=factor,
            in_three_months=factor,
        )
        for month in over.months
        for right in RIGHTS
        for status in ("completed", "refused", "not_identified", "blocked")
    )
    return replace(
        EMPTY,
        counts=counts,
        days={month: Days(half=12, longest=1234) for month in over.months[1:]},
        all_days=Days(half=12, longest=1234),
        points=_points(drawn, over),
        listed=tuple(_open(drawn, number) for number in range(25)),
        open=3025 * factor,
        overdue=5,
        reasons=(
            Reason(kind="extension", code="complexity", number=12 * factor, told=11),
            Reason(kind="extension", code="temporary_surge", number=3, told=3),
            Reason(kind="refusal", code="rights_of_others", number=1, told=0),
        ),
        asked=17,
        waiting=1,
        erasures=33,
        rows=(Rows(dataset=LONG, done="deleted", number=12_345_678 * factor), Rows(dataset="x", done="kept", number=1)),
        has_more_rows=True,
        ledger=LedgerState(
            size=1_234_567,
            root="ab" * 32,
            at=NOW,
            waiting=2,
            checkpoint=Checkpoint(origin=f"{LONG}/1", size=1_234_000, at=NOW - timedelta(hours=2)),
        ),
    )


def _points(drawn: random.Random, over: Period) -> tuple[Point, ...]:
    first, length = over.since.first, (over.until.plus(1).first - over.since.first).days
    return tuple(
        Point(
            received_on=first + timedelta(days=drawn.randrange(length)),
            days=(days := drawn.randrange(0, 45)),
            allowed=(allowed := drawn.choice([30, 31, 92])),
            is_late=days > allowed,
            number=drawn.choice([1, 1, 1, 3, 20]),
        )
        for _ in range(300)
    )


def _open(drawn: random.Random, number: int) -> Open:
    left = number - 5
    return Open(
        subject_request_id=str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        right=RIGHTS[number % 3],
        status=("in_progress", "not_identified", "incomplete")[number % 3],
        received_on=date(2026, 11, 1),
        due_on=NOW.date() + timedelta(days=left),
        is_overdue=left < 0,
        days_left=left,
    )


def spans() -> Figures:
    """More answers than are drawn one by one."""
    weeks = tuple(
        Span(
            since=period().since.first + timedelta(days=7 * week - 3),
            shortest=0,
            half=10,
            longest=20 + week,
            allowed=31,
            number=2000,
            late=max(0, week - 11),
        )
        for week in range(50)
    )
    return replace(full(1000), unit="week", points=(), spans=weeks)


def requests(figures: Figures, over: Period | None = None, controller: str = "Example Shop GmbH") -> str:
    return page.shown(report(figures, over, controller))


def ropa_of_the_demo() -> str:
    return ropa_page.shown(record_of_map(Document.read(_DEMO).map.data(), digest="ab" * 32, made_at=NOW))


def ropa_of_almost_nothing() -> str:
    """Where everything that can be blank is, and every text is somebody's attack."""
    data_map = {
        "controller": {"name": HOSTILE, "contact": HOSTILE, "authority": HOSTILE},
        "subjects": {"customer": {"table": LONG}, "patient": {"table": HOSTILE}},
        "activities": {
            HOSTILE: {"description": HOSTILE, "purpose": HOSTILE, "source": HOSTILE},
            "b": {"recipients": [{"name": HOSTILE, "country": HOSTILE}], "retention": {"until": HOSTILE}},
        },
        "tables": {LONG: {"activity": "b", "keep": {"columns": []}}, HOSTILE: {}},
    }
    return ropa_page.shown(record_of_map(data_map, digest="cd" * 32, made_at=NOW))


PAGES: Mapping[str, Callable[[], str]] = {
    "requests": lambda: requests(full()),
    "requests of nobody": lambda: requests(EMPTY),
    "requests without an answer": lambda: requests(replace(full(), all_days=None, days={}, points=())),
    "very many requests": lambda: requests(spans()),
    "requests of ten years": lambda: requests(full(1, period(120)), period(120)),
    "requests of one month": lambda: requests(full(1, period(1)), period(1)),
    "requests to an attacker": lambda: requests(
        replace(full(), rows=(Rows(dataset=HOSTILE, done=HOSTILE, number=1),)), controller=HOSTILE
    ),
    "record of processing": ropa_of_the_demo,
    "record with blanks": ropa_of_almost_nothing,
}
