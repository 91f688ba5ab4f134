"""The plan against the oracle, in generated worlds: what it counts, exports and erases is what walking the rows finds.

Everything happens in one transaction that is rolled back: a world lives for a few hundredths of a second.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, event, given, settings
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import Uncompilable, compiled
from datamap.fault import Fault
from datamap.names import Table as Name
from shared.addresses import PostgresAddress
from shared.database import connect
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Dataset, Kind, Plan, Statement
from shared.queries import query
from tests.worlds.build import Stored, build, contents
from tests.worlds.generate import ALL, Ingredient, worlds
from tests.worlds.oracle import ANY, Blocked, Outcome, Person, acted, erasure, owners, people, rows_of
from tests.worlds.world import Row, Table, Value, World

TODAY = date(2026, 11, 20)

# What a map may leave undecided, and a plan may refuse for that. Anything else that is refused is a defect.
UNDECIDED = frozenset({"cascade_undecided", "two_people", "reference_undecided", "unreached"})


@pytest.fixture(scope="module")
def opened(own_server: PostgresAddress) -> Iterator[connection]:
    """A session in an empty database, in which each world is built and rolled back."""
    with contextlib.closing(connect(own_server, application="gdpr-tests")) as session:
        yield session


@contextlib.contextmanager
def built(opened: connection, world: World) -> Iterator[tuple[cursor, Plan | None]]:
    """The world in the database, and its plan, if the map decides all that a plan needs."""
    try:
        with opened.cursor() as cur:
            build(cur, world)
            yield cur, _plan(cur, world)
    finally:
        opened.rollback()


def _plan(cur: cursor, world: World) -> Plan | None:
    cur.execute(query("catalogue"))
    (document,) = cur.fetchone() or ("",)
    try:
        return compiled(world.map, Catalogue.from_json(document))
    except Uncompilable as error:
        faults = error.faults
    check_refusal(world, faults)
    return None


def check_refusal(world: World, faults: Sequence[Fault]) -> None:
    """A plan is refused for a decision that is missing, and never for a table that somebody's rows are in."""
    codes = {fault.code for fault in faults}
    event(f"refused: {', '.join(sorted(codes))}")
    unreached = {fault.where[1] for fault in faults if fault.code == "unreached"}
    assert not [row for row in world.rows if str(row.table) in unreached and owners(world, row)]
    assert codes <= UNDECIDED, [(fault.code, fault.path, fault.message) for fault in faults]


@contextlib.contextmanager
def bound(cur: cursor, kind: Kind, persons: Iterable[Person]) -> Iterator[None]:
    """These persons as the plan's statements know them, up to here; what is done to them is undone."""
    cur.execute("savepoint person")
    try:
        assert bind_persons(cur, kind, [_named(kind, person) for person in persons], today=TODAY)
        yield
    finally:
        cur.execute("rollback to savepoint person")


def _named(kind: Kind, person: Person) -> Mapping[str, str]:
    if person.identity:
        name, value = person.identity
        return {kind.identities[name]: value}
    return dict(zip(kind.key, person.key, strict=True))


def read(dataset: Dataset, purpose: str) -> Sequence[Statement]:
    return [statement for statement in dataset.reads if statement.purpose == purpose]


def exported(cur: cursor, statement: Statement) -> list[str]:
    """The rows that a statement gives, as JSON, in an order that depends on nothing but what is in them."""
    alias = sql.Identifier("an exported row")
    cur.execute(sql.SQL("select to_jsonb({0}) from ({1}) as {0}").format(alias, sql.SQL(statement.sql)))
    return sorted(_shown(row) for (row,) in cur.fetchall())


