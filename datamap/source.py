"""A YAML text as plain values, with the line and column of everything in it: how every file that people write is read.

YAML 1.2: `no`, `on` and `yes` are words (Norway's holidays are NO), dates stay text, and a key that stands twice is a
fault. Anchors, aliases and merge keys work, within limits that a hostile file meets soon.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from datamap import not_yaml
from datamap.excerpt import excerpt
from datamap.fault import Fault, Where
from shared.errors import Misuse

Mark = tuple[int, int]  # line and column, from 1: of the key of an entry, and of an item of a list

LARGEST = 4_000_000  # characters
DEEPEST = 50  # levels
MOST = 500_000  # values, with what aliases repeat


@dataclass(frozen=True)
class Source:
    """What a text says; with faults, only as much of it as could be read."""

    value: Any
    marks: dict[Where, Mark]
    faults: list[Fault]


def content(path: Path) -> str:
    """A file's text. What is wrong with the file itself is told without its content."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Misuse("There is no such file", where=str(path), remedy="name one that exists") from None
    except OSError as error:
        raise Misuse(
            "The file cannot be read", where=str(path), remedy=(error.strerror or "look at it").lower()
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Misuse("The file is not UTF-8", where=f"{path}:{line}", remedy="save it as UTF-8") from None


def read(text: str, *, noun: str = "map") -> Source:
    """Read one document. `noun` is what it should be."""
    if len(text) > LARGEST:
        return Source(None, {}, [_fault(f"The {noun} is larger than {LARGEST:,} characters", (1, 1))])
    try:
        node = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        return Source(None, {}, [not_yaml.fault(error, text, noun=noun, deepest=DEEPEST)])
    reading = _Reading()
    value = reading.value(node, ()) if node is not None else {}
    reading.marks.setdefault((), (1, 1))
    return Source(value, reading.marks, reading.faults)


class _Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2, and a limit to how deep things nest."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise yaml.composer.ComposerError(None, None, "nested too deep", parent.start_mark if parent else None)
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    ("int", r"^[-+]?[0-9]+\Z", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))

_KNOWN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
_UNKEPT = re.compile("[\0\ud800-\udfff]")


@dataclass
class _Reading:
    """One pass over the nodes; an alias is read again wherever it stands."""

    marks: dict[Where, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    count: int = 0

    def value(self, node: yaml.Node, where: Where, depth: int = 0) -> Any:
        self.count += 1
        self.marks.setdefault(where, _mark(node))
        if self._is_endless(node, depth):
            return None
        if node.tag not in _KNOWN:
            self.faults.append(_fault(f"The tag {excerpt(node.tag)} means nothing here", _mark(node), where))
            return None
        if isinstance(node, yaml.MappingNode):
            return {
                key: self.value(below, (*where, key), depth + 1) for key, below in self._entries(node, where, depth)
            }
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*where, number), depth + 1) for number, each in enumerate(node.value)]
        return self._scalar(node, where)

    def _is_endless(self, node: yaml.Node, depth: int) -> bool:
        """Whether aliases have gone too far; it is said once."""
        if depth <= DEEPEST and self.count <= MOST:
            return False
        if not any(fault.code == "map.endless" for fault in self.faults):
            message = "An alias here repeats itself without end" if depth > DEEPEST else "Aliases here repeat too much"
            self.faults.append(_fault(message, _mark(node), code="map.endless"))
        return True

    def _entries(self, node: yaml.MappingNode, where: Where, depth: int) -> Iterator[tuple[str, yaml.Node]]:
        """Key and value of each entry, those that `<<` brings in last: a key of one's own wins."""
        seen: set[str] = set()
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for key_node, below in node.value:
            if _is_merge(key_node):
                merged += self._merged(below, where, depth)
            elif (key := self._key(key_node, where)) is not None:
                if key in seen:
                    message = f"{excerpt(key)} stands here a second time, and one of the two would be lost"
                    self.faults.append(_fault(message, _mark(key_node), (*where, key), code="map.twice"))
                    continue
                seen.add(key)
                self.marks[*where, key] = _mark(key_node)
                yield key, below
        for key_node, below in merged:
            if (key := self._key(key_node, where)) is not None and key not in seen:
                seen.add(key)
                self.marks[*where, key] = _mark(key_node)
                yield key, below

    def _merged(self, node: yaml.Node, where: Where, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        self.count += 1
        if self._is_endless(node, depth):
            return
        if isinstance(node, yaml.SequenceNode):
            for each in node.value:
                yield from self._merged(each, where, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            yield from ((key, below) for key, below in node.value if not _is_merge(key))
            for key, below in node.value:
                if _is_merge(key):
                    yield from self._merged(below, where, depth + 1)
        else:
            self.faults.append(_fault("After << the alias of a mapping is expected", _mark(node), where))

    def _key(self, node: yaml.Node, where: Where) -> str | None:
        """A key is a word, whatever it looks like: 1 is "1"."""
        if isinstance(node, yaml.ScalarNode) and node.value and not _UNKEPT.search(key := _joined(node.value)):
            return key
        said = "empty" if isinstance(node, yaml.ScalarNode) and not node.value else "no word"
        self.faults.append(_fault(f"A key is {said}", _mark(node), where))
        return None

    def _scalar(self, node: yaml.Node, where: Where) -> Any:
        kind, text = node.tag.rpartition(":")[2], _joined(node.value)
        if _UNKEPT.search(text):
            self.faults.append(_fault("This text holds a character that no database keeps", _mark(node), where))
            return None
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind in ("int", "float"):
            return self._number(node, where, kind)
        return text

    def _number(self, node: yaml.Node, where: Where, kind: str) -> int | float | None:
        try:
            number = int(node.value) if kind == "int" else float(node.value)
        except ValueError:  # also of a number with more than some thousand digits
            number = math.inf
        if math.isfinite(number):
            return number
        message = f"{excerpt(node.value)} is no number that can be kept"
        self.faults.append(_fault(message, _mark(node), where, remedy="put quotes around it"))
        return None


def _joined(text: str) -> str:
    """With both halves of a character in one, as JSON writes those that are beyond U+FFFF."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _is_merge(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == "<<" and node.style is None


def _mark(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _fault(message: str, mark: Mark, where: Where = (), *, code: str = "map.yaml", remedy: str | None = None) -> Fault:
    return Fault(code=code, message=message, where=where, remedy=remedy, line=mark[0], column=mark[1])
