"""Ingredients: what hangs below a person, in lines, trees and rings."""

from __future__ import annotations

from typing import Any

from tests.worlds.draft import Draft, Kind, Pointer, Sketch


def line(draft: Draft) -> None:
    """Children of a person, their children, and so on; each level may name the person once more."""
    kind = draft.kind()
    sketch = draft.sketch("orders")
    draft.own_key(sketch)
    owner = draft.point(sketch, "user_id", kind, nullable=draft.chance(50), declared=not draft.chance(20))
    for _ in range(draft.count(1, 6)):
        draft.fill(sketch, owner.to(draft.anybody(kind) if owner.free else draft.somebody(kind)))
    for level in range(draft.count(0, 3)):
        draft.ingredients.add(f"chain of {level + 2}")
        sketch = _below(draft, kind, sketch)


def _below(draft: Draft, kind: Kind, above: Sketch) -> Sketch:
    sketch = draft.sketch("items")
    draft.own_key(sketch)
    decisions = _of_a_parent_link(draft)
    is_free = draft.chance(40) or decisions.get("erase") == "unlink"
    parent = draft.point(sketch, "parent_id", above, nullable=is_free, declared=not draft.chance(15), **decisions)
    again = None
    if draft.has("redundant owner", 40) or "role" in decisions:
        again = draft.point(sketch, "user_id", kind)
    for _ in range(draft.count(0, 6) if above.rows else 0):
        values = parent.to(draft.any_row(above, nullable=is_free))
        draft.fill(sketch, values | (again.to(draft.anybody(kind)) if again else {}))
    return sketch


def _of_a_parent_link(draft: Draft) -> dict[str, Any]:
    """What the map may say of it."""
    said = draft.pick(("", "", "", "", "unlink", "delete", "reference"))
    if said:
        draft.ingredients.add(f"parent link: {said}")
    return {"": {}, "reference": {"role": "reference"}}.get(said, {"erase": said})


def carried(draft: Draft) -> None:
    """Keys of several columns that carry the person along, down to the second level."""
    kind = draft.kind()
    above = draft.sketch("carts")
    owner = draft.point(above, "user_id", kind, nullable=False)
    above.primary_key = (*owner.columns, draft.column(above, "number", "bigint", not_null=True))
    below = draft.sketch("cart_items")
    parent = draft.point(below, "cart", above, nullable=False, columns=above.primary_key)
    below.primary_key = (*parent.columns, draft.column(below, "line", "bigint", not_null=True))
    if draft.has("person carried along and named again", 50):
        again = Pointer(
            sketch=below, columns=parent.columns[:-1], target=owner.target, target_columns=owner.target_columns
        )
        draft.aim(again, kind, declared=owner.target_columns in kind.sketch.key_columns())
    draft.ingredients.add("person carried along")
    for _ in range(draft.count(1, 5)):
        draft.fill(above, owner.to(draft.somebody(kind)))
    for _ in range(draft.count(0, 5)):
        draft.fill(below, parent.to(draft.any_row(above, nullable=False)))


def tree(draft: Draft) -> None:
    """A table that points at itself: answers of other people below one's own."""
    kind = draft.kind()
    sketch = draft.sketch("comments")
    draft.own_key(sketch)
    author = draft.point(sketch, "author_id", kind, declared=not draft.chance(20))
    decisions = _of_a_parent_link(draft)
    parent = draft.point(sketch, "parent_id", sketch, **decisions)
    draft.ingredients.add("tree")
    for _ in range(draft.count(1, 8)):
        above = draft.any_row(sketch)
        draft.fill(sketch, author.to(draft.anybody(kind)) | parent.to(above))


def ring(draft: Draft) -> None:
    """Two or three tables that point at each other in a circle."""
    kind = draft.kind()
    sketches = [draft.sketch("ring") for _ in range(draft.count(2, 3))]
    for sketch in sketches:
        draft.own_key(sketch)
    is_firm = draft.chance(40)
    draft.ingredients.add(f"ring of {len(sketches)}{', deferrable and not null' if is_firm else ''}")
    nexts = [_next(draft, sketch, sketches[n - 1], is_firm=is_firm) for n, sketch in enumerate(sketches)]
    owners = {id(s): draft.point(s, "user_id", kind) for n, s in enumerate(sketches) if n == 0 or draft.chance(25)}
    for _ in range(draft.count(1, 3)):
        for sketch in sketches:
            owner = owners.get(id(sketch))
            draft.fill(sketch, owner.to(draft.anybody(kind)) if owner else {})
    for pointer in nexts:
        for row in pointer.sketch.rows:
            row.update(pointer.to(draft.any_row(pointer.target, nullable=not is_firm)))


def _next(draft: Draft, sketch: Sketch, above: Sketch, *, is_firm: bool) -> Pointer:
    (there, *_) = above.key_columns()
    here = tuple(draft.column(sketch, "next_id", above.column(c).type, not_null=is_firm) for c in there)
    pointer = Pointer(sketch=sketch, columns=here, target=above, target_columns=there)
    draft.foreign_key(sketch, here, above, there, deferrable=is_firm)
    draft.pointers.append(pointer)
    return pointer


def two_parents(draft: Draft) -> None:
    """A row below two people's rows: a line of my order with somebody's coupon."""
    kind = draft.kind()
    parents = []
    for word in ("orders", "coupons"):
        sketch = draft.sketch(word)
        draft.own_key(sketch)
        owner = draft.point(sketch, "user_id", kind)
        for _ in range(draft.count(1, 4)):
            draft.fill(sketch, owner.to(draft.anybody(kind)))
        parents.append(sketch)
    below = draft.sketch("order_lines")
    draft.own_key(below, bare=True)
    first = draft.point(below, "order_id", parents[0], nullable=False)
    second = draft.point(below, "coupon_id", parents[1], **_of_a_parent_link(draft))
    draft.ingredients.add("two parents")
    for _ in range(draft.count(1, 5)):
        values = first.to(draft.any_row(parents[0], nullable=False)) | second.to(draft.any_row(parents[1]))
        draft.fill(below, values)


def nobodys(draft: Draft) -> None:
    """What is nobody's, and somebody's rows that point up at it."""
    kind = draft.kind()
    above = draft.sketch("products")
    draft.own_key(above)
    above.entry |= {"personal": False, "reason": "catalogue"}
    for _ in range(draft.count(1, 3)):
        draft.fill(above, {})
    below = draft.sketch("purchases")
    draft.own_key(below, bare=True)
    owner = draft.point(below, "user_id", kind)
    product = draft.point(below, "product_id", above, nullable=draft.chance(50))
    draft.ingredients.add("personal: false")
    for _ in range(draft.count(1, 4)):
        draft.fill(below, owner.to(draft.anybody(kind)) | product.to(draft.any_row(above, nullable=False)))


INGREDIENTS = (line, carried, tree, ring, two_parents, nobodys)
