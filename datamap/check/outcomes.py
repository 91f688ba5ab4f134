"""What the columns of a row hold once an erasure has changed it: as the compiler has it, with the place in the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from datamap import model
from datamap.check.survey import Survey
from datamap.compile import matching
from datamap.compile.changes import BY_TABLE, OLD, STUB, Change, Loss, table_action
from datamap.compile.erasure import Erasure
from datamap.compile.ownership import Ownership
from datamap.compile.person import Person
from datamap.compile.resolution import Dataset, Kind, Link
from datamap.fault import Where


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One decision: the new value of each column that it sets."""

    dataset: Dataset
    values: Mapping[str, str]  # as SQL that depends on no row
    said: model.Setting  # what the map says of them; the others are set to null
    where: Where
    tests: tuple[str, ...] = ()  # which rows it is about, `t` being the row

    def place(self, column: str) -> Where:
        return (*self.where, column)


def outcomes(survey: Survey) -> Iterator[Outcome]:
    """Of every table that an erasure may change."""
    for kind, ownership, erasure in zip(
        survey.resolution.kinds.values(), survey.ownerships, survey.erasures, strict=True
    ):
        for dataset in erasure.touched.values():
            yield from _of(dataset, kind, ownership, erasure, survey)


def _of(dataset: Dataset, kind: Kind, ownership: Ownership, erasure: Erasure, survey: Survey) -> Iterator[Outcome]:
    changes = erasure.changes_in(dataset)
    groups: dict[str, list[Change]] = {}
    for change in changes.all(_hanging(dataset, erasure)):
        groups.setdefault(change.condition, []).append(change)
    for condition, group in groups.items():
        if condition == STUB and (kind.name, str(dataset.name)) not in survey.stubs:
            continue
        said, where, tests = _decision(condition, dataset, ownership.person)
        values = {change.column: change.value for change in group if OLD not in change.value}
        yield Outcome(dataset=dataset, values=values, said=said, where=where, tests=tests)


def _hanging(dataset: Dataset, erasure: Erasure) -> dict[int, Loss]:
    """The links that are taken away with the row that they point at, each by its number. What is left of a list
    depends on the row, and is no value that could be looked at here."""
    return {
        number: Loss(condition=f"hangs {number}", is_element=lambda _: "true")
        for number, link in enumerate(dataset.links)
        if link.kind is None and link.target in erasure.deletable and link.erase not in (None, "delete")
    }


def _decision(condition: str, dataset: Dataset, person: Person) -> tuple[model.Setting, Where, tuple[str, ...]]:
    decision = dataset.decision
    if condition == STUB:
        return decision.stub, (*dataset.where, "stub"), ()
    if condition == BY_TABLE:
        action = table_action(dataset)
        if isinstance(action, Mapping):
            return action, (*dataset.where, "erase"), ()
        return (decision.keep.set if decision.keep else {}), (*dataset.where, "keep", "set"), ()
    link = _link(condition, dataset, person)
    tests = tuple(matching.conditions(link, dataset.facts))
    if isinstance(link.erase, Mapping):
        return link.erase, (*link.where, "erase"), tests
    return {}, link.where, tests


def _link(condition: str, dataset: Dataset, person: Person) -> Link:
    if condition.startswith("hangs "):
        return dataset.links[int(condition.removeprefix("hangs "))]
    links = [link for link in dataset.person_links if link.kind == person.kind.name]
    return next(link for link in links if matching.names_us(link, dataset, person) == condition)
