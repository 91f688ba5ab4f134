"""What the driver says, turned into errors of ours: the one place for Postgres.

Its text stays behind, since it may quote a person's values, and when a login fails, parts of the address.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg2
from psycopg2.extensions import Diagnostics

from shared.addresses import PostgresAddress
from shared.errors import (
    AccessDenied,
    EntryContradicted,
    LedgerBehind,
    PasswordRefused,
    SchemaOutdated,
    StoreBusy,
    StoreFault,
    StoreMisconfigured,
    StoreUnavailable,
    SuiteError,
)


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what the driver raises into errors of ours."""
    try:
        yield
    except psycopg2.Error as error:
        raise _failed(error, where) from None


# What a SQLSTATE, or its class, means to the caller. The more exact one stands first.
_MEANINGS: tuple[tuple[tuple[str, ...], type[SuiteError], str, str | None], ...] = (
    (("55P03", "57014"), StoreBusy, "A lock was not to be had in time, or a statement took too long", "try again"),
    (("40001", "40P01"), StoreBusy, "Two transactions were in each other's way", "try again"),
    (("53",), StoreBusy, "Postgres is out of connections, memory or disk", "look at its alarms"),
    (("25006",), StoreMisconfigured, "Postgres takes no changes in this session", "use the address of the primary"),
    (
        ("3F000", "42P01", "42703", "42704", "42883"),
        SchemaOutdated,
        "Something that a statement names is not there",
        "run `gdpr db migrate`, or check whether the database has changed since its map was approved",
    ),
    (  # errors that functions of schema gdpr raise
        ("GD001",),
        LedgerBehind,
        "The ledger here is not what was anchored, so nothing is registered",
        "see what the action `health` of audit_logging answers, and docs/restore.md",
    ),
    (
        ("GD002",),
        EntryContradicted,
        "An event that was anchored stands here with other words",
        "nothing more can be taken over: docs/restore.md says how another epoch is begun",
    ),
    (("08", "57"), StoreUnavailable, "The connection to Postgres broke off", "try again"),
)


def _failed(error: psycopg2.Error, where: str) -> SuiteError:
    broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    state, diagnosis = error.pgcode or ("08000" if broken else type(error).__name__), error.diag
    place = ".".join(filter(None, (diagnosis.schema_name, diagnosis.table_name, diagnosis.column_name)))
    where = f"{where}, {place}" if place else where
    if "row-level security" in (diagnosis.message_primary or ""):
        return AccessDenied(
            "A row-level security policy would hide rows from the role",
            where=where,
            remedy="give the role a policy that lets it see all of them",
        )
    if state == "42501":
        return AccessDenied(
            "The role may not do this" + _missing_right(diagnosis),
            where=where,
            remedy="use a role that may, or let an administrator grant it",
        )
    for states, kind, what, remedy in _MEANINGS:
        if state.startswith(states):
            return kind(what, where=where, remedy=remedy)
    constraint = f" by constraint {diagnosis.constraint_name}" if diagnosis.constraint_name else ""
    return StoreFault(f"Postgres refused a statement{constraint} (SQLSTATE {state})", where=where)


def _missing_right(diagnosis: Diagnostics) -> str:
    """Postgres' own words for a missing right, which name objects. A trigger of the application may quote a person."""
    is_its_own = diagnosis.source_file in ("aclchk.c", "acl.c", "user.c", "dbcommands.c", "schemacmds.c")
    return f" ({diagnosis.message_primary})" if is_its_own else ""


# What libpq says when a connection cannot be opened carries no SQLSTATE, so its words have to do.
_UNOPENED: tuple[tuple[str, type[SuiteError], str, str], ...] = (
    (
        "password authentication failed",
        PasswordRefused,
        "Postgres refused the password of role {role}",
        "put the right role and password into the address",
    ),
    (
        "no password supplied",
        AccessDenied,
        "Postgres wants a password for role {role}",
        "put role:password@ into the address",
    ),
    (
        "too many connections",
        StoreBusy,
        "Role {role} has no connection left",
        "try again when other invocations have ended",
    ),
    ("remaining connection slots", StoreBusy, "Postgres has no connection left", "try again"),
    ("too many clients", StoreBusy, "Postgres has no connection left", "try again"),
    ("is not permitted to log in", AccessDenied, "Role {role} may not log in", "use one of the roles that may"),
    (
        "server does not support SSL",
        StoreMisconfigured,
        "Postgres offers no TLS",
        "turn TLS on there; without it only an address on this machine is used",
    ),
    (
        "certificate verify failed",
        StoreMisconfigured,
        "The certificate of Postgres is signed by nobody we trust",
        "add ?sslrootcert=FILE with its authority to the address",
    ),
    (
        "does not match host name",
        StoreMisconfigured,
        "The certificate of Postgres is for another host",
        "use the name that is in the certificate",
    ),
    (
        "root certificate file",
        StoreMisconfigured,
        "The file of certificate authorities is not there",
        "correct ?sslrootcert=FILE in the address",
    ),
    (
        "pg_hba.conf",
        AccessDenied,
        "Postgres does not let role {role} in from here",
        "check its pg_hba.conf or security group, and whether it demands TLS",
    ),
    (
        "could not translate host name",
        StoreUnavailable,
        "No machine has this name",
        "check the host in the address",
    ),
    (
        "Connection refused",
        StoreUnavailable,
        "Nothing answers where Postgres should be",
        "check host and port in the address, and that Postgres runs",
    ),
    (
        "timeout expired",
        StoreUnavailable,
        "Postgres did not answer in 5 s",
        "check the host in the address, the security groups and the route",
    ),
    (
        "does not exist",
        StoreMisconfigured,
        "Postgres knows no such database or role as {database} or {role}",
        "check the names in the address",
    ),
    ("starting up", StoreUnavailable, "Postgres is starting", "try again"),
    ("shutting down", StoreUnavailable, "Postgres is shutting down", "try again"),
)


def unopened(error: psycopg2.Error, address: PostgresAddress) -> SuiteError:
    """Why a connection could not be opened. Raise it `from None`: the driver's text may quote the address."""
    said = str(error)
    for words, kind, what, remedy in _UNOPENED:
        if words in said:
            return kind(what.format(role=address.role, database=address.database), where=address.where, remedy=remedy)
    return StoreUnavailable(
        "The connection to Postgres could not be opened", where=address.where, remedy="look into its log"
    )
