"""`gdpr report`, as a person at a terminal meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.plan import Plan
from tests.integration.people import MAP
from tests.integration.register_rows import Past, put
from tests.integration.test_command_line import gdpr
from tests.run import as_role

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def url(postgres: PostgresAddress, people: cursor, plan: Plan) -> str:
    """As gdpr_audit, of a register with three requests of March 2026, one of them open and one late."""
    for number, past in enumerate(
        [
            Past(received_at=MARCH),
            Past(received_at=MARCH, right="erasure", after=timedelta(days=40)),
            Past(received_at=MARCH, right="erasure", status="incomplete"),
        ],
        1,
    ):
        put(people, number, past)
    return as_role(postgres, "gdpr_audit").url()


@pytest.fixture
def data_map(tmp_path: Path) -> Path:
    (tmp_path / "datamap.yaml").write_text(MAP)
    return tmp_path / "datamap.yaml"


def test_on_a_terminal_it_is_a_summary_of_eighty_columns(url: str) -> None:
    told = gdpr("report", "--since", "2026-02", "--until", "2026-03", DATABASE_URL=url)
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0] == "Requests about personal data · x · February to March 2026"
    assert "3 requests came in, and 2 of them have been answered: 1 within the first" in lines[2]
    assert lines[6].split() == [
        "month", "access", "portability", "erasure", "on", "time", "late", "open", "half", "within", "longest",
    ]  # fmt: skip
    assert lines[8].split() == ["2026-03", "1", "0", "2", "1", "1", "1", "10", "40"]
    assert any(line.startswith("00000000-0000-0000-0000-000000000003  2026-04-02") for line in lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in told.stdout


def test_the_page_is_written_beside_it(url: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    told = gdpr("report", "--html", str(file), "--json", DATABASE_URL=url)
    assert (told.returncode, told.stderr) == (0, f"The page is {file}.\n")
    assert file.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(told.stdout)["owed"]["overdue"] == 1


def test_who_asks_stands_in_the_ledger(url: str, people: cursor) -> None:
    gdpr("report", "--by", "board", DATABASE_URL=url)
    gdpr("report", "--ropa", DATABASE_URL=url)
    people.execute("select convert_from(substr(body, 2), 'UTF8')::json ->> 'role' from gdpr.entry order by id")
    assert people.fetchall() == [("board",), ("command_line",)]


def test_a_record_needs_no_database_but_a_map(data_map: Path) -> None:
    told = gdpr("report", "--ropa", "--map", str(data_map), "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout)["kind"] == "ropa"
    shown = gdpr("report", "--ropa", "--map", str(data_map))
    assert "places to be filled by hand:" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_the_record_of_a_map_and_that_of_its_plan_say_the_same(url: str, data_map: Path) -> None:
    of_file = json.loads(gdpr("report", "--ropa", "--map", str(data_map), "--json").stdout)
    of_plan = json.loads(gdpr("report", "--ropa", "--json", DATABASE_URL=url).stdout)
    assert of_file | {"made_at": None} == of_plan | {"made_at": None}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--map", "datamap.yaml"), "A report of requests is not made from a map: add --ropa, or leave out --map."),
        (("--ropa", "--since", "2026-01"), "A record of processing activities has no months: leave out --since"),
        (("--since", "january"), "--since: this is to be a month, such as 2026-11."),
        (("--by", "the board"), "--by: this is to be a code of small letters"),
        (("--ropa", "--map", "nowhere.yaml"), "There is no map nowhere.yaml"),
        (("--since", "2026-11", "--until", "2026-01"), "--since: a report goes from a month to a later one"),
        (("--html", "/nowhere/x.html"), "/nowhere/x.html cannot be written (FileNotFoundError): name another file."),
    ],
)
def test_what_cannot_be_asked_for_is_said_in_a_sentence(url: str, words: tuple[str, ...], sentence: str) -> None:
    told = gdpr("report", *words, DATABASE_URL=url)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(sentence)
    assert len(told.stderr.splitlines()) == 1


def test_who_may_not_read_the_register_is_told_who_may(postgres: PostgresAddress, plan: Plan) -> None:
    told = gdpr("report", DATABASE_URL=postgres.url())
    assert (told.returncode, told.stdout) == (1, "")
    assert "connect as gdpr_audit" in told.stderr
    assert gdpr("report").stderr.startswith("DATABASE_URL is not set")


def test_its_help_shows_an_example() -> None:
    told = gdpr("report", "--help").stdout
    assert "Example:\n    gdpr report --since 2026-01" in told
    assert max(map(len, told.splitlines())) <= 80
