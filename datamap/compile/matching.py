"""How a row names a person or a parent, as conditions in SQL. `t` is the row, `p` the person, `q` a parent.

Values meet across types: an integer key in a text column, a uuid written in capitals, an element of an array, a value
in JSON. The row's side is left as it is wherever that can be, so that an index on it serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datamap.catalogue import Column, Table
from datamap.compile.json_place import elements, reading
from datamap.compile.person import TABLE, Person, element_type, equality, plain_type
from datamap.compile.resolution import Dataset, Kind, Link
from datamap.condition import Comparison
from datamap.form import Form
from datamap.names import Place, literal, quoted

DEFAULT = '"default"'  # the database's collation


class CannotCompare(ValueError):
    """Two types of which no value is ever equal."""


@dataclass(frozen=True)
class _Meeting:
    """Where two values meet: what joins the source of the one (`from_`), and when they are equal."""

    condition: str
    from_: str = ""


def conditions(link: Link, facts: Table, alias: str = "t") -> list[str]:
    """What `when` says."""
    comparisons = link.condition.comparisons if link.condition else ()
    return [_comparison(each, facts, alias) for each in comparisons]


def _comparison(each: Comparison, facts: Table, alias: str) -> str:
    column = facts.columns[each.place.column]
    left = reading(each.place, facts, alias)
    if each.operator in ("is null", "is not null"):
        return f"{left} {each.operator}"
    if each.place.is_plain and column.equality:  # an extension's: = has a name that IN and <> would not find
        equal = [f"{left} {equality(column)} {_constant(v)}" for v in each.values]
        return f"{'not ' if each.operator in ('<>', 'not in') else ''}({' or '.join(equal)})"
    if each.operator in ("in", "not in"):
        return f"{left} {each.operator} ({', '.join(_constant(v) for v in each.values)})"
    return f"{left} {each.operator} {_constant(each.values[0])}"


def _constant(given: str | float | bool) -> str:
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return literal(text).strip()


def _meet(left: str, mine: Column, right: str, theirs: Column, *, is_text: bool = False, alias: str = "s") -> _Meeting:
    """`left` is the row's value of type `mine` (or text, out of JSON), `right` what it is compared with; `alias` is
    free for the ways in which that may be written."""
    if theirs.is_array:
        raise CannotCompare(f"{theirs.type} is a list, which is no key")
    if mine.is_array and not (mine.base.startswith("pg_catalog.") or mine.labels or mine.equality):
        raise CannotCompare(f"{mine.type} is a list of what is no single value")
    if not is_text and mine.base == theirs.base:
        return _Meeting(f"{left} {equality(mine)} {_collated(right, mine, theirs)}")
    if is_text or mine.family == "text":
        return _meet_text(left, mine, right, theirs, is_text=is_text, alias=alias)
    if theirs.family == "text" and mine.family in ("integer", "uuid", "numeric"):
        return _Meeting(f"{left} = {_read_as(right, mine)}")
    if mine.family == theirs.family == "integer":
        return _Meeting(f"{left} = {right}")
    if (mine.family, theirs.family) == ("numeric", "integer"):
        return _Meeting(f"{left} = {right}::{element_type(mine)}")
    if (mine.family, theirs.family) == ("integer", "numeric"):
        return _Meeting(f"{left}::pg_catalog.numeric = {right}")
    raise CannotCompare(f"{mine.type} and {theirs.type} have no value in common")


def _meet_text(left: str, mine: Column, right: str, theirs: Column, *, is_text: bool, alias: str) -> _Meeting:
    if spellings := _spellings(right, theirs, is_json=is_text):
        joined = f"\n  cross join lateral {spellings} as {alias} (v)"
        return _Meeting(f"{alias}.v{_collation(mine, is_text=is_text)} = {left}", joined)
    if theirs.family != "text":
        return _Meeting(f"{left} = {right}::text{_collation(mine, is_text=is_text)}")
    if theirs.equality:  # citext: the subject's own key makes no difference between capitals
        return _Meeting(f"lower({left}::text) = lower({right}::text)")
    if mine.equality and not is_text:  # citext: two keys that differ in capitals would be one there
        return _Meeting(f"{left}::text = {right}::text")
    cast = f"{right}::{_text_type(mine, is_text=is_text)}"
    return _Meeting(f"{left} = {_collated(cast, mine, theirs, is_text=is_text)}")


def _spellings(value: str, column: Column, *, is_json: bool) -> str | None:
    """The ways in which applications write one key: a uuid in capitals; in JSON 42.0, which is the number 42."""
    text = f"{value}::text"
    if column.family == "uuid":
        return f"(values ({text}), (upper({text})), (replace({text}, '-', '')))"
    if column.family == "integer" and is_json:
        return f"(values ({text}), ({text} || '.0'))"
    if column.family == "numeric":  # 42 or 42.00, as its column has it
        short = f"trim_scale({value})::text"
        as_float = f", ({short} || '.0')" if is_json else ""
        return f"(values ({text}), ({short}){as_float})"
    return None


def _read_as(text: str, mine: Column) -> str:
    """A text as the number or uuid that it writes; null if it is none, or writes it otherwise (042)."""
    kind = literal(mine.base.partition(".")[2]).strip()
    read = f"{text}::{element_type(mine)}"
    if mine.family != "uuid":
        read = f"case when {read}::text = {text}::text then {read} end"
    return f"case when pg_input_is_valid({text}::text, {kind}) then {read} end"


def _text_type(mine: Column, *, is_text: bool) -> str:
    return "pg_catalog.text" if is_text else element_type(mine)


def _collated(right: str, mine: Column, theirs: Column, *, is_text: bool = False) -> str:
    """Two collations would be an error; the row's side wins, which is the one with an index."""
    if mine.family != "text" and not is_text:
        return right
    if not is_text and not mine.is_deterministic and theirs.is_deterministic:
        return right + ' collate "default"'  # what is one value to the row's column may be two people
    differs = (None if is_text else mine.collation) != theirs.collation
    return right + (_collation(mine, is_text=is_text) or ' collate "default"') if differs else right


