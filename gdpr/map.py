"""`gdpr map`: propose a data map, check it, draw it, and have the functions go by it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gdpr.cache import cache_option, opened_cache
from gdpr.database import check_installed, database_option, json_option, opened
from gdpr.quantity import counted
from shared.addresses import CacheAddress, PostgresAddress
from shared.errors import AccessDenied, Misuse, SettingMissing

if TYPE_CHECKING:
    import redis
    from psycopg2.extensions import cursor

    from datamap.catalogue import Catalogue
    from datamap.discover.cache import KeyPattern
    from datamap.discover.claims import Claim
    from datamap.document import Document
    from datamap.fault import Fault
    from shared.approval import Approval
    from shared.database import Database

catalogue_option = click.option(
    "--catalogue",
    "catalogue_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `gdpr map catalogue` wrote, instead of a database.",
)
map_argument = click.argument(
    "data_map", metavar="[MAP]", type=click.Path(path_type=Path), envvar="DATA_MAP", default=Path("datamap.yaml")
)


@click.group("map")
def map_commands() -> None:
    """The data map: where people's data lives, and what happens to it.

    MAP is datamap.yaml unless it is named, as an argument or as DATA_MAP.
    """


@contextlib.contextmanager
def facts(
    database_url: PostgresAddress | None, catalogue_file: Path | None
) -> Iterator[tuple[Catalogue, cursor | None]]:
    """The catalogue, from a file or from the database; with a database its cursor, in one transaction."""
    from datamap.catalogue import Catalogue
    from shared.catalogue import document

    if catalogue_file is not None:
        yield _catalogue_in(catalogue_file), None
        return
    if database_url is None:
        raise SettingMissing(
            "DATABASE_URL is not set", remedy="set it, pass --database-url, or --catalogue with a file instead"
        )
    with opened(database_url).transaction(seconds=600) as cur:
        cur.execute("set transaction isolation level repeatable read, read only")
        yield Catalogue.from_json(document(cur)), cur


def _catalogue_in(file: Path) -> Catalogue:
    from datamap.catalogue import Catalogue

    try:
        return Catalogue.from_json(file.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Misuse(f"{file} holds no catalogue", remedy="make one with `gdpr map catalogue`") from None


@map_commands.command()
@database_option
@cache_option
@catalogue_option
@click.option(
    "--subject", "subjects", multiple=True, metavar="SCHEMA.TABLE", help="Who the people are; may be repeated."
)
@click.option(
    "--models", metavar="MODULE[:NAME]", help="The application's SQLAlchemy models: imported, and asked for links."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new file to write to, instead of stdout.")
@click.option("--into", type=click.Path(path_type=Path), help="A map, to which only what is new is added.")
def discover(  # noqa: PLR0917 - click passes them by name
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
    subjects: tuple[str, ...],
    models: str | None,
    output: Path | None,
    into: Path | None,
) -> None:
    """Propose a map for a database that nobody here has seen. Every proposal says why, and how sure it is.

    Reads a few rows of each table and a few keys of the cache, changes nothing, and writes no value of anybody. With
    --catalogue it goes by names and keys alone.

    \b
    Example:
      gdpr map discover --database-url postgresql://…/shop --redis-url rediss://… -o datamap.yaml
    """
    from datamap.discover.everything import discovered
    from datamap.discover.values import Rows
    from gdpr.proposals import Proposed

    proposed = Proposed.asked(output, into, subjects)
    claims = _claims(models) if models else []
    chosen = proposed.subjects
    with facts(database_url, catalogue_file) as (catalogue, cur), opened_cache(redis_url) as client:
        unknown = next((str(name) for name in chosen if catalogue.get(name) is None), None)
        if unknown is not None:
            raise Misuse(f"There is no table {unknown}", remedy=_meant(unknown, catalogue))
        values = Rows(cur, catalogue) if cur is not None else None
        with progress_bar() as progress:
            found = discovered(catalogue, values, client, subject=chosen, claimed=claims, progress=progress)
    proposed.write(found, catalogue)


def _claims(models: str) -> list[Claim]:
    from datamap.discover.models import claimed

    return claimed(models)


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on stderr, where somebody is looking."""
    if not sys.stderr.isatty():
        yield lambda _done, _all, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")
        yield lambda done, of, what: progress.update(task, completed=done, total=of, description=what)


def _meant(name: str, catalogue: Catalogue) -> str | None:
    from datamap.document import nearest

    meant = nearest(name, [str(table.name) for table in catalogue])
    return f"did you mean {meant}?" if meant else None


