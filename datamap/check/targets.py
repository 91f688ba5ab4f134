"""Links that say something else than the foreign key of their column, or than what it is called.

The map adds what no foreign key declares (rule 3 of docs/ownership.md). Where it says otherwise instead, the numbers of
one table are taken for those of another, and rows of strangers are found for whoever has the same number.
"""

from __future__ import annotations

from collections.abc import Iterator

from datamap.catalogue import ForeignKey
from datamap.check.decision import with_said
from datamap.check.entry import scalar
from datamap.check.survey import Survey, entry_of
from datamap.check.suspicions import Suspicions
from datamap.check.tables import key as as_key
from datamap.compile.resolution import Dataset, Link
from datamap.discover import words
from datamap.fault import Fault
from datamap.names import Table as Name
from datamap.names import quoted

_KINDS = words.listed("type kind class model")
_End = tuple[Name, tuple[str, ...]]  # a table, and columns of it


def faults(survey: Survey, suspicions: Suspicions) -> Iterator[Fault]:
    """Of the links that the map names and that are a whole column, or several."""
    for dataset in survey.resolution.datasets.values():
        for link in dataset.links:
            if link.where == dataset.where or not link.place.is_plain:
                continue
            keys = [key for key in dataset.facts.foreign_keys if set(key.columns) == set(link.place.columns)]
            wrong = [key for key in keys if key.target and not _is_the_same(link, key, survey)]
            if wrong and len(wrong) == len([key for key in keys if key.target]):
                yield _otherwise(dataset, link, wrong[0])
            elif not keys:
                yield from _of_a_pair(dataset, link) or _misnamed(dataset, link, suspicions)


def _is_the_same(link: Link, key: ForeignKey, survey: Survey) -> bool:
    """A key may be passed on: a customer's is a user's where the customer's own column is a key of users."""
    order = [key.columns.index(column) for column in link.place.columns]
    theirs = (key.target or link.target, tuple(key.target_columns[number] for number in order))
    mine = (link.target, link.target_columns)
    return mine in _passed_on(theirs, survey) or theirs in _passed_on(mine, survey)


def _passed_on(end: _End, survey: Survey) -> set[_End]:
    found, waiting = {end}, [end]
    while waiting:
        name, columns = waiting.pop()
        facts = survey.catalogue.get(name)
        for key in facts.foreign_keys if facts else ():
            if key.target is not None and set(key.columns) == set(columns):
                order = [key.columns.index(column) for column in columns]
                beyond = (key.target, tuple(key.target_columns[number] for number in order))
                if beyond not in found:
                    found.add(beyond)
                    waiting.append(beyond)
    return found


def _otherwise(dataset: Dataset, link: Link, key: ForeignKey) -> Fault:
    entry = entry_of(dataset, link)
    words = [f"`{word}:`" for word in ("to", "subject", "identity") if getattr(entry, word) is not None]
    return Fault(
        code="link_target",
        message=f"{dataset.name}, {link.place}: the map takes it for {_shown(link.target, link.target_columns)}, and"
        f" the foreign key {key.name} says that it is {_shown(key.target, key.target_columns)}: rows of strangers"
        " would be found",
        where=link.where,
        remedy=f"take out {' and '.join(words) or 'the link'}, and the foreign key counts",
        about=link,
    )


def _shown(name: Name | None, columns: tuple[str, ...]) -> str:
    return f"{name}, {', '.join(columns)}"


def _of_a_pair(dataset: Dataset, link: Link) -> list[Fault]:
    """`commentable_id: {}` beside `commentable_type`: whose key the number is, the other column says."""
    said = entry_of(dataset, link)
    beside = _discriminator(dataset, link.place.columns[-1])
    if link.kind is None or beside is None or said.to or said.when or said.identity:
        return []
    meant = ".".join((str(link.target), *link.target_columns))
    when = scalar(f"{quoted(beside)} = '…'")
    remedy = f"say where it is one: links: {{{with_said(dataset, link, when=when)}}}"
    remedy += f"\nor what else it points at: {{to: schema.table.column, when: {when}}}"
    if len(link.place.columns) == 1:
        remedy += f"\nor, if it always is one: links: {{{with_said(dataset, link, to=scalar(meant))}}}"
    return [
        Fault(
            code="link_target",
            message=f"{dataset.name}, {link.place}: the map takes it for a key of {link.target} whatever {beside} says:"
            " rows of strangers would be found",
            where=link.where,
            remedy=remedy,
            about=link,
        )
    ]


def _discriminator(dataset: Dataset, name: str) -> str | None:
    """The column of the same name that says what kind of thing the key is of."""
    mine = words.meant(name)
    if mine == words.words(name):
        return None  # it is called no key
    beside = (column for column in dataset.facts.columns if words.words(column)[:-1] == mine)
    return next((column for column in beside if words.words(column)[-1] in _KINDS), None)


def _misnamed(dataset: Dataset, link: Link, suspicions: Suspicions) -> Iterator[Fault]:
    """`product_id: {}` in place of `user_id: {}`. Whoever writes `to` has said it."""
    entry = entry_of(dataset, link)
    if link.kind is None or len(link.place.columns) > 1 or entry.to is not None or entry.identity is not None:
        return
    other = suspicions.key_of_another(dataset.facts, dataset.facts.columns[link.place.column])
    if other is None:
        return
    name, columns = other
    place = as_key(link.place.column)
    meant = ".".join((str(name), *columns))
    yield Fault(
        code="link_target",
        message=f"{dataset.name}, {link.place}: the map takes it for a key of {link.target}, and it is called as if it"
        f" were one of {name}: rows of strangers would be found",
        where=link.where,
        severity="warning",
        remedy=f"write links: {{{place}: {{to: {as_key(meant)}}}}}, or, if it is a person's all the same,"
        f" {{to: {as_key('.'.join((str(link.target), *link.target_columns)))}}}",
        about=link,
    )
