"""The person in a statement: the temporary table that every statement joins, one row for each key and identity.

Its columns are named and typed as in the subject's table, whatever types the links to it have. shared/person.py fills
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Column
from datamap.compile.resolution import Kind, Resolution
from datamap.form import EXACT, Form
from datamap.names import literal, quoted
from shared.binding import POSITION

TABLE = "pg_temp.gdpr_person"
ASKED = "gdpr_asked"

_DEFAULT = ' collate "default"'
_BOUND_AS = {"pg_catalog.int2": "smallint", "pg_catalog.int4": "integer", "pg_catalog.int8": "bigint"}


@dataclass(frozen=True, kw_only=True)
class Person:
    """One kind of subject, with the columns by which anything names it."""

    kind: Kind
    columns: Mapping[str, Column]

    @classmethod
    def of(cls, kind: Kind, resolution: Resolution) -> Person:
        named = dict.fromkeys(kind.key)
        named |= dict.fromkeys(identity.column for identity in kind.identities.values())
        for dataset in resolution.datasets.values():
            for link in dataset.person_links:
                if link.kind == kind.name:
                    named |= dict.fromkeys(link.target_columns)
        return cls(kind=kind, columns={name: kind.facts.columns[name] for name in named})

    @cached_property
    def _names(self) -> Mapping[str, str]:
        free = POSITION
        while free in self.columns:
            free += "_"
        return {name: free if name == POSITION else name for name in self.columns}

    def column(self, name: str) -> str:
        """What a column of the subject's table is called in the temporary one."""
        return self._names[name]

    def sql(self, name: str, alias: str = "p") -> str:
        return f"{alias}.{quoted(self.column(name))}"

    @property
    def binds(self) -> Mapping[str, str]:
        """The columns as shared.binding takes them; a type that it does not bind goes as text."""
        return {self.column(name): bound_as(column) for name, column in self.columns.items()}

    @property
    def resolve(self) -> str:
        """Creates the temporary table from what was asked for; the subject's row tells its other keys."""
        columns = ",\n  ".join(f"{self._filled(name)} as {quoted(self.column(name))}" for name in self.columns)
        matches = " and ".join(
            f"u.{quoted(name)} {equality(self.columns[name])} {self._cast(name)}" for name in self.kind.key
        )
        quiet = ", ".join(f"alter column {quoted(name)} set statistics 0" for name in (POSITION, *self._names.values()))
        return (
            f"create temporary table gdpr_person on commit drop as\nselect\n  a.{POSITION},\n  {columns}\n"
            f"from pg_temp.{ASKED} as a\nleft join {self.kind.sql} as u on {matches};\n"
            f"alter table {TABLE} {quiet};\nanalyze {TABLE}"
        )

    def _filled(self, name: str) -> str:
        """An empty text names nobody: as a value of somebody's it would meet everybody else's empty one."""
        column = self.columns[name]
        if column.family != "text":
            return self._told(name)
        return f"cast(nullif(cast({self._told(name)} as pg_catalog.text), '') as {plain_type(column)})"

    def _told(self, name: str) -> str:
        if name in self.kind.key:
            return self._cast(name)
        known = f"u.{quoted(self.kind.key[0])} is not null"  # then nothing else that was asked for counts
        theirs = f"cast(u.{quoted(name)} as {plain_type(self.columns[name])})"
        keys = [f"a.{quoted(self.column(column))} is not null" for column in self.kind.key]
        gone = " and ".join(keys)  # what somebody else has now is that one's
        passed = f"{gone} and exists (select from {self.kind.sql} as o where {self.same(name, 'o')})"
        passed = "" if self._is_shared(name) else f" when {passed} then null"
        return f"case when {known} then {theirs}{passed} else {self._cast(name)} end"

    def _is_shared(self, name: str) -> bool:
        return any(identity.column == name and identity.shared for identity in self.kind.identities.values())

    def same(self, name: str, alias: str) -> str:
        """A subject's row has the value that was asked for."""
        return self._alike(name, f"{alias}.{quoted(name)}", self._cast(name))

    def form(self, name: str) -> Form:
        """In which form values of a column are compared when it names somebody."""
        identities = self.kind.identities.values()
        forms = (each.form for each in identities if each.column == name and not each.form.is_exact)
        return next(forms, EXACT)

    def _alike(self, name: str, left: str, right: str) -> str:
        form = self.form(name)
        if form.is_exact:
            return f"{left} {equality(self.columns[name])} {right}"
        return f"{form.sql(left, _DEFAULT)} = {form.sql(right, _DEFAULT)}"

    def _cast(self, name: str) -> str:
        return f"cast(a.{quoted(self.column(name))} as {plain_type(self.columns[name])})"

    @property
    def invalid(self) -> str | None:
        """Counts values that are none of their type, before a cast could quote them; where they are bound as text."""
        tests = [
            f"not pg_input_is_valid(a.{quoted(self.column(name))}, {literal(plain_type(column)).strip()})"
            for name, column in self.columns.items()
            if bound_as(column) == "text" and column.family != "text"
        ]
        return f"select count(*) from pg_temp.{ASKED} as a where {' or '.join(tests)}" if tests else None

    @property
    def refusals(self) -> tuple[tuple[str, str], ...]:
        """Sentences, each with a statement that counts the bound persons of whom it is true."""
        found = []
        subject = self.kind.sql
        same = " and ".join(
            f"p.{quoted(self.column(c))} {equality(self.columns[c])} u.{quoted(c)}" for c in self.kind.key
        )
        identities = [identity.column for identity in self.kind.identities.values()]
        named = " or ".join(f"({self._alike(c, self.sql(c), f'u.{quoted(c)}')})" for c in identities)
        if self.kind.nobody:
            key = " and ".join(f"u.{quoted(c)} = {literal(str(v)).strip()}" for c, v in self.kind.nobody.items())
            either = f"(({same}) or {named})" if named else f"({same})"
            sql = f"select count(*) from {subject} as u join {TABLE} as p on {either} where {key}"
            found.append(("This stands for nobody, whose rows are what others left behind", sql))
        if named:
            guest = "(" + " or ".join(f"{self.sql(column)} is null" for column in self.kind.key) + ")"
            asked = f"exists (select from {TABLE} as p where {same})"
            sql = f"select count(*) from {TABLE} as p join {subject} as u on {named} where {guest} and not {asked}"
            found.append(("This identity is that of somebody with a key: name them by it", sql))
        return tuple(found)


def bound_as(column: Column) -> str:
    if column.is_array:
        return "text"
    if column.base in _BOUND_AS:
        return _BOUND_AS[column.base]
    return (
        column.base.removeprefix("pg_catalog.") if column.base in ("pg_catalog.uuid", "pg_catalog.numeric") else "text"
    )


def plain_type(column: Column) -> str:
    """The type behind domains and without a length, as SQL takes it: a cast to it neither cuts nor checks."""
    return element_type(column) + ("[]" if column.is_array else "")


def element_type(column: Column) -> str:
    """The same, of an array that of its elements."""
    schema, _, name = column.base.partition(".")
    return f"{quoted(schema)}.{quoted(name)}"


def equality(column: Column) -> str:
    """The operator: that of an extension's type lies in the extension's schema, which no search path names."""
    return f"operator({quoted(column.equality)}.=)" if column.equality else "="
