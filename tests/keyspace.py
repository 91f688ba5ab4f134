"""Patterns, people and keys of every kind, for hypothesis: small alphabets, so that what can collide does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.patterns import Pattern, Spelling, Values, escaped

HOSTILE = ":/-.|*?[]{}\\^1aé@\n "
TEXTS = st.text(st.sampled_from(HOSTILE), min_size=1, max_size=4)
NUMBERS = st.integers(-12, 12) | st.sampled_from([42, 142, 421, 4242])
UUIDS = st.integers(0, 3).map(lambda number: str(UUID(int=number << 124 | number)))
VALUES: dict[str, st.SearchStrategy[Any]] = {"integer": NUMBERS, "uuid": UUIDS, "text": TEXTS}
LITERALS = st.text(st.sampled_from(":/-1a*{}[\\é"), min_size=1, max_size=2)
FILLERS = st.binary(max_size=3) | st.text(st.sampled_from(HOSTILE), max_size=5).map(str.encode)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A pattern of a subject whose key are these columns, written as parts: a text, `{name}` or None for a star."""

    parts: tuple[tuple[str, str], ...]
    families: dict[str, str]

    @property
    def text(self) -> str:
        return "".join({"star": "*", "name": f"{{{part}}}"}.get(kind, escaped(part)) for kind, part in self.parts)

    @property
    def pattern(self) -> Pattern:
        return Pattern.parse(self.text, {name: Spelling(family=each) for name, each in self.families.items()})

    @property
    def is_sound(self) -> bool:
        return bool(self.pattern.names) and not self.pattern.faults(tuple(self.families), ())

    def key(self, values: Values, fillers: Sequence[bytes]) -> bytes:
        """As an application puts a key together."""
        rest = iter(fillers)
        return b"".join(self._made(kind, part, values, rest) for kind, part in self.parts)

    @staticmethod
    def _made(kind: str, part: str, values: Values, fillers: Iterator[bytes]) -> bytes:
        if kind == "star":
            return next(fillers)
        return (str(values[part]) if kind == "name" else part).encode()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A key of one or two columns of any types, and a pattern with these and stars in any order."""
    families = {name: draw(st.sampled_from(sorted(VALUES))) for name in ("id", "tenant")[: draw(st.integers(1, 2))]}
    names = [("name", name) for name in families]
    more = draw(st.lists(st.just(("star", "")) | LITERALS.map(lambda text: ("text", text)), min_size=1, max_size=5))
    return Case(parts=tuple(draw(st.permutations([*names, *more]))), families=families)


def sound_cases() -> st.SearchStrategy[Case]:
    return cases().filter(lambda case: case.is_sound)


def people(case: Case) -> st.SearchStrategy[dict[str, Any]]:
    """Somebody who is named by this key."""
    return st.fixed_dictionaries({name: VALUES[family] for name, family in case.families.items()})


def fillers(*inside: bytes) -> st.SearchStrategy[list[bytes]]:
    """What stands for the stars: also pieces of somebody's key."""
    pieces = st.sampled_from([piece for piece in inside if piece] or [b""])
    return st.lists(FILLERS | pieces | st.tuples(FILLERS, pieces, FILLERS).map(b"".join), min_size=6, max_size=6)
