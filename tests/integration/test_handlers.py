"""The three functions as Lambda runs them: the real runtime client, behind a Runtime API of ours."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from datamap.catalogue import Catalogue
from functions.audit_logging import handler as audit_logging
from functions.data_deletion import handler as data_deletion
from functions.data_export import handler as data_export
from shared.addresses import CacheAddress, PostgresAddress
from shared.asked import Asked
from shared.errors import StoreUnavailable
from shared.invocation import answer
from shared.unit import DataUnit
from tests.run import administrator, as_role

CANARY = "kanarie@geheim.example"
ROLES = {"data_export": "gdpr_export", "data_deletion": "gdpr_erase", "audit_logging": "gdpr_audit"}
HANDLERS = {"data_export": data_export, "data_deletion": data_deletion, "audit_logging": audit_logging}


class RuntimeApi:
    """Lambda's side of the Runtime API: it hands out one event after the other and takes what comes back."""

    def __init__(self) -> None:
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._results: queue.Queue[tuple[str, Any]] = queue.Queue()
        api = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = json.dumps(api._events.get()).encode()
                self.send_response(200)
                for name, value in (
                    ("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000001"),
                    ("Lambda-Runtime-Deadline-Ms", "9999999999999"),
                    ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-2:000000000000:function:test"),
                    ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000"),
                    ("Content-Type", "application/json"),
                    ("Content-Length", str(len(body))),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api._results.put((self.path.rsplit("/", 1)[-1], body))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event: dict[str, Any]) -> tuple[str, Any]:
        """What the function made of it: `response` or `error`, and the body."""
        self._events.put(event)
        return self._results.get(timeout=30)


Invoke = Callable[[dict[str, Any]], tuple[str, Any]]


@pytest.fixture
def lambda_(postgres: PostgresAddress, valkey: CacheAddress) -> Iterator[Callable[..., Invoke]]:
    """Start a function in its own process; further words are its environment."""
    with ExitStack() as stack:

        def start(function: str, **environment: str) -> Invoke:
            api = RuntimeApi()
            stack.callback(api.server.server_close)
            stack.callback(api.server.shutdown)
            process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", f"functions.{function}.handler.handler"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={
                    "PATH": os.environ["PATH"],
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}",
                    "DATABASE_URL": as_role(postgres, ROLES[function]).url(),
                    "REDIS_URL": valkey.url(),
                    "EXPORT_BUCKET": "packages",
                    "LEDGER_BUCKET": "ledger",
                    "KEYS_BUCKET": "keys",
                    "EXCHANGE_BUCKET": "exchange",
                }
                | environment,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return api.invoke

        yield start


@pytest.mark.parametrize("function", HANDLERS)
def test_each_function_answers_for_its_health_twice(lambda_: Callable[..., Invoke], function: str) -> None:
    invoke = lambda_(function)
    healthy = {"status": "completed", "checks": [{"name": "database", "ok": True}, {"name": "cache", "ok": True}]}
    assert invoke({"action": "health"}) == ("response", healthy)
    assert invoke({"action": "health"}) == ("response", healthy)


def test_audit_logging_answers_with_the_catalogue_and_no_row_of_anybody(
    lambda_: Callable[..., Invoke], postgres: PostgresAddress
) -> None:
    with administrator(postgres) as cur:
        cur.execute(
            f"create table public.people (id bigint primary key, email text); comment on table public.people is 'x';"
            f" insert into public.people values (1, '{CANARY}')"
        )
    kind, body = lambda_("audit_logging")({"action": "catalogue"})
    catalogue = Catalogue.from_json(json.dumps(body))
    assert (kind, body["status"]) == ("response", "completed")
    assert [str(table.name) for table in catalogue] == ["public.people"]
    assert len(catalogue.fingerprint) == 64
    assert CANARY not in json.dumps(body)


def test_a_missing_setting_is_an_answer_that_names_it(lambda_: Callable[..., Invoke]) -> None:
    kind, body = lambda_("audit_logging", LEDGER_BUCKET="")({"action": "health"})
    assert kind == "response"
    assert body["status"] == "failed"
    assert body["code"] == "setting_missing"
    assert body["message"].startswith("LEDGER_BUCKET is not set: it names the bucket")


def test_stores_that_are_down_are_named_each_by_itself(lambda_: Callable[..., Invoke]) -> None:
    kind, body = lambda_("data_export", REDIS_URL="redis://127.0.0.1:1/0")({"action": "health"})
    assert (kind, body["status"]) == ("response", "failed")
    database, cache = body["checks"]
    assert database == {"name": "database", "ok": True}
    assert (cache["ok"], cache["code"]) == (False, "store_unavailable")


@pytest.mark.parametrize("name", HANDLERS)
def test_a_second_invocation_finds_the_connections_of_the_first(
    name: str, postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: ModuleType = HANDLERS[name]
    for variable, value in {
        "DATABASE_URL": as_role(postgres, ROLES[name]).url(),
        "EXPORT_BUCKET": "packages",
        "LEDGER_BUCKET": "ledger",
        "KEYS_BUCKET": "keys",
        "EXCHANGE_BUCKET": "exchange",
    }.items():
        monkeypatch.setenv(variable, value)
    opened = module.service if name == "audit_logging" else module.unit
    opened.cache_clear()

    def unit() -> DataUnit:
        found: DataUnit = opened().unit if name == "audit_logging" else opened()
        return found

    try:
        assert module.handler({"action": "health"}, None)["status"] == "completed"
        first = unit().database.connection()
        assert module.handler({"action": "health"}, None)["status"] == "completed"
        assert unit().database.connection() is first
    finally:
        unit().close()
        opened.cache_clear()


@pytest.mark.parametrize("name", HANDLERS)
@pytest.mark.parametrize(
    "event", [None, [], "health", 7, {}, {"action": None}, {"action": ["health"]}, {"action": CANARY}, {"Record": []}]
)
def test_an_event_that_asks_for_nothing_known_is_rejected_and_not_quoted(name: str, event: object) -> None:
    module: ModuleType = HANDLERS[name]
    rejected = module.handler(event, None)
    assert rejected["status"] == "rejected"
    assert rejected["faults"][0]["code"] == "unknown_action"
    assert "health" in rejected["faults"][0]["message"]
    assert CANARY not in json.dumps(rejected)


def test_only_what_a_retry_may_cure_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    def down(_: object) -> dict[str, Any]:
        raise StoreUnavailable("The connection broke off", where="here")

    with pytest.raises(StoreUnavailable):
        answer({"action": "work"}, None, service="test_retry", actions={"work": down})
    assert json.loads(capsys.readouterr().out)["code"] == "store_unavailable"


def test_a_fault_of_ours_is_an_answer_that_says_where_and_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(asked: Asked) -> dict[str, Any]:
        raise KeyError(asked.text("subject"))

    failed = answer({"action": "work", "subject": CANARY}, None, service="test_fault", actions={"work": broken})
    assert (failed["status"], failed["code"]) == ("failed", "fault")
    assert "KeyError at " in failed["message"]
    assert CANARY not in json.dumps(failed) + capsys.readouterr().out


def test_health_says_when_the_schema_is_older_than_the_function(
    lambda_: Callable[..., Invoke], empty_postgres: PostgresAddress
) -> None:
    kind, body = lambda_("audit_logging", DATABASE_URL=empty_postgres.url())({"action": "health"})
    assert kind == "response"
    assert body["checks"][0]["code"] == "schema_outdated"
