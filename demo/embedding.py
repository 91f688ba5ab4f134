"""An embedding without a model: words and pieces of words, hashed into 384 dimensions.

Texts with the same words are neighbours, texts with related ones come near. The pieces matter for another reason,
too: texts that share nothing at all would lie at right angles, and a graph index finds no way among such.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from zlib import crc32

DIMENSIONS = 384

_WORD = re.compile(r"\w+")


def embed(text: str) -> list[float]:
    """A vector of length one, the same on every machine: all sums are of whole numbers, so their order is nothing."""
    counts = [0] * DIMENSIONS
    for word in _WORD.findall(text.casefold()):
        for dimension, weight in _features(word):
            counts[dimension] += weight
    length = math.sqrt(sum([count * count for count in counts])) or 1.0
    return [count / length for count in counts]


@lru_cache(maxsize=10_000)
def _features(word: str) -> list[tuple[int, int]]:
    """Where a word counts, and how much: itself in proportion to its length, its pieces of three letters once."""
    framed = f"<{word}>"
    pieces = [framed[start : start + 3] for start in range(len(framed) - 2)]
    return [
        (crc32(word.encode()) % DIMENSIONS, len(word)),
        *((crc32(piece.encode()) % DIMENSIONS, 1) for piece in pieces),
    ]


def as_vector(embedding: list[float]) -> str:
    """The text that Postgres reads as a vector."""
    spelled = {value: f"{value:.6g}" for value in set(embedding)}  # few differ
    return "[" + ",".join([spelled[value] for value in embedding]) + "]"
