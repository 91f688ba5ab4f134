"""Where within what keys hold persons stand: the places of many values together, and what the map says of each."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations
from typing import Any

from datamap.discover import lexicon
from datamap.discover.cache_contents import EACH, Content, Place
from datamap.discover.cache_keys import pieces, shapes
from datamap.discover.cache_naming import named
from datamap.discover.cache_persons import SURE, VAGUE, Meeting, Persons, judged, judged_together
from shared.patterns import escaped

_KNOWN_NAMES = 20  # values in which a field's name stands although it is also somebody's
_FIELDS = 50  # names in one value, where each is a value itself
_MOST_PLACES = 6  # of which the columns of a key are looked for in every order
_ANY = "*"  # a field or a property of any name


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A place in which persons stand."""

    meeting: Meeting
    where: str  # in words: JSON user_id, a member, the key
    entry: Mapping[str, Any] = field(default_factory=dict)  # as the map says it; nothing where it is the key
    of_others: bool = False  # the key itself names a person, and these are others

    @property
    def order(self) -> tuple[int, bool, str]:
        return (-SURE[self.meeting.sure], self.meeting.is_identity, self.where)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the keys of one pattern hold, with whom each key names."""

    contents: Sequence[Content]
    holders: Sequence[tuple[str, ...]]  # for each of them the values in its key, or nothing
    words: Sequence[str]  # of the pattern
    type: str
    persons: Persons

    def findings(self) -> tuple[list[Finding], list[str]]:
        """Where persons stand, the surest first; and what may be one as well."""
        found: list[tuple[Finding, set[tuple[int, str]]]] = []
        doubts = self._together() if len(self.persons.key) > 1 else []
        for place, values in sorted(self._by_place().items()):
            finding = self._found(place, values)
            if finding is not None and finding.meeting.sure != "none" and finding.entry:
                found.append((finding, set(values)))
            elif finding is not None:
                doubts.append(_doubt(finding))
        found.sort(key=lambda each: each[0].order)
        return [finding for finding, _ in found], [*doubts, *_several(found)]

    def _found(self, place: Place, values: Sequence[tuple[int, str]]) -> Finding | None:
        finding = self._of_members(values, place) if place.part in ("member", "name") and not place.path else None
        return self._judged(place, values) if finding is None or finding.meeting.sure == "none" else finding

    def _by_place(self) -> dict[Place, list[tuple[int, str]]]:
        """The values at each place, with the number of the key; places by names that are vocabulary alone."""
        kept = self._vocabulary
        found: dict[Place, list[tuple[int, str]]] = defaultdict(list)
        for number, content in enumerate(self.contents):
            for place, value in content.found:
                plain = _plain(place, kept)
                if plain.is_name and value in kept:
                    continue
                if plain.part == "name" and value in kept:
                    continue
                found[plain].append((number, value))
        return found

    @cached_property
    def _vocabulary(self) -> set[str]:
        """Names of fields and properties that a program was written with, and that are nobody's."""
        counts: Counter[str] = Counter()
        crowds: dict[str, int] = {}
        beside: dict[Place, Counter[str]] = defaultdict(Counter)  # by where the names stand
        for content in self.contents:
            named = list(self._names(content))
            names = {name for _, name in named}
            counts.update(names)
            crowds.update({name: max(crowds.get(name, 0), len(names)) for name in names})
            for place, name in named:
                beside[place][name] += 1
        fit = {name for name, count in counts.items() if _is_word(name) and (crowds[name] <= _FIELDS or count > 1)}
        own = {name for name in self.persons.named_by_word(fit) if counts[name] < _KNOWN_NAMES}
        vague = {name for group in beside.values() for name in group.keys() - self._certain(group)}
        return fit - own - vague

    def _names(self, content: Content) -> Iterator[tuple[Place, str]]:
        for place, value in content.found:
            if place.is_name or place.part == "name":
                yield place, value
            elif place.part == "field" and self.type == "stream" and not place.path:
                yield Place(part="field"), place.field

    def _certain(self, names: Counter[str]) -> frozenset[str]:
        return lexicon.certain(names, [set(names)], self.persons.words)

    def _judged(self, place: Place, values: Sequence[tuple[int, str]]) -> Finding | None:
        meeting = judged({value for _, value in values}, place.words or self.words, self.persons)
        if meeting is None or (meeting.sure == "none" and meeting.tried == 1 < len(values)):
            return None
        if not place.words and place.part == "value" and meeting.telling in VAGUE:
            meeting = replace(meeting, sure="none")  # a counter as likely as a person
        finding = Finding(meeting=meeting, where=_where(place), entry=_entry(place, meeting, self.type))
        return self._beside_the_key(finding, values, place)

    def _of_members(self, values: Sequence[tuple[int, str]], place: Place) -> Finding | None:
        """Members that hold more than a value: `user:{id}`."""
        different = {value.encode("utf-8", "surrogatepass") for _, value in values}
        by_word, known = self.persons.named_by_word, self.persons.words
        found = [named(shape, self.persons) for shape in shapes(different, by_word, known)]
        best = max(
            (each for each in found if each.meeting and len(each.shape.parts) > 1),
            key=lambda each: (len(each.shape.keys), each.text),
            default=None,
        )
        if best is None or best.meeting is None or 2 * len(best.shape.keys) < len(different):
            return None
        entry = {"member": best.text, **({"type": "hash"} if place.part == "name" else {})}
        return self._beside_the_key(Finding(meeting=best.meeting, where=_where(place), entry=entry), values, place)

    def _beside_the_key(self, finding: Finding, values: Sequence[tuple[int, str]], place: Place) -> Finding | None:
        """Where the key names somebody, a value is of interest if it names others, and does so beyond doubt."""
        held = [(self.holders[number], value) for number, value in values if self.holders[number]]
        if not held:
            return finding
        same = sum(value in holder for holder, value in held)
        is_one_each = len({number for number, _ in values}) == len(values)
        if 2 * same > len(held) or (finding.meeting.is_identity and is_one_each):
            return None
        if finding.meeting.telling not in VAGUE:
            return replace(finding, of_others=True)
        is_member = place.part in ("member", "name")
        return replace(finding, meeting=replace(finding.meeting, sure="none")) if is_member else None

    def _together(self) -> list[str]:
        """A key of several columns, spread over places of one value: found, but no entry can say it."""
        singles: list[dict[Place, str]] = []
        kept = self._vocabulary
        for content in self.contents:
            counts = Counter(_plain(place, kept) for place, _ in content.found)
            singles.append({p: v for place, v in content.found if counts[p := _plain(place, kept)] == 1})
        places = sorted({place for single in singles for place in single if place.words})[:_MOST_PLACES]
        doubts = []
        for order in permutations(places, len(self.persons.key)):
            rows = [tuple(single[place] for place in order) for single in singles if set(order) <= set(single)]
            meeting = judged_together(rows, self.persons) if rows else None
            if meeting is not None and meeting.sure != "none":
                doubts.append(f"{' and '.join(map(_where, order))} together name a person, which no entry can say")
        return doubts


