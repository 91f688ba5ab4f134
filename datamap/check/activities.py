"""Why data is processed: each personal table says so, and each activity tells what Art. 15(1) wants (R25 to R27)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from datamap import model
from datamap.check.columns import term
from datamap.check.survey import Survey
from datamap.check.tables import is_undecided
from datamap.document import nearest
from datamap.fault import Fault, Where
from datamap.vocabulary import Vocabulary

_FEW = 6  # tables that one fault lists

# The person gave it, or the controller saw or made it: then there is no other source to tell of, Art. 15(1)(g).
_OWN_ORIGINS = (
    "ProvidedPersonalData",
    "ObservedPersonalData",
    "DerivedPersonalData",
    "InferredPersonalData",
    "GeneratedPersonalData",
)
_EEA = frozenset(
    re.findall(r"\w+", "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK")
)
_WANTED = {
    "purpose": "purpose: ServiceProvision",
    "legal_basis": "legal_basis: A6-1-b",
    "recipients": "recipients: […], or [] for nobody",
    "retention": "retention: {period: P1Y, from: …}, or {until: …}",
    "origin": "origin: ProvidedPersonalData",
}


def faults(survey: Survey) -> Iterator[Fault]:
    """Of tables, cache, objects and activities."""
    data_map = survey.map
    for what, name, where in _users(survey):
        yield from _known(what, name, where, data_map)
    for name, activity in data_map.activities.items():
        where = ("activities", name)
        yield from _told(name, activity, where)
        yield from _terms(name, activity, where)
        yield from _recipients(name, activity, where)
    yield from _unused(survey)
    yield from _special(survey)
    yield from _controller(data_map)


def _users(survey: Survey) -> Iterator[tuple[str, str | None, Where]]:
    """Whatever has to name an activity, what it names, and where."""
    for dataset in survey.personal:
        is_open = not is_undecided(dataset) and not survey.is_unread(dataset)
        if dataset.decision.activity is not None or is_open:
            yield str(dataset.name), dataset.decision.activity, dataset.where
    for pattern, entry in survey.map.cache.patterns.items():
        if entry.personal and (entry.activity is not None or entry.erase != model.UNDECIDED):
            yield f"The pattern {pattern}", entry.activity, ("cache", pattern)
    for name, objects in survey.map.objects.items():
        if objects.personal:
            yield f"The objects {name}", objects.activity, ("objects", name)


def _known(what: str, name: str | None, where: Where, data_map: model.Map) -> Iterator[Fault]:
    known = data_map.activities
    if name is None:
        remedy = (
            f"write activity: with one of {', '.join(known)}"
            if known
            else "write activities: {NAME: {purpose: …, legal_basis: …}}, and here activity: NAME"
        )
        message = f"{what} is personal, and no activity says why it is there"
        yield Fault(code="activity_missing", message=message, where=where, remedy=remedy)
    elif name not in known and where[0] == "tables":  # datamap.check.keys tells the others
        meant = nearest(name, known)
        remedy = f"did you mean {meant}?" if meant else f"write it under activities, or one of {', '.join(known)}"
        message = f"{what}: there is no activity {name}"
        yield Fault(code="unknown_activity", message=message, where=(*where, "activity"), remedy=remedy)


def _told(name: str, activity: model.Activity, where: Where) -> Iterator[Fault]:
    """R25: a key that is missing would be a blank in what the person is told."""
    for key, example in _WANTED.items():
        if getattr(activity, key) in (None, []) and not (key == "recipients" and activity.recipients == []):
            yield _incomplete(name, key, where, f"write {example}")
    if _is_of(activity.legal_basis, "A6-1-f") and not (activity.interest or "").strip():
        yield _incomplete(name, "interest", where, "write interest: with the legitimate interest in words")
    origin = Vocabulary.load().term("origin", activity.origin or "")
    if origin is not None and origin.key not in _OWN_ORIGINS and not (activity.source or "").strip():
        yield _incomplete(name, "source", where, "write source: with where the data comes from")


def _incomplete(name: str, key: str, where: Where, remedy: str) -> Fault:
    message = f"The activity {name} has no {key.replace('_', ' ')}, which people have to be told"
    return Fault(code="activity_incomplete", message=message, where=where, remedy=remedy)


def _is_of(text: str | None, article: str) -> bool:
    basis = Vocabulary.load().term("legal_basis", text or "")
    return basis is not None and (basis.key == article or basis.key.startswith(f"{article}-"))


def _terms(name: str, activity: model.Activity, where: Where) -> Iterator[Fault]:
    """R98: words of DPV, each of its own kind."""
    label = f"The activity {name}"
    purposes = [activity.purpose] if isinstance(activity.purpose, str) else activity.purpose or []
    for number, purpose in enumerate(purposes):
        yield from term("purpose", purpose, label, (*where, "purpose", number))
    for key, article in (("legal_basis", "A6"), ("special_basis", "A9")):
        text = getattr(activity, key)
        if text is None:
            continue
        unknown = list(term("legal_basis", text, label, (*where, key)))
        yield from unknown
        if not unknown and not _is_of(text, article):
            yield Fault(
                code="unknown_term",
                message=f"{label}: {text} is no basis of Art. {article[1:]}",
                where=(*where, key),
                remedy=f"write one that begins with {article}",
            )
    if activity.origin is not None:
        yield from term("origin", activity.origin, label, (*where, "origin"))


def _recipients(name: str, activity: model.Activity, where: Where) -> Iterator[Fault]:
    """R25: a transfer to a third country has a safeguard, Art. 15(2)."""
    for number, recipient in enumerate(activity.recipients or ()):
        here = (*where, "recipients", number)
        called = recipient.name or recipient.category
        if recipient.safeguard is not None:
            yield from term("safeguard", recipient.safeguard, f"The recipient {called}", (*here, "safeguard"))
        elif recipient.country and recipient.country.strip().upper() not in _EEA:
            yield Fault(
                code="safeguard_missing",
                message=f"The activity {name}: {called} is in {recipient.country}, and nothing protects the data there",
                where=here,
                remedy="write safeguard: with a DPV term such as A46-2-c, or A45-3 for an adequacy decision",
            )


def _unused(survey: Survey) -> Iterator[Fault]:
    used = Counter(name for _, name, _ in _users(survey) if name is not None)
    unknown = [name for name, count in used.items() if name not in survey.map.activities and count > 1]
    for name in survey.map.activities:
        meant = None if name in used else nearest(name, unknown)
        if meant is not None:
            message = f"There is no activity {meant}, which {used[meant]} entries name, and nothing belongs to {name}"
            yield Fault(
                code="unknown_activity", message=message, where=("activities", name), remedy=f"did you mean {meant}?"
            )
        elif name not in used:
            message = f"No table, pattern or object belongs to the activity {name}"
            yield Fault(
                code="unused_activity",
                message=message,
                where=("activities", name),
                severity="note",
                remedy="take it out, or name it where its data is",
            )


def _special(survey: Survey) -> Iterator[Fault]:
    """Art. 9: health, belief, biometry and their like need a basis of their own; each activity once."""
    vocabulary = Vocabulary.load()
    found: dict[str, list[str]] = {}
    for dataset in survey.personal:
        activity = survey.activity(dataset)
        if activity is not None and activity.special_basis is None:
            special = [
                name
                for name, entry in dataset.decision.columns.items()
                if entry.personal and entry.category and vocabulary.is_special(entry.category)
            ]
            told = [f"{dataset.name} ({', '.join(special)})"] if special else []
            found.setdefault(dataset.decision.activity or "", []).extend(told)
    for name, places in found.items():
        if places:
            yield Fault(
                code="special_basis",
                message=f"The activity {name} has no basis for special categories, and has such: {_listed(places)}",
                where=("activities", name),
                remedy="write special_basis: in the activity, such as A9-2-a",
            )


def _listed(places: Sequence[str]) -> str:
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{', '.join(places[:_FEW])}{more}"


def _controller(data_map: model.Map) -> Iterator[Fault]:
    for key in ("name", "contact", "authority"):
        if not getattr(data_map.controller, key).strip():
            message = f"The controller has no {key}, which people have to be told"
            yield Fault(code="controller", message=message, where=("controller", key), remedy=f"write {key}: …")
    if data_map.controller.holidays is None:
        message = "The controller names no calendar of holidays: a deadline that ends on one is told a day early"
        yield Fault(
            code="controller", message=message, where=("controller",), severity="note", remedy="write holidays: DE"
        )
    if data_map.backups is None:
        yield Fault(
            code="backups",
            message="Nothing says when backups expire, so nobody can be told until when a copy is left",
            where=("backups",),
            severity="warning",
            remedy="write backups: {expire_after: P35D}",
        )
