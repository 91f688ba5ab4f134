"""A request's record in the register, and the facts that its deadline follows from (shared/case.py).

Facts are added under the lock of the request's row, with the dates that follow from them, and none is ever changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg2.extensions import cursor

from shared.case import Case, Extension, Question
from shared.deadlines import Deadline
from shared.errors import Misuse
from shared.plan import Deadlines
from shared.policy import policy
from shared.queries import query
from shared.reasons import Right
from shared.refusals import Refusal

NoticeKind = Literal["question", "extension", "refusal", "not_identified"]


class RequestUnknown(Misuse):
    code = "request_unknown"


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """What stands in the register, and what follows from it."""

    id: UUID
    subject_request_id: UUID
    action: str
    right: Right
    status: str
    code: str | None
    person: bytes | None
    subject_key: bytes | None
    registered_at: datetime
    changed_at: datetime
    terms: bytes
    refused: Mapping[str, Any] | None
    deadline: Deadline  # as it is stored
    case: Case

    @property
    def is_open(self) -> bool:
        return self.status in ("in_progress", "incomplete", "failed", "blocked")


def find(cur: cursor, subject_request_id: UUID, action: str, *, by: Deadlines) -> CaseFile | None:
    """The record of a request, if there is one."""
    cur.execute(query("case_file"), {"subject_request_id": str(subject_request_id), "action": action})
    found = cur.fetchone()
    if found is None:
        return None
    names = [column.name for column in cur.description or ()]
    return _from_row(dict(zip(names, found, strict=True)), by)


def get(cur: cursor, subject_request_id: UUID, action: str, *, by: Deadlines) -> CaseFile:
    """The same. Raises RequestUnknown."""
    found = find(cur, subject_request_id, action, by=by)
    if found is None:
        raise RequestUnknown("There is no such request", remedy="check subject_request_id and subject_request_type")
    return found


def lock(cur: cursor, subject_request_id: UUID, action: str, *, by: Deadlines) -> CaseFile:
    """The same, and nobody else adds to it in this transaction. Raises RequestUnknown."""
    cur.execute(query("lock_request"), {"subject_request_id": str(subject_request_id), "action": action})
    return get(cur, subject_request_id, action, by=by)


def _from_row(row: Mapping[str, Any], by: Deadlines) -> CaseFile:
    deadline = Deadline.from_data(row["deadline"])
    questions = tuple(
        Question(asked_at=_at(each["asked_at"]), answered_at=each["answered_at"] and _at(each["answered_at"]))
        for each in row["questions"]
    )
    extension = row["extension"]
    return CaseFile(
        id=UUID(row["id"]),
        subject_request_id=UUID(row["subject_request_id"]),
        action=row["action"],
        right=row["request_type"],
        status=row["status"],
        code=row["code"],
        person=row["person"] and bytes(row["person"]),
        subject_key=row["subject_key"] and bytes(row["subject_key"]),
        registered_at=row["registered_at"],
        changed_at=row["changed_at"],
        terms=bytes(row["terms"]),
        refused=row["refusal"],
        deadline=deadline,
        case=Case(
            received_at=row["received_at"],
            zone=deadline.zone,
            calendar=by.calendar,
            policy=policy(deadline.policy),
            questions=questions,
            extension=extension
            and Extension(
                decided_at=_at(extension["decided_at"]),
                reason=extension["reason"],
                text_ref=extension["text_ref"],
                facts_ref=extension["facts_ref"],
                notified_at=extension["notified_at"] and _at(extension["notified_at"]),
            ),
        ),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def add(cur: cursor, file: CaseFile, case: Case) -> Deadline:
    """Write the facts of `case` that `file` has not, and the dates that follow from all of them."""
    for question in case.questions:
        cur.execute(
            query("record_question"),
            {"request": str(file.id), "asked_at": question.asked_at, "answered_at": question.answered_at},
        )
    if case.extension:
        cur.execute(
            query("record_extension"),
            {
                "request": str(file.id),
                "decided_at": case.extension.decided_at,
                "reason": case.extension.reason,
                "text_ref": case.extension.text_ref,
                "facts_ref": case.extension.facts_ref,
                "notified_at": case.extension.notified_at,
            },
        )
    deadline = case.deadline
    cur.execute(
        query("set_deadline"),
        {
            "request": str(file.id),
            "deadline": json.dumps(deadline.as_data()),
            "due_at": deadline.due_at,
            "target_date": deadline.warned_by,
        },
    )
    return deadline


def refuse(cur: cursor, file: CaseFile, refusal: Refusal) -> None:
    """Record it, and move the request where no worker takes it on."""
    cur.execute(
        query("record_refusal"),
        {
            "request": str(file.id),
            "decided_at": refusal.decided_at,
            "reason": refusal.reason,
            "text_ref": refusal.text_ref,
            "authority": refusal.authority,
            "remedy": refusal.remedy,
            "decided_by": refusal.decided_by,
            "facts_ref": refusal.facts_ref,
        },
    )
    cur.execute(
        query("move_request"), {"request": str(file.id), "status": "refused", "fence": None, "code": refusal.reason}
    )


def notice(cur: cursor, file: CaseFile, kind: NoticeKind) -> datetime | None:
    """When the person was told something that they had to be told."""
    cur.execute(query("notice"), {"request": str(file.id), "kind": kind})
    given_at: datetime | None = (cur.fetchone() or (None,))[0]
    return given_at


def owe(cur: cursor, file: CaseFile, kind: NoticeKind, *, due_at: datetime, given_at: datetime | None = None) -> None:
    """The person has to be told something by then (R6)."""
    cur.execute(query("owe_notice"), {"request": str(file.id), "kind": kind, "due_at": due_at, "given_at": given_at})


def give(cur: cursor, file: CaseFile, kind: NoticeKind, *, at: datetime) -> None:
    """The person has been told."""
    cur.execute(query("give_notice"), {"request": str(file.id), "kind": kind, "given_at": at})
