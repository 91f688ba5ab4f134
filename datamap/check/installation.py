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
        what = "Schema gdpr is not installed in this database"
    elif missing:
        what = f"This server lacks {', '.join(missing)}"
    else:
        return
    message = f"{what}: a map can be checked here, and not approved"
    yield Fault(code="not_installed", message=message, severity="note", remedy=f"run `{MIGRATE}` as an administrator")
