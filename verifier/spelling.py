"""Numbers, hashes and bytes in text: each has exactly one spelling, so that two texts never say the same."""

from __future__ import annotations

import base64
import binascii
import re

HASH_SIZE = 32  # bytes

_NUMBER = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


class Misspelt(ValueError):
    """It is not written as the specification has it. Says what, and never quotes it."""


def number(text: str) -> int:
    """Decimal digits of ASCII, without a sign and without a zero before them."""
    if not _NUMBER.fullmatch(text):
        raise Misspelt("a number is not written as one")
    return int(text)


def unencoded(text: str) -> bytes:
    """Base64 of RFC 4648, section 4, with its padding and without a loose bit."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Misspelt("base64 is not written as such") from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise Misspelt("base64 is written in another way than the one")
    return raw


def hash_of(text: str) -> bytes:
    """SHA-256 in base64."""
    raw = unencoded(text)
    if len(raw) != HASH_SIZE:
        raise Misspelt(f"a hash has {HASH_SIZE} bytes")
    return raw


def text_of(raw: bytes) -> str:
    """UTF-8 whose only control character is the newline."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Misspelt("this is no UTF-8") from None
    if _CONTROL.search(text):
        raise Misspelt("there is a control character in it")
    return text
