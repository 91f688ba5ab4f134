"""What to write where rows would be left pointing at nothing, so that rule 14 of docs/ownership.md stops an erasure.

The same is said of a map that is checked and of a person who is tried, by what the link and its column let be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datamap.check import entry
from datamap.check.entry import Entry


@dataclass(frozen=True, kw_only=True)
class Hanging:
    """A link to rows that an erasure deletes, from rows that stay."""

    table: str
    target: str
    place: str
    entries: Sequence[Entry]  # all that the map says of the place
    number: int  # of the one that is meant
    is_nullable: bool  # something can be taken away there
    is_held: bool  # by a foreign key
    is_shared: bool  # its rows are never deleted
    is_parent: bool  # it holds no person's key

    @property
    def choices(self) -> str:
        """What may be decided."""
        return "\nor ".join(self._choices())

    def _choices(self) -> Iterator[str]:
        if self.is_nullable:
            unlinked = entry.link(self.place, self.entries, self.number, {"erase": "unlink"})
            yield f"decide for them at {self.table}: links: {{{unlinked}}}"
        if self.entries and self.is_parent and not self.is_held:
            yield (
                f"take {entry.whole(self.entries[self.number])} out at {self.table}, links: {self.place}, if it says"
                " nothing of whose the rows are: no foreign key holds them, so they may be left pointing at nothing"
            )
        if not self.is_shared:
            yield "delete them as well"
        if not self.is_nullable:
            yield f"let the rows of {self.target} stay, emptied: at {self.target} erase: {{…: null}}"
