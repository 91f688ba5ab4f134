"""What nobody did in time: requests that are due, overdue or idle, notices that are owed, workers that died.

Each is told once to the ledger and to the outbox, where it becomes an e-mail of ids and dates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor

from shared import active_plan, case_file, clock
from shared.case_file import CaseFile
from shared.database import Database
from shared.errors import Misuse, StoreFault
from shared.outbox import Outbox
from shared.policy import policy
from shared.queries import query
from shared.register import is_recorded, record

WRITER = "gdpr_audit"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that somebody has to hear of."""

    kind: str  # of the ledger's entry; behind its dot, of the outbox's object
    about: str  # what tells it apart from the next one of its kind
    at: datetime  # when it came to be so: a second look tells the same
    days: int | None = None


@dataclass(kw_only=True)
class Swept:
    """How many events of each kind there were to tell, and how many requests nobody could read."""

    events: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0


def sweep(database: Database, outbox: Outbox) -> Swept:
    """Look at every request that somebody still has to do something about. One that cannot be read stops no other."""
    swept = Swept()
    with database.transaction() as cur:
        by = active_plan.load(cur).deadlines
        cur.execute(query("open_requests"))
        numbers = cur.fetchall()
    for number, action in numbers:
        try:
            with database.transaction() as cur:
                file = case_file.get(cur, number, action, by=by)
                for event in _events(cur, file, clock.now()):
                    if _tell(cur, file, event, outbox):
                        swept.events[event.kind] = swept.events.get(event.kind, 0) + 1
        except (Misuse, StoreFault, TypeError, ValueError, LookupError, ArithmeticError) as fault:
            if isinstance(fault, StoreFault) and type(fault) is not StoreFault:
                raise  # which is not this request's
            swept.unreadable += 1
            outbox.put("unreadable", f"{action}-{number}", {"subject_request_id": str(number), "action": action})
    return swept


def _tell(cur: cursor, file: CaseFile, event: Event, outbox: Outbox) -> bool:
    """Whether it is news. If we crash behind the outbox, the next sweep finds the object there and tells the ledger."""
    if is_recorded(cur, file, event.kind, writer=WRITER, about=event.about):
        return False
    said: dict[str, Any] = {
        "request": str(file.id),
        "subject_request_id": str(file.subject_request_id),
        "right": file.right,
        "due_on": file.deadline.due_on.isoformat(),
    }
    days = {} if event.days is None else {"days": event.days}
    number = f"{file.id}-{event.about}".replace(" ", "-")
    outbox.put(event.kind.removeprefix("request."), number, said | days)
    size = {} if event.days is None else {"size": event.days}
    record(cur, file, event.kind, {"right": file.right, **size}, writer=WRITER, at=event.at, about=event.about)
    return True


def _events(cur: cursor, file: CaseFile, now: datetime) -> Iterator[Event]:
    if file.is_open:
        yield from _of_open(cur, file, now)
    cur.execute(query("owed_notices"), {"request": str(file.id), "by": now + timedelta(days=3)})
    for kind, due_at in cur.fetchall():
        yield Event(kind="request.notice", about=f"{kind} {due_at:%Y-%m-%d}", at=due_at)


def _of_open(cur: cursor, file: CaseFile, now: datetime) -> Iterator[Event]:
    deadline = file.deadline
    if deadline.is_overdue(now):
        yield Event(kind="request.overdue", about=f"{deadline.due_on}", at=deadline.due_at)
    elif (days := deadline.warning(now)) is not None:
        at = deadline.due_at - timedelta(days=days)
        yield Event(kind="request.due", about=f"{deadline.warned_by} {days}", at=at, days=days)
    if file.case.must_be_closed(now):
        yield Event(kind="request.unanswered", about=f"{deadline.due_on}", at=deadline.due_at)
    since = file.changed_at
    if file.case.is_idle(since=since, now=now) and file.status != "blocked":
        idle = timedelta(days=policy(deadline.policy).idle_days)
        yield Event(kind="request.idle", about=f"{since:%Y-%m-%dT%H:%M:%S}", at=since + idle)
    cur.execute(query("dead_lease"), {"request": str(file.id)})
    if found := cur.fetchone():
        fence, ended_at = found
        yield Event(kind="request.stalled", about=f"{fence}", at=ended_at)
