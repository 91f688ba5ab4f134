"""What discovery left open and a person has to write: the controller, and why data is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datamap.fault import Fault, Where
from datamap.model import UNDECIDED, Map


def faults(data_map: Map) -> Iterator[Fault]:
    """Everything outside of tables and keys that still says undecided; those have words of their own."""
    told = data_map.data()
    for part in ("controller", "activities", "backups", "objects"):
        yield from _within(told.get(part), (part,))


def _within(value: object, where: Where) -> Iterator[Fault]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _within(inner, (*where, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _within(inner, (*where, number))
    elif value == UNDECIDED:
        message = f"{' > '.join(map(str, where))} is undecided: people would be told that word"
        yield Fault(code="undecided", message=message, where=where, remedy=f"write {where[-1]}: and what is so")
