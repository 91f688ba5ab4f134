"""A request enters the register: about one person, once, whoever sends it and however often."""

from __future__ import annotations

import copy
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.compile.plan import compiled
from datamap.document import Document
from shared import active_plan, clock
from shared.addresses import PostgresAddress
from shared.asked import Asked, Rejected
from shared.bucket import Folder
from shared.catalogue import document
from shared.database import Database
from shared.envelope import Envelope, Identity
from shared.errors import AccessDenied
from shared.identification import Identified, identify, kind_of
from shared.keys import Keys
from shared.plan import Plan
from shared.register import Registered, register, sealed_about
from shared.sealing import Seal
from tests.integration.people import MAP, NOW, event
from tests.run import as_role


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def audit(postgres: PostgresAddress, plan: Plan) -> Iterator[Database]:
    with closing(Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")) as opened:
        yield opened


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    found = Keys(bucket=Folder(tmp_path / "keys"))
    found.make(log="shop-ledger")
    return found


def registered(
    database: Database, asked_for: Mapping[str, Any], keys: Keys, *, writer: str = "gdpr_audit"
) -> Registered:
    asked = Asked(asked_for)
    envelope = Envelope.read(asked, action=asked_for["action"])
    asked.check()
    with database.transaction() as cur:
        return register(cur, envelope, plan=active_plan.load(cur), keys=keys, writer=writer)


def sealed(people: cursor, keys: Keys, number: int = 1) -> dict[str, Any]:
    people.execute(
        "select p.sealed from gdpr.request_person p join gdpr.request r on r.id = p.request_id where"
        " r.subject_request_id = %s",
        (str(uuid.UUID(int=number)),),
    )
    (found,) = people.fetchone() or (b"",)
    return Seal(keys.sealing()).open(bytes(found), about=sealed_about("erase", uuid.UUID(int=number)))


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"tenant_id": "1", "id": "2"}, ("1", "2")),
        ({"phone": "0170"}, ("1", "1")),
        ({"email": "OTTO@example.org"}, ("1", "2")),
        ({"email": " otto@example.org "}, ("1", "2")),
        ({"badge": "5D3C1C5E-0000-4000-8000-00000000000A"}, ("1", "1")),
        ({"email": "lena@example.org", "tenant_id": "2"}, ("2", "2")),  # the tenant is named, as it is part of the key
        ({"email": "lena@example.org", "phone": "0170"}, ("1", "1")),
        ({"tenant_id": "2", "id": "1", "email": "mira@example.org"}, ("2", "1")),
    ],
)
def test_one_person_is_meant(
    audit: Database, keys: Keys, people: cursor, said: dict[str, str], key: tuple[str, str]
) -> None:
    done = registered(audit, event(**said), keys)
    assert (done.is_new, done.file.status, done.file.code) == (True, "in_progress", None)
    named = sealed(people, keys)["named"]
    assert (named["tenant_id"], named["id"]) == key


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"email": "lena@example.org"}, "ambiguous"),  # the same address with two tenants
        ({"email": "otto@example.org", "phone": "0170"}, "identities_disagree"),  # two that name two people
        ({"tenant_id": "1", "id": "1", "email": "otto@example.org"}, "identities_disagree"),
        ({"phone": "0170", "tenant_id": "2"}, "identities_disagree"),
        ({"tenant_id": "1", "id": "99"}, "unknown"),
        ({"tenant_id": "1", "id": "99", "email": "guest@example.org"}, "unknown"),
        ({"tenant_id": "1"}, "unknown"),  # a tenant is no person
        ({"phone": "0199"}, "unknown"),
        ({"tenant_id": "0", "id": "0"}, "unknown"),  # who stands for nobody
    ],
)
def test_where_nobody_or_several_are_meant_the_request_is_not_identified(
    audit: Database, keys: Keys, people: cursor, said: dict[str, str], code: str
) -> None:
    done = registered(audit, event(**said), keys)
    assert (done.file.status, done.file.code, done.file.person) == ("not_identified", code, None)
    people.execute("select count(*) from gdpr.request_person union all select count(*) from gdpr.subject_key")
    assert people.fetchall() == [(0,), (0,)]
    assert registered(audit, event(**said), keys).file == done.file


