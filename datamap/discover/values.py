"""What the rows say: bounded samples and counts from Postgres. Without it discovery knows structure and names only.

No query reads a large table: what is larger than a few megabytes is sampled by blocks, always the same ones. A query
that takes too long, or may not be asked, is answered by None, and whoever asked is less sure.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg2
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue, Table
from datamap.discover import pieces
from datamap.discover.finding import Link, People
from datamap.discover.questions import Guests, Met, Sample, Together, Way
from datamap.discover.voices import voice
from datamap.form import EXACT, Form
from datamap.names import quoted

ROWS = 400  # of each table, at most
CELLS = 24_000  # of each table, at most
PAGES_TO_ORDER = 64  # a table this small is read as a whole, and sampled in an order that a copy of it shares
PAGES_TO_COUNT = 1_024  # a table this small is counted as a whole
PAGES_TO_SEARCH = 4_096  # a table this small is searched without an index
BLOCKS = 48  # of a larger one
BLOCKS_TO_COUNT = 512
MILLISECONDS = 1_500
JOINT = "\x1f"  # between the values of several columns


class Rows:
    """The answers of a Postgres. The cursor is inside of a transaction that only reads."""

    def __init__(self, cur: cursor, catalogue: Catalogue) -> None:
        self._cursor = cur
        self._unread: dict[str, str] = {}
        cur.execute(f"set local statement_timeout = {MILLISECONDS}; set local row_security = off; savepoint discover")
        self._pages = self._sizes(catalogue)

    def _sizes(self, catalogue: Catalogue) -> dict[str, int]:
        """Pages by table. They stay what they are when somebody analyses the table, unlike the estimate of rows."""
        found = self._asked(
            "select n.nspname, c.relname, pg_relation_size(c.oid) / current_setting('block_size')::bigint"
            " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where c.relkind in ('r', 'm')"
        )
        sizes = {(schema, name): pages for schema, name, pages in found or ()}
        return {
            table.name.sql: sum(sizes.get((part.schema, part.name), 0) for part in (table.name, *table.partitions))
            for table in catalogue
        }

    def unread(self, table: Table) -> str | None:
        """Why the table could not be read."""
        return self._unread.get(table.name.sql)

    def _asked(self, sql: str, values: Sequence[object] | None = None, *, about: Table | None = None) -> Any:
        try:
            self._cursor.execute(sql, values)
            return self._cursor.fetchall()
        except psycopg2.Error as error:
            if self._cursor.connection.closed:
                raise
            self._cursor.execute("rollback to savepoint discover")
            if about is not None:
                self._unread.setdefault(about.name.sql, _why(error))
            return None

    def sample(self, table: Table, columns: Sequence[str]) -> Sample | None:
        if table.kind in ("foreign", "view") or not columns:
            return None
        at_most = max(40, min(ROWS, CELLS // len(columns)))
        picked = ", ".join(pieces.shortened(table, column) for column in columns)
        rows = self._asked(f"select {picked} from {self._sampled(table, at_most)} limit {at_most + 1}", about=table)
        if rows is None:
            return None
        whole = self._pages[table.name.sql] <= PAGES_TO_ORDER and len(rows) <= at_most
        return Sample(columns=tuple(columns), rows=tuple(rows[:at_most]), is_complete=whole)

    def _sampled(self, table: Table, at_most: int) -> str:
        pages = self._pages[table.name.sql]
        if pages <= PAGES_TO_ORDER:
            return f"{pieces.only(table)} as t order by {pieces.settled(table)}"
        share = pieces.share(BLOCKS, pages)
        return (
            f"(select * from {pieces.only(table)} as s tablesample system ({share}) repeatable (7)"
            f" order by hashtext(s.ctid::text) limit {at_most}) as t"
        )

    def _counted(self, table: Table, alias: str) -> tuple[str, bool]:
        """A table to count in, and whether it is all of it."""
        pages = self._pages[table.name.sql]
        if pages <= PAGES_TO_COUNT:
            return f"{pieces.only(table)} as {alias}", True
        share = pieces.share(BLOCKS_TO_COUNT, pages)
        return f"{pieces.only(table)} as {alias} tablesample system ({share}) repeatable (7)", False

    def present(
        self, table: Table, columns: Sequence[str], texts: Collection[str], *, form: Form = EXACT
    ) -> frozenset[str] | None:
        """Which of these texts stand in that column; of several columns, joined by JOINT."""
        facts = [table.columns[column] for column in columns]
        fitting = sorted(text for text in texts if pieces.all_fit(facts, text))
        if not fitting:
            return frozenset()
        is_indexed = any(set(index.columns[:1]) & set(columns) and not index.predicate for index in table.indexes)
        if self._pages[table.name.sql] > PAGES_TO_SEARCH and not (form.is_exact and is_indexed):
            return None
        several = len(columns) > 1
        same = " and ".join(
            pieces.same(column, f"split_part(v, chr(31), {number})" if several else "v", form)
            for number, column in enumerate(facts, 1)
        )
        found = self._asked(
            "select v from unnest(%s::text[]) as v where exists ("
            + f"select from {pieces.only(table)} as t where {same})".replace("%", "%%"),
            [fitting],
        )
        return None if found is None else frozenset(row[0] for row in found)

    def is_unique(self, table: Table, columns: Sequence[str]) -> bool | None:
        """Whether no two rows hold the same there, and none holds nothing."""
        source, _ = self._counted(table, "t")
        names = ", ".join(f"t.{quoted(column)}::text" for column in columns)
        is_whole = " and ".join(f"t.{quoted(column)} is not null" for column in columns)
        found = self._asked(f"select count(*) = count(distinct ({names})) filter (where {is_whole}) from {source}")
        return bool(found[0][0]) if found else None

    def frequencies(self, table: Table, column: str) -> Mapping[str, int] | None:
        """How often each value stands in a column that has few; None if it has many."""
        source, _ = self._counted(table, "t")
        name = f"t.{quoted(column)}::text"
        found = self._asked(f"select left({name}, 200), count(*) from {source} where {name} <> '' group by 1 limit 41")
        return dict(found) if found is not None and len(found) <= 40 else None

    def together(self, table: Table, links: Sequence[Link], people: People) -> Together | None:
        source, is_complete = self._counted(table, "t")
        voices = [voice(link, people, "t", str(number)) for number, link in enumerate(links)]
        inner = ", ".join(f"{v.speaks} as s{n}, {v.people} as p{n}" for n, v in enumerate(voices))
        joins = " ".join(v.joins for v in voices)
        numbers = range(len(links))
        pairs = [(i, j) for i in numbers for j in numbers if i < j]
        spoken = " + ".join(f"s{n}::integer" for n in numbers)
        counts = ["count(*)", *(f"count(*) filter (where s{n})" for n in numbers)]
        counts += [f"count(*) filter (where s{n} and {spoken} = 1)" for n in numbers]
        counts += [f"count(distinct p{n}[1])" for n in numbers]
        counts += [f"count(*) filter (where cardinality(p{n}) > 1 and p{n}[1] <> any(p{n}))" for n in numbers]
        counts += [f"count(*) filter (where s{i} and s{j})" for i, j in pairs]
        counts += [
            f"count(*) filter (where s{i} and s{j} and cardinality(p{i}) > 0 and cardinality(p{j}) > 0"
            f" and not (p{i} <@ p{j} and p{j} <@ p{i}))"
            for i, j in pairs
        ]
        found = self._asked(f"select {', '.join(counts)} from (select {inner} from {source} {joins} offset 0) as x")
        if found is None:
            return None
        told = iter(found[0])

        def taken(many: int) -> tuple[int, ...]:
            return tuple(itertools.islice(told, many))

        many = len(links)
        return Together(
            rows=next(told),
            speaks=taken(many),
            alone=taken(many),
            people=taken(many),
            several=taken(many),
            both=dict(zip(pairs, taken(len(pairs)), strict=True)),
            other=dict(zip(pairs, taken(len(pairs)), strict=True)),
            is_complete=is_complete,
        )

    def met(self, table: Table, own: Way, others: Sequence[Way], people: People) -> Sequence[Met | None]:
        source, is_complete = self._counted(table, "t")
        counts = ", ".join(map(pieces.counts, range(1, len(others) + 1)))
        found = self._asked(f"select {counts} from ({_named(table, (own, *others), people, source)}) as x")
        if found is None:
            return [None] * len(others)
        told = found[0]
        return [
            Met(rows=told[at], others=told[at + 1], people=told[at + 2], owners=told[at + 3], is_complete=is_complete)
            for at in range(0, 4 * len(others), 4)
        ]

    def guests(self, table: Table, own: Way, other: Way, people: People) -> Guests | None:
        source, _ = self._counted(table, "t")
        found = self._asked(
            f"with x as materialized ({_named(table, (own, other), people, source)}), guest as (select distinct p0[1]"
            " as who from x where cardinality(p0) > 0 and cardinality(p1) > 0 and not p0 <@ p1)"
            " select count(*), count(*) filter (where who in (select unnest(p1) from x)) from guest"
        )
        return Guests(people=found[0][0], hosts=found[0][1]) if found else None


def _named(table: Table, ways: Sequence[Way], people: People, source: str) -> str:
    """For each row whom it names by each way: p0, p1, …"""
    joins, sides = "", []
    for number, way in enumerate(ways):
        alias, joined = pieces.walked(table, way, f"w{number}_")
        voices = [voice(link, people, alias, f"{number}_{each}") for each, link in enumerate(way.links)]
        joins += " ".join(["", *joined, *(each.joins for each in voices)])
        sides.append(" || ".join(each.people for each in voices) + f" as p{number}")
    return f"select {', '.join(sides)} from {source}{joins} offset 0"


def _why(error: psycopg2.Error) -> str:
    if "row-level security" in (error.diag.message_primary or ""):
        return "a row-level security policy hides its rows from this role"
    if error.pgcode == "42501":
        return "this role may not read it"
    if error.pgcode in ("57014", "55P03"):
        return "reading it took too long"
    return "it could not be read"
