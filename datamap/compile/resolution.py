"""The map laid over the catalogue: every table with its links, each of which now knows what it points at.

What does not fit is collected as faults, with its place in the map. The rules are those of docs/ownership.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from datamap import model
from datamap.catalogue import Catalogue, Column, ForeignKey, Table
from datamap.condition import Condition
from datamap.document import nearest
from datamap.fault import Fault, Where
from datamap.form import EXACT, Form
from datamap.names import Place, Target, shown
from datamap.names import Table as Name

Role = Literal["owner", "actor", "reference"]


@dataclass(frozen=True, kw_only=True)
class Link:
    """One way in which a row names a person (then `kind` says of which subject), or a parent row."""

    place: Place
    target: Name
    target_columns: tuple[str, ...]
    role: Role
    kind: str | None = None
    identity: str | None = None
    form: Form = EXACT
    condition: Condition | None = None
    erase: Literal["delete", "unlink"] | model.Setting | None = None
    redact: tuple[str, ...] = ()
    is_exported: bool = True
    foreign_key: ForeignKey | None = None
    where: Where = ()

    @property
    def is_owner(self) -> bool:
        return self.role == "owner"

    @property
    def lets_go(self) -> bool:
        """Whether an erasure takes it away from a row that is not theirs: they acted on it, or the map says so."""
        return self.role == "actor" or (self.role == "reference" and self.erase is not None)


@dataclass(frozen=True, kw_only=True)
class Identity:
    column: str
    form: Form
    shared: bool  # several subjects may have it, by decision
    unique: bool  # no two subjects can have it, by constraint


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of subject."""

    name: str
    table: Name
    facts: Table
    key: tuple[str, ...]
    identities: Mapping[str, Identity]
    nobody: Mapping[str, str | int] | None
    birth: str | None

    @property
    def sql(self) -> str:
        return _in_from(self.facts)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table that the plan has to do with."""

    name: Name
    facts: Table
    decision: model.Table
    links: tuple[Link, ...]
    subject_of: str | None = None
    where: Where = ()

    @property
    def passes_on(self) -> bool:
        """Whether what hangs below its rows belongs to whom they belong."""
        return self.decision.personal and self.decision.shared is not True and self.subject_of is None

    @property
    def person_links(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.kind is not None)

    @property
    def owner_links(self) -> tuple[Link, ...]:
        """Those by which a row speaks for itself."""
        return tuple(link for link in self.person_links if link.is_owner)

    @property
    def always_speaks(self) -> bool:
        """Every row names its owner itself, so that none inherits: a link says so that may not be null."""
        columns = self.facts.columns
        return any(
            link.condition is None
            and link.place.is_plain
            and all(columns[name].never_null and columns[name].family != "text" for name in link.place.columns)
            for link in self.owner_links
        )

    @property
    def parent_links(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.kind is None)

    @property
    def is_refreshed(self) -> bool:
        """Whether an erasure refreshes it, once the rows that it shows are gone."""
        return self.facts.kind == "materialized_view" and self.decision.erase == "refresh"

    @property
    def sql(self) -> str:
        return _in_from(self.facts)


def _in_from(facts: Table) -> str:
    """A table in a FROM, without the rows of tables that inherit from it."""
    return f"only {facts.name.sql}" if facts.has_children else facts.name.sql


@dataclass
class Resolution:
    """All of it, and what is wrong."""

    catalogue: Catalogue
    kinds: dict[str, Kind] = field(default_factory=dict)
    datasets: dict[Name, Dataset] = field(default_factory=dict)
    declared_keys: dict[Name, tuple[str, ...]] = field(default_factory=dict)  # `key:` of the map
    faults: list[Fault] = field(default_factory=list)

    def kind_of(self, table: Name) -> Kind | None:
        return next((kind for kind in self.kinds.values() if kind.table == table), None)


def resolve(data_map: model.Map, catalogue: Catalogue) -> Resolution:
    """Lay the map over the catalogue."""
    found = Resolution(catalogue)
    for name, subject in data_map.kinds.items():
        where: Where = ("subject",) if data_map.subject else ("subjects", name)
        _add_kind(found, name, subject, where)
    decisions = dict(_decisions(data_map, found))
    found.declared_keys = {name: tuple(each.key) for name, (each, _) in decisions.items() if each.key}
    for table, (decision, where) in decisions.items():
        facts = catalogue.tables[table]
        kind = found.kind_of(table)
        links = tuple(_Links(found, facts, decision, where, kind).all())
        found.datasets[table] = Dataset(
            name=table,
            facts=facts,
            decision=decision,
            links=links,
            subject_of=kind.name if kind else None,
            where=where,
        )
    return found


def _decisions(data_map: model.Map, found: Resolution) -> Iterator[tuple[Name, tuple[model.Table, Where]]]:
    """Each table of the catalogue that the map speaks of. One that is named wins over its schema's `*`."""
    named: dict[Name, tuple[model.Table, Where]] = {}
    for text, decision in data_map.tables.items():
        where: Where = ("tables", text)
        if text.endswith(".*"):
            yield from _whole_schema(text, decision, where, found)
            continue
        name = Name.parse(text)
        facts = found.catalogue.get(name)
        if facts is None:
            found.faults.append(_unknown_table(name, where, found.catalogue))
        elif facts.kind == "view":
            message = f"{name} is a view: it holds no rows, so there is nothing to decide"
            found.faults.append(Fault(code="view", message=message, where=where, remedy="take it out of the map"))
        else:
            named[name] = (decision, where)
    yield from named.items()