def test_whoever_has_no_account_is_a_guest_where_something_is_linked_by_what_they_said(
    audit: Database, keys: Keys, people: cursor
) -> None:
    one = registered(audit, event(1, email="Guest@example.org"), keys)
    assert (one.file.status, sealed(people, keys)["named"]) == ("in_progress", {"email": "guest@example.org"})
    two = registered(audit, event(2, email="guest@EXAMPLE.org"), keys)
    assert one.file.person == two.file.person


def test_the_same_person_is_the_same_however_named_and_others_are_others(audit: Database, keys: Keys) -> None:
    said = [
        {"phone": "0170"},
        {"tenant_id": "1", "id": "1"},
        {"tenant_id": "2", "id": "1"},
        {"tenant_id": "1", "id": "2"},
    ]
    people = [registered(audit, event(number, **each), keys).file.person for number, each in enumerate(said, 1)]
    assert people[0] == people[1]
    assert len(set(people)) == 3


def test_of_many_who_share_an_address_two_who_are_meant_are_never_one(
    audit: Database, keys: Keys, people: cursor
) -> None:
    people.execute(
        "insert into app.users select 5, n, 'many@example.org', case when n in (1, 400) then '0999' else 'p' || n end"
        " from generate_series(1, 400) as n"
    )
    both = {"email": "many@example.org", "phone": "0999"}
    assert registered(audit, event(1, **both), keys).file.code == "ambiguous"
    assert registered(audit, event(2, **both, tenant_id="5"), keys).file.code == "ambiguous"
    assert registered(audit, event(3, email="many@example.org"), keys).file.code == "ambiguous"
    for number, key in ((1, "1"), (400, "400")):
        done = registered(audit, event(10 + number, **both, tenant_id="5", id=key), keys)
        assert done.file.status == "in_progress"
    done = registered(audit, event(20, email="many@example.org", phone="p300"), keys)
    assert (done.file.status, sealed(people, keys, 20)["named"]["id"]) == ("in_progress", "300")


def test_the_controllers_number_is_what_the_map_says_it_is(postgres: PostgresAddress, people: cursor) -> None:
    people.execute(
        "create table app.customers (id bigint primary key, number bigint unique);"
        " insert into app.customers values (1, 2), (2, 3)"
    )
    told = MAP.replace(
        "  staff: {", "  customer: {table: app.customers, key: id, identities: {NUMBER: number}}\n  staff: {"
    )
    for name, named in (("controller_customer_id", "1"), ("number", "2")):
        catalogue = Catalogue.from_json(document(people))
        found = compiled(Document.parse(told.replace("NUMBER", name)).map, catalogue)
        active_plan.approve(people, found)
        with closing(Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")) as opened:
            with opened.transaction() as cur:
                asked = [Identity(type="controller_customer_id", value="2")]
                who = identify(cur, kind_of(found, "customer"), asked)
        assert isinstance(who, Identified)
        assert who.named == {"id": named}


def test_kinds_of_subject_are_told_apart(audit: Database, keys: Keys) -> None:
    assert registered(audit, event(1, "staff", login="root"), keys).file.status == "in_progress"
    assert registered(audit, event(2, "staff", controller_customer_id="root"), keys).file.status == "in_progress"
    assert registered(audit, event(3, "staff", login="lena@example.org"), keys).file.code == "unknown"
    with pytest.raises(Rejected, match="user, staff"):
        registered(audit, event(4, "customer", login="root"), keys)
    nameless = event(5, login="root")
    del nameless["subject_kind"]
    with pytest.raises(Rejected, match="/subject_kind: This data map has these kinds"):
        registered(audit, nameless, keys)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"e-mail": "x@example.org"}, ("/subject_identities/0/identity_type", "unknown_identity")),
        ({"email": "a@example.org", "ssn": "1"}, ("/subject_identities/1/identity_type", "unknown_identity")),
        ({"tenant_id": "1", "id": "kanarie"}, ("/subject_identities", "unfit_identity")),
        ({"badge": "kanarie"}, ("/subject_identities", "unfit_identity")),
        ({"id": "0x2A", "tenant_id": "1"}, ("/subject_identities", "unfit_identity")),
        ({"controller_customer_id": "1"}, ("/subject_identities/0/identity_type", "unknown_identity")),
    ],
)
def test_what_names_nobody_here_is_rejected_and_not_repeated(
    audit: Database, keys: Keys, people: cursor, said: dict[str, str], fault: tuple[str, str]
) -> None:
    with pytest.raises(Rejected) as rejected:
        registered(audit, event(**said), keys)
    assert [(each.path, each.code) for each in rejected.value.faults] == [fault]
    assert "kanarie" not in str(rejected.value)
    people.execute("select count(*) from gdpr.request")
    assert people.fetchone() == (0,)