def _collation(mine: Column, *, is_text: bool) -> str:
    return f" collate {mine.collation}" if mine.collation and not is_text else ""


def names_us(link: Link, dataset: Dataset, person: Person, alias: str = "t") -> str:
    """The link names one of the persons that the statement is about."""
    tests = conditions(link, dataset.facts, alias)
    return " and ".join([*tests, _names(link, dataset, person, alias)])


def _names(link: Link, dataset: Dataset, person: Person, alias: str) -> str:
    facts = dataset.facts.columns[link.place.column]
    if link.place.is_plain:
        meetings = [
            _with_person(
                link, dataset.facts.columns[mine], f"{alias}.{quoted(mine)}", person, theirs, alias=f"s{number}"
            )
            for number, (mine, theirs) in enumerate(zip(link.place.columns, link.target_columns, strict=True), 1)
        ]
        # A person may have several rows (other identities): all columns of a key have to meet the same one.
        return _exists(meetings)
    theirs = link.target_columns[0]
    if link.place.is_array and facts.is_array and link.form.is_exact and _converts(facts, person.columns[theirs]):
        elements_meant = _as_elements(person.sql(theirs), person.columns[theirs], facts)
        meant = f"select e.v from {TABLE} as p cross join lateral {elements_meant} as e (v) where e.v is not null"
        return f"{_array(link.place, facts, alias)} && array({meant})"
    if None in link.place.steps:
        meeting = element_meeting(link, facts, person)
        source = f"{elements(link.place, facts, alias)}, {TABLE} as p{meeting.from_}"
        return f"exists (select from {source} where {meeting.condition})"
    left = reading(link.place, dataset.facts, alias)
    return _exists([_with_person(link, facts, left, person, theirs, is_text=True)])


