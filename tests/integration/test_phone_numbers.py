"""An identity that is a telephone number: its spellings meet, other numbers never do, and what is none is nobody's."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection, cursor

from datamap.form import Form
from shared.envelope import Identity
from shared.identification import Identified, NotIdentified, identify
from shared.plan import Kind
from tests.integration.site import Site
from tests.integration.test_compile import codes, erased, exported, plan, plan_again

HOME, ABROAD = Form(match="phone", home="+49"), Form(match="phone", home="+34", has_leading_zero=False)
NUMBER = st.tuples(st.sampled_from(("49", "43", "1", "351", "34")), st.from_regex(r"[1-9][0-9]{6,10}", fullmatch=True))
BETWEEN = st.sampled_from(("", " ", "-", "/", ".", " / ", "\u00a0", "\u2011", "\t"))


@st.composite
def spelled(draw: st.DrawFn, number: tuple[str, str], home: str = "49") -> str:
    """A number as somebody may have written it."""
    code, rest = number
    at = draw(st.integers(1, len(rest) - 1))
    area, line = rest[:at], rest[at:]
    ways = [
        "+{c}{b}{a}{b}{l}",
        "00{c}{b}{a}{b}{l}",
        "+{c}{b}(0){b}{a}{b}{l}",
        "00{c}{b}(0){a}{b}{l}",
        "(+{c}){b}({a}){b}{l}",
        "(+{c}){b}(0){a}{b}{l}",
        "+({c})[{a}]{b}{l}",
    ]
    ways += ["0{a}{b}{l}", "(0{a}){b}{l}", "(0){a}{b}{l}"] if code == home else []
    return draw(st.sampled_from(ways)).format(c=code, a=area, l=line, b=draw(BETWEEN))


def formed(session: connection, form: Form, *values: str) -> list[str | None]:
    with session.cursor() as cur:
        cur.execute(
            f"select {form.sql('v')} from unnest(%s::text[]) with ordinality as u (v, n) order by n", [[*values]]
        )
        return [value for (value,) in cur.fetchall()]


@settings(max_examples=150)
@given(data=st.data(), number=NUMBER)
def test_all_spellings_of_a_number_have_one_form(
    session: connection, data: st.DataObject, number: tuple[str, str]
) -> None:
    written = [data.draw(spelled(number)) for _ in range(5)]
    assert formed(session, HOME, *written) == [f"+{number[0]}{number[1]}"] * 5


@settings(max_examples=150)
@given(data=st.data(), one=NUMBER, other=NUMBER)
def test_two_numbers_never_have_the_same_form(
    session: connection, data: st.DataObject, one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = formed(session, HOME, data.draw(spelled(one)), data.draw(spelled(other)))
    assert (first == second) is ("".join(one) == "".join(other))


@settings(max_examples=150)
@given(values=st.lists(st.text(alphabet="0123456789+()[]-/. ax\n\u2011\u00a0", max_size=22), max_size=20))
@example(values=["", " ", "+", "00", "0", "()", "n/a", "110", "+49", "++4917012345678", "x" * 10, "0" * 40])
@pytest.mark.parametrize("form", [HOME, ABROAD], ids=["leading zero", "none"])
def test_a_form_has_itself_as_its_form_and_is_a_number_or_nothing(
    session: connection, form: Form, values: list[str]
) -> None:
    once = formed(session, form, *values)
    numbers = [value for value in once if value is not None]
    assert formed(session, form, *numbers) == numbers
    assert all(7 <= len(n) - 1 <= 15 and n[0] == "+" and n[1:].isdecimal() and n[1] != "0" for n in numbers)
    assert not [v for v, n in zip(values, once, strict=True) if n and sum(map(str.isdigit, v)) < len(n) - 3]


@pytest.mark.parametrize(
    "written", ["", "unknown", "110", "1701234567", "0170 1234567 x12", "++49 170 1234567", "0" * 9]
)
def test_what_is_no_number_has_no_form(session: connection, written: str) -> None:
    assert formed(session, HOME, written) == [None]


def test_where_no_zero_is_put_before_a_number_it_is_the_countrys_as_it_stands(session: connection) -> None:
    assert formed(session, ABROAD, "612 345 678", "+34 612345678", "0034 612-345-678") == ["+34612345678"] * 3
    assert formed(session, ABROAD, "+49 170 1234567", "34 612 345 678") == ["+491701234567", "+3434612345678"]


# In a plan ----------------------------------------------------------------------------------------------------------

SCHEMA = """
create schema app;
create table app.users (id bigint primary key, phone text);
create table app.orders (id bigint primary key, guest_phone text, doc jsonb, also text[]);
insert into app.users values (1, '0170 / 111 22 33'), (2, '+49 171 1112233'), (3, ''), (4, 'unknown'),
  (5, '030 5550001'), (6, '+49 30 555-0001');
insert into app.orders values
  (1, '+491701112233', null, null), (2, '0049 (0)171 1112233', null, null), (3, '', null, null),
  (4, 'unknown', null, null), (5, null, '{"by": "(0170) 1112233"}', null), (6, null, null, '{x,0170-1112233}'),
  (7, '01709998877', null, null), (8, '030/5550001', null, null);
