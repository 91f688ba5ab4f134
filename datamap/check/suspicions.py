"""What the names of columns say: what people have, the key of a person, or the key of something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from datamap.catalogue import Column, Table
from datamap.check.survey import Survey
from datamap.discover.finding import Kind, People
from datamap.discover.keys import Keys, Meant
from datamap.discover.links import candidates
from datamap.names import Table as Name
from datamap.names import Target

# Words by which columns of people are called. `name` alone is none: tenants, products and files have names.
_NAMING = r"""
      e_?mail\w*|mail_?address|phone\w*|mobile|cell_?phone|fax|telephone
      |first_?name|last_?name|full_?name|given_?name|family_?name|middle_?name|maiden_?name|sur_?name|user_?name|nick_?name
      |display_?name|contact_?name|customer_?name
      |ip|ip_?addr\w*|remote_?addr\w*|device_?id|cookie\w*
      |ssn|tax_?id|national_?id|passport\w*|iban|credit_?card\w*|card_?number
      |street\w*|home_?address|vorname|nachname
"""
_OF_THEM = r"""
      birth\w*|dob|date_of_birth|age|gender|sex|nationality|marital_?status|user_?agent
      |postal_?code|post_?code|zip_?code|latitude|longitude|password\w*|geburts\w*
"""
_PERSONAL = re.compile(rf"(?:^|_)(?:{_NAMING}|{_OF_THEM})(?:_|$)", re.VERBOSE)
_ONE_WORD = _NAMING.replace(r"\w*", "[a-z0-9]*")  # an `email_verified` names nobody
_NAMES = re.compile(rf"(?:^|_)(?:{_ONE_WORD})$", re.VERBOSE)
_BY_NAME = 5  # of discovery: a column that is called as the table is, in the same schema
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
        if is_called_personal(column.name):
            return Suspicion(what="is called as if it held something of a person")
        if self.persons_key(table, column):
            return Suspicion(what="is called as if it held the key of a person", is_key=True)
        return None

    def key_of_another(self, table: Table, column: Column) -> tuple[Name, tuple[str, ...]] | None:
        """The key of a table that is no person's, which has the very name of this column: `product_id`."""
        if column not in candidates(table):
            return None
        found = self._keys.meant(table, column)
        if not found or any(each.table.name in self._people.tables for each in found):
            return None
        likely = found[0].weight >= _BY_NAME and found[0].table.name.schema == table.name.schema
        return (found[0].table.name, found[0].key) if likely else None

    def persons_key(self, table: Table, column: Column) -> Meant | None:
        """A text might be anybody's name; a number or a UUID that is called `author` is a key."""
        if table.name in self._people.tables or column not in candidates(table):
            return None
        meant = next(iter(self._keys.meant(table, column)), None)
        if meant is None or meant.table.name not in self._people.tables:
            return None
        return meant if column.family == meant.table.columns[meant.key[-1]].family else None

    def target(self, meant: Meant) -> str | None:
        """What a link has to say with `to:`, where it is not the key of the only kind of people."""
        kind = self._people.of(meant.table.name)
        is_plain = len(self._people.kinds) == 1 and kind is not None and kind.key == meant.key
        return None if is_plain else str(Target(meant.table.name, meant.key))

    @cached_property
    def _people(self) -> People:
        kinds = (Kind(name=kind.name, table=kind.table, key=kind.key) for kind in self.survey.resolution.kinds.values())
        return People(catalogue=self.survey.catalogue, kinds=tuple(kinds))

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self._people)


def is_called_personal(name: str) -> bool:
    """Whether a column is called after what people have."""
    return bool(_PERSONAL.search(_CAPITAL.sub("_", name).lower()))


def is_called_a_name(name: str) -> bool:
    """Whether a column is called as what tells one person from all others: an address, a number, a name."""
    return bool(_NAMES.search(_CAPITAL.sub("_", name).lower()))
