"""`gdpr map discover`: into a new file that nobody loses, and into a map that people have written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from datamap.document import Document
from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from tests.integration.test_command_line import gdpr
from tests.run import administrator

CANARY = "kanarie@geheim.example"

SCHEMA = f"""
create schema app;
create table app.users (id bigint primary key, email text not null unique, name text);
create table app.orders (id bigint primary key, user_id bigint not null references app.users (id), note text);
insert into app.users select n, n || '{CANARY}', 'somebody' from generate_series(1, 300) as n;
insert into app.orders select n, 1 + n % 300, '{CANARY}' from generate_series(1, 900) as n;
"""

NEW = """
alter table app.orders add column friend_id bigint, add column greeting text;
update app.orders set friend_id = 1 + (id * 7) % 300;
create table app.carts (id bigint primary key, user_id bigint not null references app.users (id), note text);
insert into app.carts select n, n from generate_series(1, 300) as n;
"""

NEW_KEYS = """
create table app.order_items (id bigint primary key, order_id bigint not null references app.orders (id),
  gift_wrapped_by bigint references app.users (id), note text);
insert into app.order_items select n, n, null, 'x' from generate_series(1, 300) as n;
"""
ITEMS = "  app.order_items: {activity: account, erase: delete, columns: {note: user.content}}"

MAP = """\
version: 1
controller: {name: Example, contact: privacy@shop.example, authority: Berlin DPA}
backups: {expire_after: P7D}
subject: {table: app.users, key: id, identities: {email: email}}
activities:
  account:
    purpose: AccountManagement
    legal_basis: A6-1-b
    origin: ProvidedPersonalData
    recipients: []
    retention: {until: the account is closed}
tables: # all of them
  app.users: {activity: account, erase: delete, columns: {email: user.contact.email, name: user.name}}  # people

  app.orders:
    activity: account
    erase: delete
    columns:
      note: user.content.private   # what they wish

