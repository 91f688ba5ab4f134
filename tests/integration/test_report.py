"""Reports: every request is counted once, by the law's clock and the controller's, and nobody is named."""

from __future__ import annotations

import contextlib
import functools
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection, cursor

from functions.audit_logging.reports import figures as counting
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import Figures, figures
from functions.audit_logging.reports.page import shown
from functions.audit_logging.reports.period import Month, Period
from functions.audit_logging.service import Service
from shared import clock
from shared.addresses import PostgresAddress
from shared.database import Database, connect
from shared.invocation import answer
from shared.ledger.entry import Entry, append
from shared.plan import Plan
from shared.settings import AuditLoggingSettings
from tests.integration.people import NOW, event
from tests.integration.register_rows import MANY, ZONE, Past, put
from tests.run import Run, administrator, as_role

Invoke = Callable[..., dict[str, Any]]
LAMBDA = 6 * 2**20  # bytes that an answer may have
CANARY = "kanarie"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def invoke(postgres: PostgresAddress, plan: Plan, tmp_path: Path) -> Iterator[Invoke]:
    made = Service.of(
        AuditLoggingSettings.read(
            {
                "DATABASE_URL": as_role(postgres, "gdpr_audit").url(),
                "LEDGER_BUCKET": f"file://{tmp_path}/shop-ledger",
                "KEYS_BUCKET": f"file://{tmp_path}/keys",
                "EXCHANGE_BUCKET": f"file://{tmp_path}/exchange",
            }
        ),
        application="gdpr-tests",
    )
    made.ledger.keys.make(log="shop-ledger")

    def call(name: str, /, **fields: Any) -> dict[str, Any]:
        actions = {each: functools.partial(made.do, each) for each in Service.ACTIONS}
        context = SimpleNamespace(invoked_function_arn="arn:aws:lambda:us-east-2:0:function:x:officer")
        found = answer({"action": name, **fields}, context, service="audit_logging", actions=actions)
        return dict(json.loads(json.dumps(found)))

    with contextlib.closing(made.unit):
        yield call


@pytest.fixture(scope="module")
def register(run: Run, server: cursor) -> Iterator[connection]:
    """A session in a database of this module's own; each use of it is rolled back."""
    name = f"gdpr_test_{uuid.uuid4().hex[:12]}"
    server.execute(f"create database {name} template {run.template} strategy file_copy")
    address = PostgresAddress(**{**vars(run.stores.postgres), "database": name})
    try:
        with contextlib.closing(connect(address, application="gdpr-tests")) as opened:
            yield opened
    finally:
        server.execute(f"drop database {name} with (force)")


YEAR = Period.named(None, None, zone=ZONE, now=NOW)


def counted(register: connection, pasts: list[Past], period: Period = YEAR) -> Figures:
    """What is reported of these."""
    try:
        with register.cursor() as cur:
            for number, past in enumerate(pasts, 1):
                put(cur, number, past)
            return figures(cur, period, now=NOW)
    finally:
        register.rollback()


def state(register: connection, past: Past) -> str:
    [count] = counted(register, [past]).counts
    return count.state


MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)  # due on 2 April
LAST = datetime(2026, 4, 2, 22, tzinfo=UTC)  # the first instant that is too late


