"""Entries and bundles as the verifier reads them: in one form only, however fast."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.ledger import bundle as writer
from tests.unit.test_entry import SAID, an_entry
from verifier import bundle
from verifier.entry import Entries, EntryMalformed, said
from verifier.spelling import Misspelt

FULL = an_entry(**SAID).body


def encoded(fields: Any) -> bytes:
    return b"\x01" + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


FIELDS: dict[str, Any] = json.loads(FULL[1:])
ALWAYS = ("at", "event", "kind", "writer")


def test_what_the_writer_wrote_is_read() -> None:
    assert said(FULL) == FIELDS
    assert said(an_entry().body)["kind"] == "record.made"


MALFORMED = [
    b"",
    b"\x01",
    b"\x02" + FULL[1:],
    FULL[1:],
    FULL + b"\n",
    FULL[:-1],
    FULL + FULL[1:],
    FULL.replace(b",", b", ", 1),
    FULL.replace(b'"size":12', b'"size": 12'),
    FULL.replace(b'"size":12', b'"size":12.0'),
    FULL.replace(b'"size":12', b'"size":1.2e1'),
    FULL.replace(b'"size":12', b'"size":012'),
    FULL.replace(b'"size":12', b'"size":-0'),
    FULL.replace(b'"size":12', b'"size":NaN'),
    FULL.replace(b'"size":12', b'"size":' + b"1" * 5000),
    FULL.replace(b"drift", b"dr\\u0069ft"),
    FULL.replace(b"drift", b"dr\\/ft"),
    FULL.replace(b"drift", b"dr\xc3\xafft"),
    FULL.replace(b"drift", b"dr\nft"),
    FULL.replace(b'"code":"drift",', b'"code":"drift","code":"drift",'),
    FULL.replace(b'"code":"drift",', b'"code":"other","code":"drift",'),
    FULL.replace(b'{"deleted":3}', b'{"deleted":3,"deleted":3}'),
    FULL.replace(b'"code":"drift",', b"").replace(b'"at":', b'"code":"drift","at":'),
    FULL.replace(b'"app.orders":{"deleted":3},"session%3A%2A":{"deleted":1}', b'"b":{"deleted":1},"a":{"deleted":1}'),
    encoded([FIELDS]),
    encoded("text"),
    b"\x01null",
    b"\x01" + b"[" * 100_000,
    b"\x01" + b'{"a":' * 100_000,
    b"\x01\xff\xfe",
    *(encoded({key: value for key, value in FIELDS.items() if key != field}) for field in ALWAYS),
    *(encoded(FIELDS | {field: None}) for field in ALWAYS),
    *(encoded(FIELDS | {field: 1}) for field in ALWAYS),
    *(encoded(FIELDS | {field: "X"}) for field in ALWAYS),
    *(encoded(FIELDS | {field: [FIELDS[field]]}) for field in ALWAYS),
    encoded(FIELDS | {"at": "2026-13-20T09:30:00.123Z"}),
    encoded(FIELDS | {"at": "2026-11-20T24:30:00.123Z"}),
    encoded(FIELDS | {"at": "2026-11-20T09:30:00.123Z\n"}),
    encoded(FIELDS | {"at": "2026-11-20T09:30:00.123+00:00"}),
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_written_otherwise_is_malformed_also_once_its_form_is_known(body: bytes) -> None:
    with pytest.raises(EntryMalformed):
        said(body)
    entries = Entries()
    for _ in range(2):
        entries.told(FULL)
        with pytest.raises(EntryMalformed):
            entries.told(body)


def test_what_is_wrong_is_said_without_what_stands_there() -> None:
    for body in MALFORMED:
        with pytest.raises(EntryMalformed) as raised:
            said(body)
        assert "drift" not in str(raised.value)


NAMES = st.text('ab"\\{}:,0 é', max_size=3)
COUNTS = st.integers(-2, 12) | st.integers(10**17, 10**20)
VALUES = st.recursive(
    NAMES | COUNTS | st.none() | st.booleans() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
LIKE = st.fixed_dictionaries({}, optional={"rows": VALUES, "code": NAMES, "size": COUNTS, "versions": VALUES})


def is_right(body: bytes) -> bool:
    try:
        said(body)
    except EntryMalformed:
        return False
    return True


@given(
    st.lists(
        st.tuples(LIKE, st.integers(0, 400), st.sampled_from([b"", b" ", b'"', b"}", b"{", b"0", b":0,"])), max_size=8
    )
)
@example([({"rows": {"a:0,": 0, "a:0,b": 0}}, 0, b""), ({"rows": {"a:9,": 0, "a:1,b": 0}}, 0, b"")])
@example([({"rows": {'a":0,': 0, 'a":0,b': 0}}, 0, b""), ({"rows": {'a":9,': 0, 'a":1,b': 0}}, 0, b"")])
def test_reading_fast_finds_what_reading_slowly_does(entries: list[tuple[dict[str, Any], int, bytes]]) -> None:
    fast = Entries()
    always = {key: FIELDS[key] for key in ALWAYS}
    for more, at, inserted in entries:
        whole = encoded(always | more)
        unsorted = b"\x01" + json.dumps(always | more, separators=(",", ":")).encode()
        within = {key: reversed_(of) for key, of in sorted((always | more).items())}
        backwards = b"\x01" + json.dumps(within, separators=(",", ":")).encode()
        for body in (whole, whole[:at] + inserted + whole[at:], unsorted, backwards, whole[:at] + whole[at + 1 :]):
            try:
                fast.told(body)
            except EntryMalformed:
                assert not is_right(body)
            else:
                assert is_right(body)


def reversed_(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_(of) for key, of in sorted(value.items(), reverse=True)}
    return value


def test_entries_about_the_ledger_are_told_each_time_and_others_are_not() -> None:
    entries = Entries()
    anchored = encoded(FIELDS | {"kind": "ledger.anchored"})
    assert [entries.told(body) for body in (FULL, anchored, FULL, anchored)] == [
        None,
        FIELDS | {"kind": "ledger.anchored"},
        None,
        FIELDS | {"kind": "ledger.anchored"},
    ]


def test_however_many_forms_there_are_it_keeps_few() -> None:
    entries = Entries()
    for number in range(100):
        entries.told(encoded(FIELDS | {f"field{number}": 1}))
    assert len(entries._forms) == 32
    for name in ("x" * 1000, *(f"table{number}" for number in range(5100))):
        entries.told(encoded(FIELDS | {"field0": 1, "rows": {name: {"deleted": 1}}}))
    assert len(entries._tables) == 5000
    assert max(map(len, entries._tables)) < 1000


# Bundles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 999, 1000, 1001, 999_999, 1_000_000, 1_234_067, 10**12])
@pytest.mark.parametrize("width", [1, 255, 256])
def test_a_bundle_has_the_name_that_the_writer_gives_it_and_is_found_by_it(index: int, width: int) -> None:
    name = writer.key(1, index, width).removeprefix("1/tile/entries/")
    assert bundle.name(index, width) == name
    assert bundle.named(name) == (index, width)
    assert name.startswith(bundle.folder(index // 1000))


@pytest.mark.parametrize(
    "name",
    ["", "0", "00", "0000", "000.p/0", "000.p/256", "000.p/257", "000.p/01", "000.p", "000.p/", "000/", "x000/000",
     "x00/000", "x001/x000", "x001x000/000", "000.p/1/2", "000\n", "٠٠٠", "000.p/٥", "-01", "+01"],  # noqa: RUF001
)  # fmt: skip
def test_what_is_no_name_of_a_bundle_names_none(name: str) -> None:
    assert bundle.named(name) is None


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_holds_so_many_entries_and_no_byte_more(bodies: list[bytes]) -> None:
    raw = writer.packed(bodies)
    assert bundle.unpacked(raw, len(bodies)) == bodies
    for wrong in (raw + b"\0", raw + b"\0\0", raw[:-1], b"", raw + raw, b"\xff\xff" + raw):
        with pytest.raises(Misspelt):
            bundle.unpacked(wrong, len(bodies))
    for width in (len(bodies) - 1, len(bodies) + 1):
        with pytest.raises(Misspelt):
            bundle.unpacked(raw, width)


def test_lengths_are_two_bytes_the_larger_first() -> None:
    assert bundle.unpacked(struct.pack(">H", 300) + b"x" * 300 + b"\x00\x00", 2) == [b"x" * 300, b""]
    assert len(bundle.unpacked(b"\xff\xff" + bytes(65535), 1)[0]) == 65535
