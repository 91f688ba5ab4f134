"""The request of a person as a caller hands it over: the same envelope for every function, in OpenDSR's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from shared.asked import NOWHEN, Asked

Action = Literal["export", "erase"]
Right = Literal["access", "portability", "erasure"]

# What may be asked of which action.
RIGHTS: Mapping[str, Action] = {"access": "export", "portability": "export", "erasure": "erase"}
GROUNDS = tuple(f"A17-1-{letter}" for letter in "abcdef")  # Art. 17(1)
FORMATS = ("json", "csv")
HASHES = ("md5", "sha1", "sha256", "sha512")
MOST_IDENTITIES = 10
LAW = datetime(2018, 5, 25, tzinfo=UTC)  # before which nobody could ask by it


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One way in which the request names the person. Nothing shows it."""

    type: str = field(repr=False)
    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the controller has decided and checked: nothing here infers it (R14)."""

    id: str
    by_role: str
    method: str  # how the person was identified; no document ever (R15)
    checked_at: datetime
    ground: str | None = None
    level: str | None = None
    authorisation: str | None = None  # of a representative (R17)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One request."""

    id: UUID  # subject_request_id
    action: Action
    right: Right
    received_at: datetime
    kind: str | None  # of subject, where a map has several
    identities: tuple[Identity, ...]
    decision: Decision
    options: Mapping[str, Any]

    @classmethod
    def read(cls, asked: Asked, *, action: Action) -> Envelope:
        """The fields of an event. Faults are gathered in `asked`; whoever reads it lets it check in the end."""
        asked.one_of("action", [action])
        if asked.has("regulation"):
            asked.one_of("regulation", ["gdpr"])
        right = asked.one_of("subject_request_type", [right for right, of in RIGHTS.items() if of == action])
        return cls(
            id=asked.uuid("subject_request_id"),
            action=action,
            right=cast("Right", right),
            received_at=_received(asked),
            kind=asked.code("subject_kind") if asked.has("subject_kind") else None,
            identities=read_identities(asked),
            decision=_decision(asked, right),
            options=_options(asked, action),
        )


def _received(asked: Asked) -> datetime:
    """When the controller got it, on whatever way: the law's clock starts there, and no default could know it (R1)."""
    found = asked.past("submitted_time")
    if found < LAW and found is not NOWHEN:
        asked.fault("submitted_time", "before_the_law", "This is before 25 May 2018, when the GDPR began to apply.")
    return found


def read_identities(asked: Asked) -> tuple[Identity, ...]:
    found: list[Identity] = []
    for each in asked.each("subject_identities", most=MOST_IDENTITIES):
        type_ = each.text("identity_type", longest=63)
        value = each.text("identity_value", longest=320)
        if each.has("identity_format"):
            form = each.one_of("identity_format", ["raw", *HASHES])
            if form in HASHES:
                each.fault(
                    "identity_format", "identity_hashed", "A hash finds nobody here: send the value itself, raw."
                )
        if type_ in [known.type for known in found]:
            each.fault("identity_type", "identity_twice", "One person has one identity of each type.")
        found.append(Identity(type=type_, value=value))
    return tuple(found)


def _decision(asked: Asked, right: str) -> Decision:
    with asked.inside("decision") as decision:
        ground = decision.one_of("ground", GROUNDS) if right == "erasure" or decision.has("ground") else None
        with decision.inside("identity_check") as check:
            method, checked_at = check.code("method"), check.past("at")
            level = check.code("level") if check.has("level") else None
        asks = decision.one_of("requester", ["subject", "representative"]) if decision.has("requester") else "subject"
        is_represented = asks == "representative" or decision.has("authorisation_ref")
        return Decision(
            id=decision.reference("id"),
            by_role=decision.code("by_role"),
            ground=ground,
            method=method,
            checked_at=checked_at,
            level=level,
            authorisation=decision.reference("authorisation_ref") if is_represented else None,
        )


def _options(asked: Asked, action: Action) -> Mapping[str, Any]:
    if not asked.has("options"):
        return {}
    found: dict[str, Any] = {}
    with asked.inside("options") as options:
        if action == "export" and options.has("formats"):
            found["formats"] = list(options.several("formats", FORMATS))
        if action == "erase" and options.has("waiver_ref"):
            found["waiver_ref"] = options.reference("waiver_ref")
    return found
