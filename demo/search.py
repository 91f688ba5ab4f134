"""The shop's search by meaning, and the phrase that finds Mira's note."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from demo.embedding import as_vector, embed
from demo.premises import APPLICATION, Premises
from shared.database import Database

PHRASE = "Where is the spare key to the lighthouse?"

_NEAREST = """
select c.document_id, c.content
from app.document_chunks as c
order by c.embedding operator(public.<=>) %s::public.vector
limit %s
"""


@dataclass(frozen=True, kw_only=True)
class Found:
    document_id: int
    content: str


def search(premises: Premises, phrase: str, *, limit: int = 5) -> list[Found]:
    """The texts that mean most nearly the same, the nearest first."""
    database = Database(premises.database, application=APPLICATION)
    with contextlib.closing(database), database.transaction() as cur:
        # With 40, the default, a text that is unlike all others is missed at times.
        cur.execute("set local hnsw.ef_search = 200")
        cur.execute(_NEAREST, (as_vector(embed(phrase)), limit))
        return [Found(document_id=document, content=content) for document, content in cur.fetchall()]
