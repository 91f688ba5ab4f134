"""The record of processing activities (Art. 30(1) GDPR), as far as the data map tells it (R81).

What the map does not say is a blank that names who fills it: nothing is guessed. The record is of what the map holds,
in its terms; ropa_page.py has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeAlias

from shared.plan import Plan

FORMAT = 1
OFFICER = "the privacy officer"
SECURITY = "whoever answers for information security"
_ONLY = "person"  # what a map with one kind of subject calls it


@dataclass(frozen=True, kw_only=True)
class Blank:
    """Something that only a person can tell."""

    what: str
    by: str = OFFICER


Told: TypeAlias = "str | Blank"


@dataclass(frozen=True, kw_only=True)
class Controller:
    """(a): who answers for it all."""

    name: str
    contact: str
    joint: Told
    representative: Told
    officer: Told
    authority: str


@dataclass(frozen=True, kw_only=True)
class People:
    """(c): a kind of person, and the table that has a row for each."""

    kind: str
    table: str
    who: Told


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """(d), and (e) where it has a country."""

    name: str | None
    category: str | None
    reason: str | None
    country: str | None
    safeguard: Told | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """(f): rows that stay after an erasure, by law."""

    dataset: str
    exception: Told
    law: Told
    until: str | None
    owner: str | None


@dataclass(frozen=True, kw_only=True)
class Activity:
    """(b) to (f) of one processing activity."""

    name: str
    description: str | None
    purposes: tuple[str, ...] | Blank
    legal_basis: Told
    special_basis: str | None
    interest: str | None
    people: tuple[str, ...] | Blank  # kinds
    categories: tuple[str, ...] | Blank
    origin: str | None
    source: str | None
    recipients: tuple[Recipient, ...] | Blank
    retention: Mapping[str, Any] | Blank
    kept: tuple[Kept, ...]
    is_automated_decision: bool
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unassigned:
    """Something that holds personal data, and no activity says why."""

    place: str
    activity: Blank


@dataclass(frozen=True, kw_only=True)
class Ropa:
    """The record."""

    made_at: datetime
    map_digest: str
    controller: Controller
    people: tuple[People, ...]
    activities: tuple[Activity, ...]
    unassigned: tuple[Unassigned, ...]
    backups: Told  # after which time copies in them are gone
    security: Blank  # (g)

    def as_data(self) -> dict[str, Any]:
        """For a machine: a blank is an object that says `needs_human`."""
        told: dict[str, Any] = _plain(self)
        return {"format": FORMAT, "kind": "ropa", **told, "blanks": [path for path, _ in self.blanks()]}

    def blanks(self) -> list[tuple[str, Blank]]:
        """All that is still to be filled, each with its place in the record."""
        return list(_blanks(self, ""))


def record_of(plan: Plan, *, made_at: datetime) -> Ropa:
    """By an approved plan, which knows whose data each table holds."""
    concerned: dict[str, set[str]] = {}
    for kind in plan.kinds:
        for dataset in kind.datasets:
            concerned.setdefault(dataset.activity or "", set()).add(kind.name)
    return record_of_map(plan.map, digest=plan.map_digest, made_at=made_at, concerned=concerned)


def record_of_map(
    data_map: Mapping[str, Any],
    *,
    digest: str,
    made_at: datetime,
    concerned: Mapping[str, Iterable[str]] | None = None,
) -> Ropa:
    """By a map alone, as `Map.data` writes it. `concerned` says which kinds of people an activity is about.

    Sorted by name, as a stored plan has it: the record of a file and that of its plan are one.
    """
    kinds = data_map.get("subjects") or {_ONLY: data_map["subject"]}
    places = list(_places(data_map))
    known = data_map.get("activities", {})
    return Ropa(
        made_at=made_at,
        map_digest=digest,
        controller=_controller(data_map["controller"]),
        people=tuple(_people(name, kind) for name, kind in sorted(kinds.items())),
        activities=tuple(
            _activity(name, given, _of(name, places), people=_whose(name, kinds, concerned))
            for name, given in sorted(known.items())
        ),
        unassigned=tuple(_unassigned(name) for name, entry in places if entry.get("activity") not in known),
        backups=data_map.get("backups", {}).get("expire_after")
        or Blank(what="after which time copies in backups are gone"),
        security=Blank(what="the technical and organisational measures of Art. 32(1), in general words", by=SECURITY),
    )


def _controller(given: Mapping[str, Any]) -> Controller:
    return Controller(
        name=given["name"],
        contact=given["contact"],
        joint=Blank(what="joint controllers and how they are reached, or that there are none"),
        representative=given.get("representative")
        or Blank(what="the representative in the Union, or that none is needed"),
        officer=given.get("officer") or Blank(what="how the data protection officer is reached, or that there is none"),
        authority=given["authority"],
    )


def _people(name: str, kind: Mapping[str, Any]) -> People:
    blank = Blank(what=f"who the people in {kind['table']} are, such as customers, employees or patients")
    return People(kind=name, table=kind["table"], who=blank if name == _ONLY else name.replace("_", " "))


def _unassigned(place: str) -> Unassigned:
    return Unassigned(place=place, activity=Blank(what=f"the activity that {place} belongs to"))


def _places(data_map: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Wherever personal data lies: tables, patterns of keys, objects; each by its name, with its entry."""
    for name, entry in sorted(data_map.get("tables", {}).items()):
        if entry.get("personal", True):
            yield name, entry
    for part, called in (("cache", "cache keys"), ("objects", "objects")):
        for name, entry in sorted(data_map.get(part, {}).items()):
            if isinstance(entry, Mapping) and entry.get("personal", True):
                yield f"{called} {name}", entry


