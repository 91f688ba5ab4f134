"""Where a proposed map goes: to stdout, into a file that is not there yet, or into a map that people have written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import Misuse

if TYPE_CHECKING:
    from datamap.catalogue import Catalogue
    from datamap.discover.everything import Discovery
    from datamap.document import Document
    from datamap.names import Table

_NAMED = 12  # of additions in one message


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What was asked for, found to be possible before anything is read."""

    subjects: Sequence[Table]
    output: Path | None = None
    into: Path | None = None
    document: Document | None = None
    written: str = ""

    @classmethod
    def asked(cls, output: Path | None, into: Path | None, subjects: Sequence[str]) -> Proposed:
        from datamap.names import NotAName, Table

        if output is not None and into is not None:
            raise Misuse("--output and --into were both given", remedy="take --output for a new map, --into for yours")
        if into is not None:
            return cls._into(into, subjects)
        if output is not None and os.path.lexists(output):
            remedy = f"add to it what is new with --into {output}, or name another file"
            raise Misuse(f"{output} is there already, and stays as it is", remedy=remedy)
        if output is not None and not output.parent.is_dir():
            raise Misuse(f"There is no folder {output.parent}", remedy="make it first, or name another file")
        try:
            return cls(subjects=[Table.parse(subject) for subject in subjects], output=output)
        except NotAName as fault:
            raise Misuse(f"--subject is no table: {fault}") from None

    @classmethod
    def _into(cls, path: Path, subjects: Sequence[str]) -> Proposed:
        from datamap.names import Table
        from gdpr.map_file import read_map

        if subjects:
            raise Misuse("--subject was given with --into", remedy="leave it out: the map says who the people are")
        document = read_map(path)
        tables = [Table.parse(subject.table) for subject in document.map.kinds.values()]
        return cls(subjects=tables, into=path, document=document, written=path.read_bytes().decode("utf-8"))

    def write(self, found: Discovery, catalogue: Catalogue) -> None:
        """Where it belongs; what was written, and what comes next, on stderr."""
        if self.into is not None and self.document is not None:
            self._add(found, catalogue, self.into, self.document)
        elif self.output is not None:
            with self.output.open("x", encoding="utf-8", newline="") as file:
                file.write(found.text)
            click.echo(f"Proposed in {self.output}. Read it from top to bottom, then: gdpr map check", err=True)
        else:
            click.echo(found.text, nl=False)

    def _add(self, found: Discovery, catalogue: Catalogue, path: Path, document: Document) -> None:
        from datamap.discover.addition import added, additions

        told = additions(document, catalogue, found)
        if not told:
            click.echo(f"{path} speaks of everything that was found: nothing is added.", err=True)
            return
        bom = "\ufeff" if self.written.startswith("\ufeff") else ""
        _replaced(path, bom + added(self.written.removeprefix(bom), document, told))
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        listed = ", ".join(each.what for each in told[:_NAMED])
        click.echo(f"Added to {path}: {listed}{more}. Read what was added, then: gdpr map check", err=True)


def _replaced(path: Path, text: str) -> None:
    """All of it or nothing: if we break off here, the map is as it was."""
    real = path.resolve()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        shutil.copymode(real, name)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