@map_commands.command()
@map_argument
@database_option
@cache_option
@catalogue_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="For whom.",
)
@click.option("--strict", is_flag=True, help="Warnings, too, mean no.")
@click.option("--notes", is_flag=True, help="Show notes as well; JSON and SARIF always have them.")
@click.pass_context
def check(  # noqa: PLR0917 - click passes them by name
    ctx: click.Context,
    data_map: Path,
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
    form: str,
    *,
    strict: bool,
    notes: bool,
) -> None:
    """Compare MAP with the database, and say what is wrong, where, and what to write. Exit status 1 if anything is.

    Changes nothing.

    \b
    Example:
      gdpr map check --format sarif > map.sarif
    """
    from datamap.check import report

    faults = _faults(data_map, database_url, redis_url, catalogue_file)
    if form == "json":
        click.echo(report.as_json(faults))
    elif form == "sarif":
        click.echo(report.sarif(faults, str(data_map)))
    else:
        click.echo(report.text(faults, str(data_map), notes=notes))
    ctx.exit(1 if any(fault.severity == "error" or (strict and fault.severity == "warning") for fault in faults) else 0)


def _faults(
    data_map: Path,
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
) -> list[Fault]:
    from datamap.check.check import checked
    from datamap.document import Unreadable
    from gdpr.map_file import read_map

    try:
        document = read_map(data_map)
    except Unreadable as unreadable:
        return unreadable.faults
    with facts(database_url, catalogue_file) as (catalogue, cur), opened_cache(redis_url) as client:
        found = _keys_seen(document, catalogue, cur, client)
        return checked(document, catalogue, cursor=cur, found=found)


def _keys_seen(
    document: Document, catalogue: Catalogue, cur: cursor | None, client: redis.Redis | None
) -> list[KeyPattern] | None:
    """The kinds of keys in the cache, where the map says whom they could name."""
    from datamap.compile.resolution import resolve
    from datamap.discover import lexicon
    from datamap.discover.everything import keys_seen, of_subject
    from datamap.discover.values import Rows

    kinds = list(resolve(document.map, catalogue).kinds.values())
    if client is None or not kinds:
        return None if client is None else []
    identities = {name: identity.column for name, identity in kinds[0].identities.items()}
    forms = {name: identity.form for name, identity in kinds[0].identities.items()}
    values = Rows(cur, catalogue) if cur is not None else None
    person = of_subject(kinds[0].facts, kinds[0].key, identities, forms, values)
    return keys_seen(client, replace(person, words=lexicon.of_catalogue(catalogue)))


@map_commands.command()
@map_argument
@database_option
@catalogue_option
@click.option("--dot", "form", flag_value="dot", help="A graph for Graphviz.")
@click.option("--mermaid", "form", flag_value="mermaid", help="A graph for a page in Markdown.")
def show(data_map: Path, database_url: PostgresAddress | None, catalogue_file: Path | None, form: str | None) -> None:
    """Draw MAP: what is whose, and what happens to it.

    \b
    Example:
      gdpr map show --dot | dot -Tsvg > map.svg
    """
    from datamap import drawing
    from datamap.check.check import checked
    from datamap.compile.resolution import resolve
    from gdpr.map_file import read_map

    document = read_map(data_map)
    with facts(database_url, catalogue_file) as (catalogue, cur):
        resolution = resolve(document.map, catalogue)
        errors = sum(fault.severity == "error" for fault in checked(document, catalogue, cursor=cur))
    if form == "dot":
        click.echo(drawing.dot(resolution), nl=False)
    elif form == "mermaid":
        click.echo(drawing.mermaid(resolution), nl=False)
    else:
        click.echo(drawing.tree(document.map, resolution), nl=False)
    if errors:
        click.echo(f"gdpr map check tells all that is undecided or wrong: {counted(errors, 'error')}.", err=True)


@map_commands.command("import")
@click.option("--fides", type=click.Path(path_type=Path), metavar="FILE", required=True, help="The dataset.")
@click.option(
    "--schema",
    metavar="NAME",
    default="public",
    show_default=True,
    help="Where the tables are of a dataset that names none.",
)
def import_map(fides: Path, schema: str) -> None:
    """Turn a Fides dataset into a map. What a dataset cannot say is undecided, and says so.

    \b
    Example:
      gdpr map import --fides dataset.yml --schema app > datamap.yaml
    """
    from datamap import source
    from datamap.fides import imported

    if not schema.strip():
        raise Misuse("--schema is empty", remedy="name the schema, such as public")
    click.echo(imported(source.content(fides), name=str(fides), schema=schema), nl=False)


@map_commands.command()
@database_option
def catalogue(database_url: PostgresAddress | None) -> None:
    """Write down what the database is made of: tables, keys, indexes, policies, and no row of anybody.

    With the file, discover, check, show and `gdpr plan compile` work where the database cannot be reached.

    \b
    Example:
      gdpr map catalogue > catalogue.json
    """
    from shared.catalogue import document

    with opened(database_url).transaction(seconds=600) as cur:
        click.echo(document(cur))


@map_commands.command()
def schema() -> None:
    """Print the JSON Schema of maps, for editors: its name belongs into the map's first line.

    \b
    Example:
      gdpr map schema > datamap.schema.json
    """
    from datamap import schema as of_maps

    click.echo(of_maps.text(), nl=False)


