"""MAP as a command reads it: what is wrong with the file itself is told with what to do about it."""

from __future__ import annotations

from pathlib import Path

from datamap import source
from datamap.document import Document
from shared.errors import Misuse


def read_map(path: Path) -> Document:
    """The map in a file. Raises Misuse where there is no text, and Unreadable with every fault of it."""
    if not path.exists():
        remedy = f"make one with `gdpr map discover -o {path}`, or name the one that is meant"
        raise Misuse(f"There is no map {path}", remedy=remedy)
    if path.is_dir():
        raise Misuse(f"{path} is a directory", remedy=f"name the map in it, such as {path / 'datamap.yaml'}")
    text = source.content(path)
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        raise Misuse(f"{path} is empty", remedy="`gdpr map discover` proposes what belongs into it")
    return Document.parse(text, name=str(path))
