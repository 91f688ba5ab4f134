"""Proofs: all of small trees, the published ones, and every way in which each may be wrong."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.checkpoint import Checkpoint
from shared.ledger.entry import Entry
from shared.ledger.merkle import EMPTY, leaf_hash, node_hash
from shared.ledger.note import LocalSigner, sign
from tests.unit.test_entry import AT, EVENT
from tests.unit.test_merkle import ENTRIES, ROOTS, leaves_of, mth, path, proof
from verifier import claim
from verifier.note import PublicKey
from verifier.proof import extends, includes
from verifier.tree import Tree

LARGEST = 40


@cache
def root(size: int) -> bytes:
    return mth(leaves_of(size))


def test_in_small_trees_each_leaf_is_proved_at_its_index_and_in_its_tree_and_nowhere_else() -> None:
    for size in range(1, LARGEST + 1):
        leaves = leaves_of(size)
        for index in range(size):
            found = path(index, leaves)
            assert includes(leaf=leaves[index], index=index, size=size, path=found, root=root(size))
            for other in range(size + 2):
                is_right = other == index
                assert includes(leaf=leaves[index], index=other, size=size, path=found, root=root(size)) == is_right
                leaf = leaves_of(size + 2)[other]
                assert includes(leaf=leaf, index=index, size=size, path=found, root=root(size)) == is_right
            for other in range(LARGEST + 2):
                if other != size:
                    assert not includes(leaf=leaves[index], index=index, size=size, path=found, root=root(other))
                    assert not includes(leaf=leaves[index], index=index, size=other, path=found, root=root(other))


def test_a_proof_is_bound_to_the_shape_of_its_tree() -> None:
    """With another size and the same root it holds only where the way up is the same, side by side."""
    for size in range(1, LARGEST + 1):
        for index, other in itertools.product(range(size), range(LARGEST + 2)):
            is_same = index < other and sides(index, other) == sides(index, size)
            leaves = leaves_of(size)
            found = includes(leaf=leaves[index], index=index, size=other, path=path(index, leaves), root=root(size))
            assert found == is_same, (index, size, other)


def sides(index: int, size: int) -> list[bool]:
    """On which side of the way up its siblings stand."""
    if size == 1:
        return []
    k = 1 << (size - 1).bit_length() - 1
    return [*sides(index, k), False] if index < k else [*sides(index - k, size - k), True]


def test_in_small_trees_each_is_proved_to_be_the_beginning_of_each_larger_one_and_of_no_other() -> None:
    for new in range(1, LARGEST + 1):
        leaves = leaves_of(new)
        for old in range(1, new + 1):
            found = proof(old, leaves)
            assert extends(old_size=old, old_root=root(old), new_size=new, new_root=root(new), path=found)
            for other in range(LARGEST + 2):
                if other != old:
                    assert not extends(
                        old_size=other, old_root=root(other), new_size=new, new_root=root(new), path=found
                    )
                    assert not extends(old_size=old, old_root=root(other), new_size=new, new_root=root(new), path=found)
                if other != new:
                    assert not extends(
                        old_size=old, old_root=root(old), new_size=other, new_root=root(other), path=found
                    )
                    assert not extends(old_size=old, old_root=root(old), new_size=new, new_root=root(other), path=found)


def test_a_way_up_ends_at_the_root_also_where_somebody_built_a_root_above_it() -> None:
    above = sha256(b"above").digest()
    for size in range(1, 18):
        leaves = leaves_of(size)
        for index in range(size):
            way = [*path(index, leaves), above]
            for false in (node_hash(root(size), above), node_hash(above, root(size))):
                assert not includes(leaf=leaves[index], index=index, size=size, path=way, root=false)
        for old in range(1, size):
            way = [*proof(old, leaves), above]
            for one, other in itertools.product((root(old), node_hash(above, root(old))), (root(size),)):
                for new in (other, node_hash(other, above), node_hash(above, other)):
                    assert not extends(old_size=old, old_root=one, new_size=size, new_root=new, path=way)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_has_not_the_length_of_a_hash_proves_nothing_whatever_it_leads_to(length: int) -> None:
    short, whole = bytes(length), leaves_of(1)[0]
    assert not includes(leaf=short, index=0, size=1, path=[], root=short)
    assert not includes(leaf=short, index=0, size=2, path=[whole], root=node_hash(short, whole))
    assert not includes(leaf=whole, index=0, size=2, path=[short], root=node_hash(whole, short))
    assert not extends(old_size=1, old_root=short, new_size=2, new_root=node_hash(short, whole), path=[whole])
    assert not extends(old_size=1, old_root=whole, new_size=2, new_root=node_hash(whole, short), path=[short])
    assert not extends(old_size=3, old_root=short, new_size=3, new_root=short, path=[])


def test_an_empty_tree_shows_nothing() -> None:
    assert not includes(leaf=EMPTY, index=0, size=0, path=[], root=EMPTY)
    assert not extends(old_size=0, old_root=EMPTY, new_size=0, new_root=EMPTY, path=[])
    assert not extends(old_size=0, old_root=EMPTY, new_size=3, new_root=root(3), path=[])


# Those of Certificate Transparency's implementations, and variations of them -----------------------------------------


@dataclass(frozen=True, kw_only=True)
class Included:
    """What is claimed of a leaf."""

    leaf: bytes
    index: int
    size: int
    path: list[bytes]
    root: bytes

    @property
    def holds(self) -> bool:
        return includes(leaf=self.leaf, index=self.index, size=self.size, path=self.path, root=self.root)


@dataclass(frozen=True, kw_only=True)
class Extended:
    """What is claimed of two trees."""

    old_size: int
    old_root: bytes
    new_size: int
    new_root: bytes
    path: list[bytes]

    @property
    def holds(self) -> bool:
        return extends(
            old_size=self.old_size,
            old_root=self.old_root,
            new_size=self.new_size,
            new_root=self.new_root,
            path=self.path,
        )


PUBLISHED = [leaf_hash(entry) for entry in ENTRIES]
RANDOM = random.Random(9162)


def of(text: str) -> bytes:
    return base64.b64decode(text)


def test_the_published_proof_of_inclusion() -> None:
    assert Included(
        leaf=of("ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c="),
        index=2,
        size=3,
        path=[of("+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=")],
        root=of("rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc="),
    ).holds


def test_the_published_proof_of_consistency() -> None:
    assert Extended(
        old_size=2,
        old_root=of("+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
        new_size=5,
        new_root=of("Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="),
        path=[
            of("Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4="),
            of("vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="),
        ],
    ).holds


def included() -> Iterator[Included]:
    for size in range(1, 9):
        for index in range(size):
            way = path(index, PUBLISHED[:size])
            yield Included(leaf=PUBLISHED[index], index=index, size=size, path=way, root=bytes.fromhex(ROOTS[size]))


def extended() -> Iterator[Extended]:
    for new in range(1, 9):
        for old in range(1, new + 1):
            yield Extended(
                old_size=old,
                old_root=bytes.fromhex(ROOTS[old]),
                new_size=new,
                new_root=bytes.fromhex(ROOTS[new]),
                path=proof(old, PUBLISHED[:new]),
            )


def other_numbers(number: int) -> set[int]:
    return {number + 1, number - 1, number ^ 2, number * 2, number // 2, number + 256, -number, 0} - {number}


def other_hashes(hashed: bytes) -> list[bytes]:
    flipped = [hashed[:at] + bytes([hashed[at] ^ 1 << at % 8]) + hashed[at + 1 :] for at in range(32)]
    return [b"", RANDOM.randbytes(32), EMPTY, bytes(32), hashed[:31], hashed + b"\0", *flipped]


def other_paths(way: list[bytes], *roots: bytes) -> Iterator[list[bytes]]:
    """With one more, one less, one changed."""
    for at in range(len(way) + 1):
        for inserted in (b"", RANDOM.randbytes(32), b"garbage", *roots, *way):
            yield [*way[:at], inserted, *way[at:]]
    for at in range(len(way)):
        yield [*way[:at], *way[at + 1 :]]
        for changed in other_hashes(way[at]):
            yield [*way[:at], changed, *way[at + 1 :]]
    yield from ([] for _ in way[:1])
    yield from (way[::-1] for _ in way[1:2])


@pytest.mark.parametrize("claimed", list(included()), ids=lambda each: f"{each.index} of {each.size}")
def test_a_published_leaf_is_included_and_nothing_like_it(claimed: Included) -> None:
    assert claimed.holds
    for index in other_numbers(claimed.index):
        assert not replace(claimed, index=index).holds
    for size in other_numbers(claimed.size):
        other = bytes.fromhex(ROOTS[size]) if 0 <= size < 9 else claimed.root
        assert not replace(claimed, size=size, root=other).holds
    for hashed in other_hashes(claimed.root):
        assert not replace(claimed, root=hashed).holds
    for hashed in other_hashes(claimed.leaf):
        assert not replace(claimed, leaf=hashed).holds
    for way in other_paths(claimed.path, claimed.root, claimed.leaf):
        assert not replace(claimed, path=way).holds


@pytest.mark.parametrize("claimed", list(extended()), ids=lambda each: f"{each.old_size} to {each.new_size}")
def test_a_published_tree_is_the_beginning_of_another_and_nothing_like_it(claimed: Extended) -> None:
    assert claimed.holds
    for size in other_numbers(claimed.old_size) - {claimed.new_size}:
        assert not replace(claimed, old_size=size).holds
    for size in other_numbers(claimed.new_size):
        other = bytes.fromhex(ROOTS[size]) if 0 <= size < 9 else claimed.new_root
        assert not replace(claimed, new_size=size, new_root=other).holds
    for hashed in other_hashes(claimed.old_root):
        assert not replace(claimed, old_root=hashed).holds
    for hashed in other_hashes(claimed.new_root):
        assert not replace(claimed, new_root=hashed).holds
    for way in other_paths(claimed.path, claimed.old_root, claimed.new_root):
        assert not replace(claimed, path=way).holds
    if claimed.old_size < claimed.new_size:
        assert not replace(claimed, old_root=claimed.new_root, new_root=claimed.old_root).holds
        assert not replace(claimed, old_size=claimed.new_size, new_size=claimed.old_size).holds


@given(st.integers(1, 1100), st.lists(st.integers(1, 700), max_size=8))
def test_a_tree_that_grows_by_pieces_has_the_root_of_the_whole(start: int, pieces: list[int]) -> None:
    leaves, tree = leaves_of(start + sum(pieces)), Tree()
    tree.extend(leaves[:start])
    for piece in pieces:
        end = tree.size + piece
        while tree.size < end:  # as bundles are: never over the edge of one
            tree.extend(leaves[tree.size : min(end, (tree.size // 256 + 1) * 256)])
    assert tree.root == mth(leaves)
    tree.extend(leaves_of(256))  # a bundle's worth, and no bundle
    assert tree.root == mth([*leaves, *leaves_of(256)])


def test_a_copy_of_a_tree_grows_by_itself() -> None:
    leaves, tree = leaves_of(7), Tree()
    tree.extend(leaves)
    copied = tree.copy()
    copied.extend(leaves[:1])
    assert (tree.size, tree.root) == (len(leaves), mth(leaves))


# The text ------------------------------------------------------------------------------------------------------------

SIGNER = LocalSigner("shop-ledger", bytes(range(32)))
KEY = PublicKey.parse(str(SIGNER.public))
BODY = Entry(event=EVENT, kind="record.made", writer="gdpr_audit", at=AT, said={}).body
INDEX, SIZE = 5, 13
LEAVES = [*leaves_of(INDEX), leaf_hash(BODY), *leaves_of(SIZE - INDEX - 1)]


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def note_of(size: int, hashed: bytes, origin: str = "shop-ledger/1") -> str:
    return sign(Checkpoint(origin=origin, size=size, root=hashed).text, [SIGNER])


NOTE = note_of(SIZE, mth(LEAVES))
HASHES = [encoded(each) for each in path(INDEX, LEAVES)]


def text(
    first: str = "c2sp.org/tlog-proof@v1",
    extra: str = "",
    index: str = f"index {INDEX}",
    hashes: list[str] = HASHES,
    note: str = NOTE,
) -> bytes:
    return ("\n".join([first, *([extra] if extra else []), index, *hashes]) + "\n\n" + note).encode()


def code(proof_text: bytes, entry: bytes = BODY, name: str | None = None) -> str | None:
    found = claim.verify(proof_text, entry, [KEY], name=name)
    assert found.holds == (not found.findings)
    assert len(found.findings) <= 1
    return found.findings[0].code if found.findings else None


def test_a_proof_says_which_entry_it_is_and_who_signed() -> None:
    found = claim.verify(text(), BODY, [KEY])
    assert found.holds
    assert (found.index, found.kind, found.at, found.signers) == (5, "record.made", "2026-11-20T09:30:00.123Z", (KEY,))
    assert found.checkpoint
    assert (found.checkpoint.origin, found.checkpoint.size) == ("shop-ledger/1", 13)


def test_what_is_extra_is_passed_over_and_believed_by_nobody() -> None:
    assert code(text(extra="extra aGVsbG8=")) is None


def test_the_only_entry_of_a_log_has_an_empty_way() -> None:
    assert code(text(index="index 0", hashes=[], note=note_of(1, leaf_hash(BODY)))) is None


def test_a_proof_of_another_entry_another_index_or_another_tree_is_wrong() -> None:
    assert code(text(), BODY[:-1]) == "proof_wrong"
    assert code(text(), BODY + b"\n") == "proof_wrong"
    for index in (*range(INDEX), *range(INDEX + 1, SIZE + 2), 2**62):
        assert code(text(index=f"index {index}")) == "proof_wrong"
    for size in (*range(1, SIZE), *range(SIZE + 1, 40)):
        assert code(text(note=note_of(size, mth(leaves_of(size))))) == "proof_wrong"
    for size in (0, INDEX, 2**62):
        assert code(text(note=note_of(size, mth(LEAVES)))) == "proof_wrong"


def test_a_bit_of_a_proof_that_is_changed_anywhere_shows() -> None:
    whole = text()
    note_starts = whole.index(b"\n\n") + 2
    for at in range(len(whole)):
        for bit in range(8):
            changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            expected = {"proof_malformed", "proof_wrong"}
            if at >= note_starts:
                expected |= {"checkpoint_forged", "nothing_signed"}
            assert code(changed) in expected, (at, bit)


def test_a_way_up_that_is_too_long_or_too_short_is_wrong() -> None:
    for way in (HASHES[:-1], HASHES[1:], [], [*HASHES, HASHES[0]], [HASHES[0], *HASHES], HASHES[::-1]):
        assert code(text(hashes=way)) == "proof_wrong"
    assert code(text(hashes=[*HASHES, encoded(mth(LEAVES))])) == "proof_wrong"


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"\n\n",
        text(first="c2sp.org/tlog-proof@v2"),
        text(first="c2sp.org/tlog-proof@v1 "),
        text(first=""),
        b"\xef\xbb\xbf" + text(),
        text(extra="extra "),
        text(extra="extra aGVsbG8"),
        text(extra="extra aGVsbG9="),
        text(extra="extra aGVsbG8=\nextra aGVsbG8="),
        text(extra="Extra aGVsbG8="),
        *(text(index=f"index {number}") for number in ("", "+5", "-5", "05", " 5", "5 ", "5.0", "٥", "0x5", "9" * 20)),  # noqa: RUF001
        text(index="5"),
        text(index="INDEX 5"),
        text(index="index 5\nindex 5"),
        text(index="index\t5"),
        text(hashes=[encoded(bytes(31)), *HASHES[1:]]),
        text(hashes=[encoded(bytes(33)), *HASHES[1:]]),
        text(hashes=[HASHES[0].rstrip("="), *HASHES[1:]]),
        text(hashes=[HASHES[0] + " ", *HASHES[1:]]),
        text(hashes=[HASHES[0][:-2] + chr(ord(HASHES[0][-2]) + 1) + "=", *HASHES[1:]]),
        text(hashes=[HASHES[0] + HASHES[1], *HASHES[2:]]),
        text(hashes=HASHES * 20),
        text().replace(b"\n", b"\r\n"),
        text().replace(b"index", b"in\0dex"),
        text()[:-1],
        text() + b"\n",
        text() + b"trailing\n",
        text() + b"\xff",
        text(note=""),
        text().replace(b"\n\n", b"\n", 1),
        text() + b" " * 2_000_000,
    ],
)
def test_a_proof_is_written_in_one_way(malformed: bytes) -> None:
    assert code(malformed) == "proof_malformed"


def test_the_first_empty_line_ends_the_way_up() -> None:
    """What follows it is all of the note, and was not signed so."""
    assert code(text(hashes=["", *HASHES])) == "checkpoint_forged"
    assert code(text(note="\n" + NOTE)) == "checkpoint_forged"


def test_a_checkpoint_that_is_not_signed_by_a_known_key_proves_nothing() -> None:
    other = LocalSigner("shop-ledger", bytes(32))
    checkpoint = Checkpoint(origin="shop-ledger/1", size=SIZE, root=mth(LEAVES)).text
    assert code(text(note=sign(checkpoint, [other]))) == "nothing_signed"
    forged = NOTE.rpartition(" ")[0] + " " + encoded(KEY.id + bytes(64)) + "\n"
    assert code(text(note=forged)) == "checkpoint_forged"


def test_a_proof_of_another_log_is_told_from_ours() -> None:
    assert code(text(), name="shop-ledger") is None
    assert code(text(), name="another") == "wrong_place"
    assert code(text(), name="shop-ledger/1") == "wrong_place"


def test_what_is_in_the_log_and_is_no_entry_is_told() -> None:
    note = note_of(1, leaf_hash(b"anything"))
    assert code(text(index="index 0", hashes=[], note=note), b"anything") == "entry_malformed"
