"""What an entry of the ledger may say, and that it is always said in the same bytes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.entry import SHAPES, Entry, EntryInvalid, dataset, instant
from shared.queries import SQL

EVENT = UUID("5d3c1c5e-0000-4000-8000-000000000001")
AT = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)
SAID: dict[str, Any] = {
    "request": "5d3c1c5e-0000-4000-8000-000000000002",
    "subject": "ab" * 32,
    "right": "erasure",
    "status": "completed",
    "code": "drift",
    "role": "privacy-officer",
    "method": "session",
    "reasons": ["JustificationA12Complexity"],
    "rows": {"app.orders": {"deleted": 3}, "session%3A%2A": {"deleted": 1}},
    "deadlines": {"due_nominal": "2026-12-20", "calendar": "DE@holidays-0.108"},
    "version": "s3.v1",
    "versions": {"code": "0.1.0", "plan": "ab" * 32},
    "digest": "cd" * 32,
    "detail": "ef" * 32,
    "origin": "shop.example/ledger/1",
    "size": 12,
    "root": "00" * 32,
    "note": "11" * 32,
    "key": "22" * 32,
}


def an_entry(**said: Any) -> Entry:
    return Entry(event=EVENT, kind="record.made", writer="gdpr_audit", at=AT, said=said)


def test_every_field_may_be_said_and_is_read_as_it_was() -> None:
    entry = an_entry(**SAID)
    read = Entry.parse(entry.body)
    assert read.body == entry.body
    assert read.said == SAID
    assert (read.event, read.kind, read.writer) == (EVENT, "record.made", "gdpr_audit")


def test_the_bytes_are_a_version_and_sorted_json_without_a_blank() -> None:
    assert an_entry(size=1, code="x").body == (
        b'\x01{"at":"2026-11-20T09:30:00.123Z","code":"x","event":"5d3c1c5e-0000-4000-8000-000000000001",'
        b'"kind":"record.made","size":1,"writer":"gdpr_audit"}'
    )


def test_the_same_instant_is_written_alike_in_every_zone() -> None:
    assert instant(AT) == instant(AT.astimezone(timezone(timedelta(hours=-7)))) == "2026-11-20T09:30:00.123Z"
    with pytest.raises(EntryInvalid, match="time zone"):
        instant(AT.replace(tzinfo=None))


def test_program_and_database_know_the_same_fields() -> None:
    listed = re.search(
        r"insert into gdpr\.entry_field \(field\) values(.+?);", (SQL / "schema.sql").read_text(), re.DOTALL
    )
    assert listed
    assert set(re.findall(r"'([a-z_]+)'", listed[1])) == set(SHAPES)


PERSONAL = st.sampled_from(
    ["Lena Ortiz", "lena@example.org", "+491701234567", "José", "an angry\nletter", "10.0.0.1/x y"]
)


@given(st.sampled_from(sorted(SHAPES)), PERSONAL)
def test_what_people_write_fits_no_field(field: str, value: str) -> None:
    for said in (value, [value], {value: {"deleted": 1}}, {"app.users": {value: 1}}, {"code": value}, {value: "x"}):
        with pytest.raises(EntryInvalid) as refused:
            an_entry(**{field: said})
        assert value not in str(refused.value)


@given(st.text(min_size=1), st.text() | st.integers() | st.none())
def test_a_field_that_is_not_on_the_list_is_refused_without_being_named(field: str, value: object) -> None:
    if field not in SHAPES:
        with pytest.raises(EntryInvalid, match=r"^a ledger entry has no such field$"):
            an_entry(**{field: value})


@pytest.mark.parametrize("value", [True, 1.0, -1, 2**53, "1", None, [1]])
def test_a_count_is_a_count(value: object) -> None:
    with pytest.raises(EntryInvalid, match="field size"):
        an_entry(size=value)


class Text(str):
    """What claims to be a text and could say something else when it is written."""

    __slots__ = ()


def test_what_only_claims_to_be_a_text_is_none() -> None:
    with pytest.raises(EntryInvalid):
        an_entry(code=Text("fine"))


def test_the_four_that_every_entry_has_are_not_said_twice() -> None:
    with pytest.raises(EntryInvalid, match="not said twice"):
        an_entry(kind="erasure.completed")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"\x02" + body[1:],
        lambda body: body.replace(b",", b", ", 1),
        lambda body: body.replace(b'"size":12', b'"size":12.0'),
        lambda body: body.replace(b'"size":12', b'"size":1.2e1'),
        lambda body: body.replace(b"deleted", b"d\\u0065leted"),
        lambda body: body.replace(b'"code":"drift",', b'"code":"drift","code":"drift",'),
        lambda body: body.replace(b".123Z", b".123+00:00"),
        lambda body: body + b"\n",
        lambda body: body[:-1],
        lambda body: b"\x01[]",
        lambda body: b"\x01" + b"[" * 100_000,
        lambda body: b"\x01{}",
        lambda body: b"\x01\xff",
        lambda body: b"",
    ],
)
def test_an_entry_is_read_byte_by_byte(change: Any) -> None:
    with pytest.raises(EntryInvalid):
        Entry.parse(change(an_entry(**SAID).body))


@given(st.text(max_size=63))
def test_a_name_of_a_table_becomes_plain_letters_and_stays_apart_from_others(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    written = dataset(name)
    if name:
        assert an_entry(rows={written: {"deleted": 1}})
    assert json.dumps(written).isascii()


def test_an_entry_is_bounded() -> None:
    with pytest.raises(EntryInvalid, match="at most 65535 bytes"):
        _ = an_entry(rows={f"app.{'t' * 200}{number}": {"deleted": number} for number in range(400)}).body
