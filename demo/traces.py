"""What people leave behind without meaning to."""

from __future__ import annotations

from demo.crowd import FIRST, Crowd
from demo.table import Rows, table
from demo.year import instant


@table("app.events", "id, occurred_at, kind, payload", person="JSON: user_id, or actor.id", per_person=4)
def events(crowd: Crowd) -> Rows:
    draw, count = crowd.draws("events"), 4 * crowd.size
    for number in range(count):
        chance = draw()
        person = FIRST + int(chance * crowd.size)
        yield f"{FIRST + number}\t{instant((number + chance) / count)}\t{_happening(number, person)}\n"


def _happening(number: int, person: int) -> str:
    """Kind and payload. The app for phones writes numbers as text, the settings page nests them, jobs have nobody."""
    if number % 20 == 0:
        return f'job.finished\t{{"job": "stock", "changed": {number % 50}}}'
    if number % 20 < 3:
        return f'settings.changed\t{{"actor": {{"id": {person}, "via": "web"}}, "setting": "language"}}'
    if number % 20 < 6:
        return f'page.viewed\t{{"user_id": "{person}", "path": "/products/{number % 120 + 1}", "app": "phone"}}'
    return f'page.viewed\t{{"user_id": {person}, "path": "/products/{number % 120 + 1}"}}'


@table("app.newsletter_subscribers", "email, source, subscribed_at", person="e-mail alone", per_person=0.2)
def newsletter_subscribers(crowd: Crowd) -> Rows:
    for number, person in enumerate(crowd.ids[::5]):
        email = f"reader{number}@example.org" if number % 4 == 0 else crowd.email(person)
        yield f"{email}\t{'checkout' if number % 2 else 'front page'}\t{instant(number * 5 / crowd.size)}\n"


@table("app.login_attempts", "id, login, ip, succeeded, attempted_at", person="e-mail alone, as login", per_person=1)
def login_attempts(crowd: Crowd) -> Rows:
    """Addresses that are reserved for documentation; one attempt in fifty is somebody's guess."""
    draw = crowd.draws("login_attempts")
    for number in range(crowd.size):
        chance = draw()
        login = "admin" if number % 50 == 0 else crowd.email(FIRST + int(chance * crowd.size))
        last = int(chance * 65_536)
        ip = f"2001:db8::{last:x}" if number % 6 == 0 else f"198.51.100.{last % 256}"
        succeeded = "t" if number % 50 and number % 7 else "f"
        yield f"{FIRST + number}\t{login}\t{ip}\t{succeeded}\t{instant((number + chance) / crowd.size)}\n"
