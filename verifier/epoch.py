"""One epoch of a log: its entries from the first to the last, held beside each checkpoint that was signed of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from verifier import bundle
from verifier.anchors import Anchor, Anchors
from verifier.bundle import FULL
from verifier.bundles import Bundles, Tile, folder
from verifier.entry import Entries, EntryMalformed, said
from verifier.findings import Finding, Findings
from verifier.note import Keys
from verifier.opening import Losses
from verifier.source import Source
from verifier.telling import Telling
from verifier.tree import Tree

MISSING = "Entries that were signed are not there"

Progress = Callable[[int, int], None]  # entries and checkpoints so far


@dataclass(kw_only=True)
class Signed:
    """What one key has signed."""

    checkpoints: int = 0
    first: int = 0  # sizes
    last: int = 0


@dataclass(kw_only=True)
class EpochReport:
    """What was seen of an epoch, be it good or bad."""

    epoch: int
    origin: str
    entries: int = 0  # that the newest checkpoint covers
    beyond: int = 0  # that lie outside and that no checkpoint covers yet
    checkpoints: int = 0
    agreeing: int = 0  # with the entries that lie outside
    since: datetime | None = None  # the first checkpoint and the newest, by the clock of whoever keeps them
    until: datetime | None = None
    first_at: str | None = None  # the first entry and the last, by what they say
    last_at: str | None = None
    keys: dict[str, Signed] = field(default_factory=dict)


class Epoch:
    """Read once, from its beginning to its end, with one bundle in memory."""

    def __init__(
        self,
        source: Source,
        keys: Keys,
        *,
        name: str,
        epoch: int,
        allowed: timedelta,
        findings: Findings,
        earlier: Sequence[EpochReport] = (),
    ) -> None:
        self._losses = Losses(source, keys, name=name, epoch=epoch, findings=findings)
        self._earlier = earlier
        self._findings = findings
        self._allowed = allowed
        self._anchors = Anchors(source, keys, name=name, epoch=epoch, findings=findings)
        self._bundles = Bundles(source, epoch, findings)
        self._telling = Telling(source, name=name, epoch=epoch, findings=findings)
        self._entries = Entries()
        self._report = EpochReport(epoch=epoch, origin=self._anchors.origin)
        self._index = -1  # of the tile that is being read
        self._tile: Tile | None = None  # it, where it can be read
        self._before = Tree()  # as it was where the tile begins
        self._tree: Tree | None = Tree()  # nothing behind an entry that is missing
        self._end = 0  # of the entries that were read
        self._good = 0  # the size of the last checkpoint that agreed
        self._suspects: list[Anchor] = []  # since then: the first, and the last
        self._claimed: dict[str, None] = {}  # keys that are not known
        self._last = b""  # entry

    def verified(self, progress: Progress) -> EpochReport:
        for lying in self._anchors:
            self._telling.lies(lying)
            if lying.anchor is None:
                self._claimed |= dict.fromkeys(lying.claimed[:3]) if len(self._claimed) < 10 else {}
                continue
            self._timed(lying.anchor)
            self._read_up_to(lying.anchor)
            self._compared(lying.anchor)
            self._counted(lying.anchor)
            progress(self._report.entries, self._report.checkpoints)
        self._ended()
        return self._report

    def _timed(self, anchor: Anchor) -> None:
        """Silence between this one and the one before."""
        before, now = self._report.until, anchor.at
        if before and now and now - before > self._allowed:
            what = f"No checkpoint was put there between {_at(before)} and {_at(now)}"
            self._find("silence", what, self._report.entries, max(anchor.size - 1, self._report.entries))

    def _read_up_to(self, anchor: Anchor) -> None:
        while self._end < anchor.size:
            index = self._end // FULL
            end = min(anchor.size, (index + 1) * FULL)
            if index != self._index:
                self._index, self._tile = index, self._bundles.tile(index)
                self._before = self._tree.copy() if self._tree else Tree()
            if not self._tile or self._tile.end < end:
                self._tile = self._bundles.anew(
                    index
                )  # whoever publishes meanwhile, puts it there before what is signed
            if not self._tile and self._bundles.is_at_end(index):
                end = anchor.size
            self._passed(self._tile, end)
            self._end = end

    def _passed(self, tile: Tile | None, end: int) -> None:
        """The entries of one tile up to this one, as far as they are there."""
        start = self._end % FULL
        there = min(end, tile.end) if tile else self._end
        if there < end:
            self._find("entries_missing", MISSING, max(there, self._end), end - 1)
            self._telling.misses(end)
        if tile and self._tree:
            self._tree.extend(tile.leaves[start : end - tile.first])
        if there < end:
            self._tree = None
        if tile:
            self._told(tile, start, end - tile.first)

    def _told(self, tile: Tile, start: int, end: int) -> None:
        """What these entries say of the log itself."""
        for index, body in enumerate(tile.bodies[start:end], tile.first + start):
            try:
                entry = self._entries.told(body)
            except EntryMalformed as fault:
                self._find("entry_malformed", f"An entry cannot be read: {fault}", index, index)
            else:
                if entry is not None:
                    self._telling.told(index, entry)
        if tile.bodies[start:end]:
            self._report.first_at = self._report.first_at or _said_at(tile.bodies[start])
            self._last = tile.bodies[start:end][-1]

    def _compared(self, anchor: Anchor) -> None:
        """Do the entries that lie outside give the root that was signed?"""
        if self._tree is None:
            return
        if self._tree.root in anchor.roots:
            self._agreed(anchor)
        elif exact := self._exact(anchor):
            self._contradicted(anchor, *exact)
        else:
            self._suspects = [*self._suspects[:1], anchor]

    def _agreed(self, anchor: Anchor) -> None:
        if self._suspects:
            self._suspected("fork", "is signed, and so is a later one that does not go on from it")
        self._suspects = []
        self._good = anchor.size
        self._report.agreeing += 1

    def _exact(self, anchor: Anchor) -> tuple[Tile, Tile, Tree] | None:
        """Where another bundle than the widest gives the root, the one that was published with this very checkpoint."""
        tile, width = self._tile, anchor.size % FULL
        if not tile or tile.index != anchor.size // FULL or width not in tile.others:
            return None
        exact, tree = self._bundles.read(tile.index, width, tile.others), self._before.copy()
        tree.extend(exact.leaves if exact else [])
        return (tile, exact, tree) if exact and tree.root in anchor.roots else None

    def _contradicted(self, anchor: Anchor, tile: Tile, exact: Tile, tree: Tree) -> None:
        """Two bundles differ: either two trees were signed, or one of the bundles was never what was signed."""
        pairs = zip(tile.leaves, exact.leaves, strict=False)
        first = tile.first + next((place for place, (one, other) in enumerate(pairs) if one != other), 0)
        if first < self._good:
            what = f"Size {anchor.size} is signed with other entries than size {self._good}, which is signed as well"
            self._find("fork", what, first, anchor.size - 1)
            return
        what = f"The bundle of {exact.width} entries fits what was signed, and the one of {tile.width} does not"
        self._find("bundle_contradicted", what, first, anchor.size - 1)
        self._tree, self._tile = tree, tile.corrected(exact)
        self._suspects = [suspect for suspect in self._suspects if not self._fits(suspect, exact)]
        self._told(exact, 0, exact.width)
        self._agreed(anchor)

    def _fits(self, anchor: Anchor, tile: Tile) -> bool:
        """Whether a checkpoint that did not agree with another bundle does with this one."""
        tree = self._before.copy()
        tree.extend(tile.leaves[: max(anchor.size - tile.first, 0)])
        return tree.size == anchor.size and tree.root in anchor.roots

    def _suspected(self, code: str, what: str) -> None:
        """Of the checkpoints that do not agree; what was changed lies behind the last one that did."""
        first, last = self._suspects[0].size, self._suspects[-1].size
        which = f"The checkpoint of size {first}" if first == last else f"Each checkpoint from size {first} to {last}"
        bundles = range(self._good // FULL, max(first - 1, self._good) // FULL + 1)
        key = " to ".join(folder(self._report.epoch) + bundle.name(index) for index in {bundles[0]: 0, bundles[-1]: 0})
        self._find(code, f"{which} {what}", self._good, max(first - 1, self._good), key)

    def _counted(self, anchor: Anchor) -> None:
        report = self._report
        report.entries = anchor.size
        report.checkpoints += 1
        report.since, report.until = report.since or anchor.at, anchor.at or report.until
        for signer in anchor.signers:
            signed = report.keys.setdefault(str(signer), Signed(first=anchor.size))
            signed.checkpoints += 1
            signed.last = anchor.size

    def _ended(self) -> None:
        report = self._report
        if self._suspects:
            self._suspected("wrong_root", "has another root than the entries that lie there")
        if not report.checkpoints:
            who = ", ".join(self._claimed)
            says = f"is signed by {who}, and by no key that is known" if who else "is signed by a key that is known"
            self._find("nothing_signed", f"{'What lies here' if who else 'Nothing here'} {says}")
        elif report.epoch > 1 and self._telling.openings:
            sizes = {each.epoch: each.entries for each in self._earlier}
            self._losses.check(self._telling.openings, sizes, end=self._end)
        elif report.epoch > 1:
            self._find("epoch_unexplained", f"No entry says why epoch {report.epoch} was begun")
        report.last_at = _said_at(self._last)
        report.beyond = self._beyond() if report.checkpoints else self._bundles.end()
        self._telling.close()

    def _beyond(self) -> int:
        """How many entries lie there that nothing signed covers. They may still tell of a checkpoint that was taken."""
        index, count = self._end // FULL, 0
        while not self._bundles.is_at_end(index):
            tile = self._tile if index == self._index else self._bundles.tile(index)
            if tile and tile.end > self._end:
                start = max(self._end - tile.first, 0)
                self._told(tile, start, tile.width)
                count += tile.width - start
            index += 1
        return count

    def _find(
        self, code: str, what: str, first: int | None = None, last: int | None = None, key: str | None = None
    ) -> None:
        epoch = self._report.epoch
        self._findings.add(Finding(code=code, what=what, epoch=epoch, first=first, last=last, key=key))


def _said_at(body: bytes) -> str | None:
    try:
        return str(said(body)["at"])
    except EntryMalformed:
        return None


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