@pytest.mark.parametrize("value", ["'); drop table app.users; --", "%", "*", "\\", "otto@example.org' or '1'='1"])
def test_a_value_is_only_ever_a_value(audit: Database, keys: Keys, value: str) -> None:
    assert registered(audit, event(phone=value), keys).file.code == "unknown"


def test_dates_follow_from_the_receipt_and_the_controllers_calendar(audit: Database, keys: Keys) -> None:
    file = registered(audit, event(phone="0170"), keys).file
    deadline = file.deadline
    assert [str(each) for each in (deadline.received_on, deadline.target_date, deadline.due_nominal)] == [
        "2026-11-20",  # half past midnight in Berlin
        "2026-12-18",
        "2026-12-20",
    ]
    assert str(deadline.due_statutory) == "2026-12-21"  # the 20th is a Sunday
    assert deadline.due_at == datetime(2026, 12, 21, 23, tzinfo=UTC)


def test_the_ledger_is_told_in_the_same_transaction_without_a_word_of_whom(
    audit: Database, keys: Keys, people: cursor
) -> None:
    file = registered(audit, event(email="otto@example.org"), keys).file
    people.execute("select body from gdpr.entry")
    [(body,)] = people.fetchall()
    said = json.loads(bytes(body)[1:])
    assert said["kind"] == "request.registered"
    assert said["request"] == str(file.id)
    assert said["deadlines"]["calendar"].startswith("DE@holidays-")
    assert said["reasons"] == ["A17-1-b"]
    assert len(said["subject"]) == 64
    assert b"otto" not in bytes(body)
    assert b"D-17" not in bytes(body)


