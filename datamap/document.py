"""datamap.yaml as a text: reads it into a Map, and knows the line and column of everything in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from datamap import source, wording
from datamap.fault import Fault, Where
from datamap.model import Map
from datamap.source import Mark
from datamap.spelling import nearest
from shared.errors import Refused

__all__ = ["Document", "Mark", "Unreadable", "nearest", "placed", "sorted_faults"]


class Unreadable(Refused):
    """The map cannot be read; `faults` says why, each with its place."""

    code = "map_unreadable"

    def __init__(self, faults: list[Fault], *, where: str | None = None, advice: str = "run `gdpr map check`") -> None:
        self.faults = faults
        first = faults[0]
        place = f"{where or 'the map'}:{first.line}:{first.column}" if first.line else where
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        remedy = (first.remedy or advice).rstrip(".")
        super().__init__(first.message.rstrip(".") + more, where=place, remedy=remedy)


@dataclass(frozen=True)
class Document:
    """A map with the places of its parts."""

    map: Map
    marks: Mapping[Where, Mark]
    name: str = "datamap.yaml"

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file. One that is not there, no file or no text is a Misuse."""
        return cls.parse(source.content(path), name=str(path))

    @classmethod
    def parse(cls, text: str, *, name: str = "datamap.yaml") -> Document:
        """Read a map, or raise Unreadable with every fault."""
        read = source.read(text)
        if read.faults:
            raise Unreadable(sorted_faults(read.faults), where=name)
        gaps = list(wording.gaps(read.value))
        try:
            found = Map.model_validate(read.value, by_alias=True, by_name=False)
        except ValidationError as error:
            told = {fault.where for fault in gaps}
            gaps += [fault for fault in wording.faults(error, read.value) if fault.where not in told]
        if gaps:
            top = read.marks[()]
            faults = [replace(f, line=f.line or top[0], column=f.column or top[1]) for f in placed(gaps, read.marks)]
            raise Unreadable(sorted_faults(faults), where=name)
        return cls(found, read.marks, name)

    def placed(self, faults: Iterable[Fault]) -> list[Fault]:
        """The same faults, each with its line and column, in the order of the file."""
        return sorted_faults(placed(faults, self.marks))


def sorted_faults(faults: Iterable[Fault]) -> list[Fault]:
    """From top to bottom of the file; those without a place last, by path."""
    return sorted(faults, key=lambda f: (f.line == 0, f.line, f.column, f.path, f.code, f.message))


def placed(faults: Iterable[Fault], marks: Mapping[Where, Mark]) -> list[Fault]:
    """Each at the nearest place above it that the file has. A fault of the whole map has no place."""
    found = []
    for fault in faults:
        where = fault.where
        while where and where not in marks:
            where = where[:-1]
        line, column = marks.get(where, (0, 0)) if fault.where else (0, 0)
        found.append(replace(fault, line=line, column=column))
    return found
