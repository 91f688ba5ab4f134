"""A checkpoint of C2SP: what the tree was at a size, in three lines that are signed as a note."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from shared.ledger.merkle import SIZE
from shared.ledger.note import NoteInvalid, PublicKey, open_note

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    origin: str  # which log, and which of its lives: a restored database may have to begin another
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()  # lines behind the three, on which no other tool relies

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() != "" or not all(lines) or not _NUMBER.fullmatch(lines[1]):
            raise NoteInvalid("a checkpoint has three lines: origin, size and root")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except binascii.Error:
            root = b""
        if len(root) != SIZE or base64.b64encode(root).decode() != lines[2]:
            raise NoteInvalid("the root of a checkpoint is no hash in base64")
        return cls(origin=lines[0], size=int(lines[1]), root=root, extensions=tuple(lines[3:]))

    @classmethod
    def open(cls, note: str, keys: Collection[PublicKey], *, origin: str) -> Self:
        """What a note says that one of these keys has signed, of the log of this name."""
        checkpoint = cls.parse(open_note(note, keys))
        if checkpoint.origin != origin:
            raise NoteInvalid(f"this is a checkpoint of another log than {origin}")
        return checkpoint
