"""A Fides dataset file as it is written: collections, fields, what is nested in them, and what refers to what.

Both spellings of the metadata are read, `fides_meta` and the older `fidesops_meta`. A fault is told with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datamap import source
from datamap.document import Unreadable, placed, sorted_faults
from datamap.excerpt import excerpt
from datamap.fault import Fault, Where
from datamap.names import EACH, Place, Step, Table

Direction = Literal["from", "to"]
_USES = ("description", "data_uses", "data_purposes", "data_subjects")
TYPES = ("string", "integer", "float", "boolean", "object_id", "object")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Another field that has the same values. `to`: the search goes from here to there. `from`: it comes from there."""

    dataset: str
    collection: str
    path: tuple[str, ...]
    direction: Direction | None


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field, or one nested in it: `place` says where in the column."""

    place: Place
    categories: tuple[str, ...]
    identity: str | None
    is_primary_key: bool
    references: tuple[Reference, ...]
    mask: str | None
    notes: tuple[str, ...]

    @property
    def is_column(self) -> bool:
        return self.place.is_plain


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A table. `fields` are all of them, the nested ones after what they are nested in."""

    dataset: str
    name: str
    table: Table
    categories: tuple[str, ...]
    fields: tuple[Field, ...]
    is_deleted: bool
    is_skipped: bool
    notes: tuple[str, ...]

    @property
    def columns(self) -> Mapping[str, list[Field]]:
        """The fields by the column that they lie in."""
        found: dict[str, list[Field]] = {}
        for each in self.fields:
            found.setdefault(each.place.column, []).append(each)
        return found

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(each.place.column for each in self.fields if each.is_primary_key and each.is_column)

    def field(self, path: tuple[str, ...]) -> Field | None:
        """The field that a reference names."""
        return next((each for each in self.fields if _path(each.place) == path), None)


def _path(place: Place) -> tuple[str, ...]:
    return (place.column, *(step for step in place.steps if step is not EACH))


def collections(text: str, *, name: str, schema: str) -> list[Collection]:
    """All collections of all datasets in a file, or Unreadable with every fault."""
    read = source.read(text, noun="dataset")
    reading = _Reading(read.faults)
    found = [] if read.faults else list(reading.datasets(read.value, schema))
    if not reading.faults and not found:
        reading.fault((), "There is no collection in this file", "a Fides dataset has collections with fields")
    if reading.faults:
        marked = [f if f.line else placed([f], read.marks)[0] for f in reading.faults]
        raise Unreadable(
            sorted_faults(f if f.line else _at_the_top(f) for f in marked), where=name, advice="correct the file"
        )
    return found


def _at_the_top(fault: Fault) -> Fault:
    return Fault(code=fault.code, message=fault.message, where=fault.where, remedy=fault.remedy, line=1, column=1)


@dataclass(frozen=True, kw_only=True)
class _Outer:
    """What a dataset says of all its collections."""

    dataset: str
    schema: str
    categories: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass
