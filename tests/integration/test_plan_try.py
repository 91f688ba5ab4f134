"""`gdpr plan try`: told are tables, links and numbers; nothing is changed, and nothing of anybody is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.database import connect
from tests.integration.test_map_commands import CANARY, MAP, data_map, run, shop
from tests.run import administrator, as_role

__all__ = ["data_map", "shop"]  # fixtures

EVERYTHING = (
    "select array_agg(u::text || u.xmin order by u.id) from app.users as u"
    " union all select array_agg(o::text || o.xmin order by o.id) from app.orders as o"
)
GIFTS = (
    "create table app.gifts (id bigint primary key, giver bigint references app.users, taker bigint"
    " references app.users, note text); create index on app.gifts (giver); create index on app.gifts (taker);"
    f" insert into app.gifts values (1, 7, 8, '{CANARY}'), (2, 7, 7, '{CANARY}'), (3, 9, 9, null)"
)
OF_GIFTS = "  app.gifts: {activity: account, erase: delete, columns: {note: user.content.private}}\n"


@pytest.fixture
def admin(shop: PostgresAddress) -> Iterator[cursor]:
    with administrator(shop) as cur:
        yield cur


@contextmanager
def unchanged(cur: cursor) -> Iterator[None]:
    cur.execute(EVERYTHING)
    before = cur.fetchall()
    yield
    cur.execute(EVERYTHING)
    assert cur.fetchall() == before


@pytest.mark.parametrize("more", [(), ("--erase",)], ids=["reading", "erasing"])
def test_one_person_is_counted_by_table_and_link_and_stays(
    shop: PostgresAddress, admin: cursor, data_map: Path, more: tuple[str, ...]
) -> None:
    admin.execute(
        "alter table app.orders add packed_by bigint references app.users; create index on app.orders (packed_by)"
    )
    admin.execute("update app.orders set packed_by = 7 where id in (1, 2)")
    data_map.write_text(MAP.replace("app.orders: {", "app.orders: {links: {packed_by: actor}, "))
    with unchanged(admin):
        told = run(shop, "plan", "try", data_map, "--id", "7", "--json", *more)
        text = run(shop, "plan", "try", data_map, "--id", "7", *more)
    assert (told.returncode, text.returncode) == (0, 0), told.stderr + text.stderr
    trial = json.loads(told.stdout)
    assert {each["table"]: (each["theirs"], each["links"]) for each in trial["tables"]} == {
        "app.orders": (3, {"user_id": 3, "packed_by, acted on": 2}),
        "app.users": (1, {"the person's own row": 1}),
    }
    outcome = {each["table"]: {w: n for w, n in each["erasure"].items() if n} for each in trial["tables"]}
    assert outcome == {"app.orders": {"deleted": 3, "unlinked": 2}, "app.users": {"deleted": 1}}
    assert (trial["was_erased"], trial["stops"], trial["left"], trial["short"]) == (bool(more), [], {}, {})
    assert "Nothing was changed: all of it was rolled back.\n" in text.stderr
    assert text.stdout.splitlines()[:4] == [
        "table       found by              rows  an erasure",
        "app.orders  user_id                  3  3 deleted, 2 unlinked",
        "            packed_by, acted on      2",
        "app.users   the person's own row     1  1 deleted",
    ]
    for said in (told, text):
        assert CANARY not in said.stdout + said.stderr
        assert "somebody" not in said.stdout


def test_without_erase_no_row_is_locked_and_no_right_to_change_is_needed(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    assert run(shop, "map", "approve", data_map).returncode == 0
    reader = as_role(shop, "gdpr_export")
    locking = connect(shop, application="gdpr-tests")
    try:
        locking.cursor().execute("select from app.users where id = 7 for update")
        answer = run(reader, "plan", "try", "--active", "--id", "7")
        assert answer.returncode == 0, answer.stderr
        busy = run(as_role(shop, "gdpr_erase"), "plan", "try", "--active", "--id", "7", "--erase")
        assert busy.returncode == 3
        assert "nothing was changed; try again, or give it longer with --timeout" in busy.stderr
    finally:
        locking.close()
    assert run(as_role(shop, "gdpr_erase"), "plan", "try", "--active", "--id", "7", "--erase").returncode == 0
    denied = run(reader, "plan", "try", "--active", "--id", "7", "--erase")
    assert denied.returncode == 1
    assert "The role may not do this (permission denied for table " in denied.stderr


@pytest.mark.parametrize("more", [(), ("--erase",)], ids=["reading", "erasing"])
def test_a_guard_that_counts_stops_it_and_names_its_rule(
    shop: PostgresAddress, admin: cursor, data_map: Path, more: tuple[str, ...]
) -> None:
    admin.execute(GIFTS)
    data_map.write_text(MAP + OF_GIFTS)
    with unchanged(admin):
        answer = run(shop, "plan", "try", data_map, "--id", "7", *more)
    assert answer.returncode == 1
    assert "app.gifts: 1 rows that name somebody else as well (docs/ownership.md, rule 13)\n" in answer.stdout
    assert "what happens to a row by each of its links" in answer.stdout
    assert "ran to its end" not in answer.stdout
    assert run(shop, "plan", "try", data_map, "--id", "9", *more).returncode == 0
    trial = json.loads(run(shop, "plan", "try", data_map, "--id", "7", "--json", *more).stdout)
    assert trial["was_erased"] is False
    (stop,) = trial["stops"]
    assert (stop["table"], stop["rows"], stop["rule"]) == ("app.gifts", 1, 13)


def test_what_would_be_left_hanging_stops_it_and_says_what_to_write(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(
        "create table app.slips (order_id bigint references app.orders); create index on app.slips (order_id);"
        " insert into app.slips values (6)"
    )
    answer = run(shop, "plan", "try", data_map, "--id", "7")  # the map does not speak of app.slips
    assert answer.returncode == 1, answer.stderr
    assert "rows of app.orders, by order_id (docs/ownership.md, rule 14)\n" in answer.stdout
    assert "decide for them at app.slips: links: {order_id: {erase: unlink}}" in answer.stdout


def test_a_trigger_that_keeps_a_row_is_found_by_running_it(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(
        "create function app.stays() returns trigger language plpgsql as 'begin return null; end';"
        " create trigger stays before delete on app.orders for each row when (old.id = 6) execute function app.stays();"
        " alter table app.orders drop constraint orders_user_id_fkey"
    )
    data_map.write_text(MAP.replace("app.orders: {", "app.orders: {links: {user_id: {}}, "))
    assert run(shop, "plan", "try", data_map, "--id", "7").returncode == 0
    answer = run(shop, "plan", "try", data_map, "--id", "7", "--erase")
    assert answer.returncode == 1
    assert (
        "delete app.orders: 1 rows fewer than planned; a trigger or a rule of the table is in the way\n"
        in answer.stdout
    )
    assert "app.orders, user_id: 1 rows would still be found by verification\n" in answer.stdout


def test_what_a_trigger_writes_or_notifies_is_rolled_back(shop: PostgresAddress, admin: cursor, data_map: Path) -> None:
    admin.execute(
        "create table public.seen (id bigint); listen gone;"
        " create function app.tells() returns trigger language plpgsql as"
        " 'begin insert into public.seen values (old.id); notify gone; return old; end';"
        " create trigger tells before delete on app.orders for each row execute function app.tells()"
    )
    text = MAP + "  public.seen: {personal: false, reason: numbers}\n"
    data_map.write_text(text)
    assert run(shop, "plan", "try", data_map, "--id", "7", "--erase").returncode == 0
    admin.execute("select count(*) from public.seen")
    assert admin.fetchone() == (0,)
    admin.connection.poll()
    assert admin.connection.notifies == []


def test_nobody_is_an_answer(shop: PostgresAddress, data_map: Path) -> None:
    answer = run(shop, "plan", "try", data_map, "--id", "4711")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "The plan finds no row of such a person: check the key or the identity.\n"


def test_a_guest_is_named_by_identity_and_somebody_with_a_row_is_not(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(
        f"create table app.letters (email text); create index on app.letters (email);"
        f" insert into app.letters values ('guest{CANARY}'), ('7{CANARY}')"
    )
    data_map.write_text(
        MAP + "  app.letters: {activity: account, links: {email: {identity: email}}, columns: {email: user.contact}}\n"
    )
    guest = run(shop, "plan", "try", data_map, "--identity", f"email=guest{CANARY}", "--json")
    assert guest.returncode == 0, guest.stderr
    there = [each for each in json.loads(guest.stdout)["tables"] if each["theirs"]]
    assert [(each["table"], each["links"]) for each in there] == [("app.letters", {"email, their email": 1})]

    account = run(shop, "plan", "try", data_map, "--identity", f"email=7{CANARY}")
    assert (account.returncode, account.stdout) == (1, "")
    assert account.stderr == (
        "This identity is that of somebody with a key: name them by it:"
        " take the key from app.users and pass it with --id (docs/ownership.md, rule 1).\n"
    )
    assert CANARY not in account.stderr


def test_whoever_stands_for_nobody_is_refused(shop: PostgresAddress, admin: cursor, data_map: Path) -> None:
    admin.execute(f"insert into app.users values (0, '{CANARY}', null)")
    known = MAP.replace("key: id, ", "key: id, nobody: {id: 0}, ")
    nameless = known.replace(", identities: {email: email}", "")
    for text, *words in ((known, "--id", "0"), (known, "--identity", f"email={CANARY}"), (nameless, "--id", "0")):
        data_map.write_text(text)
        answer = run(shop, "plan", "try", data_map, *words, "--erase")
        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr == (
            "This stands for nobody, whose rows are what others left behind:"
            " try another person (docs/ownership.md, rule 13).\n"
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "One person is to be named, in one way: by --id …, or by --identity with email=….\n"),
        (("--id", "7", "--identity", f"email={CANARY}"), "One person is to be named, in one way"),
        (("--id", CANARY), "The value of id in row 1 is no bigint"),
        (("--id", "7", "--id", "8"), "What stands before = is to be one of id: write --id …"),
        (("--identity", CANARY), "What stands before = is to be one of email: write --identity email=…"),
        (("--identity", "email=a", "--identity", "email=b"), "An identity is given twice"),
        (("--id", "7", "--kind", "staff"), "The plan has no kind of subject staff: name one with --kind: person"),
    ],
)
def test_who_is_meant_is_to_be_said_and_no_value_is_repeated(
    shop: PostgresAddress, data_map: Path, words: tuple[str, ...], said: str
) -> None:
    answer = run(shop, "plan", "try", data_map, *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(said)
    assert CANARY not in answer.stderr


def test_a_key_of_several_columns_is_named_column_by_column(empty_postgres: PostgresAddress, data_map: Path) -> None:
    with administrator(empty_postgres) as cur:
        cur.execute(
            "create schema app; create table app.users (tenant_id bigint, id bigint, primary key (tenant_id, id));"
            " insert into app.users values (1, 5), (2, 5)"
        )
    head = MAP.split("tables:")[0].replace("key: id, identities: {email: email}", "key: [tenant_id, id]")
    data_map.write_text(head + "tables:\n  app.users: {activity: account, erase: delete}\n")
    by_name = run(empty_postgres, "plan", "try", data_map, "--id", "id=5", "--id", "tenant_id=2", "--erase")
    assert by_name.returncode == 0, by_name.stderr
    for words in (("--id", "5"), ("--id", "id=5"), ("--id", "id=5", "--id", "id=6", "--id", "tenant_id=1")):
        answer = run(empty_postgres, "plan", "try", data_map, *words)
        assert answer.returncode == 2
        assert "--id tenant_id=… --id id=…" in answer.stderr


def test_all_of_it_together_has_so_many_seconds(shop: PostgresAddress, admin: cursor, data_map: Path) -> None:
    """Each delete waits a little; none of them longer than a statement may, all of them longer than they may."""
    admin.execute(
        "create function app.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.6); return old; end';"
        " create trigger slow before delete on app.orders for each row when (old.id = 6) execute function app.slow();"
        " create trigger slow before delete on app.users for each row execute function app.slow()"
    )
    answer = run(shop, "plan", "try", data_map, "--id", "7", "--erase", "--timeout", "1")
    assert answer.returncode == 3
    assert "give it longer with --timeout" in answer.stderr
    assert run(shop, "plan", "try", data_map, "--id", "7", "--erase").returncode == 0
