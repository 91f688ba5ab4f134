"""Entries are added to a map below the right part, and no other byte of it changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap import source
from datamap.discover.insertion import Entry, NoPlace, inserted
from datamap.discover.text import flow

NEW = Entry(path=("tables",), lines=("app.new:  # why", "  erase: delete"))
COLUMN = Entry(path=("tables", "app.a", "columns"), lines=("# why", "phone: user.contact.phone_number"))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param(
            "tables:\n  app.a: {}\n",
            "tables:\n  app.a: {}\n  app.new:  # why\n    erase: delete\n",
            id="in a block",
        ),
        pytest.param(
            "tables:\n    app.a: {}  # a\n\n# the end\ncache: {}\n",
            "tables:\n    app.a: {}  # a\n    app.new:  # why\n      erase: delete\n\n# the end\ncache: {}\n",
            id="before what does not belong to it",
        ),
        pytest.param(
            "tables:\n  app.a: {}",
            "tables:\n  app.a: {}\n  app.new:  # why\n    erase: delete",
            id="without a line break",
        ),
        pytest.param(
            "tables:\r\n  app.a: {}\r\nversion: 1\r\n",
            "tables:\r\n  app.a: {}\r\n  app.new:  # why\r\n    erase: delete\r\nversion: 1\r\n",
            id="with the line breaks of Windows",
        ),
        pytest.param("tables: {}\n", "tables: \n  app.new:  # why\n    erase: delete\n", id="in place of nothing"),
        pytest.param("tables:\n", "tables:\n  app.new:  # why\n    erase: delete\n", id="below a bare key"),
        pytest.param(
            "tables: {app.a: {}}\n",
            "tables: {app.a: {}, app.new: {erase: delete}}\n",
            id="within the braces of others",
        ),
        pytest.param("tables: {app.a: {},}\n", "tables: {app.a: {}, app.new: {erase: delete}}\n", id="after a comma"),
        pytest.param(
            "version: 1\n",
            "version: 1\ntables:\n  app.new:  # why\n    erase: delete\n",
            id="where there was no such part",
        ),
        pytest.param(
            "tables:\n  app.a:\n    reason: |\n      1\n      2\nversion: 1\n",
            "tables:\n  app.a:\n    reason: |\n      1\n      2\n  app.new:  # why\n    erase: delete\nversion: 1\n",
            id="behind a text of several lines",
        ),
    ],
)
def test_a_table_is_added_below_the_others(text: str, after: str) -> None:
    assert inserted(text, [NEW]) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param(
            "tables:\n  app.a:\n    columns:\n      email: e\n    erase: delete\n",
            "tables:\n  app.a:\n    columns:\n      email: e\n      # why\n      phone: user.contact.phone_number\n"
            "    erase: delete\n",
            id="in a block",
        ),
        pytest.param(
            "tables:\n  app.a: {columns: {email: e}}\n",
            "tables:\n  app.a: {columns: {email: e, phone: user.contact.phone_number}}\n",
            id="in braces",
        ),
        pytest.param(
            "tables:\n  app.a: {erase: delete}\n",
            "tables:\n  app.a: {erase: delete, columns: {phone: user.contact.phone_number}}\n",
            id="in braces, where nothing was said of columns",
        ),
        pytest.param(
            "tables:\n  app.a:\n    erase: delete\n  app.b: {}\n",
            "tables:\n  app.a:\n    erase: delete\n    columns:\n      # why\n      phone: user.contact.phone_number\n"
            "  app.b: {}\n",
            id="below a table that says nothing of columns",
        ),
    ],
)
def test_a_column_is_added_to_its_table(text: str, after: str) -> None:
    assert inserted(text, [COLUMN]) == after


def test_what_belongs_to_the_last_table_stands_before_the_next_one() -> None:
    found = inserted("tables:\n  app.a:\n    columns:\n      email: e\n", [NEW, COLUMN])
    assert source.read(found).value == {
        "tables": {
            "app.a": {"columns": {"email": "e", "phone": "user.contact.phone_number"}},
            "app.new": {"erase": "delete"},
        }
    }


def test_a_part_that_is_new_stands_behind_what_is_new_in_the_part_before_it() -> None:
    link = Entry(path=("tables", "app.a", "links"), lines=("user_id: actor",))
    found = inserted("tables:\n  app.a:\n    columns:\n      email: e\n", [link, COLUMN, NEW])
    assert source.read(found).value["tables"] == {
        "app.a": {"columns": {"email": "e", "phone": "user.contact.phone_number"}, "links": {"user_id": "actor"}},
        "app.new": {"erase": "delete"},
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x: &c {email: e}\ntables:\n  app.a: {columns: *c}\n", id="an alias"),
        pytest.param("tables:\n  app.a: undecided\n", id="a word"),
        pytest.param("tables: [a]\n", id="a list"),
        pytest.param("", id="an empty file"),
    ],
)
def test_where_there_is_no_safe_place_nothing_is_added(text: str) -> None:
    with pytest.raises(NoPlace):
        inserted(text, [COLUMN])


WORDS = st.text("abcxyz_", min_size=1, max_size=6).map("k{}".format)
VALUES = st.recursive(WORDS | st.none(), lambda inner: st.dictionaries(WORDS, inner, max_size=3), max_leaves=8)
STYLES = st.sampled_from(["block", "flow"])


def block(value: Any, indent: str, data: st.DataObject) -> str:
    """A value as a person may write it: blocks, braces, comments, empty lines."""
    if not isinstance(value, dict) or not value or data.draw(STYLES) == "flow":
        return " " + flow(value) if value is not None else ""
    lines = []
    for key, each in value.items():
        lines.append(data.draw(st.sampled_from(["", f"{indent}# a remark\n", "\n"])))
        lines.append(f"{indent}{key}:{block(each, indent + '  ', data)}\n")
    return "\n" + re.sub(r"\n\n+", "\n\n", "".join(lines)).rstrip("\n")


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), st.data())
def test_all_that_stood_there_stands_there_still(value: dict[str, Any], data: st.DataObject) -> None:
    text = block(value, "", data).lstrip("\n ") + "\n"
    part = data.draw(st.sampled_from([*value, "kother"]))
    try:
        found = inserted(text, [Entry(path=(part, "new"), lines=("a: b",))])
    except NoPlace:
        assert not isinstance(value.get(part), dict)
        return
    said = source.read(found)
    assert not said.faults
    expected = {**value, part: {**(value.get(part) or {}), "new": {"a": "b"}}}
    assert said.value == expected
    left = iter(found)
    assert all(each in left for each in text if each not in "{}")  # all of it, in its order
