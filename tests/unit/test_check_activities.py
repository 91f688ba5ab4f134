"""Each activity tells what Art. 15(1) wants told, in words of the pinned list."""

from __future__ import annotations

import pytest

from tests.unit.test_check_tables import PARTS, PLAIN, codes, faults, index, reference, table

ALL = {
    "purpose": "ServiceProvision",
    "legal_basis": "A6-1-b",
    "recipients": "[]",
    "retention": "{until: then}",
    "origin": "ProvidedPersonalData",
}


def told(**words: str | None) -> dict[str, str]:
    said = ", ".join(f"{key}: {text}" for key, text in {**ALL, **words}.items() if text is not None)
    return codes(faults("", activities=f"{{a: {{{said}}}}}"))


def test_an_activity_that_tells_everything_has_no_fault() -> None:
    assert told() == {}


@pytest.mark.parametrize("key", ALL)
def test_whatever_is_missing_is_an_error(key: str) -> None:
    assert told(**{key: None}) == {"activity_incomplete": "error"}


def test_no_purpose_is_no_purpose() -> None:
    assert told(purpose="[]") == {"activity_incomplete": "error"}


def test_a_legitimate_interest_is_named() -> None:
    assert told(legal_basis="A6-1-f") == {"activity_incomplete": "error"}
    assert told(legal_basis="A6-1-f-controller") == {"activity_incomplete": "error"}
    assert told(legal_basis="A6-1-f", interest="to know who breaks in") == {}


def test_data_that_is_not_the_persons_own_has_a_source() -> None:
    assert told(origin="CollectedPersonalData") == {"activity_incomplete": "error"}
    assert told(origin="CollectedPersonalData", source="a credit agency") == {}
    assert told(origin="ObservedPersonalData") == {}


@pytest.mark.parametrize(
    ("key", "text", "is_known"),
    [
        ("purpose", "ServiceProvison", False),
        ("purpose", "[ServiceProvision, Nope]", False),
        ("purpose", "https://w3id.org/dpv#ServiceProvision", True),
        ("legal_basis", "A6-1-z", False),
        ("legal_basis", "eu-gdpr:A6-1-b", True),
        ("legal_basis", "A9-2-a", False),
        ("special_basis", "A6-1-b", False),
        ("special_basis", "A9-2-a", True),
        ("origin", "Provided", False),
    ],
)
def test_words_are_those_of_the_pinned_list_and_of_the_right_kind(key: str, text: str, is_known: bool) -> None:
    assert told(**{key: text}) == ({} if is_known else {"unknown_term": "error"})


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("{name: A, country: US}", {"safeguard_missing": "error"}),
        ("{name: A, country: US, safeguard: A46-2-c}", {}),
        ("{name: A, country: US, safeguard: trust}", {"unknown_term": "error"}),
        ("{name: A, country: DE}", {}),
        ("{name: A}", {}),
    ],
)
def test_a_transfer_to_a_third_country_has_a_safeguard(recipient: str, expected: dict[str, str]) -> None:
    assert told(recipients=f"[{recipient}]") == expected


def test_a_personal_table_has_an_activity_that_is_there() -> None:
    columns = "columns: {note: user.content.private}"
    assert codes(faults(f"t: {{{columns}}}", PLAIN)) == {"activity_missing": "error"}
    renamed = PARTS["activities"].replace("{a:", "{activity:")
    users = "users: {activity: activity, columns: {'*': user.account}}"
    (fault,) = faults(f"t: {{activity: activty, {columns}}}", PLAIN, activities=renamed, users=users)
    assert (fault.code, fault.remedy) == ("unknown_activity", "did you mean activity?")
    assert fault.where == ("tables", "t", "activity")


@pytest.mark.parametrize(
    "more",
    [
        "cache: {refill_max: PT1S, 'cart:{id}': {}}",
        "objects: {o: {bucket: b, prefix: 'u/{id}/'}}",
    ],
)
def test_keys_and_objects_have_an_activity(more: str) -> None:
    assert codes(faults("", more=more)) == {"activity_missing": "error"}


def test_an_activity_to_which_nothing_belongs_is_a_note() -> None:
    activities = (
        PARTS["activities"]
        .replace("{a: ", "{b: &b ")
        .replace("ProvidedPersonalData}}", "ProvidedPersonalData}, a: *b}")
    )
    assert codes(faults("", activities=activities)) == {"unused_activity": "note"}


def test_special_categories_need_a_basis_of_their_own() -> None:
    facts = table("t", "id bigint not null, user_id bigint, ill text", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")])  # fmt: skip
    entry = "t: {activity: a, columns: {ill: user.health_and_medical}}"
    found = faults(entry, facts)
    assert codes(found) == {"special_basis": "error"}
    assert [fault.where for fault in found] == [("activities", "a")]
    allowed = PARTS["activities"].replace("legal_basis", "special_basis: A9-2-h, legal_basis")
    assert codes(faults(entry, facts, activities=allowed)) == {}


def test_special_categories_of_one_activity_are_told_once() -> None:
    facts = [
        table(name, "id bigint not null, user_id bigint, ill text, faith text",
              constraints=[reference("user_id", "users")], indexes=[index("i", "user_id")])
        for name in ("t", "s")
    ]  # fmt: skip
    columns = "{ill: user.health_and_medical, faith: user.demographic.religious_belief}"
    (found,) = faults(f"t: {{activity: a, columns: {columns}}}\ns: {{activity: a, columns: {columns}}}", *facts)
    assert found.message.endswith("and has such: public.t (ill, faith), public.s (ill, faith)")


def test_the_controller_and_the_backups_are_told() -> None:
    assert codes(faults("", controller="{name: '', contact: b, authority: c, holidays: DE}")) == {"controller": "error"}
    assert codes(faults("", controller="{name: A, contact: b, authority: c}")) == {"controller": "note"}
    assert codes(faults("", backups="")) == {"backups": "warning"}
