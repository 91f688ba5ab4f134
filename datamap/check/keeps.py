"""What is kept: by which exception and law, until when, how little of it, and hidden from whom (R47 to R52, A5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datamap import model
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset
from datamap.document import nearest
from datamap.fault import Fault, Severity
from datamap.names import literal, quoted, shown
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
_DATES = ("pg_catalog.date", "pg_catalog.timestamp", "pg_catalog.timestamptz")


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """What each `keep` lacks, and who could still read what it keeps."""
    kept = [dataset for dataset in survey.personal if dataset.decision.keep is not None]
    for dataset in kept:
        keep = dataset.decision.keep
        if keep is not None:
            yield from _exception(dataset, keep)
            yield from _law(dataset, keep, survey)
            yield from _end(dataset, keep, survey)
            yield from _unused(dataset)
        yield from _hidden(dataset, survey, server)
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
            remedy = "write a period in the activity's retention, or until: with what ends it"
            yield _fault(dataset, "keep_end", message, remedy)
        return
    if not isinstance(retention.from_, model.Since):
        message = f"is kept for {retention.period}, and no column says from when: no row is ever past its term"
        begins = f"period: {retention.period}, from: {{column: {_date(dataset)}}}"
        remedy = f"write at activities: {dataset.decision.activity}: retention: {{{begins}}}"
        yield _fault(dataset, "keep_start", message, remedy, severity="warning")
        return
    yield from _start(dataset, retention.from_.column)


def _date(dataset: Dataset) -> str:
    """The columns that a period may count from."""
    names = (name for name, column in dataset.facts.columns.items() if column.base in _DATES and not column.is_array)
    return " or ".join(map(shown, names)) or "…"


def _start(dataset: Dataset, name: str) -> Iterator[Fault]:
    column = dataset.facts.columns.get(name)
    keep = dataset.decision.keep
    if column is None:
        meant = nearest(name, dataset.facts.columns)
        message = f"is kept from {name} on, and has no such column"
        remedy = f"did you mean {meant}?" if meant else f"name a column with a date: {_date(dataset)}"
        yield _fault(dataset, "keep_start", message, remedy)
    elif column.base not in _DATES or column.is_array:
        message = f"is kept from {name} on, which is {column.type} and no date"
        yield _fault(dataset, "keep_start", message, f"name a column with a date: {_date(dataset)}")
    elif keep is not None and name not in (*keep.columns, *dataset.facts.primary_key):
        message = f"is kept from {name} on, and {name} is not kept: no row is ever past its term"
        columns = ", ".join([*keep.columns, name])
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


def _hidden(dataset: Dataset, survey: Survey, server: Server | None) -> Iterator[Fault]:
    """R50, A5: what is kept is restricted, and an owner of the table passes by policies that are not forced."""
    facts, sql = dataset.facts, dataset.name.sql
    if not (facts.row_security and facts.row_security_forced):
        message = "is kept, and its row-level security is not enabled and forced: whoever may read it still does"
        remedy = f"alter table {sql} enable row level security, force row level security;"
        if not facts.policies:
            remedy += " -- behind a policy by which the application sees what is not kept"
        yield _fault(dataset, "keep_readable", message, remedy, severity="warning")
    elif server is not None:
        for role in survey.map.application_roles:
            if role in server.roles:
                yield from _read_by(dataset, role, server)


def _read_by(dataset: Dataset, role: str, server: Server) -> Iterator[Fault]:
    name, what = literal(role), f"whether the role {role} still reads what is kept in {dataset.name}"
    table = "(select c.oid from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where n.nspname ="
    table += f" {literal(dataset.name.schema)} and c.relname = {literal(dataset.name.name)})"
    may_read = server.holds(f"has_any_column_privilege({name}, {table}, 'select')", what=what, tables=(dataset.name,))
    bypasses = server.holds(f"(select rolbypassrls or rolsuper from pg_roles where rolname = {name})", what=what)
    if may_read and bypasses:
        message = f"is kept, and the application's role {role} reads it past every policy"
        remedy = f"alter role {quoted(role)} nosuperuser nobypassrls;"
        yield _fault(dataset, "keep_readable", message, remedy, severity="warning")
    elif may_read and (policy := _open_policy(dataset, role)):
        message = f"is kept, and the policy {policy} shows all of it to the application's role {role}"
        remedy = f"alter policy {quoted(policy)} on {dataset.name.sql} using (…); -- only what is not kept"
        yield _fault(dataset, "keep_readable", message, remedy, severity="warning")


def _open_policy(dataset: Dataset, role: str) -> str | None:
    meant = [p for p in dataset.facts.policies if p.command in ("all", "select") and {role, "public"} & set(p.roles)]
    if any(not policy.permissive and policy.using != "true" for policy in meant):
        return None
    return next((policy.name for policy in meant if policy.permissive and policy.using == "true"), None)


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
