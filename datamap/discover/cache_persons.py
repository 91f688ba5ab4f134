"""Whether values out of a cache name persons: those that are keys of subjects, and that is no accident.

Nearly every small number is somebody's id. So numbers are weighed against others of the same range that nobody wrote
down, by whether they end where the ids end, and by what their place is called; what remains is a tie.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from datamap.catalogue import Family
from datamap.discover.words import GATHERING, is_noun_for_a_person, meant
from shared.patterns import Spelling

Confidence = Literal["high", "medium", "low", "none"]
Key = tuple[str, ...]
SURE: Mapping[Confidence, int] = {"none": 0, "low": 1, "medium": 2, "high": 3}

ENDING_ALIKE = "they end where the ids end"
_EVERYTHING = "numbers that nearly everything contains"
VAGUE = frozenset({ENDING_ALIKE, _EVERYTHING})  # what speaks for a place that nothing else speaks against
_CONTROLS = 200
_AT_ONCE = 5_000
_LARGEST = 2**63 - 1
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
# What numbers count or name that are no persons.
_COUNTED = """count counter total qty quantity score point rank page limit offset size length version ttl age year month
    week day hour minute second time timestamp ts at date expire expiry price amount number index idx level status state
    code port product order item sku job task attempt retry priority build db shard post article tag view hit visit
    invoice payment message comment event file document image revision lock seq sequence stat metric rate balance stock
    inventory window step iteration try"""
_THINGS = GATHERING | frozenset(_COUNTED.split())


@dataclass(frozen=True, kw_only=True)
class Persons:
    """Who could be meant: told by whoever has the database, so that nobody here needs to know it.

    Values are asked for, and answered, as they stand in the cache. A number may be larger than its column holds.
    """

    key: Mapping[str, Family]  # the columns of the subject's key, in order
    contains: Callable[[Collection[Key]], Collection[Key]]  # which of these are keys of subjects
    identities: Mapping[str, Callable[[Collection[str]], Collection[str]]] = field(default_factory=dict)
    subject: str | None = None  # the kind, where there are several
    words: Collection[str] = frozenset()  # of the database: they are the application's, and may be repeated

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.key)

    @property
    def spellings(self) -> dict[str, Spelling]:
        return {name: Spelling(family=family) for name, family in self.key.items()}

    def known_keys(self, keys: Iterable[Key]) -> set[Key]:
        """Those that are somebody's; only such are asked for as could be, in batches."""
        families = tuple(self.key.values())
        fit = sorted({key for key in keys if all(map(_may_be, key, families))})
        return {tuple(found) for batch in _batches(fit) for found in self.contains(batch)}

    def known(self, identity: str, values: Iterable[str]) -> set[str]:
        fit = sorted({value for value in values if 0 < len(value) <= 320 and "\0" not in value and _is_text(value)})
        return {found for batch in _batches(fit) for found in self.identities[identity](batch)}

    def named_by_word(self, words: Collection[str]) -> set[str]:
        """Words that are somebody's name here, and must not be taken for vocabulary."""
        found = {word for name in self.identities for word in self.known(name, words)}
        if tuple(self.key.values()) in (("text",), ("enum",)):
            found |= {word for (word,) in self.known_keys((word,) for word in words)}
        return found


def _may_be(value: str, family: Family) -> bool:
    if family == "integer":
        return _NUMBER.fullmatch(value) is not None and abs(int(value)) <= _LARGEST
    if family == "uuid":
        return Spelling(family="uuid").holds(value)
    return 0 < len(value) <= 320 and "\0" not in value and _is_text(value)


def _is_text(value: str) -> bool:
    return value.isprintable() or not any("\ud800" <= character <= "\udfff" for character in value)


