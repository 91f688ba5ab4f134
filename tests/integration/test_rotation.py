"""`migrate` and `rotate`: a data unit without a way in gets its schema, and its functions their passwords."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg2 import sql

from functions.audit_logging import rotation as rotation_module
from functions.audit_logging.service import Service
from shared.address_object import AddressObject
from shared.addresses import PostgresAddress
from shared.asked import Asked
from shared.bucket import BucketAddress, Folder, open_bucket
from shared.database import Database, connect
from shared.errors import AccessDenied, PasswordRefused, StoreUnavailable
from shared.migrations import Migration
from shared.roles import LOGINS, set_password
from shared.settings import AuditLoggingSettings
from tests.integration.operator_site import OperatorSite
from tests.run import Run, administrator, drop_database


class Killed(BaseException):
    """The function is killed here."""


@pytest.fixture
def admin(own_server: PostgresAddress) -> Iterator[PostgresAddress]:
    """An empty database on a server whose roles nobody minds."""
    name = f"unit_{secrets.token_hex(4)}"
    with administrator(own_server) as cur:
        cur.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield replace(own_server, database=name)
        drop_database(cur, name)


@pytest.fixture
def site(admin: PostgresAddress, tmp_path: Path) -> OperatorSite:
    made = OperatorSite(tmp_path)
    made.lend(admin)
    return made


@pytest.fixture
def unit(site: OperatorSite) -> OperatorSite:
    """Installed, and audit_logging lets itself in."""
    assert site.invoke("migrate")["status"] == "completed"
    assert site.invoke("rotate", role="gdpr_audit", by_role="operator")["status"] == "completed"
    return site


def codes(answered: dict[str, Any]) -> list[str]:
    assert answered["status"] == "rejected"
    return [fault["code"] for fault in answered["faults"]]


def entries(admin: PostgresAddress, kind: str) -> list[dict[str, Any]]:
    with administrator(admin) as cur:
        cur.execute("select convert_from(substr(body, 2), 'UTF8') from gdpr.entry where kind = %s order by id", (kind,))
        return [json.loads(text) for (text,) in cur.fetchall()]


def test_from_nothing_to_functions_that_answer(site: OperatorSite, admin: PostgresAddress) -> None:
    told = site.invoke("health")["checks"][0]
    assert told["code"] == "address_missing"
    assert "the action `rotate` of audit_logging writes it" in told["message"]

    all_of_them = [str(each) for each in Migration.all()]
    dry = site.invoke("migrate", dry_run=True)
    assert (dry["applied"], dry["pending"], dry["version"]) == ([], all_of_them, 0)
    done = site.invoke("migrate")
    assert (done["applied"], done["pending"], done["version"]) == (all_of_them, [], len(all_of_them))
    assert site.invoke("migrate")["applied"] == []

    for role in ("gdpr_audit", *LOGINS):
        rotated = site.invoke("rotate", role=role, by_role="operator")
        assert rotated == {"status": "completed", "role": role, "lies_at": f"{site.keys}/addresses/{role}"}
        assert site.opens(role)
    assert site.invoke("health")["checks"][0] == {"name": "database", "ok": True}
    said = [(entry["code"], entry["role"]) for entry in entries(admin, "role.rotated")]
    assert said == [(role, "operator") for role in ("gdpr_audit", *LOGINS)]


@pytest.mark.parametrize("action", ["migrate", "rotate", "activate"])
@pytest.mark.parametrize("alias", ["", "live", "officers"])
def test_only_the_officer_has_it_done(site: OperatorSite, action: str, alias: str) -> None:  # threat model A11
    assert codes(site.invoke(action, alias=alias)) == ["officer_only"]
    assert site.address("gdpr_audit").lines() == []


@pytest.mark.parametrize("action", ["migrate", "rotate"])
def test_without_an_administrator_the_answer_says_what_to_put_where(unit: OperatorSite, action: str) -> None:
    (unit.keys / "admin").unlink()
    fields = {"role": "gdpr_export", "by_role": "operator"} if action == "rotate" else {}
    done = unit.invoke(action, **fields)
    assert (done["status"], done["code"]) == ("failed", "administrator_missing")
    assert done["message"] == (
        f"There is no address at {unit.keys}/admin:"
        " put the database address of an administrator there, on one line, until this is done."
    )


def test_what_s3_does_not_show_is_answered_alike(site: OperatorSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not list a bucket is refused an object that is not there."""

    def get(*_: Any, **__: Any) -> bytes:
        raise AccessDenied("S3 refused access", where="s3://keys", remedy="let the function's role at this bucket")

    monkeypatch.setattr(Folder, "get", get)
    done = site.invoke("migrate")
    assert done["code"] == "administrator_missing"
    assert "let the function's role read it" in done["message"]