def _is_word(name: str) -> bool:
    if not re.fullmatch(r"[A-Za-z_$@][\w$@.: -]{0,63}", name, re.ASCII):
        return False
    parts = list(pieces(name))
    return any(part.kind == "word" for part in parts) and all(
        part.kind in ("word", "literal") or (part.kind == "integer" and len(part.text) < 3) for part in parts
    )


def _plain(place: Place, kept: Collection[str]) -> Place:
    path = tuple(step if step == EACH or step in kept else _ANY for step in place.path)
    return replace(place, field=place.field if place.field in kept or not place.field else _ANY, path=path)


def _where(place: Place) -> str:
    """In words, for a person who reads the evidence."""
    path = json_path(place.path)
    if place.is_name:
        return f"the names of properties in JSON{f' {path}' if path else ''}"
    if place.part == "name":
        return "the names of fields"
    at = {"value": "the value", "member": "a member", "field": f"field {place.field}"}[place.part]
    if place.field == _ANY:
        at = "a field of any name"
    return f"{at}, JSON {path}" if path else at


def json_path(path: Sequence[str]) -> str:
    """`actor.id`, `items[].user_id`; a name with a dot or a bracket in it is quoted."""
    text = ""
    for step in path:
        if step == EACH:
            text += EACH
        else:
            shown = step if re.fullmatch(r"[^\s.\[\]\"]+", step) else '"' + step.replace('"', '\\"') + '"'
            text += f".{shown}" if text else shown
    return text


def _entry(place: Place, meeting: Meeting, type_: str) -> dict[str, Any]:
    """What the map says of persons at this place; nothing where it has no words for it."""
    if place.is_name or place.field == _ANY or _ANY in place.path or len(meeting.names) > 1:
        return {}
    if place.part in ("member", "name") and not place.path:
        entry: dict[str, Any] = {"member": "{" + escaped(meeting.names[0]) + "}"}
        return {**entry, "type": "hash"} if place.part == "name" else entry
    holds: dict[str, Any] = {"identity": meeting.names[0]} if meeting.is_identity else {}
    if place.field:
        holds["field"] = place.field
    if place.path:
        holds["json"] = json_path(place.path)
    if not place.field and not place.path:
        holds["value"] = True
    return {"holds": holds, **({"type": type_} if place.part == "member" else {})}


def _doubt(finding: Finding) -> str:
    if finding.meeting.sure != "none":
        return f"persons stand in {finding.where}, which no entry can say"
    names = " and ".join(finding.meeting.names)
    return f"{finding.where} may hold {names}: {finding.meeting.telling}"


SEVERAL = "one value names several people"


def _several(found: Sequence[tuple[Finding, set[tuple[int, str]]]]) -> list[str]:
    """Whether two places name different people: a message has a sender and a recipient."""
    people = [(each, values) for each, values in found if not each.meeting.is_identity and each.meeting.sure != "low"]
    for _, values in people[1:]:
        _, first = people[0]
        if 2 * len(first & values) < min(len(first), len(values)):
            return [SEVERAL]
    return []