def _batches(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How the values of one place met persons: counts, and never a value."""

    names: tuple[str, ...]  # what a placeholder here is called: columns of the key, or an identity
    is_identity: bool = False
    tried: int
    met: int
    sure: Confidence  # none: they met, and that may be an accident
    telling: str  # what makes it sure, or unsure


def judged(values: Collection[str], said: Sequence[str], persons: Persons) -> Meeting | None:
    """Whom the different values of one place name, if anybody; `said` are the words that stand beside it."""
    found = [_as_identity(values, name, persons) for name in sorted(persons.identities)]
    if len(persons.key) == 1:
        found.insert(0, _as_key(values, said, persons))
    met = [each for each in found if each is not None]
    return max(met, key=lambda each: (SURE[each.sure], not each.is_identity, each.met), default=None)


def judged_together(rows: Collection[Key], persons: Persons) -> Meeting | None:
    """The same for a key of several columns, of which each row has a value each."""
    different = set(rows)
    met = persons.known_keys(different)
    if not met:
        return None
    share, telling = len(met) / len(different), "combinations that nearly everything contains"
    sure: Confidence = "none"
    if _unlikely(len(different), share, _share_of(_mismatched(sorted(different)), persons)) >= 7 and share >= 0.5:
        sure, telling = "high" if share >= 0.8 else "medium", "other combinations are nobody's"
    elif share >= 0.8 and len(met) >= 5 and _share_of(_beyond(sorted(met), persons), persons) < 0.25:
        sure, telling = "medium", ENDING_ALIKE
    return Meeting(names=persons.columns, tried=len(different), met=len(met), sure=sure, telling=telling)


def _mismatched(rows: Sequence[Key]) -> list[Key]:
    """The last value of each with the others of another, half way through: as likely a key, were it an accident."""
    half = max(1, len(rows) // 2)
    mixed = {(*one[:-1], other[-1]) for one, other in zip(rows, (*rows[half:], *rows[:half]), strict=True)}
    return sorted(mixed - set(rows))


def _beyond(rows: Sequence[Key], persons: Persons) -> list[Key]:
    """Behind the largest of these, where the last column is a number."""
    if tuple(persons.key.values())[-1] != "integer":
        return []
    numbers = [int(row[-1]) for row in rows]
    span = max(numbers) - min(numbers) + 1
    return [(*row[:-1], str(int(row[-1]) + span)) for row in rows]


def _share_of(rows: Collection[Key], persons: Persons) -> float:
    return len(persons.known_keys(rows)) / len(rows) if len(rows) >= 5 else 1.0


def _as_key(values: Collection[str], said: Sequence[str], persons: Persons) -> Meeting | None:
    ((name, family),) = persons.key.items()
    fit = {value for value in values if _may_be(value, family)}
    if family == "uuid":
        return _distinctive(name, fit, _met(fit, persons), False) or _otherwise_written(name, values, persons)
    numbers = {value for value in fit if _NUMBER.fullmatch(value)}
    if family == "integer" or len(numbers) > len(fit) / 2:
        return _numbers(name, {int(number) for number in numbers}, said, persons)
    return _distinctive(name, fit, _met(fit, persons), False)


def _as_identity(values: Collection[str], name: str, persons: Persons) -> Meeting | None:
    fit = {value for value in values if not (_NUMBER.fullmatch(value) and len(value) < 7)}
    met = _distinctive(name, fit, persons.known(name, fit), True)
    if met is None and "mail" in name and fit and all(map(_is_address, fit)):
        return Meeting(
            names=(name,),
            is_identity=True,
            tried=len(fit),
            met=0,
            sure="low",
            telling="e-mail addresses of nobody known",
        )
    return met


def _met(values: Iterable[str], persons: Persons) -> set[str]:
    return {value for (value,) in persons.known_keys((value,) for value in values)}


def _is_address(value: str) -> bool:
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) is not None


def _distinctive(name: str, values: Collection[str], met: Collection[str], is_identity: bool) -> Meeting | None:
    """Long values that are the same are the same on purpose; short words may be so by accident."""
    if not met:
        return None
    share, is_long = len(met) / len(values), sum(map(len, met)) >= 6 * len(met)
    sure: Confidence = "none"
    if is_long:
        sure = "high" if share >= 0.5 and len(met) >= 3 else "medium" if share >= 0.5 or len(met) >= 3 else "low"
    elif share >= 0.5:
        sure = "medium" if share >= 0.8 and len(met) >= 3 else "low"
    telling = "too long to be the same by chance" if is_long else "short values, which could be words as well"
    return Meeting(names=(name,), is_identity=is_identity, tried=len(values), met=len(met), sure=sure, telling=telling)


def _otherwise_written(name: str, values: Collection[str], persons: Persons) -> Meeting | None:
    """A uuid in capitals or without hyphens: somebody's, but no pattern binds it."""
    plain = {value.replace("-", "").lower() for value in values if _UUID.fullmatch(value)}
    met = _met({"-".join((v[:8], v[8:12], v[12:16], v[16:20], v[20:])) for v in plain}, persons)
    if not met:
        return None
    telling = "written without hyphens or in capitals, which no placeholder binds"
    return Meeting(names=(name,), tried=len(values), met=len(met), sure="none", telling=telling)


def _numbers(name: str, numbers: Collection[int], said: Sequence[str], persons: Persons) -> Meeting | None:
    met = {int(value) for value in _met(map(str, numbers), persons)}
    if not met:
        return None
    sure, telling = _weighed(numbers, met, said, persons)
    if sure is None:
        return None
    return Meeting(names=(name,), tried=len(numbers), met=len(met), sure=sure, telling=telling)


def _weighed(
    numbers: Collection[int], met: Collection[int], said: Sequence[str], persons: Persons
) -> tuple[Confidence | None, str]:
    share, of_person, of_thing = len(met) / len(numbers), names_a_person(said), names_a_thing(said)
    if _surprise(numbers, met, persons) >= 7 and share >= 0.5:
        sure: Confidence = "high" if share >= 0.8 and not of_thing else "medium"
        return sure, "numbers between them are hardly anybody's"
    if of_thing:
        return None, ""
    if share < 0.8:
        return ("low" if share >= 0.3 else "none", "called after a person") if of_person else (None, "")
    ends_alike = len(met) >= 5 and _ends_where_ids_end(met, persons)
    if of_person:
        sure = "high" if ends_alike and len(met) >= 10 else "medium" if len(met) >= 3 else "low"
        return sure, "called after a person"
    if ends_alike:
        return "medium", ENDING_ALIKE
    return "none", _EVERYTHING


def _surprise(numbers: Collection[int], met: Collection[int], persons: Persons) -> float:
    """How much more often these are ids than others of the same range."""
    others = _evenly(min(numbers), max(numbers), set(numbers))
    if len(others) < 5:
        return 0.0
    base = (_share_met(others, persons) * len(others) + 0.5) / (len(others) + 1)
    return _unlikely(len(numbers), len(met) / len(numbers), base)


def _unlikely(count: int, share: float, base: float) -> float:
    """A logarithm of how unlikely it is that so many meet by accident, where usually a share of `base` does."""
    base = max(base, 0.005)
    if share <= base:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - base)) if share < 1 else 0.0
    return count * (share * math.log(share / base) + rest)


