"""A request enters the register: once, about one person, with its deadlines, and with its entry in the ledger.

All of it is one transaction. The same request again is the one that stands; another one under its number is refused.
"""

from __future__ import annotations

import hmac
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from psycopg2.extensions import cursor

from shared import case_file
from shared.asked import Fault, Rejected
from shared.case import Case
from shared.case_file import CaseFile
from shared.envelope import Envelope
from shared.identification import Identified, NotIdentified, identify, kind_of
from shared.keys import Keys
from shared.ledger.entry import Entry, append
from shared.plan import Plan
from shared.policy import policy
from shared.queries import query
from shared.sealing import Seal, mark, person_id, subject_ref

_EVENTS = uuid.UUID("5b0f9a1e-6f57-4b0c-8f0e-1f6c2f6a3d41")  # makes an event's id from what it is about


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where an event stands in the ledger: what somebody needs to have it proved."""

    event: uuid.UUID
    leaf: bytes


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A request as it stands, and whether it is new; then with its place in the ledger."""

    file: CaseFile
    is_new: bool
    receipt: Receipt | None = None


def register(cur: cursor, envelope: Envelope, *, plan: Plan, keys: Keys, writer: str) -> Registered:
    """Raises Rejected where the number stands for another request, or the identities name nobody here."""
    standing, is_new = case_file.find(cur, envelope.id, envelope.action, by=plan.deadlines), False
    if standing is None:
        who = identify(cur, kind_of(plan, envelope.kind), envelope.identities)
        is_new = _insert(cur, envelope, who, plan=plan, keys=keys)
        standing = case_file.get(cur, envelope.id, envelope.action, by=plan.deadlines)
    if not is_new:
        _check_same(cur, envelope, standing)
        return Registered(file=standing, is_new=False)
    receipt = record(cur, standing, "request.registered", _told(envelope, standing, plan), writer=writer)
    return Registered(file=standing, is_new=True, receipt=receipt)


def _insert(cur: cursor, envelope: Envelope, who: Identified | NotIdentified, *, plan: Plan, keys: Keys) -> bool:
    deadline = Case(
        received_at=envelope.received_at,
        zone=plan.deadlines.zone,
        calendar=plan.deadlines.calendar,
        policy=policy(plan.deadlines.policy),
    ).deadline
    row: dict[str, Any] = {
        "subject_request_id": str(envelope.id),
        "action": envelope.action,
        "request_type": envelope.right,
        "kind": who.kind,
        "received_at": envelope.received_at,
        "terms": _terms(envelope),
        "decision": _as_json(_decision(envelope)),
        "options": _as_json(envelope.options),
        "deadline": _as_json(deadline.as_data()),
        "due_at": deadline.due_at,
        "target_date": deadline.warned_by,
        "person": None,
        "person_key": None,
        "sealed": None,
        "mark": None,
        "mark_key": None,
    }
    if isinstance(who, Identified):
        mark_key = os.urandom(32)
        said = {"named": dict(who.named), "identities": _identities(envelope)}
        row |= {
            "status": "in_progress",
            "code": None,
            "person": person_id(keys.person(), kind=who.kind, named=who.named),
            "person_key": os.urandom(32),
            "sealed": Seal(keys.sealing()).close(said, about=sealed_about(envelope.action, envelope.id)),
            "mark": mark(mark_key, _identities(envelope)),
            "mark_key": mark_key,
        }
    else:
        row |= {"status": "not_identified", "code": who.code}
    cur.execute(query("register_request"), row)
    _, is_new = cur.fetchone() or (None, False)
    return bool(is_new)


def sealed_about(action: str, subject_request_id: uuid.UUID) -> str:
    """What a seal is bound to."""
    return f"{action} {subject_request_id}"


def _check_same(cur: cursor, envelope: Envelope, standing: CaseFile) -> None:
    """Under one number there is one request. While it is open, who it is about is compared as well."""
    cur.execute(query("request_mark"), {"request": str(standing.id)})
    known = cur.fetchone()
    same = hmac.compare_digest(standing.terms, _terms(envelope))
    if known:
        marked, key = known
        same &= hmac.compare_digest(bytes(marked), mark(bytes(key), _identities(envelope)))
    if not same:
        message = "Another request stands under this number: a new one needs a number of its own."
        raise Rejected([Fault(path="/subject_request_id", code="another_request", message=message)])


def _terms(envelope: Envelope) -> bytes:
    """Of all that was asked for, but for whom."""
    said = [envelope.right, envelope.kind, envelope.received_at, _decision(envelope), dict(envelope.options)]
    return sha256(b"gdpr/terms/1\x00" + _as_json(said).encode()).digest()


def _identities(envelope: Envelope) -> list[list[str]]:
    return sorted([each.type, each.value] for each in envelope.identities)


def _decision(envelope: Envelope) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(envelope.decision).items() if value is not None}


def _as_json(said: object) -> str:
    """Instants in UTC, so that the same one is written alike."""
    return json.dumps(said, sort_keys=True, default=lambda at: at.astimezone(UTC).isoformat())


def _told(envelope: Envelope, file: CaseFile, plan: Plan) -> dict[str, Any]:
    """What the ledger is told of a request: codes, dates and versions."""
    decision = envelope.decision
    return {
        "right": envelope.right,
        "role": decision.by_role,
        "method": decision.method,
        **({"reasons": [decision.ground]} if decision.ground else {}),
        "deadlines": deadlines_told(file),
        "versions": {"plan": plan.digest, "map": plan.map_digest},
    }


def deadlines_told(file: CaseFile) -> dict[str, str]:
    """As an entry of the ledger has them."""
    told = file.deadline.as_data()
    names = ("received_on", "target_date", "due_nominal", "due_statutory", "calendar", "zone", "policy")
    return {name: str(told[name]) for name in names if told[name] is not None}


def record(
    cur: cursor,
    file: CaseFile,
    kind: str,
    said: Mapping[str, Any],
    *,
    writer: str,
    at: datetime | None = None,
    about: str = "",
) -> Receipt:
    """Tell the ledger what has happened to a request, in the transaction in which it happens.

    Told twice it is told once; what may happen more than once is told apart by `about`.
    """
    event = _event(file, kind, about)
    told: dict[str, Any] = {"request": str(file.id), "status": file.status}
    if file.code:
        told["code"] = file.code
    if file.person and file.subject_key:
        told["subject"] = subject_ref(file.subject_key, person=file.person)
    leaf = append(
        cur, Entry(event=event, kind=kind, writer=writer, at=at or file.registered_at, said=told | dict(said))
    )
    return Receipt(event=event, leaf=leaf)


def is_recorded(cur: cursor, file: CaseFile, kind: str, *, writer: str, about: str = "") -> bool:
    """Whether the ledger has been told of it."""
    cur.execute(query("is_recorded"), {"event": str(_event(file, kind, about)), "writer": writer})
    (found,) = cur.fetchone() or (False,)
    return bool(found)


def _event(file: CaseFile, kind: str, about: str) -> uuid.UUID:
    return uuid.uuid5(_EVENTS, f"{file.id} {kind} {about}")
