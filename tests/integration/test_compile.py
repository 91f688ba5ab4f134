"""The plan where generated worlds do not go: terms that end, redactions, odd types, and everything that is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import attempted, compiled
from datamap.document import Document
from datamap.public_holidays import calendar
from shared.addresses import PostgresAddress
from shared.binding import Value
from shared.catalogue import document
from shared.database import Database
from shared.errors import UnfitValue
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Deadlines, Kind, Plan

HEAD = "version: 1\ncontroller: {name: x, contact: x, authority: x}\n"
SUBJECT = "subject: {table: app.users, key: id, identities: {email: email}, nobody: {id: 0}}\n"
USERS = """
create schema app;
create table app.users (id bigint primary key, email text, name text);
insert into app.users values (0, null, 'Nobody'), (1, 'one@example.org', 'One'), (2, 'two@example.org', 'Two');
"""
TODAY = date(2026, 11, 20)


@pytest.fixture
def cur(postgres: PostgresAddress) -> Iterator[cursor]:
    """A transaction that is never committed, with some users in it."""
    database = Database(postgres, application="gdpr-tests")
    opened = database.connection()
    with opened.cursor() as cur:
        cur.execute(USERS)
        yield cur
    opened.rollback()
    opened.close()


def plan(cur: cursor, tables: str, head: str = HEAD + SUBJECT) -> Kind:
    return compiled(Document.parse(head + tables).map, Catalogue.from_json(document(cur))).kinds[0]


def codes(cur: cursor, tables: str, head: str = HEAD + SUBJECT) -> list[str]:
    """What is wrong with a map, each with its line and column in the file."""
    written = Document.parse(head + tables)
    _, faults = attempted(written.map, Catalogue.from_json(document(cur)))
    placed = written.placed(faults)
    assert all(fault.line for fault in placed)
    return [fault.code for fault in placed]


def bound(cur: cursor, kind: Kind, person: Mapping[str, Value]) -> None:
    bind_persons(cur, kind, [person], today=TODAY)
    for statement in kind.reach:
        cur.execute(statement.sql)


def erased(cur: cursor, kind: Kind, person: Mapping[str, Value]) -> int:
    """Erase; how many rows the guards counted. If any, nothing has been deleted."""
    bound(cur, kind, person)
    guarded = 0
    for statement in kind.erase:
        if guarded and statement.purpose != "guard":
            return guarded
        cur.execute(statement.sql)
        if statement.purpose in ("guard", "recheck"):
            guarded += sum(number for _, number in cur.fetchall())
    return guarded


def exported(cur: cursor, kind: Kind, table: str, person: Mapping[str, Value]) -> list[dict[str, Any]]:
    bound(cur, kind, person)
    rows = []
    for statement in next(dataset for dataset in kind.datasets if dataset.name == table).reads:
        if statement.purpose == "export":
            cur.execute(statement.sql)
            names = [column.name for column in cur.description or ()]
            rows += [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
    return rows


def rows(cur: cursor, table: str) -> list[tuple[Any, ...]]:
    cur.execute(f"select t.* from {table} as t order by 1")
    return cur.fetchall()


INVOICES = """
activities:
  books: {retention: {period: P10Y, from: {column: issued_on, round: year_end}, law: § 147 AO}}
tables:
  app.users: {stub: {}}
  app.invoices: {activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [number, issued_on]}}
