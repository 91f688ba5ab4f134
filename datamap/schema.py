"""The JSON Schema of datamap.yaml, made from the model: editors complete from it, and our faults say what it expects.

`python -m datamap.schema` writes it anew.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from datamap.fault import Where
from datamap.model import Map

Node = Mapping[str, Any]

FILE = Path(__file__).with_name("datamap.schema.json")
_NAMED_BELOW = ("properties", "$defs", "patternProperties")  # below these stand names, and not words of JSON Schema


@functools.cache
def schema() -> Node:
    """The schema as it is shipped."""
    made: dict[str, Any] = _tidied(Map.model_json_schema(by_alias=True))
    about = {"description": f"{made.pop('description')} docs/data-map.md says what the words mean."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "datamap.schema.json",
        "title": "Data map",
        **about,
        **made,
    }


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _tidied(node: Any) -> Any:
    """Without pydantic's titles and empty defaults; null is no way to leave something out."""
    if isinstance(node, list):
        return [_tidied(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    kept = {key: value for key, value in node.items() if key != "title" and not _is_empty_default(key, value)}
    return {
        key: {name: _without_null(_tidied(below)) for name, below in value.items()}
        if key in _NAMED_BELOW
        else _tidied(value)
        for key, value in kept.items()
    }


def _is_empty_default(key: str, value: Any) -> bool:
    return key == "default" and (value is None or value in ({}, [], ""))


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    forms = [form for form in node.get("anyOf", ()) if form != {"type": "null"}]
    if not forms or len(forms) == len(node["anyOf"]):
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**forms[0], **rest} if len(forms) == 1 else {"anyOf": forms, **rest}


def at(where: Where) -> list[Node]:
    """What may stand at a place of the map: one node for each form. Nothing, where no such place can be."""
    nodes = list(_forms(schema()))
    for step in where:
        nodes = [form for node in nodes for below in _below(node, step) for form in _forms(below)]
    return nodes


def _below(node: Node, step: str | int) -> Iterator[Node]:
    if isinstance(step, int):
        yield from [node["items"]] if "items" in node else []
    elif step in node.get("properties", {}):
        yield node["properties"][step]
    elif isinstance(node.get("additionalProperties"), Mapping):
        yield node["additionalProperties"]


def _forms(node: Node) -> Iterator[Node]:
    if "$ref" in node:
        yield from _forms(schema()["$defs"][node["$ref"].rpartition("/")[2]])
    elif "type" in node:
        yield node
    elif forms := node.get("anyOf", node.get("oneOf")):
        for form in forms:
            yield from _forms(form)
    else:
        yield node


def words(nodes: Iterable[Node]) -> list[str]:
    """The keys that may stand in what these nodes describe."""
    return [name for node in nodes for name in node.get("properties", {})]


def values(nodes: Iterable[Node]) -> list[Any]:
    """The values that they name."""
    return [value for node in nodes for value in (node.get("enum") or ([node["const"]] if "const" in node else []))]


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
