"""The data unit as a function sees it: its database and, where there is one, its cache, opened when first needed."""

from __future__ import annotations

from shared.cache import Cache
from shared.database import Database
from shared.settings import Settings


class DataUnit:
    """One of them per execution environment; a second invocation finds the connections of the first."""

    def __init__(self, settings: Settings, *, application: str) -> None:
        self.database = Database(settings.database, application=application)
        self.cache = Cache(settings.cache, application=application) if settings.cache else None

    def close(self) -> None:
        self.database.close()
        if self.cache is not None:
            self.cache.close()
