"""What stays of a row says neither by a key nor by a name whose it was (R58)."""

from __future__ import annotations

import pytest

from tests.unit.test_check_tables import THEIRS, USERS, codes, faults, index, table

FACTS = table("t", "id bigint not null, user_id bigint, name text, mail text",
              indexes=[index("i", "user_id"), index("j", "mail")])  # fmt: skip


def told(erase: str, *, links: str = "user_id: {}", name: str = "user.content.private") -> dict[str, str]:
    columns = f"{{name: {name}, mail: user.contact.email}}"
    links += ", mail: {identity: email, erase: delete}"
    return codes(faults(f"t: {{activity: a, links: {{{links}}}, erase: {erase}, columns: {columns}}}", FACTS))


@pytest.mark.parametrize("text", ["deleted-{id}", "user ${id}", "anonymous %s", "x-%(id)s", "<user_id>"])
def test_a_constant_with_a_placeholder_is_an_error(text: str) -> None:
    assert told(f"{{user_id: null, name: {{value: '{text}'}}}}") == {"pseudonym": "error"}


def test_a_constant_without_one_is_none() -> None:
    assert told("{user_id: null, name: {value: somebody}}") == {}


@pytest.mark.parametrize("word", ["hash", "mask", "token", "encrypt", "{hash: sha256}"])
def test_a_hash_or_a_mask_is_an_error(word: str) -> None:
    assert told(f"{{user_id: null, name: {word}}}") == {"pseudonym": "error"}


def test_an_empty_list_in_braces_is_no_placeholder() -> None:
    facts = table("t", "id bigint not null, user_id bigint, tags text[]", indexes=[index("i", "user_id")])
    erase = "erase: {user_id: null, tags: {value: '{}'}}"
    found = faults(f"t: {{activity: a, links: {{user_id: {{}}}}, {erase}, columns: {{tags: user}}}}", facts)
    assert codes(found) == {}


def test_a_row_that_is_emptied_and_keeps_its_link_is_an_error() -> None:
    assert told("{name: null}") == {"pseudonym": "error"}
    assert told("{name: null, user_id: null}") == {}
    assert told("delete", links="user_id: {erase: {name: null}}") == {"pseudonym": "error"}
    assert told("delete", links="user_id: {role: actor, erase: {name: null}}") == {"pseudonym": "error"}


def test_a_row_that_is_cut_off_and_keeps_a_name_is_a_warning() -> None:
    assert told("unlink", name="user.name") == {"identity_left": "warning"}
    assert told("unlink", name="user.behavior") == {}
    assert told("delete", links="user_id: {erase: {user_id: null}}", name="user.name.first") == {
        "identity_left": "warning"
    }
    assert told("delete", links="user_id: {erase: {user_id: null, name: null}}", name="user.name") == {}


def test_a_person_whose_row_stays_is_still_to_be_found_by_its_key() -> None:
    emptied = THEIRS.replace("activity: a,", "activity: a, erase: {email: null, created_at: null},")
    found = faults("", USERS, users=emptied)
    assert codes(found) == {"pseudonym": "warning"}
