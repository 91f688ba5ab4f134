"""Every column of a personal table is decided: what it holds, in fideslang's words, and how an export shows it."""

from __future__ import annotations

from collections.abc import Iterator

from datamap import model
from datamap.catalogue import Column
from datamap.check.codes import listed
from datamap.check.credentials import is_credential
from datamap.check.survey import Survey
from datamap.check.tables import is_undecided, key
from datamap.compile.resolution import Dataset
from datamap.document import nearest
from datamap.fault import Fault, Where
from datamap.vocabulary import Vocabulary

_SUCH = {"purpose": "ServiceProvision", "legal_basis": "A6-1-b", "special_basis": "A9-2-a",
         "origin": "ProvidedPersonalData", "safeguard": "A46-2-c"}  # fmt: skip
_LOGS_IN = "user.authorization"
_DERIVED = ("DerivedPersonalData", "InferredPersonalData")


def faults(survey: Survey) -> Iterator[Fault]:
    """Columns that the map leaves out, names that the table does not have, and words that no list has."""
    for dataset in survey.resolution.datasets.values():
        yield from _unknown(dataset)
        yield from _said(dataset)
        if dataset.decision.personal:
            if not is_undecided(dataset) and not survey.is_unread(dataset):
                yield from _unclassified(dataset)
            yield from _exports(dataset, survey)
            yield from _unshown(dataset, survey)
    yield from _elsewhere(survey.map)


def _unclassified(dataset: Dataset) -> Iterator[Fault]:
    """R29: a column that is no key and no link has to be decided, generated ones too."""
    if "*" in dataset.decision.columns:
        return
    plain = _keys_and_links(dataset)
    for column in dataset.facts.columns.values():
        if column.name not in plain and column.name not in dataset.decision.columns:
            yield Fault(
                code="unclassified_column",
                message=f"Nobody has decided what {dataset.name}, column {column.name}, holds",
                where=(*dataset.where, "columns"),
                remedy=f"write {key(column.name)}: with a category such as user.contact.email,"
                " or {personal: false, reason: …}",
            )


def _keys_and_links(dataset: Dataset) -> set[str]:
    """Columns that speak for themselves. JSON with a person in it holds more than that."""
    links = [link for link in dataset.links if link.identity is None and not link.place.is_json]
    named = {column for link in links for column in link.place.columns}
    keys = {column for key in dataset.facts.foreign_keys for column in key.columns}
    return named | keys | set(dataset.facts.primary_key) | set(dataset.decision.key or ())


# Names that the table does not have ---------------------------------------------------------------------------------


def _unknown(dataset: Dataset) -> Iterator[Fault]:
    for name, where in _named(dataset):
        if name not in dataset.facts.columns:
            meant = nearest(name, dataset.facts.columns)
            yield Fault(
                code="unknown_column",
                message=f"{dataset.name} has no column {name}",
                where=where,
                remedy=f"did you mean {meant}?" if meant else "take it out",
            )


def _named(dataset: Dataset) -> Iterator[tuple[str, Where]]:
    """Each column that the map names outside of links, with its place. What `erase` names the compiler looks at."""
    decision, where = dataset.decision, dataset.where
    yield from ((name, (*where, "columns", name)) for name in decision.columns if name != "*")
    yield from ((name, (*where, "stub", name)) for name in decision.stub)
    yield from ((name, (*where, "key", number)) for number, name in enumerate(decision.key or ()))
    if decision.keep:
        yield from ((name, (*where, "keep", "columns", n)) for n, name in enumerate(decision.keep.columns))
        yield from ((name, (*where, "keep", "set", name)) for name in decision.keep.set)
    for link in dataset.links:
        yield from ((name, (*link.where, "export", "redact")) for name in link.redact)


# What is said of a column -------------------------------------------------------------------------------------------


def _said(dataset: Dataset) -> Iterator[Fault]:
    for name, entry in dataset.decision.columns.items():
        where = (*dataset.where, "columns", name)
        label = f"{dataset.name}, column {name}"
        if entry.category is not None:
            yield from category(entry.category, label, _inner(entry, where))
        elif entry.personal and dataset.decision.personal:
            message = f"{label}, is personal, and nothing says what it holds"
            remedy = "write category: with a key of fideslang such as user.contact.email"
            yield Fault(code="category_missing", message=message, where=where, remedy=remedy)
        if entry.origin is not None:
            yield from term("origin", entry.origin, label, (*where, "origin"))


def _inner(entry: model.Column, where: Where) -> Where:
    return (*where, "category") if entry.model_fields_set - {"category"} else where


def category(text: str, label: str, where: Where) -> Iterator[Fault]:
    """R98: a category is one of the pinned list's, or nobody knows what is meant."""
    vocabulary = Vocabulary.load()
    if text == model.UNDECIDED:
        message = f"{label}: nobody has decided what it holds"
        remedy = "write a category such as user.contact.email, or {personal: false, reason: …}"
        yield Fault(code="undecided", message=message, where=where, remedy=remedy)
    elif vocabulary.term("category", text) is None:
        meant = vocabulary.nearest("category", text)
        yield Fault(
            code="unknown_category",
            message=f"{label}: {text} is no category of the pinned fideslang",
            where=where,
            remedy=f"did you mean {meant}?" if meant else "write one such as user.contact.email",
        )


