"""The bundles of one epoch, one after the other: which there are of each index, and the entries in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from shared.ledger.merkle import leaf_hash
from verifier import bundle
from verifier.bundle import FULL
from verifier.findings import Finding, Findings
from verifier.source import Source, Version
from verifier.spelling import Misspelt

Widths = Mapping[int, list[Version]]  # the versions of each bundle of one index, by how many entries it is to have


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Up to 256 entries, with their leaf hashes."""

    index: int
    width: int  # of the bundle that they were read from
    bodies: list[bytes]
    leaves: list[bytes]
    others: Widths

    @property
    def first(self) -> int:
        return self.index * FULL

    @property
    def end(self) -> int:
        return self.first + self.width

    def corrected(self, narrower: Tile) -> Tile:
        """With the entries of a bundle that is not as wide in place of these."""
        bodies = [*narrower.bodies, *self.bodies[narrower.width :]]
        return replace(self, bodies=bodies, leaves=[*narrower.leaves, *self.leaves[narrower.width :]])


class Bundles:
    """Read from the first to the last. Those that are not full remain beside later ones, and are not needed then."""

    def __init__(self, source: Source, epoch: int, findings: Findings) -> None:
        self._source = source
        self._epoch = epoch
        self._findings = findings
        self._listed = self._listing()
        self._next: tuple[int, Widths] | None = next(self._listed, None)

    def tile(self, index: int) -> Tile | None:
        """The entries from the widest bundle of this index that can be read. Indices are asked for in their order."""
        if self.is_at_end(index) or not self._next or self._next[0] != index:
            return None
        return self._widest(index, self._next[1])

    def anew(self, index: int) -> Tile | None:
        """The same, listed again."""
        begun = folder(self._epoch) + bundle.name(index)
        widths: dict[int, list[Version]] = {}
        for version in self._source.versions(begun):
            named = bundle.named(version.key.removeprefix(folder(self._epoch)))
            if named and named[0] == index:
                widths.setdefault(named[1], []).append(version)
        return self._widest(index, widths)

    def _widest(self, index: int, widths: Widths) -> Tile | None:
        tiles = (self.read(index, width, widths) for width in sorted(widths, reverse=True))
        return next((tile for tile in tiles if tile), None)

    def is_at_end(self, index: int) -> bool:
        """There is no bundle of this index or a later one."""
        while self._next and self._next[0] < index:
            self._next = next(self._listed, None)
        return self._next is None

    def read(self, index: int, width: int, widths: Widths) -> Tile | None:
        """One bundle, in its latest version that was not deleted."""
        there = [version for version in widths[width] if not version.is_deletion]
        if not there:
            return None
        if widths[width][0].is_deletion:
            self._find("bundle_hidden", "A mark of deletion lies over a bundle of entries", index, width)
        raw = self._raw(there[0])
        if any(self._raw(older) != raw for older in there[1:]):
            self._find("bundle_changed", "A bundle of entries has an earlier version with other bytes", index, width)
        try:
            bodies = bundle.unpacked(raw, width)
        except Misspelt as fault:
            self._find("bundle_malformed", f"A bundle of entries cannot be read: {fault}", index, width)
            return None
        return Tile(index=index, width=width, bodies=bodies, leaves=[leaf_hash(body) for body in bodies], others=widths)

    def end(self) -> int:
        """One more than the last index of an entry that lies anywhere behind what was read."""
        end = 0
        while self._next:
            index, widths = self._next
            end = index * FULL + max(widths)
            self._next = next(self._listed, None)
        return end

    def _raw(self, version: Version) -> bytes:
        """One that is longer than any bundle can be is not read, and so is malformed."""
        return b"\xff" if version.size > bundle.LONGEST else self._source.read(version)

    def _listing(self) -> Iterator[tuple[int, Widths]]:
        """In the order of the indices: keys are in theirs within each thousand only."""
        group, found = 0, True
        while found:
            found = False
            for index, widths in groupby(self._group(group), key=lambda listed: listed[0]):
                found = True
                by_width: dict[int, list[Version]] = {}
                for _, width, version in widths:
                    by_width.setdefault(width, []).append(version)
                yield index, by_width
            group += 1

    def _group(self, group: int) -> Iterator[tuple[int, int, Version]]:
        start = folder(self._epoch)
        inside = start + bundle.folder(group)
        for version in self._source.versions(inside):
            if version.key.startswith("x", len(inside)):
                return  # later thousands
            named = bundle.named(version.key.removeprefix(start))
            if named:
                yield *named, version
            else:
                what = "An object lies among the bundles that is none"
                self._findings.add(Finding(code="stray", what=what, epoch=self._epoch, key=version.key))

    def _find(self, code: str, what: str, index: int, width: int) -> None:
        first = index * FULL
        key = folder(self._epoch) + bundle.name(index, width)
        self._findings.add(
            Finding(code=code, what=what, epoch=self._epoch, first=first, last=first + width - 1, key=key)
        )


def folder(epoch: int) -> str:
    return f"{epoch}/tile/entries/"
