"""Values that an erasure would set and that the database would refuse: at once, or with the second person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from datamap import expression, model
from datamap.catalogue import Check, Column, ForeignKey, Index, Table
from datamap.check import codes
from datamap.check.entry import scalar
from datamap.check.nobody import insert
from datamap.check.nobody import value as example
from datamap.check.outcomes import Outcome, outcomes
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Kind
from datamap.fault import Fault, Where
from datamap.names import Table as Name
from datamap.names import literal, quoted

SAMPLED = 1000  # rows that a CHECK over several columns is tried on
_WHOLE = re.compile(r"[-+]?\d+")
_RANGES = {"int2": 15, "int4": 31, "int8": 63}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|[-+]?inf(?:inity)?", re.IGNORECASE)
_UUID = re.compile(r"\{?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}?", re.IGNORECASE)
_NOBODYS = r"'\m(no-?body|no-?one|deleted|removed|erased|anonym\w*|unknown|ghost|system|former|example|invalid)\M'"
_LENGTH = re.compile(r"^(?:character varying|character|varchar|char|bpchar)\((\d+)\)$")
_TRUTH = re.compile(r"true|false|t|f|yes|no|y|n|on|off|1|0", re.IGNORECASE)


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Each value against its type, its CHECKs, its keys, and what it points at."""
    found = list(outcomes(survey))
    strict = _strict_indexes(server) if server else {}
    for outcome in found:
        unfit = list(_types(outcome, server))
        yield from unfit
        if not unfit:
            yield from _checks(outcome, server)
        yield from _unique(outcome, strict.get(outcome.dataset.name, ()))
        if server:
            yield from _references(outcome, server)
    if server:
        yield from _nobody(survey, server)


def _fault(outcome: Outcome, code: str, column: str, message: str, remedy: str | None = None) -> Fault:
    label = f"{outcome.dataset.name}, column {column}"
    return Fault(code=code, message=f"{label}: {message}", where=outcome.place(column), remedy=remedy)


# Its type -----------------------------------------------------------------------------------------------------------


def _types(outcome: Outcome, server: Server | None) -> Iterator[Fault]:
    for name, value in outcome.said.items():
        column = outcome.dataset.facts.columns.get(name)
        if column is None or column.is_generated:
            continue  # which the compiler tells
        if (text := _text(value, column)) is not None and _is_valid(text, column, outcome, server) is False:
            what = "random" if value == "random" else "what it is set to"
            yield _fault(outcome, "value_type", name, f"{what} is no {column.type}", _fitting(column))


def _fitting(column: Column) -> str:
    """What to write instead; of an enum its labels."""
    known = column.labels or (example(column).strip("'"),)
    constants = " or ".join(f"{{value: {_as_yaml(each)}}}" for each in known)
    return f"write {constants}" if column.not_null else f"write null, or {constants}"


def _as_yaml(text: str) -> str:
    """In quotes where it would be read as something else than a word or a number: a brace, a date."""
    return text if re.fullmatch(r"\w+|[\w-]{36}", text) else f"'{text}'"


def _text(value: model.SetTo, column: Column) -> str | None:
    """What the column would hold; None also where the compiler says that the word does not fit there."""
    if isinstance(value, model.Constant):
        return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)
    if value == "empty" and (column.is_array or column.family in ("json", "text")):
        return "" if column.family == "text" and not column.is_array else "{}"
    if value == "random" and column.family in ("text", "uuid") and not column.is_array:
        return _random(column)
    return None


def _random(column: Column) -> str:
    """What a random text may look like."""
    length = re.search(r"\((\d+)\)$", column.type)
    text = "5f0d1c2e-8a47-4b1b-9c36-0e7a52d4b981"
    return text.replace("-", "")[: int(length[1])] if length and int(length[1]) < len(text) else text


def _is_valid(text: str, column: Column, outcome: Outcome, server: Server | None) -> bool | None:
    """Whether the type takes it; None where that cannot be known."""
    if server is not None:
        name = outcome.dataset.name
        known = server.holds(
            f"pg_input_is_valid({literal(text).strip()}, {literal(column.type).strip()})",
            what=f"whether {column.name} of {name} takes what it is set to",
            tables=(name,),
        )
        if known is not None:
            return known
    return _looks_valid(text, column)


def _looks_valid(text: str, column: Column) -> bool | None:
    """Without a server: what can be seen of a type's name."""
    if column.is_array:
        return text.startswith("{") and text.endswith("}")
    tests: dict[str, Callable[[], bool]] = {
        "enum": lambda: text in column.labels,
        "integer": lambda: bool(_WHOLE.fullmatch(text)) and _fits(int(text), column),
        "numeric": lambda: bool(_NUMBER.fullmatch(text)),
        "uuid": lambda: bool(_UUID.fullmatch(text)),
        "boolean": lambda: bool(_TRUTH.fullmatch(text)),
        "json": lambda: _is_json(text),
        "text": lambda: _is_short(text, column),
        "vector": lambda: text.startswith(("[", "{")),
        "time": lambda: bool(text),
    }
    test = tests.get(column.family)
    return test() if test else None


