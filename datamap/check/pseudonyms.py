"""What is only a pseudonym: a row that stays and still says whose it is, in other words (R58)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from datamap import model
from datamap.check.decision import emptied
from datamap.check.survey import Survey
from datamap.check.tables import key as as_key
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset, Link
from datamap.fault import Fault, Severity, Where

_PLACEHOLDER = re.compile(r"\{[^{}\s]*\}|\$\{|%\([^)]*\)s|%s|%d|<[a-z_]*id>", re.IGNORECASE)


def faults(survey: Survey) -> Iterator[Fault]:
    """Templates, and links that stay in rows that are emptied. datamap.check.remains has what else stays."""
    for dataset in survey.personal:
        for setting, where in _settings(dataset):
            yield from _templates(dataset, setting, where)
        if dataset.name in survey.touched:
            yield from _links_left(dataset)


def _settings(dataset: Dataset) -> Iterator[tuple[model.Setting, Where]]:
    decision = dataset.decision
    if isinstance(decision.erase, Mapping):
        yield decision.erase, (*dataset.where, "erase")
    yield decision.stub, (*dataset.where, "stub")
    if decision.keep:
        yield decision.keep.set, (*dataset.where, "keep", "set")
    for link in dataset.links:
        if isinstance(link.erase, Mapping):
            yield link.erase, (*link.where, "erase")


def _templates(dataset: Dataset, setting: model.Setting, where: Where) -> Iterator[Fault]:
    for name, value in setting.items():
        if isinstance(value, model.Constant) and _PLACEHOLDER.search(str(value.value)):
            column = dataset.facts.columns.get(name)
            if column is not None and (column.is_array or column.family == "json"):
                continue  # braces are how an empty one is written
            yield _fault(
                f"{dataset.name}, column {name}: a constant with a placeholder is written as it stands,"
                " and would be a pseudonym if it were filled in",
                (*where, name),
                "write null, random, or a constant that is the same for everybody",
            )


def _fault(message: str, where: Where, remedy: str, *, severity: Severity = "error") -> Fault:
    return Fault(code="pseudonym", message=message, where=where, remedy=remedy, severity=severity)


# The link stays -----------------------------------------------------------------------------------------------------


def _links_left(dataset: Dataset) -> Iterator[Fault]:
    """A row that is emptied and keeps the key of its person is still theirs."""
    action = table_action(dataset)
    if isinstance(action, Mapping):
        if dataset.subject_of:
            yield _fault(
                f"{dataset.name}: the person's own row stays under its key, by which whoever has it finds them",
                (*dataset.where, "erase"),
                "write erase: delete; rows that must point at something are helped by `keep`, or by `nobody`",
                severity="warning",
            )
        for link in dataset.owner_links:
            if link.erase is None and not _is_set(link, action):
                yield _left(dataset, link, (*dataset.where, "erase"))
    for link in (*dataset.owner_links, *(link for link in dataset.person_links if link.role == "actor")):
        if isinstance(link.erase, Mapping) and not _is_set(link, link.erase):
            yield _left(dataset, link, (*link.where, "erase"))


def _is_set(link: Link, setting: model.Setting) -> bool:
    return any(column in setting for column in link.place.columns)


def _left(dataset: Dataset, link: Link, where: Where) -> Fault:
    column = dataset.facts.columns[link.place.column]
    instead = "nobody" if column.not_null and link.identity is None else emptied(column)
    return _fault(
        f"{dataset.name}: what is left of a row still names its person by {link.place}",
        where,
        f"add {as_key(link.place.column)}: {instead} to what is set",
    )
