"""How many of something, in words that agree: `1 row`, `2 rows`."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """With the noun in its right form; each of ours takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str]) -> str:
    """`a` · `a and b` · `a, b and c`"""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
