"""People inside of a value: at a path in JSON (also JSON that is kept as text), among the elements of an array."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datamap import expression
from datamap.catalogue import Column, Table
from datamap.discover import candidates, discriminators, lexicon, shapes, words
from datamap.discover.finding import Confidence, Kind, Link, People
from datamap.discover.links import Samples
from datamap.discover.questions import Sample, Values
from datamap.discover.rivals import Rivals, settled
from datamap.names import EACH, NotAName, Place, Step
from datamap.names import Table as Name

Spot = tuple[Name, Place]

DEEPEST = 5
PATHS = 80  # of one column, the most frequent ones
DOCUMENTS = 150  # of one column
ELEMENTS = 20  # of one array
_CONTAINED = 0.9


def spots(people: People, samples: Samples) -> dict[Spot, list[str]]:
    """Every place within a column where a single value stands, with what was seen there."""
    found: dict[Spot, list[str]] = {}
    for table in people.catalogue:
        sample = samples.get(table.name)
        if sample is None or table.kind == "materialized_view":
            continue
        for column in table.columns.values():
            if column.name in sample.columns and not column.is_generated:
                for place, seen in _places(column, sample).items():
                    found[table.name, _as_indexed(table, place)] = seen
    return found


def _as_indexed(table: Table, place: Place) -> Place:
    """Spelled as an index on it is, so that a statement is served by it."""
    if not place.is_json or EACH in place.steps:
        return place
    column = table.columns[place.column]
    indexed = {expression.normalised(each) for index in table.indexes for each in index.expressions if each}
    spelled = (place, replace(place, as_path=True))
    return next((each for each in spelled if indexed & expression.of_place(each, column)), place)


def _places(column: Column, sample: Sample) -> dict[Place, list[str]]:
    texts = sample.of(column.name)
    if column.is_array and column.family in ("integer", "uuid", "text"):
        seen = [element for text in texts for element in shapes.elements(text)[:ELEMENTS]]
        return {Place((column.name,), (EACH,)): seen} if seen else {}
    if column.is_array or column.family not in ("json", "text"):
        return {}
    documents = [shapes.document(text) for text in texts[:DOCUMENTS]]
    documents = [document for document in documents if isinstance(document, dict | list)]
    if not documents or (column.family == "text" and len(documents) < 0.8 * len(texts[:DOCUMENTS])):
        return {}
    paths: dict[tuple[Step, ...], list[str]] = {}
    for document in documents:
        for path, leaf in _leaves(document, ()):
            paths.setdefault(path, []).append(leaf)
    likeliest = sorted(paths, key=lambda path: (-len(paths[path]), str(path)))[:PATHS]
    return {place: paths[path] for path in likeliest if (place := _placed(column, path)) is not None}


def places(column: Column, sample: Sample) -> set[Place]:
    """All places in the documents of a column where something stands, by their plainest spelling."""
    return set(_places(column, sample))


def _placed(column: Column, path: tuple[Step, ...]) -> Place | None:
    """The path as the map writes it; none where its keys cannot be written."""
    place = Place((column.name,), path, is_cast=column.family == "text")
    try:
        return place if Place.parse(str(place)) == place else None
    except NotAName:
        return None


def _leaves(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if len(path) < DEEPEST and 0 < len(key) <= 80 and not shapes.is_integer(key) and not shapes.is_uuid(key):
                yield from _leaves(each, (*path, key))
    elif isinstance(value, list):
        for each in value[:ELEMENTS]:
            if len(path) <= DEEPEST:
                yield from _leaves(each, (*path, EACH))
    elif path and isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", 0):
        yield path, str(value)[:120]


def doubtful(people: People, seen: Iterable[Spot], samples: Samples) -> set[Spot]:
    """Places whose path could have somebody's name in it: they are looked into, and never written down."""
    known = lexicon.of_catalogue(people.catalogue)
    spots_of: dict[tuple[Name, str], list[Spot]] = {}
    for table, place in seen:
        if place.is_json:
            spots_of.setdefault((table, place.column), []).append((table, place))
    return {
        spot
        for (table, column), found in spots_of.items()
        for kept in [_certain(samples[table].of(column), known)]
        for spot in found
        if not _steps(spot[1].steps) <= kept
    }


def _steps(path: Sequence[Step]) -> set[tuple[Step, ...]]:
    return {tuple(path[: at + 1]) for at, step in enumerate(path) if step is not EACH}


def _certain(texts: Sequence[str], known: Collection[str]) -> set[tuple[Step, ...]]:
    """The keys of objects, each with the way to it, that are words of the application."""
    beside: dict[tuple[Step, ...], Counter[str]] = defaultdict(Counter)
    for text in texts[:DOCUMENTS]:
        for way in {step for path, _ in _leaves(shapes.document(text), ()) for step in _steps(path)}:
            beside[way[:-1]][str(way[-1])] += 1
    return {(*above, name) for above, names in beside.items() for name in lexicon.certain(names, [set(names)], known)}


def found(people: People, seen: Mapping[Spot, list[str]], samples: Samples, values: Values | None) -> Iterator[Link]:
    """The places that hold keys of people."""
    if values is None:
        return
    rivals = Rivals(people, seen, values)
    persons: dict[Spot, list[Link]] = {}
    for link in _of_people(people, seen, samples, values):
        persons.setdefault((link.table, link.place), []).append(link)
    places: dict[tuple[Name, str], list[Place]] = defaultdict(list)
    for table, place in seen:
        places[table, place.column].append(place)
    for spot, texts in seen.items():
        if spot not in persons:
            yield from rivals.upward(spot)
            continue
        for link in settled(persons[spot], spot, rivals, texts):
            yield _told_apart(link, texts, places[link.table, link.place.column], seen)


