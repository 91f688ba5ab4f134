"""Whom a link names, as SQL: for each row an array of the people that speak there, each as the text of their key."""

from __future__ import annotations

from dataclasses import dataclass

from datamap.catalogue import Table
from datamap.condition import Comparison, Condition
from datamap.discover.finding import Kind, Link, People
from datamap.names import EACH, Place, literal, quoted

NOBODY = "array[]::text[]"


@dataclass(frozen=True, kw_only=True)
class Voice:
    """`speaks`: whether anything stands there. `people`: who of the subjects it is. `joins`: what both stand on."""

    speaks: str
    people: str
    joins: str = ""


def voice(link: Link, people: People, alias: str, number: str) -> Voice:
    """What one link says in the rows of `alias`."""
    kind, facts = people.named(link.kind or ""), people.catalogue.tables[link.table]
    if link.place.is_plain and names_the_key(link, kind):
        return _plain(link, kind, alias)
    said = _said(link.place, alias, facts)
    if link.condition is not None:
        said = f"case when {holds(link.condition, alias)} then {said} else {NOBODY} end"
    if names_the_key(link, kind):
        those = f"array(select {literal(kind.name + ':')} || w from unnest({said}) as w)"
        return Voice(speaks=f"cardinality({said}) > 0", people=those)
    return _resolved(link, kind, said, f"who_{number}")


def names_the_key(link: Link, kind: Kind) -> bool:
    return link.identity is None and (not link.target_columns or set(kind.key) <= set(link.target_columns))


def _plain(link: Link, kind: Kind, alias: str) -> Voice:
    """The columns that stand for the subject's key, in its order; nobody if one of them is null."""
    by_target = dict(zip(link.target_columns or kind.key, link.place.columns, strict=False))
    parts = [f"{alias}.{quoted(by_target[column])}::text" for column in kind.key]
    whole = [f"{alias}.{quoted(column)} is not null" for column in link.place.columns]
    whole += [holds(link.condition, alias)] if link.condition is not None else []
    speaks = f"({' and '.join(whole)})"
    name = f"array[{literal(kind.name + ':')} || {' || chr(31) || '.join(parts)}]"
    return Voice(speaks=f"coalesce({speaks}, false)", people=f"case when {speaks} then {name} else {NOBODY} end")


def _said(place: Place, alias: str, facts: Table) -> str:
    column = f"{alias}.{quoted(place.column)}"
    if place.is_array:
        return f"array_remove({column}::text[], null)"
    if place.is_json:
        value = {"pg_catalog.jsonb": column, "pg_catalog.json": f"{column}::jsonb"}.get(
            facts.columns[place.column].base,
            f"case when pg_input_is_valid({column}::text, 'jsonb') then {column}::text::jsonb end",
        )
        if EACH not in place.steps:
            keys = ", ".join(literal(str(step)) for step in place.steps)
            return f"array_remove(array[nullif({value} #>> array[{keys}], '')], null)"
        path = "$" + "".join("[*]" if step is EACH else "." + _quoted_step(str(step)) for step in place.steps)
        return (
            f"array(select e #>> '{{}}' from jsonb_path_query({value}, {literal(path)}::jsonpath) as e"
            " where jsonb_typeof(e) in ('string', 'number') and e #>> '{}' <> '')"
        )
    if len(place.columns) > 1:
        parts = " || chr(31) || ".join(f"{alias}.{quoted(each)}::text" for each in place.columns)
        return f"array_remove(array[{parts}], null)"
    return f"case when {column}::text <> '' then array[{column}::text] else {NOBODY} end"


def _quoted_step(step: str) -> str:
    return '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _resolved(link: Link, kind: Kind, said: str, name: str) -> Voice:
    """Through the subject's table: the value is an identity, or another key than the one that names people."""
    columns = (kind.identities[link.identity],) if link.identity else link.target_columns
    form = kind.form(link.identity)
    value = " || chr(31) || ".join(f"s.{quoted(column)}::text" for column in columns)
    key = " || chr(31) || ".join(f"s.{quoted(column)}::text" for column in kind.key)
    join = (
        f"left join (select {form.sql(f'({value})')} as said,"
        f" array_agg(distinct {literal(kind.name + ':')} || {key}) as who"
        f" from {kind.table.sql} as s where {value} <> '' group by 1) as {name}"
        f" on {name}.said = {form.sql(f'(({said})[1])')}"
    )
    return Voice(speaks=f"cardinality({said}) > 0", people=f"coalesce({name}.who, {NOBODY})", joins=join)


def holds(condition: Condition, alias: str) -> str:
    return " and ".join(_compared(each, alias) for each in condition.comparisons)


def _compared(comparison: Comparison, alias: str) -> str:
    value = f"{alias}.{quoted(comparison.place.column)}"
    if not comparison.values:
        return f"{value} {comparison.operator}"
    values = ", ".join(literal(str(each)) for each in comparison.values)
    operator = {"=": "in", "<>": "not in"}.get(comparison.operator, comparison.operator)
    return f"{value}::text {operator} ({values})"
