"""Each column of a personal table is decided, in words that the pinned lists have."""

from __future__ import annotations

import pytest

from tests.unit.test_check_tables import PARTS, PLAIN, check, codes, faults, index, reference, table


def test_a_column_that_nobody_has_classified_is_an_error() -> None:
    (fault,) = faults("t: {activity: a}", PLAIN)
    assert (fault.code, fault.severity) == ("unclassified_column", "error")
    assert "note" in fault.message
    assert fault.where == ("tables", "t", "columns")


@pytest.mark.parametrize("name", ["note", "Übersicht", "a b", "7", "a: b", "no }"])
def test_what_is_to_be_written_can_be_written_into_the_map(name: str) -> None:
    columns, link = f'id bigint not null, user_id bigint, "{name}" text', reference("user_id", "users")
    facts = table("t", columns, constraints=[link], indexes=[index("i", "user_id")])
    (fault,) = faults("t: {activity: a}", facts)
    key = (fault.remedy or "").removeprefix("write ").rpartition(": with")[0]
    assert faults(f"t: {{activity: a, columns: {{{key}: user}}}}", facts) == []


def test_keys_and_links_need_no_entry_and_a_star_stands_for_the_rest() -> None:
    assert faults("t: {activity: a, columns: {'*': user.content.private}}", PLAIN) == []


def test_what_the_map_calls_the_key_needs_no_entry() -> None:
    facts = table("t", "n int, user_id bigint", key=None, indexes=[index("i", "user_id")])
    assert codes(faults("t: {activity: a, links: {user_id: {}}}", facts)) == {"unclassified_column": "error"}
    assert faults("t: {activity: a, links: {user_id: {}}, key: [n]}", facts) == []


def test_a_column_of_a_table_that_is_not_personal_needs_no_category() -> None:
    other = table("x", "id int, note text")
    assert faults("x: {personal: false, reason: y, columns: {note: {label: Note}}}", other) == []


def test_a_generated_column_is_classified_too() -> None:
    other = table("t", "id bigint not null, user_id bigint, shout text generated", indexes=[index("i", "user_id")])
    found = faults("t: {activity: a, links: {user_id: {}}}", other)
    assert codes(found) == {"unclassified_column": "error"}


def test_json_that_names_a_person_holds_more_than_that_and_an_array_does_not() -> None:
    json = table("t", "id bigint not null, p jsonb", indexes=[index("i", "((p ->> 'user_id'::text))")])
    assert codes(faults("t: {activity: a, links: {\"p->>'user_id'\": {}}}", json)) == {"unclassified_column": "error"}
    array = table("t", "id bigint not null, u bigint[]", indexes=[index("i", "u", method="gin")])
    assert faults("t: {activity: a, links: {'u[]': {}}}", array) == []


def test_an_identity_says_nothing_of_what_it_is() -> None:
    other = table("t", "id bigint not null, mail text", indexes=[index("i", "mail")])
    found = faults("t: {activity: a, links: {mail: {identity: email}}}", other)
    assert codes(found) == {"unclassified_column": "error"}


@pytest.mark.parametrize(
    "entry",
    [
        "columns: {note: user, noet: user.content}",
        "columns: {note: user}, stub: {noet: null}",
        "columns: {note: user}, key: [noet]",
        "columns: {note: user}, erase: keep,"
        " keep: {exception: 17(3)(b), columns: [noet], law: § 1, until: x, owner: y}",
        "columns: {note: user}, erase: keep,"
        " keep: {exception: 17(3)(b), columns: [], set: {noet: null}, law: § 1, until: x, owner: y}",
        "columns: {note: user}, links: {user_id: {export: {redact: [noet]}}}",
        "columns: {note: user}, erase: {noet: null, user_id: null}",
    ],
)
def test_a_name_that_the_table_does_not_have_comes_with_the_one_that_is_meant(entry: str) -> None:
    found = [fault for fault in faults(f"t: {{activity: a, {entry}}}", PLAIN) if fault.code == "unknown_column"]
    assert len(found) == 1
    assert found[0].severity == "error"
    if "erase: {" not in entry:
        assert found[0].remedy == "did you mean note?"


def test_a_category_that_is_not_in_the_list_is_an_error_with_the_nearest() -> None:
    (fault,) = faults("t: {activity: a, columns: {note: user.contact.emial}}", PLAIN)
    assert (fault.code, fault.remedy) == ("unknown_category", "did you mean user.contact.email?")
    assert fault.where == ("tables", "t", "columns", "note")
    (fault,) = faults("t: {activity: a, columns: {note: {category: nope, label: Note}}}", PLAIN)
    assert fault.where == ("tables", "t", "columns", "note", "category")


def test_an_origin_that_is_not_in_the_list_is_an_error() -> None:
    entry = "{category: user.content.private, origin: DerivedData}"
    (fault,) = faults(f"t: {{activity: a, columns: {{note: {entry}}}}}", PLAIN)
    assert (fault.code, fault.where[-1]) == ("unknown_term", "origin")


def test_what_is_undecided_stays_an_error() -> None:
    assert codes(faults("t: {activity: a, columns: {note: undecided}}", PLAIN)) == {"undecided": "error"}
    assert codes(faults("t: undecided", PLAIN)) == {"undecided": "error"}


def test_a_personal_column_says_what_it_holds() -> None:
    assert codes(faults("t: {activity: a, columns: {note: {label: Note}}}", PLAIN)) == {"category_missing": "error"}
    assert faults("t: {activity: a, columns: {note: {personal: false, reason: a code}}}", PLAIN) == []


