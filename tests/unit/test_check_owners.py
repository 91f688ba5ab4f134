"""Somebody says whose a row is: nothing goes only since a foreign key is there, or since its parent's owner goes."""

from __future__ import annotations

from typing import Any

import pytest

from datamap.fault import Fault
from tests.unit.test_check_tables import codes, faults, index, reference, table


def facts(name: str, columns: str, *keys: tuple[str, str]) -> dict[str, Any]:
    """A table whose foreign keys have indexes."""
    return table(
        name, f"id bigint not null, {columns}", constraints=[reference(mine, target) for mine, target in keys],
        indexes=[index(f"{name}_{number}", mine) for number, (mine, _) in enumerate(keys)],
    )  # fmt: skip


# A foreign key that the map does not mention ------------------------------------------------------------------------

ORDERS = facts("orders", "user_id bigint not null", ("user_id", "users"))
ITEMS = facts("items", "order_id bigint not null, wrapped_by bigint", ("order_id", "orders"), ("wrapped_by", "users"))


def unmentioned(items: str, *known: dict[str, Any], orders: str = "orders: {activity: a}") -> list[Fault]:
    found = faults(f"{orders}\nitems: {{activity: a, {items}}}", *(known or (ORDERS, ITEMS)))
    return [fault for fault in found if fault.code == "unmentioned_link"]


def test_a_foreign_key_that_takes_rows_from_their_owner_has_to_be_mentioned() -> None:
    (fault,) = unmentioned("")
    assert (fault.severity, fault.where) == ("error", ("tables", "items"))
    assert "order_id" in fault.message
    assert "wrapped_by" in fault.message


@pytest.mark.parametrize("said", ["{}", "actor", "reference", "{erase: unlink}", "undecided", "[{when: id = 1}]"])
def test_once_it_is_mentioned_it_is_decided(said: str) -> None:
    assert unmentioned(f"links: {{wrapped_by: {said}}}") == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_of_the_words_that_are_proposed_can_be_written(number: int) -> None:
    (fault,) = unmentioned("")
    said = (fault.remedy or "").split("`")[1::2][number]
    assert codes(faults(f"orders: {{activity: a}}\nitems: {{activity: a, links: {{{said}}}}}", ORDERS, ITEMS)) == {}


def test_where_it_is_the_only_way_to_be_owned_nothing_is_asked() -> None:
    only = facts("items", "order_id bigint, wrapped_by bigint", ("order_id", "orders"), ("wrapped_by", "users"))
    assert unmentioned("links: {order_id: reference}", ORDERS, only) == []
    assert unmentioned("", ORDERS, only, orders="orders: {activity: a, shared: true, links: {user_id: {}}}") == []
    assert unmentioned("", ORDERS, only, orders="orders: {personal: false, reason: x, links: {user_id: actor}}") == []
    assert unmentioned("", ORDERS, facts("items", "user_id bigint", ("user_id", "users"))) == []


def test_two_people_in_a_row_are_two_ways_to_own_it() -> None:
    both = facts("items", "a bigint, b bigint", ("a", "users"), ("b", "users"))
    assert {f.message.partition("key ")[2][:7] for f in unmentioned("", ORDERS, both)} == {"a names", "b names"}
    (fault,) = unmentioned("links: {a: {}}", ORDERS, both)
    assert "b names a person" in fault.message
    assert unmentioned("links: {a: {}, b: {}}", ORDERS, both) == []
    assert unmentioned("links: {a: actor}", ORDERS, both) == []
    assert unmentioned("links: {a: undecided}", ORDERS, both) == []


def test_a_link_that_no_foreign_key_declares_is_a_way_as_well() -> None:
    mixed = facts("items", "mail text, b bigint", ("b", "users"))
    assert len(unmentioned("links: {mail: {identity: email}}, columns: {mail: user}", ORDERS, mixed)) == 1
    assert unmentioned("links: {mail: {identity: email}, b: {}}, columns: {mail: user}", ORDERS, mixed) == []


