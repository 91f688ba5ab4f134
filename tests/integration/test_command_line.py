"""`gdpr`, as a person at a terminal meets it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared.addresses import PostgresAddress
from tests.run import administrator, as_role

SECRET = "aV3ry-s3cret"


def gdpr(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with nothing of ours in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "gdpr", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "COLUMNS": "80", **environment},
    )


def test_the_installed_command_and_the_module_are_the_same() -> None:
    installed = subprocess.run(
        [str(Path(sys.executable).with_name("gdpr")), "--help"], capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0
    assert installed.stdout == gdpr("--help").stdout


def test_migrate_installs_and_says_so_and_then_has_nothing_to_do(empty_postgres: PostgresAddress) -> None:
    first = gdpr("db", "migrate", DATABASE_URL=empty_postgres.url())
    assert (first.returncode, first.stdout) == (
        0,
        "0001  ledger\n0002  requests\n0003  plan\n0004  plan_catalogue\n0005  tree\n0006  register\n0007  append\n"
        "0008  restore\n0009  operator\n",
    )
    assert first.stderr == f"Schema gdpr at {empty_postgres.where} is up to date.\n"

    again = gdpr("db", "migrate", "--json", DATABASE_URL=empty_postgres.url())
    assert (again.returncode, again.stdout) == (0, '{"applied": []}\n')


def test_status_is_a_table_for_people_and_json_for_machines(postgres: PostgresAddress) -> None:
    table = gdpr("db", "status", DATABASE_URL=postgres.url())
    assert table.returncode == 0
    assert "\x1b" not in table.stdout
    assert "gdpr_verify" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80

    machine = gdpr("db", "status", "--json", DATABASE_URL=postgres.url())
    assert json.loads(machine.stdout)["current"] is True


def test_status_answers_no_where_nothing_is_installed(empty_postgres: PostgresAddress) -> None:
    answer = gdpr("db", "status", DATABASE_URL=empty_postgres.url())
    assert answer.returncode == 1
    assert "missing: run gdpr db migrate" in answer.stdout


def test_rotate_gives_a_role_a_new_password_and_prints_its_address(own_server: PostgresAddress) -> None:
    assert gdpr("db", "migrate", DATABASE_URL=own_server.url()).returncode == 0
    addresses = [
        gdpr("db", "rotate", "gdpr_verify", DATABASE_URL=own_server.url()).stdout.strip(),
        json.loads(gdpr("db", "rotate", "gdpr_verify", "--json", DATABASE_URL=own_server.url()).stdout)["database_url"],
    ]
    first, second = (gdpr("db", "status", DATABASE_URL=address) for address in addresses)
    assert (first.returncode, second.returncode) == (1, 0)
    assert "refused the password of role gdpr_verify" in first.stderr


def test_only_a_role_that_logs_in_can_be_given_a_password(own_server: PostgresAddress) -> None:
    for role in ("gdpr_owner", "postgres"):
        answer = gdpr("db", "rotate", role, DATABASE_URL=own_server.url())
        assert answer.returncode == 2
        assert "gdpr_export" in answer.stderr


def test_a_flag_wins_over_the_environment(postgres: PostgresAddress) -> None:
    answer = gdpr("db", "status", "--database-url", postgres.url(), DATABASE_URL="nonsense")
    assert answer.returncode == 0


def test_a_bad_setting_is_one_sentence_without_a_secret(postgres: PostgresAddress) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = replace(postgres, port=taken.getsockname()[1], password=SECRET)
        wrong = replace(as_role(postgres, "gdpr_audit"), password=SECRET)
        torn = f"postgresql://admin:{SECRET}#x@127.0.0.1/shop"
        away = f"postgresql://admin:{SECRET}@db.invalid/shop"
        for url, status, said in (
            (None, 2, "DATABASE_URL is not set: set it, or pass --database-url."),
            (dead.url(), 3, "Nothing answers where Postgres should be at 127.0.0.1:"),
            (wrong.url(), 1, "Postgres refused the password of role gdpr_audit at 127.0.0.1:"),
            (torn, 2, "DATABASE_URL is not of the form postgresql://"),
            (away, 3, "No machine has this name at db.invalid:5432/shop"),
        ):
            answer = gdpr("db", "status", **({"DATABASE_URL": url} if url else {}))
            assert answer.returncode == status, answer.stderr
            assert answer.stderr.startswith(said)
            assert answer.stderr.count("\n") == 1
            assert SECRET not in answer.stderr + answer.stdout


def test_an_application_role_is_told_whom_to_ask(postgres: PostgresAddress) -> None:
    answer = gdpr("db", "migrate", DATABASE_URL=as_role(postgres, "gdpr_export").url())
    assert answer.returncode == 1
    assert "This role may not install schema gdpr" in answer.stderr


def test_an_answer_that_cannot_be_written_is_no_fault_of_the_program(postgres: PostgresAddress) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        answer = subprocess.run(
            [sys.executable, "-m", "gdpr", "db", "status"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": postgres.url()},
        )
    assert (answer.returncode, answer.stderr) == (3, "The answer could not be written: No space left on device.\n")


def test_an_address_in_the_wrong_place_is_not_repeated() -> None:
    answer = gdpr("db", "status", f"postgresql://admin:{SECRET}@db.example/shop")
    assert answer.returncode == 2
    assert answer.stderr == "An address stands where none is expected: pass it as --database-url.\n"


def test_a_mistyped_word_is_answered_with_the_one_that_was_meant() -> None:
    answer = gdpr("db", "migrat")
    assert answer.returncode == 2
    assert "Did you mean 'migrate'?" in answer.stderr


@pytest.mark.parametrize("fault", ["KeyError('kanarie@geheim.example')", "open('kanarie@geheim.example')"])
def test_a_fault_of_the_program_shows_where_and_not_what(postgres: PostgresAddress, fault: str) -> None:
    code = (
        "import sys; from gdpr.__main__ import main; import shared.migrations\n"
        f"def fail(database): raise {fault}\n"
        "shared.migrations.migrate = fail; sys.argv = ['gdpr', 'db', 'migrate']; sys.exit(main())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": postgres.url()},
    )
    assert answer.returncode == 70
    assert re.match(r"A fault of this program, please report it: (KeyError|FileNotFoundError) at ", answer.stderr)
    assert "kanarie" not in answer.stderr


@pytest.mark.parametrize("words", [("--help",), ("db", "--help"), ("db", "migrate", "--help"), ("--version",)])
def test_help_is_to_be_had_everywhere(words: tuple[str, ...]) -> None:
    answer = gdpr(*words)
    assert answer.returncode == 0
    assert answer.stderr == ""


def test_status_names_the_hole_that_a_role_is(new_server: PostgresAddress) -> None:
    assert "None of the five roles" in gdpr("db", "status", DATABASE_URL=new_server.url()).stdout
    gdpr("db", "migrate", DATABASE_URL=new_server.url())
    with administrator(new_server) as cur:
        cur.execute("alter role gdpr_audit bypassrls")
    table = gdpr("db", "status", DATABASE_URL=new_server.url())
    assert table.returncode == 1
    assert "Mend it: alter role gdpr_audit nosuperuser nobypassrls" in table.stdout
    faults = json.loads(gdpr("db", "status", "--json", DATABASE_URL=new_server.url()).stdout)["faults"]
    assert faults == ["alter role gdpr_audit nosuperuser nobypassrls nocreaterole nocreatedb noreplication"]


def test_rotate_before_migrate_says_what_to_do(new_server: PostgresAddress) -> None:
    answer = gdpr("db", "rotate", "gdpr_audit", DATABASE_URL=new_server.url())
    assert answer.returncode == 2
    assert "is not there" in answer.stderr
    assert "gdpr db migrate" in answer.stderr