def _shown(values: Mapping[str, Value]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def check_reads(cur: cursor, world: World, plan: Plan, person: Person) -> None:
    """Counts and exports find their rows, and no others; so does what they acted on."""
    kind = plan.kind(person.kind)
    theirs, did = rows_of(world, person), acted(world, person)
    with bound(cur, kind, [person]):
        for statement in kind.reach:
            cur.execute(statement.sql)
        read_here = set()
        for dataset in kind.datasets:
            name = Name.parse(dataset.name)
            here = [world.by_number[number] for number in theirs.get(name, ())]
            for statement in read(dataset, "count"):
                read_here.add(name)
                cur.execute(statement.sql)
                assert (cur.fetchone() or (None,))[0] == len(here), (str(person), dataset.name, "count")
            for statement in read(dataset, "export"):
                shown = [c.name for c in dataset.columns if c.export == "value"]
                wanted = sorted(_shown({c: row[c] for c in shown}) for row in here)
                assert exported(cur, statement) == wanted, (str(person), dataset.name, "export")
            for statement in read(dataset, "acted"):
                found = len(exported(cur, statement))
                assert found == len(did.get((name, statement.link or ""), ())), (str(person), dataset.name, "acted")
        assert theirs.keys() <= read_here, "a table that holds their rows is not read"


def check_erasure(cur: cursor, world: World, plan: Plan, persons: Sequence[Person]) -> None:
    """An erasure leaves exactly what the oracle says; or a guard counts where the oracle says that it stops."""
    before = contents(cur, world)
    expected = erasure(world, persons)
    with bound(cur, plan.kind(persons[0].kind), persons):
        guards = erase(cur, plan.kind(persons[0].kind))
        told = [str(person) for person in persons]
        if isinstance(expected, Blocked):
            assert guards, (told, "is not stopped", expected.reasons)
            return
        assert not guards, (told, "is stopped", guards)
        cur.execute("set constraints all immediate")
        check_contents(world, expected, before, contents(cur, world), told)
        kind = plan.kind(persons[0].kind)
        remains = verified(cur, kind)
        assert not (remains and goes(world, kind)), (told, "is found by the verification", remains)


def check_verification(cur: cursor, world: World, plan: Plan, person: Person) -> None:
    """Where an erasure deletes nothing of what it should, the verification finds each table that it is left in."""
    expected, kind = erasure(world, [person]), plan.kind(person.kind)
    if isinstance(expected, Blocked):
        return
    with bound(cur, kind, [person]):
        erase(
            cur, replace(kind, erase=tuple(s for s in kind.erase if s.purpose not in ("change", "delete", "refresh")))
        )
        found = verified(cur, kind)
    for table in world.tables:
        stays = {row.number for row in expected.rows[table.name]}
        lost = [row for row in world.rows if row.table == table.name and row.number not in stays]
        if table.name == kind_table(world, kind):
            lost = [row for row in lost if not looks_like_a_stub(row, table)]
        assert not lost or str(table.name) in found or not has_key(table), (str(person), str(table.name), found)


def kind_table(world: World, kind: Kind) -> Name:
    return next(table.name for table in world.tables if str(table.name) == kind.table)


def looks_like_a_stub(row: Row, table: Table) -> bool:
    """Nothing but its key: verification takes it for what kept rows point at, whether or not any does (limits.md)."""
    return all(value is None for column, value in row.values.items() if column not in table.primary_key)


def has_key(table: Table) -> bool:
    return bool(table.primary_key) or any(
        all(table.by_name[column].not_null for column in columns) for columns in table.unique
    )


def verified(cur: cursor, kind: Kind) -> dict[str, int]:
    """What the verification counts, by table."""
    bind_gone(cur, kind, read_gone(cur, kind))
    found: dict[str, int] = {}
    for dataset in kind.datasets:
        for statement in read(dataset, "verify"):
            cur.execute(statement.sql)
            (number,) = cur.fetchone() or (0,)
            if number:
                found[dataset.name] = found.get(dataset.name, 0) + number
    return found


def goes(world: World, kind: Kind) -> bool:
    """Whether the subject's rows are deleted. Emptied they are a pseudonym, which the check refuses."""
    return world.map.tables[kind.table].erase in (None, "delete")


def erase(cur: cursor, kind: Kind) -> list[tuple[str, str | None, int]]:
    """Run the erasure as far as its guards let it; those that count something."""
    stopped: list[tuple[str, str | None, int]] = []
    for statement in kind.erase:
        if stopped and statement.purpose != "guard":
            break
        cur.execute(statement.sql)
        if statement.purpose in ("guard", "recheck"):
            stopped += [(statement.dataset, statement.link, row[-1]) for row in cur.fetchall() if row[-1]]
    return stopped


def check_contents(
    world: World,
    expected: Outcome,
    before: Mapping[Name, tuple[Stored, ...]],
    after: Mapping[Name, tuple[Stored, ...]],
    told: object,
) -> None:
    for table in world.tables:
        where = (told, str(table.name))
        versions = {stored.version for stored in before[table.name]}
        texts = {stored.text for stored in before[table.name]}
        rest = list(after[table.name])
        for row in sorted(expected.rows[table.name], key=lambda row: row.number in expected.touched):
            is_touched = row.number in expected.touched
            fitting = [
                stored
                for stored in rest
                if _fits(row, stored.values) and (is_touched or (stored.version in versions and stored.text in texts))
            ]
            assert fitting, (*where, "touched" if is_touched else "not to be touched", dict(row.values), _values(rest))
            rest.remove(fitting[0])
        assert not rest, (*where, "should be gone", _values(rest))


def _values(rows: Sequence[Stored]) -> list[Mapping[str, Value]]:
    return [stored.values for stored in rows]


def _fits(row: Row, values: Mapping[str, Value]) -> bool:
    return all(value is ANY or _same(value, values[column]) for column, value in row.values.items())


def _same(one: Value, other: Value) -> bool:
    """Equal; or both of them JSON in a text, which may be spelled in more than one way."""
    if one == other or not (isinstance(one, str) and isinstance(other, str) and one[:1] in "{["):
        return bool(one == other)
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def check_world(opened: connection, world: World) -> None:
    with built(opened, world) as (cur, plan):
        if plan is None:
            return
        event("compiled")
        everybody = sorted(people(world), key=str)
        for person in everybody:
            check_reads(cur, world, plan, person)
            check_erasure(cur, world, plan, [person])
            check_verification(cur, world, plan, person)
        for pair in itertools.combinations(everybody, 2):
            if pair[0].kind == pair[1].kind:
                check_erasure(cur, world, plan, pair)


@pytest.mark.parametrize("ingredient", ALL, ids=lambda each: each.__name__)
def test_the_plan_does_what_walking_the_rows_says(opened: connection, ingredient: Ingredient) -> None:
    @given(worlds(only=ingredient))
    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    def agrees(world: World) -> None:
        check_world(opened, world)

    agrees()
