"""Whose a row is where nobody has said so: a foreign key that is new, and a parent that outlives whoever owns it.

Rules 3 and 8 of docs/ownership.md decide both without a word of the map, and an erasure deletes by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datamap.check.advice import of_whom_points
from datamap.check.decision import with_said
from datamap.check.survey import Survey, entry_of
from datamap.check.tables import is_undecided
from datamap.check.tables import key as as_key
from datamap.compile.changes import table_action
from datamap.compile.ownership import Ownership
from datamap.compile.resolution import Dataset, Link
from datamap.fault import Fault, Severity
from datamap.model import UNDECIDED


def faults(survey: Survey) -> Iterator[Fault]:
    """Of the tables that people own rows of."""
    for dataset in survey.personal:
        if not is_undecided(dataset):
            yield from _unmentioned(dataset, survey)
            yield from _above(dataset, survey)
    for ownership in survey.ownerships:
        for dataset in ownership.datasets.values():
            for link in ownership.parents(dataset):
                yield from _below(dataset, link, ownership)


# A foreign key that the map does not mention ------------------------------------------------------------------------


def _unmentioned(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    """Rule 7: the nearest link wins, so one that is new takes rows from those who owned them."""
    said = [link for link in dataset.links if link.where != dataset.where]
    for link in dataset.owner_links:
        if any(_is_the_same(link, each) for each in said):
            continue
        others = [each for each in _ways(dataset, survey) if not _is_the_same(link, each)]
        others = [each for each in others if entry_of(dataset, each).role != UNDECIDED]
        if others:
            yield _unsaid(dataset, link, others[0])


def _is_the_same(link: Link, other: Link) -> bool:
    """Of two keys to the same people one may hold the columns of the other, and a tenant."""
    mine, theirs = set(link.place.columns), set(other.place.columns)
    return mine <= theirs or theirs <= mine


def _ways(dataset: Dataset, survey: Survey) -> Iterator[Link]:
    """All by which a row may be somebody's: its own links to people, and those to rows that pass ownership on."""
    yield from dataset.owner_links
    passing = {name for ownership in survey.ownerships for name, each in ownership.datasets.items() if each.passes_on}
    yield from (link for link in dataset.parent_links if link.is_owner and link.target in passing)


def _unsaid(dataset: Dataset, link: Link, other: Link) -> Fault:
    place = as_key(str(link.place))
    return Fault(
        code="unmentioned_link",
        message=f"{dataset.name}: rows are owned by {other.place}, the foreign key {link.place} names a person as well,"
        " and the map does not say whether the row is theirs",
        where=dataset.where,
        remedy=f"write under links: `{place}: {{}}` (it is theirs), `{place}: actor` (they merely acted on it, and it"
        f" stays) or `{place}: reference` (it says nothing of whose the row is)",
        about=link,
    )


# Above a person ----------------------------------------------------------------------------------------------------


def _above(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    """A table that only those find who acted on its rows, and that a person's own row points at: a user's partner."""
    above = survey.above(dataset)
    is_found = dataset.owner_links or any(list(ownership.parents(dataset)) for ownership in survey.ownerships)
    if not above or is_found or not dataset.person_links or dataset.subject_of or dataset.decision.shared is not False:
        return
    if not (dataset.decision.reason or "").strip():
        yield Fault(
            code="unreached",
            message=f"{dataset.name} is personal, and found for those alone who acted on it; rows of {above[0].table}"
            " point at it, and nothing is reached upward from a person",
            where=dataset.where,
            severity="warning",
            remedy=f"write reason: at {dataset.name}, which says whose its rows are, or name the link to their owner\n"
            f"{of_whom_points(dataset, above[0])}",
        )


# A parent that stays ------------------------------------------------------------------------------------------------


def _below(dataset: Dataset, link: Link, ownership: Ownership) -> Iterator[Fault]:
    """Rule 8: the owner of the parent leaves and the parent stays, so who still needs it may need this row, too."""
    parent = ownership.datasets[link.target]
    entry = entry_of(dataset, link)
    if UNDECIDED in (entry.role, entry.erase, dataset.decision.shared):
        return
    action = link.erase or table_action(dataset)
    what = "deleted" if action == "delete" else "changed"
    is_done = action in ("delete", "keep") or isinstance(action, Mapping) or link.erase is not None
    if is_done and _stays(parent, ownership) and not _is_explained(dataset, link):
        yield _orphaned(dataset, link, what)


def _stays(parent: Dataset, ownership: Ownership) -> bool:
    """Whether rows that are somebody's outlive them, by decision, and not for the sake of a law."""
    if UNDECIDED in (parent.decision.erase, parent.decision.shared):
        return False
    ways = [*ownership.own_links(parent), *ownership.parents(parent)]
    known = [link for link in ways if UNDECIDED not in (entry_of(parent, link).role, entry_of(parent, link).erase)]
    actions = [link.erase or table_action(parent) for link in known]
    return any(action == "unlink" or isinstance(action, Mapping) for action in actions)


def _is_decided(dataset: Dataset, link: Link) -> bool:
    return link.erase is not None or dataset.decision.erase is not None or dataset.decision.keep is not None


def _is_explained(dataset: Dataset, link: Link) -> bool:
    reason = entry_of(dataset, link).reason or dataset.decision.reason or ""
    return _is_decided(dataset, link) and bool(reason.strip())


def _orphaned(dataset: Dataset, link: Link, what: str) -> Fault:
    is_decided = _is_decided(dataset, link)
    severity: Severity = "warning" if is_decided else "error"
    unsaid = "" if is_decided else ", and nobody has decided it"
    referring = with_said(dataset, link, role="reference", erase=None)
    meant = (
        f"or, if it is meant, reason: at {dataset.name}, which says why they go and what they belong to stays"
        if is_decided
        else f"or, if it is meant, at {dataset.name} erase: delete, and reason: which says why they go"
    )
    return Fault(
        code="parent_stays",
        message=f"{dataset.name}: rows that name nobody themselves are {what} when whoever owns their row of"
        f" {link.target}, by {link.place}, is erased; that row stays{unsaid}",
        where=link.where,
        severity=severity,
        remedy=f"write shared: true at {link.target}, if people meet there: nothing below it is anybody's through it\n"
        f"or at {dataset.name} links: {{{referring}}}, beside the link to the row's own owner\n{meant}",
        about=link,
    )