def _told_apart(link: Link, texts: Sequence[str], beside: Sequence[Place], seen: Mapping[Spot, list[str]]) -> Link:
    """Torn where something beside it may say that the number is another's."""
    if not link.place.is_json or link.place.steps[-1] is EACH or shapes.are_distinctive(set(texts)):
        return link
    other = discriminators.within(link.place, beside, lambda place: seen[link.table, place])
    if other is None:
        return link
    told = f"{link.evidence}; but what stands beside it may say that it is another's"
    return replace(link, role="undecided", evidence=told, confidence="low")


def _of_people(people: People, seen: Mapping[Spot, list[str]], samples: Samples, values: Values) -> Iterator[Link]:
    for kind in people.kinds:
        facts = people.facts(kind)
        singles = {key for key in (kind.key, *facts.unique, *kind.keys) if len(key) == 1}
        if len(kind.key) > 1 and kind.key[-1:] not in singles:
            for link in _of_key(kind, kind.key[-1], people, seen=seen, samples=samples, values=values):
                why = f"one of the {len(kind.key)} columns that name one together"
                yield replace(link, role="undecided", evidence=f"{link.evidence}: {why}", confidence="low")
        for key in dict.fromkeys([kind.key, *(each for each in (*facts.unique, *kind.keys) if len(each) == 1)]):
            if len(key) == 1 and facts.columns[key[0]].family in ("integer", "uuid", "text"):
                yield from _of_key(kind, key[0], people, seen=seen, samples=samples, values=values)


def _of_key(
    kind: Kind,
    key: str,
    people: People,
    *,
    seen: Mapping[Spot, list[str]],
    samples: Samples,
    values: Values,
) -> Iterator[Link]:
    facts = people.facts(kind)
    if key in kind.identities.values():
        return
    likely = {spot: texts for spot, texts in seen.items() if _could_name(spot[1], texts, facts, key)}
    asked = {text for texts in likely.values() for text in texts}
    present = values.present(facts, (key,), asked) if asked else None
    if present is None:
        return
    for (table, place), texts in likely.items():
        distinct = set(texts)
        share = len(distinct & present) / len(distinct)
        told = _told(place, kind, distinct, share, is_complete=samples[table].is_complete, people=people)
        told = told or _told_by_type((table, place), kind, share, seen, people)
        if told is None or (table == facts.name and place.column == key):
            continue
        evidence, confidence, is_torn = told
        yield Link(
            table=table,
            place=place,
            target=facts.name,
            target_columns=(key,),
            kind=kind.name,
            role="undecided" if is_torn else "owner",
            evidence=evidence,
            confidence=confidence,
        )


def _told_by_type(
    spot: Spot, kind: Kind, share: float, seen: Mapping[Spot, list[str]], people: People
) -> tuple[str, Confidence, bool] | None:
    """`target.id` beside `target.type`: somebody's where the type says so, or says nothing that is known."""
    table, place = spot
    if not place.is_json or place.steps[-1] is EACH or not share:
        return None
    others = [other for where, other in seen if where == table]
    types = {text for other in discriminators.types(place, others) for text in seen[table, other]}
    said = {each[-1] for text in types if (each := words.words(text))}
    names = {candidates.head(people.facts(kind)), *words.words(kind.table.name)[-1:]} | words.PERSON
    things = {
        word for each in people.catalogue if each.name not in people.tables for word in words.words(each.name.name)[-1:]
    }
    if said & names or (said - things and share >= _CONTAINED):
        told = f"values are keys of {kind.table}, and the type beside it may say that it is one"
        return told, "low", True
    return None


def _could_name(place: Place, texts: list[str], facts: Table, key: str) -> bool:
    fits = {"integer": shapes.is_integer, "uuid": shapes.is_uuid}.get(facts.columns[key].family)
    if fits is None:
        return shapes.share(texts, shapes.is_uuid) >= 0.5 or _is_named(place, facts)
    return shapes.share(texts, fits) >= 0.5


def _is_named(place: Place, facts: Table) -> bool:
    said = words.meant_by(place)
    return words.means_a_person(said) or said[-1:] == words.words(facts.name.name)[-1:]


def _told(
    place: Place, kind: Kind, distinct: set[str], share: float, *, is_complete: bool, people: People
) -> tuple[str, Confidence, bool] | None:
    """Evidence, confidence, and whether it is too little to decide."""
    is_telling = shapes.are_distinctive(distinct)
    is_named = _is_named(place, people.facts(kind))
    if share == 0 or (not is_telling and not is_named):
        return None
    amount = f"{round(share * len(distinct))} of {len(distinct)} values" if is_complete else "the sampled values"
    if share >= _CONTAINED:
        confidence: Confidence = "high" if is_telling and len(distinct) >= 5 else "medium"
        said = words.meant_by(place)
        head = candidates.head(people.facts(kind))
        is_somebody = words.ends_in_a_person(said) or said[-1:] == (head,)
        is_other = words.is_of_the_other_side(said, head)
        is_other = is_other or words.is_another_thing(said, frozenset((head, *words.words(kind.table.name))))
        is_vague = not is_telling and (not is_somebody or is_other)
        return f"{amount} are keys of {kind.table}", "low" if is_vague else confidence, is_vague
    if share < 0.5 or not is_named:
        return None
    return f"{amount} are keys of {kind.table} in part only", "low", not is_telling
