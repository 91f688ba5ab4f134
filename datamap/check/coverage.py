"""Which keys patterns have in common, and whether some cover another: answered for all keys that there could be.

A pattern is read as a small automaton, one character after the other. Numbers count as a sign and digits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
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

    def shares(self, other: _Step) -> bool:
        """Whether some character is taken by both."""
        if self.is_without and other.is_without:
            return True
        if not self.is_without and not other.is_without:
            return bool(self.characters & other.characters)
        taken, refused = (other, self) if self.is_without else (self, other)
        return bool(taken.characters - refused.characters)

    def after(self, at: int) -> int:
        """The step behind one at this place that has read a character."""
        return at if self.times == "any" else at + 1


_ANYTHING = _Step(frozenset(), is_without=True, times="any")
_Steps = tuple[_Step, ...]
_State = frozenset[tuple[int, int]]  # of each automaton the steps that it may have before it
_MOST_STATES = 5_000  # of many patterns together there may be more than anybody waits for


def overlap(one: Pattern, other: Pattern) -> bool:
    """Whether some key fits both."""
    if not _may_begin_alike(one, other):
        return False
    first, second = _steps(one), _steps(other)
    seen, waiting = {(0, 0)}, [(0, 0)]
    while waiting:
        here, there = waiting.pop()
        if (here, there) == (len(first), len(second)):
            return True
        new = set(_together(first, here, second, there)) - seen
        seen |= new
        waiting += new
    return False


def _together(first: _Steps, here: int, second: _Steps, there: int) -> Iterator[tuple[int, int]]:
    """Where two automata may be next: one leaves out a step, or both read the same character."""
    mine, theirs = (steps[at] if at < len(steps) else None for steps, at in ((first, here), (second, there)))
    if mine is not None and mine.times != "once":
        yield here + 1, there
    if theirs is not None and theirs.times != "once":
        yield here, there + 1
    if mine is not None and theirs is not None and mine.shares(theirs):
        yield mine.after(here), theirs.after(there)


def covered(pattern: Pattern, by: Sequence[Pattern]) -> bool | None:
    """Whether every key of the pattern fits one of the others, or another of them. None where none of them alone has
    all of its keys, and whether all together have takes too long to tell."""
    mine = _steps(pattern)
    near = [_steps(each) for each in by if _may_begin_alike(pattern, each)]
    return any(_fits(mine, [each]) for each in near) or _fits(mine, near)


def _fits(mine: _Steps, others: Sequence[_Steps]) -> bool | None:
    """Every way to read a key of mine, with all the places where the others may be then."""
    begun = (0, _settled(others, {(which, 0) for which in range(len(others))}))
    seen, waiting = {begun}, deque([begun])
    while waiting:
        at, state = waiting.popleft()  # a short key that fits none of the others is found first
        if len(seen) > _MOST_STATES:
            return None
        if any(others[which][place:] == (_ANYTHING,) for which, place in state):
            continue  # whatever follows
        if at == len(mine):
            if not any(place == len(others[which]) for which, place in state):
                return False
            continue
        new = set(_onwards(mine, at, others, state)) - seen
        seen |= new
        waiting += new
    return True


def _onwards(mine: _Steps, at: int, others: Sequence[_Steps], state: _State) -> Iterator[tuple[int, _State]]:
    step = mine[at]
    if step.times != "once":
        yield at + 1, state
    places = [others[which][place] for which, place in state if place < len(others[which])]
    for letter in {_ELSE}.union(step.characters, *(each.characters for each in places)):
        if step.takes(letter):
            yield step.after(at), _read(others, state, letter)


def _read(automata: Sequence[_Steps], state: _State, letter: str) -> _State:
    moved = set()
    for which, at in state:
        if at < len(automata[which]) and automata[which][at].takes(letter):
            moved.add((which, automata[which][at].after(at)))
    return _settled(automata, moved)


def _settled(automata: Sequence[_Steps], state: Iterable[tuple[int, int]]) -> _State:
    """With the steps that may as well be left out, and without those before a star that is reached: what fits from
    there fits from the star as well."""
    found: set[tuple[int, int]] = set()
    for which, at in state:
        steps, end = automata[which], at
        while end < len(steps) and steps[end].times != "once":
            end += 1
        found.update((which, each) for each in range(at, end + 1))
    stars: dict[int, int] = {}
    for which, at in found:
        if automata[which][at : at + 1] == (_ANYTHING,):
            stars[which] = max(at, stars.get(which, 0))
    return frozenset((which, at) for which, at in found if at >= stars.get(which, 0))


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
    first, second = (_beginning(each) for each in (one, other))
    return first.startswith(second) or second.startswith(first)


def _beginning(pattern: Pattern) -> str:
    begins = pattern.tokens[0] if pattern.tokens else None
    return begins.text if isinstance(begins, Literal) else ""
