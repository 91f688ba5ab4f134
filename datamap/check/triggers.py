"""Triggers and rules that make more, or less, of an erasure than the plan says (A4): copies, messages, soft deletes."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import Rule, Trigger
from datamap.check.calls import Calls
from datamap.check.routine import Routine, written_into
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.fault import Fault, Severity
from datamap.names import Table as Name
from datamap.names import literal, quoted


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of the tables that an erasure touches."""
    calls = Calls(survey.catalogue, server)
    for dataset in survey.touched.values():
        for trigger in dataset.facts.triggers:
            if trigger.enabled:
                yield from _of_trigger(dataset, Routine(trigger, calls), survey)
        yield from _rules(dataset, survey)
        yield from _inserted(dataset, survey, server)


def _of_trigger(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    trigger = routine.trigger
    yield from _copies(dataset, routine, survey)
    yield from _tells(dataset, routine)
    is_deleting = trigger.delete and dataset.name in survey.deletable
    is_fired = (trigger.update or is_deleting) and routine.steps_aside is None
    if is_fired:
        yield from _fails(dataset, routine, survey)
        yield from _lacks(dataset, routine, survey)
        yield from _refuses(dataset, routine)
    if is_fired and not routine.is_known:
        message = f"calls {trigger.function}, in {trigger.language}, and what that does with rows cannot be read here"
        yield _fault(dataset, trigger, "trigger_opaque", message, "look at it", severity="note")
    for what in routine.opaque:
        message = f"{what}: whether rows are copied there cannot be read here"
        remedy = "look at it: what it writes into has to be in the map"
        yield _fault(dataset, trigger, "trigger_opaque", message, remedy, severity="warning")
    if is_deleting:
        yield from _softens(dataset, routine)


def _fault(
    dataset: Dataset, trigger: Trigger, code: str, message: str, remedy: str, *, severity: Severity = "error"
) -> Fault:
    return Fault(
        code=code,
        message=f"The trigger {trigger.name} on {dataset.name} {message}",
        where=dataset.where,
        severity=severity,
        remedy=remedy,
    )


def _copies(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    """R53: history and audit tables hold the same data. What is not in the map is not erased."""
    if not routine.is_readable:
        return
    for written, name in routine.inserts(survey.catalogue):
        if name == dataset.name:
            continue
        target = survey.resolution.datasets.get(name) if name else None
        fires = (routine.trigger.update or routine.trigger.delete) and routine.steps_aside is None
        if target is None or not target.decision.personal:
            message = f"writes into {name or written}, which the map does not have as personal"
            remedy = f"put {name or written} into the map, with the links by which its rows are found"
            yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy)
        elif fires:
            message = (
                f"writes into {name}, and it fires when an erasure changes rows: what is erased may come back there"
            )
            remedy = _disabled(dataset, routine)
            yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy, severity="warning")

    yield from _writes(dataset, routine, survey)


def _writes(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    """What it writes into rows that are there, and into tables that it makes."""
    for name in sorted(set(routine.updates(dataset.facts, survey.catalogue)) - {dataset.name}):
        target = survey.resolution.datasets.get(name)
        if target is None or not target.decision.personal:
            message = f"writes what a row holds into rows of {name}, which the map does not have as personal"
            remedy = f"put {name} into the map, with the links by which its rows are found"
            yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy, severity="warning")
    for written in routine.makes:
        message = f"makes the table {written} and fills it: no map knows tables that are made as it goes"
        remedy = f"drop trigger {quoted(routine.trigger.name)} on {dataset.name.sql}; -- or let it write into a table"
        remedy += " that is there, and put that into the map"
        yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy)


def _disabled(dataset: Dataset, routine: Routine) -> str:
    return f"{_aside(routine)}\nor run: alter table {dataset.name.sql} disable trigger {quoted(routine.trigger.name)};"


def _tells(dataset: Dataset, routine: Routine) -> Iterator[Fault]:
    trigger = routine.trigger
    if routine.notifies:
        message = "sends notifications: whoever listens may hear a person's data"
        remedy = "send keys only, and erase at whoever listens"
        yield _fault(dataset, trigger, "trigger_sends", message, remedy, severity="warning")
    if routine.sends:
        message = "sends data out of this database, where no erasure follows"
        remedy = "name the place among the recipients of the activity, and erase there by hand"
        yield _fault(dataset, trigger, "trigger_sends", message, remedy, severity="warning")