def _array(place: Place, facts: Column, alias: str) -> str:
    return f"{alias}.{quoted(place.column)}" + (f"::{plain_type(facts)}" if facts.is_domain else "")


def _as_elements(source: str, theirs: Column, facts: Column) -> str:
    """A key as an array holds it, as a list of VALUES."""
    kind = element_type(facts)
    if facts.family == "text":
        kind += f" collate {facts.collation or DEFAULT}" if facts.collation != theirs.collation else ""
    if facts.family == "text" and (spellings := _spellings(source, theirs, is_json=False)):
        return f"(select x.v::{kind} from {spellings} as x (v))"
    return f"(values ({_fitting(source, theirs, facts)}::{kind}))"


def _fitting(source: str, theirs: Column, facts: Column) -> str:
    """A whole number, null where the array's type has no such number."""
    if facts.family != "integer" or facts.base[-1] >= theirs.base[-1]:  # int2, int4, int8
        return source
    most = 2 ** (8 * int(facts.base[-1]) - 1)
    return f"(case when {source} between {-most} and {most - 1} then {source} end)"


def _converts(mine: Column, theirs: Column) -> bool:
    """Whether a cast of the person's value keeps it, so that arrays can be compared whole, by an index."""
    if mine.family == theirs.family == "integer":
        return True
    if mine.family == "text" and not mine.equality:
        return theirs.family == "integer" or (theirs.family == "text" and not theirs.equality)
    return mine.base == theirs.base


def element_meeting(link: Link, facts: Column, person: Person, left: str = "e.v") -> _Meeting:
    """An element, `left`, is one of the persons."""
    return _with_person(link, facts, left, person, link.target_columns[0], is_text=not facts.is_array)


def _with_person(
    link: Link, mine: Column, left: str, person: Person, theirs: str, *, is_text: bool = False, alias: str = "s"
) -> _Meeting:
    right = person.sql(theirs)
    if not link.form.is_exact:
        return _Meeting(_in_form(link.form, left, mine, right, person.columns[theirs], is_text=is_text))
    return _meet(left, mine, right, person.columns[theirs], is_text=is_text, alias=alias)


def _in_form(form: Form, left: str, mine: Column, right: str, theirs: Column, *, is_text: bool) -> str:
    """Of two collations the row's wins, so that its index on the same expression serves."""
    if form.is_partial and not is_text and mine.family != "text":
        raise CannotCompare(f"{mine.type} holds no telephone number as it is written")
    ours = None if is_text else mine.collation
    collation = f" collate {ours or DEFAULT}" if ours != theirs.collation else ""
    return f"{form.sql(left)} = {form.sql(right, collation)}"


def _exists(meetings: list[_Meeting]) -> str:
    sources = "".join(meeting.from_ for meeting in meetings)
    tests = " and ".join(meeting.condition for meeting in meetings)
    return f"exists (select from {TABLE} as p{sources} where {tests})"


def speaks(link: Link, dataset: Dataset, alias: str = "t") -> str:
    """The link's value is there, whoever it names."""
    tests = conditions(link, dataset.facts, alias)
    facts = dataset.facts.columns[link.place.column]
    if None in link.place.steps:
        source = elements(link.place, facts, alias)
        tests.append(f"exists (select from {source} where {_filled_element(link, facts)})")
    elif link.form.is_partial:
        tests.append(f"{link.form.sql(reading(link.place, dataset.facts, alias))} is not null")
    else:
        tests.extend(_is_there(link.place, dataset.facts, alias))
    return " and ".join(tests)


def _is_there(place: Place, table: Table, alias: str) -> list[str]:
    if not place.is_plain:
        return [f"{reading(place, table, alias)} <> ''"]
    tests = []
    for name in place.columns:
        source = f"{alias}.{quoted(name)}"
        tests.append(f"{source}::text <> ''" if table.columns[name].family == "text" else f"{source} is not null")
    return tests


