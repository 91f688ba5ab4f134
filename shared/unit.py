"""The data unit as a function sees it: its database and, where there is one, its cache, opened when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.address_object import AddressObject, AddressReference
from shared.addresses import CacheAddress, PostgresAddress
from shared.database import Database
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.cache import Cache


class DataUnit:
    """One of them per execution environment; a second invocation finds the connections of the first."""

    def __init__(self, settings: Settings, *, application: str) -> None:
        self.database = Database(_address(settings), application=application)
        self.cache = _cache(settings.cache, application) if settings.cache else None

    def close(self) -> None:
        self.database.close()
        if self.cache is not None:
            self.cache.close()


def _address(settings: Settings) -> PostgresAddress | AddressObject:
    if isinstance(settings.database, AddressReference):
        return settings.database.opened(region=settings.region, endpoint=settings.aws_endpoint)
    return settings.database


def _cache(address: CacheAddress, application: str) -> Cache:
    from shared.cache import Cache  # half a cold start, for whoever has one

    return Cache(address, application=application)