def test_the_same_key_with_a_tenant_beside_it_is_one_way() -> None:
    users = table("users", "tenant bigint not null, id bigint not null, email text, created_at date", key="tenant, id",
                  indexes=[index("u", "id", unique=True)])  # fmt: skip
    keys = [reference("user_id", "users"), reference("tenant, user_id", "users", "tenant, id")]
    orders = table("orders", "id bigint not null, user_id bigint", constraints=[reference("user_id", "users")])
    twice = table("items", "id bigint not null, tenant bigint, user_id bigint, order_id bigint",
                  constraints=[*keys, reference("order_id", "orders")])  # fmt: skip
    items = "orders: {activity: a}\nitems: {activity: a, links: {%s}}"
    assert "unmentioned_link" not in codes(faults(items % "order_id: reference", users, orders, twice))
    assert "unmentioned_link" in codes(faults(items % "order_id: {}", users, orders, twice))
    for said in ("user_id: {}", "'tenant, user_id': {}"):
        assert "unmentioned_link" not in codes(faults(items % said, users, orders, twice))


def test_a_table_that_nobody_has_looked_at_and_the_people_themselves_are_not_asked_about() -> None:
    assert unmentioned("erase: undecided") == []
    referred = table("users", "id bigint not null, email text, created_at date, by bigint",
                     constraints=[reference("by", "users")], indexes=[index("u", "by")])  # fmt: skip
    assert "unmentioned_link" not in codes(faults("", referred))


# A parent that stays ------------------------------------------------------------------------------------------------

PLACES = facts("places", "owner_id bigint", ("owner_id", "users"))
LOGS = facts("logs", "place_id bigint, user_id bigint", ("place_id", "places"), ("user_id", "users"))
STAYS = ["{erase: unlink}", "{erase: {owner_id: null}}", "{erase: {owner_id: {value: 3}}}"]


def below(logs: str = "", place: str = "links: {owner_id: {erase: unlink}}", *, links: str = "") -> dict[str, str]:
    said = f"links: {{user_id: actor{links}}}, {logs}"
    found = faults(f"places: {{activity: a, {place}}}\nlogs: {{activity: a, {said}}}", PLACES, LOGS)
    return {fault.code: fault.severity for fault in found if fault.code == "parent_stays"}


@pytest.mark.parametrize("link", STAYS)
def test_rows_below_a_place_that_outlives_its_owner_are_not_deleted_without_a_word(link: str) -> None:
    assert below(place=f"links: {{owner_id: {link}}}") == {"parent_stays": "error"}


def test_the_founder_of_a_place_that_goes_to_nobody_takes_nothing_along() -> None:
    required = facts("places", "owner_id bigint not null", ("owner_id", "users"))
    said = "places: {activity: a, links: {owner_id: {erase: nobody}}}\nlogs: {activity: a, links: {user_id: actor}}"
    subject = "{table: users, key: id, nobody: 0, identities: {email: {column: email, shared: true}}}"
    assert codes(faults(said, required, LOGS, subject=subject)) == {"parent_stays": "error"}


KEEP = "keep: {exception: 17(3)(b), columns: [], law: § 1, until: then, owner: me}"


@pytest.mark.parametrize("erase", ["erase: delete", "erase: {place_id: null}", f"erase: keep, {KEEP}", KEEP])
def test_a_word_is_a_warning_and_a_reason_is_enough(erase: str) -> None:
    assert below(erase) == {"parent_stays": "warning"}
    assert below(f"{erase}, reason: only its owner made entries") == {}
    assert below(f"{erase}, reason: ' '") == {"parent_stays": "warning"}
    assert below("reason: only its owner made entries") == {"parent_stays": "error"}


def test_the_links_own_word_counts_as_the_tables() -> None:
    assert below(links=", place_id: {erase: delete}") == {"parent_stays": "warning"}
    assert below(links=", place_id: {erase: delete, reason: x}") == {}
    assert below(links=", place_id: {erase: unlink}") == {"parent_stays": "warning"}
    assert below(links=", place_id: {erase: undecided}") == {}
    assert below("erase: undecided") == {}


@pytest.mark.parametrize(
    "place",
    [
        "erase: delete",
        "shared: true, links: {owner_id: {erase: unlink}}, reason: x",
        "shared: undecided, links: {owner_id: {erase: unlink}}",
        "links: {owner_id: {erase: undecided}}",
        "links: {owner_id: {role: undecided, erase: unlink}}",
        "links: {owner_id: {erase: delete}}",
        "erase: external_manual, reason: x",
        "erase: keep, keep: {exception: 17(3)(b), columns: [], law: § 1, until: then, owner: me}",
        "links: {owner_id: actor}",
    ],
)
def test_where_the_parent_goes_is_shared_or_is_kept_by_a_law_its_rows_may_go(place: str) -> None:
    assert below(place=place) == {}


