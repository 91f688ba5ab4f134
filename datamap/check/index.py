"""What an index must begin with so that a statement finds its rows by it, whether one does, and how one is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datamap import expression
from datamap.catalogue import Column, Index, Table
from datamap.compile.json_place import value as value_at
from datamap.compile.person import plain_type
from datamap.condition import Comparison, Condition
from datamap.form import EXACT, Form
from datamap.names import Place, quoted

_TYPES = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "bool": "boolean",
    "varchar": "character varying",
    "bpchar": "character",
    "float4": "real",
    "float8": "double precision",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}


@dataclass(frozen=True)
class Part:
    """A column of an index, or an expression in any of its spellings."""

    column: str = ""
    spellings: frozenset[str] = frozenset()

    def is_in(self, index: Index, number: int) -> bool:
        if self.column:
            return index.columns[number] == self.column
        return expression.normalised(index.expressions[number]) in self.spellings


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An index that serves: on all of these parts, or on one that suffices alone."""

    table: Table
    parts: tuple[Part, ...]
    sql: tuple[str, ...]  # each part as CREATE INDEX takes it
    is_gin: bool = False
    sufficient: tuple[Part, ...] = ()
    condition: Condition | None = None

    @property
    def is_served(self) -> bool:
        return any(self._serves(index) for index in self.table.indexes)

    def _serves(self, index: Index) -> bool:
        if not index.valid or not self._holds(index.predicate):
            return False
        if self.is_gin:
            return index.method == "gin" and any(self.parts[0].is_in(index, n) for n in range(len(index.columns)))
        if index.method == "hash":
            return any(part.is_in(index, 0) for part in self._alone())
        return index.method == "btree" and self._leads(index)

    def _alone(self) -> tuple[Part, ...]:
        return self.parts if len(self.parts) == 1 else self.sufficient

    def _leads(self, index: Index) -> bool:
        """Columns that are compared with one value each stand before all others."""
        given, leading = self._given(), set()
        for number in range(len(index.columns)):
            found = next((part for part in (*self.parts, *given) if part.is_in(index, number)), None)
            if found is None:
                break
            leading.add(found)
        return set(self.parts) <= leading or bool(leading & set(self.sufficient))

    def _given(self) -> tuple[Part, ...]:
        return tuple(_part(each.place, self.table) for each in self._comparisons() if each.operator == "=")

    def _comparisons(self) -> tuple[Comparison, ...]:
        return self.condition.comparisons if self.condition else ()

    # Partial indexes ----------------------------------------------------------------------------------------------

    def _holds(self, predicate: str | None) -> bool:
        """Whether every row that is searched for is in an index with this predicate."""
        return predicate is None or set(expression.conjuncts(predicate)) <= set(self._implied())

    def _implied(self) -> Iterator[str]:
        """What is compared is there; and what `when` says holds."""
        for part in self.parts:
            for spelling in part.spellings or {expression.normalised(quoted(part.column))}:
                yield f"{spelling} is not null"
        for each in self._comparisons():
            column = self.table.columns[each.place.column]
            for spelling in expression.of_place(each.place, column):
                yield from _spelled(each, spelling, column)

    # How one is made ----------------------------------------------------------------------------------------------

    @property
    def statement(self) -> str:
        """The statement that makes one. On a partitioned table Postgres has no CONCURRENTLY."""
        method = " using gin" if self.is_gin else ""
        target = f"{self.table.name.sql}{method} ({', '.join(self.sql)});"
        if self.table.kind == "partitioned":
            return f"create index on {target} -- blocks writes meanwhile: a partitioned table takes no CONCURRENTLY"
        return f"create index concurrently on {target}"


def _spelled(each: Comparison, spelling: str, column: Column) -> Iterator[str]:
    if each.operator in ("is null", "is not null"):
        yield f"{spelling} {each.operator}"
        yield f"{spelling} is not null" if each.operator == "is not null" else f"{spelling} is null"
        return
    yield f"{spelling} is not null"
    if each.operator != "=":
        return
    value = each.values[0]
    if column.family == "boolean" and each.place.is_plain:
        yield spelling if str(value).lower() == "true" else f"not {spelling}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    yield f"{spelling} = {expression.literal(text)}"
    if not isinstance(value, str):
        yield f"{spelling} = {text}"


def _part(place: Place, table: Table) -> Part:
    if place.is_plain:
        return Part(column=place.column)
    return Part(spellings=expression.of_place(place, table.columns[place.column]))


def on_columns(
    table: Table, columns: tuple[str, ...], *, sufficient: tuple[str, ...] = (), condition: Condition | None = None
) -> Wanted:
    """Columns that are compared as they are."""
    return Wanted(
        table=table,
        parts=tuple(Part(column=column) for column in columns),
        sql=tuple(map(quoted, columns)),
        sufficient=tuple(Part(column=column) for column in sufficient),
        condition=condition,
    )


def on_elements(table: Table, place: Place, condition: Condition | None = None) -> Wanted:
    """The elements of an array of Postgres."""
    column = table.columns[place.column]
    if not column.is_domain:
        return Wanted(
            table=table,
            parts=(Part(column=column.name),),
            sql=(quoted(column.name),),
            is_gin=True,
            condition=condition,
        )
    base = plain_type(column)
    spellings = {expression.normalised(f"{quoted(column.name)}::{each}") for each in (base, _written(base))}
    return Wanted(
        table=table,
        parts=(Part(spellings=frozenset(spellings)),),
        sql=(f"(({quoted(column.name)})::{base})",),
        is_gin=True,
        condition=condition,
    )


def _written(base: str) -> str:
    """A type as Postgres writes it down."""
    if not base.startswith("pg_catalog."):
        return base
    name = base.removeprefix("pg_catalog.").removesuffix("[]").strip('"')
    return _TYPES.get(name, name) + ("[]" if base.endswith("[]") else "")


def on_value(table: Table, place: Place, *, form: Form = EXACT, condition: Condition | None = None) -> Wanted:
    """A value in JSON, or a column in the form in which an identity is compared."""
    column = table.columns[place.column]
    value = value_at(place, column, quoted(table.name.name))
    return Wanted(
        table=table,
        parts=(Part(spellings=expression.of_place(place, column, form)),),
        sql=(f"({value})" if form.is_exact else f"({form.sql(f'({value})')})",),
        condition=condition,
    )


def on_number(table: Table, place: Place, condition: Condition | None = None) -> Wanted:
    """A whole number that is compared with a key of type numeric."""
    name = quoted(place.column)
    return Wanted(
        table=table,
        parts=(Part(spellings=frozenset({f"{name} :: numeric"})),),
        sql=(f"(({name})::pg_catalog.numeric)",),
        condition=condition,
    )
