"""Which known word a misspelt one means: letters swapped, left out or doubled, a plural, another schema. No guesses.

A suggestion that is far-fetched is worse than none: whoever follows it binds other people's rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is meant, if one is near enough."""
    found = [(distance, each) for each in known if (distance := _between(word, each)) is not None]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _between(word: str, known: str) -> int | None:
    """How many slips lie between two names; None where they are not one name. A schema may be another, or missing."""
    *above, name = word.split(".")
    *others, meant = known.split(".")
    distance = _slips(name, meant)
    if distance is None:
        return None
    apart = _slips(".".join(above), ".".join(others)) if above else 0
    if apart is None:
        return 1 if distance == 0 else None
    return 2 * distance + apart


def _slips(one: str, other: str) -> int | None:
    """None where there are too many of them; `created_by` is not `created_at`, though only two letters differ."""
    first, second = _words(one), _words(other)
    if len(first) == len(second) > 1 and any(_slips(*pair) is None for pair in zip(first, second, strict=True)):
        return None
    distance = _distance("".join(first), "".join(second))
    return distance if distance <= _allowed(max(len("".join(first)), len("".join(second)))) else None


def _words(text: str) -> list[str]:
    return [each.lower() for each in _WORD.findall(_CAPITAL.sub("_", text))]


def _allowed(length: int) -> int:
    return (length + 1) // 4


def _distance(one: str, other: str) -> int:
    """Letters to add, to leave out, to change, or to swap with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        next_row = [i]
        for j, theirs in enumerate(other, 1):
            cost = min(row[j] + 1, next_row[j - 1] + 1, row[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and (letter, theirs) == (other[j - 2], one[i - 2]):
                cost = min(cost, before[j - 2] + 1)
            next_row.append(cost)
        before, row = row, next_row
    return row[-1]
