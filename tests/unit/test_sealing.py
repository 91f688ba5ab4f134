"""Seals and names of people: what they keep apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import Seal, SealBroken, mark, person_id, subject_ref

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
REQUEST = "erase 5d3c1c5e-0000-4000-8000-000000000001"
NAMED = st.dictionaries(st.text(max_size=5), st.text(max_size=8), min_size=1, max_size=3)


@given(NAMED)
def test_what_was_sealed_is_opened(said: dict[str, str]) -> None:
    assert Seal([KEY]).open(Seal([KEY]).close(said, about=REQUEST), about=REQUEST) == said


def test_a_seal_opens_for_its_request_and_its_key_alone() -> None:
    sealed = Seal([KEY]).close({"id": "42"}, about=REQUEST)
    assert b"42" not in sealed
    with pytest.raises(SealBroken):
        Seal([KEY]).open(sealed, about=REQUEST.replace("erase", "export"))
    with pytest.raises(SealBroken, match="put back the key"):
        Seal([OTHER]).open(sealed, about=REQUEST)
    assert Seal([OTHER, KEY]).open(sealed, about=REQUEST) == {"id": "42"}


@pytest.mark.parametrize("place", [0, 10, 30, -1])
def test_a_seal_that_was_touched_does_not_open(place: int) -> None:
    sealed = bytearray(Seal([KEY]).close({"id": "42"}, about=REQUEST))
    sealed[place] ^= 1
    with pytest.raises(SealBroken):
        Seal([KEY]).open(bytes(sealed), about=REQUEST)
    with pytest.raises(SealBroken):
        Seal([KEY]).open(b"", about=REQUEST)


def test_the_same_is_sealed_otherwise_each_time() -> None:
    seal = Seal([KEY])
    assert seal.close({"id": "42"}, about=REQUEST) != seal.close({"id": "42"}, about=REQUEST)


@given(st.lists(st.tuples(st.text(max_size=3), NAMED), min_size=2, max_size=2))
def test_two_people_have_two_ids(people: list[tuple[str, dict[str, str]]]) -> None:
    (kind, named), (other_kind, other) = people
    same = (kind, named) == (other_kind, other)
    assert (person_id(KEY, kind=kind, named=named) == person_id(KEY, kind=other_kind, named=other)) is same


def test_an_id_does_not_hang_on_the_order_and_hangs_on_the_key() -> None:
    one = person_id(KEY, kind="person", named={"tenant_id": "1", "id": "2"})
    assert one == person_id(KEY, kind="person", named={"id": "2", "tenant_id": "1"})
    assert one != person_id(KEY, kind="person", named={"tenant_id": "2", "id": "1"})
    assert one != person_id(OTHER, kind="person", named={"tenant_id": "1", "id": "2"})


def test_each_use_of_a_key_is_another() -> None:
    said: Any = ["person", {"id": "1"}]
    person = person_id(KEY, kind="person", named={"id": "1"})
    assert len({person, mark(KEY, said), bytes.fromhex(subject_ref(KEY, person=person))}) == 3