class TestOnTime:
    """Whether an answer was in time."""

    @pytest.mark.parametrize(("seconds", "told"), [(-1, "on_time"), (0, "late")])
    def test_the_last_second_of_the_last_day_is_on_time(self, register: connection, seconds: int, told: str) -> None:
        after = LAST - MARCH + timedelta(seconds=seconds)
        assert state(register, Past(received_at=MARCH, after=after)) == told

    @pytest.mark.parametrize(("days", "told"), [(38, "on_time"), (39, "late")])
    def test_the_days_of_a_pause_are_added(self, register: connection, days: int, told: str) -> None:
        pause = ((timedelta(days=1), timedelta(days=8)),)
        assert state(register, Past(received_at=MARCH, after=timedelta(days=days), questions=pause)) == told

    def test_a_pause_that_is_not_over_adds_nothing(self, register: connection) -> None:
        found = counted(
            register,
            [Past(received_at=MARCH, status="in_progress", questions=((timedelta(days=1), None),))],
        )
        assert (found.overdue, found.asked, found.waiting) == (1, 1, 1)

    @pytest.mark.parametrize(("days", "told"), [(92, "on_time"), (93, "late")])
    def test_an_extension_that_was_told_in_time_is_three_months(
        self, register: connection, days: int, told: str
    ) -> None:
        extended = Past(received_at=MARCH, after=timedelta(days=days), extended_for="complexity")
        found = counted(register, [extended])
        assert found.counts[0].state == told
        assert (found.in_first_month, found.in_three_months) == (0, int(told == "on_time"))
        assert [(each.kind, each.code, each.number, each.told) for each in found.reasons] == [
            ("extension", "complexity", 1, 1)
        ]

    def test_one_month_and_three_months_are_counted_from_receipt(self, register: connection) -> None:
        pasts = [Past(received_at=MARCH, after=timedelta(days=days)) for days in (0, 31, 32, 92, 93)]
        found = counted(register, pasts)
        assert (found.in_first_month, found.in_three_months) == (2, 4)

    @pytest.mark.parametrize("status", ["refused", "not_identified"])
    def test_who_is_not_helped_has_an_answer_once_they_are_told(self, register: connection, status: str) -> None:
        def told(after: timedelta | None) -> str:
            refused = Past(received_at=MARCH, status=status, after=timedelta(days=3), told_after=after)
            return state(register, refused)

        assert told(timedelta(days=31)) == "on_time"
        assert told(timedelta(days=32)) == "late"
        assert told(None) == "overdue"

    def test_a_refusal_has_the_first_month_even_where_the_request_was_extended(self, register: connection) -> None:
        days = timedelta(days=40)
        refused = Past(received_at=MARCH, status="refused", after=days, told_after=days, extended_for="complexity")
        assert state(register, refused) == "late"

    def test_what_is_open_is_overdue_once_its_last_day_is_over(self, register: connection) -> None:
        today = Past(received_at=datetime(2026, 10, 20, 9, tzinfo=UTC), status="in_progress")
        over = Past(received_at=datetime(2026, 10, 19, 9, tzinfo=UTC), status="blocked")
        found = counted(register, [today, over])
        assert (found.open, found.overdue) == (2, 1)
        assert [(each.due_on.isoformat(), each.days_left, each.is_overdue) for each in found.listed] == [
            ("2026-11-19", -1, True),
            ("2026-11-20", 0, False),
        ]

    def test_what_is_owed_is_listed_whenever_it_came_in(self, register: connection) -> None:
        old = Past(received_at=datetime(2020, 1, 1, tzinfo=UTC), status="suspended_by_restore")
        done = Past(received_at=datetime(2020, 1, 1, tzinfo=UTC))
        found = counted(register, [old, done])
        assert (found.received, found.open, len(found.listed)) == (0, 1, 1)

    def test_days_are_those_of_the_calendar(self, register: connection) -> None:
        received = datetime(2026, 3, 1, 22, 59, 59, tzinfo=UTC)  # still the 1st in Berlin
        found = counted(register, [Past(received_at=received, after=timedelta(seconds=1))])
        assert [(each.days, each.allowed, each.received_on.day) for each in found.points] == [(1, 31, 1)]
        assert found.all_days == counting.Days(half=1, longest=1)

    def test_half_and_longest_are_of_the_answers(self, register: connection) -> None:
        after = [timedelta(days=days) for days in (1, 2, 9, 30)]
        found = counted(register, [Past(received_at=MARCH, after=each) for each in after])
        assert found.all_days == counting.Days(half=2, longest=30)
        assert found.days == {Month.parse("2026-03"): found.all_days}


