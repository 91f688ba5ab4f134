"""The text of a checkpoint (c2sp.org/tlog-checkpoint): which log, how many entries, and the root over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from verifier.spelling import Misspelt, hash_of, number


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Three lines, and others that nobody is to rely on; none of them empty."""
        *lines, end = text.split("\n")
        if end or len(lines) < 3 or not all(lines):
            raise Misspelt("a checkpoint has three lines: origin, size and root")
        return cls(origin=lines[0], size=number(lines[1]), root=hash_of(lines[2]))
