"""Log lines: one vocabulary, and nothing of a person in them, whatever is thrown at them."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.invocation import answer
from shared.logs import OWN, VOCABULARY, Vocabulary, guard, log

CANARY = "kanarie@geheim.example"


def line(write: Any) -> dict[str, Any]:
    """The line that a logger with our formatter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Vocabulary(service="data_export"))
    logger = logging.Logger("test")  # noqa: LOG001 - one of its own
    logger.addHandler(handler)
    write(logger)
    written: dict[str, Any] = json.loads(stream.getvalue())
    assert stream.getvalue().count("\n") == 1
    return written


def test_a_line_holds_what_it_was_given_in_the_vocabulary(capsys: pytest.CaptureFixture[str]) -> None:
    request = str(uuid.uuid4())
    log("test_line").info(
        "action_failed", request_id=request, dataset='app."GiftCards"', rows=12, duration_ms=3.5, status="in_progress"
    )
    written = json.loads(capsys.readouterr().out)
    assert written.pop("timestamp")
    assert written.pop("location").startswith("test_a_line_holds")
    assert written == {
        "level": "INFO",
        "service": "test_line",
        "message": "action_failed",
        "request_id": request,
        "dataset": 'app."GiftCards"',
        "rows": 12,
        "duration_ms": 3.5,
        "status": "in_progress",
    }


class Person:
    """Something whose text is what must not be shown."""

    def __repr__(self) -> str:
        return CANARY


hostile = st.one_of(
    st.just(CANARY),
    st.text().map(lambda text: text + CANARY),
    st.lists(st.just(CANARY), min_size=1),
    st.dictionaries(st.text(), st.just(CANARY), min_size=1),
    st.binary().map(lambda data: data + CANARY.encode()),
    st.builds(Person),
)
keys = st.one_of(st.sampled_from(sorted(VOCABULARY | OWN)), st.text(min_size=1), st.just(CANARY))


@given(extra=st.dictionaries(keys, hostile, min_size=1, max_size=6), message=st.text() | st.just(CANARY))
def test_nothing_hostile_reaches_the_line(extra: dict[str, Any], message: str) -> None:
    fields = {
        key: value for key, value in extra.items() if key not in logging.LogRecord("", 0, "", 0, "", (), None).__dict__
    }
    fields.pop("message", None)
    fields.pop("asctime", None)
    written = line(lambda logger: logger.warning("%s", message + CANARY, extra=fields))
    assert CANARY not in json.dumps(written)
    assert written["refused"] >= 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("request_id", "ORDER-17"),
        ("request_id", "5F0C8C3E-0000-4000-8000-000000000001"),
        ("rows", "12"),
        ("rows", -1),
        ("rows", True),
        ("duration_ms", float("nan")),
        ("duration_ms", float("inf")),
        ("dataset", "Mira Okafor"),
        ("dataset", "+49 30 1234"),
        ("dataset", "a\nb"),
        ("subject_ref", "4111111111111111"),
        ("rows", 491701234567),
        ("dataset", '"Mira Okafor"'),
        ("code", "mira.okafor"),
        ("action", "mira.okafor"),
        ("status", "in progress"),
        ("code", "https://x"),
        ("user_id", 17),
        ("email", "x"),
    ],
)
def test_a_value_without_its_keys_shape_is_refused(key: str, value: object) -> None:
    written = line(lambda logger: logger.info("action_failed", extra={key: value}))
    assert key not in written
    assert written["refused"] == 1


def test_an_exception_is_told_by_its_class_and_its_way_only() -> None:
    def fail(logger: logging.Logger) -> None:
        try:
            raise ValueError(CANARY)
        except ValueError:
            logger.exception("action_broke")

    written = line(fail)
    assert written["exception_name"] == "ValueError"
    assert written["exception"].startswith("test_logs.py:")
    assert CANARY not in json.dumps(written)


def test_what_a_library_logs_passes_the_same_gate() -> None:
    """botocore quotes the URL of a request that it tries again, and with it the key of an object."""
    written = line(lambda logger: logger.warning("Retrying %s after %s", f"https://s3/users/{CANARY}", CANARY))
    assert "message" not in written
    assert written["level"] == "WARNING"
    assert CANARY not in json.dumps(written)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("service", "mira_okafor"),
        ("exception_name", "Okafor"),
        ("exception", "Mira.Okafor:17"),
        ("location", "Mira:17"),
    ],
)
def test_a_caller_cannot_fill_what_is_said_by_the_record_itself(key: str, value: str) -> None:
    written = line(lambda logger: logger.info("action_failed", extra={key: value}))
    assert written.get(key) != value


def test_what_only_claims_to_be_a_number_is_none() -> None:
    class Claims(int):
        def __repr__(self) -> str:
            return CANARY

    assert CANARY not in json.dumps(line(lambda logger: logger.info("action_failed", extra={"rows": Claims(3)})))


def test_a_message_that_is_no_event_is_refused_however_harmless_it_looks() -> None:
    assert "message" not in line(lambda logger: logger.info("mira_okafor"))


@pytest.fixture
def root_handler() -> Iterator[logging.StreamHandler[io.StringIO]]:
    handler = logging.StreamHandler(io.StringIO())
    root = logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    yield handler
    root.handlers = before


def test_the_gate_stands_before_what_libraries_log(root_handler: logging.StreamHandler[io.StringIO]) -> None:
    guard()
    logging.getLogger("botocore").warning("retry %s", CANARY)
    logging.getLogger("botocore").warning("rows %d", CANARY)  # which cannot be formatted
    assert '"level":"WARNING"' in root_handler.stream.getvalue()
    assert CANARY not in root_handler.stream.getvalue()


def test_a_line_that_cannot_be_formatted_is_not_printed_with_its_arguments(
    root_handler: logging.StreamHandler[io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    guard()
    logging.getLogger("ours").warning("rows %d", CANARY)
    log("test_unformatted").info("rows %d", CANARY)
    printed = capsys.readouterr()
    assert CANARY not in printed.out + printed.err + root_handler.stream.getvalue()


def test_without_any_handler_the_one_of_last_resort_is_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        guard()
        logging.getLogger("library").warning(CANARY)
        assert CANARY not in capsys.readouterr().err
    finally:
        root.handlers = before


def test_every_way_in_puts_the_gate_up_first(root_handler: logging.StreamHandler[io.StringIO]) -> None:
    answer({"action": "nothing known"}, None, service="test_gate", actions={})
    assert isinstance(root_handler.formatter, Vocabulary)
