"""Triggers and rules that make more, or less, of an erasure than the plan says (A4): copies, messages, soft deletes."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import Rule, Trigger
from datamap.check.calls import Calls
from datamap.check.routine import Routine
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.fault import Fault, Severity
from datamap.names import quoted


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of the tables that an erasure touches."""
    calls = Calls(survey.catalogue, server)
    for dataset in survey.touched.values():
        for trigger in dataset.facts.triggers:
            if trigger.enabled:
                yield from _of_trigger(dataset, Routine(trigger, calls), survey)
        yield from _rules(dataset, survey)


def _of_trigger(dataset: Dataset, routine: Routine, survey: Survey) -> Iterator[Fault]:
    trigger = routine.trigger
    yield from _copies(dataset, routine, survey)
    yield from _tells(dataset, routine)
    is_fired = trigger.update or (trigger.delete and dataset.name in survey.deletable)
    if is_fired:
        yield from _fails(dataset, routine, survey)
    if is_fired and not routine.is_known:
        message = f"calls {trigger.function}, in {trigger.language}, and what that does with rows cannot be read here"
        yield _fault(dataset, trigger, "trigger_opaque", message, "look at it", severity="note")
    for what in routine.opaque:
        message = f"{what}: whether rows are copied there cannot be read here"
        remedy = "look at it: what it writes into has to be in the map"
        yield _fault(dataset, trigger, "trigger_opaque", message, remedy, severity="warning")
    if trigger.delete and dataset.name in survey.deletable:
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
        fires = routine.trigger.update or routine.trigger.delete
        if target is None or not target.decision.personal:
            message = f"writes into {name or written}, which the map does not have as personal"
            remedy = f"put {name or written} into the map, with the links by which its rows are found"
            yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy)
        elif fires:
            message = (
                f"writes into {name}, and it fires when an erasure changes rows: what is erased may come back there"
            )
            remedy = _disabled(dataset, routine.trigger)
            yield _fault(dataset, routine.trigger, "trigger_copies", message, remedy, severity="warning")


def _disabled(dataset: Dataset, trigger: Trigger) -> str:
    return (
        "let its function do nothing where current_user = 'gdpr_erase', or run:"
        f" alter table {dataset.name.sql} disable trigger {quoted(trigger.name)};"
    )


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


def _softens(dataset: Dataset, routine: Routine) -> Iterator[Fault]:
    """R53: a soft delete is no erasure."""
    if routine.keeps_the_row:
        message = "may turn a DELETE into nothing: the rows would stay"
        remedy = f"let it return old where current_user = 'gdpr_erase': {routine.sql}"
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
