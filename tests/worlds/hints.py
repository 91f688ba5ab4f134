"""Ingredients: links that no foreign key declares: in arrays, in JSON, by type and number, by e-mail address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from datamap.condition import Comparison, Condition
from datamap.names import EACH, NotAName, Place
from tests.worlds.draft import Draft, Kind, Sketch, target_text
from tests.worlds.spelling import WORDS
from tests.worlds.world import Domain, Enum, Value

Writer = Callable[[Value], Value]


class Handle:
    """One column by which a person can be named in a place that holds a single value."""

    def __init__(self, draft: Draft, kind: Kind) -> None:
        self.draft, self.kind = draft, kind
        is_by_code = bool(kind.code) and (len(kind.key) > 1 or draft.chance(20))
        self.columns = kind.code if is_by_code else kind.key
        self.type = draft.base(kind.sketch.column(self.columns[0]).type)
        self.decisions: dict[str, Any] = {"to": target_text(kind.sketch, self.columns)} if is_by_code else {}
        if not is_by_code and len(draft.kinds) > 1:
            self.decisions["subject"] = kind.name

    def value(self) -> Value:
        """Somebody; now and then nobody who is alive, or nothing."""
        row = self.draft.anybody(self.kind)
        if row is not None:
            return row[self.columns[0]]
        return None if self.draft.chance(50) else self.dangling()

    def dangling(self) -> Value:
        self.draft.ingredients.add("dangling value")
        return self.draft.fresh(self.type)


def handle(draft: Draft) -> Handle | None:
    """Of a kind that one column names; without one, there is nothing to build."""
    kinds = [kind for kind in draft.kinds if len(kind.key) == 1 or kind.code]
    return Handle(draft, draft.pick(kinds)) if kinds else None


def role(draft: Draft, topic: str) -> dict[str, Any]:
    """What the map says of a link that names several people, or names one without a foreign key."""
    said = draft.choose(topic, ("owner", "unlink", "actor", "delete", "reference"))
    return {"owner": {}, "actor": {"role": "actor"}, "reference": {"role": "reference"}}.get(said, {"erase": said})


def array(draft: Draft) -> None:
    """Each element of an array is a person."""
    named = handle(draft)
    if named is None:
        return
    sketch = draft.sketch("channels")
    draft.own_key(sketch)
    type_ = named.type if draft.chance(70) else "text"
    column = draft.column(sketch, "watcher_ids", f"{type_}[]", not_null=draft.chance(30))
    said = role(draft, "array")
    sketch.link(Place((column,), (EACH,)), **named.decisions, **said)
    draft.ingredients.add(f"{type_}[]")
    for _ in range(draft.count(1, 5)):
        values = [named.value() for _ in range(draft.count(0, 3))]
        draft.fill(sketch, {column: [_as(type_, value) for value in values]})
    if not sketch.column(column).not_null and draft.chance(30):
        draft.fill(sketch, {column: None})
    _heir(draft, sketch, said)


def _as(type_: str, value: Value) -> Value:
    return str(value) if type_ == "text" and isinstance(value, int) else value


def _heir(draft: Draft, above: Sketch, said: Mapping[str, Any]) -> None:
    """Now and then something below it, which inherits what the link above says."""
    if "role" not in said and draft.has("heir of a link without a foreign key", 40):
        sketch = draft.sketch("heirs")
        draft.own_key(sketch, bare=True)
        parent = draft.point(sketch, "parent_id", above)
        for _ in range(draft.count(1, 3)):
            draft.fill(sketch, parent.to(draft.any_row(above)))


def in_json(draft: Draft) -> None:
    """A value in JSON: nested, in arrays of objects, a number or a text, missing, in a text that may be no JSON."""
    named = handle(draft)
    if named is None:
        return
    sketch = draft.sketch("events")
    draft.own_key(sketch)
    shape = draft.choose("json", ("key", "nested", "elements", "array", "path", "nested array"))
    type_ = draft.choose("json type", ("jsonb", "json", "text"))
    column = draft.column(sketch, "payload", type_)
    place, write = _shape(draft, shape, column, is_cast=type_ == "text")
    said = role(draft, "json link")
    sketch.link(place, **named.decisions, **said)
    for _ in range(draft.count(1, 6)):
        value = named.value()
        written = write(str(value) if isinstance(value, int) and draft.chance(40) else value)
        draft.fill(sketch, {column: _document(draft, written, type_)})
    _heir(draft, sketch, said)


def _shape(draft: Draft, shape: str, column: str, *, is_cast: bool) -> tuple[Place, Writer]:
    key = draft.pick(("user_id", *WORDS))
    other = {"text": "somebody wrote this", "1": 1}
    steps: tuple[str | None, ...]
    write: Writer
    if shape == "nested":
        steps, write = ("actor", key), lambda value: {"actor": {key: value, **other}, **other}
    elif shape == "elements":
        steps, write = (EACH, key), lambda value: [{key: value}, other, {key: None}, 5]
    elif shape == "array":
        steps, write = ("to", EACH), lambda value: {"to": [value, None, value], **other}
    elif shape == "nested array":
        steps, write = ("to", EACH, key), lambda value: {"to": [{key: value, "n": 1}, {"n": 2}]}
    elif shape == "path":
        steps, write = ("actor", "id"), lambda value: {"actor": {"id": value}, **other}
    else:
        steps, write = (key,), lambda value: {**other, key: value}
    place = Place((column,), steps, is_cast, shape == "path")
    return (place, write) if _is_writable(place) else (Place((column,), ("by",), is_cast), lambda value: {"by": value})


def _is_writable(place: Place) -> bool:
    try:
        return Place.parse(str(place)) == place
    except NotAName:
        return False


def _document(draft: Draft, value: Value, type_: str) -> Value:
    broken: tuple[Value, ...] = (None, {}, [], {"actor": 5}, {"to": {"id": 1}})
    document = draft.pick(broken) if draft.chance(15) else value
    if type_ != "text" or document is None:
        return document
    if draft.has("text that is no JSON", 20):
        return draft.pick(("", "no JSON {", "'", '{"half": ', "5"))
    return json.dumps(document, ensure_ascii=draft.chance(50))


def polymorphic(draft: Draft) -> None:
    """A pair of type and number; of two kinds of people where there are two, under the same numbers."""
    named = handle(draft)
    if named is None:
        return
    sketch = draft.sketch("reactions")
    draft.own_key(sketch, bare=True)
    words = draft.pick((("User", "Guest", "Bot"), *((word, "Guest", "Bot") for word in WORDS)))
    type_ = draft.choose("discriminator", ("text", "enum", "varchar(80)"))
    if type_ == "enum":
        enum = Enum(name=draft.place_name("author_kind"), labels=words)
        draft.types.append(enum)
        type_ = enum.name.sql
    which = draft.column(sketch, "author_type", type_)
    column = draft.column(sketch, "author_id", named.type if draft.chance(70) else "text", not_null=draft.chance(20))
    whens = _whens(draft, which, words)
    is_firm = sketch.column(column).not_null
    free: tuple[dict[str, Any], ...] = ({}, {"erase": "unlink"}, {"role": "actor"}, {"erase": {column: None}})
    said = {} if is_firm else draft.pick(free)
    links = [{"when": str(whens[0]), **named.decisions, **said}]
    others = [kind for kind in draft.kinds if kind is not named.kind and kind.style == named.kind.style]
    if others and not named.decisions.get("to"):
        draft.ingredients.add("polymorphic: two kinds of people")
        links.append({"when": str(whens[1]), "subject": others[0].name, **said})
    sketch.links[str(Place((column,)))] = links
    for _ in range(draft.count(1, 7)):
        value = named.value()
        value = named.dangling() if is_firm and value is None else value
        value = _as("text", value) if sketch.column(column).type == "text" else value
        draft.fill(sketch, {which: draft.pick((*words, words[0], None)), column: value})


def _whens(draft: Draft, column: str, words: tuple[str, str, str]) -> tuple[Condition, Condition]:
    """Two that never hold together, the first for the first word."""
    place = Place((column,))
    spelled = draft.choose("when", ("=", "in", "is null", "not in", "and"))
    first = Comparison(place, "=", (words[0],))
    second = Condition((Comparison(place, "in", (words[1], words[2])),))
    if spelled == "in":
        first = Comparison(place, "in", (words[0],))
    elif spelled == "is null":
        first = Comparison(place, "is null")
    elif spelled == "not in":
        first = Comparison(place, "not in", words[1:])
    both = Condition((first, Comparison(place, "is not null")) if spelled == "and" else (first,))
    if _reads(both) and _reads(second):
        return both, second
    return Condition((Comparison(place, "is not null"),)), Condition((Comparison(place, "is null"),))


def _reads(condition: Condition) -> bool:
    try:
        return Condition.parse(str(condition)) == condition
    except NotAName:
        return False


def other_family(draft: Draft) -> None:
    """A key in a column of another type."""
    kind = draft.kind()
    sketch = draft.sketch("imports")
    draft.own_key(sketch, bare=True)
    owner = draft.point(sketch, "user_ref", kind, other_family=True)
    draft.ingredients.add(
        f"other family: {'several columns' if len(owner.columns) > 1 else kind.style.rpartition(' ')[2]}"
    )
    for _ in range(draft.count(1, 5)):
        values = owner.to(draft.anybody(kind))
        if draft.chance(25):
            draft.ingredients.add("dangling value")
            values[owner.columns[-1]] = draft.pick(("", "nobody knows", " 1", "01", "1.0", "-1", "%"))
        draft.fill(sketch, values)


STRANGERS = ("P0@EXAMPLE.org", "guest@example.org", "Guest@example.org", "other@example.org", "", None)


def identified(draft: Draft) -> None:
    """Rows that name an e-mail address: of somebody with an account, of two, of a guest."""
    kinds = [kind for kind in draft.kinds if kind.identity]
    if not kinds:
        return
    kind = draft.pick(kinds)
    sketch = draft.sketch("bookings")
    draft.own_key(sketch)
    column = draft.column(sketch, "guest_email", "text")
    decisions: dict[str, Any] = {"identity": "email"} | ({"subject": kind.name} if len(draft.kinds) > 1 else {})
    said: dict[str, Any] = draft.pick(({}, {"erase": "unlink"}, {"erase": "delete"}, {"role": "actor"}))
    sketch.link(Place((column,)), **decisions, **said)
    owner = draft.point(sketch, "user_id", kind) if draft.chance(40) else None
    draft.ingredients.add("identity")
    assert kind.identity is not None
    addresses = [row[kind.identity] for row in kind.people]
    for _ in range(draft.count(1, 6)):
        email = draft.pick((*addresses, *STRANGERS))
        if email and email[:1] not in "pP":
            draft.ingredients.add("guest")
        draft.fill(sketch, {column: email} | (owner.to(draft.anybody(kind)) if owner else {}))
    _heir(draft, sketch, said)


def badges(draft: Draft) -> None:
    """A column whose type is a domain over the type of the key."""
    named = handle(draft)
    if named is None:
        return
    sketch = draft.sketch("badges")
    draft.own_key(sketch, bare=True)
    domain = Domain(name=draft.place_name("holder"), over=named.type)
    draft.types.append(domain)
    column = draft.column(sketch, "holder_id", domain.name.sql)
    sketch.link(Place((column,)), **named.decisions)
    draft.ingredients.add("link in a domain")
    for _ in range(draft.count(1, 4)):
        draft.fill(sketch, {column: named.value()})


INGREDIENTS = (array, in_json, polymorphic, other_family, identified, badges)
