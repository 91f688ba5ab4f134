"""Who is meant on the command line: one person, and no value of theirs in any message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdpr.person import kind_named, person_named
from shared.errors import Misuse
from shared.plan import Deadlines, Kind, Naming, Plan

NAMING = Naming(subject="", columns=(), find="", guests=(), normal=None)


def kind(name: str, *key: str, **identities: str) -> Kind:
    return Kind(
        name=name, table=f"app.{name}", key=key, naming=NAMING, identities=identities, invalid=None, refusals=(),
        locked=(), read=(), binds={}, resolve="", reach=(), datasets=(), erase=(), rows={}, gone=(),
    )  # fmt: skip


DEADLINES = Deadlines(zone="UTC", policy="gdpr-2018@1", calendar=None)
USER, MEMBER = kind("user", "id", email="mail", phone="phone"), kind("member", "tenant_id", "id")


def test_the_only_kind_need_not_be_named_and_one_of_several_must_be() -> None:
    one, two = (Plan(fingerprint="", map={}, deadlines=DEADLINES, kinds=kinds) for kinds in ((USER,), (USER, MEMBER)))
    assert kind_named(one, None) == USER
    assert kind_named(two, "member") == MEMBER
    for name in (None, "staff"):
        with pytest.raises(Misuse, match="name one with --kind: user, member"):
            kind_named(two, name)


def test_a_key_is_named_plainly_or_column_by_column() -> None:
    assert person_named(USER, ["7"], []) == person_named(USER, ["id=7"], []) == {"id": "7"}
    assert person_named(USER, ["a=b"], []) == {"id": "a=b"}
    assert person_named(MEMBER, ["id=5", "tenant_id=a=b"], []) == {"tenant_id": "a=b", "id": "5"}
    assert person_named(USER, [], ["email=a@b", "phone="]) == {"mail": "a@b", "phone": ""}


NAMES = st.sampled_from(["id", "tenant_id", "email", "phone", "other", ""])
WORDS = st.builds(lambda name, value: f"{name}=kanarie{value}", NAMES, st.text()) | st.just("kanarie")


@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3))
def test_no_message_repeats_a_value(ids: list[str], identities: list[str]) -> None:
    for each in (USER, MEMBER, kind("guest", "id")):
        assert "kanarie" not in said(each, ids, identities)


def said(about: Kind, ids: list[str], identities: list[str]) -> str:
    try:
        person_named(about, ids, identities)
    except Misuse as misuse:
        return misuse.sentence
    return ""
