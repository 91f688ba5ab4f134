"""What values look like to discovery."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.discover import shapes


@pytest.mark.parametrize("text", ["a@b.example", "A.b+c@d-e.co.uk"])
def test_an_address_is_one(text: str) -> None:
    assert shapes.is_email(text)


@pytest.mark.parametrize("text", ["a@b", "@b.example", "a b@c.example", "x", "mailto:<a@b.example>"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert not shapes.is_email(text)


@pytest.mark.parametrize("text", ["+44 20 7946 0004", "0170/1234567", "(030) 123-456-7"])
def test_a_telephone_number_is_one(text: str) -> None:
    assert shapes.is_phone(text)


@pytest.mark.parametrize("text", ["2025-00002", "2025/0017", "1999.04711"])
def test_the_number_of_a_document_of_a_year_is_no_telephone(text: str) -> None:
    assert not shapes.is_phone(text)


@pytest.mark.parametrize("text", ["1234", "20260101", "12345678901234567890", "abc"])
def test_a_plain_number_is_no_telephone(text: str) -> None:
    assert not shapes.is_phone(text)


def test_small_numbers_are_not_distinctive_and_uuids_are() -> None:
    assert not shapes.are_distinctive({"1", "2", "12", "40000"})
    assert shapes.are_distinctive({"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"})
    assert not shapes.are_distinctive(set())


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_the_elements_of_an_array_are_those_that_were_put_in(elements: list[str]) -> None:
    written = "{" + ",".join('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in elements) + "}"
    assert shapes.elements(written) == [each for each in elements if each != "NULL"]


def test_what_is_no_document_is_none() -> None:
    assert shapes.document("{") is None
    assert shapes.document("x") is None
    assert shapes.document("[1]") == [1]
