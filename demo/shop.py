"""The whole shop, built into Postgres, Valkey and S3: the same rows, keys and objects for the same size and seed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from psycopg2.extensions import cursor

from demo import FOLDER, sessions, uploads
from demo.crowd import FEATURED, FEWEST_USERS, Crowd
from demo.embedding import as_vector, embed
from demo.loading import load
from demo.premises import APPLICATION, Premises
from demo.sessions import Person
from demo.tables import TABLES
from shared import migrations
from shared.addresses import PostgresAddress
from shared.database import Database

MIRA = 4

_EMBEDDING = (
    (
        "select id, content from app.document_chunks where embedding is null order by id",
        "update app.document_chunks set embedding = %s where id = %s",
    ),
    (
        "select id, document from public.langchain_pg_embedding where embedding is null order by id",
        "update public.langchain_pg_embedding set embedding = %s where id = %s",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Shop:
    premises: Premises
    rows: int
    seconds: float  # for the rows, with their keys and indexes


def expected_rows(users: int) -> int:
    """Roughly how many there will be."""
    return round(sum(table.per_person for table in TABLES) * users)


def build(
    premises: Premises, *, users: int = 2000, seed: int = 1, progress: Callable[[int], None] = lambda _: None
) -> Shop:
    """Fill empty premises. `progress` hears how many more rows there are."""
    if users < FEWEST_USERS:
        raise ValueError(f"a shop needs at least {FEWEST_USERS} people")
    database = Database(premises.database, application=APPLICATION)
    with contextlib.closing(database):
        begun = time.monotonic()
        rows = _fill(database, premises.database, Crowd(seed=seed, size=users - FEATURED), progress)
        seconds = time.monotonic() - begun
        migrations.migrate(database)
        people = _people(database, sessions.PEOPLE_AT_MOST)
    premises.cache.fill(people, seed)
    premises.uploads.fill([person.id for person in people[: uploads.PEOPLE_AT_MOST]])
    return Shop(premises=premises, rows=rows, seconds=seconds)


def _fill(database: Database, address: PostgresAddress, crowd: Crowd, progress: Callable[[int], None]) -> int:
    with database.transaction() as cur:
        cur.execute((FOLDER / "shop.sql").read_text(encoding="utf-8"))
    rows = load(TABLES, crowd, address, progress)
    with database.transaction() as cur:
        cur.execute((FOLDER / "stories.sql").read_text(encoding="utf-8"))
        _embed_stories(cur)
    return rows


def _embed_stories(cur: cursor) -> None:
    """What the shop's embedding worker does with a text that is new."""
    for unfinished, finish in _EMBEDDING:
        cur.execute(unfinished)
        for key, text in cur.fetchall():
            cur.execute(finish, (as_vector(embed(text)), key))


def _people(database: Database, at_most: int) -> list[Person]:
    """Who is there beyond Postgres: those with a story, and one in ten of the others."""
    with database.transaction() as cur:
        cur.execute(
            "select id, email from app.users where id < 1001 or mod(id, 10) = 1 order by id limit %s", (at_most,)
        )
        return [Person(id=key, email=email) for key, email in cur.fetchall()]