class TestMonths:
    """The month of receipt is the controller's."""

    @pytest.mark.parametrize(
        ("at", "month"),
        [
            ("2026-03-31T21:59:59Z", "2026-03"),
            ("2026-03-31T22:00:00Z", "2026-04"),
            ("2025-11-30T23:00:00Z", "2025-12"),
            ("2026-11-20T11:59:59Z", "2026-11"),
        ],
    )
    def test_a_request_belongs_to_the_month_there(self, register: connection, at: str, month: str) -> None:
        found = counted(register, [Past(received_at=datetime.fromisoformat(at))])
        assert [str(count.month) for count in found.counts] == [month]

    def test_what_came_a_second_before_the_period_is_not_in_it(self, register: connection) -> None:
        assert counted(register, [Past(received_at=datetime(2025, 11, 30, 22, 59, 59, tzinfo=UTC))]).received == 0


statuses = st.sampled_from(
    ["completed", "refused", "not_identified", "withdrawn", "in_progress", "incomplete", "failed", "blocked"]
)
spans = st.timedeltas(timedelta(0), timedelta(days=120))
pasts = st.builds(
    Past,
    received_at=st.datetimes(datetime(2025, 10, 1), datetime(2026, 11, 20, 12), timezones=st.just(UTC)),  # noqa: DTZ001
    right=st.sampled_from(["access", "portability", "erasure"]),
    status=statuses,
    after=spans,
    told_after=st.none() | spans,
    extended_for=st.sampled_from([None, None, "complexity", "temporary_surge"]),
    questions=st.sampled_from([(), (), ((timedelta(days=1), timedelta(days=9)),), ((timedelta(days=2), None),)]),
)


def expected(past: Past) -> tuple[str, str]:
    """Month and state of a request, step by step."""
    month = f"{past.received_at.astimezone(ZoneInfo(ZONE)):%Y-%m}"
    deadline = past.case.deadline
    is_unhelped = past.status in {"refused", "not_identified"}
    due_at = deadline.first_due_at if is_unhelped else deadline.due_at
    if past.status in {"completed", "withdrawn"}:
        answered_after: timedelta | None = past.after
    else:
        answered_after = past.told_after if is_unhelped else None
    if answered_after is None:
        return month, "open" if due_at > NOW else "overdue"
    return month, "on_time" if past.received_at + answered_after < due_at else "late"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pasts, max_size=12))
def test_every_request_is_counted_once_in_each_table(register: connection, given_: list[Past]) -> None:
    found = counted(register, given_)
    within = [past for past in given_ if YEAR.starts_at <= past.received_at < YEAR.ends_at]
    assert found.tally(lambda count: (str(count.month), count.state)) == Counter(map(expected, within))
    assert found.tally(lambda count: (count.right, count.status)) == Counter((p.right, p.status) for p in within)

    owed = [state for _, state in map(expected, given_) if state in {"open", "overdue"}]
    assert (found.open, found.overdue) == (len(owed), owed.count("overdue"))
    assert len(found.listed) == len(owed)
    answers = [state for _, state in map(expected, within) if state in {"on_time", "late"}]
    assert sum(point.number for point in found.points) == len(answers)
    assert sum(point.number for point in found.points if point.is_late) == answers.count("late")
    refused = [past for past in within if past.status == "refused"]
    extended = [past for past in within if past.extended_for]
    tally = {kind: sum(each.number for each in found.reasons if each.kind == kind) for kind in ("refusal", "extension")}
    assert tally == {"refusal": len(refused), "extension": len(extended)}

    told = RequestReport(controller="x", contact="x", period=YEAR, made_at=NOW, figures=found).as_data()
    totals = told["requests"]
    assert totals["received"] == len(within) == sum(month["received"] for month in told["months"])
    assert totals["received"] == sum(sum(month["rights"].values()) for month in told["months"])
    assert totals["received"] == sum(sum(of_right.values()) for of_right in told["statuses"].values())
    for name in ("on_time", "late", "open", "overdue"):
        assert totals[name] == sum(month[name] for month in told["months"])
    assert totals["received"] == sum(totals[name] for name in ("on_time", "late", "open", "overdue"))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pasts, min_size=2, max_size=12))
