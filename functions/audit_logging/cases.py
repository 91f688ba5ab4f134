"""The register for those who ask it: requests by what is most urgent, and one of them with all of its course.

Nothing of it says whom a request is about. Whoever looks at one sees what the ledger tells of it, which is itself told
to the ledger (R80).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor

from shared import active_plan, case_file, clock
from shared.asked import Asked, Fault, Rejected
from shared.case_file import CaseFile, RequestUnknown
from shared.database import Database
from shared.deadlines import Deadline
from shared.envelope import RIGHTS
from shared.errors import Misuse
from shared.invocation import Answer
from shared.ledger.after import sequenced
from shared.ledger.entry import Entry, EntryInvalid, append
from shared.queries import query

WRITER = "gdpr_audit"
PAGE = 200
_CURSOR = re.compile(r"(?P<closed>[01]) (?P<due_at>\S+) (?P<id>[0-9a-f-]{36})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Requests as they stand."""

    database: Database

    def list(self, asked: Asked) -> Answer:
        """Those that are open first, the most urgent of them first; then the others."""
        now, most = clock.now(), asked.number("limit", least=1, most=PAGE) if asked.has("limit") else 50
        wanted: dict[str, Any] = {
            "open": asked.has("open") and asked.truth("open"),
            "overdue": asked.has("overdue") and asked.truth("overdue"),
            "right": asked.one_of("right", RIGHTS) if asked.has("right") else None,
            "number": str(asked.uuid("subject_request_id")) if asked.has("subject_request_id") else None,
            "now": now,
            "most": most,
            **_behind(asked),
        }
        asked.check()
        with self.database.transaction() as cur:
            cur.execute(query("cases"), wanted)
            rows = _rows(cur)
        more = {"after": _cursor(rows[-1])} if len(rows) == most else {}
        return {"status": "completed", "requests": [_line(row, now) for row in rows], **more}

    def show(self, asked: Asked) -> Answer:
        """One of them: dates, questions, extension, refusal, notices, and what the ledger tells of it."""
        number, right = asked.uuid("subject_request_id"), asked.one_of("subject_request_type", RIGHTS)
        role = asked.code("by_role")
        asked.check()
        with self.database.transaction() as cur:
            try:
                file = case_file.get(cur, number, RIGHTS[right], by=active_plan.load(cur).deadlines)
            except RequestUnknown as unknown:
                raise Rejected([Fault(path="", code=unknown.code, message=unknown.sentence)]) from None
            entries = _entries(cur, file)
            answer = _told(file) | {"notices": _notices(cur, file), "entries": entries}
            said = {"role": role, "code": "case", "size": len(entries)}
            append(cur, Entry(event=uuid.uuid4(), kind="ledger.queried", writer=WRITER, at=clock.now(), said=said))
        sequenced(self.database)
        return answer


def _behind(asked: Asked) -> dict[str, Any]:
    """Where the page before ended."""
    text = asked.text("after") if asked.has("after") else None
    match = _CURSOR.fullmatch(text) if text else None
    try:
        due_at = datetime.fromisoformat(match["due_at"]) if match else None
    except ValueError:
        match = due_at = None
    if text and not match:
        asked.fault("after", "invalid", "This is to be what the page before had under `after`.")
    closed = match["closed"] == "1" if match else None
    return {"after_closed": closed, "after_due_at": due_at, "after_id": match["id"] if match else None}


def _cursor(row: Mapping[str, Any]) -> str:
    return f"{int(row['is_closed'])} {row['due_at'].isoformat()} {row['request_id']}"


def _rows(cur: cursor) -> list[dict[str, Any]]:
    names = [column.name for column in cur.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]


def _line(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    told = {name: row[name] for name in ("subject_request_id", "request_id", "right", "status", "code")}
    told |= {"received_at": row["received_at"].isoformat(), "is_open": not row["is_closed"]}
    try:
        deadline = Deadline.from_data(row["deadline"])
        dates = {"due_on": deadline.due_on.isoformat(), "days_left": deadline.days_left(now)}
    except (Misuse, TypeError, ValueError, KeyError, AttributeError):  # none of ours: the sweep tells of it
        dates = {"due_on": None, "days_left": None}
    return told | dates | {"is_overdue": not row["is_closed"] and row["due_at"] <= now, "is_waiting": row["is_waiting"]}


def _told(file: CaseFile) -> Answer:
    case, now = file.case, clock.now()
    return {
        "subject_request_id": str(file.subject_request_id),
        "request_id": str(file.id),
        "right": file.right,
        "status": file.status,
        **({"code": file.code} if file.code else {}),
        "received_at": case.received_at.isoformat(),
        "registered_at": file.registered_at.isoformat(),
        "changed_at": file.changed_at.isoformat(),
        "deadline": file.deadline.as_data(),
        "due_on": file.deadline.due_on.isoformat(),
        "days_left": file.deadline.days_left(now),
        "is_open": file.is_open,
        "is_overdue": file.is_open and file.deadline.is_overdue(now),
        "is_waiting": case.is_waiting,
        "questions": [
            {"asked_at": _at(each.asked_at), "answered_at": _at(each.answered_at)} for each in case.questions
        ],
        "extension": _extension(file),
        "refusal": _refusal(file),
    }


def _extension(file: CaseFile) -> dict[str, Any] | None:
    found = file.case.extension
    if found is None:
        return None
    references = {"text_ref": found.text_ref, "facts_ref": found.facts_ref}
    times = {"decided_at": _at(found.decided_at), "notified_at": _at(found.notified_at)}
    return {"reason": found.reason, **references, **times}


def _refusal(file: CaseFile) -> dict[str, Any] | None:
    """Codes and references; what the person was told in words is not repeated."""
    if file.refused is None:
        return None
    found = {name: file.refused[name] for name in ("reason", "text_ref", "facts_ref", "decided_by")}
    return {"decided_at": _at(datetime.fromisoformat(file.refused["decided_at"])), **found}


def _notices(cur: cursor, file: CaseFile) -> list[dict[str, Any]]:
    cur.execute(query("notices"), {"request": str(file.id)})
    return [
        {"kind": kind, "due_at": _at(due_at), "given_at": _at(given_at)} for kind, due_at, given_at in cur.fetchall()
    ]


def _entries(cur: cursor, file: CaseFile) -> list[dict[str, Any]]:
    """The last ones of the ledger, in their order: what happened, when, and who wrote it."""
    nothing = dict.fromkeys(("before", "subject", "kind", "since", "until"))
    cur.execute(query("entries"), nothing | {"request": str(file.id), "most": PAGE})
    return [_event(bytes(body), index) for _, _, body, index in reversed(cur.fetchall())]


def _event(body: bytes, index: int | None) -> dict[str, Any]:
    try:
        entry = Entry.parse(body)
    except EntryInvalid:
        return {"index": index, "unreadable": True}
    said = {"kind": entry.kind, "at": _at(entry.at), "writer": entry.writer, "event": str(entry.event)}
    return {"index": index, **said}


def _at(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
