"""The epochs of a log: a restored database that cannot be brought up to its anchor goes on in another one.

What was anchored behind a common beginning is declared lost then, by an entry that the next epoch's checkpoints cover.
The first object of an epoch is a signed checkpoint of nothing, under a key that is the same for everybody, with the
event of that entry in it: of two units that begin the same epoch, one is there first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor

from shared import clock
from shared.bucket import KeyTakenError
from shared.database import Database
from shared.errors import AnchorMissing, EpochTaken
from shared.ledger import tree
from shared.ledger.anchors import Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry, EntryInvalid, append
from shared.ledger.merkle import EMPTY
from shared.ledger.note import Signer, sign
from shared.queries import query

FIRST = 1
KIND = "ledger.origin_opened"
WRITER = "gdpr_audit"
_OPENED = "opened "


@dataclass(frozen=True, kw_only=True)
class Opening:
    """That an epoch begins, in place of which log, and from which entry on that one's are declared lost."""

    event: uuid.UUID
    number: int
    before: str
    note: str
    size: int
    root: str
    kept: int
    role: str
    at: datetime

    def entry(self, name: str) -> Entry:
        """What the ledger is told."""
        said: Mapping[str, Any] = {
            "origin": f"{name}/{self.number}",
            "before": self.before,
            "note": self.note,
            "size": self.size,
            "root": self.root,
            "kept": self.kept,
            "role": self.role,
        }
        return Entry(event=self.event, kind=KIND, writer=WRITER, at=self.at, said=said)


def current(cur: cursor, name: str) -> int:
    """The epoch that this database is in: the last that its ledger says was begun."""
    cur.execute(query("openings"))
    return max((_number(bytes(body), name) for (body,) in cur.fetchall()), default=FIRST)


def _number(body: bytes, name: str) -> int:
    try:
        called, _, number = str(Entry.parse(body).said.get("origin")).rpartition("/")
    except EntryInvalid:
        return FIRST
    return int(number) if called == name and number.isascii() and number.isdigit() else FIRST


def newest(anchors: Anchors) -> Anchors:
    """The last epoch of the log that has begun outside, if not this one."""
    while anchors.following.is_begun:
        anchors = anchors.following
    return anchors


def claimed(anchors: Anchors) -> uuid.UUID | None:
    """The event by which this epoch has begun outside."""
    first = anchors.first(0)
    for line in first.checkpoint.extensions if first else ():
        if line.startswith(_OPENED):
            return uuid.UUID(line.removeprefix(_OPENED))
    return None


def begun_here(database: Database, anchors: Anchors) -> Opening | None:
    """How this epoch was begun, where this database did it and was killed before its ledger knew."""
    event = claimed(anchors)
    return next((each for each in _intended(database, anchors.epoch) if each.event == event), None)


def latest(database: Database, number: int) -> Opening | None:
    """How this epoch was begun, where this database has done it."""
    for opening in _intended(database, number):
        with database.transaction() as cur:
            cur.execute(query("is_recorded"), {"event": str(opening.event), "writer": WRITER})
            if cur.fetchone() == (True,):
                return opening
    return None


def begin(
    database: Database, before: Anchors, signers: Sequence[Signer], *, keep: timedelta | None, role: str, at: datetime
) -> Opening:
    """Take the next epoch outside for this database. The ledger has still to be told; run again it goes on.

    Raises EpochTaken where another unit was faster.
    """
    opening = _prepared(database, before, role=role, at=at)
    # If we crash behind the next line, the next run finds the event outside and in its row: `begun_here`.
    _claim(before.following, opening.event, signers, keep)
    return opening


def _prepared(database: Database, before: Anchors, *, role: str, at: datetime) -> Opening:
    """What is to be declared, written down with an event of its own before anybody outside sees that."""
    found = before.since(0)
    newest = found[-1] if found else None
    if newest is None or not newest.size:
        raise AnchorMissing(
            f"Of epoch {before.epoch} no entry is anchored yet",
            where=before.where,
            remedy="wait for the unit that has begun it, or see whether it still works",
        )
    with database.transaction() as cur:
        head, hashes = tree.head(cur), tree.stored(cur)
        shared = [each for each in found if each.size <= head.size]
        kept = max((each.size for each in shared if tree.root(hashes, each.size) == each.checkpoint.root), default=0)
    opening = Opening(
        event=uuid.uuid4(),
        number=before.epoch + 1,
        before=before.origin,
        note=newest.digest,
        size=newest.size,
        root=newest.checkpoint.root.hex(),
        kept=kept,
        role=role,
        at=at,
    )
    _insert(database, opening)
    return opening


def _insert(database: Database, opening: Opening) -> None:
    row = {
        "event": str(opening.event),
        "number": opening.number,
        "before": opening.before,
        "note": bytes.fromhex(opening.note),
        "size": opening.size,
        "root": bytes.fromhex(opening.root),
        "kept": opening.kept,
        "role": opening.role,
        "at": opening.at,
    }
    with database.transaction() as cur:
        cur.execute(query("intend_epoch"), row)


def _intended(database: Database, number: int) -> list[Opening]:
    with database.transaction() as cur:
        cur.execute(query("intended_epochs"), {"number": number})
        return [
            Opening(
                event=uuid.UUID(event), number=number, before=before, note=bytes(note).hex(), size=size,
                root=bytes(root).hex(), kept=kept, role=role, at=at,
            )
            for event, before, note, size, root, kept, role, at in cur.fetchall()
        ]  # fmt: skip


def _claim(anchors: Anchors, event: uuid.UUID, signers: Sequence[Signer], keep: timedelta | None) -> None:
    nothing = Checkpoint(origin=anchors.origin, size=0, root=EMPTY, extensions=(f"{_OPENED}{event}",))
    note = sign(nothing.text, signers).encode()
    try:
        anchors.bucket.put_new(anchors.key(0), note, keep_until=clock.now() + keep if keep else None)
    except KeyTakenError:
        if claimed(anchors) is None:  # what a stranger laid there counts for nothing, and is put over
            anchors.bucket.put(anchors.key(0), note)
    if claimed(anchors) != event:
        raise EpochTaken(
            f"Epoch {anchors.epoch} of this ledger was begun by another unit",
            where=anchors.where,
            remedy="see which of the two is to live, and stop the other; then `restore` again",
        )


def told(cur: cursor, opening: Opening, name: str) -> None:
    """Tell the ledger, in the caller's transaction. From its commit on the database is in that epoch."""
    append(cur, opening.entry(name))
