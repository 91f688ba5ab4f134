"""Signed notes of C2SP with Ed25519: the form of a checkpoint, which tools read that nobody here wrote."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

ED25519 = b"\x01"
MOST_SIGNATURES = 16


class NoteInvalid(ValueError):
    """It is no note, or no signature on it is of a key that we know, or one that claims to be is not."""


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """Whose signature counts. Its text is what auditors pin."""

    name: str
    key: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name) or len(self.key) != 32:
            raise ValueError("a key has a name without spaces and plus signs, and 32 bytes")

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encoded(ED25519 + self.key)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """NAME+ID+KEY, as Go's note package and others write it."""
        name, _, rest = text.partition("+")
        identifier, _, encoded = rest.partition("+")
        raw = _decoded(encoded)
        if raw[:1] != ED25519:
            raise ValueError("only Ed25519 keys are known")
        key = cls(name=name, key=raw[1:])
        if identifier != key.id.hex():
            raise ValueError("the key's id is not that of its name and bytes")
        return key

    def verifies(self, text: bytes, signature: bytes) -> bool:
        try:
            VerifyKey(self.key).verify(text, signature)
        except (BadSignatureError, ValueError, TypeError):
            return False
        return True


class Signer(Protocol):
    """Who signs checkpoints."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, text: bytes) -> bytes:
        """64 bytes; the same for the same text, so that publishing again writes the same note."""


class LocalSigner:
    """A key that this process holds. Never shown: neither in an error nor in a repr."""

    PREFIX = "PRIVATE+KEY+"

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = PublicKey(name=name, key=bytes(self._key.verify_key))

    @classmethod
    def generate(cls, name: str) -> Self:
        return cls(name, bytes(SigningKey.generate()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """PRIVATE+KEY+NAME+ID+SEED, as it lies in the key's object."""
        fields = text.strip().removeprefix(cls.PREFIX).split("+", 2)
        try:
            name, identifier, encoded = fields
            raw = _decoded(encoded)
        except ValueError:
            raise ValueError("this is no signing key: it begins with PRIVATE+KEY+") from None
        if not text.startswith(cls.PREFIX) or raw[:1] != ED25519 or len(raw) != 33:
            raise ValueError("this is no Ed25519 signing key")
        signer = cls(name, raw[1:])
        if signer.public.id.hex() != identifier:
            raise ValueError("the key's id is not that of its name and bytes")
        return signer

    def as_text(self) -> str:
        """What `parse` takes. A secret."""
        return f"{self.PREFIX}{self.public.name}+{self.public.id.hex()}+{_encoded(ED25519 + bytes(self._key))}"

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text).signature


def sign(text: str, signers: Iterable[Signer]) -> str:
    """The note: the text, a blank line, and a line for each signature."""
    if not text.endswith("\n") or any(ord(letter) < 32 and letter != "\n" for letter in text):
        raise ValueError("a note's text ends with a newline and has no other control character")
    raw = text.encode()
    return f"{text}\n" + "".join(
        f"— {signer.public.name} {_encoded(signer.public.id + signer.sign(raw))}\n" for signer in signers
    )


def open_note(note: str, keys: Collection[PublicKey]) -> str:
    """The text, once a key that we know has signed it and none that we know is claimed wrongly."""
    text, signatures = _parted(note)
    known = {(key.name, key.id): key for key in keys}
    seen: set[tuple[str, bytes]] = set()
    for name, identifier, signature in signatures:
        key = known.get((name, identifier))
        if key is None:
            continue
        if (name, identifier) in seen or not key.verifies(text.encode(), signature):
            raise NoteInvalid(f"the signature of {name} is not of this text")
        seen.add((name, identifier))
    if not seen:
        raise NoteInvalid("no key that is known has signed this note")
    return text


def _parted(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if any(ord(letter) < 32 and letter != "\n" for letter in note):
        raise NoteInvalid("a note has no control characters but newlines")
    head, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or not head or lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteInvalid(f"a note is a text, a blank line and 1 to {MOST_SIGNATURES} signatures")
    return head + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = _decoded(encoded)
    except ValueError:
        raw = b""
    if dash != "—" or not _is_name(name) or len(raw) < 5:
        raise NoteInvalid("a line of a note's signatures is none")
    return name, raw[:4], raw[4:]


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(text: str) -> bytes:
    """Exactly as it would be encoded: two notes that differ have two texts."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    if _encoded(raw) != text:
        raise ValueError("no canonical base64")
    return raw
