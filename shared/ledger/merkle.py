"""The Merkle tree of RFC 6962: its hashes, and the two proofs that are made of them.

Hashing is all that whoever writes the ledger and whoever verifies it have in common (verifier/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

EMPTY = sha256(b"").digest()
SIZE = 32  # bytes of a hash

# Of the leaves from the first up to the second, where they are a perfect subtree: 2^k of them, from a multiple of 2^k.
Subtree = Callable[[int, int], bytes]


def leaf_hash(body: bytes) -> bytes:
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Edge:
    """A tree that grows at its right edge: the roots of the perfect trees that it consists of, and nothing else."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # the largest first

    def add(self, leaf: bytes) -> None:
        """One more leaf, given as its hash."""
        hashed, whole = leaf, self.size
        while whole % 2:
            hashed = node_hash(self._peaks.pop(), hashed)
            whole //= 2
        self._peaks.append(hashed)
        self.size += 1

    @classmethod
    def of(cls, subtree: Subtree, size: int) -> Edge:
        """That of a tree of this size."""
        edge, start = cls(), 0
        while start < size:
            end = start + (1 << (size - start).bit_length() - 1)
            edge._peaks.append(subtree(start, end))
            start = end
        edge.size = size
        return edge

    @property
    def peaks(self) -> list[bytes]:
        """The roots of its perfect trees, the largest first."""
        return list(self._peaks)

    @property
    def root(self) -> bytes:
        return root_of_peaks(self._peaks)


def root_of_peaks(peaks: list[bytes]) -> bytes:
    """Of the tree that consists of these perfect ones, the largest first."""
    if not peaks:
        return EMPTY
    *others, hashed = peaks
    for peak in reversed(others):
        hashed = node_hash(peak, hashed)
    return hashed


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Of a tree of leaves that are given as their hashes: level by level, which is faster than leaf by leaf."""
    nodes = list(leaves)
    if not nodes:
        return EMPTY
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        parents = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        nodes = parents + nodes[len(nodes) - 1 :] if len(nodes) % 2 else parents
    return nodes[0]


def span(subtree: Subtree, start: int, end: int) -> bytes:
    """The hash of the leaves from `start` up to `end`, where `start` is where RFC 6962 would split a tree."""
    if start == end:
        return EMPTY
    size = end - start
    if size & (size - 1) == 0:
        return subtree(start, end)
    middle = start + _split(size)
    return node_hash(subtree(start, middle), span(subtree, middle, end))


def inclusion(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """That the leaf at `index` is in the tree of this size: its siblings on the way up."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(span(subtree, middle, end))
            end = middle
        else:
            path.append(span(subtree, start, middle))
            start = middle
    return path[::-1]


def consistency(subtree: Subtree, old: int, new: int) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the one of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves has not grown out of one of {old}")
    path: list[bytes] = []
    start, end, is_known = 0, new, True  # the old root is known to whoever asks
    while old - start != end - start:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(span(subtree, middle, end))
            end = middle
        else:
            path.append(span(subtree, start, middle))
            start, is_known = middle, False
    return ([] if is_known else [span(subtree, start, end)]) + path[::-1]


def _split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return int(1 << (size - 1).bit_length() - 1)