def _whole_schema(
    text: str, decision: model.Table, where: Where, found: Resolution
) -> Iterator[tuple[Name, tuple[model.Table, Where]]]:
    schema = Name.parse(text[:-1] + "x").schema
    tables = [table.name for table in found.catalogue if table.name.schema == schema and table.holds_rows]
    if decision.personal or decision.links or decision.columns:
        message = f"{text} speaks of tables that nobody has looked at: only personal: false fits here"
        found.faults.append(Fault(code="schema_wildcard", message=message, where=where))
    elif not tables:
        message = f"{text} covers no table"
        found.faults.append(Fault(code="unknown_table", message=message, where=where, severity="warning"))
    yield from ((name, (decision, where)) for name in tables)


def _unknown_table(name: Name, where: Where, catalogue: Catalogue) -> Fault:
    meant = nearest(str(name), [str(table.name) for table in catalogue])
    parent = next((table for table in catalogue if name in table.partitions), None)
    if parent is not None:
        return Fault(
            code="partition",
            message=f"{name} is a partition, which is treated as the table that it is a part of",
            where=where,
            remedy=f"decide {parent.name} instead",
        )
    remedy = f"did you mean {meant}?" if meant else None
    return Fault(code="unknown_table", message=f"There is no table {name}", where=where, remedy=remedy)


_FEW = 16  # columns or labels that a remedy lists


def unknown_column(column: str, table: Table, where: Where) -> Fault:
    return Fault(
        code="unknown_column",
        message=f"{table.name} has no column {column}",
        where=where,
        remedy=_meant(column, list(table.columns)) or "take it out",
    )


def _meant(written: str, known: Sequence[str], show: Callable[[str], str] = shown) -> str | None:
    """What somebody may have meant; None where there is too much to list."""
    if meant := nearest(written, known):
        return f"did you mean {show(meant)}?"
    return f"one of: {', '.join(map(show, known))}" if len(known) <= _FEW else None


