"""What is kept: by which exception and law, until when, how little of it, and hidden from whom (R47 to R52, A5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from datamap import model
from datamap.check.outcomes import Outcome, outcomes
from datamap.check.policies import Policies
from datamap.check.readers import Reader, readers, views
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.check.tables import key as as_key
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset
from datamap.document import nearest
from datamap.fault import Fault, Severity
from datamap.names import quoted
from datamap.vocabulary import Vocabulary

# Words that name no law. R48: no exception is called audit, or business.
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
    a an the and or of for by to our we us as per any all it is law laws legal legally reason reasons requirement
    requirements required requires obligation obligations obligatory audit audits auditing business internal policy
    policies company corporate compliance compliant regulation regulations regulatory retention records record keeping
    archive archiving statutory government tax taxes accounting finance financial contract contracts purposes purpose
    need needs needed interest legitimate gdpr art article section standard practice practices best industry tbd todo
    unknown none na n yes true see above various applicable local national security
    """,
    )
)
_NAMES = ("restricted", "is_restricted", "gdpr_restricted", "restricted_by_gdpr")
_DATES = ("pg_catalog.date", "pg_catalog.timestamp", "pg_catalog.timestamptz")


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """What each `keep` lacks, and who could still read what it keeps."""
    kept = [dataset for dataset in survey.personal if dataset.decision.keep is not None]
    changed = tuple(outcomes(survey)) if kept and server is not None else ()
    for dataset in kept:
        keep = dataset.decision.keep
        if keep is not None:
            yield from _exception(dataset, keep)
            yield from _law(dataset, keep, survey)
            yield from _end(dataset, keep, survey)
            yield from _unused(dataset)
        yield from _hidden(dataset, survey, server, changed)
    yield from _roles(survey, server, is_kept=bool(kept))


def _fault(dataset: Dataset, code: str, message: str, remedy: str, *part: str, severity: Severity = "error") -> Fault:
    return Fault(
        code=code,
        message=f"{dataset.name} {message}",
        where=(*dataset.where, "keep", *part),
        severity=severity,
        remedy=remedy,
    )


def _exception(dataset: Dataset, keep: model.Keep) -> Iterator[Fault]:
    """R48: one of Art. 17(3), and nothing else."""
    known = Vocabulary.load().exceptions
    if keep.exception is None:
        message = "is kept, and nothing says by which exception from erasure"
        yield _fault(dataset, "keep_exception", message, f"write exception: with one of {', '.join(known)}")
    elif keep.exception not in known:
        meant = nearest(keep.exception, known)
        remedy = f"did you mean {meant}?" if meant else f"write one of {', '.join(known)}"
        message = f"is kept by {keep.exception}, which is no exception from erasure"
        yield _fault(dataset, "keep_exception", message, remedy, "exception")


def _law(dataset: Dataset, keep: model.Keep, survey: Survey) -> Iterator[Fault]:
    """R48: the law itself is cited."""
    activity = survey.activity(dataset)
    law = keep.law or (activity.retention.law if activity and activity.retention else None)
    remedy = "write law: with the law and its section, such as § 147 AO"
    if not (law or "").strip():
        yield _fault(dataset, "keep_law", "is kept, and no law is cited that asks for it", remedy)
    elif is_generic(law or ""):
        part = ("law",) if keep.law else ()
        yield _fault(dataset, "keep_law", f"is kept by {law!r}, which names no law", remedy, *part)
    if not (keep.owner or "").strip():
        message = "is kept, and nothing says who answers for that"
        yield _fault(dataset, "keep_owner", message, "write owner: with a team or a function", severity="warning")


def is_generic(law: str) -> bool:
    """Whether a text cites nothing: `audit`, `internal policy`."""
    said = re.findall(r"[^\W\d_]+", law.lower())
    return "§" not in law and not re.search(r"\d", law) and set(said) <= _GENERIC


