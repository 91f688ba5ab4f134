"""The flag that names the cache, and the cache behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click
import redis

from shared.addresses import CacheAddress
from shared.cache import Cache


class CacheUrl(click.ParamType[CacheAddress]):
    """A flag or variable that holds the address of a Valkey or Redis, which no message repeats."""

    name = "rediss://…"

    def convert(self, value: object, param: object, ctx: object) -> CacheAddress:  # noqa: ARG002 - click's
        return value if isinstance(value, CacheAddress) else CacheAddress.parse(str(value))


cache_option = click.option(
    "--redis-url", type=CacheUrl(), envvar="REDIS_URL", help="The Valkey or Redis beside it [REDIS_URL]."
)


@contextlib.contextmanager
def opened_cache(address: CacheAddress | None) -> Iterator[redis.Redis | None]:
    """A client, up to the end; None where no cache was named."""
    if address is None:
        yield None
        return
    cache = Cache(address, application="gdpr")
    try:
        yield cache.client()
    finally:
        cache.close()
