"""What goes wrong at a terminal: each command says in one sentence what it is, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

from gdpr.commands import gdpr as the_group
from shared.addresses import PostgresAddress
from tests.integration.test_command_line import gdpr

WITH_A_MAP = (
    ("map", "check"),
    ("map", "show"),
    ("map", "approve"),
    ("plan", "show"),
    ("plan", "compile"),
    ("plan", "try", "--id", "7"),
)
WITHOUT = (("map", "discover"), ("map", "catalogue"), ("plan", "status"), ("db", "status"), ("db", "migrate"))
GOOD = """\
version: 1
controller: {name: Example, contact: privacy@shop.example, authority: Berlin DPA}
subject: {table: app.users, key: id}
tables:
  app.users: {erase: delete}
"""


@pytest.fixture
def data_map(tmp_path: Path) -> Path:
    (tmp_path / "datamap.yaml").write_text(GOOD)
    return tmp_path / "datamap.yaml"


def words_of(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.mark.parametrize("words", [*WITH_A_MAP, *WITHOUT], ids=words_of)
def test_no_database(words: tuple[str, ...], data_map: Path) -> None:
    answer = gdpr(*words, DATA_MAP=str(data_map))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("DATABASE_URL is not set: set it, ")
    can_do_without = "--catalogue with a file" in answer.stderr
    assert can_do_without == (words in {("map", "discover"), *WITH_A_MAP[:2], *WITH_A_MAP[3:5]})


@pytest.mark.parametrize("words", [*WITH_A_MAP, *WITHOUT], ids=words_of)
def test_a_database_that_is_not_there_or_lets_nobody_in(
    words: tuple[str, ...], data_map: Path, postgres: PostgresAddress
) -> None:
    wrong = {
        "Postgres refused the password of role ": (1, replace(postgres, password="aV3ry-s3cret")),
        "Postgres knows no such database or role as nowhere": (2, replace(postgres, database="nowhere")),
        "Nothing answers where Postgres should be": (3, replace(postgres, port=1)),
    }
    for said, (status, address) in wrong.items():
        answer = gdpr(*words, DATA_MAP=str(data_map), DATABASE_URL=address.url())
        assert (answer.returncode, answer.stdout) == (status, "")
        assert answer.stderr.startswith(said)
        assert answer.stderr.count("\n") == 1
        assert "s3cret" not in answer.stderr


@pytest.mark.parametrize("words", WITH_A_MAP, ids=words_of)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no map {0}: make one with `gdpr map discover -o {0}`, or name the one that is meant.\n"),
        ("", "{0} is empty: `gdpr map discover` proposes what belongs into it.\n"),
        ("# only a remark\n\n", "{0} is empty: `gdpr map discover` proposes what belongs into it.\n"),
        ("/", "{0} is a directory: name the map in it, such as {0}/datamap.yaml.\n"),
    ],
    ids=["none", "empty", "only a remark", "a directory"],
)
def test_a_file_that_is_no_map(
    words: tuple[str, ...], text: str | None, said: str, tmp_path: Path, postgres: PostgresAddress
) -> None:
    file = tmp_path / "map.yaml"
    if text == "/":
        file.mkdir()
    elif text is not None:
        file.write_text(text)
    answer = gdpr(*words, DATA_MAP=str(file), DATABASE_URL=postgres.url())
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", said.format(file))


@pytest.mark.parametrize("words", WITH_A_MAP, ids=words_of)
def test_a_map_with_an_error_is_told_with_line_and_column(
    words: tuple[str, ...], data_map: Path, postgres: PostgresAddress
) -> None:
    data_map.write_text(GOOD.replace("erase: delete", "erase: delte"))
    answer = gdpr(*words, DATA_MAP=str(data_map), DATABASE_URL=postgres.url())
    assert answer.returncode == 1
    told, silent = (answer.stdout, answer.stderr) if words == ("map", "check") else (answer.stderr, answer.stdout)
    assert f"{data_map}:5:" in told
    assert "did you mean delete?" in told
    assert silent == ""


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"),
    [
        pytest.param(path, command, id=" ".join(("gdpr", *path)))
        for path, command in commands(the_group)
        if not isinstance(command, click.Group)
    ],
)
def test_every_command_has_an_example_of_itself(path: tuple[str, ...], command: click.Command) -> None:
    assert "Example:" in (command.help or "")
    assert f"gdpr {' '.join(path)}" in (command.help or "").split("Example:")[1]