def _end(dataset: Dataset, keep: model.Keep, survey: Survey) -> Iterator[Fault]:
    """R48, R52: what is kept has an end, and the row says when it is."""
    activity = survey.activity(dataset)
    retention = activity.retention if activity else None
    if retention is None or retention.period is None:
        if not (keep.until or "").strip():
            message = "is kept without an end"
            remedy = f"write at {dataset.name} keep: {{until: …}}, with what ends it"
            if _dates(dataset):
                remedy += ", or a period in the activity's retention"
            yield _fault(dataset, "keep_end", message, remedy)
        return
    if not isinstance(retention.from_, model.Since):
        message = f"is kept for {retention.period}, and no column says from when: no row is ever past its term"
        first, *others = _dates(dataset) or ["…"]
        begins = f"period: {retention.period}, from: {{column: {first}}}"
        remedy = f"write at activities: {dataset.decision.activity}: retention: {{{begins}}}"
        remedy += f", or one of {', '.join(others)}" if others else ""
        yield _fault(dataset, "keep_start", message, remedy, severity="warning")
        return
    yield from _start(dataset, retention.from_.column)


def _dates(dataset: Dataset) -> list[str]:
    """The columns that a period may count from, as the map writes them."""
    columns = dataset.facts.columns.values()
    return [as_key(column.name) for column in columns if column.base in _DATES and not column.is_array]


def _dated(dataset: Dataset) -> str:
    return f"name a column with a date: {' or '.join(_dates(dataset)) or '…'}"


def _start(dataset: Dataset, name: str) -> Iterator[Fault]:
    column = dataset.facts.columns.get(name)
    keep = dataset.decision.keep
    if column is None:
        meant = nearest(name, dataset.facts.columns)
        message = f"is kept from {name} on, and has no such column"
        remedy = f"did you mean {meant}?" if meant else _dated(dataset)
        yield _fault(dataset, "keep_start", message, remedy)
    elif column.base not in _DATES or column.is_array:
        message = f"is kept from {name} on, which is {column.type} and no date"
        yield _fault(dataset, "keep_start", message, _dated(dataset))
    elif keep is not None and name not in (*keep.columns, *dataset.facts.primary_key):
        message = f"is kept from {name} on, and {name} is not kept: no row is ever past its term"
        columns = ", ".join(map(as_key, [*keep.columns, name]))
        yield _fault(dataset, "keep_start", message, f"write columns: [{columns}]", "columns")
    elif not column.not_null:
        message = f"is kept from {name} on, which may be null: such a row is never past its term"
        yield _fault(
            dataset,
            "keep_start",
            message,
            f"alter table {dataset.name.sql} alter column {quoted(name)} set not null;",
            severity="note",
        )


def _unused(dataset: Dataset) -> Iterator[Fault]:
    if table_action(dataset) != "keep":
        message = f"says what to keep, and is not kept: its erase is {_shown(dataset)}"
        yield _fault(dataset, "keep_unused", message, "write erase: keep, or take keep out", severity="warning")


def _shown(dataset: Dataset) -> str:
    action = table_action(dataset)
    return action if isinstance(action, str) else "another"


# Hidden from the application ----------------------------------------------------------------------------------------


def _hidden(dataset: Dataset, survey: Survey, server: Server | None, changed: Sequence[Outcome]) -> Iterator[Fault]:
    """R50, A5: what is kept is restricted, and an owner of the table passes by policies that are not forced."""
    facts, sql = dataset.facts, dataset.name.sql
    if not (facts.row_security and facts.row_security_forced):
        message = "is kept, and its row-level security is not enabled and forced: whoever may read it still does"
        enable = f"alter table {sql} enable row level security, force row level security;"
        remedy = enable if facts.policies else "\n".join(_restricted(dataset, survey, enable))
        yield _fault(dataset, "keep_readable", message, remedy, severity="warning")
    elif server is not None:
        policies = Policies(dataset, survey, server, changed)
        for role in survey.map.application_roles:
            if role in server.roles:
                yield from _read_by(dataset, role, policies, server)
                yield from _shown_to(dataset, role, policies, server)


