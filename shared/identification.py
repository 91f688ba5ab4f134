"""Who is meant by a request: its identities resolved to exactly one person, once, at intake.

Nothing later resolves them again (threat model A7). No answer repeats a value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor

from shared.asked import Fault, Rejected
from shared.binding import bind
from shared.envelope import Identity
from shared.errors import UnfitValue
from shared.plan import Kind, Plan
from shared.row_security import let_policies_work

CUSTOMER = "controller_customer_id"  # OpenDSR's word for the controller's own number
_PLACE = "/subject_identities"


@dataclass(frozen=True, kw_only=True)
class Identified:
    """One person, by what plans bind: the whole key, or the identities of who has none."""

    kind: str
    named: Mapping[str, str]
    has_key: bool


@dataclass(frozen=True, kw_only=True)
class NotIdentified:
    """Why it is nobody, or could be several."""

    kind: str
    code: str
    message: str


def kind_of(plan: Plan, name: str | None) -> Kind:
    """The kind of subject that is meant. Raises Rejected."""
    known = {kind.name: kind for kind in plan.kinds}
    if name is None and len(known) == 1:
        return plan.kinds[0]
    if name not in known:
        message = f"This data map has these kinds of subject: {', '.join(known)}."
        raise Rejected([Fault(path="/subject_kind", code="unknown_kind", message=message)])
    return known[name]


def identify(cur: cursor, kind: Kind, identities: Sequence[Identity]) -> Identified | NotIdentified:
    """Who is meant. Raises Rejected for what is no way of naming somebody here."""
    said = _by_column(kind, identities)
    let_policies_work(cur, [kind.naming.subject])
    try:
        bind(cur, "gdpr_asked", kind.binds, [[said.get(column) for column in kind.binds]])
    except UnfitValue:
        raise _unfit() from None
    if kind.invalid is not None:
        cur.execute(kind.invalid)
        if cur.fetchone() != (0,):
            raise _unfit()
    cur.execute(kind.naming.find)
    width = len(kind.key)
    found = [(row[:width], all(row[width:])) for row in cur.fetchall()]
    fitting = [key for key, fits in found if fits]
    if len(fitting) == 1:
        return Identified(kind=kind.name, named=dict(zip(kind.key, fitting[0], strict=True)), has_key=True)
    if fitting:
        return NotIdentified(
            kind=kind.name, code="ambiguous", message=f"Several people are meant: {_more(kind, said)}."
        )
    if found:
        return NotIdentified(
            kind=kind.name, code="identities_disagree", message="These identities are not all those of one person."
        )
    guest = _guest(cur, kind)
    if guest and not set(kind.key) & set(said):
        return Identified(kind=kind.name, named=guest, has_key=False)
    return NotIdentified(kind=kind.name, code="unknown", message="Nobody is known by this.")


def _by_column(kind: Kind, identities: Sequence[Identity]) -> dict[str, str]:
    ways = dict(kind.identities) | {column: column for column in kind.key}
    if len(kind.key) == 1:
        ways.setdefault(CUSTOMER, kind.key[0])  # unless the map says what the controller's number is
    said: dict[str, str] = {}
    faults: list[Fault] = []
    for place, each in enumerate(identities):
        column = ways.get(each.type)
        path = f"{_PLACE}/{place}/identity_type"
        if column is None:
            known = ", ".join(dict.fromkeys((*kind.key, *kind.identities)))
            faults.append(Fault(path=path, code="unknown_identity", message=f"People are named here by {known}."))
        elif column in said:
            faults.append(Fault(path=path, code="identity_twice", message="This is named a second time."))
        else:
            said[column] = unicodedata.normalize("NFC", each.value).strip()
    if faults:
        raise Rejected(faults)
    return said


def _unfit() -> Rejected:
    message = "One of these values is not of its column's type."
    return Rejected([Fault(path=_PLACE, code="unfit_identity", message=message)])


def _more(kind: Kind, said: Mapping[str, str]) -> str:
    missing = [column for column in kind.key if column not in said]
    return f"name {' and '.join(missing)} as well" if missing else "give another identity"


def _guest(cur: cursor, kind: Kind) -> dict[str, str]:
    """Identities by which somebody without an account may be found, in the form in which they are compared."""
    if kind.naming.normal is None:
        return {}
    cur.execute(kind.naming.normal)
    told = cur.fetchone() or ()
    return {column: value for column, value in zip(kind.naming.guests, told, strict=True) if value}
