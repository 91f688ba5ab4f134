"""A slip is told, and what only follows from it waits; a fault of its own is told beside it."""

from __future__ import annotations

import pytest

from datamap.fault import Fault
from tests.unit.test_check_tables import PARTS, PLAIN, faults, index, reference, table

GUESTS = table("guests", "code bigint not null, mail text", key="code")
OTHER = table("orders", "id bigint not null, user_id bigint, note text", indexes=[index("i", "user_id")])
ITEMS = table("order_items", "id bigint not null, order_id bigint, note text", indexes=[index("i", "order_id")],
              constraints=[reference("order_id", "orders")])  # fmt: skip
TABLES = """
t: {activity: a, columns: {note: user.content.private}}
orders: {activity: a, links: {user_id: {}}, columns: {note: user.content.private}}
order_items: {activity: a, columns: {note: user.content.private}}
"""


def told(tables: str = TABLES, *, users: str | None = None, **parts: str) -> list[Fault]:
    more = {"users": users} if users else {}
    return faults(tables, PLAIN, OTHER, ITEMS, **more, **parts)


def test_a_map_without_a_slip_holds_nothing_back() -> None:
    assert told() == []


@pytest.mark.parametrize(
    "subject",
    [
        "{table: user, key: id, identities: {email: {column: email, shared: true}}}",
        "{table: people, key: id, identities: {email: {column: email, shared: true}}}",
        "{table: users, key: ids, identities: {email: {column: email, shared: true}}}",
        "{table: users, key: number, identities: {email: {column: email, shared: true}}}",
        "{table: users, key: id, identities: {email: {column: emails, shared: true}}}",
        "{table: users, key: id, birth: created}",
        "{table: users, key: [id, id]}",
        "{table: users, key: id, nobody: {nope: 0}}",
    ],
)
def test_of_a_slip_at_the_subject_only_the_slip_is_told(subject: str) -> None:
    (fault,) = told(subject=subject)
    assert fault.where[0] == "subject"


def test_a_nobody_that_does_not_fit_a_key_that_is_wrong_waits_for_the_key() -> None:
    (fault,) = told(subject="{table: users, key: ids, nobody: {id: 0}}")
    assert (fault.code, fault.where) == ("unknown_column", ("subject", "key"))
    assert "more fault" in (fault.remedy or "")


def test_of_several_kinds_the_one_with_the_slip_is_mended() -> None:
    several = "{user: {table: users, key: id}, guest: {table: guest, key: code}}"
    tables = TABLES.replace("{user_id: {}}", "{user_id: {subject: guest}}")
    tables += "guests: {activity: a, columns: {mail: user.contact.email}}"
    found = faults(tables, PLAIN, OTHER, ITEMS, GUESTS, subject="", subjects=several)
    assert [(fault.code, fault.where) for fault in found] == [("unknown_table", ("subjects", "guest", "table"))]
    assert (found[0].remedy or "").startswith("did you mean public.guests?\n(")


def test_a_fault_of_its_own_is_told_beside_the_slip() -> None:
    wrong = TABLES.replace("t: {activity: a, ", "t: {activity: b, ") + "x: {personal: false}"
    found = told(wrong, subject="{table: user, key: id}")
    assert sorted(fault.code for fault in found) == [
        "reason_missing", "unknown_activity", "unknown_table", "unknown_table",
    ]  # fmt: skip


def test_a_table_that_is_misspelt_takes_along_what_hangs_from_it() -> None:
    (fault,) = told(TABLES.replace("\norders:", "\norderes:"))
    assert fault.where == ("tables", "orderes")
    assert fault.remedy == (
        "did you mean public.orders?\n(2 more faults, which seem to follow from this, will be told once it is mended)"
    )


def test_a_table_that_is_nowhere_takes_nothing_along() -> None:
    found = told(TABLES.replace("\norders:", "\npurchases:"))
    assert {fault.code for fault in found} == {"unknown_table", "unclassified_table", "unreached"}
    assert not any("more fault" in (fault.remedy or "") for fault in found)


def test_a_table_that_is_there_beside_the_misspelt_one_is_not_meant() -> None:
    found = told(TABLES + "order: {personal: false, reason: x}")
    assert [(fault.code, fault.where) for fault in found] == [("unknown_table", ("tables", "order"))]


@pytest.mark.parametrize(
    ("was", "now", "part"),
    [
        ("orders: {activity: a, links: {user_id: {}}, columns: {note:",
         "orders: {activity: a, links: {user_id: {}}, columns: {notes:", "columns"),
        ("orders: {activity: a, links: {user_id:", "orders: {activity: a, links: {userid:", "links"),
    ],
)  # fmt: skip
def test_a_column_that_is_misspelt_is_told_once(was: str, now: str, part: str) -> None:
    (fault,) = told(TABLES.replace(was, now))
    assert (fault.code, fault.where[2]) == ("unknown_column", part)
    assert "1 more fault, which seems to follow from this, will be told once it is mended" in (fault.remedy or "") or (
        part == "links"
    )


def test_an_activity_that_is_called_otherwise_wherever_it_is_named_is_told_once() -> None:
    misnamed = PARTS["activities"].replace("{a:", "{accounts:")
    tables = TABLES.replace("activity: a", "activity: account")
    (fault,) = told(tables, users="users: {activity: account, columns: {'*': user.account}}", activities=misnamed)
    assert (fault.code, fault.where) == ("unknown_activity", ("activities", "accounts"))
    assert (fault.remedy or "").startswith("did you mean account?\n(4 more faults")
    once = TABLES.replace("t: {activity: a", "t: {activity: aaaa")
    assert [fault.where for fault in told(once)] == [("tables", "t", "activity")]


def test_of_a_table_that_is_undecided_its_links_are_not_told() -> None:
    child = table("c", "id bigint not null, t_id bigint, note text", constraints=[reference("t_id", "t")],
                  indexes=[index("i", "t_id")])  # fmt: skip
    lines = "t: {activity: a, columns: {note: user}}\nc: {activity: a, %s columns: {note: user}}"
    for erase, code in (("erase: undecided,", "undecided"), ("erase: refresh,", "refresh")):
        assert [fault.code for fault in faults(lines % erase, PLAIN, child)] == [code]
