"""What names say to discovery."""

from __future__ import annotations

import pytest

from datamap.discover import words
from datamap.names import Place


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("user_id", ("user",)),
        ("UserID", ("user",)),
        ("fk_user", ("user",)),
        ("customer_no", ("customer",)),
        ("comment_post_ID", ("comment", "post")),
        ("created_by_id", ("created", "by")),
        ("people_ids", ("person",)),
        ("companies", ("company",)),
        ("addresses", ("address",)),
        ("status", ("status",)),
        ("id", ("id",)),
        ("recipient_id_1", ("recipient",)),
        ("userid", ("user",)),
        ("creatorid", ("creator",)),
        ("useridto", ("user", "to")),
        ("user_id_from", ("user", "from")),
        ("relateduserid", ("related", "user")),
        ("usermodified", ("user", "modified")),
        ("ownertype", ("owner", "type")),
        ("superuser", ("superuser",)),
        ("prototype", ("prototype",)),
        ("covid", ("covid",)),
    ],
)
def test_the_words_of_a_name_are_told_without_those_for_a_key(name: str, said: tuple[str, ...]) -> None:
    assert words.meant(name) == said


@pytest.mark.parametrize(
    "name",
    [
        "updated_by",
        "approved_by",
        "assigned_to",
        "invited_by",
        "locked_by",
        "reviewer",
        "closed_by",
        "packed_by",
        "processed_by",
        "moderator_id",
        "deleted_by",
        "last_editor",
        "assignee_id",
        "watcher_ids",
        "agent_id",
        "write_uid",
        "modified_user_id",
    ],
)
def test_who_did_something_to_a_row_acted(name: str) -> None:
    assert words.is_acting(words.meant(name))


@pytest.mark.parametrize(
    "name",
    [
        "user_id",
        "owner",
        "author_id",
        "sender",
        "recipient_id",
        "customer",
        "buyer",
        "submitted_by",
        "sent_by",
        "member_id",
        "profile_id",
        "requested_by",
        "blocked_id",
        "invited_user_id",
        "tagged_user_id",
        "founder_id",
    ],
)
def test_whom_a_row_is_about_did_not_merely_act(name: str) -> None:
    assert not words.is_acting(words.meant(name))


@pytest.mark.parametrize(
    "name", ["user_id", "buyer", "user_from", "useridto", "created_by", "auth_user_id", "player_one"]
)
def test_a_name_that_ends_in_a_person_means_one(name: str) -> None:
    assert words.ends_in_a_person(words.meant(name))


@pytest.mark.parametrize(
    "name", ["customer_group_id", "user_session_id", "member_level", "user_agent_type", "order_id"]
)
def test_what_is_somebodys_is_not_somebody(name: str) -> None:
    assert not words.ends_in_a_person(words.meant(name))


@pytest.mark.parametrize("name", ["last_user_id", "last_editor"])
def test_whoever_came_last_acted(name: str) -> None:
    assert words.is_acting(words.meant(name))


def test_the_last_digits_of_a_card_are_nobody() -> None:
    assert not words.means_a_person(words.meant("card_last4"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("referrer_id", "referred_id"),
        ("inviter_id", "invitee_id"),
        ("invited_by", "invited_user_id"),
        ("followee_id", "follower_id"),
        ("tagger", "tagged_id"),
        ("reviewer", "reviewee"),
    ],
)
def test_one_deed_has_two_sides(one: str, other: str) -> None:
    assert words.are_sides(words.meant(one), words.meant(other))
    assert words.are_sides(words.meant(other), words.meant(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("approver_id", "approved_by"),
        ("assigned_by", "assigned_to"),
        ("assigner", "assignee"),
        ("user_id", "used_by"),
        ("referrer_id", "invited_id"),
        ("closed_by", "customer_id"),
    ],
)
def test_two_deeds_or_one_side_alone_are_none(one: str, other: str) -> None:
    assert not words.are_sides(words.meant(one), words.meant(other))
    assert not words.are_sides(words.meant(other), words.meant(one))


@pytest.mark.parametrize("name", ["created_by", "creator_id", "create_uid", "added_by"])
def test_who_made_a_row_is_told_apart_from_both(name: str) -> None:
    assert words.is_created(words.meant(name))


@pytest.mark.parametrize("name", ["followers", "customers", "members"])
def test_a_number_of_people_is_told_from_one(name: str) -> None:
    assert words.is_plural(name)


def test_in_json_the_key_before_an_id_says_who_it_is() -> None:
    assert words.meant_by(Place.parse("payload->'meta'->'actor'->>'id'")) == ("actor",)
    assert words.meant_by(Place.parse("payload->>'user_id'")) == ("user",)


def test_a_condition_holds_its_words_whatever_is_in_them() -> None:
    assert words.condition("author type", ("it's",)) == "author type = 'it''s'"
    assert words.condition("kind", ("A", "B")) == "kind in ('A', 'B')"