def test_too_many_points_become_spans_of_the_same_answers(register: connection, given_: list[Past]) -> None:
    points = counted(register, given_)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting, "MOST_POINTS", 0)
        spans = counted(register, given_)
    assert not spans.points
    assert spans.unit == ("week" if points.points else None)
    assert sum(each.number for each in spans.spans) == sum(each.number for each in points.points)
    assert sum(each.late for each in spans.spans) == sum(each.number for each in points.points if each.is_late)
    assert max((each.longest for each in spans.spans), default=0) == max((p.days for p in points.points), default=0)


class TestLedger:
    """What the ledger tells a report."""

    def test_rows_of_erasures_are_summed_by_dataset(
        self, invoke: Invoke, postgres: PostgresAddress, people: cursor
    ) -> None:
        done = {"app.users": {"deleted": 1}, "app.orders%20old": {"deleted": 3, "kept": 2}}
        for said in (done, done, {}):
            write(postgres, "gdpr_erase", "erasure.executed", {"rows": said} if said else {})
        write(postgres, "gdpr_verify", "erasure.completed", {"rows": done})
        told = invoke("report")["report"]["erasures"]
        assert told == {
            "verified": 1,
            "rows": [
                {"dataset": "app.orders old", "done": "deleted", "number": 6},
                {"dataset": "app.orders old", "done": "kept", "number": 4},
                {"dataset": "app.users", "done": "deleted", "number": 2},
            ],
            "more": False,
        }
        assert invoke("report", since="2026-01", until="2026-01")["report"]["erasures"]["rows"] == []

    def test_an_entry_that_says_something_else_under_rows_stops_no_report(
        self, invoke: Invoke, postgres: PostgresAddress
    ) -> None:
        for rows in ('"x"', '{"app.users":"x"}', '{"app.users":{"deleted":"x"}}', '{"a":{"b":{}}}', '["x"]'):
            raw(postgres, rows)
        write(postgres, "gdpr_erase", "erasure.executed", {"rows": {"app.users": {"deleted": 2**53 - 1}}})
        raw(postgres, '{"app.users":{"deleted":9' + "9" * 30 + "}}")
        raw(postgres, '{"app.users":{"deleted":1}}')
        told = invoke("report")
        assert told["report"]["erasures"]["rows"] == [{"dataset": "app.users", "done": "deleted", "number": 2**53}]

    def test_the_last_checkpoint_is_told_with_what_it_covers(self, invoke: Invoke) -> None:
        before = invoke("report")["report"]["ledger"]
        assert (before["size"], before["waiting"], before["checkpoint"]) == (0, 0, None)
        invoke("checkpoint")
        told = invoke("report")["report"]["ledger"]
        assert told["checkpoint"]["origin"] == "shop-ledger/1"
        assert told["checkpoint"]["size"] == 1 <= told["size"]

    def test_entries_that_wait_for_the_tree_are_counted(self, invoke: Invoke, postgres: PostgresAddress) -> None:
        invoke("checkpoint")
        for _ in range(3):
            write(postgres, "gdpr_erase", "erasure.executed", {})
        assert invoke("report")["report"]["ledger"]["waiting"] >= 3


def write(postgres: PostgresAddress, role: str, kind: str, said: dict[str, Any]) -> None:
    database = Database(as_role(postgres, role), application="gdpr-tests")
    with contextlib.closing(database), database.transaction() as cur:
        append(cur, Entry(event=uuid.uuid4(), kind=kind, writer=role, at=NOW, said=said))


def raw(postgres: PostgresAddress, rows: str) -> None:
    """As a program of somebody else's would write it, who has this role's password."""
    number = uuid.uuid4()
    body = f'"at":"2026-11-20T12:00:00.000Z","event":"{number}","kind":"erasure.executed","rows":{rows}'
    database = Database(as_role(postgres, "gdpr_erase"), application="gdpr-tests")
    with contextlib.closing(database), database.transaction() as cur:
        cur.execute("select gdpr.append(%s, %s)", (str(number), b"\x01{" + body.encode() + b',"writer":"gdpr_erase"}'))


