"""Where people meet: structure suspects, data decides.

A table with an owner is suspected if something that hangs below it has a person of its own. What the rows below say
settles it: nobody else among many rows of several people, and the second link only repeats the owner; somebody else,
and people meet there; too few rows, and a person has to decide.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from datamap.catalogue import Table
from datamap.discover import words
from datamap.discover.finding import Link, People
from datamap.discover.purity import free_texts
from datamap.discover.questions import Met, Rung, Sample, Values, Way
from datamap.names import Place
from datamap.names import Table as Name

DEEPEST = 5
MOST_SHORT_WAYS = 200  # of one table
MOST_WAYS = 24  # that are counted
ENOUGH_ROWS = 10
ENOUGH_PEOPLE = 3
ENOUGH_ASKERS = 6
FEWER = 3  # times as many as there are people who answer

Verdict = Literal["meets", "repeats", "open", "agents"]  # agents: few, who answer to many


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """What was found about one table and one that hangs below it."""

    place: Name
    below: Name
    through: Link  # the first step up from what hangs below
    verdict: Verdict
    met: Met | None

    @property
    def is_unused(self) -> bool:
        """Whether no row at all goes this way."""
        return self.met is not None and self.met.rows == 0 and self.met.is_complete

    @property
    def told(self) -> str:
        """The counts, for a comment; a figure of a sample is left out."""
        if self.met is None or self.met.rows == 0:
            return f"{self.below} hangs here with people of its own, and no rows say whose"
        if self.met.is_complete:
            if not self.met.others:
                return f"all {self.met.rows} rows of {self.below} name the same person as the row that they hang from"
            of_all = f"{self.met.others} of {self.met.rows} rows of {self.below}"
            return f"{of_all} name somebody else than the row that they hang from; they are {self.met.people} people"
        share = "some of the sampled" if self.met.others else "none of the sampled"
        return f"{share} rows of {self.below} name somebody else than the row that they hang from"


def verdict(met: Met | None) -> Verdict:
    if met is None:
        return "open"
    if met.others:
        return "meets"
    return "repeats" if met.rows >= ENOUGH_ROWS and met.owners >= ENOUGH_PEOPLE else "open"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The links of a database, as ownership looks at them."""

    people: People
    links: Mapping[Name, Sequence[Link]]
    samples: Mapping[Name, Sample]
    _onward: dict[Name, bool] = field(default_factory=dict, repr=False, compare=False)

    def owners(self, table: Name) -> tuple[Link, ...]:
        """The links that say whose a row is; of a subject's row, that it is its own."""
        kind = self.people.of(table)
        if kind is not None:
            itself = Link(
                table=table, place=Place(kind.key), target=table, target_columns=kind.key, kind=kind.name, evidence=""
            )
            return (itself,)
        return tuple(link for link in self.links.get(table, ()) if link.is_person and link.is_owner)

    def parents(self, table: Name) -> tuple[Link, ...]:
        """The links upward; those of a subject only where something might hang from what they point at."""
        is_subject = self.people.of(table) is not None
        return tuple(
            link
            for link in self.links.get(table, ())
            if not link.is_person and (link.is_owner or is_subject) and link.place.is_plain
        )

    def is_nullable(self, link: Link) -> bool:
        table = self.people.catalogue.tables[link.table]
        return any(not table.columns[column].not_null for column in link.place.columns)

    def goes_on(self, table: Name) -> bool:
        """Whether a way up may lead beyond a table: its owner may be missing."""
        if table not in self._onward:
            owners = self.owners(table)
            self._onward[table] = not owners or all(_may_be_silent(self, link) for link in owners)
        return self._onward[table]

    def rung(self, link: Link) -> Rung:
        """The step up."""
        target = self.people.catalogue.tables[link.target]
        columns = link.target_columns or target.primary_key
        return Rung(columns=link.place.columns, target=target, target_columns=columns, when=link.condition)


