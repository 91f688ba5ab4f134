"""Links that somebody declares beside the database, such as a team's models: held against what is there.

Whoever claims one knows more than a name says. Values may contradict them all the same, and then a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from datamap.catalogue import Catalogue, Table
from datamap.condition import Condition
from datamap.discover.finding import Confidence, Link, People
from datamap.discover.keys import comparable
from datamap.discover.links import Samples, texts
from datamap.discover.questions import Sample, Values
from datamap.names import Place
from datamap.names import Table as Name

_CONTAINED = 0.9
_DANGLING = 0.5


@dataclass(frozen=True, kw_only=True)
class Claim:
    """These columns hold the key of that table."""

    table: Name
    columns: tuple[str, ...]
    target: Name
    target_columns: tuple[str, ...]
    when: str | None = None
    is_partial: bool = False  # it holds only under a condition that a map has no words for
    said: str  # who says so: the model and its attribute


def found(
    claims: Iterable[Claim], people: People, samples: Samples, values: Values | None
) -> tuple[list[Link], list[str]]:
    """The links that fit the database and are no foreign keys of it; and what to say of the claims that do not fit."""
    links: dict[tuple[object, ...], Link] = {}
    notes: list[str] = []
    for claim in sorted(claims, key=lambda each: (each.table, each.columns, each.when or "", each.said)):
        table, target = _there(claim.table, people.catalogue), _there(claim.target, people.catalogue)
        if table is None or target is None:
            notes.append(f"{claim.said} speaks of {claim.table if table is None else claim.target}, which is not there")
            continue
        if why := _unfit(claim, table, target):
            notes.append(f"{claim.said} does not fit the database: {why}")
        elif not _is_declared(claim, table, target):
            sample = samples.get(table.name)
            link = _weighed(_link(claim, table, target, people), target, _seen(claim, sample), sample, values)
            links.setdefault((link.table, *link.says, link.target), link)
    return list(links.values()), list(dict.fromkeys(notes))


def _there(name: Name, catalogue: Catalogue) -> Table | None:
    """The table; one without a schema may be the only one of its name."""
    if (table := catalogue.get(name)) is not None or name.schema != "public":
        return table
    alike = [each for each in catalogue if each.name.name == name.name]
    return alike[0] if len(alike) == 1 else None


def _unfit(claim: Claim, table: Table, target: Table) -> str | None:
    for facts, columns in ((table, claim.columns), (target, claim.target_columns)):
        if missing := [column for column in columns if column not in facts.columns]:
            return f"{facts.name} has no column {missing[0]}"
    pairs = zip(claim.columns, claim.target_columns, strict=True)
    if not all(comparable(table.columns[one], target.columns[other]) for one, other in pairs):
        return f"{', '.join(claim.columns)} cannot be compared with {target.name}"
    return None


def _is_declared(claim: Claim, table: Table, target: Table) -> bool:
    return any(key.target == target.name and set(key.columns) == set(claim.columns) for key in table.foreign_keys)


def _link(claim: Claim, table: Table, target: Table, people: People) -> Link:
    kind = people.of(target.name)
    link = Link(
        table=table.name,
        place=Place(claim.columns),
        target=target.name,
        target_columns=claim.target_columns,
        kind=kind.name if kind else None,
        when=claim.when,
        evidence=f"declared by {claim.said}",
        confidence="medium",
    )
    if claim.is_partial:
        return _torn(link, "under a condition that a map has no words for")
    if not target.is_unique(claim.target_columns) and not (kind and claim.target_columns in (kind.key, *kind.keys)):
        return _torn(link, "which names no one row there")
    return link


def _torn(link: Link, why: str) -> Link:
    return replace(link, role="undecided", evidence=f"{link.evidence}, {why}", confidence="low")


def _seen(claim: Claim, sample: Sample | None) -> list[str]:
    """What stands there in the rows for which the claim holds."""
    if sample is None or claim.when is None:
        return texts(sample, claim.columns)
    (first, *_) = Condition.parse(claim.when).comparisons
    if first.place.column not in sample.columns or not first.values:
        return texts(sample, claim.columns)
    at, wanted = sample.columns.index(first.place.column), set(map(str, first.values))
    return texts(replace(sample, rows=tuple(row for row in sample.rows if row[at] in wanted)), claim.columns)


def _weighed(link: Link, target: Table, seen: Sequence[str], sample: Sample | None, values: Values | None) -> Link:
    """What the rows say to it."""
    if link.role == "undecided":
        return link
    distinct = set(seen)
    kept = values.present(target, link.target_columns, distinct) if values is not None and distinct else None
    if kept is None:
        return replace(link, evidence=f"{link.evidence}; no values were seen")
    share = len(distinct & kept) / len(distinct)
    amount = f"{len(distinct & kept)} of {len(distinct)} values are" if sample and sample.is_complete else _some(share)
    confidence: Confidence = "high" if share >= _CONTAINED else "medium"
    told = replace(link, evidence=f"{link.evidence}; {amount} keys there", confidence=confidence)
    return told if share >= _DANGLING else _torn(told, "which contradicts it")


def _some(share: float) -> str:
    return "nearly all sampled values are" if share >= _CONTAINED else "some of the sampled values are"


def merged(claimed: Sequence[Link], guessed: Iterable[Link]) -> Iterator[Link]:
    """The guesses of which no claim speaks already."""
    whole = {(link.table, link.place) for link in claimed if link.when is None}
    told = {(link.table, link.place, link.target) for link in claimed}
    for link in guessed:
        if (link.table, link.place) not in whole and (link.table, link.place, link.target) not in told:
            yield link
