"""What the suite's own roles could not do: see rows that a policy hides (A5), refresh a view that is not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import Policy, Table
from datamap.check.installation import MIGRATE
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.fault import Fault
from datamap.names import quoted

# What each role does with a table, as policies name it.
_NEEDS = {
    "gdpr_export": ("select",),
    "gdpr_erase": ("select", "update", "delete"),
    "gdpr_verify": ("select",),
}


MAINTAIN = 170000  # the right to refresh what one does not own


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of what a plan reads, changes or refreshes."""
    yield from _hidden(survey, server)
    if survey.catalogue.server_version < MAINTAIN:
        yield from map(_unrefreshed, filter(lambda each: each.is_refreshed, survey.resolution.datasets.values()))


def _unrefreshed(dataset: Dataset) -> Fault:
    return Fault(
        code="refresh_owner",
        message=f"Before Postgres 17 only its owner may refresh {dataset.name}, and the suite's roles own nothing",
        where=(*dataset.where, "erase"),
        remedy="write erase: external_manual, and in reason: who refreshes it and when; or use Postgres 17",
    )


def _hidden(survey: Survey, server: Server | None) -> Iterator[Fault]:
    bypassing = server.bypassing if server else frozenset()
    known = server.roles if server else frozenset(_NEEDS)
    for name, dataset in sorted((survey.read | survey.touched).items()):
        facts = dataset.facts
        if not facts.row_security:
            continue
        for role in _NEEDS:
            if role in bypassing or (role == "gdpr_erase" and name not in survey.touched):
                continue
            if not _sees_all(role, facts):
                yield _blind(role, facts, dataset.where, is_there=role in known)
            for policy in _narrowing(role, facts):
                yield _narrowed(role, policy, facts, dataset.where)


def _applies(policy: Policy, role: str, command: str) -> bool:
    return bool({role, "public"} & set(policy.roles)) and policy.command in ("all", command)


def _is_open(policy: Policy) -> bool:
    return policy.using in ("true", "(true)") and policy.check in (None, "true", "(true)")


def _sees_all(role: str, facts: Table) -> bool:
    return all(
        any(each.permissive and _is_open(each) and _applies(each, role, command) for each in facts.policies)
        for command in _NEEDS[role]
    )


def _narrowing(role: str, facts: Table) -> list[Policy]:
    return [
        each
        for each in facts.policies
        if not each.permissive and not _is_open(each) and any(_applies(each, role, c) for c in _NEEDS[role])
    ]


def _blind(role: str, facts: Table, where: tuple[str | int, ...], *, is_there: bool) -> Fault:
    action = "all" if role == "gdpr_erase" else "select"
    check = " with check (true)" if role == "gdpr_erase" else ""
    policy = f"create policy {quoted(f'{role}_all')} on {facts.name.sql} for {action} to {role} using (true){check};"
    return Fault(
        code="row_security",
        message=f"{facts.name} has row-level security, and no policy shows {role} every row",
        where=where,
        remedy=policy if is_there else f"{policy} -- behind `{MIGRATE}`: the role is not there yet",
    )


def _narrowed(role: str, policy: Policy, facts: Table, where: tuple[str | int, ...]) -> Fault:
    return Fault(
        code="row_security",
        message=f"The restrictive policy {policy.name} on {facts.name} may hide rows from {role}",
        where=where,
        remedy=f"alter policy {quoted(policy.name)} on {facts.name.sql} to …; -- the application's roles only",
    )