def _ends_where_ids_end(met: Collection[int], persons: Persons) -> bool:
    """Whether hardly any id lies beyond the largest of these, as one would where they count something else."""
    lowest, highest = min(met), max(met)
    span = highest - lowest + 1
    beyond = _evenly(highest + 1, highest + span, set())
    return _share_met(beyond, persons) < 0.25 * _share_met(_evenly(lowest, highest, set()), persons)


def _evenly(lowest: int, highest: int, without: Collection[int]) -> list[int]:
    step = max(1, (highest - lowest + 1) // _CONTROLS)
    return [number for number in range(lowest, highest + 1, step) if number not in without]


def _share_met(numbers: Sequence[int], persons: Persons) -> float:
    return len(_met(map(str, numbers), persons)) / len(numbers) if numbers else 0.0


def names_a_person(said: Sequence[str]) -> bool:
    """`user_id`, `owner`: by the last of the words that means anything."""
    words = _said(said)
    return bool(words) and not names_a_thing(said) and is_noun_for_a_person(words)


def names_a_thing(said: Sequence[str]) -> bool:
    """`order_id`, `count`, `user_count`."""
    words = _said(said)
    return bool(words) and words[-1] in _THINGS


def _said(said: Sequence[str]) -> tuple[str, ...]:
    """The words of the last name that says more than `id`."""
    for name in reversed(said):
        words = tuple(word for word in meant(name) if word not in ("id", "ids", "args", "data"))
        if words:
            return words
    return ()