def _add_kind(found: Resolution, name: str, subject: model.Subject, where: Where) -> None:
    table = Name.parse(subject.table)
    facts = found.catalogue.get(table)
    if facts is None or facts.kind not in ("table", "partitioned"):
        found.faults.append(
            _unknown_table(table, (*where, "table"), found.catalogue)
            if facts is None
            else Fault(code="subject_table", message=f"{table} is no table of its own", where=(*where, "table"))
        )
        return
    columns = [*((c, "key") for c in subject.key), *((i.column, "identities") for i in subject.identities.values())]
    columns += [(subject.birth, "birth")] if subject.birth else []
    columns += [(column, "nobody") for column in subject.nobody or ()]
    missing = [unknown_column(c, facts, (*where, part)) for c, part in columns if c not in facts.columns]
    if subject.nobody is not None and not (subject.nobody and set(subject.nobody) <= set(subject.key)):
        message = f"nobody is named by columns of the key: {', '.join(subject.key)}"
        missing.append(Fault(code="nobody", message=message, where=(*where, "nobody")))
    for column, constant in (subject.nobody or {}).items():
        if column in facts.columns and not is_written(constant, facts.columns[column]):
            message = f"{constant!r} is no value of {table}, column {column}"
            missing.append(Fault(code="nobody", message=message, where=(*where, "nobody", column)))
    for column, part in columns:
        if part in ("key", "identities") and column in facts.columns and not facts.columns[column].is_single:
            message = f"{table}, column {column}, is {facts.columns[column].type}: no single value, so it names nobody"
            missing.append(Fault(code="types", message=message, where=(*where, part)))
    missing += _no_numbers(subject, facts, where)
    if len(set(subject.key)) < len(subject.key):
        missing.append(Fault(code="key_twice", message="A column stands twice in the key", where=(*where, "key")))
    if missing:
        found.faults.extend(missing)
        return
    if not facts.is_unique(tuple(subject.key)) or any(not facts.columns[c].not_null for c in subject.key):
        message = (
            f"Nothing keeps two rows of {table} from having the same {', '.join(subject.key)}: they would be one person"
        )
        remedy = "add a unique constraint and NOT NULL, or name a key that is unique"
        found.faults.append(
            Fault(code="key_not_unique", message=message, where=(*where, "key"), severity="warning", remedy=remedy)
        )
    found.kinds[name] = Kind(
        name=name,
        table=table,
        facts=facts,
        key=tuple(subject.key),
        identities={
            each: Identity(
                column=identity.column,
                form=Form.of(identity),
                shared=identity.shared,
                unique=identity.match == "exact" and facts.is_unique((identity.column,)),
            )
            for each, identity in subject.identities.items()
        },
        nobody=subject.nobody,
        birth=subject.birth,
    )


def _no_numbers(subject: model.Subject, facts: Table, where: Where) -> Iterator[Fault]:
    """Identities that are to be telephone numbers, in columns that hold none."""
    for name, identity in subject.identities.items():
        column = facts.columns.get(identity.column)
        if isinstance(identity.match, model.Phone) and column and column.family != "text":
            message = f"{facts.name}, column {column.name}, is {column.type}: no telephone number as it is written"
            remedy = "take match out: a number has neither a + nor a leading 0"
            yield Fault(code="types", message=message, where=(*where, "identities", name), remedy=remedy)


_Aim = tuple[Place, Name, tuple[str, ...], Kind | None, str | None]  # place, table, columns, kind, identity


