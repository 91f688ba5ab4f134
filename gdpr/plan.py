"""`gdpr plan`: what a map compiles into, for whoever reviews it, tries it, or asks whether it still holds."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gdpr.acting import ROLES, act_as
from gdpr.columns import plain
from gdpr.database import database_option, installed, json_option, opened
from gdpr.map import catalogue_option, facts, map_argument
from shared.addresses import PostgresAddress
from shared.clock import now
from shared.errors import AccessDenied, Misuse, StoreBusy

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

    from gdpr.trial import Trial
    from shared.plan import Plan

active_option = click.option("--active", is_flag=True, help="The plan that the functions go by, instead of MAP's.")


@click.group("plan")
def plan_commands() -> None:
    """The compiled plan: what is read and done for one person.

    MAP is datamap.yaml unless it is named, as an argument or as DATA_MAP.
    """


@plan_commands.command()
@map_argument
@database_option
@catalogue_option
@active_option
@click.option("--explain", is_flag=True, help="With Postgres' estimate of each statement, for one person.")
@click.option("--full", is_flag=True, help="With every statement, also those that bind, capture and lock.")
@click.option("--table", "tables", multiple=True, metavar="SCHEMA.TABLE", help="Only this table; may be repeated.")
def show(
    data_map: Path,
    database_url: PostgresAddress | None,
    catalogue_file: Path | None,
    *,
    active: bool,
    explain: bool,
    full: bool,
    tables: tuple[str, ...],
) -> None:
    """Print the plan: a line for each table, then what is read and what an erasure does, as SQL, in its order.

    With --full it is a script that psql runs: for nobody, and rolled back at its end.

    \b
    Example:
      gdpr plan show --explain --table app.orders
    """
    from gdpr.script import explained, script
    from shared.active_plan import load

    if active and catalogue_file is not None:
        raise Misuse("--active shows what is stored, and --catalogue what would be", remedy="choose one of them")
    if active:
        with installed(database_url) as database, database.transaction(seconds=60) as cur:
            plan = load(cur)
    else:
        plan = _compiled(data_map, database_url, catalogue_file)
    _check_known(plan, tables)
    costs = {}
    if explain:
        with opened(database_url).transaction(seconds=600) as cur:
            costs = {kind.name: explained(cur, kind) for kind in plan.kinds}
            cur.connection.rollback()
    text = "".join(script(plan, tables, costs, full=full))
    if sys.stdout.isatty():
        text = "\n".join(map(plain, text.split("\n")))
    click.echo(text, nl=False, color=True)  # a file gets every name as it is, even one with a colour in it


def _check_known(plan: Plan, tables: tuple[str, ...]) -> None:
    from datamap.document import nearest
    from gdpr.outline import tables as all_tables

    known = [table for kind in plan.kinds for table in all_tables(kind)]
    for table in tables:
        if table not in known:
            meant = nearest(table, known)
            remedy = f"did you mean {meant}?" if meant else "gdpr map show lists what it has to do with"
            raise Misuse(f"The plan has nothing to do with {table}", remedy=remedy)


@plan_commands.command()
@map_argument
@database_option
@catalogue_option
def compile(  # noqa: A001 - the command's name
    data_map: Path, database_url: PostgresAddress | None, catalogue_file: Path | None
) -> None:
    """Print the plan for a machine, whether or not MAP passes the check: `gdpr map approve --output` looks.

    \b
    Example:
      gdpr plan compile --catalogue catalogue.json > plan.json
    """
    click.echo(_compiled(data_map, database_url, catalogue_file).as_json().decode())


@plan_commands.command()
@map_argument
@database_option
@json_option
@click.pass_context
def status(ctx: click.Context, data_map: Path, database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """Which plan the functions go by, and whether the database still is what it was made for. Exit status 1 if not.

    Tells what has changed in the database, and whether MAP is another one than what was approved.

    \b
    Example:
      gdpr plan status --json
    """
    from shared.active_plan import has_drifted, load

    with installed(database_url) as database, database.transaction(seconds=60) as cur:
        plan = load(cur)
        drifted = has_drifted(cur, plan)
        changes = _changes(cur) if drifted else []
    map_changed = _map_changed(ctx, data_map, plan)
    if as_json:
        told = {"digest": plan.digest, "map_digest": plan.map_digest, "drifted": drifted}
        click.echo(json.dumps({**told, "changes": changes, "map_changed": map_changed}, ensure_ascii=False))
    else:
        click.echo(plan.digest)
        _tell_of_drift(changes, drifted=drifted)
        if map_changed:
            click.echo(f"{data_map} has changed since it was approved.", err=True)
    ctx.exit(1 if drifted else 0)


def _changes(cur: cursor) -> list[str] | None:
    """What has changed since the approval; None where the plan came without a catalogue that can be read."""
    from datamap.catalogue import Catalogue
    from datamap.check.drift import drift
    from shared.active_plan import approved_catalogue
    from shared.catalogue import document

    approved = approved_catalogue(cur)
    if approved is None:
        return None
    try:
        before = Catalogue.from_json(approved)
    except (KeyError, TypeError, ValueError):  # another version wrote it
        return None
    return drift(before, Catalogue.from_json(document(cur)))


def _map_changed(ctx: click.Context, data_map: Path, plan: Plan) -> bool | None:
    """Whether the file says something else than what was approved. None: there is none, and nobody named one."""
    from datamap.document import Unreadable
    from gdpr.map_file import read_map

    if ctx.get_parameter_source("data_map") is ParameterSource.DEFAULT and not data_map.exists():
        return None
    try:
        return replace(plan, map=read_map(data_map).map.data()).map_digest != plan.map_digest
    except Unreadable:  # what was approved could be read
        return True


def _tell_of_drift(changes: list[str] | None, *, drifted: bool) -> None:
    if not drifted:
        click.echo("The database is what it was made for.", err=True)
        return
    for change in changes or []:
        click.echo(f"  {plain(change)}.", err=True)
    unknown = (
        ""
        if changes is not None
        else " What has changed is not known: the plan came without its catalogue, or with another version's."
    )
    click.echo(
        f"The database has changed since the plan was approved.{unknown}"
        " Approve it again: gdpr map check, then gdpr map approve.",
        err=True,
    )


@plan_commands.command("try")
@map_argument
@database_option
@click.option("--kind", metavar="NAME", help="The kind of subject, where the map has several.")
@click.option("--id", "ids", multiple=True, metavar="[COLUMN=]VALUE", help="The key; repeated if it has more columns.")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="NAME=VALUE",
    help="How else they are known; their key is used if they have one.",
)
@click.option("--erase", is_flag=True, help="Run the erasure as well, before it is all rolled back.")
@click.option("--as", "role", type=click.Choice(ROLES), help="Run as a function's role, instead of whoever connects.")
@active_option
@click.option(
    "--timeout", type=click.IntRange(1, 3600), default=30, show_default=True, metavar="SECONDS", help="For all of it."
)
@json_option
@click.pass_context
def try_(  # noqa: PLR0917 - click passes them by name
    ctx: click.Context,
    data_map: Path,
    database_url: PostgresAddress | None,
    kind: str | None,
    ids: tuple[str, ...],
    identities: tuple[str, ...],
    *,
    erase: bool,
    role: str | None,
    active: bool,
    timeout: int,
    as_json: bool,
) -> None:
    """Try the plan on one person: what would be found, what an erasure would do, and what would stop it.

    Tells tables, links and numbers, nothing that stands in a row. It all happens in one transaction that is rolled
    back. Without --erase nothing is locked and nothing is written. With it the statements run: rows are locked until
    the end, and triggers of the tables fire. What those write, and a NOTIFY, is rolled back with the rest; what a
    trigger does outside of the database is not. Neither the cache nor objects are looked at.

    It runs as whoever connects, who may see and do more than the function: --as gdpr_erase runs it as that role, if an
    administrator connects.

    Exit status 1 if there is no such person, or if something stops the erasure.

    \b
    Example:
      gdpr plan try --id 4711 --erase
      gdpr plan try --id tenant_id=1 --id user_id=5 --as gdpr_erase
      gdpr plan try --identity email=somebody@example.org
    """
    from gdpr.trial_report import as_data, lines

    if erase and role not in (None, "gdpr_erase"):
        raise Misuse(f"{role} erases nothing", remedy="take --as gdpr_erase, or leave out --erase")
    try:
        named = (kind, ids, identities)
        trial = _tried(data_map, database_url, named, role=role, active=active, erase=erase, timeout=timeout)
    except AccessDenied as denied:
        raise _denied(denied, role) from None
    except StoreBusy as busy:
        remedy = "nothing was changed; try again, or give it longer with --timeout"
        raise StoreBusy(busy.what, where=busy.where, remedy=remedy) from None
    click.echo(json.dumps(as_data(trial), ensure_ascii=False) if as_json else "\n".join(lines(trial)))
    click.echo("Nothing was changed: all of it was rolled back.", err=True)
    ctx.exit(0 if trial.is_clean else 1)


def _denied(denied: AccessDenied, role: str | None) -> AccessDenied:
    """Of a role that is tried, what it lacks is what is to be found out."""
    what = denied.what.replace("The role may not do this", f"{role} may not do this")
    if role is None or what == denied.what:
        return denied  # it says itself what to do
    remedy = "gdpr map approve lets it at the tables of the map; what a trigger needs besides, gdpr map check tells"
    return AccessDenied(what, where=denied.where, remedy=remedy)


def _tried(
    data_map: Path,
    database_url: PostgresAddress | None,
    named: tuple[str | None, tuple[str, ...], tuple[str, ...]],
    *,
    role: str | None,
    active: bool,
    erase: bool,
    timeout: int,
) -> Trial:
    from gdpr.person import kind_named, person_named
    from gdpr.trial import tried

    with installed(database_url) as database, database.transaction(seconds=timeout) as cur:
        if not erase:
            cur.execute("set transaction isolation level repeatable read")
        if role is not None and active:
            act_as(cur, role)
        plan = _plan_here(cur, data_map, active=active)
        if role is not None and not active:
            act_as(cur, role)
        name, ids, identities = named
        kind = kind_named(plan, name)
        person = person_named(kind, ids, identities)
        try:
            return tried(cur, plan, kind, person, today=now().date(), seconds=timeout, erasing=erase)
        finally:
            cur.connection.rollback()


def _plan_here(cur: cursor, data_map: Path, *, active: bool) -> Plan:
    """The plan in use, or MAP's for this database, without leaving the transaction."""
    if active:
        from shared.active_plan import has_drifted, load

        plan = load(cur)
        if has_drifted(cur, plan):
            click.echo("The database has changed since this plan was approved: gdpr plan status.", err=True)
        return plan
    from datamap.catalogue import Catalogue
    from datamap.compile.plan import compiled
    from gdpr.map_file import read_map
    from shared.catalogue import document

    return compiled(read_map(data_map).map, Catalogue.from_json(document(cur)))


def _compiled(data_map: Path, database_url: PostgresAddress | None, catalogue_file: Path | None) -> Plan:
    from datamap.compile.plan import compiled
    from gdpr.map_file import read_map

    document = read_map(data_map)
    with facts(database_url, catalogue_file) as (catalogue, _):
        return compiled(document.map, catalogue)
