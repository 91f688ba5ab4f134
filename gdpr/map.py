"""`gdpr map`: propose a data map, check it, draw it, and have the functions go by it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdpr.cache import cache_option, opened_cache
from gdpr.database import database_option, json_option, opened
from shared.addresses import CacheAddress, PostgresAddress
from shared.errors import Misuse, SettingMissing

if TYPE_CHECKING:
    import redis
    from psycopg2.extensions import cursor

    from datamap.catalogue import Catalogue
    from datamap.discover.cache import KeyPattern
    from datamap.document import Document
    from datamap.fault import Fault

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
def discover(
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
    subjects: tuple[str, ...],
) -> None:
    """Propose a map for a database that nobody here has seen. Every proposal says why, and how sure it is.

    Reads a few rows of each table and a few keys of the cache, changes nothing, and writes no value of anybody. With
    --catalogue it goes by names and keys alone.

    \b
    Example:
      gdpr map discover --database-url postgresql://…/shop --redis-url rediss://… > datamap.yaml
    """
    from datamap.discover.everything import discovered
    from datamap.discover.values import Rows
    from datamap.names import NotAName, Table

    try:
        chosen = [Table.parse(subject) for subject in subjects]
    except NotAName as fault:
        raise Misuse(f"--subject is no table: {fault}") from None
    with facts(database_url, catalogue_file) as (catalogue, cur), opened_cache(redis_url) as client:
        unknown = next((str(name) for name in chosen if catalogue.get(name) is None), None)
        if unknown is not None:
            raise Misuse(f"There is no table {unknown}", remedy=_meant(unknown, catalogue))
        values = Rows(cur, catalogue) if cur is not None else None
        with progress_bar() as progress:
            text = discovered(catalogue, values, client, subject=chosen, progress=progress)
    click.echo(text, nl=False)


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
        click.echo(report.text(faults, str(data_map)))
    ctx.exit(1 if any(fault.severity == "error" or (strict and fault.severity == "warning") for fault in faults) else 0)


def _faults(
    data_map: Path,
    database_url: PostgresAddress | None,
    redis_url: CacheAddress | None,
    catalogue_file: Path | None,
) -> list[Fault]:
    from datamap.check.check import checked
    from datamap.document import Document, Unreadable

    try:
        document = Document.read(data_map)
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
    from datamap.discover.everything import keys_seen, of_subject
    from datamap.discover.values import Rows

    kinds = list(resolve(document.map, catalogue).kinds.values())
    if client is None or not kinds:
        return None
    identities = {name: identity.column for name, identity in kinds[0].identities.items()}
    folded = {name for name, identity in kinds[0].identities.items() if identity.folded}
    values = Rows(cur, catalogue) if cur is not None else None
    return keys_seen(client, of_subject(kinds[0].facts, kinds[0].key, identities, folded, values))


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
    from datamap.compile.resolution import resolve
    from datamap.document import Document

    document = Document.read(data_map)
    with facts(database_url, catalogue_file) as (catalogue, _):
        resolution = resolve(document.map, catalogue)
    if form == "dot":
        click.echo(drawing.dot(resolution), nl=False)
    elif form == "mermaid":
        click.echo(drawing.mermaid(resolution), nl=False)
    else:
        click.echo(drawing.tree(document.map, resolution), nl=False)
    if resolution.faults:
        click.echo(f"{len(resolution.faults)} links or tables do not fit the database: gdpr map check", err=True)


@map_commands.command("import")
@click.option(
    "--fides", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="The dataset."
)
def import_map(fides: Path) -> None:
    """Turn a Fides dataset into a map. What a dataset cannot say is undecided, and says so.

    \b
    Example:
      gdpr map import --fides dataset.yml > datamap.yaml
    """
    from datamap import source
    from datamap.fides import imported

    click.echo(imported(source.content(fides), name=str(fides)), nl=False)


@map_commands.command()
@database_option
def catalogue(database_url: PostgresAddress | None) -> None:
    """Write down what the database is made of: tables, keys, indexes, policies, and no row of anybody.

    With the file, discover, check, show and `gdpr plan compile` work where the database cannot be reached.

    \b
    Example:
      gdpr map catalogue > catalogue.json
    """
    with facts(database_url, None) as (found, _):
        click.echo(found.document)


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
@json_option
@click.pass_context
def approve(ctx: click.Context, data_map: Path, database_url: PostgresAddress | None, *, as_json: bool) -> None:
    """Check MAP, compile it, store the plan and have the functions go by it; grant them the tables that it names.

    As an administrator: whoever owns the tables, or a superuser.

    \b
    Example:
      gdpr map approve && gdpr plan show --active
    """
    from datamap.catalogue import Catalogue
    from datamap.check import report
    from datamap.check.check import checked
    from datamap.compile.plan import compiled
    from datamap.document import Document
    from shared.active_plan import approve as go_by
    from shared.catalogue import document as of_database

    document = Document.read(data_map)
    with opened(database_url).transaction(seconds=600) as cur:
        catalogue = Catalogue.from_json(of_database(cur))
        faults = checked(document, catalogue, cursor=cur)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            click.echo(report.text(errors, str(data_map)), err=True)
            click.echo("Nothing is approved.", err=True)
            ctx.exit(1)
        plan = compiled(document.map, catalogue)
        digest = go_by(cur, plan)
    if as_json:
        click.echo(json.dumps({"digest": digest, "map_digest": plan.map_digest, "fingerprint": plan.fingerprint}))
    else:
        click.echo(digest)
        warnings = sum(fault.severity == "warning" for fault in faults)
        left = f" {warnings} warnings are left: gdpr map check." if warnings else ""
        click.echo(f"The functions go by this plan from now on.{left}", err=True)
