"""People within a text: `users/42/avatar.png`, `User;5`, a line of a log with an address in it, somebody's full name.

No link leads through such a place, so nothing is proposed for it. But a table in which people stand is nobody's only if
a person says so. What was seen is never repeated: the names of columns are enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from datamap.catalogue import Column, Table
from datamap.discover import candidates, categories, shapes, words
from datamap.discover.finding import Kind, Link, People
from datamap.discover.links import Samples
from datamap.discover.questions import Values
from datamap.form import EXACT, FOLDED, Form
from datamap.names import Table as Name

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_TOKEN = re.compile(r"[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}|[0-9A-Za-z_]{12,64}")
_NUMBERED = re.compile(r"([A-Za-z]+)[^0-9A-Za-z]{1,3}([0-9]{1,18})(?![0-9])")
_TEXTS = 200  # of one column
_LETTERS = 500  # of one text
_ASKED = 40  # different ones of one column
_LONGEST_NAME = 80
_FEW = 3  # that say so, where one alone may be an accident
_SHARE = 0.2  # of texts with an address


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What one column holds that could name somebody."""

    texts: int
    addresses: frozenset[str]
    tokens: frozenset[str]
    numbers: Mapping[str, frozenset[str]]  # by the word before them
    names: frozenset[str]


def found(people: People, samples: Samples, links: Sequence[Link], values: Values | None) -> dict[Name, list[str]]:
    """By table the columns in which people are mentioned, of those through which no link leads."""
    if values is None:
        return {}
    linked = {(link.table, column) for link in links for column in link.place.columns}
    told = {
        (table.name, name): _read([text[:_LETTERS] for text in sample.of(name)[:_TEXTS]])
        for table in people.catalogue
        if table.name not in people.tables and (sample := samples.get(table.name)) is not None
        for name, column in table.columns.items()
        if column.family == "text" and not column.is_array and (table.name, name) not in linked
    }
    mentioned: dict[Name, list[str]] = {}
    for (table, column), each in told.items():
        if each.texts and len(each.addresses) >= _FEW and len(each.addresses) >= _SHARE * each.texts:
            mentioned.setdefault(table, []).append(column)
    for kind in people.kinds:
        for table, column in _of_kind(kind, people.facts(kind), told, values):
            if column not in mentioned.setdefault(table, []):
                mentioned[table].append(column)
    return mentioned


def _read(texts: Sequence[str]) -> _Told:
    numbers: dict[str, set[str]] = {}
    for text in texts:
        for word, number in _NUMBERED.findall(text):
            numbers.setdefault((words.words(word) or ("",))[-1], set()).add(str(int(number)))
    known = words.PERSON | words.MAYBE_PERSON
    return _Told(
        texts=len(texts),
        addresses=_some(each.lower() for text in texts for each in _ADDRESS.findall(text)),
        tokens=_some(each for text in texts for each in _TOKEN.findall(text)),
        numbers={word: _some(each) for word, each in numbers.items() if word in known},
        names=_some(text for text in texts if " " in text.strip() and len(text) < _LONGEST_NAME),
    )


def _some(found: Iterable[str]) -> frozenset[str]:
    """As many as are asked for."""
    return frozenset(sorted(set(found))[:_ASKED])


def _of_kind(
    kind: Kind, facts: Table, told: Mapping[tuple[Name, str], _Told], values: Values
) -> Iterator[tuple[Name, str]]:
    """The columns in which people of one kind stand."""
    addresses = _known(facts, kind.identities.get("email"), (each.addresses for each in told.values()), values, FOLDED)
    names = _known(facts, _full_name(facts), (each.names for each in told.values()), values)
    numbers = [number for each in told.values() for number in each.numbers.values()]
    marks = [each.tokens for each in told.values()]
    counted, tokens = frozenset[str](), frozenset[str]()
    for key in _keys(kind, facts):
        if facts.columns[key].family == "integer":
            counted |= _known(facts, key, numbers, values)
        else:
            tokens |= _known(facts, key, marks, values)
    own = candidates.head(facts)
    for spot, each in told.items():
        numbered = (len(some & counted) >= (1 if word == own else _FEW) for word, some in each.numbers.items())
        if each.addresses & addresses or each.tokens & tokens or len(each.names & names) >= _FEW or any(numbered):
            yield spot


def _keys(kind: Kind, facts: Table) -> Iterator[str]:
    """What a text may name one person by: columns that do so alone. A text that is no key may be anything."""
    single = [key[0] for key in (kind.key, *kind.keys, *facts.unique) if len(key) == 1]
    for name in dict.fromkeys(single):
        is_key = (name,) == kind.key or facts.columns[name].family in ("integer", "uuid")
        if is_key and name not in kind.identities.values():
            yield name


def _known(
    facts: Table, column: str | None, texts: Iterable[frozenset[str]], values: Values, form: Form = EXACT
) -> frozenset[str]:
    """Which of all these stand in that column of the people."""
    asked = {each for some in texts for each in some} if column is not None else set()
    if column is None or not asked:
        return frozenset()
    if facts.columns[column].family == "uuid":
        asked = set(filter(shapes.is_uuid, asked))
    return values.present(facts, (column,), asked, form=form) or frozenset()


def _full_name(facts: Table) -> str | None:
    """The one column that has the whole name of somebody."""
    for column in facts.columns.values():
        is_text = column.family == "text" and not column.is_array
        if is_text and (words.words(column.name) == ("name",) or _is_a_name(column)):
            return column.name
    return None


def _is_a_name(column: Column) -> bool:
    return categories.by_name(column) == "user.name"
