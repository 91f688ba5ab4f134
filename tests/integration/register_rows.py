"""Requests put straight into the register, as they stand after months that no test waits for."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import cursor

from shared.case import Case
from shared.policy import policy

ZONE = "Europe/Berlin"
_ACTIONS = {"access": "export", "portability": "export", "erasure": "erase"}

INSERT = """
insert into gdpr.request (
  id, subject_request_id, action, request_type, kind, terms, decision, options, received_at, registered_at,
  changed_at, status, code, deadline, due_at, target_date
)
values (
  %(id)s, %(id)s, %(action)s, %(right)s, 'user', sha256(''), '{}', '{}', %(received_at)s, %(received_at)s,
  %(changed_at)s, %(status)s, %(code)s, %(deadline)s, %(due_at)s, %(target_date)s
)
"""

MANY = """
insert into gdpr.request (
  subject_request_id, action, request_type, kind, terms, decision, options, received_at, registered_at, changed_at,
  status, code, deadline, due_at, target_date
)
select
  gen_random_uuid(), case when n %% 3 = 2 then 'erase' else 'export' end,
  case n %% 3 when 0 then 'access' when 1 then 'portability' else 'erasure' end,
  'user', sha256(''), '{}', '{}', g.at, g.at, g.at + n %% 43 * interval '1 day',
  case when n %% 97 = 0 then 'in_progress' else 'completed' end, null,
  json_build_object('due_statutory', (g.at + interval '1 month')::date), g.at + interval '1 month', g.at::date + 28
from generate_series(1, %(number)s) as n
cross join lateral (
  select %(since)s::timestamptz + (%(until)s::timestamptz - %(since)s::timestamptz) * n / %(number)s as at
) as g
"""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A request that came in, and what became of it after so many days."""

    received_at: datetime
    right: str = "access"
    status: str = "completed"
    after: timedelta = timedelta(days=10)
    told_after: timedelta | None = None  # of a refusal, or of who was not identified
    extended_for: str | None = None
    questions: tuple[tuple[timedelta, timedelta | None], ...] = ()

    @property
    def case(self) -> Case:
        case = Case(received_at=self.received_at, zone=ZONE, calendar=None, policy=policy("gdpr-2018@1"))
        for asked, answered in self.questions:
            case = case.asked(self.received_at + asked)
            case = case.answered(self.received_at + answered) if answered else case
        if self.extended_for:
            at = self.received_at + timedelta(days=5)
            case = case.extended(at, reason=self.extended_for, text_ref="L-1", facts_ref="F-1").notified(at)
        return case


def put(cur: cursor, number: int, past: Past) -> None:
    """Write it, with all of its facts."""
    case, key = past.case, str(uuid.UUID(int=number))
    code = {"refused": "excessive", "not_identified": "unknown"}.get(past.status)
    row = {
        "id": key,
        "action": _ACTIONS[past.right],
        "right": past.right,
        "received_at": past.received_at,
        "changed_at": past.received_at + past.after,
        "status": past.status,
        "code": code,
        "deadline": json.dumps(case.deadline.as_data()),
        "due_at": case.deadline.due_at,
        "target_date": case.deadline.target_date,
    }
    cur.execute(INSERT, row)
    for question in case.questions:
        cur.execute(
            "insert into gdpr.request_question values (%s, %s, %s)", (key, question.asked_at, question.answered_at)
        )
    if case.extension:
        each = case.extension
        cur.execute(
            "insert into gdpr.request_extension values (%s, %s, %s, %s, %s, %s)",
            (key, each.decided_at, each.reason, each.text_ref, each.facts_ref, each.notified_at),
        )
    if past.status == "refused":
        cur.execute(
            "insert into gdpr.request_refusal values (%s, %s, 'excessive', 'L-2', 'x', 'y', 'officer', 'F-2')",
            (key, past.received_at + past.after),
        )
    if past.status in {"refused", "not_identified"}:
        kind = "refusal" if past.status == "refused" else "not_identified"
        given_at = None if past.told_after is None else past.received_at + past.told_after
        cur.execute(
            "insert into gdpr.notice (request_id, kind, due_at, given_at) values (%s, %s, %s, %s)",
            (key, kind, case.deadline.first_due_at, given_at),
        )
