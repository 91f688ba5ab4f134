"""The record of processing activities: all that the map says, and a blank for all that it does not (R81)."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.document import Document
from functions.audit_logging.reports.ropa import Ropa, record_of_map
from functions.audit_logging.reports.ropa_page import shown

DEMO = Document.read(Path(__file__).resolve().parents[2] / "demo" / "datamap.yaml").map.data()
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
FULL: dict[str, Any] = {
    "controller": {
        "name": "Shop <GmbH>", "contact": "privacy@shop.example", "authority": "DPA",
        "representative": "R", "officer": "O",
    },
    "subjects": {"customer": {"table": "app.users"}, "staff_member": {"table": "app.staff"}},
    "backups": {"expire_after": "P7D"},
    "activities": {
        "sales": {
            "purpose": ["ServiceProvision", "DirectMarketing"],
            "legal_basis": "A6-1-f",
            "special_basis": "A9-2-a",
            "interest": "to sell",
            "origin": "ProvidedPersonalData",
            "source": "an address broker",
            "recipients": [
                {"name": "Cloud Inc", "country": "US", "safeguard": "A46-2-c"},
                {"category": "carriers", "reason": "not known before"},
            ],
            "retention": {"period": "P10Y", "from": {"column": "issued_on", "round": "year_end"}, "law": "§ 147 AO"},
            "automated_decision": {"logic": "l", "significance": "s", "consequences": "c"},
            "description": "You buy.",
        }
    },
    "tables": {
        "app.users": {
            "activity": "sales", "columns": {"email": {"category": "user.contact.email"}, "x": {"personal": False}},
        },
        "app.invoices": {
            "activity": "sales", "keep": {"exception": "17(3)(b)", "columns": ["total"], "owner": "accounting"},
        },
        "app.products": {"personal": False, "reason": "goods"},
    },
    "cache": {"cart:{id}": {"activity": "sales"}, "refill_max": "PT30S"},
    "objects": {"uploads": {"bucket": "b", "activity": "sales", "category": "user.content"}},
}  # fmt: skip
CONCERNED = {"sales": ["customer"]}


def record(data_map: dict[str, Any], concerned: dict[str, list[str]] | None = None) -> Ropa:
    return record_of_map(data_map, digest="ab" * 32, made_at=AT, concerned=concerned)


def without(*path: str) -> dict[str, Any]:
    """The full map without one thing."""
    made = copy.deepcopy(FULL)
    place = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return made


def test_the_record_has_every_field_of_the_law() -> None:
    told = record(FULL, CONCERNED).as_data()
    assert told["controller"]["name"] == "Shop <GmbH>"  # (a)
    assert told["controller"]["officer"] == "O"
    [sales] = told["activities"]
    assert sales["purposes"] == ["ServiceProvision", "DirectMarketing"]  # (b)
    assert (sales["people"], sales["categories"]) == (["customer"], ["user.contact.email", "user.content"])  # (c)
    assert [each["name"] or each["category"] for each in sales["recipients"]] == ["Cloud Inc", "carriers"]  # (d)
    assert [(each["country"], each["safeguard"]) for each in sales["recipients"]] == [
        ("US", "A46-2-c"),
        (None, None),
    ]  # (e)
    assert sales["retention"]["period"] == "P10Y"  # (f)
    assert sales["kept"][0]["law"] == "§ 147 AO"
    assert sales["places"] == ["app.invoices", "app.users", "cache keys cart:{id}", "objects uploads"]
    assert told["security"]["needs_human"]  # (g)
    json.dumps(told)


def test_what_only_a_person_knows_is_always_blank() -> None:
    assert [path for path, _ in record(FULL, CONCERNED).blanks()] == ["/controller/joint", "/security"]


@pytest.mark.parametrize(
    ("path", "blank"),
    [
        (("controller", "representative"), "/controller/representative"),
        (("controller", "officer"), "/controller/officer"),
        (("backups",), "/backups"),
        (("activities", "sales", "purpose"), "/activities/0/purposes"),
        (("activities", "sales", "legal_basis"), "/activities/0/legal_basis"),
        (("activities", "sales", "recipients"), "/activities/0/recipients"),
        (("activities", "sales", "retention"), "/activities/0/retention"),
        (("tables", "app.users", "activity"), "/unassigned/0/activity"),
        (("tables", "app.invoices", "keep", "exception"), "/activities/0/kept/0/exception"),
    ],
)
def test_what_the_map_leaves_out_is_a_blank_and_never_guessed(path: tuple[str, ...], blank: str) -> None:
    found = record(without(*path), CONCERNED)
    places = [place for place, _ in found.blanks()]
    assert blank in places
    assert found.as_data()["blanks"] == places
    assert shown(found).count('class="blank"') == len(places)


def test_a_transfer_without_a_safeguard_is_a_blank() -> None:
    found = copy.deepcopy(FULL)
    del found["activities"]["sales"]["recipients"][0]["safeguard"]
    assert "/activities/0/recipients/0/safeguard" in [place for place, _ in record(found, CONCERNED).blanks()]


def test_nobody_is_a_recipient_only_where_the_map_says_so() -> None:
    found = copy.deepcopy(FULL)
    found["activities"]["sales"]["recipients"] = []
    assert "<dd>Nobody</dd>" in shown(record(found, CONCERNED))
    assert "<dd>Nobody</dd>" not in shown(record(without("activities", "sales", "recipients"), CONCERNED))


def test_without_a_plan_nobody_knows_which_people_an_activity_is_about() -> None:
    assert "/activities/0/people" in [place for place, _ in record(FULL).blanks()]
    alone = copy.deepcopy(FULL)
    alone["subject"] = alone.pop("subjects")["customer"]
    assert record(alone).as_data()["activities"][0]["people"] == ["person"]


def test_the_page_says_it_in_words_and_escapes_it() -> None:
    page = shown(record(FULL, CONCERNED))
    assert "Shop &lt;GmbH&gt;" in page
    assert "<GmbH>" not in page
    for words in (
        "Art. 6(1)(f), legitimate interests; for special categories Art. 9(2)(a): to sell",
        "10 years from the end of the year of issued_on (§ 147 AO)",
        "Cloud Inc, US: Art. 46(2)(c)",
        "Carriers (not by name: not known before)",
        "Provided personal data, an address broker",
        "Contact: email",
        "<dd>Staff member</dd>",
        "Art. 17(3)(b): § 147 AO; accounting answers for it",
        "Left blank: 2 places",
        "Copies in backups are gone after 7 days.",
    ):
        assert words in page, words


def test_the_record_of_a_file_and_that_of_a_stored_plan_are_one() -> None:
    stored = json.loads(json.dumps(FULL, sort_keys=True))
    assert record(stored, CONCERNED) == record(FULL, CONCERNED)


def test_every_activity_of_a_map_is_in_its_record_once() -> None:
    found = record(DEMO)
    assert [each.name for each in found.activities] == sorted(DEMO["activities"])
    places = [place for each in found.activities for place in each.places]
    tables = [name for name, entry in DEMO["tables"].items() if entry.get("personal", True)]
    assert sorted(place for place in places if place in DEMO["tables"]) == sorted(tables)
    assert len(places) == len(set(places))
    assert not found.unassigned


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
tables = st.dictionaries(
    words, st.fixed_dictionaries({}, optional={"activity": words, "personal": st.booleans()}), max_size=6
)


@given(tables, st.sets(words, max_size=3))
def test_whatever_is_personal_stands_in_one_place_of_the_record(given_: dict[str, Any], names: set[str]) -> None:
    made = without("tables") | {
        "tables": given_,
        "activities": {name: {} for name in names},
        "cache": {},
        "objects": {},
    }
    found = record(made)
    told = [place for each in found.activities for place in each.places] + [each.place for each in found.unassigned]
    assert sorted(told) == sorted(name for name, entry in given_.items() if entry.get("personal", True))
    shown(found)
