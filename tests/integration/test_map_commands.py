"""`gdpr map` and `gdpr plan`, as a person at a terminal meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from psycopg2 import sql

from shared.addresses import CacheAddress, PostgresAddress
from shared.cache import connect as connect_cache
from shared.roles import LOGINS
from tests.integration.test_command_line import gdpr
from tests.run import administrator, as_role

CANARY = "kanarie@geheim.example"

SCHEMA = f"""
create schema app;
create table app.users (id bigint primary key, email text not null unique, name text);
create table app.orders (id bigint primary key, user_id bigint not null references app.users (id), note text);
create index on app.orders (user_id);
insert into app.users select n, n || '{CANARY}', 'somebody' from generate_series(1, 300) as n;
insert into app.orders select n, 1 + n % 300, '{CANARY}' from generate_series(1, 900) as n;
"""

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
tables:
  app.users: {activity: account, erase: delete, columns: {email: user.contact.email, name: user.name}}
  app.orders: {activity: account, erase: delete, columns: {note: user.content.private}}
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


def run(shop: PostgresAddress, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return gdpr(*map(str, words), DATABASE_URL=shop.url(), **more)


def test_discover_proposes_a_map_that_show_draws_and_that_holds_no_value(shop: PostgresAddress, tmp_path: Path) -> None:
    proposed = run(shop, "map", "discover")
    assert (proposed.returncode, proposed.stderr) == (0, "")
    assert yaml.safe_load(proposed.stdout)["subject"]["table"] == "app.users"
    assert CANARY not in proposed.stdout
    assert "\x1b" not in proposed.stdout

    file = tmp_path / "proposed.yaml"
    file.write_text(proposed.stdout)
    drawn = run(shop, "map", "show", file)
    assert drawn.returncode == 0
    assert "app.users (person, key id): delete\n└── app.orders  user_id: " in drawn.stdout


def test_discover_gives_the_same_bytes_twice(shop: PostgresAddress) -> None:
    assert run(shop, "map", "discover").stdout == run(shop, "map", "discover").stdout


def test_discover_looks_into_the_cache_as_well(shop: PostgresAddress, valkey: CacheAddress) -> None:
    client = connect_cache(valkey, application="gdpr-tests")
    for number in range(1, 80):
        client.set(f"session:{number:032x}", json.dumps({"user_id": number * 3}), ex=600)
        client.set(f"limit:login:{number * 3}{CANARY}", 1, ex=60)
    client.close()
    proposed = run(shop, "map", "discover", REDIS_URL=valkey.url())

    found = yaml.safe_load(proposed.stdout)["cache"]
    assert {pattern: entry.get("holds") for pattern, entry in found.items()} == {
        "limit:login:{email}": None,
        "session:*": {"json": "user_id"},
    }
    assert CANARY not in proposed.stdout


def test_a_catalogue_in_a_file_stands_for_the_database(shop: PostgresAddress, data_map: Path, tmp_path: Path) -> None:
    written = run(shop, "map", "catalogue")
    assert CANARY not in written.stdout
    file = tmp_path / "catalogue.json"
    file.write_text(written.stdout)

    offline_too = (
        ("map", "discover"),
        ("map", "check", data_map),
        ("map", "show", data_map),
        ("plan", "show", data_map),
    )
    for words in offline_too:
        answer = gdpr(*map(str, words), "--catalogue", str(file))
        assert (answer.returncode, answer.stderr) == (0, ""), words
    offline = gdpr("plan", "compile", str(data_map), "--catalogue", str(file))
    assert offline.stdout == run(shop, "plan", "compile", data_map).stdout


def test_check_is_silent_about_a_good_map_and_says_where_a_bad_one_is_wrong(
    shop: PostgresAddress, data_map: Path
) -> None:
    good = run(shop, "map", "check", data_map)
    assert good.returncode == 0, good.stdout

    data_map.write_text(MAP.replace("app.orders:", "app.order:").replace("name: user.name", "name: user.nam"))
    bad = run(shop, "map", "check", data_map)
    assert bad.returncode == 1
    assert f"{data_map}:14:" in bad.stdout
    assert "did you mean app.orders?" in bad.stdout
    assert "app.orders" in bad.stdout
    assert "user.name" in bad.stdout


def test_check_tells_machines_too(shop: PostgresAddress, data_map: Path) -> None:
    data_map.write_text(MAP.replace("app.orders:", "app.order:"))
    as_json = json.loads(run(shop, "map", "check", data_map, "--format", "json").stdout)
    sarif = json.loads(run(shop, "map", "check", data_map, "--format", "sarif").stdout)

    faults = as_json["faults"] if isinstance(as_json, dict) else as_json
    assert {"unknown_table"} <= {fault["code"] for fault in faults}
    results = sarif["runs"][0]["results"]
    assert {"unknown_table"} <= {result["ruleId"] for result in results}
    assert all(result["locations"][0]["physicalLocation"]["region"]["startLine"] > 0 for result in results)


def test_a_map_that_cannot_be_read_fails_the_check_with_every_fault(shop: PostgresAddress, data_map: Path) -> None:
    data_map.write_text(MAP.replace("erase: delete", "erase: delte").replace("legal_basis", "legal_bases"))
    answer = run(shop, "map", "check", data_map)
    assert answer.returncode == 1
    assert "did you mean delete?" in answer.stdout
    assert "did you mean legal_basis?" in answer.stdout


def test_approve_stores_the_plan_and_lets_the_roles_at_its_tables(shop: PostgresAddress, data_map: Path) -> None:
    approved = run(shop, "map", "approve", data_map)
    assert approved.returncode == 0, approved.stderr
    digest = approved.stdout.strip()

    assert run(shop, "plan", "status").stdout.strip() == digest
    assert f"-- Plan {digest}\n" in run(shop, "plan", "show", "--active").stdout
    with administrator(shop) as cur:
        cur.execute("select digest, is_active from gdpr.plan")
        assert cur.fetchall() == [(digest, True)]
        for role, right in (("gdpr_export", "select"), ("gdpr_erase", "delete"), ("gdpr_verify", "select")):
            cur.execute("select has_table_privilege(%s, 'app.orders', %s)", (role, right))
            assert cur.fetchone() == (True,)
    for role in LOGINS:
        assert run(as_role(shop, role), "plan", "status").stdout.strip() == digest


def test_an_approval_says_first_what_it_is_and_a_dry_run_says_nothing_else(
    shop: PostgresAddress, data_map: Path
) -> None:
    asked = run(shop, "map", "approve", data_map, "--dry-run")
    assert asked.returncode == 0, asked.stderr
    assert "reads 2 tables, and locks rows in 2.\nAn erasure\n  deletes rows of app.orders, app.users" in asked.stdout
    assert "No plan is in use so far." in asked.stdout
    assert asked.stdout.endswith(
        "gdpr_audit, gdpr_erase, gdpr_export and gdpr_verify get usage on app\n"
        "gdpr_erase, gdpr_export and gdpr_verify get select on app.orders, app.users\n"
        "gdpr_audit gets select (email, id) on app.users\n"
        "gdpr_erase gets delete, maintain, update on app.orders, app.users\n"
        if shop_has_maintain(shop)
        else "gdpr_erase gets delete, update on app.orders, app.users\n"
    )
    assert asked.stderr.startswith("Nothing was changed: --dry-run.")
    with administrator(shop) as cur:
        cur.execute("select count(*), has_table_privilege('gdpr_export', 'app.users', 'select') from gdpr.plan")
        assert cur.fetchone() == (0, False)

    approved = run(shop, "map", "approve", data_map)
    assert asked.stdout in approved.stderr
    assert approved.stderr.index("gdpr_erase gets") < approved.stderr.index("The functions go by this plan")
    again = run(shop, "map", "approve", data_map, "--dry-run")
    assert "It is the plan that is in use already.\nNo right of any role changes.\n" in again.stdout


def test_an_approval_compares_with_the_plan_in_use(shop: PostgresAddress, data_map: Path) -> None:
    run(shop, "map", "approve", data_map)
    unlinking = MAP.replace("erase: delete, columns: {note", "erase: unlink, columns: {note")
    with administrator(shop) as cur:
        cur.execute("alter table app.orders alter user_id drop not null")
    data_map.write_text(unlinking)
    asked = run(shop, "map", "approve", data_map, "--dry-run")
    assert "  app.orders, user_id: unlinks (so far: deletes)\n" in asked.stdout, asked.stderr

    machine = json.loads(run(shop, "map", "approve", data_map, "--dry-run", "--json").stdout)
    assert machine["changes"] == ["app.orders, user_id: unlinks (so far: deletes)"]
    assert machine["dry_run"] is True
    assert machine["kinds"]["person"]["erasure"] == {"app.orders": "unlink", "app.users": "delete"}
    assert (machine["granted"], machine["revoked"]) == ([], [])


def shop_has_maintain(shop: PostgresAddress) -> bool:
    """Before Postgres 17 that right is not there."""
    with administrator(shop) as cur:
        return cur.connection.server_version >= 170000


def test_tables_that_were_listed_are_not_listed_for_the_next_right(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        if cur.connection.server_version < 170000:
            pytest.skip("before Postgres 17 no role refreshes a view of another's")
        for number in range(5):
            cur.execute(f"create table app.t{number} (user_id bigint references app.users, at date)")
            cur.execute(f"create index on app.t{number} (user_id)")
        cur.execute("create materialized view app.totals as select user_id, count(*) as n from app.t0 group by 1")
        cur.execute("create unique index on app.totals (user_id)")
    more = [f"  app.t{number}: {{activity: account, columns: {{at: user.behavior}}}}\n" for number in range(5)]
    view = "  app.totals: {activity: account, erase: refresh, links: {user_id: {}}, columns: {n: user.behavior}}\n"
    data_map.write_text(MAP + "".join(more) + view)
    asked = run(shop, "map", "approve", data_map, "--dry-run")
    assert asked.returncode == 0, asked.stderr + asked.stdout
    listed = "app.orders, app.t0, app.t1, app.t2, app.t3, app.t4, app.totals, app.users"
    told = " ".join(asked.stdout.split())
    assert f"gdpr_erase, gdpr_export and gdpr_verify get select on {listed} gdpr_" in told
    assert "update on the same 8 but app.totals" in told
    assert asked.stdout.count("app.t3") == 2  # what an erasure does, and one right


def test_an_approval_says_that_rows_past_their_term_are_deleted(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("alter table app.orders add placed date")
    data_map.write_text(
        MAP.replace("{until: the account is closed}", "{period: P10Y, from: {column: placed}, law: AO}")
        .replace("app.orders: {activity: account, erase: delete", "app.orders: {activity: account, erase: keep, KEEP")
        .replace("KEEP", "keep: {exception: 17(3)(b), columns: [placed]}")
        .replace("columns: {note", "columns: {placed: user.behavior, note")
        .replace("app.users: {", "app.users: {stub: {email: random}, ")
    )
    asked = run(shop, "map", "approve", data_map, "--dry-run")
    assert "  keeps rows for P10Y, and deletes those that are past it, of app.orders\n" in asked.stdout, asked.stderr


def test_an_approval_says_which_rights_go(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("create table app.numbers (id bigint); grant select on app.numbers to gdpr_export")
    data_map.write_text(MAP + "  app.numbers: {personal: false, reason: nobody's}\n")
    asked = run(shop, "map", "approve", data_map, "--dry-run")
    assert "gdpr_export loses select on app.numbers\n" in asked.stdout


def test_without_the_schema_an_approval_says_what_to_run_first(empty_postgres: PostgresAddress, data_map: Path) -> None:
    with administrator(empty_postgres) as cur:
        cur.execute(SCHEMA)
    answer = run(empty_postgres, "map", "approve", data_map)
    assert answer.returncode == 2
    assert answer.stderr == (
        f"Schema gdpr is not installed at {empty_postgres.where}: run `gdpr db migrate` first, as an administrator.\n"
    )
    for words in (("plan", "status"), ("plan", "show", "--active"), ("plan", "try", "--active", "--id", "7")):
        assert run(empty_postgres, *words).stderr == answer.stderr, words


def test_with_a_migration_missing_an_approval_says_which(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute("delete from gdpr.migration where version = 4")
    answer = run(shop, "map", "approve", data_map)
    assert answer.returncode == 2
    assert answer.stderr.startswith("Schema gdpr lacks 0004 plan_catalogue at ")


def test_approving_another_map_replaces_the_plan_and_the_first_can_be_taken_again(
    shop: PostgresAddress, data_map: Path
) -> None:
    first = run(shop, "map", "approve", data_map).stdout
    data_map.write_text(MAP.replace("identities: {email: email}", "identities: {}"))
    second = run(shop, "map", "approve", data_map).stdout
    data_map.write_text(MAP)
    third = run(shop, "map", "approve", data_map).stdout

    assert first == third != second
    with administrator(shop) as cur:
        cur.execute("select count(*), count(*) filter (where is_active) from gdpr.plan")
        assert cur.fetchone() == (2, 1)


def test_what_a_new_plan_does_not_name_our_roles_no_longer_reach(shop: PostgresAddress, data_map: Path) -> None:
    with administrator(shop) as cur:
        cur.execute(
            "create table app.notes (user_id bigint, at date) partition by range (at);"
            " create table app.notes_1 partition of app.notes for values from ('2026-01-01') to ('2027-01-01');"
            " create index on app.notes (user_id)"
        )
    data_map.write_text(MAP + "  app.notes: {activity: account, links: {user_id: {}}, columns: {at: user.behavior}}\n")
    assert run(shop, "map", "approve", data_map).returncode == 0
    reached = "select has_table_privilege('gdpr_erase', t::regclass, 'delete') from unnest(%s::text[]) as t"
    tables = ["app.orders", "app.notes", "app.notes_1"]
    with administrator(shop) as cur:
        cur.execute(reached, (tables,))
        assert cur.fetchall() == [(True,), (True,), (True,)]
    data_map.write_text(MAP + "  app.notes: {personal: false, reason: they have become numbers}\n")
    answer = run(shop, "map", "approve", data_map)
    assert answer.returncode == 0, answer.stderr
    with administrator(shop) as cur:
        cur.execute(reached, (tables,))
        assert cur.fetchall() == [(True,), (False,), (False,)]


def test_nothing_is_approved_that_fails_the_check(shop: PostgresAddress, data_map: Path) -> None:
    data_map.write_text(MAP.replace(", name: user.name", ""))
    answer = run(shop, "map", "approve", data_map)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Nothing is approved." in answer.stderr
    assert run(shop, "plan", "status").stderr.startswith("No data map has been approved for this database")


def test_a_change_of_the_database_is_drift_and_is_told_change_by_change(shop: PostgresAddress, data_map: Path) -> None:
    run(shop, "map", "approve", data_map)
    calm = run(shop, "plan", "status", data_map)
    assert (calm.returncode, calm.stderr) == (0, "The database is what it was made for.\n")
    with administrator(shop) as cur:
        cur.execute("alter table app.orders add column more text; create table app.late (id bigint)")
    for role in (shop.role, *LOGINS):
        answer = run(shop if role == shop.role else as_role(shop, role), "plan", "status", data_map)
        assert answer.returncode == 1
        assert answer.stderr == (
            "  app.late is new.\n  app.orders, column more, is new.\n"
            "The database has changed since the plan was approved."
            " Approve it again: gdpr map check, then gdpr map approve.\n"
        )
    told = json.loads(run(shop, "plan", "status", data_map, "--json").stdout)
    assert told["changes"] == ["app.late is new", "app.orders, column more, is new"]
    assert told["drifted"] is True


@pytest.mark.parametrize(
    "stored", ["null", "json_build_object('fingerprint', fingerprint)"], ids=["none", "of another version"]
)
def test_of_a_plan_without_its_catalogue_the_changes_are_not_known(
    shop: PostgresAddress, data_map: Path, stored: str
) -> None:
    run(shop, "map", "approve", data_map)
    with administrator(shop) as cur:
        cur.execute(f"update gdpr.plan set catalogue = {stored}; alter table app.orders add column more text")
    answer = run(shop, "plan", "status", data_map)
    assert answer.returncode == 1
    assert (
        "What has changed is not known: the plan came without its catalogue, or with another version's."
        in answer.stderr
    )
    assert json.loads(run(shop, "plan", "status", data_map, "--json").stdout)["changes"] is None


def test_a_map_that_is_not_the_approved_one_is_told(
    shop: PostgresAddress, data_map: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shop, "map", "approve", data_map)
    data_map.write_text("# a remark\n" + MAP)
    assert "has changed" not in run(shop, "plan", "status", data_map).stderr
    for text in (MAP.replace("user.name", "user.contact"), "version: [\n"):
        data_map.write_text(text)
        answer = run(shop, "plan", "status", DATA_MAP=str(data_map))
        assert answer.returncode == 0
        assert f"{data_map} has changed since it was approved.\n" in answer.stderr
        assert json.loads(run(shop, "plan", "status", data_map, "--json").stdout)["map_changed"] is True
    nameless = run(shop, "plan", "status", "--json")
    assert json.loads(nameless.stdout)["map_changed"] is None
    assert run(shop, "plan", "status", "nowhere.yaml").returncode == 2


def test_who_may_not_approve_is_told_so(shop: PostgresAddress, data_map: Path) -> None:
    answer = run(as_role(shop, "gdpr_erase"), "map", "approve", data_map)
    assert answer.returncode == 1
    assert answer.stderr.startswith("This role may not approve a map (permission denied")
    assert "do it as an administrator: whoever owns the tables" in answer.stderr
    with administrator(shop) as cur:
        cur.execute("select count(*) from gdpr.plan")
        assert cur.fetchone() == (0,)


@pytest.fixture
def master(shop: PostgresAddress) -> Iterator[PostgresAddress]:
    """An administrator as RDS has one: no superuser, but the owner of the tables, who may create roles."""
    name = sql.Identifier(f"{shop.database}_master")
    address = as_role(shop, f"{shop.database}_master")
    with administrator(shop) as cur:
        cur.execute(sql.SQL("create role {} login createrole password {}").format(name, sql.Literal(address.password)))
        cur.execute(sql.SQL("grant gdpr_owner to {} with admin true, inherit false, set false").format(name))
        cur.execute(sql.SQL("alter schema app owner to {}").format(name))
        cur.execute(sql.SQL("alter table app.users owner to {0}; alter table app.orders owner to {0}").format(name))
        yield address
        cur.execute(sql.SQL("reassign owned by {0} to postgres; drop owned by {0}; drop role {0}").format(name))


def test_an_administrator_who_is_no_superuser_may_approve(master: PostgresAddress, data_map: Path) -> None:
    answer = run(master, "map", "approve", data_map)
    assert answer.returncode == 0, answer.stderr
    with administrator(master) as cur:
        cur.execute("select pg_has_role(%s, 'gdpr_owner', 'set')", (master.role,))
        assert cur.fetchone() == (False,)


def test_the_plan_can_be_read_with_estimates(shop: PostgresAddress, data_map: Path) -> None:
    shown = run(shop, "plan", "show", data_map, "--explain", "--full")
    assert shown.returncode == 0, shown.stderr
    assert "-- delete app.users: what has to go\n-- estimated cost" in shown.stdout
    assert "create temporary table gdpr_person" in shown.stdout


def test_what_is_undecided_is_drawn_so_and_counted(shop: PostgresAddress, data_map: Path) -> None:
    data_map.write_text(MAP.replace("app.orders: {activity: account, erase: delete", "app.orders: {erase: undecided"))
    drawn = run(shop, "map", "show", data_map).stdout
    assert "└── app.orders  user_id: undecided\n" in drawn
    assert drawn.endswith("\n1 undecided\n└── app.orders, user_id\n")


def test_a_dataset_without_a_schema_is_taken_to_the_one_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "dataset.yml"
    file.write_text(
        "dataset:\n  - fides_key: shop\n    collections:\n      - name: users\n        fields:\n"
        "          - {name: id, fides_meta: {primary_key: true}}\n"
        "          - {name: email, fides_meta: {identity: email}}\n"
    )
    told = gdpr("map", "import", "--fides", str(file), "--schema", "app")
    assert (told.returncode, told.stderr) == (0, "")
    assert yaml.safe_load(told.stdout)["subject"]["table"] == "app.users"
    assert "# Where a dataset names no schema, it is taken to be app.\n" in told.stdout
    assert yaml.safe_load(gdpr("map", "import", "--fides", str(file)).stdout)["subject"]["table"] == "public.users"
    assert gdpr("map", "import", "--fides", str(file), "--schema", " ").stderr == (
        "--schema is empty: name the schema, such as public.\n"
    )


def test_show_says_what_the_check_counts(shop: PostgresAddress, data_map: Path) -> None:
    assert run(shop, "map", "show", data_map).stderr == ""
    data_map.write_text(MAP.replace("name: user.name", "").replace(", columns: {note: user.content.private}", ""))
    counted = run(shop, "map", "check", data_map, "--format", "json").stdout
    errors = sum(fault["severity"] == "error" for fault in json.loads(counted))
    assert errors == 2
    told = "gdpr map check tells all that is undecided or wrong: 2 errors.\n"
    assert run(shop, "map", "show", data_map).stderr == told


def test_show_draws_for_other_programs(shop: PostgresAddress, data_map: Path) -> None:
    dot = run(shop, "map", "show", data_map, "--dot").stdout
    assert dot.startswith("digraph")
    assert '"app.orders" -> "app.users" [label="user_id: delete"];' in dot
    mermaid = run(shop, "map", "show", data_map, "--mermaid").stdout
    assert mermaid.startswith("flowchart LR")
    assert '-->|"user_id: delete"|' in mermaid


def test_the_schema_for_editors_is_printed() -> None:
    assert json.loads(gdpr("map", "schema").stdout)["properties"]["version"]


def test_a_file_that_is_no_catalogue_is_named(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    for text in ("", "[]", '{"tables": 3}', "{}"):
        file.write_text(text)
        answer = gdpr("map", "discover", "--catalogue", str(file))
        assert answer.returncode == 2
        assert "holds no catalogue" in answer.stderr


def test_a_subject_that_is_no_table_is_corrected(shop: PostgresAddress) -> None:
    answer = run(shop, "map", "discover", "--subject", "app.user")
    assert answer.returncode == 2
    assert "did you mean app.users?" in answer.stderr


HOSTILE = [
    "select",
    'a"b',
    "it's",
    "semi;colon",
    "100%",
    "%s",
    "dot.ted",
    "com,ma",
    " edge ",
    "ünï©ode",
    "x" * 63,
    "a\nb",
    "\x1b[31mred",
]


def test_no_name_breaks_a_command(shop: PostgresAddress, tmp_path: Path) -> None:
    """Each name as schema, table, column, constraint, index, trigger, policy, type and label; through to the plan."""
    with administrator(shop) as cur:
        for name in HOSTILE:
            each = sql.Identifier(name)
            cur.execute(
                sql.SQL(
                    "create schema {0}; create type app.{0} as enum ({1});"
                    " create table {0}.{0} ({0} bigint constraint {0} references app.users, kind app.{0} default {1},"
                    " at date); create index {2} on {0}.{0} ({0}); comment on table {0}.{0} is {1};"
                    " create function {0}.{0}() returns trigger language plpgsql as 'begin return new; end';"
                    " create trigger {0} before insert on {0}.{0} for each row execute function {0}.{0}();"
                    " create policy {0} on {0}.{0} using (true); insert into {0}.{0} values (7), (8)"
                ).format(each, sql.Literal(name), sql.Identifier(f"{name[:60]}_i"))
            )
    proposed = run(shop, "map", "discover")
    assert proposed.returncode == 0, proposed.stderr
    file = tmp_path / "hostile.yaml"
    file.write_text(proposed.stdout)
    shown = run(shop, "map", "show", file)
    assert shown.returncode == 0, shown.stderr
    assert "a?b" in shown.stdout
    assert all(line.isprintable() for line in shown.stdout.split("\n"))
    checked = run(shop, "map", "check", file, "--format", "json")
    assert checked.returncode == 1
    assert {"unknown_table", "unknown_column", "map.invalid"}.isdisjoint(f["code"] for f in json.loads(checked.stdout))
    for form in ("--dot", "--mermaid"):
        assert run(shop, "map", "show", file, form).returncode == 0
    file.write_text(proposed.stdout.replace("erase: undecided", "erase: delete"))
    explained = run(shop, "plan", "show", file, "--explain", "--full")
    assert explained.returncode == 0, explained.stderr
    with administrator(shop) as cur:
        cur.execute(explained.stdout)  # no name ends a comment or a statement
    tried = run(shop, "plan", "try", file, "--id", "7", "--erase")
    assert tried.returncode == 0, tried.stderr
    assert "a?b" in tried.stdout
    assert all(line.isprintable() for line in tried.stdout.split("\n"))
