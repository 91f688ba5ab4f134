"""The map's parts, and their JSON Schema: what an editor takes is what we take."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from datamap import schema, source
from datamap.document import Document, Unreadable
from datamap.model import Map
from tests.unit.test_map_document import MAP, VALUES

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = Draft202012Validator(schema.schema())
MARKS = sorted((where for where in source.read(MAP).marks if where), key=str)


def is_read(document: Any) -> bool:
    try:
        Document.parse(json.dumps(document))
    except Unreadable:
        return False
    return True


def test_the_shipped_schema_is_current_and_small() -> None:
    shipped = schema.FILE.read_text(encoding="utf-8")
    assert shipped == schema.text(), "write it anew: python -m datamap.schema"
    assert len(shipped) < 60_000


def test_the_schema_is_one_of_draft_2020_12_that_editors_can_use() -> None:
    made = schema.schema()
    Draft202012Validator.check_schema(made)
    assert (made["$id"], made["title"]) == ("datamap.schema.json", "Data map")
    assert all("description" in part for part in made["$defs"].values())
    assert '"title"' not in json.dumps({key: value for key, value in made.items() if key != "title"})


def test_an_editor_offers_legal_bases_exceptions_origins_roles_and_actions_but_no_long_lists() -> None:
    def offered(*where: str | int) -> list[Any]:
        return schema.values(schema.at(where))

    assert "A6-1-b-contract-performance" in offered("activities", "a", "legal_basis")
    assert set(offered("activities", "a", "special_basis")) == {f"A9-2-{letter}" for letter in "abcdefghij"}
    assert offered("tables", "t", "keep", "exception") == [f"17(3)({letter})" for letter in "abcde"]
    assert "ObservedPersonalData" in offered("tables", "t", "columns", "c", "origin")
    assert offered("tables", "t", "links", "l", "role") == ["owner", "actor", "reference", "undecided"]
    assert "refresh" in offered("tables", "t", "erase")
    assert not offered("activities", "a", "purpose")
    assert not offered("tables", "t", "columns", "c", "category")


def test_the_map_of_the_design_is_valid() -> None:
    assert VALIDATOR.is_valid(source.read(MAP).value)


@pytest.mark.skipif(not (ROOT / "demo" / "datamap.yaml").exists(), reason="the demo has no map yet")
def test_the_map_of_the_demo_is_valid() -> None:
    text = source.content(ROOT / "demo" / "datamap.yaml")
    assert VALIDATOR.is_valid(source.read(text).value)
    assert Document.parse(text)


TABLE = ("tables", "app.users")
COLUMN = (*TABLE, "columns", "email")
LINK = ("tables", "app.messages", "links", "sender_id")
ACTIVITY = ("activities", "account")
KEEP = ("tables", "app.invoices", "keep")
PATTERN = ("cache", "cart:{id}")

TAKEN: list[tuple[tuple[str, ...], Any]] = [
    (("subject", "key"), "id"),
    (("subject", "key"), ["tenant_id", "id"]),
    (("subject", "nobody"), {"id": 0}),
    (("subject", "nobody"), 0),
    (("subject", "nobody"), "nobody"),
    (("subject", "identities"), {}),
    (("subject", "identities", "email"), "email"),
    (("subject", "identities", "email"), {"column": "email", "match": "folded", "shared": True}),
    ((*ACTIVITY, "purpose"), ["ServiceProvision", "AccountManagement"]),
    ((*ACTIVITY, "recipients"), []),
    ((*ACTIVITY, "recipients"), ["AWS", {"name": "Mailer", "country": "US", "safeguard": "A46-2-c"}]),
    ((*ACTIVITY, "recipients"), [{"category": "banks", "reason": "the person chooses it"}]),
    ((*ACTIVITY, "retention"), {"period": "P6M", "from": "the last login"}),
    ((*ACTIVITY, "retention"), {"period": "P1Y6M", "from": {"column": "closed_on"}, "law": "§ 147 AO"}),
    ((*ACTIVITY, "legal_basis"), "https://w3id.org/dpv/legal/eu/gdpr#A6-1-f"),
    ((*ACTIVITY, "automated_decision"), {"logic": "a", "significance": "b", "consequences": "c"}),
    (TABLE, "undecided"),
    (TABLE, {}),
    ((*TABLE, "erase"), "external_manual"),
    ((*TABLE, "erase"), {"name": None, "email": "random", "tags": "empty", "owner_id": "nobody", "n": {"value": 0}}),
    ((*TABLE, "shared"), "undecided"),
    ((*TABLE, "shared"), True),
    ((*TABLE, "stub"), {"name": {"value": ""}}),
    ((*TABLE, "key"), ["id"]),
    (COLUMN, "user.contact.email"),
    (COLUMN, False),
    (COLUMN, {"category": "user", "export": "explain", "origin": "DerivedPersonalData", "unit": "cm"}),
    (COLUMN, {"export": False, "reason": "a password", "third_party": True, "values": {"1": "open"}}),
    (LINK, {}),
    (LINK, "actor"),
    (LINK, []),
    (LINK, [{"when": "kind = 'user'"}, {"when": "kind = 'team'", "to": "app.teams.id"}]),
    (LINK, {"identity": "email", "erase": "unlink", "export": False}),
    (LINK, {"erase": "nobody"}),
    (LINK, {"erase": "unlink", "reason": "handed over to the team"}),
    ((*KEEP, "set"), {"note": {"value": "removed"}}),
    ((*KEEP, "exception"), "17(3)(e)"),
    (PATTERN, "undecided"),
    (PATTERN, {"holds": {"field": "user_id", "identity": "email"}, "type": "hash", "erase": "expire"}),
    (PATTERN, {"holds": {"value": True}}),
    (("backups",), {"expire_after": "P35D"}),
    (("application_roles",), ["shop"]),
    (("tables", "audit.*"), {"personal": False, "reason": "technical"}),
    (("tables", 'app."odd.name"'), "undecided"),
]

REFUSED: list[tuple[tuple[str, ...], Any]] = [
    (("version",), 2),
    (("version",), "1"),
    (("version",), True),
    (("words",), {}),
    (("controller",), {"name": "x", "contact": "y"}),
    (("controller", "holidays"), None),
    (("subject", "key"), []),
    (("subject", "key"), ""),
    (("subject", "key"), [""]),
    (("subject", "table"), "a.b.c"),
    (("subject", "identities"), ["email"]),
    (("subject", "identities", "email"), ""),
    (("subject", "identities", "email"), {"match": "exact"}),
    (("subject", "identities", "email"), {"column": "email", "match": "fuzzy"}),
    (("subject", "nobody"), {"id": None}),
    (("subject", "nobody"), True),
    (LINK, {"erase": "delete", "reason": ""}),
    ((*TABLE, "erase"), "nobody"),
    (("subjects",), {"guest": {"table": "app.guests", "key": "id"}}),
    ((*ACTIVITY, "purpose"), {"a": "b"}),
    ((*ACTIVITY, "recipients"), "AWS"),
    ((*ACTIVITY, "recipients"), [{"category": "banks"}]),
    ((*ACTIVITY, "recipients"), [""]),
    ((*ACTIVITY, "retention"), {}),
    ((*ACTIVITY, "retention"), {"law": "§ 147 AO"}),
    ((*ACTIVITY, "retention"), {"period": "10 years"}),
    ((*ACTIVITY, "retention"), {"period": "P"}),
    ((*ACTIVITY, "retention"), {"period": "P1Y", "from": {"round": "year_end"}}),
    ((*ACTIVITY, "retention"), {"period": "P1Y", "from_": "now"}),
    ((*ACTIVITY, "legal_basis"), None),
    ((*ACTIVITY, "automated_decision"), {"logic": "a"}),
    (TABLE, "delete"),
    (TABLE, None),
    (TABLE, {"erase": "kep"}),
    (TABLE, {"erase": ["delete"]}),
    (TABLE, {"erase": {"name": "dead"}}),
    (TABLE, {"erase": {"name": {"value": None}}}),
    (TABLE, {"erase": {"": None}}),
    (TABLE, {"shared": "yes"}),
    (TABLE, {"personal": "no"}),
    (TABLE, {"links": ["user_id"]}),
    (TABLE, {"colums": {}}),
    (COLUMN, True),
    (COLUMN, ""),
    (COLUMN, 0),
    (COLUMN, {"export": "no"}),
    (COLUMN, {"export": 1}),
    (COLUMN, {"values": {"1": 2}}),
    (LINK, "ownr"),
    (LINK, ["actor"]),
    (LINK, {"role": "delete"}),
    (LINK, {"erase": "keep"}),
    (LINK, {"export": True}),
    (LINK, {"export": 0}),
    (LINK, {"export": {"redact": "body"}}),
    (KEEP, {"exception": "17(3)(b)"}),
    (KEEP, {"columns": "number"}),
    (PATTERN, {"holds": {}}),
    (PATTERN, {"holds": {"json_": "user_id"}}),
    (PATTERN, {"type": "json"}),
    (PATTERN, {"erase": "keep"}),
    (("cache", "refill_max"), 30),
    (("backups",), {}),
    (("objects", "uploads"), {"prefix": "users/"}),
    (("tables", "a.b.c"), "undecided"),
    (("tables", "a,b.*"), "undecided"),
    (("tables", ""), "undecided"),
]


def with_value(where: tuple[str | int, ...], value: Any) -> Any:
    """The map of the design with something else in one place."""
    document = copy.deepcopy(source.read(MAP).value)
    below = document
    for step in where[:-1]:
        below = below.setdefault(step, {}) if isinstance(below, dict) else below[step]
    below[where[-1]] = value
    return document


@pytest.mark.parametrize(("where", "value"), TAKEN, ids=str)
def test_what_the_schema_takes_the_model_takes(where: tuple[str, ...], value: Any) -> None:
    document = with_value(where, value)
    assert (VALIDATOR.is_valid(document), is_read(document)) == (True, True)


@pytest.mark.parametrize(("where", "value"), REFUSED, ids=str)
def test_what_the_schema_refuses_the_model_refuses(where: tuple[str, ...], value: Any) -> None:
    document = with_value(where, value)
    assert (VALIDATOR.is_valid(document), is_read(document)) == (False, False)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("controller", "timezone"), "Berlin"),
        ((*LINK, "when"), "kind = User"),
        ((*LINK, "to"), "users"),
        (("tables", "app.messages", "links", "a, b[]"), {}),
    ],
    ids=str,
)
def test_zones_conditions_and_places_are_left_to_the_model(where: tuple[str, ...], value: Any) -> None:
    document = with_value(where, value)
    assert (VALIDATOR.is_valid(document), is_read(document)) == (True, False)


@settings(max_examples=150)
@given(VALUES, st.sampled_from(MARKS))
def test_whatever_the_model_takes_the_schema_takes(value: object, where: tuple[str | int, ...]) -> None:
    document = with_value(where, value)
    assert VALIDATOR.is_valid(document) or not is_read(document)


def test_the_data_of_a_map_is_a_map_again_and_holds_no_defaults() -> None:
    found = Document.parse(MAP).map
    data = found.data()
    assert Map.model_validate(json.loads(json.dumps(data))) == found
    assert data["tables"]["app.messages"]["links"]["sender_id"] == [{"erase": {"body": None, "sender_id": None}}]
    assert data["activities"]["invoices"]["retention"]["from"] == {"column": "issued_on", "round": "year_end"}
    assert "personal" not in data["tables"]["app.users"]


def test_short_forms_are_the_long_ones() -> None:
    found = Document.parse(json.dumps(with_value(LINK, "actor"))).map
    assert found.tables["app.messages"].links["sender_id"][0].role == "actor"
    assert (
        Document.parse(json.dumps(with_value(COLUMN, False))).map.tables["app.users"].columns["email"].personal is False
    )
    assert Document.parse(json.dumps(with_value(TABLE, "undecided"))).map.tables["app.users"].erase == "undecided"
    assert (
        Document.parse(json.dumps(with_value(PATTERN, "undecided"))).map.cache.patterns["cart:{id}"].erase
        == "undecided"
    )


def test_nobody_is_short_for_the_columns_that_it_stands_in() -> None:
    subject = {"table": "app.users", "key": "id", "nobody": 0}
    assert Document.parse(json.dumps(with_value(("subject",), subject))).map.kinds["person"].nobody == {"id": 0}

    def erase(place: str, entry: object) -> object:
        found = Document.parse(json.dumps(with_value(("tables", "app.messages", "links"), {place: entry}))).map
        return found.tables["app.messages"].links[place][-1].erase

    assert erase("sender_id", {"erase": "nobody"}) == {"sender_id": "nobody"}
    assert erase("tenant_id, sender_id", {"erase": "nobody"}) == {"tenant_id": "nobody", "sender_id": "nobody"}
    assert erase("a", [{"when": "b = 'c'", "erase": "delete"}, {"erase": "nobody"}]) == {"a": "nobody"}
    assert erase('"a.b"', {"erase": "nobody"}) == {"a.b": "nobody"}


@pytest.mark.parametrize(
    ("where", "value", "at", "message", "remedy"),
    [
        (
            ("subject",), {"table": "u", "key": ["tenant_id", "id"], "nobody": 0}, ("subject", "nobody"),
            "Nobody is one value, and the key has 2 columns", "write nobody: {tenant_id: …, id: …}",
        ),
        (
            ("tables", "app.messages", "links"), {"p->>'a'": {"erase": "nobody"}}, ("tables", "app.messages", "links"),
            "Nobody fits a whole column, and p->>'a' is a place within one", "write erase: unlink",
        ),
        (
            ("tables", "app.messages", "links"), {"ids[]": [{"erase": "nobody"}]}, ("tables", "app.messages", "links"),
            "Nobody fits a whole column, and ids[] is a place within one", "write erase: unlink",
        ),
    ],
)  # fmt: skip
def test_where_nobody_cannot_stand_it_is_said_what_can(
    where: tuple[str, ...], value: object, at: tuple[str, ...], message: str, remedy: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        Document.parse(json.dumps(with_value(where, value)))
    (fault,) = caught.value.faults
    assert (fault.where, fault.message, fault.remedy) == (at, message, remedy)


def test_a_link_without_a_place_is_told_once() -> None:
    with pytest.raises(Unreadable) as caught:
        Document.parse(json.dumps(with_value(("tables", "app.messages", "links"), {"a->": {"erase": "nobody"}})))
    assert {fault.where for fault in caught.value.faults} <= {
        ("tables", "app.messages", "links", "a->"), ("tables", "app.messages", "links", "a->", "erase")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("a == 'b'", "write a = 'b'"),
        ("a === 'b'", "write a = 'b'"),
        ('a = "b"', "write a = 'b'"),
        ("a = 'b' && c = 1", "write a = 'b' and c = 1"),
        ("a = 'b' or a = 'c'", "write a link for each: [{when: …}, {when: …}]"),
        ("a = 'b' || a = 'c'", "write a link for each: [{when: …}, {when: …}]"),
        ("a", "write: column = 'value', column in ('a', 'b') or column is null, joined by and"),
        ("a -> = 1", "write column = 'value', column in ('a', 'b') or column is null"),
    ],
)
def test_a_condition_of_another_language_is_told_in_ours(written: str, remedy: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Document.parse(json.dumps(with_value(LINK, {"when": written})))
    (fault,) = caught.value.faults
    assert (fault.where[-1], fault.remedy) == ("when", remedy)


def test_the_only_kind_of_subject_is_called_person() -> None:
    assert list(Document.parse(MAP).map.kinds) == ["person"]
    several = with_value(("subjects",), {"guest": {"table": "app.guests", "key": "id"}})
    del several["subject"]
    assert list(Document.parse(json.dumps(several)).map.kinds) == ["guest"]
