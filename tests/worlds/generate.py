"""Hypothesis strategies for worlds: two to twelve tables, a few people, and several hard things at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.worlds import hints, kept, lines, meetings
from tests.worlds.draft import Draft, Sketch
from tests.worlds.persons import subject
from tests.worlds.world import Column, World

Ingredient = Callable[[Draft], None]

ALL: tuple[Ingredient, ...] = (*lines.INGREDIENTS, *meetings.INGREDIENTS, *hints.INGREDIENTS, *kept.INGREDIENTS)

MOST_TABLES = 10


@st.composite
def worlds(draw: Any, only: Ingredient | None = None) -> World:
    """Any world; or one with this ingredient for sure, and maybe others."""
    draft = Draft(draw)
    _schemas(draft)
    for name in ("user", "customer")[: 2 if draft.has("two kinds of people", 25) else 1]:
        subject(draft, name)
    for ingredient in ([only] if only else []) + [draft.pick(ALL) for _ in range(draft.count(1, 4))]:
        if len(draft.sketches) < MOST_TABLES:
            ingredient(draft)
    for sketch in draft.sketches:
        _provide(draft, sketch)
    return draft.world()


def _schemas(draft: Draft) -> None:
    taken = {"public", "gdpr"}
    for word in ("app", "billing")[: draft.count(1, 2)]:
        draft.schemas.append(draft.name(word, taken))


def _provide(draft: Draft, sketch: Sketch) -> None:
    """What a column that may not be null is set to, in a row that is kept or becomes a stub."""
    links = {column for pointer in draft.pointers if pointer.sketch is sketch for column in pointer.columns}
    pointed = {c for pointer in draft.pointers if pointer.target is sketch for c in pointer.target_columns}
    pointed |= {c for kind in draft.kinds if kind.sketch is sketch for c in kind.key}
    if sketch.entry.get("erase") == "keep":
        columns = sketch.entry["keep"]["columns"]
        columns += [c for c in sorted(pointed - set(sketch.primary_key)) if c not in columns]
        if lacking := _lacking(sketch, links | set(columns)):
            sketch.entry["keep"]["set"] = lacking
    elif sketch in stubs(draft) and (lacking := _lacking(sketch, links | pointed)):
        sketch.entry["stub"] = lacking


def _lacking(sketch: Sketch, stays: set[str]) -> dict[str, Any]:
    return {
        column.name: _instead(sketch, column)
        for column in sketch.columns
        if column.not_null and column.name not in stays and column.name not in sketch.primary_key
    }


def _instead(sketch: Sketch, column: Column) -> Any:
    is_unique = any(column.name in key for key in sketch.key_columns())
    return "random" if is_unique or column.type == "uuid" else {"value": "gone" if column.type == "text" else 0}


def stubs(draft: Draft) -> list[Sketch]:
    """The tables whose rows a kept row may hold fast, at once or over others."""
    found: list[Sketch] = []
    waiting = [sketch for sketch in draft.sketches if sketch.entry.get("erase") == "keep"]
    while waiting:
        sketch = waiting.pop()
        for pointer in draft.pointers:
            if pointer.sketch is sketch and pointer.target not in found:
                found.append(pointer.target)
                waiting.append(pointer.target)
    return found
