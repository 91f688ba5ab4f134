"""The same thing is said once, and what waits for a decision is told after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.check.repetition import once
from datamap.check.rules import RULES
from datamap.fault import Fault
from tests.unit.test_check_owners import facts
from tests.unit.test_check_tables import codes, faults, index, reference, table

TALK = facts("talk", "a bigint not null, b bigint not null", ("a", "users"), ("b", "users"))
GROUP = facts("groups", "a bigint not null", ("a", "users"))


def test_a_link_that_is_undecided_is_not_told_that_it_may_not_be_null() -> None:
    for more in ("shared: true, ", "erase: unlink, "):
        assert codes(faults(f"groups: {{activity: a, {more}links: {{a: {{erase: undecided}}}}}}", GROUP)) == {
            "undecided": "error"
        }
        assert codes(faults(f"groups: {{activity: a, {more}}}", GROUP)) == {"not_null": "error"}
    assert codes(faults("groups: {activity: a, shared: undecided}", GROUP)) == {"undecided": "error"}


def test_a_role_that_is_undecided_is_not_told_that_it_does_not_fit() -> None:
    item = facts("items", "g bigint", ("g", "users"))
    said = "items: {personal: false, reason: x, links: {g: {role: %s}}}"
    assert codes(faults(said % "undecided", item)) == {"undecided": "error"}
    assert codes(faults(said % "owner", item)) == {"role": "error"}


def test_a_person_whom_a_table_names_that_is_not_personal_is_told_first() -> None:
    item = facts("items", "g bigint not null", ("g", "users"))
    assert codes(faults("items: {personal: false, reason: x}", item)) == {"names_a_person": "error"}
    assert codes(faults("items: {personal: false, reason: x, links: {g: actor}}", item)) == {"not_null": "error"}


def test_of_two_people_one_of_whom_is_undecided_that_is_told() -> None:
    assert [f.code for f in faults("talk: {activity: a}", TALK)] == ["two_people"]
    undecided = "talk: {activity: a, links: {a: {erase: undecided}, b: {erase: undecided}}}"
    assert [f.code for f in faults(undecided, TALK)] == ["undecided", "undecided"]
    assert [f.code for f in faults("talk: {activity: a, links: {a: {erase: undecided}, b: {}}}", TALK)] == ["undecided"]


def test_what_is_proposed_for_two_people_can_be_written() -> None:
    (fault,) = faults("talk: {activity: a}", TALK)
    nobody = "{table: users, key: id, nobody: 0, identities: {email: {column: email, shared: true}}}"
    for line in (fault.remedy or "").splitlines():
        links = line.partition("links: ")[2]
        assert faults(f"talk: {{activity: a, links: {links}}}", TALK, subject=nobody) == []


def test_a_new_table_is_told_once_with_what_depends_on_it() -> None:
    new = table("gifts", "id bigint not null, g bigint", constraints=[reference("g", "groups", on_delete="c")],
                indexes=[index("i", "g")])  # fmt: skip
    (fault,) = faults("groups: {activity: a}", GROUP, new)
    assert fault.code == "unclassified_table"
    assert "its rows point at rows of public.groups that an erasure deletes" in fault.message
    classified = "groups: {activity: a}\ngifts: {personal: false, reason: x}"
    assert [f.code for f in faults(classified, GROUP, new)] == ["cascade_undecided"]
    found = faults(classified, GROUP, new, table("other", "id bigint"))
    assert {f.code for f in found} == {"cascade_undecided", "unclassified_table"}
    (fault,) = faults("groups: {activity: a}", GROUP, table("other", "id bigint"))
    assert "point" not in fault.message


def test_without_the_table_itself_what_hangs_from_it_is_told() -> None:
    alone = Fault(code="cascade_undecided", message="Rows point", where=("tables",))
    assert once([alone]) == [alone]
    assert once([alone, Fault(code="unclassified_table", message="Nobody", where=("tables",))])[0] != alone


PLACES = st.lists(st.sampled_from(["tables", "t", "links", "a", "b", "erase", "shared", "role", 0]), max_size=5)
ANY = st.builds(
    Fault, code=st.sampled_from(sorted(RULES)), message=st.sampled_from(["x", "y"]), where=PLACES.map(tuple)
)


@given(st.lists(ANY, max_size=12))
def test_nothing_is_left_out_but_for_something_that_is_said(found: list[Fault]) -> None:
    told = once(found)
    left = [fault for fault in found if fault not in told]
    assert [fault for fault in dict.fromkeys(found) if fault in told] == told
    assert bool(told) == bool(found)
    assert not left or {f.code for f in told} & {"undecided", "two_people", "unclassified_table", "names_a_person"}
    assert {f.code for f in left} <= {"not_null", "role", "nobody", "unlink", "two_people", "unmentioned_link",
                                      "cascade_undecided", "reference_undecided"}  # fmt: skip
    assert once(told) == told


@pytest.mark.parametrize("code", ["undecided", "unclassified_table", "unknown_column", "index_missing", "keep_law"])
@given(st.lists(ANY, max_size=12))
def test_what_others_wait_for_is_always_said(code: str, found: list[Fault]) -> None:
    assert {f for f in found if f.code == code} == {f for f in once(found) if f.code == code}
