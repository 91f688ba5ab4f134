"""Ingredients: where people meet: shared places, and rows that are about two of them."""

from __future__ import annotations

from typing import Any

from tests.worlds.draft import Draft, Kind, Pointer, Sketch
from tests.worlds.world import Value


def organisation(draft: Draft) -> None:
    """An organisation with a founder and members, and what they keep there, with and without a name on it."""
    kind = draft.kind()
    place = draft.sketch("organisations")
    draft.own_key(place)
    founder = draft.point(place, "founder_id", kind, nullable=not kind.nobody or draft.chance(70))
    place.entry |= {"shared": True, "reason": "people meet here"}
    said = draft.choose("shared", ("nothing", "unlink", "set"))
    if said != "nothing":
        place.entry["erase"] = "unlink" if said == "unlink" else founder.forgotten()
    for _ in range(draft.count(1, 3)):
        draft.fill(place, founder.to(draft.anybody(kind) if founder.free else draft.somebody(kind)))
    _members(draft, kind, place)
    _kept_there(draft, kind, place)


def _members(draft: Draft, kind: Kind, place: Sketch) -> None:
    """A pure table of links."""
    sketch = draft.sketch("members")
    there = draft.point(sketch, "organisation_id", place, nullable=False)
    who = draft.point(sketch, "user_id", kind, nullable=False)
    sketch.primary_key = (*there.columns, *who.columns)
    pairs = [(a, b) for a in place.rows for b in kind.people]
    draft.ingredients.add("membership")
    for row, person in [pair for pair in pairs if draft.chance(50)][:6]:
        draft.fill(sketch, there.to(row) | who.to(person))


def _kept_there(draft: Draft, kind: Kind, place: Sketch) -> None:
    """Documents in a shared place; chunks below them; settings that nobody has put a name on."""
    documents = draft.sketch("documents")
    draft.own_key(documents)
    there = draft.point(documents, "organisation_id", place, nullable=draft.chance(30))
    author = draft.point(documents, "author_id", kind)
    chunks = draft.sketch("chunks")
    draft.own_key(chunks, bare=True)
    above = draft.point(chunks, "document_id", documents, nullable=False)
    draft.ingredients.add("meeting place")
    for _ in range(draft.count(1, 5)):
        row = draft.fill(documents, there.to(draft.any_row(place, nullable=False)) | author.to(draft.anybody(kind)))
        if draft.chance(60):
            draft.fill(chunks, above.to(row))
    if draft.chance(50):
        settings = draft.sketch("settings")
        settings.entry |= {"personal": False, "reason": "the organisation's own"}
        where = draft.point(settings, "organisation_id", place, nullable=False)
        draft.fill(settings, where.to(draft.any_row(place, nullable=False)))


def messages(draft: Draft) -> None:
    """Rows about two people, or about the same person twice."""
    kind = draft.kind()
    sketch = draft.sketch("messages")
    draft.own_key(sketch, bare=True)
    said = draft.choose(
        "two people",
        ("nothing", "link: set", "link: unlink", "link: delete", "table: set", "table: unlink", "one side"),
    )
    must_be_free = said not in ("nothing", "link: delete") and not kind.nobody
    sender, recipient = (
        draft.point(sketch, word, kind, nullable=must_be_free or draft.chance(60), declared=not draft.chance(15))
        for word in ("sender_id", "recipient_id")
    )
    _decide(sketch, said, sender, recipient)
    for _ in range(draft.count(1, 6)):
        values: dict[str, Value] = {}
        for side in (sender, recipient):
            values |= side.to(draft.anybody(kind) if side.free else draft.somebody(kind))
        draft.fill(sketch, values)


