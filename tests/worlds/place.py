"""What stands at a place in a row, and the row without it: in a column, in several, in an array, in JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from datamap.condition import Comparison, Condition
from datamap.names import EACH, Place, Step
from tests.worlds.world import Value

Texts = tuple[str | None, ...]

NOTHING: Any = object()  # JSON that is not there, unlike null


def text(value: Value) -> str | None:
    """A value as Postgres writes it; keys of different types are compared so."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        return json.dumps(value)
    return str(value)


def texts(place: Place, values: Mapping[str, Value]) -> list[Texts]:
    """What stands there: one for a column or several, one for each element of an array."""
    if place.is_plain:
        return [tuple(text(values[column]) for column in place.columns)]
    value = values[place.column]
    if place.is_array and isinstance(value, list | None):
        return [(text(each),) for each in value or ()]
    return [(text(each),) for each in _walk(document(value) if place.is_cast else value, place.steps)]


def document(value: Value) -> Value:
    """JSON that is kept as text; a text that is none holds nothing."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return None


def _walk(value: Value, steps: tuple[Step, ...]) -> Iterator[Value]:
    if not steps:
        yield value
    elif steps[0] is EACH:
        for each in value if isinstance(value, list) else ():
            yield from _walk(each, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _walk(value[steps[0]], steps[1:])


def without(place: Place, values: Mapping[str, Value], named: Collection[str]) -> Value:
    """The array or JSON in this row without what is named: arrays lose elements, objects lose keys."""
    value = values[place.column]
    if place.is_array and isinstance(value, list):
        return [each for each in value if text(each) not in named]
    if not place.is_cast:
        return _cut(value, place.steps, named)
    cut = _cut(document(value), place.steps, named)
    return value if cut is None else json.dumps(cut)


def _cut(value: Value, steps: tuple[Step, ...], named: Collection[str]) -> Value:
    """NOTHING where the value itself is what has to go."""
    if not steps:
        return NOTHING if text(value) in named else value
    if steps[0] is EACH:
        if not isinstance(value, list):
            return value
        return [cut for each in value if (cut := _cut(each, steps[1:], named)) is not NOTHING]
    if not isinstance(value, dict) or steps[0] not in value:
        return value
    cut = _cut(value[steps[0]], steps[1:], named)
    rest = {key: each for key, each in value.items() if key != steps[0]}
    return rest if cut is NOTHING else {**rest, steps[0]: cut}


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether the condition is true of the row; what is compared with null is not."""
    return all(_compares(each, values) for each in condition.comparisons)


def _compares(comparison: Comparison, values: Mapping[str, Value]) -> bool:
    found = next((each[0] for each in texts(comparison.place, values)), None)
    if comparison.operator == "is null":
        return found is None
    if comparison.operator == "is not null":
        return found is not None
    is_among = found in [text(value) for value in comparison.values]
    return found is not None and is_among == (comparison.operator in ("=", "in"))
