"""Install schema gdpr and its roles, or bring them up to date: `gdpr db migrate` and `gdpr db status`.

One transaction under one lock: run twice it changes nothing, run twice at once the second waits, killed anywhere
it leaves what was there before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor

from shared.database import Database
from shared.errors import AccessDenied, ForeignSchema, StoreBusy, StoreFault
from shared.queries import SQL, query, told
from shared.roles import owner_lent

_FILE_NAME = re.compile(r"^(?P<version>\d{4})_(?P<name>[a-z_]+)\.sql$")
_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Migration:
    version: int
    name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.version:04} {self.name}"

    @classmethod
    def all(cls, sql: Path = SQL) -> list[Migration]:
        """The numbered files, in order and without a gap."""
        found = [
            cls(version=int(match["version"]), name=match["name"], path=path)
            for path in sorted((sql / "migrations").iterdir())
            if (match := _FILE_NAME.match(path.name))
        ]
        if [migration.version for migration in found] != list(range(1, len(found) + 1)):
            raise ValueError("sql/migrations must be numbered 0001, 0002, … without a gap")
        return found


@dataclass(frozen=True, kw_only=True)
class Applied:
    version: int
    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RoleState:
    name: str
    may_log_in: bool
    connections: int
    reads_all: bool
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Status:
    applied: list[Applied]
    pending: list[Migration]
    roles: list[RoleState]
    faults: list[str]  # of the roles, each as the statement that mends it

    @property
    def is_current(self) -> bool:
        return bool(self.applied) and not self.pending and len(self.roles) == 5 and not self.faults


def migrate(database: Database, *, sql: Path = SQL) -> list[Migration]:
    """Install or upgrade. The answer is what was applied now: all of it on a new database, nothing on a current one."""
    for _ in range(_ATTEMPTS):
        try:
            with database.transaction(seconds=600) as cur:
                return _bring_up_to_date(cur, sql, database.where)
        except _RolesInUseError:
            continue
        except AccessDenied as denied:
            raise AccessDenied(
                denied.what.replace("The role may not do this", "This role may not install schema gdpr"),
                where=denied.where,
                remedy="it takes CREATEROLE, CREATE on the database, and ADMIN OPTION on gdpr_* roles that another "
                "administrator has made (a superuser and RDS's master user have them)",
            ) from None
    raise StoreBusy(
        "Migrations of other databases keep changing the same roles", where=database.where, remedy="try again"
    )


class _RolesInUseError(Exception):
    """Roles belong to the whole server: a migration of another database of it changed one at the same moment."""


def _bring_up_to_date(cur: cursor, sql: Path, where: str) -> list[Migration]:
    cur.execute(query("lock_migrations"))
    _run(cur, sql / "roles.sql", where)
    _check_roles(cur, where)
    with owner_lent(cur):
        return _install_or_upgrade(cur, sql, where)


def _check_roles(cur: cursor, where: str) -> None:
    if faults := _role_faults(cur):
        raise ForeignSchema(
            "The roles of the suite are not what its rules stand on", where=where, remedy="; ".join(faults)
        )


def _run(cur: cursor, script: Path, where: str) -> None:
    try:
        cur.execute(script.read_text())
    except psycopg2.errors.InternalError_:
        raise _RolesInUseError from None
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.OperationalError, psycopg2.InterfaceError):
        raise
    except psycopg2.Error as error:  # a script holds nobody's values, so what Postgres says of it may be shown
        raise StoreFault(f"{script.name} failed ({error.diag.message_primary})", where=where) from error


def _install_or_upgrade(cur: cursor, sql: Path, where: str) -> list[Migration]:
    migrations, is_installed = Migration.all(sql), _is_installed(cur, where)
    if not is_installed:
        cur.execute(query("create_schema"))
    cur.execute("set local role gdpr_owner")
    pending = _pending(migrations, _applied(cur), where) if is_installed else migrations
    for script in [migration.path for migration in pending] if is_installed else [sql / "schema.sql"]:
        _run(cur, script, where)
    for migration in pending:
        cur.execute(query("record_version"), {"version": migration.version, "name": migration.name})
    return pending


def status(database: Database, *, sql: Path = SQL) -> Status:
    """What is installed, what is missing, and how the roles stand."""
    with database.transaction() as cur:
        applied: list[Applied] = []
        if _is_installed(cur, database.where):
            applied = _applied(cur) if told(cur, "may_read_versions") else _applied_as_owner(cur)
        return Status(
            applied=applied,
            pending=_pending(Migration.all(sql), applied, database.where),
            roles=_roles(cur),
            faults=_role_faults(cur),
        )


def _applied_as_owner(cur: cursor) -> list[Applied]:
    with owner_lent(cur):
        cur.execute("set local role gdpr_owner")
        return _applied(cur)


def _is_installed(cur: cursor, where: str) -> bool:
    cur.execute(query("schema_owner"))
    owner = cur.fetchone()
    if owner is None:
        return False
    if owner != ("gdpr_owner",) or not told(cur, "has_version_table"):
        raise ForeignSchema(
            f"There is a schema gdpr, of role {owner[0]}, that this program did not make",
            where=where,
            remedy="rename it: ALTER SCHEMA gdpr RENAME TO …",
        )
    return True


def _applied(cur: cursor) -> list[Applied]:
    cur.execute(query("applied_versions"))
    return [Applied(version=version, name=name, at=at) for version, name, at in cur.fetchall()]


def _pending(migrations: list[Migration], applied: list[Applied], where: str) -> list[Migration]:
    known = {migration.version: migration.name for migration in migrations}
    if any(known.get(each.version) != each.name for each in applied):
        raise ForeignSchema(
            f"Schema gdpr is at version {applied[-1].version}, and this program knows {max(known)}",
            where=where,
            remedy="use the program that installed it, or a newer one",
        )
    done = {each.version for each in applied}
    return [migration for migration in migrations if migration.version not in done]


def _roles(cur: cursor) -> list[RoleState]:
    cur.execute(query("role_states"))
    return [
        RoleState(
            name=name,
            may_log_in=may_log_in,
            connections=connections,
            reads_all=reads_all,
            sessions=sessions,
        )
        for name, may_log_in, connections, reads_all, sessions in cur.fetchall()
    ]


def _role_faults(cur: cursor) -> list[str]:
    cur.execute(query("role_faults"))
    return [statement for (statement,) in cur.fetchall()]