def test_who_is_no_administrator_is_refused_in_words(unit: OperatorSite, admin: PostgresAddress) -> None:
    (unit.keys / "admin").write_text(unit.address("gdpr_audit").lines()[0])
    refused = unit.invoke("migrate")
    assert (refused["status"], refused["code"]) == ("failed", "access_denied")
    assert "This role may not install schema gdpr" in refused["message"]
    assert unit.invoke("rotate", role="gdpr_export", by_role="operator")["code"] == "access_denied"
    assert unit.opens("gdpr_audit")


@pytest.mark.parametrize("role", ["gdpr_owner", "postgres", "gdpr_exprt", None])
def test_only_a_role_of_a_function_gets_a_password(unit: OperatorSite, role: str | None) -> None:
    found = codes(unit.invoke("rotate", role=role, by_role="operator"))
    assert found == ["missing" if role is None else "invalid"]
    assert codes(unit.invoke("rotate", role="gdpr_export")) == ["missing"]


def test_the_auditors_own_password_is_not_written_where_it_does_not_look(
    unit: OperatorSite, admin: PostgresAddress
) -> None:
    own = unit.address("gdpr_audit").lines()
    unit.database_url = own[0]
    done = unit.invoke("rotate", role="gdpr_audit", by_role="operator")
    assert (done["status"], done["code"]) == ("failed", "address_elsewhere")
    assert unit.address("gdpr_audit").lines() == own
    assert unit.invoke("health")["checks"][0]["ok"] is True
    assert unit.invoke("rotate", role="gdpr_export", by_role="operator")["status"] == "completed"


def test_what_cannot_be_told_to_the_ledger_is_not_done(site: OperatorSite) -> None:
    site.invoke("migrate")
    done = site.invoke("rotate", role="gdpr_export", by_role="operator")
    assert (done["status"], done["code"]) == ("failed", "address_missing")
    assert site.address("gdpr_export").lines() == []


