"""After a restore nobody goes on with a request before an officer has looked at it: the register has forgotten things.

What was refused, withdrawn, held or done after the backup stands in the entries that were taken over, and nowhere else.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor

from shared.database import Database
from shared.ledger.entry import Entry, append
from shared.outbox import Outbox
from shared.queries import query
from shared.sealing import subject_ref

CODE = "suspended_by_restore"
MOST = 1000  # requests that are told one by one
_WRITER = "gdpr_audit"
_EVENTS = uuid.UUID("7f0d9b1e-2a57-4c0c-9f0e-3f6c2f6a3d55")  # makes an event's id from what it is about

# What an entry means to whoever has to go on with its request, the weightiest first.
_MEANINGS: tuple[tuple[str, Collection[str]], ...] = (
    ("completed", ("export.completed", "erasure.completed")),
    ("refused", ("request.refused",)),
    ("unfinished", ()),
    ("failed", ("export.failed", "erasure.failed")),
    ("asked", ("request.asked", "request.answered")),
    ("extended", ("request.extended",)),
    ("notified", ("request.notified",)),
)


def suspend(cur: cursor, *, about: uuid.UUID, role: str, at: datetime) -> int:
    """Every request that anybody could go on with, in the caller's transaction; how many. No worker keeps its lease."""
    cur.execute(query("requests_to_suspend"))
    found = cur.fetchall()
    for request, person, key in found:
        cur.execute(query("move_request"), {"request": request, "status": "blocked", "fence": None, "code": CODE})
        said: dict[str, Any] = {"request": request, "status": "blocked", "code": CODE, "role": role}
        if person and key:
            said["subject"] = subject_ref(bytes(key), person=bytes(person))
        event = uuid.uuid5(_EVENTS, f"suspended {request} {about}")
        append(cur, Entry(event=event, kind="request.suspended", writer=_WRITER, at=at, said=said))
    return len(found)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What was taken over says of a request, or that somebody has begun with it and not ended."""

    request: str
    subject_request_id: str | None  # None, where the request came after the backup: it is not in the register
    right: str | None
    meaning: str
    kinds: tuple[str, ...]

    @property
    def as_data(self) -> dict[str, Any]:
        known = {"subject_request_id": self.subject_request_id, "subject_request_type": self.right}
        said = {"request_id": self.request, "meaning": self.meaning, "entries": list(self.kinds)}
        return said | {name: value for name, value in known.items() if value}


def restored(database: Database, *, kept: int, size: int) -> list[Restored]:
    """Of the requests that these entries are about, and of those that were suspended; one more than are told."""
    with database.transaction() as cur:
        cur.execute(query("restored_requests"), {"kept": kept, "size": size, "most": MOST + 1})
        rows = cur.fetchall()
    return [
        Restored(
            request=request,
            subject_request_id=number,
            right=right,
            meaning=_meaning(kinds, is_known=number is not None, is_unfinished=is_unfinished),
            kinds=tuple(kinds),
        )
        for request, number, right, kinds, is_unfinished in rows
    ]


def _meaning(kinds: Collection[str], *, is_known: bool, is_unfinished: bool) -> str:
    if not is_known:
        return "unknown"
    for meaning, known in _MEANINGS:
        if set(known) & set(kinds) or (meaning == "unfinished" and is_unfinished):
            return meaning
    return "changed"


def tell(outbox: Outbox, found: Collection[Restored], *, about: uuid.UUID) -> None:
    """An object for each, once."""
    for each in found:
        outbox.put("restored", f"{about}-{each.request}", {"request": each.request, "meaning": each.meaning})
