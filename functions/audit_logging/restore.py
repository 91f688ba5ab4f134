"""What the officer decides after a backup was restored: the ledger is brought up to its anchor, or goes on elsewhere.

Each step is done once, whoever is killed between two of them, and asking again goes on: docs/restore.md.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from functions.audit_logging import suspension
from functions.audit_logging.ledger import WRITER, Ledger
from shared.asked import Asked
from shared.errors import BundlesUnusable, EntryContradicted, LedgerBehind, LedgerForked
from shared.invocation import Answer
from shared.ledger import comparison, epoch, restoration
from shared.ledger.anchors import Anchors
from shared.ledger.entry import Entry, append
from shared.ledger.epoch import Opening
from shared.ledger.publish import publish, record
from shared.ledger.restoration import Restoration
from shared.outbox import Outbox
from shared.queries import query

MOST_BUNDLES = 200  # in one invocation: some 50,000 entries, in less than a minute
_EVENTS = uuid.UUID("2c1d9a1e-4f57-4a0c-8f1e-5f6c2f6a3d77")  # makes an event's id from what it is about
_STUCK = (LedgerForked, BundlesUnusable, EntryContradicted)
_LOST = "if nothing of it can be had back, `restore` with `lost` begins another epoch and declares the rest lost"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """By whom, when, and whether what cannot be had back is to be declared lost."""

    role: str
    at: datetime
    lost: bool

    @classmethod
    def read(cls, asked: Asked) -> Self:
        role, at = asked.code("by_role"), asked.past("decided_at")
        lost = asked.truth("lost") if asked.has("lost") else False
        asked.check()
        return cls(role=role, at=at, lost=lost)


@dataclass(frozen=True, kw_only=True)
class Restore:
    """The ledger, and where it is told what the register has forgotten."""

    ledger: Ledger
    outbox: Outbox

    def restore(self, asked: Asked) -> Answer:
        decided = Decided.read(asked)
        try:
            return self._brought_up(decided)
        except _STUCK as stuck:
            if decided.lost:
                return self._go_on_elsewhere(decided)
            stands = type(stuck)(stuck.what, where=stuck.where, remedy=f"{stuck.remedy}; {_LOST}")
            return {"status": "blocked", "code": stuck.code, "message": stands.sentence}

    def _brought_up(self, decided: Decided) -> Answer:
        """Take over what is missing, if anything is; then tell of it, and publish again."""
        self._look()
        outside = epoch.newest(self.ledger.anchors())
        if opening := self._interrupted(outside):
            return self._begun(opening, decided)
        begun = self._begin(outside, decided)
        if begun and begun.is_open:
            anchors = outside.of(begun.epoch)
            size = restoration.take_over(self.ledger.database, anchors, begun, most=MOST_BUNDLES)
            if size < begun.size:
                return {"status": "in_progress", "origin": begun.origin, "size": size, "of": begun.size}
        if begun:
            self._tell(begun)
        return self._published(decided)

    def _look(self) -> None:
        """From here on everybody goes by what is found."""
        try:
            self.ledger.compare()
        except (LedgerBehind, LedgerForked):
            return

    def _interrupted(self, outside: Anchors) -> Opening | None:
        """An epoch that this database has begun, and whose beginning its ledger was not told before we were killed."""
        if outside.epoch == self.ledger.anchors().epoch:
            return None
        return epoch.begun_here(self.ledger.database, outside)

    def _begin(self, outside: Anchors, decided: Decided) -> Restoration | None:
        """The restoration that goes on, or a new one, from whose beginning on nobody works on any request."""
        with self.ledger.database.transaction() as cur:
            standing = restoration.latest(cur)
        if standing and standing.is_open:
            return standing
        missing = restoration.missing(self.ledger.database, outside)
        if missing is None:
            return standing
        with self.ledger.database.transaction() as cur:
            restoration.begin(cur, missing, role=decided.role, at=decided.at)
            begun = restoration.latest(cur)
            if begun:
                suspension.suspend(cur, about=begun.id, role=decided.role, at=decided.at)
        return begun

    def _tell(self, begun: Restoration) -> None:
        """What the entries say that were taken over: to whoever reads the outbox, and then to the ledger, once."""
        database, event = self.ledger.database, uuid.uuid5(_EVENTS, f"restored {begun.id}")
        with database.transaction() as cur:
            cur.execute(query("is_recorded"), {"event": str(event), "writer": WRITER})
            if cur.fetchone() == (True,):
                return
        self._record(self.ledger.anchors().of(begun.epoch))
        found = suspension.restored(database, kept=begun.kept, size=begun.size)
        suspension.tell(self.outbox, found, about=begun.id)
        note = sha256(begun.note.encode()).hexdigest()
        said: dict[str, Any] = {"origin": begun.origin, "kept": begun.kept, "size": begun.size, "note": note}
        with database.transaction() as cur:
            said["role"] = begun.role
            append(cur, Entry(event=event, kind="ledger.restored", writer=WRITER, at=begun.decided_at, said=said))

    def _record(self, anchors: Anchors) -> None:
        """The checkpoints of which a backup did not know: proofs are made of them."""
        with self.ledger.database.transaction() as cur:
            known = comparison.known(cur, anchors)
        for anchor in anchors.since(known):
            record(self.ledger.database, anchors, anchor)

    def _go_on_elsewhere(self, decided: Decided) -> Answer:
        """Nothing can be taken over truthfully: the next epoch begins with what is here."""
        ledger = self.ledger
        opening = epoch.begin(
            ledger.database,
            epoch.newest(ledger.anchors()),
            ledger.keys.ledger().signers,
            keep=ledger.lock,
            role=decided.role,
            at=decided.at,
        )
        return self._begun(opening, decided)

    def _begun(self, opening: Opening, decided: Decided) -> Answer:
        """It is ours outside. From this commit on the ledger knows, and nobody works on any request."""
        with self.ledger.database.transaction() as cur:
            suspension.suspend(cur, about=opening.event, role=opening.role, at=opening.at)
            epoch.told(cur, opening, self.ledger.name)
        found = suspension.restored(self.ledger.database, kept=0, size=0)
        suspension.tell(self.outbox, found, about=opening.event)
        return self._published(decided)

    def _published(self, decided: Decided) -> Answer:
        """Whole again: anchored, and answered alike however often this was asked."""
        ledger = self.ledger
        done = publish(ledger.database, ledger.anchors(), ledger.keys.ledger().signers, keep=ledger.lock)
        answer: Answer = {"status": "completed", "origin": done.origin, "size": done.size}
        return answer | self._restored(decided) | self._lost(decided)

    def _restored(self, decided: Decided) -> Answer:
        with self.ledger.database.transaction() as cur:
            begun = restoration.latest(cur)
        if begun is None or (begun.role, begun.decided_at) != (decided.role, decided.at):
            return {}
        taken = {"origin": begun.origin, "first": begun.kept, "last": begun.size - 1}
        return {"restored": taken, "requests": self._requests(kept=begun.kept, size=begun.size)}

    def _lost(self, decided: Decided) -> Answer:
        opening = epoch.latest(self.ledger.database, self.ledger.anchors().epoch)
        if opening is None or (opening.role, opening.at) != (decided.role, decided.at):
            return {}
        lost = {"origin": opening.before, "first": opening.kept, "last": opening.size - 1}
        return {"lost": lost, "requests": self._requests(kept=0, size=0)}

    def _requests(self, *, kept: int, size: int) -> dict[str, Any]:
        found = suspension.restored(self.ledger.database, kept=kept, size=size)
        with self.ledger.database.transaction() as cur:
            cur.execute(query("suspended_requests"))
            (suspended,) = cur.fetchone() or (0,)
        told = [each.as_data for each in found[: suspension.MOST]]
        return {"suspended": suspended, "told": told, "more": len(found) > suspension.MOST}
