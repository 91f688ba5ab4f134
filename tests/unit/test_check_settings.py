"""Values that the database would refuse, as far as a catalogue tells without a server."""

from __future__ import annotations

import pytest

from datamap.fault import Fault
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
        ("int[]", "1"), ("int[]", "'{1'"), ("int[]", "'1}'"), ("date", "''"),
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
        ("v: {value: x}", "(v <> ''::text)", False),
        ("v: {value: ''}", "(length(v) > 0)", False),
        ("v: {value: Sad}", "(v = ANY (ARRAY['Sad'::text, 'Glad'::text]))", False),
        ("v: {value: true}", "(v = ANY (ARRAY['true'::text, 'false'::text]))", False),
        ("v: {value: 7}", "(v = ANY (ARRAY['7'::text, '8'::text]))", False),
        ("v: random", "(v = ANY (ARRAY['7'::text, '8'::text]))", False),
    ],
)
def test_a_check_that_can_be_read_is_held_against_the_value(erase: str, expression: str, is_broken: bool) -> None:
    assert told("text", erase, expression=expression) - {"codes"} == ({"value_check"} if is_broken else set())


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


@pytest.mark.parametrize(
    ("facts", "value", "remedy"),
    [
        ("int", "{value: x}", "write null, or {value: 0}"),
        ("int not null", "{value: x}", "write {value: 0}"),
        ("mood in (sad, glad)", "{value: x}", "write null, or {value: sad} or {value: glad}"),
        ("character varying(3)", "{value: nobody}", "write null, or {value: nob}"),
        ("uuid", "{value: x}", "write null, or {value: 00000000-0000-0000-0000-000000000000}"),
        ("int[]", "{value: x}", "write null, or {value: '{}'}"),
        ("jsonb", "{value: '{'}", "write null, or {value: '{}'}"),
        ("date", "{value: ''}", "write null, or {value: '1970-01-01'}"),
    ],
)
def test_what_to_write_in_place_of_a_value_fits_itself(facts: str, value: str, remedy: str) -> None:
    def found(erase: str) -> list[Fault]:
        facts_of_t = table("t", f"id bigint not null, user_id bigint, v {facts}", indexes=[index("i", "user_id")])
        said = (
            f"t: {{activity: a, links: {{user_id: {{}}}}, erase: {{user_id: null, v: {erase}}}, columns: {{v: user}}}}"
        )
        return [fault for fault in faults(said, facts_of_t) if fault.code != "codes"]

    (fault,) = found(value)
    assert (fault.code, fault.remedy) == ("value_type", remedy)
    for part in remedy.removeprefix("write ").removeprefix("null, or ").split(" or "):
        assert found(part) == []


def test_what_the_compiler_refuses_is_told_once() -> None:
    facts = table("t", "id bigint not null, user_id bigint, v int generated, w text", indexes=[index("i", "user_id")])
    said = "t: {activity: a, links: {user_id: {}}, erase: {user_id: null, %s: {value: x}}, columns: {v: user, w: user}}"
    assert set(codes(faults(said % "v", facts))) == {"generated"}
    assert set(codes(faults(said % "nope", facts))) == {"unknown_column"}


def test_nobody_is_the_same_for_everybody_and_an_index_that_is_not_valid_keeps_nothing_apart() -> None:
    subject = "{table: users, key: id, nobody: 0}"
    for more, is_told in (({"unique": True}, True), ({"unique": True, "valid": False}, False), ({}, False)):
        indexes = [index("i", "user_id", **more), index("j", "user_id")]
        facts = table("t", "id bigint not null, user_id bigint", indexes=indexes)
        found = faults("t: {activity: a, links: {user_id: {erase: nobody}}}", facts, subject=subject)
        assert set(codes(found)) == ({"value_unique"} if is_told else set())


# Where a decision is made ------------------------------------------------------------------------------------------

PARENT = table("p", "id bigint not null, user_id bigint, v int", indexes=[index("i", "user_id")])
CHILD = table("c", "id bigint not null, p_id bigint, w text", indexes=[index("i", "p_id")],
              constraints=[reference("p_id", "p"), check("p_id", "(p_id IS NOT NULL)")])  # fmt: skip
OURS = "p: {activity: a, links: {user_id: {}}, %s columns: {v: user}}"
KEPT = "erase: keep, keep: {exception: 17(3)(b), law: § 1, until: x, owner: y, columns: [%s]%s}"


def told_of(parent: str, child: str) -> list[str]:
    lines = f"{OURS % parent}\nc: {{activity: a, columns: {{w: user}}, {child}}}"
    return [f.code for f in faults(lines, PARENT, CHILD) if f.code.startswith("value")]


def test_what_a_link_to_a_row_that_goes_is_set_to_is_looked_at() -> None:
    assert told_of("", "links: {p_id: {erase: unlink}}") == ["value_check"]
    assert told_of("", "links: {p_id: {erase: {p_id: null}}}") == ["value_check"]
    assert told_of("", "links: {p_id: {erase: delete}}") == []
    assert told_of("", "erase: delete") == []
    assert told_of("shared: true, erase: unlink, reason: x,", "links: {p_id: {erase: unlink}}") == []


def test_a_stub_is_looked_at_where_one_may_stay() -> None:
    wrong = "stub: {v: {value: x}},"
    assert told_of(wrong, "erase: delete") == []
    assert told_of(wrong, KEPT % ("p_id", "")) == ["value_type"]


def test_what_is_set_in_a_row_that_is_kept_is_looked_at() -> None:
    assert told_of("erase: delete,", KEPT % ("p_id, w", "")) == []
    kept = KEPT % ("", ", set: {v: {value: %s}}")
    assert told_of(kept % "x" + ",", "erase: delete") == ["value_type"]
    assert told_of(kept % "7" + ",", "erase: delete") == []
