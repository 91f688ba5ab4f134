"""The Merkle tree as Postgres holds it: its heads, and the few tiles that a proof is read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2.extensions import cursor

from shared.database import Database
from shared.errors import LedgerForked
from shared.ledger import merkle
from shared.ledger.merkle import EMPTY, SIZE
from shared.queries import query

WIDTH = 256  # hashes of a full tile
LEVELS = 8  # of the tree, in each tile

Hashes = Callable[[int, int], bytes]  # those that there are of a tile, by its level and index


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the tree was when the sequencer left it."""

    size: int
    root: bytes


NOTHING = Head(size=0, root=EMPTY)


def sequence(database: Database, *, insist: bool = False) -> int | None:
    """Take what was committed into the tree; its size, or None where another run is at it, or a restored ledger waits.

    After each commit of an entry, and regularly with `insist`: then until nothing is left, and whoever holds the
    sequencer's lock.
    """
    size: int | None = None
    while True:
        with database.transaction() as cur:
            cur.execute(query("sequence"), {"insist": insist})
            found: int | None = (cur.fetchone() or (None,))[0]
        if not insist or found is None or found == size:
            return found
        size = found


def head(cur: cursor) -> Head:
    """The newest."""
    cur.execute(query("tree_head"))
    found = cur.fetchone()
    return Head(size=found[0], root=bytes(found[1])) if found else NOTHING


def inclusion(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """That a leaf is in the tree of this size."""
    return merkle.inclusion(_subtrees(hashes), index, size)


def consistency(hashes: Hashes, old: int, new: int) -> list[bytes]:
    """That one tree is the beginning of another."""
    return merkle.consistency(_subtrees(hashes), old, new)


def root(hashes: Hashes, size: int) -> bytes:
    """Of the tree as it was at a size."""
    return merkle.span(_subtrees(hashes), 0, size)


def edge(hashes: Hashes, size: int) -> merkle.Edge:
    """Of the tree as it was at a size, to be grown on."""
    return merkle.Edge.of(_subtrees(hashes), size)


def stored(cur: cursor) -> Hashes:
    """The tiles of the database, each read once."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        if (level, index) not in known:
            cur.execute(query("tile_hashes"), {"level": level, "idx": index})
            (hashes,) = cur.fetchone() or (None,)
            known[level, index] = bytes(hashes or b"")
        return known[level, index]

    return read


def _subtrees(hashes: Hashes) -> merkle.Subtree:
    """Perfect subtrees, each out of one tile."""

    def subtree(start: int, end: int) -> bytes:
        height = (end - start).bit_length() - 1
        level, width = height // LEVELS, 1 << height % LEVELS
        first = start >> LEVELS * level
        tile = hashes(level, first // WIDTH)
        place = first % WIDTH * SIZE
        nodes = [tile[at : at + SIZE] for at in range(place, place + width * SIZE, SIZE)]
        if any(len(node) != SIZE for node in nodes):
            raise LedgerForked(
                f"The ledger lacks hashes of its tile {level}/{first // WIDTH}",
                remedy="`gdpr ledger verify` names what is missing",
            )
        return merkle.root_of(nodes)

    return subtree
