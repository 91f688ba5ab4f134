"""Discovery on generated worlds: it never proposes to delete a row that is somebody else's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.discover import reservations
from datamap.discover.proposal import proposal, proposed
from datamap.discover.values import Rows
from datamap.document import Document
from datamap.model import Map
from datamap.model import Table as Entry
from datamap.names import Place
from datamap.names import Table as Name
from shared.addresses import PostgresAddress
from shared.database import connect
from shared.errors import Refused
from shared.queries import query
from tests.worlds import oracle
from tests.worlds.build import build
from tests.worlds.generate import ALL, Ingredient, worlds
from tests.worlds.link import links_of
from tests.worlds.oracle import Person
from tests.worlds.place import text
from tests.worlds.spelling import NAMES
from tests.worlds.world import Row, Table, World

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink a world takes minutes; its text says enough
EXAMPLES = int(os.environ.get("DISCOVER_EXAMPLES", "12"))
ACTED = ("closed_by", "updated_by", "invited_by")


@pytest.fixture(scope="module")
def opened(own_server: PostgresAddress) -> Iterator[connection]:
    """A session in a database without anything, in which each world is built and rolled back."""
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as session:
        yield session


def subjects(world: World) -> list[Name]:
    return [Name.parse(subject.table) for subject in world.map.kinds.values()]


def catalogue(cur: cursor, world: World) -> Catalogue:
    build(cur, world)
    cur.execute(query("catalogue"))
    row = cur.fetchone()
    assert row is not None
    return Catalogue.from_json(row[0])


@pytest.fixture
def unreserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to a person because of what a table is called: as bold as it could ever be."""
    monkeypatch.setattr(reservations, "reserved", lambda *_, **__: None)


def as_anybody_could_know(world: World) -> World:
    """The world with a map in which a link has the role that its name says: no discovery can guess another one."""
    told = world.map.data()
    for subject in [told["subject"]] if "subject" in told else told["subjects"].values():
        for identity in subject.get("identities", {}).values():
            identity["match"] = "folded"
    for name, entry in told.get("tables", {}).items():
        if not world.map.tables[name].personal:
            continue
        for place, links in entry.get("links", {}).items():
            for link in links:
                if not Place.parse(place).columns[-1].startswith(ACTED):
                    link.pop("role", None)
    return replace(world, map=Map.model_validate(told))


def unspeakable(world: World) -> set[Name]:
    """The tables with a link in a column whose name says nothing, under small numbers, and what hangs from them."""
    found = {table.name for table in world.tables if is_unspeakable(world, table)}
    for _ in world.tables:
        found |= {link.table for table in world.tables for link in links_of(world, table) if link.target in found}
    return found


def is_unspeakable(world: World, table: Table) -> bool:
    declared = {key.columns for key in table.foreign_keys}
    said = world.map.tables[str(table.name)].links
    places = [Place.parse(place) for place in said]
    kinds = {
        link.kind for link in links_of(world, table) if link.kind and not link.is_foreign_key and link.place.is_plain
    }
    are_named = {name.name for name in subjects(world)} == {"user", "customer"}
    if len(world.map.kinds) > 1 and kinds and (kinds - {"user"} or not are_named):
        return True  # a customer, whom the column calls a user
    return any(
        any(
            column.startswith(NAMES) and not column.startswith("user_")
            for column in (*place.columns, *filter(None, place.steps))
        )
        for place in places
        if place.columns not in declared
    )


def false_mine(world: World, found: Map) -> Iterator[tuple[Row, Person]]:
    """Rows that the proposal deletes for somebody though they belong to somebody else, too, or to nobody alone."""
    there, here = as_anybody_could_know(world), replace(world, map=with_names_of(world, found))
    closed = unspeakable(world)
    for row in world.rows:
        entry = found.tables.get(str(row.table))
        if entry is None or entry.erase != "delete" or entry.shared or row.table in closed:
            continue
        is_shared = world.map.tables[str(row.table)].shared
        if is_shared and any(
            link.target == row.table for name in closed for link in links_of(world, world.by_name[name])
        ):
            continue  # who met there cannot be read
        true = {who(there, person) for person in oracle.owners(there, row)}
        for person in oracle.owners(here, row):
            if is_shared or (true and true != {who(here, person)}):
                yield row, person


