"""The active plan in gdpr.plan: loaded by the functions, replaced when a map is approved."""

from __future__ import annotations

from psycopg2.extensions import cursor

from shared.catalogue import fingerprint
from shared.errors import AccessDenied, CatalogueDrift, PlanMissing
from shared.plan import Plan
from shared.queries import query, told
from shared.roles import grant_on, let_find, owner_lent, revoke_elsewhere, stop_finding


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


def load_if_any(cur: cursor) -> Plan | None:
    """The active plan; None where there is none that this version can read."""
    try:
        return load(cur)
    except PlanMissing:
        return None


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
    check_fits(cur, plan)
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


def check_fits(cur: cursor, plan: Plan) -> None:
    """Raises CatalogueDrift."""
    if has_drifted(cur, plan):
        raise CatalogueDrift(
            "The database is not the one that this plan was compiled for", remedy="run `gdpr map check` against it"
        )


def approve(cur: cursor, plan: Plan, catalogue: str | None = None) -> str:
    """Activate a plan as an administrator, and let our roles at the tables that it names, and at no other."""
    let_at(cur, plan)
    keep_from_others(cur, plan)
    if told(cur, "may_activate"):
        return activate(cur, plan, catalogue)
    with owner_lent(cur):
        cur.execute("set local role gdpr_owner")
        return activate(cur, plan, catalogue)


def let_at(cur: cursor, plan: Plan) -> None:
    """Let our roles at the tables that a plan names, and take nothing from them that another plan needs.

    Raises AccessDenied where this role may not hand that out, or where a table is none of the application's.
    """
    cur.execute(query("lock_migrations"))  # two that hand out rights on one table at once fail each other
    check_fits(cur, plan)
    cur.execute(query("not_of_the_application"), {"tables": _named(plan)})
    if found := cur.fetchone():
        raise AccessDenied(
            f"The plan names {found[0]}, which is none of the application's",
            remedy="do not activate it: see who made it",
        )
    _grant(cur, plan)
    _check_granted(cur, _read(plan), _locked(plan))


def keep_from_others(cur: cursor, plan: Plan) -> None:
    """Take from our roles what they may do on tables that a plan does not name, and leave what it needs."""
    cur.execute(query("lock_migrations"))
    revoke_elsewhere(cur, _read(plan))
    stop_finding(cur)
    _grant(cur, plan)


def _grant(cur: cursor, plan: Plan) -> None:
    grant_on(cur, _read(plan), changed=_locked(plan))
    let_find(cur, [(kind.naming.subject, kind.naming.columns) for kind in plan.kinds])


def _read(plan: Plan) -> list[str]:
    return sorted({table for kind in plan.kinds for table in kind.read})


def _locked(plan: Plan) -> list[str]:
    return sorted({table for kind in plan.kinds for table in kind.locked})


def _named(plan: Plan) -> list[str]:
    return sorted({*_read(plan), *_locked(plan), *(kind.naming.subject for kind in plan.kinds)})


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