@map_commands.command()
@map_argument
@database_option
@cache_option
@catalogue_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="With --catalogue: the file for the plan.")
@click.option("--dry-run", is_flag=True, help="Say what would be approved, and change nothing.")
@json_option
@click.pass_context
def approve(  # noqa: PLR0917 - click passes them by name
    ctx: click.Context,
    data_map: Path,
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
    output: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Check MAP, compile it, store the plan and have the functions go by it; grant them the tables that it names.

    As an administrator: whoever owns the tables, or a superuser. Says first what the plan does, what is new in it, and
    which rights of the roles change. A cache that is named is looked at, as gdpr map check does.

    Where the database cannot be reached: with --catalogue the plan is checked and compiled without it, and written to
    --output. The action `activate` of audit_logging takes it from there. Neither rows nor cache are looked at then.

    \b
    Example:
      gdpr map approve --dry-run
      gdpr map approve && gdpr plan show --active
      gdpr map approve --catalogue catalogue.json --output plan.json
    """
    from gdpr import plan_file
    from gdpr.approval import as_data, lines

    database_named = ctx.get_parameter_source("database_url") is ParameterSource.COMMANDLINE
    plan_file.check_options(catalogue_file, output, dry_run=dry_run, database_named=database_named)
    if catalogue_file is not None:
        _approved_offline(ctx, data_map, catalogue_file, None if dry_run else output, as_json=as_json)
        return
    with _as_administrator():
        found, faults = _approved(ctx, data_map, opened(database_url), redis_url, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({**as_data(found), "dry_run": dry_run}, ensure_ascii=False))
    else:
        for line in lines(found):
            click.echo(line, err=not dry_run)
        if not dry_run:
            click.echo(found.digest)
    warnings = sum(fault.severity == "warning" for fault in faults)
    left = f" {counted(warnings, 'warning')} left: gdpr map check." if warnings else ""
    says = "Nothing was changed: --dry-run." if dry_run else "The functions go by this plan from now on."
    click.echo(f"{says}{left}", err=True)


def _approved_offline(
    ctx: click.Context, data_map: Path, catalogue_file: Path, output: Path | None, *, as_json: bool
) -> None:
    """Ends with exit status 1 where the map does not pass the check."""
    from gdpr import plan_file
    from gdpr.approval import plan_lines

    plan, faults = plan_file.compiled(data_map, catalogue_file)
    if plan is None:
        _refuse(ctx, data_map, faults)
        return
    if output:
        plan_file.write(plan, output)
    if as_json:
        click.echo(plan_file.as_json(plan, dry_run=output is None))
    else:
        for line in plan_lines(plan):
            click.echo(line, err=output is not None)
        if output:
            click.echo(plan.digest)
    says = plan_file.next_steps(plan, output) if output else "Nothing was written: --dry-run."
    click.echo(says, err=True)


def _refuse(ctx: click.Context, data_map: Path, faults: Sequence[Fault]) -> None:
    from datamap.check import report

    errors = [fault for fault in faults if fault.severity == "error"]
    click.echo(report.text(errors, str(data_map)), err=True)
    click.echo("Nothing is approved.", err=True)
    ctx.exit(1)


def _approved(
    ctx: click.Context, data_map: Path, database: Database, redis_url: CacheAddress | None, *, dry_run: bool
) -> tuple[Approval, list[Fault]]:
    """Ends with exit status 1 where the map does not pass the check."""
    from datamap.catalogue import Catalogue
    from datamap.check.check import checked
    from datamap.compile.plan import compiled
    from gdpr.approval import approval
    from gdpr.map_file import read_map
    from shared.catalogue import document as of_database

    document = read_map(data_map)
    check_installed(database)
    with database.transaction(seconds=600) as cur, opened_cache(redis_url) as client:
        catalogue = Catalogue.from_json(of_database(cur))
        cur.execute("savepoint gdpr_keys")  # whoever reads values sets limits for that, which end here
        keys = _keys_seen(document, catalogue, cur, client)
        cur.execute("rollback to savepoint gdpr_keys")
        faults = checked(document, catalogue, cursor=cur, found=keys)
        if any(fault.severity == "error" for fault in faults):
            _refuse(ctx, data_map, faults)
        found = approval(cur, compiled(document.map, catalogue), catalogue.document)
        if dry_run:
            cur.connection.rollback()
        return found, faults


@contextlib.contextmanager
def _as_administrator() -> Iterator[None]:
    try:
        yield
    except AccessDenied as denied:
        what = denied.what.replace("The role may not do this", "This role may not approve a map")
        remedy = "do it as an administrator: whoever owns the tables and ran gdpr db migrate, or a superuser"
        if what == denied.what and not what.startswith("This role"):
            raise  # a password, a policy: it says itself what to do
        raise AccessDenied(what, where=denied.where, remedy=remedy) from None
