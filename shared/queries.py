"""SQL files that hold several statements: `-- name: what it is for`, then the statement.

`query` gives one of sql/queries.sql or sql/catalogue.sql.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor

SQL = Path(__file__).resolve().parent.parent / "sql"

_HEADING = re.compile(r'^-- (?P<name>[\w."]+): (?P<purpose>.+)$', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Statement:
    name: str
    purpose: str
    sql: str


def statements(file: Path) -> list[Statement]:
    """What stands in the file, in its order."""
    text = file.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return [
        Statement(name=heading["name"], purpose=heading["purpose"], sql=text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


@functools.cache
def _queries() -> dict[str, str]:
    files = (SQL / "queries.sql", SQL / "catalogue.sql")
    return {statement.name: statement.sql for file in files for statement in statements(file)}


def query(name: str) -> str:
    """The statement that stands under this name."""
    return _queries()[name]


def told(cur: cursor, question: str) -> bool:
    """The answer to a statement that asks whether something is so."""
    cur.execute(query(question))
    (answer,) = cur.fetchone() or (False,)
    return bool(answer)
