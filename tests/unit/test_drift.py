"""Two catalogues, and what is said of their difference: every part of a table that a plan may be made of."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from datamap.catalogue import Catalogue, Column, Rule, Table
from datamap.check.drift import drift
from datamap.names import Table as Name
from tests.unit.test_check_tables import catalogue, table

USERS = Name("public", "users")
BEFORE = catalogue(table("users", "id bigint not null, email text"))

# Of a column: told under another name (`type`), or nothing that a plan is made of.
UNSAID = {
    "name",
    "base",
    "is_array",
    "is_domain",
    "equality",
    "never_null",
    "has_default",
    "is_deterministic",
    "comment",
}


def changed(**parts: Any) -> Catalogue:
    return replace(BEFORE, tables={USERS: replace(BEFORE.tables[USERS], **parts)})


def other(value: object) -> Any:
    return not value if isinstance(value, bool) else ("a",) if isinstance(value, tuple) else "other"


@pytest.mark.parametrize("part", sorted({field.name for field in fields(Column)} - UNSAID))
def test_a_column_that_has_changed_is_told(part: str) -> None:
    column = BEFORE.tables[USERS].columns["email"]
    part_changed: dict[str, Any] = {part: other(getattr(column, part))}
    after = replace(column, **part_changed)
    told = drift(BEFORE, changed(columns={**BEFORE.tables[USERS].columns, "email": after}))
    assert len(told) == 1
    assert told[0].startswith("public.users, column email, ")


def test_a_rule_is_told_by_its_name() -> None:
    rule = Rule(name="stays", event="delete", instead=True)
    assert drift(BEFORE, changed(rules=(rule,))) == ["public.users: the rule stays is new"]
    assert drift(changed(rules=(rule,)), BEFORE) == ["public.users: the rule stays is gone"]
    after = changed(rules=(replace(rule, event="update"),))
    assert drift(changed(rules=(rule,)), after) == ["public.users: the rule stays has changed"]


def test_a_view_is_nothing_that_a_plan_is_made_of() -> None:
    after = catalogue(table("users", "id bigint not null, email text"), table("seen", "id bigint", kind="v", key=None))
    assert drift(BEFORE, after) == []
    assert drift(after, BEFORE) == []


def test_what_differs_in_no_part_that_is_known_is_told_all_the_same() -> None:
    after = replace(BEFORE, fingerprint="another")
    (told,) = drift(BEFORE, after)
    assert told.startswith("Something changed that this list does not tell")


def test_the_number_of_rows_is_no_change() -> None:
    assert {field.name for field in fields(Table)} >= {"rows", "comment"}
    assert drift(BEFORE, changed(rows=7, comment="other")) == []
    assert drift(BEFORE, changed(owner="other")) == ["public.users has another owner"]
