r"""Patterns of cache keys and of object keys: which of them are one person's, and of nobody else (threat model A3).

    cart:{id}     a placeholder is a column of the subject's key, or an identity
    session:*     a star is any text, also none, also with delimiters in it
    {{a}}  \*  \\  braces, a star and a backslash that stand in the key itself

A cluster's hash tag is a pair of literal braces: the keys `{user:42}:cart` are written `{{user:{id}}}:cart`.

Keys are bytes and need not be UTF-8; values are bound as UTF-8, as Postgres writes them. A glob finds candidates; only
`match`, which compares whole keys byte by byte, says that one is the person's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shared.errors import UnfitValue

Value = str | int
Values = Mapping[str, Value]


class NotAPattern(ValueError):
    """A text that is no pattern; what it says quotes the pattern, never a key."""


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """How the values of one placeholder are written, and so where in a key one ends."""

    family: str = "text"  # integer and uuid have a form; the values of any other may be any text
    lacking: str = ""  # characters that no value of a text holds, as a CHECK on its column says

    @property
    def regex(self) -> str:
        if self.family in _FORMS:
            return _FORMS[self.family]
        return f"[^{re.escape(self.lacking)}]+" if self.lacking else ".+"

    @property
    def is_fixed(self) -> bool:
        """Whether all values are of one length: then it ends where it ends, whatever follows."""
        return self.family == "uuid"

    def may_go_on_with(self, character: str) -> bool:
        """Whether one value may be another one followed by this character and more."""
        if self.family == "integer":
            return character in _DIGITS
        return character not in self.lacking

    def may_come_after(self, character: str) -> bool:
        """Whether one value may be another one behind this character."""
        if self.family == "integer":
            return character in _DIGITS or character == "-"
        return character not in self.lacking

    def holds(self, value: str) -> bool:
        return re.fullmatch(self.regex, value, re.DOTALL) is not None


_DIGITS = frozenset("0123456789")
_FORMS = {
    "integer": r"(?:0|-?[1-9][0-9]*)",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
_ANY_TEXT = Spelling()


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class Placeholder:
    name: str


@dataclass(frozen=True)
class Star:
    """Any text."""


Token = Literal | Placeholder | Star
_STAR = Star()


@dataclass(frozen=True, kw_only=True)
class Weakness:
    """Why a pattern may not be used: it could take a key that is somebody else's."""

    code: str  # unknown, partial or ambiguous
    message: str
    name: str | None = None  # the placeholder that it is about
    remedy: str | None = None


