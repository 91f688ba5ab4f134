"""Statements in lines that fit a screen: broken at blanks, never inside a name or a text, so that they say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gdpr.columns import WIDTH

_TOKEN = re.compile(
    r"""(?<!\w)[eE]'(?:[^'\\]|''|\\.)*'  # a text with escapes
      | '(?:[^']|'')*' | "(?:[^"]|"")*"  # a text, a name
      | -- | \n | [ ]+ | \w+ | .""",
    re.VERBOSE | re.DOTALL,
)
_DEEPER = {"(": 1, ")": -1, "case": 1, "end": -1}
_STEP = "    "
_ROOM = WIDTH - 1  # and a semicolon


def folded(statement: str) -> str:
    """The same statement; a line that is too long goes on in the next, further in."""
    tokens = _TOKEN.findall(statement)
    if "--" in tokens:  # a remark ends with its line
        return statement
    return "\n".join(line for tokens_of_line in _lines(tokens) for line in _pieces(tokens_of_line))


def _lines(tokens: Sequence[str]) -> Iterator[list[str]]:
    line: list[str] = []
    for each in tokens:
        if each != "\n":
            line.append(each)
            continue
        yield line
        line = []
    yield line


def _pieces(tokens: list[str]) -> Iterator[str]:
    """One line, in as many as it takes."""
    first = tokens[0] if tokens and tokens[0].isspace() else ""
    margin = first + _STEP
    while (place := _break(tokens, len(margin))) is not None:
        yield "".join(tokens[:place])
        tokens = [margin, *tokens[place + 1 :]]
    yield "".join(tokens)


def _reaches(tokens: Sequence[str], blank: int, position: int) -> bool:
    """Whether what stands up to the next blank fits in the line as well."""
    for token in tokens[blank + 1 :]:
        if token.isspace():
            break
        position += len(token)
    return position < _ROOM


def _break(tokens: Sequence[str], margin: int) -> int | None:
    """The best blank to break at: as far out of parentheses and cases as can be, after a comma or before `and`."""
    if sum(map(len, tokens)) <= _ROOM:
        return None
    found: list[tuple[bool, int, bool, int, int]] = []
    depth = position = 0
    for number, token in enumerate(tokens):
        depth += _DEEPER.get(token, 0)
        if token.isspace() and number > 0 and number < len(tokens) - 1:
            is_good = tokens[number - 1] == "," or tokens[number + 1] in ("and", "or")
            is_far = position > max(margin, _ROOM // 3 if _reaches(tokens, number, position) else 0)
            if is_far and position <= _ROOM:
                found.append((False, depth, not is_good, -position, number))
            elif position > margin:
                found.append((True, 0, False, abs(position - _ROOM), number))
        position += len(token)
    return min(found)[-1] if found else None
