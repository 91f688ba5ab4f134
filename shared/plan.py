"""The plan: what a map and a catalogue compile into, and all that a function needs to know about either.

Statements and decisions, with a digest that is the same wherever it was compiled. It is stored in gdpr.plan, one
active; a function loads it from there and never looks at the catalogue but for its fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal, Self

from shared.working_days import Calendar

FORMAT = 4

Purpose = Literal[
    "count", "export", "acted", "verify",  # these only read
    "prepare", "capture", "stub",  # these remember and lock
    "guard",  # answers (table, number); any number above 0 stops the erasure
    "recheck",  # a guard that asks again, once rows are changed and before any is deleted
    "change", "delete", "refresh",  # these act
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a plan. It joins pg_temp.gdpr_person and holds no value of anybody."""

    purpose: Purpose
    dataset: str
    sql: str
    why: str
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as an export tells of it."""

    name: str
    type: str
    category: str | None = None
    origin: str | None = None
    export: Literal["value", "explained", "withheld"] = "value"
    reason: str | None = None
    label: str | None = None
    unit: str | None = None
    values: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table that may hold rows of a person."""

    name: str
    activity: str | None
    action: str
    columns: tuple[Column, ...]
    label: str | None = None
    reads: tuple[Statement, ...]  # count, export, acted, verify


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A table whose deleted rows are asked for again when an erasure is verified; shared/gone.py binds them."""

    dataset: str
    relation: str  # the temporary table that statements of the purpose `verify` join
    binds: Mapping[str, str]
    keys: str  # selects them at the end of the erasure, each as text


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How a request names a person of this kind, and how who is meant is found; shared/identification.py does."""

    subject: str  # the table, as Postgres writes its name
    columns: tuple[str, ...]  # of it: the key, then the identities
    find: str  # answers (key…, fits…) for who is meant by anything in pg_temp.gdpr_asked
    guests: tuple[str, ...]  # identities by which who has no account is found, as pg_temp.gdpr_asked calls them
    normal: str | None  # answers those of pg_temp.gdpr_asked in the form in which they are compared; null: names nobody


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of subject: how a person of it is bound, and what is read and done for them."""

    name: str
    table: str
    key: tuple[str, ...]  # columns of pg_temp.gdpr_person
    naming: Naming
    identities: Mapping[str, str]  # the same, by identity
    invalid: str | None  # counts values of pg_temp.gdpr_asked that are none of their type
    refusals: tuple[tuple[str, str], ...]  # sentences, each with a statement that counts persons of whom it is true
    locked: tuple[str, ...]  # what an erasure locks, and may change or refresh, as Postgres writes its name
    read: tuple[str, ...]  # all that a statement names
    binds: Mapping[str, str]  # every column of pg_temp.gdpr_person, as shared.binding takes it
    resolve: str  # creates pg_temp.gdpr_person from pg_temp.gdpr_asked
    reach: tuple[Statement, ...]  # remembers the keys of their rows; before any of the reads
    datasets: tuple[Dataset, ...]
    erase: tuple[Statement, ...]  # in the order in which they run
    rows: Mapping[str, str]  # by table: where an erasure marks the rows that it touches, in pg_temp
    gone: tuple[Gone, ...]


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """What the deadlines of new requests are computed by; shared/case.py does."""

    zone: str
    policy: str
    calendar: Calendar | None  # without one, a deadline ends on holidays and weekends as well


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything, for every kind of subject."""

    fingerprint: str
    map: Mapping[str, Any]
    deadlines: Deadlines
    kinds: tuple[Kind, ...]

    def kind(self, name: str) -> Kind:
        return next(kind for kind in self.kinds if kind.name == name)

    @cached_property
    def map_digest(self) -> str:
        """Of the map alone, however it is written."""
        return map_digest(self.map)

    @cached_property
    def digest(self) -> str:
        """Of the whole plan."""
        return hashlib.sha256(self.as_json()).hexdigest()

    def as_json(self) -> bytes:
        """The same bytes for the same plan."""
        return _canonical({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        told = json.loads(text)
        if told.pop("format", None) != FORMAT:
            raise ValueError("a plan of another format")
        return cls(
            fingerprint=told["fingerprint"],
            map=told["map"],
            deadlines=_deadlines(told["deadlines"]),
            kinds=tuple(_kind(kind) for kind in told["kinds"]),
        )


def map_digest(data_map: Mapping[str, Any]) -> str:
    """Of a map as `Map.data` writes it."""
    return hashlib.sha256(_canonical(data_map)).hexdigest()


def _deadlines(told: dict[str, Any]) -> Deadlines:
    calendar = told["calendar"]
    return Deadlines(**told | {"calendar": Calendar.from_data(calendar) if calendar else None})


def _kind(told: dict[str, Any]) -> Kind:
    datasets = tuple(
        Dataset(
            **each
            | {
                "columns": tuple(Column(**column) for column in each["columns"]),
                "reads": tuple(Statement(**statement) for statement in each["reads"]),
            }
        )
        for each in told["datasets"]
    )
    lists = {part: tuple(Statement(**statement) for statement in told[part]) for part in ("reach", "erase")}
    names: dict[str, Any] = {part: tuple(told[part]) for part in ("key", "locked", "read")}
    names["refusals"] = tuple((sentence, sql) for sentence, sql in told["refusals"])
    gone = tuple(Gone(**each) for each in told["gone"])
    naming = Naming(**told["naming"] | {part: tuple(told["naming"][part]) for part in ("columns", "guests")})
    return Kind(**told | {"datasets": datasets, "gone": gone, "naming": naming} | names | lists)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=date.isoformat).encode()
