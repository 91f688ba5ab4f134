"""What there is in a shop, and what of it is one person's: counted, not taken from what was written."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from psycopg2 import sql

from demo import FOLDER
from demo.premises import APPLICATION, Premises
from demo.sessions import PATTERNS, Person
from demo.tables import TABLES
from demo.uploads import PREFIX
from shared.database import Database
from shared.queries import statements


@dataclass(frozen=True, kw_only=True)
class Amount:
    """So much in one place; `remark` says how it names a person, or by what one person's part of it was found."""

    place: str
    count: int
    remark: str
    bytes: int = 0


_AMOUNT = """
select count(*), (
  select coalesce(sum(pg_total_relation_size(part.relid)), pg_total_relation_size(%(table)s::regclass))::bigint
  from pg_partition_tree(%(table)s::regclass) as part
)
from {table}
"""


def tables(premises: Premises) -> list[Amount]:
    """Every table, with its rows and its bytes on disk, indexes included."""
    amounts = []
    database = Database(premises.database, application=APPLICATION)
    with contextlib.closing(database), database.transaction() as cur:
        for table in TABLES:
            cur.execute(sql.SQL(_AMOUNT).format(table=sql.SQL(table.name)), {"table": table.name})
            rows, size = cur.fetchone() or (0, 0)
            amounts.append(Amount(place=table.name, count=rows, bytes=size, remark=table.person))
    return amounts


def keys(premises: Premises) -> list[Amount]:
    """Every kind of key."""
    client = premises.cache.client
    return [Amount(place=each.name, count=each.count(client), remark=each.person) for each in PATTERNS]


def objects(premises: Premises) -> list[Amount]:
    versions = sum(1 for _ in premises.uploads.versions())
    return [Amount(place=f"{premises.uploads.name}/{PREFIX}", count=versions, remark="the key begins with the id")]


def rows_of(premises: Premises, person: int) -> tuple[Person, list[Amount]]:
    """Who it is, and where person.sql finds them; the person is bound by a temporary table, as in shared.binding."""
    database = Database(premises.database, application=APPLICATION)
    with contextlib.closing(database), database.transaction() as cur:
        cur.execute(
            "create temporary table person on commit drop as select id, tenant_id, email from app.users where id = %s",
            (person,),
        )
        cur.execute("select id, email from pg_temp.person")
        key, email = cur.fetchone() or (person, "")
        amounts = []
        for statement in statements(FOLDER / "person.sql"):
            cur.execute(statement.sql)
            (count,) = cur.fetchone() or (0,)
            amounts.append(Amount(place=statement.name, count=count, remark=statement.purpose))
    return Person(id=key, email=email), amounts


def keys_of(premises: Premises, person: Person) -> list[Amount]:
    client = premises.cache.client
    return [
        Amount(place=each.name, count=each.of_person(client, person), remark=f"* {each.person}") for each in PATTERNS
    ]


def objects_of(premises: Premises, person: int) -> list[Amount]:
    prefix = PREFIX.format(id=person)
    versions = sum(1 for _ in premises.uploads.versions(prefix))
    return [Amount(place=prefix, count=versions, remark="* prefix, with old versions")]
