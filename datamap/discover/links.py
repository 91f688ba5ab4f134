"""Links that no foreign key declares: columns that name somebody by name, by type and by what stands in them.

A name alone is never enough. That small numbers are contained in a key says little: they are contained in every key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datamap.catalogue import Column, Table
from datamap.discover import discriminators, shapes, words
from datamap.discover.candidates import head
from datamap.discover.finding import Confidence, Link, People
from datamap.discover.keys import Keys
from datamap.discover.questions import JOINT, Sample, Values
from datamap.names import Place
from datamap.names import Table as Name

Samples = Mapping[Name, Sample]
_NOBODY = frozenset({"0", "-1", "", "00000000-0000-0000-0000-000000000000"})
CONTAINED = 0.9
_DANGLING = 0.5
TOLERATED = 0.7  # of values that once were keys, where enough of them were seen
ENOUGH = 20
_THINGS = words.listed("account agent party profile identity")
_HALF = 2  # the weight of a name that fits what it would point at in part


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A column, or several, that might hold the key of one of these."""

    table: Table
    columns: tuple[str, ...]
    targets: tuple[tuple[Table, tuple[str, ...]], ...]  # the likeliest first
    weights: tuple[int, ...]
    is_named: bool  # for what it would point at


def candidates(table: Table) -> list[Column]:
    """Columns that may be links though nothing says so."""
    taken = {key.columns[-1] for key in table.foreign_keys}
    taken |= {column for key in table.foreign_keys if len(key.columns) == 1 for column in key.columns}
    return [
        column
        for column in table.columns.values()
        if column.family in ("integer", "uuid", "text", "numeric")
        and not column.is_array
        and not column.is_generated
        and column.name not in taken
        and not _is_own_key(table, column)
    ]


def _is_own_key(table: Table, column: Column) -> bool:
    if (column.name,) != table.primary_key and not column.is_identity:
        return False
    if (column.name,) == table.primary_key and (column.is_identity or column.has_default):
        return True
    said = words.meant(column.name)
    return said == words.words(column.name) or said[-1:] == words.words(table.name.name)[-1:]


_ELSEWHERE = words.listed(
    """
    stripe paypal braintree adyen mollie chargebee paddle recurly klarna square gocardless razorpay lemonsqueezy
    hubspot intercom salesforce zendesk shopify twilio sendgrid mailchimp mailgun segment mixpanel auth0 okta firebase
    cognito xero quickbooks external provider
    """
)


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """A column that names somebody whom nobody here is: of another database, long gone, or without an account."""

    table: Name
    column: str
    why: str = "is called after a person, and its values are keys of nobody here"


def found(
    people: People, samples: Samples, values: Values | None, known: Sequence[Link]
) -> tuple[list[Link], list[Stranger]]:
    """Links that no foreign key declares, of persons and of parents; and columns that should be, and are not."""
    keys = Keys(people)
    placed = {(link.table, column) for link in known for column in link.place.columns if len(link.place.columns) == 1}
    suspicions = [
        suspicion
        for table in people.catalogue
        if table.kind in ("table", "partitioned", "materialized_view")
        for suspicion in _suspicions(table, keys)
        if (table.name, suspicion.columns[-1]) not in placed
    ]
    weighed = list(_weighed(suspicions, people, samples, values))
    links = list(_not_of_things([link for link in weighed if link is not None], people, samples, known))
    refuted = [
        Stranger(table=each.table.name, column=each.columns[-1])
        for each, link in zip(suspicions, weighed, strict=True)
        if link is None and each.is_named
    ]
    taken = {(link.table, column) for link in (*known, *links) for column in link.place.columns}
    strangers = [each for each in (*refuted, *_incomparable(people, keys)) if (each.table, each.column) not in taken]
    placed_somewhere = {link.table for link in (*known, *links)}
    strangers = [each for each in strangers if each.table not in placed_somewhere or not _is_elsewhere(each.column)]
    return links, [each for each in strangers if _names_somebody(each.column) and samples.get(each.table) is not None]


def _not_of_things(links: Sequence[Link], people: People, samples: Samples, known: Sequence[Link]) -> Iterator[Link]:
    """`account`, and no more, is somebody's only beside another link to a person: ledgers have such columns too."""
    spoken = {(link.table, link.place) for link in (*known, *links) if link.is_person and link.role != "undecided"}
    for link in links:
        is_alone = not any(table == link.table and place != link.place for table, place in spoken)
        if is_alone and link.is_person and link.role != "undecided" and _may_be_a_thing(link, people, samples):
            yield _torn(link, "and its name may mean a thing: nothing else in the table names a person")
        else:
            yield link