class TestAction:
    """`report`, as callers see it."""

    def test_it_answers_with_the_figures_and_on_demand_with_the_page(self, invoke: Invoke, people: cursor) -> None:
        put(people, 1, Past(received_at=MARCH))
        told = invoke("report")
        assert (told["status"], set(told)) == ("completed", {"status", "report"})
        assert told["report"]["requests"]["on_time"] == 1
        assert (told["report"]["since"], told["report"]["until"], told["report"]["zone"]) == (
            "2025-12",
            "2026-11",
            ZONE,
        )
        both = invoke("report", format=["html", "json"])
        assert both["html"].startswith("<!DOCTYPE html>")
        assert set(invoke("report", format=["html"])) == {"status", "html"}

    def test_whoever_asks_is_told_to_the_ledger(self, invoke: Invoke, people: cursor) -> None:
        invoke("report", by_role="privacy-officer")
        invoke("report", kind="ropa")
        invoke("report", since="2026-12", until="2026-01")
        people.execute("select convert_from(substr(body, 2), 'UTF8')::json from gdpr.entry order by id")
        told = [(each["kind"], each["role"], each["code"]) for (each,) in people.fetchall()]
        assert told == [
            ("ledger.queried", "privacy-officer", "report"),
            ("ledger.queried", "schedule", "report_ropa"),
        ]

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"since": "2026-13"}, "invalid"),
            ({"since": "2026-1"}, "invalid"),
            ({"since": 202601}, "invalid"),
            ({"until": "2026-01-01"}, "invalid"),
            ({"since": "2026-11", "until": "2026-10"}, "period_invalid"),
            ({"kind": "ropa", "since": "2026-01"}, "unknown_field"),
            ({"kind": "other"}, "invalid"),
            ({"format": ["pdf"]}, "invalid"),
            ({"format": []}, "invalid"),
            ({"by_role": "A B"}, "invalid"),
        ],
    )
    def test_what_it_cannot_be_asked_for_is_rejected(
        self, invoke: Invoke, people: cursor, fields: dict[str, Any], code: str
    ) -> None:
        told = invoke("report", **fields)
        assert [fault["code"] for fault in told["faults"]] == [code]
        people.execute("select count(*) from gdpr.entry")
        assert people.fetchone() == (0,)

    def test_a_report_twice_in_one_session_is_the_same(self, invoke: Invoke, people: cursor) -> None:
        put(people, 1, Past(received_at=MARCH))
        first, second = invoke("report")["report"], invoke("report")["report"]
        assert first | {"ledger": None} == second | {"ledger": None}

    def test_the_record_is_made_of_the_approved_plan(self, invoke: Invoke, plan: Plan) -> None:
        told = invoke("report", kind="ropa", format=["json", "html"])
        assert told["report"]["map_digest"] == plan.map_digest
        assert [each["place"] for each in told["report"]["unassigned"]] == ["app.guests", "app.staff", "app.users"]
        assert told["report"]["security"]["needs_human"]
        assert "Record of processing activities" in told["html"]

    def test_without_an_approved_map_it_says_what_to_do(
        self, postgres: PostgresAddress, invoke: Invoke, people: cursor
    ) -> None:
        people.execute("update gdpr.plan set is_active = false")
        for kind in ("requests", "ropa"):
            told = invoke("report", kind=kind)
            assert (told["status"], told["code"]) == ("failed", "plan_missing")

    def test_a_hundred_thousand_requests_fit_into_an_answer(
        self, invoke: Invoke, people: cursor, record_property: Callable[[str, object], None]
    ) -> None:
        people.execute(MANY, {"number": 100_000, "since": YEAR.starts_at, "until": NOW})
        began = time.perf_counter()
        told = invoke("report", format=["json", "html"])
        record_property("seconds", round(time.perf_counter() - began, 2))
        assert told["report"]["requests"]["received"] == 100_000
        assert told["report"]["answers"]["by"] == "week"
        assert len(told["report"]["owed"]["listed"]) == counting.MOST_OPEN
        assert len(json.dumps(told)) < LAMBDA / 20

    def test_the_longest_report_fits_as_well(self, register: connection) -> None:
        period = Period.named(Month.parse("2019-01"), Month.parse("2028-12"), zone=ZONE, now=NOW)
        with register.cursor() as cur:
            cur.execute(MANY, {"number": 20_000, "since": period.starts_at, "until": NOW})
            found = figures(cur, period, now=NOW)
        register.rollback()
        report = RequestReport(controller="x", contact="x", period=period, made_at=NOW, figures=found)
        assert found.unit == "month"
        assert len(json.dumps({"report": report.as_data(), "html": shown(report)})) < LAMBDA / 20


