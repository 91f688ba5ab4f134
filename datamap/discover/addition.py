"""What a map does not decide yet, out of what was discovered: new tables, new columns, new kinds of keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datamap.catalogue import Catalogue
from datamap.check.coverage import covered
from datamap.compile.resolution import Dataset, Resolution, resolve
from datamap.discover import text
from datamap.discover.everything import Discovery
from datamap.discover.finding import Decision, Link, by_place
from datamap.discover.insertion import Entry, NoPlace, inserted
from datamap.document import Document, Unreadable
from datamap.model import Map
from datamap.names import Table
from shared.errors import Refused
from shared.patterns import Pattern, Spelling

_NEW = "the map does not mention it: is the row theirs ({}), or did they merely act on it (actor)?"


@dataclass(frozen=True, kw_only=True)
class Addition:
    """One entry more, and what it decides, for whoever reads what was added."""

    entry: Entry
    what: str


def additions(document: Document, catalogue: Catalogue, found: Discovery) -> list[Addition]:
    """In the order of the file."""
    resolution = resolve(document.map, catalogue)
    names = {kind.table: name for name, kind in resolution.kinds.items()}
    decisions = [_renamed(each, found, names) for each in found.proposal.decisions]
    told = [each for decision in decisions for each in _of_table(decision, document.map, resolution)]
    told += _of_cache(document.map, resolution, found)
    is_named = text.ACTIVITY in document.map.activities
    if is_named or not any(text.ACTIVITY in line for each in told for line in each.entry.lines):
        return told
    lines = tuple(text.activity(""))
    return [Addition(entry=Entry(path=("activities",), lines=lines), what=f"activity {text.ACTIVITY}"), *told]


def _renamed(decision: Decision, found: Discovery, names: Mapping[Table, str]) -> Decision:
    """With the kinds of subject called as the map calls them."""
    own = {kind.name: names.get(kind.table, kind.name) for kind in found.proposal.kinds}
    linked = tuple(replace(link, kind=own[link.kind]) if link.kind else link for link in decision.links)
    return replace(decision, links=linked)


def _of_table(decision: Decision, map_: Map, resolution: Resolution) -> Iterator[Addition]:
    dataset = resolution.datasets.get(decision.table)
    several = len(map_.kinds) > 1
    if dataset is None:
        written = text.table(decision, several=several, activity=_activity(decision, map_))
        lines = tuple(line.removeprefix("  ") for line in written)
        yield Addition(entry=Entry(path=("tables",), lines=lines), what=f"table {decision.table}")
        return
    if not dataset.decision.personal or "*" in dataset.decision.columns or _is_open(dataset):
        return
    yield from _of_columns(decision, dataset, several=several)


def _activity(decision: Decision, map_: Map) -> str:
    """That of the nearest row above, else of most tables; where the map has none, one that is to be described."""
    above = [*(link.target for link in decision.links if not link.is_person), *(link.target for link in decision.links)]
    for name in above:
        if (entry := map_.tables.get(str(name))) is not None and entry.activity:
            return f"{text.flow(entry.activity)}  # as {name}: is it the same?"
    found = Counter(entry.activity for entry in map_.tables.values() if entry.activity)
    return f"{text.flow(_most(found))}  # as most tables: is it the same?" if found else text.ACTIVITY


def _most(found: Counter[str]) -> str:
    return min(found, key=lambda name: (-found[name], name))


def _is_open(dataset: Dataset) -> bool:
    """A table that nobody has decided has no columns to speak of."""
    return dataset.decision.erase == "undecided" and not dataset.decision.columns


def _of_columns(decision: Decision, dataset: Dataset, *, several: bool) -> Iterator[Addition]:
    where = tuple(map(str, dataset.where))
    linked = {column for link in dataset.links for column in link.place.columns}
    decided = {*dataset.decision.columns, *dataset.facts.primary_key, *linked}
    new = [link for link in decision.links if link.foreign_key is None and not set(link.place.columns) & decided]
    new += _unmentioned(decision, dataset, new)
    for place, group in by_place(new).items():
        lines = tuple(text.links(place, group, "", several=several))
        yield Addition(entry=Entry(path=(*where, "links"), lines=lines), what=f"link {decision.table}, {place}")
    for name, holding in decision.columns.items():
        if name not in decided:
            lines = tuple(text.column(name, holding, ""))
            yield Addition(entry=Entry(path=(*where, "columns"), lines=lines), what=f"column {decision.table}.{name}")


def _unmentioned(decision: Decision, dataset: Dataset, new: Sequence[Link]) -> list[Link]:
    """Foreign keys to people of which the map says nothing, beside another way to own a row: one of them is new.

    One that was the only way was the map's word until now.
    """
    silent = {link.place for link in dataset.owner_links if link.where == dataset.where}
    ways = [link for link in (*dataset.owner_links, *dataset.parent_links) if link.is_owner]
    if len({link.place for link in ways}) < 2 and not new:
        return []
    is_sole = len({link.place for link in ways}) < 2
    found = [link for link in decision.links if link.is_person and link.place in silent and link.foreign_key]
    bare = [replace(link, role="owner", erase=None, redact=(), notes=()) for link in found]
    return bare if is_sole else [replace(link, role="undecided", notes=(_NEW,)) for link in bare]


def _of_cache(map_: Map, resolution: Resolution, found: Discovery) -> Iterator[Addition]:
    kind = next(iter(resolution.kinds.values()), None)
    spellings = {} if kind is None else {name: Spelling(family=kind.facts.columns[name].family) for name in kind.key}
    known = [Pattern.parse(pattern, spellings) for pattern in map_.cache.patterns]
    activities = Counter(entry.activity for entry in map_.cache.patterns.values() if entry.activity)
    activities = activities or Counter(entry.activity for entry in map_.tables.values() if entry.activity)
    activity = _most(activities) if activities else text.ACTIVITY
    for line in found.lines:
        if not all(covered(Pattern.parse(each, spellings), known) for each in line.apart if each):
            lines = tuple(text.cache_line(line, activity).splitlines())
            yield Addition(entry=Entry(path=("cache",), lines=lines), what=f"keys {line.pattern}")


def added(written: str, document: Document, told: list[Addition]) -> str:
    """The text of the map with the additions; refused where that would change what it says already."""
    entries = [each.entry for each in told]
    try:
        found = inserted(written, entries)
        after = Document.parse(found, name=document.name).map.data()
    except (NoPlace, Unreadable):
        raise _unfit(document.name) from None
    if not _holds(after, document.map.data()):
        raise _unfit(document.name)
    return found


def _unfit(name: str) -> Refused:
    return Refused(
        "The map is written in a way that leaves no safe place for what is new, and was not changed",
        where=name,
        remedy="propose into another file with --output, and copy from there",
    )


def _holds(after: object, before: object) -> bool:
    """Whether everything that was said is said still."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return all(key in after and _holds(after[key], value) for key, value in before.items())
    return after == before
