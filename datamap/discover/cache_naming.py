"""A shape of keys as a pattern: which of its slots name a person, and what the rest is called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from datamap.discover.cache_keys import Shape, Slot
from datamap.discover.cache_persons import SURE, Meeting, Persons, judged, judged_together
from shared.patterns import escaped

_WORD = re.compile("[A-Za-z]{1,32}")
_NO_NAMES = frozenset({"time", "bytes", "any", "address"})
_MANY = 20  # people
_MOST_SLOTS = 5  # of which the columns of a key are looked for in every order


@dataclass(frozen=True, kw_only=True)
class Named:
    """Keys of one pattern, and whom it names."""

    text: str  # as the map writes it
    shape: Shape
    meeting: Meeting | None = None
    slots: tuple[int, ...] = ()  # those that the placeholders stand for
    doubts: tuple[str, ...] = ()
    of_several: bool = False  # it names more than one person
    written: Mapping[int, str] = field(default_factory=dict)  # for each slot that is more than a star, what it says

    def apart(self) -> dict[bytes, str]:
        """For each key its pattern with its own words, for comparing; they could be names, and are never shown."""
        slots = [part for part in self.shape.parts if isinstance(part, Slot)]
        loose = [number for number, slot in enumerate(slots) if slot.kind == "text" and number not in self.written]
        return {
            key: _text(self.shape, {**self.written, **{n: values[n] for n in loose if _WORD.fullmatch(values[n])}})
            for key, values in self.shape.keys
        }

    @property
    def holders(self) -> dict[bytes, tuple[str, ...]]:
        """Whom each key names: the values at the placeholders."""
        if self.meeting is None or self.meeting.is_identity:
            return {}
        return {key: tuple(values[slot] for slot in self.slots) for key, values in self.shape.keys}


@dataclass(frozen=True, kw_only=True)
class _Choice:
    slots: tuple[int, ...]
    meeting: Meeting
    names: Mapping[int, str] = field(default_factory=dict)  # for each slot its placeholder

    @property
    def order(self) -> tuple[int, bool, int]:
        return (-SURE[self.meeting.sure], self.meeting.is_identity, -self.meeting.met)


def named(shape: Shape, persons: Persons) -> Named:
    """The pattern of a shape, with a placeholder where a person stands and a star for any other value."""
    choices = sorted(_choices(shape, persons), key=lambda each: each.order)
    sure = [each for each in choices if each.meeting.sure != "none"]
    doubts = tuple(_doubt(shape, each) for each in choices if each.meeting.sure == "none")
    if not sure:
        return Named(text=_text(shape, {}), shape=shape, doubts=doubts)
    best, *others = sure
    rivals = [
        each
        for each in others
        if not each.meeting.is_identity and each.meeting.sure != "low" and _differ(shape, best, each)
    ]
    if rivals and not best.meeting.is_identity:
        doubts = (*doubts, "two places in the key name different people")
        return Named(text=_text(shape, {}), shape=shape, doubts=doubts, of_several=True)
    written = {number: f"{{{name}}}" for number, name in best.names.items()} | _constants(shape, best)
    text = _text(shape, written)
    return Named(text=text, shape=shape, meeting=best.meeting, slots=best.slots, doubts=doubts, written=written)


def _choices(shape: Shape, persons: Persons) -> list[_Choice]:
    slots = [part for part in shape.parts if isinstance(part, Slot)]
    usable = [number for number, slot in enumerate(slots) if slot.kind not in _NO_NAMES]
    found: list[_Choice] = []
    for number in usable:
        meeting = judged(set(shape.values(number)), shape.words_before(number), persons)
        if meeting is not None and not (meeting.sure == "none" and meeting.tried == 1 < len(shape.keys)):
            found.append(_Choice(slots=(number,), meeting=meeting, names={number: meeting.names[0]}))
    if len(persons.key) > 1:
        found += _together(shape, usable[:_MOST_SLOTS], persons)[:1]
    return found


def _together(shape: Shape, usable: Sequence[int], persons: Persons) -> list[_Choice]:
    found: list[_Choice] = []
    for order in permutations(usable, len(persons.key)):
        rows = list(zip(*(shape.values(number) for number in order), strict=True))
        meeting = judged_together(rows, persons)
        if meeting is not None:
            names = dict(zip(order, persons.columns, strict=True))
            found.append(_Choice(slots=order, meeting=meeting, names=names))
    return sorted(found, key=lambda each: (*each.order, each.slots))


def _constants(shape: Shape, choice: _Choice) -> dict[int, str]:
    """Small numbers that are the same with all of many people, such as a version: they are nobody's."""
    people = {tuple(values[slot] for slot in choice.slots) for _, values in shape.keys}
    slots = [part for part in shape.parts if isinstance(part, Slot)]
    numbers = {number: set(shape.values(number)) for number, slot in enumerate(slots) if slot.kind == "integer"}
    if len(people) < _MANY:
        return {}
    return {number: min(values) for number, values in numbers.items() if len(values) == 1 and len(min(values)) < 3}


def _differ(shape: Shape, one: _Choice, other: _Choice) -> bool:
    pairs = [([values[n] for n in one.slots], [values[n] for n in other.slots]) for _, values in shape.keys]
    return sum(left != right for left, right in pairs) > len(pairs) / 20


def _doubt(shape: Shape, choice: _Choice) -> str:
    words = shape.words_before(choice.slots[-1])
    what = f"what stands behind {words[-1]}" if words else "a value in the key"
    return f"{what} may be {' and '.join(choice.meeting.names)}: {choice.meeting.telling}"


def _text(shape: Shape, written: Mapping[int, str]) -> str:
    """Stars with nothing but punctuation between them are one."""
    number, text = -1, ""
    since_star: str | None = None  # what was written since the last star, while it is no word
    for part in shape.parts:
        if isinstance(part, str):
            text += escaped(part)
            since_star = since_star + part if since_star is not None and not any(map(str.isalnum, part)) else None
            continue
        number += 1
        if number in written:
            text, since_star = text + written[number], None
        else:
            text = text if since_star is None else text[: len(text) - len(escaped(since_star))].removesuffix("*")
            text, since_star = f"{text}*", ""
    return text
