"""Expressions as Postgres writes them down for an index, made comparable with what a statement of the plan searches by.

Parentheses say nothing here that the order of words does not, and casts to text are left out by some and not by others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from datamap.catalogue import Column
from datamap.form import EXACT, Form
from datamap.names import Place, quoted

_WORD = re.compile(
    r"""(?P<text>E?'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")|(?P<word>[\w$]+)|(?P<sign>->>|->|\#>>|\#>|::|<>|<=|>=|\S)""",
    re.VERBOSE,
)
_QUOTE = "'"
_NAME = r'(?:[\w$]+|"(?:[^"]|"")*")'
_TYPE = rf"{_NAME}(?: \. {_NAME})?(?: varying| precision| with(?:out)? time zone)?(?: \[ \])*"
_AFTER_A_TEXT = re.compile(rf"(?<=') :: {_TYPE}(?= |$)")
_TO_TEXT = re.compile(r" :: (?:pg_catalog \. )?text(?! \[)(?= |$)")
_ARRAY = re.compile(r"array \[ ('(?:[^']|'')*'(?: , '(?:[^']|'')*')*) \]")


def normalised(text: str) -> str:
    """The words of an expression with one space between them."""
    told = " ".join(_words(text))
    told = _TO_TEXT.sub("", _AFTER_A_TEXT.sub("", told))
    return _ARRAY.sub(lambda match: _array(re.findall(r"'((?:[^']|'')*)'", match[1])), told)


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        if match["word"]:
            yield match["word"].lower()
        elif match[0].startswith("E'"):
            yield match[0][1:].replace("\\\\", "\\")
        elif match[0] not in "()":
            yield match[0]


def conjuncts(predicate: str) -> list[str]:
    """The conditions of a partial index that all hold. What holds either way stays one."""
    told = normalised(predicate)
    if re.search(r"(?:^| )(?:or|between|case)(?= |$)", re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "''", told)):
        return [told]
    return [part.strip() for part in re.split(r" and (?=(?:[^']*'[^']*')*[^']*$)", told)]


def of_place(place: Place, column: Column, form: Form = EXACT) -> frozenset[str]:
    """How Postgres may have written down the value at a place, in the form in which it is compared."""
    name = quoted(place.column)
    sources = {name}
    if place.is_cast and column.family != "json":
        sources = {f"case when {name} is json then {name} :: jsonb else null :: jsonb end"}
    elif column.is_domain:
        sources |= {f"{name} :: {column.base.rpartition('.')[2]}", f"{name} :: {column.type}"}
    found = {_value(place, source) for source in sources}
    return frozenset(normalised(form.sql(f"({each})")) for each in found)


def evaluates(told: str, part: str) -> bool:
    """Whether an expression evaluates a part of it for each row: it is the whole of it, or what functions are given."""
    before, found, after = f" {told} ".partition(f" {part} ")
    return bool(found) and not re.search(r" (?:case|coalesce|and|or) ", f"{before} {after}")


def _value(place: Place, source: str) -> str:
    if place.is_plain:
        return source
    steps = [step for step in place.steps if step is not None]
    if place.as_path or any(step.isdecimal() for step in steps):
        return f"{source} #>> {_array([step.replace(_QUOTE, _QUOTE * 2) for step in steps])}"
    keys = [literal(step) for step in steps]
    return " ".join([source, *(f"-> {key}" for key in keys[:-1]), f"->> {keys[-1]}"])


def literal(text: str) -> str:
    """A text as Postgres writes it down."""
    return _QUOTE + text.replace(_QUOTE, _QUOTE * 2) + _QUOTE


def _array(steps: list[str]) -> str:
    """As Postgres writes an array of texts."""
    return "'{" + ",".join(map(_element, steps)) + "}'"


def _element(step: str) -> str:
    if not step or step.lower() == "null" or re.search(r'[\s"\\{},]', step):
        return '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return step
