"""In which country numbers without a code are at home: told by the same number written both ways, and by nothing else.

Where nobody has written a number in two ways, spellings make no difference, and the identity stays exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datamap.discover import shapes
from datamap.discover.finding import Kind, People
from datamap.discover.identities import Texts
from datamap.discover.links import Samples

_FEW = 3  # numbers, where one alone may be an accident
_SHORTEST = 7  # digits behind a code
_ABROAD = re.compile(r"(?:\+|00)([1-9][0-9]{7,14})")
_AT_HOME = re.compile(r"0([1-9][0-9]{6,13})")


def at_home(people: People, spots: Texts, samples: Samples) -> People:
    """With the calling code of each identity of telephone numbers that are written in several ways."""
    elsewhere = [text for seen in spots.values() for text in seen if shapes.is_phone(text)]
    return replace(people, kinds=tuple(_with_homes(kind, people, elsewhere, samples) for kind in people.kinds))


def _with_homes(kind: Kind, people: People, elsewhere: Sequence[str], samples: Samples) -> Kind:
    sample = samples.get(kind.table)
    homes: dict[str, str] = {}
    for identity, column in kind.identities.items():
        seen = [text for text in sample.of(column) if shapes.is_phone(text)] if sample else []
        is_written = people.facts(kind).columns[column].family == "text"
        if identity == "phone" and seen and is_written and (code := _home([*seen, *elsewhere])):
            homes[identity] = code
    return replace(kind, homes=homes)


def _home(texts: Iterable[str]) -> str | None:
    """The code with which the most numbers at home are written as well."""
    plain = set(map(_plain, texts))
    home = {found[1] for text in plain if (found := _AT_HOME.fullmatch(text))}
    met: dict[str, int] = {}
    for digits in {found[1] for text in plain if (found := _ABROAD.fullmatch(text))}:
        for length in (1, 2, 3):
            if len(digits) - length >= _SHORTEST and digits[length:] in home:
                met[f"+{digits[:length]}"] = met.get(f"+{digits[:length]}", 0) + 1
    best = max(sorted(met), key=lambda code: met[code], default=None)
    return best if best is not None and met[best] >= _FEW else None


def number(text: str, home: str) -> str:
    """Much the same as the form in which a plan compares, for what was sampled."""
    plain = _plain(text)
    return "+" + plain.removeprefix("00") if plain.startswith("00") else re.sub("^0", home, plain)


def _plain(text: str) -> str:
    is_abroad = text.lstrip(" (").startswith(("+", "00"))
    return re.sub(r"[^0-9+]", "", text.replace("(0)", "") if is_abroad else text)
