"""What audit_logging answers, action by action, from the event to the ledger."""

from __future__ import annotations

import base64
import functools
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest
from psycopg2.extensions import cursor

from functions.audit_logging.intake import result_key
from functions.audit_logging.service import Service
from shared import clock
from shared import register as register_module
from shared.addresses import PostgresAddress
from shared.bucket import Bucket
from shared.database import Database
from shared.invocation import answer
from shared.ledger import publish as publish_module
from shared.ledger.merkle import leaf_hash
from shared.outbox import Outbox
from shared.plan import Plan
from shared.register import register
from shared.settings import AuditLoggingSettings
from tests.integration.people import NOW, event
from tests.run import as_role

NAMED = {"subject_request_id": str(uuid.UUID(int=1)), "subject_request_type": "erasure"}
FUNCTION = "arn:aws:lambda:us-east-2:000000000000:function:gdpr-audit-logging"
CANARY = "kanarie-0170@geheim.example"

Invoke = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def service(postgres: PostgresAddress, plan: Plan, tmp_path: Path) -> Iterator[Service]:
    settings = AuditLoggingSettings.read(
        {
            "DATABASE_URL": as_role(postgres, "gdpr_audit").url(),
            "LEDGER_BUCKET": f"file://{tmp_path}/shop-ledger",
            "KEYS_BUCKET": f"file://{tmp_path}/keys",
            "EXCHANGE_BUCKET": f"file://{tmp_path}/exchange",
        }
    )
    made = Service.of(settings, application="gdpr-tests")
    made.ledger.keys.make(log="shop-ledger")
    with closing(made.unit):
        yield made


@pytest.fixture
def invoke(service: Service) -> Invoke:
    """Invoke an action, as anybody or by the officer's door."""

    def call(name: str, /, *, alias: str = "", **fields: Any) -> dict[str, Any]:
        context = SimpleNamespace(invoked_function_arn=FUNCTION + (f":{alias}" if alias else ""))
        actions = {each: functools.partial(service.do, each) for each in Service.ACTIONS}
        given = {"action": name, **fields}
        found = answer(given, context, service="audit_logging", actions=actions, officers=Service.OFFICERS)
        return dict(json.loads(json.dumps(found)))

    return call


@pytest.fixture
def request_(invoke: Invoke) -> dict[str, Any]:
    """A request of 20 November 2026, due on 21 December."""
    done = invoke("register", request=event(1, phone="0170"))
    assert done["status"] == "in_progress"
    return done


def codes(answered: dict[str, Any]) -> list[str]:
    assert answered["status"] == "rejected"
    return [fault["code"] for fault in answered["faults"]]


def kinds(cur: cursor) -> list[str]:
    cur.execute("select kind from gdpr.entry order by id")
    return [kind for (kind,) in cur.fetchall()]


class TestRegister:
    """The envelope, from outside."""

    def test_it_answers_with_the_status_the_deadline_and_the_place_in_the_ledger(
        self,
        request_: dict[str, Any],
        people: cursor,
    ) -> None:
        assert request_["subject_request_id"] == str(uuid.UUID(int=1))
        assert request_["expected_completion_time"] == "2026-12-21T23:00:00+00:00"
        assert request_["deadline"]["due_statutory"] == "2026-12-21"
        people.execute("select leaf_hash from gdpr.leaf")
        [(leaf,)] = people.fetchall()
        assert request_["ledger"]["leaf"] == bytes(leaf).hex()

    def test_again_it_answers_the_same_without_another_entry(
        self,
        invoke: Invoke,
        request_: dict[str, Any],
        people: cursor,
    ) -> None:
        again = invoke("register", request=event(1, phone="0170"))
        assert {**again, "ledger": None} == {**request_, "ledger": None}
        assert kinds(people) == ["request.registered"]

    def test_who_is_not_identified_is_answered_so_and_has_to_be_told(
        self,
        invoke: Invoke,
        people: cursor,
    ) -> None:
        done = invoke("register", request=event(1, phone=CANARY))
        assert (done["status"], done["code"]) == ("not_identified", "unknown")
        assert CANARY not in json.dumps(done)
        people.execute("select kind, given_at from gdpr.notice")
        assert people.fetchall() == [("not_identified", None)]

    def test_faults_are_told_with_their_places(self, invoke: Invoke) -> None:
        wrong = event(1, phone="0170")
        del wrong["submitted_time"]
        wrong["decision"]["ground"] = "because"
        done = invoke("register", request=wrong, extra=1)
        assert [(fault["path"], fault["code"]) for fault in done["faults"]] == [
            ("/request/submitted_time", "missing"),
            ("/request/decision/ground", "invalid"),
            ("", "unknown_field"),
        ]