def names_other(link: Link, dataset: Dataset, kind: Kind, person: Person | None, alias: str = "t") -> str:
    """The link names somebody who is none of the persons that the statement is about.

    By key: a subject who has a row; a number that is nobody's names nobody. By identity: whoever it is, a guest as
    well. Without a person the link is one to another kind of subject, so whoever it names is somebody else.
    """
    tests = conditions(link, dataset.facts, alias)
    if link.identity is None:
        return " and ".join([*tests, _names_a_living_other(link, dataset, kind, person, alias)])
    if person is None:
        return speaks(link, dataset, alias)
    facts = dataset.facts.columns[link.place.column]
    if None in link.place.steps:
        meeting = element_meeting(link, facts, person)
        stranger = f"not exists (select from {TABLE} as p{meeting.from_} where {meeting.condition})"
        stranger += _also_of_another(link, dataset, person, alias, element="e.v")
        source = elements(link.place, facts, alias)
        return " and ".join(
            [*tests, f"exists (select from {source} where {_filled_element(link, facts)} and ({stranger}))"]
        )
    stranger = f"not {_names(link, dataset, person, alias)}{_also_of_another(link, dataset, person, alias)}"
    return f"{speaks(link, dataset, alias)} and ({stranger})"


def _filled_element(link: Link, facts: Column) -> str:
    if link.form.is_partial:
        return f"{link.form.sql('e.v')} is not null"
    is_text = facts.family == "text" or not facts.is_array
    return "e.v is not null" + (" and e.v::text <> ''" if is_text else "")


def _names_a_living_other(link: Link, dataset: Dataset, kind: Kind, person: Person | None, alias: str) -> str:
    points = points_at(link, dataset, kind.facts, alias, "u", with_conditions=False)
    ours = f" and not {_is_ours(person)}" if person is not None else ""
    return f"exists (select from {kind.sql} as u where {points}{ours}{_is_somebody(kind)})"


def _is_somebody(kind: Kind) -> str:
    """The subject's row `u` is not the one that stands for nobody."""
    if kind.nobody is None:
        return ""
    key = " and ".join(f"u.{quoted(c)} = {literal(str(value)).strip()}" for c, value in kind.nobody.items())
    return f" and not ({key})"


def _is_ours(person: Person) -> str:
    """The subject's row `u` is one of the persons that the statement is about."""
    ours = " and ".join(
        f"p.{quoted(person.column(c))} {equality(person.columns[c])} u.{quoted(c)}" for c in person.kind.key
    )
    return f"exists (select from {TABLE} as p where {ours})"


def _also_of_another(link: Link, dataset: Dataset, person: Person, alias: str, *, element: str = "") -> str:
    """An identity that another subject has as well names both of them."""
    identity = person.kind.identities[link.identity or ""]
    if identity.shared or identity.unique:
        return ""
    mine = dataset.facts.columns[link.place.column]
    right = f"u.{quoted(identity.column)}"
    left = element or reading(link.place, dataset.facts, alias)
    is_text = not mine.is_array if element else not link.place.is_plain
    theirs = person.columns[identity.column]
    if not link.form.is_exact:
        meeting = _Meeting(_in_form(link.form, left, mine, right, theirs, is_text=is_text))
    else:
        meeting = _meet(left, mine, right, theirs, is_text=is_text)
    return (
        f" or exists (select from {person.kind.sql} as u{meeting.from_}"
        f" where {meeting.condition} and not {_is_ours(person)}{_is_somebody(person.kind)})"
    )


def points_at(
    link: Link, dataset: Dataset, target: Table, alias: str = "t", parent: str = "q", *, with_conditions: bool = True
) -> str:
    """The row's link holds the parent's key."""
    columns = {c: f"{parent}.{quoted(c)}" for c in link.target_columns}
    return points_at_columns(link, dataset, target, columns, alias, with_conditions=with_conditions)


