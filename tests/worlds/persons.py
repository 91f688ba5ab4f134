"""The subjects of a world: tables whose rows are people, under keys of every sort."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tests.worlds.draft import Draft, Kind, Sketch
from tests.worlds.world import Domain, Value

STYLES = ("bigint", "uuid", "text", "composite", "domain over bigint", "domain over uuid", "domain over text")
DECLARATIONS = ("primary key", "primary key", "primary key", "unique", "nothing")
TEXTS = ("ann", "Ann", "1", "%", "o'x", "a b", 'q"q', "back\\slash", "*")


def subject(draft: Draft, name: str) -> Kind:
    """A table of two to five people, and maybe nobody's stand-in; the second kind mostly under the same keys."""
    style = draft.choose("subject", STYLES)
    if draft.kinds and draft.has("two kinds of people under the same keys", 70):
        style = draft.kinds[0].style
    sketch = draft.sketch(name)
    key = _key(draft, sketch, style)
    kind = Kind(name=name, style=style, sketch=sketch, key=key)
    _declare(draft, kind)
    if draft.has("another unique key", 30):
        kind.code = (draft.column(sketch, "code", "text", not_null=True),)
        sketch.unique.append(kind.code)
    if draft.chance(70):
        kind.identity = draft.column(sketch, "email", "text")
    draft.kinds.append(kind)
    _populate(draft, kind)
    if kind.identity and draft.has("erase: subject is set to nothing", 10):
        sketch.entry["erase"] = {sketch.note: None, kind.identity: None}
    return kind


def _key(draft: Draft, sketch: Sketch, style: str) -> tuple[str, ...]:
    if style == "composite":
        return tuple(draft.column(sketch, word, "bigint", not_null=True) for word in ("tenant_id", "id"))
    type_ = style
    if style.startswith("domain"):
        domain = Domain(name=draft.place_name("key_type"), over=style.rpartition(" ")[2])
        draft.types.append(domain)
        type_ = domain.name.sql
    return (draft.column(sketch, "id", type_, not_null=True),)


def _declare(draft: Draft, kind: Kind) -> None:
    declared = draft.choose("subject's key", DECLARATIONS)
    if declared == "primary key":
        kind.sketch.primary_key = kind.key
    elif declared == "unique":
        kind.sketch.unique.append(kind.key)


def _populate(draft: Draft, kind: Kind) -> None:
    keys = _keys(kind.style, draft.count(2, 5))
    for number, key in enumerate(keys):
        values = dict(zip(kind.key, key, strict=True))
        if kind.code:
            values[kind.code[0]] = f"code{number}"
        if kind.identity:
            values[kind.identity] = _email(draft, number)
        draft.fill(kind.sketch, values)
    if draft.has("nobody", 60):
        _add_nobody(draft, kind)
    if kind.identity and draft.has("identity: folded", 40):
        kind.identity_entry["match"] = "folded"
    if kind.identity and draft.has("identity: shared", 30):
        kind.identity_entry["shared"] = True


def _email(draft: Draft, number: int) -> Value:
    """Mostly their own; else that of the one before them, in capitals, empty or unknown."""
    return draft.pick(
        (f"p{number}@example.org",) * 5 + (f"p{max(0, number - 1)}@example.org", f"P{number}@Example.org", "", None)
    )


def _keys(style: str, count: int) -> Sequence[tuple[Value, ...]]:
    """The same keys in each world and for each kind of person, so that those of two kinds are the same."""
    if style == "composite":
        return [(1, 1), (2, 1), (1, 2), (2, 2), (1, 12)][:count]
    if style.endswith("uuid"):
        return [(str(uuid.UUID(int=number + (0xABC << 96))),) for number in range(1, count + 1)]
    if style.endswith("text"):
        return [(key,) for key in TEXTS[:count]]
    return [(number,) for number in (1, 2, 12, 3, 4)[:count]]


def _add_nobody(draft: Draft, kind: Kind) -> None:
    value: Value = 0
    if kind.style.endswith("uuid"):
        value = str(uuid.UUID(int=0))
    elif kind.style.endswith("text"):
        value = "nobody"
    kind.nobody = dict.fromkeys(kind.key, value)
    values: dict[str, Value] = dict(kind.nobody)
    if kind.code:
        values[kind.code[0]] = "nobody"
    if kind.identity:
        values[kind.identity] = None
    draft.fill(kind.sketch, values)
