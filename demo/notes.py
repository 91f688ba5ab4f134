"""What people write down, and what the support notes about them, with embeddings."""

from __future__ import annotations

import uuid

from demo import words
from demo.crowd import FIRST, Crowd, Draw
from demo.embedding import as_vector, embed
from demo.table import NULL, Rows, table
from demo.year import instant

SUPPORT_NOTES = "5b0c6a1e-7a51-4c9e-9b8f-3f1d2c4e5a01"
ANSWERS = "5b0c6a1e-7a51-4c9e-9b8f-3f1d2c4e5a02"


def _authors(crowd: Crowd) -> range:
    return crowd.ids[3::20]


def _note(draw: Draw) -> str:
    return " ".join([part[int(draw() * len(part))] for part in 2 * words.NOTE_PARTS])


@table(
    "app.documents",
    "id, owner_id, team_id, title, created_at",
    person="foreign key owner_id",
    per_person=0.05,
)
def documents(crowd: Crowd) -> Rows:
    """The first member of every other team has one in that team: people.team_members."""
    for number, owner in enumerate(_authors(crowd)):
        team, place = divmod(owner - FIRST, 50)
        title = words.TITLES[(number + crowd.seed) % len(words.TITLES)]
        written = instant(number * 20 / (crowd.size + 20))
        yield f"{FIRST + number}\t{owner}\t{FIRST + team if place == 3 else NULL}\t{title}\t{written}\n"


@table(
    "app.document_chunks",
    "id, document_id, ordinal, content, embedding",
    person="through its document",
    per_person=0.1,
)
def document_chunks(crowd: Crowd) -> Rows:
    draw = crowd.draws("document_chunks")
    for number in range(2 * len(_authors(crowd))):
        content = _note(draw)
        yield f"{FIRST + number}\t{FIRST + number // 2}\t{number % 2 + 1}\t{content}\t{as_vector(embed(content))}\n"


@table("public.langchain_pg_collection", "uuid, name, cmetadata", person="nobody")
def collections(_: Crowd) -> Rows:
    yield f'{SUPPORT_NOTES}\tsupport-notes\t{{"made_by": "support"}}\n'
    yield f"{ANSWERS}\tanswers\t{NULL}\n"


@table(
    "public.langchain_pg_embedding",
    "id, collection_id, embedding, document, cmetadata",
    person="JSON: user_id, or email",
    per_person=0.05,
)
def embeddings(crowd: Crowd) -> Rows:
    """Notes about somebody, most by number, some by e-mail address alone; and answers about nobody."""
    draw = crowd.draws("embeddings")
    for number, person in enumerate(crowd.ids[::20]):
        key, text = uuid.uuid5(uuid.NAMESPACE_URL, f"{crowd.seed}/{number}"), _note(draw)
        collection = ANSWERS if number % 10 == 9 else SUPPORT_NOTES
        about = _about(number, person, crowd)
        yield f"{key}\t{collection}\t{as_vector(embed(text))}\t{text}\t{about}\n"


def _about(number: int, person: int, crowd: Crowd) -> str:
    if number % 10 == 9:
        return '{"source": "manual"}'
    if number % 5 == 4:
        return f'{{"email": "{crowd.email(person)}", "source": "mail"}}'
    return f'{{"user_id": {person}, "source": "call"}}'