@dataclass(frozen=True)
class Pattern:
    """A pattern, and how the values of its placeholders are written; what is not told may be any text."""

    tokens: tuple[Token, ...]
    spellings: Mapping[str, Spelling] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, spellings: Mapping[str, Spelling] | None = None) -> Pattern:
        """A pattern of whole keys."""
        if not text:
            raise NotAPattern("a pattern is empty")
        return cls(tuple(_joined(_tokens(text))), spellings or {})

    @classmethod
    def prefix(cls, text: str, spellings: Mapping[str, Spelling] | None = None) -> Pattern:
        """What all keys begin with: a pattern with a star behind it. An empty one begins every key."""
        return cls(tuple(_joined([*_tokens(text), _STAR])), spellings or {})

    def __str__(self) -> str:
        return "".join(map(_written, self.tokens))

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders, each once, from left to right."""
        return tuple(dict.fromkeys(token.name for token in self.tokens if isinstance(token, Placeholder)))

    @property
    def is_exact(self) -> bool:
        """Whether one person has one such key at most, so that no SCAN is needed."""
        return _STAR not in self.tokens

    def starred(self) -> Pattern:
        """The same keys, whoever they name."""
        plain = (_STAR if isinstance(token, Placeholder) else token for token in self.tokens)
        return Pattern(tuple(_joined(plain)))

    def spelling(self, name: str) -> Spelling:
        return self.spellings.get(name, _ANY_TEXT)

    # What is asked of one person ---------------------------------------------------------------------------------

    def exact(self, values: Values) -> bytes | None:
        """The key of a person, where the pattern says it all."""
        return b"".join(self._filled(values, star=b"", literal=bytes)) if self.is_exact else None

    def start(self, values: Values) -> bytes:
        """What every key of a person begins with: the prefix to list by in a bucket."""
        begun: list[bytes] = []
        for token in self.tokens:
            if isinstance(token, Star):
                break
            begun.append(self._bytes(token, values))
        return b"".join(begun)

    def glob(self, values: Values) -> bytes:
        """MATCH for a SCAN. It misses no key of the person; what it finds is still to be matched."""
        return b"".join(self._filled(values, star=b"*", literal=glob_escaped))

    def regex(self, values: Values) -> re.Pattern[bytes]:
        """What `match` compares with, for a loop over many keys. Use its fullmatch alone."""
        return re.compile(b"".join(self._filled(values, star=b".*", literal=re.escape)), re.DOTALL)

    def match(self, key: bytes, values: Values) -> bool:
        """Whether a key is this person's. Nothing is read or deleted before this was asked."""
        return self.regex(values).fullmatch(key) is not None

    def _filled(self, values: Values, *, star: bytes, literal: Callable[[bytes], bytes]) -> Iterator[bytes]:
        for token in self.tokens:
            yield star if isinstance(token, Star) else literal(self._bytes(token, values))

    def _bytes(self, token: Literal | Placeholder, values: Values) -> bytes:
        return (token.text if isinstance(token, Literal) else self._bound(token.name, values)).encode()

    def _bound(self, name: str, values: Values) -> str:
        if name not in values:
            raise UnfitValue(f"No value was given for {{{name}}} of the pattern {self}")
        value = str(values[name])
        if not self.spelling(name).holds(value) or not _is_text(value):
            kind = self.spelling(name)
            without = f" without {kind.lacking}" if kind.lacking else ""
            raise UnfitValue(f"The value for {{{name}}} of the pattern {self} is no {kind.family}{without}")
        return value

    # What is asked of a key --------------------------------------------------------------------------------------

    @cached_property
    def _anybody(self) -> re.Pattern[str]:
        seen: list[str] = []
        parts: list[str] = []
        for token in self.tokens:
            if isinstance(token, Star):
                parts.append(".*")
            elif isinstance(token, Literal):
                parts.append(re.escape(token.text))
            elif token.name in seen:
                parts.append(f"(?:\\{seen.index(token.name) + 1})")
            else:
                seen.append(token.name)
                parts.append(f"({self.spelling(token.name).regex})")
        return re.compile("".join(parts), re.DOTALL)

    def holder(self, key: bytes) -> dict[str, str] | None:
        """Whose key this is, by the values in it; None where it is no such key."""
        found = self._anybody.fullmatch(key.decode("utf-8", "surrogateescape"))
        if found is None or not all(map(_is_text, found.groups())):
            return None
        return dict(zip(self.names, found.groups(), strict=True))

    # What is asked of the pattern --------------------------------------------------------------------------------

    @cached_property
    def determined(self) -> frozenset[str]:
        """The placeholders of which every key has one reading only, whoever it was made for.

        Read from the left, up to the first that does not end clearly, and what remains from the right: of two people
        who share a key the same values are read on the way, so that both are one.
        """
        left = self._clear(self.tokens, Spelling.may_go_on_with)
        right = self._clear(tuple(reversed(self.tokens[len(left) :])), Spelling.may_come_after)
        return frozenset(token.name for token in (*left, *right) if isinstance(token, Placeholder))

    def reads_from_left(self) -> bool:
        """Whether all placeholders are clear from the left alone."""
        last = max((at for at, token in enumerate(self.tokens) if isinstance(token, Placeholder)), default=-1)
        return len(self._clear(self.tokens, Spelling.may_go_on_with)) > last

    def _clear(self, tokens: Sequence[Token], goes_on: Callable[[Spelling, str], bool]) -> Sequence[Token]:
        """The tokens up to the first of which is not clear where it ends."""
        for position, token in enumerate(tokens):
            is_clear = isinstance(token, Literal)
            if isinstance(token, Placeholder):
                spelling, following = self.spelling(token.name), tokens[position + 1 : position + 2]
                is_clear = spelling.is_fixed or not following or _closes(following[0], spelling, goes_on)
            if not is_clear:
                return tokens[:position]
        return tokens

    def faults(self, key_columns: Sequence[str], identities: Collection[str]) -> list[Weakness]:
        """What is wrong with a pattern that names a person by a key, or by an identity that is one person's alone.

        Without placeholders it names nobody, and nothing is wrong with that here.
        """
        unknown = [name for name in self.names if name not in key_columns and name not in identities]
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in (*key_columns, *identities))
            return [_unknown(name, known) for name in unknown]
        if not self.names or _binds(self.determined, key_columns, identities):
            return []
        if not _binds(self.names, key_columns, identities):
            return [_partial(name, key_columns) for name in key_columns if name not in self.names]
        return [self._ambiguous(name) for name in self.names if name not in self.determined]

    def _ambiguous(self, name: str) -> Weakness:
        delimiter = (
            "a colon or a slash" if self.spelling(name).family == "integer" else "one that a CHECK keeps out of it"
        )
        return Weakness(
            code="ambiguous",
            name=name,
            message=f"{self} does not say where {{{name}}} ends: a key of another person may fit as well",
            remedy=f"put a delimiter that the value cannot hold ({delimiter}) on both sides of {{{name}}}, and no more"
            " than one star beside it, or let it end the key",
        )


