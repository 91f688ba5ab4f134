"""Requests on their course: registered, paused, taken up again, extended, refused. Each step is told to the ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from psycopg2.extensions import cursor

from functions.audit_logging import suspension
from shared import active_plan, case_file
from shared.asked import Asked, Fault, Rejected
from shared.case import Case, ExtensionIncomplete, ExtensionTooLate, ExtensionTwice, NothingAsked, NothingExtended
from shared.case_file import CaseFile, NoticeKind, RequestUnknown
from shared.database import Database
from shared.deadlines import InstantInvalid, check_follows
from shared.envelope import RIGHTS, Action, Envelope
from shared.errors import Misuse, Refused
from shared.invocation import Answer
from shared.keys import Keys
from shared.ledger.after import sequenced
from shared.queries import query
from shared.reasons import ReasonUnfounded, ReasonUnknown
from shared.refusals import NotExcessive, RefusalIncomplete, refused
from shared.register import Receipt, deadlines_told, is_recorded, record, register

WRITER = "gdpr_audit"
_REINSTATED = "request.reinstated"


class RequestClosed(Refused):
    code = "request_closed"


class NothingOwed(Misuse):
    code = "nothing_owed"


class NotSuspended(Misuse):
    code = "not_suspended"


class RefusedSince(Refused):
    code = "refused_since"


# What the law, or what stands in the register, does not allow: bad input, however well it is written.
_RULINGS = (
    ExtensionIncomplete, ExtensionTooLate, ExtensionTwice, InstantInvalid, NotExcessive, NothingAsked, NothingExtended,
    NothingOwed, NotSuspended, ReasonUnfounded, ReasonUnknown, RefusalIncomplete, RefusedSince, RequestClosed,
    RequestUnknown,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The register, as audit_logging's callers see it."""

    database: Database
    keys: Keys

    def register(self, asked: Asked) -> Answer:
        with asked.inside("request") as inner:
            action = cast("Action", inner.one_of("action", sorted(set(RIGHTS.values()))) or "export")
            envelope = Envelope.read(inner, action=action)
        asked.check()
        with self.database.transaction() as cur:
            done = register(cur, envelope, plan=active_plan.load(cur), keys=self.keys, writer=WRITER)
        sequenced(self.database)
        return _told(done.file, done.receipt)

    def pause(self, asked: Asked) -> Answer:
        """The person has been asked something without which nobody can go on."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("asked_at")
        asked.check()
        with self._course(named) as (cur, file):
            if at in [question.asked_at for question in file.case.questions]:
                return _told(file)
            said = {"role": role}
            return _told(*_changed(cur, file, file.case.asked(at), "request.asked", said, at=at))

    def resume(self, asked: Asked) -> Answer:
        """They have answered all that was asked."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("answered_at")
        asked.check()
        with self._course(named) as (cur, file):
            if at in [question.answered_at for question in file.case.questions]:
                return _told(file)
            said = {"role": role}
            return _told(*_changed(cur, file, file.case.answered(at), "request.answered", said, at=at))

    def extend(self, asked: Asked) -> Answer:
        """It takes longer; and, at once or later, the person has been told so, from when on it counts."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("decided_at")
        reason, text_ref = asked.code("reason"), asked.reference("text_ref")
        facts_ref = asked.reference("facts_ref") if asked.has("facts_ref") else None
        notified_at = asked.past("notified_at") if asked.has("notified_at") else None
        asked.check()
        with self._course(named) as (cur, found):
            file, receipt, known = found, None, found.case.extension
            if known is None or (known.decided_at, known.reason, known.text_ref) != (at, reason, text_ref):
                case = file.case.extended(at, reason=reason, text_ref=text_ref, facts_ref=facts_ref)
                said = {"role": role, "code": case.extension.reason if case.extension else reason}
                file, receipt = _changed(cur, file, case, "request.extended", said, at=at)
                case_file.owe(cur, file, "extension", due_at=file.deadline.notice_due_at("extension"))
            if notified_at and not (file.case.extension and file.case.extension.notified_at == notified_at):
                case = file.case.notified(notified_at)
                file, receipt = _changed(cur, file, case, "request.notified", {"role": role}, at=notified_at)
                case_file.give(cur, file, "extension", at=notified_at)
            return _told(file, receipt)

    def reinstate(self, asked: Asked) -> Answer:
        """The officer has looked at a request that a restore suspended, and lets it go on."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("decided_at")
        asked.check()
        with self._course(named) as (cur, file):
            if is_recorded(cur, file, _REINSTATED, writer=WRITER, about=at.isoformat()):
                return _told(file)
            _check_suspended(cur, file)
            step = {"request": str(file.id), "status": "in_progress", "fence": None, "code": None}
            cur.execute(query("move_request"), step)
            now = case_file.get(cur, file.subject_request_id, file.action, by=active_plan.load(cur).deadlines)
            return _told(now, record(cur, now, _REINSTATED, {"role": role}, writer=WRITER, at=at, about=at.isoformat()))

    def refuse(self, asked: Asked) -> Answer:
        """The officer has refused it, and says what the person has to be told."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("decided_at")
        reason, text_ref = asked.code("reason"), asked.reference("text_ref")
        authority, remedy = asked.text("authority"), asked.text("remedy")
        facts_ref = asked.reference("facts_ref") if asked.has("facts_ref") else None
        earlier_on = asked.day("earlier_on") if asked.has("earlier_on") else None
        asked.check()
        with self._course(named, ended=("refused",)) as (cur, file):
            if file.refused and (file.refused["reason"], file.refused["text_ref"]) == (reason, text_ref):
                return _told(file)
            _check_open(file)
            refusal = refused(
                file.case,
                at,
                right=file.right,
                reason=reason,
                text_ref=text_ref,
                authority=authority,
                remedy=remedy,
                decided_by=role,
                facts_ref=facts_ref,
                earlier_on=earlier_on,
            )
            case_file.refuse(cur, file, refusal)
            case_file.owe(cur, file, "refusal", due_at=refusal.notice_due_at)
            now = case_file.get(cur, file.subject_request_id, file.action, by=active_plan.load(cur).deadlines)
            return _told(now, record(cur, now, "request.refused", {"role": role}, writer=WRITER, at=at))

    def notify(self, asked: Asked) -> Answer:
        """The person has been told that their request is refused, or that nobody knows who they are."""
        named, role, at = _Named.read(asked), asked.code("by_role"), asked.past("notified_at")
        asked.check()
        with self._course(named, ended=("refused", "not_identified")) as (cur, file):
            kind: NoticeKind = "refusal" if file.status == "refused" else "not_identified"
            given_at = case_file.notice(cur, file, kind)
            if given_at == at:
                return _told(file)
            if file.is_open or given_at:
                remedy = "an extension's notice goes with `extend`" if file.is_open else "there is nothing to do"
                raise NothingOwed("No such notice is owed to the person", remedy=remedy)
            decided = file.refused["decided_at"] if file.refused else None
            after = datetime.fromisoformat(decided) if decided else file.case.received_at
            check_follows(at, after, "a notice follows what it tells of")
            case_file.give(cur, file, kind, at=at)
            said = {"role": role, "code": kind}
            return _told(file, record(cur, file, "request.notified", said, writer=WRITER, at=at, about=kind))

    @contextlib.contextmanager
    def _course(self, named: _Named, *, ended: Collection[str] = ()) -> Iterator[tuple[cursor, CaseFile]]:
        """A request, locked, whose rules answer bad input with what is wrong, and nothing is written then."""
        try:
            with self.database.transaction() as cur:
                file = case_file.lock(cur, named.id, named.action, by=active_plan.load(cur).deadlines)
                if file.status not in ended:
                    _check_open(file)
                yield cur, file
        except _RULINGS as ruled:
            raise Rejected([Fault(path="", code=ruled.code, message=ruled.sentence)]) from None
        sequenced(self.database)


@dataclass(frozen=True, kw_only=True)
class _Named:
    """Which request is meant: its number and its right, since one number may stand for an export and an erasure."""

    id: UUID
    action: Action

    @classmethod
    def read(cls, asked: Asked) -> _Named:
        right = asked.one_of("subject_request_type", RIGHTS)
        return cls(id=asked.uuid("subject_request_id"), action=RIGHTS.get(right, "export"))


def _check_open(file: CaseFile) -> None:
    if not file.is_open:
        raise RequestClosed(f"This request is {file.status}", remedy="nothing can be added to it")


def _check_suspended(cur: cursor, file: CaseFile) -> None:
    if (file.status, file.code) != ("blocked", suspension.CODE):
        raise NotSuspended("No restore has suspended this request", remedy="there is nothing to do")
    cur.execute(query("says_of_request"), {"request": str(file.id), "kind": "request.refused"})
    if cur.fetchone() == (True,):
        raise RefusedSince("This request was refused after the backup", remedy="refuse it again, as it was")


def _changed(
    cur: cursor, file: CaseFile, case: Case, kind: str, said: dict[str, Any], *, at: datetime
) -> tuple[CaseFile, Receipt]:
    case_file.add(cur, file, case)
    now = case_file.get(cur, file.subject_request_id, file.action, by=active_plan.load(cur).deadlines)
    told = said | {"deadlines": deadlines_told(now)}
    return now, record(cur, now, kind, told, writer=WRITER, at=at, about=at.isoformat())


def _told(file: CaseFile, receipt: Receipt | None = None) -> Answer:
    """What every answer about a request says."""
    answer: Answer = {
        "subject_request_id": str(file.subject_request_id),
        "request_id": str(file.id),
        "status": file.status,
        "expected_completion_time": file.deadline.due_at.isoformat(),
        "deadline": file.deadline.as_data(),
    }
    if file.code:
        answer["code"] = file.code
    if receipt:
        answer["ledger"] = {"event": str(receipt.event), "leaf": receipt.leaf.hex()}
    return answer
