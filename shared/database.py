"""The connection to Postgres: one per execution environment, opened when first needed, opened again when dead.

Every limit that keeps a killed function from wedging the database stands here (threat model A15), and so does the
one translation of what the driver says into errors of ours.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR, Diagnostics, connection, cursor

from shared.addresses import PostgresAddress, is_loopback
from shared.errors import (
    AccessDenied,
    SchemaOutdated,
    StoreBusy,
    StoreFault,
    StoreMisconfigured,
    StoreUnavailable,
    SuiteError,
)

OLDEST_SERVER = 160000

# deadlock_timeout is 1 s by default: waiting shorter than that, we give up before the server has to choose a victim.
SESSION = {
    "search_path": "pg_catalog,pg_temp",  # pg_temp named last, or a temporary table would hide a catalogue's
    "row_security": "off",  # a policy that hides rows is an error, never a silence (threat model A5)
    "lock_timeout": "800ms",
    "statement_timeout": "60s",  # until a transaction names the time it has left
    "idle_in_transaction_session_timeout": "30s",
    "idle_session_timeout": "60s",
    "client_connection_check_interval": "5s",
    "timezone": "UTC",
    "client_encoding": "UTF8",
    "jit": "off",
}


def connect(address: PostgresAddress, *, application: str) -> connection:
    """Open a connection with all its limits. Fails with one sentence that holds no secret."""
    try:
        opened: connection = psycopg2.connect(
            **whereabouts(address),
            application_name=application,
            connect_timeout=5,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            options=" ".join(f"-c {name}={value}" for name, value in SESSION.items()),
            **_tls(address),
        )
        _settle(opened)
    except psycopg2.Error as error:
        raise _unopened(error, address) from None  # the driver's text may quote parts of the address
    if opened.server_version < OLDEST_SERVER:
        version = opened.server_version // 10000
        opened.close()
        raise StoreMisconfigured(
            f"This Postgres is version {version}", where=address.where, remedy="use version 16 or later"
        )
    return opened


def whereabouts(address: PostgresAddress) -> dict[str, Any]:
    """Whom to ask, in libpq's words; each of them, so that no variable of the environment (PGHOSTADDR …) has a say."""
    return {
        "host": address.host,
        "hostaddr": "",
        "port": address.port,
        "dbname": address.database,
        "user": address.role,
        "password": address.password or "",
        "passfile": os.devnull,
        "require_auth": "scram-sha-256,md5,none",  # never a password in clear
        "channel_binding": "prefer",
        "gssencmode": "disable",
        "target_session_attrs": "any",
        "client_encoding": "UTF8",
    }


def _settle(opened: connection) -> None:
    """What libpq sends from PGTZ and PGDATESTYLE overrules our options, and reads a date the other way round."""
    with opened.cursor() as cur:
        cur.execute("set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set geqo = default")
    opened.commit()


def _tls(address: PostgresAddress) -> dict[str, Any]:
    if is_loopback(address.host):
        return {"sslmode": "prefer"}
    authorities = address.ca_file or ssl.get_default_verify_paths().cafile
    if authorities is None:
        raise StoreMisconfigured(
            "No certificate authorities to check the server with",
            where=address.where,
            remedy="add ?sslrootcert=FILE to the address",
        )
    return {"sslmode": "verify-full", "sslrootcert": authorities}


class Database:
    """The one connection of an execution environment."""

    def __init__(self, address: PostgresAddress, *, application: str) -> None:
        self.address = address
        self._application = application
        self._open: connection | None = None
        self._is_in_transaction = False

    @property
    def where(self) -> str:
        return self.address.where

    def connection(self) -> connection:
        """A connection that answers: the one in use, or a new one where that has died between two invocations."""
        if self._open is None or not _answers(self._open):
            self.close()
            self._open = connect(self.address, application=self._application)
        return self._open

    @contextlib.contextmanager
    def transaction(self, *, seconds: float = 60.0) -> Iterator[cursor]:
        """One transaction, committed at the end, no statement of which may outlive the time that is left."""
        if self._is_in_transaction:
            raise RuntimeError("this connection is inside a transaction already")
        opened = self.connection()
        with self._marked(), translated(self.where):
            try:
                with opened.cursor() as cur:
                    cur.execute(f"set local statement_timeout = {max(1, int(seconds * 1000))}")
                    yield cur
                _commit(opened, self.where)
            except BaseException:
                with contextlib.suppress(psycopg2.Error):
                    opened.rollback()
                raise

    @contextlib.contextmanager
    def _marked(self) -> Iterator[None]:
        self._is_in_transaction = True
        try:
            yield
        finally:
            self._is_in_transaction = False

    def close(self) -> None:
        if self._open is not None:
            with contextlib.suppress(psycopg2.Error):
                self._open.close()
            self._open = None


def _commit(opened: connection, where: str) -> None:
    # Postgres answers the COMMIT of a failed transaction with a ROLLBACK, and the driver calls that success.
    if opened.get_transaction_status() == TRANSACTION_STATUS_INERROR:
        raise StoreFault("A statement failed and was passed over: nothing is committed", where=where)
    opened.commit()


def _answers(opened: connection) -> bool:
    if opened.closed or opened.get_transaction_status() != TRANSACTION_STATUS_IDLE:
        return False
    try:
        with opened.cursor() as cur:
            cur.execute("select 1")
        opened.rollback()
    except psycopg2.Error:
        return False
    return True


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what the driver raises into errors of ours. Its text stays behind: it may quote a person's values."""
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
        AccessDenied,
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


def _unopened(error: psycopg2.Error, address: PostgresAddress) -> SuiteError:
    said = str(error)
    for words, kind, what, remedy in _UNOPENED:
        if words in said:
            return kind(what.format(role=address.role, database=address.database), where=address.where, remedy=remedy)
    return StoreUnavailable(
        "The connection to Postgres could not be opened", where=address.where, remedy="look into its log"
    )
