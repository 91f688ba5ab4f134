"""The `when` of a link: what is written is what is read, and nothing but comparisons is ever read."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datamap.condition import Comparison, Condition, Constant
from datamap.names import NotAName, Place
from tests.unit.test_map_names import HOSTILE, KEYS

TEXTS = st.text(st.characters(exclude_characters="\0\1\2", exclude_categories=["Cs"]), max_size=12)
CONSTANTS: st.SearchStrategy[Constant] = st.one_of(
    TEXTS | st.sampled_from(["' and b = '", "''", "x) or (true", "is null"]),
    st.integers(-(10**30), 10**30),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
)
_NAMES = HOSTILE.filter(lambda name: not set(name) & {"\1", "\2"})
_KEYS = KEYS.filter(lambda key: not set(key) & {"\1", "\2"})
SINGLE = st.builds(lambda name, keys: Place((name,), keys), _NAMES, st.lists(_KEYS, max_size=2).map(tuple))
COMPARISONS = st.one_of(
    st.builds(Comparison, SINGLE, st.sampled_from(["is null", "is not null"])),
    st.builds(lambda p, o, v: Comparison(p, o, (v,)), SINGLE, st.sampled_from(["=", "<>"]), CONSTANTS),
    st.builds(
        Comparison, SINGLE, st.sampled_from(["in", "not in"]), st.lists(CONSTANTS, min_size=1, max_size=3).map(tuple)
    ),
)


@given(st.lists(COMPARISONS, min_size=1, max_size=3).map(tuple).map(Condition))
@example(Condition((Comparison(Place(("and",)), "=", (" and ",)), Comparison(Place(("a is null",)), "is null"))))
@example(Condition((Comparison(Place(("x not",)), "in", (1,)), Comparison(Place(("üis",)), "is null"))))
@example(Condition((Comparison(Place(("a",)), "=", (1e-7,)), Comparison(Place(("a",)), "=", (1e15,)))))
def test_a_condition_reads_as_it_was_written(condition: Condition) -> None:
    read = Condition.parse(str(condition))
    assert read == condition
    assert [list(map(type, c.values)) for c in read.comparisons] == [
        list(map(type, c.values)) for c in condition.comparisons
    ]


@given(st.text(max_size=40) | st.text("a ='is nulnotin(),and\"1.", max_size=40))
def test_no_text_is_more_than_not_a_condition(text: str) -> None:
    try:
        assert Condition.parse(text).comparisons
    except NotAName as error:
        assert str(error)  # noqa: PT017 - either of the two is right


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("author_type = 'User' and deleted_at is null", "author_type = 'User' and deleted_at is null"),
        ("kind IN ('a','b')", "kind in ('a', 'b')"),
        ("a != 1 AND b  not   in (1, 2.50)", "a <> 1 and b not in (1, 2.5)"),
        ("payload->>'and' = 'x'and ok<>TRUE", "payload->>'and' = 'x' and ok <> true"),
        ("name = 'Rock and Roll' and x is not null", "name = 'Rock and Roll' and x is not null"),
        ("owner = 'and'", "owner = 'and'"),
    ],
)
def test_comparisons_are_joined_by_and(text: str, shown: str) -> None:
    assert str(Condition.parse(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "a = 1 and", "and a = 1", "a = 1 and and b = 2", "a = 'x' or b = 1", "a = b", "a = User", "a in ()",
        "a in (1", "a > 1", "a, b = 1", "tags[] = 'x'", "a = 1; drop table x", "a = 'x", "a = now()", "a = 1e5",
        "a is nul", "a = 1.2.3", "a = 0.1000000000000000000000001", f"a = {'9' * 5000}", "a = '\1'",
    ],
)  # fmt: skip
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(NotAName):
        Condition.parse(text)
