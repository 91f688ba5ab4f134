"""Everything that the ledger holds, read back and hashed here: what stands in the database beside what lies outside.

The server is asked for bytes and never for an opinion. Batch by batch, so that no snapshot stays open and memory
stays flat. Whoever trusts neither this program nor its database takes verifier/ and reads the bucket alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from psycopg2.extensions import cursor

from shared.bucket import TooLargeError
from shared.database import Database
from shared.errors import StoreFault
from shared.ledger import bundle, tree
from shared.ledger.anchors import Anchor, Anchors
from shared.ledger.comparison import unsigned
from shared.ledger.merkle import Edge, leaf_hash, root_of, root_of_peaks
from shared.queries import query, told

BATCH = 256  # tiles
LONGEST_GAP = 2**20  # leaves that may be missing before what is behind them is not read any more
_MOST = 50  # findings that are told one by one
_LARGEST = 2 * 2**20  # bytes of entries that are read as one
_FEW = 32  # leaves that are read one by one, each of up to 64 KB


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong, and with which leaves: from the first to the last."""

    code: str
    sentence: str
    first: int | None = None
    last: int | None = None


@dataclass(kw_only=True)
class Verified:
    """What was looked at, and what was found."""

    size: int = 0
    anchored: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0  # findings that are not told

    def find(self, code: str, sentence: str, first: int | None = None, last: int | None = None) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code=code, sentence=sentence, first=first, last=last))
        else:
            self.more += 1


