"""What the YAML parser says, in words for the person whose file it is, and at the place where they would look."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from datamap.excerpt import excerpt
from datamap.fault import Fault


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What the parser says, and what we say for it."""

    said: str
    message: str
    remedy: str | None = None
    is_of_the_beginning: bool = False  # of what the parser was in, and not of where it gave up
    is_in_one_line: bool = False  # said only of a thing that began where it went wrong


_PROBLEMS = (
    _Problem(
        said=r"found character '\\t'", message="A tab stands here, where YAML takes spaces only", remedy="write spaces"
    ),
    _Problem(
        said=r"found character '(?P<it>.+)' that", message="No value can begin with {it}", remedy="put quotes around it"
    ),
    _Problem(
        said="mapping values are not allowed",
        message="A colon stands here, within a value",
        remedy="put quotes around a value that holds one, or begin a new line",
    ),
    _Problem(
        said="but got ':'",
        message="A colon stands here, within a value",
        remedy="put quotes around a value that holds one, or a comma before its key",
        is_in_one_line=True,
    ),
    _Problem(
        said="could not find expected ':'",
        message="After this key there is no colon",
        remedy="write key: value",
        is_of_the_beginning=True,
    ),
    _Problem(
        said="unexpected (?:end of stream|document separator)",
        message="This quote is never closed",
        remedy="close it",
        is_of_the_beginning=True,
    ),
    _Problem(
        said=r"expected ',' or '\]'",
        message="This list is never closed, or lacks a comma",
        remedy="close it with ]",
        is_of_the_beginning=True,
    ),
    _Problem(
        said=r"expected ',' or '\}'",
        message="This mapping is never closed, or lacks a comma",
        remedy="close it with a brace",
        is_of_the_beginning=True,
    ),
    _Problem(
        said="unknown escape|escape sequence",
        message="A backslash in double quotes begins an escape, and this is none",
        remedy="write two of them, or single quotes around the text",
    ),
    _Problem(
        said="expected <block end>", message="This is not in line with what stands above it", remedy="indent it alike"
    ),
    _Problem(
        said="(?:sequence entries|mapping keys) are not allowed",
        message="Nothing can begin here",
        remedy="put it on a line of its own",
    ),
    _Problem(said="undefined alias '?(?P<it>.+?)'?$", message="There is no anchor &{it} above this alias"),
    _Problem(
        said="expected alphabetic or numeric",
        message="After & or * a name is expected",
        remedy="put quotes around a text that begins so",
    ),
    _Problem(said="found another document", message="A second document begins here", remedy="take the line out"),
    _Problem(said="nested too deep", message="Things nest deeper than {deepest} levels here"),
    _Problem(
        said="expected '<document start>'",
        message="This does not belong to what is above it",
        remedy="indent it alike, and close what is open",
    ),
    _Problem(said="the node content|block scalar|indentation|chomping", message="A value is expected here"),
)


def fault(error: yaml.YAMLError, text: str, *, noun: str, deepest: int) -> Fault:
    """One sentence for what is no YAML; `noun` is what the text should be."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        code = f"U+{ord(text[error.position]):04X}"
        return _fault(f"{code} stands here, which YAML takes nowhere", place, remedy="remove it")
    marks = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    is_in_one_line = len({mark.line for mark in marks if mark}) == 1
    said = f"{getattr(error, 'context', None) or ''}\n{getattr(error, 'problem', None) or ''}"
    for known in _PROBLEMS:
        match = re.search(known.said, said, re.MULTILINE)
        if match and (is_in_one_line or not known.is_in_one_line):
            message = known.message.format(
                **{name: excerpt(it) for name, it in match.groupdict().items()}, deepest=deepest
            )
            place = _inside(error, text, is_of_the_beginning=known.is_of_the_beginning)
            return _fault(message, place, remedy=known.remedy)
    return _fault(f"The {noun} is no YAML here", _inside(error, text, is_of_the_beginning=False))


def _inside(error: yaml.YAMLError, text: str, *, is_of_the_beginning: bool) -> tuple[int, int]:
    """The place that the parser names, if it lies within the text; else the last line that has anything."""
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    for mark in reversed(marks) if is_of_the_beginning else marks:
        if mark is not None and mark.index < len(text.rstrip()):
            return mark.line + 1, mark.column + 1
    return text.rstrip().count("\n") + 1, 1


def _fault(message: str, place: tuple[int, int], *, remedy: str | None = None) -> Fault:
    return Fault(code="map.yaml", message=message, remedy=remedy, line=place[0], column=place[1])