"""


def test_a_row_whose_term_has_ended_is_deleted_and_the_others_are_kept_to_the_day(cur: cursor) -> None:
    cur.execute(
        "create table app.invoices (number text primary key, user_id bigint not null references app.users, note text,"
        " issued_on timestamptz);"
        # Kept until the end of 2026, in Berlin: what was issued there on 1 January 2017 is kept for another year.
        " insert into app.invoices values ('a', 1, 'x', '2015-12-31 22:59Z'), ('b', 1, 'x', '2015-12-31 23:00Z'),"
        " ('c', 1, 'x', null), ('d', 2, 'x', '2001-01-01')"
    )
    kind = plan(cur, INVOICES, HEAD.replace("authority: x", "authority: x, timezone: Europe/Berlin") + SUBJECT)
    assert erased(cur, kind, {"id": 1}) == 0
    assert [(number, user, note) for number, user, note, _ in rows(cur, "app.invoices")] == [
        ("b", 1, None),
        ("c", 1, None),
        ("d", 2, "x"),
    ]
    assert rows(cur, "app.users") == [(0, None, "Nobody"), (1, None, None), (2, "two@example.org", "Two")]


def test_a_stub_goes_when_no_kept_row_needs_it(cur: cursor) -> None:
    cur.execute("create table app.invoices (number text, user_id bigint not null references app.users, issued_on date)")
    kind = plan(cur, INVOICES.replace("[number, issued_on]", "[number]"))
    assert erased(cur, kind, {"id": 1}) == 0
    assert [key for key, *_ in rows(cur, "app.users")] == [0, 2]


def test_an_export_leaves_out_what_every_way_to_the_row_redacts_and_nothing_else(cur: cursor) -> None:
    cur.execute(
        "create table app.messages (id bigint, a bigint references app.users, b bigint references app.users, c text);"
        " insert into app.messages values (1, 1, 2, 'from one'), (2, 2, 1, 'from two'), (3, 1, 1, 'to oneself')"
    )
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.messages:\n    links:\n"
        "      a: {erase: unlink, export: {redact: [b]}}\n      b: {erase: unlink, export: {redact: [a]}}\n",
    )
    assert [(row["id"], row["a"], row["b"]) for row in exported(cur, kind, "app.messages", {"id": 1})] == [
        (1, 1, None),
        (3, 1, 1),
        (2, None, 1),
    ]


def test_an_export_withholds_what_is_somebody_elses_and_explains_vectors(cur: cursor) -> None:
    cur.execute("create table app.notes (user_id bigint, body text, about text, embedding float8[])")
    cur.execute("insert into app.notes values (1, 'mine', 'a friend', '{1,2}')")
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.notes:\n    links: {user_id: {}}\n"
        "    columns:\n      body: user\n      about: {category: user, third_party: true}\n"
        "      embedding: {category: user, export: explain}\n",
    )
    assert exported(cur, kind, "app.notes", {"id": 1}) == [{"user_id": 1, "body": "mine"}]
    told = {column.name: column.export for column in kind.datasets[0].columns}
    assert told == {"user_id": "value", "body": "value", "about": "withheld", "embedding": "explained"}


@pytest.mark.parametrize(
    ("key", "column", "written"),
    [
        ("uuid", "varchar(40)", ["0F0E0D0C-0000-4000-8000-00000000000A", "0f0e0d0c00004000800000000000000a"]),
        ("uuid", "uuid", ["0f0e0d0c-0000-4000-8000-00000000000a"]),
        ("bigint", "text", ["42"]),
        ("numeric(10,2)", "text", ["42"]),
        ("bigint", "numeric(20)", ["42"]),
        ("bigint", "smallint", ["42"]),
        ("numeric", "bigint", ["42"]),
        ("text", "bigint", ["42"]),
        ("varchar(10)", "bigint[]", ["{42}"]),
        ("integer", "text[]", ["{7,42}"]),
        ("integer", "smallint[]", ["{42}"]),
        ("bigint", "jsonb", ['{"by": 42}', '{"by": "42"}', '{"by": 42.0}']),
        ("bigint", "json", ['{"by": 42}', '{"by": 42.0}']),
        ("numeric(10,2)", "jsonb", ['{"by": 42}', '{"by": "42"}', '{"by": 42.0}']),
        ("uuid", "jsonb", ['{"by": "0F0E0D0C-0000-4000-8000-00000000000A"}']),
        ("char(6)", "char(6)", ["42"]),
        ("char(6)", "text", ["42"]),
        ("text", "char(6)", ["42"]),
    ],
)
def test_values_meet_across_types(cur: cursor, key: str, column: str, written: list[str]) -> None:
    mine = "0f0e0d0c-0000-4000-8000-00000000000a" if key == "uuid" else "42"
    other = "0f0e0d0c-0000-4000-8000-00000000000b" if key == "uuid" else "142"
    cur.execute(f"create table app.people (id {key} primary key); create table app.notes (n integer, person {column})")
    cur.execute("insert into app.people values (%s), (%s)", (mine, other))
    for number, text in enumerate(written):
        cur.execute("insert into app.notes values (%s, %s)", (number, text))
    cur.execute("insert into app.notes values (99, %s), (100, null)", (written[0].replace("42", "142")[::1],))
    if key == "uuid":
        cur.execute("delete from app.notes where n = 99")
    place = "person[]" if column.endswith("[]") else "person->>'by'" if column.startswith("json") else "person"
    kind = plan(
        cur,
        f'tables:\n  app.people: {{}}\n  app.notes: {{links: {{"{place}": {{}}}}, columns: {{n: user}}}}\n',
        HEAD + "subject: {table: app.people, key: id}\n",
    )
    found = exported(cur, kind, "app.notes", {"id": mine})
    assert sorted(row["n"] for row in found) == list(range(len(written)))
    assert erased(cur, plan_again(cur, kind), {"id": mine}) == 0
    assert [n for n, _ in rows(cur, "app.notes") if n < 99] == []


def plan_again(cur: cursor, kind: Kind) -> Kind:
    """The same plan, for a session in which nobody is bound."""
    cur.execute("select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'")
    for (relation,) in cur.fetchall():
        cur.execute(f"drop table pg_temp.{relation}")
    return kind


def test_a_place_in_json_may_count_into_an_array(cur: cursor) -> None:
    cur.execute("create table app.notes (n integer, doc jsonb)")
    cur.execute("""insert into app.notes values (1, '{"who": [7, 1]}'), (2, '{"who": [1, 7]}')""")
    kind = plan(cur, "tables:\n  app.users: {}\n  app.notes: {links: {\"doc#>>'{who,1}'\": {}}, columns: {n: user}}\n")
    assert [row["n"] for row in exported(cur, kind, "app.notes", {"id": 1})] == [1]


def test_a_partitioned_subject_and_its_partitioned_rows_are_found_once(cur: cursor) -> None:
    cur.execute(
        "create table app.people (id bigint primary key) partition by hash (id);"
        "create table app.people_0 partition of app.people for values with (modulus 2, remainder 0);"
        "create table app.people_1 partition of app.people for values with (modulus 2, remainder 1);"
        "create table app.notes (id bigint, person bigint references app.people) partition by range (id);"
        "create table app.notes_0 partition of app.notes for values from (0) to (10);"
        "create table app.notes_1 partition of app.notes for values from (10) to (20);"
        "insert into app.people select generate_series(1, 9); insert into app.notes select n, 1 + n % 9"
        " from generate_series(0, 19) as n"
    )
    kind = plan(cur, "tables:\n  app.people: {}\n  app.notes: {}\n", HEAD + "subject: {table: app.people, key: id}\n")
    assert len(exported(cur, kind, "app.notes", {"id": 4})) == 2
    assert erased(cur, plan_again(cur, kind), {"id": 4}) == 0
    assert len(rows(cur, "app.notes")) == 18
    assert len(rows(cur, "app.people")) == 8


def test_a_materialised_view_is_refreshed_last_and_a_foreign_place_is_left_to_people(cur: cursor) -> None:
    cur.execute("create materialized view app.names as select name from app.users")
    kind = plan(cur, "tables:\n  app.users: {}\n  app.names: {erase: refresh}\n")
    assert [statement.purpose for statement in kind.erase][-1] == "refresh"
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.names") == [("Nobody",), ("Two",)]


ORDERS = "create table app.orders (id bigint primary key, user_id bigint references app.users, note text)"


@pytest.mark.parametrize(
    ("schema", "tables", "expected"),
    [
        ("", "tables:\n  app.user: {}\n", ["unknown_table"]),
        ("create view app.v as select 1 as one", "tables:\n  app.users: {}\n  app.v: {}\n", ["view"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {links: {user: {}}}\n", ["unknown_column"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {links: {note: {identity: mail}}}\n", ["unknown_identity"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {links: {note: {subject: staff}}}\n", ["unknown_subject"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {links: {note: {to: app.users.name}}}\n", ["reach"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {links: {'note[]': {}}}\n", ["place"]),
        (
            ORDERS,
            "tables:\n  app.users: {}\n  app.orders: {links: {user_id: {when: kind = 'x'}}}\n",
            ["unknown_column"],
        ),
        (
            ORDERS,
            "tables:\n  app.users: {}\n  app.orders: {personal: false, reason: x}\n",
            ["names_a_person"],
        ),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: undecided\n", ["undecided"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: keep}\n", ["keep"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {shared: true, erase: delete}\n", ["reach"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: refresh}\n", ["refresh"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {note: hash}}\n", ["pseudonym"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {id: null}}\n", ["not_null"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {id: random}}\n", ["random"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {id: empty}}\n", ["empty"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {note: nobody}}\n", ["nobody"]),
        (ORDERS, "tables:\n  app.users: {}\n  app.orders: {erase: {nothing: null}}\n", ["unknown_column"]),
        (
            ORDERS.replace(
                "note text", "by bigint not null references app.users, at bigint not null references app.users"
            ),
            "tables:\n  app.users: {}\n  app.orders: {}\n",
            ["two_people"],
        ),
        (
            ORDERS + "; create table app.logs (id bigint, order_id bigint references app.orders on delete cascade)",
            "tables:\n  app.users: {}\n  app.orders: {}\n  app.logs: {personal: false, reason: x}\n",
            ["cascade_undecided"],
        ),
        (
            ORDERS + "; create table app.logs (id bigint, order_id bigint references app.orders on delete set null)",
            "tables:\n  app.users: {}\n  app.orders: {}\n",
            ["cascade_undecided"],
        ),
        ("create table app.logs (id bigint)", "tables:\n  app.users: {}\n  app.logs: {}\n", ["unreached"]),
        (
            "create table app.logs (at date)",
            "tables:\n  app.users: {}\n  app.logs: {links: {at: {}}}\n",
            ["types"],
        ),
        (
            "create table app.logs (id bigint) partition by range (id);"
            " create table app.logs_1 partition of app.logs for values from (1) to (2)",
            "tables:\n  app.users: {}\n  app.logs_1: {personal: false, reason: x}\n",
            ["partition"],
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(cur: cursor, schema: str, tables: str, expected: list[str]) -> None:
    if schema:
        cur.execute(schema)
    assert codes(cur, tables) == expected


def test_a_plan_is_the_same_wherever_and_whenever_it_is_compiled(cur: cursor, tmp_path: Path) -> None:
    cur.execute(ORDERS)
    text = HEAD + SUBJECT + "tables:\n  app.users: {}\n  app.orders: {}\n"
    catalogue = document(cur)
    (tmp_path / "map.yaml").write_text(text)
    (tmp_path / "catalogue.json").write_text(catalogue)
    code = (
        "import sys; from pathlib import Path; from datamap.document import Document;"
        " from datamap.catalogue import Catalogue; from datamap.compile.plan import compiled;"
        " folder = Path(sys.argv[1]); print(compiled(Document.read(folder / 'map.yaml').map,"
        " Catalogue.from_json((folder / 'catalogue.json').read_text())).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert digests == {compiled(Document.parse(text).map, Catalogue.from_json(catalogue)).digest}


@pytest.mark.parametrize("change", ["the map", "the catalogue"])
def test_a_plan_changes_with_the_map_and_with_the_catalogue(cur: cursor, change: str) -> None:
    cur.execute(ORDERS)
    tables = "tables:\n  app.users: {}\n  app.orders: {}\n"
    before = compiled(Document.parse(HEAD + SUBJECT + tables).map, Catalogue.from_json(document(cur)))
    if change == "the map":
        tables = tables.replace("app.orders: {}", "app.orders: {erase: {note: null}}")
    else:
        cur.execute("create table app.unrelated (id bigint)")
    after = compiled(Document.parse(HEAD + SUBJECT + tables).map, Catalogue.from_json(document(cur)))
    assert before.digest != after.digest
    assert (before.map_digest == after.map_digest) == (change == "the catalogue")


def test_how_a_map_is_written_makes_no_difference(cur: cursor) -> None:
    one = HEAD + SUBJECT + "tables:\n  app.users: {erase: delete}\n"
    other = one.replace("{erase: delete}", "\n    erase: delete # what else").replace("key: id", "key: [id]")
    plans = [compiled(Document.parse(text).map, Catalogue.from_json(document(cur))) for text in (one, other)]
    assert plans[0].digest == plans[1].digest


def test_a_plan_survives_its_journey_as_json(cur: cursor) -> None:
    cur.execute(ORDERS)
    text = HEAD + SUBJECT + "tables:\n  app.users: {}\n  app.orders: {}\n"
    whole = compiled(Document.parse(text).map, Catalogue.from_json(document(cur)))
    assert Plan.from_json(whole.as_json()) == whole
    assert Plan.from_json(whole.as_json()).digest == whole.digest
    with pytest.raises(ValueError, match="another format"):
        Plan.from_json(json.dumps({**json.loads(whole.as_json()), "format": 1}))


def test_a_plan_holds_what_deadlines_are_computed_by(cur: cursor) -> None:
    told = "authority: x, timezone: Europe/Berlin, holidays: DE-BY, pauses: off"
    text = HEAD + SUBJECT + "tables:\n  app.users: {erase: delete}\n"
    plans = [
        compiled(Document.parse(each).map, Catalogue.from_json(document(cur)))
        for each in (text, text.replace("authority: x", told))
    ]
    assert plans[0].deadlines == Deadlines(zone="UTC", policy="gdpr-2018@1", calendar=None)
    assert plans[1].deadlines == Deadlines(
        zone="Europe/Berlin", policy="gdpr-2018-unpaused@1", calendar=calendar("DE-BY")
    )
    assert Plan.from_json(plans[1].as_json()) == plans[1]


Loader = Callable[[], None]


def test_a_function_loads_a_plan_without_what_compiles_it() -> None:
    code = "import sys; import shared.active_plan, shared.person; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "pydantic", "yaml", "datamap", "click", "rich"} & set(loaded)


def test_of_two_tenants_with_the_same_ids_one_person_is_matched(cur: cursor) -> None:
    """R96: the key is the pair, and a pair is compared as one."""
    cur.execute(
        "create table app.people (tenant_id integer, id integer, email text, primary key (tenant_id, id));"
        "create table app.notes (n integer primary key, tenant_id integer, person integer,"
        " foreign key (tenant_id, person) references app.people);"
        "create table app.lines (n integer references app.notes, text text);"
        "insert into app.people select t, n, null from generate_series(1, 2) as t, generate_series(1, 3) as n;"
        "insert into app.notes select 10 * t + n, t, n from generate_series(1, 2) as t, generate_series(1, 3) as n;"
        "insert into app.notes values (90, 1, null), (91, null, 2); insert into app.lines select n from app.notes"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.notes: {}\n  app.lines: {}\n",
        HEAD + "subject: {table: app.people, key: [tenant_id, id]}\n",
    )
    assert [row["n"] for row in exported(cur, kind, "app.notes", {"tenant_id": 1, "id": 2})] == [12]
    assert erased(cur, plan_again(cur, kind), {"tenant_id": 1, "id": 2}) == 0
    assert [n for n, *_ in rows(cur, "app.notes")] == [11, 13, 21, 22, 23, 90, 91]
    assert [n for n, _ in rows(cur, "app.lines")] == [11, 13, 21, 22, 23, 90, 91]
    assert [key[:2] for key in rows(cur, "app.people")] == [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3)]


# What reviewers broke ----------------------------------------------------------------------------------------------

NOTES = (
    "create table app.o (id bigint primary key, user_id bigint references app.users); insert into app.o values (1, 1);"
)


@pytest.mark.parametrize(
    ("schema", "links"),
    [
        # A condition says whom a foreign key names, and not whom its ON DELETE reaches.
        (
            "create table app.n (kind text, o_id bigint references app.o on delete cascade, user_id bigint);"
            " insert into app.n values ('other', 1, 2)",
            "{o_id: {when: kind = 'mine'}, user_id: {}}",
        ),
        # Nor does it matter what else the map says of its column.
        (
            "create unique index on app.users (email);"
            " create table app.n (id bigint, mail text references app.users (email) on delete cascade, user_id bigint);"
            " insert into app.n values (1, 'one@example.org', 2)",
            "{mail: {identity: email, role: reference}, user_id: {}}",
        ),
        (
            "create table app.n (x bigint references app.users on delete cascade, user_id bigint);"
            " insert into app.n values (1, 2)",
            "{x: {to: app.o.id, role: reference}, user_id: {}}",
        ),
        # Several parents in one array may have several owners.
        (
            "insert into app.o values (2, 2); create table app.n (id bigint, o bigint[]);"
            " insert into app.n values (1, '{1,2}')",
            "{'o[]': {to: app.o.id}}",
        ),
        (
            "insert into app.o values (2, 2); create table app.n (id bigint, j jsonb);"
            """ insert into app.n values (1, '{"o": [{"id": 1}, {"id": 2}]}')""",
            "{\"j->'o'[]->>'id'\": {to: app.o.id}}",
        ),
    ],
)
def test_a_strangers_row_stops_the_erasure(cur: cursor, schema: str, links: str) -> None:
    cur.execute(NOTES + schema)
    kind = plan(cur, f"tables:\n  app.users: {{}}\n  app.o: {{}}\n  app.n:\n    links: {links}\n")
    before = rows(cur, "app.n")
    assert erased(cur, kind, {"id": 1}) > 0
    assert rows(cur, "app.n") == before


@pytest.mark.parametrize(
    "link", ["u, t: {to: 'app.people.id, tenant_id'}", "t, u: {subject: person}", "u, t: {subject: person}", "u, t: {}"]
)
def test_columns_of_a_key_are_compared_each_with_its_own(cur: cursor, link: str) -> None:
    cur.execute(
        "create table app.people (tenant_id bigint, id bigint, primary key (tenant_id, id));"
        "insert into app.people values (1, 2), (2, 1); create table app.n (n integer primary key, u bigint, t bigint,"
        " foreign key (t, u) references app.people (tenant_id, id)); insert into app.n values (12, 2, 1), (21, 1, 2)"
    )
    name, _, said = link.partition(": ")
    kind = plan(
        cur,
        f'tables:\n  app.people: {{}}\n  app.n: {{links: {{"{name}": {said}}}}}\n',
        HEAD + "subject: {table: app.people, key: [tenant_id, id]}\n",
    )
    assert [row["n"] for row in exported(cur, kind, "app.n", {"tenant_id": 1, "id": 2})] == [12]


def test_of_rows_acted_on_nothing_is_shown_but_that_they_are_there(cur: cursor) -> None:
    cur.execute(
        "create table app.n (owner_id bigint, n integer, doc jsonb, seen bigint[], primary key (owner_id, n));"
        """ insert into app.n values (2, 7, '{"by": 1, "diagnosis": "x"}', '{1,2}')"""
    )
    kind = plan(
        cur, "tables:\n  app.users: {}\n  app.n: {links: {owner_id: {}, \"doc->>'by'\": actor, 'seen[]': actor}}\n"
    )
    bound(cur, kind, {"id": 1})
    for statement in (s for dataset in kind.datasets for s in dataset.reads if s.purpose == "acted"):
        cur.execute(statement.sql)
        assert (cur.fetchall(), [column.name for column in cur.description or ()]) == ([(7,)], ["n"])


def test_a_key_that_others_point_at_is_not_changed(cur: cursor) -> None:
    schema = (
        "create table app.a (id bigint primary key, code text unique, user_id bigint);"
        "create table app.b (code text references app.a (code) on update set null, user_id bigint)"
    )
    tables = (
        "tables:\n  app.users: {}\n  app.a: {links: {user_id: {}}, erase: {code: random}}\n"
        "  app.b: {links: {user_id: {}}}\n"
    )
    cur.execute(schema)
    assert codes(cur, tables) == ["referenced"]


def test_an_element_taken_out_by_its_number_leaves_a_gap_and_no_neighbour(cur: cursor) -> None:
    cur.execute("create table app.n (id integer, doc jsonb); insert into app.n values (1, '[\"x\", 1, 2]')")
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.n: {personal: false, reason: x, links: {\"doc#>>'{1}'\": actor}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.n") == [(1, ["x", None, 2])]


def test_a_not_null_that_was_never_validated_proves_nothing(cur: cursor) -> None:
    if cur.connection.server_version < 180000:
        pytest.skip("NOT NULL NOT VALID came with Postgres 18")
    cur.execute(
        NOTES + "create table app.n (id integer, o_id bigint references app.o, user_id bigint);"
        "insert into app.n values (1, 1, null); alter table app.n add constraint late not null user_id not valid"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.o: {}\n  app.n: {links: {user_id: {}}}\n")
    assert [row["id"] for row in exported(cur, kind, "app.n", {"id": 1})] == [1]


def test_a_trigger_that_counts_does_not_hide_rows_from_the_erasure(cur: cursor) -> None:
    cur.execute(
        "create table app.posts (id bigint primary key, user_id bigint references app.users, answers int default 0);"
        "create table app.answers (id bigint primary key, post_id bigint references app.posts);"
        "create function app.recount() returns trigger language plpgsql as $$ begin"
        " update app.posts set answers = answers - 1 where id = old.post_id; return old; end $$;"
        "create trigger recount after delete on app.answers for each row execute function app.recount();"
        "insert into app.posts values (1, 1, 2), (2, 2, 0); insert into app.answers values (1, 1), (2, 1), (3, 2)"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.posts: {}\n  app.answers: {}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    assert (rows(cur, "app.posts"), rows(cur, "app.answers")) == ([(2, 2, 0)], [(3, 2)])


def test_views_are_refreshed_after_what_they_show(cur: cursor) -> None:
    cur.execute(
        "create materialized view app.z as select id, name from app.users;"
        "create materialized view app.a as select name from app.z"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.z: {erase: refresh}\n  app.a: {erase: refresh}\n")
    assert [s.dataset for s in kind.erase if s.purpose == "refresh"] == ["app.z", "app.a"]
    assert erased(cur, kind, {"id": 1}) == 0
    assert ("One",) not in rows(cur, "app.a")


@pytest.mark.parametrize("key", ["date", "timestamptz", "inet", "interval"])
def test_a_key_that_is_none_is_refused_before_a_cast_could_quote_it(cur: cursor, key: str) -> None:
    cur.execute(f"create table app.people (id {key} primary key)")
    kind = plan(cur, "tables:\n  app.people: {}\n", HEAD + "subject: {table: app.people, key: id}\n")
    with pytest.raises(UnfitValue, match="none of its column's type"):
        bind_persons(cur, kind, [{"id": "Max Mustermann"}], today=TODAY)


def test_what_is_erased_by_hand_hands_its_owner_on(cur: cursor) -> None:
    cur.execute(
        NOTES + "create table app.n (id integer, o_id bigint references app.o); insert into app.n values (1, 1)"
    )
    kind = plan(
        cur,
        "tables:\n  app.users: {erase: {name: null}}\n  app.o: {erase: external_manual, reason: x}\n"
        "  app.n: {links: {o_id: {erase: delete}}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.n") == []


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ("{k: {when: state = 'lost'}}", "when_value"),
        ("{k: {when: n = 'x'}}", "when_value"),
        ("{k: {when: b = 'maybe'}}", "when_value"),
        ("{'k, n': {identity: email}}", "partial_key"),
        ("{'t::jsonb': {}}", "place"),
        ("{'k, k': {}}", "place"),
    ],
)
def test_a_link_that_could_not_be_compiled_is_told(cur: cursor, links: str, code: str) -> None:
    cur.execute(
        "create type app.state as enum ('open');"
        " create table app.n (k bigint, n integer, b boolean, t text, state app.state)"
    )
    assert codes(cur, f"tables:\n  app.users: {{}}\n  app.n: {{links: {links}}}\n") == [code]


def test_a_key_of_two_columns_is_spelled_apart_in_each(cur: cursor) -> None:
    cur.execute(
        "create table app.people (tenant bigint, id uuid, primary key (tenant, id));"
        "create table app.n (n integer, t text, u text);"
        "insert into app.people values (1, '0f0e0d0c-0000-4000-8000-00000000000a'),"
        " (2, '0f0e0d0c-0000-4000-8000-00000000000a');"
        "insert into app.n values (1, '1', '0F0E0D0C-0000-4000-8000-00000000000A'),"
        " (2, '2', '0f0e0d0c00004000800000000000000a')"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.n: {links: {'t, u': {subject: person}}, columns: {n: user}}\n",
        HEAD + "subject: {table: app.people, key: [tenant, id]}\n",
    )
    person: dict[str, Value] = {"tenant": 1, "id": "0f0e0d0c-0000-4000-8000-00000000000a"}
    assert [row["n"] for row in exported(cur, kind, "app.n", person)] == [1]


# What the extension citext makes, on a server that may not have it.
CITEXT = """
create schema ext;
create type ext.citext;
create function ext.citextin(cstring) returns ext.citext language internal immutable strict as 'textin';
create function ext.citextout(ext.citext) returns cstring language internal immutable strict as 'textout';
create type ext.citext (input = ext.citextin, output = ext.citextout, like = text, category = 'S', collatable = true);
create cast (ext.citext as text) without function as implicit;
create cast (text as ext.citext) without function as assignment;
create function ext.eq(ext.citext, ext.citext) returns boolean language sql immutable strict
  as 'select lower($1::text) = lower($2::text)';
