"""A line of the map that binds keys, or objects in a bucket, to a person: by its pattern, and what else it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from datamap.check.naming import Naming
from datamap.document import nearest
from datamap.fault import Fault, Step, Where
from datamap.model import CacheEntry, Map, ObjectsEntry
from shared.patterns import NotAPattern, Pattern, Weakness


@dataclass(frozen=True)
class Binding:
    """What an entry for keys and one for objects have in common: a pattern, and a person whom it names."""

    map: Map
    of: Mapping[str, Naming]
    where: Where
    text: str
    entry: CacheEntry | ObjectsEntry

    @property
    def area(self) -> Step:
        return self.where[0]

    @property
    def naming(self) -> Naming | None:
        name = self.entry.subject or (next(iter(self.of)) if len(self.of) == 1 else None)
        return self.of.get(name) if name else None

    @property
    def pattern(self) -> Pattern | None:
        try:
            return self.parsed()
        except NotAPattern:
            return None

    def parsed(self) -> Pattern:
        return Pattern.parse(self.text, self.naming.spellings if self.naming else {})

    def fault(self, code: str, message: str, *inner: Step, remedy: str | None = None) -> Fault:
        return Fault(code=f"{self.area}.{code}", message=message, where=(*self.where, *inner), remedy=remedy)

    def unreadable(self, error: NotAPattern, *inner: Step) -> Fault:
        message, _, advice = str(error).partition("; ")
        message = f"A {message.removeprefix('a ')}" if message.startswith("a ") else message
        return self.fault("pattern", message, *inner, remedy=advice or "correct it, or take the line out")

    def general(self) -> Iterator[Fault]:
        """What holds for every entry, whomever it names."""
        if not self.entry.personal:
            yield from self._not_personal()
        elif self.entry.activity is not None and self.entry.activity not in self.map.activities:
            meant = nearest(self.entry.activity, self.map.activities)
            message = f"There is no activity {self.entry.activity}"
            known = f"write it under activities, or one of {', '.join(self.map.activities)}"
            yield self.fault("activity", message, "activity", remedy=f"did you mean {meant}?" if meant else known)
        if self.entry.subject is not None and self.entry.subject not in self.of:
            meant = nearest(self.entry.subject, self.of)
            message = f"There is no kind of subject called {self.entry.subject}"
            known = f"one of: {', '.join(self.of)}"
            yield self.fault("subject", message, "subject", remedy=f"did you mean {meant}?" if meant else known)
        elif self.entry.subject is None and self.entry.personal and len(self.of) > 1:
            remedy = f"write subject: {' or '.join(self.of)}"
            yield self.fault(
                "subject", "There are several kinds of subject, and this does not say which", remedy=remedy
            )

    def _not_personal(self) -> Iterator[Fault]:
        if not self.entry.reason:
            yield self.fault("reason", "It is called not personal without a reason", remedy="add reason: …")
        pattern = self.pattern
        if pattern is not None and pattern.names:
            message = f"It is called not personal, and {{{pattern.names[0]}}} names a person"
            yield self.fault(
                "contradiction", message, remedy="leave out personal: false, or write * for the placeholder"
            )
        elif pattern is not None and not re.search(r"\w", str(pattern)):
            message = "It calls everything not personal that no other line names"
            yield self.fault("everything", message, remedy="write a line for each kind of keys")

    def weaknesses(self, pattern: Pattern, key: Sequence[str], *inner: Step) -> Iterator[Fault]:
        """Whether a pattern could take what is somebody else's."""
        naming = self.naming
        if naming is None:
            return
        several = [name for name in pattern.names if name in naming.identities and name not in naming.alone]
        if several and not set(key) <= set(pattern.names):
            yield from (self.of_several(name, *inner) for name in several)
            return
        for weakness in pattern.faults(key, tuple(naming.identities)):
            yield self.fault(weakness.code, weakness.message, *inner, remedy=self._advice(weakness, naming))

    def of_several(self, name: str, *inner: Step) -> Fault:
        return self.fault(
            "identity",
            f"Two people may have the same {name}: nothing in the database keeps it unique",
            *inner,
            remedy=f"name the person by the key, make it unique, or decide that what it names is erased for each of"
            f" them: identities: {{{name}: {{column: …, shared: true}}}}",
        )

    def _advice(self, weakness: Weakness, naming: Naming) -> str | None:
        meant = nearest(weakness.name or "", naming.spellings) if weakness.code == "unknown" else None
        return f"did you mean {{{meant}}}?" if meant else weakness.remedy
