"""The map as a picture: a tree for a terminal, a graph for Graphviz or Mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datamap import model
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset, Kind, Link, Resolution
from datamap.model import UNDECIDED, Map
from datamap.names import Table as Name


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A link, from the table that has it to what it names."""

    dataset: Dataset
    link: Link

    @property
    def says(self) -> str:
        """`user_id: delete`"""
        words = [str(self.link.place)]
        if self.link.identity:
            words.append(f"is their {self.link.identity}")
        if self.link.condition:
            words.append(f"when {self.link.condition}")
        return f"{', '.join(words)}: {_open(self) or _does(self.dataset, self.link)}"

    @property
    def is_open(self) -> bool:
        """Nobody has decided what it means, or what happens to the rows."""
        return _open(self) is not None


def _open(arrow: Arrow) -> str | None:
    """What is undecided of a link: whose the row is by it, or what becomes of the row."""
    entry, decision = _entry(arrow.dataset, arrow.link), arrow.dataset.decision
    if entry is not None and entry.role == UNDECIDED:
        return f"{UNDECIDED} whose it is"
    if arrow.link.role != "owner":
        return UNDECIDED if entry is not None and entry.erase == UNDECIDED else None
    if decision.shared == UNDECIDED:
        return f"{UNDECIDED} whether it is shared"
    erase = decision.erase if entry is None or entry.erase is None else entry.erase
    return UNDECIDED if erase == UNDECIDED else None


def _entry(dataset: Dataset, link: Link) -> model.Link | None:
    """What the map says of a link; None of a foreign key that it does not mention."""
    match link.where[len(dataset.where) :]:
        case ("links", str() as place):
            return dataset.decision.links[place][0]
        case ("links", str() as place, int() as number):
            return dataset.decision.links[place][number]
    return None


def _does(dataset: Dataset, link: Link) -> str:  # in as few words as a reader needs
    if link.role == "actor":
        return "acted on, unlinked"
    if link.role == "reference":
        return "reference"
    action = link.erase if link.erase is not None else table_action(dataset)
    if not isinstance(action, str):
        action = _settings(action)
    if action == "keep" and dataset.decision.keep is not None:
        action = f"kept, {dataset.decision.keep.exception or 'by no exception'}"
    return f"shared, {action}" if dataset.decision.shared is True else action


def _settings(setting: model.Setting) -> str:
    return ", ".join(f"{column} → {_value(value)}" for column, value in setting.items())


def _value(value: object) -> str:
    return "null" if value is None else str(getattr(value, "value", value)) or "''"


def arrows(resolution: Resolution) -> list[Arrow]:
    """Every link by which rows belong to somebody, or that names somebody."""
    found = []
    for dataset in resolution.datasets.values():
        for link in dataset.links:
            parent = resolution.datasets.get(link.target)
            is_a_way = link.kind is not None or (link.is_owner and parent is not None and parent.passes_on)
            if is_a_way and link.role != "reference":
                found.append(Arrow(dataset=dataset, link=link))
    return sorted(found, key=lambda arrow: (arrow.dataset.name, str(arrow.link.place)))


def tree(data_map: Map, resolution: Resolution) -> str:
    """Under each kind of person what is theirs, then the cache, the objects, and what is nobody's."""
    below: dict[Name, list[Arrow]] = {}
    for arrow in arrows(resolution):
        below.setdefault(arrow.link.target, []).append(arrow)
    lines: list[str] = []
    for kind in resolution.kinds.values():
        lines.append(f"{kind.table} ({kind.name}, key {', '.join(kind.key)}){_of_subject(resolution, kind)}")
        lines += _branches(kind.table, below, frozenset({kind.table}), "")
    lines += _beside(data_map)
    lines += _titled("linked to nobody", _unlinked(resolution))
    lines += _titled("not personal", _nobodys(resolution))
    lines += _titled("undecided", ((place, "") for place in undecided(data_map, resolution)), counted=True)
    return "\n".join(map(_shown, lines)) + "\n"


def _shown(line: str) -> str:
    """A name may hold a line break, or what a terminal takes for a command."""
    return "".join(character if character.isprintable() else "?" for character in line)


def undecided(data_map: Map, resolution: Resolution) -> list[str]:
    """Every place of the picture that nobody has decided."""
    links = [f"{arrow.dataset.name}, {arrow.link.place}" for arrow in arrows(resolution) if arrow.is_open]
    drawn = {arrow.dataset.name for arrow in arrows(resolution) if arrow.is_open}
    tables = [
        str(name)
        for name, dataset in sorted(resolution.datasets.items())
        if name not in drawn and UNDECIDED in (dataset.decision.erase, dataset.decision.shared)
    ]
    keys = [pattern for pattern, entry in data_map.cache.patterns.items() if entry.erase == UNDECIDED]
    return [*links, *tables, *keys]


def _of_subject(resolution: Resolution, kind: Kind) -> str:
    dataset = resolution.datasets.get(kind.table)
    if dataset is None:
        return f": {UNDECIDED}"
    action = table_action(dataset)
    return f": {_settings(action) if not isinstance(action, str) else action}"


def _unlinked(resolution: Resolution) -> Iterator[tuple[str, str]]:
    """Personal tables that no link of anybody leads to: the picture would not show them."""
    drawn = {arrow.dataset.name for arrow in arrows(resolution)} | {kind.table for kind in resolution.kinds.values()}
    for name, dataset in sorted(resolution.datasets.items()):
        if dataset.decision.personal and name not in drawn:
            action = table_action(dataset)
            yield str(name), dataset.decision.reason or (action if isinstance(action, str) else _settings(action))


