"""Tables that could have a row for each person, weighed by their names, their columns, and who points at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datamap.catalogue import Catalogue, Table
from datamap.discover import categories, words
from datamap.discover.questions import Sample
from datamap.names import Table as Name

STRONG = words.listed(
    """
    user customer person patient student employee member contact client subscriber guest donor staff teacher
    appuser driver passenger citizen candidate applicant participant userprofile visitor player resident
    """
)
MAIL = words.listed("email mail emailaddress courriel")
_SECRET = words.listed("password passwd pwd pass digest hash salt")
LOGIN = words.listed("username login nickname nick handle screenname loginname")
PHONE = words.listed("phone mobile telephone tel cell msisdn")
_BIRTH = words.listed("created joined registered createdat createddate signup")
_ORGANISED = words.listed(
    """
    subdomain plan vat tax domain website industry billing sector slug tier seat company iban employees
    """
)
_PERSONAL = (
    "user.name.",
    "user.demographic.date",
    "user.demographic.gender",
    "user.government_id.passport",
    "user.government_id.national",
    "user.health",
    "user.biometric",
)
_PLACES = ("address", "location", "delivery", "shipment", "destination")
_ORGANISATIONS = words.listed("account tenant agent")
_SUFFIXES = words.listed("profile detail info entity account data record base model table master mst tbl")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    table: Table
    score: int
    reasons: tuple[str, ...]
    word: str


def head(table: Table) -> str:
    """The word that says what a row is: `auth_user`, `user_entity`, `AspNetUsers` → user."""
    said = list(words.words(table.name.name))
    while len(said) > 1 and (said[-1] in _SUFFIXES or said[-1].isdigit()):
        said.pop()
    return said[-1] if said else ""


def describes_people(table: Table, sample: Sample | None) -> bool:
    """Whether its rows are people, though nobody may be called so: names and births, or a word for them and addresses.

    Where somebody lives or what is sent there is no person, but a part of what points at it.
    """
    said = words.words(table.name.name)
    if not said or said[-1].endswith(_PLACES):
        return False
    told = {categories.by_name(table.columns[name]) or "" for name, _ in categories.telling(table, sample)}
    is_called_so = said[-1] in words.PERSON | words.MAYBE_PERSON and said[-1] not in _ORGANISATIONS
    return any(each.startswith(_PERSONAL) for each in told) or (is_called_so and bool(told))


def candidates(catalogue: Catalogue, tables: list[Table]) -> Iterator[Candidate]:
    pointed = _pointed_at_by_name(tables)
    likely = {table.name for table in tables if head(table) in words.PERSON | words.MAYBE_PERSON}
    for table in tables:
        score, reasons = _own_score(table)
        if score <= 0:
            continue
        references = {other.name for other, _ in catalogue.references.get(table.name, ())} - {table.name}
        count = len(references) or len(pointed.get(head(table), set()) - {table.name})
        if count:
            score += min(5, count)
            reasons.append(f"{count} tables point at it")
        if _people_point_at(catalogue, table, likely):
            score -= 5
            reasons.append("but people point at it")
        if _is_mere_link(table):
            score -= 10
        yield Candidate(table=table, score=score, reasons=tuple(reasons), word=head(table))


def _pointed_at_by_name(tables: list[Table]) -> dict[str, set[Name]]:
    found: dict[str, set[Name]] = {}
    for table in tables:
        for column in table.columns:
            says = words.meant(column)
            if says and says != words.words(column):
                found.setdefault(says[-1], set()).add(table.name)
    return found


def _own_score(table: Table) -> tuple[int, list[str]]:
    word, reasons, score = head(table), list[str](), 0
    if word in STRONG:
        score, reasons = 4, [f"called {word}"]
    elif word in words.PERSON | words.MAYBE_PERSON:
        score, reasons = 2, [f"called {word}"]
    marks = _marks(table)
    points = {
        "e-mail": 3,
        "password": 3,
        "first and last name": 3,
        "full name": 2,
        "login": 2,
        "phone": 1,
        "birth": 2,
        "name": 1,
    }
    score += sum(points[mark] for mark in marks)
    reasons += [f"has {mark}" for mark in marks]
    organised = {word for name in table.columns for word in words.words(name)[:1] if word in _ORGANISED}
    if organised and "password" not in marks and "first and last name" not in marks:
        score -= 2 * min(3, len(organised))
    if not reasons or word in words.GATHERING - words.MAYBE_PERSON:
        score -= 4
    if word not in words.PERSON | words.MAYBE_PERSON and "password" not in marks:
        score -= 3
    return score, reasons


def _marks(table: Table) -> list[str]:
    names = [words.words(name) for name in table.columns]
    flat = ["".join(name) for name in names]
    found = {
        "e-mail": any(set(name) & MAIL and "verified" not in name for name in names),
        "password": any(set(name) & _SECRET and set(name) & {"password", "passwd", "pwd", "pass"} for name in names),
        "first and last name": any(
            name[:1] in (("first",), ("given",), ("fname",), ("forename",)) or name == ("vorname",) for name in names
        ),
        "full name": any(each in ("fullname", "displayname", "realname") for each in flat),
        "login": any(each in LOGIN for each in flat)
        or any(name[-1:] == ("login",) and "last" not in name for name in names),
        "phone": any(set(name) & PHONE for name in names),
        "birth": any("birth" in each or each == "dob" for each in flat),
    }
    found["name"] = not found["full name"] and not found["first and last name"] and "name" in flat
    return [mark for mark, is_there in found.items() if is_there]


def _people_point_at(catalogue: Catalogue, table: Table, likely: set[Name]) -> bool:
    """Users point at their tenant: then that is none of them."""
    declared = {
        other.name for other, key in catalogue.references.get(table.name, ()) if not other.is_unique(key.columns)
    }
    marked = {
        name
        for name in likely - {table.name}
        if any(
            words.meant(column)[-1:] == (head(table),)
            and column not in catalogue.tables[name].primary_key
            and words.meant(column) != words.words(column)
            for column in catalogue.tables[name].columns
        )
    }
    stronger = {name for name in declared | marked if name in likely and _own_score(catalogue.tables[name])[0] >= 5}
    return bool(stronger - {table.name}) and head(table) in words.MAYBE_PERSON | words.GATHERING


def _is_mere_link(table: Table) -> bool:
    """Memberships: rows that only say who belongs to what."""
    keys = {column for key in table.foreign_keys for column in key.columns}
    keys |= {name for name in table.columns if words.meant(name) != words.words(name)}
    own = [n for n in table.columns if n not in keys and table.columns[n].family in ("text", "json", "numeric")]
    return len(keys) >= 2 and len(own) <= 2 and not set(_marks(table)) & {"e-mail", "password"}
