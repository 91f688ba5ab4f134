"""Who there is: the tenants, the people with an account, where they live, and which teams they made."""

from __future__ import annotations

from demo import words
from demo.crowd import FIRST, Crowd
from demo.table import NULL, Rows, table
from demo.year import instant


@table("app.tenants", "id, name", person="nobody")
def tenants(_: Crowd) -> Rows:
    yield "1\tNordlicht Books\n"
    yield "2\tSonnenhof Market\n"


@table(
    "app.users",
    "id, tenant_id, email, phone, full_name, date_of_birth, interests, default_address_id, created_at",
    person="is the person",
    per_person=1,
)
def users(crowd: Crowd) -> Rows:
    draw = crowd.draws("users")
    for person in crowd.ids:
        born = f"{1940 + int(draw() * 65)}-{1 + person % 12:02}-{1 + person % 28:02}"
        created = f"{2017 + int(draw() * 8)}-{1 + person % 11:02}-{1 + person % 27:02}"
        yield (
            f"{person}\t{crowd.tenant(person)}\t{crowd.email(person)}\t{crowd.phone(person)}\t{crowd.name(person)}\t"
            f"{born}\t{_interests(person)}\t{person if person % 10 else NULL}\t{created} 08:30Z\n"
        )


def _interests(person: int) -> str:
    if person % 4 == 0:
        return "{}"
    first = person % len(words.INTERESTS)
    second = (first + 1 + person // 10 % 9) % len(words.INTERESTS)
    return f'{{"{words.INTERESTS[first]}","{words.INTERESTS[second]}"}}'


@table(
    "app.addresses",
    "id, user_id, street, postcode, city, country",
    person="foreign key user_id (a cycle)",
    per_person=1.2,
)
def addresses(crowd: Crowd) -> Rows:
    """Everybody's first address has the person's own number; one in five has a second one."""
    for person in crowd.ids:
        yield f"{person}\t{person}\t" + "\t".join(crowd.address(person)) + "\n"
    for number in range(crowd.size // 5):
        person = FIRST + number * 5
        yield f"{FIRST + crowd.size + number}\t{person}\t" + "\t".join(crowd.address(person + 1)) + "\n"


@table("app.teams", "id, owner_id, name, created_at", person="foreign key owner_id", per_person=0.02)
def teams(crowd: Crowd) -> Rows:
    for number, owner in enumerate(_founders(crowd)):
        yield f"{FIRST + number}\t{owner}\tTeam {crowd.name(owner)}\t{instant(number * 50 / crowd.size)}\n"


def _founders(crowd: Crowd) -> range:
    return crowd.ids[:-20:50]  # the last one's members are people too


@table("app.team_members", "team_id, user_id, membership, joined_at", person="foreign key user_id", per_person=0.09)
def team_members(crowd: Crowd) -> Rows:
    """The owner and up to five more customers of the same tenant."""
    for number, owner in enumerate(_founders(crowd)):
        joined = instant(number * 50 / crowd.size)
        yield f"{FIRST + number}\t{owner}\tfounder\t{joined}\n"
        for step in range(1, 3 + (number + crowd.seed) % 4):
            yield f"{FIRST + number}\t{owner + 3 * step}\tmember\t{joined}\n"
