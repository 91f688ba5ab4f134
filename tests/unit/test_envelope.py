"""The envelope of a request: what is taken, and that every fault of one is told at once without repeating a value."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock
from shared.asked import LARGEST, Asked, Rejected, read
from shared.envelope import Envelope

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ERASURE: dict[str, Any] = {
    "action": "erase",
    "subject_request_id": "3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11",
    "subject_request_type": "erasure",
    "submitted_time": "2026-11-20T09:00:00+01:00",
    "subject_identities": [{"identity_type": "email", "identity_value": "Lena@example.com", "identity_format": "raw"}],
    "decision": {
        "id": "D-17",
        "by_role": "privacy-officer",
        "identity_check": {"method": "session", "at": "2026-11-20T08:59:00Z"},
        "ground": "A17-1-b",
    },
}


LAW, YESTERDAY = datetime(2018, 5, 26), datetime(2026, 11, 19)  # noqa: DTZ001 - a zone is drawn for each
FIRST, SECOND = "/subject_identities/0", "/subject_identities/1"


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with clock.standing_at(NOW):
        yield


def taken(event: object, action: Any = "erase") -> Envelope:
    asked = Asked(event)
    envelope = Envelope.read(asked, action=action)
    asked.check()
    return envelope


def faults(event: object, action: Any = "erase") -> list[tuple[str, str]]:
    with pytest.raises(Rejected) as rejected:
        taken(event, action)
    return [(fault.path, fault.code) for fault in rejected.value.faults]


def changed(**fields: Any) -> dict[str, Any]:
    """The example with other fields: `decision__by_role="x"`; None takes one away."""
    event = copy.deepcopy(ERASURE)
    for name, value in fields.items():
        *way, last = name.split("__")
        place: Any = event
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return event


def test_a_whole_envelope_is_taken() -> None:
    envelope = taken(ERASURE)
    assert (str(envelope.id), envelope.action, envelope.right) == (ERASURE["subject_request_id"], "erase", "erasure")
    assert envelope.received_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert [(each.type, each.value) for each in envelope.identities] == [("email", "Lena@example.com")]
    assert (envelope.decision.id, envelope.decision.ground, envelope.decision.level) == ("D-17", "A17-1-b", None)


@pytest.mark.parametrize("right", ["access", "portability"])
def test_both_rights_of_an_export_are_known_and_need_no_ground(right: str) -> None:
    event = changed(action="export", subject_request_type=right, decision__ground=None, options={"formats": ["csv"]})
    envelope = taken(event, "export")
    assert (envelope.right, envelope.decision.ground, envelope.options) == (right, None, {"formats": ["csv"]})


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"submitted_time": None}, "/submitted_time", "missing"),  # R1
        ({"submitted_time": "2026-11-20T12:00:01Z"}, "/submitted_time", "in_the_future"),
        ({"submitted_time": "2026-11-20T09:00:00"}, "/submitted_time", "invalid"),
        ({"submitted_time": "2026-11-20"}, "/submitted_time", "invalid"),
        ({"submitted_time": "2026-02-30T09:00:00Z"}, "/submitted_time", "invalid"),
        ({"submitted_time": 1795132800}, "/submitted_time", "invalid"),
        ({"submitted_time": "2018-05-24T23:59:59Z"}, "/submitted_time", "before_the_law"),
        ({"submitted_time": "1970-01-01T00:00:00Z"}, "/submitted_time", "before_the_law"),
        ({"subject_request_id": "7"}, "/subject_request_id", "invalid"),
        ({"subject_request_id": ERASURE["subject_request_id"].upper()}, "/subject_request_id", "invalid"),
        ({"subject_request_type": "access"}, "/subject_request_type", "invalid"),
        ({"subject_request_type": "deletion"}, "/subject_request_type", "invalid"),
        ({"action": "export"}, "/action", "invalid"),
        ({"regulation": "ccpa"}, "/regulation", "invalid"),
        ({"decision": None}, "/decision", "missing"),  # R14
        ({"decision__id": None}, "/decision/id", "missing"),
        ({"decision__id": "approved by Lena"}, "/decision/id", "invalid"),
        ({"decision__by_role": None}, "/decision/by_role", "missing"),
        ({"decision__by_role": "Lena Ortiz"}, "/decision/by_role", "invalid"),
        ({"decision__ground": None}, "/decision/ground", "missing"),
        ({"decision__ground": "A17-1-g"}, "/decision/ground", "invalid"),
        ({"decision__identity_check": None}, "/decision/identity_check", "missing"),
        ({"decision__identity_check__at": "2026-11-21T00:00:00Z"}, "/decision/identity_check/at", "in_the_future"),
        ({"decision__identity_check__document": "aGk="}, "/decision/identity_check", "unknown_field"),  # R15
        ({"decision__requester": "representative"}, "/decision/authorisation_ref", "missing"),  # R17
        ({"decision__requester": "friend"}, "/decision/requester", "invalid"),
        ({"subject_identities": []}, "/subject_identities", "invalid"),
        ({"subject_identities": ERASURE["subject_identities"] * 11}, "/subject_identities", "invalid"),
        ({"subject_identities": ERASURE["subject_identities"] * 2}, f"{SECOND}/identity_type", "identity_twice"),
        ({"subject_identities__0__identity_format": "sha256"}, f"{FIRST}/identity_format", "identity_hashed"),
        ({"subject_identities__0__identity_format": "md5"}, f"{FIRST}/identity_format", "identity_hashed"),
        ({"subject_identities__0__identity_value": "a\x00b"}, f"{FIRST}/identity_value", "invalid"),
        ({"subject_identities__0__identity_value": "\ud800"}, f"{FIRST}/identity_value", "invalid"),
        ({"subject_identities__0__identity_value": "  "}, f"{FIRST}/identity_value", "invalid"),
        ({"subject_identities__0__identity_value": "x" * 321}, f"{FIRST}/identity_value", "invalid"),
        ({"subject_identities__0__identity_value": 42}, f"{FIRST}/identity_value", "invalid"),
        ({"options": {"formats": ["csv"]}}, "/options", "unknown_field"),
        ({"comment": "please"}, "", "unknown_field"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(fields: dict[str, Any], path: str, code: str) -> None:
    assert faults(changed(**fields)) == [(path, code)]


@pytest.mark.parametrize("event", [None, [], "erase", 7, {1: 2}])
def test_what_is_no_object_is_no_event(event: object) -> None:
    assert ("", "no_object") in faults(event)


def test_all_faults_are_told_at_once() -> None:
    event = changed(submitted_time=None, decision__by_role=None, extra=1)
    event["subject_identities"].append({"identity_type": "phone"})
    assert faults(event) == [
        ("/submitted_time", "missing"),
        ("/subject_identities/1/identity_value", "missing"),
        ("/decision/by_role", "missing"),
        ("", "unknown_field"),
    ]


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    event = changed(submitted_time=None, submited_time="2026-11-20T09:00:00Z")
    with pytest.raises(Rejected, match=r"not known here\. Did you mean submitted_time\?"):
        taken(event)
    with pytest.raises(Rejected, match=r"Did you mean erasure\?"):
        taken(changed(subject_request_type="erasur"))


def places(value: Any) -> list[Callable[[Any], None]]:
    """Every place where something could be put into an event, as a way of putting it there."""

    def put(container: Any, key: Any) -> Callable[[Any], None]:
        return lambda said: container.__setitem__(key, said)

    found: list[Callable[[Any], None]] = []
    if isinstance(value, dict):
        found += [put(value, key) for key in value]
        found.append(lambda said: value.__setitem__(said if isinstance(said, str) else "other", 1))
    if isinstance(value, list):
        found += [put(value, place) for place in range(len(value))]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += places(each)
    return found


CANARY = "canary-Lena.Ortiz@example.org"


def shown(event: object) -> str:
    """Everything that reading an event could show to anybody."""
    asked = Asked(event)
    envelope = Envelope.read(asked, action="erase")
    with contextlib.suppress(Rejected):
        asked.check()
        return repr(envelope.identities)
    with pytest.raises(Rejected) as rejected:
        asked.check()
    return str(rejected.value) + repr(rejected.value.faults)


@given(st.data(), st.sampled_from([CANARY, [CANARY], {CANARY: CANARY}, f"\x00{CANARY}"]))
def test_no_fault_repeats_what_was_sent(data: st.DataObject, said: Any) -> None:
    event = copy.deepcopy(ERASURE)
    ways = places(event)
    ways[data.draw(st.integers(0, len(ways) - 1))](said)
    assert "canary" not in shown(event)


class TestJson:
    """What is read as JSON at all."""

    def test_an_event_is_read(self) -> None:
        assert read(json.dumps(ERASURE)) == ERASURE

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b'{"a":1,"a":2}',
            b'{"a":{"b":1,"b":1}}',
            b"NaN",
            b"[Infinity]",
            b"\xff",
            b"[" * 100_000,
            b'{"a":1}x',
        ],
    )
    def test_what_two_readers_could_read_in_two_ways_is_none(self, text: bytes) -> None:
        with pytest.raises(Rejected, match="no JSON"):
            read(text)

    def test_it_is_bounded(self) -> None:
        with pytest.raises(Rejected, match="longer than 256 KiB"):
            read(b" " * (LARGEST + 1))


@given(st.datetimes(min_value=LAW, max_value=YESTERDAY), st.integers(-14 * 60, 14 * 60))
def test_every_instant_with_a_zone_is_the_same_instant(at: datetime, minutes: int) -> None:
    told = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert taken(changed(submitted_time=told.isoformat())).received_at == told