def _may_be_a_thing(link: Link, people: People, samples: Samples) -> bool:
    column = people.catalogue.tables[link.table].columns[link.place.columns[-1]]
    is_bare = words.words(column.name)[-1:] and words.words(column.name)[-1] in _THINGS
    return bool(is_bare) and not shapes.are_distinctive(texts(samples.get(link.table), link.place.columns))


def _is_elsewhere(column: str) -> bool:
    """`stripe_customer_id`: the name that another company gave to what the row is for."""
    return bool(set(words.words(column)) & _ELSEWHERE)


def _incomparable(people: People, keys: Keys) -> Iterator[Stranger]:
    """Columns that no key of anybody can be compared with."""
    for table in people.catalogue:
        if table.kind in ("table", "partitioned") and table.name not in people.tables:
            for column in candidates(table):
                if column.family in ("integer", "uuid") and not keys.meant(table, column):
                    yield Stranger(table=table.name, column=column.name)


def _names_somebody(column: str) -> bool:
    """Whether it is called a key of a person, and of one who did more than touch the row."""
    said = words.meant(column)
    is_key = said != words.words(column) or "by" in said
    return is_key and words.means_a_person(said) and words.ends_in_a_person(said) and not words.is_acting(said)


def _suspicions(table: Table, keys: Keys) -> Iterator[Suspicion]:
    for column in candidates(table):
        targets = keys.meant(table, column)
        if targets:
            yield Suspicion(
                table=table,
                columns=targets[0].columns,
                targets=tuple((each.table, each.key) for each in targets),
                weights=tuple(each.weight for each in targets),
                is_named=True,
            )
        elif column.family == "uuid" or column.base.endswith((".varchar", ".text", ".bpchar")):
            loose = keys.loose(column)
            says_key = words.words(column.name)[-1:] and words.is_key_word(words.words(column.name)[-1])
            if loose and (column.family == "uuid" or says_key):
                yield Suspicion(
                    table=table, columns=(column.name,), targets=loose, weights=(0,) * len(loose), is_named=False
                )


def texts(sample: Sample | None, columns: tuple[str, ...]) -> list[str]:
    """What stands in a column, or in several, without what stands for nobody."""
    if sample is None or not set(columns) <= set(sample.columns):
        return []
    if len(columns) == 1:
        return [value for value in sample.of(columns[0]) if value not in _NOBODY]
    places = [sample.columns.index(column) for column in columns]
    rows = [[row[place] for place in places] for row in sample.rows]
    return [JOINT.join(row) for row in rows if None not in row and row[-1] not in _NOBODY]


def _weighed(
    suspicions: list[Suspicion], people: People, samples: Samples, values: Values | None
) -> Iterator[Link | None]:
    present = _present(suspicions, samples, values)
    for each in suspicions:
        seen = texts(samples.get(each.table.name), each.columns)
        if not seen:
            yield _by_name_alone(each, people, samples.get(each.table.name))
            continue
        yield _by_values(each, people, seen, samples[each.table.name], present)


Present = Mapping[tuple[Name, tuple[str, ...]], frozenset[str] | None]


def _present(suspicions: list[Suspicion], samples: Samples, values: Values | None) -> Present:
    """For each key that somebody could mean: which of all their values it has. One question for each key."""
    asked: dict[tuple[Name, tuple[str, ...]], set[str]] = {}
    tables: dict[Name, Table] = {}
    for each in suspicions:
        seen = sorted(set(texts(samples.get(each.table.name), each.columns)))
        if not each.is_named:
            seen = [text for text in seen if shapes.is_uuid(text)][:8]
        for table, key in each.targets:
            asked.setdefault((table.name, key), set()).update(seen)
            tables[table.name] = table
    return {
        (name, key): values.present(tables[name], key, seen) if values is not None and seen else None
        for (name, key), seen in asked.items()
    }