create function ext.hash(ext.citext) returns integer language sql immutable strict
  as 'select hashtext(lower($1::text))';
create operator ext.= (
  leftarg = ext.citext, rightarg = ext.citext, function = ext.eq, commutator = operator(ext.=), hashes
);
create operator class ext.ops default for type ext.citext using hash
  as operator 1 ext.=, function 1 ext.hash(ext.citext);
"""


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("kind = 'user'", [1, 2]),
        ("kind in ('user', 'guest')", [1, 2, 3]),
        ("kind <> 'user'", [3]),
        ("kind not in ('USER', 'Robot')", [3]),
    ],
)
def test_a_condition_compares_as_the_column_does(cur: cursor, when: str, found: list[int]) -> None:
    cur.execute(
        CITEXT + "create table app.n (n integer, kind ext.citext, k int);"
        " insert into app.n values (1, 'User', 1), (2, 'user', 1), (3, 'Guest', 1), (4, null, 1)"
    )
    kind = plan(
        cur, f'tables:\n  app.users: {{}}\n  app.n: {{links: {{k: {{when: "{when}"}}}}, columns: {{n: user}}}}\n'
    )
    assert sorted(row["n"] for row in exported(cur, kind, "app.n", {"id": 1})) == found


@pytest.mark.parametrize("held", ["bigint", "integer", "text"])
def test_an_index_finds_what_holds_one_of_many_parents(cur: cursor, held: str) -> None:
    cur.execute(
        NOTES + f"create table app.n (id bigint primary key, o {held}[]); create index held on app.n using gin (o);"
        "insert into app.o values (2, 2); insert into app.n values (1, '{1}'), (2, '{2}'), (3, '{7,1}'), (4, null)"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.o: {}\n  app.n: {links: {'o[]': {to: app.o.id}}}\n")
    bound(cur, kind, {"id": 1})
    cur.execute("set local enable_seqscan = off")
    unserved = []
    for statement in kind.erase:
        if statement.purpose in ("capture", "guard") and "app.n as t" in statement.sql:
            cur.execute(f"explain {statement.sql}")
            text = "\n".join(line for (line,) in cur.fetchall())
            unserved += [] if "on held" in text or "gdpr_place" in text else [text]
        if statement.purpose == "prepare":
            cur.execute(statement.sql)
    assert not unserved
    assert erased(cur, plan_again(cur, kind), {"id": 1}) == 0
    assert [key for key, _ in rows(cur, "app.n")] == [2, 4]


UNREADABLE = [
    r'{"by": %s, "x": "\u0000"}',
    r'{"by": %s, "x": "a\\\u0000\u0000"}',
    r'{"by": %s, "x": "\ud800"}',
    r'{"by": %s, "x": "\uDE00 \ud83d\ude00"}',
    r'{"by": %s, "x": "\\ud83d\ude00"}',
]


@pytest.mark.parametrize("column", ["json", "text"])
@pytest.mark.parametrize("erase", ["delete", "unlink"])
def test_what_jsonb_does_not_take_stops_nobody_and_hides_nothing(cur: cursor, column: str, erase: str) -> None:
    cur.execute(f"create table app.n (n integer primary key, doc {column})")
    for number, text in enumerate([*UNREADABLE, '{"by": %s}']):
        cur.execute("insert into app.n values (%s, %s), (%s, %s)", (number, text % 1, number + 10, text % 2))
    if column == "text":
        cur.execute("insert into app.n values (20, 'by 1'), (21, ''), (22, null), (23, repeat('[', 100000))")
    else:
        cur.execute("insert into app.n values (23, (repeat('[', 16300) || repeat(']', 16300))::json)")
    place = "doc->>'by'" if column == "json" else "doc::jsonb->>'by'"
    kind = plan(
        cur,
        f'tables:\n  app.users: {{}}\n  app.n: {{links: {{"{place}": {{erase: {erase}}}}}, columns: {{n: user}}}}\n',
    )
    assert [row["n"] for row in exported(cur, kind, "app.n", {"id": 1})] == [0, 1, 2, 3, 4, 5]
    before = dict(rows(cur, "(select n, doc::text from app.n)"))
    assert erased(cur, plan_again(cur, kind), {"id": 1}) == 0
    after = dict(rows(cur, "(select n, doc::text from app.n)"))
    assert {n: doc for n, doc in after.items() if n > 5} == {n: doc for n, doc in before.items() if n > 5}
    assert [n for n, doc in after.items() if n <= 5 and '"by"' in (doc or "")] == []


def test_a_json_document_is_searched_by_its_index(cur: cursor) -> None:
    cur.execute("create table app.n (n integer, doc json)")
    written = "tables:\n  app.users: {}\n  app.n: {links: {\"doc->>'by'\": {}}, columns: {n: user}}\n"

    def searched() -> str:
        kind = plan(cur, written)
        return next(s.sql for d in kind.datasets for s in d.reads if d.name == "app.n" and s.purpose == "export")

    assert "pg_input_is_valid" in searched()
    cur.execute("create index on app.n ((doc->>'by')) where n > 1")
    assert "pg_input_is_valid" in searched()
    cur.execute("create index on app.n ((doc->>'by'))")
    assert "pg_input_is_valid" not in searched()


def test_many_links_in_one_document_are_taken_away_each(cur: cursor) -> None:
    cur.execute("create table app.n (n integer, doc jsonb)")

    def statement(number: int) -> Kind:
        links = ", ".join(f"\"doc->>'k{k}'\": {{erase: unlink}}" for k in range(number))
        return plan(cur, f"tables:\n  app.users: {{}}\n  app.n: {{links: {{{links}}}, columns: {{n: user}}}}\n")

    def size(number: int) -> int:
        return sum(len(each.sql) for each in statement(number).erase if each.purpose == "change")

    assert size(12) < 2.5 * size(6)
    people = {f"k{k}": k % 2 + 1 for k in range(12)}
    cur.execute("insert into app.n values (1, %s)", (json.dumps(people | {"x": 1}),))
    assert erased(cur, statement(12), {"id": 1}) == 0
    assert rows(cur, "app.n") == [(1, {key: person for key, person in people.items() if person == 2} | {"x": 1})]


def test_a_column_may_be_called_like_a_word_of_the_plan(cur: cursor) -> None:
    cur.execute(
        'create table app.people ("e.v" bigint primary key, "t.s1.v" text); create table app.n (n integer, doc jsonb);'
        """insert into app.people values (1, 'a'), (2, 'b'); insert into app.n values (1, '{"w": ["a", "b"]}')"""
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.n:\n    columns: {n: user}\n"
        "    links: {\"doc->'w'[]\": {identity: name, erase: unlink}}\n",
        HEAD + "subject: {table: app.people, key: e.v, identities: {name: t.s1.v}}\n",
    )
    assert erased(cur, kind, {"e.v": 1}) == 0
    assert rows(cur, "app.n") == [(1, {"w": ["b"]})]


@pytest.mark.parametrize("key", ["id bigint primary key", "id bigint not null unique", "id bigint"])
def test_a_row_that_a_trigger_moved_is_found_by_what_names_it(cur: cursor, key: str) -> None:
    cur.execute(
        f"create table app.posts ({key}, user_id bigint references app.users, answers int default 0);"
        "create table app.answers (id bigint primary key, post_id bigint, user_id bigint references app.users);"
        "create function app.recount() returns trigger language plpgsql as $$ begin"
        " update app.posts set answers = answers - 1 where id = old.post_id; return old; end $$;"
        "create trigger recount after delete on app.answers for each row execute function app.recount();"
        "insert into app.posts values (1, 1, 2), (2, 2, 0); insert into app.answers values (1, 1, 1), (3, 2, 2)"
    )
    tables = "tables:\n  app.users: {}\n  app.posts: {}\n  app.answers: {}\n"
    if key == "id bigint":
        assert codes(cur, tables) == ["no_row_key"]
    else:
        assert codes(cur, tables) == []
        assert erased(cur, plan(cur, tables), {"id": 1}) == 0
        assert (rows(cur, "app.posts"), rows(cur, "app.answers")) == ([(2, 2, 0)], [(3, 2, 2)])


def test_a_key_that_finds_rows_again_is_no_part_of_a_stub(cur: cursor) -> None:
    cur.execute(
        "create table app.places (id bigint unique, mail text not null unique, user_id bigint references app.users);"
        "create table app.bills (n integer primary key, place bigint not null references app.places (id), due date);"
        "insert into app.places values (1, 'one@example.org', 1); insert into app.bills values (1, 1, '2026-01-01')"
    )
    written = (
        "activities:\n  books: {retention: {period: P10Y, from: {column: due}, law: § 147 AO}}\n"
        "tables:\n  app.users: {}\n  app.places: {stub: {mail: {value: gone}}}\n"
        "  app.bills: {activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [due]}}\n"
    )
    assert erased(cur, plan(cur, written), {"id": 1}) == 0
    assert rows(cur, "app.places") == [(1, "gone", None)]
    assert codes(cur, written.replace("{mail: {value: gone}}", "{}")) == ["not_null"]


def test_a_random_text_is_as_long_as_its_domain_lets_it_be(cur: cursor) -> None:
    cur.execute(
        "create domain app.short as varchar(10) check (value <> ''); create domain app.shorter as app.short;"
        "create table app.n (id bigint primary key, user_id bigint, a app.shorter not null, b char(4) not null);"
        "insert into app.n values (1, 1, 'one', 'one'), (2, 1, 'uno', 'uno'), (3, 2, 'two', 'two')"
    )
    kind = plan(
        cur, "tables:\n  app.users: {}\n  app.n: {links: {user_id: {erase: {user_id: null, a: random, b: random}}}}\n"
    )
    assert erased(cur, kind, {"id": 1}) == 0
    found = {key: (a, b) for key, _, a, b in rows(cur, "app.n")}
    assert found[3] == ("two", "two ")
    assert len({*found[1], *found[2]}) == 4
    assert {len(text) for text in (*found[1], *found[2])} == {10, 4}


def test_an_identity_column_that_no_update_may_set_is_refused(cur: cursor) -> None:
    cur.execute("create table app.n (user_id bigint, s integer generated always as identity, note text)")
    links = "{user_id: {erase: {s: {value: 1}, note: null}}}"
    assert codes(cur, f"tables:\n  app.users: {{}}\n  app.n: {{links: {links}}}\n") == ["generated"]


def test_a_stub_keeps_the_number_that_no_update_may_set(cur: cursor) -> None:
    cur.execute(
        "create table app.accounts (id bigint primary key, s bigint generated always as identity, name text,"
        " user_id bigint references app.users);"
        "create table app.bills (n integer primary key, account_id bigint not null references app.accounts, due date);"
        "insert into app.accounts values (5, default, 'One', 1); insert into app.bills values (1, 5, '2026-01-01')"
    )
    written = (
        "activities:\n  books: {retention: {period: P10Y, from: {column: due}, law: § 147 AO}}\n"
        "tables:\n  app.users: {stub: {}}\n  app.accounts: {stub: {}}\n"
        "  app.bills: {activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [due]}}\n"
    )
    assert erased(cur, plan(cur, written), {"id": 1}) == 0
    assert rows(cur, "app.accounts") == [(5, 1, None, None)]


def test_a_table_of_an_extension_that_hangs_from_ours_is_seen(cur: cursor) -> None:
    cur.execute(
        "create extension if not exists vector;"
        "create table app.ext (id bigint references app.users on delete cascade);"
        "create table app.own (id bigint); alter extension vector add table app.ext;"
        "alter extension vector add table app.own"
    )
    assert codes(cur, "tables:\n  app.users: {}\n") == ["cascade_undecided"]
    seen = [str(table.name) for table in Catalogue.from_json(document(cur))]
    assert ("app.ext" in seen, "app.own" in seen) == (True, False)


def test_what_was_written_while_its_parent_went_is_found_by_the_verification(cur: cursor) -> None:
    cur.execute(NOTES + "create table app.n (o_id bigint, note text); insert into app.n values (1, 'x'), (7, 'y')")
    kind = plan(cur, "tables:\n  app.users: {}\n  app.o: {}\n  app.n: {links: {o_id: {to: app.o.id}}}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    gone = read_gone(cur, kind)
    cur.execute("insert into app.n values (1, 'late')")
    bound(cur, plan_again(cur, kind), {"id": 1})
    bind_gone(cur, kind, json.loads(json.dumps(gone)))
    found = {}
    for dataset in kind.datasets:
        for statement in dataset.reads:
            if statement.purpose == "verify":
                cur.execute(statement.sql)
                found[dataset.name, statement.link] = (cur.fetchone() or (0,))[0]
    assert {place: number for place, number in found.items() if number} == {("app.n", "o_id"): 1}


def test_a_column_that_knows_no_capitals_asks_for_an_identity_that_knows_none(cur: cursor) -> None:
    cur.execute(CITEXT + "create table app.n (id bigint primary key, mail ext.citext)")
    cur.execute("insert into app.n values (1, 'one@example.org'), (2, 'ONE@example.org')")
    tables = "tables:\n  app.users: {}\n  app.n: {links: {mail: {identity: email}}, columns: {id: user}}\n"
    assert [row["id"] for row in exported(cur, plan(cur, tables), "app.n", {"id": 1})] == [1]
    assert codes(cur, tables) == ["capitals"]
    assert codes(cur, tables, HEAD + SUBJECT.replace("email: email", "email: {column: email, match: folded}")) == []


def test_a_key_in_a_text_is_the_number_that_it_writes_and_the_uuid_in_any_spelling(cur: cursor) -> None:
    cur.execute(
        "create table app.people (id text primary key); create table app.n (n integer, number bigint, mark uuid);"
        "insert into app.people values ('42'), ('042'), ('0F0E0D0C-0000-4000-8000-00000000000A');"
        "insert into app.n values (1, 42, null), (2, null, '0f0e0d0c-0000-4000-8000-00000000000a')"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.n: {links: {number: {subject: person}, mark: {subject: person}},"
        " columns: {n: user}}\n",
        HEAD + "subject: {table: app.people, key: id}\n",
    )
    found = {}
    for key in ("42", "042", "0F0E0D0C-0000-4000-8000-00000000000A"):
        found[key] = [row["n"] for row in exported(cur, plan_again(cur, kind), "app.n", {"id": key})]
    assert list(found.values()) == [[1], [], [2]]


def test_texts_of_two_collations_meet(cur: cursor) -> None:
    cur.execute(
        'create table app.people (id bigint primary key, email text collate "C" unique);'
        'create table app.o (code text collate "C" primary key, user_id bigint references app.people);'
        "create table app.n (n integer primary key, mail text collate ucs_basic, code text collate ucs_basic);"
        "insert into app.people values (1, 'one'), (2, 'two'); insert into app.o values ('a', 1), ('b', 2);"
        "insert into app.n values (1, 'one', null), (2, null, 'a'), (3, 'two', null), (4, null, 'b')"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.o: {}\n"
        "  app.n: {links: {mail: {identity: email}, code: {to: app.o.code}}, columns: {n: user}}\n",
        HEAD + "subject: {table: app.people, key: id, identities: {email: email}}\n",
    )
    assert sorted(row["n"] for row in exported(cur, kind, "app.n", {"id": 1})) == [1, 2]
    assert erased(cur, plan_again(cur, kind), {"id": 1}) == 0
    assert [n for n, *_ in rows(cur, "app.n")] == [3, 4]


@pytest.mark.parametrize("held", ["bigint", "smallint", "text"])
def test_an_index_finds_where_a_person_is_one_of_many(cur: cursor, held: str) -> None:
    cur.execute(f"create table app.n (id bigint primary key, o {held}[]); create index held on app.n using gin (o)")
    kind = plan(cur, "tables:\n  app.users: {}\n  app.n: {links: {'o[]': {erase: unlink}}}\n")
    bound(cur, kind, {"id": 1})
    cur.execute("set local enable_seqscan = off")
    (count,) = (s for d in kind.datasets for s in d.reads if d.name == "app.n" and s.purpose == "count")
    cur.execute(f"explain {count.sql}")
    assert "on held" in "\n".join(line for (line,) in cur.fetchall())


def test_an_empty_text_among_addresses_is_nobody_else(cur: cursor) -> None:
    cur.execute("create table app.n (id bigint primary key, mails text[])")
    cur.execute(
        "insert into app.n values (1, %s), (2, %s)", (["one@example.org", "", None], ["one@example.org", "x@y.z"])
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.n: {links: {'mails[]': {identity: email}}}\n")
    assert erased(cur, kind, {"id": 1}) == 1


@pytest.mark.parametrize(("others", "stopped"), [(7, 0), (49, 1)])
def test_a_number_within_json_that_another_has_too_stops_the_erasure(cur: cursor, others: int, stopped: int) -> None:
    cur.execute("create table app.people (id bigint primary key, phone bigint); create table app.n (doc jsonb)")
    cur.execute("insert into app.people values (1, 49), (2, %s)", (others,))
    cur.execute("""insert into app.n values ('{"calls": [49]}')""")
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.n: {links: {\"doc->'calls'[]\": {identity: phone}}}\n",
        HEAD + "subject: {table: app.people, key: id, identities: {phone: phone}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == stopped


@pytest.mark.parametrize(
    ("column", "place", "held", "left"),
    [
        ("bigint[]", "o[]", "{7,1,8,null}", [1, 8, None]),
        ("jsonb", "o[]", "[7, 1, 8]", [1, 8]),
        ("text", "o::jsonb[]", "[7, 1, 8]", "[1, 8]"),
        ("jsonb", "o->'of'[]->>'id'", '{"of": [{"id": 7}, {"id": 1}]}', {"of": [{}, {"id": 1}]}),
    ],
)
@pytest.mark.parametrize("key", ["id", "number"])
def test_of_many_parents_the_one_that_goes_is_taken_away(
    cur: cursor, key: str, column: str, place: str, held: str, left: object
) -> None:
    cur.execute(
        f"create table app.o ({key} bigint primary key, user_id bigint references app.users);"
        f"insert into app.o values (7, 1), (1, 2), (8, 2); create table app.n (k int primary key, o {column})"
    )
    cur.execute("insert into app.n values (1, %s)", (held,))
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.o: {}\n  app.n: {personal: false, reason: x,"
        f' links: {{"{place}": {{to: app.o.{key}, role: reference, erase: unlink}}}}}}\n',
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.n") == [(1, left)]


def test_whoever_stands_in_a_table_that_inherits_from_the_peoples_is_somebody_else(cur: cursor) -> None:
    cur.execute(
        "create table app.admins () inherits (app.users); insert into app.admins values (1, 'boss@example.org', 'B');"
        "create table app.leads (k int primary key, mail text);"
        "insert into app.leads values (1, 'one@example.org'), (2, 'boss@example.org')"
    )
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.admins: {personal: false, reason: x}\n"
        "  app.leads: {links: {mail: {identity: email}}, columns: {k: user}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.leads") == [(2, "boss@example.org")]
    cur.execute("select count(*) from only app.admins")
    assert cur.fetchone() == (1,)


def test_what_one_link_made_a_scalar_another_takes_nothing_out_of(cur: cursor) -> None:
    cur.execute(
        """create table app.n (k int primary key, d jsonb); insert into app.n values (1, '{"a": 1, "b": [1]}')"""
    )
    links = (
        "{\"d->>'a'\": {erase: {d: {value: '\"gone\"'}}}, \"d->'b'[]\": {erase: unlink}, \"d->>'c'\": {erase: unlink}}"
    )
    kind = plan(cur, f"tables:\n  app.users: {{}}\n  app.n: {{links: {links}}}\n")
    cur.execute("""insert into app.n values (2, '{"a": 1, "c": 1}')""")
    assert erased(cur, kind, {"id": 1}) == 0
    assert rows(cur, "app.n") == [(1, "gone"), (2, "gone")]


def test_a_row_that_a_rule_moved_is_found_by_its_key(cur: cursor) -> None:
    cur.execute(
        "create table app.posts (id bigint primary key, user_id bigint references app.users, answers int default 0);"
        "create table app.answers (id bigint primary key, post_id bigint, user_id bigint references app.users);"
        "create rule recount as on delete to app.answers do also"
        " update app.posts set answers = answers - 1 where id = old.post_id;"
        "insert into app.posts values (1, 1, 2), (2, 2, 0); insert into app.answers values (1, 1, 1), (3, 2, 2)"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.posts: {}\n  app.answers: {}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    assert (rows(cur, "app.posts"), rows(cur, "app.answers")) == ([(2, 2, 0)], [(3, 2, 2)])


def test_what_a_stranger_repeats_in_a_document_takes_no_longer_than_it_is_long(cur: cursor) -> None:
    """Half a million characters that jsonb refuses: with a search that looks back it would be minutes."""
    cur.execute("create table app.n (n integer, doc json); set local statement_timeout = '20s'")
    for repeated in (r"\u0000", r"\ud83d", r"\\\ude00", r"\\"):
        cur.execute(
            'insert into app.n values (1, (\'{"by": 2, "x": "\' || repeat(%s, 80000) || \'"}\')::json)', (repeated,)
        )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.n: {links: {\"doc->>'by'\": {}}, columns: {n: user}}\n")
    assert exported(cur, kind, "app.n", {"id": 1}) == []


def test_views_are_refreshed_in_turn_through_plain_ones(cur: cursor) -> None:
    cur.execute(
        "create materialized view app.z as select id, name from app.users; create view app.v as select * from app.z;"
        "create view app.w as select * from app.v; create materialized view app.a as select name from app.w"
    )
    kind = plan(cur, "tables:\n  app.users: {}\n  app.z: {erase: refresh}\n  app.a: {erase: refresh}\n")
    assert erased(cur, kind, {"id": 1}) == 0
    assert ("One",) not in rows(cur, "app.a")


def test_what_only_refers_is_verified_too(cur: cursor) -> None:
    cur.execute(NOTES + "create table app.logs (k int primary key, o_id bigint); insert into app.logs values (1, 1)")
    kind = plan(
        cur,
        "tables:\n  app.users: {}\n  app.o: {}\n  app.logs: {personal: false, reason: x,"
        " links: {o_id: {to: app.o.id, role: reference, erase: unlink}}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    gone = read_gone(cur, kind)
    cur.execute("insert into app.logs values (2, 1)")
    bound(cur, plan_again(cur, kind), {"id": 1})
    bind_gone(cur, kind, gone)
    statements = [s for d in kind.datasets for s in d.reads if s.purpose == "verify" and s.dataset == "app.logs"]
    for statement in statements:
        cur.execute(statement.sql)
        assert cur.fetchone() == (1,)
    assert [statement.link for statement in statements] == ["o_id"]


def test_an_export_leaves_out_what_the_way_over_a_parent_redacts(cur: cursor) -> None:
    cur.execute(
        NOTES + "create table app.p (id bigint primary key, user_id bigint references app.users);"
        "insert into app.p values (1, 1); create table app.n (k int primary key, o_id bigint references app.o,"
        " p_id bigint references app.p, body text, internal text, closed_by bigint references app.users);"
        "insert into app.n values (1, 1, null, 'a', 'x', null), (2, null, 1, 'b', 'y', null), (3, 1, 1, 'c', 'z', 1)"
    )
    head = "tables:\n  app.users: {}\n  app.o: {}\n  app.p: {}\n  app.n:\n    columns: {'*': user}\n    links:\n"
    kind = plan(cur, head + "      o_id: {export: {redact: [internal]}}\n      closed_by: actor\n")
    found = {row["k"]: row["internal"] for row in exported(cur, kind, "app.n", {"id": 1})}
    assert found == {1: None, 2: "y", 3: "z"}
    kind = plan(cur, head + "      o_id: {export: false}\n      closed_by: {role: actor, export: false}\n")
    assert sorted(row["k"] for row in exported(cur, plan_again(cur, kind), "app.n", {"id": 1})) == [2, 3]
    assert not [s for d in kind.datasets for s in d.reads if s.purpose == "acted"]


def test_a_foreign_key_to_one_partition_is_no_key_of_the_whole_table(cur: cursor) -> None:
    cur.execute(
        "create table app.o (id bigint not null, region int not null, user_id bigint references app.users)"
        " partition by list (region); create table app.o1 partition of app.o for values in (1);"
        "create table app.o2 partition of app.o for values in (2); alter table app.o1 add unique (id);"
        "create table app.lines (k int primary key, o_id bigint not null references app.o1 (id))"
    )
    tables = "tables:\n  app.users: {}\n  app.o: {}\n  app.lines: {}\n"
    assert codes(cur, tables) == ["reach"]
    assert codes(cur, tables.replace("app.lines: {}", "app.lines: {links: {o_id: {}}}")) == ["reach"]
    assert codes(cur, tables.replace("app.o: {}", "app.o: {key: [id]}")) == []


def test_an_address_that_somebody_else_has_now_is_not_asked_for_with_a_key_that_is_gone(cur: cursor) -> None:
    cur.execute(
        "create unique index on app.users (email); create table app.leads (k int primary key, mail text);"
        "insert into app.leads values (1, 'one@example.org'), (2, 'two@example.org'), (3, 'old@example.org')"
    )
    tables = "tables:\n  app.users: {}\n  app.leads: {links: {mail: {identity: email}}, columns: {k: user}}\n"
    kind = plan(cur, tables)
    assert exported(cur, kind, "app.leads", {"id": 99, "email": "one@example.org"}) == []
    found = exported(cur, plan_again(cur, kind), "app.leads", {"id": 99, "email": "old@example.org"})
    assert [row["k"] for row in found] == [3]
    kind = plan(cur, tables, HEAD + SUBJECT.replace("email: email", "email: {column: email, match: folded}"))
    assert exported(cur, plan_again(cur, kind), "app.leads", {"id": 99, "email": "ONE@example.org"}) == []


@pytest.mark.parametrize(("more", "expected"), [("", "nobody_moves"), (", owner int", "nobody")])
def test_nobody_of_one_tenant_takes_no_rows_of_another_without_a_word(cur: cursor, more: str, expected: str) -> None:
    key = ", foreign key (tenant_id, owner) references app.people" if more else ""
    cur.execute(
        "create table app.people (tenant_id int, id int, primary key (tenant_id, id));"
        f"create table app.tickets (n int primary key, tenant_id int not null, closed_by int not null{more},"
        f" foreign key (tenant_id, closed_by) references app.people{key})"
    )
    owner = ", 'tenant_id, owner': actor" if more else ""
    head = HEAD + "subject: {table: app.people, key: [tenant_id, id], nobody: {tenant_id: 1, id: 0}}\n"
    tables = (
        "tables:\n  app.people: {}\n  app.tickets: {personal: false, reason: x,"
        f" links: {{'tenant_id, closed_by': actor{owner}}}}}\n"
    )
    assert codes(cur, tables, head) == [expected]


def test_a_link_below_what_is_erased_by_hand_decides_nothing_but_a_deletion(cur: cursor) -> None:
    cur.execute(
        "create table app.o (id bigint primary key, user_id bigint); create table app.n (o_id bigint, body text)"
    )
    tables = (
        "tables:\n  app.users: {}\n  app.o: {links: {user_id: {}}, erase: external_manual, reason: x}\n"
        "  app.n: {links: {o_id: {to: app.o.id, erase: {body: null}}}}\n"
    )
    assert codes(cur, tables) == ["by_hand"]
    assert codes(cur, tables.replace("{body: null}", "delete")) == []


def test_what_decides_in_which_partition_a_row_lies_is_not_set(cur: cursor) -> None:
    cur.execute(
        "create table app.n (at date, user_id bigint, note text) partition by range (at);"
        "create table app.n1 partition of app.n for values from ('2026-01-01') to ('2027-01-01')"
    )
    tables = "tables:\n  app.users: {}\n  app.n: {links: {user_id: {erase: {user_id: null, at: null}}}}\n"
    assert codes(cur, tables) == ["partition_key"]


def test_elements_of_two_collations_meet(cur: cursor) -> None:
    cur.execute(
        'create table app.people (id bigint primary key, email text collate "C" unique);'
        'create table app.o (code text collate "C" primary key, user_id bigint references app.people);'
        "create table app.n (n integer primary key, mails text[] collate ucs_basic, codes text[] collate ucs_basic);"
        "insert into app.people values (1, 'one'), (2, 'two'); insert into app.o values ('a', 1), ('b', 2);"
        "insert into app.n values (1, '{x,one}', null), (2, null, '{a}'), (3, '{two}', null), (4, null, '{b}')"
    )
    kind = plan(
        cur,
        "tables:\n  app.people: {}\n  app.o: {}\n"
        "  app.n: {links: {'mails[]': {identity: email, erase: delete}, 'codes[]': {to: app.o.code}}}\n",
        HEAD + "subject: {table: app.people, key: id, identities: {email: email}}\n",
    )
    assert erased(cur, kind, {"id": 1}) == 0
    assert [n for n, *_ in rows(cur, "app.n")] == [3, 4]


def test_a_reference_that_is_to_be_taken_away_is(cur: cursor) -> None:
    cur.execute(
        "create table app.n (k int primary key, star bigint references app.users, by bigint);"
        "insert into app.n values (1, 1, null), (2, 2, null)"
    )
    links = "{star: {role: reference, erase: unlink}}"
    tables = f"tables:\n  app.users: {{}}\n  app.n: {{personal: false, reason: x, links: {links}}}\n"
    assert erased(cur, plan(cur, tables), {"id": 1}) == 0
    assert rows(cur, "app.n") == [(1, None, None), (2, 2, None)]


@pytest.mark.parametrize("role", ["actor", "reference"])
def test_a_row_that_is_not_theirs_is_not_deleted_for_them(cur: cursor, role: str) -> None:
    cur.execute("create table app.n (k int primary key, star bigint references app.users)")
    links = f"{{star: {{role: {role}, erase: delete}}}}"
    tables = f"tables:\n  app.users: {{}}\n  app.n: {{personal: false, reason: x, links: {links}}}\n"
    assert codes(cur, tables)[:1] == ["role"]


def test_of_a_key_that_is_null_as_a_whole_no_part_is_nulled(cur: cursor) -> None:
    cur.execute(
        "create table app.people (a int, b int, primary key (a, b)); create table app.n (k int primary key, a int,"
        " b int, foreign key (a, b) references app.people match full)"
    )
    tables = "tables:\n  app.people: {}\n  app.n: {links: {'a, b': {erase: {a: null}}}}\n"
    head = HEAD + "subject: {table: app.people, key: [a, b]}\n"
    assert "match_full" in codes(cur, tables, head)
    assert codes(cur, tables.replace("a: null", "a: null, b: null"), head) == []


def test_a_foreign_key_for_a_period_is_told(cur: cursor) -> None:
    if cur.connection.server_version < 180000:
        pytest.skip("Postgres 18 has foreign keys with PERIOD first")
    cur.execute(
        "create table app.c (id int4range, at daterange, user_id bigint references app.users,"
        " primary key (id, at without overlaps)); create table app.n (c int4range, at daterange,"
        " foreign key (c, period at) references app.c (id, period at))"
    )
    assert "temporal" in codes(cur, "tables:\n  app.users: {}\n  app.c: {}\n  app.n: {}\n")


def test_in_which_order_links_are_written_makes_no_difference(cur: cursor) -> None:
    cur.execute("create table app.n (a bigint, b bigint)")
    head = HEAD + SUBJECT + "tables:\n  app.users: {}\n  app.n: {links: "
    texts = ("{a: {erase: unlink}, b: {erase: unlink}}", "{b: {erase: unlink}, a: {erase: unlink}}")
    catalogue = Catalogue.from_json(document(cur))
    one, other = (compiled(Document.parse(f"{head}{text}}}\n").map, catalogue) for text in texts)
    assert one.digest == other.digest


def test_stubs_of_one_table_make_stubs_in_turn(cur: cursor) -> None:
    cur.execute(
        "create table app.bills (n int primary key, first int not null references app.bills, note text, due date,"
        " user_id bigint not null references app.users);"
        "insert into app.bills values (1, 1, 'a', '2001-01-01', 1), (2, 1, 'b', '2002-01-01', 1),"
        " (3, 2, 'c', '2025-01-01', 1), (4, 4, 'd', '2003-01-01', 1)"
    )
    written = (
        "activities:\n  books: {retention: {period: P10Y, from: {column: due}, law: § 147 AO}}\n"
        "tables:\n  app.users: {stub: {}}\n"
        "  app.bills: {activity: books, erase: keep, keep: {exception: 17(3)(b), columns: [due]}}\n"
    )
    assert erased(cur, plan(cur, written), {"id": 1}) == 0
    assert [(n, first, note, due is None) for n, first, note, due, _ in rows(cur, "app.bills")] == [
        (1, 1, None, True),
        (2, 1, None, True),
        (3, 2, None, False),
    ]
