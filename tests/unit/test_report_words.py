"""The words of reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.audit_logging.reports import words
from functions.audit_logging.reports.words import category, days_left, period, share, term


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_is_whole_only_where_it_is(part: int, more: int) -> None:
    whole = part + more
    number = int(share(part, whole).split("\N{NO-BREAK SPACE}")[0])
    assert 0 <= number < 100
    assert (number == 0) == (part == 0)
    assert abs(number - 100 * part / whole) <= 1
    assert share(whole, whole).startswith("100")


def test_of_nothing_there_is_no_share() -> None:
    assert share(0, 0) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("text", "words"),
    [("P10Y", "10 years"), ("P1Y6M", "1 year and 6 months"), ("PT30S", "30 seconds"), ("PT1M", "1 minute"),
     ("P1Y2M3D", "1 year, 2 months and 3 days"), ("P2W", "2 weeks"), ("x", "x")],
)  # fmt: skip
def test_a_period_is_told_in_words(text: str, words: str) -> None:
    assert period(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("A6-1-b", "Art. 6(1)(b), a contract"), ("eu-gdpr:A6-1-f", "Art. 6(1)(f), legitimate interests"),
     ("https://w3id.org/dpv/legal/eu/gdpr#A6-1-c", "Art. 6(1)(c), a legal obligation"), ("A9-2-a", "Art. 9(2)(a)"),
     ("A6-1-a-explicit-consent", "Art. 6(1)(a), explicit consent"), ("A45-3", "Art. 45(3)"),
     ("LegalCompliance", "Legal compliance"), ("dpv:AccountManagement", "Account management"),
     ("ITServiceProvision", "IT service provision"), ("Sales / CRM: all", "Sales / CRM: all"),
     ("our shop", "our shop")],
)  # fmt: skip
def test_a_term_of_the_vocabulary_is_told_in_words(text: str, words: str) -> None:
    assert term(text) == words


def test_a_category_is_told_with_what_it_is_one_of() -> None:
    assert category("user.contact.address.street") == ("Contact", "address street")
    assert category("user.financial") == ("Financial", "")
    assert category("system.operations") == ("System", "operations")
    assert category("user") == ("User", "")


def test_days_left_are_counted_to_the_last_day() -> None:
    assert [days_left(number) for number in (-2, -1, 0, 1, 2)] == [
        "2 days over",
        "1 day over",
        "today",
        "1 day",
        "2 days",
    ]


def test_a_code_that_is_not_known_is_told_as_it_is() -> None:
    assert words.status("on_the_moon") == "on the moon"
    assert words.reason("whim") == ("whim", "")
    assert words.reason("no_ground")[1] == "Art. 17(1)"
