"""The pinned lists: which words there are, how they may be written, and which one was meant."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.vocabulary import Kind, Term, Vocabulary

VOCABULARY = Vocabulary.load()
TERMS = [term for terms in VOCABULARY.terms.values() for term in terms.values()]


def test_the_lists_are_those_of_the_pinned_versions() -> None:
    assert VOCABULARY.versions == {"fideslang": "3.1.4", "Data Privacy Vocabulary": "2.3"}
    assert {kind: len(VOCABULARY.terms[kind]) for kind in get_args(Kind)} == {
        "category": 85,
        "use": 55,
        "subject": 15,
        "purpose": 122,
        "origin": 9,
        "legal_basis": 26,
        "safeguard": 18,
        "right": 17,
        "justification": 23,
    }
    assert all("Copyright" in attribution for attribution in VOCABULARY.attributions)
    assert Vocabulary.load() is VOCABULARY


@pytest.mark.parametrize("text", ["A6-1-b", "eu-gdpr:A6-1-b", "https://w3id.org/dpv/legal/eu/gdpr#A6-1-b", " A6-1-b "])
def test_a_term_is_found_by_its_key_its_prefix_and_its_iri(text: str) -> None:
    term = VOCABULARY.term("legal_basis", text)
    assert term is VOCABULARY.legal_bases["A6-1-b"]


@pytest.mark.parametrize(
    "text", ["", "a6-1-b", "A6-1-z", "dpv:A6-1-b", "https://w3id.org/dpv#A6-1-b", "LegalObligation"]
)
def test_what_is_no_term_is_none(text: str) -> None:
    assert VOCABULARY.term("legal_basis", text) is None


def test_the_kinds_do_not_mix() -> None:
    assert VOCABULARY.origins["ObservedPersonalData"].iri == "https://w3id.org/dpv#ObservedPersonalData"
    assert VOCABULARY.safeguards["A45-3"].iri == "https://w3id.org/dpv/legal/eu/gdpr#A45-3"
    assert VOCABULARY.term("purpose", "dpv:ServiceProvision") is VOCABULARY.purposes["ServiceProvision"]
    assert VOCABULARY.term("origin", "ServiceProvision") is None
    assert VOCABULARY.term("category", "user.contact.email") is VOCABULARY.categories["user.contact.email"]
    assert "Sector" not in VOCABULARY.purposes


@given(st.sampled_from(TERMS))
def test_every_spelling_of_every_term_finds_it_and_so_does_its_nearest(term: Term) -> None:
    assert all(VOCABULARY.term(term.kind, spelling) is term for spelling in term.spellings)
    assert VOCABULARY.nearest(term.kind, term.key) == term.key
    assert VOCABULARY.nearest(term.kind, term.key.upper()) == term.key
    assert {each.kind for each in VOCABULARY.ancestors(term)} <= {term.kind}


@given(st.sampled_from(sorted(get_args(Kind))), st.text(max_size=20))
def test_whatever_is_nearest_is_a_term(kind: Kind, text: str) -> None:
    nearest = VOCABULARY.nearest(kind, text)
    assert nearest is None or nearest in VOCABULARY.terms[kind]


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        ("legal_basis", "Art. 6(1)(b)", "A6-1-b"),
        ("legal_basis", "article 6 (1) f", "A6-1-f"),
        ("legal_basis", "a9-2-h", "A9-2-h"),
        ("safeguard", "A46-2c", "A46-2-c"),
        ("purpose", "service provision", "ServiceProvision"),
        ("purpose", "ServiceProvison", "ServiceProvision"),
        ("purpose", "Protection of Intellectual Property Rights", "ProtectionOfIPR"),
        ("category", "email", "user.contact.email"),
        ("category", "user.contact.emial", "user.contact.email"),
        ("category", "user.provided.identifiable.contact.city", "user.contact.address.city"),
        ("category", "user.derived.identifiable.unique_id", "user.unique_id"),
        ("category", "nothing of the sort", None),
        ("category", "data.biometric", None),  # user.biometric, or user.authorization.biometric
        ("use", "my.contextual", "marketing.advertising.first_party.contextual"),
        ("use", "personalize.profiling", "personalize.content.profiling"),
        ("origin", "observed personal data", "ObservedPersonalData"),
    ],
)
def test_the_nearest_term_is_the_one_that_was_meant(kind: Kind, text: str, meant: str | None) -> None:
    assert VOCABULARY.nearest(kind, text) == meant


@pytest.mark.parametrize(
    "category",
    [
        "user.biometric.fingerprint",
        "user.biometric.health",
        "user.authorization.biometric",
        "user.health_and_medical",
        "user.health_and_medical.genetic",
        "user.demographic.race_ethnicity",
        "user.demographic.religious_belief",
        "user.demographic.political_opinion",
        "user.demographic.sexual_orientation",
    ],
)
def test_categories_of_article_9_are_special(category: str) -> None:
    assert category in VOCABULARY.categories
    assert VOCABULARY.is_special(category)


def test_other_categories_are_not_special() -> None:
    special = {key for key in VOCABULARY.categories if VOCABULARY.is_special(key)}
    assert len(special) == 14
    assert not special & {
        "user",
        "user.demographic",
        "user.demographic.gender",
        "user.criminal_history",
        "user.authorization",
    }
    assert not VOCABULARY.is_special("user.biometrics_of_somebody")


def test_each_exception_of_article_17_3_has_its_justification() -> None:
    assert {code: term.key for code, term in VOCABULARY.exceptions.items()} == {
        "17(3)(a)": "JustificationA17FreedomOfExpression",
        "17(3)(b)": "JustificationA17LegallyRequired",
        "17(3)(c)": "JustificationA17PublicHealth",
        "17(3)(d)": "JustificationA17Archiving",
        "17(3)(e)": "JustificationA17LegalClaims",
    }


def test_portability_follows_from_consent_and_contract_alone_and_objection_from_interests() -> None:
    def bases_with(right: str) -> set[str]:
        return {key[:6] for key in VOCABULARY.legal_bases if right in {term.key for term in VOCABULARY.rights_by(key)}}

    assert bases_with("A20") == {"A6-1-a", "A6-1-b"}
    assert bases_with("A21") == {"A6-1-e", "A6-1-f"}
    assert bases_with("A7-3") == {"A6-1-a"}
    assert all(bases_with(right) == {f"A6-1-{letter}" for letter in "abcdef"} for right in ("A15", "A77"))
    assert VOCABULARY.rights_by("eu-gdpr:A6-1-c") == VOCABULARY.rights_by("A6-1-c")
    assert VOCABULARY.rights_by("A9-2-a") == VOCABULARY.rights_by("nothing") == ()


def test_a_term_knows_what_is_broader() -> None:
    purpose = VOCABULARY.purposes["TargetedAdvertising"]
    broader = [term.key for term in VOCABULARY.ancestors(purpose)]
    assert broader[0] == "PersonalisedAdvertising"
    assert {"Marketing", "Personalisation", "Purpose"} <= set(broader)
    email = VOCABULARY.categories["user.contact.email"]
    assert [term.key for term in VOCABULARY.ancestors(email)] == ["user.contact", "user"]
    basis = VOCABULARY.legal_bases["A6-1-f-third-party"]
    assert [term.key for term in VOCABULARY.ancestors(basis)] == ["A6-1-f"]
