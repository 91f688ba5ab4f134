"""One table that the crowd fills: its lines in COPY's text format, and how a row of it names a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from demo.crowd import Crowd

Rows = Iterator[str]

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, kw_only=True)
class Table:
    name: str
    columns: str
    person: str
    per_person: float  # how many rows, roughly: for the progress bar
    rows: Callable[[Crowd], Rows]


def table(name: str, columns: str, *, person: str, per_person: float = 0) -> Callable[[Callable[[Crowd], Rows]], Table]:
    """Make a table of the function that writes its rows."""
    return lambda rows: Table(name=name, columns=columns, person=person, per_person=per_person, rows=rows)


def escaped(texts: list[str]) -> list[str]:
    """As COPY wants them."""
    return [text.translate(_ESCAPES) for text in texts]
