"""Where a shop stands: a database, a cache and a bucket in which nothing was before, and which are gone afterwards.

So nothing of anybody's is touched on servers of somebody's own: database and bucket are new and have names that
nobody else has, the cache has to be empty, and what was written there is deleted, the roles of schema gdpr included.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from psycopg2 import sql
from psycopg2.extensions import cursor

from demo.sessions import Keys
from demo.uploads import Bucket
from local.stores import Origin, Stores
from shared import cache, database
from shared.addresses import CacheAddress, PostgresAddress
from shared.database_errors import translated
from shared.errors import SettingInvalid, StoreMisconfigured
from shared.roles import drop_unused

APPLICATION = "gdpr-demo"


@dataclass(frozen=True, kw_only=True)
class Premises:
    database: PostgresAddress
    cache: Keys
    uploads: Bucket


@contextlib.contextmanager
def rent(
    stores: Stores, *, database: str = "shop", bucket: str = "shop-uploads", cache: CacheAddress | None = None
) -> Iterator[Premises]:
    """A place for one shop, up to its end. Shops that stand side by side need different names and caches."""
    with (
        _cache(cache or stores.cache) as keys,
        _database(stores.postgres, _name(stores.postgres_origin, f"{database}_demo_", database)) as address,
        _bucket(stores, _name(stores.aws_origin, f"{bucket}-", bucket)) as uploads,
    ):
        yield Premises(database=address, cache=keys, uploads=uploads)


def _name(origin: Origin, beginning: str, ours: str) -> str:
    return beginning + secrets.token_hex(4) if origin == "yours" else ours


@contextlib.contextmanager
def _database(server: PostgresAddress, name: str) -> Iterator[PostgresAddress]:
    with _outside_transactions(server) as cur:
        cur.execute("select from pg_available_extensions where name = 'vector'")
        if cur.fetchone() is None:
            raise StoreMisconfigured("This Postgres has no pgvector", where=server.where, remedy="install it there")
        cur.execute(sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name)))
        cur.execute("select count(*) from pg_roles where rolname = 'gdpr_owner'")
        had_roles = cur.fetchone() == (1,)
    try:
        yield replace(server, database=name)
    finally:
        with _outside_transactions(server) as cur:
            cur.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
            if not had_roles:
                drop_unused(cur)


@contextlib.contextmanager
def _outside_transactions(server: PostgresAddress) -> Iterator[cursor]:
    """For what Postgres does nowhere else."""
    opened = database.connect(server, application=APPLICATION)
    opened.autocommit = True
    with contextlib.closing(opened), translated(server.where), opened.cursor() as cur:
        cur.execute("set lock_timeout = '30s'; set statement_timeout = '10min'")
        yield cur


@contextlib.contextmanager
def _cache(address: CacheAddress) -> Iterator[Keys]:
    client = cache.connect(address, application=APPLICATION)
    keys = Keys(client=client)
    with contextlib.closing(client), cache.translated(address.where):
        if client.dbsize() > 0:
            raise SettingInvalid(
                "The cache is not empty, and the demo takes only one that is",
                where=address.where,
                remedy="end REDIS_URL with the number of an empty database, such as /9",
            )
        try:
            yield keys
        finally:
            keys.delete()


@contextlib.contextmanager
def _bucket(stores: Stores, name: str) -> Iterator[Bucket]:
    bucket = Bucket.of(stores, name)
    bucket.create()
    try:
        bucket.keep_versions()
        yield bucket
    finally:
        bucket.delete()