def verify(database: Database, anchors: Anchors) -> Verified:
    """Read all of it. No finding means: nothing that was anchored has been changed, and nothing is missing."""
    done = Verified()
    outside = anchors.since(0)
    by_size: dict[int, list[Anchor]] = {}
    for anchor in outside:
        by_size.setdefault(anchor.size, []).append(anchor)
    _check_recorded(database, anchors, by_size, done)
    _check_taken_over(database, anchors, done)
    _check_counts(database, done)
    _check_columns(database, done)

    edge = Edge()  # of the roots of full tiles
    above: list[bytes] = []  # roots of full tiles that no tile above holds yet
    good = 0  # the size at which everything was as it was anchored
    size, end = _check_leaves(database, done)
    for first in range(0, end, BATCH * tree.WIDTH):
        with database.transaction() as cur:
            heads = _heads(cur, first, first + BATCH * tree.WIDTH)
            tiles = _tiles(cur, first // tree.WIDTH, first // tree.WIDTH + BATCH)
            sound = _sound(cur, first, min(end, first + BATCH * tree.WIDTH))
        for start in range(first, min(end, first + BATCH * tree.WIDTH), tree.WIDTH):
            stop = min(end, start + tree.WIDTH)
            hashes = sound.pop(start // tree.WIDTH, None) or _read(database, start, stop, done)
            good = _check_heads(done, edge=edge, hashes=hashes, heads=heads, anchored=by_size, good=good)
            if len(hashes) == tree.WIDTH:
                root = root_of(hashes)
                _check_tile(done, tiles, (0, edge.size), hashes, root)
                edge.add(root)
                above.append(root)
    _check_tiles_above(database, above, done)

    done.size, done.anchors, done.anchored = size, len(outside), max(by_size, default=0)
    _check_end(outside, size, done)
    if any(finding.code == "anchor" for finding in done.findings):
        _compare_bundles(database, anchors, good, min(size, done.anchored), done)
    return done


def _check_leaves(database: Database, done: Verified) -> tuple[int, int]:
    """How large the tree is said to be, and up to where its leaves are worth reading."""
    with database.transaction() as cur:
        size = tree.head(cur).size
        cur.execute(query("last_leaf"))
        last, count, strange = cur.fetchone() or (None, 0, 0)
    last = -1 if last is None else last
    if strange:
        done.find("leaf_strange", f"{strange} leaves have no place in the tree, and keep their entries out of it")
    if last >= size:
        done.find("head", "The tree has leaves that none of its heads knows of", size, last)
    end = min(size, max(last + 1, 0), count + LONGEST_GAP)
    if end < size:
        done.find("leaf_missing", "All leaves of the tree from here on are gone", end, size - 1)
    return size, end


def _check_recorded(database: Database, anchors: Anchors, by_size: dict[int, list[Anchor]], done: Verified) -> None:
    """What the database knows of anchors is what lies outside."""
    with database.transaction() as cur:
        cur.execute(query("anchors"), {"origin": anchors.origin})
        recorded = cur.fetchall()
    for size, note in recorded:
        found = [anchor for anchor in by_size.get(size, []) if anchor.note == note]
        if not found and anchors.read(size) == note:
            done.find("anchor_key", f"The checkpoint of size {size} is signed by no key that is known here")
        elif not found:
            done.find("anchor_missing", f"The checkpoint of size {size} is not where it was put", 0, size - 1)
        elif all(anchor.is_hidden for anchor in found):
            done.find("anchor_hidden", f"Somebody has deleted the checkpoint of size {size}; its lock has kept it")


def _check_taken_over(database: Database, anchors: Anchors, done: Verified) -> None:
    """What came in from outside is what somebody has signed, and nothing else came in that way (threat model A11)."""
    with database.transaction() as cur:
        for kept, size in unsigned(cur, anchors):
            done.find("restoration", "No known key has signed what these entries were taken over for", kept, size - 1)
        cur.execute(query("imported_uncovered"))
        for first, last, count in cur.fetchall():
            done.find("imported", f"{count} entries came in from outside, and no restoration covers them", first, last)


def _check_counts(database: Database, done: Verified) -> None:
    """Every entry that was committed is in the tree, and the tables have no rows that their indexes hide."""
    with database.transaction() as cur:
        _only_by(cur, "seqscan")
        cur.execute(query("entries_waiting"))
        (waiting,) = cur.fetchone() or (0,)
        if waiting:
            done.find("unsequenced", f"{waiting} entries have waited for the tree for more than ten minutes")
        cur.execute(query("ledger_rows"))
        by_heap = cur.fetchone()
        _only_by(cur, "indexscan", "indexonlyscan")
        cur.execute(query("ledger_rows"))
        by_index = cur.fetchone()
    if by_heap != by_index:
        done.find("index", "An index of gdpr.entry or gdpr.leaf hides rows: reindex both and verify again")


def _check_columns(database: Database, done: Verified) -> None:
    """What stands beside an entry's body, which alone is hashed, is what the body says."""
    try:
        with database.transaction() as cur:
            _only_by(cur, "seqscan")
            lie = told(cur, "columns_lie")
    except StoreFault as fault:
        if type(fault) is not StoreFault:
            raise
        done.find("columns", "Some rows of gdpr.entry hold bytes that are no entry")  # which one, its hash tells
        return
    if lie:
        done.find("columns", "Columns of gdpr.entry say something else than the entries that they stand beside")


def _only_by(cur: cursor, *ways: str) -> None:
    """Let Postgres read tables in these ways alone, for this transaction."""
    for each in ("seqscan", "indexscan", "indexonlyscan", "bitmapscan"):
        cur.execute(f"set local enable_{each} = {'on' if each in ways else 'off'}")


def _heads(cur: cursor, above: int, upto: int) -> dict[int, bytes]:
    cur.execute(query("tree_heads_between"), {"above": above, "upto": upto})
    return {size: bytes(root) for size, root in cur.fetchall()}


def _tiles(cur: cursor, first: int, end: int) -> dict[int, tuple[bytes, bytes]]:
    """Digests of the hashes, and the roots, of full tiles."""
    cur.execute(query("tiles_between"), {"level": 0, "first": first, "last": end - 1})
    return {index: (sha256(hashes).digest(), bytes(root)) for index, hashes, root in cur}


def _sound(cur: cursor, first: int, end: int) -> dict[int, list[bytes]]:
    """The hashes of each tile of these leaves whose bodies are all there and are what was taken into the tree."""
    found: dict[int, list[bytes]] = {}

    def take(index: int, stored: bytes, bodies: bytes) -> None:
        hashes = list(map(leaf_hash, _split(bodies)))
        wanted = min(end, (index + 1) * tree.WIDTH) - index * tree.WIDTH
        if len(hashes) == wanted and b"".join(hashes) == stored:
            found[index] = hashes

    tiles = {"first": first // tree.WIDTH, "last": (end - 1) // tree.WIDTH, "end": end, "most": _LARGEST}
    cur.execute("set local enable_hashjoin = off; set local enable_mergejoin = off")  # no tile waits for another
    rows = _Tiles(take)
    statement = cur.mogrify(query("tiles_of_entries").rstrip(";"), tiles)
    cur.copy_expert(b"copy (" + statement + b") to stdout (format binary)", rows)
    if not rows.is_complete:
        raise StoreFault("The database broke off while the ledger was read")
    return found


def _split(bodies: bytes) -> Iterator[bytes]:
    at, length = 0, struct.Struct(">i").unpack_from
    while at < len(bodies):
        (width,) = length(bodies, at)
        yield bodies[at + 4 : at + 4 + width]
        at += 4 + width


def _read(database: Database, first: int, end: int, done: Verified) -> list[bytes]:
    """The hashes of the bodies of these leaves, one by one: what is wrong is told, and a gap filled with nothing."""
    leaves: list[bytes] = []

    def missing_up_to(index: int) -> None:
        while first + len(leaves) < index:
            done.find("leaf_missing", "A leaf of the tree is gone", first + len(leaves), first + len(leaves))
            leaves.append(bytes(32))

    for index, stored, body in _leaves(database, first, end):
        missing_up_to(index)
        hashed = stored if body is None else leaf_hash(body)
        if body is None:
            done.find("entry_missing", "An entry is gone", index, index)
        elif hashed != stored:
            done.find("entry_changed", "An entry is not what was taken into the tree", index, index)
        leaves.append(hashed)
    missing_up_to(end)
    return leaves


def _check_heads(
    done: Verified,
    *,
    edge: Edge,
    hashes: list[bytes],
    heads: dict[int, bytes],
    anchored: dict[int, list[Anchor]],
    good: int,
) -> int:
    """Every head and every anchor whose size lies in the tile behind the edge; up to where all was as anchored."""
    start = edge.size * tree.WIDTH
    end = start + len(hashes)
    wanted = [size for size in range(start + 1, end + 1) if size in heads or size in anchored]
    inner = Edge()
    for size in wanted:
        for hashed in hashes[inner.size : size - start]:
            inner.add(hashed)
        root = root_of_peaks(edge.peaks + inner.peaks)
        if size in heads and heads[size] != root:
            done.find("head", f"The tree's head of size {size} is not that of its leaves", 0, size - 1)
        for anchor in anchored.get(size, []):
            if anchor.checkpoint.root != root:
                done.find("anchor", f"These entries are not those that were anchored with size {size}", good, size - 1)
            elif good < size:
                good = size
    return good


def _check_tile(
    done: Verified, tiles: dict[int, tuple[bytes, bytes]], place: tuple[int, int], hashes: list[bytes], root: bytes
) -> None:
    level, index = place
    if index not in tiles:
        done.find("tile_missing", f"Tile {level}/{index} of the tree is gone")
    elif tiles[index] != (sha256(b"".join(hashes)).digest(), root):
        done.find("tile", f"Tile {level}/{index} of the tree is not that of its leaves")


def _check_tiles_above(database: Database, below: list[bytes], done: Verified) -> None:
    level = 1
    while len(below) >= tree.WIDTH:
        roots: list[bytes] = []
        with database.transaction() as cur:
            cur.execute(query("tiles_between"), {"level": level, "first": 0, "last": len(below) // tree.WIDTH})
            tiles = {index: (sha256(hashes).digest(), bytes(root)) for index, hashes, root in cur}
        for start in range(0, len(below) - tree.WIDTH + 1, tree.WIDTH):
            hashes = below[start : start + tree.WIDTH]
            roots.append(root_of(hashes))
            _check_tile(done, tiles, (level, start // tree.WIDTH), hashes, roots[-1])
        below, level = roots, level + 1


def _check_end(outside: list[Anchor], size: int, done: Verified) -> None:
    for anchor in outside:
        if anchor.size > size:
            done.find(
                "behind",
                f"{anchor.size} entries are anchored, and the database has {size}: restored, or cut at its end",
                size,
                anchor.size - 1,
            )
            return


def _compare_bundles(database: Database, anchors: Anchors, first: int, end: int, done: Verified) -> None:
    """Which entries differ from those that lie outside, after the last anchor that was right."""
    for index in range(first // tree.WIDTH, -(-end // tree.WIDTH)):
        start, stop = index * tree.WIDTH, min(end, (index + 1) * tree.WIDTH)
        try:
            raw = anchors.bucket.get(bundle.key(anchors.epoch, index, stop - start), most=bundle.LARGEST)
            outside = bundle.unpacked(raw) if raw is not None else []
        except (ValueError, TooLargeError):
            done.find("bundle", "What lies outside beside these entries is no bundle of entries", start, stop - 1)
            continue
        inside = {place: body for place, _, body in _leaves(database, start, stop)}
        for place, there in enumerate(outside, start):
            if place >= first and inside.get(place) != there:
                done.find("entry_differs", "An entry is not the one that lies outside", place, place)


def _leaves(database: Database, first: int, end: int) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Index, hash and body of each of these leaves that is there, in their order."""
    for start in range(first, end, _FEW):
        with database.transaction() as cur:
            cur.execute(query("leaves_between"), {"first": start, "last": min(end, start + _FEW) - 1})
            rows = cur.fetchall()
        yield from ((index, bytes(stored), None if body is None else bytes(body)) for index, stored, body in rows)


Take = Callable[[int, bytes, bytes], None]


class _Tiles:
    """Rows of a number and two byte strings in the binary COPY format, which the driver hands over one by one."""

    _HEADER = 19
    _START = struct.Struct(">hiqi")
    _LENGTH = struct.Struct(">i")
    _END = b"\xff\xff"

    def __init__(self, take: Take) -> None:
        self._take = take
        self._skip = self._HEADER
        self.is_complete = False

    def write(self, chunk: bytes) -> int:
        at, self._skip = self._skip, 0
        self.is_complete = chunk[at:] == self._END
        if not self.is_complete and at < len(chunk):
            _, _, index, width = self._START.unpack_from(chunk, at)
            at += self._START.size
            (length,) = self._LENGTH.unpack_from(chunk, at + width)
            if length > 0:
                body = at + width + self._LENGTH.size
                self._take(index, chunk[at : at + width], chunk[body : body + length])
        return len(chunk)
