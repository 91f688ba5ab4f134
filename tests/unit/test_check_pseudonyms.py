"""What stays of a row says neither by a key nor by a name whose it was (R58)."""

from __future__ import annotations

import pytest

from tests.unit.test_check_tables import THEIRS, USERS, codes, faults, index, reference, table

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


TALK = table("t", "id bigint not null, user_id bigint, other_id bigint, mail text, body text, title text, n int",
             indexes=[index("i", "user_id"), index("j", "mail"), index("k", "other_id")])  # fmt: skip
TALKED = "{'*': user.account, body: user.content.private, title: user.content.public}"


def left(links: str, *, erase: str = "", columns: str = TALKED, reason: str = "") -> list[str]:
    """What stays of what somebody wrote, link by link."""
    said = "".join(f"{key}: {value}, " for key, value in (("erase", erase), ("reason", reason)) if value)
    found = faults(f"t: {{activity: a, links: {{{links}}}, {said}columns: {columns}}}", TALK)
    return [fault.message.rpartition(": ")[2] for fault in found if fault.code == "content_left"]


def test_a_row_that_is_cut_off_and_keeps_what_its_person_wrote_is_a_warning() -> None:
    assert left("user_id: {erase: unlink}") == ["body and title"]
    assert left("user_id: {}", erase="unlink") == ["body and title"]
    assert left("user_id: {erase: {user_id: null}}") == ["body and title"]
    assert left("user_id: {erase: {user_id: null, body: null}}") == ["title"]
    assert left("user_id: {}", erase="{user_id: null, body: null}") == ["title"]
    assert left("user_id: {erase: {user_id: null, body: null, title: empty}}") == []
    assert left("user_id: {}", erase="delete") == []
    assert left("user_id: {}, other_id: actor", erase="delete") == []
    assert left("user_id: {erase: undecided}") == []
    assert left("user_id: {role: undecided}", erase="unlink") == []


def test_a_text_that_is_called_a_note_is_one_whatever_its_category() -> None:
    assert left("user_id: {erase: unlink}", columns="{'*': user.account}") == ["body"]
    assert (
        left("user_id: {erase: unlink}", columns="{'*': user.account, body: {category: user, third_party: true}}") == []
    )
    assert left("user_id: {erase: unlink}", columns="{'*': user.account, body: {personal: false, reason: x}}") == []


def test_whoever_says_why_it_stays_has_decided() -> None:
    assert left("user_id: {erase: unlink, reason: handed over to the team}") == []
    assert left("user_id: {erase: unlink}", reason="handed over to the team") == []
    assert left("user_id: {erase: unlink}", reason="' '") == ["body and title"]


def test_of_two_people_in_a_row_one_wrote_it() -> None:
    all_ = "body: null, title: null"
    assert left(f"user_id: {{erase: {{user_id: null, {all_}}}}}, other_id: {{erase: {{other_id: null}}}}") == []
    assert left("user_id: {erase: {user_id: null, title: null}}, other_id: {erase: {other_id: null}}") == [
        "body",
        "body",
    ]
    either = f"user_id: {{when: n = 1, erase: {{user_id: null, {all_}}}}}"
    assert left(f"{either}, other_id: {{when: n = 2, erase: {{other_id: null}}}}") == ["body and title"]
    assert left(f"{either}, mail: {{identity: email, erase: {{mail: null}}}}") == ["body and title"]
    assert left(f"{either}, other_id: {{erase: {{other_id: null}}}}") == ["body and title"]


def test_a_row_that_hangs_from_one_that_is_deleted_and_is_cut_off_keeps_it_too() -> None:
    parent = table("p", "id bigint not null, user_id bigint", indexes=[index("i", "user_id")])
    child = table("c", "id bigint not null, p_id bigint, body text", constraints=[reference("p_id", "p")],
                  indexes=[index("i", "p_id")])  # fmt: skip
    links = (
        "p: {activity: a, links: {user_id: {}}}\nc: {activity: a, links: {p_id: {%s}}, columns: {body: user.content}}"
    )
    assert codes(faults(links % "erase: unlink", parent, child)) == {"content_left": "warning"}
    assert codes(faults(links % "erase: unlink, reason: x", parent, child)) == {}
    shared = links.replace("links: {user_id: {}}", "shared: true, links: {user_id: {erase: unlink}}, reason: x")
    assert "content_left" not in codes(faults(shared % "erase: unlink, role: reference", parent, child))


def test_the_remedy_is_the_whole_decision() -> None:
    columns = "id bigint not null, user_id bigint, body text not null"
    facts = table("t", columns, indexes=[index("i", "user_id")])
    said = "t: {activity: a, links: {user_id: {erase: %s}}, columns: {body: user.content}}"
    for erase, whole in (
        ("unlink", "user_id: null, body: empty"),
        ("{user_id: {value: 3}}", "user_id: {value: 3}, body: empty"),
    ):
        (fault,) = faults(said % erase, facts)
        assert (fault.remedy or "").startswith(
            f"write erase: {{{whole}}}; where it may stay, say why: `reason: …` beside"
        )
        assert faults(said % f"{{{whole}}}", facts) == []


def test_a_person_whose_row_stays_is_still_to_be_found_by_its_key() -> None:
    emptied = THEIRS.replace("activity: a,", "activity: a, erase: {email: null, created_at: null},")
    found = faults("", USERS, users=emptied)
    assert codes(found) == {"pseudonym": "warning"}
