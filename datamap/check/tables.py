"""Every table is decided: personal, or not and why not. What nobody has classified nobody exports or erases (R29)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from datamap.catalogue import Catalogue, Column, Table
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.fault import Fault
from datamap.model import UNDECIDED, Map

# Words by which columns of people are called. `name` alone is none: tenants, products and files have names.
_PERSONAL = re.compile(
    r"""(?:^|_)(?:
      e_?mail\w*|mail_?address|phone\w*|mobile|cell_?phone|fax|telephone
      |first_?name|last_?name|full_?name|given_?name|family_?name|middle_?name|maiden_?name|sur_?name|user_?name|nick_?name
      |display_?name|contact_?name|customer_?name
      |birth\w*|dob|date_of_birth|age|gender|sex|nationality|marital_?status
      |ip|ip_?addr\w*|remote_?addr\w*|user_?agent|device_?id|cookie\w*
      |ssn|tax_?id|national_?id|passport\w*|iban|credit_?card\w*|card_?number
      |street\w*|home_?address|postal_?code|post_?code|zip_?code|latitude|longitude
      |password\w*|vorname|nachname|geburts\w*
    )(?:_|$)""",
    re.VERBOSE,
)
_PLAIN_KEY = re.compile(r"[^\W\d][\w.]*")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def faults(survey: Survey) -> Iterator[Fault]:
    """Tables that the map leaves out, and those of which it says too little."""
    known = survey.resolution.datasets
    yield from (_unclassified(table) for table in unclassified(survey.catalogue, survey))
    yield from _reasons(survey.map)
    for dataset in known.values():
        if not dataset.decision.personal:
            yield from _looks_personal(dataset)


def unclassified(catalogue: Catalogue, survey: Survey) -> list[Table]:
    """Tables that hold rows and that the map does not name. A partition is a part of its table."""
    return [table for table in catalogue if table.holds_rows and table.name not in survey.resolution.datasets]


def _unclassified(table: Table) -> Fault:
    noun = {"materialized_view": "materialised view", "foreign": "foreign table"}.get(table.kind, "table")
    message = f"Nobody has decided whether the {noun} {table.name} holds personal data"
    if table.inherits:
        message += "; it inherits from another table, and what is erased there stays here"
    name = key(str(table.name).removeprefix("public."))
    remedy = f"write `{name}: {{personal: false, reason: …}}`, or what an erasure does with it"
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


def _looks_personal(dataset: Dataset) -> Iterator[Fault]:
    linked = {column for link in dataset.links for column in link.place.columns}
    for column in dataset.facts.columns.values():
        what = _suspicion(column)
        entry = dataset.decision.columns.get(column.name)
        is_decided = entry is not None and not entry.personal and (entry.reason or "").strip()
        if what and not is_decided and column.name not in linked:
            entry_for_it = f"{key(column.name)}: {{personal: false, reason: …}}"
            yield Fault(
                code="looks_personal",
                message=f"{dataset.name} is declared not personal, and its column {column.name} {what}",
                where=dataset.where,
                severity="warning",
                remedy=f"make the table personal, or write columns: {{{entry_for_it}}}",
            )


def _suspicion(column: Column) -> str | None:
    if column.family == "vector":
        return "holds vectors, which say much of what they were made of"
    if _PERSONAL.search(_CAPITAL.sub("_", column.name).lower()):
        return "is called as if it held something of a person"
    return None


def key(text: str) -> str:
    """A name as a key of the map's YAML."""
    return text if _PLAIN_KEY.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def is_undecided(dataset: Dataset) -> bool:
    """Nobody has looked at the table yet: what it lacks besides is not worth telling."""
    return dataset.decision.erase == UNDECIDED
