"""Whether the ledger here is the one that was anchored: the look that catches a restored backup (threat model A2).

It fails closed, and what it finds is recorded: since the server was last started, nobody works on a request and nothing
gets into the tree until it has found the ledger whole once.
"""

from __future__ import annotations

from psycopg2.extensions import cursor

from shared.database import Database
from shared.errors import AnchorMissing, LedgerBehind, LedgerForked, RestorationUnfounded
from shared.ledger import epoch, tree
from shared.ledger.anchors import Anchor, Anchors
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.note import NoteInvalid
from shared.queries import query

RESTORE = "docs/restore.md says how it is brought up to its anchor"


def compared(database: Database, anchors: Anchors) -> Anchor | None:
    """The newest anchor of this epoch, once each from the last that we know of is one of this ledger.

    Raises LedgerBehind, LedgerForked, RestorationUnfounded or AnchorMissing.
    """
    try:
        newest = _newest(database, anchors)
    except (LedgerBehind, LedgerForked, RestorationUnfounded) as broken:
        record(database, anchors, "behind" if isinstance(broken, LedgerBehind) else "forked")
        raise
    record(database, anchors, "whole", newest)
    return newest


def record(database: Database, anchors: Anchors, state: str, newest: Anchor | None = None) -> None:
    """Every role of the suite goes by what is recorded here, until the server is started again."""
    with database.transaction() as cur:
        size = newest.size if newest else 0
        cur.execute(query("record_comparison"), {"state": state, "origin": anchors.origin, "size": size})


def standing(database: Database) -> str:
    """What was found last: whole, behind or forked; unknown, where nobody has looked since the server was started."""
    with database.transaction() as cur:
        cur.execute(query("standing"))
        (found,) = cur.fetchone() or ("unknown",)
    return str(found)


def known(cur: cursor, anchors: Anchors) -> int:
    """The size of the newest anchor that the database knows of; 0 where it knows none."""
    cur.execute(query("last_anchor"), {"origin": anchors.origin})
    (size,) = cur.fetchone() or (0,)
    return int(size)


def _newest(database: Database, anchors: Anchors) -> Anchor | None:
    with database.transaction() as cur:
        last = known(cur, anchors)
        check_signed(cur, anchors)
    found = anchors.since(last)
    if anchors.following.is_begun:
        raise LedgerBehind(
            f"Epoch {anchors.epoch + 1} of this ledger lies outside, and this database is in epoch {anchors.epoch}",
            where=anchors.where,
            remedy=f"a backup was restored here: {RESTORE}",
        )
    if anchors.epoch > epoch.FIRST and not found:
        raise AnchorMissing(
            f"This database is in epoch {anchors.epoch} of its ledger, and nothing of that lies outside",
            where=anchors.where,
            remedy="correct LEDGER_BUCKET and the keys",
        )
    if last and last not in [anchor.size for anchor in found]:
        raise AnchorMissing(
            f"The checkpoint of size {last} is gone, or signed by a key that is not known here",
            where=anchors.where,
            remedy="see who deleted it, or correct LEDGER_BUCKET and the keys",
        )
    with database.transaction() as cur:
        _check_beginnings(cur, anchors, found)
    return found[-1] if found else None


def _check_beginnings(cur: cursor, anchors: Anchors, found: list[Anchor]) -> None:
    """Each of these is the beginning of the ledger that is here."""
    head, hashes = tree.head(cur), tree.stored(cur)
    for anchor in found:
        if anchor.size > head.size:
            raise LedgerBehind(
                f"This database's ledger has {head.size} entries, and {anchor.size} are anchored",
                where=anchors.where,
                remedy=f"a backup was restored here: {RESTORE}",
            )
        if tree.root(hashes, anchor.size) != anchor.checkpoint.root:
            raise LedgerForked(
                f"The first {anchor.size} entries of this ledger are not those that were anchored",
                where=anchors.where,
                remedy=f"`gdpr ledger verify` names what was changed; if a backup was restored here, {RESTORE}",
            )


def check_signed(cur: cursor, anchors: Anchors) -> None:
    """What was taken over from outside, a key of ours has signed: or somebody has made it up (threat model A11)."""
    for _, size in unsigned(cur, anchors):
        raise RestorationUnfounded(
            f"Entries were taken over here up to {size}, and no key that is known has signed what they are",
            where=anchors.where,
            remedy="see who has the password of gdpr_audit, or give the key that had signed; `verify` names them",
        )


def unsigned(cur: cursor, anchors: Anchors) -> list[tuple[int, int]]:
    """From and up to where entries were taken over for a checkpoint that no key of ours has signed."""
    cur.execute(query("restorations"))
    return [
        (kept, size)
        for origin, kept, size, root, note in cur.fetchall()
        if _signed(note, anchors, origin) != (size, bytes(root))
    ]


def _signed(note: str, anchors: Anchors, origin: str) -> tuple[int, bytes] | None:
    try:
        checkpoint = Checkpoint.open(note, anchors.keys, origin=origin)
    except NoteInvalid:
        return None
    return checkpoint.size, checkpoint.root
