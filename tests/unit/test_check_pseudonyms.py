"""What stays of a row says neither by a key nor by a name whose it was (R58)."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.unit.test_check_tables import THEIRS, USERS, check, codes, faults, index, reference, table

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
    for flag, word in (("", "null"), (" not null", "nobody")):
        facts = table("t", f"id bigint not null, user_id bigint{flag}, body text", indexes=[index("i", "user_id")])
        found = faults("t: {activity: a, links: {user_id: {erase: {body: null}}}, columns: {body: user}}", facts)
        assert [fault.remedy for fault in found] == [f"add user_id: {word} to what is set"]


def test_a_row_that_is_cut_off_and_keeps_a_name_is_a_warning() -> None:
    assert told("unlink", name="user.name") == {"identity_left": "warning"}
    assert told("unlink", name="user.behavior") == {}
    assert told("delete", links="user_id: {erase: {user_id: null}}", name="user.name.first") == {
        "identity_left": "warning"
    }
    assert told("delete", links="user_id: {erase: {user_id: null, name: null}}", name="user.name") == {}


LOG = table("log", "id bigint not null, actor_id bigint, other_id bigint, p_id bigint, ip text, mail text not null,"
            " users bigint[]", indexes=[index("i", "actor_id"), index("j", "other_id"), index("k", "p_id")],
            constraints=[reference("p_id", "p")])  # fmt: skip
P = table("p", "id bigint not null, user_id bigint", indexes=[index("i", "user_id")])
LOGGED = "{'*': user.account, ip: user.device.ip_address, mail: user.contact.email, users: user.unique_id}"
OWNED = "p: {activity: a, links: {user_id: {}}}"
NOBODYS = "p: {personal: false, reason: x, links: {user_id: actor}}"


def logged(links: str, *, p: str = NOBODYS, columns: str = LOGGED) -> list[tuple[str, str]]:
    """What names somebody in a row that is cut off from whoever acted on it, and what to write."""
    found = faults(f"{p}\nlog: {{activity: a, links: {{{links}}}, columns: {columns}}}", LOG, P)
    told = [fault for fault in found if fault.code == "identity_left"]
    return [(fault.message.partition("keeps ")[2].partition(", which")[0], fault.remedy or "") for fault in told]


def test_what_names_somebody_in_a_row_that_nobody_owns_names_whoever_acted() -> None:
    assert [name for name, _ in logged("actor_id: actor")] == ["ip, mail and users"]
    assert logged("actor_id: {role: actor, erase: {actor_id: null, ip: null, mail: empty, users: empty}}") == []
    emptied = "actor_id: {role: actor, erase: {actor_id: null, ip: null}}"
    assert [name for name, _ in logged(emptied)] == ["mail and users"]
    theirs = LOGGED.replace("ip: user.device.ip_address", "ip: {category: user.device.ip_address, third_party: true}")
    assert [name for name, _ in logged("actor_id: actor", columns=theirs)] == ["mail and users"]


def test_in_a_row_that_somebody_owns_it_is_theirs() -> None:
    assert logged("actor_id: actor, other_id: {}") == []
    assert logged("actor_id: actor", p=OWNED) == []
    assert logged("actor_id: actor, p_id: reference", p=OWNED) != []
    assert len(logged("actor_id: actor, other_id: reference")) == 1


@pytest.mark.parametrize("link", ["actor_id: actor", "actor_id: {role: actor, when: ip is null}"])
def test_with_what_is_to_be_written_nothing_is_left_of_whoever_acted(link: str) -> None:
    (_, remedy), *_ = logged(link)
    links = remedy.splitlines()[0].removeprefix("write at public.log links: {").removesuffix("}")
    assert "role: actor" in links
    assert links.endswith("erase: {actor_id: null, ip: null, mail: empty, users: null}}")
    assert faults(f"{NOBODYS}\nlog: {{activity: a, links: {{{links}}}, columns: {LOGGED}}}", LOG, P) == []


def test_out_of_an_array_only_their_own_element_is_taken() -> None:
    (_, remedy), *_ = logged("'users[]': actor", columns=LOGGED.replace("users: user.unique_id", "users: user"))
    links = remedy.splitlines()[0].removeprefix("write at public.log links: {").removesuffix("}")
    assert links == '"users[]": {erase: {users: null, ip: null, mail: empty}}'


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


def test_why_a_place_is_shared_is_no_word_on_what_its_people_wrote() -> None:
    def shared(links: str, reason: str = "reason: people meet here, ", erase: str = "") -> dict[str, str]:
        said = f"t: {{activity: a, shared: true, {reason}{erase}links: {{{links}}}, columns: {TALKED}}}"
        return codes(faults(said, TALK))

    for erase in ("unlink", "{user_id: null}"):
        assert shared(f"user_id: {{erase: {erase}}}") == {"content_left": "warning"}
        assert shared(f"user_id: {{erase: {erase}, reason: handed over}}") == {}
    assert shared("user_id: {}") == {"content_left": "warning"}
    assert shared("user_id: {reason: handed over}") == {}
    assert shared("user_id: {reason: ' '}") == {"content_left": "warning"}
    assert shared("user_id: {reason: handed over}, other_id: {}") == {"content_left": "warning"}
    assert shared("user_id: {}, other_id: {reason: handed over}") == {"content_left": "warning"}
    assert shared("user_id: {}", erase="erase: {user_id: null}, ") == {"content_left": "warning"}


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
        first, _, rest = (fault.remedy or "").partition("\n")
        assert first == f"write at public.t links: {{user_id: {{erase: {{{whole}}}}}}}"
        assert rest.startswith("or where it may stay, say why, `reason: …` beside the link")
        assert faults(said % f"{{{whole}}}", facts) == []


CODED = table(
    "t", "id bigint not null, user_id bigint, body text not null, kind text, status text not null, phase text,"
    " mood mood in (sad, glad), name text not null, title text, stars int not null, day date not null",
    indexes=[index("i", "user_id")],
    constraints=[check("phase", "(phase = ANY (ARRAY['a'::text, 'b'::text]))")],
)  # fmt: skip


def test_nobody_is_told_to_blank_codes_or_what_others_know_a_place_by() -> None:
    def remedy(links: str, more: str = "") -> str:
        columns = "columns: {'*': user.content.private}"
        found = faults(f"t: {{activity: a, {more}links: {{{links}}}, {columns}}}", CODED)
        (fault,) = [fault for fault in found if fault.code == "content_left"]
        return fault.remedy or ""

    whole = 'user_id: null, body: empty, name: empty, title: null, stars: {value: 0}, day: {value: "1970-01-01"}'
    assert remedy("user_id: {when: kind = 'User', erase: unlink}").startswith(
        f"write at public.t links: {{user_id: {{when: \"kind = 'User'\", erase: {{{whole}}}}}}}\n"
    )
    first, _, rest = remedy("user_id: {erase: unlink}", "shared: true, ").partition("\n")
    assert first == "write at public.t links: {user_id: {erase: {user_id: null, body: empty}}}"
    assert "name: {personal: false, reason: …}, title: {personal: false, reason: …}" in rest


def test_a_link_of_several_is_written_beside_the_others() -> None:
    facts = table("t", "id bigint not null, user_id bigint, body text, n int", indexes=[index("i", "user_id")])
    first = "{when: n = 1, erase: unlink, export: {redact: [n]}}"
    links = f"user_id: [{first}, {{when: n = 2, erase: {{user_id: null, body: null}}}}]"
    said = "t: {activity: a, links: {%s}, columns: {'*': user.content}}"
    (fault,) = faults(said % links, facts)
    whole = (fault.remedy or "").splitlines()[0].removeprefix("write at public.t links: {").removesuffix("}")
    assert whole.startswith('user_id: [{when: "n = 1", export: {redact: ["n"]}, erase: {user_id: null, body: null')
    assert faults(said % whole, facts) == []


@pytest.mark.parametrize("text", ["", "A", "it's", "a: b", "no", "7", '"', "2026-01-01", "[]", "ä b", "null"])
def test_a_constant_is_spelt_so_that_the_map_reads_the_same_again(text: str) -> None:
    facts = table("t", "id bigint not null, user_id bigint, body text, x text", indexes=[index("i", "user_id")])
    links = f"links: {{user_id: {{erase: {{user_id: null, x: {{value: {json.dumps(text)}}}}}}}}}"
    found = faults(f"t: {{activity: a, {links}, columns: {{'*': user.content}}}}", facts)
    (remedy,) = [fault.remedy or "" for fault in found if fault.code == "content_left"]
    entry = yaml.safe_load(remedy.splitlines()[0].removeprefix("write at public.t "))
    assert entry == {"links": {"user_id": {"erase": {"user_id": None, "x": {"value": text}, "body": None}}}}


def test_a_person_whose_row_stays_is_still_to_be_found_by_its_key() -> None:
    emptied = THEIRS.replace("activity: a,", "activity: a, erase: {email: null, created_at: null},")
    found = faults("", USERS, users=emptied)
    assert codes(found) == {"pseudonym": "warning"}
