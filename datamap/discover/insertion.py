"""Adds entries to a map that people have written: below the right part, and without touching any other byte of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from datamap import source
from datamap.discover.text import flow


class NoPlace(Exception):
    """The text is written in a way that leaves no safe place for an entry: an alias, a list, a word."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a mapping: the path of the mapping, and its lines as they stand at the margin."""

    path: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def inserted(text: str, entries: Iterable[Entry]) -> str:
    """The text with all of them, or NoPlace. Entries of one mapping stay in their order."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    grouped: dict[tuple[str, ...], list[str]] = {}
    for entry in entries:
        grouped.setdefault(entry.path, []).extend(entry.lines)
    reached = [(_reached(root, path), lines) for path, lines in grouped.items()]
    reached.sort(key=lambda each: -each[0].depth)  # what belongs to the last entry stands before the next one
    return _edited(text, [_edit(text, found, lines) for found, lines in reached])


def _edited(text: str, edits: Iterable[_Edit]) -> str:
    parts, position = [], 0
    for edit in sorted(edits, key=lambda each: each.start):
        parts += [text[position : edit.start], edit.text]
        position = max(position, edit.end)
    return "".join([*parts, text[position:]])


@dataclass(frozen=True)
class _Reached:
    """The mapping at a path, or the last above it."""

    node: yaml.Node
    depth: int
    indent: int  # of its entries, where it has none yet
    missing: tuple[str, ...]  # of the path
    is_within: bool  # braces, where no block can stand


def _edit(text: str, found: _Reached, lines: list[str]) -> _Edit:
    node = found.node
    for name in reversed(found.missing):
        lines = [f"{name}:", *(f"  {line}" for line in lines)]
    newline = "\r\n" if "\r\n" in text else "\n"
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _below(text, _end(node), lines, " " * node.value[0][0].start_mark.column, newline)
    if isinstance(node, yaml.MappingNode) and node.value:
        return _within(text, node, lines)
    if not _is_empty(node):
        raise NoPlace("neither a mapping nor empty")
    told = newline + newline.join(" " * found.indent + line for line in lines)
    return _Edit(node.start_mark.index, node.end_mark.index, f" {_told(lines)}" if found.is_within else told)


def _told(lines: list[str]) -> str:
    """The same on one line; without the comments, for which there is no room."""
    return flow(source.read("\n".join(lines)).value)


def _is_empty(node: yaml.Node) -> bool:
    """`{}`, or nothing behind the colon."""
    return node.value in ([], "")


def _reached(root: yaml.Node | None, path: tuple[str, ...]) -> _Reached:
    if root is None:
        raise NoPlace("the map is empty")
    node, indent, is_within = root, 0, False
    for number, name in enumerate(path):
        found = next((pair for pair in _pairs(node) if pair[0].value == name), None)
        if found is None:
            return _Reached(node, number, indent, path[number:], is_within)
        key, below = found
        if below.start_mark.index < key.end_mark.index:
            raise NoPlace(f"{name} is an alias")
        is_within = is_within or bool(node.value and getattr(node, "flow_style", False))
        node, indent = below, key.start_mark.column + 2
    return _Reached(node, len(path), indent, (), is_within)


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _end(node: yaml.Node) -> int:
    """Where the last word of a block ends: comments and empty lines behind it are not its own."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        key, below = node.value[-1]
        return max(int(key.end_mark.index), _end(below))
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _below(text: str, end: int, lines: list[str], indent: str, newline: str) -> _Edit:
    written = newline.join(indent + line for line in lines)
    if end and text[end - 1] == "\n":  # a text of several lines takes its last line break with it
        return _Edit(end, end, written + newline)
    at = text.find("\n", end)
    at = len(text) if at < 0 else at - (text[at - 1] == "\r")
    return _Edit(at, at, newline + written)


def _within(text: str, node: yaml.MappingNode, lines: list[str]) -> _Edit:
    """Before the brace that closes it."""
    at = node.end_mark.index - 1
    comma = " " if text[:at].rstrip().endswith((",", "{")) else ", "
    return _Edit(at, at, comma + _told(lines)[1:-1])
