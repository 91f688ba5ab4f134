"""JSON of which the rows say that it is about a thing: sizes, colours, switches.

A document could hold anybody, so one that names nobody proves nothing. It is another matter where all rows were seen,
and hold nothing but switches, numbers that are no keys, and the same few words again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from datamap.catalogue import Column
from datamap.discover import lexicon, shapes, words
from datamap.discover.questions import Sample

_ENOUGH = 3  # documents of switches and numbers
_ENOUGH_OF_WORDS = 10
_REPEATED = 3  # times that a word stands at its place, on average
_LONGEST = 24
_DEEPEST = 6
_OF_A_THING = words.listed(
    """
    color colour material weight height width length depth shape style fit seat capacity storage memory ram cpu disk
    power voltage fabric flavour flavor scent pack unit dimension volume warranty season finish gauge speed range model
    """
)
_NOT_OF_A_THING = words.listed(
    """
    name email mail phone address ip login username handle first last birth gender recipient sender to from cc by
    contact note comment text message body description author who whom person token session
    """
)


def is_of_things(column: Column, sample: Sample | None, known: Collection[str] = frozenset()) -> bool:
    """Whether nobody stands in a column of documents."""
    if column.family != "json" or column.is_array or sample is None or not sample.is_complete:
        return False
    documents = [shapes.document(text) for text in sample.of(column.name)]
    if len(documents) < _ENOUGH or not all(isinstance(each, dict | list) for each in documents):
        return False
    leaves = [leaf for each in documents for leaf in _leaves(each, ())]
    names = Counter(name for each in documents for name in {key for path, _ in _leaves(each, ()) for key in path})
    certain = lexicon.certain(names, [set(names)], _OF_A_THING.union(known))
    if not leaves or not set(names) <= certain or not all(map(_is_of_a_thing, names)):
        return False
    texts: dict[tuple[str, ...], list[str]] = {}
    for path, value in leaves:
        if isinstance(value, str):
            texts.setdefault(path, []).append(value)
    return not texts or (len(documents) >= _ENOUGH_OF_WORDS and all(_are_few_words(said) for said in texts.values()))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What stands where; a place too deep to look into is a word that nobody knows."""
    if isinstance(value, dict | list) and len(path) >= _DEEPEST:
        yield (*path, ""), None
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    else:
        yield path, value


def _is_of_a_thing(key: str) -> bool:
    said = words.words(key)
    is_key = words.meant(key) != said or all(map(words.is_key_word, said))
    is_person = words.means_a_person(words.meant(key)) or bool(set(said) & _NOT_OF_A_THING)
    return not is_key and not is_person


def _are_few_words(said: list[str]) -> bool:
    return len(set(said)) * _REPEATED <= len(said) and all(
        len(text) <= _LONGEST and not shapes.is_email(text) and not shapes.is_uuid(text) for text in said
    )