class _Links:
    """The links of one table: those of the map, then the foreign keys that it does not mention."""

    def __init__(self, found: Resolution, facts: Table, decision: model.Table, where: Where, kind: Kind | None) -> None:
        self._found = found
        self._facts = facts
        self._decision = decision
        self._where = where
        self._kind = kind

    def all(self) -> Iterator[Link]:
        mentioned: set[ForeignKey] = set()
        for text, entries in sorted(self._decision.links.items()):
            where = (*self._where, "links", text)
            place = self._place(text, where)
            if place is None:
                continue
            key = self._foreign_key(place)
            for number, entry in enumerate(entries):
                here = where if len(entries) == 1 else (*where, number)
                link = self._declared(place, entry, key, here)
                if link is not None:
                    mentioned |= {link.foreign_key} if link.foreign_key else set()
                    yield link
        yield from self._undeclared(mentioned)

    def _place(self, text: str, where: Where) -> Place | None:
        place = Place((text,)) if text in self._facts.columns else Place.parse(text)
        unknown = [column for column in place.columns if column not in self._facts.columns]
        self._found.faults.extend(unknown_column(name, self._facts, where) for name in unknown)
        if unknown:
            return None
        column = self._facts.columns[place.column]
        fits = (
            place.is_plain
            or (place.is_array and (column.is_array or column.family == "json"))
            or (place.steps and not column.is_array and (column.family == "json" or place.is_cast))
        )
        fits = bool(fits) and len(set(place.columns)) == len(place.columns)
        if not fits:
            message = f"{place} does not fit: {self._facts.name}.{place.column} is {column.type}"
            self._found.faults.append(Fault(code="place", message=message, where=where))
        elif place.is_plain and len(place.columns) == 1 and not column.is_single:
            hint = f"{text}[] for each element" if column.is_array else f"a place within it, such as {text}->>'user_id'"
            message = f"{self._facts.name}.{place.column} is {column.type}, which is no single value"
            self._found.faults.append(Fault(code="place", message=message, where=where, remedy=f"write {hint}"))
            fits = False
        return place if fits else None

    def _foreign_key(self, place: Place) -> ForeignKey | None:
        if not place.is_plain:
            return None
        keys = [key for key in self._facts.foreign_keys if set(key.columns) == set(place.columns) and key.target]
        return (
            min(keys, key=lambda k: (self._found.kind_of(k.target or Name("", "")) is None, k.name)) if keys else None
        )

    def _declared(self, place: Place, entry: model.Link, key: ForeignKey | None, where: Where) -> Link | None:
        target = self._target(place, entry, key, where)
        if target is None:
            return None
        place, table, columns, kind, identity = target
        if key is not None and entry.identity is None and key.target == table and key.target_columns == columns:
            self._check_one_row(key, where)
        for column in (entry.when and Condition.parse(entry.when).comparisons) or ():
            if column.place.column not in self._facts.columns:
                self._found.faults.append(unknown_column(column.place.column, self._facts, (*where, "when")))
                return None
            wrong = [value for value in column.values if not _is_one_of(value, column.place, self._facts)]
            for constant in wrong:
                message = f"{self._facts.name}, {column.place}: {constant!r} is no value of this column"
                facts = self._facts.columns[column.place.column]
                remedy = _meant(str(constant), facts.labels, repr) if facts.labels else None
                remedy = remedy or f"write a value of type {facts.type}"
                fault = Fault(code="when_value", message=message, where=(*where, "when"), remedy=remedy)
                self._found.faults.append(fault)
            if wrong:
                return None
        for part, value in (("role", entry.role), ("erase", entry.erase)):
            if value == model.UNDECIDED:
                message = f"{self._facts.name}, {place}: nobody has decided the {part} of this link"
                self._found.faults.append(Fault(code="undecided", message=message, where=(*where, part)))
        if kind is not None and entry.erase == "delete" and entry.role in ("actor", "reference"):
            message = (
                f"{self._facts.name}, {place}: the row is not theirs by this link, so it cannot be deleted for them"
            )
            remedy = "write role: owner if it is theirs, or erase: unlink"
            self._found.faults.append(Fault(code="role", message=message, where=(*where, "erase"), remedy=remedy))
        pairs = set(zip(place.columns, columns, strict=True))
        is_key = (
            key is not None
            and place.is_plain
            and key.target == table
            and set(zip(key.columns, key.target_columns, strict=True)) == pairs
        )
        return Link(
            place=place,
            target=table,
            target_columns=columns,
            role=self._role(entry, kind, where),
            kind=kind.name if kind else None,
            identity=identity,
            form=kind.identities[identity].form if kind is not None and identity is not None else EXACT,
            condition=Condition.parse(entry.when) if entry.when else None,
            erase=None if entry.erase == "undecided" else entry.erase,
            redact=tuple(entry.export.redact) if isinstance(entry.export, model.Redaction) else (),
            is_exported=entry.export is not False,
            foreign_key=key if is_key else None,
            where=where,
        )

    def _role(self, entry: model.Link, kind: Kind | None, where: Where) -> Role:
        role: Role = "owner" if entry.role == "undecided" else entry.role
        if kind is None and role == "actor":
            message = "Only a link that names a person can be an actor's"
            self._found.faults.append(
                Fault(code="role", message=message, where=(*where, "role"), remedy="write reference")
            )
        if self._kind is None and self._decision.personal:
            return role
        if role == "owner" and "role" in entry.model_fields_set:
            what = "a row of the subject's table belongs to its own person" if self._kind else "it is not personal"
            message = f"{self._facts.name} cannot be owned by this link: {what}"
            remedy = "write role: actor" if kind else "write role: reference"
            self._found.faults.append(Fault(code="role", message=message, where=(*where, "role"), remedy=remedy))
        if role != "owner":
            return role
        return "actor" if kind else "reference"

    def _target(  # noqa: PLR0911 - one way out for each kind of link
        self, place: Place, entry: model.Link, key: ForeignKey | None, where: Where
    ) -> _Aim | None:
        if entry.identity is not None:
            return self._identified(place, entry, where)
        if entry.to is not None:
            return self._target_named(entry.to, place, where)
        if entry.subject is None and key is not None and key.target is not None:
            return (Place(key.columns), key.target, key.target_columns, self._found.kind_of(key.target), None)
        kind = self._kind_named(entry.subject, where)
        if kind is None:
            return None
        if len(kind.key) != len(place.columns):
            message = f"{place} is {_columns(len(place.columns))}, and the key of {kind.table} is {', '.join(kind.key)}"
            self._found.faults.append(
                Fault(
                    code="partial_key",
                    message=message,
                    where=where,
                    remedy="name all columns, with commas between them, or say what it points at with `to:`",
                )
            )
            return None
        if key is not None and key.target == kind.table and set(key.target_columns) == set(kind.key):
            return (Place(key.columns), kind.table, key.target_columns, kind, None)
        if place.is_plain and set(place.columns) == set(kind.key):  # in whatever order
            return (Place(kind.key), kind.table, kind.key, kind, None)
        return (place, kind.table, kind.key, kind, None)

    def _identified(self, place: Place, entry: model.Link, where: Where) -> _Aim | None:
        identity = entry.identity or ""
        kind = self._kind_with(identity, entry.subject, where)
        if kind is not None and len(place.columns) > 1:
            message = f"{place} is {_columns(len(place.columns))}, and an identity is one value"
            self._found.faults.append(Fault(code="partial_key", message=message, where=where))
            return None
        return (place, kind.table, (kind.identities[identity].column,), kind, identity) if kind else None

    def _target_named(self, to: str, place: Place, where: Where) -> _Aim | None:
        target = Target.parse(to)
        facts = self._found.catalogue.get(target.table)
        where = (*where, "to")
        if facts is None:
            self._found.faults.append(_unknown_table(target.table, where, self._found.catalogue))
            return None
        kind = self._found.kind_of(target.table)
        columns = target.columns or (kind.key if kind else facts.primary_key)
        missing = [column for column in columns if column not in facts.columns]
        if missing or not columns:
            self._found.faults.extend(unknown_column(column, facts, where) for column in missing)
            if not columns:
                message = f"{target.table} has no primary key: name the columns that are meant"
                self._found.faults.append(Fault(code="no_key", message=message, where=where))
            return None
        if len(columns) != len(place.columns):
            message = f"{place} is {_columns(len(place.columns))}, and {target} {_columns(len(columns))}"
            self._found.faults.append(Fault(code="partial_key", message=message, where=where))
            return None
        if not self._names_one_row(facts, columns, kind):
            self._found.faults.append(
                Fault(
                    code="reach",
                    message=f"{target} is not unique: this link would reach the rows of several people",
                    where=where,
                    remedy="point at a unique key, or declare one with `key:` at that table if it is one in fact",
                )
            )
            return None
        return (place, target.table, columns, kind, None)

    def _check_one_row(self, key: ForeignKey, where: Where) -> None:
        """A foreign key to one partition holds what is unique there, and need not be in the whole table."""
        target = self._found.catalogue.tables[key.target or Name("", "")]
        if key.period:
            message = (
                f"{self._facts.name}, {', '.join(key.columns)}: the foreign key holds for a period of {target.name}"
            )
            remedy = f"write what happens at {self._facts.name} by another link; this one is not understood"
            self._found.faults.append(Fault(code="temporal", message=message, where=where, remedy=remedy))
        if not self._names_one_row(target, key.target_columns, self._found.kind_of(target.name)):
            columns = ", ".join(key.target_columns)
            message = (
                f"{self._facts.name}, {', '.join(key.columns)}: {columns} is unique in one partition of {target.name}"
            )
            self._found.faults.append(
                Fault(
                    code="reach",
                    message=f"{message} only, so this link would reach the rows of several people",
                    where=where,
                    remedy=f"make it unique in all of {target.name}, or say there that it is: key: [{columns}]",
                )
            )

    def _names_one_row(self, facts: Table, columns: tuple[str, ...], kind: Kind | None) -> bool:
        keys = [kind.key] if kind else []
        keys += [self._found.declared_keys[facts.name]] if facts.name in self._found.declared_keys else []
        return facts.is_unique(columns) or any(set(key) <= set(columns) for key in keys)

    def _kind_with(self, identity: str, subject: str | None, where: Where) -> Kind | None:
        kinds = [k for k in self._found.kinds.values() if identity in k.identities and subject in (None, k.name)]
        if len(kinds) == 1:
            return kinds[0]
        known = [name for kind in self._found.kinds.values() for name in kind.identities]
        meant = nearest(identity, known)
        if kinds:
            message, remedy = f"Several subjects have an identity {identity}", "say which with `subject:`"
        else:
            message = f"No subject has an identity {identity}"
            remedy = f"did you mean {meant}?" if meant else "declare it under `identities:` of the subject"
        self._found.faults.append(
            Fault(code="unknown_identity", message=message, where=(*where, "identity"), remedy=remedy)
        )
        return None

    def _kind_named(self, subject: str | None, where: Where) -> Kind | None:
        kinds = self._found.kinds
        if subject is None and len(kinds) == 1:
            return next(iter(kinds.values()))
        if subject in kinds:
            return kinds[subject]
        if kinds:
            meant = nearest(subject or "", kinds)
            message = f"There is no subject {subject}" if subject else "It does not say which subject is meant"
            remedy = f"did you mean {meant}?" if meant else f"write `subject:` with one of {', '.join(kinds)}"
            self._found.faults.append(
                Fault(code="unknown_subject", message=message, where=(*where, "subject"), remedy=remedy)
            )
        return None

    def _undeclared(self, mentioned: set[ForeignKey]) -> Iterator[Link]:
        """Rule 3: a foreign key that the map says nothing of, or something else, is a link all the same."""
        for key in self._facts.foreign_keys:
            if key.target is None or key in mentioned:
                continue
            kind = self._found.kind_of(key.target)
            self._check_one_row(key, self._where)
            is_owned = self._decision.personal and self._kind is None
            link = Link(
                place=Place(key.columns),
                target=key.target,
                target_columns=key.target_columns,
                role="owner" if is_owned else ("actor" if kind else "reference"),
                kind=kind.name if kind else None,
                foreign_key=key,
                where=self._where,
            )
            if not self._decision.personal and kind is not None:
                self._found.faults.append(_names_a_person(link, self._facts))
            yield link


def _names_a_person(link: Link, facts: Table) -> Fault:
    columns = ", ".join(link.place.columns)
    return Fault(
        code="names_a_person",
        message=f"{facts.name} is declared not personal, and its column {columns} names a row of {link.target}",
        where=link.where,
        about=link,
    )


_WRITTEN: Mapping[str, str] = {
    "integer": r"-?\d{1,19}",
    "numeric": r"-?\d+(\.\d+)?",
    "boolean": r"true|false|[01tf]|yes|no|on|off",
    "uuid": r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}",
    "time": r"\d{4}-\d\d-\d\d.*|-?infinity",
}


def is_written(value: object, column: Column) -> bool:
    """Whether a constant of the map is how a value of this type is written, as far as can be told without a server."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if column.labels:
        return text in column.labels
    pattern = _WRITTEN.get(column.family)
    return column.is_array or pattern is None or re.fullmatch(pattern, text, re.IGNORECASE) is not None


def _is_one_of(value: object, place: Place, facts: Table) -> bool:
    return not place.is_plain or is_written(value, facts.columns[place.column])


def _columns(number: int) -> str:
    return "one column" if number == 1 else f"{number} columns"
