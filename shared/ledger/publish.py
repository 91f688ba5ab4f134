"""Checkpoints go outside: each only after what lies there already was found to be a beginning of this ledger.

That one look is what catches a restored backup before it can tell another story (threat model A2), and it fails closed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from shared import clock
from shared.bucket import KeyTakenError
from shared.database import Database
from shared.errors import AnchorMissing, LedgerForked, StoreFault
from shared.ledger import bundle, merkle, tree
from shared.ledger.anchors import Anchor, Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.comparison import compared
from shared.ledger.entry import Entry, append
from shared.ledger.note import PublicKey, Signer, sign
from shared.queries import query

MOST_BUNDLES = 1000  # in one run; the rest is the next one's
HEARTBEAT = timedelta(days=1)  # silence is a signal only where something is always said
_EVENTS = uuid.UUID("0b9a1a52-3f53-4d0b-9d0c-6f7d5f3a7a11")  # makes an event's id from what it is about
_WRITER = "gdpr_audit"


@dataclass(frozen=True, kw_only=True)
class Published:
    """How far the ledger is anchored now."""

    origin: str
    size: int
    note: str | None
    is_new: bool


def publish(database: Database, anchors: Anchors, signers: Sequence[Signer], *, keep: timedelta | None) -> Published:
    """Compare with what lies outside, sequence, sign, publish, and record it. Run again after a crash it goes on.

    Raises LedgerBehind, LedgerForked or AnchorMissing where this ledger is not the one that was anchored.
    """
    for _ in range(3):
        newest = compared(database, anchors)
        _tell_of_keys(database, anchors.keys, signers)
        tree.sequence(database, insist=True)
        record(database, anchors, newest)  # one that a crash left unrecorded, too
        head = _prepared(database, newest, anchors.origin)
        size = min(head.size, (newest.size if newest else 0) // tree.WIDTH * tree.WIDTH + MOST_BUNDLES * tree.WIDTH)
        if newest and newest.size == size:
            return Published(origin=anchors.origin, size=size, note=newest.note, is_new=False)
        if not size:
            return Published(origin=anchors.origin, size=0, note=None, is_new=False)

        root = _checked_root(database, anchors, size, known=newest.size if newest else 0)
        note = sign(Checkpoint(origin=anchors.origin, size=size, root=root).text, signers)
        # If we crash here, bundles lie outside that no checkpoint covers yet. The next run writes the same bytes.
        if _put(anchors, size, note, keep):
            # If we crash here, the next run finds the anchor and records it.
            record(database, anchors, _read_back(anchors, size, note))
            return Published(origin=anchors.origin, size=size, note=note, is_new=True)
        # Somebody has put something else under the next key. With one more entry, the next is another.
        _append(database, "ledger.heartbeat", f"past {size}", clock.now(), {"origin": anchors.origin, "size": size})
    raise StoreFault("Others keep writing where the next checkpoint belongs", where=anchors.where)


def _prepared(database: Database, newest: Anchor | None, origin: str) -> tree.Head:
    """The head to publish. The last anchor, or that we are alive, is said in the log itself: deleting one shows."""
    with database.transaction() as cur:
        head = tree.head(cur)
    if newest is None:
        return head
    if head.size == newest.size and clock.now() - newest.at < HEARTBEAT:
        return head  # an entry that tells of the last anchor alone would call for another anchor, for ever
    if head.size == newest.size:
        day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        _append(database, "ledger.heartbeat", f"{origin} {day.date()}", day, {"origin": origin})
    with database.transaction() as cur:
        cur.execute(query("recent_anchors"), {"origin": origin})
        recent = cur.fetchall()
    for size, note, at in recent:  # of several, where two published side by side
        digest = sha256(note.encode()).hexdigest()
        told = {"origin": origin, "size": size, "note": digest}
        _append_once(database, "ledger.anchored", f"{origin} {size}", at, told)
    tree.sequence(database, insist=True)
    with database.transaction() as cur:
        return tree.head(cur)


def _tell_of_keys(database: Database, known: Collection[PublicKey], signers: Sequence[Signer]) -> None:
    """Of each key behind the first that it signs, and of each that signs no more, the log itself tells once."""
    signing = {signer.public for signer in signers}
    for place, key in enumerate(known):
        status = "added" if key in signing else "retired"
        if place or status == "retired":
            digest = sha256(str(key).encode()).hexdigest()
            said = {"key": digest, "status": status}
            _append_once(database, "ledger.key_rotated", f"{digest} {status}", clock.now(), said)


def _append_once(database: Database, kind: str, about: str, at: datetime, said: Mapping[str, object]) -> None:
    """Told by whoever comes first, and taken over from outside perhaps: then with the time that it had."""
    event = uuid.uuid5(_EVENTS, f"{kind} {about}")
    with database.transaction() as cur:
        cur.execute(query("is_recorded"), {"event": str(event), "writer": _WRITER})
        if cur.fetchone() == (False,):
            append(cur, Entry(event=event, kind=kind, writer=_WRITER, at=at, said=said))


def _append(database: Database, kind: str, about: str, at: datetime, said: Mapping[str, object]) -> None:
    with database.transaction() as cur:
        append(cur, Entry(event=uuid.uuid5(_EVENTS, f"{kind} {about}"), kind=kind, writer=_WRITER, at=at, said=said))


def _checked_root(database: Database, anchors: Anchors, size: int, *, known: int) -> bytes:
    """The root to be signed, once the new entries have been read back, hashed and laid outside."""
    for index in range(known // tree.WIDTH, -(-size // tree.WIDTH)):
        first, last = index * tree.WIDTH, min(size, (index + 1) * tree.WIDTH)
        with database.transaction() as cur:
            cur.execute(query("entries_of_leaves"), {"first": first, "last": last - 1})
            rows = cur.fetchall()
            hashes = tree.stored(cur)(0, index)[: (last - first) * merkle.SIZE]
        bodies = [bytes(body or b"") for _, body in rows]
        if [leaf for leaf, _ in rows] != list(range(first, last)) or b"".join(map(merkle.leaf_hash, bodies)) != hashes:
            raise LedgerForked(
                f"Entries between {first} and {last} of the ledger are not those that were sequenced",
                where=database.where,
                remedy="`gdpr ledger verify` names what was changed",
            )
        anchors.bucket.put(bundle.key(anchors.epoch, index, last - first), bundle.packed(bodies))
    with database.transaction() as cur:
        head, root = tree.head(cur), tree.root(tree.stored(cur), size)
    if head.size == size and head.root != root:
        raise LedgerForked(
            f"The tree's head of size {size} is not that of its tiles",
            where=database.where,
            remedy="`gdpr ledger verify` names what was changed",
        )
    return root


def _put(anchors: Anchors, size: int, note: str, keep: timedelta | None) -> bool:
    """Whether our checkpoint lies there now. Signing again gives the same bytes, so a retry finds its own."""
    try:
        anchors.bucket.put_new(anchors.key(size), note.encode(), keep_until=clock.now() + keep if keep else None)
    except KeyTakenError:
        return anchors.read(size) == note
    return True


def _read_back(anchors: Anchors, size: int, note: str) -> Anchor:
    found: Iterable[Anchor] = (anchor for anchor in anchors.since(size) if anchor.note == note)
    for anchor in found:
        return anchor
    raise AnchorMissing(f"The checkpoint of size {size} was written, and is not there", where=anchors.where)


def record(database: Database, anchors: Anchors, anchor: Anchor | None) -> None:
    """That a checkpoint lies outside."""
    if anchor is not None and anchor.size:  # an epoch begins with a checkpoint of nothing
        with database.transaction() as cur:
            cur.execute(
                query("record_anchor"),
                {"origin": anchors.origin, "size": anchor.size, "note": anchor.note, "version": anchor.version or None},
            )
