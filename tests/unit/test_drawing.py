"""The map as a picture: everything is in it, and what nobody has decided is drawn so."""

from __future__ import annotations

import pytest

from datamap import drawing
from datamap.compile.resolution import Resolution, resolve
from datamap.document import Document
from datamap.model import Map
from tests.unit.test_check_tables import PARTS, THEIRS, catalogue, index, reference, table

USERS = table("users", "id bigint not null, email text, created_at date")
T = table(
    "t",
    "id bigint not null, user_id bigint not null, other_id bigint, note text",
    constraints=[reference("user_id", "users"), reference("other_id", "users")],
    indexes=[index("t_user_id_idx", "user_id")],
)
BELOW = table("below", "id bigint not null, t_id bigint", constraints=[reference("t_id", "t")])
ALONE = table("alone", "id bigint not null, note text")


def picture(*tables: str, more: str = "") -> tuple[Map, Resolution]:
    head = "\n".join(f"{name}: {text}" for name, text in PARTS.items())
    entries = "\n".join(f"  {line}" for line in (THEIRS, *tables))
    document = Document.parse(f"version: 1\n{head}\n{more}\ntables:\n{entries}\n")
    return document.map, resolve(document.map, catalogue(USERS, T, BELOW, ALONE))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{erase: undecided}", "user_id: undecided"),
        ("{shared: undecided}", "user_id: undecided whether it is shared"),
        ("{links: {user_id: {erase: undecided}}}", "user_id: undecided"),
        ("{links: {user_id: {role: undecided}}}", "user_id: undecided whose it is"),
        ("{links: {user_id: [{erase: undecided, when: id = 1}]}}", "user_id, when id = 1: undecided"),
    ],
)
def test_an_undecided_link_is_drawn_as_undecided_and_counted(entry: str, said: str) -> None:
    drawn, resolution = picture(f"t: {entry}")
    text = drawing.tree(drawn, resolution)
    assert f"─ public.t  {said}\n" in text
    assert "undecided\n└── public.t, user_id\n" in text or "undecided\n├── public.t, other_id\n" in text
    number = len(drawing.undecided(drawn, resolution))
    dot, mermaid = drawing.dot(resolution), drawing.mermaid(resolution)
    assert f'{said}", color="#c00000", fontcolor="#c00000"];' in dot.replace("\\", "")
    assert f"  // {number} undecided\n" in dot
    assert "  linkStyle " in mermaid
    assert f"  %% {number} undecided\n" in mermaid


def test_what_is_decided_is_not_counted() -> None:
    drawn, resolution = picture("t: {erase: delete, links: {other_id: actor}}", "below: {erase: delete}")
    for text in (drawing.tree(drawn, resolution), drawing.dot(resolution), drawing.mermaid(resolution)):
        assert "undecided" not in text
        assert "#c00000" not in text
    assert "linkStyle" not in drawing.mermaid(resolution)


def test_a_link_that_decides_for_itself_is_not_undecided_with_its_table() -> None:
    drawn, resolution = picture("t: {erase: undecided, links: {user_id: {erase: delete}, other_id: actor}}")
    assert "─ public.t  user_id: delete\n" in drawing.tree(drawn, resolution)
    assert drawing.undecided(drawn, resolution) == ["public.t"]


def test_a_personal_table_that_nobody_leads_to_is_in_the_picture() -> None:
    drawn, resolution = picture("t: {erase: delete}", "alone: {erase: undecided}")
    text = drawing.tree(drawn, resolution)
    assert "\nlinked to nobody\n└── public.alone  undecided\n" in text
    assert text.endswith("\n1 undecided\n└── public.alone\n")


def of_cache(entries: str) -> str:
    text = drawing.tree(*picture("t: {erase: delete}", more=f"cache: {{{entries}}}"))
    return text.split("\ncache\n")[1]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('"cart:{id}": {}', "they are in the key: the key is deleted whole"),
        ('"s:*": {holds: {json: user_id}}', "they are in its value, at user_id: the key is deleted whole"),
        ('"s:*": {holds: {value: true, identity: email}}', "their email is in its value: the key is deleted whole"),
        ("q: {type: list, holds: {json: to}}", "they are in its elements, at to: taken out, the rest stays"),
        ("q: {type: stream, holds: {field: by}}", "they are in its field by: taken out, the rest stays"),
        ('"h:*": {type: hash, holds: {field: by}}', "they are in its field by: the key is deleted whole"),
        ("q: {holds: {field: by}}", "they are in its field by: a hash is deleted whole, of a stream the entries alone"),
        ('on: {member: "{id}"}', "they are the member {id}: taken out, the rest stays"),
        ('on: {type: hash, member: "{id}"}', "they are the field {id}: taken out, the rest stays"),
        ('"cart:{id}": {erase: expire}', "they are in the key: left to expire"),
        ('"cart:{id}": {erase: external_manual, reason: Kim does}', "they are in the key: by hand, Kim does"),
        ('"cart:{id}": {erase: undecided}', "they are in the key: undecided"),
        ('"seen:*": undecided', "undecided"),
        ('"seen:*": {personal: false, reason: numbers}', "not personal: numbers"),
    ],
)
def test_of_a_key_it_says_where_they_are_and_what_goes_with_them(entry: str, said: str) -> None:
    pattern = entry.split(": ", maxsplit=1)[0].strip('"')
    assert of_cache(entry).splitlines()[0] == f"└── {pattern}  {said}"


def test_a_pattern_of_keys_may_be_undecided_too() -> None:
    assert of_cache('"seen:*": undecided').endswith("\n1 undecided\n└── seen:*\n")


def test_the_subject_says_what_becomes_of_its_own_row() -> None:
    assert drawing.tree(*picture("t: {erase: delete}")).startswith("public.users (person, key id): delete\n")
