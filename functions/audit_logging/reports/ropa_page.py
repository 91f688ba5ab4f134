"""The record of processing activities as a page, in the order of Art. 30(1), with its blanks to be filled by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from functions.audit_logging.reports import words
from functions.audit_logging.reports.ropa import Activity, Blank, Kept, People, Recipient, Ropa, Told
from functions.audit_logging.reports.words import counted, term
from shared.page import page
from shared.page_markup import Content, Markup, breakable, element
from shared.page_section import facts, none, section

TITLE = "Record of processing activities"
_ROUNDED = {"year_end": "the end of the year of", "month_end": "the end of the month of"}


def shown(record: Ropa) -> str:
    """The page."""
    return page(
        _header(record),
        _controller(record),
        _categories_of_people(record),
        _activities(record),
        _unassigned(record),
        _backups(record),
        section("security", _by("Security of processing", "g"), element("p", _told(record.security))),
        _made_of(record),
        title=f"{TITLE}: {record.controller.name}",
    )


def _header(record: Ropa) -> Markup:
    number = len(record.blanks())
    left = f"Left blank: {counted(number, 'place')}, framed, each with who fills it."
    return element(
        "header",
        element("p", record.controller.name, class_="whose"),
        element("h1", TITLE),
        element("p", "Art. 30(1) GDPR", class_="lead"),
        element("p", f"As of {words.day(record.made_at.date())}, from the data map. {left}", class_="note"),
    )


def _controller(record: Ropa) -> Markup:
    given = record.controller
    pairs: list[tuple[Content, Content]] = [
        ("Name", given.name),
        ("Contact", given.contact),
        ("Joint controllers", _told(given.joint)),
        ("Representative", _told(given.representative)),
        ("Data protection officer", _told(given.officer)),
        ("Supervisory authority", given.authority),
    ]
    return section("controller", _by("Controller", "a"), facts(pairs))


def _categories_of_people(record: Ropa) -> Markup:
    pairs = [(["Rows of ", element("code", breakable(each.table))], _told(_who(each))) for each in record.people]
    return section("people", _by("Categories of people", "c"), facts(pairs))


def _who(people: People) -> Told:
    return people.who if isinstance(people.who, Blank) else _sentence(people.who)


def _activities(record: Ropa) -> Markup:
    if not record.activities:
        return section("activities", "Processing activities", none("The data map names no activity."))
    who = {each.kind: each for each in record.people}
    return section("activities", "Processing activities", [_activity(each, who) for each in record.activities])


def _activity(given: Activity, who: Mapping[str, People]) -> Markup:
    return element(
        "article",
        element("h3", given.name.replace("_", " ").capitalize()),
        element("p", given.description) if given.description else None,
        facts([(name, value) for name, value in _facts(given, who) if value]),
        class_="activity",
    )


def _facts(given: Activity, who: Mapping[str, People]) -> Iterable[tuple[Content, Content]]:
    yield _by("Purposes", "b"), _terms(given.purposes)
    yield "Legal basis", _basis(given)
    yield _by("People", "c"), _people(given, who)
    yield _by("Personal data", "c"), _categories(given.categories)
    yield "Where from", _origin(given)
    yield _by("Recipients", "d"), _recipients(given.recipients)
    yield _by("Transfers to third countries", "e"), _transfers(given.recipients)
    yield _by("Time limit for erasure", "f"), _retention(given.retention)
    yield "Kept by law", _listed(map(_kept, given.kept)) if given.kept else None
    yield "Automated decisions", "Yes: the data map tells their logic" if given.is_automated_decision else None
    places = [element("code", breakable(place)) for place in given.places]
    yield "Where it lies", _listed(places) if places else None


def _by(name: str, letter: str) -> Markup:
    """With the letter of Art. 30(1) that asks for it."""
    return element("span", name, " ", element("small", f"({letter})"))


def _told(value: Told) -> Content:
    """What is said, or the frame for it."""
    if isinstance(value, Blank):
        return element("span", element("b", f"To be filled by {value.by}"), _sentence(value.what), class_="blank")
    return value


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _listed(items: Iterable[Content]) -> Content:
    """One by itself, or several below each other."""
    found = list(items)
    return found[0] if len(found) == 1 else element("ul", [element("li", each) for each in found])


def _terms(terms: tuple[str, ...] | Blank) -> Content:
    return _told(terms) if isinstance(terms, Blank) else _listed(map(term, terms))


def _basis(given: Activity) -> Content:
    if isinstance(given.legal_basis, Blank):
        return _told(given.legal_basis)
    interest = f": {given.interest}" if given.interest else ""
    special = f"; for special categories {term(given.special_basis)}" if given.special_basis else ""
    return f"{term(given.legal_basis)}{special}{interest}"


def _people(given: Activity, who: Mapping[str, People]) -> Content:
    if isinstance(given.people, Blank):
        return _told(given.people)
    named = [_who(who[kind]) for kind in given.people]
    return _listed("see Categories of people" if isinstance(each, Blank) else each for each in named)


def _categories(keys: tuple[str, ...] | Blank) -> Content:
    """`Contact: email, phone number`, one line for each kind."""
    if isinstance(keys, Blank):
        return _told(keys)
    kinds: dict[str, list[str]] = {}
    for key in keys:
        kind, detail = words.category(key)
        kinds.setdefault(kind, []).extend([detail] if detail else [])
    return _listed(f"{kind}: {', '.join(details)}" if details else kind for kind, details in kinds.items())


def _origin(given: Activity) -> Content:
    return ", ".join(filter(None, (given.origin and term(given.origin), given.source)))


def _recipients(given: tuple[Recipient, ...] | Blank) -> Content:
    if isinstance(given, Blank):
        return _told(given)
    return _listed(map(_recipient, given)) if given else "Nobody"


def _recipient(given: Recipient) -> Content:
    reason = f" (not by name: {given.reason})" if given.reason and not given.name else ""
    return _sentence(f"{given.name or given.category}{reason}")


def _transfers(given: tuple[Recipient, ...] | Blank) -> Content:
    if isinstance(given, Blank):
        return None
    abroad = [each for each in given if each.country]
    return _listed(map(_transfer, abroad)) if abroad else "None: the data map names no recipient outside of the Union"


def _transfer(given: Recipient) -> Content:
    called = f"{given.name or given.category}, {given.country}"
    if isinstance(given.safeguard, Blank):
        return [called, _told(given.safeguard)]
    return f"{called}: {term(given.safeguard or '')}"


def _retention(given: Mapping[str, Any] | Blank) -> Content:
    if isinstance(given, Blank):
        return _told(given)
    until = f"until {given['until']}" if "until" in given else ""
    law = f" ({given['law']})" if "law" in given else ""
    return _sentence(" and ".join(filter(None, (_period(given), until)))) + law


def _period(given: Mapping[str, Any]) -> str:
    if "period" not in given:
        return ""
    since = given.get("from")
    if isinstance(since, Mapping):
        rounded = _ROUNDED.get(str(since.get("round")), "")
        since = f"{rounded} {since['column']}".strip()
    return words.period(given["period"]) + (f" from {since}" if since else "")


def _kept(given: Kept) -> Content:
    owner = f"; {given.owner} answers for it" if given.owner else ""
    until = f", until {given.until}" if given.until else ""
    exception = given.exception if isinstance(given.exception, Blank) else f", Art. {given.exception}"
    law = given.law if isinstance(given.law, Blank) else f": {given.law}"
    return [element("code", breakable(given.dataset)), _told(exception), _told(law), until, owner]


def _unassigned(record: Ropa) -> Markup | None:
    if not record.unassigned:
        return None
    pairs = [(element("code", breakable(each.place)), _told(each.activity)) for each in record.unassigned]
    return section("unassigned", "Personal data without an activity", facts(pairs))


def _backups(record: Ropa) -> Markup:
    gone = record.backups
    said = _told(gone) if isinstance(gone, Blank) else f"Copies in backups are gone after {words.period(gone)}."
    return section("backups", "Backups", element("p", said))


def _made_of(record: Ropa) -> Markup:
    digest = element("code", record.map_digest, class_="hash")
    drawn = "Drawn from the data map with the digest "
    rest = ". Change the map and approve it, and this record follows; what is framed is filled by hand."
    return section("source", "Where this comes from", element("p", drawn, digest, rest))
