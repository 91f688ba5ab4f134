"""The roles of the suite: their passwords, and what they may do on the application's tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor, encrypt_password

from shared.queries import query, told

OWNER = "gdpr_owner"
LOGINS = ("gdpr_export", "gdpr_erase", "gdpr_verify", "gdpr_audit")


def set_password(cur: cursor, role: str, password: str) -> None:
    """Give a role a new password. The server sees its SCRAM verifier only, so no log can hold the password."""
    verifier = encrypt_password(password, role, scope=cur.connection, algorithm="scram-sha-256")
    cur.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))


def drop_unused(cur: cursor) -> None:
    """Remove the roles from a server where nothing depends on them: no schema gdpr and no grant, in any database."""
    names = sql.SQL(", ").join(map(sql.Identifier, (OWNER, *LOGINS)))
    with contextlib.suppress(psycopg2.errors.DependentObjectsStillExist, psycopg2.errors.InternalError_):
        cur.execute(sql.SQL("drop role if exists {}").format(names))


@contextlib.contextmanager
def owner_lent(cur: cursor) -> Iterator[None]:
    """Lend gdpr_owner to an administrator who is no superuser, for this transaction alone."""
    may_own = told(cur, "may_own")
    if not may_own:
        cur.execute(query("lend_owner"))
    yield
    cur.execute("reset role")
    if not may_own:
        cur.execute(query("return_owner"))


def grant_on(cur: cursor, tables: Sequence[str], *, changed: Sequence[str] | None = None) -> None:
    """Let our roles at tables of the application, given as Postgres writes their names. Run as the tables' owner.

    All of them are read; `changed` names those that gdpr_erase changes, where that is not all.
    """
    cur.execute(query("grants_on"), {"tables": list(tables), "changed": list(tables if changed is None else changed)})
    for (statement,) in cur.fetchall():
        cur.execute(statement)


def let_find(cur: cursor, subjects: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Let gdpr_audit read the columns by which people are named."""
    for subject, columns in subjects:
        cur.execute(query("grants_of_naming"), {"subject": subject, "columns": list(columns)})
        for (statement,) in cur.fetchall():
            cur.execute(statement)


def stop_finding(cur: cursor) -> None:
    """Take back all of the application's that gdpr_audit may read."""
    cur.execute(query("revokes_of_naming"))
    for (statement,) in cur.fetchall():
        cur.execute(statement)


def revoke_elsewhere(cur: cursor, tables: Sequence[str]) -> None:
    """Take back what our roles were granted on any other table of the application."""
    cur.execute(query("revokes_on"), {"tables": list(tables)})
    for (statement,) in cur.fetchall():
        cur.execute(statement)