class TestCourse:
    """Pause, resume, extend, refuse."""

    def test_the_days_of_a_pause_are_added(self, invoke: Invoke, request_: dict[str, Any], people: cursor) -> None:
        with clock.standing_at(NOW + timedelta(days=10)):
            paused = invoke("pause", **NAMED, by_role="privacy-officer", asked_at="2026-11-21T09:00:00Z")
            assert paused["deadline"]["due_nominal"] == "2026-12-20"
            resumed = invoke("resume", **NAMED, by_role="privacy-officer", answered_at="2026-11-29T09:00:00Z")
        assert resumed["deadline"]["due_nominal"] == "2026-12-28"
        assert resumed["deadline"]["credit_days"] == 8
        assert kinds(people) == ["request.registered", "request.asked", "request.answered"]
        people.execute("select due_at, target_date from gdpr.request")
        assert people.fetchone() == (datetime(2026, 12, 28, 23, tzinfo=UTC), datetime(2026, 12, 26).date())  # noqa: DTZ001

    def test_a_step_sent_twice_is_taken_once(self, invoke: Invoke, request_: dict[str, Any], people: cursor) -> None:
        for _ in range(2):
            invoke("pause", **NAMED, by_role="officer", asked_at="2026-11-20T09:00:00Z")
        for _ in range(2):
            done = invoke("resume", **NAMED, by_role="officer", answered_at="2026-11-20T10:00:00Z")
            assert done["status"] == "in_progress"
        assert kinds(people) == ["request.registered", "request.asked", "request.answered"]

    def test_nothing_is_answered_that_was_not_asked(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        done = invoke("resume", **NAMED, by_role="officer", answered_at="2026-11-20T10:00:00Z")
        assert codes(done) == ["nothing_asked"]

    EXTENSION = {  # noqa: RUF012
        "by_role": "privacy-officer",
        "decided_at": "2026-11-20T10:00:00Z",
        "reason": "complexity",
        "text_ref": "L-17",
    }

    def test_an_extension_counts_once_the_person_has_been_told(
        self,
        invoke: Invoke,
        request_: dict[str, Any],
        people: cursor,
    ) -> None:
        decided = invoke("extend", **NAMED, **self.EXTENSION)
        assert decided["deadline"]["due_statutory"] == "2026-12-21"
        assert decided["deadline"]["extended_statutory"] is None
        people.execute("select kind, due_at, given_at from gdpr.notice")
        assert people.fetchall() == [("extension", datetime(2026, 12, 21, 23, tzinfo=UTC), None)]
        told = invoke("extend", **NAMED, **self.EXTENSION, notified_at="2026-11-20T11:00:00Z")
        assert told["deadline"]["extended_statutory"] == "2027-02-22"  # the 20th is a Saturday
        assert told["expected_completion_time"] == "2027-02-22T23:00:00+00:00"
        assert (
            invoke("extend", **NAMED, **self.EXTENSION, notified_at="2026-11-20T11:00:00Z")["status"] == "in_progress"
        )
        people.execute("select given_at from gdpr.notice")
        assert people.fetchall() == [(datetime(2026, 11, 20, 11, tzinfo=UTC),)]
        assert kinds(people) == ["request.registered", "request.extended", "request.notified"]

    def test_there_is_no_second_extension_and_none_that_comes_too_late(
        self, invoke: Invoke, request_: dict[str, Any]
    ) -> None:
        with clock.standing_at(NOW + timedelta(days=60)):
            late = self.EXTENSION | {"decided_at": "2026-12-21T23:00:00Z"}
            assert codes(invoke("extend", **NAMED, **late)) == ["extension_too_late"]
            just = self.EXTENSION | {"decided_at": "2026-12-21T22:59:59Z"}
            assert invoke("extend", **NAMED, **just)["status"] == "in_progress"
            again = just | {"decided_at": "2026-12-21T22:00:00Z"}
            assert codes(invoke("extend", **NAMED, **again)) == ["extension_twice"]

    def test_when_the_person_was_told_is_said_once(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        told = {**NAMED, **self.EXTENSION, "notified_at": "2026-11-20T11:00:00Z"}
        assert invoke("extend", **told) | {"ledger": None} == invoke("extend", **told) | {"ledger": None}
        assert codes(invoke("extend", **told | {"notified_at": "2026-11-20T11:30:00Z"})) == ["extension_twice"]

    def test_a_reason_is_on_the_list(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        done = invoke("extend", **NAMED, **self.EXTENSION | {"reason": "complexty"})
        assert codes(done) == ["reason_unknown"]
        assert "did you mean complexity?" in done["faults"][0]["message"].lower()
        assert codes(invoke("extend", **NAMED, **self.EXTENSION | {"reason": "highvolume"})) == ["reason_unknown"]

    REFUSAL = {  # noqa: RUF012
        "by_role": "privacy-officer",
        "decided_at": "2026-11-20T10:00:00Z",
        "reason": "no_ground",
        "text_ref": "L-18",
        "authority": "Berliner Beauftragte",
        "remedy": "Verwaltungsgericht Berlin",
    }

    def test_the_officer_refuses_and_nobody_else(
        self,
        invoke: Invoke,
        request_: dict[str, Any],
        people: cursor,
    ) -> None:
        assert codes(invoke("refuse", **NAMED, **self.REFUSAL)) == ["officer_only"]
        assert codes(invoke("refuse", alias="live", **NAMED, **self.REFUSAL)) == ["officer_only"]
        for _ in range(2):
            done = invoke("refuse", alias="officer", **NAMED, **self.REFUSAL)
            assert (done["status"], done["code"]) == ("refused", "no_ground")
        assert kinds(people) == ["request.registered", "request.refused"]
        people.execute("select kind, due_at from gdpr.notice")
        assert people.fetchall() == [("refusal", datetime(2026, 12, 21, 23, tzinfo=UTC))]
        after = invoke("extend", **NAMED, **self.EXTENSION)
        assert codes(after) == ["request_closed"]

    @pytest.mark.parametrize("lacking", ["reason", "text_ref", "authority", "remedy", "by_role"])
    def test_a_refusal_without_what_the_law_demands_is_rejected(  # R20
        self, invoke: Invoke, request_: dict[str, Any], lacking: str
    ) -> None:
        given = {name: value for name, value in self.REFUSAL.items() if name != lacking}
        done = invoke("refuse", alias="officer", **NAMED, **given)
        assert [(fault["path"], fault["code"]) for fault in done["faults"]] == [(f"/{lacking}", "missing")]

    def test_a_year_apart_is_never_excessive(self, invoke: Invoke, request_: dict[str, Any]) -> None:  # R21
        given = self.REFUSAL | {"reason": "excessive", "facts_ref": "F-1", "earlier_on": "2025-11-20"}
        assert codes(invoke("refuse", alias="officer", **NAMED, **given)) == ["not_excessive"]
        given["earlier_on"] = "2025-11-21"
        assert invoke("refuse", alias="officer", **NAMED, **given)["status"] == "refused"

    def test_once_it_is_refused_nobody_knows_whom_it_was_about(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor
    ) -> None:
        invoke("refuse", alias="officer", **NAMED, **self.REFUSAL)
        people.execute("select count(*) from gdpr.request_person")
        assert people.fetchone() == (0,)
        assert invoke("register", request=event(1, phone="0170"))["status"] == "refused"

    def test_that_the_person_was_told_is_recorded_once(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor
    ) -> None:
        told = {**NAMED, "by_role": "officer", "notified_at": "2026-11-20T11:00:00Z"}
        assert codes(invoke("notify", **told)) == ["nothing_owed"]
        invoke("refuse", alias="officer", **NAMED, **self.REFUSAL)
        assert codes(invoke("notify", **told | {"notified_at": "2026-11-20T08:00:00Z"})) == ["instant_invalid"]
        assert [invoke("notify", **told)["status"] for _ in range(2)] == ["refused"] * 2
        assert codes(invoke("notify", **told | {"notified_at": "2026-11-20T11:30:00Z"})) == ["nothing_owed"]
        assert kinds(people)[-1] == "request.notified"
        assert kinds(people).count("request.notified") == 1
        people.execute("select kind, given_at from gdpr.notice")
        assert people.fetchall() == [("refusal", datetime(2026, 11, 20, 11, tzinfo=UTC))]

    def test_what_is_not_there_is_not_found(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        other = NAMED | {"subject_request_type": "access"}
        done = invoke("pause", **other, by_role="officer", asked_at="2026-11-20T09:00:00Z")
        assert codes(done) == ["request_unknown"]

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "0999-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
    def test_an_instant_is_one_in_every_zone(self, invoke: Invoke, request_: dict[str, Any], at: str) -> None:
        asked = event(2, phone="0170")
        asked["decision"]["identity_check"]["at"] = at
        recorded = {"kind": "record.disclosure", "event": str(uuid.uuid4()), "by_role": "x", "code": "x"}
        for answered in (
            invoke("register", request=asked),
            invoke("pause", **NAMED, by_role="officer", asked_at=at),
            invoke("record", **recorded, occurred_at=at),
            invoke("query", by_role="auditor", since=at),
        ):
            assert "invalid" in codes(answered)

    def test_nothing_is_recorded_of_what_has_not_happened(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        done = invoke("pause", **NAMED, by_role="officer", asked_at="2026-11-20T12:00:01Z")
        assert codes(done) == ["in_the_future"]


class TestLedger:
    """Checkpoint, proof, verify, query, record."""

    @pytest.mark.parametrize("table", ["entry", "leaf", "tree_head", "anchor"])
    def test_after_a_restore_it_is_not_healthy(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor, table: str
    ) -> None:
        invoke("checkpoint")
        assert invoke("health")["status"] == "completed"
        for each in ("entry", "leaf", "tree_head", "anchor") if table == "entry" else (table,):
            people.execute(f"alter table gdpr.{each} disable trigger all; delete from gdpr.{each}")
        done = invoke("health")
        if table in ("entry", "tree_head"):
            assert (done["status"], done["checks"][-1]["code"]) == ("failed", "ledger_behind")
        elif table == "leaf":
            assert (done["status"], done["checks"][-1]["code"]) == ("failed", "ledger_forked")
        else:
            assert done["status"] == "completed"  # an anchor that a crash left unrecorded

    def test_what_was_registered_is_anchored_and_proved(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        before = invoke("proof", event=request_["ledger"]["event"])
        assert (before["status"], before["code"]) == ("failed", "not_provable")
        done = invoke("checkpoint")
        assert (done["status"], done["size"], done["is_new"]) == ("completed", 1, True)
        shown = invoke("proof", event=request_["ledger"]["event"])
        assert shown["proof"].startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nshop-ledger/1\n1\n")
        assert leaf_hash(base64.b64decode(shown["entry"])).hex() == request_["ledger"]["leaf"]
        invoke("register", request=event(2, phone="0171"))
        newer = invoke("checkpoint")
        grown = invoke("proof", old_size=1, new_size=newer["size"])
        assert (grown["old"], grown["new"]) == (done["note"], newer["note"])

    def test_it_verifies_and_that_is_recorded(self, invoke: Invoke, request_: dict[str, Any], people: cursor) -> None:
        invoke("checkpoint")
        done = invoke("verify", by_role="auditor")
        assert (done["status"], done["findings"], done["anchored"]) == ("completed", [], 1)
        assert kinds(people)[-1] == "ledger.queried"
        people.execute(
            "alter table gdpr.entry disable trigger all; alter table gdpr.entry drop constraint entry_leaf;"
            " update gdpr.entry set body = body || '\\x20' where id = 1"
        )
        broken = invoke("verify")
        assert (broken["status"], broken["code"]) == ("failed", "ledger_broken")
        assert broken["findings"][0]["code"] == "columns" or "entry_changed" in str(broken["findings"])

    def test_entries_are_found_by_request_kind_time_and_person(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        other = invoke("register", request=event(2, phone="0171"))
        phone = [{"identity_type": "phone", "identity_value": "0170"}]

        def found(**by: Any) -> list[str]:
            return [
                entry["request"] for entry in invoke("query", by_role="auditor", **by)["entries"] if "request" in entry
            ]

        one, two = request_["request_id"], other["request_id"]
        assert found() == [two, one]
        assert found(request_id=one) == [one]
        assert found(kind="request.registered") == [two, one]
        assert found(kind="request.refused") == []
        assert found(subject_kind="user", subject_identities=phone) == [one]
        assert found(since=datetime(2020, 1, 1, tzinfo=UTC).isoformat()) == [two, one]
        assert found(until="2020-01-01T00:00:00Z") == []

    def test_once_a_person_is_forgotten_nobody_finds_them_and_the_ledger_is_whole(
        self,
        invoke: Invoke,
        request_: dict[str, Any],
        people: cursor,
        postgres: PostgresAddress,
    ) -> None:
        invoke("checkpoint")
        people.execute("delete from gdpr.subject_key")
        phone = [{"identity_type": "phone", "identity_value": "0170"}]
        assert invoke("query", by_role="a", subject_kind="user", subject_identities=phone)["entries"] == []
        assert invoke("verify")["findings"] == []

    def test_an_entry_that_nobody_can_read_hides_no_other(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor
    ) -> None:
        people.execute(
            "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash) select 'x', 'x', gen_random_uuid(), b,"
            " sha256('\\x00'::bytea || b) from convert_to(chr(1) || '{}', 'UTF8') as b"
        )
        found = invoke("query", by_role="auditor")
        assert [entry.get("unreadable", False) for entry in found["entries"]] == [True, False]

    def test_a_page_is_no_larger_than_an_answer(
        self, invoke: Invoke, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            invoke("query", by_role="auditor")
        monkeypatch.setattr("functions.audit_logging.ledger._LONGEST", 1)
        numbers: list[int] = []
        before: dict[str, int] = {}
        while page := (found := invoke("query", by_role="auditor", kind="ledger.queried", **before))["entries"]:
            numbers += [entry["id"] for entry in page]
            if not found.get("before"):
                break
            before = {"before": found["before"]}
        assert numbers == sorted(numbers, reverse=True)
        assert len(numbers) == 3

    def test_pages_follow_each_other(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        for number in range(2, 7):
            invoke("register", request=event(number, phone="0171"))
        seen: list[int] = []
        page = invoke("query", by_role="auditor", kind="request.registered", limit=4)
        while True:
            seen += [entry["id"] for entry in page["entries"]]
            if "before" not in page:
                break
            page = invoke("query", by_role="auditor", kind="request.registered", limit=4, before=page["before"])
        assert len(seen) == 6
        assert seen == sorted(seen, reverse=True)

    def test_looking_is_recorded(self, invoke: Invoke, request_: dict[str, Any], people: cursor) -> None:  # R80
        invoke("query", by_role="auditor", request_id=request_["request_id"])
        people.execute("select body from gdpr.entry order by id desc limit 1")
        [(body,)] = people.fetchall()
        said = json.loads(bytes(body)[1:])
        assert (said["kind"], said["role"], said["code"], said["size"]) == ("ledger.queried", "auditor", "request", 1)

    CONSENT = {  # noqa: RUF012
        "kind": "record.consent",
        "event": str(uuid.UUID(int=99)),
        "occurred_at": "2026-11-20T10:00:00Z",
        "by_role": "backend",
        "status": "withdrawn",
        "subject_kind": "user",
        "subject_identities": [{"identity_type": "phone", "identity_value": "0172"}],
    }

    def test_the_backend_records_what_it_did_once(self, invoke: Invoke, people: cursor) -> None:
        first = invoke("record", **self.CONSENT)
        assert first == invoke("record", **self.CONSENT)
        assert kinds(people) == ["record.consent"]
        found = invoke("query", by_role="a", subject_kind="user", subject_identities=self.CONSENT["subject_identities"])
        assert [entry["status"] for entry in found["entries"]] == ["withdrawn"]

    def test_the_backend_takes_no_event_of_the_suite_before_it_happens(  # threat model A11
        self, invoke: Invoke, request_: dict[str, Any]
    ) -> None:
        """What it could foresee: that a request is overdue or refused, and that a checkpoint is anchored."""
        number = request_["request_id"]
        for taken in (
            uuid.uuid5(register_module._EVENTS, f"{number} request.overdue 2026-12-21"),
            uuid.uuid5(register_module._EVENTS, f"{number} request.refused "),
            uuid.uuid5(publish_module._EVENTS, "ledger.anchored shop-ledger/1 1"),
        ):
            done = invoke(
                "record", kind="record.disclosure", event=str(taken), occurred_at="2026-11-20T10:00:00Z",
                by_role="backend", code="x",
            )  # fmt: skip
            assert codes(done) == ["event_reserved"]
        invoke("checkpoint")
        with clock.standing_at(datetime(2026, 12, 22, 12, tzinfo=UTC)):
            assert invoke("sweep")["told"]["request.overdue"] == 1
        assert invoke("refuse", alias="officer", **NAMED, **TestCourse.REFUSAL)["status"] == "refused"
        assert invoke("checkpoint")["status"] == "completed"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"kind": "erasure.completed"}, "invalid"),
            ({"status": "completed"}, "invalid"),
            ({"comment": CANARY}, "unknown_field"),
            ({"by_role": CANARY}, "invalid"),
            ({"occurred_at": "2026-11-21T00:00:00Z"}, "in_the_future"),
        ],
    )
    def test_the_backend_records_nothing_else(
        self,
        invoke: Invoke,
        people: cursor,
        change: dict[str, Any],
        code: str,
    ) -> None:
        done = invoke("record", **self.CONSENT | change)
        assert code in codes(done)
        assert CANARY not in json.dumps(done)
        assert kinds(people) == []


class TestSweep:
    """What nobody did in time."""

    def told(self, tmp_path: Path) -> dict[str, dict[str, Any]]:
        found = sorted((tmp_path / "exchange" / "outbox").rglob("*.json"))
        return {f"{path.parent.name}/{path.name}": json.loads(path.read_text()) for path in found}

    @pytest.mark.parametrize(
        ("day", "events"),
        [
            ("2026-11-20", {}),
            ("2026-11-27", {}),
            ("2026-11-28", {"request.idle": 1}),
            ("2026-12-10", {"request.idle": 1}),
            ("2026-12-11", {"request.due": 1, "request.idle": 1}),  # seven days before the target of 18 December
            ("2026-12-18", {"request.due": 1, "request.idle": 1}),
            ("2026-12-21", {"request.due": 1, "request.idle": 1}),
            ("2026-12-22", {"request.overdue": 1, "request.idle": 1}),
        ],
    )
    def test_what_comes_due_is_told(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor, day: str, events: dict[str, int]
    ) -> None:
        people.execute("update gdpr.request set changed_at = '2026-11-20T12:00:00Z'")
        with clock.standing_at(datetime.fromisoformat(f"{day}T12:00:00+01:00")):
            done = invoke("sweep")
        assert (done["status"], done["told"]) == ("completed", events)

    def test_each_warning_comes_once_and_every_object_holds_ids_and_dates(
        self, invoke: Invoke, request_: dict[str, Any], people: cursor, tmp_path: Path
    ) -> None:
        people.execute("update gdpr.request set changed_at = '2026-12-10T12:00:00Z'")
        told: list[dict[str, int]] = []
        for day in range(10, 23):
            with clock.standing_at(datetime(2026, 12, day, 12, tzinfo=UTC)):
                told += [invoke("sweep")["told"] for _ in range(2)]
        summed: dict[str, int] = {}
        for each in told:
            for kind, number in each.items():
                summed[kind] = summed.get(kind, 0) + number
        assert summed == {"request.due": 3, "request.idle": 1, "request.overdue": 1}
        outside = self.told(tmp_path)
        assert len(outside) == 5
        number = request_["request_id"]
        assert outside[f"due/{number}-2026-12-18-7.json"] == {
            "kind": "due",
            "request": number,
            "subject_request_id": request_["subject_request_id"],
            "right": "erasure",
            "due_on": "2026-12-21",
            "days": 7,
        }

    def test_after_an_extension_it_warns_of_the_new_date(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        invoke("extend", **NAMED, **TestCourse.EXTENSION, notified_at="2026-11-20T11:00:00Z")
        with clock.standing_at(datetime(2026, 12, 20, 12, tzinfo=UTC)):
            assert "request.due" not in invoke("sweep")["told"]
        with clock.standing_at(datetime(2027, 2, 20, 12, tzinfo=UTC)):
            assert invoke("sweep")["told"]["request.due"] == 1

    def test_a_notice_that_is_owed_is_told_of(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        invoke("extend", **NAMED, **TestCourse.EXTENSION)
        with clock.standing_at(datetime(2026, 12, 19, 12, tzinfo=UTC)):
            assert invoke("sweep")["told"]["request.notice"] == 1
            assert "request.notice" not in invoke("sweep")["told"]

    def test_a_question_that_nobody_answers_is_told_of_before_the_request_is_left_lying(
        self, invoke: Invoke, request_: dict[str, Any]
    ) -> None:
        invoke("pause", **NAMED, by_role="officer", asked_at="2026-11-20T09:00:00Z")
        with clock.standing_at(datetime(2026, 12, 20, 12, tzinfo=UTC)):
            told = invoke("sweep")["told"]
        assert told["request.unanswered"] == 1
        assert "request.idle" not in told

    def test_a_worker_that_died_is_told_of(
        self, invoke: Invoke, request_: dict[str, Any], postgres: PostgresAddress, people: cursor
    ) -> None:
        with closing(Database(as_role(postgres, "gdpr_erase"), application="doomed")) as worker:
            with worker.transaction() as cur:
                cur.execute("select * from gdpr.claim_request('erase', 60)")
        assert "request.stalled" not in invoke("sweep")["told"]
        people.execute("update gdpr.request set leased_until = now() - interval '2 minutes'")
        assert invoke("sweep")["told"]["request.stalled"] == 1
        assert "request.stalled" not in invoke("sweep")["told"]

    def test_what_is_done_is_told_of_no_more_once_the_person_knows(
        self, invoke: Invoke, request_: dict[str, Any]
    ) -> None:
        invoke("refuse", alias="officer", **NAMED, **TestCourse.REFUSAL)
        invoke("notify", **NAMED, by_role="officer", notified_at="2026-11-20T11:00:00Z")
        with clock.standing_at(datetime(2027, 2, 20, 12, tzinfo=UTC)):
            assert invoke("sweep")["told"] == {}

    def test_who_was_refused_or_not_identified_has_to_be_told(self, invoke: Invoke, request_: dict[str, Any]) -> None:
        invoke("refuse", alias="officer", **NAMED, **TestCourse.REFUSAL)
        unknown = event(2, phone="0199")
        assert invoke("register", request=unknown)["status"] == "not_identified"
        with clock.standing_at(datetime(2026, 12, 19, 12, tzinfo=UTC)):
            assert invoke("sweep")["told"] == {"request.notice": 2}
            assert invoke("sweep")["told"] == {}
            named = NAMED | {"subject_request_id": unknown["subject_request_id"]}
            done = invoke("notify", **named, by_role="officer", notified_at="2026-12-19T11:00:00Z")
            assert done["status"] == "not_identified"

    @pytest.mark.parametrize("due_at", ["-infinity", "2026-12-01"])
    def test_a_request_that_cannot_be_read_stops_no_other(
        self, invoke: Invoke, request_: dict[str, Any], postgres: PostgresAddress, tmp_path: Path, due_at: str
    ) -> None:
        with closing(Database(as_role(postgres, "gdpr_export"), application="forger")) as forger:
            with forger.transaction() as cur:
                cur.execute(
                    "select id from gdpr.register_request(%s, 'export', 'access', 'user', now(), sha256('a'),"
                    " sha256('b'), sha256('t'), 'in_progress', null, '{}', '{}', '{}', %s, '2026-12-01',"
                    " decode(repeat('00', 50), 'hex'), sha256('a'), sha256('b'))",
                    (str(uuid.UUID(int=66)), due_at),
                )
        with clock.standing_at(datetime(2026, 12, 22, 12, tzinfo=UTC)):
            done = invoke("sweep")
        assert (done["status"], done["unreadable"]) == ("failed", 1)
        assert done["told"]["request.overdue"] == 1
        assert done["size"] > 0
        assert f"unreadable/export-{uuid.UUID(int=66)}.json" in self.told(tmp_path)

    def test_what_fails_of_it_stops_nothing_else(
        self, invoke: Invoke, request_: dict[str, Any], service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("functions.audit_logging.intake.Intake.left", lambda _: ["intake/a.json", "intake/b.json"])
        monkeypatch.setattr("functions.audit_logging.intake.Intake.take", broken)
        with clock.standing_at(datetime(2026, 12, 22, 12, tzinfo=UTC)):
            done = invoke("sweep")
        assert (done["status"], done["code"], done["files"]) == ("failed", "fault", 0)
        assert done["told"]["request.overdue"] == 1
        assert done["size"] > 0

    def test_killed_between_outbox_and_ledger_it_tells_once(
        self, invoke: Invoke, request_: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with clock.standing_at(datetime(2026, 12, 22, 12, tzinfo=UTC)):
            with monkeypatch.context() as patched:
                patched.setattr("functions.audit_logging.sweep.record", killed)
                with pytest.raises(KeyboardInterrupt):
                    invoke("sweep")
            before = self.told(tmp_path)
            assert before
            invoke("sweep")
            after = self.told(tmp_path)
            assert {name: after[name] for name in before} == before
            assert invoke("sweep")["told"] == {}


def broken(*_: object, **__: object) -> None:
    raise ValueError(CANARY)


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


class TestIntake:
    """Requests in bulk."""

    @pytest.fixture
    def exchange(self, tmp_path: Path) -> Path:
        (tmp_path / "exchange" / "intake").mkdir(parents=True)
        return tmp_path / "exchange"

    @pytest.fixture
    def arrived(self, invoke: Invoke, exchange: Path) -> Invoke:
        """Put a file under intake/ and hand over what S3 tells the queue of it; the result."""

        def put(name: str, content: str | bytes, *, times: int = 1) -> dict[str, Any]:
            (exchange / "intake" / name).write_bytes(content.encode() if isinstance(content, str) else content)
            told = {
                "Records": [{"s3": {"bucket": {"name": "exchange"}, "object": {"key": f"intake/{quote_plus(name)}"}}}]
            }
            for _ in range(times):
                invoke("intake", records=[{"messageId": "1", "body": json.dumps(told)}])
            assert not (exchange / "intake" / name).exists()
            return dict(json.loads((exchange / "results" / f"{name}.json").read_text()))

        return put

    def test_each_line_is_registered_or_reported_and_the_file_is_gone(
        self, arrived: Invoke, exchange: Path, people: cursor
    ) -> None:
        bad, unknown = event(3, phone=CANARY), event(4, phone="0199")
        bad["submitted_time"] = CANARY
        result = arrived("of november.json", json.dumps([event(1, phone="0170"), event(2, phone="0171"), bad, unknown]))
        assert [(line["line"], line["status"]) for line in result["lines"]] == [
            (1, "in_progress"),
            (2, "in_progress"),
            (3, "rejected"),
            (4, "not_identified"),
        ]
        assert result["lines"][2]["faults"][0]["path"] == "/submitted_time"
        assert result["lines"][3]["code"] == "unknown"
        assert CANARY not in json.dumps(result)
        people.execute("select count(*) from gdpr.request")
        assert people.fetchone() == (3,)
        woken = sorted(path.name for path in (exchange / "outbox" / "erase").iterdir())
        assert woken == sorted(f"{line['request_id']}.json" for line in result["lines"][:2])

    def test_json_lines_go_on_behind_a_broken_one(self, arrived: Invoke) -> None:
        rows = [
            json.dumps(event(1, phone="0170")),
            "{" + CANARY,
            "",
            '{"a": 1, "a": 2}',
            json.dumps(event(2, phone="0171")),
        ]
        result = arrived("x.jsonl", "\n".join(rows))
        assert [(line["line"], line["status"]) for line in result["lines"]] == [
            (1, "in_progress"),
            (2, "rejected"),
            (4, "rejected"),
            (5, "in_progress"),
        ]
        assert CANARY not in json.dumps(result)

    HEADER = (
        "subject_request_id,subject_request_type,subject_kind,submitted_time,identity.email,identity.phone,decision.id,"
        "decision.by_role,decision.ground,decision.identity_check.method,decision.identity_check.at"
    )
    REST = "D-17,privacy-officer,A17-1-b,session,2026-11-20T08:59:00Z"

    def test_a_csv_names_its_fields(self, arrived: Invoke) -> None:
        rows = [
            self.HEADER,
            f"{uuid.UUID(int=1)},erasure,user,2026-11-19T23:30:00Z,,0170,{self.REST}",
            f'{uuid.UUID(int=2)},erasure,user,2026-11-19T23:30:00Z,"otto@example.org",,{self.REST}',
            f"{uuid.UUID(int=3)},erasure,user,{CANARY}",
            f"{uuid.UUID(int=4)},erasure,user,,,0170,{self.REST}",
            f"{uuid.UUID(int=5)},access,user,2026-11-19T23:30:00Z,,0172,{self.REST}",
        ]
        result = arrived("x.csv", "\ufeff" + "\r\n".join(rows))
        assert [(line["line"], line["status"]) for line in result["lines"]] == [
            (2, "in_progress"),
            (3, "in_progress"),
            (4, "rejected"),
            (5, "rejected"),
            (6, "in_progress"),
        ]
        assert result["lines"][2]["faults"][0]["code"] == "wrong_width"
        assert CANARY not in json.dumps(result)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("x.json", "{}"),
            ("x.json", b"\xff"),
            ("x.json", "[" * 100_000),
            ("x.csv", ""),
            ("x.csv", "a,a\n1,2\n"),
            ("x.csv", b"\xff\xfe"),
            ("x.csv", 'a,b\n"1,2'),
            ("x.txt", CANARY),
            ("x", CANARY),
        ],
    )
    def test_what_is_no_file_of_requests_is_said_so_and_gone(self, arrived: Invoke, name: str, content: Any) -> None:
        result = arrived(name, content)
        assert (result["status"], result["code"]) == ("rejected", "intake_invalid")
        assert CANARY not in json.dumps(result)

    @pytest.mark.parametrize("header", ["decision,decision.id", "a.b,a", "", "x,x"])
    def test_a_field_is_not_within_another(self, arrived: Invoke, header: str) -> None:
        assert arrived("x.csv", f"{header}\nx,y\n")["code"] == "intake_invalid"

    def test_a_line_at_which_we_break_stops_no_other(
        self, arrived: Invoke, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def breaking(cur: cursor, envelope: Any, **named: Any) -> Any:
            if envelope.id.int == 2:
                raise OverflowError(CANARY)
            return register(cur, envelope, **named)

        monkeypatch.setattr("functions.audit_logging.intake.register", breaking)
        result = arrived("x.json", json.dumps([event(number, phone="0170") for number in (1, 2, 3)]))
        assert [line["status"] for line in result["lines"]] == ["in_progress", "failed", "in_progress"]
        printed = capfd.readouterr()
        assert CANARY not in json.dumps(result) + printed.out + printed.err

    def test_an_object_with_a_key_twice_is_none(self, arrived: Invoke) -> None:
        twice = json.dumps(event(1, phone="0170")).replace('"action"', '"action": "export", "action"', 1)
        result = arrived("x.json", f"[{twice}, {json.dumps(event(2, phone='0170'))}]")
        assert [line["status"] for line in result["lines"]] == ["rejected", "in_progress"]

    def test_a_file_that_is_too_large_is_not_even_read(self, arrived: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("functions.audit_logging.intake.LARGEST", 100)
        assert arrived("x.json", json.dumps([event(1, phone="0170")]))["code"] == "intake_invalid"

    def test_a_file_with_the_longest_name_has_a_result(self) -> None:
        key = f"intake/{'n' * 1012}.json"
        assert len(key.encode()) == 1024
        assert len(result_key(key).encode()) <= 1024
        assert result_key(key) != result_key(f"intake/{'m' * 1012}.json")

    def test_each_version_of_a_file_is_taken_and_one_that_comes_meanwhile_later(
        self, service: Service, postgres: PostgresAddress, locked: Bucket, people: cursor
    ) -> None:
        """In S3 whoever puts a file where one lies already puts a version over it."""
        taking = replace(service.intake, bucket=locked, outbox=Outbox(bucket=locked))
        for number in (1, 2):
            locked.put("intake/x.json", json.dumps([event(number, phone="0170")]).encode())
        put = locked.put

        def put_late(key: str, body: bytes) -> None:
            put(key, body)
            if key == "results/x.json.json" and "earlier" in json.loads(body):
                put("intake/x.json", json.dumps([event(3, phone="0170")]).encode())

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(locked, "put", put_late)
            assert taking.take("intake/x.json") == {"in_progress": 2}
        result = json.loads(locked.get("results/x.json.json") or b"")
        assert [each["lines"][0]["subject_request_id"][-1] for each in (result, *result["earlier"])] == ["2", "1"]
        assert taking.take("intake/x.json") == {"in_progress": 1}
        people.execute("select count(*) from gdpr.request")
        assert people.fetchone() == (3,)
        assert list(locked.versions("intake/")) == []

    def test_handed_over_twice_it_is_taken_once(self, arrived: Invoke, people: cursor) -> None:
        arrived("x.json", json.dumps([event(1, phone="0170")]), times=2)
        arrived("x.json", json.dumps([event(1, phone="0170")]))
        people.execute("select count(*) from gdpr.request")
        assert people.fetchone() == (1,)
        assert kinds(people) == ["request.registered"]

    def test_killed_in_the_middle_it_is_taken_again_and_nothing_is_registered_twice(
        self, arrived: Invoke, invoke: Invoke, exchange: Path, people: cursor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = json.dumps([event(number, phone="0170") for number in range(1, 6)])
        for at in range(1, 5):
            taken: list[int] = []

            def dying(*given: Any, at: int = at, taken: list[int] = taken, **named: Any) -> Any:
                taken.append(1)
                if len(taken) > at:
                    raise KeyboardInterrupt
                return register(*given, **named)

            with monkeypatch.context() as patched:
                patched.setattr("functions.audit_logging.intake.register", dying)
                with pytest.raises(KeyboardInterrupt):
                    arrived("x.json", content)
            assert (exchange / "intake" / "x.json").exists()
        assert len(arrived("x.json", content)["lines"]) == 5
        people.execute("select count(*) from gdpr.request union all select count(*) from gdpr.entry")
        assert people.fetchall() == [(5,), (5,)]

    def test_a_file_that_the_queue_forgot_is_taken_by_the_sweep(self, invoke: Invoke, exchange: Path) -> None:
        (exchange / "intake" / "x.json").write_text(json.dumps([event(1, phone="0170")]))
        assert invoke("sweep")["files"] == 1
        assert (exchange / "results" / "x.json.json").exists()
        assert not list((exchange / "intake").iterdir())

    @pytest.mark.parametrize(
        "records",
        [None, "x", [1], [{}], [{"body": "no json"}], [{"body": "[]"}], [{"body": '{"Event": "s3:TestEvent"}'}],
         [{"body": '{"Records": [{"s3": {"object": {"key": "results/x.json"}}}]}'}],
         [{"body": '{"Records": [{"s3": {"object": {"key": "intake/../keys/person"}}}]}'}]],
    )  # fmt: skip
    def test_what_tells_of_no_file_is_passed_over(self, invoke: Invoke, records: object) -> None:
        assert invoke("intake", records=records) == {"status": "completed", "files": 0, "requests": {}}

    @pytest.mark.parametrize(
        "body",
        [
            '{"Records": 5}', '{"Records": [{"s3": []}]}', '{"Records": [{"s3": {"object": 7}}]}', "[]", "[" * 100_000,
            '{"Records": [{"s3": null}, 7]}', '{"Records": [{"s3": {"object": {"key": "intake/\\u0000"}}}]}',
        ],
    )  # fmt: skip
    def test_a_message_that_is_none_is_passed_over(self, invoke: Invoke, body: str) -> None:
        done = invoke("intake", records=[{"body": body}])
        assert done == {"status": "completed", "files": 0, "requests": {}}

    def test_a_key_on_the_way_up_reaches_nothing(self, invoke: Invoke, service: Service, exchange: Path) -> None:
        before = service.ledger.keys.person()
        body = '{"Records": [{"s3": {"object": {"key": "intake/../../keys/person"}}}]}'
        assert invoke("intake", records=[{"body": body}])["files"] == 0
        assert service.ledger.keys.person() == before
