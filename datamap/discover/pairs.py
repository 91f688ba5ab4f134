"""Pairs of a discriminator and an id: `commentable_type` + `commentable_id`, or any column of few words beside a key.

One link for each value of the discriminator, since each names another table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from datamap.catalogue import Column, Table
from datamap.discover import lexicon, shapes, words
from datamap.discover.finding import Confidence, Link, People
from datamap.discover.links import CONTAINED, ENOUGH, TOLERATED, Samples, Stranger
from datamap.discover.questions import Sample, Values
from datamap.names import Place
from datamap.names import Table as Name

_TYPES = words.listed("type kind class model table role entity scope resource")
_KEYS = words.listed("id uuid guid key pk")
_NOBODY = words.listed(
    """
    guest system bot anonymous visitor robot job cron api none nobody webhook automation
    """
)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_CONTENT_TYPES = "django_content_type"
FEW = 24


@dataclass(frozen=True, kw_only=True)
class Pair:
    table: Table
    kind: str  # the column of the discriminator
    key: str  # the column of the id


def pairs(table: Table) -> Iterator[Pair]:
    """By name: the same beginning, and a word for a type on one side."""
    if table.kind not in ("table", "partitioned"):
        return
    declared = {column for key in table.foreign_keys for column in key.columns}
    kinds = [c for c in table.columns.values() if _is_discriminator(c)]
    keys = [c for c in table.columns.values() if _is_key(c) and c.name not in declared]
    for kind in kinds:
        stem = words.words(kind.name)[:-1]
        for key in keys:
            if key.name != kind.name and _stem(key) == stem and not _is_own_key(key, kind, table):
                yield Pair(table=table, kind=kind.name, key=key.name)


def _is_own_key(key: Column, kind: Column, table: Table) -> bool:
    """The row's own number: alone, or beside a tenant or the date that a partition goes by."""
    return key.name in table.primary_key and kind.name not in table.primary_key and not _stem(key)


def generic(table: Table) -> Iterator[Pair]:
    """Django's generic relations: a foreign key to the list of models, and the id of a row of that model."""
    for key in table.foreign_keys:
        if key.target is not None and key.target.name == _CONTENT_TYPES and len(key.columns) == 1:
            stem = words.words(key.columns[0])[:-3]
            for column in table.columns.values():
                if words.words(column.name) in ((*stem, "object", "id"), (*stem, "object", "pk")) and _is_key(column):
                    yield Pair(table=table, kind=key.columns[0], key=column.name)


def _of_models(
    pair: Pair, people: People, models: _Models, *, samples: Samples, values: Values | None
) -> Iterator[Link]:
    """One link for each model that is in use, by its number in the list of models."""
    key = next(key for key in pair.table.foreign_keys if key.columns == (pair.kind,))
    listed = samples.get(key.target) if key.target else None
    if listed is None or values is None or not {"id", "app_label", "model"} <= set(listed.columns):
        return
    used = values.frequencies(pair.table, pair.kind) or {}
    places = [listed.columns.index(name) for name in ("id", "app_label", "model")]
    for number, label, model in sorted(tuple(row[place] for place in places) for row in listed.rows):
        if number in used:
            for word in (f"{label}_{model}", model):
                if models.tables(word):
                    links = _of_word(pair, word, people, models=models, samples=samples, values=values, number=number)
                    yield from links
                    break


def _is_discriminator(column: Column) -> bool:
    return (
        column.family in ("text", "enum")
        and not column.is_array
        and words.words(column.name)[-1:] != ()
        and (words.words(column.name)[-1] in _TYPES)
    )


def _is_key(column: Column) -> bool:
    return column.family in ("integer", "uuid", "text") and not column.is_array and not column.is_generated


def _stem(column: Column) -> tuple[str, ...]:
    said = words.words(column.name)
    return said[:-1] if said and said[-1] in _KEYS else said


