"""What discovery must bear: hostile names, tables of any size, rows that it may not see; the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection, cursor

from datamap.catalogue import Catalogue
from datamap.discover import values
from datamap.discover.proposal import proposal, proposed
from datamap.discover.values import Rows
from datamap.document import Document
from datamap.names import Table as Name
from shared.errors import Misuse, Refused
from shared.queries import query
from tests.worlds.spelling import NAMES

USERS = """
create table users (id bigint primary key, email text unique, full_name text, encrypted_password text);
insert into users select g, 'p' || g || '@example.org', 'Person ' || g, 'x' from generate_series(1, 60) as g;
"""


@pytest.fixture
def cur(session: connection) -> Iterator[cursor]:
    try:
        yield session.cursor()
    finally:
        session.rollback()


def catalogue(cur: cursor, sql: str = "select") -> Catalogue:
    cur.execute(f"set local search_path = public, pg_catalog; {sql}; set local search_path = pg_catalog, pg_temp")
    cur.execute(query("catalogue"))
    row = cur.fetchone()
    assert row is not None
    return Catalogue.from_json(row[0])


def text(cur: cursor, sql: str = "select") -> str:
    facts = catalogue(cur, sql)
    return proposed(facts, Rows(cur, facts))


def test_a_database_without_tables_says_what_to_do(cur: cursor) -> None:
    with pytest.raises(Refused, match="connect to the application's own database"):
        text(cur)


def test_a_database_without_people_asks_who_they_are(cur: cursor) -> None:
    with pytest.raises(Refused, match="--subject"):
        text(cur, "create table products (id bigint primary key, title text)")


def test_a_subject_that_is_not_there_is_misuse(cur: cursor) -> None:
    facts = catalogue(cur, USERS)
    with pytest.raises(Misuse, match="--subject"):
        proposed(facts, Rows(cur, facts), subject=Name("public", "nobody"))


def test_a_subject_without_anything_that_names_one_is_refused(cur: cursor) -> None:
    sql = "create table users (note text); insert into users values ('a'), ('a')"
    facts = catalogue(cur, sql)
    with pytest.raises(Refused, match="names one person each"):
        proposed(facts, Rows(cur, facts), subject=Name("public", "users"))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_may_stand_anywhere(cur: cursor, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    sql = (
        f"""
    create schema {quoted};
    create table {quoted}.{quoted} ({quoted} bigint primary key, email text, password text);
    insert into {quoted}.{quoted} select g, 'p' || g || '@example.org' from generate_series(1, 30) as g;
    create table {quoted}.notes (id bigint primary key, {quoted} bigint references {quoted}.{quoted}, body text);
    insert into {quoted}.notes select g, g, 'b' from generate_series(1, 30) as g;
    """
        if name not in ("id", "gdpr", "notes")
        else f"{USERS} create table {quoted} (id bigint, body text);"
    )
    facts = catalogue(cur, sql)
    subject = Name(name, name) if name not in ("id", "gdpr", "notes") else None
    found = Document.parse(proposed(facts, Rows(cur, facts), subject=subject)).map
    if subject:
        assert found.tables[str(Name(name, "notes"))].erase == "delete"


def test_sixteen_hundred_columns_and_none(cur: cursor) -> None:
    many = ", ".join(f"c{number} {('text', 'bigint', 'jsonb', 'boolean')[number % 4]}" for number in range(1599))
    found = Document.parse(
        text(cur, f"{USERS} create table wide (user_id bigint references users, {many}); create table bare ();")
    ).map
    assert len(found.tables["public.wide"].columns) == 1599
    assert not found.tables["public.bare"].personal


def test_columns_of_nothing_but_nulls_are_judged_by_their_names(cur: cursor) -> None:
    sql = f"{USERS} create table n (id bigint primary key, user_id bigint, email text);"
    sql += "insert into n (id) values (1), (2)"
    found = Document.parse(text(cur, sql)).map
    assert set(found.tables["public.n"].links) == {"user_id", "email"}


def test_rows_that_a_policy_hides_are_spoken_of_and_not_passed_over(cur: cursor) -> None:
    sql = f"""
    {USERS}
    create table secrets (id bigint primary key, title text, amount numeric);
    alter table secrets enable row level security;
    create table visits (id bigint primary key, user_id bigint);
    insert into visits select g, g from generate_series(1, 60) as g;
    create role gdpr_test_blind;
    grant usage on schema public to gdpr_test_blind;
    grant select on all tables in schema public to gdpr_test_blind;
    """
    facts = catalogue(cur, sql)
    cur.execute("set local role gdpr_test_blind; set local row_security = on")
    found = proposal(facts, Rows(cur, facts))
    assert found.of("public.secrets").is_undecided
    assert any("row-level security policy hides its rows" in note for note in found.of("public.secrets").notes)
    assert [link.confidence for link in found.of("public.visits").links] == ["medium"]  # what comes later is still read


def test_a_table_that_may_not_be_read_is_left_open(cur: cursor) -> None:
    sql = f"""
    {USERS}
    create table secrets (id bigint primary key, title text);
    create role gdpr_test_blind;
    grant usage on schema public to gdpr_test_blind;
    grant select on users to gdpr_test_blind;
    """
    facts = catalogue(cur, sql)
    cur.execute("set local role gdpr_test_blind")
    found = proposal(facts, Rows(cur, facts)).of("public.secrets")
    assert found.is_undecided
    assert any("may not read it" in note for note in found.notes)


def test_what_was_not_read_stands_at_the_top_and_is_decided_nowhere(cur: cursor) -> None:
    """Whatever its foreign keys say: a row that nobody has seen may be anybody's."""
    sql = f"""
    {USERS}
    create table carts (id bigint primary key, user_id bigint not null references users);
    create table drafts (id bigint primary key, user_id bigint not null references users);
    create table lines (id bigint primary key, cart_id bigint not null references carts);
    create materialized view totals as select 1 as total;
    insert into carts select g, g from generate_series(1, 60) as g;
    insert into lines select g, g from generate_series(1, 60) as g;
    create role gdpr_test_blind;
    grant usage on schema public to gdpr_test_blind;
    grant select on users, lines to gdpr_test_blind;
    alter table drafts enable row level security;
    grant select on drafts to gdpr_test_blind;
    """
    facts = catalogue(cur, sql)
    cur.execute("set local role gdpr_test_blind; set local row_security = on")
    rows = Rows(cur, facts)
    found = proposal(facts, rows)
    for name in ("carts", "drafts", "lines"):
        assert found.of(f"public.{name}").erase == "undecided"
    assert found.of("public.totals").is_undecided
    assert found.of("public.users").erase == "delete"
    (head,) = re.findall(r"\A((?:#.*\n)+)", proposed(facts, rows))
    said = " ".join(head.replace("\n# ", " ").split())
    assert "2 tables were not read and therefore left undecided: public.carts, public.totals: this role may not" in said
    assert "1 table was not read and therefore left undecided: public.drafts: a row-level security policy" in said