def term(kind: str, text: str, label: str, where: Where) -> Iterator[Fault]:
    """A word of DPV is one of the pinned list's."""
    vocabulary = Vocabulary.load()
    if vocabulary.term(kind, text) is not None:  # type: ignore[arg-type]
        return
    meant = vocabulary.nearest(kind, text)  # type: ignore[arg-type]
    yield Fault(
        code="unknown_term",
        message=f"{label}: {text} is no {kind.replace('_', ' ')} of the pinned DPV",
        where=where,
        remedy=f"did you mean {meant}?" if meant else f"write one such as {_SUCH[kind]}",
    )


def _elsewhere(data_map: model.Map) -> Iterator[Fault]:
    """Categories of the cache and of objects."""
    for pattern, entry in data_map.cache.patterns.items():
        if entry.category is not None:
            yield from category(entry.category, f"The pattern {pattern}", ("cache", pattern, "category"))
    for name, objects in data_map.objects.items():
        if objects.category is not None:
            yield from category(objects.category, f"The objects {name}", ("objects", name, "category"))


# How an export shows it ---------------------------------------------------------------------------------------------


def _exports(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    activity = survey.activity(dataset)
    for column in dataset.facts.columns.values():
        own = dataset.decision.columns.get(column.name)
        entry = own or dataset.decision.columns.get("*")
        if entry is None or not entry.personal:
            continue
        where = (*dataset.where, "columns", column.name if own else "*")
        yield from _withheld(dataset, column, entry, where)
        yield from _secret(dataset, column, entry, where)
        yield from _derived(dataset, column, entry.origin or (activity.origin if activity else None), where)
        yield from _codes(dataset, column, entry, where)


def _withheld(dataset: Dataset, column: Column, entry: model.Column, where: Where) -> Iterator[Fault]:
    """R30: vectors are explained, or left out for a reason that the export tells; nothing is left out in silence."""
    has_reason = bool((entry.reason or "").strip())
    if column.family == "vector" and entry.export is True and not has_reason:
        message = f"{dataset.name}, column {column.name}, is a vector, and a person cannot read its numbers"
        remedy = "write export: explain, or the reason why they are exported as they are"
        yield Fault(code="vector_export", message=message, where=where, severity="warning", remedy=remedy)
    if entry.export is False and not entry.third_party and not has_reason:
        message = f"{dataset.name}, column {column.name}, is left out of exports, and nothing says why"
        yield Fault(code="withheld", message=message, where=where, severity="warning", remedy="write reason: …")


def _unshown(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    """R30 of whole rows, and of what the person themselves is known by, which is about nobody else."""
    for link in dataset.owner_links:
        if not link.is_exported:
            yield Fault(
                code="withheld",
                message=f"{dataset.name}: rows that only {link.place} finds are in no export, and nobody is told",
                where=(*link.where, "export"),
                severity="note",
                remedy="take export: false out, or leave out single columns: export: {redact: […]}",
            )
    kind = survey.resolution.kinds.get(dataset.subject_of or "")
    for name in dict.fromkeys(identity.column for identity in kind.identities.values()) if kind else ():
        said = dataset.decision.columns.get(name)
        if said is not None and said.third_party:
            yield Fault(
                code="withheld",
                message=f"{dataset.name}, column {name}, is an identity of the person, and third_party leaves it out of"
                " their exports as if it were about somebody else",
                where=(*dataset.where, "columns", name),
                severity="warning",
                remedy="take third_party out",
            )


def _secret(dataset: Dataset, column: Column, entry: model.Column, where: Where) -> Iterator[Fault]:
    """What lets somebody in belongs into no package that is sent around, not even that of its person."""
    is_meant = (entry.category or "").startswith(_LOGS_IN)
    is_called_so = is_credential(column) and entry.category != model.UNDECIDED and not (entry.reason or "").strip()
    if entry.export is not True or entry.third_party or not (is_meant or is_called_so):
        return
    said = entry.category or f"{_LOGS_IN}.credentials"
    entry_for_it = f"{{category: {said}, export: false, reason: a secret that logs in}}"
    what = f"is {said}" if is_meant else "is called as what lets somebody in"
    yield Fault(
        code="secret_exported",
        message=f"{dataset.name}, column {column.name}, {what}, and exports would hand the secret out",
        where=where,
        severity="warning",
        remedy=f"write {key(column.name)}: {entry_for_it}",
    )


def _derived(dataset: Dataset, column: Column, origin: str | None, where: Where) -> Iterator[Fault]:
    """R57: what machines made of the data is told as such."""
    if column.family != "vector" and column.base != "pg_catalog.tsvector":
        return
    term_of = Vocabulary.load().term("origin", origin) if origin else None
    if term_of is None or term_of.key not in _DERIVED:
        yield Fault(
            code="derived",
            message=f"{dataset.name}, column {column.name}, is made from other data, and its origin does not say so",
            where=where,
            severity="note",
            remedy="write origin: DerivedPersonalData",
        )


def _codes(dataset: Dataset, column: Column, entry: model.Column, where: Where) -> Iterator[Fault]:
    """R31: a code is explained to the person who gets it."""
    codes = column.labels or listed(dataset.facts, column.name)
    missing = [code for code in codes if code not in (entry.values or {})]
    if missing and entry.export is True and not entry.third_party:
        some = ", ".join(f"{key(code)}: …" for code in missing[:3]) + (", …" if len(missing) > 3 else "")
        yield Fault(
            code="codes",
            message=f"{dataset.name}, column {column.name}, holds codes, and not each of them is explained",
            where=where,
            severity="note",
            remedy=f"write values: {{{some}}}",
        )
