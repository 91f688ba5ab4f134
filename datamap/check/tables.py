"""Every table is decided: personal, or not and why not. What nobody has classified nobody exports or erases (R29)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from datamap.catalogue import Catalogue, Table
from datamap.check.security import MAINTAIN
from datamap.check.survey import Survey
from datamap.check.suspicions import Suspicions
from datamap.compile.resolution import Dataset
from datamap.fault import Fault
from datamap.model import UNDECIDED, Map

_BY_HAND = "erase: external_manual, reason: …"
_PLAIN_KEY = re.compile(r"[^\W\d][\w.]*")


def faults(survey: Survey) -> Iterator[Fault]:
    """Tables that the map leaves out, and those of which it says too little."""
    known = survey.resolution.datasets
    yield from (_unclassified(table, survey) for table in unclassified(survey.catalogue, survey))
    yield from _reasons(survey.map)
    yield from (_unread(dataset) for dataset in survey.personal if survey.is_unread(dataset) and not _says_why(dataset))
    suspicions = Suspicions(survey)
    for dataset in known.values():
        if not dataset.decision.personal:
            yield from _looks_personal(dataset, suspicions)


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
        entry = dataset.decision.columns.get(column.name)
        is_decided = entry is not None and not entry.personal and (entry.reason or "").strip()
        if what and not is_decided and column.name not in linked:
            yield Fault(
                code="looks_personal",
                message=f"{dataset.name} is declared not personal, and its column {column.name} {what.what}",
                where=dataset.where,
                severity="warning",
                remedy=_look_again(dataset, column.name, is_key=what.is_key),
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
