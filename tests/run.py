"""The stores of one test run: opened once, with one template database that every test clones.

Under pytest-xdist the controller opens them, and the workers get their addresses.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor

from local.postgres import DEFAULT_VERSION, VERSIONS
from local.stores import Stores, open_stores
from shared import migrations
from shared.addresses import CacheAddress, PostgresAddress
from shared.database import Database, connect
from shared.errors import AccessDenied, SettingInvalid
from shared.roles import LOGINS, drop_unused, set_password

OF_THE_TESTS = "made by the tests of the gdpr suite"


@dataclass(frozen=True, kw_only=True)
class Run:
    stores: Stores
    template: str
    described: str

    @property
    def postgres_major(self) -> str:
        """The major version, for tests that start a server of their own."""
        major = self.described.split()[1].split(".")[0]
        return major if major in VERSIONS else DEFAULT_VERSION

    def as_text(self) -> dict[str, Any]:
        """What can travel to a worker."""
        return asdict(self)

    @classmethod
    def from_text(cls, given: dict[str, Any]) -> Run:
        stores = dict(given["stores"])
        stores["postgres"] = PostgresAddress(**stores["postgres"])
        stores["cache"] = CacheAddress(**stores["cache"])
        return cls(stores=Stores(**stores), template=given["template"], described=given["described"])


def as_role(address: PostgresAddress, role: str) -> PostgresAddress:
    """The same database as one of our roles. The password follows from the administrator's: two runs agree on it."""
    password = hashlib.sha256(f"{role}:{address.password}".encode()).hexdigest()
    return replace(address, role=role, password=password)


@contextlib.contextmanager
def open_run() -> Iterator[Run]:
    """Stores and template, up to the end of the run."""
    with open_stores() as stores:
        template = f"gdpr_template_{secrets.token_hex(4)}"
        with administrator(stores.postgres) as cur:
            _refuse_a_server_in_use(cur)
            cur.execute(sql.SQL("create database {}").format(sql.Identifier(template)))
            try:
                _prepare(cur, replace(stores.postgres, database=template))
                yield Run(stores=stores, template=template, described=stores.described())
            finally:
                drop_database(cur, template)
                drop_unused(cur)


@contextlib.contextmanager
def administrator(address: PostgresAddress) -> Iterator[cursor]:
    """A session outside every transaction, for what Postgres does nowhere else."""
    opened = connect(address, application="gdpr-tests")
    opened.autocommit = True
    with contextlib.closing(opened), opened.cursor() as cur:
        cur.execute("set idle_session_timeout = 0; set lock_timeout = '30s'")
        yield cur


def drop_database(cur: cursor, name: str) -> None:
    cur.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _refuse_a_server_in_use(cur: cursor) -> None:
    cur.execute(
        "select r.rolname from pg_roles as r where r.rolname = any(%s)"
        " and shobj_description(r.oid, 'pg_authid') is distinct from %s",
        (list(LOGINS), OF_THE_TESTS),
    )
    if found := cur.fetchone():
        raise SettingInvalid(
            f"The server of DATABASE_URL has a role {found[0]} that these tests did not make, and would change",
            remedy="unset DATABASE_URL, or point it at a server that nobody uses",
        )


def _prepare(cur: cursor, template: PostgresAddress) -> None:
    database = Database(template, application="gdpr-tests")
    migrations.migrate(database)
    database.close()
    for role in LOGINS:
        _lift_limit(cur, role)
        address = as_role(template, role)
        try:
            connect(address, application="gdpr-tests").close()
        except AccessDenied:
            cur.execute(sql.SQL("comment on role {} is %s").format(sql.Identifier(role)), (OF_THE_TESTS,))
            with contextlib.suppress(psycopg2.errors.InternalError_):  # another run on this server was faster
                set_password(cur, role, address.password or "")


def _lift_limit(cur: cursor, role: str) -> None:
    """A limit on connections is the server's, and many tests share this one."""
    cur.execute("select rolconnlimit from pg_roles where rolname = %s", (role,))
    if cur.fetchone() != (1000,):
        with contextlib.suppress(psycopg2.errors.InternalError_):
            cur.execute(sql.SQL("alter role {} connection limit 1000").format(sql.Identifier(role)))
