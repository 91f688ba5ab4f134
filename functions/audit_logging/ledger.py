"""The ledger for those who ask it: what is in it, that it is whole, and proofs that leave the house."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor

from shared import active_plan, clock
from shared.asked import Asked
from shared.bucket import Bucket
from shared.database import Database
from shared.envelope import Identity, read_identities
from shared.identification import Identified, identify, kind_of
from shared.invocation import Answer
from shared.keys import Keys
from shared.ledger import comparison, epoch, proof
from shared.ledger.after import sequenced
from shared.ledger.anchors import Anchors
from shared.ledger.entry import Entry, EntryInvalid, append
from shared.ledger.publish import publish
from shared.ledger.verification import verify
from shared.queries import query
from shared.sealing import person_id, subject_ref

WRITER = "gdpr_audit"
PAGE = 200
_OURS = 5  # the version of UUIDs that events of the suite itself have: nobody else takes one of them before it happens
_LONGEST = 2 * 2**20  # bytes of entries in one answer; Lambda takes six

# What the backend may have recorded, each with what it must say of it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "record.consent": ("status",),
    "record.identity_check": ("method", "status"),
    "record.disclosure": ("code",),
}
STATUSES = ("given", "withdrawn", "refused", "passed", "failed")


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Entries, tree and anchors, as audit_logging's callers see them."""

    database: Database
    keys: Keys
    place: Bucket
    name: str
    lock: timedelta | None

    def record(self, asked: Asked) -> Answer:
        """Something that the backend has done: a consent that changed, an identity that was checked, a disclosure."""
        kind = asked.one_of("kind", KINDS)
        event, at, role = asked.uuid("event"), asked.past("occurred_at"), asked.code("by_role")
        if event.version == _OURS:
            asked.fault("event", "event_reserved", "UUIDs of version 5 are the suite's own: use a random one.")
        said: dict[str, Any] = {"role": role}
        for field in KINDS.get(kind, ()):
            said[field] = asked.one_of(field, STATUSES) if field == "status" else asked.code(field)
        who = _Who.read(asked) if asked.has("subject_identities") else None
        asked.check()
        with self.database.transaction() as cur:
            if who:
                said["subject"] = who.subject(cur, self.keys, makes_key=True)
            leaf = append(cur, Entry(event=event, kind=kind, writer=WRITER, at=at, said=_kept(said)))
        sequenced(self.database)
        return {"status": "completed", "ledger": {"event": str(event), "leaf": leaf.hex()}}

    def query(self, asked: Asked) -> Answer:
        """Entries, the newest first, by what they are about; which is itself recorded (R80)."""
        most = asked.number("limit", least=1, most=PAGE) if asked.has("limit") else 50
        wanted: dict[str, Any] = {
            "before": asked.number("before", least=1, most=2**62) if asked.has("before") else None,
            "request": str(asked.uuid("request_id")) if asked.has("request_id") else None,
            "kind": asked.code("kind") if asked.has("kind") else None,
            "since": asked.instant("since") if asked.has("since") else None,
            "until": asked.instant("until") if asked.has("until") else None,
            "subject": None,
            "most": most,
        }
        role = asked.code("by_role")
        who = _Who.read(asked) if asked.has("subject_identities") else None
        asked.check()
        with self.database.transaction() as cur:
            if who:
                known = who.subject(cur, self.keys, makes_key=False)
                wanted["subject"] = bytes.fromhex(known) if known else bytes(32)
            cur.execute(query("entries"), wanted)
            found, cut = _page(cur.fetchall())
            about = [name for name, value in wanted.items() if value is not None and name not in ("most", "before")]
            self._queried(cur, role, "_".join(about) or "all", len(found))
        sequenced(self.database)
        more = {"before": found[-1]["id"]} if cut or len(found) == most else {}
        return {"status": "completed", "entries": found, **more}

    def verify(self, asked: Asked) -> Answer:
        """Read all of it back, beside what lies outside; which is itself recorded."""
        role = asked.code("by_role") if asked.has("by_role") else "schedule"
        asked.check()
        done = verify(self.database, self.anchors())
        with self.database.transaction() as cur:
            self._queried(cur, role, "verify", done.size)
        sequenced(self.database)
        answer: Answer = {
            "status": "failed" if done.findings else "completed",
            "size": done.size,
            "anchored": done.anchored,
            "checkpoints": done.anchors,
            "findings": [asdict(finding) for finding in done.findings],
        }
        if done.findings:
            answer |= {"code": "ledger_broken", "message": done.findings[0].sentence + ".", "more": done.more}
        return answer

    def checkpoint(self, asked: Asked) -> Answer:
        """Take everything into the tree, and anchor it outside."""
        asked.check()
        done = publish(self.database, self.anchors(), self.keys.ledger().signers, keep=self.lock)
        return {"status": "completed", **asdict(done)}

    def compare(self) -> None:
        """Raises LedgerBroken where this is not the ledger that was anchored, as after a restore."""
        comparison.compared(self.database, self.anchors())

    def be_whole(self) -> None:
        """Raises LedgerBroken where what is here was not found to be what was anchored since the server was started."""
        if comparison.standing(self.database) != "whole":
            self.compare()

    def proof(self, asked: Asked) -> Answer:
        """Of an entry in a checkpoint, or of one checkpoint as the beginning of another."""
        origin = self.anchors().origin
        if asked.has("old_size"):
            old, new = (asked.number(name, least=1, most=2**62) for name in ("old_size", "new_size"))
            asked.check()
            with self.database.transaction() as cur:
                shown = proof.consistency(cur, origin=origin, old=old, new=new)
            path = [base64.b64encode(each).decode() for each in shown.path]
            return {"status": "completed", "old": shown.old, "new": shown.new, "consistency": path}
        event, writer = asked.uuid("event"), asked.code("writer") if asked.has("writer") else None
        asked.check()
        with self.database.transaction() as cur:
            found = proof.inclusion(cur, origin=origin, event=event, writer=writer)
        entry = base64.b64encode(found.body).decode()
        return {"status": "completed", "index": found.index, "entry": entry, "proof": found.text}

    def anchors(self) -> Anchors:
        """Those of the epoch that this database is in."""
        with self.database.transaction() as cur:
            number = epoch.current(cur, self.name)
        return Anchors(self.place, name=self.name, epoch=number, keys=self.keys.ledger().known)

    def _queried(self, cur: cursor, role: str, code: str, size: int) -> None:
        at = clock.now()
        said = {"role": role, "code": code, "size": size}
        append(cur, Entry(event=uuid.uuid4(), kind="ledger.queried", writer=WRITER, at=at, said=said))


