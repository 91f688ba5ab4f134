"""Bundles of entries (c2sp.org/tlog-tiles): 256 in an object, each behind its length, fewer in one that is not full."""

from __future__ import annotations

import re

from verifier.spelling import Misspelt

FULL = 256
LONGEST = FULL * (2 + 65535)  # bytes

_KEY = re.compile(r"((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


def folder(group: int) -> str:
    """Where the bundles lie whose index has these digits before its last three: with none before the first thousand."""
    path = ""
    while group:
        group, last = divmod(group, 1000)
        path = f"x{last:03}/{path}"
    return path


def name(index: int, width: int = FULL) -> str:
    group, last = divmod(index, 1000)
    return f"{folder(group)}{last:03}" + (f".p/{width}" if width < FULL else "")


def named(text: str) -> tuple[int, int] | None:
    """The index and the width of the bundle that has this name, where one has."""
    found = _KEY.fullmatch(text)
    if not found:
        return None
    groups, last, width = found.groups(default="")
    index, wide = int(groups.replace("x", "").replace("/", "") + last), int(width or FULL)
    return (index, wide) if name(index, wide) == text else None


def unpacked(raw: bytes, width: int) -> list[bytes]:
    """Exactly so many entries, and not a byte behind them."""
    bodies: list[bytes] = []
    end = 0
    for _ in range(width):
        start = end + 2
        end = start + int.from_bytes(raw[end:start], "big")
        bodies.append(raw[start:end])
    if end > len(raw):
        raise Misspelt(f"it ends before its {width} entries do")
    if end < len(raw):
        raise Misspelt(f"there is something behind its {width} entries")
    return bodies
