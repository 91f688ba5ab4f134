"""The words of reports: what the suite's codes, and those of the data map, are called to somebody who reads neither."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.reasons import TO_EXTEND, TO_REFUSE, Right

RIGHTS: Mapping[Right, str] = {"access": "Access", "portability": "Portability", "erasure": "Erasure"}
ARTICLES: Mapping[Right, str] = {"access": "Art. 15", "portability": "Art. 20", "erasure": "Art. 17"}
STATUSES = {
    "completed": "completed",
    "refused": "refused",
    "not_identified": "nobody identified",
    "withdrawn": "withdrawn",
    "rejected": "rejected",
    "in_progress": "in progress",
    "incomplete": "not complete yet",
    "blocked": "blocked",
    "failed": "failed, to be tried again",
    "suspended_by_restore": "suspended since a restore",
}
TO_BE_TOLD = {
    "refused": "refused, the person not told yet",
    "not_identified": "nobody identified, the person not told yet",
}
_BASES = {
    "a": "consent",
    "b": "a contract",
    "c": "a legal obligation",
    "d": "vital interests",
    "e": "a public task",
    "f": "legitimate interests",
}
_PARTS = {"Y": "year", "M": "month", "W": "week", "D": "day", "H": "hour", "m": "minute", "S": "second"}


def counted(number: int, noun: str) -> str:
    """`1 request` · `2,000 requests`"""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def were(number: int) -> str:
    """After so many."""
    return "was" if number == 1 else "were"


def share(part: int, whole: int) -> str:
    """`98 %`; never 100 % where one is missing, nor 0 % where there is one."""
    if not whole:
        return "\N{EN DASH}"
    rounded = round(100 * part / whole)
    if part < whole:
        rounded = min(rounded, 99)
    if part:
        rounded = max(rounded, 1)
    return f"{rounded}\N{NO-BREAK SPACE}%"


def day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def instant(at: datetime, zone: str) -> str:
    there = at.astimezone(ZoneInfo(zone))
    return f"{day(there.date())}, {there:%H:%M}"


def status(code: str) -> str:
    return STATUSES.get(code, code.replace("_", " "))


def owed(code: str) -> str:
    """The status of a request of which something is owed."""
    return TO_BE_TOLD.get(code, status(code))


def reason(code: str) -> tuple[str, str]:
    """What it says, and where the law has it."""
    known = TO_EXTEND.get(code) or TO_REFUSE.get(code)
    return (known.says, known.law) if known else (code, "")


def days_left(number: int) -> str:
    if number < 0:
        return f"{counted(-number, 'day')} over"
    return "today" if number == 0 else counted(number, "day")


def period(text: str) -> str:
    """`P10Y` is `10 years`, `P1Y6M` `1 year and 6 months`."""
    days, _, times = text.removeprefix("P").partition("T")
    parts = re.findall(r"(\d+)([YMWDHmS])", days + times.replace("M", "m"))
    words = [counted(int(number), _PARTS[letter]) for number, letter in parts]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:]))) or text


def term(text: str) -> str:
    """A term of DPV: `LegalCompliance` is `Legal compliance`, `eu-gdpr:A6-1-b` is `Art. 6(1)(b), a contract`."""
    known = re.fullmatch(r"(?:https?://\S+[#/]|[\w-]+:)?([A-Za-z][A-Za-z0-9-]*)", text)
    if known is None:
        return text  # somebody's own words
    word = known[1]
    if article := re.fullmatch(r"A(\d+)(?:-(\d+))?(?:-([a-z]))?((?:-[A-Za-z]+)*)", word):
        return _article(*article.groups())
    return _sentence(re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", word))


def _article(number: str, paragraph: str | None, letter: str | None, more: str) -> str:
    law = f"Art. {number}" + "".join(f"({part})" for part in (paragraph, letter) if part)
    basis = _BASES.get(letter or "") if (number, paragraph) == ("6", "1") else None
    return ", ".join(filter(None, (law, more.replace("-", " ").strip() or basis)))


def category(key: str) -> tuple[str, str]:
    """A category of fideslang, and what it is one of: `user.contact.email` is `email` of `Contact`."""
    first, *rest = key.removeprefix("user.").replace("_", " ").split(".")
    return _sentence(first), " ".join(rest)


def _sentence(text: str) -> str:
    """With a capital at the beginning only; what is written in capitals stays."""
    words = [word if word.isupper() and word[1:] else word.lower() for word in text.split()]
    joined = " ".join(words)
    return joined[:1].upper() + joined[1:]