def _closes(following: Token, spelling: Spelling, goes_on: Callable[[Spelling, str], bool]) -> bool:
    """Whether no longer value reaches over this: one character in it that no value holds there is enough."""
    return isinstance(following, Literal) and not all(goes_on(spelling, character) for character in following.text)


def _binds(names: Collection[str], key_columns: Sequence[str], identities: Collection[str]) -> bool:
    return set(key_columns) <= set(names) or any(name in identities for name in names)


def _unknown(name: str, known: str) -> Weakness:
    return Weakness(
        code="unknown",
        name=name,
        message=f"{{{name}}} is no column of the subject's key, and no identity of one person alone",
        remedy=f"one of: {known}",
    )


def _partial(name: str, key_columns: Sequence[str]) -> Weakness:
    return Weakness(
        code="partial",
        name=name,
        message=f"The pattern lacks {{{name}}}: only all of ({', '.join(key_columns)}) together are one person",
        remedy=f"put {{{name}}} into the pattern",
    )


def glob_escaped(text: bytes) -> bytes:
    """A text that SCAN's MATCH takes for itself."""
    return re.sub(rb"([*?\[\]\\^-])", rb"\\\1", text)


def escaped(text: str) -> str:
    """A text as a pattern writes it, so that it stands for itself."""
    return re.sub(r"([\\*])", r"\\\1", text).replace("{", "{{").replace("}", "}}")


def _written(token: Token) -> str:
    if isinstance(token, Literal):
        return escaped(token.text)
    return f"{{{token.name}}}" if isinstance(token, Placeholder) else "*"


_TOKEN = re.compile(
    r"(?P<escape>\\[\\*]|\{\{|\}\})|(?P<star>\*)|\{(?P<name>[^{}]+)\}|(?P<wrong>[\\{}])|(?P<text>[^\\*{}]+)"
)
_WRONG = {
    "\\": r"a backslash stands before a star or another backslash only",
    "{": "an opening brace without a name and its closing one; write {{ for a brace in the key",
    "}": "a closing brace that nothing has opened; write }} for a brace in the key",
}


def _tokens(text: str) -> Iterator[Token]:
    if not _is_text(text):
        raise NotAPattern("a pattern holds half of a character")
    for found in _TOKEN.finditer(text):
        if found["wrong"]:
            raise NotAPattern(f"{text} is no pattern: {_WRONG[found['wrong']]}")
        if found["name"]:
            yield Placeholder(found["name"])
        else:
            yield _STAR if found["star"] else Literal(found["text"] or found["escape"][-1])


def _joined(tokens: Iterable[Token]) -> Iterator[Token]:
    """Literals that follow each other as one, and stars likewise."""
    last: Token | None = None
    for token in tokens:
        if isinstance(token, Literal) and isinstance(last, Literal):
            last = Literal(last.text + token.text)
        elif not (isinstance(token, Star) and isinstance(last, Star)):
            if last is not None:
                yield last
            last = token
    if last is not None:
        yield last


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