def _fits(number: int, column: Column) -> bool:
    bits = _RANGES[column.base.rpartition(".")[2]]
    return -(1 << bits) <= number < 1 << bits


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_short(text: str, column: Column) -> bool:
    length = _LENGTH.match(column.type)
    return length is None or len(text.rstrip(" ")) <= int(length[1])


# Its CHECKs ---------------------------------------------------------------------------------------------------------


def _checks(outcome: Outcome, server: Server | None) -> Iterator[Fault]:
    facts = outcome.dataset.facts
    for check in facts.checks:
        changed = [column for column in check.columns if column in outcome.values]
        if not changed or any(facts.columns[column].is_generated for column in check.columns):
            continue
        broken = _breaks(outcome, check, server) if server else _looks_broken(outcome, check)
        if broken:
            listed = ", ".join(check.columns)
            message = f"what it is set to breaks the CHECK {check.name} on {listed}"
            yield _fault(outcome, "value_check", changed[0], message, _allowing(check))


def _allowing(check: Check) -> str:
    """What to write instead, where the CHECK is a list."""
    known = codes.allowed(check, check.columns[0]) if len(check.columns) == 1 else None
    constants = " or ".join(f"{{value: {scalar(each)}}}" for each in known or ())
    return f"write {constants}, or change the CHECK" if known else "write another value, or change the CHECK"


def _breaks(outcome: Outcome, check: Check, server: Server) -> bool:
    """Postgres itself looks, at the new values alone or in rows that are there."""
    facts = outcome.dataset.facts
    if set(check.columns) <= set(outcome.values):
        cells = ", ".join(_cell(facts.columns[column], outcome.values[column]) for column in check.columns)
        source = f"(select {cells}) as t"
    else:
        cells = ", ".join(
            _cell(column, outcome.values[name]) if name in outcome.values else f"t.{quoted(name)}"
            for name, column in facts.columns.items()
        )
        tests = f" where {' and '.join(outcome.tests)}" if outcome.tests else ""
        source = f"(select {cells} from {outcome.dataset.sql} as t{tests} limit {SAMPLED}) as t"
    return (
        server.holds(
            f"exists (select from {source} where ({check.expression}) is false)",
            what=f"whether what is set in {outcome.dataset.name} breaks the CHECK {check.name}",
            tables=(outcome.dataset.name,),
        )
        is True
    )


def _cell(column: Column, value: str) -> str:
    return f"cast({value} as {column.type}) as {quoted(column.name)}"


def _looks_broken(outcome: Outcome, check: Check) -> bool:
    """Without a server: a list of codes, and that something is there."""
    if len(check.columns) != 1:
        return False
    name = check.columns[0]
    column = outcome.dataset.facts.columns[name]
    if outcome.values[name] == "null":
        return f"{expression.normalised(quoted(name))} is not null" in expression.conjuncts(check.expression)
    text = _text(outcome.said.get(name), column)
    if text is None or outcome.said.get(name) == "random":
        return False
    allowed = codes.allowed(check, name)
    if allowed is not None:
        return text not in allowed
    is_never_empty = rf"{re.escape(expression.normalised(quoted(name)))} <> ''"
    return text == "" and any(re.fullmatch(is_never_empty, each) for each in expression.conjuncts(check.expression))


# Its keys -----------------------------------------------------------------------------------------------------------

_STRICT = """
select n.nspname::text, c.relname::text, x.relname::text, i.indisexclusion,
  array(
    select a.attname::text
    from unnest(i.indkey::smallint[]) as k (number)
    join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.number
  )
from pg_index as i
join pg_class as x on x.oid = i.indexrelid
join pg_class as c on c.oid = i.indrelid and not c.relispartition
join pg_namespace as n on n.oid = c.relnamespace
where i.indisvalid and (i.indisexclusion or i.indnullsnotdistinct)
  and n.nspname not in ('pg_catalog', 'information_schema', 'gdpr') and n.nspname !~ '^pg_(toast|temp)'
order by 1, 2, 3
"""
_Strict = tuple[str, bool, tuple[str, ...]]  # its name, whether an exclusion, its columns


def _strict_indexes(server: Server) -> Mapping[Name, tuple[_Strict, ...]]:
    """Keys that a catalogue as JSON does not tell of: exclusions, and those to which null is a value."""
    found: dict[Name, tuple[_Strict, ...]] = {}
    for schema, table, name, is_exclusion, columns in server.rows(_STRICT, what="which keys are exclusions") or ():
        key = Name(schema, table)
        found[key] = (*found.get(key, ()), (name, is_exclusion, tuple(columns)))
    return found


def _unique(outcome: Outcome, strict: tuple[_Strict, ...]) -> Iterator[Fault]:
    """The same for everybody in a unique column: with the second person the erasure fails."""
    facts = outcome.dataset.facts
    same = {name for name, value in outcome.said.items() if name in outcome.values and _is_same(value)}
    nulls = {name for name, value in outcome.values.items() if value == "null"}
    others = {name for name in outcome.values if name not in same}
    for index in facts.indexes:
        columns = _columns(index, facts)
        hit = [column for column in columns if column in same]
        if index.unique and index.valid and hit and not set(columns) & others and not _is_apart(columns, same, facts):
            yield _twice(outcome, hit[0], index.name)
    for name, is_exclusion, columns in strict:
        set_alike = [c for c in columns if c in same or (c in nulls and not is_exclusion)]
        unlike = {c for c in columns if c in others and c not in set_alike}
        if set_alike and not unlike and not _is_apart(columns, set(set_alike), facts):
            yield _twice(outcome, set_alike[0], name)