"""
HEAD = """
version: 1
controller: {name: x, contact: x, authority: x}
subject: {table: app.users, key: id, identities: {phone: {column: phone, match: {phone: "+49"}}}}
"""
TABLES = """
tables:
  app.users: {}
  app.orders:
    columns: {id: user}
    links: {guest_phone: {identity: phone}, "doc->>'by'": {identity: phone}, "also[]": {identity: phone}}
"""


@pytest.fixture
def cur(site: Site) -> cursor:
    site.cursor.execute(SCHEMA)
    return site.cursor


@pytest.fixture
def kind(cur: cursor) -> Kind:
    return plan(cur, TABLES, HEAD)


def found(cur: cursor, kind: Kind, **person: str | int) -> list[int]:
    return sorted(row["id"] for row in exported(cur, plan_again(cur, kind), "app.orders", person))


def test_a_person_is_found_by_every_spelling_of_their_number_in_columns_documents_and_lists(
    cur: cursor, kind: Kind
) -> None:
    assert found(cur, kind, id=1) == [1, 5, 6]
    assert found(cur, kind, id=2) == [2]
    assert found(cur, kind, phone="0170 999 88 77") == [7]


@pytest.mark.parametrize("person", [3, 4])
def test_whoever_has_no_number_owns_nothing_that_has_none(cur: cursor, kind: Kind, person: int) -> None:
    assert found(cur, kind, id=person) == []


def test_what_is_no_number_names_nobody_and_leaves_the_row_to_its_parent(cur: cursor) -> None:
    cur.execute(
        "alter table app.orders add column user_id bigint; update app.orders set user_id = 3 where id in (3, 4, 7)"
    )
    tables = TABLES.replace("guest_phone: {identity: phone}", "user_id: {}, guest_phone: {identity: phone}")
    assert erased(cur, plan(cur, tables, HEAD), {"id": 3}) == 1, "only 7 is a guest's as well"
    cur.execute("delete from app.orders where id = 7")
    assert erased(cur, plan_again(cur, plan(cur, tables, HEAD)), {"id": 3}) == 0
    cur.execute("select id from app.orders order by id")
    assert [number for (number,) in cur.fetchall()] == [1, 2, 5, 6, 8]


def test_a_number_of_two_people_stops_the_erasure_of_what_it_names(cur: cursor, kind: Kind) -> None:
    assert found(cur, kind, id=5) == [8]
    assert erased(cur, plan_again(cur, kind), {"id": 5}) == 1
    shared = HEAD.replace('"+49"}}', '"+49"}, shared: true}')
    assert erased(cur, plan_again(cur, plan(cur, TABLES, shared)), {"id": 5}) == 0


def test_after_an_erasure_no_spelling_is_left(cur: cursor, kind: Kind) -> None:
    assert erased(cur, kind, {"id": 1}) == 0
    for dataset in kind.datasets:
        for statement in dataset.reads:
            if statement.purpose == "verify":
                cur.execute(statement.sql)
                assert cur.fetchone() == (0,)
    cur.execute("select id from app.orders order by id")
    assert [number for (number,) in cur.fetchall()] == [2, 3, 4, 7, 8]


def meant(cur: cursor, kind: Kind, value: str) -> Identified | NotIdentified:
    cur.execute("drop table if exists pg_temp.gdpr_asked")
    return identify(cur, kind, [Identity(type="phone", value=value)])


@pytest.mark.parametrize("written", ["0170 1112233", "+49 (0)170 111-22-33", "00491701112233"])
def test_a_request_names_a_person_by_any_spelling(cur: cursor, kind: Kind, written: str) -> None:
    said = meant(cur, kind, written)
    assert isinstance(said, Identified)
    assert said.named == {"id": "1"}


@pytest.mark.parametrize("written", ["030 5550001", "+49305550001"])
def test_a_number_of_two_people_is_ambiguous_and_never_the_first(cur: cursor, kind: Kind, written: str) -> None:
    said = meant(cur, kind, written)
    assert isinstance(said, NotIdentified)
    assert said.code == "ambiguous"


@pytest.mark.parametrize("written", ["unknown", "-", "110", "()"])
def test_what_is_no_number_names_nobody_in_a_request(cur: cursor, kind: Kind, written: str) -> None:
    said = meant(cur, kind, written)
    assert isinstance(said, NotIdentified)
    assert said.code == "unknown"


def test_one_guest_is_one_however_they_write_their_number(cur: cursor, kind: Kind) -> None:
    said = [meant(cur, kind, written) for written in ("0170 9998877", "0049 170/999 88 77")]
    assert said[0] == said[1]
    assert isinstance(said[0], Identified)
    assert said[0].named == {"phone": "+491709998877"}


def test_a_number_in_a_column_of_numbers_is_refused(cur: cursor) -> None:
    cur.execute("create table app.n (id bigint primary key, phone bigint)")
    assert codes(cur, f"{TABLES}  app.n: {{links: {{phone: {{identity: phone}}}}, columns: {{id: user}}}}\n", HEAD) == [
        "types"
    ]
    assert codes(cur, TABLES, HEAD.replace("column: phone", "column: id"))[0] == "types"
