"""A restored ledger is brought up to what was anchored: entries that lie outside are taken over, in their order.

They are compared with the signed root before the first of them is taken over, and the database lets in no others then:
one bundle in a transaction, with tree, tiles and head. Whoever is killed leaves a beginning of what was anchored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from psycopg2.extensions import cursor

from shared.database import Database
from shared.errors import BundlesUnusable, LedgerForked, StoreBusy
from shared.ledger import bundle, comparison, tree
from shared.ledger.anchors import Anchor, Anchors
from shared.ledger.merkle import leaf_hash
from shared.queries import query


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What was anchored and is not here: it goes on from the entries that are."""

    anchor: Anchor
    kept: int
    digests: bytes  # of the leaf hashes of each bundle that is to come


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """Entries that are taken over from outside, from one size to another, and who decided so."""

    id: UUID
    origin: str
    kept: int
    size: int
    note: str
    digests: bytes
    role: str
    decided_at: datetime
    is_open: bool

    @property
    def epoch(self) -> int:
        return int(self.origin.rpartition("/")[2])


def missing(database: Database, anchors: Anchors) -> Missing | None:
    """What is to be taken over, read once and found to give each root that was signed; None where nothing is missing.

    Raises LedgerForked and BundlesUnusable, where nothing can be taken over.
    """
    with database.transaction() as cur:
        known = comparison.known(cur, anchors)
    found = anchors.since(known)
    with database.transaction() as cur:
        head = tree.head(cur)
        edge = tree.edge(tree.stored(cur), head.size)
    longer = [anchor for anchor in found if anchor.size > head.size]
    if not longer:
        return None
    digests: list[bytes] = []
    while edge.size < longer[-1].size:
        hashes = list(map(leaf_hash, _following(anchors, edge.size, longer[-1].size)))
        digests.append(sha256(b"".join(hashes)).digest())
        for hashed in hashes:
            edge.add(hashed)
            if any(anchor.size == edge.size and anchor.checkpoint.root != edge.root for anchor in longer):
                raise LedgerForked(
                    f"The entries that are anchored with size {edge.size} do not go on from the {head.size} that are "
                    "here, or were changed",
                    where=anchors.where,
                    remedy="`gdpr ledger verify` tells whether what lies outside is whole",
                )
    return Missing(anchor=longer[-1], kept=head.size, digests=b"".join(digests))


def _following(anchors: Anchors, first: int, size: int, *, digest: bytes | None = None) -> list[bytes]:
    """Entries from one on, of a log of this size: those of one bundle; the very ones, where their digest is known."""
    index = first // tree.WIDTH
    start, end = index * tree.WIDTH, min(size, (index + 1) * tree.WIDTH)

    def fits(bodies: list[bytes]) -> bool:
        return len(bodies) == end - start and digest in (None, _digest(bodies[first - start :]))

    bodies = bundle.read(anchors.bucket, bundle.key(anchors.epoch, index, end - start), fits)
    if bodies is None:
        raise BundlesUnusable(
            f"The entries from {start} to {end - 1} are not where they were laid, or cannot be read",
            where=anchors.where,
            remedy="put the bundle back, from an earlier version or another copy",
        )
    return bodies[first - start :]


def _digest(bodies: list[bytes]) -> bytes:
    return sha256(b"".join(map(leaf_hash, bodies))).digest()


def latest(cur: cursor) -> Restoration | None:
    """The last that has begun."""
    cur.execute(query("latest_restoration"))
    found = cur.fetchone()
    if found is None:
        return None
    number, origin, kept, size, note, digests, role, decided_at, is_open = found
    return Restoration(
        id=UUID(number),
        origin=origin,
        kept=kept,
        size=size,
        note=note,
        digests=bytes(digests),
        role=role,
        decided_at=decided_at,
        is_open=is_open,
    )


def begin(cur: cursor, found: Missing, *, role: str, at: datetime) -> None:
    """In the caller's transaction. From its commit on the tree grows by what was anchored alone."""
    row = {
        "origin": found.anchor.checkpoint.origin,
        "kept": found.kept,
        "size": found.anchor.size,
        "root": found.anchor.checkpoint.root,
        "note": found.anchor.note,
        "digests": found.digests,
        "role": role,
        "at": at,
    }
    cur.execute(query("begin_restoration"), row)
    (begun,) = cur.fetchone() or (None,)
    if begun is None:
        raise StoreBusy("Entries were taken into the tree meanwhile", remedy="try again")


def take_over(database: Database, anchors: Anchors, restoration: Restoration, *, most: int) -> int:
    """Up to so many bundles; the size of the ledger then."""
    with database.transaction() as cur:
        size = tree.head(cur).size
    for _ in range(most):
        if size >= restoration.size:
            break
        place = 32 * (size // tree.WIDTH - restoration.kept // tree.WIDTH)
        bodies = _following(anchors, size, restoration.size, digest=restoration.digests[place : place + 32])
        with database.transaction() as cur:  # if we crash here, the next run goes on from the size that it finds
            cur.execute(query("import_leaves"), {"restoration": str(restoration.id), "first": size, "bodies": bodies})
            (size,) = cur.fetchone() or (size,)
    return size
