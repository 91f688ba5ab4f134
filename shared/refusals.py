"""A refusal: what it owes to the person, and what it may not be (GDPR Art. 12(4), 12(5)).

Nothing here decides to refuse. It takes what somebody has decided, and says what is missing (R20, R21).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from shared import reasons
from shared.case import Case
from shared.deadlines import InstantInvalid, check_follows
from shared.errors import Misuse, Refused
from shared.reasons import Right

_YEAR = 365  # days after which another request is never one too many


class RefusalIncomplete(Misuse):
    """A refusal that does not tell the person all that the law has them told; `missing` names what."""

    code = "refusal_incomplete"

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        told = "; ".join(f"{name}, {_OWED[name]}" for name in missing)
        super().__init__("This refusal lacks what the law demands of it", remedy=f"give {told}")


class NotExcessive(Refused):
    """Requests a year apart are not too many, whatever the facts."""

    code = "not_excessive"


_OWED = {
    "text_ref": "the reference of the notice with the reasons",
    "authority": "the name of the supervisory authority that the person may complain to",
    "remedy": "the court, or where the notice tells of the judicial remedy",
    "decided_by": "the role of whoever decided it; no program does",
}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """That a request is refused, as it is recorded: codes and references."""

    decided_at: datetime
    reason: str
    text_ref: str
    authority: str
    remedy: str
    decided_by: str
    facts_ref: str | None
    notice_due_at: datetime  # exclusive; it may have passed


def refused(
    case: Case,
    at: datetime,
    *,
    right: Right,
    reason: str,
    text_ref: str,
    authority: str,
    remedy: str,
    decided_by: str,
    facts_ref: str | None = None,
    earlier_on: date | None = None,
) -> Refusal:
    """The refusal of a request. `earlier_on` is when the request before it came, where that is what makes it excessive.

    Raises InstantInvalid, ReasonUnknown, ReasonUnfounded, RefusalIncomplete, NotExcessive.
    """
    check_follows(at, case.received_at, "a refusal follows the receipt of the request")
    found = reasons.to_refuse(reason, right, facts_ref=facts_ref)
    owed = {"text_ref": text_ref, "authority": authority, "remedy": remedy, "decided_by": decided_by}
    if missing := tuple(name for name, value in owed.items() if not value.strip()):
        raise RefusalIncomplete(missing)
    if found.code == "excessive" and earlier_on is not None:
        _check_frequent(case.received_on, earlier_on)
    due_at = case.deadline.notice_due_at("refusal")
    return Refusal(decided_at=at, reason=found.code, facts_ref=facts_ref, notice_due_at=due_at, **owed)


def _check_frequent(received_on: date, earlier_on: date) -> None:
    days = (received_on - earlier_on).days
    if days < 0:
        raise InstantInvalid(
            "The earlier request came after this one", remedy="give the date of receipt of the one before"
        )
    if days >= _YEAR:
        raise NotExcessive(
            f"The request before this one came {days} days earlier, and {_YEAR} are never excessive",
            remedy="answer it, or give another reason",
        )
