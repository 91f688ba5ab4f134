"""Whatever is asked, and however it fails: no word about anybody gets where it does not belong (R72, A9)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg2.extensions import cursor

from functions.audit_logging import requests as requests_module
from functions.audit_logging.service import Service
from shared import clock
from shared.addresses import PostgresAddress
from shared.errors import StoreUnavailable
from shared.invocation import answer
from shared.plan import Plan
from shared.settings import AuditLoggingSettings
from tests.integration.people import NOW, event
from tests.run import as_role

CANARY = "kanarie"
EMAIL, PHONE = f"{CANARY}.lena@example.org", f"{CANARY}0170"
NAMED = {"subject_request_id": "00000000-0000-0000-0000-000000000001", "subject_request_type": "erasure"}
WHO = {"subject_kind": "user", "subject_identities": [{"identity_type": "email", "identity_value": EMAIL}]}
OFFICER = "arn:aws:lambda:us-east-2:000000000000:function:gdpr-audit-logging:officer"


@pytest.fixture
def service(postgres: PostgresAddress, people: cursor, plan: Plan, tmp_path: Path) -> Iterator[Service]:
    people.execute("insert into app.users values (9, 9, %s, %s, null)", (EMAIL, PHONE))
    settings = AuditLoggingSettings.read(
        {
            "DATABASE_URL": as_role(postgres, "gdpr_audit").url(),
            "LEDGER_BUCKET": f"file://{tmp_path}/ledger",
            "KEYS_BUCKET": f"file://{tmp_path}/keys",
            "EXCHANGE_BUCKET": f"file://{tmp_path}/exchange",
        }
    )
    made = Service.of(settings, application="gdpr-tests")
    made.ledger.keys.make(log="ledger")
    with closing(made.unit), clock.standing_at(NOW):
        yield made


def everything(people: cursor, tmp_path: Path) -> str:
    """All that schema gdpr holds, in text and in bytes, and all files outside."""
    people.execute("select relname from pg_class where relnamespace = 'gdpr'::regnamespace and relkind = 'r'")
    found: list[str] = []
    for (table,) in people.fetchall():
        people.execute(f"select t::text from gdpr.{table} as t")
        for (row,) in people.fetchall():
            found.append(row)
            found += [bytes.fromhex(part).decode(errors="replace") for part in hexes(row)]
    found += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    return "\n".join(found)


def hexes(row: str) -> list[str]:
    """What Postgres writes of bytes."""
    parts = (part.split('"')[0].split(",")[0].split(")")[0] for part in row.split("\\\\x")[1:])
    return [part for part in parts if part and len(part) % 2 == 0]


EVENTS: list[dict[str, Any]] = [
    {"action": "register", "request": event(1, email=EMAIL)},
    {"action": "register", "request": event(1, email=EMAIL)},
    {"action": "register", "request": event(1, phone=PHONE)},
    {"action": "register", "request": event(2, phone=f"{CANARY} unknown")},
    {"action": "register", "request": event(3, badge=CANARY)},
    {"action": "register", "request": event(4, **{CANARY: CANARY})},
    {"action": "register", "request": event(5, email=EMAIL) | {CANARY: CANARY}},
    {"action": "register", "request": event(6, email=EMAIL) | {"submitted_time": CANARY}},
    {"action": "register", "request": event(7, email=EMAIL) | {"decision": {"id": CANARY, "by_role": EMAIL}}},
    {"action": "register", "request": CANARY},
    {"action": CANARY},
    {"action": "pause", **NAMED, "by_role": "officer", "asked_at": "2026-11-20T09:00:00Z"},
    {"action": "pause", **NAMED, "by_role": EMAIL, "asked_at": CANARY},
    {"action": "resume", **NAMED, "by_role": "officer", "answered_at": "2026-11-20T09:30:00Z"},
    {"action": "extend", **NAMED, "by_role": "officer", "decided_at": "2026-11-20T10:00:00Z", "reason": CANARY,
     "text_ref": "L-1"},
    {"action": "extend", **NAMED, "by_role": "officer", "decided_at": "2026-11-20T10:00:00Z", "reason": "complexity",
     "text_ref": EMAIL},
    {"action": "refuse", **NAMED, "by_role": "officer", "decided_at": "2026-11-20T10:00:00Z", "reason": CANARY,
     "text_ref": "L-1", "authority": "x", "remedy": "y"},
    {"action": "notify", **NAMED, "by_role": EMAIL, "notified_at": CANARY},
    {"action": "record", "kind": "record.consent", "event": "00000000-0000-0000-0000-0000000000aa",
     "by_role": "backend", "occurred_at": "2026-11-20T10:00:00Z", "status": "given", **WHO},
    {"action": "record", "kind": CANARY, "event": CANARY, "by_role": CANARY, "occurred_at": CANARY, **WHO},
    {"action": "query", "by_role": "auditor", **WHO},
    {"action": "query", "by_role": EMAIL, "kind": EMAIL, "request_id": EMAIL},
    {"action": "verify"},
    {"action": "checkpoint"},
    {"action": "proof", "event": CANARY},
    {"action": "sweep"},
    {"action": "intake",
     "records": [{"body": f'{{"Records": [{{"s3": {{"object": {{"key": "intake/{CANARY}"}}}}}}]}}'}]},
    {"action": "report", "format": ["json", "html"]},
    {"action": "report", "kind": "ropa", "format": ["json", "html"]},
    {"action": "report", "since": CANARY, "by_role": EMAIL, "kind": CANARY, "format": [CANARY]},
    {"action": "list", "after": CANARY, "right": EMAIL},
    {"action": "list"},
    {"action": "show", **NAMED, "by_role": EMAIL},
    {"action": "show", **NAMED, "by_role": "auditor"},
    {"action": "migrate", "dry_run": CANARY},
    {"action": "rotate", "role": CANARY, "by_role": EMAIL},
    {"action": "activate", "digest": CANARY, "by_role": EMAIL},
    {"action": "health"},
]  # fmt: skip


def test_no_word_about_anybody_gets_where_it_does_not_belong(
    service: Service,
    people: cursor,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = SimpleNamespace(invoked_function_arn=OFFICER)
    actions = {name: functools.partial(service.do, name) for name in Service.ACTIONS}

    def invoked(given: object) -> str:
        found = answer(given, context, service="audit_logging", actions=actions, officers=Service.OFFICERS)
        return json.dumps(found)

    (tmp_path / "exchange" / "intake").mkdir(parents=True)
    (tmp_path / "exchange" / "intake" / "a.jsonl").write_text(f"{json.dumps(event(8, email=EMAIL))}\n{{{CANARY}\n")
    answers = [invoked(each) for each in EVENTS]
    assert {json.loads(each)["status"] for each in answers} >= {
        "in_progress",
        "not_identified",
        "rejected",
        "completed",
    }

    # And when something breaks whose words are somebody's.
    for error in (ValueError(EMAIL), KeyError(EMAIL), UnicodeDecodeError("utf-8", EMAIL.encode(), 0, 1, EMAIL)):
        with monkeypatch.context() as patched:
            patched.setattr(requests_module, "register", functools.partial(raising, error))
            answers.append(invoked(EVENTS[0]))
    people.execute("alter table app.users rename column email to gone")
    answers.append(invoked({"action": "register", "request": event(20, email=EMAIL)}))
    people.execute("alter table app.users rename column gone to email")
    service.unit.database.connection().close()
    answers.append(invoked({"action": "register", "request": event(21, email=EMAIL)}))
    with monkeypatch.context() as patched:
        patched.setattr(requests_module, "register", functools.partial(raising, StoreUnavailable("it broke off")))
        with pytest.raises(StoreUnavailable):
            invoked(EVENTS[0])

    assert not [each for each in answers if CANARY in each.lower()]
    assert CANARY not in everything(people, tmp_path).lower()
    printed = capfd.readouterr()
    assert CANARY not in (printed.out + printed.err).lower()


def raising(error: Exception, *_: object, **__: object) -> None:
    raise error


def test_the_search_would_find_it(service: Service, people: cursor, tmp_path: Path) -> None:
    people.execute(
        "insert into gdpr.subject_key (person, key) values (sha256('x'), rpad(%s, 32, 'x')::bytea)", (EMAIL,)
    )
    assert CANARY in everything(people, tmp_path)
