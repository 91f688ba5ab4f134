"""The tree as the verifier grows it: nothing but the perfect trees at its edge, however many leaves have gone by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from shared.ledger.merkle import EMPTY, node_hash
from verifier.bundle import FULL


class Tree:
    """Perfect trees whose sizes are the powers of two that `size` is made of, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    def copy(self) -> Self:
        return type(self)(self.size, self._peaks)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """More leaves, given as their hashes; those of a whole bundle at once, which takes half the time."""
        if len(leaves) == FULL and self.size % FULL == 0:
            self._push(_folded(leaves), FULL)
        else:
            for leaf in leaves:
                self._push(leaf, 1)

    def _push(self, root: bytes, size: int) -> None:
        """A perfect tree of this size, which the whole is a multiple of."""
        whole = self.size // size
        while whole & 1:
            root = node_hash(self._peaks.pop(), root)
            whole >>= 1
        self._peaks.append(root)
        self.size += size

    @property
    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        *others, root = self._peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def _folded(nodes: Sequence[bytes]) -> bytes:
    """The root of a perfect tree."""
    while len(nodes) > 1:
        nodes = list(map(node_hash, nodes[::2], nodes[1::2]))
    return nodes[0]
