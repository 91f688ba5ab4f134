"""datamap.yaml as a text: what is read, and how each thing that can be wrong with it is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datamap import source
from datamap.document import Document, Unreadable, placed
from datamap.fault import Fault
from shared.errors import Misuse
from tests.unit.test_check_report import is_well_said

MAP = """\
# yaml-language-server: $schema=./datamap.schema.json
version: 1
controller: {name: Example Shop GmbH, contact: privacy@shop.example, authority: Berlin DPA, timezone: Europe/Berlin}
subject:
  table: app.users
  key: id                                   # or [tenant_id, id]
  identities: {email: email, phone: phone}  # how else a request may name the person
activities:
  account:  {purpose: AccountManagement, legal_basis: A6-1-b, recipients: [AWS], retention: {until: account_closed}}
  invoices:
    purpose: LegalCompliance
    legal_basis: A6-1-c
    retention: {period: P10Y, from: {column: issued_on, round: year_end}, law: "§ 147 AO"}
tables:
  app.users:     {activity: account, erase: delete, columns: {email: user.contact.email}}
  app.orders:    {activity: account, erase: delete}
  app.messages:
    links:
      sender_id:    {erase: {body: null, sender_id: null}}
      recipient_id: {erase: {recipient_id: null}, export: {redact: [sender_id]}}
  app.events:    {links: {"payload->>'user_id'": {}}}
  app.comments:  {links: {author_id: {when: "author_type = 'User'"}}}
  app.invoices:  {activity: invoices, erase: keep, keep: {exception: 17(3)(b), columns: [number, total, issued_on]}}
  app.products:  {personal: false, reason: catalogue}
cache:
  "session:*":          {holds: {json: user_id}}
  "cart:{id}":          {}
  "leaderboard":        {member: "{id}"}
  refill_max: PT30S
objects:
  uploads: {bucket: shop-uploads, prefix: "users/{id}/"}
