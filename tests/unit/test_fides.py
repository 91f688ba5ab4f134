"""Fides datasets become maps: what Fides can say is kept, what it cannot is undecided, what is wrong has its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamap.document import Document, Unreadable
from datamap.fides import imported
from datamap.model import Map, Table
from datamap.names import Place, Target
from datamap.names import Table as Name
from datamap.vocabulary import Vocabulary
from tests.unit.test_map_names import HOSTILE

SHOP = """\
dataset:
  - fides_key: shop
    name: Shop
    data_subjects: [customer]
    collections:
      - name: address
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: True}}
          - name: street
            data_categories: [user.contact.address.street]
            fidesops_meta: {data_type: string, length: 40}
          - name: house
            data_categories: [user.contact.address.street]
            fides_meta: {masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: x}}}
      - name: customer
        description: |
          People who buy.
          They have accounts.
        fides_meta: {erase_after: [shop.orders], masking_strategy_override: {strategy: delete}}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: yes}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email, data_type: string}}
          - {name: alt_email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - name: address_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: address.id, direction: to}]}
          - {name: notes, description: "what they: wrote"}
          - name: profile
            fides_meta: {data_type: object}
            fields:
              - {name: language, data_categories: [user.demographic.language]}
              - {name: religion, data_categories: [user.demographic.religious_belief]}
              - name: contacts
                fides_meta: {data_type: "object[]"}
                fields:
                  - {name: phone, data_categories: [user.contact.phone_number], fides_meta: {identity: phone_number}}
      - name: orders
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}
          - {name: ip, data_categories: [user.device.ip_address], masking_strategy_override: {strategy: null_rewrite}}
          - {name: agent, fides_meta: {masking_strategy_override: {strategy: hash}, read_only: true}}
          - {name: gone, fides_meta: {references: [{dataset: elsewhere, field: x.y}]}}
          - name: gifts
            fides_meta: {data_type: "object[]"}
            fields:
              - {name: to, fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}}
              - {name: email, fides_meta: {identity: email}}
      - name: order_item
        fides_meta: {skip_processing: true}
        fields:
          - {name: order_id, fides_meta: {references: [{dataset: shop, field: orders.id}]}}
          - {name: city, data_categories: [user.provided.identifiable.contact.city]}
      - name: visit
        data_categories: [user.behavior]
        fields:
          - {name: email, fides_meta: {identity: email}}
          - {name: ssn, fides_meta: {identity: ssn}}
          - {name: at}
      - name: product
        fields:
          - {name: id, data_categories: [system.operations]}
