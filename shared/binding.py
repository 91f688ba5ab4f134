"""How a person's values reach a statement: through a temporary table that it joins, never as a literal in its text.

A literal would stand in the server's log as soon as the statement fails, and go on to CloudWatch (threat model A9).
COPY carries the values as data, and a value that does not fit its type is found before a cast could name it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor

from shared.errors import UnfitValue

Value = str | int | None

POSITION = "gdpr_position"

# Types that refuse a value without quoting it in the server's log, and that neither round nor cut one.
KINDS = frozenset({"text", "smallint", "integer", "bigint", "numeric", "uuid"})

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def bind(cur: cursor, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Value]]) -> int:
    """Fill a new temporary table, gone at the end of the transaction; the number of its rows.

    `columns` maps names to KINDS. A column `gdpr_position` numbers the rows in their order. A value that would read
    otherwise once it has its type (4_2, 042, 0x2A are all 42) is refused: it is not how the key is written.
    """
    names = list(columns)
    if not KINDS.issuperset(columns.values()):
        raise ValueError(f"bound are {', '.join(sorted(KINDS))}; any other type as text, for the statement to cast")
    arrived = sql.Identifier("pg_temp", table + "_arrived")
    cur.execute(
        sql.SQL(
            "create temporary table {} (gdpr_position bigint generated always as identity, {}) on commit drop"
        ).format(
            sql.Identifier(table + "_arrived"),
            sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names),
        )
    )
    cur.copy_expert(
        sql.SQL("copy {} ({}) from stdin").format(arrived, _list(names)),
        io.BytesIO("".join(_line(row, names) for row in rows).encode()),
    )
    for name, kind in columns.items():
        cur.execute(
            sql.SQL(
                "select min(gdpr_position) from {0} where case when pg_input_is_valid({1}, {2})"
                " then cast(cast({1} as {3}) as text) <> {4} else {1} is not null end"
            ).format(
                arrived,
                sql.Identifier(name),
                sql.Literal(kind),
                sql.SQL(kind),
                sql.SQL("lower({})" if kind == "uuid" else "{}").format(sql.Identifier(name)),
            )
        )
        (position,) = cur.fetchone() or (None,)
        if position is not None:
            raise UnfitValue(f"The value of {name} in row {position} is no {kind}")
    cur.execute(
        sql.SQL("create temporary table {} on commit drop as select gdpr_position, {} from {}").format(
            sql.Identifier(table),
            sql.SQL(", ").join(
                sql.SQL("cast({0} as {1}) as {0}").format(sql.Identifier(name), sql.SQL(kind))
                for name, kind in columns.items()
            ),
            arrived,
        )
    )
    count: int = cur.rowcount
    cur.execute(sql.SQL("drop table {}").format(arrived))
    _count_rows(cur, table, [POSITION, *names])
    return count


def _count_rows(cur: cursor, table: str, names: Sequence[str]) -> None:
    """Tell the planner how many there are, and nothing else: statistics would keep the values in the catalogue."""
    bound = sql.Identifier("pg_temp", table)
    quiet = (sql.SQL("alter column {} set statistics 0").format(sql.Identifier(name)) for name in names)
    cur.execute(sql.SQL("alter table {} {}").format(bound, sql.SQL(", ").join(quiet)))
    cur.execute(sql.SQL("analyze {}").format(bound))


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _line(row: Sequence[Value], names: Sequence[str]) -> str:
    if len(row) != len(names):
        raise ValueError("a row has another number of values than there are columns")
    return "\t".join(_field(value, name) for value, name in zip(row, names, strict=True)) + "\n"


def _field(value: Value, name: str) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    if "\x00" in text:
        raise UnfitValue(f"The value of {name} holds a zero byte, which no text in Postgres can")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitValue(f"The value of {name} holds half of a character") from None
    return text.translate(_ESCAPES)
