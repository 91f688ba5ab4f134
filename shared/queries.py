"""Fixed SQL by name, from sql/queries.sql: `-- name: what it is for`, then the statement."""

from __future__ import annotations

import functools
import re
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent / "sql"

_HEADING = re.compile(r"^-- (?P<name>[a-z_]+): .+$", re.MULTILINE)


@functools.cache
def _all() -> dict[str, str]:
    text = (SQL / "queries.sql").read_text()
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {heading["name"]: text[heading.end() : end].strip() for heading, end in zip(headings, ends, strict=True)}


def query(name: str) -> str:
    """The statement that stands under this name."""
    return _all()[name]
