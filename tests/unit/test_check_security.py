"""Row-level security that hides nothing from the suite's roles is none that anybody is told of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from datamap.check.security import faults as told
from datamap.check.server import OUR_ROLES, Server
from datamap.check.survey import Survey
from datamap.document import Document
from datamap.fault import Fault
from tests.unit.test_check_tables import PARTS, THEIRS, USERS, catalogue, index, reference, table


class Answering(Server):
    """A server of which only one thing is asked here."""

    def __init__(self, *bypassing: str, roles: tuple[str, ...] = OUR_ROLES) -> None:
        self.bypassing = frozenset(bypassing)
        self.roles = frozenset(roles)


def policy(role: str, using: str | None = "true", command: str = "*", *, permissive: bool = True) -> dict[str, Any]:
    return {"name": f"p_{role}", "command": command, "permissive": permissive, "roles": [role], "using": using,
            "check": None}  # fmt: skip


ALL = [policy("gdpr_export", command="r"), policy("gdpr_erase"), policy("gdpr_verify", command="r")]


def found(*policies: dict[str, Any], bypassing: tuple[str, ...] = (), row_security: bool = True) -> list[Fault]:
    facts = table("t", "id bigint not null, user_id bigint", constraints=[reference("user_id", "users")],
                  indexes=[index("i", "user_id")], row_security=row_security, policies=list(policies))  # fmt: skip
    lines = "\n".join(f"{name}: {text}" for name, text in PARTS.items())
    document = Document.parse(f"version: 1\n{lines}\ntables:\n  {THEIRS}\n  t: {{activity: a}}\n")
    return list(told(Survey.of(document.map, catalogue(USERS, facts)), Answering(*bypassing)))


def test_policies_for_all_rows_are_enough() -> None:
    assert found(*ALL) == []
    assert found(policy("public")) == []
    assert found(row_security=False) == []


@pytest.mark.parametrize("number", range(3))
def test_a_role_without_a_policy_is_blind(number: int) -> None:
    (fault,) = found(*(each for position, each in enumerate(ALL) if position != number))
    assert (fault.code, fault.severity) == ("row_security", "error")
    assert fault.where == ("tables", "t")


def test_a_role_that_bypasses_policies_needs_none() -> None:
    assert found(bypassing=("gdpr_export", "gdpr_erase", "gdpr_verify")) == []
    assert len(found(bypassing=("gdpr_export",))) == 2


def test_a_policy_for_reading_does_not_let_the_eraser_delete() -> None:
    (fault,) = found(ALL[0], policy("gdpr_erase", command="r"), ALL[2])
    assert "gdpr_erase" in fault.message


def test_a_restrictive_policy_is_told_unless_it_restricts_nothing() -> None:
    assert found(*ALL, policy("public", permissive=False)) == []
    assert found(*ALL, policy("app", "(id > 1)", permissive=False)) == []
    assert len(found(*ALL, policy("public", "(id > 1)", permissive=False))) == 3
    assert len(found(*ALL, policy("gdpr_erase", "(id > 1)", permissive=False))) == 1


@pytest.mark.parametrize(("version", "codes"), [(160010, ["refresh_owner"]), (170000, []), (180004, [])])
def test_a_view_is_refreshed_by_who_may(version: int, codes: list[str]) -> None:
    view = table("shown", "user_id bigint", key=None, kind="m", reads=["public.users"])
    lines = "\n".join(f"{name}: {text}" for name, text in PARTS.items())
    document = Document.parse(f"version: 1\n{lines}\ntables:\n  {THEIRS}\n  shown: {{activity: a, erase: refresh}}\n")
    survey = Survey.of(document.map, replace(catalogue(USERS, view), server_version=version))
    assert [fault.code for fault in told(survey, None)] == codes
