"""Signed notes as C2SP specifies them (c2sp.org/signed-note), with Ed25519, read strictly."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from verifier.spelling import Misspelt, text_of, unencoded

LONGEST = 128 * 1024  # bytes: sixteen signatures, were they of the largest kind that is specified
_MOST_SIGNATURES = 16
_ED25519 = b"\x01"
_ID = re.compile("[0-9a-f]{8}", re.ASCII)

KeyId = tuple[str, bytes]  # a name and four bytes: what a line of signatures says about its key


class KeyInvalid(ValueError):
    """A text that is to be a public key is none."""


class Unsigned(Exception):
    """A note, and none of its signatures is by a key that we know. Says by which it claims to be."""

    def __init__(self, claimed: tuple[str, ...]) -> None:
        super().__init__("no key that is known has signed this note")
        self.claimed = claimed


class Forged(Exception):
    """A signature that names a key of ours is not by it."""


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """Whose signature counts."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        """What tells it from others, in few letters."""
        return _shown(self.name, self.id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """NAME+ID+KEY, as other implementations write it too."""
        fields = text.split("+", 2)
        if len(fields) != 3 or not _is_name(fields[0]) or not _ID.fullmatch(fields[1]):
            raise KeyInvalid("a key is written NAME+ID+KEY")
        try:
            typed = unencoded(fields[2])
        except Misspelt:
            raise KeyInvalid("a key's last part is base64") from None
        if typed[:1] != _ED25519 or len(typed) != 33:
            raise KeyInvalid("only Ed25519 keys are known")
        key = cls(name=fields[0], raw=typed[1:])
        if key.id.hex() != fields[1]:
            raise KeyInvalid("the key's id is not that of its name and bytes")
        return key

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        try:
            VerifyKey(self.raw).verify(text, signature)
        except (CryptoError, ValueError, TypeError):
            return False
        return True


class Keys(Mapping[KeyId, PublicKey]):
    """Those that an auditor has pinned, each found by what a signature says of it."""

    def __init__(self, keys: Collection[PublicKey]) -> None:
        self._known = {(key.name, key.id): key for key in keys}
        if len(self._known) < len(set(keys)):
            raise KeyInvalid("two keys have one name and one id")

    def __getitem__(self, key: KeyId) -> PublicKey:
        return self._known[key]

    def __iter__(self) -> Iterator[KeyId]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


@dataclass(frozen=True, kw_only=True)
class Note:
    """A text that keys of ours have signed."""

    text: str
    signers: tuple[PublicKey, ...]


def opened(raw: bytes, keys: Keys) -> Note:
    """What a note says, and who says so. Raises Misspelt, Unsigned or Forged; then nothing in it may be believed."""
    text, lines = _parted(raw)
    signatures = [_signature(line) for line in lines]
    signers: list[PublicKey] = []
    for name, key_id, signature in signatures:
        key = keys.get((name, key_id))
        if key is None:
            continue
        if key in signers or not key.has_signed(text.encode(), signature):
            raise Forged(f"a signature of {key} is not by that key")
        signers.append(key)
    if not signers:
        raise Unsigned(tuple(_shown(name, key_id) for name, key_id, _ in signatures))
    return Note(text=text, signers=tuple(signers))


def _parted(raw: bytes) -> tuple[str, list[str]]:
    """The text with its last newline, and the lines of signatures: the last empty line parts them."""
    if len(raw) > LONGEST:
        raise Misspelt("this is too long for a note")
    head, blank, tail = text_of(raw).rpartition("\n\n")
    if not blank or not head or not tail.endswith("\n"):
        raise Misspelt("a note is a text, an empty line, and lines of signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise Misspelt(f"a note has at most {_MOST_SIGNATURES} signatures")
    return head + "\n", lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    """Of a line: em dash, name, and base64 of the key's id and the signature."""
    fields = line.split(" ")
    if len(fields) != 3 or fields[0] != "\N{EM DASH}" or not _is_name(fields[1]):
        raise Misspelt("a line of signatures is an em dash, a name and base64")
    raw = unencoded(fields[2])
    if len(raw) < 5:
        raise Misspelt("a signature is longer than the id of its key")
    return fields[1], raw[:4], raw[4:]


def _is_name(text: str) -> bool:
    return bool(text) and "+" not in text and not any(letter.isspace() for letter in text)


def _shown(name: str, key_id: bytes) -> str:
    return f"{name[:80]}+{key_id.hex()}"  # whose length a stranger chose
