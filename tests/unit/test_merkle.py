"""The tree's hashes and proofs, beside RFC 6962's own recursive definitions and its known vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.merkle import (
    EMPTY,
    Edge,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root_of,
    span,
)

# The entries and roots that the test suites of Certificate Transparency's implementations have in common.
ENTRIES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]  # fmt: skip


def k_of(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = k_of(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """2.1.1."""
    if len(leaves) == 1:
        return []
    k = k_of(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: list[bytes], is_whole: bool = True) -> list[bytes]:
    """2.1.2."""
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = k_of(len(leaves))
    if m <= k:
        return [*proof(m, leaves[:k], is_whole), mth(leaves[k:])]
    return [*proof(m - k, leaves[k:], False), mth(leaves[:k])]


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_other_implementations(size: int) -> None:
    assert root_of(map(leaf_hash, ENTRIES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 511, 513])
def test_a_tree_that_grows_has_the_root_of_the_definition(size: int) -> None:
    leaves = leaves_of(size)
    edge = Edge()
    for leaf in leaves:
        edge.add(leaf)
    assert (edge.size, edge.root) == (size, mth(leaves))
    assert span(lambda start, end: mth(leaves[start:end]), 0, size) == mth(leaves)


def test_proofs_are_those_of_the_definition_for_every_tree_up_to_sixty_leaves() -> None:
    for size in range(1, 61):
        leaves = leaves_of(size)

        def subtree(start: int, end: int, leaves: list[bytes] = leaves) -> bytes:
            width = end - start
            assert width & (width - 1) == 0, "only perfect subtrees are asked for"
            assert start % width == 0
            return mth(leaves[start:end])

        for index in range(size):
            assert inclusion(subtree, index, size) == path(index, leaves), (index, size)
        for old in range(1, size + 1):
            assert consistency(subtree, old, size) == proof(old, leaves), (old, size)


@given(st.integers(1, 2**60), st.data())
def test_a_proof_has_as_many_hashes_as_the_tree_has_levels_and_no_more(size: int, data: st.DataObject) -> None:
    asked: list[int] = []

    def subtree(start: int, end: int) -> bytes:
        asked.append(end - start)
        return EMPTY

    index = data.draw(st.integers(0, size - 1))
    assert len(inclusion(subtree, index, size)) <= size.bit_length()
    assert len(asked) <= 2 * size.bit_length()
    old = data.draw(st.integers(1, size))
    assert len(consistency(subtree, old, size)) <= size.bit_length() + 1


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (4, 4)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion(lambda start, end: EMPTY, index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 2)])
def test_there_is_no_proof_that_a_tree_grew_out_of_one_that_it_cannot(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="has not grown"):
        consistency(lambda start, end: EMPTY, old, new)
