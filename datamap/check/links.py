"""Every place that a plan's statements search by has an index that serves; without one each erasure reads the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datamap.catalogue import ForeignKey, Table
from datamap.check import index
from datamap.check.index import Wanted
from datamap.check.survey import Survey
from datamap.compile import matching
from datamap.compile.erasure import Pointer
from datamap.compile.json_place import reading
from datamap.compile.resolution import Dataset, Link
from datamap.fault import Fault, Severity, Where
from datamap.form import FOLDED
from datamap.names import Place
from datamap.names import Table as Name

SMALL = 1000  # rows: below this reading the whole table costs nothing that anybody notices
_INDEXED = ("table", "partitioned", "materialized_view")


@dataclass(frozen=True, kw_only=True)
class Searched:
    """A place that statements search by."""

    table: Table
    place: Place
    wanted: Wanted | None  # None: no index can serve
    what: str
    where: Where


def faults(survey: Survey) -> Iterator[Fault]:
    """The places without an index, each once."""
    told: set[tuple[Name, str]] = set()
    for searched in places(survey):
        if searched.table.kind not in _INDEXED or (searched.wanted and searched.wanted.is_served):
            continue
        statement = searched.wanted.statement if searched.wanted else str(searched.place)
        if (searched.table.name, statement) not in told:
            told.add((searched.table.name, statement))
            yield _fault(searched)


def _fault(searched: Searched) -> Fault:
    severity: Severity = "note" if searched.table.rows < SMALL else "warning"
    label = f"{searched.table.name}, {searched.place}"
    if searched.wanted is None:
        return Fault(
            code="index_impossible",
            message=f"{label}: no index serves this place, so {searched.what} reads the whole table",
            where=searched.where,
            severity=severity,
            remedy="keep the same in a column of its own, and name that under links",
        )
    return Fault(
        code="index_missing",
        message=f"{label}: no index serves this place, so {searched.what} reads the whole table",
        where=searched.where,
        severity=severity,
        remedy=searched.wanted.statement,
    )


def places(survey: Survey) -> Iterator[Searched]:
    """Every one, the same maybe more than once."""
    for dataset in survey.resolution.datasets.values():
        yield from _of_persons(dataset, survey)
    for ownership in survey.ownerships:
        for dataset in ownership.datasets.values():
            yield from (_of_parent(dataset, link, survey) for link in ownership.parents(dataset))
    for erasure in survey.erasures:
        for pointers in erasure.pointers.values():
            yield from (_of_pointer(pointer, survey) for pointer in pointers)
    for name in sorted(survey.deletable):
        yield from (_of_key(table, key, name, survey) for table, key in survey.keys_to(name))
    yield from _of_subjects(survey)


def _of_persons(dataset: Dataset, survey: Survey) -> Iterator[Searched]:
    for link in dataset.person_links:
        yield Searched(
            table=dataset.facts,
            place=link.place,
            wanted=_wanted(dataset, link, survey),
            what="looking for a person",
            where=link.where,
        )


def _of_parent(dataset: Dataset, link: Link, survey: Survey) -> Searched:
    return Searched(
        table=dataset.facts,
        place=link.place,
        wanted=_wanted(dataset, link, survey),
        what=f"looking for what hangs from a row of {link.target}",
        where=link.where,
    )


def _of_pointer(pointer: Pointer, survey: Survey) -> Searched:
    return _of_parent(pointer.dataset, pointer.link, survey)


def _of_key(table: Table, key: ForeignKey, target: Name, survey: Survey) -> Searched:
    """A foreign key of whatever table: for each row that is deleted, Postgres looks for rows that point at it."""
    dataset = survey.resolution.datasets.get(table.name)
    facts = survey.catalogue.tables[target]
    return Searched(
        table=table,
        place=Place(key.columns),
        wanted=index.on_columns(table, key.columns, sufficient=_sufficient(key.columns, key.target_columns, facts)),
        what=f"Postgres, for each deleted row of {target},",
        where=dataset.where if dataset else ("tables",),
    )


def _of_subjects(survey: Survey) -> Iterator[Searched]:
    for kind in survey.resolution.kinds.values():
        where: Where = ("subject",) if survey.map.subject else ("subjects", kind.name)
        yield Searched(
            table=kind.facts,
            place=Place(kind.key),
            wanted=index.on_columns(kind.facts, kind.key, sufficient=_unique(kind.key, kind.facts)),
            what="looking for a person",
            where=(*where, "key"),
        )
        links = [link for each in survey.resolution.datasets.values() for link in each.person_links]
        for name, identity in kind.identities.items():
            # An identity that two people may have is looked up: is it somebody else's as well?
            is_looked_up = any(link.identity == name and link.kind == kind.name for link in links)
            if is_looked_up and not (identity.shared or identity.unique):
                place = Place((identity.column,))
                yield Searched(
                    table=kind.facts,
                    place=place,
                    wanted=index.on_columns(kind.facts, place.columns)
                    if identity.form.is_exact
                    else index.on_value(kind.facts, place, form=identity.form),
                    what="asking whose an identity is",
                    where=(*where, "identities", name),
                )


# Which index a link wants -------------------------------------------------------------------------------------------


def _wanted(dataset: Dataset, link: Link, survey: Survey) -> Wanted | None:
    """The one that the compiler's own condition can use, by what that does with the row's side."""
    place, facts, target = link.place, dataset.facts, survey.catalogue.tables[link.target]
    condition = _condition(dataset, link, survey)
    if None in place.steps:
        return index.on_elements(facts, place, link.condition) if " && array" in condition else None
    if len(place.columns) > 1:
        sufficient = _sufficient(place.columns, link.target_columns, target)
        return index.on_columns(facts, place.columns, sufficient=sufficient, condition=link.condition)
    searched = reading(place, facts)
    form = FOLDED if FOLDED.sql(searched) in condition else link.form
    if not form.is_exact:
        return index.on_value(facts, place, form=form, condition=link.condition)
    if f"{searched}::pg_catalog.numeric" in condition:
        return index.on_number(facts, place, condition=link.condition)
    if place.is_plain:
        return index.on_columns(facts, place.columns, condition=link.condition)
    return index.on_value(facts, place, condition=link.condition)


def _condition(dataset: Dataset, link: Link, survey: Survey) -> str:
    """What statements search by, `t` being the row."""
    persons = {ownership.kind.name: ownership.person for ownership in survey.ownerships}
    if link.kind in persons:
        return matching.names_us(link, dataset, persons[link.kind])
    return matching.points_at(link, dataset, survey.catalogue.tables[link.target])


def _sufficient(columns: tuple[str, ...], target_columns: tuple[str, ...], target: Table) -> tuple[str, ...]:
    """Of several columns those of which one names a single row of the target already."""
    pairs = zip(columns, target_columns, strict=True)
    return tuple(mine for mine, theirs in pairs if target.is_unique((theirs,)))


def _unique(columns: tuple[str, ...], table: Table) -> tuple[str, ...]:
    return tuple(column for column in columns if table.is_unique((column,)))
