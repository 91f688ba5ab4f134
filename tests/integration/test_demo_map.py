"""The demo's map, written by hand: what its plan finds and erases is what demo/person.sql counts, and nobody else's."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from demo import inventory, shop
from demo.premises import Premises, rent
from local.stores import open_stores
from shared.binding import Value
from shared.catalogue import document
from shared.database import Database
from shared.errors import UnfitValue
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Kind, Statement
from tests.run import Run

MAP = Path(__file__).resolve().parents[2] / "demo" / "datamap.yaml"
TODAY = date(2026, 11, 20)
MIRA, NAMESAKE, JONAS, SOEREN, SOMEBODY = 4, 42, 7, 17, 1042


@pytest.fixture(scope="module")
def premises(run: Run) -> Iterator[Premises]:
    """A shop on servers that no other test uses."""
    with open_stores({"POSTGRES_VERSION": run.postgres_major}) as stores, rent(stores) as premises:
        shop.build(premises, users=300)
        yield premises


@pytest.fixture(scope="module")
def kind(premises: Premises) -> Kind:
    database = Database(premises.database, application="gdpr-tests")
    with contextlib.closing(database), database.transaction() as cur:
        catalogue = Catalogue.from_json(document(cur))
    return compiled(Document.read(MAP).map, catalogue).kind("person")


@pytest.fixture
def cur(premises: Premises) -> Iterator[cursor]:
    """A transaction that is never committed."""
    database = Database(premises.database, application="gdpr-tests")
    opened = database.connection()
    with contextlib.closing(opened), opened.cursor() as cur:
        yield cur
        opened.rollback()


def bound(cur: cursor, kind: Kind, *persons: Mapping[str, Value]) -> None:
    bind_persons(cur, kind, persons, today=TODAY)
    for statement in kind.reach:
        cur.execute(statement.sql)


def found(cur: cursor, kind: Kind) -> Counter[str]:
    """For each table how many rows the plan says are theirs, or were acted on by them."""
    counts: Counter[str] = Counter()
    for statement in (each for dataset in kind.datasets for each in dataset.reads):
        if statement.purpose == "count":
            cur.execute(statement.sql)
            counts[statement.dataset] += (cur.fetchone() or (0,))[0]
        elif statement.purpose == "acted":
            cur.execute(statement.sql)
            counts[statement.dataset] += cur.rowcount
    return +counts


@pytest.mark.parametrize("person", [MIRA, NAMESAKE, JONAS, SOEREN, SOMEBODY])
def test_the_plan_counts_what_is_counted_by_hand(cur: cursor, kind: Kind, premises: Premises, person: int) -> None:
    bound(cur, kind, {"id": person})
    _, amounts = inventory.rows_of(premises, person)
    by_hand: Counter[str] = Counter()
    for amount in amounts:
        by_hand[amount.place.replace('"', "")] += amount.count
    # A row that names them twice is one row: who packed, closed or watched their own is still its owner.
    differences = {name: (count, by_hand[name]) for name, count in found(cur, kind).items() if count != by_hand[name]}
    assert differences == {}
    assert set(+by_hand) == set(found(cur, kind))


def test_nobody_is_no_person(cur: cursor, kind: Kind) -> None:
    for person in ({"id": 0}, {"id": "0"}, {"email": "nobody@shop.example"}):
        with pytest.raises(UnfitValue, match="stands for nobody"):
            bind_persons(cur, kind, [person], today=TODAY)
        forget(cur)


def test_an_address_of_somebody_with_an_account_is_not_asked_for_by_itself(cur: cursor, kind: Kind) -> None:
    with pytest.raises(UnfitValue, match="name them by it"):
        bind_persons(cur, kind, [{"email": "mira.okafor@example.com"}], today=TODAY)


def test_whose_number_is_given_has_their_own_address_and_no_other(cur: cursor, kind: Kind) -> None:
    bind_persons(cur, kind, [{"id": MIRA, "email": "jonas.weber@example.com"}], today=TODAY)
    cur.execute("select email from pg_temp.gdpr_person")
    assert cur.fetchall() == [("mira.okafor@example.com",)]


def test_somebody_without_an_account_is_found_by_their_address_alone(cur: cursor, kind: Kind) -> None:
    bound(cur, kind, {"email": "lena.fischer@example.org"})
    assert found(cur, kind) == {"app.GiftCards": 1, "app.comments": 1, "app.newsletter_subscribers": 1}


def contents(cur: cursor) -> dict[str, Counter[str]]:
    """Every row of every table, as a hash."""
    cur.execute(
        "select format('%I.%I', n.nspname, c.relname)"
        " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('app', 'public')"
    )
    rows = {}
    for (table,) in cur.fetchall():
        cur.execute(f"select t::text from {table} as t")
        rows[table] = Counter(hashlib.sha256(row.encode()).hexdigest() for (row,) in cur.fetchall())
    return rows


def erase(cur: cursor, kind: Kind) -> Counter[str]:
    """Run an erasure; what each guard counted is part of the answer, under its own name."""
    done: Counter[str] = Counter()
    for statement in kind.erase:
        cur.execute(statement.sql)
        if statement.purpose in ("guard", "recheck"):
            done["guarded"] += sum(number for _, number in cur.fetchall())
        elif statement.purpose in ("change", "delete"):
            done[statement.purpose] += cur.fetchone()[0] if cur.description else cur.rowcount  # type: ignore[index]
    return done


@pytest.mark.parametrize("person", [MIRA, NAMESAKE, JONAS, SOEREN, SOMEBODY])
def test_an_erasure_touches_as_many_rows_as_were_counted_and_leaves_nothing(
    cur: cursor, kind: Kind, person: int
) -> None:
    before = contents(cur)
    bound(cur, kind, {"id": person})
    theirs = sum(found(cur, kind).values())
    done = erase(cur, kind)
    after = contents(cur)

    gone = sum(sum((before[table] - after[table]).values()) for table in before)
    new = sum(sum((after[table] - before[table]).values()) for table in before)
    assert done["guarded"] == 0
    assert done["change"] + done["delete"] == gone  # whatever is no longer as it was, one of the statements did
    assert new == gone - done["delete"]
    assert gone <= theirs
    bind_gone(cur, kind, read_gone(cur, kind))
    for statement in (each for dataset in kind.datasets for each in dataset.reads if each.purpose == "verify"):
        cur.execute(statement.sql)
        assert cur.fetchone() == (0,), (statement.dataset, statement.link)


def test_the_namesake_with_the_same_address_keeps_all_that_is_found_by_number(cur: cursor, kind: Kind) -> None:
    bound(cur, kind, {"id": NAMESAKE})
    before = found(cur, kind)
    forget(cur)
    bound(cur, kind, {"id": MIRA})
    erase(cur, kind)
    forget(cur)
    bound(cur, kind, {"id": NAMESAKE})
    after = found(cur, kind)

    by_address = {"app.login_attempts", "app.newsletter_subscribers", "app.GiftCards", "app.comments"}
    by_address |= {"public.langchain_pg_embedding"}
    assert {name: count for name, count in before.items() if name not in by_address} == {
        name: count for name, count in after.items() if name not in by_address
    }


def forget(cur: cursor) -> None:
    """As at the end of a transaction: nobody is bound any more."""
    cur.execute("select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'")
    for (relation,) in cur.fetchall():
        cur.execute(f"drop table pg_temp.{relation}")


def test_several_people_at_once_are_each_of_them(cur: cursor, kind: Kind) -> None:
    people = [MIRA, JONAS, SOMEBODY]
    each: list[Counter[str]] = []
    for person in people:
        bound(cur, kind, {"id": person})
        each.append(found(cur, kind))
        forget(cur)
    bound(cur, kind, *({"id": person} for person in people))
    together = found(cur, kind)

    assert all(max(one[name] for one in each) <= count for name, count in together.items())
    assert all(count <= sum(one[name] for one in each) for name, count in together.items())
    assert erase(cur, kind)["guarded"] == 0


def test_no_statement_of_the_plan_holds_a_value_of_anybody(kind: Kind) -> None:
    def all_of(kind: Kind) -> Iterator[Statement]:
        yield from kind.reach
        yield from kind.erase
        for dataset in kind.datasets:
            yield from dataset.reads

    text = kind.resolve + "".join(statement.sql for statement in all_of(kind))
    assert "mira" not in text.lower()
    assert "@" not in text.replace("@>", "")