def found(ground: Ground, values: Values | None) -> list[Meeting]:
    """All suspects, judged; with one question for each table that hangs below something."""
    meetings = []
    for table in ground.people.catalogue:
        own = ground.owners(table.name)
        if not own or table.kind not in ("table", "partitioned"):
            continue
        above = [
            path
            for path in ways_up(ground, table.name)
            if not _is_carried_along(own, path, ground.owners(path[-1].target))
        ]
        ways = [Way(rungs=tuple(map(ground.rung, path)), links=ground.owners(path[-1].target)) for path in above]
        met = _counted(table, own, ways[:MOST_WAYS], ground, values)
        met = [*met, *[None] * (len(ways) - len(met))]
        for path, way, each in zip(above, ways, met, strict=True):
            place = path[-1].target
            told = verdict(each)
            if (
                each is not None
                and told == "meets"
                and _is_answered(table, own, way, each, ground=ground, values=values)
            ):
                told = "agents"
            meetings.append(Meeting(place=place, below=table.name, through=path[0], verdict=told, met=each))
    return _without_unused(meetings)


def _without_unused(meetings: Sequence[Meeting]) -> list[Meeting]:
    """Less the ways to a place that no row goes, where rows go there by another one and say who they are."""
    settled = {(each.place, each.below) for each in meetings if each.verdict != "open"}
    return [each for each in meetings if not (each.is_unused and (each.place, each.below) in settled)]


def _is_answered(
    table: Table, own: Sequence[Link], way: Way, met: Met, *, ground: Ground, values: Values | None
) -> bool:
    """Whether the others only answer: few people, none of whom has such a row, below what many have written."""
    place = way.rungs[-1].target
    is_asked = bool(free_texts(place)) and not words.is_gathering(words.words(place.name.name))
    if values is None or not is_asked or met.owners < ENOUGH_ASKERS:
        return False
    guests = values.guests(table, Way(links=tuple(own)), way, ground.people)
    return guests is not None and guests.hosts == 0 and guests.people * FEWER <= met.owners


def _counted(
    table: Table, own: Sequence[Link], ways: list[Way], ground: Ground, values: Values | None
) -> Sequence[Met | None]:
    if values is None or not ways:
        return [None] * len(ways)
    return values.met(table, Way(links=tuple(own)), ways, ground.people)


def ways_up(ground: Ground, table: Name) -> list[tuple[Link, ...]]:
    """The ways up to the nearest tables with an owner; further, where that owner may be missing.

    All short ones, as far as there are not too many, and to whatever else there is above the shortest.
    """
    found = list(itertools.islice(_short_ways(ground, table), MOST_SHORT_WAYS))
    reached = {path[-1].target for path in found}
    return [*found, *(path for path in _shortest_ways(ground, table) if path[-1].target not in reached)]


def _short_ways(ground: Ground, table: Name) -> Iterator[tuple[Link, ...]]:
    open_paths: deque[tuple[Link, ...]] = deque((link,) for link in ground.parents(table))
    while open_paths:
        path = open_paths.popleft()
        if path[-1].target in ground.people.tables:
            continue
        if ground.owners(path[-1].target):
            yield path
        visited = {table, *(link.target for link in path)}
        if len(path) < DEEPEST and ground.goes_on(path[-1].target):
            open_paths += [(*path, link) for link in ground.parents(path[-1].target) if link.target not in visited]


def _shortest_ways(ground: Ground, table: Name) -> Iterator[tuple[Link, ...]]:
    """To each table one, however far it is."""
    visited = {table}
    open_paths: deque[tuple[Link, ...]] = deque((link,) for link in ground.parents(table))
    while open_paths:
        path = open_paths.popleft()
        target = path[-1].target
        if target in visited or target in ground.people.tables:
            continue
        visited.add(target)
        if ground.owners(target):
            yield path
        if ground.goes_on(target):
            open_paths += [(*path, link) for link in ground.parents(target)]


def _may_be_silent(ground: Ground, link: Link) -> bool:
    if not link.place.is_plain or link.when is not None or link.identity is not None:
        return True
    sample = ground.samples.get(link.table)
    if sample is None or not sample.rows or not set(link.place.columns) <= set(sample.columns):
        return ground.is_nullable(link)
    places = [sample.columns.index(column) for column in link.place.columns]
    return any(row[place] is None for row in sample.rows for place in places)


def _is_carried_along(own: Sequence[Link], path: Sequence[Link], above: Sequence[Link]) -> bool:
    """A key of several columns that brings the same person with it leaves nothing to differ."""
    step = path[0]
    if len(path) > 1 or not step.place.is_plain:
        return False
    carried = dict(zip(step.place.columns, step.target_columns, strict=False))
    owners = {link.place.columns[-1] for link in above if link.place.is_plain}
    return all(
        link.place.is_plain and link.identity is None and carried.get(link.place.columns[-1]) in owners for link in own
    )
