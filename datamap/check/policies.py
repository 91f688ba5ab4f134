"""Whether row-level security tells what is kept from what is not: a policy has to look at what `keep` changes.

A condition that depends on the row alone is tried on rows that are there, as they would be once they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

from datamap.catalogue import Policy
from datamap.check.outcomes import Outcome
from datamap.check.readers import Reader
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.names import quoted

Sight = Literal["shows", "hides", "unknown"]  # unknown: the condition looks at more than the row

SAMPLED = 1000  # rows that a condition is tried on
_TEXT = re.compile(r"'(?:[^']|'')*'")
_TYPE = re.compile(r"::\s*(?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))?")
_NAME = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
_ELSEWHERE = re.compile(r'\bselect\b|[\w"]\.(?:"[^"]+"|\w+)\(', re.IGNORECASE)
_WHO_ASKS = re.compile(
    r"\b(?:current_setting|current_user|current_role|session_user|user|pg_has_role|has_\w+_privilege)\b"
)
_FOREIGN = "OPERATOR("  # one that is none of Postgres' own, and would run somebody's function
_LEXEME = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|[\w$]+|\s+|.", re.DOTALL)


class Policies:
    """Of one table that is kept."""

    def __init__(self, dataset: Dataset, survey: Survey, server: Server, changed: Sequence[Outcome]) -> None:
        self._outcomes = changed
        self._dataset = dataset
        self._survey = survey
        self._server = server
        self._tried: dict[str, Sight | None] = {}

    def sight(self, reader: Reader) -> tuple[Sight, Policy | None]:
        """What this role sees of kept rows, and by which policy."""
        meant = [each for each in self._dataset.facts.policies if _is_for(each, reader)]
        narrowing = [(self._by(each, reader), each) for each in meant if not each.permissive]
        widening = [(self._by(each, reader), each) for each in meant if each.permissive]
        if any(sight == "hides" for sight, _ in narrowing):
            return "hides", None
        shown = [each for sight, each in widening if sight == "shows"]
        unknown = [each for sight, each in (*narrowing, *widening) if sight == "unknown"]
        if shown and not any(sight == "unknown" for sight, _ in narrowing):
            return "shows", shown[0]
        if unknown and any(sight != "hides" for sight, _ in widening):
            return "unknown", unknown[0]
        return "hides", None

    def hides(self, text: str) -> bool:
        """Whether the end of a query mentions what `keep` changes."""
        return bool(_names(text) & self._changed)

    def _by(self, policy: Policy, reader: Reader) -> Sight:
        """Of what has to hold together, one that hides is enough."""
        if policy.using is None:
            return "hides"
        sights = [self._part(part, policy, reader) for part in conjuncts(policy.using)]
        return next((each for each in ("hides", "unknown") if each in sights), "shows")

    def _part(self, part: str, policy: Policy, reader: Reader) -> Sight:
        plain = _TEXT.sub("''", part)
        if part in ("true", "false"):
            return "shows" if part == "true" else "hides"
        if _ELSEWHERE.search(plain):
            return "hides" if self._looks_at_what_goes(part) else "unknown"
        if _WHO_ASKS.search(plain):
            return "hides" if self.hides(part) or self._refuses(part, policy, reader) else "shows"
        if part not in self._tried:
            self._tried[part] = None if _FOREIGN in plain else self._on_rows(part, policy)
        return self._tried[part] or ("hides" if self.hides(part) else "shows")

    # By the text of a condition ---------------------------------------------------------------------------------------

    @cached_property
    def _kept(self) -> dict[str, str]:
        """The columns that `keep` changes, with what they hold then."""
        where = (*self._dataset.where, "keep", "set")
        told = (
            each.values for each in self._outcomes if each.where == where and each.dataset.name == self._dataset.name
        )
        return {column: value for values in told for column, value in values.items()}

    @property
    def _changed(self) -> set[str]:
        return set(self._kept)

    def _looks_at_what_goes(self, part: str) -> bool:
        """At a column that `keep` changes, at a table that loses rows, or at what an erasure changes there."""
        names = _names(part)
        stubs = {name for _, name in self._survey.stubs}
        lost = {each.name for each in self._survey.deletable if str(each) not in stubs}
        if names & (self._changed | lost):
            return True
        others = (each for each in self._outcomes if each.dataset.name.name in names)
        return any(names & set(each.values) for each in others)

    # By asking --------------------------------------------------------------------------------------------------------

    def _refuses(self, part: str, policy: Policy, reader: Reader) -> bool:
        """Whether a condition that asks who asks, and nothing else, says no to this role."""
        is_plain = "current_setting" not in part and not _names(part) & set(self._dataset.facts.columns)
        may = f"pg_has_role({reader.literal}, 'set')"
        if not is_plain or not self._server.holds(may, what=self._what(policy)):
            return False
        found = self._server.rows(f"set local role {quoted(reader.name)}; select ({part})", what=self._what(policy))
        return found is not None and not found[0][0]

    def _on_rows(self, part: str, policy: Policy) -> Sight | None:
        """None where no row says anything."""
        name, facts = quoted(self._dataset.name.name), self._dataset.facts
        cells = ", ".join(
            f"cast({self._kept[each.name]} as {each.type}) as {quoted(each.name)}"
            if each.name in self._kept
            else f"t.{quoted(each.name)}"
            for each in facts.columns.values()
        )
        asked = (
            f"(select bool_or({part}) from (select {shown} from {self._dataset.sql} as t limit {SAMPLED}) as {name})"
            for shown in (cells, "t.*")
        )
        tables = (self._dataset.name,)
        found = self._server.rows(f"select {', '.join(asked)}", what=self._what(policy), tables=tables)
        kept, now = found[0] if found else (None, None)
        return "shows" if kept else "hides" if now else None

    def _what(self, policy: Policy) -> str:
        return f"whether the policy {policy.name} hides what is kept in {self._dataset.name}"


def _is_for(policy: Policy, reader: Reader) -> bool:
    return policy.command in ("all", "select") and bool({"public", *reader.belongs} & set(policy.roles))


def _names(text: str) -> set[str]:
    """The words of a condition that may name a column or a table: no texts, and no types of casts."""
    plain = _TYPE.sub("", _TEXT.sub("''", text))
    return {each[1:-1].replace('""', '"') if each.startswith('"') else each for each in _NAME.findall(plain)}


def conjuncts(condition: str) -> list[str]:
    """What has to hold together, of a condition as Postgres writes it down: each AND has parentheses of its own."""
    condition = condition.strip()
    while _is_enclosed(condition):
        condition = condition[1:-1].strip()
    parts = list(_split(condition))
    return parts if len(parts) == 1 else [each for part in parts for each in conjuncts(part)]


def _split(condition: str) -> Iterator[str]:
    """At each AND outside of parentheses."""
    depth, begun = 0, ""
    for lexeme in _LEXEME.findall(condition):
        depth += {"(": 1, ")": -1}.get(lexeme, 0)
        if not depth and lexeme == "AND":
            yield begun.strip()
            begun = ""
        else:
            begun += lexeme
    yield begun.strip()


def _is_enclosed(condition: str) -> bool:
    """Whether the first parenthesis closes at the end."""
    depth, lexemes = 0, _LEXEME.findall(condition)
    for number, lexeme in enumerate(lexemes):
        depth += {"(": 1, ")": -1}.get(lexeme, 0)
        if not depth:
            return number > 0 and number == len(lexemes) - 1
    return False
