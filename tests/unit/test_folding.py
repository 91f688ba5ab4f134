"""Long statements in short lines: broken where a blank is, and the same otherwise."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gdpr.folding import folded

WORDS = st.sampled_from(
    [
        "select",
        "t.a,",
        "and",
        "or",
        "(",
        ")",
        "case",
        "end",
        "'a text, and  more'",
        '"a  name"',
        "E'it\\' s, and'",
        "''",
    ]
)


def parts(statement: str) -> list[str]:
    """Names, texts and the rest, without the blanks between them."""
    return re.findall(r"""E'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*"|\S+?(?=['"\s]|$)""", statement)


@given(st.lists(WORDS, min_size=1, max_size=120), st.integers(0, 8))
def test_what_is_said_stays_the_same_and_only_what_has_no_blank_is_longer(words: list[str], indent: int) -> None:
    statement = " " * indent + " ".join(words)
    found = folded(statement)
    assert parts(found) == parts(statement)
    assert max(map(len, found.split("\n"))) <= 119


@given(st.text(alphabet="ab \n", min_size=150, max_size=200))
def test_a_text_and_a_name_stay_whole(content: str) -> None:
    for statement in (f"select '{content}', \"{content}\" from t", f"select E'{content}\\'', 1 from t"):
        for each in (f"'{content}", f'"{content}"'):
            assert (each in statement) == (each in folded(statement))


def test_it_breaks_outside_of_parentheses_before_a_word_that_joins() -> None:
    inner = " ".join(["t.one = p.two"] * 3)
    assert folded(f"where ({inner}) and ({inner} and {inner})") == f"where ({inner})\n    and ({inner} and {inner})"


def test_a_remark_ends_with_its_line_and_is_left_alone() -> None:
    statement = f"select 1 -- {'a remark ' * 30}\nfrom t"
    assert folded(statement) == statement


def test_a_word_that_does_not_fit_goes_on_the_next_line_however_early_that_is() -> None:
    long = "".join(f"some_function_{number}(" for number in range(6)) + "x" + ")" * 6
    found = folded(f"select case when a = {long} then b else {long} end")
    assert max(map(len, found.splitlines())) <= 120
