"""`gdpr db`: schema gdpr and its roles."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace

import click
from rich.console import Console
from rich.table import Table

from shared import migrations
from shared.addresses import PostgresAddress
from shared.database import Database
from shared.errors import SchemaOutdated, SettingMissing
from shared.migrations import Status
from shared.roles import LOGINS, set_password


class DatabaseUrl(click.ParamType[PostgresAddress]):
    """A flag or variable that holds a Postgres address, which no message repeats."""

    name = "postgresql://…"

    def convert(self, value: object, param: object, ctx: object) -> PostgresAddress:  # noqa: ARG002 - click's
        return value if isinstance(value, PostgresAddress) else PostgresAddress.parse(str(value))


database_option = click.option(
    "--database-url", type=DatabaseUrl(), envvar="DATABASE_URL", help="The data unit's Postgres [DATABASE_URL]."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer for a machine.")


def opened(address: PostgresAddress | None) -> Database:
    if address is None:
        raise SettingMissing("DATABASE_URL is not set", remedy="set it, or pass --database-url")
    return Database(address, application="gdpr")


@contextlib.contextmanager
def installed(address: PostgresAddress | None) -> Iterator[Database]:
    """For what stands on schema gdpr: where something is not there, it says whether a migration is missing."""
    database = opened(address)
    try:
        yield database
    except SchemaOutdated:
        check_installed(database)
        raise


def check_installed(database: Database) -> None:
    """Schema gdpr is there and up to date; otherwise what to run first."""
    found = migrations.status(database)
    if found.pending:
        missing = ", ".join(f"{each.version:04} {each.name}" for each in found.pending)
        what = f"Schema gdpr lacks {missing}" if found.applied else "Schema gdpr is not installed"
        raise SchemaOutdated(what, where=database.where, remedy="run `gdpr db migrate` first, as an administrator")


@click.group("db")
def database_commands() -> None:
    """Schema gdpr and its roles in the data unit's database."""


@database_commands.command()
@database_option
@json_option
def migrate(database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """Install schema gdpr, or bring it up to date. Safe to run twice, and twice at once.

    \b
    Example:
      DATABASE_URL=postgresql://admin:…@db.example:5432/shop gdpr db migrate
    """
    database = opened(database_url)
    applied = migrations.migrate(database)
    if as_json:
        click.echo(json.dumps({"applied": [migration.version for migration in applied]}))
    elif applied:
        for migration in applied:
            click.echo(f"{migration.version:04}  {migration.name}")
        click.echo(f"Schema gdpr at {database.where} is up to date.", err=True)
    else:
        click.echo(f"Schema gdpr at {database.where} was up to date; nothing changed.", err=True)


@database_commands.command()
@database_option
@json_option
@click.pass_context
def status(ctx: click.Context, database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """What is installed and how the roles stand; exit status 1 if something is missing.

    \b
    Example:
      gdpr db status --json
    """
    database = opened(database_url)
    found = migrations.status(database)
    if as_json:
        click.echo(json.dumps(_as_data(found)))
    else:
        _show(found, database.where)
    ctx.exit(0 if found.is_current else 1)


@database_commands.command()
@click.argument("role", type=click.Choice(LOGINS), metavar="ROLE")
@database_option
@json_option
def rotate(role: str, database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """Give ROLE (gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit) a new password, and print its address with it.

    The server is told a SCRAM verifier only, so its log cannot hold the password. Sessions that are open stay open.

    \b
    Example:
      GDPR_EXPORT_URL=$(gdpr db rotate gdpr_export)
    """
    database = opened(database_url)
    address = replace(database.address, role=role, password=secrets.token_urlsafe(32))
    with database.transaction() as cur:
        set_password(cur, role, address.password or "")
    click.echo(json.dumps({"role": role, "database_url": address.url()}) if as_json else address.url())


def _as_data(found: Status) -> dict[str, object]:
    return {
        "current": found.is_current,
        "applied": [{"version": a.version, "name": a.name, "at": a.at.isoformat()} for a in found.applied],
        "pending": [{"version": p.version, "name": p.name} for p in found.pending],
        "roles": [asdict(role) for role in found.roles],
        "faults": found.faults,
    }


def _show(found: Status, where: str) -> None:
    console = Console(highlight=False)
    versions = Table("version", "migration", "state", title=f"schema gdpr at {where}", title_justify="left")
    for applied in found.applied:
        versions.add_row(f"{applied.version:04}", applied.name, f"since {applied.at:%Y-%m-%d %H:%M} UTC")
    for pending in found.pending:
        versions.add_row(f"{pending.version:04}", pending.name, "missing: run gdpr db migrate")
    console.print(versions)
    if not found.roles:
        console.print("None of the five roles is on this server: gdpr db migrate makes them.")
        return
    roles = Table("role", "logs in", "connections", "sessions now", "reads every table")
    for role in found.roles:
        limit, sessions = (str(role.connections), str(role.sessions)) if role.may_log_in else ("", "")
        roles.add_row(role.name, _word(role.may_log_in), limit, sessions, _word(role.reads_all))
    console.print(roles)
    for fault in found.faults:
        console.print(f"The roles are not what the suite's rules stand on. Mend it: {fault}", soft_wrap=True)


def _word(yes: bool) -> str:
    return "yes" if yes else "no"
