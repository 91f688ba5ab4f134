"""A world: the tables of a made-up application, the map that somebody wrote for it, and what is in the tables.

Rows are plain values. Each has a number that no key knows, so that a row in the database and a row here can be told
to be the same one, whatever its keys are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from datamap.model import Map
from datamap.names import Table as Name
from datamap.names import quoted

NUMBER = "row #"  # the column with a row's number, in the tables that have one

Value = Any  # None, bool, int, str, or what JSON can hold; an array of Postgres is a list
OnDelete = Literal["no action", "restrict", "cascade", "set null", "set default"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column. `type` is as SQL takes it; a generated one repeats another column in capitals."""

    name: str
    type: str
    not_null: bool = False
    capitals_of: str | None = None

    @property
    def is_array(self) -> bool:
        return self.type.endswith("[]")

    @property
    def is_json(self) -> bool:
        return self.type in ("json", "jsonb")


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """A foreign key; of one partition only, where `partition` numbers it."""

    name: str
    columns: tuple[str, ...]
    target: Name
    target_columns: tuple[str, ...]
    on_delete: OnDelete = "no action"
    deferrable: bool = False
    partition: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; in `partitions` parts by hash of `partition_by` if that is named, below `inherits` if that is."""

    name: Name
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    partition_by: str | None = None
    partitions: int = 2
    inherits: Name | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    def may_be_null(self, column: str) -> bool:
        return not self.by_name[column].not_null and column not in self.primary_key

    @property
    def is_numbered(self) -> bool:
        return NUMBER in self.by_name


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row, with the number that is its own in the whole world."""

    table: Name
    number: int
    values: Mapping[str, Value]

    def __getitem__(self, column: str) -> Value:
        return self.values[column]

    def with_values(self, changed: Mapping[str, Value]) -> Row:
        return replace(self, values={**self.values, **changed})


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A type of the application's own: a domain over another type."""

    name: Name
    over: str

    @property
    def sql(self) -> str:
        return f"create domain {self.name.sql} as {self.over}"


@dataclass(frozen=True, kw_only=True)
class Enum:
    """A type of the application's own: an enumeration."""

    name: Name
    labels: tuple[str, ...]

    @property
    def sql(self) -> str:
        labels = ", ".join("'" + label.replace("'", "''") + "'" for label in self.labels)
        return f"create type {self.name.sql} as enum ({labels})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class World:
    """Everything together. `ingredients` names what the generator has put into it."""

    tables: tuple[Table, ...]
    map: Map
    rows: tuple[Row, ...]
    types: tuple[Domain | Enum, ...] = ()
    ingredients: frozenset[str] = field(default=frozenset())
    text: str = field(default="", repr=False)  # the map as it was written

    @cached_property
    def by_name(self) -> Mapping[Name, Table]:
        return {table.name: table for table in self.tables}

    @cached_property
    def by_number(self) -> Mapping[int, Row]:
        return {row.number: row for row in self.rows}

    @cached_property
    def rows_by_table(self) -> Mapping[Name, tuple[Row, ...]]:
        found: dict[Name, list[Row]] = {table.name: [] for table in self.tables}
        for row in self.rows:
            found[row.table].append(row)
        return {name: tuple(rows) for name, rows in found.items()}

    def schemas(self) -> Iterator[str]:
        """Each schema once."""
        named = [each.name.schema for each in (*self.tables, *self.types)]
        yield from dict.fromkeys(named)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of a world that failed."""
        printer.text(repr(self))

    def __repr__(self) -> str:
        lines = [each.sql for each in self.types]
        for table in self.tables:
            columns = ", ".join(
                f"{quoted(c.name)} {c.type}{' not null' if c.not_null else ''}"
                f"{f' capitals of {c.capitals_of}' if c.capitals_of else ''}"
                for c in table.columns
            )
            lines.append(f"{table.name} ({columns})")
            lines += [f"  primary key {table.primary_key}"] if table.primary_key else []
            lines += [f"  unique {columns}" for columns in table.unique]
            lines += [f"  inherits {table.inherits}"] if table.inherits else []
            lines += [f"  partitioned by {table.partition_by}"] if table.partition_by else []
            lines += [
                f"  foreign key {k.columns} -> {k.target} {k.target_columns} {k.on_delete}"
                f"{' deferrable' if k.deferrable else ''}{f' of partition {k.partition}' if k.partition else ''}"
                for k in table.foreign_keys
            ]
            lines += [f"  {row.number}: {dict(row.values)}" for row in self.rows_by_table[table.name]]
        return "\n".join(["", *lines, self.text])
