"""Links that SQLAlchemy models declare and the database does not: proposed with who says so, and held against rows."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datamap.discover.claims import Claim
from datamap.discover.finding import Link, Proposal
from datamap.discover.models import claimed
from datamap.discover.proposal import proposal
from datamap.discover.text import written
from datamap.discover.values import Rows
from datamap.document import Document
from datamap.names import Table as Name
from shared.addresses import PostgresAddress
from shared.errors import Misuse
from tests.integration.site import USERS, Site, link, links
from tests.integration.test_command_line import gdpr

BEGIN = """
from enum import Enum
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, Table, Text, and_, func, or_
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship

class Kind(str, Enum):
    USER = "user"

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
"""

Write = Callable[[str], str]
NUMBERS = itertools.count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Makes a module of the application, which stands in the folder where gdpr is run."""
    monkeypatch.chdir(tmp_path)
    names: list[str] = []

    def module(text: str) -> str:
        names.append(f"models_{next(NUMBERS)}")
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return names[-1]

    yield module
    for name in names:
        sys.modules.pop(name, None)


def proposed(site: Site, sql: str, claims: list[Claim], *, with_values: bool = True) -> Proposal:
    site.cursor.execute(f"set local search_path = public; {sql}; set local search_path = pg_catalog, pg_temp")
    catalogue = site.catalogue()
    rows = Rows(site.cursor, catalogue) if with_values else None
    found = proposal(catalogue, rows, claimed=claims)
    Document.parse(written(found))
    return found


# What models say ----------------------------------------------------------------------------------------------------


def test_a_foreign_key_that_only_a_model_has_is_a_link(site: Site, write: Write) -> None:
    module = write(
        BEGIN
        + """
class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    whose: Mapped[int] = mapped_column(ForeignKey("users.id"))
"""
    )
    sql = """
    create table things (id bigint primary key, whose bigint);
    insert into things select g, 1 + g % 60 from generate_series(1, 90) as g;
    """
    found = proposed(site, USERS + sql, claimed(module))
    assert link(found, "things", "whose").kind == "person"
    told = link(found, "things", "whose").evidence
    assert told == "declared by the model's Thing.whose; 60 of 60 values are keys there"
    assert found.of("things").erase == "delete"


COMMENTS = """
create table posts (id bigint primary key, title text);
insert into posts select g, 't' from generate_series(1, 60) as g;
create table notes (id bigint primary key, about_what text, about bigint);
insert into notes select g, 'user', g from generate_series(1, 60) as g;
insert into notes select g, 'post', g + 1000 from generate_series(61, 120) as g;
"""

NOTE = """
class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    about_what: Mapped[str]
    about: Mapped[int] = mapped_column(BigInteger)
    user: Mapped[User] = relationship(primaryjoin=lambda: CONDITION, viewonly=True)
"""


@pytest.mark.parametrize(
    ("condition", "when"),
    [
        ("and_(Note.about_what == 'user', foreign(Note.about) == User.id)", "about_what = 'user'"),
        ("and_(User.id == foreign(Note.about), Note.about_what.in_(['user', 'me']))", "about_what in ('user', 'me')"),
        ("and_(foreign(Note.about) == User.id, Note.about_what == None)", "about_what is null"),
        ("foreign(Note.about) == User.id", None),
    ],
)
def test_a_relationship_with_a_discriminator_is_a_link_with_a_condition(
    write: Write, condition: str, when: str | None
) -> None:
    (claim,) = claimed(write(BEGIN + NOTE.replace("CONDITION", condition)))
    assert (str(claim.table), claim.columns, str(claim.target), claim.target_columns) == (
        "public.notes",
        ("about",),
        "public.users",
        ("id",),
    )
    assert (claim.when, claim.is_partial) == (when, False)


@pytest.mark.parametrize(
    "condition",
    [
        "and_(foreign(Note.about) == User.id, or_(Note.about_what == 'user', Note.about_what == 'me'))",
        "and_(foreign(Note.about) == User.id, func.lower(Note.about_what) == 'user')",
        "and_(foreign(Note.about) == User.id, Note.about_what != 'post')",
        "and_(foreign(Note.about) == User.id, Note.about_what == Kind.USER)",
    ],
)
def test_a_condition_that_a_map_has_no_words_for_is_asked_about(site: Site, write: Write, condition: str) -> None:
    claims = claimed(write(BEGIN + NOTE.replace("CONDITION", condition)))
    assert [claim.is_partial for claim in claims] == [True]
    found = proposed(site, USERS + COMMENTS, claims)
    assert link(found, "notes", "about").role == "undecided"
    assert found.of("notes").erase == "undecided"


def test_a_discriminator_of_a_model_is_weighed_by_its_own_rows(site: Site, write: Write) -> None:
    condition = "and_(Note.about_what == 'user', foreign(Note.about) == User.id)"
    found = proposed(site, USERS + COMMENTS, claimed(write(BEGIN + NOTE.replace("CONDITION", condition))))
    assert link(found, "notes", "about").when == "about_what = 'user'"
    assert link(found, "notes", "about").confidence == "high"
    assert "Note.user; 60 of 60 values" in link(found, "notes", "about").evidence


def test_what_a_model_says_of_a_pair_is_not_guessed_as_well(site: Site) -> None:
    sql = """
    create table remarks (id bigint primary key, author_type text, author_id bigint, body text);
    insert into remarks select g, (array['User', 'Guest'])[1 + g % 2], 1 + g % 60, 'b'
      from generate_series(1, 80) as g;
    """
    told = Claim(
        table=Name("public", "remarks"),
        columns=("author_id",),
        target=Name("public", "users"),
        target_columns=("id",),
        when="author_type in ('User')",
        said="the model's Remark.author",
    )
    found = proposed(site, USERS + sql, [told])
    assert link(found, "remarks", "author_id").when == "author_type in ('User')"