# nothing below
"""


@pytest.fixture
def shop(postgres: PostgresAddress) -> PostgresAddress:
    with administrator(postgres) as admin:
        admin.execute(SCHEMA)
    return postgres


@pytest.fixture
def data_map(tmp_path: Path) -> Path:
    file = tmp_path / "datamap.yaml"
    file.write_text(MAP)
    return file


def discover(shop: PostgresAddress, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return gdpr("map", "discover", *map(str, words), DATABASE_URL=shop.url(), **more)


def change(shop: PostgresAddress, sql: str) -> None:
    with administrator(shop) as admin:
        admin.execute(sql)


# A new file ---------------------------------------------------------------------------------------------------------


def test_a_proposal_goes_into_a_new_file(shop: PostgresAddress, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    answer = discover(shop, "-o", file)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert "gdpr map check" in answer.stderr
    assert file.read_text() == discover(shop).stdout


def test_a_file_that_is_there_is_never_overwritten(shop: PostgresAddress, data_map: Path) -> None:
    answer = discover(shop, "--output", data_map)
    assert answer.returncode == 2
    assert f"--into {data_map}" in answer.stderr
    assert data_map.read_text() == MAP


def test_a_folder_that_is_not_there_is_named_before_anything_is_read(shop: PostgresAddress, tmp_path: Path) -> None:
    answer = discover(shop, "-o", tmp_path / "nowhere" / "map.yaml")
    assert answer.returncode == 2
    assert "There is no folder" in answer.stderr


def test_a_new_file_and_a_map_at_once_are_refused(shop: PostgresAddress, data_map: Path) -> None:
    answer = discover(shop, "-o", data_map.with_name("new.yaml"), "--into", data_map)
    assert answer.returncode == 2
    assert "--output and --into" in answer.stderr


# A map that is there ------------------------------------------------------------------------------------------------


def test_what_is_new_is_added_and_nothing_else_is_touched(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW)
    answer = discover(shop, "--into", data_map)
    assert (answer.returncode, answer.stdout) == (0, "")
    for what in ("table app.carts", "link app.orders, friend_id", "column app.orders.greeting"):
        assert what in answer.stderr
    after = data_map.read_text()
    assert _without_added(after) == MAP
    found = Document.parse(after).map
    assert found.tables["app.carts"].erase == "delete"
    assert set(found.tables["app.orders"].links) == {"friend_id", "user_id"}
    assert [each.role for each in found.tables["app.orders"].links["user_id"]] == ["owner"]
    assert found.tables["app.orders"].columns["greeting"].category == "user.content"
    assert set(found.activities) == {found.tables["app.carts"].activity} == {"account"}
    assert CANARY not in after


def _without_added(after: str) -> str:
    """Line by line: all lines of the map, in their order, are there still."""
    left = iter(after.splitlines(keepends=True))
    return "".join(line for line in MAP.splitlines(keepends=True) if line in left)


def test_a_second_time_nothing_is_added(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW)
    discover(shop, "--into", data_map)
    first = data_map.read_bytes()
    answer = discover(shop, "--into", data_map)
    assert "nothing is added" in answer.stderr
    assert data_map.read_bytes() == first


def test_a_new_foreign_key_to_people_is_a_question(shop: PostgresAddress, data_map: Path) -> None:
    """By the rule that the nearest link wins, it would take rows from whoever owned them."""
    change(shop, NEW_KEYS)
    data_map.write_text(MAP.replace("# nothing below", ITEMS))
    answer = discover(shop, "--into", data_map)
    assert "link app.order_items, gift_wrapped_by" in answer.stderr
    after = data_map.read_text()
    found = Document.parse(after).map.tables
    assert [each.role for each in found["app.order_items"].links["gift_wrapped_by"]] == ["undecided"]
    assert not found["app.orders"].links
    assert "nothing is added" in discover(shop, "--into", data_map).stderr


def test_a_new_table_is_of_the_activity_of_what_it_hangs_from(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW_KEYS)
    other = "\ntables: # all of them".join(MAP.split("\ntables: # all of them"))
    other = other.replace("tables: #", "  purchase: {purpose: AccountManagement, legal_basis: A6-1-b}\ntables: #")
    other = other.replace("app.orders:\n    activity: account", "app.orders:\n    activity: purchase")
    data_map.write_text(other)
    discover(shop, "--into", data_map)
    found = Document.parse(data_map.read_text()).map
    assert found.tables["app.order_items"].activity == "purchase"
    assert "to_be_described" not in found.activities


def test_what_is_decided_is_not_proposed_again(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, "create schema raw; create table raw.lines (id bigint primary key, email text)")
    written = MAP.replace("# nothing below", "  raw.*: {personal: false, reason: lines}")
    written = written.replace("note: user.content.private ", '"*": user.content.private ')
    data_map.write_text(written)
    change(shop, "alter table app.orders add column more text")
    assert "nothing is added" in discover(shop, "--into", data_map).stderr
    assert data_map.read_text() == written


def test_kinds_of_keys_that_no_pattern_covers_are_added(
    shop: PostgresAddress, valkey: CacheAddress, data_map: Path
) -> None:
    data_map.write_text(MAP + 'cache:\n  "cart:*": {activity: account, holds: {json: user_id}}\n')
    client = connect_cache(valkey, application="gdpr-tests")
    for number in range(1, 80):
        client.set(f"session:{number:032x}", json.dumps({"user_id": number * 3}), ex=600)
        client.set(f"cart:{number:032x}", json.dumps({"user_id": number * 3}), ex=600)
    client.close()
    answer = discover(shop, "--into", data_map, REDIS_URL=valkey.url())
    assert "keys session:*" in answer.stderr
    found = Document.parse(data_map.read_text()).map
    assert set(found.cache.patterns) == {"cart:*", "session:*"}
    assert found.cache.patterns["session:*"].activity == "account"


def test_a_key_that_the_map_names_by_its_own_word_is_not_added(
    shop: PostgresAddress, valkey: CacheAddress, data_map: Path
) -> None:
    """Discovery would not write that word down, but it compares it."""
    written = MAP + 'cache:\n  "zorb:open": {personal: false, reason: hours}\n'
    data_map.write_text(written)
    client = connect_cache(valkey, application="gdpr-tests")
    client.set("zorb:open", "x")
    assert "nothing is added" in discover(shop, "--into", data_map, REDIS_URL=valkey.url()).stderr
    client.set("blorb:open", "x")
    client.close()
    assert "keys *:open" in discover(shop, "--into", data_map, REDIS_URL=valkey.url()).stderr


def test_several_kinds_of_people_keep_the_names_that_the_map_gave_them(shop: PostgresAddress, data_map: Path) -> None:
    change(
        shop,
        """
        create table app.staff (id bigint primary key, email text not null unique);
        insert into app.staff select n, 'staff' || n || '@example.org' from generate_series(1, 60) as n;
        create table app.shifts (id bigint primary key, said text);
        insert into app.shifts select n, 'staff' || n || '@example.org' from generate_series(1, 60) as n;
        """,
    )
    both = "subjects:\n  buyer: {table: app.users, key: id}\n  helper: {table: app.staff, key: id,"
    written = MAP.replace("subject: {table: app.users, key: id,", both)
    written = written.replace(
        "tables: # all of them", "tables:\n  app.staff: {activity: account, columns: {email: user}}"
    )
    data_map.write_text(written)
    discover(shop, "--into", data_map)
    (entry,) = Document.parse(data_map.read_text()).map.tables["app.shifts"].links["said"]
    assert (entry.subject, entry.identity) == ("helper", "email")


def test_a_map_without_a_safe_place_stays_as_it_is(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW)
    written = MAP.replace("columns: {email:", "columns: &same {email:").replace(
        "    columns:\n      note: user.content.private   # what they wish", "    columns: *same"
    )
    data_map.write_text(written)
    answer = discover(shop, "--into", data_map)
    assert answer.returncode == 1
    assert "--output" in answer.stderr
    assert data_map.read_text() == written


def test_a_map_keeps_its_mark_its_line_breaks_and_its_mode(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW)
    data_map.write_bytes(b"\xef\xbb\xbf" + MAP.replace("\n", "\r\n").encode())
    data_map.chmod(0o640)
    discover(shop, "--into", data_map)
    after = data_map.read_bytes()
    assert after.startswith(b"\xef\xbb\xbfversion")
    assert b"app.carts" in after
    assert after.count(b"\n") == after.count(b"\r\n")
    assert data_map.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in data_map.parent.iterdir()] == [data_map.name]


def test_a_map_behind_a_link_stays_behind_it(shop: PostgresAddress, data_map: Path) -> None:
    change(shop, NEW)
    link = data_map.with_name("link.yaml")
    link.symlink_to(data_map)
    discover(shop, "--into", link)
    assert link.is_symlink()
    assert "app.carts" in data_map.read_text()


def test_a_table_that_takes_its_columns_from_another_stays_as_it_is(shop: PostgresAddress, data_map: Path) -> None:
    """A part of its own would take the other's place."""
    change(shop, NEW)
    written = MAP.replace("app.users: {", "app.users: &base {").replace(
        "    activity: account\n    erase: delete\n    columns:\n      note: user.content.private   # what they wish\n",
        "    <<: *base\n",
    )
    data_map.write_text(written)
    answer = discover(shop, "--into", data_map)
    assert answer.returncode == 1
    assert "no safe place" in answer.stderr
    assert data_map.read_text() == written


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--into", "nowhere.yaml"), "There is no map"),
        (("--into", "datamap.yaml", "--subject", "app.users"), "the map says who the people are"),
    ],
)
def test_what_cannot_be_done_is_told(shop: PostgresAddress, data_map: Path, words: tuple[str, ...], told: str) -> None:
    named = [str(data_map.parent / word) if word.endswith(".yaml") else word for word in words]
    answer = discover(shop, *named)
    assert answer.returncode in (1, 2)
    assert told in answer.stderr


def test_a_map_that_cannot_be_read_is_told_with_its_line(shop: PostgresAddress, data_map: Path) -> None:
    data_map.write_text(MAP.replace("erase: delete\n", "erase: deleet\n"))
    answer = discover(shop, "--into", data_map)
    assert answer.returncode == 1
    assert f"{data_map.name}:17" in answer.stderr
