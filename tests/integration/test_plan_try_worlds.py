"""Trials in generated worlds: what one says is what walking the rows finds, and without `erasing` it writes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings
from psycopg2.extensions import connection, cursor

from gdpr.trial import Trial, tried
from shared.addresses import PostgresAddress
from shared.database import connect
from shared.errors import Refused
from shared.plan import Plan
from tests.integration.test_plan_worlds import TODAY, built, goes
from tests.worlds.build import contents
from tests.worlds.generate import worlds
from tests.worlds.oracle import Blocked, Person, acted, erasure, people, rows_of
from tests.worlds.world import World


@pytest.fixture(scope="module")
def opened(own_server: PostgresAddress) -> Iterator[connection]:
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as session:
        yield session


def trial(cur: cursor, plan: Plan, person: Person, *, erasing: bool) -> Trial | None:
    """None: they have nothing anywhere."""
    kind = plan.kind(person.kind)
    key = dict(zip(kind.key, person.key, strict=True)) if not person.identity else {}
    named = {kind.identities[person.identity[0]]: person.identity[1]} if person.identity else key
    try:
        return tried(cur, plan, kind, named, today=TODAY, seconds=60, erasing=erasing)
    except Refused:
        return None


def check_person(cur: cursor, world: World, plan: Plan, person: Person, *, erasing: bool) -> None:
    before, expected = contents(cur, world), erasure(world, [person])
    cur.execute("savepoint person")
    found = trial(cur, plan, person, erasing=erasing)
    after = contents(cur, world)
    cur.execute("rollback to savepoint person")
    theirs = {str(table): len(rows) for table, rows in rows_of(world, person).items() if rows}
    if found is None:
        assert not theirs
        assert not any(acted(world, person).values())
        return
    assert {each.table: each.theirs for each in found.tables if each.theirs} == theirs
    assert bool(found.stops) == isinstance(expected, Blocked), (str(person), found.stops)
    event("stopped" if found.stops else "not stopped")
    if not erasing or found.stops:
        assert after == before, (str(person), "something was written")
        return
    assert (found.was_erased, found.short) == (True, {})
    assert not (found.left and goes(world, plan.kind(person.kind))), (str(person), found.left)
    gone = {str(name): len(rows) - len(after[name]) for name, rows in before.items() if len(rows) != len(after[name])}
    assert {each.table: n for each in found.tables if (n := each.erasure.get("deleted", 0))} == gone


@pytest.mark.parametrize("erasing", [False, True], ids=["reading", "erasing"])
def test_a_trial_says_what_walking_the_rows_says(opened: connection, erasing: bool) -> None:
    @given(worlds())
    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    def agrees(world: World) -> None:
        with built(opened, world) as (cur, plan):
            for person in sorted(people(world), key=str) if plan else ():
                assert plan is not None
                check_person(cur, world, plan, person, erasing=erasing)

    agrees()
