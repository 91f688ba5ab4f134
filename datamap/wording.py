"""What is wrong with a map that is good YAML: one plain sentence for each fault, and what to write instead.

The model finds the faults; the schema knows what is expected where, in the words of the map.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datamap import schema
from datamap.excerpt import excerpt
from datamap.fault import Fault, Where

_MISSING, _UNKNOWN, _INVALID = "missing", "extra_forbidden", "value_error"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is meant, if one is near enough."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def faults(error: ValidationError, value: Any) -> list[Fault]:
    """What the model found, at the places of the YAML."""
    by_place: dict[Where, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        by_place.setdefault(_where(detail, value), detail)
    return [_fault(where, detail) for where, detail in by_place.items()]


def gaps(value: Any, where: Where = ()) -> Iterator[Fault]:
    """Keys without a value, where nothing is no answer. `reason:` alone is a line that somebody meant to finish."""
    nodes = schema.at(where) if value is None else []
    if nodes and not any(node.get("type") == "null" for node in nodes):
        yield _wrong_kind(where, None)
    for step, below in _below(value):
        yield from gaps(below, (*where, step))


def _below(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What stands in a mapping or a list, by key or number."""
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _where(detail: ErrorDetails, value: Any) -> Where:
    """The place in the YAML: without the forms and parts that the model puts in between."""
    location = detail["loc"]
    if location[:2] == ("cache", "patterns"):
        location = location[:1] + location[2:]
    where: list[str | int] = []
    for step in location:
        if step in dict(_below(value)):
            where.append(step)
            value = value[step]
    return (*where, location[-1]) if detail["type"] == _MISSING else tuple(where)


def _fault(where: Where, detail: ErrorDetails) -> Fault:
    kind = detail["type"]
    if kind == _MISSING:
        return _missing(where)
    if kind == _UNKNOWN:
        return _unknown(where)
    if kind == _INVALID:
        return _invalid(where, str(detail["ctx"]["error"]))
    if detail["loc"][-1:] == ("[key]",):
        return Fault(code="map.empty", where=where, message="A key is empty")
    return _wrong_kind(where, detail["input"])


def _missing(where: Where) -> Fault:
    message = f"{_name(where[:-1])} has no {where[-1]}"
    nodes = schema.at(where)
    example = next(iter(schema.values(nodes)), "…")
    about = next((node["description"].rstrip(".") for node in nodes if "description" in node), None)
    remedy = f"write {where[-1]}: {_plain(example)}" + (f" ({about[:1].lower()}{about[1:]})" if about else "")
    return Fault(code="map.missing", where=where, message=message, remedy=remedy)


def _unknown(where: Where) -> Fault:
    known = schema.words(schema.at(where[:-1]))
    meant = nearest(str(where[-1]), known)
    remedy = f"did you mean {meant}?" if meant else f"one of: {', '.join(known)}"
    return Fault(
        code="map.unknown", where=where, message=f"{_name(where)} is no word that can stand here", remedy=remedy
    )


def _invalid(where: Where, said: str) -> Fault:
    """A sentence of our own, which may hold what to write."""
    sentence, separator, advice = said.partition(": write")
    message = sentence[:1].upper() + sentence[1:]
    return Fault(code="map.invalid", where=where, message=message, remedy=f"write{advice}" if separator else None)


def _wrong_kind(where: Where, value: Any) -> Fault:
    nodes = [node for node in schema.at(where) if not node.get("deprecated")]
    known = [str(word) for word in schema.values(nodes) if isinstance(word, str)]
    message = f"{_name(where)} is {_shown(value)}, where {_expected(nodes)} is expected"
    code = "map.empty" if value is None else "map.kind"
    return Fault(code=code, where=where, message=message, remedy=_remedy(value, nodes, known))


def _remedy(value: Any, nodes: list[schema.Node], known: list[str]) -> str | None:
    if value is None:
        return "write a value, or take the line out"
    if isinstance(value, str):
        return _instead_of_a_text(value, nodes, known)
    if type(value) not in (int, float):
        return None
    if _is_constant(nodes):
        return f"for a constant write {{value: {value}}}"
    return f'put quotes around it: "{value}"' if _takes("string", nodes) else None


def _instead_of_a_text(value: str, nodes: list[schema.Node], known: list[str]) -> str | None:
    if meant := nearest(value, known):
        return f"did you mean {meant}?"
    if value in _SPOKEN and _takes("boolean", nodes):
        return f"write {_SPOKEN[value]}"
    if _is_constant(nodes):
        return f"for a constant write {{value: {excerpt(value)}}}"
    if _takes("array", nodes):
        return f"write [{excerpt(value)}]"
    return _longhand(value, nodes)


def _takes(kind: str, nodes: list[schema.Node]) -> bool:
    return any(node.get("type") == kind for node in nodes if "enum" not in node and "const" not in node)


def _is_constant(nodes: list[schema.Node]) -> bool:
    return any(list(node.get("properties", ())) == ["value"] for node in nodes)


def _longhand(value: str, nodes: list[schema.Node]) -> str | None:
    """The mapping that was meant, if one of its keys takes just this value."""
    for name, node in ((name, node) for part in nodes for name, node in part.get("properties", {}).items()):
        if value in node.get("enum", ()) or ("pattern" in node and re.search(node["pattern"], value)):
            return f"write {{{name}: {value}}}"
    return None


_SPOKEN = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _expected(nodes: list[schema.Node]) -> str:
    """`delete, keep or a mapping`"""
    forms: dict[str, None] = {}
    for node in nodes:
        forms.update(dict.fromkeys(_kinds(node)))
    if "a number" in forms:
        forms.pop("a whole number", None)
    first, last = list(forms)[:-1], list(forms)[-1:]
    return " or ".join([*([", ".join(first)] if first else []), *last]) or "something else"


def _kinds(node: schema.Node) -> list[str]:
    if "enum" in node or "const" in node:
        return [_plain(word) for word in schema.values([node])]
    if _is_constant([node]):
        return ["{value: …}"]
    if node.get("type") == "array":
        return ["a list with at least one item" if node.get("minItems") else "a list"]
    if node.get("type") == "string":
        return ["a text"]
    return _KINDS.get(str(node.get("type")), ["something else"])


_KINDS = {
    "object": ["a mapping"],
    "boolean": ["true", "false"],
    "integer": ["a whole number"],
    "number": ["a number"],
    "null": ["null"],
}


def _name(where: Where) -> str:
    """What a sentence calls a place: its last word, or the number of an item."""
    if not where:
        return "The map"
    step = where[-1]
    return f"Item {step + 1} of {_name(where[:-1])}" if isinstance(step, int) else excerpt(str(step))


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return (f"'{excerpt(value)}'" if value else "an empty text") if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