def _decide(sketch: Sketch, said: str, sender: Pointer, recipient: Pointer) -> None:
    emptied: dict[str, Any] = {sketch.note: None}
    if said == "link: set":
        decide(sender, erase=emptied | sender.forgotten())
        decide(recipient, erase=recipient.forgotten())
    elif said in ("link: unlink", "link: delete"):
        for side in (sender, recipient):
            decide(side, erase=said.rpartition(" ")[2])
    elif said == "table: set":
        sketch.entry["erase"] = emptied | sender.forgotten() | recipient.forgotten()
    elif said == "table: unlink":
        sketch.entry["erase"] = "unlink"
    elif said == "one side":
        decide(recipient, erase=recipient.forgotten())


def decide(pointer: Pointer, **decisions: Any) -> None:
    """Add to what the map says of a link."""
    said = pointer.sketch.links.setdefault(str(pointer.place), [{}])
    said[0] |= decisions


def blocks(draft: Draft) -> None:
    """A pair of people as the primary key."""
    kind = draft.kind()
    sketch = draft.sketch("blocks")
    sides = [draft.point(sketch, word, kind, nullable=False) for word in ("blocker_id", "blocked_id")]
    sketch.primary_key = (*sides[0].columns, *sides[1].columns)
    if draft.has("pair: link decides", 60):
        for side in sides:
            decide(side, erase="delete")
    draft.ingredients.add("pair as primary key")
    pairs = [(a, b) for a in kind.people for b in kind.people]
    for one, other in [pair for pair in pairs if draft.chance(25)][:5]:
        draft.fill(sketch, sides[0].to(one) | sides[1].to(other))


def actors(draft: Draft) -> None:
    """Rows that somebody else has acted on."""
    kind = draft.kind()
    sketch = draft.sketch("tickets")
    draft.own_key(sketch, bare=True)
    owner = draft.point(sketch, "user_id", kind)
    is_firm = bool(kind.nobody) and draft.chance(50)
    draft.ingredients.add(f"actor{', not null' if is_firm else ''}")
    actor = draft.point(sketch, "closed_by", draft.kind() if not is_firm else kind, nullable=not is_firm, role="actor")
    others = next(k for k in draft.kinds if k.sketch is actor.target)
    for _ in range(draft.count(1, 6)):
        draft.fill(
            sketch,
            owner.to(draft.anybody(kind)) | actor.to(draft.somebody(others) if is_firm else draft.anybody(others)),
        )


def curators(draft: Draft) -> None:
    """A table without personal data, but for a name of who touched it last."""
    kind = draft.kind()
    sketch = draft.sketch("articles")
    draft.own_key(sketch, bare=True)
    sketch.entry |= {"personal": False, "reason": "written for everybody"}
    role = draft.choose("link of a table without personal data", ("actor", "reference"))
    who = draft.point(sketch, "updated_by", kind, role=role)
    for _ in range(draft.count(1, 3)):
        draft.fill(sketch, who.to(draft.anybody(kind)))


def inviters(draft: Draft) -> None:
    """People point at people, and at rows of their own."""
    kind = draft.kind()
    pointer = draft.point(kind.sketch, "invited_by", kind)
    draft.ingredients.add("people point at people")
    for row in kind.sketch.rows:
        row.update(pointer.to(draft.anybody(kind)))
    if draft.chance(60):
        _default_address(draft, kind)


def _default_address(draft: Draft, kind: Kind) -> None:
    addresses = draft.sketch("addresses")
    draft.own_key(addresses)
    owner = draft.point(addresses, "user_id", kind, nullable=False)
    for _ in range(draft.count(1, 4)):
        draft.fill(addresses, owner.to(draft.somebody(kind)))
    decisions: dict[str, Any] = {"erase": "unlink"} if draft.chance(50) else {}
    default = draft.point(kind.sketch, "default_address_id", addresses, **decisions)
    draft.ingredients.add("people point at what is below them")
    for row in kind.sketch.rows:
        row.update(default.to(draft.any_row(addresses)))


INGREDIENTS = (organisation, messages, blocks, actors, curators, inviters)