@dataclass(frozen=True, kw_only=True)
class _Who:
    """A person who is named by identities."""

    kind: str | None
    identities: tuple[Identity, ...]

    @classmethod
    def read(cls, asked: Asked) -> _Who:
        kind = asked.code("subject_kind") if asked.has("subject_kind") else None
        return cls(kind=kind, identities=read_identities(asked))

    def subject(self, cur: cursor, keys: Keys, *, makes_key: bool) -> str | None:
        """What the ledger calls them; None where nobody, or nobody with a key, is meant."""
        kind = kind_of(active_plan.load(cur), self.kind)
        who = identify(cur, kind, self.identities)
        if not isinstance(who, Identified):
            return None
        person = person_id(keys.person(), kind=who.kind, named=who.named)
        if makes_key:
            cur.execute(query("know_person"), {"person": person, "key": os.urandom(32)})
        else:
            cur.execute(query("subject_key"), {"person": person})
        (key,) = cur.fetchone() or (None,)
        return subject_ref(bytes(key), person=person) if key else None


def _kept(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _page(rows: Sequence[tuple[int, datetime, bytes, int | None]]) -> tuple[list[dict[str, Any]], bool]:
    """As many of these as an answer holds, and whether it is fewer than all."""
    found: list[dict[str, Any]] = []
    left = _LONGEST
    for number, written_at, body, index in rows:
        left -= len(body)
        if found and left < 0:
            return found, True
        found.append({"id": number, "written_at": written_at.isoformat(), "index": index, **_told(bytes(body))})
    return found, False


def _told(body: bytes) -> dict[str, Any]:
    """What an entry says. One that cannot be read hides no other: `verify` tells what is wrong with it."""
    try:
        entry = Entry.parse(body)
    except EntryInvalid:
        return {"unreadable": True}
    told = {"event": str(entry.event), "kind": entry.kind, "writer": entry.writer, "at": entry.at.isoformat()}
    return told | dict(entry.said)
