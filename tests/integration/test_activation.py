"""`activate`: a plan that was compiled elsewhere, and the digest that the officer names."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg2 import sql
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from functions.audit_logging import activation as activation_module
from shared import active_plan
from shared.addresses import PostgresAddress
from shared.catalogue import document
from shared.database import Database
from shared.ledger.after import sequenced
from shared.plan import Plan
from shared.queries import query
from tests.integration.operator_site import OperatorSite
from tests.integration.people import MAP
from tests.integration.test_rotation import Killed, codes, entries
from tests.run import administrator, as_role

LESS = MAP.replace("  app.guests: {links: {mail: {identity: email, subject: user}}}\n", "").replace(
    "  app.staff: {}\n", "  app.staff: {}\n  app.guests: {personal: false, reason: x}\n"
)
CANARY = "kanarie"


@pytest.fixture
def site(postgres: PostgresAddress, people: cursor, tmp_path: Path) -> OperatorSite:
    made = OperatorSite(tmp_path, database_url=as_role(postgres, "gdpr_audit").url())
    made.lend(postgres)
    return made


def planned(people: cursor, text: str = MAP) -> Plan:
    return compiled(Document.parse(text).map, Catalogue.from_json(document(people)))


@pytest.fixture
def first(site: OperatorSite, people: cursor) -> Plan:
    """Put where `activate` looks, and nothing more."""
    return put(site, planned(people))


@pytest.fixture
def second(site: OperatorSite, people: cursor) -> Plan:
    """One that reads a table less."""
    return put(site, planned(people, LESS))


def put(site: OperatorSite, plan: Plan, name: str | None = None) -> Plan:
    folder = site.folder / "exchange" / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name or plan.digest}.json").write_bytes(plan.as_json())
    return plan


def activate(site: OperatorSite, plan: Plan | str, **more: Any) -> dict[str, Any]:
    digest = plan if isinstance(plan, str) else plan.digest
    return site.invoke("activate", digest=digest, by_role="privacy-officer", **more)


def in_use(people: cursor) -> str | None:
    plan = active_plan.load_if_any(people)
    return plan.digest if plan else None


def rights(people: cursor) -> active_plan.Rights:
    return active_plan.application_rights(people)


def lacking(people: cursor) -> list[str]:
    """Tables on which the roles cannot do what the plan in use needs."""
    plan = active_plan.load(people)
    read = sorted({table for kind in plan.kinds for table in kind.read})
    changed = sorted({table for kind in plan.kinds for table in kind.locked})
    people.execute(query("rights_missing"), {"read": read, "changed": changed})
    return [table for (table,) in people.fetchall()]


def test_the_functions_go_by_it_and_the_ledger_tells_of_it(
    site: OperatorSite, first: Plan, people: cursor, postgres: PostgresAddress
) -> None:
    done = activate(site, first)
    assert (done["status"], done["digest"], done["in_use_before"]) == ("completed", first.digest, None)
    assert in_use(people) == first.digest
    assert ["gdpr_export", "app.users", "select"] in done["granted"]
    assert lacking(people) == []
    assert json.loads(active_plan.approved_catalogue(people) or "") == json.loads(document(people))
    [entry] = entries(postgres, "map.activated")
    assert (entry["role"], entry["digest"]) == ("privacy-officer", first.digest)
    assert entry["versions"] == {"map": first.map_digest}


def test_it_comes_to_what_an_approval_with_a_socket_comes_to(
    site: OperatorSite, first: Plan, second: Plan, people: cursor
) -> None:
    activate(site, first)
    done = activate(site, second)
    assert [right for right in done["revoked"] if right[1] == "app.guests"]
    now = rights(people)
    active_plan.approve(people, second)
    assert rights(people) == now
    assert (done["granted"], done["in_use_before"]) == ([], first.digest)


def test_a_dry_run_tells_all_of_it_and_changes_nothing(
    site: OperatorSite, first: Plan, second: Plan, people: cursor, postgres: PostgresAddress
) -> None:
    activate(site, first)
    before = rights(people)
    dry = activate(site, second, dry_run=True)
    assert (rights(people), in_use(people)) == (before, first.digest)
    assert len(entries(postgres, "map.activated")) == 1
    assert dry["changes"] == ["user, app.guests: not any more"]
    done = activate(site, second)
    assert done | {"dry_run": True} == dry


def test_the_same_plan_again_changes_no_right_and_is_told(
    site: OperatorSite, first: Plan, postgres: PostgresAddress
) -> None:
    activate(site, first)
    again = activate(site, first)
    assert (again["status"], again["granted"], again["revoked"], again["changes"]) == ("completed", [], [], [])
    assert [entry["versions"] for entry in entries(postgres, "map.activated")] == [
        {"map": first.map_digest},
        {"before": first.digest, "map": first.map_digest},
    ]


def test_a_plan_that_was_swapped_is_refused(site: OperatorSite, first: Plan, second: Plan, people: cursor) -> None:
    """Whoever may write to the exchange bucket puts another plan under the digest that the officer names."""
    put(site, second, name=first.digest)
    for more in ({}, {"dry_run": True}):
        done = activate(site, first, **more)
        assert (done["status"], done["code"]) == ("failed", "plan_unfit")
        assert "another plan than the one of this digest" in done["message"]
    assert in_use(people) is None
    assert rights(people) == frozenset()


@pytest.mark.parametrize("part", ["select ", '"app.users"', '"fingerprint":"'])
def test_one_byte_that_differs_makes_another_plan(site: OperatorSite, first: Plan, people: cursor, part: str) -> None:
    file = site.folder / "exchange" / "plans" / f"{first.digest}.json"
    text = file.read_text()
    assert part in text
    place = text.index(part) + len(part) - 2
    file.write_text(text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :])
    assert activate(site, first)["code"] == "plan_unfit"
    assert in_use(people) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b"[]", b"{}", b'"x"', b"\xff", b'{"format": 4}', b"[" * 100000, f'{{"{CANARY}": 1}}'.encode()],
)
def test_what_is_no_plan_is_refused_and_not_quoted(site: OperatorSite, content: bytes, people: cursor) -> None:
    digest = hashlib.sha256(content).hexdigest()
    (site.folder / "exchange" / "plans").mkdir(parents=True)
    (site.folder / "exchange" / "plans" / f"{digest}.json").write_bytes(content)
    done = activate(site, digest)
    assert (done["status"], done["code"]) == ("failed", "plan_unfit")
    assert CANARY not in json.dumps(done)
    assert in_use(people) is None


def test_one_that_is_larger_than_memory_is_refused_unread(
    site: OperatorSite, first: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation_module, "LARGEST", 10)
    assert activate(site, first)["code"] == "plan_unfit"


def test_a_digest_of_nothing_says_where_to_put_it(site: OperatorSite) -> None:
    done = activate(site, "0" * 64)
    assert (done["status"], done["code"]) == ("failed", "plan_not_there")
    assert f"{site.folder}/exchange/plans/{'0' * 64}.json: put the file there" in done["message"]


@pytest.mark.parametrize("digest", ["0" * 63, "A" * 64, "../" * 21 + "0", "latest"])
def test_a_digest_is_one(site: OperatorSite, digest: str) -> None:
    assert codes(activate(site, digest)) == ["invalid"]


def test_who_decides_is_named(site: OperatorSite, first: Plan) -> None:
    assert codes(site.invoke("activate", digest=first.digest)) == ["missing"]


def test_a_plan_of_another_catalogue_is_refused_with_what_to_do(
    site: OperatorSite, first: Plan, people: cursor
) -> None:
    people.execute("alter table app.users add column nick text")
    for more in ({"dry_run": True}, {}):
        done = activate(site, first, **more)
        assert (done["status"], done["code"]) == ("failed", "catalogue_drift")
        assert "take its catalogue again (`catalogue`), and approve the map with that" in done["message"]
    assert (in_use(people), rights(people)) == (None, frozenset())


def test_a_table_that_is_gone_is_drift_and_not_a_missing_migration(
    site: OperatorSite, first: Plan, people: cursor
) -> None:
    people.execute("drop table app.guests")
    assert activate(site, first)["code"] == "catalogue_drift"


@pytest.mark.parametrize("table", ["pg_catalog.pg_authid", "gdpr.entry", "information_schema.sql_features"])
@pytest.mark.parametrize("part", ["read", "locked", "subject"])
def test_no_plan_lets_a_role_at_what_is_not_the_applications(
    site: OperatorSite, first: Plan, people: cursor, table: str, part: str
) -> None:
    """Whoever has the officer name a digest gets what is in it, and no more than the application's tables."""
    kind = first.kinds[0]
    if part == "subject":
        kind = replace(kind, naming=replace(kind.naming, subject=table))
    elif part == "read":
        kind = replace(kind, read=(*kind.read, table))
    else:
        kind = replace(kind, locked=(*kind.locked, table))
    done = activate(site, put(site, replace(first, kinds=(kind, *first.kinds[1:]))))
    assert (done["status"], done["code"]) == ("failed", "access_denied")
    assert "which is none of the application's" in done["message"]
    assert (in_use(people), rights(people)) == (None, frozenset())


