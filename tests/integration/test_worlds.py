"""Generated worlds are real: a Postgres takes them, and holds what they say."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from psycopg2.extensions import connection

from shared.addresses import PostgresAddress
from shared.database import connect
from tests.worlds.build import build, contents
from tests.worlds.generate import ALL, Ingredient, worlds
from tests.worlds.world import Value, World


@pytest.fixture(scope="module")
def opened(own_server: PostgresAddress) -> Iterator[connection]:
    """A session in a database without anything, in which each world is built and rolled back."""
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as session:
        yield session


@pytest.mark.parametrize("ingredient", ALL, ids=lambda each: each.__name__)
def test_a_world_can_be_built_and_holds_its_rows(opened: connection, ingredient: Ingredient) -> None:
    @given(worlds(only=ingredient))
    @settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
    def is_real(world: World) -> None:
        try:
            with opened.cursor() as cur:
                build(cur, world)
                held = contents(cur, world)
        finally:
            opened.rollback()
        for table in world.tables:
            assert written(row.values for row in world.rows_by_table[table.name]) == written(
                stored.values for stored in held[table.name]
            )

    is_real()


def written(rows: Iterable[Mapping[str, Value]]) -> list[str]:
    """Rows in an order that depends on nothing but what is in them."""
    return sorted(json.dumps(dict(row), sort_keys=True) for row in rows)
