"""What stands beside an id and says whose it is: a type, a code, a flag. Without it the id is nobody's in particular.

That a number is contained in the key of the users says nothing where `owner_type` is 2 in half of the rows: there it
is a company. Only words that certainly name no table leave the id to its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from datamap.catalogue import Table
from datamap.discover import lexicon, words
from datamap.discover.questions import Sample
from datamap.names import Place

_KINDS = words.listed("type kind class model table entity")
_STAFF = words.listed("admin staff agent operator bot system robot support backend internal external")
_SAID_OF = words.listed("is was by from a sent to")
_FEW = 24


def beside(table: Table, key: str, sample: Sample | None, known: Collection[str], *, is_exact: bool) -> str | None:
    """The column that says whose key this one is. `is_exact`: it is called as its table is, `user_id` for `users`."""
    stem = words.meant(key)
    for name, column in sorted(table.columns.items()):
        if name == key or column.is_array or column.is_generated:
            continue
        if column.family in ("integer", "text", "enum") and _is_of(words.words(name), stem):
            seen = sample.of(name) if sample else []
            if column.family == "integer" or not _are_mere_attributes({*seen, *column.labels}, known):
                return name
        if column.family == "boolean" and _is_flag(words.words(name), stem, is_exact=is_exact):
            return name
    return None


def within(place: Place, others: Iterable[Place], seen: Callable[[Place], Sequence[str]]) -> Place | None:
    """The same in JSON: `actor.type` beside `actor.id`, `owner_type` beside `owner_id`."""
    return next((other for other in types(place, others) if not _is_one_word_for_people(seen(other))), None)


def types(place: Place, others: Iterable[Place]) -> Iterator[Place]:
    """What stands there for the type, whatever it says."""
    *above, last = place.steps
    stem = words.meant(str(last))
    is_mere_key = all(map(words.is_key_word, words.words(str(last))))
    for other in sorted(others, key=str):
        if other.columns != place.columns or not other.is_json or other == place or None in other.steps[-1:]:
            continue
        *other_above, other_last = other.steps
        said = words.words(str(other_last))
        is_its_type = is_mere_key and other_above == above and said[-1:] and said[-1] in _KINDS and len(said) == 1
        is_before = is_mere_key and other_above == above[:-1] and above and _is_of(said, words.meant(str(above[-1])))
        is_its_twin = not is_mere_key and other_above == above and _is_of(said, stem)
        if is_its_type or is_before or is_its_twin:
            yield other


def _is_of(said: Sequence[str], stem: Sequence[str]) -> bool:
    return len(said) > 1 and said[-1] in _KINDS and tuple(said[:-1]) == tuple(stem)


def _is_flag(said: Sequence[str], stem: Sequence[str], *, is_exact: bool) -> bool:
    """`from_admin`, `sender_is_staff`; `is_admin` of a sender, but not of a user: there it is what the user is."""
    left = [word for word in said if word not in stem and word not in _SAID_OF]
    is_somebody = len(left) == 1 < len(said) and left[0] in _STAFF | words.PERSON | words.GATHERING
    is_direct = set(said) & {"from", "by"} or set(stem) & set(said)
    return is_somebody and bool(is_direct or not is_exact)


def _are_mere_attributes(seen: Collection[str], known: Collection[str]) -> bool:
    """`free`, `premium`: words, and none of them for somebody or something that has rows of its own."""
    somebody = words.PERSON | words.MAYBE_PERSON | words.GATHERING | _STAFF
    return 0 < len(seen) <= _FEW and all(
        lexicon.is_known(text) and len(text) > 2 and not set(words.words(text)) & (somebody | set(known))
        for text in seen
    )


def _is_one_word_for_people(seen: Sequence[str]) -> bool:
    """Always `user`: then the id is theirs."""
    said = {words.words(text) for text in set(seen[:1_000])}
    return len(said) == 1 and all(each and each[-1] in words.PERSON for each in said)
