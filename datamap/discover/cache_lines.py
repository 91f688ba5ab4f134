"""The lines of a map's `cache` that what was found in a store proposes, each with how sure it is, and why.

What would not pass the check is not proposed: it is `undecided`, with what a person has to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from datamap.discover import words
from datamap.discover.cache import KeyPattern
from datamap.discover.cache_persons import SURE, Confidence, Persons
from datamap.discover.cache_places import SEVERAL, Finding
from shared.patterns import NotAPattern, Pattern

_NAMELESS = "nothing in these names is certainly a word: look at the keys, and write their patterns by hand"
_SETTINGS = words.listed("config configuration feature flag maintenance migration schema version health healthcheck")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One pattern, its entry as the map takes it, and a sentence of counts and places."""

    pattern: str
    entry: dict[str, Any]
    confidence: Confidence  # none: undecided
    evidence: str
    apart: tuple[str, ...] = field(default=(), repr=False)  # its keys by their own words: to compare, never to show


def lines(found: Iterable[KeyPattern], persons: Persons) -> list[Line]:
    """In the order of their patterns; several for keys that name one person, and hold others.

    None for the key that is the empty text: no line of a map can name it.
    """
    proposed: dict[str, Line] = {}
    for pattern in (each for each in found if each.pattern):
        for line in (replace(each, apart=_apart(each, pattern)) for each in _lines(pattern, persons)):
            known = proposed.get(line.pattern)
            if known is None or SURE[known.confidence] < SURE[line.confidence]:
                proposed[line.pattern] = line
    return [proposed[pattern] for pattern in sorted(proposed)]


def _apart(line: Line, found: KeyPattern) -> tuple[str, ...]:
    """With a star for whom they name, where the line has one."""
    texts = (each.pattern for each in found.apart)
    return tuple(sorted({text if line.pattern == found.pattern else _without_names(text) for text in texts}))


def _lines(found: KeyPattern, persons: Persons) -> list[Line]:
    if not any(map(str.isalpha, _without_names(found.pattern))):
        return [_undecided(found, found.pattern, _NAMELESS)]
    if found.in_key is not None:
        others = next((each for each in found.in_value if each.of_others), None)
        more = [_line(found, _without_names(found.pattern), others, persons)] if others else []
        return [_line(found, found.pattern, found.in_key, persons), *more]
    if SEVERAL in found.doubts or not found.in_value:
        return [_undecided(found, found.pattern, None)]
    return [_line(found, found.pattern, found.in_value[0], persons)]


def _line(found: KeyPattern, pattern: str, finding: Finding, persons: Persons) -> Line:
    weak = _weakness(pattern, persons) or _weakness(str(finding.entry.get("member", "")), persons)
    if weak:
        return _undecided(found, pattern, weak)
    subject = {"subject": persons.subject} if persons.subject else {}
    return Line(
        pattern=pattern,
        entry={**subject, **finding.entry},
        confidence=finding.meeting.sure,
        evidence="; ".join((_persons(found, finding), *found.doubts, _keys(found))),
    )


def _undecided(found: KeyPattern, pattern: str, weak: str | None) -> Line:
    why = [*([weak] if weak else []), *found.doubts, *(f"not read: {reason}" for reason in found.unread)]
    if not why and _is_a_setting(found, pattern):
        entry = {"personal": False, "reason": "a setting of the application"}
        evidence = f"one key, by its name, and nobody known was found in it; {_keys(found)}"
        return Line(pattern=pattern, entry=entry, confidence="medium", evidence=evidence)
    said = "; ".join((*(why or ["nobody known was found in it"]), _keys(found)))
    return Line(pattern=pattern, entry={"erase": "undecided"}, confidence="none", evidence=said)


def _is_a_setting(found: KeyPattern, pattern: str) -> bool:
    """`config:maintenance`: one key, all of whose words say so."""
    said = words.words(pattern)
    return found.keys == 1 and "*" not in pattern and bool(said) and said[0] in _SETTINGS


def _weakness(pattern: str, persons: Persons) -> str | None:
    """Why the check would refuse a pattern."""
    if not pattern:
        return None
    try:
        faults = Pattern.parse(pattern, persons.spellings).faults(persons.columns, tuple(persons.identities))
    except NotAPattern:
        return "its text is no pattern"
    return faults[0].message if faults else None


def _without_names(pattern: str) -> str:
    """The same keys, whoever they name."""
    return str(Pattern.parse(pattern).starred()) if pattern else pattern


def _persons(found: KeyPattern, finding: Finding) -> str:
    meeting = finding.meeting
    kind = " and ".join(meeting.names)
    if not meeting.met:
        return f"{finding.where}: {meeting.telling}"
    count = _share(meeting.met / meeting.tried)
    if not found.is_sampled:
        count = f"{meeting.met} of {meeting.tried} different"
    return f"{finding.where}: {count} values are the {kind} of a subject; {meeting.telling}"


def _share(share: float) -> str:
    return "nearly all" if share >= 0.95 else "most" if share >= 0.5 else "some"


def _keys(found: KeyPattern) -> str:
    types = " and ".join(found.types)
    if found.is_sampled:
        lasting = "some never expire" if found.without_ttl else f"all expire within {_span(found.longest_ttl or 0)}"
        return f"{types}; {lasting} (sampled)"
    if found.without_ttl == 1:
        lasting = "never expiring"
    elif found.without_ttl:
        lasting = f"{round(found.without_ttl * found.keys)} of them never expiring"
    else:
        lasting = f"expiring within {_span(found.longest_ttl or 0)}"
    return f"{found.keys} {'key' if found.keys == 1 else 'keys'} ({types}), {lasting}"


def _span(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = -(-seconds // unit)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "a minute"
