"""Row-level security that would blind the suite's own roles: a hidden row is neither exported nor erased (A5)."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import Policy, Table
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.fault import Fault
from datamap.names import quoted

# What each role does with a table, as policies name it.
_NEEDS = {
    "gdpr_export": ("select",),
    "gdpr_erase": ("select", "update", "delete"),
    "gdpr_verify": ("select",),
}


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of the tables that a plan reads or changes."""
    bypassing = server.bypassing() if server else frozenset()
    for name, dataset in sorted((survey.read | survey.touched).items()):
        facts = dataset.facts
        if not facts.row_security:
            continue
        for role in _NEEDS:
            if role in bypassing or (role == "gdpr_erase" and name not in survey.touched):
                continue
            if not _sees_all(role, facts):
                yield _blind(role, facts, dataset.where)
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


def _blind(role: str, facts: Table, where: tuple[str | int, ...]) -> Fault:
    action = "all" if role == "gdpr_erase" else "select"
    check = " with check (true)" if role == "gdpr_erase" else ""
    return Fault(
        code="row_security",
        message=f"{facts.name} has row-level security, and no policy shows {role} every row",
        where=where,
        remedy=f"create policy {quoted(f'{role}_all')} on {facts.name.sql} for {action} to {role} using (true){check};",
    )


def _narrowed(role: str, policy: Policy, facts: Table, where: tuple[str | int, ...]) -> Fault:
    return Fault(
        code="row_security",
        message=f"The restrictive policy {policy.name} on {facts.name} may hide rows from {role}",
        where=where,
        remedy=f"alter policy {quoted(policy.name)} on {facts.name.sql} to …; -- the application's roles only",
    )
