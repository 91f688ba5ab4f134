"""What is wrong with a map that is good YAML: one plain sentence for each fault, and what to write instead.

The model finds the faults; the schema knows what is expected where, in the words of the map.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datamap import schema
from datamap.excerpt import excerpt
from datamap.fault import Fault, Where
from datamap.spelling import nearest

_MISSING, _UNKNOWN, _INVALID = "missing", "extra_forbidden", "value_error"


def faults(error: ValidationError, value: Any) -> list[Fault]:
    """What the model found, at the places of the YAML."""
    found = _found(error, value)
    mixed = _one_or_several(value)
    if mixed is None:
        return found
    return [*(fault for fault in found if fault.where[:1] != mixed.where and fault.where), mixed]


def _one_or_several(value: Any) -> Fault | None:
    """`subject:` is one kind of person, and `subjects:` has several of them, each under its name."""
    parts = dict(_below(value))
    if isinstance(subjects := parts.get("subjects"), Mapping) and {"table", "key"} & set(subjects):
        message = "subjects has each kind of person under a name, and this is one without"
        remedy = "write subject: in place of subjects:, or subjects: {customer: {table: …, key: …}}"
        return Fault(code="map.kind", where=("subjects",), message=message, remedy=remedy)
    subject = dict(_below(parts.get("subject")))
    if not {"table", "key"} & set(subject) and any("table" in dict(_below(each)) for each in subject.values()):
        message = "subject is one kind of person, and these are several"
        return Fault(code="map.kind", where=("subject",), message=message, remedy="write subjects:")
    return None


def _found(error: ValidationError, value: Any) -> list[Fault]:
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
    sentence, *advice = re.split(r": (?=(?:write|put|did you mean)\b)", said, maxsplit=1)
    message = sentence[:1].upper() + sentence[1:]
    return Fault(code="map.invalid", where=where, message=message, remedy=advice[0] if advice else None)


def _wrong_kind(where: Where, value: Any) -> Fault:
    nodes = [node for node in schema.at(where) if not node.get("deprecated")]
    known = [str(word) for word in schema.values(nodes) if isinstance(word, str)]
    message = f"{_name(where)} is {_shown(value)}, where {_expected(nodes)} is expected"
    code = "map.empty" if value is None else "map.kind"
    return Fault(code=code, where=where, message=message, remedy=_remedy(value, where, nodes, known))


def _remedy(value: Any, where: Where, nodes: list[schema.Node], known: list[str]) -> str | None:
    if value is None:
        return _instead_of_nothing(where)
    if isinstance(value, str):
        return _instead_of_a_text(value, where, nodes, known)
    if isinstance(value, list) and len(value) == 1 and value[0] in known:
        return f"write {value[0]}"
    if type(value) in (int, float) and _is_constant(nodes):
        return f"for a constant write {{value: {value}}}"
    if type(value) in (int, float) and _takes("string", nodes):
        return f'put quotes around it: "{value}"'
    return _as_mapping(value, where, nodes)


def _as_mapping(value: Any, where: Where, nodes: list[schema.Node]) -> str | None:
    """Where names with something behind them are expected, the same names; else what has to stand there."""
    if any(node.get("type") == "object" and "properties" not in node for node in nodes):
        listed = value if isinstance(value, list) else [value]
        names = [excerpt(each) for each in listed if isinstance(each, str) and each]
        return f"write {{{', '.join(f'{name}: …' for name in names)}}}" if names and len(names) == len(listed) else None
    required = next((node["required"] for node in nodes if "required" in node), ())
    if required:
        return f"write {{{', '.join(f'{name}: …' for name in required)}}}"
    form = _form_at(where)
    return f"write {form}" if form else None


def _instead_of_nothing(where: Where) -> str:
    return f"write {_form_at(where) or 'a value'}, or take the line out"


def _form_at(where: Where) -> str | None:
    """What something may look like that stands under a name: a table, a pattern, an activity, a column, a link."""
    area = where[0] if len(where) == 2 else where[2] if len(where) == 4 and where[0] == "tables" else None
    return _FORMS.get(str(area))


def _instead_of_a_text(value: str, where: Where, nodes: list[schema.Node], known: list[str]) -> str | None:
    if longer := _longhand(value, where, nodes):
        return longer
    if meant := nearest(value, known):
        return f"did you mean {meant}?"
    if value == "nobody" and where[-1] == "erase":
        return "write it at a link: links: {owner_id: {erase: nobody}}"
    return _truth(value, nodes) or _around(value, nodes) or _as_mapping(value, where, nodes)


def _truth(value: str, nodes: list[schema.Node]) -> str | None:
    if not _takes("boolean", nodes):
        return None
    if value in _SPOKEN:
        return f"write {_SPOKEN[value]}"
    return f"write {value}, without quotes" if value in _SPOKEN.values() else None


def _around(value: str, nodes: list[schema.Node]) -> str | None:
    """The same with what belongs around it."""
    if _is_constant(nodes):
        return f"for a constant write {{value: {excerpt(value)}}}"
    if not _takes("array", nodes):
        return None
    return "write [] for nobody" if value.casefold() in _NO_ONE else f"write [{excerpt(value)}]"


def _takes(kind: str, nodes: list[schema.Node]) -> bool:
    return any(node.get("type") == kind for node in nodes if "enum" not in node and "const" not in node)


def _is_constant(nodes: list[schema.Node]) -> bool:
    return any(list(node.get("properties", ())) == ["value"] for node in nodes)


def _longhand(value: str, where: Where, nodes: list[schema.Node]) -> str | None:
    """The mapping that was meant, if one of its keys takes just this value."""
    for name in schema.words(nodes):
        if any(_fits(value, node) for node in schema.at((*where, name))):
            activity = "activity: …, " if name == "erase" and len(where) == 2 else ""
            return f"write {{{activity}{name}: {value}}}"
    return None


def _fits(value: str, node: schema.Node) -> bool:
    is_pattern = "pattern" in node and re.search(node["pattern"], value)
    return value in node.get("enum", ()) or value == node.get("const") or bool(is_pattern)


_FORMS = {
    "links": "{} if it is the key of a person, or actor",
    "columns": "a category such as user.contact.email",
    "tables": "{activity: …, erase: delete} or {personal: false, reason: …}",
    "cache": "{activity: …}",
    "activities": "{purpose: …, legal_basis: …, recipients: […], retention: …, origin: …}",
}
_NO_ONE = ("nobody", "none", "no one", "no", "-", "")
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
