"""What is only a pseudonym: a row that stays and still says whose it is, in other words (R58)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from datamap import model
from datamap.check.survey import Survey
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset, Link
from datamap.fault import Fault, Severity, Where

_PLACEHOLDER = re.compile(r"\{[^{}\s]*\}|\$\{|%\([^)]*\)s|%s|%d|<[a-z_]*id>", re.IGNORECASE)
_IDENTIFIERS = (
    "user.contact.email", "user.contact.phone_number", "user.contact.fax_number", "user.contact.address.street",
    "user.name", "user.unique_id", "user.government_id", "user.account.username", "user.device.ip_address",
    "user.device.device_id", "user.device.cookie_id", "user.financial.bank_account", "user.financial.credit_card",
    "user.biometric", "user.authorization.biometric",
)  # fmt: skip


def faults(survey: Survey) -> Iterator[Fault]:
    """Templates, links that stay in rows without a name, and names that stay in rows without a link."""
    for dataset in survey.personal:
        for setting, where in _settings(dataset):
            yield from _templates(dataset, setting, where)
        if dataset.name in survey.touched:
            yield from _links_left(dataset)
            yield from _identities_left(dataset)


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
    return _fault(
        f"{dataset.name}: what is left of a row still names its person by {link.place}",
        where,
        f"add {link.place.column}: null, or nobody where it may not be null",
    )


# The name stays -----------------------------------------------------------------------------------------------------


def _identities_left(dataset: Dataset) -> Iterator[Fault]:
    """A row that is cut off from its person and keeps the name, the address or the number."""
    linked = {column for link in dataset.links for column in link.place.columns}
    named = [
        name
        for name, entry in dataset.decision.columns.items()
        if name not in linked and name in dataset.facts.columns and entry.personal and not entry.third_party
        and _identifies(entry.category) and not dataset.facts.columns[name].is_generated
    ]  # fmt: skip
    for setting, where in _stays(dataset):
        for name in named:
            if name not in setting:
                yield Fault(
                    code="identity_left",
                    message=f"{dataset.name}: a row that is cut off from its person keeps {name}, which names them",
                    where=where,
                    severity="warning",
                    remedy=f"write {name}: null beside the link, or erase: delete",
                )


def _identifies(category: str | None) -> bool:
    return category is not None and any(category == each or category.startswith(f"{each}.") for each in _IDENTIFIERS)


def _stays(dataset: Dataset) -> Iterator[tuple[model.Setting, Where]]:
    """What is set in rows that stay, apart from those that a law keeps."""
    action = table_action(dataset)
    if isinstance(action, Mapping):
        yield action, (*dataset.where, "erase")
    elif action == "unlink" and any(link.erase is None for link in dataset.owner_links):
        yield {}, (*dataset.where, "erase")
    for link in dataset.owner_links:
        if isinstance(link.erase, Mapping):
            yield link.erase, (*link.where, "erase")
        elif link.erase == "unlink":
            yield {}, (*link.where, "erase")
