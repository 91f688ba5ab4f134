"""What the law leaves open about deadlines, decided, under a name with a version that stands in every record (R97).

A policy is never edited, since the dates of earlier requests follow from it: whatever changes is a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import Misuse

Pauses = Literal["suspend", "off"]


class PolicyUnknown(Misuse):
    code = "policy_unknown"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How the days are counted."""

    name: str
    pauses: Pauses
    months: int = 1  # Art. 12(3), first sentence
    extended_months: int = 3  # of receipt; "two further months"
    target_days: int = 28  # the same in every month, and never later than the law
    max_ask_days: int = 3  # whoever asks for proof later than this has not asked without undue delay
    warn_days: tuple[int, ...] = (7, 3, 1)
    idle_days: int = 7


POLICIES: Mapping[str, Policy] = {
    each.name: each
    for each in (Policy(name="gdpr-2018@1", pauses="suspend"), Policy(name="gdpr-2018-unpaused@1", pauses="off"))
}
_NEWEST: Mapping[Pauses, str] = {"suspend": "gdpr-2018@1", "off": "gdpr-2018-unpaused@1"}


def policy(name: str) -> Policy:
    """The policy of a record, however old it is. Raises PolicyUnknown."""
    if name not in POLICIES:
        raise PolicyUnknown(
            f"There is no policy for deadlines called {name!r}",
            remedy=f"one of: {', '.join(POLICIES)}; a newer version of this program may know more",
        )
    return POLICIES[name]


def newest(pauses: Pauses) -> Policy:
    """The policy of new requests."""
    return POLICIES[_NEWEST[pauses]]
