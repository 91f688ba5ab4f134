"""The active plan in gdpr.plan: loaded by the functions, replaced when a map is approved."""

from __future__ import annotations

from psycopg2.extensions import cursor

from shared.catalogue import fingerprint
from shared.errors import AccessDenied, CatalogueDrift, PlanMissing
from shared.plan import Plan
from shared.queries import query, told
from shared.roles import grant_on, let_find, owner_lent, revoke_elsewhere


def load(cur: cursor) -> Plan:
    """The active plan, whether or not the catalogue still is what it was compiled for."""
    cur.execute(query("active_plan"))
    found = cur.fetchone()
    if found is None:
        raise PlanMissing("No data map has been approved for this database", remedy="run `gdpr map approve`")
    body, digest = found
    try:
        plan = Plan.from_json(bytes(body))
    except (KeyError, TypeError, ValueError):  # it has other parts than ours
        plan = None
    if plan is None or plan.digest != digest:
        raise PlanMissing("The active plan was stored by another version", remedy="run `gdpr map approve` again")
    return plan


def has_drifted(cur: cursor, plan: Plan) -> bool:
    """The catalogue is no longer the one that the plan was compiled for: what it says may be incomplete."""
    return fingerprint(cur) != plan.fingerprint


def approved_catalogue(cur: cursor) -> str | None:
    """The document that the active plan was compiled from, if it came with it; a function has no use for it."""
    cur.execute(query("approved_catalogue"))
    (found,) = cur.fetchone() or (None,)
    return None if found is None else str(found)


def activate(cur: cursor, plan: Plan, catalogue: str | None = None) -> str:
    """Store a plan and go by it from now on; its digest. The catalogue has to be the one that it was compiled for.

    `catalogue` is that one as a document: with it, a later drift can be told change by change.
    """
    if has_drifted(cur, plan):
        raise CatalogueDrift(
            "The database is not the one that this plan was compiled for", remedy="run `gdpr map check` against it"
        )
    cur.execute(
        query("activate_plan"),
        {
            "map_digest": plan.map_digest,
            "fingerprint": plan.fingerprint,
            "body": plan.as_json(),
            "catalogue": catalogue,
        },
    )
    (digest,) = cur.fetchone() or ("",)
    return str(digest)


def approve(cur: cursor, plan: Plan, catalogue: str | None = None) -> str:
    """Activate a plan as an administrator, and let our roles at the tables that it names, and at no other."""
    read = sorted({table for kind in plan.kinds for table in kind.read})
    locked = sorted({table for kind in plan.kinds for table in kind.locked})
    revoke_elsewhere(cur, read)
    grant_on(cur, read, changed=locked)
    let_find(cur, [(kind.naming.subject, kind.naming.columns) for kind in plan.kinds])
    _check_granted(cur, read, locked)
    if told(cur, "may_activate"):
        return activate(cur, plan, catalogue)
    with owner_lent(cur):
        cur.execute("set local role gdpr_owner")
        return activate(cur, plan, catalogue)


def _check_granted(cur: cursor, read: list[str], locked: list[str]) -> None:
    cur.execute(query("rights_missing"), {"read": read, "changed": locked})
    if missing := [table for (table,) in cur.fetchall()]:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise AccessDenied(
            f"This role may not let others at {missing[0]}{more}", remedy="approve as whoever owns the tables"
        )


Rights = frozenset[tuple[str, str, str]]  # role, table or schema, privilege


def application_rights(cur: cursor) -> Rights:
    """What our roles may do in the application's schemas and on its tables."""
    cur.execute(query("application_rights"))
    return frozenset(cur.fetchall())
