"""The keys that lie outside the database, each an object that only those functions may read that need it.

    ledger     signs checkpoints: lines of PRIVATE+KEY+… or KMS+…, each of which signs, the last the newest; and of
               retired keys as NAME+ID+…, whose signatures count for ever; audit_logging's alone
    sealing    seals identities for later steps (A7): 32 bytes in base64 a line, the first in use, all of them open
    person     makes people's ids in schema gdpr: 32 bytes in base64; another one would make strangers of everybody

On AWS they are SSE-KMS objects behind the gateway endpoint. Nothing here shows a key: neither an error nor a repr.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shared.bucket import Bucket, KeyTakenError
from shared.errors import Misuse
from shared.ledger.kms import KmsSigner
from shared.ledger.note import LocalSigner, PublicKey, Signer

LEDGER, SEALING, PERSON = "ledger", "sealing", "person"
BYTES = 32

T = TypeVar("T")


class KeyMissing(Misuse):
    code = "key_missing"


class KeyInvalid(Misuse):
    code = "key_invalid"


@dataclass(frozen=True, kw_only=True)
class LedgerKeys:
    """Who signs checkpoints, and whose signatures count."""

    signers: tuple[Signer, ...]
    known: tuple[PublicKey, ...]  # in the order in which they came


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Where they lie. Each is read when it is asked for."""

    bucket: Bucket = field(repr=False)

    def ledger(self) -> LedgerKeys:
        keys = [self._read(LEDGER, _of_ledger, line) for line in self._lines(LEDGER)]
        signers = tuple(key for key in keys if not isinstance(key, PublicKey))
        if not signers:
            raise KeyInvalid(f"The key {LEDGER!r} signs nothing", where=self.bucket.where, remedy="add a signing key")
        known = tuple(key if isinstance(key, PublicKey) else key.public for key in keys)
        return LedgerKeys(signers=signers, known=known)

    def sealing(self) -> Sequence[bytes]:
        return [self._read(SEALING, _raw, line) for line in self._lines(SEALING)]

    def person(self) -> bytes:
        lines = self._lines(PERSON)
        if len(lines) != 1:
            raise KeyInvalid(
                f"The key {PERSON!r} is one line", where=self.bucket.where, remedy="put back the one that was there"
            )
        return self._read(PERSON, _raw, lines[0])

    def make(self, *, log: str) -> list[str]:
        """Make those that are missing, and none that is there; their names."""
        new = {
            LEDGER: LocalSigner.generate(log).as_text(),
            SEALING: base64.b64encode(os.urandom(BYTES)).decode(),
            PERSON: base64.b64encode(os.urandom(BYTES)).decode(),
        }
        made: list[str] = []
        for name, text in new.items():
            try:
                self.bucket.put_new(name, f"{text}\n".encode())
            except KeyTakenError:
                continue
            made.append(name)
        return made

    def rotate_ledger(self, *, kms: str | None = None) -> PublicKey:
        """One more key signs from now on, beside those that do; a key of KMS, if one is named. Its public part."""
        name = self.ledger().known[0].name
        signer = KmsSigner.of(kms, name=name) if kms else LocalSigner.generate(name)
        self._write(LEDGER, [*self._lines(LEDGER), signer.as_text()])
        return signer.public

    def retire_ledger(self) -> list[PublicKey]:
        """Of the keys that sign, the newest alone signs from now on. The others', whose signatures still count."""
        *old, _ = self.ledger().signers
        retired = {signer.public for signer in old}
        keys = {line: self._read(LEDGER, _of_ledger, line) for line in self._lines(LEDGER)}
        public = {line: key if isinstance(key, PublicKey) else key.public for line, key in keys.items()}
        self._write(LEDGER, [str(public[line]) if public[line] in retired else line for line in keys])
        return [key for key in public.values() if key in retired]

    def rotate_sealing(self) -> None:
        """What is sealed from now on is sealed with a new key. The older ones still open what they have sealed."""
        self.sealing()
        self._write(SEALING, [base64.b64encode(os.urandom(BYTES)).decode(), *self._lines(SEALING)])

    def _write(self, name: str, lines: Sequence[str]) -> None:
        self.bucket.put(name, "".join(f"{line}\n" for line in lines).encode())

    def _lines(self, name: str) -> list[str]:
        raw = self.bucket.get(name)
        lines = (raw or b"").decode("ascii", errors="replace").split()
        if not lines:
            raise KeyMissing(f"There is no key {name!r}", where=self.bucket.where, remedy="`gdpr keys make` makes it")
        return lines

    def _read(self, name: str, read: Callable[[str], T], line: str) -> T:
        try:
            return read(line)
        except ValueError:
            raise KeyInvalid(
                f"A line of the key {name!r} is none", where=self.bucket.where, remedy="put back what was there"
            ) from None


def _of_ledger(line: str) -> LocalSigner | KmsSigner | PublicKey:
    if line.startswith(LocalSigner.PREFIX):
        return LocalSigner.parse(line)
    return KmsSigner.parse(line) if line.startswith(KmsSigner.PREFIX) else PublicKey.parse(line)


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    if len(raw) != BYTES:
        raise ValueError("no key of 32 bytes")
    return raw
