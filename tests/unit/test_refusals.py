"""Refusals, and the closed lists of reasons."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.vocabulary import Vocabulary
from shared import case, deadlines, policy, reasons, refusals, working_days
from shared.case import Case
from shared.deadlines import InstantInvalid
from shared.errors import Misuse, Refused, SuiteError
from shared.policy import newest
from shared.reasons import TO_EXTEND, TO_REFUSE, ReasonUnfounded, ReasonUnknown, Right, to_extend, to_refuse
from shared.refusals import NotExcessive, RefusalIncomplete, refused

RECEIVED_AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
CASE = Case(received_at=RECEIVED_AT, zone="Europe/Brussels", calendar=None, policy=newest("suspend"))
LATER = RECEIVED_AT + timedelta(days=10)
COMPLETE: dict[str, Any] = {
    "right": "access",
    "reason": "identity_not_proven",
    "text_ref": "letter-17",
    "authority": "Berlin DPA",
    "remedy": "Verwaltungsgericht Berlin",
    "decided_by": "privacy-officer",
}
FACTS = {**COMPLETE, "reason": "excessive", "facts_ref": "note-3"}


def test_a_refusal_holds_codes_and_references_and_says_until_when_the_person_is_told() -> None:
    refusal = refused(CASE, LATER, **COMPLETE)
    assert (refusal.reason, refusal.text_ref, refusal.authority) == ("identity_not_proven", "letter-17", "Berlin DPA")
    assert (refusal.remedy, refusal.decided_by) == ("Verwaltungsgericht Berlin", "privacy-officer")
    assert refusal.notice_due_at == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert refusal.decided_at == LATER


@pytest.mark.parametrize("name", ["text_ref", "authority", "remedy", "decided_by"])
@pytest.mark.parametrize("value", ["", "  \n"])
def test_a_refusal_that_lacks_what_the_law_demands_is_none(name: str, value: str) -> None:
    with pytest.raises(RefusalIncomplete, match=f"give {name}, ") as caught:
        refused(CASE, LATER, **{**COMPLETE, name: value})
    assert caught.value.missing == (name,)


def test_everything_that_a_refusal_lacks_is_told_at_once() -> None:
    with pytest.raises(RefusalIncomplete) as caught:
        refused(CASE, LATER, **{**COMPLETE, "text_ref": "", "remedy": ""})
    assert caught.value.missing == ("text_ref", "remedy")
    assert "text_ref, the reference of the notice with the reasons; remedy, the court" in str(caught.value)


@pytest.mark.parametrize("reason", [code for code, reason in TO_REFUSE.items() if reason.needs_facts])
def test_what_counts_with_facts_alone_is_refused_without_them(reason: str) -> None:
    right = TO_REFUSE[reason].rights[0]
    for facts_ref in (None, " "):
        with pytest.raises(ReasonUnfounded, match="give facts_ref"):
            refused(CASE, LATER, **{**COMPLETE, "reason": reason, "right": right, "facts_ref": facts_ref})
    assert refused(CASE, LATER, **{**COMPLETE, "reason": reason, "right": right, "facts_ref": "note-3"})


def test_unfounded_and_excessive_need_facts() -> None:
    assert {"manifestly_unfounded", "excessive"} <= {code for code, each in TO_REFUSE.items() if each.needs_facts}


@pytest.mark.parametrize("days", [365, 366, 4000])
def test_a_request_a_year_after_the_last_is_never_excessive(days: int) -> None:
    earlier = CASE.received_on - timedelta(days=days)
    with pytest.raises(NotExcessive, match=f"{days} days earlier") as caught:
        refused(CASE, LATER, **FACTS, earlier_on=earlier)
    assert isinstance(caught.value, Refused)
    assert refused(CASE, LATER, **{**FACTS, "reason": "manifestly_unfounded"}, earlier_on=earlier)


@pytest.mark.parametrize("earlier_on", [None, date(2026, 3, 31), date(2025, 4, 1)])
def test_a_request_within_the_year_or_the_first_one_may_be_excessive(earlier_on: date | None) -> None:
    assert refused(CASE, LATER, **FACTS, earlier_on=earlier_on).reason == "excessive"


def test_what_cannot_have_been_is_refused() -> None:
    with pytest.raises(InstantInvalid, match="came after this one"):
        refused(CASE, LATER, **FACTS, earlier_on=date(2026, 4, 1))
    with pytest.raises(InstantInvalid, match="a refusal follows the receipt"):
        refused(CASE, RECEIVED_AT - timedelta(seconds=1), **COMPLETE)


def test_a_refusal_after_the_first_month_owes_its_notice_since_then() -> None:
    told = CASE.extended(LATER, reason="complexity", text_ref="letter-1").notified(LATER)
    refusal = refused(told, datetime(2026, 6, 1, tzinfo=UTC), **COMPLETE)
    assert refusal.notice_due_at == CASE.deadline.due_at < refusal.decided_at


# Reasons ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "complexity",
        "Complexity",
        "A12Complexity",
        "JustificationA12Complexity",
        "eu-gdpr:JustificationA12Complexity",
        "https://w3id.org/dpv/legal/eu/gdpr#JustificationA12Complexity",
    ],
)
def test_a_reason_is_given_by_our_word_or_by_its_justification(text: str) -> None:
    assert to_extend(text) is TO_EXTEND["complexity"]


@pytest.mark.parametrize(
    "text", ["high_volume", "HighVolume", "JustificationA12HighVolume", "eu-gdpr:JustificationA12HighVolume"]
)
def test_many_requests_are_no_reason_to_take_longer(text: str) -> None:
    with pytest.raises(ReasonUnknown, match=r"none by themselves.*temporary_surge, with facts"):
        to_extend(text)
    assert not any("HighVolume" in str(reason.justification) for reason in TO_EXTEND.values())


def test_a_surge_that_passes_is_one_with_facts() -> None:
    assert to_extend("temporary_surge", facts_ref="note-9") is TO_EXTEND["temporary_surge"]
    with pytest.raises(ReasonUnfounded, match="facts_ref"):
        to_extend("temporary_surge")
    with pytest.raises(ReasonUnfounded, match="facts_ref"):
        CASE.extended(LATER, reason="temporary_surge", text_ref="letter-1")
    extension = CASE.extended(LATER, reason="temporary_surge", text_ref="letter-1", facts_ref="note-9").extension
    assert extension is not None
    assert (extension.reason, extension.facts_ref) == ("temporary_surge", "note-9")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("complexty", "did you mean complexity?"),
        ("temporary surge!", None),
        ("JustificationA12Delay", "say which: complexity or temporary_surge."),
        ("JustificationA12IdentityRequired", "to ask who the person is, pause the request"),
        ("holidays of the staff", "one of: complexity, temporary_surge."),
        ("", "one of: complexity, temporary_surge."),
    ],
)
def test_what_is_no_reason_to_extend_is_told_with_what_is(text: str, advice: str | None) -> None:
    if advice is None:
        assert to_extend(text, facts_ref="note-9").code == "temporary_surge"
        return
    with pytest.raises(ReasonUnknown) as caught:
        to_extend(text)
    assert isinstance(caught.value, Misuse)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("text", "right", "advice"),
    [
        ("excesive", "access", "did you mean excessive?"),
        ("legal_claim", "erasure", "did you mean legal_claims?"),
        ("legal_claims", "access", "is a reason to refuse erasure, and not access: one of: identity_not_proven,"),
        ("not_portable", "access", "is a reason to refuse portability, and not access"),
        ("complexity", "access", "That is no reason to refuse a request"),
        ("JustificationA12MaliciousIntent", "access", "a kind of manifestly_unfounded"),
        ("anna@example.org", "erasure", "one of: identity_not_proven"),
    ],
)
def test_what_is_no_reason_to_refuse_is_told_with_what_is(text: str, right: Right, advice: str) -> None:
    with pytest.raises(ReasonUnknown) as caught:
        to_refuse(text, right, facts_ref="note-3")
    assert advice in str(caught.value)
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize("reason", TO_REFUSE.values(), ids=lambda reason: reason.code)
def test_every_reason_to_refuse_is_taken_by_word_and_justification_for_its_rights_alone(reason: Any) -> None:
    for right in get_args(Right):
        for text in filter(None, (reason.code, reason.justification)):
            if right in reason.rights:
                assert to_refuse(text, right, facts_ref="note-3") is reason
            else:
                with pytest.raises(ReasonUnknown):
                    to_refuse(text, right, facts_ref="note-3")


def test_every_justification_is_a_term_of_dpv_and_no_two_reasons_share_one() -> None:
    given = [each.justification for each in (*TO_EXTEND.values(), *TO_REFUSE.values()) if each.justification]
    assert set(given) <= set(Vocabulary.load().justifications)
    assert len(given) == len(set(given))


def test_every_exception_to_erasure_of_the_map_is_a_reason_to_refuse_one() -> None:
    named = {each.justification for each in TO_REFUSE.values() if each.rights == ("erasure",)}
    assert {term.key for term in Vocabulary.load().exceptions.values()} <= named


@given(st.text(max_size=20), st.sampled_from(get_args(Right)))
def test_a_text_is_never_taken_for_a_reason_that_it_does_not_spell(text: str, right: Right) -> None:
    try:
        found = to_refuse(text, right, facts_ref="note-3")
    except ReasonUnknown:
        return
    assert found.code.replace("_", "").removeprefix("manifestly") in "".join(filter(str.isalnum, text.lower()))


def test_the_page_names_every_reason_with_its_law_and_every_code() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "deadlines.md").read_text()
    for reason in (*TO_EXTEND.values(), *TO_REFUSE.values()):
        assert f"`{reason.code}`" in page
        assert reason.law.split(";")[0].split(",")[0] in page
    modules = (case, deadlines, policy, reasons, refusals, working_days)
    errors = [each for module in modules for each in vars(module).values() if inspect.isclass(each)]
    codes = {each.code for each in errors if issubclass(each, SuiteError) and each.__module__ != SuiteError.__module__}
    assert len(codes) == 13
    assert all(f"`{code}`" in page for code in codes)
