"""Proofs about a Merkle tree, verified step by step as RFC 9162 describes, and their text (c2sp.org/tlog-proof)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from shared.ledger.merkle import node_hash
from verifier.spelling import HASH_SIZE, Misspelt, hash_of, number, text_of, unencoded

LONGEST = 1024 * 1024  # bytes of a proof's text
_MOST_HASHES = 63  # on the way up, in the largest tree whose size can be written
_FIRST_LINE = "c2sp.org/tlog-proof@v1"


def includes(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf with this hash stands at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *path):
        return False
    node, last, hashed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == root


def extends(*, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the old tree is the beginning of the new one (RFC 9162, 2.1.4.2). An empty tree shows nothing."""
    if not 0 < old_size <= new_size or not _are_hashes(old_root, new_root, *path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    return bool(path) and _leads_to_both(hashes, old_size, old_root, new_size, new_root)


def _leads_to_both(hashes: list[bytes], old_size: int, old_root: bytes, new_size: int, new_root: bytes) -> bool:
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(each) == HASH_SIZE for each in hashes)


@dataclass(frozen=True, kw_only=True)
class TlogProof:
    """That an entry is in the log, with the checkpoint that it is proved against. None of it is believed yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes  # a signed note, as it was published

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        if len(raw) > LONGEST:
            raise Misspelt("this is too long for a proof")
        head, blank, checkpoint = text_of(raw).partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != _FIRST_LINE:
            raise Misspelt(f"a proof begins with {_FIRST_LINE} and has an empty line before its checkpoint")
        if lines and lines[0].startswith("extra ") and not unencoded(lines.pop(0).removeprefix("extra ")):
            raise Misspelt("a proof with nothing extra has no line for it")
        if not lines or not lines[0].startswith("index "):
            raise Misspelt("a proof has a line for its index")
        path = tuple(map(hash_of, lines[1:]))
        if len(path) > _MOST_HASHES:
            raise Misspelt("a proof has more hashes than any tree has levels")
        return cls(index=number(lines[0].removeprefix("index ")), path=path, checkpoint=checkpoint.encode())
