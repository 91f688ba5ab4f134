"""Worlds that are written by hand: tables in one line each, the map in YAML, rows under numbers that the test chooses.

    id bigint key; user_id bigint -> app.users.id; note text!; (a, b) -> app.pairs.a, b

`key` puts a column into the primary key, `!` says not null, `->` declares a foreign key.
"""

from __future__ import annotations

from collections.abc import Mapping

from datamap.document import Document
from datamap.names import Table as Name
from datamap.names import Target
from tests.worlds.world import Column, ForeignKey, Row, Table, Value, World

Rows = Mapping[str, Mapping[int, Mapping[str, Value]]]

HEAD = "version: 1\ncontroller: {name: Example, contact: privacy@example.org, authority: Example}\n"


def written(tables: Mapping[str, str], text: str, rows: Rows) -> World:
    """The world. A column that a row does not name is null there."""
    made = {name: _table(Name.parse(name), told) for name, told in tables.items()}
    return World(
        tables=tuple(made.values()),
        map=Document.parse(HEAD + text).map,
        rows=tuple(_row(made[name], number, row) for name, each in rows.items() for number, row in each.items()),
        text=text,
    )


def _table(name: Name, told: str) -> Table:
    columns, primary, keys = list[Column](), list[str](), list[ForeignKey]()
    for part in (part.strip() for part in told.split(";")):
        what, _, target = (each.strip() for each in part.partition("->"))
        if what.startswith("("):
            here = tuple(each.strip() for each in what.strip("()").split(","))
        else:
            column, type_, *words = what.split()
            columns.append(Column(name=column, type=type_.rstrip("!"), not_null=type_.endswith("!")))
            primary += [column] if "key" in words else []
            here = (column,)
        if target:
            there = Target.parse(target)
            keys.append(
                ForeignKey(
                    name=f"{name.name}_fk{len(keys)}", columns=here, target=there.table, target_columns=there.columns
                )
            )
    return Table(name=name, columns=tuple(columns), primary_key=tuple(primary), foreign_keys=tuple(keys))


def _row(table: Table, number: int, row: Mapping[str, Value]) -> Row:
    unknown = row.keys() - table.by_name.keys()
    if unknown:
        raise ValueError(f"{table.name} has no {', '.join(sorted(unknown))}")
    return Row(table=table.name, number=number, values={column.name: row.get(column.name) for column in table.columns})
