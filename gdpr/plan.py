"""`gdpr plan`: the statements that a map compiles into, for whoever reviews them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdpr.database import database_option, json_option, opened
from gdpr.map import catalogue_option, facts, map_argument
from shared.addresses import PostgresAddress
from shared.errors import Misuse

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

    from shared.plan import Kind, Plan, Statement


@click.group("plan")
def plan_commands() -> None:
    """The compiled plan: what is read and done for one person."""


@plan_commands.command()
@map_argument
@database_option
@catalogue_option
@click.option("--active", is_flag=True, help="The plan that the functions go by, instead of MAP's.")
@click.option("--explain", is_flag=True, help="With Postgres' estimate of each statement, for one person.")
@click.option("--table", "tables", multiple=True, metavar="SCHEMA.TABLE", help="Only this table; may be repeated.")
def show(
    data_map: Path,
    database_url: PostgresAddress | None,
    catalogue_file: Path | None,
    *,
    active: bool,
    explain: bool,
    tables: tuple[str, ...],
) -> None:
    """Print the plan as SQL: how a person is bound, what is read, and what an erasure does, in its order.

    \b
    Example:
      gdpr plan show --explain --table app.orders
    """
    from shared.active_plan import load

    if active and catalogue_file is not None:
        raise Misuse("--active shows what is stored, and --catalogue what would be", remedy="choose one of them")
    if active:
        with opened(database_url).transaction(seconds=60) as cur:
            plan = load(cur)
    else:
        plan = _compiled(data_map, database_url, catalogue_file)
    unknown = set(tables) - {dataset.name for kind in plan.kinds for dataset in kind.datasets}
    if unknown:
        raise Misuse(
            f"The plan has nothing to do with {min(unknown)}", remedy="gdpr map show lists what it has to do with"
        )
    if not explain:
        click.echo("".join(_written(plan, tables, {})), nl=False)
        return
    with opened(database_url).transaction(seconds=600) as cur:
        for kind in plan.kinds:
            costs = _explained(cur, kind)
            click.echo("".join(_of_kind(kind, tables, costs)), nl=False)
        cur.connection.rollback()


@plan_commands.command()
@map_argument
@database_option
@catalogue_option
def compile(  # noqa: A001 - the command's name
    data_map: Path, database_url: PostgresAddress | None, catalogue_file: Path | None
) -> None:
    """Print the plan for a machine: what the action `activate` of audit_logging takes.

    \b
    Example:
      gdpr plan compile --catalogue catalogue.json > plan.json
    """
    click.echo(_compiled(data_map, database_url, catalogue_file).as_json().decode())


@plan_commands.command()
@database_option
@json_option
@click.pass_context
def status(ctx: click.Context, database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """Which plan the functions go by, and whether the database still is what it was made for. Exit status 1 if not."""
    from shared.active_plan import has_drifted, load

    with opened(database_url).transaction(seconds=60) as cur:
        plan = load(cur)
        drifted = has_drifted(cur, plan)
    if as_json:
        told = {"digest": plan.digest, "map_digest": plan.map_digest, "drifted": drifted}
        click.echo(json.dumps(told))
    else:
        click.echo(plan.digest)
        says = (
            "The database has changed since: run gdpr map check" if drifted else "The database is what it was made for"
        )
        click.echo(f"{says}.", err=True)
    ctx.exit(1 if drifted else 0)


def _compiled(data_map: Path, database_url: PostgresAddress | None, catalogue_file: Path | None) -> Plan:
    from datamap.compile.plan import compiled
    from datamap.document import Document

    document = Document.read(data_map)
    with facts(database_url, catalogue_file) as (catalogue, _):
        return compiled(document.map, catalogue)


def _written(plan: Plan, tables: tuple[str, ...], costs: dict[str, str]) -> Iterator[str]:
    yield f"-- Plan {plan.digest}\n-- Map {plan.map_digest}\n-- Catalogue {plan.fingerprint}\n"
    for kind in plan.kinds:
        yield from _of_kind(kind, tables, costs)


def _of_kind(kind: Kind, tables: tuple[str, ...], costs: dict[str, str]) -> Iterator[str]:
    binds = ", ".join(f"{name} {as_type}" for name, as_type in kind.binds.items())
    if not tables:
        yield _heading(f"{_plain(kind.name)}: a row of {_plain(kind.table)}")
        yield f"-- pg_temp.gdpr_asked ({_plain(binds)}) holds who is asked for.\n\n{kind.resolve};\n\n"
    parts: list[tuple[str, list[Statement]]] = [
        ("What others hang from", list(kind.reach)),
        ("What is read", [statement for dataset in kind.datasets for statement in dataset.reads]),
        ("What an erasure does", list(kind.erase)),
    ]
    for title, statements in parts:
        chosen = [s for s in statements if not tables or set(s.dataset.split(", ")) & set(tables)]
        if chosen:
            yield _heading(f"{_plain(kind.name)}: {title}")
            yield from (_statement(each, costs) for each in chosen)


def _heading(text: str) -> str:
    return f"\n-- {text} {'-' * max(3, 116 - len(text))}\n\n"


def _statement(statement: Statement, costs: dict[str, str]) -> str:
    via = f", {_plain(statement.link)}" if statement.link else ""
    cost = f"-- {costs[statement.sql]}\n" if statement.sql in costs else ""
    return (
        f"-- {statement.purpose} {_plain(statement.dataset)}{via}: {_plain(statement.why)}\n{cost}{statement.sql};\n\n"
    )


def _plain(text: str) -> str:
    """What may stand in a comment of one line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _explained(cur: cursor, kind: Kind) -> dict[str, str]:
    """Postgres' estimate of every statement, with nobody bound."""
    from shared.person import bind_persons

    bind_persons(cur, kind, [dict.fromkeys(kind.binds)], today=date(1970, 1, 1))
    costs = {}
    reads = [statement for dataset in kind.datasets for statement in dataset.reads]
    for statement in (*kind.reach, *reads, *kind.erase):
        if statement.purpose == "prepare":
            cur.execute(statement.sql)
        elif statement.purpose != "refresh":
            cur.execute("explain (format json) " + statement.sql)
            (found,) = cur.fetchone() or ([{}],)
            costs[statement.sql] = _estimate(found[0]["Plan"])
    return costs


def _estimate(plan: dict[str, object]) -> str:
    scans = sorted(set(_scanned(plan)))
    scanned = f"; reads all of {', '.join(scans)}" if scans else ""
    return f"estimated cost {plan['Total Cost']}, {plan['Plan Rows']} rows{scanned}"


def _scanned(plan: dict[str, object]) -> Iterator[str]:
    """The tables that would be read from end to end."""
    if plan.get("Node Type") == "Seq Scan" and not str(plan["Relation Name"]).startswith("gdpr_"):
        yield _plain(str(plan["Relation Name"]))
    below = plan.get("Plans", [])
    for each in below if isinstance(below, list) else []:
        yield from _scanned(each)