def test_a_table_between_two_holds_a_link_to_each(write: Write) -> None:
    module = write(
        BEGIN
        + """
likes = Table("likes", Base.metadata, Column("liker", BigInteger), Column("liked", BigInteger))

class Liker(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    likes = relationship(
        User, secondary=likes,
        primaryjoin=lambda: Liker.id == foreign(likes.c.liker),
        secondaryjoin=lambda: User.id == foreign(likes.c.liked),
    )
"""
    )
    said = {(claim.columns, str(claim.target)) for claim in claimed(module)}
    assert said == {(("liker",), "public.people"), (("liked",), "public.users")}


def test_a_metadata_alone_says_its_foreign_keys(write: Write) -> None:
    module = write(
        """
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, Table
tables = MetaData(schema="app")
users = Table("users", tables, Column("tenant", Integer, primary_key=True), Column("id", Integer, primary_key=True))
things = Table("things", tables, Column("tenant", Integer), Column("whose", Integer),
  ForeignKeyConstraint(["tenant", "whose"], ["app.users.tenant", "app.users.id"]))
"""
    )
    (claim,) = claimed(f"{module}:tables")
    assert (str(claim.table), claim.columns, claim.target_columns) == (
        "app.things",
        ("tenant", "whose"),
        ("tenant", "id"),
    )


# Held against the database ------------------------------------------------------------------------------------------

THING = Claim(
    table=Name("public", "things"),
    columns=("whose",),
    target=Name("public", "users"),
    target_columns=("id",),
    said="the model's Thing.whose",
)


def thing(site: Site, values: str, type_: str = "bigint") -> Link:
    sql = f"create table things (id bigint primary key, whose {type_}); insert into things {values}"
    return link(proposed(site, USERS + sql, [THING]), "things", "whose")


def test_values_that_are_nobodys_contradict_a_model(site: Site) -> None:
    found = thing(site, "select g, 100000 + g from generate_series(1, 60) as g")
    assert (found.role, found.confidence) == ("undecided", "low")
    assert "0 of 60 values are keys there, which contradicts it" in found.evidence


def test_some_values_of_people_who_are_gone_do_not(site: Site) -> None:
    found = thing(
        site, "select g, case when g % 4 = 0 then 90000 + g else 1 + g % 60 end from generate_series(1, 90) as g"
    )
    assert (found.role, found.confidence) == ("owner", "medium")


def test_an_empty_table_leaves_the_models_word(site: Site) -> None:
    found = thing(site, "select 1, 1 where false")
    assert (found.role, found.confidence) == ("owner", "medium")
    assert "no values were seen" in found.evidence


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select", "Thing.whose speaks of public.things, which is not there"),
        ("create table things (id bigint primary key)", "public.things has no column whose"),
        ("create table things (id bigint primary key, whose boolean)", "whose cannot be compared with public.users"),
    ],
)
def test_a_model_that_does_not_fit_the_database_is_told(site: Site, sql: str, told: str) -> None:
    found = proposed(site, f"{USERS} {sql}", [THING])
    assert [note for note in found.notes if told in note]


def test_what_the_database_declares_needs_no_model(site: Site) -> None:
    sql = "create table things (id bigint primary key, whose bigint references users)"
    found = proposed(site, f"{USERS} {sql}", [THING])
    assert "declared by" not in link(found, "things", "whose").evidence


def test_the_only_table_of_its_name_is_meant_in_whatever_schema(site: Site) -> None:
    sql = """
    create schema shop;
    create table shop.things (id bigint primary key, whose bigint);
    insert into shop.things select g, g from generate_series(1, 60) as g;
    """
    found = proposed(site, USERS + sql, [THING])
    assert links(found, "shop.things") == {"whose"}


def test_without_rows_a_model_alone_deletes_nothing(site: Site) -> None:
    sql = "create table things (id bigint primary key, whose bigint not null);"
    assert proposed(site, USERS + sql, [THING], with_values=False).of("things").erase == "undecided"


# What can go wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("import not_installed_anywhere", "", "needs the module not_installed_anywhere"),
        ("raise KeyError('SECRET')", "", "cannot be imported (KeyError)"),
        ("x = 1", "", "has no MetaData"),
        ("x = 1", ":Base", "has no Base"),
        ("x = 1", ":x", "has no MetaData"),
        ("from sqlalchemy import MetaData\nempty = MetaData()", "", "import the modules of the models there"),
        (
            "from sqlalchemy import MetaData as M, Table\none, two = M(), M()\nTable('a', one), Table('b', two)",
            "",
            "several MetaData (one, two)",
        ),
        (BEGIN + "    other = relationship('Nobody')\n", "", "do not fit together"),
    ],
)
def test_an_import_that_fails_says_what_to_do(write: Write, text: str, name: str, told: str) -> None:
    with pytest.raises(Misuse) as refused:
        claimed(write(text) + name)
    assert told in refused.value.sentence
    assert refused.value.remedy
    assert "SECRET" not in refused.value.sentence


def test_a_module_that_is_not_there_is_told(write: Write) -> None:
    with pytest.raises(Misuse, match=r"There is no module nowhere\.at_all"):
        claimed("nowhere.at_all")


def test_models_are_asked_at_the_command_line(postgres: PostgresAddress, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("x = 1")
    answer = gdpr("map", "discover", "--models", "models", DATABASE_URL=postgres.url(), PYTHONPATH=str(tmp_path))
    assert answer.returncode == 2
    assert "models has no MetaData" in answer.stderr


def test_nobody_imports_sqlalchemy_who_was_not_asked_for_models() -> None:
    code = "import sys, datamap.discover.everything, datamap.discover.addition; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
