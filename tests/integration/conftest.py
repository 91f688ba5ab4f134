"""Fixtures that several files use.

Of discovery: one session for a module, and a site for a test, rolled back after it. Of requests: people, and the plan
of their map, approved.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from shared import active_plan
from shared.addresses import PostgresAddress
from shared.catalogue import document
from shared.database import connect
from shared.plan import Plan
from tests.integration.people import MAP, SCHEMA
from tests.integration.site import Site
from tests.run import administrator


@pytest.fixture(scope="module")
def session(own_server: PostgresAddress) -> Iterator[connection]:
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as opened:
        yield opened


@pytest.fixture
def site(session: connection) -> Iterator[Site]:
    try:
        yield Site(session)
    finally:
        session.rollback()


@pytest.fixture
def people(postgres: PostgresAddress) -> Iterator[cursor]:
    """An administrator's session in a database with people in it."""
    with administrator(postgres) as cur:
        cur.execute(SCHEMA)
        cur.execute("set search_path = pg_catalog, pg_temp")
        yield cur


@pytest.fixture
def plan(people: cursor) -> Plan:
    """What the functions go by there."""
    found = compiled(Document.parse(MAP).map, Catalogue.from_json(document(people)))
    active_plan.approve(people, found)
    return found