def test_without_an_administrator_nothing_is_activated(site: OperatorSite, first: Plan, people: cursor) -> None:
    (site.keys / "admin").unlink()
    assert activate(site, first)["code"] == "administrator_missing"
    assert in_use(people) is None


def test_who_does_not_own_the_tables_is_no_administrator_for_this(
    site: OperatorSite, first: Plan, people: cursor, postgres: PostgresAddress
) -> None:
    site.lend(as_role(postgres, "gdpr_erase"))
    done = activate(site, first)
    assert (done["status"], done["code"]) == ("failed", "access_denied")
    assert in_use(people) is None


def test_an_administrator_who_is_no_superuser_will_do(
    site: OperatorSite, people: cursor, postgres: PostgresAddress
) -> None:
    """As RDS has one: the owner of the tables."""
    master = as_role(postgres, f"{postgres.database}_master")
    name = sql.Identifier(master.role)
    people.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(master.password)))
    people.execute(sql.SQL("alter schema app owner to {}").format(name))
    for table in ("users", "guests", "staff"):
        people.execute(sql.SQL("alter table app.{} owner to {}").format(sql.Identifier(table), name))
    try:
        site.lend(master)
        assert activate(site, put(site, planned(people)))["status"] == "completed"
        second = put(site, planned(people, LESS))
        assert activate(site, second)["status"] == "completed"
        assert (in_use(people), lacking(people)) == (second.digest, [])
    finally:
        people.execute(sql.SQL("reassign owned by {0} to postgres; drop owned by {0}; drop role {0}").format(name))