"""


def map_of(text: str) -> Map:
    return Document.parse(imported(text)).map


def table(name: str) -> Table:
    return map_of(SHOP).tables[f"public.{name}"]


def links(name: str) -> dict[str, list[dict[str, Any]]]:
    return {
        place: [link.model_dump(exclude_defaults=True) for link in several]
        for place, several in table(name).links.items()
    }


def test_identities_choose_the_subject_and_name_it() -> None:
    subject = map_of(SHOP).subject
    assert subject is not None
    assert (subject.table, subject.key) == ("public.customer", ["id"])
    assert {name: entry.column for name, entry in subject.identities.items()} == {
        "email": "email",
        "alt_email": "alt_email",
    }
    assert "# an identity in JSON is none of the subject's: profile->'contacts'[]->>'phone'" in imported(SHOP)


def test_a_reference_from_another_field_is_a_link_to_it() -> None:
    assert links("orders") == {
        "customer_id": [{"to": "public.customer.id"}],
        "gifts[]->>'to'": [{"to": "public.customer.id"}],
        "gifts[]->>'email'": [{"identity": "email"}],
    }


def test_a_reference_to_another_field_is_a_link_of_that_one_and_says_nothing_here() -> None:
    assert links("customer") == {"address_id": [{"to": "public.address.id", "role": "reference"}]}
    assert links("address") == {"id": [{"to": "public.customer.address_id"}]}


def test_a_reference_without_a_direction_is_read_away_from_the_subject() -> None:
    assert links("order_item") == {"order_id": [{"to": "public.orders.id"}]}
    turned = SHOP.replace(", direction: to", "")
    assert Document.parse(imported(turned)).map.tables["public.address"].links.keys() == {"id"}
    assert links("address")["id"] == [{"to": "public.customer.address_id"}]


def test_a_reference_that_leads_nowhere_is_a_comment() -> None:
    assert "# gone refers to elsewhere.x.y, which is not in this file" in imported(SHOP)
    alone = SHOP.replace("direction: from", "").replace("identity: email", "length: 1")
    assert "none leads away from the subject" in imported(alone) or "guess" in imported(alone)


def test_an_identity_elsewhere_is_a_link_by_identity() -> None:
    assert links("visit") == {"email": [{"identity": "email"}], "ssn": [{"identity": "ssn", "role": "undecided"}]}
    assert "# public.customer has no ssn: is this another kind of subject?" in imported(SHOP)


def test_categories_are_taken_over_the_special_one_first_and_inherited() -> None:
    assert {name: entry.category for name, entry in table("customer").columns.items()} == {
        "id": "user.unique_id",
        "email": "user.contact.email",
        "alt_email": "user.contact.email",
        "address_id": "system.operations",
        "profile": "user.demographic.religious_belief",
    }
    assert {entry.category for entry in table("visit").columns.values()} == {"user.behavior"}
    text = imported(SHOP)
    assert "# also: user.demographic.language, user.contact.phone_number" in text
    assert "# profile->>'religion': user.demographic.religious_belief" in text
    assert "# notes: no category in Fides" in text
    assert "is none of fideslang 3.1.4: did you mean user.contact.address.city?" in text


def test_what_an_erasure_does_is_undecided_unless_fides_deletes() -> None:
    erase = {name.removeprefix("public."): entry.erase for name, entry in map_of(SHOP).tables.items()}
    assert erase == {**dict.fromkeys(erase, "undecided"), "customer": "delete"}


def test_a_mask_is_told_as_the_pseudonym_that_it_is() -> None:
    text = imported(SHOP)
    assert "# Fides masks house by string_rewrite: undecided." in text
    assert "# Fides masks agent by hash: undecided." in text
    assert text.count("pseudonym, which still singles the person out (R58)") == 2
    assert "# Fides sets ip to null (null_rewrite): if the row stays, erase: {ip: null}" in text


@pytest.mark.parametrize(
    "comment",
    [
        "# Imported from Fides: shop.",
        "# description: People who buy. They have accounts.",
        "# description: what they: wrote",
        "# data_subjects: customer",
        "# erase_after: shop.orders",
        "# read_only: True",
        "# Fides skips this table (skip_processing)",
        "# all of it is the system's in Fides: perhaps {personal: false, reason: …}",
        "# activity: undecided",
        "authority: undecided}  # not in Fides",
    ],
)
def test_what_the_map_has_no_place_for_is_a_comment(comment: str) -> None:
    assert comment in imported(SHOP)


ONE = "fides_key: a\ncollections: [{name: users, fields: [{name: id, fides_meta: {identity: id}}]}]\n"


@pytest.mark.parametrize("text", [ONE, "- " + ONE.replace("\n", "\n  "), "dataset:\n  " + ONE.replace("\n", "\n  ")])
def test_a_dataset_may_stand_in_a_list_or_alone(text: str) -> None:
    assert list(map_of(text).tables) == ["public.users"]


def test_several_datasets_are_one_map_and_refer_to_each_other() -> None:
    text = """
dataset:
  - fides_key: a
    fides_meta: {namespace: {database_name: shop, schema: app}}
    collections: [{name: users, fields: [{name: id, fides_meta: {identity: user_id, primary_key: true}}]}]
  - fides_key: b
    collections:
      - name: events
        fields: [{name: who, fides_meta: {references: [{dataset: a, field: users.id, direction: from}]}}]
