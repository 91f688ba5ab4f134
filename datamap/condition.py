"""The `when` of a link: comparisons of columns with constants, joined by `and`. Not SQL, so that nothing else fits in.

author_type = 'User' and deleted_at is null
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from datamap.names import NotAName, Place

Constant = str | int | float | bool


@dataclass(frozen=True)
class Comparison:
    """`place operator values`; without values for `is null` and `is not null`."""

    place: Place
    operator: str  # "=", "<>", "in", "not in", "is null", "is not null"
    values: tuple[Constant, ...] = ()

    def __str__(self) -> str:
        if not self.values:
            return f"{self.place} {self.operator}"
        values = ", ".join(map(_shown, self.values))
        return f"{self.place} {self.operator} " + (f"({values})" if "in" in self.operator else values)


@dataclass(frozen=True)
class Condition:
    """All of its comparisons hold."""

    comparisons: tuple[Comparison, ...]

    @classmethod
    def parse(cls, text: str) -> Condition:
        return cls(tuple(_comparison(part, masked) for part, masked in _conjuncts(text)))

    def __str__(self) -> str:
        return " and ".join(map(str, self.comparisons))


_ADVICE = "write: column = 'value', column in ('a', 'b') or column is null, joined by and"
_QUOTES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_NAME, _TEXT = "\1", "\2"  # stand for what is quoted, so that nothing within it is read as a word of ours
_AND = re.compile(r"(?<![\w$-])and(?![\w$-])", re.IGNORECASE)
_CONSTANT = rf"(?:{_TEXT}+|-?[0-9]+(?:\.[0-9]+)?(?![\w.])|(?:true|false)\b)"
_SHAPE = re.compile(
    rf"""\s*(?P<place>.+?)\s*(?:
        (?<![\w$-])is\s+(?P<not>not\s+)?null
      | (?P<operator>=|<>|!=)\s*(?P<value>{_CONSTANT})
      | (?<![\w$-])(?P<membership>(?:not\s+)?in)\s*\(\s*(?P<values>{_CONSTANT}(?:\s*,\s*{_CONSTANT})*)\s*\)
    )\s*""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def _conjuncts(text: str) -> Iterator[tuple[str, str]]:
    """The parts between `and`, each with what it looks like once all that is quoted in it is masked."""
    if _NAME in text or _TEXT in text:
        raise NotAName(f"a condition holds a character that is none of a text: {_ADVICE}")
    masked = _QUOTES.sub(lambda match: (_NAME if match[0][0] == '"' else _TEXT) * len(match[0]), text)
    start = 0
    for match in _AND.finditer(masked):
        yield text[start : match.start()], masked[start : match.start()]
        start = match.end()
    yield text[start:], masked[start:]


def _comparison(text: str, masked: str) -> Comparison:
    if not text.strip():
        raise NotAName(f"a condition is empty: {_ADVICE}")
    match = _SHAPE.fullmatch(masked)
    if match is None:
        raise NotAName(f"{text.strip()!r} is no condition: {_ADVICE}")
    place = Place.parse(text[slice(*match.span("place"))])
    if len(place.columns) > 1 or None in place.steps:
        raise NotAName(f"{text.strip()!r} compares no single value: {_ADVICE}")
    if match["operator"]:
        value = _constant(text[slice(*match.span("value"))])
        return Comparison(place, "=" if match["operator"] == "=" else "<>", (value,))
    if match["membership"]:
        start, end = match.span("values")
        spans = [each.span() for each in re.finditer(_CONSTANT, masked[start:end], re.IGNORECASE)]
        values = tuple(_constant(text[start + first : start + last]) for first, last in spans)
        return Comparison(place, " ".join(match["membership"].lower().split()), values)
    return Comparison(place, "is not null" if match["not"] else "is null")


def _constant(text: str) -> Constant:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "." not in text and len(text) <= 40:
        return int(text)
    number = float(text)
    if "." not in text or Decimal(repr(number)) != Decimal(text):
        raise NotAName(f"{text} has too many digits to be compared exactly: write '{text}'")
    return number


def _shown(value: Constant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, int):
        return str(value)
    digits = format(Decimal(repr(value)), "f")
    return digits if "." in digits else f"{digits}.0"
