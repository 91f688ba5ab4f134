"""What lies under the keys of checkpoints: those that count, and everything that is there in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from verifier.checkpoint import Checkpoint
from verifier.findings import Finding, Findings
from verifier.note import LONGEST, Forged, Keys, PublicKey, Unsigned, opened
from verifier.source import Source, Version
from verifier.spelling import Misspelt


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A checkpoint of this log, of this size, signed by keys that we know."""

    size: int
    roots: frozenset[bytes]  # one, unless it is a fork
    signers: frozenset[PublicKey]
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Lying:
    """All that lies under the key of one size."""

    size: int
    key: str
    digests: frozenset[str]  # of all its versions, whoever signed them
    claimed: tuple[str, ...]  # by which keys it says that it is signed, where we know none of them
    anchor: Anchor | None
    is_told: bool  # a finding says already what is wrong with it


@dataclass(frozen=True, kw_only=True)
class _Read:
    """One version, with what became of it."""

    version: Version
    digest: str
    checkpoint: Checkpoint | None = None
    signers: tuple[PublicKey, ...] = ()
    claimed: tuple[str, ...] = ()
    fault: tuple[str, str] | None = None  # a code and a sentence


class Anchors:
    """Those of one epoch of a log."""

    def __init__(self, source: Source, keys: Keys, *, name: str, epoch: int, findings: Findings) -> None:
        self._source = source
        self._keys = keys
        self._epoch = epoch
        self._findings = findings
        self.origin = f"{name}/{epoch}"

    def __iter__(self) -> Iterator[Lying]:
        """By size."""
        prefix = folder(self._epoch)
        for key, versions in groupby(self._source.versions(prefix), key=lambda version: version.key):
            size = _size(key.removeprefix(prefix))
            if size is None:
                self._find("stray", "An object lies among the checkpoints that is none", key)
            elif there := list(versions):
                yield from self._judged(key, size, there)

    def _judged(self, key: str, size: int, versions: Sequence[Version]) -> Iterator[Lying]:
        found = [self._read(version, size) for version in versions if not version.is_deletion]
        good = [each for each in found if each.checkpoint and not each.fault]
        for each in found:
            if each.fault:
                self._find(*each.fault, key)
            elif not each.checkpoint and good:
                self._find("squatted", "Another version of a checkpoint is signed by no key that is known", key)
        if good and good[0].version is not versions[0]:
            how = "A mark of deletion" if versions[0].is_deletion else "Another version"
            self._find("checkpoint_hidden", f"{how} lies over the checkpoint of size {size}", key)
        if found:
            yield Lying(
                size=size,
                key=key,
                digests=frozenset(each.digest for each in found),
                claimed=tuple(name for each in found for name in each.claimed),
                anchor=self._anchor(key, size, good) if good else None,
                is_told=any(each.fault for each in found),
            )

    def _anchor(self, key: str, size: int, good: Sequence[_Read]) -> Anchor:
        roots = frozenset(each.checkpoint.root for each in good if each.checkpoint)
        if len(roots) > 1:
            self._find("fork", f"Two roots are signed for size {size}", key, last=max(size - 1, 0))
        return Anchor(
            size=size,
            roots=roots,
            signers=frozenset(signer for each in good for signer in each.signers),
            at=min((each.version.at for each in good if each.version.at), default=None),
        )

    def _read(self, version: Version, size: int) -> _Read:
        raw = b"" if version.size > LONGEST else self._source.read(version)
        digest = sha256(raw).hexdigest()
        try:
            note = opened(raw, self._keys)
        except Unsigned as unsigned:
            return _Read(version=version, digest=digest, claimed=unsigned.claimed)
        except Forged:
            fault = ("checkpoint_forged", "A signature that names a key which is known is not by it")
            return _Read(version=version, digest=digest, fault=fault)
        except Misspelt:
            return _Read(version=version, digest=digest)
        try:
            checkpoint = Checkpoint.parse(note.text)
        except Misspelt:
            fault = ("checkpoint_malformed", "A key that is known has signed what is no checkpoint")
            return _Read(version=version, digest=digest, fault=fault)
        fault_ = self._place(checkpoint, size)
        return _Read(version=version, digest=digest, checkpoint=checkpoint, signers=note.signers, fault=fault_)

    def _place(self, checkpoint: Checkpoint, size: int) -> tuple[str, str] | None:
        """What is wrong with a checkpoint of another log, or of another size than its key's."""
        if checkpoint.origin != self.origin:
            return "wrong_place", f"A checkpoint of another log than {self.origin} lies here"
        if checkpoint.size == size:
            return None
        known = set(self._roots(checkpoint.size))
        if known and checkpoint.root not in known:
            return "fork", f"Two roots are signed for size {checkpoint.size}"
        return "wrong_place", f"The checkpoint of size {checkpoint.size} lies here"

    def _roots(self, size: int) -> Iterator[bytes]:
        """Those that are signed for a size, under its own key."""
        key = key_of(self._epoch, size)
        for version in self._source.versions(key):
            if version.key == key and not version.is_deletion and version.size <= LONGEST:
                try:
                    checkpoint = Checkpoint.parse(opened(self._source.read(version), self._keys).text)
                except (Misspelt, Unsigned, Forged):
                    continue
                if (checkpoint.origin, checkpoint.size) == (self.origin, size):
                    yield checkpoint.root

    def _find(self, code: str, what: str, key: str, *, last: int | None = None) -> None:
        first = None if last is None else 0
        self._findings.add(Finding(code=code, what=what, epoch=self._epoch, first=first, last=last, key=key))


def name_in(source: Source, keys: Keys, epochs: Sequence[int]) -> str | None:
    """What the log is called by the first checkpoint that a known key has signed."""
    for epoch in epochs:
        for version in source.versions(folder(epoch)):
            if version.is_deletion or version.size > LONGEST:
                continue
            try:
                origin = Checkpoint.parse(opened(source.read(version), keys).text).origin
            except (Misspelt, Unsigned, Forged):
                continue
            if origin.endswith(f"/{epoch}"):
                return origin.removesuffix(f"/{epoch}")
    return None


def folder(epoch: int) -> str:
    return f"{epoch}/checkpoints/"


def key_of(epoch: int, size: int) -> str:
    return f"{folder(epoch)}{size:020}"


def _size(text: str) -> int | None:
    return int(text) if len(text) == 20 and text.isascii() and text.isdigit() else None