"""
    tables = map_of(text).tables
    assert list(tables) == ["app.users", "public.events"]
    assert tables["public.events"].links["who"][0].to == "app.users.id"
    assert list(Document.parse(imported(text, schema="Odd.one")).map.tables) == ["app.users", '"Odd.one".events']


def test_without_an_identity_the_subject_is_a_guess_and_says_so() -> None:
    text = imported(SHOP.replace("identity: ", "length: ").replace("length: email", "length: 9"))
    assert "# undecided: no field of the dataset has an identity, so this is a guess" in text
    subject = Document.parse(text).map.subject
    assert subject is not None
    assert subject.table == "public.customer"


WRONG = [  # what stands there, what is written instead, what is said of it, and at which word
    (SHOP, "", "This is no Fides dataset", None),
    (SHOP, "dataset: []\n", "There is no collection in this file", None),
    (SHOP, "system: []\n", "This is no Fides dataset", None),
    ("fides_key: shop\n    name: Shop", "name: Shop", "fides_key is missing here", "name: Shop"),
    ("collections:", "collection:", "collections is missing here", "fides_key"),
    ("dataset:\n", "dataset: {fides_key: a, collections: {}}\nother:\n", "collections is no list", "collections: {}"),
    ("collections:", "collections:\n      - x", "A collection is a mapping with a name and fields", "x\n"),
    ("- name: visit", "- nam: visit", "name is missing here", "nam: visit"),
    ("{name: at}", "{nam: at}", "name is missing here", "{nam: at}"),
    ("{name: at}", "at", "A field is a mapping with a name", "at\n"),
    ("{name: at}", "{name: ssn}", "ssn stands here a second time", "name: ssn}"),
    (
        "- name: visit",
        "- name: orders",
        "orders stands here a second time, and both would be public.orders",
        "name: orders\n        data",
    ),
    ("direction: to", "direction: up", "up is no direction", "direction: up"),
    ("field: x.y", "field: x", "x names no field", "field: x}"),
    ("[{dataset: elsewhere, field: x.y}]", "[x.y]", "A reference is a mapping with a dataset and a field", "x.y]"),
    ("{dataset: elsewhere, field: x.y}", "{field: x.y}", "dataset is missing here", "{field: x.y}"),
    ("primary_key: True", "primary_key: 7", "primary_key is neither true nor false", "primary_key: 7"),
    (
        "[system.operations], fides_meta: {primary_key: True}",
        "system",
        "data_categories is no list",
        "data_categories: system}",
    ),
    ("[user.behavior]", "[5]", "data_categories is a list of texts, and this is none", "5]"),
    (
        "{data_type: object}",
        "{data_type: string}",
        "A field with fields in it is no string",
        "data_type: string}\n            fields",
    ),
    ("data_type: string, length: 40", "data_type: text", "text is no type", "data_type: text"),
    ("{strategy: hash}", "hash", "masking_strategy_override is no mapping", "masking_strategy_override: hash"),
    ("{strategy: hash}", "{name: hash}", "strategy is missing here", "masking_strategy_override: {name"),
    ("{identity: ssn}", "{identity: [ssn]}", "identity is no text", "identity: [ssn]"),
    ("{name: at}", "{name: at", "This mapping is never closed, or lacks a comma", "{name: at"),
    ("dataset:\n", "dataset:\n\t- a\n", "A tab stands here, where YAML takes spaces only", "\t- a"),
]


@pytest.mark.parametrize(("was", "now", "message", "word"), WRONG, ids=[f"{w[1][:20]} {w[2]}" for w in WRONG])
def test_what_is_wrong_with_a_file_is_told_with_its_place(was: str, now: str, message: str, word: str | None) -> None:
    text = SHOP.replace(was, now)
    with pytest.raises(Unreadable) as caught:
        imported(text, name="shop.yml")
    (fault,) = caught.value.faults
    assert fault.message == message
    before = text[: text.index(word)] if word else ""
    assert (fault.line, fault.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert f"shop.yml:{fault.line}:{fault.column}" in str(caught.value)


CATEGORIES = st.sampled_from([*Vocabulary.load().categories, "user.provided.nonsense", "x y: #"])
TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)
NAMES = HOSTILE.filter(lambda name: bool(name.strip()) and all(ord(c) < 0x10000 for c in name))


@st.composite
def datasets(draw: st.DrawFn) -> dict[str, Any]:
    """A dataset with hostile names whose fields refer to each other."""
    names = draw(st.lists(NAMES.filter(lambda name: "." not in name), min_size=1, max_size=4, unique=True))
    fields = {
        name: draw(st.lists(NAMES.filter(lambda n: "." not in n), min_size=1, max_size=3, unique=True))
        for name in names
    }

    def field(name: str) -> dict[str, Any]:
        meta: dict[str, Any] = {"primary_key": draw(st.booleans())}
        if draw(st.booleans()):
            other = draw(st.sampled_from(names))
            target = f"{other}.{draw(st.sampled_from(fields[other]))}"
            meta["references"] = [
                {"dataset": "d", "field": target, "direction": draw(st.sampled_from(["from", "to", None]))}
            ]
        if draw(st.booleans()):
            meta["identity"] = draw(NAMES)
        if draw(st.booleans()):
            meta["masking_strategy_override"] = {"strategy": draw(NAMES)}
        nested = [
            {
                "name": draw(NAMES),
                "data_categories": draw(st.lists(CATEGORIES, max_size=1)),
                "fides_meta": {"identity": "email"},
            }
        ]
        categories = draw(st.lists(CATEGORIES, max_size=3))
        return {
            "name": name,
            "data_categories": categories,
            "description": draw(TEXTS),
            "fides_meta": meta,
            "fields": nested if draw(st.booleans()) else [],
        }

    return {
        "fides_key": "d",
        "collections": [{"name": name, "fields": [field(each) for each in fields[name]]} for name in names],
    }


@settings(max_examples=60)
@given(datasets())
def test_whatever_fides_says_can_be_read_back_from_the_map(dataset: dict[str, Any]) -> None:
    found = Document.parse(imported(json.dumps({"dataset": [dataset]}))).map
    assert list(found.tables) == [str(Name("public", each["name"])) for each in dataset["collections"]]
    for collection in dataset["collections"]:
        told = found.tables[str(Name("public", collection["name"]))]
        for field in collection["fields"]:
            categories = field["data_categories"] + [c for each in field["fields"] for c in each["data_categories"]]
            entry = told.columns.get(field["name"])
            assert entry.category in categories if entry else not categories
            for reference in field["fides_meta"].get("references", ()):
                other, _, column = reference["field"].partition(".")
                target = Target(Name("public", other), (column,))
                assert str(target) in {link.to for link in told.links[str(Place((field["name"],)))]}
    assert found.subject is not None
    assert found.subject.table in found.tables
