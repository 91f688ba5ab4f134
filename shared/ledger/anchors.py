"""The checkpoints that lie outside, each under its size, where nobody here can change them: they show a fork."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from shared.bucket import Bucket, TooLargeError, Version
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.note import NoteInvalid, PublicKey

_LONGEST = 16 * 1024  # bytes of what may be a checkpoint: with all its signatures, a fraction of it


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A checkpoint that one of our keys has signed, as it lies outside."""

    checkpoint: Checkpoint
    note: str
    version: str
    at: datetime  # by the clock of whoever keeps it
    is_hidden: bool  # somebody deleted it: a mark of deletion lies over it

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def digest(self) -> str:
        return sha256(self.note.encode()).hexdigest()


class Anchors:
    """Those of one log, in one of its epochs."""

    def __init__(self, bucket: Bucket, *, name: str, epoch: int, keys: Collection[PublicKey]) -> None:
        self.bucket = bucket
        self.name = name
        self.epoch = epoch
        self.origin = f"{name}/{epoch}"
        self.keys = keys
        self._prefix = f"{epoch}/checkpoints/"

    @property
    def where(self) -> str:
        return self.bucket.where

    def of(self, epoch: int) -> Anchors:
        """Those of another epoch."""
        return Anchors(self.bucket, name=self.name, epoch=epoch, keys=self.keys)

    def among(self, keys: Collection[PublicKey]) -> Anchors:
        """Those that some keys have signed."""
        return Anchors(self.bucket, name=self.name, epoch=self.epoch, keys=keys)

    @property
    def following(self) -> Anchors:
        """Those of the next epoch."""
        return self.of(self.epoch + 1)

    @property
    def is_begun(self) -> bool:
        """Whether a key of ours has signed anything in this epoch."""
        versions = (version for version in self._versions(0) if not version.is_deletion)
        return any(True for version in versions for _ in self._read(version, is_hidden=False))

    @property
    def newest(self) -> Anchor | None:
        versions = [version for version in self._versions(0) if not version.is_deletion]
        return next((anchor for version in reversed(versions) for anchor in self._read(version, is_hidden=False)), None)

    def key(self, size: int) -> str:
        return f"{self._prefix}{size:020}"

    def since(self, size: int) -> list[Anchor]:
        """Those of this size and larger ones, in their order. What no key of ours has signed is passed over."""
        hidden: set[str] = set()
        found: list[Anchor] = []
        for version in self._versions(size):
            if version.is_deletion:
                hidden.add(version.key)
            else:
                found += self._read(version, is_hidden=version.key in hidden)
        return found

    def _versions(self, size: int) -> Iterator[Version]:
        """A listing begins behind a key that is there, so that of the first size is listed by itself."""
        if size:
            yield from self.bucket.versions(self.key(size))
        yield from self.bucket.versions(self._prefix, after=self.key(size) if size else "")

    def _read(self, version: Version, *, is_hidden: bool) -> Iterator[Anchor]:
        with contextlib.suppress(NoteInvalid, UnicodeDecodeError, TooLargeError):
            note = (self.bucket.get(version.key, version=version.id or None, most=_LONGEST) or b"").decode()
            checkpoint = Checkpoint.open(note, self.keys, origin=self.origin)
            if self.key(checkpoint.size) == version.key:
                yield Anchor(checkpoint=checkpoint, note=note, version=version.id, at=version.at, is_hidden=is_hidden)

    def first(self, size: int) -> Anchor | None:
        """Of all that was ever put under the key of a size, the first that a key of ours has signed."""
        versions = [version for version in self.bucket.versions(self.key(size)) if not version.is_deletion]
        for version in reversed(versions):
            for anchor in self._read(version, is_hidden=False):
                return anchor
        return None

    def read(self, size: int) -> str | None:
        """Whatever lies under the key of this size."""
        try:
            raw = self.bucket.get(self.key(size), most=_LONGEST)
        except TooLargeError:
            return ""
        return None if raw is None else raw.decode(errors="replace")
