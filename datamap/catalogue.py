"""The facts: what a database is made of, as Postgres tells it. Read from the server, or from a file that it filled.

`sql/catalogue.sql` has the query. Partitions are told as parts of the table that they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from datamap.names import Table as Name

Kind = Literal["table", "partitioned", "view", "materialized_view", "foreign"]
_KINDS: Mapping[str, Kind] = {
    "r": "table",
    "p": "partitioned",
    "v": "view",
    "m": "materialized_view",
    "f": "foreign",
}

Family = Literal["integer", "numeric", "text", "uuid", "json", "vector", "boolean", "time", "bytes", "enum", "other"]
_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("int2", "int4", "int8"), "integer"),
    "numeric": "numeric",  # floats and money round: two numbers that differ may be equal there
    **dict.fromkeys(("text", "varchar", "bpchar", "citext"), "text"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    **dict.fromkeys(("vector", "halfvec", "sparsevec"), "vector"),
    **dict.fromkeys(("date", "time", "timetz", "timestamp", "timestamptz", "interval"), "time"),
    "uuid": "uuid",
    "bool": "boolean",
    "bytea": "bytes",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    type: str  # as Postgres writes it, with schema and length
    base: str  # behind domains and arrays: pg_catalog.int8
    is_array: bool
    is_domain: bool
    labels: tuple[str, ...]  # of an enum
    equality: str | None  # the schema of the operator = of a type that is none of Postgres' own
    not_null: bool  # cannot be set to null
    never_null: (
        bool  # and no row holds null from before: a domain, or NOT NULL that was never validated, does not say so
    )
    has_default: bool
    is_generated: bool
    is_identity: bool
    is_always_identity: bool  # which no UPDATE may set
    length: int | None  # of a text that may be no longer, also behind a domain
    is_deterministic: bool  # the collation; without that, = may hold for texts that differ
    collation: str | None  # as SQL takes it, where it is not the database's
    comment: str | None

    @property
    def is_single(self) -> bool:
        """Whether it holds one value, which may name something, and neither a list nor a document."""
        return not self.is_array and self.family not in ("json", "vector")

    @property
    def is_settable(self) -> bool:
        """Whether an UPDATE may give it a value."""
        return not (self.is_generated or self.is_always_identity)

    @property
    def family(self) -> Family:
        """Types of one family are compared with a cast between them."""
        if self.labels:
            return "enum"
        return _FAMILIES.get(self.base.rpartition(".")[2], "other")


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    target: Name | None  # None where it lies outside of what we look at
    target_columns: tuple[str, ...]
    on_delete: Literal["no action", "restrict", "cascade", "set null", "set default"]
    on_delete_columns: tuple[str, ...]  # of SET NULL and SET DEFAULT, where not all
    on_update: Literal["no action", "restrict", "cascade", "set null", "set default"]
    match_full: bool
    period: bool  # the last column is a range that lies within the target's
    deferrable: bool
    valid: bool
    partition: str | None  # the one partition that has it, where the whole table does not


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    columns: tuple[str, ...]
    expression: str
    valid: bool
    partition: str | None  # the one partition that has it, where the whole table does not


@dataclass(frozen=True, kw_only=True)
class Index:
    name: str
    unique: bool
    valid: bool
    method: str
    columns: tuple[str, ...]  # a column, or "" where an expression stands
    expressions: tuple[str, ...]  # an expression as Postgres writes it, or "" where a column stands
    predicate: str | None


@dataclass(frozen=True, kw_only=True)
class Trigger:
    name: str
    insert: bool
    delete: bool
    update: bool
    truncate: bool
    before: bool
    enabled: bool
    function: str
    language: str
    search_path: str | None  # of the function itself
    body: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """CREATE RULE: what a statement does instead, or besides."""

    name: str
    event: Literal["select", "update", "insert", "delete"]
    instead: bool


@dataclass(frozen=True, kw_only=True)
class Policy:
    name: str
    command: Literal["all", "select", "insert", "update", "delete"]
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None


@dataclass(frozen=True, kw_only=True)
class Table:
    name: Name
    kind: Kind
    rows: int  # an estimate, for the order of things only
    owner: str
    row_security: bool
    row_security_forced: bool
    has_children: bool  # by inheritance, which is not partitioning: SELECT would show the children's rows as well
    inherits: bool
    comment: str | None
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]  # every set of columns that is unique, the primary key first
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]
    indexes: tuple[Index, ...]
    triggers: tuple[Trigger, ...]
    policies: tuple[Policy, ...]
    rules: tuple[Rule, ...]
    reads: tuple[str, ...]  # of a view: what it shows
    partitions: tuple[Name, ...]
    partition_key: tuple[str, ...]  # columns by which it is decided where a row lies

    @property
    def row_key(self) -> tuple[str, ...]:
        """Columns that name one row for certain: the primary key, or another that may not be null."""
        sure = [key for key in self.unique if all(self.columns[column].never_null for column in key)]
        return sure[0] if sure else ()

    @property
    def holds_rows(self) -> bool:
        """Whether rows lie here, and not only elsewhere as with a view."""
        return self.kind != "view"

    def is_unique(self, columns: tuple[str, ...]) -> bool:
        """Whether these columns name one row at most: a unique set lies within them."""
        return any(set(each) <= set(columns) for each in self.unique)


@dataclass(frozen=True)
class Catalogue:
    """All tables of a database, by name."""

    tables: Mapping[Name, Table]
    fingerprint: str = ""
    server_version: int = 0
    document: str = field(default="", repr=False, compare=False)

    @classmethod
    def from_json(cls, text: str) -> Catalogue:
        """What the query `catalogue` answers, or the action of the same name, or a file with either."""
        document = json.loads(text)
        document = document.get("catalogue", document)
        tables = map(_table, document["tables"])
        return cls(
            {table.name: table for table in tables},
            document.get("fingerprint", ""),
            document["server_version"],
            text,
        )

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())

    def get(self, name: Name) -> Table | None:
        return self.tables.get(name)

    @cached_property
    def references(self) -> Mapping[Name, tuple[tuple[Table, ForeignKey], ...]]:
        """For each table the foreign keys that point at it, with the table that has them."""
        found: dict[Name, list[tuple[Table, ForeignKey]]] = {}
        for table in self:
            for key in table.foreign_keys:
                if key.target is not None:
                    found.setdefault(key.target, []).append((table, key))
        return {name: tuple(keys) for name, keys in found.items()}


_ACTIONS: Mapping[str, Any] = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_EVENTS: Mapping[str, Any] = {"1": "select", "2": "update", "3": "insert", "4": "delete"}
_COMMANDS: Mapping[str, Any] = {"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}


def _table(told: Mapping[str, Any]) -> Table:
    constraints = told["constraints"]
    indexes = tuple(map(_index, told["indexes"]))
    keys = [c for c in constraints if c["kind"] in "pu"]
    primary = next((tuple(c["columns"]) for c in keys if c["kind"] == "p"), ())
    unique = [tuple(c["columns"]) for c in sorted(keys, key=lambda c: (c["kind"] != "p", c["name"]))]
    unique += [i.columns for i in indexes if i.unique and i.valid and not i.predicate and all(i.columns)]
    return Table(
        name=Name(told["schema"], told["name"]),
        kind=_KINDS[told["kind"]],
        rows=int(told["rows"]),
        owner=told["owner"],
        row_security=told["row_security"],
        row_security_forced=told["row_security_forced"],
        has_children=told["has_children"],
        inherits=told["inherits"],
        comment=told["comment"],
        columns={column["name"]: _column(column) for column in told["columns"]},
        primary_key=primary,
        unique=tuple(dict.fromkeys(unique)),
        foreign_keys=tuple(_foreign_key(c) for c in constraints if c["kind"] == "f"),
        checks=tuple(
            Check(
                name=c["name"],
                columns=tuple(c["columns"]),
                expression=c["expression"],
                valid=c["valid"],
                partition=c["partition"],
            )
            for c in constraints
            if c["kind"] == "c"
        ),
        indexes=indexes,
        triggers=tuple(map(_trigger, told["triggers"])),
        policies=tuple(map(_policy, told["policies"])),
        rules=tuple(
            Rule(name=rule["name"], event=_EVENTS[rule["event"]], instead=rule["instead"]) for rule in told["rules"]
        ),
        reads=tuple(told["reads"]),
        partitions=tuple(Name(part["schema"], part["name"]) for part in told["partitions"]),
        partition_key=tuple(told["partition_key"]),
    )


def _column(told: Mapping[str, Any]) -> Column:
    return Column(
        name=told["name"],
        type=told["type"],
        base=told["base"],
        is_array=told["array"],
        is_domain=told["domain"],
        labels=tuple(told["labels"] or ()),
        equality=told["equality"],
        not_null=told["not_null"],
        never_null=told["never_null"],
        has_default=told["default"],
        is_generated=told["generated"],
        is_identity=told["identity"],
        is_always_identity=told["always"],
        length=told["length"],
        is_deterministic=told["deterministic"],
        collation=told["collation"],
        comment=told["comment"],
    )


def _foreign_key(told: Mapping[str, Any]) -> ForeignKey:
    is_known = told["target_table"] is not None
    return ForeignKey(
        name=told["name"],
        columns=tuple(told["columns"]),
        target=Name(told["target_schema"], told["target_table"]) if is_known else None,
        target_columns=tuple(told["target_columns"] or ()),
        on_delete=_ACTIONS[told["on_delete"]],
        on_delete_columns=tuple(told["on_delete_columns"] or ()),
        on_update=_ACTIONS[told["on_update"]],
        match_full=told["match_full"],
        period=told["period"],
        deferrable=told["deferrable"],
        valid=told["valid"],
        partition=told["partition"],
    )


def _index(told: Mapping[str, Any]) -> Index:
    return Index(
        name=told["name"],
        unique=told["unique"],
        valid=told["valid"],
        method=told["method"],
        columns=tuple(part.get("column", "") for part in told["columns"]),
        expressions=tuple(part.get("expression", "") for part in told["columns"]),
        predicate=told["predicate"],
    )


def _trigger(told: Mapping[str, Any]) -> Trigger:
    taken = {key: told[key] for key in ("name", "insert", "delete", "update", "truncate", "before", "function")}
    return Trigger(
        **taken,
        enabled=told["enabled"] != "D",
        language=told["language"],
        search_path=told["search_path"],
        body=told["body"],
    )


def _policy(told: Mapping[str, Any]) -> Policy:
    return Policy(
        name=told["name"],
        command=_COMMANDS[told["command"]],
        permissive=told["permissive"],
        roles=tuple(told["roles"]),
        using=told["using"],
        check=told["check"],
    )