def _restricted(dataset: Dataset, survey: Survey, enable: str) -> Iterator[str]:
    """A column that tells a kept row from the others, the policy by it, and what the map says of it."""
    facts, sql, keep = dataset.facts, dataset.name.sql, dataset.decision.keep
    said = keep.set if keep else {}
    known = [name for name, value in said.items() if isinstance(value, model.Constant) and value.value is True]
    name = known[0] if known else next(each for each in _NAMES if each not in facts.columns)
    roles = ", ".join(map(quoted, survey.map.application_roles))
    if not known:
        yield f"alter table {sql} add column {quoted(name)} boolean not null default false;"
    yield f"create policy application on {sql}{f' to {roles}' if roles else ''} using (not {quoted(name)});"
    yield enable
    if not known:
        yield f"-- and in the map, at {dataset.name}, set: {{{name}: {{value: true}}}} in keep,"
        yield f"-- and in columns {name}: {{personal: false, reason: says that the row is kept}}"
    yield "-- gdpr map check says then which policies the suite's own roles need; docs/checks.md has all of it"


def _read_by(dataset: Dataset, role: str, policies: Policies, server: Server) -> Iterator[Fault]:
    """One is told, of whoever the role may be."""
    found = (_seen_by(dataset, role, reader, policies) for reader in readers(role, dataset, server))
    told = sorted(filter(None, found), key=lambda fault: fault.severity == "note")
    yield from told[:1]


def _seen_by(dataset: Dataset, role: str, reader: Reader, policies: Policies) -> Fault | None:
    whose = f"the application's role {role}"
    whose += f", which may become {reader.name}," if reader.name != role else ""
    if reader.bypasses:
        message = f"is kept, and {whose} reads it past every policy"
        remedy = f"alter role {quoted(reader.name)} nosuperuser nobypassrls;"
        if reader.name != role:
            remedy = f"revoke {quoted(reader.name)} from {quoted(role)};"
        return _readable(dataset, message, remedy)
    sight, policy = policies.sight(reader)
    if policy is None:
        return None
    remedy = f"alter policy {quoted(policy.name)} on {dataset.name.sql} using (…); -- only what is not kept"
    if sight == "shows":
        return _readable(dataset, f"is kept, and the policy {policy.name} shows it to {whose.rstrip(',')}", remedy)
    message = f"is kept, and whether the policy {policy.name} hides it from {role} depends on other tables or functions"
    return _readable(dataset, message, "look at it; or let the policy ask for a column that keep changes", "note")


def _shown_to(dataset: Dataset, role: str, policies: Policies, server: Server) -> Iterator[Fault]:
    for view in views(role, dataset, server):
        sees_all = view.owner.bypasses or policies.sight(view.owner)[0] == "shows"
        if sees_all and not policies.hides(view.ending):
            noun = "materialised view" if view.is_stored else "view"
            message = f"is kept, and the {noun} {view.name} shows it to the application's role {role}:"
            message += f" it reads as its owner {view.owner.name}"
            remedy = f"alter view {view.sql} set (security_invoker = true);"
            if view.is_stored:
                remedy = f"create {view.name} again, of what is not kept"
            yield _readable(dataset, message, remedy)


def _readable(dataset: Dataset, message: str, remedy: str, severity: Severity = "warning") -> Fault:
    return _fault(dataset, "keep_readable", message, remedy, severity=severity)


def _roles(survey: Survey, server: Server | None, *, is_kept: bool) -> Iterator[Fault]:
    declared = survey.map.application_roles
    if is_kept and not declared:
        yield Fault(
            code="application_roles",
            message="Something is kept, and nothing says which database roles the application uses",
            where=("application_roles",),
            severity="note",
            remedy="write application_roles: […], so that it can be told whether they still read it",
        )
    for number, role in enumerate(declared):
        if server is not None and server.roles and role not in server.roles:
            meant = nearest(role, sorted(server.roles))
            yield Fault(
                code="unknown_role",
                message=f"There is no role {role} on this server",
                where=("application_roles", number),
                remedy=f"did you mean {meant}?" if meant else "take it out",
            )