def test_people_who_could_not_be_read_are_undecided(cur: cursor) -> None:
    facts = catalogue(cur, f"{USERS} create role gdpr_test_blind; grant usage on schema public to gdpr_test_blind")
    cur.execute("set local role gdpr_test_blind")
    found = proposal(facts, Rows(cur, facts), subject=Name("public", "users"))
    assert found.of("public.users").erase == "undecided"


def test_a_proposal_is_read_without_scrolling(cur: cursor) -> None:
    sql = f"""
    {USERS}
    create table invoices (id bigint primary key, user_id bigint not null references users, number text);
    insert into invoices select g, g from generate_series(1, 60) as g;
    create table a_table_with_a_name_that_is_rather_long (id bigint primary key,
      sender_id bigint not null references users, recipient_id bigint not null references users, body text not null);
    insert into a_table_with_a_name_that_is_rather_long select g, g, 61 - g, 'b' from generate_series(1, 60) as g;
    """
    lines = text(cur, sql).splitlines()
    comments = [line for line in lines if line.lstrip().startswith("#") or "  # " in line]
    assert comments
    assert [line for line in comments if len(line) > 100] == []


def test_what_takes_too_long_lowers_confidence_and_breaks_nothing_off(
    cur: cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = f"""
    {USERS}
    create table orders (id bigint primary key, user_id bigint);
    insert into orders select g, g from generate_series(1, 60) as g;
    """
    monkeypatch.setattr(values, "MILLISECONDS", 1)
    facts = catalogue(cur, sql)
    rows = Rows(cur, facts)
    monkeypatch.setattr(rows, "_sampled", lambda table, at_most: f"{table.name.sql} as t, lateral pg_sleep(0.05) as z")
    found = proposal(facts, rows)
    assert [link.confidence for link in found.of("public.orders").links] == ["low"]


def test_the_order_in_which_rows_lie_changes_nothing(session: connection, cur: cursor) -> None:
    tables = f"""
    {USERS}
    create table orders (id bigint primary key, user_id bigint, note text, meta jsonb);
    create table lines (order_id bigint, n integer, body text);
    """
    fill = """
    insert into orders select g, 1 + g % 60, 'n' || g, jsonb_build_object('user_id', g % 60 + 1)
      from generate_series(1, 300) as g order by {0};
    insert into lines select 1 + g % 300, g, 'b' from generate_series(1, 390) as g order by {0};
    """
    first = text(cur, tables + fill.format("g"))
    session.rollback()
    again = text(session.cursor(), tables + fill.format("md5(g::text)"))
    assert first == again


def test_a_large_table_is_sampled_and_its_figures_are_not_in_the_bytes(cur: cursor) -> None:
    sql = f"""
    {USERS}
    create table logs (id bigint primary key, user_id bigint, line text);
    insert into logs select g, 1 + g % 60, repeat('x', 200) from generate_series(1, 60000) as g;
    """
    facts = catalogue(cur, sql)
    rows = Rows(cur, facts)
    table = facts.tables[Name("public", "logs")]
    sample = rows.sample(table, ["id", "user_id"])
    assert sample is not None
    assert len(sample.rows) <= values.ROWS
    assert not sample.is_complete
    assert max(int(each) for each in sample.of("id")) - min(int(each) for each in sample.of("id")) > 30_000
    found = proposal(facts, rows)
    assert [link.evidence for link in found.of("public.logs").links] == [
        "all of the sampled values are keys of public.users"
    ]


def test_four_hundred_tables_take_few_questions(cur: cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = "".join(
        f"create table t{n} (id bigint primary key, user_id bigint references users,"
        " updated_by bigint references users,"
        f" parent_id bigint references {f't{n // 2}' if n > 1 else 'users'}, body text);"
        for n in range(1, 400)
    )
    facts = catalogue(cur, USERS + tables)
    rows = Rows(cur, facts)
    asked: list[str] = []
    ask = rows._asked

    def counted(sql: str, *values: object, **about: object) -> object:
        asked.append(sql)
        return ask(sql, *values, **about)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "_asked", counted)
    assert len(proposal(facts, rows).decisions) == 400
    assert len(asked) <= 1300
