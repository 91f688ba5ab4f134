"""Which keys patterns have in common, and whether some cover another: answered for all keys that there could be.

A pattern is read as a small automaton, one character after the other. Numbers count as a sign and digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from shared.patterns import Literal, Pattern, Spelling, Star, Token

_HEX = frozenset("0123456789abcdef")
_DIGITS = frozenset("0123456789")
_ELSE = "\uffff"  # stands for every character that no pattern names
_UUID = (8, 4, 4, 4, 12)


@dataclass(frozen=True)
class _Step:
    """One character of a set, or of all but a set; perhaps none, perhaps again and again."""

    characters: frozenset[str]
    is_without: bool = False
    times: OneOf["once", "perhaps", "any"] = "once"

    def takes(self, character: str) -> bool:
        return (character in self.characters) != self.is_without


_ANYTHING = _Step(frozenset(), is_without=True, times="any")
_Steps = tuple[_Step, ...]
_State = frozenset[tuple[int, int]]  # of each automaton the steps that it may have before it


def overlap(one: Pattern, other: Pattern) -> bool:
    """Whether some key fits both."""
    if not _may_begin_alike(one, other):
        return False
    automata = [_steps(one), _steps(other)]
    return any({which for which, _ in ended} == {0, 1} for ended in _endings(automata, lambda state: _has(state, 0, 1)))


def covered(pattern: Pattern, by: Sequence[Pattern]) -> bool:
    """Whether every key of the pattern fits one of the others, or another of them."""
    automata = [_steps(pattern), *(_steps(each) for each in by if _may_begin_alike(pattern, each))]
    return all(len(ended) > 1 for ended in _endings(automata, lambda state: _has(state, 0)) if _has(ended, 0))


def _has(state: Iterable[tuple[int, int]], *automata: int) -> bool:
    return set(automata) <= {which for which, _ in state}


def _endings(automata: Sequence[_Steps], goes_on: Callable[[_State], bool]) -> Iterator[_State]:
    """For every way to read a key: which automata have come to their end, once it is read."""
    letters = sorted({_ELSE}.union(*(step.characters for steps in automata for step in steps)))
    begun = _without_reading(automata, {(which, 0) for which in range(len(automata))})
    seen, waiting = {begun}, [begun]
    while waiting:
        state = waiting.pop()
        yield frozenset((which, at) for which, at in state if at == len(automata[which]))
        for letter in letters:
            after = _read(automata, state, letter)
            if after not in seen and goes_on(after):
                seen.add(after)
                waiting.append(after)


def _read(automata: Sequence[_Steps], state: _State, letter: str) -> _State:
    moved = set()
    for which, at in state:
        if at < len(automata[which]) and automata[which][at].takes(letter):
            moved.add((which, at if automata[which][at].times == "any" else at + 1))
    return _without_reading(automata, moved)


def _without_reading(automata: Sequence[_Steps], state: Iterable[tuple[int, int]]) -> _State:
    """With the steps that may as well be left out."""
    found: set[tuple[int, int]] = set()
    for which, at in state:
        steps, end = automata[which], at
        while end < len(steps) and steps[end].times != "once":
            end += 1
        found.update((which, each) for each in range(at, end + 1))
    return frozenset(found)


def _steps(pattern: Pattern) -> _Steps:
    return tuple(step for token in pattern.tokens for step in _of_token(token, pattern))


def _of_token(token: Token, pattern: Pattern) -> Iterator[_Step]:
    if isinstance(token, Star):
        yield _ANYTHING
    elif isinstance(token, Literal):
        yield from (_Step(frozenset(character)) for character in token.text)
    else:
        yield from _of_values(pattern.spelling(token.name))


def _of_values(spelling: Spelling) -> Iterator[_Step]:
    if spelling.family == "integer":
        yield _Step(frozenset("-"), times="perhaps")
        yield from (_Step(_DIGITS), _Step(_DIGITS, times="any"))
    elif spelling.family == "uuid":
        for number, length in enumerate(_UUID):
            yield from [_Step(frozenset("-"))] if number else []
            yield from [_Step(_HEX)] * length
    else:
        lacking = frozenset(spelling.lacking)
        yield from (_Step(lacking, is_without=True), _Step(lacking, is_without=True, times="any"))


def _may_begin_alike(one: Pattern, other: Pattern) -> bool:
    """Spares most pairs the work: `cart:…` and `session:…` have nothing in common."""
    first, second = (each.tokens[0].text if isinstance(each.tokens[0], Literal) else "" for each in (one, other))
    return first.startswith(second) or second.startswith(first)
