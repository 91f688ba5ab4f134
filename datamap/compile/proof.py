"""What the map and the schema alone prove to be wrong, before a row is looked at.

A link between types that never meet, a shared place that would be deleted, rows that always name two people and one
decision for both, a table that is personal and that no link leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from datamap import model
from datamap.compile import matching
from datamap.compile.changes import table_action
from datamap.compile.matching import CannotCompare
from datamap.compile.ownership import Ownership
from datamap.compile.person import Person
from datamap.compile.resolution import Dataset, Link, Resolution
from datamap.fault import Fault


def proven(resolution: Resolution) -> list[Fault]:
    """The faults. Links that cannot be compiled are taken out of the resolution, so that the rest still can."""
    faults = list(_drop_incomparable(resolution))
    for dataset in resolution.datasets.values():
        faults += _decisions(dataset)
        faults += _two_people(dataset)
        faults += _capitals(dataset, resolution)
    wrong = {fault.where[:2] for fault in [*resolution.faults, *faults]}  # what is wrong there says why
    return [*faults, *(fault for fault in _unreached(resolution) if fault.where[:2] not in wrong)]


def _drop_incomparable(resolution: Resolution) -> Iterator[Fault]:
    persons = {name: Person.of(kind, resolution) for name, kind in resolution.kinds.items()}
    for name, dataset in resolution.datasets.items():
        good = []
        for link in dataset.links:
            try:
                _compare(link, dataset, resolution, persons)
            except CannotCompare as fault:
                message = f"{name}, {link.place}: {fault}"
                remedy = f"it is compared with {link.target}, {', '.join(link.target_columns)}"
                yield Fault(code="types", message=message, where=link.where, remedy=remedy)
            else:
                good.append(link)
        resolution.datasets[name] = replace(dataset, links=tuple(good))


def _compare(link: Link, dataset: Dataset, resolution: Resolution, persons: dict[str, Person]) -> None:
    if link.kind is not None:
        matching.names_us(link, dataset, persons[link.kind])
        matching.names_other(link, dataset, resolution.kinds[link.kind], persons[link.kind])
        if None in link.place.steps:
            matching.element_meeting(link, dataset.facts.columns[link.place.column], persons[link.kind])
    target = resolution.catalogue.get(link.target)
    if target is not None and link.form.is_exact:
        matching.points_at(link, dataset, target)


def _decisions(dataset: Dataset) -> Iterator[Fault]:
    decision, name, kind = dataset.decision, dataset.name, dataset.facts.kind
    where = (*dataset.where, "erase")
    if decision.erase == model.UNDECIDED:
        message = f"{name}: nobody has decided what an erasure does"
        remedy = "write delete, keep, unlink, or the columns that are set to null"
        yield Fault(code="undecided", message=message, where=where, remedy=remedy)
    if decision.shared == model.UNDECIDED:
        message = f"{name}: nobody has decided whether people meet here"
        yield Fault(code="undecided", message=message, where=(*dataset.where, "shared"), remedy="write true or false")
    if not decision.personal:
        return
    if table_action(dataset) == "keep" and decision.keep is None:
        message = f"{name} is kept, and nothing says by which law and what of it"
        yield Fault(
            code="keep", message=message, where=where, remedy="write keep: {exception: 17(3)(b), columns: […], law: …}"
        )
    if decision.erase == "refresh" and kind != "materialized_view":
        message = f"{name} is no materialised view, so there is nothing to refresh"
        yield Fault(code="refresh", message=message, where=where)
    if kind == "materialized_view" and decision.erase not in ("refresh", "external_manual", model.UNDECIDED):
        message = f"{name} is a materialised view: rows cannot be erased there"
        yield Fault(code="refresh", message=message, where=where, remedy="write erase: refresh")
    if kind == "foreign" and decision.erase not in ("external_manual", model.UNDECIDED):
        message = f"{name} is a foreign table: its rows lie in another database"
        yield Fault(
            code="foreign", message=message, where=where, remedy="write erase: external_manual, and how in reason"
        )
    if decision.shared is True and (
        decision.erase == "delete" or any(link.erase == "delete" for link in dataset.owner_links)
    ):
        message = f"{name} is shared, and deleting its rows would reach everybody who meets there"
        yield Fault(
            code="reach", message=message, where=where, remedy="write unlink, or the columns that are set to null"
        )


def _two_people(dataset: Dataset) -> Iterator[Fault]:
    """Two owners in every row, by NOT NULL, and one decision of the table for both."""
    if dataset.decision.shared is True or table_action(dataset) in ("unlink", "external_manual", "refresh"):
        return
    links = [
        link
        for link in dataset.owner_links
        if link.erase is None and link.condition is None and link.place.is_plain and _is_never_null(link, dataset)
    ]
    if len(links) < 2 or not dataset.decision.personal:
        return
    places = " and ".join(str(link.place) for link in links)
    yield Fault(
        code="two_people",
        message=f"Every row of {dataset.name} names an owner by {places}: what is done for one reaches the other",
        where=(*dataset.where, "links"),
    )


def _capitals(dataset: Dataset, resolution: Resolution) -> Iterator[Fault]:
    """To the row's column two spellings are one person, and to the identity they are two."""
    for link in dataset.person_links:
        kind = resolution.kinds[link.kind or ""]
        if link.identity is None or not link.form.is_exact or not link.place.is_plain:
            continue
        mine, theirs = dataset.facts.columns[link.place.column], kind.facts.columns[link.target_columns[0]]
        if mine.equality and mine.family == "text" and not theirs.equality:
            yield Fault(
                code="capitals",
                message=f"{dataset.name}, {link.place}: capitals make no difference to this column, and they do to the"
                f" identity {link.identity}: rows that spell it otherwise are not found",
                where=link.where,
                severity="warning",
                remedy=f"write {link.identity}: {{column: {link.target_columns[0]}, match: folded}} at the subject",
            )


def _is_never_null(link: Link, dataset: Dataset) -> bool:
    return all(dataset.facts.columns[column].never_null for column in link.place.columns)


def _unreached(resolution: Resolution) -> Iterator[Fault]:
    reached = {name for kind in resolution.kinds.values() for name in Ownership(resolution, kind).datasets}
    if not resolution.kinds:
        return
    for name, dataset in resolution.datasets.items():
        is_elsewhere = table_action(dataset) in ("refresh", "external_manual")
        if dataset.decision.personal and name not in reached and not is_elsewhere and not dataset.person_links:
            if dataset.decision.shared is not False:
                continue  # what hangs from a place where people meet is nobody's alone
            yield Fault(
                code="unreached",
                message=f"{name} is personal, and no link leads from it to a person",
                where=dataset.where,
            )