@pytest.mark.parametrize(
    ("logs", "links"),
    [
        ("erase: unlink", ""),
        ("shared: true, reason: x", ""),
        ("", ", place_id: reference"),
        ("erase: external_manual, reason: x", ""),
    ],
)
def test_rows_that_nothing_happens_to_by_their_parent_are_not_told(logs: str, links: str) -> None:
    assert below(logs, links=links) == {}


def test_a_parent_may_have_its_owner_from_above_as_well() -> None:
    rooms = facts("rooms", "place_id bigint, name text", ("place_id", "places"))
    logs = facts("logs", "room_id bigint", ("room_id", "rooms"))
    said = "places: {activity: a}\nrooms: {activity: a, %s, columns: {name: user}}\nlogs: {activity: a}"
    found = faults(said % "erase: {name: null}", PLACES, rooms, logs)
    assert [fault.where for fault in found if fault.code == "parent_stays"] == [("tables", "logs")]
    assert "parent_stays" not in codes(faults(said % "erase: delete", PLACES, rooms, logs))


def test_rows_that_always_name_their_own_owner_are_nobody_elses() -> None:
    own = facts("logs", "place_id bigint, user_id bigint not null", ("place_id", "places"), ("user_id", "users"))
    said = "places: {activity: a, links: {owner_id: {erase: unlink}}}\nlogs: {activity: a, links: {user_id: {}}}"
    assert codes(faults(said, PLACES, own)) == {}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_with_any_of_the_remedies_it_is_silent(number: int) -> None:
    place, log = "links: {owner_id: {erase: unlink}}", "links: {user_id: %s%s}"
    found = faults(f"places: {{activity: a, {place}}}\nlogs: {{activity: a, {log % ('{}', '')}}}", PLACES, LOGS)
    (remedy,) = [fault.remedy or "" for fault in found if fault.code == "parent_stays"]
    line = remedy.splitlines()[number]
    mended = [
        (f"shared: true, {place}", log % ("{}", "")),
        (place, log % ("{}", ", place_id: reference")),
        (place, f"erase: delete, reason: only its owner made entries, {log % ('{}', '')}"),
    ][number]
    words = ["shared: true at public.places", "links: {place_id: reference}", "erase: delete, and reason:"][number]
    assert words in line
    tables = f"places: {{activity: a, {mended[0]}}}\nlogs: {{activity: a, {mended[1]}}}"
    assert codes(faults(tables, PLACES, LOGS)) == {}


def test_what_answers_itself_stays_when_what_it_answers_is_emptied() -> None:
    posts = facts("posts", "author_id bigint, answers bigint, body text", ("author_id", "users"), ("answers", "posts"))
    emptied = "links: {author_id: {erase: {author_id: null, body: null}}}"
    said = f"posts: {{activity: a, {emptied}, columns: {{body: user.content}}}}"
    assert codes(faults(said, posts)) == {"parent_stays": "error"}


# Below a place, and nobody's -----------------------------------------------------------------------------------------

NOTES = table("notes", "id bigint not null, place_id bigint, body text", constraints=[reference("place_id", "places")],
              indexes=[index("n", "place_id")])  # fmt: skip
PLACE = "places: {activity: a, shared: true, links: {owner_id: {erase: unlink}}}"


def test_a_table_that_no_plan_reads_needs_a_reason_and_nothing_else() -> None:
    assert faults(f"{PLACE}\nnotes: {{shared: true, reason: the members' own}}", PLACES, NOTES) == []
    for said in ("shared: true", "shared: true, reason: ' '"):
        (fault,) = faults(f"{PLACE}\nnotes: {{{said}}}", PLACES, NOTES)
        assert (fault.code, fault.severity, fault.where[-1]) == ("reason_missing", "error", "shared")


def test_one_that_a_plan_reads_needs_both() -> None:
    own = facts("notes", "author_id bigint, body text", ("author_id", "users"))
    found = codes(faults("notes: {shared: true, reason: x, links: {author_id: {erase: unlink}}}", own))
    assert found == {"activity_missing": "error", "unclassified_column": "error"}
    found = codes(faults(PLACE.replace("activity: a, ", ""), PLACES))
    assert found == {"activity_missing": "error"}


def test_what_no_link_leads_from_may_be_others() -> None:
    (fault,) = faults(f"{PLACE}\nnotes: {{activity: a, columns: {{body: user.content}}}}", PLACES, NOTES)
    assert fault.code == "unreached"
    assert "{shared: true, reason: …}" in (fault.remedy or "")
    assert "{personal: false, reason: …}" in (fault.remedy or "")
    assert "under `links:`" in (fault.remedy or "")
