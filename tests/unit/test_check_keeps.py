"""What is kept has an exception, a law, an end and an owner, and is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.check.keeps import is_generic
from datamap.check.policies import conjuncts
from datamap.fault import Fault
from tests.unit.test_check_tables import PARTS, codes, faults, index, reference, table

HIDDEN: dict[str, Any] = {"row_security": True, "row_security_forced": True}
ALL_ROWS = [
    {"name": role, "command": "*", "permissive": True, "roles": [role], "using": "true", "check": None}
    for role in ("gdpr_export", "gdpr_erase", "gdpr_verify")
]
WORDS = {"exception": "17(3)(b)", "columns": "[total, at]", "law": "§ 147 AO", "until": "2040-12-31", "owner": "books"}


def kept(
    retention: str = "{until: then}",
    *,
    at: str = "date not null",
    hidden: bool = True,
    policies: list[dict[str, Any]] | None = None,
    **words: str | None,
) -> list[Fault]:
    facts = table(
        "t", f"id bigint not null, user_id bigint, total int, at {at}, note text",
        constraints=[reference("user_id", "users")], indexes=[index("i", "user_id")],
        **(HIDDEN if hidden else {}), policies=policies or (ALL_ROWS if hidden else []),
    )  # fmt: skip
    said = ", ".join(f"{key}: {text}" for key, text in {**WORDS, **words}.items() if text is not None)
    basis = "purpose: ServiceProvision, legal_basis: A6-1-b, recipients: [], origin: ProvidedPersonalData"
    return faults(
        f"t: {{activity: b, erase: keep, keep: {{{said}}}, columns: {{'*': user.financial}}}}",
        facts,
        users="users: {activity: a, columns: {'*': user.account}}",
        activities=f"{{a: {{{basis}, retention: {{until: then}}}}, b: {{{basis}, retention: {retention}}}}}",
        application_roles="[app]",
    )


COUNTED = "{period: P10Y, from: {column: at}, law: § 147 AO}"


def test_what_says_all_of_it_has_no_fault() -> None:
    assert kept() == []
    assert kept(COUNTED, law=None, until=None) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"exception": None}, {"keep_exception": "error"}),
        ({"exception": "17(3)(f)"}, {"keep_exception": "error"}),
        ({"exception": "audit"}, {"keep_exception": "error"}),
        ({"law": None}, {"keep_law": "error"}),
        ({"law": "internal policy"}, {"keep_law": "error"}),
        ({"law": "Audit"}, {"keep_law": "error"}),
        ({"until": None}, {"keep_end": "error"}),
        ({"owner": None}, {"keep_owner": "warning"}),
    ],
)
def test_each_word_that_is_missing_or_says_nothing_is_told(words: dict[str, Any], told: dict[str, str]) -> None:
    assert codes(kept(**words)) == told


def test_the_exceptions_are_those_of_the_article_and_a_near_one_is_suggested() -> None:
    for letter in "abcde":
        assert kept(exception=f"17(3)({letter})") == []
    (fault,) = kept(exception="17(3)b")
    assert fault.remedy == "did you mean 17(3)(b)?"


@pytest.mark.parametrize(
    ("retention", "at", "columns", "told"),
    [
        ("{period: P10Y, from: the invoice}", "date not null", "[at]", {"keep_start": "warning"}),
        ("{period: P10Y, from: {column: nope}}", "date not null", "[at]", {"keep_start": "error"}),
        ("{period: P10Y, from: {column: total}}", "date not null", "[at, total]", {"keep_start": "error"}),
        ("{period: P10Y, from: {column: at}}", "date not null", "[total]", {"keep_start": "error"}),
        ("{period: P10Y, from: {column: at}}", "date", "[at]", {"keep_start": "note"}),
        ("{period: P10Y, from: {column: at}}", "timestamp with time zone not null", "[at]", {}),
        ("{period: P10Y, from: {column: at}}", "timestamp without time zone not null", "[at]", {}),
        ("{period: P10Y, from: {column: at}}", "date[] not null", "[at]", {"keep_start": "error"}),
        ("{period: P10Y}", "date not null", "[at]", {"keep_start": "warning"}),
        ("{until: then}", "date not null", "[at]", {"keep_end": "error"}),
    ],
)
def test_a_period_counts_from_a_date_that_stays(retention: str, at: str, columns: str, told: dict[str, str]) -> None:
    found = kept(
        retention,
        at=at,
        until=None,
        columns=columns,
        set="{at: {value: '1970-01-01'}}" if "at" not in columns else None,
    )
    assert codes(found) == told


def test_a_start_may_be_the_key_which_stays_in_any_case() -> None:
    facts = table("t", "at date not null, user_id bigint, total int", key="at", policies=ALL_ROWS, **HIDDEN,
                  constraints=[reference("user_id", "users")], indexes=[index("i", "user_id")])  # fmt: skip
    counted = PARTS["activities"].replace("{until: then}", "{period: P1Y, from: {column: at}}")
    keep = "keep: {exception: 17(3)(b), columns: [total], law: § 1, owner: me}"
    entry = f"t: {{activity: a, erase: keep, {keep}, columns: {{'*': user}}}}"
    assert codes(faults(entry, facts, activities=counted, application_roles="[app]")) == {}


def test_what_to_write_for_a_start_names_the_columns_with_a_date() -> None:
    (fault,) = kept("{period: P10Y, from: the invoice}", until=None)
    assert fault.remedy == "write at activities: b: retention: {period: P10Y, from: {column: at}}"
    (fault,) = kept("{period: P10Y, from: {column: total}}", until=None)
    assert fault.remedy == "name a column with a date: at"
    (fault,) = kept(COUNTED, until=None, at="date[] not null")
    assert fault.remedy == "name a column with a date: …"
    (fault,) = kept(COUNTED, until=None, columns="[total]", set="{at: {value: '1970-01-01'}}")
    assert fault.remedy == "write columns: [total, at]"


def test_the_law_and_the_end_may_stand_at_the_activity_which_has_to_be_there() -> None:
    assert kept("{until: then, law: § 147 AO}", law=None) == []
    facts = table("t", "id bigint not null, user_id bigint, n int", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")], **HIDDEN, policies=ALL_ROWS)  # fmt: skip
    entry = "t: {%serase: keep, keep: {exception: 17(3)(b), columns: [n], owner: me}, columns: {n: user}}"
    none = {"keep_law": "error", "keep_end": "error", "activity_missing": "error"}
    assert codes(faults(entry % "", facts, application_roles="[app]")) == none
    without = PARTS["activities"].replace("retention: {until: then},", "")
    found = codes(faults(entry % "activity: a, ", facts, activities=without, application_roles="[app]"))
    assert found == {"keep_law": "error", "keep_end": "error", "activity_incomplete": "error"}


def test_a_law_that_names_none_is_told_where_it_stands() -> None:
    assert kept(law="audit")[0].where == ("tables", "t", "keep", "law")
    (fault,) = kept("{until: then, law: audit}", law=None)
    assert (fault.code, fault.where) == ("keep_law", ("tables", "t", "keep"))


@pytest.mark.parametrize("key", ["law", "until", "owner"])
def test_a_blank_says_nothing(key: str) -> None:
    words: dict[str, Any] = {key: "' '"}
    assert len(kept(**words)) == 1


@pytest.mark.parametrize("forced", ["row_security", "row_security_forced"])
def test_half_of_row_level_security_hides_nothing(forced: str) -> None:
    facts = table("t", "id bigint not null, user_id bigint, n int", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")], policies=ALL_ROWS, **{**HIDDEN, forced: False})  # fmt: skip
    keep = "keep: {exception: 17(3)(b), columns: [n], law: § 1, until: then, owner: me}"
    entry = f"t: {{activity: a, erase: keep, {keep}, columns: {{n: user}}}}"
    found = faults(entry, facts, application_roles="[app]")
    assert codes(found) == {"keep_readable": "warning"}
    assert "-- behind a policy" not in (found[0].remedy or "")


def test_what_is_kept_and_not_hidden_is_a_warning_with_the_statement() -> None:
    (fault,) = kept(hidden=False)
    assert (fault.code, fault.severity) == ("keep_readable", "warning")
    statement = "alter table public.t enable row level security, force row level security;"
    column, policy, enable, *_ = (fault.remedy or "").splitlines()
    assert column == "alter table public.t add column restricted boolean not null default false;"
    assert policy.startswith("create policy application on public.t ")
    assert policy.endswith(" using (not restricted);")
    assert enable == statement
    (fault,) = kept(hidden=False, policies=ALL_ROWS)
    assert fault.remedy == statement


def test_a_keep_that_the_table_does_not_act_on_is_a_warning() -> None:
    facts = table("t", "id bigint not null, user_id bigint, n int", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")], **HIDDEN, policies=ALL_ROWS)  # fmt: skip
    keep = "keep: {exception: 17(3)(b), columns: [n], law: § 1, until: then, owner: me}"
    entry = f"t: {{activity: a, erase: delete, {keep}, columns: {{n: user}}}}"
    (fault,) = faults(entry, facts, application_roles="[app]")
    assert (fault.code, fault.severity) == ("keep_unused", "warning")
    assert fault.message.endswith("its erase is delete")
    emptied = entry.replace("erase: delete", "erase: {user_id: null, n: null}")
    assert faults(emptied, facts, application_roles="[app]")[0].message.endswith("its erase is another")


def test_without_roles_of_the_application_nobody_can_tell_whether_they_still_read_it() -> None:
    facts = table("t", "id bigint not null, user_id bigint, n int", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")], **HIDDEN, policies=ALL_ROWS)  # fmt: skip
    keep = "keep: {exception: 17(3)(b), columns: [n], law: § 1, until: then, owner: me}"
    entry = f"t: {{activity: a, erase: keep, {keep}, columns: {{n: user}}}}"
    assert codes(faults(entry, facts)) == {"application_roles": "note"}


@pytest.mark.parametrize(
    "law",
    [
        "Article 6",
        "audit §",
        "§ 147 AO",
        "AO 147",
        "Abgabenordnung",
        "HGB",
        "26 CFR 1.6001",
        "Code de commerce L123-22",
        "IRC 6001",
    ],
)
def test_a_law_is_one_that_names_something(law: str) -> None:
    assert not is_generic(law)


@given(
    st.lists(st.sampled_from(["audit", "Business", "internal", "policy", "legal", "reasons", "compliance"]), min_size=1)
)
def test_generic_words_are_no_law_however_many(words: list[str]) -> None:
    assert is_generic(" ".join(words))
    assert not is_generic(" ".join([*words, "§ 7"]))


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("true", ["true"]),
        ("(a = b)", ["a = b"]),
        ("((a = 1) AND (b IS NULL))", ["a = 1", "b IS NULL"]),
        ("((a = 1) AND ((b = 2) AND (c OR d)))", ["a = 1", "b = 2", "c OR d"]),
        ("((a = 1) OR ((b = 2) AND c))", ["(a = 1) OR ((b = 2) AND c)"]),
        ("((a = ' AND ('::text) AND (\"x AND y\" > 0))", ["a = ' AND ('::text", '"x AND y" > 0']),
        ("(a) AND (b)", ["a", "b"]),
    ],
)
def test_a_condition_falls_into_what_has_to_hold_together(condition: str, parts: list[str]) -> None:
    assert conjuncts(condition) == parts