def who(world: World, person: Person) -> object:
    """The rows that somebody has, so that people compare under whatever key they are named; a guest by the identity."""
    subject = world.map.kinds[person.kind]
    if person.identity:
        return person.identity[1].lower()
    name = Name.parse(subject.table)
    return frozenset(
        row.number
        for row in world.rows_by_table[name]
        if tuple(text(row[column]) for column in subject.key) == person.key
    )


def with_names_of(world: World, found: Map) -> Map:
    """The kinds of subject under the names that the world's own map gives them, so that people compare."""
    told = found.data()
    names = {subject.table: name for name, subject in world.map.kinds.items()}
    if not found.subjects:
        return found
    renamed = {kind: names[subject.table] for kind, subject in found.kinds.items()}
    told["subjects"] = {renamed[kind]: subject for kind, subject in told["subjects"].items()}
    for entry in told.get("tables", {}).values():
        for links in entry.get("links", {}).values():
            for link in links:
                if "subject" in link:
                    link["subject"] = renamed[link["subject"]]
    return Map.model_validate(told)


@pytest.mark.usefixtures("unreserved")
@pytest.mark.parametrize("ingredient", ALL, ids=lambda each: each.__name__)
def test_no_row_of_somebody_else_is_ever_proposed_to_be_deleted(opened: connection, ingredient: Ingredient) -> None:
    @given(worlds(only=ingredient))
    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], phases=PHASES)
    def is_harmless(world: World) -> None:
        try:
            with opened.cursor() as cur:
                facts = catalogue(cur, world)
                said = proposed(facts, Rows(cur, facts), subject=subjects(world))
        except Refused:
            return  # nothing names one person each
        finally:
            opened.rollback()
        found = Document.parse(said).map
        assert not [(str(row.table), row.number, str(person)) for row, person in false_mine(world, found)], said

    is_harmless()


SHARING = [each for each in ALL if each.__name__ in ("organisation", "profiles", "badges")]


@pytest.mark.usefixtures("unreserved")
@pytest.mark.parametrize("ingredient", SHARING, ids=lambda each: each.__name__)
def test_what_hangs_from_nothing_but_what_stays_is_not_deleted(opened: connection, ingredient: Ingredient) -> None:
    @given(worlds(only=ingredient))
    @settings(max_examples=2 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow], phases=PHASES)
    def is_kept(world: World) -> None:
        try:
            with opened.cursor() as cur:
                facts = catalogue(cur, world)
                found = proposal(facts, Rows(cur, facts), subject=subjects(world))
        except Refused:
            return  # nothing names one person each
        finally:
            opened.rollback()
        going = {each.table for each in found.decisions if each.erase == "delete"}
        for each in found.decisions:
            owners = [link for link in each.links if link.is_person and link.is_owner]
            if each.table in going and each.table not in subjects(world) and not owners:
                assert going & {link.target for link in each.links if link.is_owner} - {each.table}, each.table

    is_kept()


Said = tuple[object, ...]


def decided(entry: Entry) -> Said | None:
    """What the proposal does with a table and each of its links; None where anything of it is left open."""
    links = [(place, str(each.erase), each.role) for place, group in entry.links.items() for each in group]
    parts = [str(entry.erase), str(entry.shared), *(word for link in links for word in link[1:])]
    return None if "undecided" in parts else (entry.personal, str(entry.erase), entry.shared)


@pytest.mark.usefixtures("unreserved")
@pytest.mark.parametrize("ingredient", ALL, ids=lambda each: each.__name__)
def test_names_alone_are_never_bolder_than_rows(opened: connection, ingredient: Ingredient) -> None:
    """What is decided without rows is decided the same with them, or they refute it; and it is nobody else's."""

    @given(worlds(only=ingredient))
    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], phases=PHASES)
    def is_harmless(world: World) -> None:
        try:
            with opened.cursor() as cur:
                facts = catalogue(cur, world)
                named = proposed(facts, subject=subjects(world))
                seen = Document.parse(proposed(facts, Rows(cur, facts), subject=subjects(world))).map
        except Refused:
            return  # nothing names one person each
        finally:
            opened.rollback()
        found = Document.parse(named).map
        assert not [(str(row.table), row.number, str(person)) for row, person in false_mine(world, found)], named
        for name, entry in found.tables.items():
            assert decided(entry) in (None, decided(seen.tables[name])) or decided(seen.tables[name]) is None, named

    is_harmless()
