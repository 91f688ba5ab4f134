"""Order among tables that point at each other, in circles too."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def components(nodes: Iterable[Node], points_at: Callable[[Node], Iterable[Node]]) -> list[tuple[Node, ...]]:
    """The strongly connected components, what is pointed at before what points (Tarjan, without recursion).

    The order is that of the nodes given, wherever the arrows leave it open.
    """
    nodes = list(nodes)
    known = set(nodes)
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    path: list[Node] = []
    on_path: set[Node] = set()
    found: list[tuple[Node, ...]] = []
    for start in nodes:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        path.append(start)
        on_path.add(start)
        work = [(start, iter([n for n in points_at(start) if n in known]))]
        while work:
            node, arrows = work[-1]
            following = next(arrows, None)
            if following is not None:
                if following not in index:
                    index[following] = low[following] = len(index)
                    path.append(following)
                    on_path.add(following)
                    work.append((following, iter([n for n in points_at(following) if n in known])))
                elif following in on_path:
                    low[node] = min(low[node], index[following])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                at = path.index(node)
                members, path = path[at:], path[:at]
                on_path.difference_update(members)
                found.append(tuple(sorted(members, key=nodes.index)))
    return found
