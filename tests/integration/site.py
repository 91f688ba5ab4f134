"""A database without anything, in which a test of discovery builds a schema, and which forgets it again."""

from __future__ import annotations

from psycopg2.extensions import connection

from datamap.catalogue import Catalogue
from datamap.discover.finding import Link, Proposal
from datamap.discover.proposal import proposal
from datamap.discover.text import written
from datamap.discover.values import Rows
from datamap.document import Document
from datamap.names import Table as Name
from shared.queries import query

USERS = """
create table users (id bigint primary key, email text unique, full_name text, encrypted_password text,
  created_at timestamptz default now());
insert into users select g, 'p' || g || '@example.org', 'Person ' || g, 'x' from generate_series(1, 60) as g;
"""


class Site:
    """A database for one test, in a transaction that is rolled back."""

    def __init__(self, session: connection) -> None:
        self.cursor = session.cursor()

    def catalogue(self) -> Catalogue:
        self.cursor.execute(query("catalogue"))
        row = self.cursor.fetchone()
        assert row is not None
        return Catalogue.from_json(row[0])

    def proposed(self, sql: str, *, subject: str | None = None, with_values: bool = True) -> Proposal:
        self.cursor.execute(
            f"set local search_path = public, pg_catalog; {sql}; set local search_path = pg_catalog, pg_temp"
        )
        catalogue = self.catalogue()
        rows = Rows(self.cursor, catalogue) if with_values else None
        found = proposal(catalogue, rows, subject=Name.parse(subject) if subject else None)
        Document.parse(written(found))
        return found


def link(found: Proposal, table: str, place: str) -> Link:
    links = [each for each in found.of(table).links if str(each.place) == place]
    assert len(links) == 1, f"{len(links)} links {place} of {table}"
    return links[0]


def links(found: Proposal, table: str) -> set[str]:
    return {str(each.place) for each in found.of(table).links if each.is_person}
