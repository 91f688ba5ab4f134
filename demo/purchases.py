"""What people buy. An order's number tells whose it is and what is in it, so that items, sums and invoices agree."""

from __future__ import annotations

from demo import words
from demo.crowd import FIRST, STAFF, Crowd
from demo.table import NULL, Rows, escaped, table
from demo.year import DAYS, DAYS_IN_YEAR, instant

_GIFT_MESSAGES = escaped(words.GIFT_MESSAGES)
_PRICES = [490 + number * 1310 % 9700 for number in range(len(words.PRODUCTS))]  # in cents


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _basket(order: int, crowd: Crowd) -> list[tuple[int, int]]:
    """Which products, and how many of each."""
    mixed = order + crowd.seed
    return [((mixed * 13 + line * 31) % len(_PRICES), 1 + (mixed + line) % 9 // 8) for line in range(1 + mixed % 4)]


def _goods(order: int, crowd: Crowd) -> int:
    return sum(_PRICES[product] * quantity for product, quantity in _basket(order, crowd))


def _shipping(goods: int) -> int:
    return 490 if goods < 5000 else 0


def _customer(order: int, crowd: Crowd) -> int:
    return FIRST + (order * 2_654_435_761 + crowd.seed) % 4_294_967_291 % crowd.size


@table("app.products", "id, title, price", person="nobody")
def products(_: Crowd) -> Rows:
    for number, title in enumerate(words.PRODUCTS):
        yield f"{number + 1}\t{title}\t{_money(_PRICES[number])}\n"


@table(
    "app.orders",
    "id, user_id, status, ship_to_name, goods, shipping, packed_by, placed_at",
    person="user_id; packed_by acted",
    per_person=2,
)
def orders(crowd: Crowd) -> Rows:
    draw, count = crowd.draws("orders"), 2 * crowd.size
    statuses = ("delivered",) * 15 + ("returned", "shipped", "packed", "paid", "placed")
    for number in range(count):
        order = FIRST + number
        person, goods, chance = _customer(order, crowd), _goods(order, crowd), draw()
        packer = FIRST + int(chance * STAFF) if order % 20 < 18 else NULL
        yield (
            f"{order}\t{person}\t{statuses[order % 20]}\t{crowd.name(person)}\t{_money(goods)}\t"
            f"{_money(_shipping(goods))}\t{packer}\t{instant((number + chance) / count)}\n"
        )


@table(
    "app.order_items",
    "order_id, line, product_id, quantity, unit_price, gift_message",
    person="through its order",
    per_person=5,
)
def order_items(crowd: Crowd) -> Rows:
    for order in range(FIRST, FIRST + 2 * crowd.size):
        for line, (product, quantity) in enumerate(_basket(order, crowd), 1):
            gift = _GIFT_MESSAGES[order % 4] if (order + line) % 23 == 0 else NULL
            yield f"{order}\t{line}\t{product + 1}\t{quantity}\t{_money(_PRICES[product])}\t{gift}\n"


@table(
    "app.invoices",
    "id, user_id, order_id, number, billing_name, billing_address, total, issued_on",
    person="foreign key user_id",
    per_person=2,
)
def invoices(crowd: Crowd) -> Rows:
    count = 2 * crowd.size
    for number in range(count):
        order = FIRST + number
        person, goods = _customer(order, crowd), _goods(order, crowd)
        yield (
            f"{order}\t{person}\t{order}\tR-{order:08}\t{crowd.name(person)}\t{', '.join(crowd.address(person))}\t"
            f"{_money(goods + _shipping(goods))}\t{DAYS[number * DAYS_IN_YEAR // count]}\n"
        )


@table(
    "app.wishlist_items",
    "tenant_id, user_id, product_id, note, added_at",
    person="foreign key of two columns",
    per_person=0.5,
)
def wishlist_items(crowd: Crowd) -> Rows:
    for person in crowd.ids[::2]:
        product = (person + crowd.seed) % len(_PRICES) + 1
        yield f"{crowd.tenant(person)}\t{person}\t{product}\t{NULL}\t{instant(person * 7 % 1000 / 1000)}\n"


@table(
    'app."GiftCards"',
    '"Id", "purchaserId", "recipientEmail", greeting, amount, "issuedAt"',
    person="purchaserId; recipientEmail",
    per_person=0.1,
)
def gift_cards(crowd: Crowd) -> Rows:
    """One in three goes to somebody with an account."""
    draw, buyers = crowd.draws("gift_cards"), crowd.ids[5::10]
    for number, person in enumerate(buyers):
        chance = draw()
        friend = crowd.email(FIRST + int(chance * crowd.size)) if number % 3 == 0 else f"friend{number}@example.org"
        yield (
            f"{FIRST + number}\t{person}\t{friend}\t{_GIFT_MESSAGES[number % 4]}\t{10 + number % 5 * 10}\t"
            f"{instant((number + chance) / len(buyers))}\n"
        )