def found(people: People, samples: Samples, values: Values | None) -> tuple[list[Link], list[Pair]]:
    """The links of all pairs, and the pairs, whose ids mean nothing without their discriminator."""
    keys, known = _Models(people), lexicon.of_catalogue(people.catalogue)
    links: list[Link] = []
    all_pairs: list[Pair] = []
    for table in people.catalogue:
        for pair in generic(table):
            all_pairs.append(pair)
            links += _of_models(pair, people, keys, samples=samples, values=values)
        for pair in pairs(table):
            told = _words_of(pair, samples.get(table.name), values)
            of_people = {named.name for word in told.words for named in keys.tables(word)} & people.tables
            made = [
                _unless_another(link, word, keys, of_people, samples.get(table.name))
                for word in told.words
                if _may_say(word, told, known)
                for link in _of_word(pair, word, people, models=keys, samples=samples, values=values)
            ]
            if made or any(keys.tables(word) for word in told.words) or not told.words:
                all_pairs.append(pair)
            links += made
    return links, all_pairs


def _unless_another(link: Link, word: str, models: _Models, of_people: Collection[Name], sample: Sample | None) -> Link:
    """`agent` beside `user`: where another word names the people's table, this one may name others by their number."""
    seen = sample.of(link.place.column) if sample else []
    if models.tables(word) or link.target not in of_people or shapes.are_distinctive(seen):
        return link
    return replace(link, role="undecided", evidence=f"{link.evidence}; another word names these", confidence="low")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What stands in a discriminator: only words, never somebody's value."""

    words: tuple[str, ...]
    is_declared: bool
    counts: Mapping[str, int] = field(default_factory=dict)


def _words_of(pair: Pair, sample: Sample | None, values: Values | None) -> Words:
    column = pair.table.columns[pair.kind]
    declared = column.labels or _checked(pair.table, pair.kind)
    if declared:
        return Words(words=tuple(word for word in declared if shapes.is_wordlike(word)), is_declared=True)
    counted: Mapping[str, int] | None = values.frequencies(pair.table, pair.kind) if values and sample else None
    fit = sorted(word for word in counted or {} if shapes.is_wordlike(word) and not shapes.is_email(word))
    if counted is None or len(counted) > FEW or len(fit) < len(counted):
        return Words(words=(), is_declared=False)
    return Words(words=tuple(fit), is_declared=False, counts=counted)


def unsaid(people: People, samples: Samples, values: Values | None) -> Iterator[Stranger]:
    """Pairs whose discriminator may name tables and people in words that could be somebody's name."""
    models, known = _Models(people), lexicon.of_catalogue(people.catalogue)
    for table in people.catalogue:
        for pair in pairs(table):
            told = _words_of(pair, samples.get(table.name), values)
            if any(not _may_say(word, told, known) and _means(word, people, models)[1] for word in told.words):
                why = f"names people, as {pair.kind} says in words that could be somebody's name: link it by hand"
                yield Stranger(table=table.name, column=pair.key, why=why)


def _may_say(word: str, told: Words, known: Collection[str]) -> bool:
    return told.is_declared or lexicon.is_known(word, known) or told.counts.get(word, 0) >= lexicon.MANY


def _checked(table: Table, column: str) -> tuple[str, ...]:
    """The constants of a CHECK on that column alone."""
    for check in table.checks:
        if check.columns == (column,) and re.search(r"= ANY|=|IN", check.expression):
            constants = [text.replace("''", "'") for text in _LITERAL.findall(check.expression)]
            if constants and len(constants) <= FEW:
                return tuple(dict.fromkeys(constants))
    return ()


