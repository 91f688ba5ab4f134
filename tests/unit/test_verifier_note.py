"""Notes and checkpoints as the verifier reads them: the published examples, and every way in which one may be wrong."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger import note as writer
from shared.ledger.note import LocalSigner
from tests.unit.test_note import PETER, PETERS_NOTE
from verifier.checkpoint import Checkpoint
from verifier.note import Forged, KeyInvalid, Keys, PublicKey, Unsigned, opened
from verifier.spelling import Misspelt

SIGNER = LocalSigner("shop-ledger", bytes(range(32)))
OTHER = LocalSigner("shop-ledger", bytes(range(1, 33)))
ROOT = base64.b64encode(bytes(range(32))).decode()
TEXT = f"shop-ledger/1\n109482\n{ROOT}\n"


def public(signer: LocalSigner) -> PublicKey:
    return PublicKey.parse(str(signer.public))


def keys(*signers: LocalSigner) -> Keys:
    return Keys([public(signer) for signer in signers])


def signed(text: str = TEXT, signers: Sequence[LocalSigner] = (SIGNER,)) -> str:
    return writer.sign(text, signers)


def test_a_note_that_another_implementation_signed_is_opened() -> None:
    note = opened(PETERS_NOTE.encode(), Keys([PublicKey.parse(PETER)]))
    assert note.text == PETERS_NOTE[: PETERS_NOTE.index("\n\n") + 1]
    assert [str(key) for key in note.signers] == ["PeterNeumann+c74f20a3"]


def test_the_last_empty_line_parts_the_text_from_the_signatures() -> None:
    assert opened(signed("one\n\nthree\n").encode(), keys(SIGNER)).text == "one\n\nthree\n"


def test_what_is_changed_anywhere_is_not_believed() -> None:
    note = signed().encode()
    for at in range(len(note)):
        for bit in range(8):
            with pytest.raises((Misspelt, Unsigned, Forged)):
                opened(note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :], keys(SIGNER))


def test_of_two_signatures_one_that_is_changed_never_counts() -> None:
    note, second = signed(signers=[SIGNER, OTHER]).encode(), len(signed().encode())
    for at in range(second, len(note)):
        changed = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        try:
            found = opened(changed, keys(SIGNER, OTHER))
        except (Misspelt, Forged):
            continue
        assert (found.text, found.signers) == (TEXT, (public(SIGNER),))  # the other claims to be of another key


@given(st.binary(max_size=200))
def test_no_bytes_bring_it_down(raw: bytes) -> None:
    with pytest.raises((Misspelt, Unsigned)):
        opened(raw, keys(SIGNER))


class TestSignatures:
    """Whose they are."""

    def test_one_by_an_unknown_key_is_passed_over(self) -> None:
        assert opened(signed(signers=[OTHER, SIGNER]).encode(), keys(SIGNER)).signers == (public(SIGNER),)

    def test_a_note_by_unknown_keys_alone_says_by_which(self) -> None:
        with pytest.raises(Unsigned) as raised:
            opened(signed(signers=[OTHER]).encode(), keys(SIGNER))
        assert raised.value.claimed == (str(public(OTHER)),)

    def test_a_key_of_the_same_name_or_the_same_id_alone_is_another_key(self) -> None:
        line = signed().splitlines()[-1]
        for name, raw in (("other", base64.b64decode(line.split()[2])), ("shop-ledger", b"abcd" + bytes(64))):
            note = f"{TEXT}\n\N{EM DASH} {name} {base64.b64encode(raw).decode()}\n"
            with pytest.raises(Unsigned):
                opened(note.encode(), keys(SIGNER))

    def test_a_wrong_one_of_a_known_key_spoils_the_whole_note(self) -> None:
        forged = signed("another\n", [OTHER]).splitlines(keepends=True)[-1]
        assert opened((signed() + forged).encode(), keys(SIGNER))
        with pytest.raises(Forged, match="not by that key"):
            opened((signed() + forged).encode(), keys(SIGNER, OTHER))

    def test_a_key_signs_once(self) -> None:
        with pytest.raises(Forged):
            opened((signed() + signed().splitlines(keepends=True)[-1]).encode(), keys(SIGNER))

    @pytest.mark.parametrize("length", [0, 1, 63, 65])
    def test_one_of_another_length_is_none(self, length: int) -> None:
        raw = base64.b64encode(public(SIGNER).id + bytes(length)).decode()
        with pytest.raises((Forged, Misspelt)):
            opened(f"{TEXT}\n\N{EM DASH} shop-ledger {raw}\n".encode(), keys(SIGNER))

    def test_sixteen_are_read_and_more_are_not(self) -> None:
        witnesses = [LocalSigner(f"witness{number}.example", bytes([number] * 32)) for number in range(1, 17)]
        assert opened(signed(signers=[*witnesses[:15], SIGNER]).encode(), keys(SIGNER))
        with pytest.raises(Misspelt, match="at most 16"):
            opened(signed(signers=[*witnesses, SIGNER]).encode(), keys(SIGNER))

    def test_base64_is_written_in_one_way(self) -> None:
        last = signed().rstrip("\n").split(" ")[-1]
        loose = last[:-2] + chr(ord(last[-2]) + 1) + "="
        assert base64.b64decode(loose) == base64.b64decode(last)
        for other in (loose, last.rstrip("="), last + "=", f"{last[:9]} {last[9:]}", last.replace(last[3], "-", 1)):
            with pytest.raises(Misspelt):
                opened(signed().replace(last, other).encode(), keys(SIGNER))


@pytest.mark.parametrize("letter", ["\0", "\t", "\r", "\x1b", "\x1f"])
def test_there_is_no_control_character_but_the_newline(letter: str) -> None:
    with pytest.raises(Misspelt, match="control character"):
        opened(signed().replace("shop", f"s{letter}op", 1).encode(), keys(SIGNER))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        b"\xff" + signed().encode(),
        signed()[:-1].encode(),
        (signed() + "\n").encode(),
        (signed() + " ").encode(),
        (signed() + "x\n").encode(),
        (signed() + "\N{EM DASH} a+b AAAAAAA=\n").encode(),
        (signed() + "\N{EM DASH} a\N{NO-BREAK SPACE}b AAAAAAA=\n").encode(),
        (signed() + "\N{EM DASH}  AAAAAAA=\n").encode(),
        signed("a long text\n" * 12_000).encode(),
        signed().replace("\n\n", "\n").encode(),
        signed().replace("\n\n", "\n\n\n").encode(),
        signed().replace("\N{EM DASH} ", "\N{EM DASH}").encode(),
        signed().replace("\N{EM DASH}", "-").encode(),
        signed().replace("\N{EM DASH} shop", "\N{EM DASH}  shop").encode(),
        signed().replace("\N{EM DASH} shop-", "\N{EM DASH} shop\N{NO-BREAK SPACE}").encode(),
        signed().replace("\n", "\r\n").encode(),
        signed().encode() + b"x" * 200_000,
    ],
)
def test_what_is_no_note_is_not_opened(note: bytes) -> None:
    with pytest.raises((Misspelt, Unsigned, Forged)):
        opened(note, keys(SIGNER))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PETER + "\n",
        " " + PETER,
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "PeterNeuman"),
        PETER.replace("PeterNeumann", ""),
        PETER.replace("+AR", "+BR"),  # another algorithm
        PETER[:-1],
        PETER + "=",
        PETER[:-1] + "X",
        SIGNER.as_text(),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyInvalid):
        PublicKey.parse(text)


def test_two_keys_are_never_one() -> None:
    class Colliding(PublicKey):
        @property
        def id(self) -> bytes:
            return b"same"

    assert len(Keys([public(SIGNER), public(SIGNER)])) == 1
    with pytest.raises(KeyInvalid, match="one name and one id"):
        Keys([Colliding(name="a", raw=bytes(32)), Colliding(name="a", raw=bytes([1] * 32))])


class TestCheckpoint:
    """The three lines."""

    def test_it_is_read(self) -> None:
        assert Checkpoint.parse(TEXT) == Checkpoint(origin="shop-ledger/1", size=109482, root=bytes(range(32)))
        assert Checkpoint.parse(TEXT + "nobody is to rely on this\n").size == 109482

    @pytest.mark.parametrize(
        "size",
        ["", "+5", "-1", "05", "00", " 5", "5 ", "٥", "1٥", "५", "²", "1e3", "0x5", "1_0", "9" * 20],  # noqa: RUF001
    )
    def test_a_size_is_digits(self, size: str) -> None:
        with pytest.raises(Misspelt):
            Checkpoint.parse(TEXT.replace("109482", size))

    @pytest.mark.parametrize(
        "root",
        [
            "",
            "AAAA",
            base64.b64encode(bytes(31)).decode(),
            base64.b64encode(bytes(33)).decode(),
            ROOT[:-2] + chr(ord(ROOT[-2]) + 1) + "=",
            ROOT.rstrip("="),
            ROOT + " ",
        ],
    )
    def test_a_root_is_a_hash(self, root: str) -> None:
        with pytest.raises(Misspelt):
            Checkpoint.parse(TEXT.replace(ROOT, root))

    @pytest.mark.parametrize(
        "text", ["", "\n\n\n", TEXT[:-1], TEXT + "x", TEXT + "\n", "\n" + TEXT, TEXT.replace("\n", "\n\n", 1)]
    )
    def test_no_line_is_empty_and_none_is_cut_off(self, text: str) -> None:
        with pytest.raises(Misspelt):
            Checkpoint.parse(text)