def test_if_the_ledger_cannot_be_written_nothing_is_activated(
    site: OperatorSite, first: Plan, second: Plan, people: cursor
) -> None:
    activate(site, first)
    people.execute("delete from gdpr.entry_kind where kind = 'map.activated'")
    assert activate(site, second)["status"] == "failed"
    assert (in_use(people), lacking(people)) == (first.digest, [])


@pytest.mark.parametrize("way", ["narrower", "wider"])
@pytest.mark.parametrize("step", ["let_at", "load_if_any", "activate", "keep_from_others"])
@pytest.mark.parametrize("when", ["before", "behind"])
def test_killed_anywhere_the_roles_may_do_what_the_plan_in_use_needs_and_a_second_run_ends_it(
    site: OperatorSite,
    first: Plan,
    second: Plan,
    people: cursor,
    monkeypatch: pytest.MonkeyPatch,
    *,
    way: str,
    step: str,
    when: str,
) -> None:
    before, after = (first, second) if way == "narrower" else (second, first)
    activate(site, before)
    real = getattr(active_plan, step)

    def killed(*given: Any) -> None:
        if when == "behind":
            real(*given)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(active_plan, step, killed)
        activate(site, after)
    assert in_use(people) == (after if step == "keep_from_others" else before).digest
    assert lacking(people) == []

    assert activate(site, after)["status"] == "completed"
    assert (in_use(people), lacking(people)) == (after.digest, [])
    now = rights(people)
    active_plan.approve(people, after)
    assert rights(people) == now


@pytest.mark.parametrize("way", ["narrower", "wider"])
def test_who_is_overtaken_leaves_the_rights_of_the_plan_that_stands(
    site: OperatorSite, first: Plan, second: Plan, people: cursor, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    slow, fast = (first, second) if way == "narrower" else (second, first)

    def overtaken(database: Database) -> None:
        monkeypatch.setattr(activation_module, "sequenced", sequenced)
        assert activate(site, fast)["status"] == "completed"

    monkeypatch.setattr(activation_module, "sequenced", overtaken)
    activate(site, slow)
    assert (in_use(people), lacking(people)) == (fast.digest, [])
    now = rights(people)
    active_plan.approve(people, fast)
    assert rights(people) == now


def test_who_hands_out_rights_meanwhile_is_waited_for(
    site: OperatorSite, first: Plan, second: Plan, postgres: PostgresAddress
) -> None:
    """Postgres fails the second of two that change the rights on one table at once."""
    waiting = threading.Thread(target=activate, args=(site, second))
    with closing(Database(postgres, application="gdpr-tests")) as database, database.transaction() as cur:
        active_plan.let_at(cur, first)
        waiting.start()
        waiting.join(timeout=2)  # it waits for us, or has come as far as the table
    waiting.join()
    assert site.answers[-1]["status"] == "completed", site.answers[-1]


def test_of_two_at_once_one_stands_with_its_rights(
    site: OperatorSite, first: Plan, second: Plan, people: cursor
) -> None:
    together, faults = threading.Barrier(2), list[BaseException]()

    def run(plan: Plan) -> None:
        try:
            together.wait()
            for _ in range(3):
                done = activate(site, plan)
                assert done["status"] == "completed", done
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(plan,)) for plan in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert lacking(people) == []
    now = rights(people)
    active_plan.approve(people, first if in_use(people) == first.digest else second)
    assert rights(people) == now


def test_what_was_activated_is_what_the_functions_load(
    site: OperatorSite, first: Plan, postgres: PostgresAddress
) -> None:
    activate(site, first)
    for role in ("gdpr_export", "gdpr_erase", "gdpr_verify"):
        with closing(Database(as_role(postgres, role), application="gdpr-tests")) as database:
            with database.transaction() as cur:
                assert active_plan.load(cur) == first
                assert not active_plan.has_drifted(cur, first)
    with administrator(postgres) as cur:
        cur.execute("select stored_by from gdpr.plan")
        assert cur.fetchall() == [("gdpr_audit",)]