"""


def faults(text: str) -> list[Fault]:
    with pytest.raises(Unreadable) as caught:
        Document.parse(text)
    assert all(is_well_said(fault) for fault in caught.value.faults)
    assert not re.search(r"\?\.|\.\.", caught.value.sentence)
    return caught.value.faults


def the_fault(was: str, now: str) -> Fault:
    """The one fault of the map above with something else in one place."""
    assert MAP.count(was) == 1, was
    (fault,) = faults(MAP.replace(was, now))
    return fault


def line_of(words: str) -> int:
    return MAP[: MAP.index(words)].count("\n") + 1


def test_the_map_of_the_design_is_read() -> None:
    document = Document.parse(MAP)
    assert document.map.subject is not None
    assert document.map.subject.key == ["id"]
    assert document.map.subject.identities["email"].column == "email"
    assert document.map.cache.refill_max == "PT30S"
    assert set(document.map.cache.patterns) == {"session:*", "cart:{id}", "leaderboard"}
    assert document.map.tables["app.messages"].links["sender_id"][0].erase == {"body": None, "sender_id": None}


def test_a_mark_is_the_line_and_column_of_a_key_or_an_item() -> None:
    marks = Document.parse(MAP).marks
    assert marks["subject", "key"] == (line_of("  key: id"), 3)
    assert marks["tables", "app.users", "columns", "email"] == (line_of("  app.users:"), 63)
    assert marks["activities", "account", "recipients", 0] == (line_of("  account:"), 76)
    lines = MAP.splitlines()
    for where, (line, column) in marks.items():
        if where and isinstance(where[-1], str):
            assert lines[line - 1][column - 1 :].lstrip("\"'").startswith(where[-1].split("'")[0]), where


def test_norways_holidays_are_no_and_a_date_is_a_text() -> None:
    text = MAP.replace("timezone: Europe/Berlin", "holidays: NO, officer: 2026-01-01")
    controller = Document.parse(text).map.controller
    assert (controller.holidays, controller.officer) == ("NO", "2026-01-01")


@pytest.mark.parametrize(
    "text", ["\ufeff" + MAP, MAP.replace("\n", "\r\n"), MAP.replace("version: 1", "%YAML 1.2\n---\nversion: 1")]
)
def test_marks_of_windows_and_directives_are_no_matter(text: str) -> None:
    assert Document.parse(text).map == Document.parse(MAP).map


def test_a_key_is_a_word_even_if_it_looks_like_a_number() -> None:
    text = MAP.replace("{email: user.contact.email}", "{state: {values: {1: open, 2: shut, true: both}}}")
    assert Document.parse(text).map.tables["app.users"].columns["state"].values == {
        "1": "open",
        "2": "shut",
        "true": "both",
    }


def test_anchors_aliases_and_merge_keys_work_and_ones_own_key_wins() -> None:
    text = MAP.replace(
        "  app.orders:    {activity: account, erase: delete}",
        "  app.orders: &own {activity: account, erase: delete, columns: {a: user.name, b: user}}\n"
        "  app.carts: *own\n"
        "  app.wishes: {<<: *own, erase: undecided}\n"
        '  "<<": undecided',
    )
    tables = Document.parse(text).map.tables
    assert tables["app.carts"] == tables["app.orders"]
    assert tables["app.wishes"].erase == "undecided"
    assert tables["app.wishes"].columns == tables["app.orders"].columns
    assert "<<" in tables


WRONG: list[tuple[str, str, tuple[str | int, ...], str, str | None]] = [
    # what stands there, what is written instead, where the fault is, what it says, what to write
    ("version: 1", "version: 2", ("version",), "version is 2, where 1 is expected", None),
    ("version: 1", "version: '1'", ("version",), "version is '1', where 1 is expected", None),
    ("version: 1", "version: true", ("version",), "version is true, where 1 is expected", None),
    ("version: 1", "version: 1.0", ("version",), "version is 1.0, where 1 is expected", None),
    ("version: 1", "", ("version",), "The map has no version", "write version: 1"),
    (
        ", authority: Berlin DPA",
        "",
        ("controller", "authority"),
        "controller has no authority",
        "write authority: … (the supervisory authority that people may complain to)",
    ),
    (
        "Europe/Berlin",
        "Berlin",
        ("controller", "timezone"),
        "'Berlin' is no time zone",
        "write one such as Europe/Berlin",
    ),
    (
        "timezone: Europe/Berlin",
        "holidays: 49",
        ("controller", "holidays"),
        "holidays is 49, where a text is expected",
        'put quotes around it: "49"',
    ),
    (
        "timezone: Europe/Berlin",
        "holidays: ",
        ("controller", "holidays"),
        "holidays is empty, where a text is expected",
        "write a value, or take the line out",
    ),
    (
        "timezone: Europe/Berlin",
        "timezon: UTC",
        ("controller", "timezon"),
        "timezon is no word that can stand here",
        "did you mean timezone?",
    ),
    (
        "key: id ",
        "key: [] ",
        ("subject", "key"),
        "key is an empty list, where a text or a list with at least one item is expected",
        None,
    ),
    (
        "key: id ",
        "key: [id, 7] ",
        ("subject", "key", 1),
        "Item 2 of key is 7, where a text is expected",
        'put quotes around it: "7"',
    ),
    (
        "phone: phone",
        "phone: 5",
        ("subject", "identities", "phone"),
        "phone is 5, where a mapping or a text is expected",
        'put quotes around it: "5"',
    ),
    (
        "phone: phone",
        "phone: {column: p, mtch: exact}",
        ("subject", "identities", "phone", "mtch"),
        "mtch is no word that can stand here",
        "did you mean match?",
    ),
    (
        "phone: phone",
        "phone: {column: p, match: exakt}",
        ("subject", "identities", "phone", "match"),
        "match is 'exakt', where exact, folded or a mapping is expected",
        "did you mean exact?",
    ),
    (
        "recipients: [AWS]",
        "recipients: AWS",
        ("activities", "account", "recipients"),
        "recipients is 'AWS', where a list is expected",
        "write [AWS]",
    ),
    (
        "[AWS]",
        "[AWS, {category: hosting}]",
        ("activities", "account", "recipients", 1),
        "A recipient has neither a name nor a category",
        "write a name, or a category and the reason",
    ),
    (
        "{until: account_closed}",
        "{}",
        ("activities", "account", "retention"),
        "A retention has no end",
        "write a period, such as P10Y, or until what",
    ),
    (
        "{until: account_closed}",
        "P10Y",
        ("activities", "account", "retention"),
        "retention is 'P10Y', where a mapping is expected",
        "write {period: P10Y}",
    ),
    (
        "P10Y",
        "10 years",
        ("activities", "invoices", "retention", "period"),
        "'10 years' is no period",
        "write P10Y, P6M, P35D or PT30S",
    ),
    (
        "purpose: LegalCompliance",
        "purpose: {a: b}",
        ("activities", "invoices", "purpose"),
        "purpose is a mapping, where a text or a list is expected",
        None,
    ),
    (
        "purpose: LegalCompliance",
        "purpose: [A, 5]",
        ("activities", "invoices", "purpose", 1),
        "Item 2 of purpose is 5, where a text is expected",
        'put quotes around it: "5"',
    ),
    (
        "round: year_end",
        "round: yearend",
        ("activities", "invoices", "retention", "from", "round"),
        "round is 'yearend', where year_end or month_end is expected",
        "did you mean year_end?",
    ),
    (
        "{column: issued_on, round: year_end}",
        "[a]",
        ("activities", "invoices", "retention", "from"),
        "from is a list, where a mapping or a text is expected",
        "write {column: …}",
    ),
    (
        "erase: keep",
        "erase: kep",
        ("tables", "app.invoices", "erase"),
        "erase is 'kep', where delete, keep, unlink, refresh, external_manual, undecided or a mapping is expected",
        "did you mean keep?",
    ),
    (
        "erase: keep",
        "erase: false",
        ("tables", "app.invoices", "erase"),
        "erase is false, where delete, keep, unlink, refresh, external_manual, undecided or a mapping is expected",
        None,
    ),
    (
        "erase: keep",
        "erase:",
        ("tables", "app.invoices", "erase"),
        "erase is empty, where delete, keep, unlink, refresh, external_manual, undecided or a mapping is expected",
        "write a value, or take the line out",
    ),
    (
        "user.contact.email",
        "true",
        ("tables", "app.users", "columns", "email"),
        "email is true, where a mapping, a text or false is expected",
        "write a category such as user.contact.email",
    ),
    (
        "user.contact.email",
        "{export: explane}",
        ("tables", "app.users", "columns", "email", "export"),
        "export is 'explane', where true, false or explain is expected",
        "did you mean explain?",
    ),
    (
        "user.contact.email",
        "{export: 1}",
        ("tables", "app.users", "columns", "email", "export"),
        "export is 1, where true, false or explain is expected",
        None,
    ),
    (
        "{erase: {body: null, sender_id: null}}",
        "ownr",
        ("tables", "app.messages", "links", "sender_id"),
        "sender_id is 'ownr', where a mapping, a list, owner, actor, reference or undecided is expected",
        "did you mean owner?",
    ),
    (
        "{erase: {body: null, sender_id: null}}",
        "[{rol: actor}]",
        ("tables", "app.messages", "links", "sender_id", 0, "rol"),
        "rol is no word that can stand here",
        "did you mean role?",
    ),
    (
        "{erase: {body: null, sender_id: null}}",
        "[{}, actor]",
        ("tables", "app.messages", "links", "sender_id", 1),
        "Item 2 of sender_id is 'actor', where a mapping is expected",
        "write {role: actor}",
    ),
    (
        "body: null",
        "body: dead",
        ("tables", "app.messages", "links", "sender_id", "erase", "body"),
        "body is 'dead', where {value: …}, nobody, random, empty or null is expected",
        "for a constant write {value: dead}",
    ),
    (
        "body: null",
        "body: 7",
        ("tables", "app.messages", "links", "sender_id", "erase", "body"),
        "body is 7, where {value: …}, nobody, random, empty or null is expected",
        "for a constant write {value: 7}",
    ),
    (
        "body: null",
        "body: {value: null}",
        ("tables", "app.messages", "links", "sender_id", "erase", "body", "value"),
        "value is empty, where a text, a number, true or false is expected",
        "write a value, or take the line out",
    ),
    (
        "redact: [sender_id]",
        "redact: sender_id",
        ("tables", "app.messages", "links", "recipient_id", "export", "redact"),
        "redact is 'sender_id', where a list is expected",
        "write [sender_id]",
    ),
    (
        "{redact: [sender_id]}",
        "0",
        ("tables", "app.messages", "links", "recipient_id", "export"),
        "export is 0, where a mapping or false is expected",
        None,
    ),
    (
        "\"payload->>'user_id'\"",
        "'payload->'",
        ("tables", "app.events", "links", "payload->"),
        "'payload->' is no column and no place within one, from '->' on",
        "write a column, or a place such as watcher_ids[] or payload->'actor'->>'id'",
    ),
    (
        "author_type = 'User'",
        "author_type = User",
        ("tables", "app.comments", "links", "author_id", "when"),
        "'author_type = User' is no condition",
        "write author_type = 'User'",
    ),
    (
        "columns: [number, total, issued_on]",
        "owner: x",
        ("tables", "app.invoices", "keep", "columns"),
        "keep has no columns",
        "write columns: … (what stays; key columns do in any case. The others are set to null, or to what `set` says)",
    ),
    (
        "personal: false",
        "personal: no",
        ("tables", "app.products", "personal"),
        "personal is 'no', where true or false is expected",
        "write false",
    ),
    (
        "{personal: false, reason: catalogue}",
        "",
        ("tables", "app.products"),
        "app.products is empty, where a mapping or undecided is expected",
        "write {activity: …, erase: delete} or {personal: false, reason: …}, or take the line out",
    ),
    (
        "{personal: false, reason: catalogue}",
        "undecide",
        ("tables", "app.products"),
        "app.products is 'undecide', where a mapping or undecided is expected",
        "did you mean undecided?",
    ),
    (
        "app.products: ",
        "a.b.c:",
        ("tables", "a.b.c"),
        "'a.b.c' is no table",
        "write schema.table, with quotes around a name that holds a dot",
    ),
    ("app.products: ", "a,b.*:", ("tables", "a,b.*"), "'a,b.*' is no schema", "write schema.*"),
    (
        "app.products: ",
        "app.orders:",
        ("tables", "app.orders"),
        "app.orders stands here a second time, and one of the two would be lost",
        None,
    ),
    (
        "{json: user_id}",
        "{json_: user_id}",
        ("cache", "session:*", "holds", "json_"),
        "json_ is no word that can stand here",
        "did you mean json?",
    ),
    (
        "{json: user_id}",
        "{}",
        ("cache", "session:*", "holds"),
        "Nothing says where in the value the person stands",
        "write json, field or value",
    ),
    (
        '"leaderboard":        {member: "{id}"}',
        "patterns: {erase: delte}",
        ("cache", "patterns", "erase"),
        "erase is 'delte', where delete, expire, external_manual or undecided is expected",
        "did you mean delete?",
    ),
    ("PT30S", "30s", ("cache", "refill_max"), "'30s' is no period", "write P10Y, P6M, P35D or PT30S"),
    ("bucket: shop-uploads, ", "", ("objects", "uploads", "bucket"), "uploads has no bucket", "write bucket: …"),
    (
        "reason: catalogue",
        'reason: "a\\0b"',
        ("tables", "app.products", "reason"),
        "This text holds a character that no database keeps",
        None,
    ),
    (
        "reason: catalogue",
        'reason: "\\udc00"',
        ("tables", "app.products", "reason"),
        "This text holds a character that no database keeps",
        None,
    ),
    (
        "reason: catalogue",
        "reason: !ruby/object {}",
        ("tables", "app.products", "reason"),
        "The tag !ruby/object means nothing here",
        None,
    ),
    (
        "reason: catalogue",
        "reason: 1e999",
        ("tables", "app.products", "reason"),
        "1e999 is no number that can be kept",
        "put quotes around it",
    ),
    (
        "reason: catalogue",
        f"reason: {'9' * 5000}",
        ("tables", "app.products", "reason"),
        "999999999999999999999999999999999999999… is no number that can be kept",
        "put quotes around it",
    ),
    (
        "reason: catalogue",
        "reason: !!int many",
        ("tables", "app.products", "reason"),
        "many is no number that can be kept",
        "put quotes around it",
    ),
]


@pytest.mark.parametrize(("was", "now", "where", "message", "remedy"), WRONG, ids=[f"{w[1][:30]}" for w in WRONG])
def test_a_fault_is_one_sentence_at_its_place(
    was: str, now: str, where: tuple[str | int, ...], message: str, remedy: str | None
) -> None:
    fault = the_fault(was, now)
    assert (fault.where, fault.message, fault.remedy) == (where, message, remedy)
    assert fault.line == (2 if where == ("version",) and now else 3 if where == ("version",) else line_of(was))


@pytest.mark.parametrize(
    ("was", "now", "remedy"),
    [
        ("recipients: [AWS]", "recipients: nobody", "write [] for nobody"),
        ("recipients: [AWS]", "recipients: AWS", "write [AWS]"),
        ("{body: null, sender_id: null}", "nobodi", "did you mean nobody?"),
        ("{body: null, sender_id: null}", "[unlink]", "write unlink"),
        ("{email: user.contact.email}", "[email, name]", "write {email: …, name: …}"),
        ("{email: user.contact.email}", "email", "write {email: …}"),
        ("{email: user.contact.email}", "[7]", None),
        ("{email: user.contact.email}", "[]", None),
        ("{exception: 17(3)(b), columns: [number, total, issued_on]}", "true", "write {columns: …}"),
        ("personal: false", "personal: 'false'", "write false, without quotes"),
        ("personal: false", "personal: 'off'", "write false"),
        ("erase: delete, columns", "erase: nobody, columns", "write it at a link: links: {owner_id: {erase: nobody}}"),
        ("{personal: false, reason: catalogue}", "delete", "write {activity: …, erase: delete}"),
        ("{personal: false, reason: catalogue}", "true",
         "write {activity: …, erase: delete} or {personal: false, reason: …}"),
        ('"cart:{id}":          {}', '"cart:{id}": true', "write {activity: …}"),
        ('"cart:{id}":          {}', '"cart:{id}": delete', "write {activity: …, erase: delete}"),
        ('"cart:{id}":          {}', '"cart:{id}":', "write {activity: …}, or take the line out"),
        ("sender_id:    {erase: {body: null, sender_id: null}}", "sender_id: delete", "write {erase: delete}"),
        ("sender_id:    {erase: {body: null, sender_id: null}}", "sender_id: nobody", "write {erase: nobody}"),
        ("sender_id:    {erase: {body: null, sender_id: null}}", "sender_id:",
         "write {} if it is the key of a person, or actor, or take the line out"),
        ("{email: user.contact.email}", "{email: }",
         "write a category such as user.contact.email, or take the line out"),
    ],
)  # fmt: skip
def test_whoever_writes_another_kind_is_told_what_to_write(was: str, now: str, remedy: str | None) -> None:
    assert the_fault(was, now).remedy == remedy


def test_one_kind_of_person_and_several_are_told_apart() -> None:
    one = MAP.replace("subject:\n", "subjects:\n")
    lines = MAP.splitlines()
    start = lines.index("subject:")
    lines[start + 1 : start + 4] = ["  customer: {table: app.users, key: id}", "  guest: {table: app.guests, key: id}"]
    for text, where, remedy in (
        (one, "subjects", "write subject: in place of subjects:, or subjects: {customer: {table: …, key: …}}"),
        ("\n".join(lines), "subject", "write subjects:"),
    ):
        (fault,) = faults(text)
        assert (fault.where, fault.remedy) == ((where,), remedy)


NOT_YAML: list[tuple[str, str, tuple[int, int] | None, str]] = [
    ("tables:\n", "tables:\n\tapp.x: undecided\n", (15, 1), "A tab stands here, where YAML takes spaces only"),
    ("tables:\n", "tables\n", (14, 1), "After this key there is no colon"),
    ("tables:\n", "tables:\n   app.x: undecided\n", (16, 3), "This is not in line with what stands above it"),
    (
        "tables:\n",
        'tables:\n  app.x: {reason: "a\\qb"}\n',
        (15, 22),
        "A backslash in double quotes begins an escape, and this is none",
    ),
    ("tables:\n", "tables:\n  app.x: {reason: a: b}\n", (15, 20), "A colon stands here, within a value"),
    ("tables:\n", "tables:\n  app.x: a: b\n", (15, 11), "A colon stands here, within a value"),
    ("tables:\n", "tables:\n  app.x: {reason: @b}\n", (15, 19), "No value can begin with @"),
    ("tables:\n", "tables:\n  app.x: {reason: b\n", (15, 10), "This mapping is never closed, or lacks a comma"),
    ("tables:\n", "tables:\n  app.x: [b\n", (15, 10), "This list is never closed, or lacks a comma"),
    ("tables:\n", "tables:\n  app.x: *nowhere\n", (15, 10), "There is no anchor &nowhere above this alias"),
    ("tables:\n", "tables:\n  app.x: & b\n", (15, 11), "After & or * a name is expected"),
    ("tables:\n", "---\ntables:\n", (14, 1), "A second document begins here"),
    ("tables:\n", "tables:\n  [a]: b\n", (15, 3), "A key is no word"),
    ("tables:\n", 'tables:\n  "": b\n', (15, 3), "A key is empty"),
    ("tables:\n", "tables:\n  <<: 5\n", (15, 7), "After << the alias of a mapping is expected"),
    ("tables:\n", "tables: &t\n  <<: *t\n", (14, 9), "An alias here repeats itself without end"),
    ("objects:\n", "lists: &l [*l]\nobjects:\n", (30, 8), "An alias here repeats itself without end"),
    ("tables:\n", "tables:\x07\n", (14, 8), "U+0007 stands here, which YAML takes nowhere"),
    ("shop-uploads", '"shop-uploads', (31, 12), "This mapping is never closed, or lacks a comma"),
    ("objects:\n", "objects: 'x\n", None, "This quote is never closed"),
]


@pytest.mark.parametrize(("was", "now", "place", "message"), NOT_YAML, ids=[repr(n[1]) for n in NOT_YAML])
def test_what_is_no_yaml_is_told_where_one_would_look(
    was: str, now: str, place: tuple[int, int] | None, message: str
) -> None:
    fault = the_fault(was, now)
    assert fault.message == message
    assert place is None or (fault.line, fault.column) == place


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "{}"])
def test_an_empty_map_lacks_what_every_map_has(text: str) -> None:
    assert {fault.message for fault in faults(text)} == {"The map has no version", "The map has no controller"}
    assert {fault.line for fault in faults(text)} == {1}


def test_a_map_has_one_kind_of_subject_or_several_under_their_names() -> None:
    start, end = MAP.index("subject:"), MAP.index("activities:")
    both = MAP[:end] + "subjects: {guest: {table: app.guests, key: id}}\n" + MAP[end:]
    assert [f.message for f in faults(both)] == ["A map has either a subject, or several of them under subjects"]
    assert [f.line for f in faults(MAP[:start] + MAP[end:])] == [2]
    assert faults(MAP[:start] + "subjects: {}\n" + MAP[end:])[0].where == ("subjects",)


def test_all_faults_are_told_from_top_to_bottom() -> None:
    text = MAP.replace("erase: keep", "erase: kep").replace("version: 1", "version: 3").replace("PT30S", "30s")
    assert [fault.line for fault in faults(text)] == [2, line_of("erase: keep"), line_of("PT30S")]
    with pytest.raises(Unreadable) as caught:
        Document.parse(text, name="shop.yaml")
    assert str(caught.value) == "version is 3, where 1 is expected (2 more) at shop.yaml:2:1: run `gdpr map check`."


def test_a_fault_in_what_an_alias_repeats_is_told_where_it_was_written() -> None:
    text = MAP.replace("app.orders:    {", "app.orders: &o {").replace(
        "app.products:  {personal: false", "app.copy: *o\n  app.p: {personal: 5"
    )
    assert [f.line for f in faults(text)] == [line_of("app.products") + 1]
    twice = MAP.replace(
        "  app.orders:    {activity: account, erase: delete}", "  app.orders: &o {erase: x}\n  app.copy: *o"
    )
    assert {f.line for f in faults(twice)} == {line_of("app.orders")}


def test_faults_of_the_check_are_placed_at_the_nearest_line_above_them() -> None:
    document = Document.parse(MAP)
    below = Fault(code="x", message="x", where=("tables", "app.users", "columns", "name"))
    unknown = Fault(code="x", message="x", where=("nowhere", "at", "all"))
    whole = Fault(code="x", message="x")
    placed_below, placed_unknown, placed_whole = placed([below, unknown, whole], document.marks)
    assert (placed_below.line, placed_below.column) == document.marks["tables", "app.users", "columns"]
    assert (placed_unknown.line, placed_unknown.column) == document.marks[()]
    assert placed_whole.line == 0
    assert [f.where for f in document.placed([whole, below, unknown])] == [unknown.where, below.where, whole.where]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{','.join(['*' + chr(97 + n)] * 10)}]}}\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "Aliases here repeat too much"),
        (MERGE_BOMB, "Aliases here repeat too much"),
        ("[" * 10_000_000, "The map is larger than 4,000,000 characters"),
        ("[" * 1_000_000, "Things nest deeper than 50 levels here"),
        ("{a: " * 300_000, "Things nest deeper than 50 levels here"),
        ("- " * 300_000, "Things nest deeper than 50 levels here"),
        ("".join(" " * n + "a:\n" for n in range(500)), "Things nest deeper than 50 levels here"),
    ],
    ids=["aliases", "merges", "size", "lists", "mappings", "items", "indents"],
)
def test_a_hostile_file_ends_soon(text: str, message: str) -> None:
    (fault,) = faults(text)
    assert fault.message == message
    assert fault.line >= 1


def test_fifty_levels_are_deep_enough() -> None:
    assert faults("[" * 50 + "]" * 50)[0].code == "map.kind"
    assert faults("[" * 51 + "]" * 51)[0].message == "Things nest deeper than 50 levels here"


def test_a_pattern_of_keys_may_be_named_as_it_likes() -> None:
    text = MAP.replace("  refill_max: PT30S", "  patterns: {}\n  refill_maxx: {erase: kep}\n  cache: {erase: kept}")
    assert [f.where for f in faults(text)] == [("cache", "refill_maxx", "erase"), ("cache", "cache", "erase")]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, content, said in (
        (tmp_path / "none.yaml", None, "There is no such file"),
        (tmp_path, None, "The file cannot be read"),
        (tmp_path / "latin.yaml", MAP.encode("latin-1"), "The file is not UTF-8"),
        (tmp_path / "wide.yaml", MAP.encode("utf-16"), "The file is not UTF-8"),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(Misuse) as caught:
            Document.read(path)
        assert caught.value.what == said
        assert str(path) in str(caught.value)
    with pytest.raises(Misuse, match=rf"latin.yaml:{line_of('§')}"):
        Document.read(tmp_path / "latin.yaml")


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "datamap.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MAP.encode())
    assert Document.read(path).name == str(path)
    path.write_text("version: 2", encoding="utf-8")
    with pytest.raises(Unreadable, match=re.escape(f"{path}:1:1")):
        Document.read(path)


NOT_OURS = re.compile(r"Input should|pydantic|constrained|literal\[|dict\[|list\[|\btype=|<word>|<mapping>|\n")


def is_plain(fault: Fault, text: str) -> bool:
    """Whether a fault lies in the file, and speaks of nothing that is ours alone."""
    lines = text.splitlines() or [""]
    said = f"{fault.message} {fault.remedy} " + ("" if "<" in text else " ".join(fault.path.split()))
    return 1 <= fault.line <= len(lines) and fault.column >= 1 and not NOT_OURS.search(said) and bool(fault.message)


CHARACTERS = st.sampled_from("{}[]:,#&*!|>'\"%@`-?~\t\n\r \\.0aéñ\0\x7f\x85\u2028\ufeff\ud800😀<=") | st.characters()


@settings(max_examples=200)
@given(st.integers(0, len(MAP) - 1), CHARACTERS, st.integers(0, 1))
@example(0, "\0", 1)
@example(MAP.index("tables:"), "&", 0)
@example(MAP.index("id  "), "<", 0)
def test_any_other_character_anywhere_is_read_or_told(position: int, character: str, taken: int) -> None:
    text = MAP[:position] + character + MAP[position + taken :]
    try:
        Document.parse(text)
    except Unreadable as unreadable:
        assert all(is_plain(fault, text) for fault in unreadable.faults)  # noqa: PT017 - either of the two is right


@settings(max_examples=200)
@given(st.integers(0, len(MAP) - 1), st.integers(1, 200))
def test_any_gap_anywhere_is_read_or_told(position: int, length: int) -> None:
    text = MAP[:position] + MAP[position + length :]
    try:
        Document.parse(text)
    except Unreadable as unreadable:
        assert all(is_plain(fault, text) for fault in unreadable.faults)  # noqa: PT017 - either of the two is right


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(VALUES, st.data())
def test_any_value_in_the_place_of_another_is_read_or_told(value: object, data: st.DataObject) -> None:
    document = source.read(MAP).value
    where = data.draw(st.sampled_from(sorted((w for w in source.read(MAP).marks if w), key=str)))
    below = document
    for step in where[:-1]:
        below = below[step]
    below[where[-1]] = value
    text = json.dumps(document)
    try:
        Document.parse(text)
    except Unreadable as unreadable:
        assert all(is_plain(fault, text) for fault in unreadable.faults)  # noqa: PT017 - either of the two is right
