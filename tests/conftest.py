"""Fixtures: a database of its own for each test, cloned in some 20 ms, and a Valkey database of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from psycopg2 import sql
from psycopg2.extensions import cursor

from local.postgres import start_postgres
from local.stores import AWS_CREDENTIALS
from shared import settings
from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from shared.errors import SuiteError
from tests.run import Run, administrator, drop_database, open_run

# CI draws the same examples each time, or a change would be refused for a fault that was there before it; whoever runs
# the tests by hand draws others.
IS_CI = os.environ.get("EXAMPLES") == "fixed"
hypothesis_settings.register_profile("tests", deadline=None, print_blob=True, derandomize=IS_CI)
hypothesis_settings.load_profile("tests")

RUN = pytest.StashKey[Run]()
CLEANUP = pytest.StashKey[contextlib.ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script; what we start must hear it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[CLEANUP] = contextlib.ExitStack()
    given = getattr(config, "workerinput", {}).get("run")
    if given is not None:
        config.stash[RUN] = Run.from_text(given)


class Controller:
    """What only a run with workers needs; pytest-xdist calls this once for each of them, before it starts."""

    @staticmethod
    def pytest_configure_node(node: Any) -> None:
        node.workerinput["run"] = the_run(node.config).as_text()


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    if type(plugin).__name__ == "DSession" and not manager.has_plugin("gdpr-controller"):
        manager.register(Controller(), "gdpr-controller")


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[CLEANUP].close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if RUN in config.stash:
        terminalreporter.write_line(f"stores: {config.stash[RUN].described}")


def the_run(config: pytest.Config) -> Run:
    """The stores of this run, opened when something first asks for them."""
    if RUN not in config.stash:
        try:
            config.stash[RUN] = config.stash[CLEANUP].enter_context(open_run())
        except SuiteError as error:
            pytest.exit(f"No stores to test on. {error.sentence}", returncode=2)
    return config.stash[RUN]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it, and none can reach anybody's AWS account."""
    functions = (settings.DataExportSettings, settings.DataDeletionSettings, settings.AuditLoggingSettings)
    ours = {field.metadata["variable"] for function in functions for field in fields(function)}
    for name in os.environ:
        if name in ours or name.startswith(("AWS_", "PG", "POWERTOOLS_", "STORES", "POSTGRES_")):
            monkeypatch.delenv(name)
    for name, value in AWS_CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    return the_run(pytestconfig)


@pytest.fixture(scope="session")
def server(run: Run) -> Iterator[cursor]:
    """The Postgres server, for its administrator, outside every transaction."""
    with administrator(run.stores.postgres) as cur:
        yield cur


@pytest.fixture
def postgres(run: Run, server: cursor) -> Iterator[PostgresAddress]:
    """A database of this test's own with schema gdpr in it, as the administrator."""
    name = f"gdpr_test_{secrets.token_hex(6)}"
    server.execute(
        sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(run.template)
        )
    )
    try:
        yield replace(run.stores.postgres, database=name)
    finally:
        drop_database(server, name)


@pytest.fixture
def empty_postgres(run: Run, server: cursor) -> Iterator[PostgresAddress]:
    """A database of this test's own with nothing in it."""
    name = f"gdpr_test_{secrets.token_hex(6)}"
    server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield replace(run.stores.postgres, database=name)
    finally:
        drop_database(server, name)


@contextlib.contextmanager
def _another_server(run: Run) -> Iterator[PostgresAddress]:
    """An embedded Postgres, of the version that the run uses where that is to be had."""
    server = start_postgres(run.postgres_major)
    try:
        yield server.address
    finally:
        server.stop()


@pytest.fixture(scope="session")
def own_server(run: Run) -> Iterator[PostgresAddress]:
    """A server beside that of the run, whose roles and settings nobody minds."""
    with _another_server(run) as address:
        yield address


@pytest.fixture
def new_server(run: Run) -> Iterator[PostgresAddress]:
    """A server that has never seen our roles."""
    with _another_server(run) as address:
        yield address


@pytest.fixture
def valkey(run: Run) -> Iterator[CacheAddress]:
    """A Valkey database that is empty and stays this test's own until its end. One with anything in it is not taken."""
    with contextlib.closing(connect_cache(run.stores.cache, application="gdpr-tests")) as leases:
        for number in range(1, 256):
            lease = f"gdpr:tests:lease:{number}"
            if not leases.set(lease, "taken", nx=True, ex=3600):
                continue
            address = replace(run.stores.cache, database=number)
            with contextlib.closing(connect_cache(address, application="gdpr-tests")) as client:
                if client.dbsize() == 0:
                    try:
                        yield address
                    finally:
                        client.flushdb()
                        leases.delete(lease)
                    return
            leases.delete(lease)
    pytest.fail("no empty database in the cache")