def _by_name_alone(each: Suspicion, people: People, sample: Sample | None) -> Link | None:
    """An empty column: what its name says, with little confidence."""
    if not each.is_named or not _are_alike(each) or _is_of_an_identity(each, people):
        return None
    why = "it is empty" if sample is not None else "no values were seen"
    most = max(each.weights)
    best = [target for target, weight in zip(each.targets, each.weights, strict=True) if weight == most]
    link = _torn(_link(each, best[0], people, f"by its name only: {why}", "low"))
    is_acting = words.is_acting(words.meant(each.columns[-1])) and not _is_another_thing(each, best[0])
    if sample is not None and link.is_person and is_acting:
        link = replace(link, role="actor")  # whoever it will be: they do not own the row
    others = ", ".join(dict.fromkeys(str(table.name) for table, _ in best if table is not best[0][0]))
    return link if not others else _torn(link, f"{others} could be meant as well")


def _is_of_an_identity(each: Suspicion, people: People) -> bool:
    """What an address names is told by addresses, and not by names."""
    kind = people.of(each.targets[0][0].name)
    return kind is not None and each.targets[0][1][0] in kind.identities.values()


def _are_alike(each: Suspicion) -> bool:
    """`author` as a text is a name, not a key, as long as nothing says otherwise."""
    column, key = each.table.columns[each.columns[-1]], each.targets[0][0].columns[each.targets[0][1][-1]]
    return column.family == key.family or words.meant(column.name) != words.words(column.name)


def _by_values(each: Suspicion, people: People, seen: list[str], sample: Sample, present: Present) -> Link | None:
    distinct = set(seen) if each.is_named else {text for text in sorted(set(seen)) if shapes.is_uuid(text)}
    if not each.is_named:
        distinct = set(sorted(distinct)[:8])
    if not distinct:
        return None
    is_telling = shapes.are_distinctive(distinct)
    shares = []
    for target, weight in zip(each.targets, each.weights, strict=True):
        kept = present[target[0].name, target[1]]
        if kept is not None:
            shares.append((len(distinct & kept) / len(distinct), weight, target))
    if not shares:
        return _torn(_link(each, each.targets[0], people, "by its name; its values could not be compared", "low"))
    return _judged(each, people, shares, distinct, is_telling=is_telling, sample=sample)


def _judged(
    each: Suspicion,
    people: People,
    shares: list[tuple[float, int, tuple[Table, tuple[str, ...]]]],
    distinct: set[str],
    *,
    is_telling: bool,
    sample: Sample,
) -> Link | None:
    fitting = [one for one in shares if one[0] >= CONTAINED]
    if not fitting:
        likeliest = max(shares, key=lambda one: (one[1], one[0]))
        if likeliest[0] < _DANGLING or not each.is_named:
            return None
        link = _link(each, likeliest[2], people, _told(distinct, likeliest, sample), "low")
        is_enough = likeliest[0] >= TOLERATED and len(distinct) >= ENOUGH and likeliest[1] >= 3
        is_enough = is_enough and (is_telling or not _is_another_thing(each, likeliest[2]))
        return link if is_enough else _torn(link, "the other values are keys of nothing there")
    best = max(fitting, key=lambda one: (one[0] if is_telling else 0, one[1], one[2][0].name in people.tables))
    rivals = [
        one
        for one in fitting
        if one[2][0] is not best[2][0] and one[1] >= best[1] and (not is_telling or one[0] >= best[0])
    ]
    refuted = sorted({str(one[2][0].name) for one in shares if one[0] < CONTAINED and one[2][0] is not best[2][0]})
    evidence = _told(distinct, best, sample) + (f", not all of {', '.join(refuted[:3])}" if refuted else "")
    many = len(distinct) >= 5
    confidence: Confidence = "high" if is_telling and many else "medium" if is_telling or many else "low"
    link = _link(each, best[2], people, evidence, confidence, zero=_zero(sample, each))
    named = max(shares, key=lambda one: one[1])
    if named[1] >= 3 > best[1] and not is_telling:
        return _torn(link, f"though its name says {named[2][0].name}")
    if rivals:
        return _torn(link, "but also of " + ", ".join(sorted({str(one[2][0].name) for one in rivals})))
    if is_telling:
        is_elsewhere = not each.is_named and _is_in_a_key(each)
        return _torn(link, "and it is part of a foreign key that points elsewhere") if is_elsewhere else link
    vague = _vague(each, best[2], best[1], people, is_enough=len(distinct) >= ENOUGH)
    vague = vague or _told_apart(each, best[2][0], people, sample)
    return _torn(link, vague) if vague else link


