"""Whether schema gdpr and its roles are there. A map can be checked without them, and not approved."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.check.server import OUR_ROLES, Server
from datamap.fault import Fault

MIGRATE = "gdpr db migrate"
_IS_THERE = """
exists (
  select from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'gdpr' and c.relname = 'plan'
)
"""


def faults(server: Server | None) -> Iterator[Fault]:
    """One note: databases of tests are checked as well, and need no schema gdpr."""
    if server is None:
        return
    missing = [role for role in OUR_ROLES if role not in server.roles]
    if server.holds(_IS_THERE, what="whether schema gdpr is there") is False:
        missing.insert(0, "schema gdpr")
    if missing:
        message = f"This database has no {_listed(missing)}: a map can be checked here, and not approved"
        remedy = f"run `{MIGRATE}` as an administrator"
        yield Fault(code="not_installed", message=message, severity="note", remedy=remedy)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
