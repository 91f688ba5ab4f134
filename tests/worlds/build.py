"""A world as a real database: its schemas, types, tables and rows, and what the tables hold later on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor

from datamap.names import Table as Name
from tests.worlds.spelling import fitted
from tests.worlds.world import Column, ForeignKey, Row, Table, Value, World

_ALIAS = "the row, and no column"  # to_jsonb(t) is a column's where there is one of that name


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A row as it lies in the database. `text` is all of it, `version` the transaction that wrote it."""

    values: Mapping[str, Value]
    text: str
    version: str


def build(cur: cursor, world: World) -> None:
    """Everything of the world, to be rolled back. Constraints come behind the rows: these may point in a circle."""
    cur.execute("create extension if not exists vector with schema public")
    for schema in world.schemas():
        cur.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    for type_ in world.types:
        cur.execute(type_.sql)
    for table in world.tables:
        _create(cur, table)
    for table in world.tables:
        _insert(cur, table, world.rows_by_table[table.name])
    for table in world.tables:
        _constrain(cur, table)
    for table in world.tables:
        for key in table.foreign_keys:
            cur.execute(_foreign_key(table, key))


def contents(cur: cursor, world: World) -> Mapping[Name, tuple[Stored, ...]]:
    """What the tables hold: each its own rows, those of heirs not."""
    return {table.name: tuple(_stored(cur, table)) for table in world.tables}


def _stored(cur: cursor, table: Table) -> Iterator[Stored]:
    only = sql.SQL("" if table.partition_by else "only ")
    cur.execute(
        sql.SQL("select to_jsonb({0}), cast({0} as text), cast({0}.xmin as text) from {1}{2} as {0}").format(
            sql.Identifier(_ALIAS), only, _name(table.name)
        )
    )
    for values, text, version in cur.fetchall():
        yield Stored(values=values, text=text, version=version)


def _name(name: Name) -> sql.Identifier:
    return sql.Identifier(name.schema, name.name)


def _part(table: Table, number: int) -> sql.Identifier:
    return sql.Identifier(table.name.schema, fitted(table.name.name, f"_part{number}"))


def _list(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _create(cur: cursor, table: Table) -> None:
    behind: sql.Composable = sql.SQL("")
    if table.inherits:
        behind = sql.SQL(" inherits ({})").format(_name(table.inherits))
    elif table.partition_by:
        behind = sql.SQL(" partition by hash ({})").format(sql.Identifier(table.partition_by))
    columns = sql.SQL(", ").join(map(_column, table.columns))
    cur.execute(sql.SQL("create table {} ({}){}").format(_name(table.name), columns, behind))
    for number in range(table.partitions if table.partition_by else 0):
        cur.execute(
            sql.SQL("create table {} partition of {} for values with (modulus {}, remainder {})").format(
                _part(table, number), _name(table.name), sql.Literal(table.partitions), sql.Literal(number)
            )
        )


def _column(column: Column) -> sql.Composed:
    computed: sql.Composable = sql.SQL("")
    if column.capitals_of:
        computed = sql.SQL(" generated always as (upper({})) stored").format(sql.Identifier(column.capitals_of))
    needed = sql.SQL(" not null" if column.not_null else "")
    return sql.SQL("{} {}{}{}").format(sql.Identifier(column.name), sql.SQL(column.type), computed, needed)


def _insert(cur: cursor, table: Table, rows: tuple[Row, ...]) -> None:
    columns = [column for column in table.columns if not column.capitals_of]
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(
            sql.SQL(", ").join(
                sql.SQL("cast({} as {})").format(sql.Literal(written(column, row[column.name])), sql.SQL(column.type))
                for column in columns
            )
        )
        for row in rows
    )
    if rows:
        names = _list(tuple(column.name for column in columns))
        cur.execute(sql.SQL("insert into {} ({}) values {}").format(_name(table.name), names, values))


def written(column: Column, value: Value) -> str | None:
    """A value as a literal of its column's type."""
    if value is None:
        return None
    if column.is_json:
        return json.dumps(value)
    if isinstance(value, list):
        return (
            "{"
            + ",".join("null" if each is None else json.dumps(str(each), ensure_ascii=False) for each in value)
            + "}"
        )
    return str(value)


def _constrain(cur: cursor, table: Table) -> None:
    keys = [("primary key", table.primary_key)] if table.primary_key else []
    for kind, columns in [*keys, *(("unique", columns) for columns in table.unique)]:
        cur.execute(sql.SQL("alter table {} add {} ({})").format(_name(table.name), sql.SQL(kind), _list(columns)))


def _foreign_key(table: Table, key: ForeignKey) -> sql.Composed:
    return sql.SQL("alter table {} add constraint {} foreign key ({}) references {} ({}) on delete {}{}").format(
        _name(table.name) if key.partition is None else _part(table, key.partition),
        sql.Identifier(key.name),
        _list(key.columns),
        _name(key.target),
        _list(key.target_columns),
        sql.SQL(key.on_delete),
        sql.SQL(" deferrable" if key.deferrable else ""),
    )
