"""The map as a picture: a tree for a terminal, a graph for Graphviz or Mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset, Kind, Link, Resolution
from datamap.model import Map
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
        return f"{', '.join(words)}: {_does(self.dataset, self.link)}"


def _does(dataset: Dataset, link: Link) -> str:  # in as few words as a reader needs
    if link.role == "actor":
        return "acted on, unlinked"
    if link.role == "reference":
        return "reference"
    action = link.erase if link.erase is not None else table_action(dataset)
    if not isinstance(action, str):
        action = ", ".join(f"{column} → {_value(value)}" for column, value in action.items())
    if action == "keep" and dataset.decision.keep is not None:
        action = f"kept, {dataset.decision.keep.exception or 'by no exception'}"
    return f"shared, {action}" if dataset.decision.shared is True else action


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
        lines.append(f"{kind.table} ({kind.name}, key {', '.join(kind.key)})")
        lines += _branches(kind.table, below, frozenset({kind.table}), "")
    lines += list(_beside(data_map))
    lines += list(_nobodys(resolution))
    return "\n".join(lines) + "\n"


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
    if data_map.cache.patterns:
        yield ""
        yield "cache"
        yield from _listed((pattern, _of_key(entry)) for pattern, entry in data_map.cache.patterns.items())
    if data_map.objects:
        yield ""
        yield "objects"
        yield from _listed((name, f"{each.bucket}/{each.prefix}") for name, each in data_map.objects.items())


def _of_key(entry: object) -> str:
    if not getattr(entry, "personal", True):
        return f"not personal: {getattr(entry, 'reason', None) or 'no reason given'}"
    holds, member = getattr(entry, "holds", None), getattr(entry, "member", None)
    if holds is not None:
        where = holds.json_ or holds.field or "the value"
        return f"{where} in its value: {getattr(entry, 'erase', '')}"
    return f"member {member}: removed" if member else f"in its key: {getattr(entry, 'erase', '')}"


def _nobodys(resolution: Resolution) -> Iterator[str]:
    others = [dataset for dataset in resolution.datasets.values() if not dataset.decision.personal]
    if others:
        yield ""
        yield "not personal"
        yield from _listed((str(d.name), d.decision.reason or "no reason given") for d in sorted(others, key=_name))


def _name(dataset: Dataset) -> Name:
    return dataset.name


def _listed(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(entries)
    for number, (name, text) in enumerate(listed):
        yield f"{'└── ' if number == len(listed) - 1 else '├── '}{name}  {text}"


def dot(resolution: Resolution) -> str:
    """For Graphviz: `gdpr map show --dot | dot -Tsvg`."""
    lines = ["digraph map {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines += [f"  {_quoted(str(kind.table))} [style=bold];" for kind in resolution.kinds.values()]
    lines += [
        f"  {_quoted(str(dataset.name))} [style=dashed];"
        for dataset in resolution.datasets.values()
        if dataset.decision.shared is True
    ]
    lines += [
        f"  {_quoted(str(arrow.dataset.name))} -> {_quoted(str(arrow.link.target))}"
        f" [label={_quoted(arrow.says)}{_dashed(arrow)}];"
        for arrow in arrows(resolution)
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _dashed(arrow: Arrow) -> str:
    return ", style=dashed" if arrow.link.role == "actor" else ""


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
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    """What Mermaid takes for its own, as numbers."""
    return "".join(
        character if character.isalnum() or character in " ._-:,()" else f"#{ord(character)};" for character in text
    )
