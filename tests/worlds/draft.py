"""A world in the making: tables with their map entries and rows, drawn piece by piece.

Every draw is hypothesis' own, so that a world that fails shrinks to the few tables and rows that it needs. What has to
be true of every world (names differ, rows fit their types) is seen to here, once for all ingredients.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from datamap.document import Document
from datamap.names import Place, Target
from datamap.names import Table as Name
from tests.worlds.spelling import NAMES, fitted
from tests.worlds.world import NUMBER, Column, Domain, Enum, ForeignKey, OnDelete, Row, Table, Value, World

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]
Columns = tuple[str, ...]
Key = tuple[Value, ...]

ON_DELETE: tuple[OnDelete, ...] = ("no action", "cascade", "set null", "restrict", "set default")


@dataclass(eq=False)
class Sketch:
    """A table in the making."""

    name: Name
    note: str = ""  # the column that holds what people write
    columns: list[Column] = field(default_factory=list)
    primary_key: Columns = ()
    unique: list[Columns] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    entry: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rows: list[dict[str, Value]] = field(default_factory=list)
    partition_by: str | None = None
    inherits: Name | None = None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def key_columns(self) -> list[Columns]:
        """What a foreign key may point at."""
        return [key for key in (self.primary_key, *self.unique) if key]

    def link(self, place: Place, **decisions: Any) -> None:
        """What the map says of a link; nothing is said twice."""
        self.links.setdefault(str(place), []).append(decisions)

    def table(self) -> Table:
        return Table(
            name=self.name,
            columns=tuple(self.columns),
            primary_key=self.primary_key,
            unique=tuple(self.unique),
            foreign_keys=tuple(self.foreign_keys),
            partition_by=self.partition_by,
            inherits=self.inherits,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pointer:
    """Columns that hold the key of another table's rows, whether a foreign key says so or only the map."""

    sketch: Sketch
    columns: Columns
    target: Sketch
    target_columns: Columns

    @property
    def place(self) -> Place:
        return Place(self.columns)

    @property
    def free(self) -> list[str]:
        """The columns that may be null."""
        primary = self.sketch.primary_key
        return [c for c in self.columns if not self.sketch.column(c).not_null and c not in primary]

    def to(self, row: Mapping[str, Value] | None) -> dict[str, Value]:
        """The values that point at a row; or at none, as far as they may be null."""
        if row is None:
            return dict.fromkeys(self.free)
        return {
            column: _in_type(row[there], self.sketch.column(column).type)
            for column, there in zip(self.columns, self.target_columns, strict=True)
        }

    def forgotten(self) -> dict[str, Any]:
        """What an erasure sets so that nothing is pointed at any more."""
        return dict.fromkeys(self.free) if self.free else dict.fromkeys(self.columns, "nobody")


def _in_type(value: Value, type_: str) -> Value:
    return str(value) if isinstance(value, int) and (type_ == "text" or type_.startswith("varchar")) else value


@dataclass(eq=False)
class Kind:
    """One kind of person: a sketch whose rows are people."""

    name: str
    style: str  # of its keys
    sketch: Sketch
    key: Columns
    code: Columns = ()  # another key that is unique
    identity: str | None = None  # the column of the e-mail address
    identity_entry: dict[str, Any] = field(default_factory=dict)
    nobody: dict[str, Value] = field(default_factory=dict)

    @property
    def people(self) -> list[dict[str, Value]]:
        """The rows of people; the one that stands for nobody is none."""
        return [row for row in self.sketch.rows if not self.nobody or any(row[c] != self.nobody[c] for c in self.key)]


