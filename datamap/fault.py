"""A fault: what is wrong with a map, where it stands, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Step = str | int
Severity = Literal["error", "warning", "note"]
Where = tuple[
    Step, ...
]  # the way from the top of the map to what is wrong: ("tables", "app.users", "columns", "email")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One sentence for a person, a code for a machine, and a place for an editor."""

    code: str
    message: str
    where: Where = ()
    severity: Severity = "error"
    remedy: str | None = None  # what to write, or the statement to run
    line: int = field(default=0, compare=False)  # counted from 1; 0 where it stands in no file
    column: int = field(default=0, compare=False)
    about: object = field(default=None, compare=False, repr=False)  # the column or link in question, for an adviser

    @property
    def path(self) -> str:
        """`tables > app.users > columns > email`"""
        return " > ".join(map(str, self.where))
