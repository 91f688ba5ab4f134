"""Log lines: one vocabulary, and nothing of a person in them, whatever is thrown at them."""

from __future__ import annotations

import io
import json
import logging
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import VOCABULARY, Vocabulary, log

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
        "export_started", request_id=request, dataset='app."Gift Cards"', rows=12, duration_ms=3.5, status="in_progress"
    )
    written = json.loads(capsys.readouterr().out)
    assert written.pop("timestamp")
    assert written.pop("location").startswith("test_a_line_holds")
    assert written == {
        "level": "INFO",
        "service": "test_line",
        "message": "export_started",
        "request_id": request,
        "dataset": 'app."Gift Cards"',
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
keys = st.one_of(st.sampled_from(sorted(VOCABULARY)), st.text(min_size=1), st.just(CANARY))


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
        ("subject_ref", "17"),
        ("status", "in progress"),
        ("code", "https://x"),
        ("user_id", 17),
        ("email", "x"),
    ],
)
def test_a_value_without_its_keys_shape_is_refused(key: str, value: object) -> None:
    written = line(lambda logger: logger.info("export_started", extra={key: value}))
    assert key not in written
    assert written["refused"] == 1


def test_an_exception_is_told_by_its_class_and_its_way_only() -> None:
    def fail(logger: logging.Logger) -> None:
        try:
            raise ValueError(CANARY)
        except ValueError:
            logger.exception("export_failed")

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


def test_handlers_of_the_runtime_get_the_same_gate() -> None:
    handler = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(handler)
    try:
        log.cache_clear()
        log("runtime")
        assert isinstance(handler.formatter, Vocabulary)
    finally:
        logging.getLogger().removeHandler(handler)