class _Reading:
    """One pass over the file, which goes on after a fault."""

    faults: list[Fault]
    tables: set[Table] = field(default_factory=set)

    def fault(self, where: Where, message: str, remedy: str | None = None) -> None:
        self.faults.append(Fault(code="fides.invalid", message=message, where=where, remedy=remedy))

    def datasets(self, value: Any, schema: str) -> Iterator[Collection]:
        """`dataset:` with a list or with one, a bare list, or one dataset by itself."""
        where: Where = ()
        if isinstance(value, Mapping) and "dataset" in value:
            value, where = value["dataset"], ("dataset",)
        each = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for number, dataset in each:
            yield from self._dataset(dataset, where if number is None else (*where, number), schema)

    def _dataset(self, value: Any, where: Where, schema: str) -> Iterator[Collection]:
        if not isinstance(value, Mapping) or not {"fides_key", "collections"} & set(value):
            self.fault(where, "This is no Fides dataset", "write dataset: with fides_key and collections in it")
            return
        key = self._text(value, "fides_key", where, is_needed=True) or ""
        meta, below = self._meta(value, where)
        namespace = self._mapping(meta, "namespace", below)
        outer = _Outer(
            dataset=key,
            schema=str(namespace.get("schema") or namespace.get("schema_name") or schema),
            categories=self._texts(value, "data_categories", where),
            notes=_said(value, _USES[1:]),
        )
        for number, each in enumerate(self._list(value, "collections", where, is_needed=True)):
            place = (*where, "collections", number)
            if collection := self._collection(each, place, outer):
                yield collection

    def _collection(self, value: Any, where: Where, outer: _Outer) -> Collection | None:
        if not isinstance(value, Mapping):
            self.fault(where, "A collection is a mapping with a name and fields")
            return None
        name = self._text(value, "name", where, is_needed=True)
        meta, below = self._meta(value, where)
        fields = tuple(self._fields(value, where, (), (), is_needed=True))
        if name is None:
            return None
        table = Table(outer.schema, name)
        if table in self.tables:
            remedy = "give the datasets a schema of their own in fides_meta.namespace, or import them apart"
            self.fault(
                (*where, "name"), f"{excerpt(name)} stands here a second time, and both would be {table}", remedy
            )
        self.tables.add(table)
        return Collection(
            dataset=outer.dataset,
            name=name,
            table=table,
            categories=self._texts(value, "data_categories", where) or outer.categories,
            fields=fields,
            is_deleted=self._strategy(value, where, meta, below) == "delete",
            is_skipped=self._flag(meta, "skip_processing", below),
            notes=(
                *outer.notes,
                *_said(value, _USES),
                *_said(meta, ("after", "erase_after", "partitioning", "redact")),
            ),
        )

    def _fields(
        self,
        value: Mapping[str, Any],
        where: Where,
        above: tuple[str, ...],
        steps: tuple[Step, ...],
        *,
        is_needed: bool,
    ) -> Iterator[Field]:
        seen: set[str] = set()
        for number, each in enumerate(self._list(value, "fields", where, is_needed=is_needed)):
            place = (*where, "fields", number)
            if not isinstance(each, Mapping):
                self.fault(place, "A field is a mapping with a name")
                continue
            name = self._text(each, "name", place, is_needed=True)
            if name is None:
                continue
            if name in seen:
                self.fault((*place, "name"), f"{excerpt(name)} stands here a second time")
            seen.add(name)
            yield from self._field(each, place, (*above, name), (*steps, name) if above else ())

    def _field(
        self, value: Mapping[str, Any], where: Where, path: tuple[str, ...], steps: tuple[Step, ...]
    ) -> Iterator[Field]:
        meta, below = self._meta(value, where)
        kind = self._text(meta, "data_type", below)
        base, _, array = (kind or "").partition("[")
        if kind is not None and (base not in TYPES or array not in ("", "]")):
            self.fault((*below, "data_type"), f"{excerpt(kind)} is no type", f"one of: {', '.join(TYPES)}")
        if value.get("fields") and kind and base != "object":
            self.fault((*below, "data_type"), f"A field with fields in it is no {base}", "write object")
        here = (*steps, EACH) if array else steps
        yield Field(
            place=Place((path[0],), here),
            categories=self._texts(value, "data_categories", where),
            identity=self._text(meta, "identity", below),
            is_primary_key=self._flag(meta, "primary_key", below),
            references=tuple(self._references(meta, below)),
            mask=self._strategy(value, where, meta, below),
            notes=(*_said(value, _USES), *_said(meta, ("read_only", "custom_request_field", "redact"))),
        )
        yield from self._fields(value, where, path, here, is_needed=False)

    def _references(self, meta: Mapping[str, Any], where: Where) -> Iterator[Reference]:
        for number, each in enumerate(self._list(meta, "references", where)):
            place = (*where, "references", number)
            if not isinstance(each, Mapping):
                self.fault(place, "A reference is a mapping with a dataset and a field")
                continue
            dataset = self._text(each, "dataset", place, is_needed=True)
            target = self._text(each, "field", place, is_needed=True)
            direction = self._text(each, "direction", place)
            if direction not in (None, "from", "to"):
                self.fault((*place, "direction"), f"{excerpt(direction)} is no direction", "write from or to")
            elif dataset and target:
                collection, *path = target.split(".")
                if path and all((collection, *path)):
                    yield Reference(
                        dataset=dataset, collection=collection, path=tuple(path), direction=_direction(direction)
                    )
                else:
                    self.fault((*place, "field"), f"{excerpt(target)} names no field", "write collection.field")

    def _meta(self, value: Mapping[str, Any], where: Where) -> tuple[Mapping[str, Any], Where]:
        """The metadata and where they stand."""
        key = "fides_meta" if value.get("fides_meta") else "fidesops_meta"
        return self._mapping(value, key, where), (*where, key)

    def _strategy(self, value: Mapping[str, Any], where: Where, meta: Mapping[str, Any], below: Where) -> str | None:
        """How Fides masks it, whether that stands in the metadata or beside them."""
        key = "masking_strategy_override"
        place = (*below, key) if meta.get(key) else (*where, key)
        override = self._mapping(meta, key, below) or self._mapping(value, key, where)
        return self._text(override, "strategy", place, is_needed=True) if override else None

    def _mapping(self, value: Mapping[str, Any], key: str, where: Where) -> Mapping[str, Any]:
        found = value.get(key)
        if found is not None and not isinstance(found, Mapping):
            self.fault((*where, key), f"{key} is no mapping")
        return found if isinstance(found, Mapping) else {}

    def _list(self, value: Mapping[str, Any], key: str, where: Where, *, is_needed: bool = False) -> list[Any]:
        found = value.get(key)
        if found is None and is_needed:
            self.fault((*where, key), f"{key} is missing here", f"write {key}: with a list under it")
        if found is not None and not isinstance(found, list):
            self.fault((*where, key), f"{key} is no list")
        return found if isinstance(found, list) else []

    def _texts(self, value: Mapping[str, Any], key: str, where: Where) -> tuple[str, ...]:
        found = self._list(value, key, where)
        for number, each in enumerate(found):
            if not isinstance(each, str):
                self.fault((*where, key, number), f"{key} is a list of texts, and this is none")
        return tuple(each for each in found if isinstance(each, str))

    def _text(self, value: Mapping[str, Any], key: str, where: Where, *, is_needed: bool = False) -> str | None:
        found = value.get(key)
        if isinstance(found, int | float) and not isinstance(found, bool):
            found = str(found)
        if isinstance(found, str) and found.strip():
            return found
        if found is not None:
            self.fault((*where, key), f"{key} is no text")
        elif is_needed:
            self.fault((*where, key), f"{key} is missing here", f"write {key}: …")
        return None

    def _flag(self, meta: Mapping[str, Any], key: str, where: Where) -> bool:
        found = meta.get(key)
        if isinstance(found, str) and found.lower() in _SPOKEN:
            return _SPOKEN[found.lower()]
        if found is not None and not isinstance(found, bool):
            self.fault((*where, key), f"{key} is neither true nor false")
        return found is True


_SPOKEN = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}  # words of YAML 1.1


def _direction(text: str | None) -> Direction | None:
    return "from" if text == "from" else "to" if text == "to" else None


def _said(value: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    """What has no place in the map, for a comment."""
    return tuple(f"{key}: {_written(value[key])}" for key in keys if value.get(key))


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
