"""What was seen in the cache against what the map says of it: where in a key or its value the people stand (A3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datamap.check.coverage import overlap
from datamap.check.naming import Naming
from datamap.discover.cache import KeyPattern
from datamap.discover.cache_persons import SURE
from datamap.fault import Fault
from datamap.model import CacheEntry, Map
from shared.patterns import NotAPattern, Pattern

_ENOUGH = SURE["medium"]


def faults(data_map: Map, of: Mapping[str, Naming], found: Sequence[KeyPattern]) -> Iterator[Fault]:
    """Of the kinds of keys in which discovery found people."""
    for text, entry in data_map.cache.patterns.items():
        for seen in found:
            if entry.erase != "undecided" and _is_alone(text, seen, data_map, of):
                yield from _told(text, entry, seen)


def _is_alone(text: str, seen: KeyPattern, data_map: Map, of: Mapping[str, Naming]) -> bool:
    """Whether this line says all that the map says of these keys. Where several do, one may have the person."""
    fitting = [
        other
        for other, each in data_map.cache.patterns.items()
        if (pattern := _pattern(other, each, of)) is not None and any(_meets(pattern, part, of) for part in seen.apart)
    ]
    return fitting == [text]


def _pattern(text: str, entry: CacheEntry, of: Mapping[str, Naming]) -> Pattern | None:
    naming = of.get(entry.subject or next(iter(of), ""))
    try:
        return Pattern.parse(text, naming.spellings if naming else {})
    except NotAPattern:
        return None


def _meets(pattern: Pattern, seen: KeyPattern, of: Mapping[str, Naming]) -> bool:
    if not seen.pattern:
        return False
    return any(overlap(pattern, Pattern.parse(seen.pattern, naming.spellings)) for naming in of.values())


def _told(text: str, entry: CacheEntry, seen: KeyPattern) -> Iterator[Fault]:
    key = seen.in_key
    names = f", such as `{seen.pattern}: {{activity: …}}`" if key is not None else ""
    if not entry.personal:
        if key is not None and SURE[key.meeting.sure] >= _ENOUGH:
            yield _fault(
                text, f"is called not personal, and the keys {seen.pattern} name people", f"write a line{names}"
            )
            return
        for each in seen.in_value[:1]:
            if SURE[each.meeting.sure] >= _ENOUGH:
                said = _flow({"activity": "…", **each.entry})
                yield _fault(text, f"is called not personal, and people stand in {each.where}", f"write {said}")
        return
    places = [each for each in seen.in_value if SURE[each.meeting.sure] >= _ENOUGH and not each.of_others]
    is_held = entry.holds is not None or entry.member is not None
    if not places or not is_held or entry.erase != "delete" or any(_is_said(entry, each.entry) for each in places):
        return
    said = " or ".join(_flow(each.entry) for each in places)
    yield _fault(text, f"names nobody where it looks: people stand in {places[0].where}", f"write {said}")


def _is_said(entry: CacheEntry, found: Mapping[str, Any]) -> bool:
    """Whether the map looks where the people were found; the type of the key may be said or not."""
    told = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return all(_alike(told.get(word), found.get(word)) for word in ("holds", "member"))


def _alike(told: Any, found: Any) -> bool:
    if not isinstance(told, Mapping) or not isinstance(found, Mapping):
        return bool(told == found)
    return all(told.get(word) == found.get(word) for word in ("json", "field", "value"))


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{word}: {_flow(each)}' for word, each in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(text: str, message: str, remedy: str) -> Fault:
    return Fault(
        code="cache.elsewhere",
        message=f"The line {text} {message}",
        where=("cache", text),
        severity="warning",
        remedy=remedy,
    )
