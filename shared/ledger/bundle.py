"""Entries outside the database, as C2SP tiles have them: 256 in an object, each behind its length.

They hold codes, counts and references like every entry, and are what a restored database is brought up from.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from shared.bucket import Bucket, TooLargeError
from shared.ledger.entry import LONGEST
from shared.ledger.tree import WIDTH

LARGEST = WIDTH * (2 + LONGEST)  # bytes of a bundle


def key(epoch: int, index: int, width: int = WIDTH) -> str:
    """Where a bundle lies: by its index in groups of three digits, with its width where it is not full yet."""
    groups: list[str] = []
    rest = index
    while rest or not groups:
        rest, last = divmod(rest, 1000)
        groups.insert(0, f"{last:03}")
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"{epoch}/tile/entries/{path}" + (f".p/{width}" if width < WIDTH else "")


def packed(bodies: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(body)) + body for body in bodies)


def read(bucket: Bucket, key: str, fits: Callable[[list[bytes]], bool]) -> list[bytes] | None:
    """Its entries, from the latest version that fits: what was put over it, or a mark of deletion, hides none."""
    for raw in _versions(bucket, key):
        try:
            bodies = unpacked(raw)
        except ValueError:
            continue
        if fits(bodies):
            return bodies
    return None


def _versions(bucket: Bucket, key: str) -> Iterator[bytes]:
    versions = (version for version in bucket.versions(key) if version.key == key and not version.is_deletion)
    for version in versions:
        try:
            raw = bucket.get(key, version=version.id or None, most=LARGEST)
        except TooLargeError:
            continue
        if raw is not None:
            yield raw


def unpacked(bundle: bytes) -> list[bytes]:
    """Raises ValueError where the bytes do not come out even."""
    bodies: list[bytes] = []
    at = 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at) if at + 2 <= len(bundle) else (len(bundle),)
        body = bundle[at + 2 : at + 2 + length]
        if len(body) != length:
            raise ValueError("a bundle of entries is cut off")
        bodies.append(body)
        at += 2 + length
    return bodies
