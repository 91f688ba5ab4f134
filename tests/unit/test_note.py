"""Signed notes and checkpoints: the published example, and every way in which one may be wrong."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.checkpoint import Checkpoint
from shared.ledger.note import LocalSigner, NoteInvalid, PublicKey, open_note, sign

# From the documentation of Go's note package, whose format C2SP's is.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SIGNER = LocalSigner("shop.example/ledger", bytes(range(32)))
OTHER = LocalSigner("shop.example/ledger", bytes(range(1, 33)))


def test_a_note_that_another_implementation_signed_is_opened() -> None:
    text = open_note(PETERS_NOTE, [PublicKey.parse(PETER)])
    assert text == PETERS_NOTE[: PETERS_NOTE.index("\n\n") + 1]


def test_a_key_is_written_as_it_was_read() -> None:
    assert str(PublicKey.parse(PETER)) == PETER
    assert LocalSigner.parse(SIGNER.as_text()).public == SIGNER.public
    assert LocalSigner.parse(SIGNER.as_text() + "\n").as_text() == SIGNER.as_text()


def test_a_signing_key_shows_itself_to_nobody() -> None:
    secret = base64.b64encode(bytes(range(32))).decode()[:20]
    for shown in (repr(SIGNER), str(SIGNER), str(vars(SIGNER))):
        assert secret not in shown
        assert bytes(range(8)).hex() not in shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another id
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another name
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another algorithm
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q",  # cut off
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        PublicKey.parse(text)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+name+00000000+AQ==", str(SIGNER.public)])
def test_what_is_no_signing_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        LocalSigner.parse(text)
    assert not text or text not in str(refused.value)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_opened_by_its_key_alone(words: str, seed: bytes) -> None:
    signer = LocalSigner("a.example/log", seed)
    note = sign(words + "\n", [signer])
    assert open_note(note, [signer.public]) == words + "\n"
    with pytest.raises(NoteInvalid, match="no key that is known"):
        open_note(note, [LocalSigner("a.example/log", bytes(32)).public] if seed != bytes(32) else [])


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign("one\n", [SIGNER]) == sign("one\n", [SIGNER])


def test_no_letter_of_a_note_can_be_changed() -> None:
    note = sign(Checkpoint(origin="shop.example/ledger", size=7, root=bytes(32)).text, [SIGNER])
    for at in range(len(note)):
        changed = note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]
        with pytest.raises(NoteInvalid):
            open_note(changed, [SIGNER.public])
        with pytest.raises(NoteInvalid):
            open_note(note[:at] + note[at + 1 :], [SIGNER.public])


class TestNote:
    """Rules of the specification."""

    text = "origin\n1\nroot\n"

    def test_a_signature_of_an_unknown_key_is_passed_over(self) -> None:
        assert open_note(sign(self.text, [OTHER, SIGNER]), [SIGNER.public]) == self.text

    def test_a_wrong_signature_of_a_known_key_spoils_the_note(self) -> None:
        good = sign(self.text, [SIGNER])
        forged = sign("another\n", [OTHER]).splitlines(keepends=True)[-1]
        assert open_note(good + forged, [SIGNER.public]) == self.text
        with pytest.raises(NoteInvalid, match="not of this text"):
            open_note(good + forged, [SIGNER.public, OTHER.public])

    def test_the_same_key_signs_once(self) -> None:
        good = sign(self.text, [SIGNER])
        with pytest.raises(NoteInvalid, match="not of this text"):
            open_note(good + good.splitlines(keepends=True)[-1], [SIGNER.public])

    def test_sixteen_signatures_are_read_and_more_are_not(self) -> None:
        others = [LocalSigner(f"witness{number}.example", bytes([number] * 32)) for number in range(1, 17)]
        assert open_note(sign(self.text, [*others[:15], SIGNER]), [SIGNER.public]) == self.text
        with pytest.raises(NoteInvalid, match="1 to 16"):
            open_note(sign(self.text, [*others, SIGNER]), [SIGNER.public])

    @pytest.mark.parametrize("tail", ["\n", " ", "trailing", "\x00", "— x \n", "— shop.example/ledger !!!!\n"])
    def test_nothing_may_follow(self, tail: str) -> None:
        with pytest.raises(NoteInvalid):
            open_note(sign(self.text, [SIGNER]) + tail, [SIGNER.public])

    @pytest.mark.parametrize("letter", ["\t", "\r", "\x00", "\x1b"])
    def test_control_characters_are_neither_signed_nor_read(self, letter: str) -> None:
        with pytest.raises(ValueError, match="control character"):
            sign(f"a{letter}b\n", [SIGNER])
        with pytest.raises(NoteInvalid, match="control characters"):
            open_note(sign(self.text, [SIGNER]).replace("origin", f"o{letter}rigin"), [SIGNER.public])

    def test_a_signature_is_written_in_one_way_only(self) -> None:
        note = sign(self.text, [SIGNER])
        *_, last = note.rstrip("\n").split(" ")
        raw = base64.b64decode(last)
        assert last.endswith("=")
        loose = last[:-2] + chr(ord(last[-2]) + 1) + "="  # the same bytes with other bits behind them
        assert base64.b64decode(loose) == raw
        with pytest.raises(NoteInvalid):
            open_note(note.replace(last, loose), [SIGNER.public])


class TestCheckpoint:
    """The three lines."""

    checkpoint = Checkpoint(origin="shop.example/ledger", size=109482, root=bytes(range(32)))

    def test_it_is_read_as_it_was_written(self) -> None:
        assert Checkpoint.parse(self.checkpoint.text) == self.checkpoint
        note = sign(self.checkpoint.text, [SIGNER])
        assert Checkpoint.open(note, [SIGNER.public], origin="shop.example/ledger") == self.checkpoint

    def test_one_of_another_log_is_none_of_ours(self) -> None:
        note = sign(self.checkpoint.text, [SIGNER])
        with pytest.raises(NoteInvalid, match="another log"):
            Checkpoint.open(note, [SIGNER.public], origin="shop.example/ledger/2")

    def test_an_extension_line_is_kept_behind_the_three(self) -> None:
        found = Checkpoint.parse(self.checkpoint.text + "whatever\n")
        assert found == replace(self.checkpoint, extensions=("whatever",))
        assert found.text == self.checkpoint.text + "whatever\n"

    @pytest.mark.parametrize("size", ["", "+5", "-1", "05", " 5", "5 ", "٥", "1e3", "9" * 20])  # noqa: RUF001
    def test_a_size_is_a_plain_number(self, size: str) -> None:
        with pytest.raises(NoteInvalid):
            Checkpoint.parse(self.checkpoint.text.replace("109482", size))

    @pytest.mark.parametrize(
        "root", ["", "AAAA", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()]
    )
    def test_a_root_is_a_hash(self, root: str) -> None:
        lines = self.checkpoint.text.split("\n")
        with pytest.raises(NoteInvalid):
            Checkpoint.parse("\n".join([*lines[:2], root, *lines[3:]]))
