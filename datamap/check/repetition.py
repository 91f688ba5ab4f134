"""The same thing said once: what only follows from something that nobody has decided is told when somebody has."""

from __future__ import annotations

from collections.abc import Iterable

from datamap.fault import Fault, Where

_CASCADES = ("cascade_undecided", "reference_undecided")
_OF_A_LINK = ("not_null", "role", "nobody", "unlink", *_CASCADES)  # what a decision about a link could bring about
_NOT_IN_THE_MAP: Where = ("tables",)


def once(faults: Iterable[Fault]) -> list[Fault]:
    """The faults without those that say again what another says, in the order in which they came."""
    found: dict[object, Fault] = {}
    for fault in faults:
        found.setdefault((fault.code, fault.where, fault.message), fault)
    told = list(found.values())
    open_ = {fault.where for fault in told if fault.code == "undecided"}
    links = {where[:-1] for where in open_ if "links" in where}
    unclaimed = {fault.where for fault in told if fault.code == "names_a_person"}
    both = {fault.where[:2] for fault in told if fault.code == "two_people"}
    is_new = any(fault.code == "unclassified_table" for fault in told)
    return [
        fault
        for fault in told
        if not (fault.code in _OF_A_LINK and (_is_within(fault.where, links) or fault.where in unclaimed))
        and not (fault.code == "not_null" and (*fault.where[:2], "shared") in open_)
        and not (fault.code == "two_people" and any(link[:2] == fault.where[:2] for link in links))
        and not (fault.code == "unmentioned_link" and fault.where in both)
        and not (fault.code in _CASCADES and fault.where == _NOT_IN_THE_MAP and is_new)
    ]


def _is_within(where: Where, links: set[Where]) -> bool:
    return any(where[: len(link)] == link for link in links)
