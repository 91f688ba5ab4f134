"""Keys of a cache by their shape: what is vocabulary in them, and where values stand.

`cart:17` and `cart:42` are `cart:` and a number. A text that is kept as it is could be somebody's name, so it has to
be certain that a program was written with it: letters alone, of few kinds at its place, nobody's name, and either known
as such a word or in many keys.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from datamap.discover import lexicon

_FEW = 30  # words at one place, where each has hardly a key of its own
_SINGLES = 5  # keys that end in a word of their own each
_VOCABULARY = 20  # keys in which a word stands although it is also somebody's name
_STATIC = 200  # keys with a name of their own
_TOKENS = 5  # times as many keys with a token at a place as such that hardly another key is like
_TOO_DEEP = 40
_AHEAD = 6  # pieces behind a word, by which it is like another one

_UUID = r"(?P<uuid>(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z]))"
_WITHIN = re.compile(_UUID + r"|(?P<time>(?<![0-9A-Za-z])\d{4}-\d\d-\d\d(?![0-9A-Za-z]))")
_SPAN = re.compile(
    _UUID
    + r"""
      | (?P<email>[^\s:/|{}\[\]@,;=]+@[^\s:/|{}\[\]@,;=]+)
      | (?P<time>(?<!\d)\d{4}-\d\d-\d\d
          (?:[T ]\d\d[:.]?\d\d(?:[:.]?\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![0-9A-Za-z]))
      | (?P<address>(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]))
      | (?P<run>(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{16,}={0,2})
      | (?P<piece>[^\W_]+)
      | (?P<literal>[\W_])""",
    re.VERBOSE,
)
_CLASSES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[_-]+")
_WORD_AND_NUMBER = re.compile(r"([A-Za-z]{1,32})(0|[1-9][0-9]{0,18})")
_TEXTUAL = frozenset({"hex", "token", "word", "digits"})


@dataclass(frozen=True)
class Piece:
    """A part of a key: kept as it is (`literal`), perhaps vocabulary (`word`), or a value of some kind."""

    kind: str
    text: str


@dataclass(frozen=True)
class Slot:
    """Where values stand: of one kind, or `any` for whatever a key ends with."""

    kind: str


Part = str | Slot
_REST = Slot("any")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Keys that are alike: their parts, and for each key what stands in the slots."""

    parts: tuple[Part, ...]
    keys: tuple[tuple[bytes, tuple[str, ...]], ...]

    @property
    def is_static(self) -> bool:
        """Whether it is the name of one key."""
        return not any(isinstance(part, Slot) for part in self.parts)

    def values(self, slot: int) -> list[str]:
        return [values[slot] for _, values in self.keys]

    def words_before(self, slot: int) -> list[str]:
        """The words between this slot and the one before it, or all words before the first."""
        number, found = -1, ""
        for part in self.parts:
            if isinstance(part, Slot):
                number += 1
                if number == slot:
                    break
                found = ""
            else:
                found += part
        return re.findall(r"[^\W\d_]+(?:_[^\W\d_]+)*", found)

    @property
    def words(self) -> list[str]:
        return re.findall(r"[^\W\d_]+(?:_[^\W\d_]+)*", " ".join(part for part in self.parts if isinstance(part, str)))


@dataclass(frozen=True)
class _Row:
    key: bytes
    pieces: tuple[Piece, ...]
    values: tuple[str, ...] = ()


def shapes(
    keys: Collection[bytes],
    named: Callable[[Collection[str]], Collection[str]],
    known: Collection[str] = frozenset(),
) -> list[Shape]:
    """All keys, grouped; in an order that follows from the keys alone. `named` tells which words are names.

    `known` are words of the application's that stand in no list: those of its database.
    """
    rows = [_Row(key, tuple(pieces(key.decode("utf-8", "surrogateescape")))) for key in sorted(set(keys))]
    words = {piece.text for row in rows for piece in row.pieces if piece.kind == "word"}
    return _Grouping(frozenset(named(words)), frozenset(known)).grouped(rows, (), 0)


def pieces(key: str) -> Iterable[Piece]:
    for found in _SPAN.finditer(key):
        kind, text = str(found.lastgroup), found.group()
        if kind == "run":
            yield from _of_run(text)
        elif kind in ("piece", "literal"):
            yield from _told(text)
        else:
            yield Piece(kind, text)


def _of_run(text: str) -> Iterable[Piece]:
    """Letters, digits, hyphens and underscores: words, or a token, and a uuid or a date among them."""
    if found := _WITHIN.search(text):
        yield from _of_run(text[: found.start()])
        yield Piece(str(found.lastgroup), found.group())
        yield from _of_run(text[found.end() :])
    else:
        for part in [text] if _is_random(text) else re.findall(r"[^\W_]+|[\W_]", text):
            yield from _told(part)


def _told(text: str) -> Iterable[Piece]:
    """`user42` is a word and a number."""
    both = _WORD_AND_NUMBER.fullmatch(text)
    if both and _kind(text) == "token":
        return (Piece("word", both[1]), Piece("integer", both[2]))
    return (Piece(_kind(text), text),)


def _is_random(text: str) -> bool:
    """Whether it was drawn by a machine: no writer of a program changes between capitals and digits so often."""
    if len(text) < 16:
        return False
    has_all = all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return has_all and len(_CLASSES.findall(text)) >= 0.36 * len(text)


def _kind(text: str) -> str:
    if len(text) == 1 and not text.isalnum():
        return "bytes" if not text.isprintable() else "literal" if text.isascii() else "token"
    if re.fullmatch(r"0|[1-9][0-9]{0,18}", text):
        return "integer"
    if re.fullmatch(r"[0-9]+", text):
        return "digits"
    if re.fullmatch(r"(?=.*[0-9])(?:[0-9a-f]{8,}|[0-9A-F]{8,})", text):
        return "hex"
    if re.fullmatch(r"[A-Za-z]{1,32}|v[0-9]{1,2}", text):
        return "word"
    return "token"


@dataclass(frozen=True)
class _Grouping:
    """From the left: keys that have the same up to here, by what they have next."""

    names: frozenset[str]
    known: frozenset[str]

    def grouped(self, rows: Sequence[_Row], parts: tuple[Part, ...], at: int) -> list[Shape]:
        ended = [row for row in rows if len(row.pieces) == at]
        going_on = [row for row in rows if len(row.pieces) > at]
        found = [_shape(parts, ended)] if ended else []
        if at >= _TOO_DEEP:
            return [*found, _rest(going_on, parts, at)] if going_on else found
        by_next: dict[tuple[str, str], list[_Row]] = {}
        slots = self._slots(going_on, at)
        for row in going_on:
            by_next.setdefault(slots[row.pieces[at]], []).append(row)
        for (kind, text), alike in sorted(by_next.items()):
            if kind == "literal":
                found += self.grouped(alike, (*parts, text), at + 1)
            else:
                held = [_Row(row.key, row.pieces, (*row.values, row.pieces[at].text)) for row in alike]
                found += self.grouped(held, (*parts, Slot(kind)), at + 1)
        return _gathered(found, parts)

    def _slots(self, rows: Sequence[_Row], at: int) -> dict[Piece, tuple[str, str]]:
        """For each piece that stands here: a literal with its text, or a slot of its kind."""
        counts = Counter(row.pieces[at] for row in rows)
        kept = self._vocabulary(rows, at)
        lengths = {len(piece.text) for piece in counts if piece.kind in ("hex", "token", "digits")}
        slots: dict[Piece, tuple[str, str]] = {}
        for piece in counts:
            if piece.kind == "literal" or (piece.kind == "word" and piece.text in kept):
                slots[piece] = ("literal", piece.text)
            elif piece.kind in _TEXTUAL or (piece.kind == "integer" and 8 <= len(piece.text) in lengths):
                slots[piece] = ("text", "")
            else:
                slots[piece] = (piece.kind, "")
        return slots

    def _vocabulary(self, rows: Sequence[_Row], at: int) -> set[str]:
        words = Counter(row.pieces[at].text for row in rows if row.pieces[at].kind == "word")
        last = Counter(
            row.pieces[at].text for row in rows if row.pieces[at].kind == "word" and len(row.pieces) == at + 1
        )
        named = {word for word in words if word in self.names}
        if not words or (len(words) > _FEW and words.total() < 3 * len(words)):
            return set()
        if 2 * len(named) >= len(words) and not (at == 0 and min(words[word] for word in named) >= _VOCABULARY):
            return set()
        singles = {word for word, count in last.items() if count == words[word] == 1} if at else set()
        lone = singles if len(singles) >= _SINGLES else set()
        kept = {word for word in words if word not in lone and (word not in named or words[word] >= _VOCABULARY)}
        return kept & self._certain(words, rows, at)

    def _certain(self, words: Counter[str], rows: Sequence[_Row], at: int) -> frozenset[str]:
        going_on = ((_looks(row.pieces[at + 1 : at + 1 + _AHEAD]), row.pieces[at].text) for row in rows)
        return lexicon.certain(words, lexicon.groups(each for each in going_on if each[1] in words), self.known)


def _looks(ahead: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(piece.text if piece.kind == "literal" else piece.kind for piece in ahead)


def _shape(parts: tuple[Part, ...], rows: Sequence[_Row]) -> Shape:
    return Shape(parts=_joined(parts), keys=tuple((row.key, row.values) for row in rows))


def _rest(rows: Sequence[_Row], parts: tuple[Part, ...], at: int) -> Shape:
    """Keys that only begin alike."""
    held = [_Row(row.key, row.pieces, (*row.values, "".join(piece.text for piece in row.pieces[at:]))) for row in rows]
    return _shape((*parts, _REST), held)


def _gathered(found: list[Shape], parts: tuple[Part, ...]) -> list[Shape]:
    """Shapes of hardly a key each, where they are many or stand beside many tokens: alike up to here, and no more.

    At the beginning, a key with a name of its own and no value in it keeps that, as long as they are not too many.
    """
    begun = _joined(parts)
    small = [shape for shape in found if len(shape.keys) < 3]
    if not parts and sum(shape.is_static for shape in small) <= _STATIC:
        small = [shape for shape in small if not shape.is_static]
    tokens = [shape for shape in found if shape.parts[: len(begun) + 1] == (*begun, Slot("text"))]
    others = sum(len(shape.keys) for shape in small if shape not in tokens)
    if len(small) <= _FEW and not (parts and sum(len(shape.keys) for shape in tokens) >= _TOKENS * max(1, others)):
        return found
    slots = sum(isinstance(part, Slot) for part in parts)
    keys = sorted((key, (*values[:slots], "")) for shape in small for key, values in shape.keys)
    rest = [Shape(parts=(*begun, _REST), keys=tuple(keys))] if keys else []
    return [*(shape for shape in found if shape not in small), *rest]


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
