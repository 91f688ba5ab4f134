"""Ingredients: what is kept, emptied or detached in place of being deleted; and tables of an unusual shape."""

from __future__ import annotations

from typing import Any

from tests.worlds.draft import Draft, Kind, Sketch
from tests.worlds.world import NUMBER, ForeignKey


def invoices(draft: Draft) -> None:
    """Invoices are kept: what they point at becomes a stub, and what that points at in turn."""
    kind = draft.kind()
    above: Sketch | Kind = kind
    for word in ("accounts", "contracts")[: draft.count(0, 2)]:
        draft.ingredients.add("stub in turn")
        above = _owned(draft, kind, above, word)
    sketch = draft.sketch("invoices")
    draft.own_key(sketch)
    is_firm = draft.chance(60)
    draft.ingredients.add(f"kept, {'not null' if is_firm else 'nullable'} link")
    pointer = draft.point(sketch, "debtor_id", above, nullable=not is_firm)
    amount = draft.column(sketch, "amount", "bigint")
    stays = [*([NUMBER] if not draft.chance(10) and _is_numbered(sketch) else []), amount]
    if draft.chance(30):
        draft.ingredients.add("kept by name: a link")
        stays += pointer.columns
    keep(sketch, stays)
    _fill(draft, kind, above, sketch, pointer.to)
    if draft.chance(50):
        _lines(draft, sketch)


def _is_numbered(sketch: Sketch) -> bool:
    return any(column.name == NUMBER for column in sketch.columns)


def _owned(draft: Draft, kind: Kind, above: Sketch | Kind, word: str) -> Sketch:
    sketch = draft.sketch(word)
    draft.own_key(sketch)
    pointer = draft.point(sketch, "owner_id", above, nullable=draft.chance(50))
    _fill(draft, kind, above, sketch, pointer.to)
    return sketch


def _fill(draft: Draft, kind: Kind, above: Sketch | Kind, sketch: Sketch, to: Any) -> None:
    for _ in range(draft.count(1, 4)):
        if isinstance(above, Kind):
            draft.fill(sketch, to(draft.somebody(kind)))
        else:
            draft.fill(sketch, to(draft.any_row(above, nullable=False)))


def keep(sketch: Sketch, columns: list[str]) -> None:
    sketch.entry |= {
        "activity": "books",
        "erase": "keep",
        "keep": {"exception": "17(3)(b)", "columns": columns, "owner": "the accountant"},
    }


def _lines(draft: Draft, above: Sketch) -> None:
    sketch = draft.sketch("invoice_lines")
    draft.own_key(sketch, bare=True)
    parent = draft.point(sketch, "invoice_id", above, nullable=draft.chance(30))
    if draft.has("kept below what is kept", 50):
        keep(sketch, [NUMBER] if _is_numbered(sketch) else [])
    for _ in range(draft.count(1, 4)):
        draft.fill(sketch, parent.to(draft.any_row(above, nullable=False)))


def profiles(draft: Draft) -> None:
    """Rows that stay and are emptied: set to null, to a constant, to something random, to an empty array."""
    kind = draft.kind()
    sketch = draft.sketch("profiles")
    draft.own_key(sketch, bare=True)
    owner = draft.point(sketch, "user_id", kind, nullable=not kind.nobody or draft.chance(70))
    tags = draft.column(sketch, "tags", "text[]")
    said: dict[str, Any] = dict(owner.forgotten())
    how = draft.choose("set to", ("null", "constant", "random", "empty"))
    settings: dict[str, dict[str, Any]] = {
        "null": {sketch.note: None},
        "constant": {sketch.note: {"value": "it's gone %s \\ :x"}},
        "random": {sketch.note: "random"},
        "empty": {tags: "empty"},
    }
    said |= settings[how]
    sketch.entry["erase"] = said
    for _ in range(draft.count(1, 4)):
        draft.fill(sketch, owner.to(draft.anybody(kind) if owner.free else draft.somebody(kind)) | {tags: ["a", "b'c"]})


def detached(draft: Draft) -> None:
    """A table whose rows lose their person and stay."""
    kind = draft.kind()
    sketch = draft.sketch("answers")
    draft.own_key(sketch, bare=True)
    owner = draft.point(sketch, "user_id", kind, nullable=not kind.nobody or draft.chance(70))
    sketch.entry["erase"] = "unlink"
    draft.ingredients.add("table: unlink")
    for _ in range(draft.count(1, 4)):
        draft.fill(sketch, owner.to(draft.anybody(kind) if owner.free else draft.somebody(kind)))


def partitioned(draft: Draft) -> None:
    """A table in parts; its foreign key may stand on one part only, and bind no row of the others."""
    kind = draft.kind()
    sketch = draft.sketch("logs")
    id_ = draft.column(sketch, "id", "bigint", not_null=True)
    sketch.partition_by = id_
    sketch.primary_key = (id_,)
    said = draft.choose("partitioned", ("foreign key on the whole", "foreign key on one part", "the map's link"))
    owner = draft.point(sketch, "user_id", kind, declared=said == "foreign key on the whole")
    if said == "foreign key on one part" and owner.target_columns in kind.sketch.key_columns():
        sketch.links.clear()
        sketch.foreign_keys.append(
            ForeignKey(
                name=draft.name("one_part_fk", set()),
                columns=owner.columns,
                target=kind.sketch.name,
                target_columns=owner.target_columns,
                partition=1,
            )
        )
    for _ in range(draft.count(1, 6)):
        draft.fill(sketch, owner.to(draft.anybody(kind)))


def inherited(draft: Draft) -> None:
    """A table below another one by inheritance: its rows show in the other, and are no rows of it."""
    kind = draft.kind()
    above = draft.sketch("files")
    id_ = draft.column(above, "id", "bigint", not_null=True)
    owner = draft.point(above, "user_id", kind)
    below = draft.sketch("pictures")
    below.columns = [*above.columns, *([] if draft.chance(50) else [_extra(draft, above, below)])]
    below.note, below.inherits = above.note, above.name
    draft.ingredients.add("inheritance")
    again = type(owner)(sketch=below, columns=owner.columns, target=owner.target, target_columns=owner.target_columns)
    draft.aim(again, kind, declared=False)
    for sketch, pointer in ((above, owner), (below, again)):
        for _ in range(draft.count(1, 4)):
            draft.fill(sketch, pointer.to(draft.anybody(kind)) | {id_: draft.count(1, 3)})


def _extra(draft: Draft, above: Sketch, below: Sketch) -> Any:
    below.columns = list(above.columns)
    name = draft.column(below, "extra", "text")
    return below.column(name)


INGREDIENTS = (invoices, profiles, detached, partitioned, inherited)
