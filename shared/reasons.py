"""The closed lists of reasons: to take longer (Art. 12(3)), and to refuse (Art. 12(4)).

Each has a word of ours and, where W3C DPV has a term, its justification; a reason may be given by either. There is no
"other": what is on no list is for a lawyer, and then for a new version of the list.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import Misuse

Right = Literal["access", "portability", "erasure"]
_ALL: tuple[Right, ...] = ("access", "portability", "erasure")


class ReasonUnknown(Misuse):
    """A reason that is on no list, or on the list of another right."""

    code = "reason_unknown"


class ReasonUnfounded(Misuse):
    """A reason that the law takes only with facts that somebody has written down."""

    code = "reason_unfounded"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why something takes longer, or is refused."""

    code: str
    law: str
    says: str
    justification: str | None = None  # of DPV; it has no term for some
    rights: tuple[Right, ...] = _ALL
    needs_facts: bool = False  # a reference to where they are written down: they never stand in a record


def _by_code(*reasons: Reason) -> Mapping[str, Reason]:
    return {reason.code: reason for reason in reasons}


TO_EXTEND = _by_code(
    Reason(
        code="complexity",
        law="Art. 12(3)",
        says="This request is complex: not large, and not one to a large company, but hard to answer.",
        justification="JustificationA12Complexity",
    ),
    Reason(
        code="temporary_surge",
        law="Art. 12(3); EDPB 01/2022, 164",
        says="Exceptionally many requests came at once, for a cause that passes and is written down.",
        justification="JustificationA12Delay",
        needs_facts=True,
    ),
)

TO_REFUSE = _by_code(
    Reason(
        code="identity_not_proven",
        law="Art. 12(2), 12(6)",
        says="It was asked who the person is, and no sufficient answer came.",
        justification="JustificationA12IdentityFailure",
    ),
    Reason(
        code="manifestly_unfounded",
        law="Art. 12(5)(b)",
        says="The request is manifestly unfounded.",
        justification="JustificationA12ManifestlyUnfounded",
        needs_facts=True,
    ),
    Reason(
        code="excessive",
        law="Art. 12(5)(b)",
        says="The request is manifestly excessive.",
        justification="JustificationA12ManifestlyExcessive",
        needs_facts=True,
    ),
    Reason(
        code="rights_of_others",
        law="Art. 15(4), 20(4)",
        says="All of it would harm others, and leaving out their part does not help.",
        rights=("access", "portability"),
        needs_facts=True,
    ),
    Reason(
        code="not_portable",
        law="Art. 20(1)",
        says="Nothing of it is processed by automated means on consent or on a contract.",
        rights=("portability",),
    ),
    Reason(
        code="no_ground",
        law="Art. 17(1)",
        says="None of the grounds for an erasure applies.",
        rights=("erasure",),
    ),
    Reason(
        code="freedom_of_expression",
        law="Art. 17(3)(a)",
        says="It is necessary for the freedom of expression and information.",
        justification="JustificationA17FreedomOfExpression",
        rights=("erasure",),
    ),
    Reason(
        code="legally_required",
        law="Art. 17(3)(b)",
        says="A law demands that it is kept.",
        justification="JustificationA17LegallyRequired",
        rights=("erasure",),
    ),
    Reason(
        code="public_interest",
        law="Art. 17(3)(b)",
        says="It is necessary for a task in the public interest.",
        justification="JustificationA17PublicInterest",
        rights=("erasure",),
    ),
    Reason(
        code="official_authority",
        law="Art. 17(3)(b)",
        says="It is necessary for the exercise of official authority.",
        justification="JustificationA17OfficialAuthority",
        rights=("erasure",),
    ),
    Reason(
        code="public_health",
        law="Art. 17(3)(c)",
        says="It is necessary for public health.",
        justification="JustificationA17PublicHealth",
        rights=("erasure",),
    ),
    Reason(
        code="archiving",
        law="Art. 17(3)(d)",
        says="It is necessary for archiving, research or statistics, which the erasure would make impossible.",
        justification="JustificationA17Archiving",
        rights=("erasure",),
    ),
    Reason(
        code="legal_claims",
        law="Art. 17(3)(e)",
        says="It is necessary for legal claims.",
        justification="JustificationA17LegalClaims",
        rights=("erasure",),
    ),
)

# What looks like a reason and is none, with what to do about it.
_TO_ASK = {
    "identityrequired": "to ask who the person is, pause the request; it is refused where no sufficient answer comes",
    "informationrequired": "to ask the person something, pause the request",
}
_NOT_TO_EXTEND = {
    "highvolume": "many requests are none by themselves; a surge that is exceptional and passes is temporary_surge,"
    " with facts",
    "delay": "say which: complexity or temporary_surge",
    **_TO_ASK,
}
_NOT_TO_REFUSE = {
    "lackofintent": "it is a kind of manifestly_unfounded: say that",
    "maliciousintent": "it is a kind of manifestly_unfounded: say that",
    **_TO_ASK,
}


def to_extend(text: str, *, facts_ref: str | None = None) -> Reason:
    """The reason to take longer that is meant. Raises ReasonUnknown, ReasonUnfounded."""
    return _founded(_read(text, TO_EXTEND, _NOT_TO_EXTEND, "to extend a deadline"), facts_ref)


def to_refuse(text: str, right: Right, *, facts_ref: str | None = None) -> Reason:
    """The reason to refuse that is meant. Raises ReasonUnknown, ReasonUnfounded."""
    reason = _read(text, TO_REFUSE, _NOT_TO_REFUSE, "to refuse a request")
    if right not in reason.rights:
        fitting = ", ".join(code for code, each in TO_REFUSE.items() if right in each.rights)
        raise ReasonUnknown(
            f"{reason.code} ({reason.law}) is a reason to refuse {' or '.join(reason.rights)}, and not {right}",
            remedy=f"one of: {fitting}",
        )
    return _founded(reason, facts_ref)


def _founded(reason: Reason, facts_ref: str | None) -> Reason:
    if reason.needs_facts and not (facts_ref or "").strip():
        raise ReasonUnfounded(
            f"The reason {reason.code} ({reason.law}) counts only with facts that somebody has written down",
            remedy="give facts_ref, the reference of the note that has them",
        )
    return reason


def _read(text: str, reasons: Mapping[str, Reason], none_of: Mapping[str, str], purpose: str) -> Reason:
    spelled = {_squashed(reason.justification): code for code, reason in reasons.items() if reason.justification}
    known = spelled | {_squashed(code): code for code in reasons}
    word = _squashed(text)
    if word in known and word not in none_of:
        return reasons[known[word]]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    advice = f"did you mean {known[near[0]]}?" if near else f"one of: {', '.join(reasons)}"
    raise ReasonUnknown(f"That is no reason {purpose}", remedy=none_of.get(word, advice))


def _squashed(text: str) -> str:
    """`eu-gdpr:JustificationA12Complexity`, `A12Complexity` and `complexity` are one."""
    word = re.sub(r"[^a-z0-9]", "", re.split(r"[#:]", text)[-1].lower())
    return re.sub(r"^(justification)?(a12|a17)?(manifestly)?", "", word)
