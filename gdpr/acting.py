"""The role that a trial runs as: whoever connected, or one of the functions' roles in their place."""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor

from shared.errors import AccessDenied, SchemaOutdated

ROLES = ("gdpr_erase", "gdpr_export", "gdpr_verify")  # those that read the application's tables


def act_as(cur: cursor, role: str) -> None:
    """For the rest of the transaction, which is to be rolled back: with it goes what had to be lent for it."""
    known = sql.Identifier(role)
    cur.execute("select to_regrole(%s) is null", (role,))
    if cur.fetchone() == (True,):
        raise SchemaOutdated(
            f"There is no role {role} on this server", remedy="run `gdpr db migrate`, as an administrator"
        )
    try:
        cur.execute("select pg_has_role(current_user, %s, 'set')", (role,))
        if cur.fetchone() != (True,):
            cur.execute(sql.SQL("grant {} to current_user with set true, inherit false").format(known))
        cur.execute(sql.SQL("set local role {}").format(known))
    except psycopg2.errors.InsufficientPrivilege:
        remedy = f"do it as an administrator, or as {role} itself, without --as"
        raise AccessDenied(f"This role may not act as {role}", remedy=remedy) from None


def acting(cur: cursor) -> str:
    """Whose rights and policies count now."""
    cur.execute("select current_user")
    (role,) = cur.fetchone() or ("?",)
    return str(role)