class TestNobody:
    """No identity is in any report (R10, R72)."""

    def test_no_report_names_anybody(self, invoke: Invoke, people: cursor) -> None:
        people.execute("insert into app.users values (9, 9, %s, %s, null)", (f"{CANARY}@example.org", f"{CANARY}0170"))
        asking = [{"email": f"{CANARY}@example.org"}, {"phone": f"{CANARY}0170"}, {"phone": CANARY}]
        for number, who in enumerate(asking, 1):
            invoke("register", request=event(number, **who))
        invoke(
            "refuse", subject_request_id=str(uuid.UUID(int=1)), subject_request_type="erasure", by_role="officer",
            decided_at="2026-11-20T10:00:00Z", reason="no_ground", text_ref=f"L-{CANARY}", authority=CANARY,
            remedy=CANARY,
        )  # fmt: skip
        told = invoke("report", format=["json", "html"])
        assert told["report"]["requests"]["received"] == 3
        people.execute("select encode(person, 'hex'), encode(key, 'hex') from gdpr.subject_key")
        secrets = [CANARY, *(text for row in people.fetchall() for text in row)]
        assert len(secrets) > 2
        assert not [secret for secret in secrets if secret in json.dumps(told).lower()]

    def test_the_search_would_find_it(self, invoke: Invoke, people: cursor) -> None:
        put(people, 1, Past(received_at=MARCH, status="refused"))
        people.execute("update gdpr.request_refusal set reason = %s", (CANARY,))
        assert CANARY in json.dumps(invoke("report"))


def test_only_audit_logging_may_make_a_report(postgres: PostgresAddress, plan: Plan) -> None:
    from functions.audit_logging.report import Reports
    from shared.errors import AccessDenied

    for role in ("gdpr_export", "gdpr_erase", "gdpr_verify"):
        database = Database(as_role(postgres, role), application="gdpr-tests")
        with contextlib.closing(database), pytest.raises(AccessDenied):
            Reports(database=database).requests(None, None, role="x")


def test_the_counts_are_of_one_look(postgres: PostgresAddress, plan: Plan) -> None:
    """What comes in while a report is made is in all of its tables, or in none."""
    audit = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    with contextlib.closing(audit), administrator(postgres) as other, audit.transaction() as cur:
        put(other, 1, Past(received_at=MARCH, status="in_progress"))
        meanwhile = Meanwhile(cur, lambda: put(other, 2, Past(received_at=MARCH, status="in_progress")))
        found = figures(meanwhile, YEAR, now=NOW)  # type: ignore[arg-type]
    assert (found.received, found.open, len(found.listed)) == (1, 1, 1)


class Meanwhile:
    """A cursor before whose second statement somebody else does something."""

    def __init__(self, cur: cursor, do: Callable[[], None]) -> None:
        self._cur, self._do, self._count = cur, do, 0

    def execute(self, *args: Any) -> None:
        self._count += 1
        if self._count == 2:
            self._do()
        self._cur.execute(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cur, name)
