"""What people say to each other, to everybody, and to the support."""

from __future__ import annotations

from demo import words
from demo.crowd import FIRST, STAFF, Crowd
from demo.table import NULL, Rows, escaped, table
from demo.year import instant

_MESSAGES = escaped(words.MESSAGES)
_COMMENTS = escaped(words.COMMENTS)


@table(
    "app.messages",
    "id, sender_id, recipient_id, body, sent_at",
    person="sender_id and recipient_id",
    per_person=2,
)
def messages(crowd: Crowd) -> Rows:
    """To a neighbour by number, so that some write to each other; one in ninety-seven is a note to oneself."""
    draw, count = crowd.draws("messages"), 2 * crowd.size
    for number in range(count):
        sender, chance = int(draw() * crowd.size), draw()
        step = 0 if number % 97 == 0 else 3 + 3 * int(chance * 4)
        recipient = (sender + (step if number % 2 else -step)) % crowd.size
        body = _MESSAGES[int(chance * 7919) % len(_MESSAGES)]
        yield f"{FIRST + number}\t{FIRST + sender}\t{FIRST + recipient}\t{body}\t{instant((number + chance) / count)}\n"


@table(
    "app.comments",
    "id, product_id, parent_id, author_type, author_id, guest_email, body, written_at",
    person="author by type; guest_email",
    per_person=1,
)
def comments(crowd: Crowd) -> Rows:
    """Products in turn, so that the comment one round earlier is on the same product and can be answered."""
    draw, around = crowd.draws("comments"), len(words.PRODUCTS)
    for number in range(crowd.size):
        chance = draw()
        parent = FIRST + number - around if number >= around and chance < 0.4 else NULL
        yield (
            f"{FIRST + number}\t{number % around + 1}\t{parent}\t{_author(number, chance, crowd)}\t"
            f"{_COMMENTS[int(chance * 7919) % len(_COMMENTS)]}\t{instant((number + chance) / crowd.size)}\n"
        )


def _author(number: int, chance: float, crowd: Crowd) -> str:
    someone = FIRST + int(chance * crowd.size)
    if number % 20 == 7:
        return f"System\t{NULL}\t{NULL}"
    if number % 20 in (3, 13):
        return f"Guest\t{someone}\tguest{number}@example.org"
    return f"User\t{someone}\t{NULL}"


@table(
    "app.support_tickets",
    "id, customer_id, subject, body, closed_by, watcher_ids, opened_at",
    person="customer_id; in watcher_ids",
    per_person=0.1,
)
def support_tickets(crowd: Crowd) -> Rows:
    draw, customers = crowd.draws("support_tickets"), crowd.ids[::10]
    for number, person in enumerate(customers):
        chance = draw()
        staff, watcher = FIRST + number % STAFF, FIRST + int(chance * crowd.size)
        body = _MESSAGES[int(chance * 7919) % len(_MESSAGES)]
        yield (
            f"{FIRST + number}\t{person}\t{words.SUBJECTS[number % 5]}\t{body}\t{staff if number % 4 else NULL}\t"
            f"{{{f'{watcher},{staff}' if number % 3 == 0 else ''}}}\t{instant((number + chance) / len(customers))}\n"
        )