VECTOR = table("t", "id bigint not null, user_id bigint, v vector(3)", indexes=[index("i", "user_id")])


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{category: user, origin: DerivedPersonalData}", {"vector_export": "warning"}),
        ("{category: user, origin: DerivedPersonalData, reason: they can read it}", {}),
        ("{category: user, origin: DerivedPersonalData, export: explain}", {}),
        ("{category: user, origin: DerivedPersonalData, export: false}", {"withheld": "warning"}),
        ("{category: user, origin: DerivedPersonalData, export: false, reason: a secret of ours}", {}),
        ("{category: user, export: explain}", {"derived": "note"}),
        ("{category: user, export: explain, origin: InferredPersonalData}", {}),
    ],
)
def test_a_vector_is_explained_or_left_out_for_a_reason_and_told_as_derived(entry: str, told: dict[str, str]) -> None:
    assert codes(faults(f"t: {{activity: a, links: {{user_id: {{}}}}, columns: {{v: {entry}}}}}", VECTOR)) == told


LOGIN = table("t", "id bigint not null, user_id bigint, v text", indexes=[index("i", "user_id")])


@pytest.mark.parametrize(
    ("entry", "is_told"),
    [
        ("user.authorization.credentials", True),
        ("user.authorization", True),
        ("{category: user.authorization.credentials, reason: a hash}", True),
        ("{category: user.authorization.credentials, export: false, reason: a secret}", False),
        ("{category: user.authorization.credentials, export: explain}", False),
        ("{category: user.authorization.credentials, third_party: true}", False),
        ("{category: user.authorization.credentials, personal: false, reason: the shop's own}", False),
        ("user.account", False),
    ],
)
def test_what_lets_somebody_in_is_not_exported(entry: str, is_told: bool) -> None:
    found = faults(f"t: {{activity: a, links: {{user_id: {{}}}}, columns: {{v: {entry}}}}}", LOGIN)
    assert codes(found) == ({"secret_exported": "warning"} if is_told else {})
    if is_told:
        told = (found[0].remedy or "").removeprefix("write ")
        assert told.startswith("v: {category: user.authorization")
        assert faults(f"t: {{activity: a, links: {{user_id: {{}}}}, columns: {{{told}}}}}", LOGIN) == []


def test_what_is_derived_may_be_said_by_its_activity() -> None:
    derived = PARTS["activities"].replace("ProvidedPersonalData", "DerivedPersonalData")
    nothing = PARTS["activities"].replace(" origin: ProvidedPersonalData", "")
    said = "t: {activity: a, links: {user_id: {}}, columns: {v: {category: user, export: explain}}}"
    assert faults(said, VECTOR, activities=derived) == []
    assert codes(faults(said, VECTOR, activities=nothing)) == {"activity_incomplete": "error", "derived": "note"}
    search = table("t", "id bigint not null, user_id bigint, v tsvector", indexes=[index("i", "user_id")])
    assert codes(faults(said, search)) == {"derived": "note"}
    assert faults(said, search, activities=derived) == []
    assert faults(said, LOGIN) == []


def test_what_is_left_out_of_exports_says_why_unless_it_is_another_ones() -> None:
    said = "t: {activity: a, links: {user_id: {}}, columns: {v: {category: user, export: false%s}}}"
    assert codes(faults(said % "", LOGIN)) == {"withheld": "warning"}
    assert codes(faults(said % ", reason: ' '", LOGIN)) == {"withheld": "warning"}
    assert faults(said % ", reason: a secret", LOGIN) == []
    assert faults(said % ", third_party: true", LOGIN) == []


def test_a_vector_under_a_star_is_told_as_well() -> None:
    found = faults("t: {activity: a, links: {user_id: {}}, columns: {'*': user}}", VECTOR)
    assert codes(found) == {"vector_export": "warning", "derived": "note"}


@pytest.mark.parametrize(
    ("facts", "expression"),
    [
        ("mood in (sad, glad)", None),
        ("text", "(v = ANY (ARRAY['sad'::text, 'glad'::text]))"),
        (
            "character varying(9)",
            "((v)::text = ANY ((ARRAY['sad'::character varying, 'glad'::character varying])::text[]))",
        ),
    ],
)
def test_codes_are_explained_one_by_one(facts: str, expression: str | None) -> None:
    checks = [check("v", expression)] if expression else []
    columns = f"id bigint not null, user_id bigint, v {facts}"
    other = table("t", columns, indexes=[index("i", "user_id")], constraints=checks)
    entry = "t: {activity: a, links: {user_id: {}}, columns: {v: {category: user%s}}}"
    assert codes(faults(entry % "", other)) == {"codes": "note"}
    (fault,) = faults(entry % ", values: {sad: not well}", other)
    assert fault.remedy == "write values: {glad: …}"
    assert faults(entry % ", values: {sad: not well, glad: well}", other) == []
    assert faults(entry % ", third_party: true", other) == []


def test_a_check_that_lists_and_asks_for_more_is_no_list_of_codes() -> None:
    more = check("v", "((v = ANY (ARRAY['a'::text, 'b'::text])) AND (length(v) > 0))")
    other = table("t", "id bigint not null, user_id bigint, v text", constraints=[more, reference("user_id", "users")],
                  indexes=[index("i", "user_id")])  # fmt: skip
    assert faults("t: {activity: a, columns: {v: user}}", other) == []


def test_categories_of_the_cache_and_of_objects_are_looked_at() -> None:
    more = "cache: {refill_max: PT1S, 'cart:{id}': {activity: a, category: nope}}"
    assert codes(faults("", more=more)) == {"unknown_category": "error"}
    more = "objects: {o: {bucket: b, prefix: 'u/{id}/', activity: a, category: nope}}"
    assert codes(faults("", more=more)) == {"unknown_category": "error"}
