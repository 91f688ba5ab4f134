"""The log tells of its own checkpoints: what it tells is held beside what lies there, and what was taken is missed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from verifier.anchors import Lying, key_of
from verifier.findings import Finding, Findings
from verifier.note import LONGEST
from verifier.opening import Opening
from verifier.source import Source
from verifier.spelling import Misspelt, number

_HASH = re.compile("[0-9a-f]{64}", re.ASCII)
_MOST_OPENINGS = 10  # of one epoch, which has one
_MOST_WAITING = 5000  # checkpoints of which nothing has been told yet; in a log that is well there are two


class Telling:
    """In one epoch, from its first entry to its last."""

    def __init__(self, source: Source, *, name: str, epoch: int, findings: Findings) -> None:
        self._source = source
        self._name = name
        self._epoch = epoch
        self._findings = findings
        self._waiting: dict[int, Lying] = {}
        self._is_signed = False  # something here
        self._last = 0  # size that was told
        self._missed = 0  # the end of the last entries that are not there, and may have told of what is smaller
        self.openings: list[Opening] = []  # what entries say of why there is this epoch

    def lies(self, lying: Lying) -> None:
        """What lies outside under the key of a size. The entries that tell of it have a higher index."""
        self._waiting[lying.size] = lying
        self._is_signed |= lying.anchor is not None
        if len(self._waiting) > _MOST_WAITING:
            self._left(self._waiting.pop(next(iter(self._waiting))))

    def misses(self, end: int) -> None:
        """Entries up to this one are not there."""
        self._missed = end

    def told(self, index: int, entry: Mapping[str, Any]) -> None:
        """What an entry says about the ledger."""
        if entry["kind"] == "ledger.origin_opened" and entry.get("origin") == f"{self._name}/{self._epoch}":
            self._opened(index, entry)
        if entry["kind"] != "ledger.anchored":
            return
        origin, size, digest = entry.get("origin"), entry.get("size"), entry.get("note")
        if type(origin) is not str or type(size) is not int or type(digest) is not str or not _HASH.fullmatch(digest):
            self._find("entry_malformed", "It tells of a checkpoint and does not say which", index)
        elif (epoch := self._epoch_of(origin)) is None:
            self._find("entry_malformed", f"It tells of a checkpoint of another log than {self._name}", index)
        elif epoch == self._epoch and size > index:
            self._find("told_ahead", f"It tells of the checkpoint of size {size}, which it is itself part of", index)
        elif epoch == self._epoch and size in self._waiting:
            self._last = max(self._last, size)
            self._compared(index, self._waiting.pop(size), digest)
        else:
            self._looked_for(index, epoch, size, digest)

    def _opened(self, index: int, entry: Mapping[str, Any]) -> None:
        opening = Opening.read(entry)
        if opening is None:
            self._find("entry_malformed", "It begins an epoch and does not say in place of what", index)
        elif len(self.openings) < _MOST_OPENINGS:
            self.openings.append(opening)

    def _epoch_of(self, origin: str) -> int | None:
        """This epoch or one before it."""
        name, _, epoch = origin.rpartition("/")
        try:
            found = number(epoch)
        except Misspelt:
            return None
        return found if name == self._name and 0 < found <= self._epoch else None

    def _compared(self, index: int, lying: Lying, digest: str) -> None:
        if digest not in lying.digests:
            self._changed(index, lying.size, lying.key)
        elif lying.anchor is None and not lying.is_told:
            who = ", ".join(dict.fromkeys(lying.claimed)) or "nobody"
            what = f"The checkpoint of size {lying.size}, which the ledger tells of, is signed by {who}"
            self._find("key_unknown", what, index, lying.key)

    def _looked_for(self, index: int, epoch: int, size: int, digest: str) -> None:
        """Of an earlier epoch, told of already, or not there."""
        key = key_of(epoch, size)
        there = [each for each in self._source.versions(key) if each.key == key and not each.is_deletion]
        if not there:
            what = f"The checkpoint of size {size}, which the ledger tells of, is not there"
            self._find("checkpoint_missing", what, index, key)
        elif all(each.size > LONGEST or _digest(self._source.read(each)) != digest for each in there):
            self._changed(index, size, key)

    def _changed(self, index: int, size: int, key: str) -> None:
        what = f"The checkpoint of size {size} has other bytes than those that the ledger tells of"
        self._find("checkpoint_changed", what, index, key)

    def close(self) -> None:
        """No more is told: what of all that lies there has the log said nothing about?"""
        for lying in self._waiting.values():
            self._left(lying)

    def _left(self, lying: Lying) -> None:
        if lying.anchor is None:
            if not lying.is_told and self._is_signed:
                what = "Under the key of a checkpoint lies what no key that is known has signed"
                self._find("squatted", what, None, lying.key)
        elif (
            self._missed < lying.size < self._last
        ):  # they are told in their order, and those of late have not been yet
            what = f"The checkpoint of size {lying.size} is one that the ledger never tells of"
            self._find("untold", what, None, lying.key)

    def _find(self, code: str, what: str, index: int | None, key: str | None = None) -> None:
        self._findings.add(Finding(code=code, what=what, epoch=self._epoch, first=index, last=index, key=key))


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()
