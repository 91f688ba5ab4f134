"""Why a later epoch was begun, and what of an earlier one is declared lost: held beside what was signed of both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from verifier.anchors import key_of
from verifier.bundle import FULL
from verifier.bundles import Bundles
from verifier.checkpoint import Checkpoint
from verifier.findings import Finding, Findings
from verifier.note import LONGEST, Forged, Keys, Unsigned, opened
from verifier.source import Source
from verifier.spelling import Misspelt, number
from verifier.tree import Tree

_HASH = re.compile("[0-9a-f]{64}", re.ASCII)
_EXCUSED = ("entries_missing", "bundle_malformed")  # of entries that are declared lost


@dataclass(frozen=True, kw_only=True)
class Opening:
    """In place of which log, up to which checkpoint of it, and with how many entries of it."""

    before: str
    size: int
    note: str
    root: str
    kept: int

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self | None:
        """What an entry says; None where it does not say all of it."""
        texts = [entry.get(field) for field in ("before", "note", "root")]
        sizes = [entry.get(field) for field in ("size", "kept")]
        if not all(type(text) is str for text in texts) or not all(type(size) is int for size in sizes):
            return None
        before, note, root = map(str, texts)
        size, kept = (int(each or 0) for each in sizes)
        if not _HASH.fullmatch(note) or not _HASH.fullmatch(root) or not 0 <= kept <= size:
            return None
        return cls(before=before, size=size, note=note, root=root, kept=kept)


class Losses:
    """What an epoch declares of the one before."""

    def __init__(self, source: Source, keys: Keys, *, name: str, epoch: int, findings: Findings) -> None:
        self._source = source
        self._keys = keys
        self._name = name
        self._epoch = epoch
        self._findings = findings

    def check(self, openings: Sequence[Opening], sizes: Mapping[int, int], *, end: int) -> None:
        """Of all that it says, given the sizes of the newest checkpoints before it and how many entries it has."""
        if len(set(openings)) > 1:
            self._find("Its beginning is declared more than once, and not alike")
            return
        opening = openings[0]
        before = self._before(opening.before)
        if before is None:
            self._find("It is said to go on from another log than the epoch before it")
        elif wrong := self._wrong(opening, before, sizes.get(before, 0), end):
            self._find(wrong)
        elif opening.kept < opening.size:
            self._lost(opening, before)

    def _before(self, origin: str) -> int | None:
        name, _, epoch = origin.rpartition("/")
        try:
            found = number(epoch)
        except Misspelt:
            return None
        return found if name == self._name and found == self._epoch - 1 else None

    def _wrong(self, opening: Opening, before: int, newest: int, end: int) -> str | None:
        """What does not fit, if anything."""
        if newest > opening.size:
            return f"Epoch {before} has a checkpoint of size {newest}, and is declared to end with {opening.size}"
        if opening.note not in self._digests(before, opening.size):
            return f"No checkpoint of size {opening.size} of epoch {before} has the bytes that are declared"
        if opening.root not in {root.hex() for root in self._roots(before, opening.size)}:
            return f"The checkpoint of size {opening.size} of epoch {before} has another root than is declared"
        root = self._root(opening.kept) if opening.kept <= end else None
        if opening.kept and root not in set(self._roots(before, opening.kept)):
            what = f"The first {opening.kept} entries are declared to be those of epoch {before}"
            return f"{what}, and no checkpoint of that says so"
        return None

    def _lost(self, opening: Opening, before: int) -> None:
        first, last = opening.kept, opening.size - 1
        for code in _EXCUSED:
            self._findings.excuse(code, before, first, last)
        what = f"What was signed as these entries of epoch {before} is declared lost by epoch {self._epoch}"
        self._findings.add(Finding(code="entries_lost", what=what, epoch=before, first=first, last=last))

    def _root(self, size: int) -> bytes | None:
        """Of the first entries of this epoch, read once more: what is wrong with them is told already."""
        bundles, tree = Bundles(self._source, self._epoch, Findings()), Tree()
        for index in range(-(-size // FULL)):
            tile = bundles.tile(index)
            if tile is None or tile.end < min(size, (index + 1) * FULL):
                return None
            tree.extend(tile.leaves[: size - tile.first])
        return tree.root

    def _digests(self, epoch: int, size: int) -> set[str]:
        return {sha256(raw).hexdigest() for raw in self._read(epoch, size)}

    def _roots(self, epoch: int, size: int) -> Iterator[bytes]:
        """Those that keys of ours have signed."""
        for raw in self._read(epoch, size):
            try:
                checkpoint = Checkpoint.parse(opened(raw, self._keys).text)
            except (Misspelt, Unsigned, Forged):
                continue
            if (checkpoint.origin, checkpoint.size) == (f"{self._name}/{epoch}", size):
                yield checkpoint.root

    def _read(self, epoch: int, size: int) -> Iterator[bytes]:
        key = key_of(epoch, size)
        for version in self._source.versions(key):
            if version.key == key and not version.is_deletion and version.size <= LONGEST:
                yield self._source.read(version)

    def _find(self, what: str) -> None:
        self._findings.add(Finding(code="epoch_misdeclared", what=what, epoch=self._epoch))
