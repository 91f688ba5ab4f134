"""Links that a team's SQLAlchemy models declare: foreign keys and relationships that the database knows nothing of.

The only module here that imports SQLAlchemy, and the only one that runs code of somebody else: when it is asked to.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, MetaData, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, RelationshipProperty, registry
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping, Null

from datamap.condition import Comparison, Condition
from datamap.discover.claims import Claim
from datamap.names import NotAName, Place
from datamap.names import Table as Name
from shared.errors import Misuse

_HOW = "write --models PACKAGE.MODULE:NAME, where NAME is your DeclarativeBase, a registry or a MetaData"


def claimed(where: str) -> list[Claim]:
    """What the models at `package.module` or `package.module:Base` declare."""
    module, _, attribute = where.partition(":")
    metadata, registries = _declarations(_imported(module), module, attribute)
    mappers = [mapper for each in registries for mapper in _mappers(each, where)]
    names = {table: mapper.class_.__name__ for mapper in mappers for table in mapper.tables}
    return [*_of_tables(metadata, names), *(claim for mapper in mappers for claim in _of_mapper(mapper))]


def _imported(name: str) -> ModuleType:
    """From the folder that one stands in, as from everywhere else."""
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            remedy = f"install {error.name} beside gdpr, or run gdpr with the application's own Python"
            raise Misuse(f"{name} needs the module {error.name}, which is not there", remedy=remedy) from None
        remedy = f"run it in the folder that holds {name.split('.', maxsplit=1)[0]}, or add that folder to PYTHONPATH"
        raise Misuse(f"There is no module {name}", where="--models", remedy=remedy) from None
    except Exception as error:
        remedy = "import it in a Python shell to see why; what it needs from the environment has to be set"
        raise Misuse(f"{name} cannot be imported ({type(error).__name__})", where="--models", remedy=remedy) from error
    finally:
        if added:
            sys.path.remove(here)


def _declarations(module: ModuleType, name: str, attribute: str) -> tuple[MetaData, list[registry]]:
    """The one MetaData, and the registries whose models are in it."""
    if attribute and not hasattr(module, attribute):
        raise Misuse(f"{name} has no {attribute}", where="--models", remedy=_HOW)
    named = {attribute: getattr(module, attribute)} if attribute else vars(module)
    found = {key: metadata for key, value in named.items() if (metadata := _metadata(value)) is not None}
    different = list({id(each): each for each in found.values() if each.tables}.values())
    if len(different) > 1:
        names = ", ".join(sorted(key for key, each in found.items() if each.tables))
        raise Misuse(f"{name} has several MetaData ({names})", where="--models", remedy=_HOW)
    if not different:
        empty = " with a table in it: import the modules of the models there" if found else ""
        raise Misuse(f"{name} has no MetaData{empty}", where="--models", remedy=_HOW)
    registries = [each for value in (*vars(module).values(), *named.values()) if (each := _registry(value)) is not None]
    unique = {id(each): each for each in registries if each.metadata is different[0]}
    return different[0], list(unique.values())


def _metadata(value: object) -> MetaData | None:
    found = value if isinstance(value, MetaData) else getattr(_registry(value), "metadata", None)
    return found if isinstance(found, MetaData) else None


def _registry(value: object) -> registry | None:
    found = value if isinstance(value, registry) else vars(value).get("registry") if isinstance(value, type) else None
    if found is None and isinstance(value, type):
        found = getattr(value, "registry", None)
    return found if isinstance(found, registry) else None


def _mappers(found: registry, where: str) -> list[Mapper[Any]]:
    try:
        found.configure()
    except SQLAlchemyError as error:
        remedy = "run sqlalchemy.orm.configure_mappers() in a Python shell to see why"
        raise Misuse(f"The models of {where} do not fit together ({type(error).__name__})", remedy=remedy) from error
    return sorted(found.mappers, key=lambda mapper: mapper.class_.__qualname__)


# Foreign keys -------------------------------------------------------------------------------------------------------


def _of_tables(metadata: MetaData, names: Mapping[Any, str]) -> Iterator[Claim]:
    for table in metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            try:
                pairs = [(element.parent, element.column) for element in constraint.elements]
            except SQLAlchemyError:
                continue  # it points at a table that no model declares
            said = f"{names.get(table, table.name)}.{', '.join(str(one.key) for one, _ in pairs)}"
            yield _claim(said, pairs)


def _claim(said: str, pairs: list[tuple[Any, Any]], when: str | None = None, *, is_partial: bool = False) -> Claim:
    """`pairs`: the column that points, and the column that it points at."""
    return Claim(
        table=_name(pairs[0][0].table),
        columns=tuple(one.name for one, _ in pairs),
        target=_name(pairs[0][1].table),
        target_columns=tuple(other.name for _, other in pairs),
        when=when,
        is_partial=is_partial,
        said=f"the model's {said}",
    )


def _name(table: Table) -> Name:
    return Name(table.schema or "public", table.name)


# Relationships ------------------------------------------------------------------------------------------------------


def _of_mapper(mapper: Mapper[Any]) -> Iterator[Claim]:
    for relationship in sorted(mapper.relationships, key=lambda each: each.key):
        if relationship.parent is mapper:  # and none that it inherits
            yield from _of_relationship(relationship, f"{mapper.class_.__name__}.{relationship.key}")


def _of_relationship(relationship: RelationshipProperty[Any], said: str) -> Iterator[Claim]:
    """A relationship over a table between two holds a link to each of them."""
    sides = (
        (relationship.synchronize_pairs, relationship.primaryjoin),
        (relationship.secondary_synchronize_pairs, relationship.secondaryjoin),
    )
    for synchronized, join in sides:
        pairs = [(pointing, target) for target, pointing in synchronized or ()]
        if not pairs or not all(isinstance(column.table, Table) for pair in pairs for column in pair):
            continue
        when, is_partial = _condition(join, pairs)
        yield _claim(said, pairs, when, is_partial=is_partial)


def _condition(join: ColumnElement[Any] | None, pairs: list[tuple[Any, Any]]) -> tuple[str | None, bool]:
    """The discriminator, as the map writes it; and whether something is left that the map has no words for."""
    comparisons, is_partial = [], False
    for part in _conjuncts(join):
        if _is_the_link(part, pairs):
            continue
        told = _comparison(part, pairs[0][0].table)
        if told is None:
            is_partial = True
        else:
            comparisons.append(told)
    return (str(Condition(tuple(comparisons))) if comparisons else None), is_partial


def _conjuncts(join: Any) -> Iterator[Any]:
    part = join.element if isinstance(join, Grouping) else join
    if isinstance(part, BooleanClauseList) and part.operator is operators.and_:
        for each in part.clauses:
            yield from _conjuncts(each)
    elif part is not None:
        yield part


def _is_the_link(part: Any, pairs: list[tuple[Any, Any]]) -> bool:
    if not isinstance(part, BinaryExpression) or part.operator is not operators.eq:
        return False
    sides = {_column(part.left), _column(part.right)}
    return any({_column(one), _column(other)} == sides for one, other in pairs)


def _column(side: Any) -> tuple[str, str] | None:
    if isinstance(side, Column) and side.table is not None:
        return str(_name(side.table)), side.name
    return None


def _comparison(part: Any, table: Table) -> Comparison | None:
    """`subject_type = 'user'`, `deleted_at is null`: of the table that points, with a constant."""
    if not isinstance(part, BinaryExpression):
        return None
    column, value = part.left, part.right
    if isinstance(column, BindParameter):
        column, value = value, column
    if not isinstance(column, Column) or _column(column) != (str(_name(table)), column.name):
        return None
    place = Place((column.name,))
    if isinstance(value, Null):
        return Comparison(place, "is null") if part.operator is operators.is_ else None
    return _with_constant(place, part.operator, getattr(value, "value", None))


def _with_constant(place: Place, operator: Any, value: object) -> Comparison | None:
    """An Enum of Python's is none of them: only its column knows what is stored of it."""
    values = tuple(value) if operator is operators.in_op and isinstance(value, list | tuple) else (value,)
    is_plain = all(isinstance(each, str | int) and not isinstance(each, Enum) for each in values)
    if operator not in (operators.eq, operators.in_op) or not values or not is_plain:
        return None
    found = Comparison(place, "=" if operator is operators.eq else "in", values)
    try:
        return found if Condition.parse(str(found)).comparisons == (found,) else None
    except NotAName:
        return None
