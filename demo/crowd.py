"""The people of whom no story is told. Who they are follows from number and seed, so that nobody is kept in memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from demo.words import CITIES, NAMES, STREETS

Draw = Callable[[], float]

FIRST = 1001  # smaller ids, in every table, belong to the stories
STAFF = 5
FEATURED = 7  # people with a story
FEWEST_USERS = 100  # in a shop, those with a story included

# Numbers that regulators keep free for fiction: France, Berlin, Hamburg, Great Britain.
_PHONES = ["+33 1 99 00 {:04}", "+49 30 23125 {:03}", "+49 40 66969 {:03}", "+44 1632 960{:03}"]
_PHONE_NUMBERS = [10_000, 1000, 1000, 1000]


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """So many people, numbered from FIRST on. One in three is a customer of the second tenant."""

    seed: int
    size: int

    @property
    def ids(self) -> range:
        return range(FIRST, FIRST + self.size)

    def draws(self, subject: str) -> Draw:
        """Numbers between 0 and 1 for one table alone. Only random() is the same in every version of Python."""
        return random.Random(f"{self.seed} {subject}").random

    def name(self, person: int) -> str:
        return self._named(person)[0]

    def email(self, person: int) -> str:
        return f"{self._named(person)[1]}{person}@example.com"

    def _named(self, person: int) -> tuple[str, str]:
        return NAMES[(person * 61 + self.seed) % len(NAMES)]

    def phone(self, person: int) -> str:
        kind = person % len(_PHONES)
        return _PHONES[kind].format((person * 17 + self.seed) % _PHONE_NUMBERS[kind])

    def tenant(self, person: int) -> int:
        return 2 if person % 3 == 0 else 1

    def address(self, person: int) -> tuple[str, str, str, str]:
        """Street, postcode, city and country."""
        street = f"{STREETS[(person + self.seed) % len(STREETS)]} {person * 7 % 180 + 1}"
        return (street, *CITIES[person * 5 % len(CITIES)])