def test_no_answer_no_log_and_no_error_shows_a_password(
    site: OperatorSite, admin: PostgresAddress, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: set[str] = {str(admin.password)}
    site.invoke("migrate")
    for role in sorted(LOGINS):  # the auditor first
        site.invoke("rotate", role=role, by_role="operator")
        seen.add(str(site.address(role).read()[0].password))
    torn = admin.url().replace("@", "#@")
    for wrong in (
        replace(admin, password=f"wrong{admin.password}").url(),
        torn,
        f"{admin.password}",
        admin.url() + "?x=1",
    ):
        (site.keys / "admin").write_text(wrong)
        for name, fields in (("migrate", {}), ("rotate", {"role": "gdpr_export", "by_role": "operator"})):
            assert site.invoke(name, **fields)["status"] == "failed"
    out, err = capfd.readouterr()
    told = json.dumps(site.answers) + out + err
    with administrator(admin) as cur:
        cur.execute("select string_agg(convert_from(substr(body, 2), 'UTF8'), ' ') from gdpr.entry")
        told += (cur.fetchone() or ("",))[0]
    assert len(seen) == 1 + len(LOGINS)
    assert not [password for password in seen if password in told]


STEPS = ("put", "set_password", "committed", "connect", "put_again")


def dying(monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """From here on, an invocation is killed before or behind one of its steps."""
    puts = 0

    def killed(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        if when == "before":
            raise Killed
        function(*given, **named)
        raise Killed

    def put(self: Folder, key: str, body: bytes) -> None:
        nonlocal puts
        puts += 1
        if step == {1: "put", 2: "put_again"}.get(puts):
            killed(real_put, self, key, body)
        real_put(self, key, body)

    real_put = Folder.put
    monkeypatch.setattr(Folder, "put", put)
    if step == "set_password":
        monkeypatch.setattr(rotation_module, "set_password", lambda *given: killed(set_password, *given))
    if step == "connect":
        monkeypatch.setattr(rotation_module, "connect", lambda *given, **named: killed(connect, *given, **named))
    if step == "committed":
        real_lines, calls = AddressObject.lines, 0

        def lines(self: AddressObject) -> list[str]:
            nonlocal calls
            calls += 1
            return list(killed(real_lines, self) if calls == 2 else real_lines(self))

        monkeypatch.setattr(AddressObject, "lines", lines)


@pytest.mark.parametrize("when", ["before", "behind"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_every_function_still_gets_in_and_a_second_run_ends_it(
    unit: OperatorSite, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    unit.invoke("rotate", role="gdpr_export", by_role="operator")
    with closing(Database(unit.address("gdpr_export"), application="gdpr-tests")) as warm:
        warm.connection()
        with monkeypatch.context() as patched, pytest.raises(Killed):
            dying(patched, step, when)
            unit.invoke("rotate", role="gdpr_export", by_role="operator")
        assert unit.opens("gdpr_export")
        warm.close()
        warm.connection()  # by what it read before, or by what it reads now

        assert unit.invoke("rotate", role="gdpr_export", by_role="operator")["status"] == "completed"
        assert len(unit.address("gdpr_export").lines()) == 1
        assert unit.opens("gdpr_export")
        warm.close()
        warm.connection()


def test_a_function_that_reads_in_the_middle_gets_in(unit: OperatorSite, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.invoke("rotate", role="gdpr_export", by_role="operator")
    seen: list[bool] = []

    def looked(*given: Any) -> None:
        seen.append(unit.opens("gdpr_export"))
        set_password(*given)
        seen.append(unit.opens("gdpr_export"))  # not committed yet

    monkeypatch.setattr(rotation_module, "set_password", looked)
    unit.invoke("rotate", role="gdpr_export", by_role="operator")
    assert seen == [True, True]


def test_two_at_once_leave_an_address_that_opens(unit: OperatorSite) -> None:
    together, faults = threading.Barrier(2), list[BaseException]()

    def run() -> None:
        try:
            together.wait()
            for _ in range(3):
                assert unit.invoke("rotate", role="gdpr_export", by_role="operator")["status"] == "completed"
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(unit.address("gdpr_export").lines()) == 1
    assert unit.opens("gdpr_export")


def test_nobody_writes_an_older_address_over_a_newer_one(unit: OperatorSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its look at what lies there and its last word, a second one is asked for."""
    others: list[threading.Thread] = []

    def interrupted(address: PostgresAddress, *, application: str) -> Any:
        monkeypatch.setattr(rotation_module, "connect", connect)
        fields = {"role": "gdpr_export", "by_role": "operator"}
        others.append(threading.Thread(target=unit.invoke, args=("rotate",), kwargs=fields))
        others[0].start()
        others[0].join(timeout=3)  # it waits for us, or has done its work
        return connect(address, application=application)

    monkeypatch.setattr(rotation_module, "connect", interrupted)
    assert unit.invoke("rotate", role="gdpr_export", by_role="operator")["status"] == "completed"
    others[0].join()
    assert unit.answers[-1]["status"] == "completed"
    assert len(unit.address("gdpr_export").lines()) == 1
    assert unit.opens("gdpr_export")


class TestAddressInAnObject:
    """What a function does with it (shared/database.py)."""

    def test_it_is_read_again_once_when_the_password_is_refused(
        self, unit: OperatorSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = unit.address("gdpr_audit")
        good = place.lines()[0]
        reads: list[list[str]] = []
        real = AddressObject.lines

        def lines(self: AddressObject) -> list[str]:
            reads.append(real(self))
            return reads[-1]

        monkeypatch.setattr(AddressObject, "lines", lines)
        with closing(Database(place, application="gdpr-tests")) as database:
            database.connection()
            database.close()
            database.connection()
            assert len(reads) == 1
            place.write(["postgresql://gdpr_audit:none@" + good.partition("@")[2]])
            with (
                closing(Database(place, application="gdpr-tests")) as started,
                pytest.raises(PasswordRefused) as refused,
            ):
                started.connection()
            assert len(reads) == 3
            assert refused.value.code == "password_refused"
            assert refused.value.sentence.endswith(
                f": the address at {place.where} is not right: the action `rotate` of audit_logging writes it."
            )
            database.close()
            database.connection()  # what it knows still opens
            assert len(reads) == 3

    def test_whatever_else_is_wrong_is_told_at_once(self, unit: OperatorSite, monkeypatch: pytest.MonkeyPatch) -> None:
        place = unit.address("gdpr_audit")
        place.write(["postgresql://gdpr_audit:none@127.0.0.1:1/shop"])
        with closing(Database(place, application="gdpr-tests")) as database, pytest.raises(StoreUnavailable):
            database.connection()

    def test_it_lies_in_s3_as_well_as_in_a_folder(
        self, unit: OperatorSite, s3: Any, run: Run, admin: PostgresAddress
    ) -> None:
        name = f"keys-{secrets.token_hex(6)}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
        bucket = open_bucket(
            BucketAddress.parse(f"s3://{name}/unit", variable="KEYS_BUCKET"),
            region="us-east-2",
            endpoint=run.stores.aws_endpoint,
        )
        bucket.put("admin", admin.url().encode())
        settings = {
            "DATABASE_URL": f"s3://{name}/unit/addresses/gdpr_audit",
            "KEYS_BUCKET": f"s3://{name}/unit",
            "LEDGER_BUCKET": f"s3://{name}/ledger",
            "EXCHANGE_BUCKET": f"s3://{name}/exchange",
            "AWS_ENDPOINT_URL": run.stores.aws_endpoint,
        }
        service = Service.of(AuditLoggingSettings.read(settings), application="gdpr-tests")
        with closing(service.unit):
            done = service.do("rotate", Asked({"role": "gdpr_audit", "by_role": "operator"}))
            assert done["lies_at"] == f"s3://{name}/unit/addresses/gdpr_audit"
            with service.unit.database.transaction() as cur:
                cur.execute("select session_user")
                assert cur.fetchone() == ("gdpr_audit",)
