"""What a report counts: read from the register and the ledger by sets, in one look, and not a word about anybody.

A request is answered once the person has what they are owed: it is completed or withdrawn, or they have been told that
it was refused or that nobody knows who they are. Until then it is open, and overdue once that is too late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import unquote

from psycopg2.extensions import cursor

from functions.audit_logging.reports.period import Month, Period
from shared.deadlines import local_day
from shared.queries import query
from shared.reasons import Right

K = TypeVar("K", bound=Hashable)
State = Literal["on_time", "late", "open", "overdue"]
Unit = Literal["day", "week", "month"]
RIGHTS: tuple[Right, ...] = ("access", "portability", "erasure")
STATES: tuple[State, ...] = ("on_time", "late", "open", "overdue")
ERASED = "erasure.executed"  # the entry that says what an erasure did, and to how many rows
VERIFIED = "erasure.completed"
MOST_POINTS = 1500  # that an eye can tell apart, and a page can hold
MOST_SPANS = 60
MOST_OPEN = 100  # that are listed; all are counted
MOST_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Count:
    """So many requests have these in common."""

    month: Month
    right: Right
    status: str
    state: State
    number: int
    in_first_month: int
    in_three_months: int


@dataclass(frozen=True, kw_only=True)
class Days:
    """Within how many days half of the answers came, and the last one."""

    half: int
    longest: int


@dataclass(frozen=True, kw_only=True)
class Point:
    """So many answers to requests of one day took so many days, of so many."""

    received_on: date
    days: int
    allowed: int
    is_late: bool
    number: int


@dataclass(frozen=True, kw_only=True)
class Span:
    """Answers to the requests of a day, a week or a month."""

    since: date
    shortest: int
    half: int
    longest: int
    allowed: int  # in the middle one of them
    number: int
    late: int


@dataclass(frozen=True, kw_only=True)
class Open:
    """A request of which something is owed."""

    subject_request_id: str
    right: Right
    status: str
    received_on: date
    due_on: date
    is_overdue: bool
    days_left: int


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why requests took longer, or were refused."""

    kind: Literal["extension", "refusal"]
    code: str
    number: int
    told: int  # of how many the person has heard


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What erasures did with rows of a dataset."""

    dataset: str
    done: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The newest that lies outside."""

    origin: str
    size: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class LedgerState:
    """The tree over the ledger's entries."""

    size: int
    root: str | None
    at: datetime | None
    waiting: int  # entries that no tree holds yet
    checkpoint: Checkpoint | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything that a report says."""

    counts: tuple[Count, ...]
    days: Mapping[Month, Days]
    all_days: Days | None
    unit: Unit | None  # of the spans; None where there are points
    points: tuple[Point, ...]
    spans: tuple[Span, ...]
    listed: tuple[Open, ...]
    open: int
    overdue: int
    reasons: tuple[Reason, ...]
    asked: int
    waiting: int  # for the person's answer
    erasures: int
    rows: tuple[Rows, ...]
    has_more_rows: bool
    ledger: LedgerState

    @property
    def received(self) -> int:
        """Requests of the period."""
        return sum(count.number for count in self.counts)

    def tally(self, key: Callable[[Count], K]) -> Counter[K]:
        """Requests of the period by something that they have in common; each is counted once."""
        found: Counter[K] = Counter()
        for count in self.counts:
            found[key(count)] += count.number
        return found

    @property
    def in_first_month(self) -> int:
        return sum(count.in_first_month for count in self.counts)

    @property
    def in_three_months(self) -> int:
        return sum(count.in_three_months for count in self.counts)


def figures(cur: cursor, period: Period, *, now: datetime) -> Figures:
    """What there is to report, in the caller's transaction."""
    bounds = {"zone": period.zone, "since": period.starts_at, "until": period.ends_at, "now": now}
    cur.execute(query("report_cases"), bounds)
    days = {row["month"]: Days(half=row["half"], longest=row["longest"]) for row in _all(cur, query("report_days"))}
    unit, points, spans = _answers(cur, period)
    rows = _all(cur, query("report_rows"), bounds | {"kind": ERASED, "most": MOST_ROWS + 1})
    (verified,) = _all(cur, query("report_entries"), bounds | {"kind": VERIFIED})
    (owed,) = _all(cur, query("report_owed"))
    (questions,) = _all(cur, query("report_questions"))
    (ledger,) = _all(cur, query("report_ledger"))
    return Figures(
        counts=tuple(Count(**row | {"month": Month(first=row["month"])}) for row in _all(cur, query("report_counts"))),
        days={Month(first=first): each for first, each in days.items() if first},
        all_days=days.get(None),
        unit=unit,
        points=points,
        spans=spans,
        listed=_listed(cur, local_day(now, period.zone)),
        **owed,
        reasons=tuple(Reason(**row) for row in _all(cur, query("report_reasons"))),
        **questions,
        erasures=verified["number"],
        rows=tuple(map(_erased, rows[:MOST_ROWS])),
        has_more_rows=len(rows) > MOST_ROWS,
        ledger=_ledger(**ledger),
    )


def _all(cur: cursor, sql: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    cur.execute(sql, values)
    names = [column.name for column in cur.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]


def _answers(cur: cursor, period: Period) -> tuple[Unit | None, tuple[Point, ...], tuple[Span, ...]]:
    """Each answer by itself, or, where they are too many to be told apart, by the days, weeks or months of receipt."""
    points = _all(cur, query("report_points"), {"most": MOST_POINTS + 1})
    if len(points) <= MOST_POINTS:
        return None, tuple(Point(**row) for row in points), ()
    days = (period.ends_at - period.starts_at).days
    unit: Unit = "day" if days <= MOST_SPANS else "week" if days / 7 <= MOST_SPANS else "month"
    return unit, (), tuple(Span(**row) for row in _all(cur, query("report_spans"), {"unit": unit}))


def _listed(cur: cursor, today: date) -> tuple[Open, ...]:
    found = _all(cur, query("report_open"), {"most": MOST_OPEN})
    return tuple(Open(**row, days_left=(row["due_on"] - today).days) for row in found)


def _erased(row: Mapping[str, Any]) -> Rows:
    return Rows(dataset=unquote(row["dataset"]), done=row["done"], number=int(row["number"]))


def _ledger(*, origin: str | None, anchored: int, anchored_at: datetime, **tree: Any) -> LedgerState:
    checkpoint = Checkpoint(origin=origin, size=anchored, at=anchored_at) if origin else None
    return LedgerState(**tree, checkpoint=checkpoint)
