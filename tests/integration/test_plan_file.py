"""A map is approved by somebody who has no way to the database: what they type, from the catalogue to the answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from shared import active_plan
from shared.addresses import PostgresAddress
from tests.integration.operator_site import OperatorSite
from tests.integration.test_command_line import gdpr
from tests.run import administrator, as_role

SCHEMA = """
create schema app;
create table app.users (id bigint primary key, email text unique);
create table app.orders (id bigint primary key, user_id bigint not null references app.users);
create index on app.orders (user_id);
create index on app.users (lower(email));
"""
GOOD = """
version: 1
controller:
  {name: Shop, contact: privacy@shop.example, authority: Berlin DPA, timezone: Europe/Berlin, holidays: DE}
subject: {table: app.users, key: id, identities: {email: {column: email, match: folded}}}
activities:
  account:
    {purpose: AccountManagement, legal_basis: A6-1-b, origin: ProvidedPersonalData, recipients: [AWS],
     retention: {until: account_closed}}
tables:
  app.users: {activity: account, erase: delete, columns: {email: user.contact.email}}
  app.orders: {activity: account, erase: delete}
"""


@pytest.fixture
def site(postgres: PostgresAddress, tmp_path: Path) -> OperatorSite:
    with administrator(postgres) as cur:
        cur.execute(SCHEMA)
    made = OperatorSite(tmp_path, database_url=as_role(postgres, "gdpr_audit").url())
    made.lend(postgres)
    (tmp_path / "datamap.yaml").write_text(GOOD)
    (tmp_path / "catalogue.json").write_text(json.dumps(made.invoke("catalogue", alias="")))
    return made


def approve(site: OperatorSite, *words: str) -> tuple[int, str, str]:
    files = (str(site.folder / "datamap.yaml"), "--catalogue", str(site.folder / "catalogue.json"))
    done = gdpr("map", "approve", *files, *words)
    return done.returncode, done.stdout, done.stderr


def test_from_the_catalogue_to_a_plan_that_the_functions_go_by(site: OperatorSite, postgres: PostgresAddress) -> None:
    plan = site.folder / "plan.json"
    status, out, err = approve(site, "--output", str(plan))
    assert status == 0, err
    digest = out.strip()
    assert hashlib.sha256(plan.read_bytes()).hexdigest() == digest
    assert "An erasure\n  deletes rows of app.orders, app.users\n" in err
    assert f"Put {plan} under plans/{digest}.json in the exchange bucket" in err

    (site.folder / "exchange" / "plans").mkdir(parents=True)
    plan.rename(site.folder / "exchange" / "plans" / f"{digest}.json")
    assert site.invoke("activate", digest=digest, by_role="officer", dry_run=True)["in_use_before"] is None
    assert site.invoke("activate", digest=digest, by_role="officer")["status"] == "completed"
    with administrator(postgres) as cur:
        assert active_plan.load(cur).digest == digest
    shown = gdpr("plan", "status", DATABASE_URL=postgres.url())
    assert (shown.returncode, shown.stdout) == (0, f"{digest}\n")


def test_it_is_the_plan_that_an_approval_with_a_socket_stores(site: OperatorSite, postgres: PostgresAddress) -> None:
    _, out, _ = approve(site, "--output", str(site.folder / "plan.json"))
    done = gdpr("map", "approve", str(site.folder / "datamap.yaml"), DATABASE_URL=postgres.url())
    assert len(out) == 65
    assert done.stdout == out


def test_a_map_that_fails_the_check_writes_nothing(site: OperatorSite) -> None:
    (site.folder / "datamap.yaml").write_text(GOOD.replace("  app.orders: {activity: account, erase: delete}\n", ""))
    plan = site.folder / "plan.json"
    status, out, err = approve(site, "--output", str(plan))
    assert (status, out) == (1, "")
    assert err.endswith("Nothing is approved.\n")
    assert not plan.exists()


def test_a_dry_run_writes_nothing(site: OperatorSite) -> None:
    plan = site.folder / "plan.json"
    status, out, err = approve(site, "--dry-run", "--output", str(plan))
    assert (status, err) == (0, "Nothing was written: --dry-run.\n")
    assert "deletes rows of app.orders, app.users" in out
    assert not plan.exists()


def test_a_machine_is_told_the_same(site: OperatorSite) -> None:
    plan = site.folder / "plan.json"
    _, out, _ = approve(site, "--output", str(plan), "--json")
    told = json.loads(out)
    assert told["digest"] == hashlib.sha256(plan.read_bytes()).hexdigest()
    assert told["kinds"]["person"]["erasure"] == {"app.orders": "delete", "app.users": "delete"}
    assert told["dry_run"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--catalogue", "C"], "--catalogue alone stores no plan: pass --output as well"),
        (["--output", "plan.json"], "--output is for where the database cannot be reached: pass --catalogue as well"),
        (
            ["--catalogue", "C", "--output", "x", "--database-url", "postgresql://a@127.0.0.1/shop"],
            "--catalogue and --database-url are two databases: choose one of them",
        ),
        (["--catalogue", "C", "--output", "/none/plan.json"], "/none/plan.json cannot be written (FileNotFoundError)"),
    ],
)
def test_flags_that_say_two_things_are_misuse(site: OperatorSite, words: list[str], said: str) -> None:
    given = [str(site.folder / "catalogue.json") if word == "C" else word for word in words]
    done = gdpr("map", "approve", str(site.folder / "datamap.yaml"), *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)


def test_a_database_in_the_environment_is_not_asked(site: OperatorSite) -> None:
    files = (str(site.folder / "datamap.yaml"), "--catalogue", str(site.folder / "catalogue.json"))
    plan = str(site.folder / "plan.json")
    done = gdpr("map", "approve", *files, "--output", plan, DATABASE_URL="postgresql://a@127.0.0.1:1/shop")
    assert done.returncode == 0, done.stderr


def test_the_answer_of_the_function_and_its_catalogue_alone_are_read_alike(site: OperatorSite) -> None:
    answered = json.loads((site.folder / "catalogue.json").read_text())
    _, out, _ = approve(site, "--output", str(site.folder / "plan.json"))
    assert len(out) == 65
    (site.folder / "catalogue.json").write_text(json.dumps(answered["catalogue"]))
    assert approve(site, "--output", str(site.folder / "plan.json"))[1] == out