def _of(activity: str, places: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    return {name: entry for name, entry in places if entry.get("activity") == activity}


def _whose(
    activity: str, kinds: Mapping[str, Any], concerned: Mapping[str, Iterable[str]] | None
) -> tuple[str, ...] | Blank:
    if len(kinds) == 1:
        return tuple(kinds)
    if concerned and activity in concerned:
        return tuple(sorted(concerned[activity]))
    return Blank(what=f"which of these people it is about: {', '.join(sorted(kinds))}")


def _activity(
    name: str, given: Mapping[str, Any], places: Mapping[str, Mapping[str, Any]], *, people: tuple[str, ...] | Blank
) -> Activity:
    purpose = given.get("purpose")
    purposes = (purpose,) if isinstance(purpose, str) else tuple(purpose or ())
    retention = given.get("retention")
    law = (retention or {}).get("law")
    return Activity(
        name=name,
        description=given.get("description"),
        purposes=purposes or Blank(what="the purpose"),
        legal_basis=given.get("legal_basis") or Blank(what="the legal basis of Art. 6(1)"),
        special_basis=given.get("special_basis"),
        interest=given.get("interest"),
        people=people,
        categories=tuple(sorted(set(_categories(places.values())))) or Blank(what="the categories of personal data"),
        origin=given.get("origin"),
        source=given.get("source"),
        recipients=_recipients(given.get("recipients")),
        retention=retention or Blank(what="the time limit for erasure"),
        kept=tuple(_kept(place, entry["keep"], law) for place, entry in places.items() if "keep" in entry),
        is_automated_decision="automated_decision" in given,
        places=tuple(places),
    )


def _categories(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        if category := entry.get("category"):  # of a pattern or of objects
            yield category
        for column in entry.get("columns", {}).values():
            if column.get("personal", True) and column.get("category"):
                yield column["category"]


def _recipients(given: Iterable[Mapping[str, Any]] | None) -> tuple[Recipient, ...] | Blank:
    if given is None:
        return Blank(what="who receives the data, or that nobody does")
    return tuple(map(_recipient, given))


def _recipient(given: Mapping[str, Any]) -> Recipient:
    country = given.get("country")
    unsaid = Blank(what="what protects the data there (Art. 44 to 49)") if country else None
    return Recipient(
        name=given.get("name"),
        category=given.get("category"),
        reason=given.get("reason"),
        country=country,
        safeguard=given.get("safeguard") or unsaid,
    )


def _kept(dataset: str, keep: Mapping[str, Any], law: str | None) -> Kept:
    return Kept(
        dataset=dataset,
        exception=keep.get("exception") or Blank(what="which exception of Art. 17(3) lets it stay"),
        law=keep.get("law") or law or Blank(what="which law asks for it"),
        until=keep.get("until"),
        owner=keep.get("owner"),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Blank):
        return {"needs_human": value.what, "by": value.by}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _blanks(value: Any, path: str) -> Iterator[tuple[str, Blank]]:
    if isinstance(value, Blank):
        yield path, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _blanks(getattr(value, field.name), f"{path}/{field.name}")
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _blanks(each, f"{path}/{number}")
