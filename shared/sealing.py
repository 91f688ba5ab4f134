"""Whom a request is about, sealed for its later steps; and what the suite calls people without naming them.

A seal is bound to its request: moved to another one it does not open (threat model A7).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from shared.errors import Refused

_SEALED = b"gdpr/request/1\x00"


class SealBroken(Refused):
    """It was sealed for another request, or under a key that is gone."""

    code = "seal_broken"


class Seal:
    """The first key seals, and each of them opens."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._boxes = [Aead(key) for key in keys]

    def close(self, said: Mapping[str, Any], *, about: str) -> bytes:
        return bytes(self._boxes[0].encrypt(canonical(said), _SEALED + about.encode()))

    def open(self, sealed: bytes, *, about: str) -> dict[str, Any]:
        for box in self._boxes:
            try:
                said: dict[str, Any] = json.loads(box.decrypt(sealed, _SEALED + about.encode()))
            except (CryptoError, ValueError):
                continue
            return said
        raise SealBroken(
            "Whom this request is about cannot be unsealed", remedy="put back the key `sealing` that was in use"
        )


def canonical(said: object) -> bytes:
    """The same bytes for the same content."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def person_id(key: bytes, *, kind: str, named: Mapping[str, str]) -> bytes:
    """What schema gdpr calls somebody: an HMAC of their key, or of the identities of who has none."""
    return hmac.digest(key, b"gdpr/person/1\x00" + canonical([kind, dict(named)]), sha256)


def subject_ref(key: bytes, *, person: bytes) -> str:
    """What the ledger calls somebody, under a random key of their own that can be deleted."""
    return hmac.digest(key, b"gdpr/ledger/subject/1\x00" + person, sha256).hex()


def mark(key: bytes, said: object) -> bytes:
    """Tells apart what was sent from something else, for as long as the key is kept."""
    return hmac.digest(key, b"gdpr/mark/1\x00" + canonical(said), sha256)