class TestAgain:  # R11
    """The same request twice is one, and under its number no other one comes in."""

    def test_it_is_the_one_that_stands(self, audit: Database, keys: Keys, people: cursor) -> None:
        first = registered(audit, event(phone="0170"), keys)
        again = registered(audit, event(phone="0170"), keys)
        assert (first.is_new, again.is_new, again.file) == (True, False, first.file)
        people.execute("select count(*) from gdpr.entry")
        assert people.fetchone() == (1,)

    def test_written_otherwise_it_is_the_same(self, audit: Database, keys: Keys) -> None:
        asked_for = event(phone="0170", tenant_id="1")
        registered(audit, asked_for, keys)
        other = copy.deepcopy(asked_for)
        other["submitted_time"] = "2026-11-20T00:30:00+01:00"
        other["subject_identities"].reverse()
        other["regulation"] = "gdpr"
        assert not registered(audit, other, keys).is_new

    @pytest.mark.parametrize(
        ("way", "value"),
        [
            (("submitted_time",), "2026-11-19T23:30:01Z"),
            (("decision", "id"), "D-18"),
            (("decision", "ground"), "A17-1-a"),
            (("options",), {"waiver_ref": "W-1"}),
            (("subject_identities", 0, "identity_value"), "0171"),
            (("subject_identities", 0, "identity_type"), "email"),
        ],
    )
    def test_another_content_is_rejected(self, audit: Database, keys: Keys, way: tuple[Any, ...], value: Any) -> None:
        asked_for = event(phone="0170")
        registered(audit, asked_for, keys)
        other: Any = copy.deepcopy(asked_for)
        place = other
        for step in way[:-1]:
            place = place[step]
        place[way[-1]] = value
        with pytest.raises(Rejected, match="Another request stands under this number"):
            registered(audit, other, keys)

    def test_once_it_is_forgotten_whom_it_was_about_what_was_asked_for_is_still_compared(
        self, audit: Database, keys: Keys, people: cursor
    ) -> None:
        registered(audit, event(phone="0170"), keys)
        people.execute("delete from gdpr.request_person")
        assert not registered(audit, event(phone="0171"), keys).is_new
        with pytest.raises(Rejected):
            registered(audit, event(phone="0170") | {"options": {"waiver_ref": "W-1"}}, keys)

    def test_an_address_that_moved_on_does_not_take_the_request_along(
        self, audit: Database, keys: Keys, people: cursor
    ) -> None:  # A7
        first = registered(audit, event(phone="0170"), keys)
        people.execute("update app.users set phone = null where (tenant_id, id) = (1, 1)")
        people.execute("update app.users set phone = '0170' where (tenant_id, id) = (2, 1)")
        again = registered(audit, event(phone="0170"), keys)
        assert (again.is_new, again.file.person) == (False, first.file.person)
        assert sealed(people, keys)["named"] == {"tenant_id": "1", "id": "1"}

    def test_sent_many_times_at_once_it_is_one(
        self, audit: Database, keys: Keys, people: cursor, postgres: PostgresAddress
    ) -> None:
        done: list[bool] = []
        together = threading.Barrier(5)

        def send() -> None:
            with closing(Database(as_role(postgres, "gdpr_audit"), application="sender")) as own:
                together.wait()
                with clock.standing_at(NOW):
                    done.append(registered(own, event(phone="0170"), keys).is_new)

        threads = [threading.Thread(target=send) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == [False] * 4 + [True]
        people.execute("select count(*) from gdpr.entry")
        assert people.fetchone() == (1,)


def test_a_worker_registers_what_it_works_on(postgres: PostgresAddress, plan: Plan, keys: Keys) -> None:
    with closing(Database(as_role(postgres, "gdpr_erase"), application="gdpr-tests")) as erase:
        assert registered(erase, event(phone="0170"), keys, writer="gdpr_erase").is_new
        assert not registered(erase, event(phone="0170"), keys, writer="gdpr_erase").is_new


def test_intake_reads_the_columns_that_name_people_and_nothing_else(
    postgres: PostgresAddress, audit: Database, people: cursor
) -> None:
    with audit.transaction() as cur:
        cur.execute("select tenant_id, id, email, phone, badge from app.users")
    for statement in ("select * from app.guests", "update app.users set phone = ''", "delete from app.users"):
        with pytest.raises(AccessDenied), audit.transaction() as cur:
            cur.execute(statement)
    changed = MAP.replace(", phone: phone, badge: badge", "")
    active_plan.approve(people, compiled(Document.parse(changed).map, Catalogue.from_json(document(people))))
    with pytest.raises(AccessDenied), audit.transaction() as cur:
        cur.execute("select phone from app.users")
    people.execute("select count(*) from app.users")


def test_a_policy_that_could_hide_people_from_intake_stops_it(
    audit: Database, keys: Keys, people: cursor
) -> None:  # A5
    people.execute("alter table app.users enable row level security")
    with pytest.raises(AccessDenied, match="row-level security"):
        registered(audit, event(phone="0170"), keys)
    people.execute("create policy suite on app.users to gdpr_audit using (true)")
    assert registered(audit, event(phone="0170"), keys).is_new
