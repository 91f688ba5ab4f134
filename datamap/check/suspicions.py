"""Columns that look as if a table were personal after all: called after what people have, or after a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Column, Table
from datamap.check.survey import Survey
from datamap.discover.finding import Kind, People
from datamap.discover.keys import Keys
from datamap.discover.links import candidates

# Words by which columns of people are called. `name` alone is none: tenants, products and files have names.
_PERSONAL = re.compile(
    r"""(?:^|_)(?:
      e_?mail\w*|mail_?address|phone\w*|mobile|cell_?phone|fax|telephone
      |first_?name|last_?name|full_?name|given_?name|family_?name|middle_?name|maiden_?name|sur_?name|user_?name|nick_?name
      |display_?name|contact_?name|customer_?name
      |birth\w*|dob|date_of_birth|age|gender|sex|nationality|marital_?status
      |ip|ip_?addr\w*|remote_?addr\w*|user_?agent|device_?id|cookie\w*
      |ssn|tax_?id|national_?id|passport\w*|iban|credit_?card\w*|card_?number
      |street\w*|home_?address|postal_?code|post_?code|zip_?code|latitude|longitude
      |password\w*|vorname|nachname|geburts\w*
    )(?:_|$)""",
    re.VERBOSE,
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What a column is suspected of."""

    what: str  # goes on after "its column x"
    is_key: bool = False  # a person's


@dataclass
class Suspicions:
    """By the names of columns and their types. What discovery takes for a person's key is one here as well."""

    survey: Survey

    def of(self, table: Table, column: Column) -> Suspicion | None:
        if column.family == "vector":
            return Suspicion(what="holds vectors, which say much of what they were made of")
        if _PERSONAL.search(_CAPITAL.sub("_", column.name).lower()):
            return Suspicion(what="is called as if it held something of a person")
        if self._is_persons_key(table, column):
            return Suspicion(what="is called as if it held the key of a person", is_key=True)
        return None

    def _is_persons_key(self, table: Table, column: Column) -> bool:
        """A text might be anybody's name; a number or a UUID that is called `author` is a key."""
        if table.name in self._people.tables or column not in candidates(table):
            return False
        meant = next(iter(self._keys.meant(table, column)), None)
        if meant is None or meant.table.name not in self._people.tables:
            return False
        return column.family == meant.table.columns[meant.key[-1]].family

    @cached_property
    def _people(self) -> People:
        kinds = (Kind(name=kind.name, table=kind.table, key=kind.key) for kind in self.survey.resolution.kinds.values())
        return People(catalogue=self.survey.catalogue, kinds=tuple(kinds))

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self._people)
