"""What the rows say of a link: that none has a value where the map looks for it, and that one lies beside it.

JSON has no columns that could be held against the map, and a text that a condition compares with is anybody's: one
letter of another case, and the link never names anybody.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from datamap.catalogue import Column
from datamap.check.codes import listed
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.check.suspicions import is_called_a_name
from datamap.check.tables import key as as_key
from datamap.compile import matching
from datamap.compile.json_place import elements, path, readable, reading
from datamap.compile.resolution import Dataset, Link
from datamap.condition import Comparison
from datamap.discover import words
from datamap.fault import Fault
from datamap.names import Place, literal, quoted
from datamap.spelling import nearest

SAMPLED = 10_000  # rows that are looked at
_LAST = re.compile(r"[\\\\./:]+")  # before the last word of a class's name
_MOST = 200  # keys and codes that something is sought among
_WHAT = "whether rows have what links look for"
_MANY = 10  # values of which none is known: fewer may be left over
_COMPARED = ("integer", "numeric", "uuid", "text")


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of the links that the map names, where somebody can look at rows."""
    if server is None:
        return
    for dataset in survey.resolution.datasets.values():
        yield from _guests(dataset, survey, server)
        for link in dataset.links:
            if link.where != dataset.where:
                silent = list(_path(dataset, link, server))
                yield from silent
                yield from () if silent else _unknown(dataset, link, survey, server)
                for comparison in link.condition.comparisons if link.condition else ():
                    yield from _compared(dataset, link, comparison, server)


# A path in JSON -----------------------------------------------------------------------------------------------------


def _path(dataset: Dataset, link: Link, server: Server) -> Iterator[Fault]:
    """Each name of a path, against those that stand beside it."""
    steps = list(itertools.takewhile(lambda step: step is not None, link.place.steps))
    if not link.place.is_json or any(str(step).lstrip("-").isdecimal() for step in steps):
        return
    for depth, step in enumerate(map(str, steps)):
        known = _texts(_names(dataset, link.place, depth, step), dataset, server)
        if known and step not in known:
            meant = _meant(step, known)
            instead = (*link.place.steps[:depth], meant, *link.place.steps[depth + 1 :])
            shown = str(replace(link.place, steps=instead)) if meant else None
            message = (
                f"{dataset.name}, {link.place}: no row has {literal(step).strip()} there, so nobody is found by it"
            )
            yield _silent(message, link, shown)
        if step not in known:
            return


def _names(dataset: Dataset, place: Place, depth: int, step: str) -> str:
    """The keys of the objects at the beginning of a path, the one that is looked for before the others."""
    source = readable(dataset.facts.columns[place.column], f"t.{quoted(place.column)}")
    above = f"({source} #> {path(place.steps[:depth])})" if depth else source
    objects = f"select {above} as d from {dataset.sql} as t where t.{quoted(place.column)} is not null limit {SAMPLED}"
    keys = "jsonb_object_keys(case when jsonb_typeof(o.d) = 'object' then o.d else '{}' end)"
    return (
        f"select k.key from ({objects}) as o, lateral {keys} as k (key) group by 1"
        f" order by k.key = {literal(step)} desc, 1 limit {_MOST}"
    )


# Values that are nobody's --------------------------------------------------------------------------------------------


def _unknown(dataset: Dataset, link: Link, survey: Survey, server: Server) -> Iterator[Fault]:
    """Many values, and not one that the table has which the map names: a hash of an address, a prefix before a number,
    the key of something else."""
    place, facts = link.place, dataset.facts
    column = survey.catalogue.tables[link.target].columns[link.target_columns[0]]
    if len(place.columns) > 1 or link.foreign_key is not None or column.family not in _COMPARED:
        return
    value, source = "e.v::text", f"{dataset.sql} as t"
    if None in place.steps:
        source = f"{source}, lateral {elements(place, facts.columns[place.column])}"
    else:
        value = f"({reading(place, facts)})::text"
    tests = " and ".join([f"{value} <> ''", *matching.conditions(link, facts)])
    values = f"select distinct r.v from (select {value} as v from {source} where {tests} limit {SAMPLED}) as r"
    question = (
        f"select count(*), count(*) filter (where {_is_known(link, column, survey)}) from ({values} limit 200) as s"
    )
    found = server.rows(question, what=_WHAT, tables=(dataset.name, link.target))
    count, known = found[0] if found else (0, 0)
    if count >= _MANY and not known:
        yield Fault(
            code="link_silent",
            message=f"{dataset.name}, {place}: there are many values, and not one of them stands in {link.target},"
            f" {', '.join(link.target_columns)}: nobody is found by it",
            where=link.where,
            severity="warning",
            remedy="look at what it holds: another key (`to:`), an identity (`identity:`), or a text that is made of"
            " one, for which a column with the key itself is needed",
            about=link,
        )


