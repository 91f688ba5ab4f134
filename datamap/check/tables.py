"""Every table is decided: personal, or not and why not. What nobody has classified nobody exports or erases (R29)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from datamap.catalogue import Catalogue, Table
from datamap.check.security import MAINTAIN
from datamap.check.survey import Survey
from datamap.check.suspicions import Suspicions, is_called_personal
from datamap.compile.resolution import Dataset
from datamap.discover.keys import Meant
from datamap.fault import Fault
from datamap.model import UNDECIDED, Map
from datamap.names import Table as Name
from datamap.names import shown

_BY_HAND = "erase: external_manual, reason: …"
_PLAIN_KEY = re.compile(r"[^\W\d][\w.]*")


def faults(survey: Survey, suspicions: Suspicions) -> Iterator[Fault]:
    """Tables that the map leaves out, and those of which it says too little."""
    known = survey.resolution.datasets
    yield from (_unclassified(table, survey) for table in unclassified(survey.catalogue, survey))
    yield from _reasons(survey.map)
    yield from (_unread(dataset) for dataset in survey.personal if survey.is_unread(dataset) and not _says_why(dataset))
    for dataset in known.values():
        if not dataset.decision.personal:
            yield from _looks_personal(dataset, suspicions)
            yield from _shows(dataset, survey)
            yield from _hangs_below(dataset, survey)
        elif not is_undecided(dataset) and not survey.is_unread(dataset):
            yield from _looks_linked(dataset, suspicions) if not dataset.is_refreshed else ()
            yield from _called_nobodys(dataset)


def unclassified(catalogue: Catalogue, survey: Survey) -> list[Table]:
    """Tables that hold rows and that the map does not name. A partition is a part of its table."""
    return [table for table in catalogue if table.holds_rows and table.name not in survey.resolution.datasets]


def _unclassified(table: Table, survey: Survey) -> Fault:
    noun = {"materialized_view": "materialised view", "foreign": "foreign table"}.get(table.kind, "table")
    message = f"Nobody has decided whether the {noun} {table.name} holds personal data"
    if table.inherits:
        message += "; it inherits from another table, and what is erased there stays here"
    if targets := sorted({k.target for k in table.foreign_keys if k.target in survey.deletable and k.target}):
        message += f"; its rows point at rows of {', '.join(map(str, targets))} that an erasure deletes"
    name = key(str(table.name).removeprefix("public."))
    stored = "erase: refresh" if survey.catalogue.server_version >= MAINTAIN else _BY_HAND
    erase = {"materialized_view": stored, "foreign": _BY_HAND}.get(table.kind, "erase: delete")
    remedy = f"write `{name}: {{personal: false, reason: …}}`, or `{name}: {{activity: …, {erase}, columns: …}}`"
    return Fault(code="unclassified_table", message=message, where=("tables",), remedy=remedy)


def _reasons(data_map: Map) -> Iterator[Fault]:
    """R29: whoever says that something is not personal says why. R57: so does who erases it by hand."""
    for text, table in data_map.tables.items():
        if not table.personal and not (table.reason or "").strip():
            message = f"{text} is declared not personal, without a reason"
            yield Fault(
                code="reason_missing", message=message, where=("tables", text, "personal"), remedy="write reason: …"
            )
        if table.personal and table.erase == "external_manual" and not (table.reason or "").strip():
            message = f"{text} is erased by hand, and nothing says how"
            yield Fault(
                code="reason_missing", message=message, where=("tables", text, "erase"), remedy="write reason: …"
            )


def _says_why(dataset: Dataset) -> bool:
    return bool((dataset.decision.reason or "").strip())


def _unread(dataset: Dataset) -> Fault:
    """R29 again: what nobody is ever told of and no erasure reaches."""
    message = f"{dataset.name} is shared and names nobody, so no request reads its rows, and nothing says why"
    return Fault(
        code="reason_missing",
        message=message,
        where=(*dataset.where, "shared"),
        remedy="write reason: with whose the rows are, or name under links: the column that names a person",
    )


def _looks_personal(dataset: Dataset, suspicions: Suspicions) -> Iterator[Fault]:
    linked = {column for link in dataset.links for column in link.place.columns}
    for column in dataset.facts.columns.values():
        what = suspicions.of(dataset.facts, column)
        if what and not _is_nobodys(dataset, column.name) and column.name not in linked:
            yield Fault(
                code="looks_personal",
                message=f"{dataset.name} is declared not personal, and its column {column.name} {what.what}",
                where=dataset.where,
                severity="warning",
                remedy=_look_again(dataset, column.name, is_key=what.is_key),
            )


def _is_nobodys(dataset: Dataset, column: str) -> bool:
    """Whether somebody has looked at this very column, and says why it is nobody's."""
    entry = dataset.decision.columns.get(column)
    return entry is not None and not entry.personal and bool((entry.reason or "").strip())


