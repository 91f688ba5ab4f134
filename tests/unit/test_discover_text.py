"""The proposal as YAML: it reads back as what was proposed, whatever names hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from datamap.catalogue import ForeignKey
from datamap.discover.finding import Decision, Holding, Kind, Link, Proposal
from datamap.discover.text import ACTIVITY, written
from datamap.document import Document
from datamap.names import Place, Table

NAMES = st.one_of(
    st.sampled_from(
        ["select", "no", "~", "1", "1.5", "a: b", "# x", "'", '"', "%s", "a.b", "- x", "{a}", "null", "é" * 31]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cn"]), min_size=1, max_size=20),
)


def proposal(table: Table, key: str, column: str, *, erase: object = None) -> Proposal:
    link = Link(
        table=table,
        place=Place((column,)),
        target=table,
        target_columns=(key,),
        kind="person",
        erase=erase,
        evidence="e",
    )
    return Proposal(
        kinds=(Kind(name="person", table=table, key=(key,), identities={"email": column}),),
        decisions=(
            Decision(
                table=table,
                erase="delete",
                links=(link,),
                columns={column: Holding(category="user.content", evidence=f"about {column}")},
                notes=(f"a note on {table}", f"another on {column}"),
            ),
        ),
        notes=(f"about {key}",),
    )


@given(NAMES, NAMES, NAMES, NAMES)
def test_every_name_is_read_back_as_it_is(schema: str, name: str, key: str, column: str) -> None:
    table = Table(schema, name)
    found = Document.parse(written(proposal(table, key, column, erase={column: None}))).map
    assert found.subject is not None
    assert Table.parse(found.subject.table) == table
    assert found.subject.key == [key]
    assert found.subject.identities["email"].column == column
    entry = found.tables[str(table)]
    assert entry.activity == ACTIVITY
    assert set(entry.columns) == {column}
    assert [Place.parse(place) for place in entry.links] == [Place((column,))]
    assert entry.links[str(Place((column,)))][0].erase == {column: None}


def test_a_person_has_to_describe_what_the_data_is_for() -> None:
    found = Document.parse(written(proposal(Table("app", "users"), "id", "email"))).map
    assert set(found.activities) == {ACTIVITY}
    assert found.activities[ACTIVITY].purpose is None


def test_what_a_foreign_key_says_already_is_not_said_again() -> None:
    table = Table("app", "orders")
    key = ForeignKey(
        name="orders_fk",
        columns=("user_id",),
        target=Table("app", "users"),
        target_columns=("id",),
        on_delete="no action",
        on_delete_columns=(),
        on_update="no action",
        match_full=False,
        deferrable=False,
        valid=True,
        partition=None,
        period=False,
    )
    declared = Link(
        table=table,
        place=Place(("user_id",)),
        target=Table("app", "users"),
        kind="person",
        foreign_key=key,
        evidence="fk",
    )
    found = proposal(Table("app", "users"), "id", "email")
    text = written(replace(found, decisions=(Decision(table=table, erase="delete", links=(declared,)),)))
    assert Document.parse(text).map.tables["app.orders"].links == {}
    assert "# user_id: fk" in text


def test_a_note_with_a_line_break_stays_a_comment() -> None:
    found = replace(proposal(Table("app", "users"), "id", "email"), notes=("one\ntables: {}\u2028x",))
    assert "app.users" in Document.parse(written(found)).map.tables