def _is_known(link: Link, column: Column, survey: Survey) -> str:
    """As an index of the key serves it."""
    table, name = survey.catalogue.tables[link.target].name.sql, quoted(column.name)
    if not link.form.is_exact:
        return f"{link.form.sql('s.v')} in (select {link.form.sql(f'u.{name}')} from {table} as u)"
    if column.family == "text":
        return f"exists (select from {table} as u where u.{name} = s.v)"
    fits = f"case when pg_input_is_valid(s.v, {literal(column.type).strip()}) then s.v::{column.type} end"
    return f"exists (select from {table} as u where u.{name} = {fits})"


# People without a row, in rows without a person -----------------------------------------------------------------------


def _guests(dataset: Dataset, survey: Survey, server: Server) -> Iterator[Fault]:
    """A row that names nobody by its links, and has an address all the same: whose it is no request finds."""
    ways = [*dataset.owner_links, *(link for link in dataset.parent_links if link.is_owner)]
    is_plain = all(link.place.is_plain and link.condition is None for link in ways)
    if not ways or not is_plain or dataset.subject_of or dataset.always_speaks or not dataset.decision.personal:
        return
    linked = {column for link in dataset.links for column in link.place.columns}
    silent = " and ".join(f"({' or '.join(f't.{quoted(c)} is null' for c in link.place.columns)})" for link in ways)
    for name, kind, column in _addresses(dataset, survey):
        is_decided = (entry := dataset.decision.columns.get(column.name)) and (entry.reason or entry.third_party)
        if column.name in linked or is_decided:
            continue
        rows = f"select t.{quoted(column.name)} as v from {dataset.sql} as t where {silent} limit {SAMPLED}"
        if server.holds(
            f"exists (select from ({rows}) as r where r.v::text <> '')", what=_WHAT, tables=(dataset.name,)
        ):
            place = as_key(column.name)
            subject = f", subject: {kind}" if len(survey.resolution.kinds) > 1 else ""
            yield Fault(
                code="looks_linked",
                message=f"{dataset.name}: rows that name nobody by a link have {column.name}: whoever stands there is"
                " not found",
                where=(*dataset.where, "columns", column.name) if entry else dataset.where,
                severity="warning",
                remedy=f"write links: {{{place}: {{identity: {as_key(name)}{subject}}}}}\n"
                f"or, if it names nobody, at columns: {place}: with its category and a reason",
            )


def _addresses(dataset: Dataset, survey: Survey) -> Iterator[tuple[str, str, Column]]:
    """The columns that are called as an identity of a person is, each with that."""
    for kind in survey.resolution.kinds.values():
        for name, identity in kind.identities.items():
            own = kind.facts.columns[identity.column]
            for column in dataset.facts.columns.values():
                is_alike = words.words(column.name)[-1:] == words.words(own.name)[-1:]
                if is_alike and is_called_a_name(own.name) and column.family == own.family and not column.is_array:
                    yield name, kind.name, column


# What a condition compares with -------------------------------------------------------------------------------------


def _compared(dataset: Dataset, link: Link, comparison: Comparison, server: Server) -> Iterator[Fault]:
    """A word that no row has, and one of another case that some have. What a CHECK lists is held against that."""
    name = comparison.place.column
    column = dataset.facts.columns[name]
    if not comparison.place.is_plain or comparison.operator not in ("=", "in") or column.family != "text":
        return
    values = [] if listed(dataset.facts, name) else [each for each in comparison.values if isinstance(each, str)]
    for value in values:
        known = _texts(_words(dataset, name, value), dataset, server)
        if known and value not in known:
            message = (
                f"{dataset.name}, {name}: no row has {literal(value).strip()}, so nobody is found where it is asked"
            )
            meant = _meant(value, known)
            here = replace(link, where=(*link.where, "when"))
            yield _silent(message, here, literal(meant).strip() if meant and "\\" not in meant else meant)


def _words(dataset: Dataset, name: str, value: str) -> str:
    rows = f"select t.{quoted(name)}::text as v from {dataset.sql} as t where t.{quoted(name)} is not null"
    return (
        f"select r.v from ({rows} limit {SAMPLED}) as r group by 1"
        f" order by r.v = {literal(value)} desc, count(*) desc limit {_MOST}"
    )


# What both have in common -------------------------------------------------------------------------------------------


def _texts(question: str, dataset: Dataset, server: Server) -> list[str]:
    return [text for (text,) in server.rows(question, what=_WHAT, tables=(dataset.name,)) or ()]


def _meant(written: str, known: Iterable[str]) -> str | None:
    """The same word in another spelling, or behind the name of a module: no other value of a row is ever told."""
    known = list(known)
    alike = [each for each in known if _bare(each) == _bare(written) or _bare(_LAST.split(each)[-1]) == _bare(written)]
    return next(iter(alike), None) or nearest(written, known)


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _silent(message: str, link: Link, meant: str | None) -> Fault:
    """A row may still come that has it: only a slip is a warning."""
    return Fault(
        code="link_silent",
        message=message,
        where=link.where,
        severity="warning" if meant else "note",
        remedy=f"did you mean {meant}?" if meant else "look at it; it may be that such rows are still to come",
        about=link,
    )
