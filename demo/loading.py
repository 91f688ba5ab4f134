"""Postgres filled: each table by one COPY, and its keys and indexes on a second connection while the next one comes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from threading import Event

from demo import FOLDER
from demo.crowd import Crowd
from demo.premises import APPLICATION
from demo.table import Rows, Table
from shared.addresses import PostgresAddress
from shared.database import Database
from shared.errors import SuiteError
from shared.queries import statements

Progress = Callable[[int], None]

_SECONDS = 3600.0
_LINES_AT_ONCE = 2000


class Lines:
    """What COPY reads from: a few thousand rows at a time, however many there are.

    The driver hides what is raised in here behind a cancelled statement; `failure` keeps it.
    """

    def __init__(self, rows: Rows, progress: Progress, stop: Event) -> None:
        self._rows = rows
        self._progress = progress
        self._stop = stop
        self.count = 0
        self.failure: BaseException | None = None

    def read(self, _: int = -1) -> bytes:
        try:
            return self._next()
        except BaseException as failure:
            self.failure = failure
            raise

    def _next(self) -> bytes:
        if self._stop.is_set():
            raise CancelledError
        lines = list(islice(self._rows, _LINES_AT_ONCE))
        self.count += len(lines)
        self._progress(len(lines))
        return "".join(lines).encode()

    def readline(self, _: int = -1) -> bytes:
        """A part of being a file for the driver, which never asks for it."""
        return next(self._rows, "").encode()


def load(tables: Sequence[Table], crowd: Crowd, address: PostgresAddress, progress: Progress) -> int:
    """Fill the tables in their order; the number of rows.

    Each connection works in a thread of its own. A Ctrl-C reaches the main thread only, which is waiting here.
    """
    stop = Event()
    copying, indexing = (Database(address, application=APPLICATION) for _ in range(2))
    with closing(copying), closing(indexing), ThreadPoolExecutor(1) as copier, ThreadPoolExecutor(1) as indexer:
        try:
            copied = [
                copier.submit(_copy, table, Lines(table.rows(crowd), progress, stop), copying) for table in tables
            ]
            indexed = []
            for table, rows in zip(tables, copied, strict=True):
                rows.result()
                indexed.append(indexer.submit(_index, table, indexing))
            for keys in indexed:
                keys.result()
        finally:
            stop.set()
            copier.shutdown(wait=False, cancel_futures=True)
            indexer.shutdown(wait=False, cancel_futures=True)
    return sum(rows.result() for rows in copied)


def _copy(table: Table, lines: Lines, database: Database) -> int:
    try:
        with database.transaction(seconds=_SECONDS) as cur:
            cur.copy_expert(f"copy {table.name} ({table.columns}) from stdin", lines)
    except SuiteError:
        if lines.failure is not None:
            raise lines.failure from None
        raise
    return lines.count


def _index(table: Table, database: Database) -> None:
    with database.transaction(seconds=_SECONDS) as cur:
        # An autovacuum gives way after a second, which is longer than a connection of the suite waits for a lock.
        cur.execute("set local lock_timeout = 0; set local maintenance_work_mem = '256MB'")
        cur.execute(_keys()[table.name])
        cur.execute(f"analyze {table.name}")


@functools.cache
def _keys() -> dict[str, str]:
    return {statement.name: statement.sql for statement in statements(FOLDER / "keys.sql")}
