"""Values that the database would refuse, as far as a catalogue tells without a server."""

from __future__ import annotations

import pytest

from tests.unit.test_check_tables import check, codes, faults, index, reference, table


def told(facts: str, erase: str, *, expression: str | None = None, unique: str | None = None) -> set[str]:
    constraints = [reference("user_id", "users"), *([check("v", expression)] if expression else [])]
    indexes = [index("i", "user_id"), *([index("k", unique, unique=True)] if unique else [])]
    columns = f"id bigint not null, user_id bigint, v {facts}, w text"
    known = table("t", columns, constraints=constraints, indexes=indexes)
    said = f"{{user_id: null, {erase}}}"
    found = faults(
        f"t: {{activity: a, erase: {said}, columns: {{v: {{category: user, values: {VALUES}}}, w: user}}}}", known
    )
    return set(codes(found))


VALUES = "{sad: a, glad: b}"


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ("int", "x"), ("int", "4000000000"), ("smallint", "40000"), ("numeric", "x"), ("boolean", "maybe"),
        ("uuid", "4"), ("jsonb", "'{'"), ("character varying(3)", "long"), ("mood in (sad, glad)", "angry"),
        ("int[]", "1"), ("date", "''"),
    ],
)  # fmt: skip
def test_a_value_that_is_none_of_the_type_is_an_error(facts: str, value: str) -> None:
    assert told(facts, f"v: {{value: {value}}}") == {"value_type"}


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ("int", "7"), ("bigint", "4000000000"), ("numeric", "-1.5e3"), ("boolean", "true"), ("jsonb", "'{}'"),
        ("uuid", "00000000-0000-0000-0000-000000000000"), ("character varying(3)", "abc"),
        ("mood in (sad, glad)", "sad"),
        ("int[]", "'{}'"), ("date", "'1970-01-01'"), ("inet", "127.0.0.1"), ("text", "''"),
    ],
)  # fmt: skip
def test_a_value_that_may_fit_is_left_alone(facts: str, value: str) -> None:
    assert told(facts, f"v: {{value: {value}}}") == set()


@pytest.mark.parametrize("facts", ["int", "date", "text[]", "jsonb", "inet"])
def test_random_is_a_text_or_a_uuid(facts: str) -> None:
    assert told(facts, "v: random") == {"random"}
    assert told("text", "v: random") == told("uuid", "v: random") == told("character varying(8)", "v: random") == set()


@pytest.mark.parametrize(
    ("erase", "expression", "is_broken"),
    [
        ("v: null", "(v IS NOT NULL)", True),
        ("v: null", "((v IS NOT NULL) AND (v <> ''::text))", True),
        ("v: null", "(v <> ''::text)", False),
        ("v: {value: ''}", "(v <> ''::text)", True),
        ("v: empty", "(v <> ''::text)", True),
        ("v: {value: x}", "(v = ANY (ARRAY['sad'::text, 'glad'::text]))", True),
        ("v: {value: sad}", "(v = ANY (ARRAY['sad'::text, 'glad'::text]))", False),
        ("v: {value: x}", "(length(v) > 3)", False),
    ],
)
def test_a_check_that_can_be_read_is_held_against_the_value(erase: str, expression: str, is_broken: bool) -> None:
    assert told("text", erase, expression=expression) == ({"value_check"} if is_broken else set())


@pytest.mark.parametrize(
    ("erase", "unique", "is_broken"),
    [
        ("v: {value: ''}", "v", True),
        ("v: empty", "v", True),
        ("v: {value: ''}", "v, w", True),
        ("v: {value: ''}, w: random", "v, w", False),
        ("v: {value: ''}", "(lower(v))", True),
        ("v: {value: ''}", "w", False),
        ("v: {value: ''}", "id, v", False),
        ("v: random", "v", False),
        ("v: null", "v", False),
    ],
)
def test_the_same_for_everybody_in_a_unique_column_is_an_error(erase: str, unique: str, is_broken: bool) -> None:
    assert told("text", erase, unique=unique) == ({"value_unique"} if is_broken else set())