def _is_in_a_key(each: Suspicion) -> bool:
    """What the key points at says whose the row is; the values of one of its columns may be those of others as well."""
    return any(each.columns[-1] in key.columns for key in each.table.foreign_keys)


def _told_apart(each: Suspicion, target: Table, people: People, sample: Sample) -> str | None:
    """Which other column may say that the rows of another table are meant."""
    is_exact = words.meant(each.columns[-1]) == (head(target),)
    other = discriminators.beside(each.table, each.columns[-1], sample, people.tables_said, is_exact=is_exact)
    return f"but {Place((other,))} may say that it is another's" if other else None


def _vague(
    each: Suspicion, to: tuple[Table, tuple[str, ...]], weight: int, people: People, *, is_enough: bool
) -> str | None:
    """Why small numbers and this name are too little."""
    target, key = to
    if words.is_amount(each.columns[-1]) and not words.is_amount(key[-1]):
        return "and its name may mean a number of them"
    if people.of(target.name) is None:
        return "and its name says only half of that" if weight == _HALF else None
    if told := _meant_otherwise(each, target, key):
        return told
    is_said = words.meant(each.columns[-1])[-1:] == (head(target),)
    if is_said or is_enough or len(people.kinds) == 1:
        return None
    return "too few to tell which kind of people is meant"


def _meant_otherwise(each: Suspicion, target: Table, key: tuple[str, ...]) -> str | None:
    """What else the name may mean than one of these people."""
    said = words.meant(each.columns[-1])
    if _is_another_thing(each, (target, key)):
        return f"and its name may mean something else called {words.meant(each.columns[-1])[-1]}"
    if words.is_direction(said):
        return "and its name may mean people as well as a range"
    if not words.ends_in_a_person(said) and not _is_said_otherwise(each, target, key):
        return "and its name may mean something of theirs"
    if words.is_of_the_other_side(said, head(target)):
        return f"and its name means another than a {head(target)}"
    return None


def _is_another_thing(each: Suspicion, to: tuple[Table, tuple[str, ...]]) -> bool:
    """`gl_account_id`, unless it is of a type that only keys of people are of."""
    column, (target, key) = each.table.columns[each.columns[-1]], to
    if column.is_domain and column.type == target.columns[key[-1]].type:
        return False
    names = frozenset((head(target), *words.words(target.name.name), *words.words(key[-1])))
    return words.is_another_thing(words.meant(column.name), names)


def _is_said_otherwise(each: Suspicion, target: Table, key: tuple[str, ...]) -> bool:
    """Called as the people's table or as their key is, or of a type that only their keys are of."""
    column = each.table.columns[each.columns[-1]]
    is_called = words.meant(column.name)[-1:] in ((head(target),), words.words(key[-1])[-1:])
    return is_called or (column.is_domain and column.type == target.columns[key[-1]].type)


def _zero(sample: Sample, each: Suspicion) -> str | None:
    """0 or -1 for nobody, which no key has."""
    values = set(sample.of(each.columns[-1])) & {"0", "-1"}
    if not values or len(each.columns) > 1 or each.table.columns[each.columns[-1]].family != "integer":
        return None
    return " and ".join(f"{Place(each.columns)} <> {value}" for value in sorted(values))


def _told(distinct: set[str], one: tuple[float, int, tuple[Table, tuple[str, ...]]], sample: Sample) -> str:
    table = one[2][0].name
    if sample.is_complete:
        return f"{round(one[0] * len(distinct))} of {len(distinct)} values are keys of {table}"
    amount = "all" if one[0] == 1 else "nearly all" if one[0] >= CONTAINED else "many"
    return f"{amount} of the sampled values are keys of {table}"


def _torn(link: Link, why: str | None = None) -> Link:
    return replace(link, role="undecided", evidence=f"{link.evidence}{'; ' + why if why else ''}", confidence="low")


def _link(
    each: Suspicion,
    target: tuple[Table, tuple[str, ...]],
    people: People,
    evidence: str,
    confidence: Confidence,
    *,
    zero: str | None = None,
) -> Link:
    kind = people.of(target[0].name)
    return Link(
        table=each.table.name,
        place=Place(each.columns),
        target=target[0].name,
        target_columns=target[1],
        kind=kind.name if kind else None,
        when=zero,
        evidence=evidence,
        confidence=confidence,
    )
