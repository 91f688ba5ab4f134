"""`gdpr plan try`: told are tables, links and numbers; nothing is changed, and nothing of anybody is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from gdpr.person import key_of
from shared.active_plan import load
from shared.addresses import PostgresAddress
from shared.database import connect
from shared.errors import Refused
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
    assert "app.gifts: 1 row that names somebody else as well (docs/ownership.md, rule 13)\n" in answer.stdout
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
        "delete app.orders: 1 row fewer than planned; a trigger or a rule of the table is in the way\n" in answer.stdout
    )
    assert "app.orders, user_id: 1 row would still be found by verification\n" in answer.stdout


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


LETTERS = (
    "create table app.letters (email text); create index on app.letters (email);"
    f" insert into app.letters values ('guest{CANARY}'), ('7{CANARY}')"
)
OF_LETTERS = "  app.letters: {activity: account, links: {email: {identity: email}}, columns: {email: user.contact}}\n"


def test_a_guest_is_named_by_identity_and_somebody_with_a_key_is_tried_by_it(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(LETTERS)
    data_map.write_text(MAP + OF_LETTERS)
    guest = json.loads(run(shop, "plan", "try", data_map, "--identity", f"email=guest{CANARY}", "--json").stdout)
    there = [each for each in guest["tables"] if each["theirs"]]
    assert [(each["table"], each["links"]) for each in there] == [("app.letters", {"email, their email": 1})]
    assert guest["has_key"] is False

    for more in ((), ("--erase",)):
        words = ("plan", "try", data_map, *more)
        by_identity, by_key = (
            run(shop, *words, *named, "--json") for named in (("--identity", f"email=7{CANARY}"), ("--id", "7"))
        )
        assert by_identity.returncode == 0, by_identity.stderr
        assert json.loads(by_identity.stdout) == json.loads(by_key.stdout) | {"has_key": True}
        assert {each["table"]: each["theirs"] for each in json.loads(by_key.stdout)["tables"]} == {
            "app.letters": 1, "app.orders": 3, "app.users": 1,
        }  # fmt: skip
        text = run(shop, *words, "--identity", f"email=7{CANARY}")
        assert "The identity is that of somebody with a key: they were tried by it.\n" in text.stdout
        for said in (by_identity, text):
            assert CANARY not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ("id bigint primary key", "id", "--id …"),
        ("tenant_id uuid, id text, primary key (tenant_id, id)", "[tenant_id, id]", "--id tenant_id=… --id id=…"),
    ],
    ids=["one column", "two"],
)
def test_an_identity_finds_one_key_and_two_are_refused(
    empty_postgres: PostgresAddress, data_map: Path, table: str, key: str, said: str
) -> None:
    twice = f"KIM{CANARY}"
    with administrator(empty_postgres) as cur:
        cur.execute(f"create schema app; create table app.users ({table}, email text)")
        for number, email in enumerate((f"lena{CANARY}", twice, twice.lower()), 1):
            tenant = (f"00000000-0000-0000-0000-00000000000{number}",) if "tenant" in table else ()
            cur.execute("insert into app.users values %s", ((*tenant, number, email),))
    head = MAP.split("tables:")[0].replace("key: id, identities: {email: email}", f"key: {key}, IDENTITIES")
    head = head.replace("IDENTITIES", "identities: {email: {column: email, match: folded}}")
    data_map.write_text(f"{head}tables:\n  app.users: {{activity: account, columns: {{email: user.contact}}}}\n")
    one = run(empty_postgres, "plan", "try", data_map, "--identity", f"email=LENA{CANARY}", "--erase")
    assert one.returncode == 0, one.stderr
    two = run(empty_postgres, "plan", "try", data_map, "--identity", f"email={twice}")
    assert (two.returncode, two.stdout) == (1, "")
    assert two.stderr == (
        "More than one person in app.users has this identity:"
        f" take the key of the one that is meant from there, and write {said}.\n"
    )


def test_of_a_plan_that_asks_otherwise_no_key_is_guessed(shop: PostgresAddress, admin: cursor, data_map: Path) -> None:
    assert run(shop, "map", "approve", data_map).returncode == 0
    plan = load(admin)
    asking = plan.kinds[0].refusals[-1]
    other = replace(plan.kinds[0], refusals=((asking[0], f"with {asking[1]}"),))
    with pytest.raises(Refused, match=r"take the key from app\.users, and write --id …"):
        key_of(admin, plan, other)


def test_it_says_what_is_kept_and_where_nobody_looked(shop: PostgresAddress, admin: cursor, data_map: Path) -> None:
    admin.execute("alter table app.orders add placed date; update app.orders set placed = current_date")
    text = (
        MAP.replace("{until: the account is closed}", "{period: P10Y, from: {column: placed}, law: AO}")
        .replace("app.orders: {activity: account, erase: delete", "app.orders: {activity: account, erase: keep, KEEP")
        .replace("KEEP", "keep: {exception: 17(3)(b), columns: [placed]}")
        .replace("columns: {note", "columns: {placed: user.behavior, note")
        .replace("app.users: {", "app.users: {stub: {email: random}, ")
    )
    data_map.write_text(f'{text}cache: {{"cart:{{id}}": {{}}}}\nobjects: {{files: {{bucket: b, prefix: "{{id}}/"}}}}\n')
    both = run(shop, "plan", "try", data_map, "--id", "7", "--erase")
    assert both.returncode == 0, both.stderr
    assert "verification found nothing of them but what is kept.\n3 rows are kept by law: app.orders.\n" in both.stdout
    assert "1 row is left as a stub, since kept rows point there: app.users.\n" in both.stdout
    assert "Not looked at: the cache and the objects, of which the map speaks as well.\n" in both.stdout
    data_map.write_text(f'{text}cache: {{"cart:*": {{personal: false, reason: numbers}}, refill_max: PT5S}}\n')
    assert "Not looked at" not in run(shop, "plan", "try", data_map, "--id", "7").stdout


def test_a_trial_says_as_whom_it_ran_and_may_run_as_the_function(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    words = ("plan", "try", data_map, "--id", "7")
    before = run(shop, *words, "--as", "gdpr_erase")
    assert (before.returncode, before.stdout) == (1, "")
    assert before.stderr.startswith("gdpr_erase may not do this (permission denied for ")
    assert "gdpr map approve lets it at the tables of the map" in before.stderr
    assert run(shop, "map", "approve", data_map).returncode == 0

    administrators = run(shop, *words, "--erase")
    assert (
        f"Tried as {shop.role}: --as gdpr_erase tries what the function may do, and is shown." in administrators.stdout
    )
    for more in ((), ("--erase",), ("--active",), ("--active", "--erase")):
        with unchanged(admin):
            answer = run(shop, *words, "--as", "gdpr_erase", *more)
        assert answer.returncode == 0, answer.stderr
        assert "Tried as gdpr_erase, as the function does it.\n" in answer.stdout
        assert json.loads(run(shop, *words, "--as", "gdpr_erase", "--json", *more).stdout)["role"] == "gdpr_erase"

    admin.execute(
        "create policy of_theirs on app.orders using (user_id < 7); alter table app.orders enable row level security"
    )
    assert run(shop, *words, "--erase").returncode == 0
    blind = run(shop, *words, "--erase", "--as", "gdpr_erase")
    assert (blind.returncode, blind.stdout) == (1, "")
    assert "A row-level security policy may hide rows of app.orders from gdpr_erase" in blind.stderr


def test_whoever_may_not_act_as_the_function_is_told_so(shop: PostgresAddress, data_map: Path) -> None:
    assert run(shop, "map", "approve", data_map).returncode == 0
    answer = run(as_role(shop, "gdpr_export"), "plan", "try", "--active", "--id", "7", "--as", "gdpr_erase")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("This role may not act as gdpr_erase: do it as an administrator, or as gdpr_erase")
    other = run(shop, "plan", "try", "--active", "--id", "7", "--as", "gdpr_export", "--erase")
    assert other.returncode == 2
    assert other.stderr.startswith("gdpr_export erases nothing: take --as gdpr_erase")


def test_an_administrator_who_is_no_superuser_acts_as_the_function_for_the_trial_alone(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    """As RDS has one: he made the role, and belongs to it only as long as he tries."""
    assert run(shop, "map", "approve", data_map).returncode == 0
    name = f"{shop.database}_master"
    address = as_role(shop, name)
    admin.execute(f"create role {name} login createrole password %s", (address.password,))
    admin.execute(f"grant gdpr_erase to {name} with admin true, inherit false, set false")
    try:
        for more in ((), ("--erase",)):
            answer = run(address, "plan", "try", "--active", "--id", "7", "--as", "gdpr_erase", *more)
            assert answer.returncode == 0, answer.stderr
            admin.execute("select pg_has_role(%s, 'gdpr_erase', 'set')", (name,))
            assert admin.fetchone() == (False,)
    finally:
        admin.execute(f"drop owned by {name}; drop role {name}")


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
        (
            ("--id", f"email={CANARY}"),
            "email is an identity, and no column of the key of app.users: write --identity email=….\n",
        ),
        (
            ("--id", f"mail={CANARY}"),
            "What stands before = is no column of the key of app.users, which is id: write --id ….\n",
        ),
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


# Links to rows of several tables, which no foreign key holds ----------------------------------------------------------

REMARKS = (
    "create table app.pages (id bigint primary key); insert into app.pages values (1);"
    " create table app.remarks (id bigint primary key, author_id bigint references app.users, about_type text not null,"
    f" about_id bigint, body text not null); insert into app.remarks values (1, 9, 'Order', 6, '{CANARY}'),"
    f" (2, 9, 'Page', 1, '{CANARY}'), (3, 8, 'Page', 7, '{CANARY}');"
    " create index on app.remarks (author_id); create index on app.remarks (about_id);"
)
OF_PAGES = "{to: app.pages.id, when: \"about_type = 'Page'\"}"
OF_ORDERS = "{to: app.orders.id, when: \"about_type = 'Order'\"}"
OF_REMARKS = (
    "  app.pages: {personal: false, reason: texts of ours}\n"
    "  app.remarks: {activity: account, shared: true, reason: others read them, links: {author_id: {erase: unlink},"
    " LINKS}, columns: {body: user.content, about_type: user.content}}\n"
)


def remarks(data_map: Path, links: str) -> None:
    data_map.write_text(MAP + OF_REMARKS.replace(", LINKS", f", {links}" if links else ""))


def undecided(shop: PostgresAddress, data_map: Path) -> list[dict[str, str]]:
    faults = json.loads(run(shop, "map", "check", data_map, "--format", "json").stdout)
    found = faults["faults"] if isinstance(faults, dict) else faults
    return [fault for fault in found if fault["code"] in ("reference_undecided", "link_target")]


def test_a_remedy_that_names_a_link_writes_the_whole_of_it(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(REMARKS)
    remarks(data_map, f"about_id: [{OF_PAGES}, {OF_ORDERS}]")
    (stop,) = json.loads(run(shop, "plan", "try", data_map, "--id", "7", "--json").stdout)["stops"]
    (fault,) = undecided(shop, data_map)
    first = stop["remedy"].splitlines()[0]
    assert first in fault["remedy"]
    remarks(data_map, first.partition("links: {")[2].removesuffix("}"))
    assert undecided(shop, data_map) == []
    answer = run(shop, "plan", "try", data_map, "--id", "7", "--erase", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (found,) = (each for each in json.loads(answer.stdout)["tables"] if each["table"] == "app.remarks")
    assert {word: number for word, number in found["erasure"].items() if number} == {"unlinked": 1}


@pytest.mark.parametrize("role", ["", ", role: reference"])
def test_a_link_that_may_not_be_null_and_that_no_foreign_key_holds_is_taken_out(
    shop: PostgresAddress, admin: cursor, data_map: Path, role: str
) -> None:
    admin.execute(f"{REMARKS} alter table app.remarks alter about_id set not null")
    remarks(data_map, f"about_id: [{OF_PAGES}, {OF_ORDERS.replace('}', role + '}')}]")
    (stop,) = json.loads(run(shop, "plan", "try", data_map, "--id", "7", "--json").stdout)["stops"]
    (fault,) = undecided(shop, data_map)
    for remedy in (stop["remedy"], fault["remedy"]):
        assert remedy.startswith("take {to: ")
        assert "app.orders.id" in remedy.splitlines()[0]
        assert "unlink" not in remedy
        assert "delete them" not in remedy
    remarks(data_map, f"about_id: {OF_PAGES}")
    assert undecided(shop, data_map) == []
    answer = run(shop, "plan", "try", data_map, "--id", "7", "--erase")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_what_a_foreign_key_holds_is_not_said_to_be_left_pointing_at_nothing(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(
        f"{REMARKS} alter table app.remarks alter about_id set not null;"
        " delete from app.remarks where id <> 1; alter table app.remarks add foreign key (about_id)"
        " references app.orders"
    )
    remarks(data_map, "about_id: {to: app.orders.id}")
    (stop,) = json.loads(run(shop, "plan", "try", data_map, "--id", "7", "--json").stdout)["stops"]
    assert stop["remedy"] == "let the rows of app.orders stay, emptied: at app.orders erase: {…: null}"


@pytest.mark.parametrize("kind", ["text", "text not null"])
def test_an_identity_that_is_a_mere_reference_is_told_with_what_takes_it_away(
    shop: PostgresAddress, admin: cursor, data_map: Path, kind: str
) -> None:
    admin.execute(
        f"create table app.calls (id bigint primary key, by bigint references app.users, mail {kind});"
        f" insert into app.calls values (1, 9, '7{CANARY}'); create index on app.calls (by);"
        " create index on app.calls (mail)"
    )
    line = "  app.calls: {activity: account, erase: delete, links: {by: {}, LINK}}\n"
    data_map.write_text(MAP + line.replace("LINK", "mail: {identity: email, role: reference}"))
    faults = json.loads(run(shop, "map", "check", data_map, "--format", "json").stdout)
    (fault,) = (each for each in faults if each["code"] == "identity_left")
    assert run(shop, "plan", "try", data_map, "--id", "7", "--erase").returncode == 1
    link = fault["remedy"].partition("links: {")[2].removesuffix("}")
    assert "role: reference" in link
    data_map.write_text(MAP + line.replace("LINK", link))
    assert "identity_left" not in run(shop, "map", "check", data_map).stdout
    answer = run(shop, "plan", "try", data_map, "--id", "7", "--erase")
    assert answer.returncode == 0, answer.stdout + answer.stderr


# What is left to somebody, and what a trial cannot tell ---------------------------------------------------------------


def test_what_is_erased_by_hand_is_told_wherever_a_plan_is_looked_at(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute("create table app.files (id bigint primary key, place text)")
    said = "the office looks for them by name"
    line = f"  app.files: {{activity: account, erase: external_manual, reason: {said}, columns: {{place: system}}}}\n"
    data_map.write_text(MAP + line)
    words = (("plan", "show", data_map), ("plan", "try", data_map, "--id", "7"))
    for each in (*words, ("map", "approve", data_map, "--dry-run")):
        answer = run(shop, *each)
        assert f"By hand: app.files ({said})." in answer.stdout, answer.stdout + answer.stderr
    data_map.write_text(MAP)
    assert "By hand" not in run(shop, "plan", "show", data_map).stdout


def test_a_trial_says_that_a_function_which_runs_as_its_owner_sees_another_role(
    shop: PostgresAddress, admin: cursor, data_map: Path
) -> None:
    admin.execute(
        "create table app.slips (id bigint primary key, user_id bigint); insert into app.slips values (1, 7);"
        " create index on app.slips (user_id);"
        " create function app.holds() returns trigger language plpgsql security definer as $$begin"
        " if session_user = 'gdpr_erase' then return old; end if; return null; end$$;"
        " create trigger holds before delete on app.slips for each row execute function app.holds()"
    )
    data_map.write_text(f"{MAP}  app.slips: {{activity: account, erase: delete, links: {{user_id: {{}}}}}}\n")
    approved = run(shop, "map", "approve", data_map)
    assert approved.returncode == 0, approved.stdout + approved.stderr
    told = run(shop, "plan", "try", "--active", "--id", "7", "--as", "gdpr_erase", "--erase")
    said = " ".join(told.stdout.split())
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"here these see {shop.role} as session_user, and in the function gdpr_erase" in said
    itself = run(as_role(shop, "gdpr_erase"), "plan", "try", "--active", "--id", "7", "--erase")
    assert itself.returncode == 0, itself.stdout + itself.stderr
    assert "session_user" not in itself.stdout