class Draft:
    """The whole world in the making."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._numbers = itertools.count(1)
        self._taken: set[str] = set()
        self.schemas: list[str] = []
        self.sketches: list[Sketch] = []
        self.types: list[Domain | Enum] = []
        self.kinds: list[Kind] = []
        self.pointers: list[Pointer] = []
        self.ingredients: set[str] = set()

    # Chance.

    def chance(self, percent: int) -> bool:
        """The simpler answer is no."""
        return bool(self._draw(st.integers(0, 99)) >= 100 - percent)

    def pick(self, options: Sequence[T]) -> T:
        """The simplest stands first."""
        return options[self._draw(st.integers(0, len(options) - 1))]

    def count(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))

    def has(self, ingredient: str, percent: int) -> bool:
        """Whether it is put into this world; if so, it is written down."""
        is_there = self.chance(percent)
        if is_there:
            self.ingredients.add(ingredient)
        return is_there

    def choose(self, topic: str, options: Sequence[T]) -> T:
        """One of several ingredients, written down as `topic: option`."""
        option = self.pick(options)
        self.ingredients.add(f"{topic}: {option}")
        return option

    # Names.

    def name(self, word: str, taken: set[str]) -> str:
        name = word
        if self.chance(20):
            name = self.pick(NAMES)
            self.ingredients.add("hostile names")
        for number in itertools.count(2):
            if name not in taken:
                break
            name = fitted(word, f"_{number}")
        taken.add(name)
        return name

    def place_name(self, word: str) -> Name:
        """Of a table or a type: in any schema, and unique in the world, since indexes are named after it."""
        return Name(self.pick(self.schemas), self.name(word, self._taken))

    # Tables.

    def sketch(self, word: str) -> Sketch:
        """A new table, mostly with a column for the row's number, and with one that holds what people write."""
        sketch = Sketch(self.place_name(word))
        sketch.entry["activity"] = "account"
        if not self.has("rows without a number", 5):
            sketch.columns.append(Column(name=NUMBER, type="bigint"))
        sketch.note = self.column(sketch, "note", "text")
        if self.chance(20):
            self.column(sketch, "title", "text", not_null=True)
        if self.has("vector", 10):
            self.column(sketch, "embedding", "public.vector(2)")
        if self.has("generated column", 10):
            self.copy_in_capitals(sketch)
        self.sketches.append(sketch)
        return sketch

    def copy_in_capitals(self, sketch: Sketch) -> None:
        """A column that the database computes from another one."""
        name = self.name("loud", {column.name for column in sketch.columns})
        sketch.columns.append(Column(name=name, type="text", capitals_of=sketch.note))

    def column(self, sketch: Sketch, word: str, type_: str, *, not_null: bool = False) -> str:
        name = self.name(word, {column.name for column in sketch.columns})
        sketch.columns.append(Column(name=name, type=type_, not_null=not_null))
        return name

    def own_key(self, sketch: Sketch, *, bare: bool = False) -> None:
        """A key of one column, of any type, mostly the primary one; `bare`: or none at all."""
        style = self.choose("key", ("bigint", "uuid", "text", *(("none",) if bare else ())))
        if style == "none":
            return
        key = (self.column(sketch, "id", style, not_null=True),)
        if style != "bigint" and self.has("unique in place of a primary key", 20):
            sketch.unique.append(key)
        else:
            sketch.primary_key = key
        if self.chance(15):
            sketch.unique.append((self.column(sketch, "number", "text", not_null=True),))

    def foreign_key(
        self,
        sketch: Sketch,
        columns: Columns,
        target: Sketch,
        target_columns: Columns,
        *,
        on_delete: OnDelete | None = None,
        deferrable: bool | None = None,
        partition: int | None = None,
    ) -> None:
        action = self.choose("on delete", ON_DELETE) if on_delete is None else on_delete
        if target.name.schema != sketch.name.schema:
            self.ingredients.add("across schemas")
        sketch.foreign_keys.append(
            ForeignKey(
                name=self.name(f"{sketch.name.name[:20]}_fk", self._taken),
                columns=columns,
                target=target.name,
                target_columns=target_columns,
                on_delete=action,
                deferrable=self.has("deferrable", 15) if deferrable is None else deferrable,
                partition=partition,
            )
        )

    def point(
        self,
        sketch: Sketch,
        word: str,
        target: Sketch | Kind,
        *,
        nullable: bool = True,
        declared: bool = True,
        other_family: bool = False,
        columns: Columns | None = None,
        **decisions: Any,
    ) -> Pointer:
        """Columns that point at a person or a parent, with a foreign key if there can be one, else by the map alone."""
        above = target.sketch if isinstance(target, Kind) else target
        keys = above.key_columns()
        there = columns or (target.key if isinstance(target, Kind) else self.pick(keys))
        if (
            isinstance(target, Kind)
            and target.code
            and nullable
            and columns is None
            and self.has("key that is no primary key", 20)
        ):
            there = target.code
        declared = declared and there in keys and not other_family
        here = []
        for position, column in enumerate(there):
            type_ = above.column(column).type
            if other_family:
                type_ = "varchar(80)" if self.chance(50) else "text"
            is_free = nullable and position == len(there) - 1
            here.append(
                self.column(sketch, word if len(there) == 1 else f"{word}_{position}", type_, not_null=not is_free)
            )
        pointer = Pointer(sketch=sketch, columns=tuple(here), target=above, target_columns=there)
        self.aim(pointer, target, declared=declared, **decisions)
        return pointer

    def aim(self, pointer: Pointer, target: Sketch | Kind, *, declared: bool, **decisions: Any) -> None:
        """Tell of a pointer: the database by a foreign key, the map where that is not enough."""
        if declared:
            self.foreign_key(pointer.sketch, pointer.columns, pointer.target, pointer.target_columns)
        elif isinstance(target, Kind) and pointer.target_columns == target.key:
            decisions = {**({"subject": target.name} if len(self.kinds) > 1 else {}), **decisions}
        else:
            decisions = {"to": target_text(pointer.target, pointer.target_columns), **decisions}
        if decisions or not declared:
            self.ingredients.add("declared by the map alone" if not declared else "declared by both")
            pointer.sketch.link(pointer.place, **decisions)
        self.pointers.append(pointer)

    # Values.

    def kind(self) -> Kind:
        return self.pick(self.kinds)

    def somebody(self, kind: Kind) -> dict[str, Value]:
        return self.pick(kind.people)

    def anybody(self, kind: Kind) -> dict[str, Value] | None:
        """One of the people, or mostly so; there is also nobody's stand-in, and no value at all."""
        options: list[dict[str, Value] | None] = [*kind.people, *kind.sketch.rows, None]
        return self.pick(options)

    def any_row(self, sketch: Sketch, *, nullable: bool = True) -> dict[str, Value] | None:
        options: list[dict[str, Value] | None] = [*sketch.rows]
        return self.pick([*options, None] if nullable or not sketch.rows else options)

    def fresh(self, type_: str) -> Value:
        """A value that stands nowhere else."""
        number = next(self._numbers)
        base = self.base(type_)
        if base == "uuid":
            return str(uuid.UUID(int=number + (0xABCDEF << 96)))
        return number if base == "bigint" else f"k{number}"

    def base(self, type_: str) -> str:
        """The type behind a domain."""
        return next((each.over for each in self.types if isinstance(each, Domain) and each.name.sql == type_), type_)

    def fill(self, sketch: Sketch, values: Mapping[str, Value]) -> dict[str, Value]:
        """A row with these values, and with something in every other column."""
        number = next(self._numbers)
        row = {column.name: self._filling(column, number) for column in sketch.columns} | dict(values) | {"\0": number}
        sketch.rows.append(row)
        return row

    def _filling(self, column: Column, number: int) -> Value:
        base = self.base(column.type)
        if base == "uuid":
            return str(uuid.UUID(int=number + (0xABCDEF << 96)))
        if base in ("bigint", "integer"):
            return number
        if base.startswith("public.vector"):
            return f"[{number},0]"
        if column.is_array:
            return []
        if column.is_json:
            return {}
        return (f"secret {number}", "", None)[0 if column.not_null or number % 7 > 1 else number % 7 + 1]

    # The whole.

    def world(self) -> World:
        text = json.dumps(self._map(), indent=1, ensure_ascii=False)
        return World(
            tables=tuple(sketch.table() for sketch in self.sketches),
            map=Document.parse(text).map,
            rows=tuple(self._row(sketch, row) for sketch in self.sketches for row in sketch.rows),
            types=tuple(self.types),
            ingredients=frozenset(self.ingredients),
            text=text,
        )

    def _row(self, sketch: Sketch, values: Mapping[str, Value]) -> Row:
        number = values["\0"]
        full = {column.name: self._filling(column, number) for column in sketch.columns} | dict(values)
        for column in sketch.columns:
            if column.capitals_of is not None:
                source = full[column.capitals_of]
                full[column.name] = source.upper() if isinstance(source, str) else source
        return Row(
            table=sketch.name, number=number, values={column.name: full[column.name] for column in sketch.columns}
        )

    def _map(self) -> dict[str, Any]:
        kinds = {kind.name: self._subject(kind) for kind in self.kinds}
        return {
            "version": 1,
            "controller": {"name": "Example", "contact": "privacy@example.org", "authority": "Example"},
            **({"subject": kinds[self.kinds[0].name]} if len(kinds) == 1 else {"subjects": kinds}),
            "activities": {
                "account": {
                    "purpose": "ServiceProvision",
                    "legal_basis": "A6-1-b",
                    "recipients": [],
                    "origin": "ProvidedPersonalData",
                    "retention": {"until": "account_closed"},
                },
                "books": {
                    "purpose": "LegalCompliance",
                    "legal_basis": "A6-1-c",
                    "recipients": [],
                    "origin": "ProvidedPersonalData",
                    "retention": {"until": "the books are closed", "law": "§ 147 AO"},
                },
            },
            "tables": {str(sketch.name): self._entry(sketch) for sketch in self.sketches},
        }

    def _subject(self, kind: Kind) -> dict[str, Any]:
        found: dict[str, Any] = {"table": str(kind.sketch.name), "key": list(kind.key)}
        if kind.identity:
            found["identities"] = {"email": {"column": kind.identity, **kind.identity_entry}}
        if kind.nobody:
            found["nobody"] = dict(kind.nobody)
        return found

    def _entry(self, sketch: Sketch) -> dict[str, Any]:
        entry = dict(sketch.entry)
        if entry.get("personal") is False:
            entry.pop("activity", None)
        if sketch.links:
            entry["links"] = sketch.links
        if entry.get("personal") is not False:
            entry["columns"] = {"*": "user.contact"}
        return entry


def target_text(sketch: Sketch, columns: Columns) -> str:
    return str(Target(sketch.name, columns))
