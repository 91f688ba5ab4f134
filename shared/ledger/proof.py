"""What somebody outside needs to check one entry, or one checkpoint after another, without asking us again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

from psycopg2.extensions import cursor

from shared.errors import Misuse
from shared.ledger import tree
from shared.queries import query
from shared.roles import LOGINS


class NotProvable(Misuse):
    """There is no such entry, or no checkpoint covers it yet."""

    code = "not_provable"


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """That an entry is in the log: its bytes, and a proof as C2SP writes one, with the checkpoint in it."""

    index: int
    body: bytes
    text: str


def inclusion(cur: cursor, *, origin: str, event: UUID, writer: str | None = None) -> Inclusion:
    """Of the entry of this event, in the first checkpoint that covers it: the same proof whenever it is asked for."""
    cur.execute(query("leaf_of_event"), {"event": str(event), "writers": [writer] if writer else list(LOGINS)})
    found = cur.fetchall()
    if not found:
        raise NotProvable("The ledger has no entry of this event", remedy="check its id; an event id is a UUID")
    if len(found) > 1:
        raise NotProvable("Several roles have written of this event", remedy="name the writer")
    [(index, body)] = found
    cur.execute(query("anchor_covering"), {"origin": origin, "index": index})
    covering = cur.fetchone()
    if index is None or covering is None:
        raise NotProvable("No checkpoint covers this entry yet", remedy="`gdpr ledger checkpoint` makes one")
    size, note = covering
    path = tree.inclusion(tree.stored(cur), index, size)
    return Inclusion(index=index, body=bytes(body), text=written(index, path, note))


def written(index: int, path: list[bytes], note: str, *, extra: bytes = b"") -> str:
    """A tlog-proof of C2SP. `extra` is carried along and proves nothing."""
    lines = ["c2sp.org/tlog-proof@v1"]
    if extra:
        lines.append(f"extra {base64.b64encode(extra).decode()}")
    lines += [f"index {index}", *(base64.b64encode(each).decode() for each in path), "", note]
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """That one checkpoint is the beginning of another."""

    old: str
    new: str
    path: list[bytes]


def consistency(cur: cursor, *, origin: str, old: int, new: int) -> Consistency:
    """Between two checkpoints that lie outside, by their sizes."""
    notes: list[str] = []
    for size in (old, new):
        cur.execute(query("anchor_of_size"), {"origin": origin, "size": size})
        (note,) = cur.fetchone() or (None,)
        if note is None:
            raise NotProvable(f"There is no checkpoint of size {size}", remedy="`query` lists them")
        notes.append(note)
    if old > new:
        raise NotProvable("The older checkpoint has to be the smaller one", remedy="swap the two sizes")
    return Consistency(old=notes[0], new=notes[1], path=tree.consistency(tree.stored(cur), old, new))