def _shows(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    """A materialised view holds what it was made of, until it is refreshed."""
    if dataset.facts.kind != "materialized_view" or _is_nobodys(dataset, "*"):
        return
    if all(_is_nobodys(dataset, name) for name in dataset.facts.columns):
        return
    shown = sorted(name for name in _read_by(dataset.facts, survey) if name in survey.read)
    if shown:
        has_right = survey.catalogue.server_version >= MAINTAIN
        by = "erase: refresh" if has_right else _BY_HAND
        yield Fault(
            code="looks_personal",
            message=f"{dataset.name} is declared not personal, and it is made of {', '.join(map(str, shown))}",
            where=dataset.where,
            severity="warning",
            remedy=f"make it personal: {{activity: …, {by}, columns: …}}\n"
            'or, if it holds sums alone, write columns: {"*": {personal: false, reason: …}}',
        )


def _read_by(table: Table, survey: Survey) -> set[Name]:
    """What a view is made of, also by way of others."""
    found, waiting = set[Name](), [table]
    while waiting:
        for text in waiting.pop().reads:
            name = Name.parse(text)
            facts = survey.catalogue.get(name)
            if facts is not None and name not in found:
                found.add(name)
                waiting.append(facts)
    return found


def _hangs_below(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    """Rows below those of people. Where these are deleted, the compiler asks what becomes of the others."""
    for link in dataset.parent_links:
        above = survey.resolution.datasets.get(link.target)
        is_open = above is not None and above.name in survey.read and above.passes_on and not is_undecided(above)
        if above is None or not is_open or above.name in survey.deletable:
            continue
        if not all(_is_nobodys(dataset, name) for name in link.place.columns):
            place = key(str(link.place))
            yield Fault(
                code="looks_personal",
                message=f"{dataset.name} is declared not personal, and its rows hang below those of {above.name}, which"
                f" are people's, by {link.place}",
                where=dataset.where,
                severity="warning",
                remedy=f"make the table personal, or write columns: {{{place}: {{personal: false, reason: …}}}} if it"
                " says nothing of them",
            )


def _looks_linked(dataset: Dataset, suspicions: Suspicions) -> Iterator[Fault]:
    """Of two people in a row the map links the one, and calls the other a column: for them nothing is found."""
    linked = {column for link in dataset.links for column in link.place.columns}
    for column in dataset.facts.columns.values():
        entry = dataset.decision.columns.get(column.name)
        is_decided = entry is not None and (entry.reason or "").strip()
        meant = suspicions.persons_key(dataset.facts, column)
        if column.name in linked or is_decided or meant is None:
            continue
        yield Fault(
            code="looks_linked",
            message=f"{dataset.name}: the column {column.name} is called as if it held the key of a person, and is no"
            " link: rows are not found by it",
            where=(*dataset.where, "columns", column.name) if entry else dataset.where,
            severity="warning",
            remedy=f"{_links(meant, suspicions.target(meant))}\n"
            f"or, if it holds something else, at columns: {key(column.name)}: with its category and a reason",
        )


def _links(meant: Meant, target: str | None) -> str:
    """The three roles of a link, each as it is written."""
    place = key(", ".join(map(shown, meant.columns)))
    to = f"to: {json.dumps(target, ensure_ascii=False)}" if target else ""
    acting, saying_nothing = (f"{{{to}, role: {role}}}" if to else role for role in ("actor", "reference"))
    return (
        f"write under links: `{place}: {{{to}}}` (the row is theirs), `{place}: {acting}` (they merely acted on it)"
        f" or `{place}: {saying_nothing}` (it says nothing of whose the row is)"
    )


def _called_nobodys(dataset: Dataset) -> Iterator[Fault]:
    """R29 of a column: one that is called as what people have is not their data for a reason."""
    for name, entry in dataset.decision.columns.items():
        is_there = name in dataset.facts.columns and not entry.personal
        if is_there and is_called_personal(name) and not (entry.reason or "").strip():
            yield Fault(
                code="looks_personal",
                message=f"{dataset.name}: the column {name} is declared not personal, and is called as if it held"
                " something of a person",
                where=(*dataset.where, "columns", name),
                severity="warning",
                remedy=f"write {key(name)}: with a category such as user.contact.email, or {{personal: false,"
                " reason: …}",
            )


def _look_again(dataset: Dataset, column: str, *, is_key: bool) -> str:
    links = f"links: {{{key(column)}: actor}} if they merely acted on it, or " if is_key else ""
    decided = f"{links}columns: {{{key(column)}: {{personal: false, reason: …}}}} if it is nobody's"
    if dataset.where[-1] != str(dataset.name) and str(dataset.where[-1]).endswith(".*"):
        name = key(str(dataset.name).removeprefix("public."))
        return f"give the table a line of its own, `{name}: {{personal: false, reason: …}}`, with {decided}"
    return f"make the table personal, or write {decided}"


def key(text: str) -> str:
    """A name as a key of the map's YAML."""
    return text if _PLAIN_KEY.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def is_undecided(dataset: Dataset) -> bool:
    """Nobody has looked at the table yet: what it lacks besides is not worth telling."""
    return dataset.decision.erase == UNDECIDED
