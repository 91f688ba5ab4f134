"""How a request names a person: the statement that finds who is meant, once, at intake (shared/identification.py)."""

from __future__ import annotations

from dataclasses import dataclass

from datamap.compile.person import ASKED, Person, equality
from datamap.compile.resolution import Resolution
from datamap.names import literal, quoted
from shared import plan

_ENOUGH = 21  # rows, to say that they are many


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Of one kind of subject."""

    person: Person
    resolution: Resolution

    @property
    def compiled(self) -> plan.Naming:
        return plan.Naming(
            subject=self.person.kind.facts.name.sql,
            columns=self._named,
            find=self._find,
            guests=tuple(self.person.column(column) for column in self._guests),
            normal=self._normal,
        )

    @property
    def _named(self) -> tuple[str, ...]:
        """Columns of the subject's table by which it can be named: the key, then the identities."""
        identities = (identity.column for identity in self.person.kind.identities.values())
        return tuple(dict.fromkeys((*self.person.kind.key, *identities)))

    @property
    def _find(self) -> str:
        """For whoever is found by a whole key or by any identity: the key, and whether each thing that was said fits.

        Each way is a branch of its own, which its index serves.
        """
        kind = self.person.kind
        keys = ", ".join(f"u.{quoted(column)}" for column in kind.key)
        from_ = f"from pg_temp.{ASKED} as a join {kind.sql} as u on"
        ways = [" and ".join(self._fits(column) for column in kind.key)]
        ways += [self._fits(column) for column in self._named if column not in kind.key]
        branches = "\n  union\n  ".join(f"select {keys} {from_} {way}" for way in ways)
        told = ",\n  ".join(f"cast(u.{quoted(column)} as pg_catalog.text)" for column in kind.key)
        each = [f"({self._asked(column)} is null or coalesce({self._fits(column)}, false))" for column in self._named]
        fits = ",\n  ".join(each)
        same = " and ".join(
            f"u.{quoted(column)} {equality(self.person.columns[column])} f.{quoted(column)}" for column in kind.key
        )
        somebody = ""
        if kind.nobody:
            nobody = " and ".join(f"u.{quoted(c)} = {literal(str(v)).strip()}" for c, v in kind.nobody.items())
            somebody = f"\nwhere not ({nobody})"
        return (
            f"with found as (\n  {branches}\n)\nselect\n  {told},\n  {fits}\n"
            f"from found as f\njoin {kind.sql} as u on {same}\n"
            f"cross join pg_temp.{ASKED} as a{somebody}\n"
            # Whoever fits comes first: of many who share an address, two may be meant and not one.
            f"order by {' and '.join(each)} desc\nlimit {_ENOUGH}"
        )

    def _asked(self, column: str) -> str:
        return f"a.{quoted(self.person.column(column))}"

    def _fits(self, column: str) -> str:
        """The subject's row `u` has what was said. An empty text names nobody."""
        fits = self.person.same(column, "u")
        return f"({fits} and {self._asked(column)} <> '')" if self.person.columns[column].family == "text" else fits

    @property
    def _normal(self) -> str | None:
        """What was said of a guest, in the form in which it is compared, so that one guest is not two."""
        forms = (self.person.form(column).sql(self._asked(column)) for column in self._guests)
        each = ", ".join(f"cast({form} as pg_catalog.text)" for form in forms)
        return f"select {each} from pg_temp.{ASKED} as a" if each else None

    @property
    def _guests(self) -> tuple[str, ...]:
        """Identities that links name: who has no account is found by them."""
        kind = self.person.kind
        linked = {
            column
            for dataset in self.resolution.datasets.values()
            for link in dataset.person_links
            if link.kind == kind.name
            for column in link.target_columns
        }
        return tuple(column for column in self._named if column in linked and column not in kind.key)
