"""`gdpr plan show`, as whoever reviews a plan reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.addresses import PostgresAddress
from tests.integration.test_map_commands import MAP, data_map, run, shop
from tests.run import administrator

__all__ = ["data_map", "shop"]  # fixtures

KEPT = (
    MAP.replace("{until: the account is closed}", "{period: P10Y, from: {column: placed}, law: AO}")
    .replace("app.users: {", "app.users: {stub: {email: random}, ")
    .replace("app.orders: {activity: account, erase: delete", "app.orders: {activity: account, erase: keep")
    .replace(
        "columns: {note: user.content.private}", "columns: {note: user.content.private, placed: user.behavior}, MORE"
    )
    .replace("MORE", "keep: {exception: 17(3)(b), columns: [placed]}, links: {packed_by: actor}")
)


def test_a_summary_stands_first_with_a_line_for_each_table(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("alter table app.orders add packed_by bigint references app.users, add placed date")
    data_map.write_text(KEPT)
    shown = run(shop, "plan", "show", data_map)
    assert shown.returncode == 0, shown.stderr
    summary, _, statements = shown.stdout.partition("-- person: What is read")
    assert re.search(
        r"^-- app\.orders +user_id +\[\d\]( \[\d\])* +keeps placed \(17\(3\)\(b\), AO\); deletes after P10Y$",
        summary,
        re.MULTILINE,
    ), summary
    assert re.search(r"^-- +packed_by, acted on +unlinks$", summary, re.MULTILINE)
    assert re.search(
        r"^-- app\.users +the person's own row +deletes; a stub where app\.orders keeps rows$", summary, re.MULTILINE
    )
    assert re.search(
        r"^--   \[\d\] rows that would be left pointing at deleted rows of app\.users:"
        r" app\.orders \(user_id\)$",
        summary,
        re.MULTILINE,
    ), summary
    assert "-- It locks the rows that it finds, and no others, in 2 tables.\n" in summary
    assert "delete from app.users as t" in statements


@pytest.mark.parametrize("erase", ["unlink", "{user_id: null}"])
def test_links_that_an_erasure_takes_away_are_not_told_to_stop_it(
    shop: PostgresAddress, data_map: Path, erase: str
) -> None:
    with administrator(shop) as cur:
        cur.execute("alter table app.orders alter user_id drop not null")
    data_map.write_text(
        MAP.replace("app.orders: {activity: account, erase: delete", f"app.orders: {{activity: account, erase: {erase}")
    )
    shown = run(shop, "plan", "show", data_map).stdout
    assert "An erasure stops" not in shown
    assert "-- guard" in shown


def test_housekeeping_is_left_out_and_each_name_is_explained_where_it_is_first_used(
    shop: PostgresAddress, data_map: Path
) -> None:
    shown = run(shop, "plan", "show", data_map).stdout
    assert "create temporary table" not in shown
    assert not re.search(r"^-- (capture|prepare|stub|refuses) ", shown, re.MULTILINE)
    names = set(re.findall(r"pg_temp\.(gdpr_\w+)", shown))
    assert names >= {"gdpr_person", "gdpr_rows_1"}
    for name in names:
        assert len(re.findall(rf"^-- {name}: \w", shown, re.MULTILINE)) == 1, name
        before = shown[: shown.index(f"pg_temp.{name}")]
        assert f"-- {name}: " in before[before.rindex(";\n") if ";\n" in before else 0 :], name
    full = run(shop, "plan", "show", data_map, "--full").stdout
    assert not re.search(r"^-- gdpr_", full, re.MULTILINE)


def test_no_line_is_longer_than_120_columns_and_what_is_done_twice_is_told_once(
    shop: PostgresAddress, data_map: Path
) -> None:
    names = [f"a_rather_long_name_of_a_column_{number}" for number in range(12)]
    with administrator(shop) as cur:
        cur.execute("alter table app.orders add packed_by bigint references app.users, add placed date")
        cur.execute(f"alter table app.orders {', '.join(f'add {name} text' for name in names)}")
    text = KEPT.replace("columns: [placed]", f"columns: [placed, {', '.join(names)}]").replace(
        "packed_by: actor", "packed_by: {}"
    )
    data_map.write_text(text.replace("{note: user.content.private, ", '{"*": user.content, note: user.content, '))
    for more in ((), ("--full",), ("--table", "app.orders")):
        shown = run(shop, "plan", "show", data_map, *more)
        assert shown.returncode == 0, shown.stderr
        assert [line for line in shown.stdout.splitlines() if len(line) > 120] == []
        assert shown.stdout.count("keeps placed, ") == 1
        assert re.search(r"^-- +(packed_by|user_id) +likewise$", shown.stdout, re.MULTILINE), shown.stdout


EVERYBODY = "insert into gdpr_asked (id) select id from app.users;\n\ncreate temporary table gdpr_person"


@pytest.mark.parametrize("asked", ["create temporary table gdpr_person", EVERYBODY], ids=["nobody", "everybody"])
def test_in_full_it_runs_and_leaves_everything_as_it_was(shop: PostgresAddress, data_map: Path, asked: str) -> None:
    with administrator(shop) as cur:
        cur.execute("create table app.items (id bigint primary key, order_id bigint, note text)")
    items = "app.items: {activity: account, links: {order_id: {to: app.orders.id}}, columns: {note: user.content}}"
    data_map.write_text(f"{MAP}  {items}\n")  # found again by the keys of what was deleted, and by nothing else
    shown = run(shop, "plan", "show", data_map, "--full", "--explain")
    assert shown.returncode == 0, shown.stderr
    full = shown.stdout
    assert len(re.findall(r"^-- capture ", full, re.MULTILINE)) == 3
    with administrator(shop) as cur:
        cur.execute(full.replace("create temporary table gdpr_person", asked))
        cur.execute("select (select count(*) from app.users), (select count(*) from app.orders)")
        assert cur.fetchone() == (300, 900)


def test_it_reads_alike_before_and_after_it_was_stored(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("alter table app.orders alter user_id drop not null")
    text = MAP.replace("{email: email}}", "{zebra: email, email: email, alpha: name}}", 1)
    text = text.replace("erase: delete, columns: {note", "erase: {user_id: null, note: null}, columns: {note")
    data_map.write_text(text)
    assert run(shop, "map", "approve", data_map).returncode == 0
    for words in ((), ("--full",)):
        compiled, stored = (run(shop, "plan", "show", *more, *words).stdout for more in ((data_map,), ("--active",)))
        assert compiled == stored
        assert compiled


def test_one_table_can_be_asked_for_and_one_that_is_not_there_is_corrected(
    shop: PostgresAddress, data_map: Path
) -> None:
    shown = run(shop, "plan", "show", data_map, "--table", "app.orders").stdout
    assert "delete from app.orders as t" in shown
    assert "delete from app.users as t" not in shown
    assert re.search(r"^-- app\.orders +user_id ", shown, re.MULTILINE)
    assert not re.search(r"^-- app\.users ", shown, re.MULTILINE)
    assert "It locks" not in shown
    wrong = run(shop, "plan", "show", data_map, "--table", "app.order")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "The plan has nothing to do with app.order: did you mean app.orders?\n"


def test_several_kinds_of_people_are_explained_one_after_the_other(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("create table app.staff (id bigint primary key, name text)")
    data_map.write_text(
        MAP.replace(
            "subject: {table: app.users, key: id, identities: {email: email}}",
            "subjects:\n  user: {table: app.users, key: id, identities: {email: email}}\n"
            "  staff: {table: app.staff, key: id}",
        )
        + "  app.staff: {activity: account, erase: delete, columns: {name: user.name}}\n"
    )
    shown = run(shop, "plan", "show", data_map, "--explain", "--full")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("-- estimated cost") > 4
    assert " 1 row\n" in shown.stdout
    assert " 1 rows" not in shown.stdout
    assert "-- user: a row of app.users, named by id; without a row there by email" in shown.stdout
    assert "-- staff: a row of app.staff, named by id -" in shown.stdout
    with administrator(shop) as cur:
        cur.execute(shown.stdout)
    one = run(shop, "plan", "show", data_map, "--table", "app.staff").stdout
    assert "-- staff: a row of app.staff" in one
    assert "-- user: " not in one
