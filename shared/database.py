"""The connection to Postgres: one per execution environment, opened when first needed, opened again when dead.

Where its address lies in an object, that is read with the first connection, and again when the password is refused.

Every limit that keeps a killed function from wedging the database stands here (threat model A15).
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR, connection, cursor

from shared.address_object import AddressObject
from shared.addresses import PostgresAddress, is_loopback
from shared.database_errors import translated, unopened
from shared.errors import PasswordRefused, StoreFault, StoreMisconfigured

OLDEST_SERVER = 160000

# deadlock_timeout is 1 s by default: waiting shorter than that, we give up before the server has to choose a victim.
SESSION = {
    "search_path": "pg_catalog,pg_temp",  # pg_temp named last, or a temporary table would hide a catalogue's
    "row_security": "off",  # a policy that hides rows is an error, never a silence: shared/row_security.py
    "standard_conforming_strings": "on",
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
        raise unopened(error, address) from None  # the driver's text may quote parts of the address
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

    def __init__(self, address: PostgresAddress | AddressObject, *, application: str) -> None:
        self._source = address
        self._known = address if isinstance(address, PostgresAddress) else None
        self._application = application
        self._open: connection | None = None
        self._is_in_transaction = False

    @property
    def address(self) -> PostgresAddress:
        """The one in use; of those that lie in an object, before any has been used, the first."""
        source = self._source
        return self._known or (source if isinstance(source, PostgresAddress) else source.read()[0])

    @property
    def lies_at(self) -> str | None:
        """Where the address lies, if it lies in an object."""
        return self._source.where if isinstance(self._source, AddressObject) else None

    @property
    def where(self) -> str:
        """As a message may name it; nothing is read for that."""
        return (self._known or self._source).where

    def connection(self) -> connection:
        """A connection that answers: the one in use, or a new one where that has died between two invocations."""
        if self._open is None or not _answers(self._open):
            self.close()
            self._known, self._open = _opened(self._source, self._known, self._application)
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


def _opened(
    source: PostgresAddress | AddressObject, known: PostgresAddress | None, application: str
) -> tuple[PostgresAddress, connection]:
    """By the address in use, or by those that lie where it should; by what lies there now, if none of them opens.

    Whoever changes a password writes the object before that and after it (the action `rotate` of audit_logging): what
    was right when it was read may be gone, and what lies there a moment later opens.
    """
    if isinstance(source, PostgresAddress):
        return source, connect(source, application=application)
    with contextlib.suppress(PasswordRefused):
        return _first_that_opens([known] if known else source.read(), application)
    try:
        return _first_that_opens(source.read(), application)
    except PasswordRefused as refused:
        remedy = f"the address at {source.where} is not right: {source.remedy}"
        raise PasswordRefused(refused.what, where=refused.where, remedy=remedy) from None


def _first_that_opens(addresses: Sequence[PostgresAddress], application: str) -> tuple[PostgresAddress, connection]:
    *others, last = addresses
    for address in others:
        with contextlib.suppress(PasswordRefused):
            return address, connect(address, application=application)
    return last, connect(last, application=application)


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