def points_at_columns(
    link: Link,
    dataset: Dataset,
    target: Table,
    columns: dict[str, str],
    alias: str = "t",
    *,
    with_conditions: bool = True,
) -> str:
    """Like points_at, with the parent's columns given as SQL. A foreign key binds the row whatever `when` says."""
    tests = conditions(link, dataset.facts, alias) if with_conditions else []
    facts = dataset.facts.columns[link.place.column]
    if None in link.place.steps:
        theirs = link.target_columns[0]
        if link.place.is_array and facts.is_array and _converts(facts, target.columns[theirs]):
            return " and ".join([*tests, _holds(link, facts, columns[theirs], target.columns[theirs], alias)])
        meeting = _meet("e.v", facts, columns[theirs], target.columns[theirs], is_text=not facts.is_array)
        source = f"(values (1)) as one (x){meeting.from_}, " if meeting.from_ else ""
        tests.append(f"exists (select from {source}{elements(link.place, facts, alias)} where {meeting.condition})")
        return " and ".join(tests)
    for mine, theirs in zip(link.place.columns, link.target_columns, strict=True):
        column = dataset.facts.columns[mine]
        left = reading(link.place, dataset.facts, alias) if not link.place.is_plain else f"{alias}.{quoted(mine)}"
        meeting = _meet(left, column, columns[theirs], target.columns[theirs], is_text=not link.place.is_plain)
        if meeting.from_:
            spelled = meeting.from_.replace("\n  cross join lateral ", "", 1)
            tests.append(f"exists (select from {spelled} where {meeting.condition})")
        else:
            tests.append(meeting.condition)
    return " and ".join(tests)


def _holds(link: Link, facts: Column, key: str, theirs: Column, alias: str) -> str:
    """The array holds the key; so written that whichever of the two is known finds the other by an index."""
    held = _array(link.place, facts, alias)
    if facts.base == theirs.base or facts.family == theirs.family == "integer":
        key_held = _collated(f"{_fitting(key, theirs, facts)}::{element_type(facts)}", facts, theirs)
        return f"({held} && array[{key_held}] and {_collated(key, facts, theirs)} {equality(theirs)} any ({held}))"
    return f"{held} && array(select e.v from {_as_elements(key, theirs, facts)} as e (v))"


def element_points_within(
    link: Link, facts: Column, target: Table, relation: str, left: str, *, key: str, test: str
) -> str:
    """An element, `left`, holds a key of one of the rows `q` of a relation for which the test holds."""
    meeting = _meet(left, facts, key, target.columns[link.target_columns[0]], is_text=not facts.is_array)
    return f"exists (select from {relation} as q{meeting.from_} where {test} and {meeting.condition})"


def points_within(
    link: Link,
    dataset: Dataset,
    target: Table,
    relation: str,
    *,
    columns: Mapping[str, str],
    test: str = "",
    with_conditions: bool = True,
) -> str:
    """The row's link holds a key of one of the rows `q` of a relation for which the test holds."""
    facts = dataset.facts.columns[link.place.column]
    theirs = link.target_columns[0]
    if link.place.is_array and facts.is_array and _converts(facts, target.columns[theirs]):
        tests = conditions(link, dataset.facts) if with_conditions else []
        meant = _as_elements(columns[theirs], target.columns[theirs], facts)
        rows = f"select e.v from {relation} as q cross join lateral {meant} as e (v) where e.v is not null"
        array = f"array({rows}{f' and {test}' if test else ''})"
        return " and ".join([*tests, f"{_array(link.place, facts, 't')} && {array}"])
    points = points_at_columns(link, dataset, target, dict(columns), with_conditions=with_conditions)
    return f"exists (select from {relation} as q where {f'{test} and ' if test else ''}{points})"
