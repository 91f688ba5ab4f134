"""Names in the map: what is written is what is read, however hostile it is, and SQL takes it for nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datamap.names import EACH, NotAName, Place, Table, Target, columns, literal, quoted, shown

HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text("ab.,\"'->#:[]{}() \\\n\t;=<>ANDisnull$-0", min_size=1, max_size=12),
    st.sampled_from(
        ["and", "is null", "a is null", "not in", "->>", "a->b", "a::jsonb", '"', "'", " a", "a\n", "\u017f"]
    ),
)
KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
STEPS = KEYS | st.just(EACH) | st.sampled_from(["NULL", "null", "0", "a,b", "{", '"', "\\"])
PLACES = st.one_of(
    st.builds(Place, st.lists(HOSTILE, min_size=1, max_size=3).map(tuple)),
    st.builds(
        lambda column, steps, is_cast, as_path: Place((column,), steps, is_cast, as_path and EACH not in steps),
        HOSTILE,
        st.lists(
            KEYS | st.just(EACH) | st.sampled_from(["NULL", "null", "0", "a,b", "{", '"', "\\"]), min_size=1, max_size=4
        ).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
)


@given(HOSTILE, HOSTILE)
def test_a_table_reads_as_it_was_written(schema: str, name: str) -> None:
    table = Table(schema, name)
    assert Table.parse(str(table)) == table


@given(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=3))
def test_a_target_reads_as_it_was_written(schema: str, name: str, key: list[str]) -> None:
    target = Target(Table(schema, name), tuple(key))
    assert Target.parse(str(target)) == target


@given(PLACES)
@example(Place(("a",), ("b", "0", EACH)))
@example(Place(("a",), ("NULL", ""), False, True))
def test_a_place_reads_as_it_was_written(place: Place) -> None:
    assert Place.parse(str(place)) == place


@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_columns_read_as_they_were_written(names: list[str]) -> None:
    assert columns(", ".join(map(shown, names))) == tuple(names)


@given(st.text(max_size=40))
def test_no_text_is_more_than_not_a_name(text: str) -> None:
    for parse in (Table.parse, Target.parse, Place.parse, columns):
        try:
            parse(text)
        except NotAName as error:
            assert str(error)  # noqa: PT017 - either of the two is right


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("user_id", Place(("user_id",))),
        ("tenant_id, user_id", Place(("tenant_id", "user_id"))),
        ("watcher_ids[]", Place(("watcher_ids",), (EACH,))),
        ("payload->'actor'->>'id'", Place(("payload",), ("actor", "id"))),
        ("payload #>> '{actor, \"a,b\"}'", Place(("payload",), ("actor", "a,b"), False, True)),
        ("notes::jsonb->>'by'", Place(("notes",), ("by",), True)),
        ("log->0->>'id'", Place(("log",), ("0", "id"))),
        ("items[]->>'by'", Place(("items",), (EACH, "by"))),
        ("payload->>'it''s'", Place(("payload",), ("it's",))),
    ],
)
def test_a_place_is_a_column_several_an_element_or_a_value_in_json(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a,",
        ",a",
        "a->",
        "a->>b",
        "a#>>'{}'",
        "a#>>'{a,,b}'",
        "a#>>'{NULL}'",
        "a, b[]",
        "a::jsonb::jsonb",
        "a) or (b",
        "a[1]",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(NotAName):
        Place.parse(text)


@pytest.mark.parametrize("text", ["", "a.b.c", "a..b", ".a", "a.", '"a', 'a"b', "a,b", '""."b"'])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(NotAName):
        Table.parse(text)


@pytest.mark.parametrize("text", ["", "users", "a.b.c.d", "a.b.c,", "a.b.c, d.e", "a.b, c", "a, b.c.d"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(NotAName):
        Target.parse(text)


def test_a_table_without_a_schema_is_in_public() -> None:
    assert Table.parse("users") == Table("public", "users")
    assert str(Target.parse("app.users.tenant_id, id")) == "app.users.tenant_id, id"


@pytest.mark.parametrize("name", ["id", "Order Items", "größe", "a-b", "user_id2"])
def test_a_name_is_shown_without_quotes_where_it_needs_none(name: str) -> None:
    assert shown(name) == name


@given(HOSTILE.filter(lambda name: len(name.encode()) <= 63))
@example("a\n")
@example("select")
def test_a_quoted_name_is_one_token_and_reads_back(name: str) -> None:
    sql = quoted(name)
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", sql):
        assert (sql[0], sql[-1]) == ('"', '"')
        assert re.fullmatch(r'(?:[^"]|"")+', sql[1:-1])
        assert sql[1:-1].replace('""', '"') == name


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ü" * 32])
def test_what_postgres_cannot_hold_or_would_cut_is_never_quoted(name: str) -> None:
    with pytest.raises(NotAName):
        quoted(name)
    assert quoted("ü" * 31) == '"' + "ü" * 31 + '"'


def test_a_zero_byte_is_in_no_literal() -> None:
    with pytest.raises(NotAName):
        literal("a\0")