class _Models:
    """What a word in a discriminator names: `App\\Models\\User`, `users`, `shop.Order`."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._by_words: dict[tuple[str, ...], list[Table]] = {}
        for table in people.catalogue:
            if table.kind in ("table", "partitioned") and (table.unique or people.of(table.name)):
                said = words.words(table.name.name)
                for core in {said, said[1:]} - {()}:
                    self._by_words.setdefault(core, []).append(table)

    def tables(self, word: str) -> list[Table]:
        for parts in (re.split(r"[\\/.:]+", word.strip("\\"))[-1], word):
            found = self._by_words.get(words.words(parts), [])
            exact = [table for table in found if words.words(table.name.name) == words.words(parts)]
            if found:
                return exact or found
        return [self._people.facts(k) for k in self._people.kinds if words.words(word)[-1:] == (k.name,)]


def _of_word(
    pair: Pair,
    word: str,
    people: People,
    *,
    models: _Models,
    samples: Samples,
    values: Values | None,
    number: str | None = None,
) -> Iterator[Link]:
    """`number`: what stands in the discriminator in place of the word."""
    named, targets = _means(word, people, models)
    if not targets:
        return
    sample = samples.get(pair.table.name)
    seen = _ids(pair, number or word, sample)
    best = _fitting(people, targets, seen, values)
    if best is None:
        return
    target, key, share = best
    kind = people.of(target.name)
    is_torn = (share is not None and share < CONTAINED) or (
        not named and len(targets) > 1 and not shapes.are_distinctive(seen)
    )
    if share is not None and share < 0.5:
        return
    evidence, confidence = _evidence(word, target, seen, share, sample, is_named=bool(named))
    yield Link(
        table=pair.table.name,
        place=Place((pair.key,)),
        target=target.name,
        target_columns=key,
        kind=kind.name if kind else None,
        when=f"{Place((pair.kind,))} = {number}" if number else words.condition(pair.kind, (word,)),
        role="undecided" if is_torn and (kind is not None or _are_too_few(share, seen)) else "owner",
        evidence=evidence,
        confidence="low" if is_torn else confidence,
    )


def _are_too_few(share: float | None, seen: Sequence[str]) -> bool:
    """Whether what is no key there is more than what was deleted since."""
    return share is not None and share < (TOLERATED if len(seen) >= ENOUGH else CONTAINED)


def _means(word: str, people: People, models: _Models) -> tuple[list[Table], list[Table]]:
    """The tables that are called so, and those that it can mean."""
    named = models.tables(word)
    is_person_word = words.means_a_person(words.words(word)) and not set(words.words(word)) & _NOBODY
    return named, named or ([people.facts(kind) for kind in people.kinds] if is_person_word else [])


def _ids(pair: Pair, word: str, sample: Sample | None) -> list[str]:
    if sample is None or not {pair.kind, pair.key} <= set(sample.columns):
        return []
    kind, key = sample.columns.index(pair.kind), sample.columns.index(pair.key)
    return sorted({row[key] for row in sample.rows if row[kind] == word and row[key] is not None})


def _fitting(
    people: People, targets: list[Table], seen: list[str], values: Values | None
) -> tuple[Table, tuple[str, ...], float | None] | None:
    """The target that holds the most of these ids."""
    best: tuple[Table, tuple[str, ...], float | None] | None = None
    for target in targets:
        kind = people.of(target.name)
        keys = dict.fromkeys([*([kind.key, *kind.keys] if kind else []), target.primary_key, *target.unique])
        for key in [each for each in keys if len(each) == 1][:3]:
            kept = values.present(target, key, seen) if values is not None and seen else None
            share = len(kept) / len(seen) if kept is not None and seen else None
            if best is None or (share or 0) > (best[2] or 0):
                best = (target, key, share)
    return best


def _evidence(
    word: str, target: Table, seen: list[str], share: float | None, sample: Sample | None, *, is_named: bool
) -> tuple[str, Confidence]:
    names = "names" if is_named else "may name"
    if share is None:
        return f"{word} {names} {target.name}; by name only", "low"
    amount = f"{round(share * len(seen))} of {len(seen)} ids" if sample and sample.is_complete else "the sampled ids"
    return f"{word} {names} {target.name}, and {amount} are keys there", "high" if is_named else "medium"