def _branches(name: Name, below: dict[Name, list[Arrow]], above: frozenset[Name], margin: str) -> Iterator[str]:
    children = below.get(name, [])
    for number, arrow in enumerate(children):
        is_last = number == len(children) - 1
        child = arrow.dataset.name
        again = " (see above)" if child in above and child != name else ""
        again = " (itself)" if child == name else again
        yield f"{margin}{'└── ' if is_last else '├── '}{child}  {arrow.says}{again}"
        if child not in above and arrow.dataset.passes_on and arrow.link.is_owner:
            yield from _branches(child, below, above | {child}, margin + ("    " if is_last else "│   "))


def _beside(data_map: Map) -> Iterator[str]:
    yield from _titled(
        "cache", ((pattern, _of_key(pattern, entry)) for pattern, entry in data_map.cache.patterns.items())
    )
    yield from _titled("objects", ((name, f"{each.bucket}/{each.prefix}") for name, each in data_map.objects.items()))


def _titled(title: str, entries: Iterable[tuple[str, str]], *, counted: bool = False) -> Iterator[str]:
    """A heading with its branches, or nothing."""
    listed = list(entries)
    if listed:
        yield ""
        yield f"{len(listed)} {title}" if counted else title
    for number, (name, text) in enumerate(listed):
        yield f"{'└── ' if number == len(listed) - 1 else '├── '}{name}  {text}".rstrip()


def _of_key(pattern: str, entry: model.CacheEntry) -> str:
    """`they are in its value, at user_id: the key is deleted whole`"""
    if not entry.personal:
        return f"not personal: {entry.reason or 'no reason given'}"
    whose = _whose(pattern, entry)
    if entry.erase == UNDECIDED:
        return f"{whose}: {UNDECIDED}" if whose else UNDECIDED
    return f"{whose or 'nothing says whose'}: {_happens(entry)}"


_PARTS = {"list": "elements", "set": "members", "zset": "members", "stream": "entries"}


def _whose(pattern: str, entry: model.CacheEntry) -> str | None:
    """Where the person is: in the name of the key, or in what it holds."""
    holds = entry.holds
    if entry.member is not None:
        return f"they are the {'field' if entry.type == 'hash' else 'member'} {entry.member}"
    if holds is None:
        return "they are in the key" if "{" in pattern else None
    who = f"their {holds.identity} is" if holds.identity else "they are"
    part = f"field {holds.field}" if holds.field else _PARTS.get(entry.type or "", "value")
    return f"{who} in its {part}{f', at {holds.json_}' if holds.json_ else ''}"


def _happens(entry: model.CacheEntry) -> str:
    if entry.erase == "external_manual":
        return f"by hand, {entry.reason}" if entry.reason else "by hand"
    if entry.erase == "expire":
        return "left to expire"
    if entry.holds is not None and entry.holds.field and entry.type is None:
        return "a hash is deleted whole, of a stream the entries alone"
    is_part = entry.member is not None or (entry.holds is not None and entry.type in _PARTS)
    return "taken out, the rest stays" if is_part else "the key is deleted whole"


def _nobodys(resolution: Resolution) -> Iterator[tuple[str, str]]:
    for name, dataset in sorted(resolution.datasets.items()):
        if not dataset.decision.personal:
            yield str(name), dataset.decision.reason or "no reason given"


_OPEN = "#c00000"  # what is undecided


def dot(resolution: Resolution) -> str:
    """For Graphviz: `gdpr map show --dot | dot -Tsvg`."""
    found = arrows(resolution)
    lines = ["digraph map {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines += ['  edge [fontname="sans-serif", fontsize=11];']
    lines += [f"  {_quoted(str(kind.table))} [style=bold];" for kind in resolution.kinds.values()]
    lines += [
        f"  {_quoted(str(dataset.name))} [style=dashed];"
        for dataset in resolution.datasets.values()
        if dataset.decision.shared is True
    ]
    lines += [
        f"  {_quoted(str(arrow.dataset.name))} -> {_quoted(str(arrow.link.target))}"
        f" [label={_quoted(arrow.says)}{_drawn(arrow)}];"
        for arrow in found
    ]
    lines += [f"  // {_how_many(found)}"] if any(arrow.is_open for arrow in found) else []
    return "\n".join([*lines, "}"]) + "\n"


def _drawn(arrow: Arrow) -> str:
    red = f', color="{_OPEN}", fontcolor="{_OPEN}"' if arrow.is_open else ""
    return (", style=dashed" if arrow.link.role == "actor" else "") + red


def _how_many(found: list[Arrow]) -> str:
    return f"{sum(arrow.is_open for arrow in found)} undecided"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mermaid(resolution: Resolution) -> str:
    """For a page in Markdown."""
    found = arrows(resolution)
    names = sorted({arrow.dataset.name for arrow in found} | {arrow.link.target for arrow in found})
    number = {name: f"t{position}" for position, name in enumerate(names)}
    kinds: list[Kind] = list(resolution.kinds.values())
    lines = ["flowchart LR"]
    lines += [f'  {number[name]}["{_entities(str(name))}"]' for name in names]
    lines += [
        f"  {number[arrow.dataset.name]} {'-.->' if arrow.link.role == 'actor' else '-->'}"
        f'|"{_entities(arrow.says)}"| {number[arrow.link.target]}'
        for arrow in found
    ]
    lines += [f"  style {number[kind.table]} stroke-width:3px" for kind in kinds if kind.table in number]
    if still_open := [str(position) for position, arrow in enumerate(found) if arrow.is_open]:
        lines += [f"  linkStyle {','.join(still_open)} stroke:{_OPEN},color:{_OPEN}", f"  %% {_how_many(found)}"]
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    """What Mermaid takes for its own, as numbers."""
    return "".join(
        character if character.isalnum() or character in " ._-:,()" else f"#{ord(character)};" for character in text
    )
