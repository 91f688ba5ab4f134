"""Whom a placeholder of a key or a prefix can name, by the map and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datamap import expression
from datamap.catalogue import Catalogue, Table
from datamap.form import FOLDED, Form
from datamap.model import Identity, Map, Subject
from datamap.names import Place
from datamap.names import Table as TableName
from shared.patterns import Spelling


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How a kind of subject is named: by the columns of its key, or by an identity."""

    key: Mapping[str, Spelling]
    identities: Mapping[str, Spelling]
    alone: frozenset[str]  # the identities of which each value is one person's, or is declared to be shared

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.key)

    @property
    def spellings(self) -> dict[str, Spelling]:
        return {**self.identities, **self.key}


def namings(map_: Map, catalogue: Catalogue) -> dict[str, Naming]:
    """For each kind of subject, from the map and the catalogue. A column that is not there is a text."""
    return {
        name: _naming(subject, catalogue.get(TableName.parse(subject.table))) for name, subject in map_.kinds.items()
    }


def _naming(subject: Subject, table: Table | None) -> Naming:
    alone = {
        name
        for name, identity in subject.identities.items()
        if identity.shared or (table is not None and _is_unique(table, identity))
    }
    return Naming(
        key={column: _spelling(table, column) for column in subject.key},
        identities={name: _spelling(table, identity.column) for name, identity in subject.identities.items()},
        alone=frozenset(alone),
    )


def _spelling(table: Table | None, column: str) -> Spelling:
    family = table.columns[column].family if table is not None and column in table.columns else "text"
    return Spelling(family=family if family in ("integer", "uuid") else "text")


def _is_unique(table: Table, identity: Identity) -> bool:
    """Where capitals or spellings make no difference, two values that differ by them alone are one."""
    column = table.columns.get(identity.column)
    if column is None:
        return False
    form = Form.of(identity)
    spellings = expression.of_place(Place((column.name,)), column, form if form.is_partial else FOLDED)
    alone = [each for each in table.indexes if each.unique and each.valid and not each.predicate]
    if any(expression.normalised(each.expressions[0]) in spellings for each in alone if len(each.expressions) == 1):
        return True
    is_as_it_is = form.is_exact or (form == FOLDED and column.base.endswith("citext"))
    return is_as_it_is and table.is_unique((column.name,))


def binds(names: Sequence[str], naming: Naming) -> bool:
    """Whether these placeholders together are one person."""
    return set(naming.columns) <= set(names) or any(name in naming.identities for name in names)