def _is_same(value: model.SetTo) -> bool:
    return isinstance(value, model.Constant) or value in ("empty", "nobody")


def _columns(index: Index, facts: Table) -> tuple[str, ...]:
    """Its columns, with those in its expressions."""
    named = [column for column in index.columns if column]
    words = {word for text in index.expressions if text for word in expression.normalised(text).split(" ")}
    return (*named, *(c for c in facts.columns if expression.normalised(quoted(c)) in words and c not in named))


def _is_apart(columns: tuple[str, ...], same: set[str], facts: Table) -> bool:
    """Whether the other columns of the key are unique by themselves."""
    return facts.is_unique(tuple(column for column in columns if column not in same))


def _twice(outcome: Outcome, column: str, key: str) -> Fault:
    message = f"it is set to the same for everybody, and the key {key} is unique: the second erasure fails"
    return _fault(outcome, "value_unique", column, message, "write null or random")


# What it points at --------------------------------------------------------------------------------------------------


def _references(outcome: Outcome, server: Server) -> Iterator[Fault]:
    for key in outcome.dataset.facts.foreign_keys:
        constants = [c for c in key.columns if isinstance(outcome.said.get(c), model.Constant)]
        if key.target is None or not constants or not set(key.columns) <= set(outcome.values):
            continue
        points = f"exists (select from {key.target.sql} as q where {_points(outcome, key)})"
        what = f"whether what is set in {outcome.dataset.name} is a key of {key.target}"
        if server.holds(points, what=what, tables=(key.target,)) is False:
            message = f"what it is set to is no key of {key.target}"
            yield _fault(outcome, "value_reference", constants[0], message, "write null, or the key of a row")


def _points(outcome: Outcome, key: ForeignKey) -> str:
    facts = outcome.dataset.facts
    return " and ".join(
        f"q.{quoted(theirs)} = cast({outcome.values[mine]} as {facts.columns[mine].type})"
        for mine, theirs in zip(key.columns, key.target_columns, strict=True)
    )


def _nobody(survey: Survey, server: Server) -> Iterator[Fault]:
    """Rule 12 of docs/ownership.md: nobody is a row, which links that may not be null point at."""
    for kind in survey.resolution.kinds.values():
        if kind.nobody is None:
            continue
        where: Where = ("subject",) if survey.map.subject else ("subjects", kind.name)
        key = " and ".join(f"u.{quoted(name)} = {literal(str(value)).strip()}" for name, value in kind.nobody.items())
        what = f"whether {kind.table} has the row that stands for nobody"
        if server.holds(_has_nobody(kind, key), what=what, tables=(kind.table,)) is False:
            others = [name for name in kind.key if name not in kind.nobody]
            of_each = f" for each {', '.join(others)}" if others else ""
            yield Fault(
                code="nobody_missing",
                message=f"{kind.table} has no row with the key that stands for nobody{of_each}",
                where=(*where, "nobody"),
                remedy=f"{insert(kind, survey.catalogue)}\nor name the key of a row that is there",
            )
        yield from _somebody(kind, key, (*where, "nobody"), survey, server)


def _has_nobody(kind: Kind, key: str) -> str:
    """Where only a part of the key is nobody's, each tenant has to have such a row."""
    others = [name for name in kind.key if name not in (kind.nobody or {})]
    beside = "".join(f" and u.{quoted(name)} = o.{quoted(name)}" for name in others)
    is_there = f"exists (select from {kind.table.sql} as u where {key}{beside})"
    return f"not exists (select from {kind.table.sql} as o where not {is_there})" if others else is_there


def _somebody(kind: Kind, key: str, where: Where, survey: Survey, server: Server) -> Iterator[Fault]:
    """An administrator who is called nobody is given everybody's rows, and asks for them in their own export."""
    texts = [i.column for i in kind.identities.values() if kind.facts.columns[i.column].family == "text"]
    addresses = [f"(u.{quoted(name)}::text ~ '@' and u.{quoted(name)}::text !~* {_NOBODYS})" for name in texts]
    what = f"whether the row of {kind.table} that stands for nobody is somebody's"
    is_one = f"exists (select from {kind.table.sql} as u where {key} and ({' or '.join(addresses) or 'false'}))"
    if server.holds(is_one, what=what, tables=(kind.table,)):
        yield Fault(
            code="nobody",
            message=f"The row of {kind.table} that stands for nobody has an address as people have one: whoever it is"
            " would get the rows of all who leave",
            where=where,
            severity="warning",
            remedy=f"name a row of nobody's: {insert(replace(kind, nobody=None), survey.catalogue)}\n"
            "or, if nobody logs in by it, set its address to one that says so, such as nobody@example.invalid",
        )