def _fails(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    """Our sessions run with search_path = pg_catalog, pg_temp."""
    names = routine.unqualified(survey.catalogue)
    if names:
        schemas = ", ".join(quoted(schema) for schema in dict.fromkeys(name.schema for name in names))
        listed = ", ".join(map(str, names))
        message = f"names {listed} without a schema and has no search_path of its own: the erasure would fail"
        remedy = f"alter function {routine.sql} set search_path = {schemas}, pg_temp;"
        yield _fault(dataset, routine.trigger, "trigger_search_path", message, remedy)


def _lacks(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    """A trigger's function runs as whoever fires it, and that is gdpr_erase, who has rights where the plan has."""
    if routine.calls.server is None:
        return
    for name, verbs in sorted(routine.needs(survey.catalogue).items()):
        granted = {"select"} if name in survey.read else set()
        granted |= {"select", "update", "delete"} if name in survey.touched else set()
        lacking = sorted(verb for verb in verbs - granted if not _is_open(name, verb, routine.calls.server))
        if lacking:
            message = f"needs {' and '.join(lacking)} on {name}, which gdpr_erase has not: the erasure would fail"
            yield _fault(dataset, routine.trigger, "trigger_rights", message, _with_rights(routine, name))
            return


def _is_open(name: Name, verb: str, server: Server) -> bool:
    """Whether everybody has the right, or a role that gdpr_erase belongs to. What it was granted itself an approval
    takes away again."""
    table = f"{literal(name.sql)}::regclass"
    through = f"pg_has_role('gdpr_erase', r.oid, 'usage') and has_table_privilege(r.oid, {table}, '{verb}')"
    others = f"exists (select from pg_roles as r where r.rolname <> 'gdpr_erase' and {through})"
    is_there = "gdpr_erase" in server.roles
    right = f"has_table_privilege('public', {table}, '{verb}')" + (f" or {others}" if is_there else "")
    return server.holds(right, what=f"whether gdpr_erase may {verb} in {name}", tables=(name,)) is not False


def _with_rights(routine: Routine, name: Name) -> str:
    path = routine.trigger.search_path or f"pg_catalog, {quoted(name.schema)}, pg_temp"
    return f"alter function {routine.sql} security definer set search_path = {path};\nor {_aside(routine)}"


def _refuses(dataset: Dataset, routine: Routine) -> Iterator[Fault]:
    if routine.refuses:
        message = "raises an exception where rows are changed or deleted: the erasure would fail"
        yield _fault(dataset, routine.trigger, "trigger_refuses", message, _aside(routine), severity="warning")


def _aside(routine: Routine) -> str:
    """One that runs as its owner sees who asks by session_user alone."""
    asks = "if 'gdpr_erase' in (current_user, session_user) then return coalesce(new, old); end if;"
    return f"let {routine.sql} begin with: {asks}"


def _softens(dataset: Dataset, routine: Routine) -> Iterator[Fault]:
    """R53: a soft delete is no erasure."""
    if routine.keeps_the_row and routine.steps_aside not in ("old", "coalesce"):
        message = "may turn a DELETE into nothing: the rows would stay"
        remedy = _aside(routine)
        severity: Severity = "error" if routine.marks_the_row or not _returns_old(routine) else "warning"
        yield _fault(dataset, routine.trigger, "soft_delete", message, remedy, severity=severity)


def _returns_old(routine: Routine) -> bool:
    return "return old" in " ".join(routine.trigger.body.lower().split())


# Rules --------------------------------------------------------------------------------------------------------------


def _rules(dataset: Dataset, survey: Survey) -> Iterator[Fault]:
    events = ("update", "delete") if dataset.name in survey.deletable else ("update",)
    yield from (_rule(dataset, rule) for rule in dataset.facts.rules if rule.event in events)


def _rule(dataset: Dataset, rule: Rule) -> Fault:
    severity: Severity = "error" if rule.instead else "warning"
    message = f"does something else instead of the {rule.event} that" if rule.instead else "does more than"
    return Fault(
        code="rule",
        message=f"The rule {rule.name} on {dataset.name} {message} an erasure asks for",
        where=dataset.where,
        severity=severity,
        remedy=f"drop rule {quoted(rule.name)} on {dataset.name.sql};",
    )


def _inserted(dataset: Dataset, survey: Survey, server: Server | None) -> Iterator[Fault]:
    """What a rule for new rows writes into other tables."""
    if server is None or not any(rule.event == "insert" for rule in dataset.facts.rules):
        return
    asked = _INSERTED.format(table=literal(dataset.name.sql))
    for name, text in server.rows(asked, what=f"what the rules of {dataset.name} write", tables=(dataset.name,)) or ():
        for target in sorted(set(written_into(text, survey.catalogue)) - {dataset.name}):
            known = survey.resolution.datasets.get(target)
            if known is None or not known.decision.personal:
                yield Fault(
                    code="rule",
                    message=f"The rule {name} on {dataset.name} writes into {target}, which the map does not have as"
                    " personal",
                    where=dataset.where,
                    remedy=f"put {target} into the map, with the links by which its rows are found",
                )


_INSERTED = """
select w.rulename::text, pg_get_ruledef(w.oid)
from pg_rewrite as w
where w.ev_class = {table}::regclass and w.ev_type = '3'
order by 1
"""
